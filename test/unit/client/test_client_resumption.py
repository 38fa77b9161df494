"""A cut as the app notices it: commands, deliveries, states, counters; where the server keeps sessions or does not."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from peers import RawPeer
from scripted_server import KEY, NEVER, ScriptedServer, scripted_server

from elarian_trio import (
    Backoff,
    ConnectionClosed,
    ConnectionLost,
    ConnectionOptions,
    ConnectionState,
    CustomerNumber,
    CustomerStateUpdateReply,
    Elarian,
    MessagingChannel,
    ReceivedSmsNotification,
    SetupRejected,
    Tag,
)
from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket.frames import ErrorFrame, Frame, ResumeFrame, SetupFrame
from elarian_trio._transport import MemoryTransport, open_memory_pair
from elarian_trio.models.commands import UpdateCustomerAppData, UpdateCustomerTag
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

BOUND = 20.0
QUICK = ConnectionOptions(reconnect=Backoff(first=0.0, base=0.0, jitter=0.0))
PATIENT = ConnectionOptions(reconnect=Backoff(first=1000.0, jitter=0.0))
SMS = ReceivedSmsNotification(
    customer_id="el_cst_1",
    message_id="m",
    customer_number=CustomerNumber("+254709759881"),
    channel_number=MessagingChannel.sms("83044"),
    text="hello",
)


def client(server: ScriptedServer, options: ConnectionOptions = QUICK, **more: Any) -> Elarian:  # noqa: ANN401
    """A client of the server."""
    return Elarian(**{**server.credentials, **more}, options=options)


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until *condition* holds."""
    while not condition():
        await checkpoint()


async def away(app: Elarian, server: ScriptedServer) -> None:
    """Cut the connection, and wait until the client knows."""
    await server.drop()
    await until(lambda: app.connection_state is not ConnectionState.CONNECTED)


async def test_command_in_flight_gets_its_reply_over_the_next_connection() -> None:
    """Promise 1: a cut connection is resumed; no command lost, none executed twice."""
    with anyio.fail_after(BOUND):
        async with scripted_server() as server, client(server) as app, anyio.create_task_group() as tasks:
            server.answers[UpdateCustomerTag] = NEVER
            replies: list[CustomerStateUpdateReply] = []

            async def tag() -> None:
                replies.append(await app.customer("+1").update_tags(Tag("a", "b")))

            tasks.start_soon(tag)
            await server.wait_for(lambda: bool(server.waiting))
            await server.drop()
            await until(lambda: app.statistics().resumptions == 1)
            assert not replies
            server.answer_waiting()
            await until(lambda: bool(replies))
            assert [type(each) for each in server.commands] == [UpdateCustomerTag]
            counted = app.statistics()
            assert (counted.reconnects, counted.resumptions, counted.sessions_lost) == (1, 1, 0)
            assert (counted.commands, counted.commands_failed) == (1, 0)
            assert len(server.setups) == 1


async def test_delivery_in_hand_is_answered_over_the_next_connection() -> None:
    """This SDK: a session that is only cut is no reason to give up what the user's code has in hand."""
    with anyio.fail_after(BOUND):
        async with scripted_server() as server, client(server) as app, anyio.create_task_group() as tasks:
            answers: dict[int, NotificationReply] = {}

            async def notify(number: int) -> None:
                sms = replace(SMS, message_id=f"m-{number}")
                answers[number] = await server.notify(sms, "data")

            async with app.notifications() as inbox:
                for number in range(3):
                    tasks.start_soon(notify, number)
                    await anyio.wait_all_tasks_blocked()
                async with await inbox.receive() as delivery:
                    await away(app, server)
                    await delivery.reply("during the outage")
                async with await inbox.receive():
                    await until(lambda: app.statistics().resumptions == 1)
                async with await inbox.receive():  # which waited for its customer's turn all the while
                    await server.drop()
                    await until(lambda: app.statistics().resumptions == 2)
            await until(lambda: len(answers) == 3)
            assert answers[0].message is not None
            assert answers[0].message.body == "during the outage"
            assert [answers[number].data_update for number in range(3)] == [AppDataUpdate("data")] * 3
            counted = app.statistics()
            assert (counted.notifications, counted.rejected, counted.answers_late) == (3, 0, 0)


async def test_change_of_app_data_is_remembered_across_a_cut() -> None:
    """This SDK: the default answer never undoes what this client changed since the notification came."""
    with anyio.fail_after(BOUND):
        async with scripted_server() as server, client(server) as app, anyio.create_task_group() as tasks:
            answers: list[NotificationReply] = []

            async def notify() -> None:
                answers.append(await server.notify(SMS, "old"))

            tasks.start_soon(notify)
            async with app.notifications() as inbox, await inbox.receive() as delivery:
                await away(app, server)
                await delivery.customer.update_app_data("new")
                await server.drop()
                await until(lambda: app.statistics().resumptions == 2)
            await until(lambda: bool(answers))
            assert answers[0].data_update is None
            assert [type(each) for each in server.commands] == [UpdateCustomerAppData]


async def test_deliveries_are_void_only_when_the_session_is_over() -> None:
    """This SDK: the server that forgot the session delivers again; an answer by hand says so."""
    with anyio.fail_after(BOUND):
        async with scripted_server() as server, client(server) as app, anyio.create_task_group() as tasks:

            async def notify() -> None:
                with pytest.raises(ConnectionLost):
                    await server.notify(SMS)

            tasks.start_soon(notify)
            async with app.notifications() as inbox, await inbox.receive() as delivery:
                await away(app, server)
                server.forget()
                await until(lambda: app.statistics().sessions_lost == 1)
                with pytest.raises(ConnectionLost):
                    await delivery.reply("too late")
            await until(lambda: app.statistics().reconnects == 1)
            counted = app.statistics()
            assert (counted.resumptions, counted.answers_late) == (0, 1)


async def test_leaving_while_cut_delivers_what_was_answered() -> None:
    """This SDK: leaving in order drains; an outage that ends soon changes nothing of it."""
    with anyio.fail_after(BOUND):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            answers: list[NotificationReply] = []

            async def notify() -> None:
                answers.append(await server.notify(SMS))

            async with client(server) as app:
                async with app.notifications() as inbox:
                    tasks.start_soon(notify)
                    async with await inbox.receive() as delivery:
                        server.unreachable = True
                        await away(app, server)
                        await delivery.reply("bye")

                async def come_back() -> None:
                    await until(lambda: server.dials > 4)
                    server.unreachable = False

                tasks.start_soon(come_back)
            assert app.connection_state is ConnectionState.CLOSED
            await until(lambda: bool(answers))
            assert answers[0].message is not None
            assert answers[0].message.body == "bye"


async def test_leaving_while_cut_waits_for_nobody_when_nothing_is_in_hand() -> None:
    """This SDK: a server that is gone keeps nobody in the block."""
    with anyio.fail_after(BOUND):
        async with scripted_server() as server, client(server, PATIENT) as app:
            await app.customer("+1").update_tags(Tag("a", "b"))
            server.unreachable = True
            await away(app, server)
        assert app.connection_state is ConnectionState.CLOSED
        assert app.statistics().sessions_lost == 0


async def test_cancelling_the_block_while_cut_ends_it_at_once() -> None:
    """This SDK: cancellation is never held back; the command in flight hears the truth."""
    with anyio.fail_after(BOUND):
        async with scripted_server() as server:
            server.answers[UpdateCustomerTag] = NEVER
            with anyio.CancelScope() as scope:
                async with client(server, PATIENT) as app, anyio.create_task_group() as tasks:
                    tasks.start_soon(app.customer("+1").update_tags)
                    await server.wait_for(lambda: bool(server.waiting))
                    await away(app, server)
                    scope.cancel()
            assert scope.cancelled_caught
            assert app.connection_state is ConnectionState.CLOSED


async def test_entering_that_is_cancelled_at_any_step_leaves_no_session_with_the_server() -> None:
    """A past bug: one that was accepted meanwhile was kept for two minutes, and what came for it waited as long."""
    async with scripted_server() as server:

        async def enter(scope: anyio.CancelScope) -> None:
            with scope:
                async with Elarian(**server.credentials):
                    await anyio.sleep_forever()

        steps = 0
        while len(server.setups) < 12:  # it stands by then
            steps += 1
            scope = anyio.CancelScope()
            with anyio.fail_after(5):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(enter, scope)
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
                await until(lambda: all(session.ending for session in server.sessions))
            assert server.parked == 0, steps


@pytest.mark.parametrize("way", ["in order", "by an error", "cancelled"])
async def test_leaving_while_a_resumption_is_not_answered_says_goodbye(way: str) -> None:
    """A past bug: the server that took the RESUME kept the session, and what came for it, for two minutes."""
    ends: list[MemoryTransport] = []

    async def dial() -> MemoryTransport:
        near, far = open_memory_pair()
        ends.append(far)
        await checkpoint()
        return near

    async def play() -> None:
        await until(lambda: len(ends) == 1)
        async with ends[0]:
            await RawPeer(ends[0]).let_in()
            await is_in.wait()
        await until(lambda: len(ends) == 2)
        async with ends[1]:
            frames.append(await RawPeer(ends[1]).receive())
            frames.extend(await RawPeer(ends[1]).receive_rest())

    frames: list[Frame | None] = []
    is_in = anyio.Event()
    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(play)
            with suppress(LookupError), anyio.CancelScope() as scope:
                async with Elarian(org_id="o", app_id="a", api_key=KEY, options=QUICK, dial=dial) as app:
                    is_in.set()
                    await until(lambda: bool(frames))
                    assert app.connection_state is ConnectionState.CONNECTING
                    if way == "by an error":
                        raise LookupError
                    if way == "cancelled":
                        scope.cancel()
                        await checkpoint()
            await until(lambda: len(frames) == 2)
    assert isinstance(frames[0], ResumeFrame)
    assert frames[1] == ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")


@pytest.mark.parametrize("way", ["cancelled", "disconnect()"])
async def test_entering_that_ends_while_a_resumption_is_not_answered_says_goodbye(way: str) -> None:
    """A past bug: cancelled there, on asyncio always and on Trio as the dice fell, the server kept the session."""
    frames: list[Frame | None] = []
    played: list[MemoryTransport] = []

    async def play(transport: MemoryTransport) -> None:
        played.append(transport)
        async with transport:
            peer = RawPeer(transport)
            if len(played) == 1:
                assert isinstance(await peer.receive(), SetupFrame)
                return  # it may have been taken in, and what said so was lost
            frames.append(await peer.receive())
            frames.extend(await peer.receive_rest())

    async def dial() -> MemoryTransport:
        near, far = open_memory_pair()
        tasks.start_soon(play, far)
        await checkpoint()
        return near

    async def enter(app: Elarian, scope: anyio.CancelScope) -> None:
        with suppress(ConnectionClosed), scope:
            async with app:
                await anyio.sleep_forever()

    for _ in range(10):  # Trio's dice fall either way
        frames.clear()
        played.clear()
        app, scope = Elarian(org_id="o", app_id="a", api_key=KEY, options=QUICK, dial=dial), anyio.CancelScope()
        with anyio.fail_after(BOUND):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(enter, app, scope)
                await until(lambda: bool(frames))
                if way == "cancelled":
                    scope.cancel()
                else:
                    await app.disconnect()
        assert isinstance(frames[0], ResumeFrame)
        assert frames[1:] == [ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")]


async def test_listeners_hear_of_every_state_wherever_they_begin() -> None:
    """This SDK: the present state first, then each change, also of resumptions."""
    heard: list[list[str]] = []

    async def listen(app: Elarian, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        mine: list[str] = []
        heard.append(mine)
        async with app.connection_states() as states:
            task_status.started()
            mine += [state async for state in states]

    with anyio.fail_after(BOUND):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            app = client(server)
            await tasks.start(listen, app)
            async with app:
                for number in range(1, 11):
                    await tasks.start(listen, app)
                    await (server.drop() if number % 3 else away(app, server))
                    await tasks.start(listen, app)
                    if number == 5:
                        server.forget()
                    await until(lambda: app.statistics().reconnects == number)  # noqa: B023 - awaited right here
    everything = heard[0]
    assert everything == ["pending"] + ["connecting", "connected", "pending"] * 10 + [
        "connecting",
        "connected",
        "closed",
    ]
    for mine in heard[1:]:
        assert mine == everything[-len(mine) :]
    assert app.statistics().resumptions == 9


async def test_credentials_are_asked_for_before_a_setup_only() -> None:
    """This SDK: tokens live an hour, sessions longer; resuming one takes none."""
    asked: list[int] = []

    async def token() -> str:
        await checkpoint()
        asked.append(len(asked))
        return "el_tkn_0123456789"

    with anyio.fail_after(BOUND):
        async with scripted_server() as server, client(server, api_key=None, auth_token=token) as app:
            for number in (1, 2, 3):
                await server.drop()
                await until(lambda: app.statistics().resumptions == number)  # noqa: B023 - awaited right here
            assert len(asked) == 1
            await away(app, server)
            server.forget()
            await until(lambda: app.statistics().reconnects == 4)
            assert len(asked) == 2


async def test_key_that_is_refused_after_an_outage_is_used_twice_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: once with the flag, once without, which is final; and neither key nor token shows anywhere."""
    caplog.set_level(logging.DEBUG)
    with anyio.fail_after(BOUND):
        async with scripted_server() as server:
            with pytest.raises(SetupRejected, match="no longer") as caught:  # noqa: PT012 - the block is what is tested
                async with client(server) as app:
                    token = server.sessions[0].resume_token
                    server.refusing = "no longer"
                    await away(app, server)
                    server.forget()
                    await anyio.sleep_forever()
            assert len(server.setups) == 3
            assert token is not None
            shown = caplog.text + repr(app) + repr(vars(app))
            for error in (caught.value, caught.value.__cause__, caught.value.__context__):
                shown += f"{error!r}{error}" if error is not None else ""
                for frame, _ in traceback.walk_tb(None if error is None else error.__traceback__):
                    if "elarian_trio/" in frame.f_code.co_filename.replace("\\", "/"):
                        shown += repr(frame.f_locals)
            assert token.decode() not in shown
            assert KEY not in shown
