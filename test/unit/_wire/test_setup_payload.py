"""The payload of SETUP: what the server learns, and what nobody else does."""

from __future__ import annotations

import json
import traceback
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_strategies import TEXT

from elarian_trio._wire._pb import app_socket_pb2
from elarian_trio._wire.setup import Credentials, agent_metadata, decode_setup, encode_setup
from elarian_trio.errors import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator

app: Any = app_socket_pb2
SECRET = "el_k_test_hush"


@given(TEXT, TEXT, TEXT, st.sampled_from(["api_key", "auth_token"]), st.booleans(), st.booleans())
def test_what_a_client_says_is_what_the_server_reads(
    org_id: str, app_id: str, secret: str, kind: str, simplex: bool, simulator: bool
) -> None:
    """This SDK: every setup survives the wire."""
    said: dict[str, Any] = {"org_id": org_id, "app_id": app_id, "simplex_mode": simplex, "simulator_mode": simulator}
    credentials = Credentials(**said, **{kind: secret})
    assert decode_setup(encode_setup(credentials)) == credentials


def test_a_setup_is_what_the_contract_says() -> None:
    """Elarian's published contract."""
    wire = app.AppConnectionMetadata.FromString(
        encode_setup(Credentials(org_id="o", app_id="a", auth_token=SECRET, simulator_mode=True))
    )
    assert (wire.org_id, wire.app_id, wire.auth_token.value) == ("o", "a", SECRET)
    assert not wire.HasField("api_key")
    assert (wire.simplex_mode, wire.simulator_mode) == (False, True)


@pytest.mark.parametrize("given", [{}, {"api_key": "k", "auth_token": "t"}])
def test_a_client_has_exactly_one_credential(given: dict[str, Any]) -> None:
    """The design: otherwise a ValueError."""
    with pytest.raises(ValueError, match="exactly one of api_key and auth_token"):
        encode_setup(Credentials(org_id="o", app_id="a", **given))


def test_a_server_reads_what_other_clients_send() -> None:
    """This SDK: judging credentials is the server's business, reading them is not."""
    assert decode_setup(b"") == Credentials(org_id="", app_id="")
    wire = app.AppConnectionMetadata(org_id="o")
    wire.api_key.value = "k"
    wire.auth_token.value = "t"
    assert decode_setup(wire.SerializeToString()).auth_token == "t"
    with pytest.raises(RemoteProtocolError, match="3 bytes that are no AppConnectionMetadata"):
        decode_setup(b"\xff\xff\xff")


@pytest.mark.parametrize(
    "given", [{"org_id": 5}, {"app_id": "\ud800"}, {"api_key": SECRET + "\ud800"}, {"api_key": SECRET.split("_")}]
)
def test_no_error_shows_a_credential(given: dict[str, Any]) -> None:
    """The design: credentials appear in no error or traceback, also where variables are printed with it."""
    credentials = Credentials(**{"org_id": "o", "app_id": "a", "api_key": SECRET} | given)
    with pytest.raises(ValueError, match="text that UTF-8 can carry") as caught:
        encode_setup(credentials)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "setup.py" in frame.filename and "test" not in frame.filename]
    assert ours
    assert "hush" not in repr([frame.locals for frame in ours])
    assert caught.value.__context__ is None


def test_credentials_are_in_no_repr() -> None:
    """The design: credentials appear in no repr."""
    assert "hush" not in repr(Credentials(org_id="o", app_id="a", api_key=SECRET))
    assert "hush" not in repr(Credentials(org_id="o", app_id="a", auth_token=SECRET))


@pytest.fixture
def _forgotten() -> Iterator[None]:
    """Who speaks is looked up in the test, and again by whoever asks after it."""
    agent_metadata.cache_clear()
    yield
    agent_metadata.cache_clear()


@pytest.mark.usefixtures("_forgotten")
@pytest.mark.parametrize("installed", [True, False])
def test_a_client_says_who_it_is(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elarian's other SDKs send JSON with the one key "agent"; a checkout that is not installed has no version."""

    def version(name: str) -> str:
        if not installed:
            raise metadata.PackageNotFoundError(name)
        return "1.2.3"

    monkeypatch.setattr(metadata, "version", version)
    assert json.loads(agent_metadata()) == {"agent": "elarian-trio/1.2.3" if installed else "elarian-trio/0"}


@pytest.mark.usefixtures("_forgotten")
def test_a_client_looks_up_once_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A past bug: each connection read and parsed the file in which the version stands, on the loop."""
    asked: list[str] = []

    def version(name: str) -> str:
        asked.append(name)
        return "1.2.3"

    monkeypatch.setattr(metadata, "version", version)
    assert agent_metadata() == agent_metadata()
    assert asked == ["elarian-trio"]
