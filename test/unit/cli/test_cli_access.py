"""Where commands take their credential from, and where not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from elarian_trio import Elarian
from elarian_trio.cli.access import Access, read_secret

if TYPE_CHECKING:
    from pathlib import Path

KEY = "el_k_test_5ec2e7"
TOKEN = "el_tkn_5ec2e7"


def test_credential_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The issue: secrets only from the environment or a file."""
    monkeypatch.setenv("ELARIAN_API_KEY", KEY)
    monkeypatch.setenv("ELARIAN_AUTH_TOKEN", "")
    assert Access().credential() == {"api_key": KEY}


@pytest.mark.parametrize("name", ["api_key", "auth_token"])
def test_file_counts_more_than_the_environment(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: what is named on the command line is meant; the end of the line is no part of the secret."""
    monkeypatch.setenv("ELARIAN_API_KEY", "another")
    path = tmp_path / "secret"
    path.write_text(f" {TOKEN}\r\n")
    access = Access(api_key_file=path) if name == "api_key" else Access(auth_token_file=path)
    assert access.credential() == {name: TOKEN}


def test_none_or_two_credentials_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The design: exactly one; the words name all the ways, and repeat no secret."""
    with pytest.raises(ValueError, match=r"no credential.*ELARIAN_API_KEY.*--auth-token-file"):
        Access().credential()
    with pytest.raises(ValueError, match="one credential is enough"):
        Access(api_key_file=tmp_path, auth_token_file=tmp_path).credential()
    monkeypatch.setenv("ELARIAN_API_KEY", KEY)
    monkeypatch.setenv("ELARIAN_AUTH_TOKEN", TOKEN)
    with pytest.raises(ValueError, match="one credential is enough") as caught:
        Access().credential()
    assert "5ec2e7" not in str(caught.value)


@pytest.mark.parametrize(
    ("held", "words"), [(b"", "one secret"), (b"one two", "one secret"), (b"5ec2e7\xff", "no text")], ids=repr
)
def test_file_that_holds_no_single_secret_is_refused(held: bytes, words: str, tmp_path: Path) -> None:
    """This SDK: half a secret would only be refused later, by a server; the words repeat nothing of it."""
    path = tmp_path / "secret"
    path.write_bytes(held)
    with pytest.raises(ValueError, match=words) as caught:
        read_secret(path)
    assert "5ec2e7" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """This SDK: a ValueError, since the command line is wrong."""
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_secret(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access(app_id="app"), "--org-id or ELARIAN_ORG_ID"),
        (Access(org_id="org"), "--app-id or ELARIAN_APP_ID"),
        (Access(org_id="org", app_id="app", endpoint="nowhere"), "tcp://host:port"),
        (Access(org_id="org", app_id="app", ca_file=os.devnull), "no certificate authority can be read"),
        (Access(org_id="org", app_id="app", timeout=-1.0), "timeout must be above 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_missing_or_wrong_is_said_before_anything_is_sent(
    access: Access, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: the words name the option and the variable."""
    monkeypatch.setenv("ELARIAN_API_KEY", KEY)
    with pytest.raises(ValueError, match=words):
        access.client(Elarian)


def test_nothing_set_means_the_specifications_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The design: a variable that is set to nothing counts as not set."""
    monkeypatch.setenv("ELARIAN_API_KEY", KEY)
    client = Access(org_id="org", app_id="app", endpoint="").client(Elarian)
    assert "tls://tcp.elarian.dev:443" in repr(client)
    assert Access(endpoint="").where.host == "tcp.elarian.dev"
