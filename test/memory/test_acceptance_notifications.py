"""Acceptance, written from the design: subscriptions, who takes what, order and bounds, against a scripted server.

The scripted server sends what a sandbox never would: two notifications of one customer at once, and thousands.
"""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import anyio
import pytest
from acceptance import (
    BOUND,
    ERROR,
    PAYLOAD,
    REJECTED,
    Frame,
    Line,
    ScriptedServer,
    a_status,
    an_sms,
    answers_commands,
    in_customer,
    settle,
)

from elarian_trio import Elarian, MessageStatusNotification, ReceivedSmsNotification

pytestmark = pytest.mark.anyio


async def test_kind_that_nobody_takes_gets_the_default_answer_and_is_counted() -> None:
    """This SDK: once the first taker exists, the others' notifications are answered by default."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification),
    ):
        stream = await server.line.ask(a_status("m-1"))
        assert (await server.line.answer_to(stream)).kind == PAYLOAD
        assert app.statistics().unclaimed == 1


async def test_notifications_wait_for_the_first_taker_64_at_most() -> None:
    """This SDK: between entering the block and the first subscription nothing is lost but the surplus."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        streams = [await server.line.ask(an_sms(str(n), f"el_cst_{n}", f"m-{n}")) for n in range(70)]
        await settle(app)
        assert sorted(server.line.answers) == streams[64:]
        assert {(each.kind, each.code) for each in server.line.answers.values()} == {(ERROR, REJECTED)}
        assert app.statistics().rejected == 6
        async with app.notifications(ReceivedSmsNotification) as inbox:
            for n in range(64):
                with anyio.fail_after(BOUND):
                    async with await anext(aiter(inbox)) as delivery:
                        assert delivery.notification.text == str(n)


async def test_subscription_opened_before_the_block_misses_nothing() -> None:
    """Promise 5: what the server sends at once after the connection is up is there."""

    async def eager(line: Line) -> None:
        await line.let_in()
        for n in range(20):
            await line.ask(an_sms(str(n), message_id=f"m-{n}"))
        await line.serve()

    async with ScriptedServer(eager) as server:
        app = Elarian(**server.arguments)
        async with app.notifications(ReceivedSmsNotification) as inbox, app:
            for n in range(20):
                with anyio.fail_after(BOUND):
                    async with await anext(aiter(inbox)) as delivery:
                        assert delivery.notification.text == str(n)
            assert app.statistics().unclaimed == 0


async def test_each_kind_has_one_taker_and_any_number_of_observers() -> None:
    """This SDK: a second taker is a ValueError; ``observe`` listens, answers nothing and drops, counted, when full."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        async with (
            app.notifications(ReceivedSmsNotification) as inbox,
            app.notifications(ReceivedSmsNotification, max_buffer_size=2, observe=True) as copies,
        ):
            with pytest.raises(ValueError, match="ReceivedSms"):
                async with app.notifications(ReceivedSmsNotification):
                    pass
            with pytest.raises(ValueError, match="ReceivedSms"):
                async with app.notifications():
                    pass
            with pytest.raises(ValueError, match="ReceivedSms"):
                app.on("receivedSms", lambda *_: None)
            streams = [await server.line.ask(an_sms(str(n), message_id=f"m-{n}")) for n in range(3)]
            await settle(app)
            assert server.line.answers == {}
            assert app.statistics().observed_dropped == 1
            copy = await anext(aiter(copies))
            assert copy.notification.text == "0"
            async with copy:
                pass
            await settle(app)
            assert server.line.answers == {}
            for stream in streams:
                async with await anext(aiter(inbox)):
                    pass
                await server.line.answer_to(stream)
        app.on("receivedSms", lambda *_: None)  # free again


async def test_several_tasks_read_one_subscription() -> None:
    """This SDK: several tasks may read; an item goes to one."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        both = anyio.Event()
        got: list[str] = []

        async def worker(inbox: Any) -> None:  # noqa: ANN401
            async for delivery in inbox:
                async with delivery:
                    got.append(delivery.notification.text)
                    if len(got) == 2:
                        both.set()
                    await both.wait()  # both are held mid-flight
                if len(got) >= 4:
                    return

        async with app.notifications(ReceivedSmsNotification) as inbox, anyio.create_task_group() as tasks:
            tasks.start_soon(worker, inbox)
            tasks.start_soon(worker, inbox)
            streams = [await server.line.ask(an_sms(str(n), f"el_cst_{n}", f"m-{n}")) for n in range(4)]
            for stream in streams:
                await server.line.answer_to(stream)
            tasks.cancel_scope.cancel()
        assert sorted(got) == ["0", "1", "2", "3"]


async def test_one_customers_notifications_never_run_side_by_side() -> None:
    """Promise 5: one at a time and in order across all subscriptions and handlers; other customers in parallel."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        running: dict[str, int] = {}
        order: list[str] = []
        release = anyio.Event()
        held = anyio.Event()

        async def work(name: str, customer: str) -> None:
            running[customer] = running.get(customer, 0) + 1
            assert running[customer] == 1, "two at once for one customer"
            order.append(name)
            if len(order) == 2:
                held.set()
            await release.wait()
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            running[customer] -= 1

        async def read(kind: type[Any], *, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with app.notifications(kind) as inbox:
                task_status.started()
                async for delivery in inbox:
                    async with delivery:
                        await work(f"{delivery.event}", delivery.notification.customer_id)

        async def handler(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
            await work("reminder", notification.customer_id)

        app.on("reminder", handler)
        async with anyio.create_task_group() as tasks:
            await tasks.start(read, ReceivedSmsNotification)
            await tasks.start(read, MessageStatusNotification)
            streams = [
                await server.line.ask(an_sms("1", "a", "m-1")),
                await server.line.ask(a_status("m-2", "a")),
                await server.line.ask(a_reminder("a")),
                await server.line.ask(an_sms("2", "a", "m-3")),
                await server.line.ask(a_status("m-4", "b")),
            ]
            with anyio.fail_after(BOUND):
                await held.wait()  # the two customers are worked on at once
            await settle(app)
            assert order == ["receivedSms", "messageStatus"]
            assert running == {"a": 1, "b": 1}
            release.set()
            for stream in streams:
                await server.line.answer_to(stream)
            tasks.cancel_scope.cancel()
        assert order == ["receivedSms", "messageStatus", "messageStatus", "reminder", "receivedSms"]


def a_reminder(customer: str) -> bytes:
    """Give the bytes of a reminder."""
    from elarian_trio._wire._pb import app_socket_pb2

    reminder = app_socket_pb2.ReminderNotification()
    reminder.reminder.key = "r"
    reminder.reminder.payload.value = ""
    return in_customer(customer, reminder=reminder)


async def test_surplus_for_a_frozen_consumer_is_rejected_in_flat_memory() -> None:
    """Promise 2: 10,000 notifications, a buffer of 16 and a consumer that never reads; all else goes on."""
    surplus = 10_000
    async with ScriptedServer(room=32) as server, Elarian(**server.arguments) as app:
        line = server.line
        answers_commands(line)
        counted: dict[tuple[int, int], int] = {}

        def count(frame: Frame) -> None:
            line.answers.clear()
            if frame.kind == ERROR:
                counted[frame.kind, frame.code] = counted.get((frame.kind, frame.code), 0) + 1

        line.count_only(count)
        async with app.notifications(ReceivedSmsNotification, max_buffer_size=16):
            grown = 0
            try:
                for n in range(surplus):
                    if n == surplus - 1_000:  # by now every buffer is full; tracing all of it would take the longer
                        await settle(app)
                        tracemalloc.start()
                    await line.ask(an_sms("x" * 500, f"el_cst_{n}", f"m-{n}"))
                    if n in (1_000, surplus - 1):
                        await settle(app)
                        assert (await app.generate_auth_token()).token
                gc.collect()
                grown = tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
            await line.until(lambda: sum(counted.values()) == surplus - 16)
            assert counted == {(ERROR, REJECTED): surplus - 16}
            statistics = app.statistics()
            assert (statistics.notifications, statistics.rejected) == (surplus, surplus - 16)
            assert grown < 100_000  # the thousand messages alone hold five times as much
            assert len(line.requests) == 2


async def test_subscription_that_ends_gives_back_what_nobody_saw() -> None:
    """This SDK: what waited in it is REJECTED, so that the server may deliver it again."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        async with app.notifications(ReceivedSmsNotification):
            stream = await server.line.ask(an_sms("hi"))
            await settle(app)
        answer = await server.line.answer_to(stream)
        assert (answer.kind, answer.code) == (ERROR, REJECTED)


def test_classes_of_the_other_socket_are_refused() -> None:
    """This SDK: a type that never comes here is a ValueError, not a loop that never turns."""
    from elarian_trio import SendMessageSimulatorNotification, Simulator

    app = Elarian(org_id="o", app_id="a", api_key="k")
    with pytest.raises(ValueError, match="SendMessageSimulatorNotification"):
        app.on(SendMessageSimulatorNotification, lambda *_: None)
    phone = Simulator(org_id="o", app_id="a", api_key="k")
    with pytest.raises(ValueError, match="receivedSms"):
        phone.on("receivedSms", lambda *_: None)
