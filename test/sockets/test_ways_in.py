"""The sandbox's ways in over a network: each by itself, all at once, and for those who come by the wrong one."""

from __future__ import annotations

import gc
import logging
import ssl
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import anyio.lowlevel
import pytest
import trustme
from acceptance import ASHA, BOUND, SMS, WAYS, answering, at_port, listening, texts_of, the_end_of
from loopback import needs_ipv6

from elarian_trio import (
    Backoff,
    ConnectionFailed,
    ConnectionOptions,
    Elarian,
    MessageStatusNotification,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

TRIES_ONCE = Backoff(give_up_after=0.0)  # and takes the time that it takes
GIVES_UP = Backoff(first=0.01, base=0.01, cap=0.01, give_up_after=0.1)
LOOPBACK = "127.0.0.1:0"
EVERYWHERE: dict[str, Any] = {"tcp": LOOPBACK, "tls": LOOPBACK, "ws": LOOPBACK, "wss": LOOPBACK}


async def enter(app: Elarian) -> None:
    """Enter a client's block and leave it."""
    async with app:
        pass


@WAYS
async def test_an_app_and_a_phone_talk_to_each_other(way: str) -> None:
    """The design: the endpoint with the sandbox's credentials, and its authority over TLS, is all a client needs."""
    async with (
        listening(way) as sandbox,
        Elarian(**at_port(sandbox, way)) as app,
        Simulator(**at_port(sandbox, way)) as phone,
        answering(app, ReceivedSmsNotification) as inbox,
        answering(app, MessageStatusNotification),
        answering(phone, SendMessageSimulatorNotification) as handset,
    ):
        assert list(sandbox.endpoints) == [way]
        assert sandbox.endpoints[way].startswith(f"{way}://127.0.0.1:")
        await phone.receive_message(ASHA, SMS, "", ["Hello"])
        assert (await inbox.next()).text == "Hello"
        sent = await app.customer(ASHA).send_message(SMS, "Hello to you")
        assert (await handset.next()).message_id == sent.message_id
        assert await app.ping() >= 0


async def test_every_way_leads_to_the_same_world() -> None:
    """This SDK: one server, however it is reached."""
    async with Sandbox(**EVERYWHERE) as sandbox:
        made: set[str | None] = set()
        for way in EVERYWHERE:
            async with Elarian(**at_port(sandbox, way)) as app:
                made.add((await app.customer(ASHA).create()).customer_id)
        assert len(made) == 1


@WAYS
@pytest.mark.parametrize("host", ["localhost", pytest.param("[::1]", marks=needs_ipv6)])
async def test_names_and_ipv6_are_listened_on_and_vouched_for(way: str, host: str) -> None:
    """The design: loopback by any of its names."""
    address: dict[str, Any] = {way: f"{host}:0"}
    async with Sandbox(**address) as sandbox:
        assert sandbox.endpoints[way].startswith(f"{way}://{host}:")
        with anyio.fail_after(BOUND):
            async with Elarian(**at_port(sandbox, way)) as app:
                assert (await app.customer(ASHA).create()).status


@WAYS
async def test_clients_come_back_when_the_server_is_restarted(way: str) -> None:
    """This SDK: entered again, a sandbox listens on the same port, and the same authority vouches for it."""
    sandbox = listening(way)

    async def up(*, task_status: anyio.abc.TaskStatus[anyio.CancelScope]) -> None:
        with anyio.CancelScope() as scope:
            async with sandbox:
                task_status.started(scope)
                await anyio.sleep_forever()
        stopped.set()

    with anyio.fail_after(2 * BOUND):
        async with anyio.create_task_group() as tasks:
            stopped = anyio.Event()
            kill = await tasks.start(up)
            options = {"reconnect": Backoff(first=0.01, base=0.01, cap=0.05)}
            async with Elarian(**at_port(sandbox, way, **options)) as app:
                made = await app.customer(ASHA).create()
                kill.cancel()
                await stopped.wait()
                kill = await tasks.start(up)
                assert (await app.customer(ASHA).get_state()).customer_id == made.customer_id
            kill.cancel()


@WAYS
async def test_a_large_command_given_up_half_way_harms_no_other(way: str) -> None:
    """The design: only the writer sends; a caller that is cancelled leaves no half frame on the wire."""
    async with listening(way) as sandbox, Elarian(**at_port(sandbox, way)) as app:
        for _ in range(5):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(app.customer(ASHA).update_metadata, {"big": "x" * 5_000_000})
                    for _ in range(3):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
            assert (await app.customer(ASHA).create()).status
        assert app.statistics().sessions_lost == 0


# --- certificates ---


@pytest.mark.parametrize("way", ["tls", "wss"])
@pytest.mark.parametrize("believed", [None, trustme.CA()], ids=["the system's", "another"])
async def test_client_that_does_not_believe_the_authority_does_not_come(way: str, believed: Any) -> None:  # noqa: ANN401
    """The design: TLS verifies by default; the words say what is wrong, and no credential has left."""
    context = None
    if believed is not None:
        context = ssl.create_default_context()
        believed.configure_trust(context)
    async with listening(way) as sandbox:
        arguments = at_port(sandbox, way) | {"options": ConnectionOptions(ssl_context=context, reconnect=TRIES_ONCE)}
        error = await the_end_of(ConnectionFailed, lambda: enter(Elarian(**arguments)))
        assert "certificate verify failed" in str(error)
        assert not [text for text in texts_of(error) if sandbox.credentials["api_key"] in text]


async def test_client_of_the_environment_believes_the_file_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The design: ``ELARIAN_CA_FILE`` for a private authority."""
    async with listening("wss") as sandbox:
        for name in ("org_id", "app_id", "api_key"):
            monkeypatch.setenv(f"ELARIAN_{name.upper()}", sandbox.credentials[name])
        monkeypatch.setenv("ELARIAN_ENDPOINT", sandbox.endpoints["wss"])
        monkeypatch.setenv("ELARIAN_CA_FILE", sandbox.ca_file)
        async with Elarian.from_env() as app:
            assert (await app.customer(ASHA).create()).status


async def test_authority_stays_with_the_sandbox_and_goes_with_it() -> None:
    """This SDK: a restarted server is the same to its clients; and no file is left behind."""
    sandbox = listening("tls")
    async with sandbox:
        path = sandbox.ca_file
        before = _read(path)
    assert sandbox.ca_file == path
    async with sandbox:
        assert sandbox.ca_file == path
        assert _read(path) == before
    assert b"PRIVATE" not in before
    del sandbox
    gc.collect()
    assert not await anyio.Path(path).parent.exists()


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def test_without_tls_there_is_no_authority(tmp_path: Path) -> None:
    """This SDK: an error that says why, and no file for nothing."""
    del tmp_path
    with pytest.raises(LookupError, match="tls and wss"):
        _ = Sandbox(tcp="127.0.0.1:0", ws="127.0.0.1:0").ca_file


# --- the wrong way ---


@pytest.mark.parametrize(
    ("spoken", "way"),
    [(spoken, way) for spoken in EVERYWHERE for way in EVERYWHERE if spoken != way],
)
async def test_client_that_comes_by_another_way_fails_and_disturbs_nobody(
    spoken: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """This SDK: each of the four spoken to each other one; within the time for connecting, and without a defect."""
    caplog.set_level(logging.INFO)
    async with listening(way) as sandbox, Elarian(**at_port(sandbox, way)) as settled:
        port = sandbox.endpoints[way].rpartition(":")[2]
        options = ConnectionOptions(
            ssl_context=ssl.create_default_context(cafile=sandbox.ca_file) if way in ("tls", "wss") else None,
            reconnect=GIVES_UP,
            connect_timeout=0.1,
        )
        arguments = at_port(sandbox, way) | {"endpoint": f"{spoken}://127.0.0.1:{port}", "options": options}
        await the_end_of(ConnectionFailed, lambda: enter(Elarian(**arguments)))
        assert (await settled.customer(ASHA).create()).status
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert sandbox.credentials["api_key"] not in caplog.text
