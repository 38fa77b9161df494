"""The stand-ins on the command line: where they listen, with what clients come in, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command_line import run

from elarian_trio.cli.admission import Admission
from elarian_trio.cli.announcement import announcement
from elarian_trio.cli.standins import StandInKeys
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take what the environment may hold."""
    for name in ("PLANSHIP_CLIENT_ID", "PLANSHIP_CLIENT_SECRET", "TALON_ONE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


async def said(keys: StandInKeys) -> list[str]:
    """Give what is said of a sandbox with a local Planship."""
    async with Sandbox(planship=keys.serve("planship", "127.0.0.1:0", 1)) as sandbox:
        return list(keys.announcement(sandbox))


async def test_it_is_said_which_address_is_whose() -> None:
    """A past riddle: two lines began with ``listens on http://``, and nothing told the two services apart."""
    keys = StandInKeys.of({"planship": None})
    async with Sandbox(planship=keys.serve("planship", "127.0.0.1:0", 1)) as sandbox:
        first, *_ = announcement(sandbox, Admission.of((), (), ()), None, None)
        assert first == f"listens on {sandbox.endpoints['planship']} for Planship"


async def test_a_secret_that_was_made_up_is_told() -> None:
    """As the sandbox's own keys: the user has no other way to learn it."""
    lines = await said(StandInKeys.of({"planship": None}))
    assert lines[0] == "lets in Planship's clients:"
    names = [line.removeprefix("  export ").partition("=")[0] for line in lines[1:]]
    assert names == ["PLANSHIP_BASE_URL", "PLANSHIP_WEB_SOCKET_URL", "PLANSHIP_CLIENT_ID", "PLANSHIP_CLIENT_SECRET"]


async def test_a_secret_of_the_users_is_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of the environment, or of a file, which goes before it."""
    monkeypatch.setenv("PLANSHIP_CLIENT_ID", "MINE")
    monkeypatch.setenv("PLANSHIP_CLIENT_SECRET", "hush")
    keys = StandInKeys.of({"planship": None})
    lines = await said(keys)
    assert lines[-2:] == [
        "  export PLANSHIP_CLIENT_ID=MINE",
        "  with the secret that you gave, as PLANSHIP_CLIENT_SECRET",
    ]
    assert "hush" not in repr(keys)
    file = tmp_path / "secret"
    file.write_text("of_the_file\n")
    file.chmod(0o600)
    assert StandInKeys.of({"planship": file}).chosen["planship"]["client_secret"] == "of_the_file"


async def test_without_an_address_there_is_none() -> None:
    """The design: what is left out is not there."""
    keys = StandInKeys.of({"planship": None, "talon_one": None})
    assert keys.serve("planship", None, None) is None
    async with Sandbox() as sandbox:
        assert list(keys.announcement(sandbox)) == []


async def test_a_key_of_talon_ones_comes_from_its_file_or_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same for the other stand-in."""
    monkeypatch.setenv("TALON_ONE_API_KEY", "key")
    assert StandInKeys.of({"talon_one": None}).chosen == {"talon_one": {"api_key": "key"}}
    file = tmp_path / "key"
    file.write_text("of_the_file")
    file.chmod(0o600)
    assert StandInKeys.of({"talon_one": file}).chosen == {"talon_one": {"api_key": "of_the_file"}}


async def test_others_come_in_with_credentials_of_the_users_only() -> None:
    """As the sandbox's other ports."""
    ran = await run("sandbox", "--tcp", "127.0.0.1:0", "--planship", "0.0.0.0:0")
    assert "takes a client id and secret of your own" in ran.err
