"""Who gets a client's notifications: subscriptions, observers, handlers, those who come first, and nobody."""

from __future__ import annotations

import re
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
from anyio.lowlevel import checkpoint
from notified import NUMBER, ask, connected, reminder, sms, ussd
from peers import until
from scripted_server import scripted_server

from elarian_trio import (
    Delivery,
    Elarian,
    LocalProtocolError,
    Message,
    PaymentStatus,
    PaymentStatusNotification,
    ReceivedSmsNotification,
    UssdMenu,
)
from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


pytestmark = pytest.mark.anyio


async def test_full_inbox_is_answered_rejected_and_commands_go_on() -> None:
    """Promise 2: a frozen consumer and a buffer of 16; the acceptance tests send 10,000 and watch the memory."""
    count = 1_000
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks):
            async with (
                app.notifications(ReceivedSmsNotification, max_buffer_size=16) as inbox,
                anyio.create_task_group() as tasks,
            ):
                asked = [ask(tasks, server, sms(str(n), f"el_cst_{n}", f"+{n}")) for n in range(count)]
                await until(lambda: app.statistics().notifications == count)
                assert (await app.customer("+1").update_tags()).status
                assert app.statistics().rejected == count - 16
                await until(lambda: sum(each.failure is not None for each in asked) == count - 16)
                assert {each.failure.code for each in asked if each.failure} == {ErrorCode.REJECTED}
                assert len(app._inbox._unanswered) == len(app._inbox._lanes) == 16
                seen: set[str | None] = set()
                for _ in range(16):
                    async with await inbox.receive() as delivery:
                        seen.add(delivery.notification.message_id)
                assert len(seen) == 16
            assert not app._inbox._unanswered
            assert not app._inbox._lanes
            assert not app._inbox.watch


async def test_subscription_opened_before_the_block_misses_nothing() -> None:
    """This SDK: opened before, it takes what comes with the first frames."""
    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            app = Elarian(**server.credentials)
            async with app.notifications() as inbox, app:
                ask(tasks, server, sms())
                async with await inbox.receive() as delivery:
                    assert delivery.event == "receivedSms"


async def test_notifications_wait_for_the_first_taker() -> None:
    """This SDK: 64 wait, the next is REJECTED; what the first taker does not take is answered by default."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks):
            early = ask(tasks, server, reminder(), "data")
            waiting = []
            for n in range(63):
                waiting.append(ask(tasks, server, sms(str(n))))
                await until(lambda: app.statistics().notifications == len(waiting) + 1)
            await until(lambda: app.statistics().notifications == 64)
            surplus = ask(tasks, server, sms("surplus"))
            await surplus.done.wait()
            assert surplus.failure is not None
            assert surplus.failure.code == ErrorCode.REJECTED
            async with app.notifications(ReceivedSmsNotification) as inbox:
                await early.done.wait()
                assert early.reply == NotificationReply(data_update=AppDataUpdate("data"))
                for n in range(63):
                    async with await inbox.receive() as delivery:
                        assert delivery.notification.text == str(n)
                await waiting[-1].done.wait()
            counted = app.statistics()
            assert (counted.unclaimed, counted.rejected, counted.notifications) == (1, 1, 65)


async def test_type_has_one_taker() -> None:
    """This SDK: a second one, or a handler beside it, is a ValueError; an observer is none."""

    async def handler(*_: object) -> None:
        await checkpoint()

    app = Elarian(org_id="o", app_id="a", api_key="k", dial=_no_dial)
    first, second = app.notifications(ReceivedSmsNotification), app.notifications()
    async with first:
        with pytest.raises(ValueError, match="ReceivedSmsNotification"):
            app.notifications(ReceivedSmsNotification)
        with pytest.raises(ValueError, match="ReceivedSmsNotification"):
            async with second:
                pytest.fail("opened")
        with pytest.raises(ValueError, match="ReceivedSmsNotification"):
            app.on("receivedSms", handler)
        async with app.notifications(observe=True):
            await checkpoint()
    assert app.on("receivedSms", handler) is app
    with pytest.raises(ValueError, match="taken"):
        app.notifications(ReceivedSmsNotification)
    app.off(ReceivedSmsNotification)
    async with app.notifications(ReceivedSmsNotification):
        await checkpoint()


async def test_observer_gets_copies_that_answer_nothing() -> None:
    """This SDK: it listens; full, it drops and counts."""
    with anyio.fail_after(5):
        async with (
            connected() as (server, app, tasks),
            app.notifications(observe=True, max_buffer_size=1) as copies,
            app.notifications() as inbox,
        ):
            asked = [ask(tasks, server, sms(str(n))) for n in range(2)]
            for _ in asked:
                async with await inbox.receive() as delivery:
                    await delivery.reply("yes")
            async with await copies.receive() as copy:
                assert copy.event == "receivedSms"
                with pytest.raises(LocalProtocolError):
                    await copy.reply("no")
            assert app.statistics().observed_dropped == 1


async def test_several_tasks_read_one_subscription() -> None:
    """This SDK: a delivery goes to one of them, and different customers' are in hand side by side."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            both, seen = anyio.Event(), []

            async def work() -> None:
                async with await inbox.receive() as delivery:
                    seen.append(str(delivery.notification.customer_id))
                    if len(seen) == 2:
                        both.set()
                    await both.wait()

            tasks.start_soon(work)
            tasks.start_soon(work)
            asked = [ask(tasks, server, sms(str(n), f"el_cst_{n}")) for n in range(2)]
            for each in asked:
                await each.done.wait()
            assert sorted(seen) == ["el_cst_0", "el_cst_1"]


async def test_closed_subscription_rejects_what_it_held() -> None:
    """This SDK: no user code saw it, so the server may try again; then the type is nobody's."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks):
            async with app.notifications() as inbox:
                asked = ask(tasks, server, sms())
                await until(lambda: app.statistics().notifications == 1)
            with pytest.raises(anyio.ClosedResourceError):
                await inbox.receive()
            await asked.done.wait()
            assert asked.failure is not None
            assert asked.failure.code == ErrorCode.REJECTED
            assert await server.notify(sms(), "x") == NotificationReply(data_update=AppDataUpdate("x"))
            assert app.statistics().unclaimed == 1


async def test_purse_notification_has_no_customer() -> None:
    """The wire's other form: a payment between purses; handlers get None."""
    told: list[object] = []

    async def handler(
        notification: PaymentStatusNotification, customer: object, app_data: object, callback: Callable[[], object]
    ) -> None:
        told.extend([notification.purse_id, customer, app_data])
        await checkpoint()

    purse = PaymentStatusNotification(purse_id="p", transaction_id="t", status=PaymentStatus.SUCCESS)
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks):
            async with app.notifications(PaymentStatusNotification) as inbox:
                asked = ask(tasks, server, purse)
                async with await inbox.receive() as delivery:
                    with pytest.raises(LookupError):
                        _ = delivery.customer
                await asked.done.wait()
            app.on(PaymentStatusNotification, handler)
            await server.notify(purse)
            assert told == ["p", None, None]


async def test_handlers_are_the_same_mechanism() -> None:
    """The specification's handlers: by camel and snake case and class, callback awaited or not, replaced by `on`."""
    seen: list[Any] = []

    async def first(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
        seen.append("first")

    async def second(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
        seen.append((notification.input.text, customer.number, app_data))
        await callback("menu", app_data={"step": 1})

    async def third(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
        callback(Message("thanks"))
        await checkpoint()

    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = Elarian(**server.credentials).on("ussdSession", first).on("ussd_session", second)
            app.on(ReceivedSmsNotification, third)
            async with app:
                menu = await server.notify(ussd(), '"home"')
                assert menu == NotificationReply(
                    data_update=AppDataUpdate('{"step":1}'), message=Message(UssdMenu("menu"))
                )
                assert seen == [("", NUMBER, "home")]
                assert (await server.notify(sms())).message == Message("thanks")


async def test_failing_handler_is_logged_and_answered_application_error(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: its words may be a customer's, so above DEBUG only its class is told, and where it was raised."""

    async def handler(*_: object) -> None:
        await checkpoint()
        raise ValueError("+254709759881 wrote: hello")

    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials).on("receivedSms", handler):
            with pytest.raises(StreamFailed) as caught:
                await server.notify(sms())
            assert (caught.value.code, caught.value.message) == (ErrorCode.APPLICATION_ERROR, "ValueError")
    loud = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert loud == [f"the handler of 'receivedSms' raised ValueError at {place_of(handler, 2)}"]


async def test_log_says_which_line_of_a_handler_failed(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: whoever reads it finds the line, also where it is deep, and where one fails that listens."""

    def deep(left: int) -> None:
        return deep(left - 1) if left else [].pop()

    async def handler(*_: object) -> None:
        await checkpoint()
        deep(20)

    def listener() -> None:
        Message(5)  # type: ignore[arg-type]  # raises deep within this package, which is no place of the user's

    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = Elarian(**server.credentials).on("receivedSms", handler).on("connected", listener)
            async with app:
                with pytest.raises(StreamFailed, match="IndexError"):
                    await server.notify(sms())
    loud = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert loud == [
        f"a listener to the connection's state raised TypeError at {place_of(listener, 1)}",
        f"the handler of 'receivedSms' raised IndexError at {', '.join([place_of(deep, 1)] * 8)}",
    ]


def place_of(function: Any, line: int) -> str:  # noqa: ANN401
    """A line of *function*, counted from its own, as the log names it."""
    code = function.__code__
    return f"{Path(code.co_filename).name}:{code.co_firstlineno + line} in {code.co_name}"


async def test_64_handlers_run_64_wait_and_the_next_is_rejected() -> None:
    """This SDK: handlers are bounded, too."""
    gate, running = anyio.Event(), 0

    async def handler(*_: object) -> None:
        nonlocal running
        running += 1
        await gate.wait()

    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            app = Elarian(**server.credentials).on("receivedSms", handler)
            async with app:
                asked = [ask(tasks, server, sms(str(n), f"el_cst_{n}")) for n in range(129)]
                await until(lambda: app.statistics().rejected == 1)
                await until(lambda: running == 64)
                gate.set()
                for each in asked:
                    await each.done.wait()
                assert running == 128
                assert sum(each.failure is not None for each in asked) == 1


def test_unknown_event_is_an_error_that_lists_the_known() -> None:
    """The specification's names, and the connection's."""
    app = Elarian(org_id="o", app_id="a", api_key="k", dial=_no_dial)
    with pytest.raises(ValueError, match=r"ussdSession.*connected"):
        app.on("ussdsession", lambda *_: None)
    with pytest.raises(TypeError, match="function"):
        app.on("ussdSession", "no function")  # type: ignore[arg-type]


class Handling:
    """An object of a user's with a method that handles."""

    def handle(self, notification: object, customer: object, app_data: object, callback: object) -> None:
        """Do nothing."""

    __call__ = handle


@pytest.mark.parametrize(
    ("event", "handler", "called_with"),
    [
        ("ussdSession", lambda _notification: None, "(notification, customer, app_data, callback)"),
        ("ussdSession", lambda *_, wanted: wanted, "(notification, customer, app_data, callback)"),
        (ReceivedSmsNotification, Handling.handle, "(notification, customer, app_data, callback)"),
        ("error", lambda: None, "(exception)"),
        ("closed", lambda _error: None, "()"),
    ],
)
def test_handler_that_cannot_be_called_is_refused_at_once(event: Any, handler: Any, called_with: str) -> None:  # noqa: ANN401
    """This SDK: else each of its notifications would fail, when customers wait for an answer."""
    app = Elarian(org_id="o", app_id="a", api_key="k", dial=_no_dial)
    with pytest.raises(TypeError, match=re.escape(f"a handler for this event is called with {called_with}")):
        app.on(event, handler)


@wraps(lambda _database: None)
def decorated(*_: object) -> None:
    """What a decorator makes of a function that takes something else."""


@pytest.mark.parametrize(
    "handler", [Handling().handle, Handling(), print, max, partial(Handling.handle, None), decorated]
)
def test_handler_may_be_whatever_can_be_called(handler: Any) -> None:  # noqa: ANN401
    """This SDK: where Python cannot tell how something is called, it is taken as it is."""
    app = Elarian(org_id="o", app_id="a", api_key="k", dial=_no_dial)
    assert app.on("ussdSession", handler) is app


def test_subscription_takes_classes_and_a_whole_number() -> None:
    """errors.py: a TypeError that says what would be right; the specification's names are for ``on()``."""
    app: Any = Elarian(org_id="o", app_id="a", api_key="k", dial=_no_dial)
    with pytest.raises(TypeError, match=r"a class of notifications \(names are for on\(\)\), got str"):
        app.notifications("reminder")
    with pytest.raises(TypeError, match="max_buffer_size must be a whole number, got str"):
        app.notifications(max_buffer_size="5")


async def _no_dial() -> Any:  # noqa: ANN401
    raise ConnectionRefusedError


async def test_handlers_answer_is_given_in_the_thread_of_the_block() -> None:
    """A past bug: given in a worker thread, it stopped the writer under Trio, and everything stood still for good."""
    said: list[str] = []

    async def handler(_: object, __: object, ___: object, callback: Callable[[str], object]) -> None:
        def work() -> None:
            with pytest.raises(RuntimeError, match=r"of its client's block; anyio\.from_thread\.run_sync\(\) leads"):
                callback("from a thread")
            said.append("refused")
            anyio.from_thread.run_sync(callback, "by the way named")

        await anyio.to_thread.run_sync(work)

    with anyio.fail_after(5):
        async with connected() as (server, app, tasks):
            app.on("ussdSession", handler)
            asked = ask(tasks, server, ussd())
            await until(lambda: asked.reply is not None)
            assert said == ["refused"]
            assert asked.reply is not None
            assert asked.reply.message == Message(UssdMenu("by the way named"))


async def test_handlers_and_subscriptions_are_asked_for_in_the_thread_of_the_block() -> None:
    """As above: before the block is entered any thread will do, and after it."""

    def use() -> None:
        app.on("ussdSession", print).off("ussdSession")
        app.notifications()
        app.connection_states()

    def refused() -> None:
        uses = (lambda: app.on("ussdSession", print), lambda: app.off("ussdSession"), app.notifications)
        for each in (*uses, app.connection_states):
            with pytest.raises(RuntimeError, match="used in the thread of its block"):
                each()

    with anyio.fail_after(5):
        async with scripted_server() as server:
            app = Elarian(**server.credentials)
            await anyio.to_thread.run_sync(use)
            async with app:
                await anyio.to_thread.run_sync(refused)
            await anyio.to_thread.run_sync(use)


async def test_notifications_are_waited_for_and_handled_in_the_thread_of_the_block(anyio_backend_name: str) -> None:
    """A past bug: waited for in another, they woke nobody; left there by default, the client stood still for good."""

    async def elsewhere(use: Callable[[], Awaitable[object]], words: str) -> None:
        async def bounded() -> None:
            with anyio.fail_after(5):
                await use()

        with pytest.raises(RuntimeError, match=rf"{words}; anyio\.from_thread\.run(_sync)?\(\) leads there"):
            await anyio.to_thread.run_sync(partial(anyio.run, bounded, backend=anyio_backend_name))

    async def handle(delivery: Delivery) -> None:
        async with delivery:
            pass

    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            await elsewhere(inbox.receive, "in the thread it was opened in")
            asked = ask(tasks, server, sms())
            delivery = await inbox.receive()
            await elsewhere(partial(handle, delivery), "in the thread of its client's block")
            await anyio.to_thread.run_sync(anyio.from_thread.run, handle, delivery)
            await asked.done.wait()
            assert asked.reply == NotificationReply()
            async with app.connection_states() as states:
                assert await states.receive() == "connected"
                await elsewhere(states.receive, "in the thread in which that began")
                server.cut()
                assert await states.receive() == "pending"
