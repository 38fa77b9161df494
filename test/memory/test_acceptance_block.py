"""Acceptance, written from the design: entering and leaving the client's block by every way."""

from __future__ import annotations

import itertools
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from acceptance import (
    ASHA,
    BOUND,
    CANCEL,
    CONNECTION_CLOSE,
    ERROR,
    INVALID,
    KEY,
    PAYLOAD,
    REJECTED,
    REJECTED_SETUP,
    SMS,
    Frame,
    Line,
    Place,
    ScriptedServer,
    a_place,
    a_token_reply,
    an_sms,
    an_update_reply,
    answer_frame,
    answering,
    error_frame,
    texts_of,
    the_command,
    the_end_of,
)

from elarian_trio import (
    Backoff,
    CommandFailed,
    CommandRejected,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    ConnectionState,
    Elarian,
    ReceivedSmsNotification,
    RemoteProtocolError,
    SetupRejected,
    Simulator,
    Tag,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

QUICK = Backoff(first=0.01, base=0.01, cap=0.02)


async def enter(app: Elarian | Simulator) -> None:
    """Enter a client's block and leave it."""
    async with app:
        pass


@pytest.mark.parametrize("kind", [Elarian, Simulator])
@pytest.mark.parametrize("wrong", [{"api_key": KEY}, {"org_id": "el_org_other"}])
async def test_wrong_credentials_are_rejected_plainly_and_shown_nowhere(
    kind: type[Any], wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Promise 4: SetupRejected from the ``async with`` line, in no group, and no credential in any text of it."""
    caplog.set_level(logging.DEBUG)
    async with Sandbox() as sandbox:
        app = kind(**{**sandbox.credentials, **wrong})
        error = await the_end_of(SetupRejected, lambda: enter(app))
    keys = {wrong.get("api_key", sandbox.credentials["api_key"]), sandbox.credentials["api_key"]}
    texts = [*texts_of(error), repr(app), repr(sandbox.credentials), caplog.text]
    shown = [text[:80] for text in texts for key in keys if key in text]
    assert not shown


async def test_credentials_are_shown_nowhere_while_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    """Promise 4: no repr and no log line holds a key, at any level; phone numbers and words in none above DEBUG."""
    caplog.set_level(logging.DEBUG)
    async with a_place() as place, answering(place.app, ReceivedSmsNotification) as inbox:
        await place.app.customer(ASHA).send_message(SMS, "the words of it")
        await place.phone.receive_message(ASHA, SMS, "", ["the words of it"])
        await inbox.next()
        key = place.sandbox.credentials["api_key"]
        shown = [repr(place.app), str(place.app), repr(place.sandbox), repr(getattr(place.app, "__dict__", ""))]
        assert not [text for text in [*shown, caplog.text] if key in text]
    above = [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG]
    assert not [text for text in above if ASHA in text or "the words" in text]


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


class Mishap(Exception):
    """The user's own."""


@pytest.mark.parametrize(
    "error", [Mishap("mine"), ExceptionGroup("mine", [Mishap("a"), Mishap("b")])], ids=["one", "group"]
)
async def test_the_users_exception_comes_out_as_it_is(error: Exception) -> None:
    """Promise 3: the same object, no group around it; a group of the user's stays theirs."""
    cause = ValueError("why")
    async with Sandbox() as sandbox:
        with pytest.raises(type(error)) as caught:
            async with Elarian(**sandbox.credentials):
                raise error from cause
        assert caught.value is error
        assert caught.value.__cause__ is cause


async def test_cancelled_block_is_cancelled_and_nothing_else() -> None:
    """Promise 3: cancellation passes through."""
    async with Sandbox() as sandbox:
        with anyio.fail_after(BOUND), anyio.CancelScope() as scope:
            async with Elarian(**sandbox.credentials):
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught


async def test_cleanup_in_a_cancelled_block_can_still_send() -> None:
    """This SDK: cancellation reaches the block first, so its cleanup can still send."""
    async with Sandbox() as sandbox:
        with anyio.CancelScope() as scope:
            async with Elarian(**sandbox.credentials) as app:
                try:
                    scope.cancel()
                    await anyio.sleep_forever()
                finally:
                    with anyio.CancelScope(shield=True), anyio.fail_after(BOUND):
                        await app.customer(ASHA).update_metadata({"cleaned": True})
        async with Elarian(**sandbox.credentials) as app:
            assert await app.customer(ASHA).get_metadata() == {"cleaned": True}


async def test_client_is_used_inside_its_block_and_entered_once() -> None:
    """This SDK: before and after the block commands raise ConnectionClosed."""
    async with Sandbox() as sandbox:
        app = Elarian(**sandbox.credentials)
        asha = app.customer(ASHA)
        assert app.connection_state == "pending"
        await the_end_of(ConnectionClosed, asha.create)
        async with app:
            assert app.connection_state is ConnectionState.CONNECTED
            await asha.create()
        assert app.connection_state == "closed"
        await the_end_of(ConnectionClosed, asha.create)
        await the_end_of(ConnectionClosed, app.ping)
        with pytest.raises((RuntimeError, ConnectionClosed)):
            await enter(app)


async def test_disconnect_refuses_commands_and_lets_deliveries_be_answered() -> None:
    """This SDK: new commands raise ConnectionClosed; what is in hand may still be answered; then the end is orderly."""
    async with ScriptedServer() as server:
        async with (
            Elarian(**server.arguments) as app,
            anyio.create_task_group() as tasks,
            app.notifications(ReceivedSmsNotification) as inbox,
        ):
            stream = await server.line.ask(an_sms("hi"))
            async with await anext(aiter(inbox)) as delivery:
                tasks.start_soon(app.disconnect)
                await anyio.wait_all_tasks_blocked()
                await the_end_of(ConnectionClosed, app.generate_auth_token)
                await delivery.reply("Bye")
            assert (await server.line.answer_to(stream)).kind == PAYLOAD
            with anyio.fail_after(BOUND):
                assert [each async for each in inbox] == []  # the loop ends in order
        await server.line.until(lambda: server.line.ended)
        last = server.line.frames[-1]
        assert (last.stream, last.kind, last.code) == (0, ERROR, CONNECTION_CLOSE)


async def test_leaving_in_order_drains() -> None:
    """This SDK: leaving the block waits for the delivery in another task's hands to be answered."""
    async with ScriptedServer() as server, anyio.create_task_group() as tasks:
        taken, release = anyio.Event(), anyio.Event()

        async def work(app: Elarian, *, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with app.notifications(ReceivedSmsNotification) as inbox:
                task_status.started()
                async for delivery in inbox:
                    async with delivery:
                        taken.set()
                        await release.wait()
                        await delivery.reply("Done")

        async def leave() -> None:
            async with Elarian(**server.arguments) as app:
                await tasks.start(work, app)
                await server.line.ask(an_sms("hi"))
                await taken.wait()

        with anyio.fail_after(BOUND):
            tasks.start_soon(leave)
            await taken.wait()
            await anyio.wait_all_tasks_blocked()
            assert not server.line.ended
            release.set()
        await server.line.until(lambda: server.line.ended)
        assert [each.kind for each in server.line.answers.values()] == [PAYLOAD]


async def test_states_are_told_in_order() -> None:
    """This SDK: the present state first, then each change."""
    seen: list[str] = []
    async with Sandbox() as sandbox, anyio.create_task_group() as tasks:
        app = Elarian(**sandbox.credentials)

        async def listen(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with app.connection_states() as states:
                task_status.started()
                async for state in states:
                    seen.append(str(state))
                    if state == "closed":
                        break

        await tasks.start(listen)
        async with app:
            await app.ping()
    assert seen == ["pending", "connecting", "connected", "closed"]


async def test_statistics_count_what_happened() -> None:
    """This SDK: a frozen dataclass of counters."""
    async with a_place() as place, answering(place.app, ReceivedSmsNotification) as inbox:
        before = place.app.statistics()
        await place.app.customer(ASHA).update_tags(Tag("a", "b"))
        with pytest.raises(CommandFailed):
            await place.app.customer(customer_id="none").get_state()
        await place.phone.receive_message(ASHA, SMS, "", ["hi"])
        await inbox.next()
        after = place.app.statistics()
        assert (after.commands - before.commands, after.commands_failed, after.notifications) == (2, 1, 1)
        assert after.bytes_sent > before.bytes_sent > 0
        assert after.bytes_received > before.bytes_received > 0
        for name in ("unclaimed", "rejected", "answers_late", "observed_dropped", "reconnects", "resumptions"):
            assert getattr(after, name) == 0
        assert (after.sessions_lost, after.frames_ignored) == (0, 0)
        with pytest.raises(AttributeError):
            after.commands = 0  # type: ignore[misc]


async def test_ping_measures_a_round_trip() -> None:
    """This SDK: the round-trip time of a KEEPALIVE, in seconds."""
    async with Sandbox() as sandbox, Elarian(**sandbox.credentials) as app:
        assert 0 <= await app.ping() < BOUND


async def test_thousand_commands_run_at_once() -> None:
    """The issue: 1,000 concurrent commands on one connection, each with its own answer."""
    async with a_place() as place:
        got: dict[int, object] = {}

        async def one(n: int) -> None:
            customer = place.app.customer(f"+2547{n:08}")
            await customer.update_metadata({"n": n})
            got[n] = (await customer.get_metadata())["n"]

        async with anyio.create_task_group() as tasks:
            for n in range(500):
                tasks.start_soon(one, n)
        assert got == {n: n for n in range(500)}
        in_flight = 0
        async with (
            ScriptedServer() as server,
            Elarian(**server.arguments) as app,
            anyio.create_task_group() as tasks,
        ):
            for _ in range(1_000):
                tasks.start_soon(app.generate_auth_token)
            await server.line.until(lambda: len(server.line.requests) == 1_000)
            in_flight = len(server.line.requests)  # all of them wait at once
            for frame in reversed(server.line.requests):
                await server.line.send(answer_frame(frame.stream, a_token_reply()))
        assert in_flight == 1_000
        assert len({frame.stream for frame in server.line.requests}) == 1_000


@pytest.mark.parametrize("value", ["x" * 5_000_000, b"\x00\xff" * 2_500_000], ids=["text", "bytes"])
async def test_five_megabytes_travel_both_ways(value: Any) -> None:  # noqa: ANN401
    """The issue: one metadata value of 5 MB at the default fragment size; other commands go on beside it."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(asha.update_metadata, {"big": value})
            await place.app.ping()
        assert (await asha.get_metadata())["big"] == value


async def test_server_sees_fragments_no_larger_than_the_option() -> None:
    """The protocol: frames larger than the fragment size are cut; the pieces joined are the whole."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments, options=ConnectionOptions(fragment_size=1024)) as app,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(app.customer(ASHA).update_metadata, {"big": "y" * 10_000})
        await server.line.until(lambda: server.line.frames and not server.line.frames[-1].flags & 0x80)
        assert all(len(bytes(frame)) <= 1024 for frame in server.line.frames)
        assert b"".join(frame.data for frame in server.line.frames).count(b"y") >= 10_000
        (stream,) = {frame.stream for frame in server.line.frames}
        await server.line.send(answer_frame(stream, an_update_reply()))


# --- what servers do wrong ---

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


async def test_reply_that_is_no_reply_costs_its_command_only() -> None:
    """This SDK: bytes that mean nothing in a PAYLOAD raise RemoteProtocolError, or end the session; never a hang."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments, options=ConnectionOptions(reconnect=QUICK)) as app,
    ):
        server.line.reply = lambda frame: answer_frame(frame.stream, b"\xff\xff\xff")
        with pytest.raises((RemoteProtocolError, ConnectionLost)), anyio.fail_after(BOUND):
            await app.customer(ASHA).create()


async def test_fragments_beyond_the_limit_are_refused() -> None:
    """The issue: what grows beyond ``max_payload_size`` is not gathered; the client goes on."""
    options = ConnectionOptions(max_payload_size=100_000, reconnect=QUICK)
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments, options=options) as app,
        app.notifications(ReceivedSmsNotification),
    ):
        line = server.line
        await line.send(Frame(2, 0x04, 0x80, b"z" * 60_000))
        for _ in range(3):
            await line.send(Frame(2, PAYLOAD, 0x80 | 0x20, b"z" * 60_000))
        await line.until(lambda: any(frame.kind == ERROR for frame in line.frames) or line.ended)
        server.line.reply = lambda frame: answer_frame(frame.stream, a_token_reply())
        with anyio.fail_after(BOUND):
            await app.ping()


@pytest.mark.parametrize("method", ["create", "get_state"])
async def test_rejected_command_says_so_and_other_errors_fail(method: str) -> None:
    """This SDK: REJECTED is CommandRejected; INVALID and the rest are CommandFailed without a reply, with the code."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        call: Callable[[], Awaitable[object]] = getattr(app.customer(ASHA), method)
        server.line.reply = lambda frame: error_frame(frame.stream, REJECTED, "busy")
        rejected = await the_end_of(CommandRejected, call)
        assert isinstance(rejected, CommandRejected)
        assert rejected.description == "busy"
        for code in (INVALID, 0x201, 0x203, 0x301):
            server.line.reply = lambda frame, code=code: error_frame(frame.stream, code, "words")
            failed = await the_end_of(CommandFailed, call)
            assert isinstance(failed, CommandFailed)
            assert (failed.reply, failed.code, failed.description) == (None, code, "words")


async def test_cancelled_command_sends_cancel() -> None:
    """This SDK: cancelled after it was handed to the writer, a CANCEL follows the request."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.generate_auth_token)
            await server.line.until(lambda: server.line.requests)
            tasks.cancel_scope.cancel()
        await server.line.until(lambda: server.line.frames[-1].kind == CANCEL)
        assert server.line.frames[-1].stream == server.line.requests[0].stream
        server.line.reply = lambda frame: answer_frame(frame.stream, a_token_reply())
        await app.generate_auth_token()


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


# --- cancellation at every step ---


async def the_scenario(place: Place) -> None:
    """Do a bit of everything, so that every step may be the one at which it is cancelled."""
    asha = place.app.customer(ASHA)
    await asha.update_app_data("free")
    await asha.update_tags(Tag("a", "b"))
    await asha.lease_app_data()
    await asha.update_app_data("next")
    async with place.app.notifications(ReceivedSmsNotification, max_buffer_size=64) as inbox:
        await place.phone.receive_message(ASHA, SMS, "", ["hi"])
        async for delivery in inbox:
            async with delivery:
                await delivery.customer.send_message(SMS, "ho")
                await delivery.reply(app_data="answered")
            break
    await place.app.ping()


async def test_command_cancelled_at_any_step_leaves_the_session_usable() -> None:
    """The issue: cancelled after each checkpoint in turn until it completes; then all works and nothing is left."""
    async with a_place() as place, answering(place.phone):
        for steps in itertools.count():
            done = False
            with anyio.fail_after(BOUND), anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:

                    async def cancel(steps: int = steps, scope: anyio.CancelScope = scope) -> None:
                        for _ in range(steps):
                            await anyio.lowlevel.checkpoint()
                        scope.cancel()

                    tasks.start_soon(cancel)
                    await the_scenario(place)
                    done = True
                    tasks.cancel_scope.cancel()
            with anyio.fail_after(BOUND):
                await place.app.ping()
                await place.app.customer(ASHA).update_app_data("after")
                assert await place.app.customer("+254700000001").get_metadata() == {}
                await place.sandbox.clock.advance(timedelta(minutes=5))  # what a cancelled answer held is free again
            if done:
                break
        assert steps > 10
        assert place.app.connection_state == "connected"
        statistics = place.app.statistics()
        assert (statistics.sessions_lost, statistics.reconnects) == (0, 0)


async def test_entering_cancelled_at_any_step_leaves_nothing() -> None:
    """Promise 3: the leak checks around every test see what a half-entered client leaves."""
    async with Sandbox() as sandbox:
        for steps in itertools.count():
            done = False
            with anyio.fail_after(BOUND), anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:

                    async def cancel(steps: int = steps, scope: anyio.CancelScope = scope) -> None:
                        for _ in range(steps):
                            await anyio.lowlevel.checkpoint()
                        scope.cancel()

                    tasks.start_soon(cancel)
                    async with Elarian(**sandbox.credentials) as app:
                        await app.customer(ASHA).create()
                    done = True
                    tasks.cancel_scope.cancel()
            if done:
                break
        assert steps > 5
