"""Acceptance, written from the design: connections that cannot be had, are lost or garbled, and are opened again."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from acceptance import (
    ASHA,
    BOUND,
    ERROR,
    KEY,
    PAYLOAD,
    QUICK,
    REJECTED_SETUP,
    Frame,
    Line,
    ScriptedServer,
    a_token_reply,
    an_update_reply,
    answer_frame,
    enter,
    error_frame,
    texts_of,
    the_command,
    the_end_of,
)

from elarian_trio import (
    Backoff,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    Elarian,
    RemoteProtocolError,
    SetupRejected,
)

pytestmark = pytest.mark.anyio


async def test_no_server_is_waited_for_until_the_caller_cancels(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: while the first connection fails, attempts go on, each logged at WARNING, under the caller's scope."""
    attempts = 0
    scope = anyio.CancelScope()

    async def dial() -> Any:  # noqa: ANN401
        nonlocal attempts
        attempts += 1
        if attempts == 5:
            scope.cancel()
        raise OSError("nobody there")

    with anyio.fail_after(BOUND), scope:
        async with Elarian(org_id="o", app_id="a", api_key=KEY, dial=dial, options=ConnectionOptions(reconnect=QUICK)):
            pytest.fail("entered without a server")
    assert scope.cancelled_caught
    assert attempts == 5
    assert [record.levelname for record in caplog.records].count("WARNING") >= 4


async def test_client_gives_up_as_configured() -> None:
    """This SDK: ConnectionFailed from the ``async with`` line, plain, the cause inside."""

    async def dial() -> Any:  # noqa: ANN401
        raise OSError("nobody there")

    options = ConnectionOptions(reconnect=Backoff(first=0.01, base=0.01, cap=0.01, give_up_after=0.05))
    app = Elarian(org_id="o", app_id="a", api_key=KEY, dial=dial, options=options)
    error = await the_end_of(ConnectionFailed, lambda: enter(app))
    causes = [error.__cause__, error.__cause__ and error.__cause__.__cause__]
    assert any(isinstance(each, OSError) for each in causes)
    assert not [text for text in texts_of(error) if KEY in text]


@pytest.mark.parametrize("code", [REJECTED_SETUP, 0x001])
async def test_rejected_setup_is_final_later_too(code: int) -> None:
    """This SDK: a server that refuses the setup on reconnecting ends the block, at once and plainly."""

    async def script(line: Line) -> None:
        if len(server.lines) == 1:
            await line.let_in()
            return  # hang up
        await line.receive()
        await line.send(error_frame(0, code, "no longer"))

    async with ScriptedServer(script) as server:

        async def block() -> None:
            async with Elarian(**server.arguments, options=ConnectionOptions(resume="off", reconnect=QUICK)):
                await anyio.sleep_forever()

        error = await the_end_of(SetupRejected, block)
    assert "no longer" in str(error)
    assert len(server.lines) == 2
    assert not [text for text in texts_of(error) if KEY in text]


async def test_lost_connection_is_opened_again_and_reads_are_sent_again() -> None:
    """Promise 1 without resumption: a write that was sent ends as ConnectionLost(sent=True), a read comes through."""
    results: dict[str, object] = {}

    async def script(line: Line) -> None:
        if len(server.lines) > 1:
            line.reply = lambda frame: answer_frame(frame.stream, a_token_reply())
            await server.welcome(line)
            return
        await line.let_in()
        commands = set()
        while len(commands) < 2:
            frame = await line.receive()
            if frame.kind == 0x04:
                commands.add(the_command(frame))

    async with (
        ScriptedServer(script) as server,
        Elarian(**server.arguments, options=ConnectionOptions(resume="off", reconnect=QUICK)) as app,
    ):

        async def write() -> None:
            results["write"] = await the_end_of(ConnectionLost, app.customer(ASHA).create)

        async def read() -> None:
            results["read"] = (await app.generate_auth_token()).token

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            tasks.start_soon(read)
        assert results["read"] == "el_tkn_of_the_script"
        error = results["write"]
        assert isinstance(error, ConnectionLost)
        assert error.sent
        statistics = app.statistics()
        assert (statistics.reconnects, statistics.sessions_lost) == (1, 1)
        assert app.connection_state == "connected"


async def test_command_given_while_away_goes_out_on_the_next_session() -> None:
    """Promise 1: what was not yet sent goes out on the next session."""
    hold = anyio.Event()

    async def script(line: Line) -> None:
        if len(server.lines) == 1:
            await line.let_in()
            return
        await hold.wait()
        line.reply = lambda frame: answer_frame(frame.stream, an_update_reply())
        await server.welcome(line)

    async with (
        ScriptedServer(script) as server,
        Elarian(**server.arguments, options=ConnectionOptions(resume="off", reconnect=QUICK)) as app,
    ):
        with anyio.fail_after(BOUND):
            async with app.connection_states() as states:
                async for state in states:
                    if state != "connected":
                        break
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(app.customer(ASHA).create)
                await anyio.wait_all_tasks_blocked()
                hold.set()


async def test_reconnect_now_skips_the_delay() -> None:
    """This SDK: nobody need wait out the backoff."""

    async def script(line: Line) -> None:
        if len(server.lines) == 1:
            await line.let_in()
            return
        await server.welcome(line)

    async with ScriptedServer(script) as server:
        slow = Backoff(first=1000.0, base=1000.0, cap=1000.0, slow_cap=1000.0)
        async with Elarian(**server.arguments, options=ConnectionOptions(resume="off", reconnect=slow)) as app:
            with anyio.fail_after(BOUND):
                async with app.connection_states() as states:
                    async for state in states:
                        if state != "connected":
                            break
                await app.reconnect_now()
                await app.ping()
        assert len(server.lines) == 2


# --- malformed bytes ---


GARBAGE = {
    "shorter than a header": b"\x00\x00\x00",
    "keepalive cut short": bytes(Frame(0, 0x03, 0x80, b"\x00")),
    "error without a code": bytes(Frame(0, ERROR, 0, b"\x00")),
    "metadata longer than its frame": bytes(Frame(1, PAYLOAD, 0x100 | 0x60, b"\xff\xff\xff")),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_malformed_bytes_before_the_first_answer_raise_remote_protocol_error(garbage: bytes) -> None:
    """The issue: from the ``async with`` line, never a hang."""

    async def script(line: Line) -> None:
        await line.receive()
        await line.send(garbage)
        await line.serve()

    async with ScriptedServer(script) as server:
        error = await the_end_of(RemoteProtocolError, lambda: enter(Elarian(**server.arguments)))
    assert not [text for text in texts_of(error) if KEY in text]


async def test_malformed_bytes_later_cost_the_session_and_thrice_the_block() -> None:
    """This SDK: commands in flight get ConnectionLost; the third such session within a minute ends the block."""

    async def script(line: Line) -> None:
        await line.let_in()
        while (await line.receive()).kind != 0x04:
            pass
        await line.send(GARBAGE["keepalive cut short"])
        await line.serve()

    lost: list[ConnectionLost] = []

    async def block() -> None:
        async with Elarian(**server.arguments, options=ConnectionOptions(reconnect=QUICK)) as app:
            while True:
                with pytest.raises(ConnectionLost) as caught:
                    await app.customer(ASHA).create()
                lost.append(caught.value)

    async with ScriptedServer(script) as server:
        await the_end_of(RemoteProtocolError, block)
    assert len(server.lines) == 3
    assert [error.sent for error in lost[:2]] == [True, True]
    assert all(isinstance(error.__cause__, RemoteProtocolError) for error in lost[:2])
    told = [frame for frame in server.lines[0].frames if (frame.stream, frame.kind) == (0, ERROR)]
    assert [frame.code for frame in told] == [0x101]
