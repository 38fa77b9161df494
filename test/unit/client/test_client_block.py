"""The client's block: entering, leaving, failing, and what comes out of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.lowlevel import checkpoint
from scripted_server import KEY, NEVER, ScriptedServer, scripted_server

from elarian_trio import (
    Backoff,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    ConnectionState,
    Elarian,
    ReceivedSmsNotification,
    RemoteProtocolError,
    SetupRejected,
    Tag,
)
from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio._transport import open_memory_pair
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import UpdateCustomerTag
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import NotificationReply

if TYPE_CHECKING:
    from elarian_trio._transport import MemoryTransport

pytestmark = pytest.mark.anyio

QUICK = ConnectionOptions(reconnect=Backoff(first=0.0, base=0.0, jitter=0.0), drain_timeout=0.05)
SMS = ReceivedSmsNotification(
    customer_id="el_cst_1",
    message_id="m",
    customer_number=CustomerNumber("+254709759881"),
    channel_number=MessagingChannel.sms("83044"),
    text="hello",
)


def client(server: ScriptedServer, options: ConnectionOptions = QUICK) -> Elarian:
    """A client of the server that loses no time."""
    return Elarian(**server.credentials, options=options)


async def test_entering_returns_when_the_server_has_answered() -> None:
    """This SDK: no blind second; the KEEPALIVE's answer means connected."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = client(server)
            assert app.connection_state == "pending"
            async with app as entered:
                assert entered is app
                assert app.connection_state == "connected"
                assert server.setups[0].api_key == KEY
                assert not server.setups[0].simplex_mode
            assert app.connection_state == "closed"


async def test_refused_setup_comes_out_of_the_async_with_line_plain() -> None:
    """This SDK: no exception group, and no credential in the words."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            server.refusing = "no such key"
            app = client(server)
            with pytest.raises(SetupRejected) as caught:
                async with app:
                    pytest.fail("entered")
            assert KEY not in str(caught.value)
            assert app.connection_state is ConnectionState.ERROR


async def test_no_server_is_connection_failed_after_giving_up() -> None:
    """This SDK: attempts go on under the backoff until `give_up_after`."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            server.unreachable = True
            options = ConnectionOptions(reconnect=Backoff(first=0.001, base=0.001, give_up_after=0.05))
            with pytest.raises(ConnectionFailed, match="gave up"):
                async with client(server, options):
                    pytest.fail("entered")
            assert server.dials > 1


async def test_waiting_for_a_server_ends_with_the_callers_scope() -> None:
    """This SDK: without giving up, the caller's cancel scope is the bound."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            server.unreachable = True
            app = client(server, ConnectionOptions())
            with anyio.move_on_after(0.05) as scope:
                async with app:
                    pytest.fail("entered")
            assert scope.cancelled_caught
            assert app.connection_state is ConnectionState.CLOSED


async def test_leaving_in_order_before_the_server_has_answered_is_connection_closed() -> None:
    """This SDK: whoever waits in the `async with` line is told, where another task disconnects."""
    near, _silent = open_memory_pair()

    async def dial() -> MemoryTransport:
        await checkpoint()
        return near

    app = Elarian(org_id="o", app_id="a", api_key=KEY, dial=dial)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_leave_once_all_wait, app)
            with pytest.raises(ConnectionClosed):
                async with app:
                    pytest.fail("entered")


async def _leave_once_all_wait(app: Elarian) -> None:
    await anyio.wait_all_tasks_blocked()
    await app.disconnect()


async def test_malformed_bytes_before_the_first_answer_are_a_protocol_error() -> None:
    """This SDK: never a hang."""

    async def dial() -> MemoryTransport:
        near, far = open_memory_pair()
        await far.send_frames([b"\x00\x00\x00\x00\xfc\x00garbage"])
        return near

    with anyio.fail_after(5), pytest.raises(RemoteProtocolError):
        async with Elarian(org_id="o", app_id="a", api_key=KEY, dial=dial):
            pytest.fail("entered")


async def test_errors_of_a_users_dial_come_out_as_they_are() -> None:
    """This SDK: a mistake of the program's is not tried again."""

    async def dial() -> MemoryTransport:
        await checkpoint()
        raise ZeroDivisionError

    with anyio.fail_after(5), pytest.raises(ZeroDivisionError):
        async with Elarian(org_id="o", app_id="a", api_key=KEY, dial=dial):
            pytest.fail("entered")


async def test_users_exception_leaves_the_block_as_the_same_object() -> None:
    """This SDK: same object, same cause, no group."""
    cause, error = KeyError("cause"), ValueError("mine")
    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = client(server)
            with pytest.raises(ValueError, match="mine") as caught:
                async with app:
                    raise error from cause
            assert caught.value is error
            assert error.__cause__ is cause
            assert not hasattr(error, "__notes__")
            assert app.connection_state is ConnectionState.CLOSED


async def test_group_that_the_user_raised_stays_the_users() -> None:
    """This SDK: only groups of our own making are opened."""
    group = ExceptionGroup("mine", [ValueError("one")])
    with anyio.fail_after(5):
        async with scripted_server() as server:
            with pytest.raises(ExceptionGroup) as caught:
                async with client(server):
                    raise group
            assert caught.value is group


async def test_final_failure_cancels_the_block_and_comes_out_of_it() -> None:
    """This SDK: REJECTED_SETUP is final later, too."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = client(server)
            with pytest.raises(SetupRejected, match="no longer"):  # noqa: PT012 - the block is what is tested
                async with app:
                    server.refusing = "no longer"
                    server.cut()
                    await anyio.sleep_forever()
            assert app.connection_state is ConnectionState.ERROR


async def test_final_failure_overtakes_commands_that_are_tried_again() -> None:
    """This SDK: it comes out of the block once, however stubborn the code inside is."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            with pytest.raises(SetupRejected, match="no longer"):  # noqa: PT012 - the block is what is tested
                async with client(server) as app:
                    server.refusing = "no longer"
                    server.answers[UpdateCustomerTag] = NEVER
                    tag = app.customer("+1").update_tags
                    server.cut()
                    while True:
                        with pytest.raises(ConnectionLost):
                            await tag()


async def test_final_failure_overtakes_pings_that_wait() -> None:
    """This SDK: a task that only asks whether the connection is well makes no exception group of its end."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            with pytest.raises(SetupRejected, match="no longer"):  # noqa: PT012 - the block is what is tested
                async with client(server) as app, anyio.create_task_group() as tasks:
                    server.refusing = "no longer"
                    server.cut()
                    tasks.start_soon(app.ping)
                    await anyio.sleep_forever()


async def test_users_error_wins_over_ours_which_becomes_a_note() -> None:
    """This SDK's precedence."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            with pytest.raises(ValueError, match="mine") as caught:  # noqa: PT012 - the block is what is tested
                async with client(server):
                    server.refusing = "no longer"
                    server.cut()
                    try:
                        await anyio.sleep_forever()
                    finally:
                        raise ValueError("mine")
            assert caught.value.__notes__ == ["meanwhile the client failed: SetupRejected: no longer"]


async def test_cancellation_passes_and_reaches_the_block_before_the_connection() -> None:
    """This SDK: cleanup under a shield can still send; cancellation itself is never held back."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            with anyio.CancelScope() as scope:
                async with client(server) as app:
                    scope.cancel()
                    try:
                        await anyio.sleep_forever()
                    finally:
                        with anyio.CancelScope(shield=True):
                            reply = await app.customer("+1").update_tags(Tag("a", "b"))
            assert scope.cancelled_caught
            assert reply.status
            assert [type(each) for each in server.commands] == [UpdateCustomerTag]


async def test_client_is_entered_once() -> None:
    """This SDK: a client is one connection's life."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = client(server)
            async with app:
                with pytest.raises(RuntimeError, match="entered"):
                    await app.__aenter__()
            with pytest.raises(RuntimeError, match="entered"):
                async with app:
                    pytest.fail("entered")


async def test_outside_the_block_everything_is_connection_closed() -> None:
    """This SDK: before and after; `disconnect()` alone does nothing."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = client(server)
            for _ in ("before", "after"):
                with pytest.raises(ConnectionClosed):
                    await app.customer("+1").update_tags()
                with pytest.raises(ConnectionClosed):
                    await app.ping()
                with pytest.raises(ConnectionClosed):
                    await app.reconnect_now()
                await app.disconnect()
                if _ == "before":
                    async with app:
                        assert await app.ping() >= 0
                        await app.reconnect_now()


async def test_disconnect_ends_loops_and_lets_what_is_in_hand_be_answered() -> None:
    """This SDK: new commands are refused, a notification that still comes is REJECTED."""
    with anyio.fail_after(5):
        async with (
            scripted_server() as server,
            client(server, ConnectionOptions()) as app,
            anyio.create_task_group() as tasks,
        ):
            replies: list[NotificationReply] = []

            async def ask() -> None:
                replies.append(await server.notify(SMS))

            async def consume() -> None:
                async with app.notifications() as inbox:
                    async for delivery in inbox:
                        async with delivery:
                            in_hand.set()
                            await leaving.wait()
                            with pytest.raises(ConnectionClosed):
                                await app.customer("+1").update_tags()
                            with pytest.raises(StreamFailed) as caught:
                                await server.notify(SMS)
                            assert caught.value.code == ErrorCode.REJECTED
                            await delivery.reply("bye")
                ended.set()

            in_hand, leaving, ended = anyio.Event(), anyio.Event(), anyio.Event()
            tasks.start_soon(consume)
            tasks.start_soon(ask)
            await in_hand.wait()
            tasks.start_soon(app.disconnect)
            await checkpoint()
            leaving.set()
            await ended.wait()
            await app.disconnect()
            assert [each.message.body for each in replies if each.message] == ["bye"]
            assert app.connection_state is ConnectionState.CLOSED


async def test_disconnect_from_a_handler_does_not_wait_for_itself() -> None:
    """This SDK: what the calling task has in hand gets the default answer."""
    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = client(server, ConnectionOptions())

            async def handler(*_: object) -> None:
                await app.disconnect()

            async with app.on("receivedSms", handler):
                assert await server.notify(SMS) == NotificationReply()


async def test_disconnect_answers_what_its_own_task_holds_also_where_others_take_too_long() -> None:
    """A past bug: the default answer was sent last, so it was not sent at all once ``drain_timeout`` had passed."""
    with anyio.fail_after(5):
        async with (
            scripted_server() as server,
            client(server) as app,
            anyio.create_task_group() as tasks,
            app.notifications() as inbox,
        ):

            async def hold() -> None:
                async with await inbox.receive():
                    await anyio.sleep_forever()

            async def ask() -> None:
                with pytest.raises(ConnectionLost):
                    await server.notify(replace(SMS, customer_id="el_cst_2"))

            tasks.start_soon(hold)
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            answers: list[NotificationReply] = []

            async def ask_too() -> None:
                answers.append(await server.notify(SMS))

            tasks.start_soon(ask_too)
            async with await inbox.receive():
                await app.disconnect()
            assert answers == [NotificationReply()]
            tasks.cancel_scope.cancel()


async def test_leaving_in_order_waits_for_handlers() -> None:
    """This SDK: leaving drains as `disconnect()` does."""
    done: list[str] = []
    started = anyio.Event()

    async def handler(notification: object, customer: object, app_data: object, callback: object) -> None:
        started.set()
        for _ in range(10):
            await checkpoint()
        done.append("handled")

    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            async with client(server, ConnectionOptions()).on("receivedSms", handler):
                tasks.start_soon(server.notify, SMS)
                await started.wait()
            assert done == ["handled"]


async def test_leaving_waits_no_longer_than_the_drain_timeout() -> None:
    """This SDK: a handler that never ends is cancelled."""
    started, ended = anyio.Event(), anyio.Event()

    async def handler(*_: object) -> None:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async def ask(server: ScriptedServer) -> None:
        with pytest.raises(ConnectionLost):
            await server.notify(SMS)

    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            async with client(server).on("receivedSms", handler):
                tasks.start_soon(ask, server)
                await started.wait()
            assert ended.is_set()


async def test_leaving_by_an_exception_waits_for_nobody() -> None:
    """This SDK: nothing more is answered, and the stream outside the block is broken."""
    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            app = client(server, ConnectionOptions())
            async with app.notifications() as inbox:

                async def ask() -> None:
                    with pytest.raises(ConnectionLost):
                        await server.notify(SMS)

                with pytest.raises(ValueError, match="mine"):  # noqa: PT012 - the block is what is tested
                    async with app:
                        tasks.start_soon(ask)
                        delivery = await inbox.receive()
                        raise ValueError("mine")
                assert app.statistics().sessions_lost == 0  # a past bug: our own leaving was counted as a loss
                with pytest.raises(ConnectionClosed):
                    await delivery.reply("late")
                with pytest.raises(anyio.BrokenResourceError):
                    await inbox.receive()


async def test_command_in_flight_outlives_a_lost_session_only_if_it_was_not_sent() -> None:
    """Promise 1 without resumption: what was sent and is no read ends in ConnectionLost(sent=True)."""
    with anyio.fail_after(5):
        async with scripted_server() as server, client(server) as app:
            server.answers[UpdateCustomerTag] = NEVER

            async def lose() -> None:
                with pytest.raises(ConnectionLost) as caught:
                    await app.customer("+1").update_tags()
                assert caught.value.sent

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lose)
                await server.wait_for(lambda: bool(server.commands))
                server.cut()
            del server.answers[UpdateCustomerTag]
            assert (await app.customer("+1").update_tags()).status
            assert app.statistics().reconnects == 1
            assert app.statistics().sessions_lost == 1
            assert (app.statistics().commands, app.statistics().commands_failed) == (2, 1)


async def test_states_and_their_listeners() -> None:
    """The specification's connection events, and the same as a stream: the present one first, then each change."""
    heard: list[str] = []

    async def closed() -> None:
        await checkpoint()
        heard.append("closed")

    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = client(server)
            for name in ("pending", "connecting", "connected"):
                app.on(name, lambda name=name: heard.append(name))
            app.on("closed", closed)
            async with app.connection_states() as states:
                async with app:
                    assert repr(states) == "<ConnectionStates, connected now, 3 unread>"
                    server.cut()
                    assert [await states.receive() for _ in range(6)] == [
                        "pending",
                        "connecting",
                        "connected",
                        "pending",
                        "connecting",
                        "connected",
                    ]
                assert [state async for state in states] == [ConnectionState.CLOSED]
            assert sorted(heard) == sorted(["connecting", "connected", "pending", "connecting", "connected", "closed"])


async def test_error_listener_is_told_the_exception() -> None:
    """The specification's `error` event."""
    heard: list[object] = []

    async def listener(error: BaseException) -> None:
        await checkpoint()
        heard.append(type(error))

    with anyio.fail_after(5):
        async with scripted_server() as server:
            server.refusing = "no"
            with pytest.raises(SetupRejected):
                async with client(server).on("error", listener):
                    pytest.fail("entered")
            assert heard == [SetupRejected]


async def test_listener_too_far_behind_is_told_so() -> None:
    """This SDK: bounded, even where nobody listens."""
    app = Elarian(org_id="o", app_id="a", api_key=KEY)
    async with app.connection_states() as states:
        for n in range(1025):
            app._board.show(ConnectionState.CONNECTING if n % 2 else ConnectionState.CONNECTED)
        with pytest.raises(anyio.BrokenResourceError, match=r"more than 1,024 changes behind.*ask for another"):
            await states.receive()
    with pytest.raises(anyio.ClosedResourceError, match=r"in a block: async with client\.connection_states"):
        await states.receive()
