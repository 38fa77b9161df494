"""Who connects, with which key, where to: and that a key shows nowhere."""

from __future__ import annotations

import logging
import pickle
import traceback
from datetime import timedelta
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from scripted_server import KEY, scripted_server

from elarian_trio import AuthToken, Backoff, ConnectionOptions, Elarian, SetupRejected, Simulator
from elarian_trio.client.credentials import Secret
from elarian_trio.client.endpoint import Endpoint, parse_endpoint

TOKEN = "el_tkn_0123456789"
WHO: dict[str, Any] = {"org_id": "el_org_1", "app_id": "el_app_1"}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"api_key": KEY, "auth_token": TOKEN},
        {"api_key": ""},
        {"api_key": KEY + "\ud800"},
        {"auth_token": " "},
        {"api_key": KEY, "org_id": ""},
        {"api_key": KEY, "endpoint": "http://host:1"},
    ],
)
def test_bad_credentials_are_a_value_error_that_shows_none(arguments: dict[str, Any]) -> None:
    """This SDK: exactly one credential; no frame of ours holds a bare one."""
    with pytest.raises(ValueError, match=r".") as caught:
        Elarian(**WHO | arguments)
    assert_secret(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": 5},
        {"auth_token": 5},
        {"api_key": KEY.encode(), "org_id": 5},
        {"api_key": [KEY]},
        {"api_key": KEY.encode()},
        {"auth_token": TOKEN.encode()},
        {"api_key": bytearray(KEY.encode())},
        {"auth_token": {"token": TOKEN}},
    ],
)
def test_credentials_of_the_wrong_type_are_a_type_error(arguments: dict[str, Any]) -> None:
    """This SDK: told by name and class, not by value."""
    with pytest.raises(TypeError) as caught:
        Elarian(**WHO | arguments)
    assert_secret(caught.value)


def assert_secret(error: BaseException) -> None:
    """Neither words nor variables of our frames show a credential."""
    shown = str(error)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "elarian_trio/" in frame.f_code.co_filename.replace("\\", "/") and "/test/" not in frame.f_code.co_filename:
            shown += repr(frame.f_locals)
    assert KEY not in shown
    assert TOKEN not in shown


def test_client_shows_no_credential() -> None:
    """Promise 4, for what holds the key longest."""
    app = Elarian(**WHO, api_key=KEY)
    assert repr(app) == "<Elarian org_id='el_org_1' app_id='el_app_1' at tls://tcp.elarian.dev:443, pending>"
    dialled = Elarian(**WHO, api_key=KEY, dial=anyio.sleep_forever)
    assert repr(dialled) == "<Elarian org_id='el_org_1' app_id='el_app_1' by dial, pending>"
    assert KEY not in repr(vars(app)) + repr(vars(app._identity))
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))


@pytest.mark.anyio
async def test_failing_connection_shows_no_credential(caplog: pytest.LogCaptureFixture) -> None:
    """Promise 4, in errors, tracebacks and logs of every level."""
    caplog.set_level(logging.DEBUG)
    with anyio.fail_after(5):
        async with scripted_server() as server:
            server.refusing = "no such key"
            with pytest.raises(SetupRejected) as caught:
                async with Elarian(**server.credentials):
                    pytest.fail("entered")
    assert_secret(caught.value)
    assert KEY not in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [TOKEN, AuthToken(token=TOKEN, lifetime=timedelta(hours=1))])
async def test_token_function_is_asked_before_each_setup(answer: str | AuthToken) -> None:
    """This SDK: tokens live an hour, connections longer."""
    asked = 0

    async def token() -> Any:  # noqa: ANN401
        nonlocal asked
        await checkpoint()
        asked += 1
        return answer

    options = ConnectionOptions(reconnect=Backoff(first=0.0), receive_notifications=False)
    with anyio.fail_after(5):
        async with (
            scripted_server() as server,
            Elarian(**WHO, auth_token=token, dial=server.dial, options=options) as app,
        ):
            server.cut()
            while app.statistics().reconnects < 1:
                await checkpoint()
            assert asked == 2
            assert [each.auth_token for each in server.setups] == [TOKEN, TOKEN]
            assert server.setups[0].api_key is None
            assert server.setups[0].simplex_mode


@pytest.mark.anyio
async def test_token_function_that_raises_later_is_asked_again() -> None:
    """This SDK: what gives tokens may be down for a while; at first what it raises comes out of the line."""
    answers = iter([ZeroDivisionError(), TOKEN, ZeroDivisionError(), TOKEN])

    async def token() -> str:
        await checkpoint()
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    options = ConnectionOptions(reconnect=Backoff(first=0.0, base=0.0), resume="off")
    with anyio.fail_after(5):
        async with scripted_server() as server:
            with pytest.raises(ZeroDivisionError):
                async with Elarian(**WHO, auth_token=token, dial=server.dial, options=options):
                    pytest.fail("entered")
            async with Elarian(**WHO, auth_token=token, dial=server.dial, options=options) as app:
                server.cut()
                while app.statistics().reconnects < 1:
                    await checkpoint()
    assert next(answers, None) is None


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [None, "", {"token": TOKEN}, [TOKEN], TOKEN + "\ud800"])
async def test_token_function_that_gives_no_token_is_an_error(answer: Any) -> None:  # noqa: ANN401
    """This SDK: a mistake of the program's comes out plainly."""

    async def token() -> Any:  # noqa: ANN401
        await checkpoint()
        return answer

    with anyio.fail_after(5):
        async with scripted_server() as server:
            with pytest.raises((TypeError, ValueError), match="auth_token") as caught:
                async with Elarian(**WHO, auth_token=token, dial=server.dial):
                    pytest.fail("entered")
    assert_secret(caught.value)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("tls://tcp.elarian.dev:443", Endpoint("tls", "tcp.elarian.dev", 443)),
        ("tcp://127.0.0.1:7000", Endpoint("tcp", "127.0.0.1", 7000)),
        ("tcp://[::1]:7000/", Endpoint("tcp", "::1", 7000)),
    ],
)
def test_endpoint_is_scheme_host_and_port(text: str, endpoint: Endpoint) -> None:
    """This SDK's words for where to connect."""
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "host:port"),
        ("tcp.elarian.dev:443", "host:port"),
        ("tcp://host", "host:port"),
        ("tcp://:1", "host:port"),
        ("tcp://host:0", "host:port"),
        ("tcp://host:99999", "host:port"),
        ("tcp://[::1:1", "host:port"),
        ("http://host:1", "host:port"),
        ("tls://user:secret@host:1", "nothing else"),
        ("tls://host:1/path", "nothing else"),
        ("wss://host:1/socket", "nothing else"),
        ("tls://a..b:1", "host:port"),
        (None, "host:port"),
    ],
)
def test_bad_endpoint_is_a_value_error_that_says_what_is_right(text: Any, words: str) -> None:  # noqa: ANN401
    """This SDK: and it repeats no password."""
    with pytest.raises(ValueError, match=words) as caught:
        parse_endpoint(text)
    assert "secret" not in str(caught.value)


def test_client_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:  # noqa: ANN401
    """This SDK: exactly these variables; empty ones count as not set."""
    for name in ("ORG_ID", "APP_ID", "API_KEY", "AUTH_TOKEN", "ENDPOINT", "CA_FILE"):
        monkeypatch.delenv(f"ELARIAN_{name}", raising=False)
    with pytest.raises(ValueError, match=r"lacks ELARIAN_ORG_ID, ELARIAN_APP_ID, ELARIAN_API_KEY \(or"):
        Elarian.from_env()
    monkeypatch.setenv("ELARIAN_ORG_ID", "el_org_1")
    monkeypatch.setenv("ELARIAN_APP_ID", "el_app_1")
    with pytest.raises(ValueError, match="lacks ELARIAN_API_KEY"):
        Elarian.from_env()
    monkeypatch.setenv("ELARIAN_API_KEY", " ")
    with pytest.raises(ValueError, match="ELARIAN_API_KEY must not be empty"):
        Elarian.from_env()
    monkeypatch.setenv("ELARIAN_API_KEY", KEY)
    monkeypatch.setenv("ELARIAN_AUTH_TOKEN", "")
    monkeypatch.setenv("ELARIAN_ENDPOINT", "tcp://127.0.0.1:7000")
    assert "tcp://127.0.0.1:7000" in repr(Simulator.from_env())
    monkeypatch.setenv("ELARIAN_CA_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(FileNotFoundError, match=r"ELARIAN_CA_FILE: No such file"):
        Elarian.from_env()
    (tmp_path / "missing.pem").write_text("no certificate")
    with pytest.raises(OSError, match=r"ELARIAN_CA_FILE: "):
        Elarian.from_env()
    monkeypatch.setenv("ELARIAN_ENDPOINT", "nope")
    with pytest.raises(ValueError, match=r"ELARIAN_ENDPOINT: an endpoint is tcp://host:port"):
        Elarian.from_env()
    monkeypatch.setenv("ELARIAN_AUTH_TOKEN", TOKEN)
    with pytest.raises(ValueError, match="both are set") as caught:
        Elarian.from_env()
    assert_secret(caught.value)
