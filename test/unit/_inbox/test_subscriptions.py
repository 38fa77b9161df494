"""Subscriptions by themselves: who waits, who is woken, how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.lowlevel import checkpoint
from scripted_server import scripted_server

from elarian_trio import (
    ConnectionLost,
    CustomerNumber,
    Delivery,
    Elarian,
    MessageDeliveryStatus,
    MessageStatusNotification,
    MessagingChannel,
    ReceivedMessageNotification,
    ReceivedSmsNotification,
)
from elarian_trio._inbox import Observation, subscriptions
from elarian_trio._session import StreamFailed

if TYPE_CHECKING:
    from scripted_server import ScriptedServer


pytestmark = pytest.mark.anyio


def status(n: int) -> MessageStatusNotification:
    """A notification of one of many customers."""
    return MessageStatusNotification(customer_id=f"c{n}", message_id="m", status=MessageDeliveryStatus.SENT)


def sms(n: int) -> ReceivedSmsNotification:
    """A text from one of many customers."""
    return ReceivedSmsNotification(
        customer_id=f"c{n}",
        message_id="m",
        customer_number=CustomerNumber(f"+{n}"),
        channel_number=MessagingChannel.sms("83044"),
    )


async def ask(server: ScriptedServer, n: int, failures: list[int]) -> None:
    """Have the client told something; note a failure's code."""
    try:
        await server.notify(status(n))
    except StreamFailed as failed:
        failures.append(failed.code)


async def lose(server: ScriptedServer) -> None:
    """Have the client told something whose answer its session does not live to bring."""
    with pytest.raises(Exception, match="session ended"):
        await server.notify(status(1))


async def test_reader_cancelled_after_it_was_woken_wakes_the_next() -> None:
    """This SDK: no delivery lies unseen while somebody waits."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    got: list[Delivery] = []

    async def read(scope: anyio.CancelScope) -> None:
        with scope:
            got.append(await inbox.receive())

    with anyio.fail_after(5):
        async with app.notifications(observe=True) as inbox, anyio.create_task_group() as tasks:
            assert isinstance(inbox, Observation)
            scopes = [anyio.CancelScope() for _ in range(3)]
            for count, scope in enumerate(scopes, start=1):
                tasks.start_soon(read, scope)
                while len(inbox._receivers) < count:
                    await checkpoint()
            scopes[2].cancel()
            while len(inbox._receivers) > 2:
                await checkpoint()
            inbox.offer(Delivery(status(1)))
            scopes[0].cancel()  # in the step in which it was woken
            while not got:
                await checkpoint()
            scopes[1].cancel()
    assert len(got) == 1


async def test_base_class_takes_all_its_kinds() -> None:
    """This SDK: a class stands for those below it."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    async with app.notifications(ReceivedMessageNotification) as inbox:
        assert {kind.__name__ for kind in inbox.kinds} >= {"ReceivedSmsNotification", "UssdSessionNotification"}
        with pytest.raises(ValueError, match="ReceivedSmsNotification"):
            app.notifications(ReceivedSmsNotification)


async def test_subscription_is_opened_once_and_only_then_received_from() -> None:
    """This SDK: a mistake is told at once."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    inbox = app.notifications()
    with pytest.raises(anyio.ClosedResourceError, match=r"opened first: async with client\.notifications"):
        await anext(inbox)
    async with inbox:
        await inbox.aclose()
        with pytest.raises(anyio.ClosedResourceError, match="ask for another"):
            await inbox.receive()
    with pytest.raises(RuntimeError, match="once"):
        async with inbox:
            pytest.fail("opened")


async def test_a_subscription_says_to_what_and_whether_it_is_open() -> None:
    """style.md: what is printed is what somebody at a prompt would ask, in public words."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    inbox = app.notifications(ReceivedSmsNotification)
    assert repr(inbox) == "<Subscription to ReceivedSmsNotification, not opened>"
    async with inbox:
        assert repr(inbox) == "<Subscription to ReceivedSmsNotification, open>"
    assert repr(inbox) == "<Subscription to ReceivedSmsNotification, closed>"
    assert repr(app.notifications()) == f"<Subscription to {len(app.notifications().kinds)} kinds, not opened>"


@pytest.mark.parametrize("observe", [False, True])
async def test_loops_end_when_the_client_is_left_in_order(observe: bool) -> None:
    """This SDK: those that wait already, and those that come later."""
    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            app = Elarian(**server.credentials)
            async with app.notifications(observe=observe) as inbox:

                async def loop() -> None:
                    async for _ in inbox:
                        pytest.fail("there was nothing to hear")

                async with app:
                    tasks.start_soon(loop)
                    await checkpoint()
                await loop()
            async with app.notifications(observe=observe) as inbox:
                await loop()


async def test_observer_leaves_and_hears_no_more() -> None:
    """This SDK: a copy is for who listens now."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials).on("messageStatus", _nothing) as app:
            async with app.notifications(observe=True) as copies:
                await server.notify(status(1))
                assert (await copies.receive()).notification.event == "messageStatus"
            await server.notify(status(1))
            assert app.statistics().observed_dropped == 0


async def _nothing(*_: object) -> None:
    await checkpoint()


async def test_idle_reader_is_room_beyond_the_buffer() -> None:
    """This SDK: a buffer full of one busy customer's turns nobody else away while a reader is idle."""
    failures: list[int] = []
    with anyio.fail_after(5):
        async with (
            scripted_server() as server,
            Elarian(**server.credentials) as app,
            anyio.create_task_group() as tasks,
            app.notifications(max_buffer_size=1) as inbox,
        ):
            tasks.start_soon(ask, server, 1, failures)
            async with await inbox.receive():
                tasks.start_soon(ask, server, 1, failures)
                while app.statistics().notifications < 2:
                    await checkpoint()
                tasks.start_soon(ask, server, 1, failures)
                while not failures:
                    await checkpoint()
                tasks.start_soon(ask, server, 2, failures)
                async with await inbox.receive() as other:
                    assert other.notification.customer_id == "c2"
            async with await inbox.receive() as second:
                assert second.notification.customer_id == "c1"
            assert len(failures) == 1


async def test_handler_removed_while_notifications_wait_for_it() -> None:
    """This SDK: `off` answers REJECTED to what no user code has seen, and only that."""
    gate, failures = anyio.Event(), list[int]()
    seen: list[object] = []

    async def handler(*arguments: object) -> None:
        seen.append(arguments)
        await gate.wait()

    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            async with Elarian(**server.credentials).on("messageStatus", handler) as app:
                for _ in range(3):
                    tasks.start_soon(ask, server, 1, failures)
                while app.statistics().notifications < 3:
                    await checkpoint()
                app.off("messageStatus")
                while len(failures) < 2:
                    await checkpoint()
                gate.set()
            assert len(seen) == 1
            assert len(failures) == 2


async def test_lost_session_takes_what_was_not_seen_with_it() -> None:
    """This SDK: the server delivers it again; what is in hand stays, and keeps its customer's turn."""
    with anyio.fail_after(5):
        async with (
            scripted_server() as server,
            Elarian(**server.credentials) as app,
            anyio.create_task_group() as tasks,
            app.notifications() as inbox,
        ):
            tasks.start_soon(lose, server)
            delivery = await inbox.receive()
            async with delivery:
                for _ in range(2):
                    tasks.start_soon(lose, server)
                while app.statistics().notifications < 3:
                    await checkpoint()
                server.cut()
                while app.statistics().reconnects < 1:
                    await checkpoint()
                with pytest.raises(ConnectionLost):
                    await delivery.reply("late")
                failures: list[int] = []
                tasks.start_soon(ask, server, 1, failures)
                while app.statistics().notifications < 4:
                    await checkpoint()
                with anyio.move_on_after(0) as scope:
                    await inbox.receive()
                assert scope.cancelled_caught
            async with await inbox.receive():
                pass
            assert app.statistics().answers_late == 1
            assert not failures


async def test_answer_that_came_too_late_for_its_session_lets_the_customers_next_one_through() -> None:
    """This SDK: a delivery that was never entered is in hand until its reader tries to answer it."""
    with anyio.fail_after(5):
        async with (
            scripted_server() as server,
            Elarian(**server.credentials) as app,
            anyio.create_task_group() as tasks,
            app.notifications() as inbox,
        ):
            tasks.start_soon(lose, server)
            delivery = await inbox.receive()
            server.cut()
            while app.statistics().reconnects < 1:
                await checkpoint()
            failures: list[int] = []
            tasks.start_soon(ask, server, 1, failures)
            while app.statistics().notifications < 2:
                await checkpoint()
            with pytest.raises(ConnectionLost):
                await delivery.reply("late")
            async with await inbox.receive():
                pass
            assert not failures


async def test_block_left_by_an_error_forgets_what_waits() -> None:
    """This SDK: nothing more is answered or handed out."""
    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            app = Elarian(**server.credentials)

            async def lost() -> None:
                with pytest.raises(ConnectionLost):
                    await server.notify(status(1))

            async with app.notifications() as inbox:
                with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
                    async with app:
                        tasks.start_soon(lost)
                        while app.statistics().notifications < 1:
                            await checkpoint()
                        raise ZeroDivisionError
                with pytest.raises(anyio.BrokenResourceError, match="ended by an error or a cancellation"):
                    await inbox.receive()
            assert app.statistics().rejected == 0


async def test_others_run_at_the_latest_after_a_millisecond_of_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK, issue 6: answers leave in one write, yet a reader that always finds more keeps nobody out."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    now, rounds = 0.0, 0
    monkeypatch.setattr(subscriptions, "perf_counter", lambda: now)

    async def count() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await checkpoint()

    with anyio.fail_after(5):
        async with app.notifications(observe=True, max_buffer_size=300) as inbox, anyio.create_task_group() as tasks:
            assert isinstance(inbox, Observation)
            assert all(inbox.offer(Delivery(status(n))) for n in range(300))
            tasks.start_soon(count)
            for _ in range(200):
                await inbox.receive()
                now += 0.0001
            assert 18 <= rounds <= 22, "ten are taken in a millisecond"
            rounds = 0
            for _ in range(100):
                now += 0.1
                await inbox.receive()
            assert 99 <= rounds <= 101, "and one where each takes as long as that, whoever of the two is first"
            tasks.cancel_scope.cancel()


async def test_cancellation_is_seen_at_each_delivery_and_takes_none() -> None:
    """This SDK: also between two that are given in a row."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    got: list[Delivery] = []
    with anyio.fail_after(5):
        async with app.notifications(observe=True) as inbox:
            assert isinstance(inbox, Observation)
            assert all(inbox.offer(Delivery(status(n))) for n in range(4))
            with anyio.CancelScope() as scope:
                async for delivery in inbox:
                    got.append(delivery)
                    if len(got) == 2:
                        scope.cancel()
            assert scope.cancelled_caught
            assert len(got) == 2
            assert (await inbox.receive()).notification == status(2)
