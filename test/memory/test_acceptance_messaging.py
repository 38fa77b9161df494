"""Acceptance, written from the design: messages on all channels, sessions, USSD and voice hops, consent, replays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from acceptance import (
    ASHA,
    JUMA,
    MESSENGER,
    SMS,
    TELEGRAM,
    USSD,
    VOICE,
    WHATSAPP,
    Place,
    a_place,
    answering,
    the_end_of,
)

from elarian_trio import (
    Cash,
    Channel,
    CommandFailed,
    Customer,
    CustomerNumber,
    Delivery,
    Dial,
    Email,
    GetDigits,
    Location,
    MakeVoiceCallSimulatorNotification,
    Media,
    Message,
    MessageSessionUpdate,
    MessageStatusNotification,
    MessageStatusUpdate,
    MessagingChannel,
    MessagingConsentUpdateNotification,
    MessagingSessionEndedNotification,
    MessagingSessionStartedNotification,
    Play,
    ReceivedFbMessengerNotification,
    ReceivedMessage,
    ReceivedSmsNotification,
    ReceivedTelegramNotification,
    ReceivedWhatsappNotification,
    ReplyPrompt,
    Say,
    SendMessageSimulatorNotification,
    SentMessage,
    Simulator,
    Tag,
    Template,
    Url,
    UssdInput,
    UssdMenu,
    UssdSessionNotification,
    VoiceCallInput,
    VoiceCallNotification,
)

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)
CHATS = [
    (WHATSAPP, "cellular", ASHA, ReceivedWhatsappNotification, "receivedWhatsapp"),
    (TELEGRAM, "telegram", "asha_on_telegram", ReceivedTelegramNotification, "receivedTelegram"),
    (MESSENGER, "facebook", "asha.face", ReceivedFbMessengerNotification, "receivedFbMessenger"),
    (SMS, "cellular", ASHA, ReceivedSmsNotification, "receivedSms"),
]

BODIES: list[Any] = [
    "Hello, Asha ünï 🎉",
    Media("https://example.com/cat.png", "image"),
    Location(latitude=-1.25, longitude=36.8, label="Nairobi", address="Moi Avenue"),
    Template("welcome", {"name": "Asha"}),
    Url(url="https://example.com"),
    Message("with all", ("a", "b"), "tag-1", None, ReplyPrompt(action="text", menu=("yes", "no"))),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
async def test_message_reaches_the_phone_as_it_was_sent_and_is_reported_delivered(body: Any) -> None:  # noqa: ANN401
    """The live server's tests: the reply says sent, the phone gets it at once, the report follows by itself."""
    async with (
        a_place() as place,
        answering(place.app, MessageStatusNotification) as reports,
        answering(place.phone, SendMessageSimulatorNotification) as phone,
    ):
        reply = await place.app.customer(ASHA).send_message(SMS, body)
        assert reply.status == "sent"
        assert reply.message_id is not None
        assert reply.message_id.startswith("el_msg_")
        assert reply.customer_id is not None
        got = await phone.next()
        assert (got.message_id, got.customer_id) == (reply.message_id, reply.customer_id)
        assert (got.customer_number.number, got.channel_number) == (ASHA, SMS)
        assert got.message == (body if isinstance(body, Message) else Message(body))
        assert reports.deliveries == []
        await place.sandbox.clock.advance(SECOND)
        report = await reports.next()
        assert (report.message_id, report.status) == (reply.message_id, "delivered")
        (kept,) = (await place.app.customer(ASHA).get_state()).messaging_state.messages
        assert isinstance(kept, SentMessage)
        assert (kept.message_id, kept.status) == (reply.message_id, "delivered")


@pytest.mark.parametrize(("channel", "provider", "number", "kind", "event"), CHATS, ids=lambda x: str(x)[:12])
async def test_conversation_goes_both_ways_on_every_chat(
    channel: MessagingChannel,
    provider: Any,  # noqa: ANN401
    number: str,
    kind: type[Any],
    event: str,
) -> None:
    """The specification: each channel has its own notification, and the customer's provider follows from it."""
    async with (
        a_place() as place,
        answering(place.app, kind) as inbox,
        answering(place.app, MessageStatusNotification) as reports,
        answering(place.phone, SendMessageSimulatorNotification) as phone,
    ):
        parts = ["Hi", Location(latitude=1.5, longitude=2.5), Media("https://example.com/a", "audio")]
        assert (await place.phone.receive_message(number, channel, "visit", parts)).status
        got = await inbox.next()
        assert (got.text, got.location, got.media, got.email) == (*parts, None)
        assert list(got.parts) == parts
        assert (got.customer_number.number, got.customer_number.provider) == (number, provider)
        assert got.channel_number == channel
        assert inbox.deliveries[0].event == event
        replied = await inbox.deliveries[0].customer.reply_to_message(got.message_id, "Welcome")
        assert replied.status in ("sent", "delivered", "queued")
        sent = await place.app.customer(number, provider=provider).send_message(channel, "And more")
        assert sent.status == "sent"
        assert [each.message.body for each in await phone.many(2)] == ["Welcome", "And more"]
        await place.sandbox.clock.advance(SECOND)
        assert [each.status for each in await reports.many(2)] == ["delivered", "delivered"]
        state = await place.app.customer(number, provider=provider).get_state()
        first, second, third = state.messaging_state.messages
        assert isinstance(first, ReceivedMessage)
        assert isinstance(second, SentMessage)
        assert isinstance(third, SentMessage)
        assert second.in_reply_to == got.message_id


async def test_mail_is_sent_and_received() -> None:
    """The specification: email is a channel like the others, if the organisation has a mailbox."""
    mailbox = MessagingChannel.email("hello@example.com")
    async with (
        a_place(channels=[mailbox]) as place,
        answering(place.app) as inbox,
        answering(place.phone, SendMessageSimulatorNotification) as phone,
    ):
        mail = Email(subject="Hi", body_plain="text", body_html="<b>text</b>", cc_list=("a@example.com",))
        assert (
            await place.app.customer("asha@example.com", provider="email").send_message(mailbox, mail)
        ).status == "sent"
        assert (await phone.next()).message.body == mail
        await place.phone.receive_message("asha@example.com", mailbox, "", [mail])
        got = await inbox.next()
        assert inbox.deliveries[0].event == "receivedEmail"
        assert got.email == mail
        assert got.text is None


async def test_message_to_a_customer_known_by_id_finds_the_number_that_suits_the_channel() -> None:
    """This SDK: the state is fetched where a command needs an address that is lacking."""
    async with a_place() as place, answering(place.phone, SendMessageSimulatorNotification) as phone:
        made = await place.app.customer(ASHA).create()
        asha = place.app.customer(customer_id=made.customer_id)
        with pytest.raises((CommandFailed, LookupError, ValueError)):
            await asha.send_message(TELEGRAM, "no such number")
        await place.phone.receive_message(ASHA, SMS, "", ["hi"])
        assert (await asha.send_message(SMS, "found")).status == "sent"
        got = await phone.next()
        assert (got.customer_number.number, got.message.body) == (ASHA, "found")


@pytest.mark.parametrize(
    ("channel", "status"),
    [
        (MessagingChannel.sms("00000"), "invalid_channel_number"),
        (USSD, "no_session_in_progress"),
    ],
)
async def test_message_that_cannot_go_is_answered_by_its_status(channel: MessagingChannel, status: str) -> None:
    """The sandbox's rules: replies with a status enum are returned as they are, never raised."""
    async with a_place() as place:
        body: Any = UssdMenu("hi") if channel.channel == Channel.USSD else "hi"
        reply = await place.app.customer(ASHA).send_message(channel, body)
        assert reply.status == status
        assert reply.description


async def test_message_by_tag_reaches_every_holder_once() -> None:
    """The specification: the reply names the work; each holder gets one message."""
    async with a_place() as place, answering(place.phone, SendMessageSimulatorNotification) as phone:
        for number in (ASHA, JUMA):
            await place.app.customer(number).update_tags(Tag("level", "starter"))
        await place.app.customer("+254700000000").update_tags(Tag("level", "winner"))
        reply = await place.app.send_message_by_tag(Tag("LEVEL", "starter"), SMS, "Play on")
        assert reply.status
        assert reply.work_id
        await place.sandbox.clock.advance(SECOND)
        assert {each.customer_number.number for each in await phone.many(2)} == {ASHA, JUMA}
        await place.app.ping()
        await place.phone.ping()
        assert len(phone.deliveries) == 2
        empty = await place.app.send_message_by_tag(Tag("level", "nobody"), SMS, "x")
        assert empty.status
        assert empty.work_id


# --- USSD and voice ---


async def dial(phone: Simulator, text: str, status: Any = "active") -> Any:  # noqa: ANN401
    """Enter something on the phone and give what it shows then."""
    reply = await phone.receive_message(ASHA, USSD, "ussd-1", [UssdInput(text, status)])
    assert reply.status
    return None if reply.message is None else reply.message.body


async def test_ussd_menu_is_walked_by_app_data() -> None:
    """The specification's story: the menu is the notification's reply, where one stands is app data."""
    async with a_place() as place, anyio.create_task_group() as tasks:
        log: list[Any] = []

        async def serve(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with place.app.notifications(UssdSessionNotification) as inbox:
                task_status.started()
                async for delivery in inbox:
                    log.append((delivery.notification.input.text, delivery.app_data))
                    await answer(delivery)

        async def answer(delivery: Delivery[UssdSessionNotification]) -> None:
            screen = (delivery.app_data or {"screen": "home"})["screen"]
            if screen == "home":
                await delivery.reply("1. Balance", app_data={"screen": "menu"})
            elif delivery.notification.input.text == "1":
                await delivery.customer.update_metadata({"asked": True})
                await delivery.reply(Message(UssdMenu("KES 10", is_terminal=True)), app_data=None)
            else:
                await delivery.reply(UssdMenu("again"))

        await tasks.start(serve)
        assert await dial(place.phone, "") == UssdMenu("1. Balance")
        assert await dial(place.phone, "7") == UssdMenu("again")
        assert await dial(place.phone, "1", "completed") == UssdMenu("KES 10", is_terminal=True)
        menu = {"screen": "menu"}
        assert log == [("", None), ("7", menu), ("1", menu)]
        assert await place.app.customer(ASHA).lease_app_data() is None
        assert await place.app.customer(ASHA).get_metadata() == {"asked": True}
        tasks.cancel_scope.cancel()


async def test_ussd_without_a_menu_is_an_error_on_the_phone() -> None:
    """The sandbox's rules: an app that shows nothing ends the session; a false status raises."""
    async with a_place() as place, answering(place.app, UssdSessionNotification) as seen:
        error = await the_end_of(
            CommandFailed, lambda: place.phone.receive_message(ASHA, USSD, "u", [UssdInput("", "active")])
        )
        assert isinstance(error, CommandFailed)
        assert error.reply is not None
        assert (await seen.next()).input == UssdInput("", "active")


async def test_menu_over_182_characters_ends_the_hop_when_strict(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK's sandbox: no phone shows more; strict tells the developer, otherwise it is cut."""
    for strict in (True, False):
        async with a_place(strict=strict) as place:
            place.app.on("ussdSession", lambda notification, customer, app_data, callback: callback("x" * 183))
            if strict:
                with pytest.raises(CommandFailed):
                    await dial(place.phone, "")
            else:
                menu = await dial(place.phone, "")
                assert isinstance(menu, UssdMenu)
                assert len(menu.text) <= 182
                assert "183 characters" in caplog.text


async def test_call_is_placed_rings_and_goes_on_by_the_apps_answers() -> None:
    """The live server's tests: session_initiated, the phone rings, its inputs are answered with actions."""
    async with a_place() as place, answering(place.phone, MakeVoiceCallSimulatorNotification) as phone:
        heard: list[VoiceCallInput] = []

        async def handler(
            notification: VoiceCallNotification,
            customer: Customer,
            app_data: object,
            callback: Any,  # noqa: ANN401
        ) -> None:
            heard.append(notification.voice)
            callback((Say("Goodbye", voice="male"), Dial(customer_numbers=(CustomerNumber(JUMA),))))

        place.app.on(VoiceCallNotification, handler)
        plan = (GetDigits(say=Say("Press 1"), num_digits=1, timeout=timedelta(seconds=5)),)
        reply = await place.app.customer(ASHA).make_voice_call(VOICE, plan)
        assert reply.status == "session_initiated"
        assert reply.session_id
        rings = await phone.next()
        assert (rings.session_id, rings.customer_number.number, rings.channel_number) == (reply.session_id, ASHA, VOICE)
        picked_up = VoiceCallInput(direction="outbound", status="answered")
        first = await place.phone.receive_message(ASHA, VOICE, reply.session_id, [picked_up])
        assert first.message is not None
        assert first.message.body == plan
        pressed = VoiceCallInput(direction="outbound", status="active", dtmf_digits="1")
        second = await place.phone.receive_message(ASHA, VOICE, reply.session_id, [pressed])
        assert second.message is not None
        assert second.message.body == (
            Say("Goodbye", voice="male"),
            Dial(customer_numbers=(CustomerNumber(JUMA),)),
        )
        assert heard[-1] == pressed


async def test_incoming_call_answered_with_words_is_spoken() -> None:
    """This SDK: on a call a str is said."""
    async with a_place() as place, anyio.create_task_group() as tasks:

        async def serve(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            async with place.app.notifications(VoiceCallNotification) as inbox:
                task_status.started()
                async for delivery in inbox:
                    async with delivery:
                        await delivery.reply("Hello there")

        await tasks.start(serve)
        ringing = VoiceCallInput(direction="inbound", status="ringing")
        reply = await place.phone.receive_message(ASHA, VOICE, "call-1", [ringing])
        assert reply.message is not None
        assert reply.message.body == (Say("Hello there"),)
        tasks.cancel_scope.cancel()


async def test_session_starts_and_ends_are_told() -> None:
    """The wire contract: sessions are announced with their ends' reasons."""
    kinds = (MessagingSessionStartedNotification, MessagingSessionEndedNotification)
    async with a_place() as place, answering(place.app, *kinds) as seen:
        await place.phone.receive_message(ASHA, WHATSAPP, "wa", ["hi"])
        started = await seen.next()
        assert isinstance(started, MessagingSessionStartedNotification)
        assert started.expires_at == place.sandbox.clock.now() + timedelta(hours=24)
        await place.sandbox.clock.advance(timedelta(hours=25))
        ended = await seen.next()
        assert isinstance(ended, MessagingSessionEndedNotification)
        assert (ended.session_id, ended.reason) == (started.session_id, "inactivity")
        (session,) = (await place.app.customer(ASHA).get_state()).messaging_state.sessions
        assert session.session_id == started.session_id


async def test_blocked_channel_refuses_messages_until_allowed() -> None:
    """The sandbox's rules: block and allow complete at once and are notified; sends to a blocked one: no_consent."""
    async with a_place() as place, answering(place.app, MessagingConsentUpdateNotification) as seen:
        asha = place.app.customer(ASHA)
        blocked = await asha.update_messaging_consent(SMS, "block")
        assert (blocked.status, (await seen.next()).update) == ("completed", "block")
        assert (await asha.send_message(SMS, "psst")).status == "no_consent"
        assert (await place.app.customer(JUMA).send_message(SMS, "hello")).status == "sent"
        assert (await asha.update_messaging_consent(SMS, "allow")).status == "completed"
        assert (await seen.next()).status == "completed"
        assert (await asha.send_message(SMS, "hello")).status == "sent"


async def test_message_in_a_notifications_reply_is_sent_to_the_customer() -> None:
    """The sandbox's rules: on channels other than USSD and voice it answers the received message."""
    async with a_place() as place, answering(place.phone, SendMessageSimulatorNotification) as phone:
        place.app.on("received_sms", lambda notification, customer, app_data, callback: callback("Got it"))
        await place.phone.receive_message(ASHA, SMS, "", ["hi"])
        got = await phone.next()
        assert (got.message.body, got.customer_number.number) == ("Got it", ASHA)


# --- replays ---

PAST = datetime(2020, 5, 17, 12, 30, 15, tzinfo=UTC)


async def replay_all(place: Place, asha: Customer) -> None:
    """Load a conversation that happened elsewhere."""
    app = place.app
    in_the_past = ReceivedMessage(message_id="in-1", received_at=PAST, parts=("hi",), cost=Cash("KES", "0.5"))
    sent = SentMessage(message_id="out-1", sent_at=PAST + SECOND, message=Message("yo"), status="sent")
    update = MessageStatusUpdate(message_id="out-1", updated_at=PAST + 2 * SECOND, status="read")
    session = MessageSessionUpdate(
        session_id="ses-1", started_at=PAST, duration=timedelta(minutes=5), reason="inactivity"
    )
    assert (await app.replay_received_message(asha, WHATSAPP, in_the_past)).status
    assert (await app.replay_sent_message(asha, WHATSAPP, sent)).status
    assert (await app.replay_message_status_update(asha, WHATSAPP, update)).status
    assert (await app.replay_message_reaction_update(asha, WHATSAPP, "out-1", "clicked", PAST + 3 * SECOND)).status
    assert (await app.replay_messaging_session(asha, WHATSAPP, session)).status
    assert (await app.replay_messaging_consent_update(asha, SMS, "block", PAST)).status


async def test_replays_load_the_past_and_nothing_else() -> None:
    """The specification: history that happened elsewhere lands in the state; no traffic, no notification."""
    async with (
        a_place() as place,
        answering(place.app) as told,
        answering(place.phone) as phone,
    ):
        asha = place.app.customer(ASHA)
        await replay_all(place, asha)
        state = (await asha.get_state()).messaging_state
        received, sent = state.messages
        assert isinstance(received, ReceivedMessage)
        assert (received.provider_message_id, received.received_at, received.parts) == ("in-1", PAST, ("hi",))
        assert received.message_id.startswith("el_msg_")
        assert isinstance(sent, SentMessage)
        assert (sent.provider_message_id, sent.status, sent.sent_at) == ("out-1", "read", PAST + SECOND)
        assert [each.reaction for each in sent.reactions] == ["clicked"]
        (session,) = state.sessions
        assert (session.provider_session_id, session.started_at) == ("ses-1", PAST)
        assert (session.duration, session.end_reason) == (timedelta(minutes=5), "inactivity")
        assert (await asha.send_message(SMS, "x")).status == "no_consent"
        unknown = MessageStatusUpdate(message_id="never", updated_at=PAST, status="read")
        with pytest.raises(CommandFailed):
            await place.app.replay_message_status_update(asha, WHATSAPP, unknown)
        again = ReceivedMessage(message_id="in-1", received_at=PAST, parts=("hi",))
        assert (await place.app.replay_received_message(asha, WHATSAPP, again)).status
        assert len((await asha.get_state()).messaging_state.messages) == 2
        await place.sandbox.clock.advance(timedelta(minutes=1))
        await place.app.ping()
        await place.phone.ping()
        assert (told.deliveries, phone.deliveries) == ([], [])


async def test_play_is_an_action_of_its_own() -> None:
    """The specification's ten actions travel both ways; here the ones that carry no text."""
    async with a_place() as place:
        actions = (Play("https://example.com/tune.mp3"), GetDigits(play=Play("https://example.com/ask.mp3")))
        place.app.on("voiceCall", lambda notification, customer, app_data, callback: callback(actions))
        ringing = VoiceCallInput(direction="inbound", status="ringing")
        reply = await place.phone.receive_message(ASHA, VOICE, "call-1", [ringing])
        assert reply.message is not None
        assert reply.message.body == actions
