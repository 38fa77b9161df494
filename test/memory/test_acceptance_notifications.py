"""Acceptance, written from the design: subscriptions, handlers, answers, order and bounds, against a scripted server.

The scripted server sends what a sandbox never would: two notifications of one customer at once, and thousands.
"""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import anyio
import pytest
from acceptance import (
    APPLICATION_ERROR,
    BOUND,
    ERROR,
    PAYLOAD,
    REJECTED,
    Frame,
    Line,
    ScriptedServer,
    a_status,
    a_token_reply,
    an_app_data_reply,
    an_sms,
    answer_frame,
    in_customer,
    the_answer,
    the_command,
    the_end_of,
)

from elarian_trio import (
    Customer,
    Delivery,
    DeliveryExpired,
    Elarian,
    LocalProtocolError,
    MessageStatusNotification,
    ReceivedSmsNotification,
    ReceivedTelegramNotification,
    ReminderNotification,
    UnknownNotification,
)

pytestmark = pytest.mark.anyio


def answers_commands(line: Line) -> None:
    """Have a line answer updates and token requests."""
    replies = {
        "generate_auth_token": a_token_reply(),
        "update_customer_app_data": an_app_data_reply(),
        "delete_customer_app_data": an_app_data_reply(),
    }
    line.reply = lambda frame: answer_frame(frame.stream, replies[the_command(frame)])


async def settle(app: Elarian) -> None:
    """Wait until the client has taken in all that was sent to it before."""
    with anyio.fail_after(BOUND):
        await app.ping()
        await anyio.wait_all_tasks_blocked()


async def test_delivery_carries_everything_and_its_reply_goes_back() -> None:
    """This SDK: notification, customer, app data, event, key, deadline and raw bytes; a reply with data and message."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        raw = an_sms("hi", message_id="m-7", app_data='{"screen":"home"}')
        stream = await server.line.ask(raw)
        delivery = await anext(aiter(inbox))
        async with delivery:
            assert delivery.notification.text == "hi"
            assert delivery.notification.customer_id == "el_cst_1"
            assert (delivery.event, delivery.raw) == ("receivedSms", raw)
            assert delivery.app_data == {"screen": "home"}
            assert isinstance(delivery.customer, Customer)
            assert delivery.deadline is not None
            await delivery.reply("Thanks", app_data={"screen": "done"})
        answer = the_answer(await server.line.answer_to(stream))
        assert answer.message.body.text == "Thanks"
        assert answer.data_update.data.string_val == '{"screen":"done"}'
        again = await server.line.ask(raw)
        redelivered = await anext(aiter(inbox))
        assert redelivered.key == delivery.key
        async with redelivered:
            pass
        await server.line.answer_to(again)
        await server.line.ask(an_sms("hi", message_id="m-8"))
        async with await anext(aiter(inbox)) as other:
            assert other.key != delivery.key


@pytest.mark.parametrize("stored", ['{ "screen" :  "home" }', "bare word", b"\x00\xfe", ""])
async def test_default_answer_echoes_the_app_data_byte_for_byte(stored: str | bytes) -> None:
    """This SDK: that is what releases the server's lease; a value decoded and encoded again would not be the same."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi", app_data=stored))
        async with await anext(aiter(inbox)) as delivery:
            _ = delivery.app_data
        answer = the_answer(await server.line.answer_to(stream))
        assert not answer.HasField("message")
        data = answer.data_update.data
        assert (data.bytes_val if isinstance(stored, bytes) else data.string_val) == stored
        assert data.WhichOneof("value") == ("bytes_val" if isinstance(stored, bytes) else "string_val")


async def test_answer_says_nothing_of_app_data_where_there_was_none() -> None:
    """The wire contract: an update without data would delete; absent leaves it alone."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi"))
        async with await anext(aiter(inbox)):
            pass
        assert not the_answer(await server.line.answer_to(stream)).HasField("data_update")


async def test_none_deletes_the_app_data() -> None:
    """This SDK: ``app_data=None`` is an update without data, which deletes."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi", app_data="x"))
        await (await anext(aiter(inbox))).reply(app_data=None)
        answer = the_answer(await server.line.answer_to(stream))
        assert answer.HasField("data_update")
        assert not answer.data_update.HasField("data")


@pytest.mark.parametrize("change", ["update", "delete", "other customer"])
async def test_echo_is_left_out_after_the_app_changed_the_data_itself(change: str) -> None:
    """The loan example's hazard: the default answer must not bring back what the app just replaced."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        answers_commands(server.line)
        async with app.notifications(ReceivedSmsNotification) as inbox:
            stream = await server.line.ask(an_sms("hi", app_data="old"))
            async with await anext(aiter(inbox)) as delivery:
                if change == "update":
                    await delivery.customer.update_app_data("new")
                elif change == "delete":
                    await app.customer(delivery.notification.customer_number.number).delete_app_data()
                else:
                    await app.customer("+254711111111").update_app_data("new")
            answer = the_answer(await server.line.answer_to(stream))
            assert answer.HasField("data_update") == (change == "other customer")


@pytest.mark.parametrize(
    "address", [{"secondary_id": ("passport", "A1")}, {"number": "00254 709-759-881"}, {"customer_id": "el_cst_old"}]
)
async def test_echo_is_left_out_where_only_the_reply_says_whose_data_was_changed(address: dict[str, Any]) -> None:
    """This SDK: also a change by another address counts, once its reply names the customer's id."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        server.line.reply = lambda frame: answer_frame(frame.stream, an_app_data_reply("el_cst_1"))
        async with app.notifications(ReceivedSmsNotification) as inbox:
            stream = await server.line.ask(an_sms("hi", app_data="old"))
            async with await anext(aiter(inbox)):
                await app.customer(**address).update_app_data("new")
            assert not the_answer(await server.line.answer_to(stream)).HasField("data_update")


async def test_echo_is_left_out_after_a_change_that_was_sent_and_then_cancelled() -> None:
    """This SDK: what was handed to the writer counts, for the server may have acted on it."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi", app_data="old"))
        async with await anext(aiter(inbox)) as delivery, anyio.create_task_group() as tasks:
            tasks.start_soon(delivery.customer.update_app_data, "new")
            await server.line.until(lambda: server.line.requests)
            tasks.cancel_scope.cancel()
        assert not the_answer(await server.line.answer_to(stream)).HasField("data_update")


async def test_error_in_the_block_is_answered_by_its_class_and_propagates() -> None:
    """This SDK: APPLICATION_ERROR with the class's name, never the message; the error goes on as from any block."""

    class Mishap(Exception):
        pass

    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi"))
        with pytest.raises(Mishap, match="the customer's secret"):
            async with await anext(aiter(inbox)):
                raise Mishap("the customer's secret")
        answer = await server.line.answer_to(stream)
        assert (answer.kind, answer.code) == (ERROR, APPLICATION_ERROR)
        assert "Mishap" in answer.words
        assert "secret" not in answer.words


async def test_reject_is_answered_application_error() -> None:
    """This SDK: the server may redeliver; REJECTED is kept for what no user code has seen."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        async with app.notifications(ReceivedSmsNotification) as inbox:
            stream = await server.line.ask(an_sms("hi"))
            async with await anext(aiter(inbox)) as delivery:
                await delivery.reject("try later")
            answer = await server.line.answer_to(stream)
            assert (answer.kind, answer.code) == (ERROR, APPLICATION_ERROR)
        assert app.statistics().rejected == 0


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


async def test_newer_notification_is_handed_over_as_unknown() -> None:
    """This SDK: what a newer server may send is no error."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app, app.notifications() as inbox:
        raw = in_customer("el_cst_1") + b"\xfa\x7f\x03new"
        stream = await server.line.ask(raw)
        async with await anext(aiter(inbox)) as delivery:
            assert isinstance(delivery.notification, UnknownNotification)
            assert delivery.raw == raw
        assert (await server.line.answer_to(stream)).kind == PAYLOAD


# --- handlers ---


@pytest.mark.parametrize("event", ["receivedSms", "received_sms", ReceivedSmsNotification])
@pytest.mark.parametrize("awaited", [True, False])
async def test_handler_answers_through_its_callback_in_both_spellings(event: Any, awaited: bool) -> None:  # noqa: ANN401
    """The specification's handler: (notification, customer, app_data, callback); the callback may be awaited or not."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        seen: list[Any] = []

        async def handler(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
            seen.append((notification.text, type(customer), app_data))
            done = callback("Thanks", app_data={"n": 1})
            if awaited:
                assert await done is None

        assert app.on(event, handler) is app
        stream = await server.line.ask(an_sms("hi", app_data="[1]"))
        answer = the_answer(await server.line.answer_to(stream))
        assert (answer.message.body.text, answer.data_update.data.string_val) == ("Thanks", '{"n":1}')
        assert seen == [("hi", Customer, [1])]


async def test_handler_without_an_answer_gives_the_default_one() -> None:
    """The other SDKs: a handler that never calls back is answered by the echo."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:

        async def handler(*_: object) -> None:
            await anyio.lowlevel.checkpoint()

        app.on("receivedSms", handler)
        stream = await server.line.ask(an_sms("hi", app_data="kept"))
        assert the_answer(await server.line.answer_to(stream)).data_update.data.string_val == "kept"


async def test_handler_that_raises_costs_its_own_notification_only(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: logged without what the customer wrote, and answered APPLICATION_ERROR; the client lives on."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:

        async def handler(notification: Any, *_: object) -> None:  # noqa: ANN401
            if notification.text == "bad":
                raise RuntimeError("0709-secret")

        app.on("receivedSms", handler)
        bad = await server.line.ask(an_sms("bad"))
        good = await server.line.ask(an_sms("good"))
        answer = await server.line.answer_to(bad)
        assert (answer.kind, answer.code) == (ERROR, APPLICATION_ERROR)
        assert "secret" not in answer.words
        assert (await server.line.answer_to(good)).kind == PAYLOAD
        assert app.connection_state == "connected"
        above_debug = [record for record in caplog.records if record.levelname != "DEBUG"]
        assert any("RuntimeError" in record.getMessage() for record in above_debug)
        assert not any("secret" in record.getMessage() for record in above_debug)


async def test_on_replaces_off_removes_and_unknown_events_are_refused() -> None:
    """The specification: one listener per event; an event that nobody knows is a ValueError."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        calls: list[str] = []
        app.on("receivedSms", lambda *_: calls.append("old"))
        app.on("received_sms", lambda *_: calls.append("new"))
        await server.line.answer_to(await server.line.ask(an_sms("1")))
        app.off("receivedSms")
        await server.line.answer_to(await server.line.ask(an_sms("2")))
        assert calls == ["new"]
        assert app.statistics().unclaimed == 1
        with pytest.raises(ValueError, match="receivedSms"):
            app.on("receivedPigeon", lambda *_: None)
        with pytest.raises(ValueError, match="str"):
            app.notifications(str)  # type: ignore[type-var]


async def test_at_most_64_handlers_run_and_64_more_wait() -> None:
    """This SDK: beyond that REJECTED, at once and counted."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        running = 0
        release = anyio.Event()

        async def handler(*_: object) -> None:
            nonlocal running
            running += 1
            await release.wait()

        app.on("receivedSms", handler)
        streams = [await server.line.ask(an_sms("x", f"el_cst_{n}", f"m-{n}")) for n in range(130)]
        await settle(app)
        assert running == 64
        assert sorted(server.line.answers) == streams[128:]
        assert {each.code for each in server.line.answers.values()} == {REJECTED}
        release.set()
        for stream in streams[:128]:
            assert (await server.line.answer_to(stream)).kind == PAYLOAD
        assert running == 128


async def test_connection_events_reach_their_handlers() -> None:
    """The specification's other events: connecting, connected, closed."""
    told: list[str] = []
    async with ScriptedServer() as server:
        app = Elarian(**server.arguments)
        for name in ("pending", "connecting", "connected", "closed"):
            app.on(name, lambda name=name: told.append(name))
        async with app:
            await app.ping()
            await anyio.wait_all_tasks_blocked()
            assert told[-2:] == ["connecting", "connected"]
    assert told[-1] == "closed"


async def test_delivery_is_answered_once() -> None:
    """This SDK: the second answer by hand is an error of ours."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi"))
        delivery = await anext(aiter(inbox))
        await delivery.reply("one")
        for again in (delivery.reply, lambda: delivery.reject("two")):
            await the_end_of(LocalProtocolError, again)
        assert the_answer(await server.line.answer_to(stream)).message.body.text == "one"


async def test_subscription_that_ends_gives_back_what_nobody_saw() -> None:
    """This SDK: what waited in it is REJECTED, so that the server may deliver it again."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        async with app.notifications(ReceivedSmsNotification):
            stream = await server.line.ask(an_sms("hi"))
            await settle(app)
        answer = await server.line.answer_to(stream)
        assert (answer.kind, answer.code) == (ERROR, REJECTED)


async def test_delivery_made_by_hand_serves_unit_tests() -> None:
    """This SDK: a user can make one without any connection."""
    from elarian_trio import CustomerNumber, MessagingChannel

    notification = ReceivedSmsNotification(
        customer_number=CustomerNumber("+254700000000"), channel_number=MessagingChannel.sms("83044"), text="hi"
    )
    delivery = Delivery(notification)
    async with delivery:
        assert delivery.notification.text == "hi"
        assert delivery.event == "receivedSms"
        with pytest.raises(LookupError):
            _ = delivery.customer
        await delivery.reply("Thank you")


def test_classes_of_the_other_socket_are_refused() -> None:
    """This SDK: a type that never comes here is a ValueError, not a loop that never turns."""
    from elarian_trio import SendMessageSimulatorNotification, Simulator

    app = Elarian(org_id="o", app_id="a", api_key="k")
    with pytest.raises(ValueError, match="SendMessageSimulatorNotification"):
        app.on(SendMessageSimulatorNotification, lambda *_: None)
    phone = Simulator(org_id="o", app_id="a", api_key="k")
    with pytest.raises(ValueError, match="receivedSms"):
        phone.on("receivedSms", lambda *_: None)
    assert issubclass(DeliveryExpired, Exception)
    assert ReminderNotification.event == "reminder"
    assert ReceivedTelegramNotification.event == "receivedTelegram"
