"""Notifications through a client: who gets what, in which order, and what they are answered with."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.lowlevel import checkpoint
from scripted_server import DONE, NEVER, ScriptedServer, scripted_server

from elarian_trio import (
    CommandFailed,
    ConnectionOptions,
    CustomerNumber,
    CustomerStateUpdateReply,
    DeliveryExpired,
    Elarian,
    LocalProtocolError,
    Message,
    MessagingChannel,
    PaymentStatus,
    PaymentStatusNotification,
    ReceivedSmsNotification,
    Reminder,
    ReminderNotification,
    RemoteProtocolError,
    Say,
    UssdMenu,
    UssdSessionNotification,
    VoiceCallNotification,
)
from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio._wire.envelopes import encode_notification
from elarian_trio.models.commands import UpdateCustomerAppData
from elarian_trio.models.notifications import AppDataUpdate, Notification, NotificationReply

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from anyio.abc import TaskGroup

pytestmark = pytest.mark.anyio

NUMBER = CustomerNumber("+254709759881")
DEFAULTS = ConnectionOptions()
SHORT = ConnectionOptions(notification_timeout=0.05)  # notifications wait only for a moment
CHANNEL = MessagingChannel.sms("83044")


def sms(text: str = "hello", customer: str = "el_cst_1", number: str = NUMBER.number) -> ReceivedSmsNotification:
    """A text from a customer."""
    return ReceivedSmsNotification(
        customer_id=customer,
        message_id=f"m-{text}",
        customer_number=CustomerNumber(number),
        channel_number=CHANNEL,
        text=text,
    )


def reminder(customer: str = "el_cst_1") -> ReminderNotification:
    """A reminder of a customer."""
    return ReminderNotification(customer_id=customer, reminder=Reminder("k", None))


def ussd() -> UssdSessionNotification:
    """A customer dials."""
    return UssdSessionNotification(
        customer_id="el_cst_1", customer_number=NUMBER, channel_number=MessagingChannel.ussd("*1#")
    )


class Asked:
    """A notification on its way, and its answer or failure."""

    def __init__(self) -> None:
        self.reply: NotificationReply | None = None
        self.failure: StreamFailed | None = None
        self.done = anyio.Event()


def ask(tasks: TaskGroup, server: ScriptedServer, notification: Notification, app_data: str | None = None) -> Asked:
    """Have the server tell the client something, in a task of its own."""
    asked = Asked()

    async def run() -> None:
        try:
            asked.reply = await server.notify(notification, app_data)
        except StreamFailed as failed:
            asked.failure = failed
        asked.done.set()

    tasks.start_soon(run)
    return asked


@asynccontextmanager
async def connected(
    options: ConnectionOptions = DEFAULTS,
) -> AsyncGenerator[tuple[ScriptedServer, Elarian, TaskGroup]]:
    """A server, a client that is connected to it, and a group for what goes on beside the test."""
    async with (
        scripted_server() as server,
        Elarian(**server.credentials, options=options) as app,
        anyio.create_task_group() as tasks,
    ):
        yield server, app, tasks


async def until(condition: Callable[[], bool]) -> None:
    """Let the others run until something holds."""
    with anyio.fail_after(5):
        while not condition():
            await checkpoint()


async def test_default_answer_echoes_the_app_data_byte_for_byte() -> None:
    """The specification's default: the value goes back, which releases the server's lease."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications(ReceivedSmsNotification) as inbox:
            asked = ask(tasks, server, sms(), '{"a" : 1}')
            async with await inbox.receive() as delivery:
                assert delivery.app_data == {"a": 1}
                assert delivery.notification.text == "hello"
                assert delivery.customer.customer_id == "el_cst_1"
                assert delivery.customer.number == NUMBER
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate('{"a" : 1}'))


@pytest.mark.parametrize(
    ("notification", "message"),
    [
        (ussd(), Message(UssdMenu("Hi"))),
        (sms(), Message("Hi")),
        (
            VoiceCallNotification(
                customer_id="el_cst_1", customer_number=NUMBER, channel_number=MessagingChannel.voice("+2547")
            ),
            Message((Say("Hi"),)),
        ),
    ],
)
async def test_plain_text_becomes_what_the_channel_knows(notification: Notification, message: Message) -> None:
    """This SDK: a str is a menu on USSD and is spoken on a call."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, notification, "old")
            await (await inbox.receive()).reply("Hi", app_data={"step": 2})
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate('{"step":2}'), message=message)


async def test_app_data_none_deletes_it() -> None:
    """The wire's third case: an update without data."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms(), "old")
            await (await inbox.receive()).reply(app_data=None)
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate(None))


@pytest.mark.parametrize("by", ["id", "number", "secondary id"])
async def test_echo_is_left_out_after_an_update_through_this_client(by: str) -> None:
    """A known hazard of the other SDKs: the echo of the old value undid what the handler had just stored."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks):
            customer = {
                "id": lambda: app.customer(customer_id="el_cst_1"),
                "number": lambda: app.customer(NUMBER.number),
                "secondary id": lambda: app.customer(secondary_id=("passport", "A1")),
            }[by]()
            async with app.notifications() as inbox:
                asked = ask(tasks, server, sms(), "old")
                async with await inbox.receive():
                    await customer.update_app_data("new")
                await asked.done.wait()
                assert asked.reply == NotificationReply()


async def test_echo_stays_where_the_update_was_never_sent() -> None:
    """This SDK: what was given up before the writer took it changed nothing, so the lease is still to be released."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms(), "old")
            async with await inbox.receive():
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await app.customer(NUMBER).update_app_data("new")
            await asked.done.wait()
            echo = AppDataUpdate("old")  # asyncio cancels a turn later than trio: there the writer has it by then
            assert asked.reply == NotificationReply(data_update=None if server.commands else echo)


async def test_echo_is_left_out_where_an_update_is_under_way_when_the_notification_comes() -> None:
    """A past bug: the two crossed on the wire, and the echo of the old value undid the update."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            server.answers[UpdateCustomerAppData] = NEVER
            tasks.start_soon(app.customer(NUMBER).update_app_data, "new")
            await server.wait_for(lambda: bool(server.commands))
            asked = ask(tasks, server, sms(), "old")
            async with await inbox.receive():
                pass
            await asked.done.wait()
            assert asked.reply == NotificationReply()
            tasks.cancel_scope.cancel()


async def test_echo_follows_an_update_that_was_answered_before_the_notification_came() -> None:
    """This SDK: what comes behind the update's answer holds the new value and a lease, which the echo releases."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked: list[Asked] = []

            def answer_and_notify(_: object) -> Any:  # noqa: ANN401 - any reply
                asked.append(ask(tasks, server, sms(), "new"))
                return DONE

            server.answers[UpdateCustomerAppData] = answer_and_notify
            await app.customer(NUMBER).update_app_data("new")
            async with await inbox.receive():
                pass
            await asked[0].done.wait()
            assert asked[0].reply == NotificationReply(data_update=AppDataUpdate("new"))


@pytest.mark.parametrize("answer", [b"\xff\xff", CustomerStateUpdateReply(status=False, description="no")])
async def test_echo_is_left_out_after_an_update_that_was_sent_and_failed(answer: object) -> None:
    """A past bug: an update whose answer was no answer may have been made all the same, and its echo undid it."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            server.answers[UpdateCustomerAppData] = answer
            asked = ask(tasks, server, sms(), "old")
            async with await inbox.receive() as delivery:
                with pytest.raises((CommandFailed, RemoteProtocolError)):
                    await delivery.customer.update_app_data("new")
            await asked.done.wait()
            assert asked.reply == NotificationReply()


async def test_update_of_another_customer_leaves_the_echo() -> None:
    """This SDK: only a change of the same customer's data makes the echo stale."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms(customer="el_cst_2", number="+2"), "old")
            async with await inbox.receive():
                await app.customer(NUMBER).update_app_data("new")
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate("old"))


async def test_update_of_the_same_digits_under_another_provider_leaves_the_echo() -> None:
    """Specification: they are two customers."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms(customer="el_cst_2"), "old")
            async with await inbox.receive():
                await app.customer(NUMBER.number, provider="telegram").update_app_data("new")
            await asked.done.wait()
            assert asked.reply == NotificationReply(data_update=AppDataUpdate("old"))


async def test_error_in_the_block_is_answered_application_error_and_propagates() -> None:
    """This SDK: the class's name is told, never the words."""
    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            async with Elarian(**server.credentials) as app, app.notifications() as inbox:
                asked = ask(tasks, server, sms())
                with pytest.raises(ZeroDivisionError):
                    async with await inbox.receive():
                        raise ZeroDivisionError("private words")
                await asked.done.wait()
            assert asked.failure is not None
            assert (asked.failure.code, asked.failure.message) == (ErrorCode.APPLICATION_ERROR, "ZeroDivisionError")


async def test_delivery_cancelled_on_entering_its_block_is_given_back() -> None:
    """This SDK: nothing is acknowledged by default that no user code has worked on."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms())
            delivery = await inbox.receive()
            with anyio.CancelScope() as scope:
                scope.cancel()
                async with delivery:
                    pytest.fail("entered")
            await asked.done.wait()
            assert asked.failure is not None
            assert asked.failure.code == ErrorCode.APPLICATION_ERROR


async def test_rejected_delivery_is_answered_application_error() -> None:
    """This SDK: REJECTED is kept for what no user code has seen."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            asked = ask(tasks, server, sms())
            async with await inbox.receive() as delivery:
                await delivery.reject("not today")
                with pytest.raises(LocalProtocolError):
                    await delivery.reply("after all")
            await asked.done.wait()
            assert asked.failure is not None
            assert (asked.failure.code, asked.failure.message) == (ErrorCode.APPLICATION_ERROR, "not today")


async def test_one_customers_notifications_come_one_at_a_time_over_all_subscriptions() -> None:
    """Promise 5: two kinds, two subscriptions, one customer; another customer passes."""
    with anyio.fail_after(5):
        async with (
            connected() as (server, app, tasks),
            app.notifications(ReceivedSmsNotification) as texts,
            app.notifications(ReminderNotification) as reminders,
        ):
            first = ask(tasks, server, sms())
            delivery = await texts.receive()
            await delivery.__aenter__()
            ask(tasks, server, reminder())
            ask(tasks, server, reminder("el_cst_2"))
            await until(lambda: app.statistics().notifications == 3)
            async with await reminders.receive() as other:
                assert other.notification.customer_id == "el_cst_2"
                await delivery.reply("Hi")
                await first.done.wait()
                with anyio.move_on_after(0) as scope:
                    await reminders.receive()
                assert scope.cancelled_caught, "the block of the first has not ended"
                await delivery.__aexit__(None, None, None)
                async with await reminders.receive() as second:
                    assert second.notification.customer_id == "el_cst_1"


async def test_delivery_is_in_hand_until_its_outermost_block_ends() -> None:
    """A past bug: a helper that entered the delivery once more let the customer's next one in beside its caller."""
    with anyio.fail_after(5):
        async with connected() as (server, app, tasks), app.notifications() as inbox:
            first = ask(tasks, server, sms("first"))
            delivery = await inbox.receive()
            second = ask(tasks, server, sms("second"))
            async with delivery:
                async with delivery:
                    pass
                assert not first.done.is_set()
                with anyio.move_on_after(0.01):
                    await inbox.receive()
                    pytest.fail("side by side")
                await delivery.reply("one")
            async with await inbox.receive() as following:
                assert following.notification == sms("second")
            await second.done.wait()
            assert first.reply == NotificationReply(message=Message("one"))


async def test_next_comes_where_a_server_that_leaves_gives_one_up() -> None:
    """A past bug: the next of the same customer, still wanted, lay until its time was up."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app, app.notifications() as inbox:
            session = server.sessions[-1]
            outcomes: list[object] = []
            first = session.ask(encode_notification(sms("first")), outcomes.append)
            session.ask(encode_notification(sms("second")), outcomes.append)
            async with await inbox.receive():
                session._connection.close()  # it says goodbye and serves on
                session._wake_writer()
                await anyio.wait_all_tasks_blocked()
                first.call_off()
                await anyio.wait_all_tasks_blocked()
            async with await inbox.receive() as following:
                assert following.notification == sms("second")


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


async def _no_dial() -> Any:  # noqa: ANN401
    raise ConnectionRefusedError


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


async def test_unreadable_notification_is_answered_invalid() -> None:
    """This SDK: it costs itself only."""
    with anyio.fail_after(5):
        async with connected() as (server, app, _tasks):
            with pytest.raises(StreamFailed) as caught:
                await server.notify_raw(b"\xff\xff\xff")
            assert caught.value.code == ErrorCode.INVALID
            assert (await app.customer("+1").update_tags()).status


async def test_unseen_notification_is_rejected_at_its_deadline() -> None:
    """This SDK: not handed out in time: removed, REJECTED, counted."""
    with anyio.fail_after(5):
        async with connected(SHORT) as (server, app, _tasks), app.notifications():
            with pytest.raises(StreamFailed) as caught:
                await server.notify(sms())
            assert caught.value.code == ErrorCode.REJECTED
            assert app.statistics().rejected == 1


async def test_late_answer_by_hand_raises_and_the_next_comes_after_the_block() -> None:
    """This SDK: in hand at the deadline gets the default answer; the block's end then raises nothing."""
    with anyio.fail_after(5):
        async with (
            connected(SHORT) as (server, app, tasks),
            app.notifications() as inbox,
        ):
            asked = ask(tasks, server, sms(), "old")
            async with await inbox.receive() as delivery:
                await asked.done.wait()
                assert asked.reply == NotificationReply(data_update=AppDataUpdate("old"))
                with pytest.raises(DeliveryExpired):
                    await delivery.reply("late")
                with pytest.raises(DeliveryExpired):
                    await delivery.reject("late")
            assert app.statistics().answers_late == 1
            second = ask(tasks, server, sms("2"))
            async with await inbox.receive():
                pass
            await second.done.wait()
            third, untouched = ask(tasks, server, sms("3")), await inbox.receive()
            await third.done.wait()
            async with untouched:
                pass
            assert app.statistics().answers_late == 2


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
    """This SDK: its words may be a customer's, so above DEBUG only its class is told."""

    async def handler(*_: object) -> None:
        await checkpoint()
        raise ValueError("+254709759881 wrote: hello")

    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials).on("receivedSms", handler):
            with pytest.raises(StreamFailed) as caught:
                await server.notify(sms())
            assert (caught.value.code, caught.value.message) == (ErrorCode.APPLICATION_ERROR, "ValueError")
    loud = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert loud == ["the handler of 'receivedSms' raised ValueError"]


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


@pytest.mark.parametrize("seen", [False, True])
async def test_notification_given_up_by_the_server_is_forgotten(seen: bool) -> None:
    """RSocket's CANCEL: unseen it is dropped; in hand its answer is late."""
    with anyio.fail_after(5):
        async with connected() as (server, app, _), app.notifications() as inbox:
            async with anyio.create_task_group() as asking:
                ask(asking, server, sms())
                await until(lambda: app.statistics().notifications == 1)
                delivery = await inbox.receive() if seen else None
                asking.cancel_scope.cancel()
            await until(lambda: all(each.request.canceled for each in app._inbox._unanswered))
            if delivery is None:
                assert not app._inbox._lanes
            else:
                with pytest.raises(DeliveryExpired):
                    await delivery.reply("late")
            assert app.statistics().answers_late == seen
