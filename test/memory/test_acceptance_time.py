"""Acceptance, written from the design: what takes days takes no time, under Trio's MockClock.

Bounds here are virtual seconds: a wait that nothing ends would jump to its bound at once.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import anyio
import pytest
import trio
import trio.testing
from acceptance import (
    ASHA,
    ERROR,
    JUMA,
    PAYBILL,
    REJECTED,
    SMS,
    USSD,
    Frame,
    Line,
    ScriptedServer,
    a_place,
    an_sms,
    answering,
    the_answer,
)

from elarian_trio import (
    Backoff,
    Cash,
    CommandFailed,
    CommandTimedOut,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    CustomerNumber,
    CustomerPayment,
    DeliveryExpired,
    Elarian,
    MessageStatusNotification,
    MessagingSessionEndedNotification,
    PaymentStatusNotification,
    Purse,
    ReceivedSmsNotification,
    Reminder,
    ReminderNotification,
    Simulator,
    Tag,
    UssdInput,
)
from elarian_trio.sandbox import Sandbox

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
LONG = 10.0 * 365 * 86400  # seconds of virtual time


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run under trio alone, on a clock that jumps to what is due next."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def test_reminder_of_next_year_comes_now() -> None:
    """This SDK's sandbox: a year passes at once, and no keepalive is missed on the way."""
    async with a_place(clock="auto") as place, answering(place.app, ReminderNotification, bound=LONG) as told:
        due = place.sandbox.clock.now() + 365 * DAY
        await place.app.customer(ASHA).add_reminder(Reminder("rent", due, payload="pay"))
        got = await told.next()
        assert (got.reminder.key, got.reminder.payload, got.reminder.remind_at) == ("rent", "pay", due)
        assert (got.tag, got.work_id, got.reminder.interval) == (None, None, None)
        assert abs(place.sandbox.clock.now() - due) < timedelta(seconds=1)
        await place.sandbox.clock.advance(10 * DAY)
        assert len(told.deliveries) == 1
        assert (await place.app.customer(ASHA).cancel_reminder("rent")).status
        assert place.app.connection_state == "connected"


async def test_reminder_repeats_until_it_is_cancelled_and_is_replaced_by_its_key() -> None:
    """The specification: every interval, with that firing's time; the same key again replaces it."""
    async with a_place(clock="auto") as place, answering(place.app, ReminderNotification, bound=LONG) as told:
        asha, start = place.app.customer(ASHA), place.sandbox.clock.now()
        await asha.add_reminder(Reminder("r", start + DAY, payload="replaced"))
        await asha.add_reminder(Reminder("r", start + 2 * DAY, 2 * DAY, "kept"))
        got = await told.many(3)
        assert [each.reminder.payload for each in got] == ["kept"] * 3
        assert [each.reminder.remind_at for each in got] == [start + n * DAY for n in (2, 4, 6)]
        await asha.cancel_reminder("r")
        await place.sandbox.clock.advance(30 * DAY)
        assert len(told.deliveries) == 3
        with pytest.raises(CommandFailed):
            await asha.add_reminder(Reminder("hasty", start, timedelta(seconds=59)))


async def test_reminder_in_the_past_fires_at_once() -> None:
    """The sandbox's rules."""
    async with a_place(clock="auto") as place, answering(place.app, ReminderNotification) as told:
        await place.app.customer(ASHA).add_reminder(Reminder("late", place.sandbox.clock.now() - DAY))
        assert (await told.next()).reminder.key == "late"


async def test_reminder_by_tag_reaches_every_holder_and_is_cancelled_by_tag() -> None:
    """The specification: tag and work id come along; cancelling takes it from all."""
    async with a_place(clock="auto") as place, answering(place.app, ReminderNotification, bound=LONG) as told:
        for number in (ASHA, JUMA):
            await place.app.customer(number).update_tags(Tag("loan", "open"))
        start = place.sandbox.clock.now()
        reply = await place.app.add_customer_reminder_by_tag(Tag("loan", "open"), Reminder("dun", start + DAY))
        assert reply.status
        got = await told.many(2)
        assert len({each.customer_id for each in got}) == 2
        for each in got:
            assert each.work_id == reply.work_id
            assert (each.tag.key, each.tag.value) == ("loan", "open")
        await place.app.add_customer_reminder_by_tag(Tag("loan", "open"), Reminder("dun", start + 9 * DAY))
        assert (await place.app.cancel_customer_reminder_by_tag(Tag("loan", "open"), "dun")).status
        await place.sandbox.clock.advance(30 * DAY)
        assert len(told.deliveries) == 2


async def test_reminder_reaches_only_the_app_that_set_it() -> None:
    """The wire contract: reminders are kept per customer and app."""
    async with Sandbox() as sandbox, Elarian(**sandbox.credentials) as app:
        token = (await app.generate_auth_token()).token
        other = {name: sandbox.credentials[name] for name in ("org_id", "dial")} | {"app_id": "another"}
        async with (
            Elarian(**other, auth_token=token) as second,
            answering(app) as first_told,
            answering(second, bound=LONG) as second_told,
        ):
            await second.customer(ASHA).add_reminder(Reminder("mine", sandbox.clock.now() + DAY))
            assert (await second_told.next()).app_id == "another"
            await app.ping()
            assert first_told.deliveries == []


async def test_message_is_reported_delivered_a_moment_later() -> None:
    """The sandbox's rules: about 200 ms after it was sent."""
    async with a_place(clock="auto") as place, answering(place.app, MessageStatusNotification) as told:
        start = place.sandbox.clock.now()
        await place.app.customer(ASHA).send_message(SMS, "hi")
        assert (await told.next()).status == "delivered"
        assert timedelta(0) < place.sandbox.clock.now() - start < timedelta(seconds=1)


async def test_payment_settles_by_itself_a_moment_later() -> None:
    """The sandbox's rules: about 500 ms."""
    async with a_place(clock="auto") as place, answering(place.app, PaymentStatusNotification) as told:
        start = place.sandbox.clock.now()
        credit = CustomerPayment(CustomerNumber(ASHA), PAYBILL)
        await place.app.initiate_payment(Purse(place.sandbox.purse_id), credit, Cash("KES", 5))
        assert (await told.next()).status == "success"
        assert timedelta(0) < place.sandbox.clock.now() - start < timedelta(seconds=2)


async def test_abandoned_ussd_session_ends_after_three_minutes() -> None:
    """The sandbox's rules: 180 s without input, then ``inactivity``."""
    async with (
        a_place(clock="auto") as place,
        answering(place.app, MessagingSessionEndedNotification, bound=LONG) as told,
    ):
        place.app.on("ussdSession", lambda notification, customer, app_data, callback: callback("1. Go on"))
        start = place.sandbox.clock.now()
        await place.phone.receive_message(ASHA, USSD, "u", [UssdInput("", "active")])
        assert (await told.next()).reason == "inactivity"
        assert timedelta(seconds=179) < place.sandbox.clock.now() - start < timedelta(seconds=185)


async def test_lease_waits_90_seconds_at_most() -> None:
    """This SDK: ``lease_app_data`` is bounded by 95 s instead of ``command_timeout``; the server's lease by 90 s."""
    async with Sandbox() as sandbox, Elarian(**sandbox.credentials) as app:
        await app.customer(ASHA).update_app_data("kept")
        await app.customer(ASHA).lease_app_data()
        start = trio.current_time()
        assert await app.customer(ASHA).lease_app_data() == "kept"
        assert 89 < trio.current_time() - start < 91


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tcp": "127.0.0.1:0", "clock": "virtual"}, "manual"),
        ({"data": "sandbox.sqlite3", "clock": "virtual"}, "manual"),
    ],
)
async def test_virtual_time_needs_memory(settings: dict[str, Any], words: str) -> None:
    """This SDK: any other combination is a ValueError that names the manual clock."""
    with pytest.raises(ValueError, match=words):
        async with Sandbox(**settings):
            pass


# --- the client's own times, against a scripted server ---


async def test_unanswered_command_times_out_and_says_that_it_was_sent() -> None:
    """This SDK: ``command_timeout`` bounds every command, as CommandTimedOut; a CANCEL follows."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        start = trio.current_time()
        with pytest.raises(CommandTimedOut) as caught:
            await app.customer(ASHA).create()
        assert caught.value.sent
        assert trio.current_time() - start == pytest.approx(30.0)
        await server.line.until(lambda: server.line.frames[-1].kind == 0x09)


async def test_lease_is_bounded_by_95_seconds() -> None:
    """This SDK: longer than the server's own 90 s."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        start = trio.current_time()
        with pytest.raises(CommandTimedOut):
            await app.customer(ASHA).lease_app_data()
        assert trio.current_time() - start == pytest.approx(95.0)


async def test_command_without_a_bound_waits_for_the_callers() -> None:
    """This SDK: ``None`` leaves it to the cancel scopes."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments, options=ConnectionOptions(command_timeout=None)) as app,
    ):
        with anyio.move_on_after(3600) as scope:
            await app.customer(ASHA).create()
        assert scope.cancelled_caught


async def test_delivery_in_hand_gets_the_default_answer_at_its_deadline() -> None:
    """This SDK: 15 s from arrival; answers by hand raise then, leaving the block is only counted."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi", app_data="kept"))
        start = trio.current_time()
        async with await anext(aiter(inbox)) as delivery:
            answer = the_answer(await server.line.answer_to(stream, bound=LONG))
            assert answer.data_update.data.string_val == "kept"
            assert trio.current_time() - start == pytest.approx(15.0)
            with pytest.raises(DeliveryExpired):
                await delivery.reply("too late")
            with pytest.raises(DeliveryExpired):
                await delivery.reject("too late")
        again = await server.line.ask(an_sms("2", message_id="m-2"))
        before = app.statistics().answers_late
        async with await anext(aiter(inbox)):
            await server.line.answer_to(again, bound=LONG)
        assert app.statistics().answers_late == before + 1


async def test_delivery_nobody_took_is_rejected_at_its_deadline() -> None:
    """This SDK: not handed out by then: removed, REJECTED, counted."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        stream = await server.line.ask(an_sms("hi"))
        answer = await server.line.answer_to(stream, bound=LONG)
        assert (answer.kind, answer.code) == (ERROR, REJECTED)
        assert app.statistics().rejected == 1
        await server.line.ask(an_sms("next", message_id="m-2"))
        async with await anext(aiter(inbox)) as delivery:
            assert delivery.notification.text == "next"


async def test_notifications_without_any_taker_are_rejected_at_their_deadline() -> None:
    """This SDK: until the first taker exists they wait up to ``notification_timeout``."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        stream = await server.line.ask(an_sms("hi"))
        answer = await server.line.answer_to(stream, bound=LONG)
        assert (answer.kind, answer.code) == (ERROR, REJECTED)
        assert app.statistics().rejected == 1


async def test_customer_in_an_expired_delivery_still_has_its_turn() -> None:
    """Promise 5: in hand until the block ends, even after the default answer; only then the next one comes."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):
        await server.line.ask(an_sms("1"))
        async with await anext(aiter(inbox)):
            await trio.sleep(16)
            await server.line.ask(an_sms("2", message_id="m-2"))
            with anyio.move_on_after(5) as scope:
                await anext(aiter(inbox))
            assert scope.cancelled_caught
        async with await anext(aiter(inbox)) as delivery:
            assert delivery.notification.text == "2"


async def test_disconnect_waits_for_what_is_in_hand_no_longer_than_its_option() -> None:
    """This SDK: ``drain_timeout``, 20 s."""
    options = ConnectionOptions(notification_timeout=1000.0)
    async with ScriptedServer() as server, anyio.create_task_group() as tasks:

        async def hold(app: Elarian, *, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with app.notifications(ReceivedSmsNotification) as inbox:
                await server.line.ask(an_sms("1"))
                async with await anext(aiter(inbox)):
                    task_status.started()
                    await anyio.sleep_forever()

        async with Elarian(**server.arguments, options=options) as app:
            await tasks.start(hold, app)
            start = trio.current_time()
            with anyio.fail_after(60):
                await app.disconnect()
            assert trio.current_time() - start == pytest.approx(20.0, abs=1.0)
            tasks.cancel_scope.cancel()


async def test_silent_server_is_left_and_dialled_again() -> None:
    """The protocol: no frame for the keepalive lifetime means the peer is gone."""

    async def script(line: Line) -> None:
        if len(server.lines) > 1:
            await server.welcome(line)
            return
        await line.let_in()
        while True:
            await line.receive()  # and say nothing

    options = ConnectionOptions(resume="off", command_timeout=60.0)
    async with ScriptedServer(script) as server, Elarian(**server.arguments, options=options) as app:
        start = trio.current_time()
        with pytest.raises(ConnectionLost) as caught:
            await app.customer(ASHA).create()
        assert caught.value.sent
        assert 25 < trio.current_time() - start < 31
        await app.ping()
        assert len(server.lines) == 2


async def test_connection_with_keepalives_lasts_and_sends_one_every_interval() -> None:
    """This SDK: every 10 s."""
    alive = 0

    async def script(line: Line) -> None:
        nonlocal alive
        await line.let_in()
        while True:
            frame = await line.receive()
            alive += frame.kind == 0x03
            if frame.kind == 0x03 and frame.flags & 0x80:
                await line.send(Frame(0, 0x03, 0, frame.rest))

    async with ScriptedServer(script) as server, Elarian(**server.arguments) as app:
        await trio.sleep(1005)
        assert 99 <= alive <= 101
        assert app.connection_state == "connected"
        assert len(server.lines) == 1


async def test_first_connection_gives_up_after_its_time() -> None:
    """This SDK: attempts under the backoff, then ConnectionFailed; else the caller's scope decides."""
    attempts: list[float] = []

    async def dial() -> Any:  # noqa: ANN401
        attempts.append(trio.current_time())
        raise OSError("nobody there")

    for give_up in (120.0, None):
        attempts.clear()
        start = trio.current_time()
        options = ConnectionOptions(reconnect=Backoff(jitter=0.0, give_up_after=give_up))
        app = Elarian(org_id="o", app_id="a", api_key="k", dial=dial, options=options)
        with trio.move_on_after(3600) as scope:
            if give_up is None:
                async with app:
                    pytest.fail("entered")
            else:
                with pytest.raises(ConnectionFailed):
                    async with app:
                        pytest.fail("entered")
                assert 110 < trio.current_time() - start <= 121
                gaps = [round(b - a, 3) for a, b in pairwise(attempts)]
                assert gaps[:4] == [0.25, 0.5, 0.8, 1.28]
                assert max(gaps) == 5.0
        assert scope.cancelled_caught == (give_up is None)


async def test_server_that_accepts_and_stays_silent_is_a_failed_attempt() -> None:
    """This SDK: ``connect_timeout`` bounds an attempt until it is answered."""

    async def script(line: Line) -> None:
        while True:
            await line.receive()

    options = ConnectionOptions(reconnect=Backoff(give_up_after=25.0))
    async with ScriptedServer(script) as server:
        with pytest.raises(ConnectionFailed):
            async with Elarian(**server.arguments, options=options):
                pytest.fail("entered")
    assert len(server.lines) >= 2


async def test_app_away_for_days_gets_what_waited_for_it() -> None:
    """The sandbox's rules: notifications wait, in order, for an app that is not there."""
    async with Sandbox() as sandbox, Simulator(**sandbox.credentials) as phone:
        for n in range(5):
            await phone.receive_message(ASHA, SMS, "", [str(n)])
            await trio.sleep(86400)
        app = Elarian(**sandbox.credentials)
        async with app.notifications(ReceivedSmsNotification) as inbox, app:
            got = []
            with anyio.fail_after(60):
                async for delivery in inbox:
                    async with delivery:
                        got.append(delivery.notification.text)
                    if len(got) == 5:
                        break
            assert got == ["0", "1", "2", "3", "4"]
