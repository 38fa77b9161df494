"""Messages that apps send."""

from __future__ import annotations

from datetime import timedelta

import pytest
from seeded_world import (
    CHANNELS,
    EMAIL,
    MESSENGER,
    SMS,
    TELEGRAM,
    USSD,
    VOICE,
    WHATSAPP,
    customer_id,
    hop,
    phone,
    seeded_world,
    send,
    state,
)
from world_support import APP, ASHA, BEN, World

from elarian_trio.models.channels import CUSTOMER_PROVIDERS, MessagingChannel
from elarian_trio.models.commands import (
    AdoptCustomerState,
    DeleteCustomer,
    ReplyToMessage,
    SendMessageTag,
    UpdateCustomerTag,
    UpdateMessagingConsent,
)
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, Tag
from elarian_trio.models.messaging import (
    Email,
    InSessionMessagingChannelState,
    Media,
    Message,
    MessageBody,
    MessageDeliveryStatus,
    SentMessage,
    Template,
    UssdInput,
    UssdMenu,
)
from elarian_trio.models.notifications import (
    MessageStatusNotification,
    MessagingSessionEndedNotification,
    MessagingSessionStartedNotification,
    NotificationReply,
    ReceivedSmsNotification,
)
from elarian_trio.models.simulator import MakeVoiceCallSimulatorNotification, SendMessageSimulatorNotification
from elarian_trio.models.voice import Say
from elarian_trio.sandbox.world.entities import MessageRecord

Status = MessageDeliveryStatus
CHATS = (SMS, WHATSAPP, TELEGRAM, MESSENGER, EMAIL)


def number_on(channel: MessagingChannel) -> CustomerNumber:
    """Give a customer number that the channel reaches."""
    provider = CUSTOMER_PROVIDERS[channel.channel]
    return ASHA if provider is CustomerNumberProvider.CELLULAR else CustomerNumber("asha", provider)


@pytest.mark.parametrize("channel", CHATS, ids=lambda channel: channel.channel)
def test_a_message_is_sent_reaches_the_phones_and_is_reported_delivered(channel: MessagingChannel) -> None:
    """The live gateway answered "sent" and reported delivery by itself, says the behaviour known of it."""
    world = seeded_world()
    number = number_on(channel)
    reply = send(world, Message("Hello", labels=("greeting",)), channel, number)
    assert reply.status is Status.SENT
    assert reply.customer_id == customer_id(world, number)
    (rang,) = world.phones()
    assert rang == SendMessageSimulatorNotification(
        org_id=rang.org_id,
        customer_id=reply.customer_id or "",
        message_id=reply.message_id or "",
        customer_number=number,
        channel_number=channel,
        message=Message("Hello", labels=("greeting",)),
    )
    assert world.told() == []
    world.advance(0.2)
    (told,) = world.told(MessageStatusNotification)
    assert (told.message_id, told.status, told.app_id) == (reply.message_id, Status.DELIVERED, APP)
    (kept,) = state(world, number).messaging_state.messages
    assert isinstance(kept, SentMessage)
    assert (kept.status, kept.updated_at, kept.app_id) == (Status.DELIVERED, world.now, APP)


def test_delivery_reports_can_be_switched_off() -> None:
    """A setting of the sandbox: a message then stays "sent"."""
    world = seeded_world(delivery_delay=None)
    send(world, "Hello")
    world.advance(timedelta(days=1))
    assert world.told() == []


@pytest.mark.parametrize("outcome", [Status.FAILED, Status.EXPIRED, Status.READ])
def test_what_becomes_of_messages_to_a_number_can_be_set(outcome: Status) -> None:
    """The facts (23): the progression can be forced for a number."""
    world = seeded_world(outcomes={ASHA.number: outcome})
    for number in (ASHA, BEN):
        send(world, "Hello", number=number)
    world.advance(timedelta(seconds=1))
    assert [told.status for told in world.told()] == [outcome, Status.DELIVERED]
    assert state(world).messaging_state.messages[0].status is outcome


def test_a_message_to_a_deleted_customer_is_reported_no_more() -> None:
    """Nothing is left of a deleted customer, so nothing gets on; a past bug in many stand-ins."""
    world = seeded_world()
    send(world, "Hello")
    world.run(DeleteCustomer(customer=ASHA))
    world.advance(1)
    assert world.told() == []


def test_a_message_forgotten_by_the_state_is_reported_all_the_same() -> None:
    """A state keeps the last hundred messages only; a gateway reports each (a past bug: it did so of a hundred)."""
    world = seeded_world()
    first = send(world, "first").message_id
    for _ in range(100):
        send(world, "more")
    world.advance(1)
    told = world.told(MessageStatusNotification)
    assert (told[0].message_id, told[0].status, len(told)) == (first, Status.DELIVERED, 101)
    assert len(state(world).messaging_state.messages) == 100
    kept = [each.message.message_id for each in world.records.values() if isinstance(each, MessageRecord)]
    assert kept == [each.message_id for each in state(world).messaging_state.messages if each is not None]


@pytest.mark.parametrize(
    ("body", "channel", "number", "status"),
    [
        ("Hello", MessagingChannel.sms("99999"), ASHA, Status.INVALID_CHANNEL_NUMBER),
        ("Hello", SMS, CustomerNumber("asha", "telegram"), Status.NO_CAPABILITY),
        (None, SMS, ASHA, Status.INVALID_REQUEST),
        (UssdMenu("1. Yes"), SMS, ASHA, Status.NOT_SUPPORTED),
        ((Say("Hello"),), SMS, ASHA, Status.NOT_SUPPORTED),
        (Email(subject="Hello"), WHATSAPP, ASHA, Status.NOT_SUPPORTED),
        (UssdMenu("1. Yes"), EMAIL, CustomerNumber("a@b.example", "email"), Status.NOT_SUPPORTED),
        ("Hello", USSD, ASHA, Status.NOT_SUPPORTED),
        ("Hello", VOICE, ASHA, Status.NOT_SUPPORTED),
        (Template("welcome"), VOICE, ASHA, Status.NOT_SUPPORTED),
        (UssdMenu("x" * 183), USSD, ASHA, Status.INVALID_REQUEST),
        (UssdMenu("1. Yes"), USSD, ASHA, Status.NO_SESSION_IN_PROGRESS),
        (Message("Hello", reply_token="made up"), SMS, ASHA, Status.INVALID_REPLY_TOKEN),
        ("Hello", SMS, CustomerNumber(" "), Status.INVALID_REQUEST),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_status_for_it(
    body: Message | MessageBody | None, channel: MessagingChannel, number: CustomerNumber, status: Status
) -> None:
    """The wire has a status for each of these; they are answers, not errors."""
    world = seeded_world()
    reply = send(world, body if isinstance(body, Message) else Message(body), channel, number)
    assert (reply.status, reply.message_id) == (status, None)
    assert (world.phones(), world.told(), world.jobs) == ([], [], {})
    if reply.customer_id is not None:
        assert state(world, number).messaging_state.messages == ()


@pytest.mark.parametrize(
    ("body", "channel", "number"),
    [
        (Media("https://example.com/a.png", "image"), WHATSAPP, ASHA),
        (Template("welcome", {"name": "Asha"}), SMS, ASHA),
        (Email(subject="Hello"), EMAIL, CustomerNumber("a@b.example", "email")),
        ("Hello", EMAIL, CustomerNumber("a@b.example", "email")),
    ],
)
def test_bodies_are_carried_by_channels_that_can(
    body: MessageBody, channel: MessagingChannel, number: CustomerNumber
) -> None:
    """Templates are passed on as they are: rendering is the provider's."""
    world = seeded_world()
    assert send(world, body, channel, number).status is Status.SENT
    assert world.phones()[0].message.body == body


def test_an_open_server_registers_the_channels_it_hears_of() -> None:
    """An open sandbox takes what apps name and binds it to them; a channel without a name stays refused."""
    world = seeded_world(strict=False)
    new = MessagingChannel.sms("MY_SHOP")
    assert send(world, "Hello", new, app_id="shop").status is Status.SENT
    phone(world, "OK", channel=new)
    assert world.told(ReceivedSmsNotification)[0].app_id == "shop"
    assert send(world, "Hello", MessagingChannel.sms(" ")).status is Status.INVALID_CHANNEL_NUMBER


def test_channel_numbers_are_compared_without_separators() -> None:
    """The design's rule for numbers holds for the organisation's own, too."""
    world = seeded_world()
    assert send(world, "Hello", MessagingChannel.whatsapp("00254 711-621 711")).status is Status.SENT


def test_a_blocked_channel_takes_no_messages() -> None:
    """The wire's no_consent."""
    world = seeded_world()
    world.run(UpdateMessagingConsent(customer_number=ASHA, channel_number=SMS, update="block"))
    assert send(world, "Hello").status is Status.NO_CONSENT
    assert send(world, "Hello", WHATSAPP).status is Status.SENT


def test_chats_may_demand_a_session() -> None:
    """A setting that says what providers of chats demand: customers write first, and may be answered for a day."""
    world = seeded_world(chat_needs_session=True)
    assert send(world, "Hello", WHATSAPP).status is Status.NO_SESSION_IN_PROGRESS
    phone(world, "Hi", channel=WHATSAPP)
    assert send(world, "Hello", WHATSAPP).status is Status.SENT
    world.advance(timedelta(hours=24))
    assert send(world, "Hello", WHATSAPP).status is Status.NO_SESSION_IN_PROGRESS


# --- sessions ---


def test_a_message_in_a_session_carries_it_and_its_app_takes_part() -> None:
    """Sessions list the apps that take part, says the wire; each of them hears of the end."""
    world = seeded_world()
    phone(world, "Hi", channel=WHATSAPP)
    (started,) = world.told(MessagingSessionStartedNotification)
    for _ in range(2):
        assert send(world, "Hello", WHATSAPP, app_id="shop").session_id == started.session_id
    (shown,) = state(world).messaging_state.channels
    assert isinstance(shown, InSessionMessagingChannelState)
    assert shown.app_ids == (APP, "shop")
    world.advance(timedelta(hours=24))
    assert [each.app_id for each in world.told(MessagingSessionEndedNotification)] == [APP, "shop"]


def test_a_reply_token_holds_as_long_as_its_session() -> None:
    """A token comes with each message of a chat customer, is checked where quoted, and ends with the session."""
    world = seeded_world()
    phone(world, "Hi", channel=WHATSAPP)
    (shown,) = state(world).messaging_state.channels
    assert shown is not None
    assert shown.reply_token is not None
    quoting = Message("Hello", reply_token=shown.reply_token.token)
    assert send(world, quoting, WHATSAPP).status is Status.SENT
    assert send(world, Message("Hello", reply_token="other"), WHATSAPP).status is Status.INVALID_REPLY_TOKEN
    world.advance(timedelta(hours=24))
    assert send(world, quoting, WHATSAPP).status is Status.INVALID_REPLY_TOKEN


def test_every_message_brings_a_token_and_the_earlier_ones_hold_on() -> None:
    """The facts (33): a token is valid for the session. A past bug: the customer's next message ended it."""
    world = seeded_world()
    tokens: list[str] = []
    for _ in range(2):
        phone(world, "Hi", channel=WHATSAPP)
        (shown,) = state(world).messaging_state.channels
        assert shown is not None
        assert shown.reply_token is not None
        tokens.append(shown.reply_token.token)
    assert len(set(tokens)) == 2
    for token in tokens:
        assert send(world, Message("Hello", reply_token=token), WHATSAPP).status is Status.SENT


def test_a_menu_can_be_pushed_into_a_session_and_a_terminal_one_ends_it() -> None:
    """Customers begin USSD sessions; within one an app may send."""
    world = seeded_world()
    session_id = hop(world, UssdInput("", "active")).session_id
    reply = send(world, UssdMenu("Wait"), USSD)
    assert (reply.status, reply.session_id) == (Status.SENT, session_id)
    world.told()
    assert send(world, UssdMenu("Done", is_terminal=True), USSD).status is Status.SENT
    assert [type(each) for each in world.told()] == [MessagingSessionEndedNotification]
    world.advance(1)
    assert world.told() == [], "a menu's delivery is not reported: it is answered"


def test_an_open_server_lets_long_menus_pass_as_they_are_sent() -> None:
    """Only what answers a customer at the phone is cut."""
    world = seeded_world(strict=False)
    hop(world, UssdInput("", "active"))
    assert send(world, UssdMenu("x" * 183), USSD).status is Status.SENT


# --- calls ---


def test_a_call_begins_a_session_and_rings_the_phone_without_the_plan() -> None:
    """The live server answered session_initiated; its simulators were not told the dial plan."""
    world = seeded_world()
    reply = send(world, (Say("Hello"),), VOICE)
    assert reply.status is Status.SESSION_INITIATED
    (started,) = world.told()
    assert isinstance(started, MessagingSessionStartedNotification)
    assert started.session_id == reply.session_id
    (rang,) = world.phones()
    assert rang == MakeVoiceCallSimulatorNotification(
        org_id=rang.org_id,
        customer_id=reply.customer_id or "",
        session_id=reply.session_id or "",
        customer_number=ASHA,
        channel_number=VOICE,
    )


def test_whoever_is_in_a_call_is_not_called_until_it_ends() -> None:
    """The wire's other_session_in_progress; a call that nobody picks up ends by itself, or nobody could call again."""
    world = seeded_world()
    send(world, (), VOICE)
    assert send(world, (), VOICE).status is Status.OTHER_SESSION_IN_PROGRESS
    assert send(world, (), VOICE, BEN).status is Status.SESSION_INITIATED
    world.advance(60)
    assert send(world, (), VOICE).status is Status.SESSION_INITIATED


# --- replies ---


def test_a_reply_goes_where_the_message_came_from() -> None:
    """Replying names a message; number and channel are that one's."""
    world = seeded_world()
    phone(world, "OK")
    (told,) = world.told()
    command = ReplyToMessage(customer_id=told.customer_id, message_id=told.message_id, message=Message("Thanks"))
    reply = world.run(command)
    assert reply.status is Status.SENT
    kept = state(world).messaging_state.messages[-1]
    assert isinstance(kept, SentMessage)
    assert (kept.in_reply_to, kept.channel_number, kept.customer_number) == (told.message_id, SMS, ASHA)


def test_a_reply_to_nothing_or_nobody_has_a_status_of_its_own() -> None:
    """The wire's invalid_reply_to_message_id, invalid_customer_id and decommissioned_customerid."""
    world = seeded_world()
    asha, ben = customer_id(world), customer_id(world, BEN)
    world.run(AdoptCustomerState(customer_id=ben, other_customer=asha))

    def reply_to(customer: str) -> Status:
        command = ReplyToMessage(customer_id=customer, message_id="el_msg_none", message=Message("Thanks"))
        status: Status = world.run(command).status
        return status

    assert reply_to(ben) is Status.INVALID_REPLY_TO_MESSAGE_ID
    assert reply_to("el_cst_none") is Status.INVALID_CUSTOMER_ID
    assert reply_to(asha) is Status.DECOMMISSIONED_CUSTOMERID


def test_nobody_replies_to_another_customers_message() -> None:
    """This SDK: a message is found by its id alone, and whose it is has to be looked up."""
    world = seeded_world()
    phone(world, "hi")
    (told,) = world.told(ReceivedSmsNotification)
    command = ReplyToMessage(customer_id=customer_id(world, BEN), message_id=told.message_id, message=Message("Thanks"))
    assert world.run(command).status is Status.INVALID_REPLY_TO_MESSAGE_ID


def test_a_message_in_the_answer_to_a_notification_is_a_reply_to_it() -> None:
    """Other SDKs let handlers answer a received message with one; this sandbox sends it as a reply."""
    world = seeded_world()
    phone(world, "OK")
    world.answer(world.deliver(world.notified[0]), NotificationReply(message=Message("Thanks")))
    (rang,) = world.phones()
    assert rang.message.body == "Thanks"
    kept = state(world).messaging_state.messages[-1]
    assert isinstance(kept, SentMessage)
    assert kept.in_reply_to == world.told()[0].message_id


def test_an_answer_that_cannot_be_sent_is_told_to_whoever_runs_the_server() -> None:
    """Nobody waits for what becomes of it, and the app that answered hears of nothing."""
    world = seeded_world()
    phone(world, "OK")
    world.answer(world.deliver(world.notified[0]), NotificationReply(message=Message(UssdMenu("1. Yes"))))
    assert world.phones() == []
    (words,) = world.warned
    assert f"app {APP}: the answer to a message was not sent: sms carries text" in words


def test_the_menu_that_answers_a_customer_at_the_phone_is_not_sent_as_a_message() -> None:
    """It goes back with the hop alone; sent twice would be a past bug of stand-ins."""
    world = seeded_world()
    hop(world, UssdInput("", "active"))
    world.answer(world.deliver(world.notified[-1]), NotificationReply(message=Message(UssdMenu("1. Yes"))))
    assert world.phones() == []


def test_an_answer_for_a_deleted_customer_is_forgotten() -> None:
    """The customer may go while the app thinks."""
    world = seeded_world()
    phone(world, "OK")
    delivered = world.deliver(world.notified[0])
    world.run(DeleteCustomer(customer=ASHA))
    world.answer(delivered, NotificationReply(message=Message("Thanks")))
    assert world.phones() == []


# --- by tag ---


def tagged(world: World, *numbers: CustomerNumber) -> Tag:
    """Tag customers, and give the tag."""
    tag = Tag("level", "starter")
    for number in numbers:
        world.run(UpdateCustomerTag(customer=number, updates=(tag,)))
    return tag


def test_a_message_by_tag_goes_to_everybody_who_has_it_now() -> None:
    """A snapshot at the time of the command; each customer gets it once, whoever is tagged later does not."""
    world = seeded_world()
    tag = tagged(world, ASHA, BEN)
    reply = world.run(SendMessageTag(tag=Tag("LEVEL", "starter"), channel_number=SMS, message=Message("News")))
    assert reply.status
    assert reply.work_id.startswith("el_wrk_")
    tagged(world, CustomerNumber("+254700000003"))
    world.advance(1)
    assert {each.customer_number.number for each in world.phones()} == {ASHA.number, BEN.number}
    assert len(world.told(MessageStatusNotification)) == 2
    assert tag.key == "level"


def test_a_message_by_a_tag_that_nobody_has_is_taken_all_the_same() -> None:
    """The live server gave a work id for a tag that nobody was known to hold."""
    world = seeded_world()
    reply = world.run(SendMessageTag(tag=Tag("level", "none"), channel_number=SMS, message=Message("News")))
    assert reply.status
    assert reply.work_id


def test_a_message_by_tag_leaves_out_whoever_the_channel_does_not_reach() -> None:
    """A customer known by a bot's number only has no phone; a deleted one has nothing."""
    world = seeded_world()
    tag = tagged(world, ASHA, CustomerNumber("asha", "telegram"))
    world.run(SendMessageTag(tag=tag, channel_number=SMS, message=Message("News")))
    world.run(DeleteCustomer(customer=ASHA))
    world.advance(1)
    assert world.phones() == []


def test_a_message_by_tag_that_nobody_could_get_is_refused() -> None:
    """What is wrong with the message itself is said at once: later nobody waits for the answer."""
    world = seeded_world()
    known = tagged(world, ASHA)
    for tag, channel, message in (
        (known, MessagingChannel.sms("99999"), Message("News")),
        (known, SMS, Message(None)),
        (known, SMS, Message(UssdMenu("1. Yes"))),
        (Tag(" ", "starter"), SMS, Message("News")),
    ):
        reply = world.run(SendMessageTag(tag=tag, channel_number=channel, message=message))
        assert (reply.status, reply.work_id) == (False, None)
        assert reply.description
    assert world.jobs == {}


def test_every_kind_of_channel_was_tested() -> None:
    """A channel that is added must be thought of here."""
    assert {channel.channel for channel in CHANNELS} == set(CUSTOMER_PROVIDERS)
