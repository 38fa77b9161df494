"""What customers' phones do, and what apps answer to those who wait at the phone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from seeded_world import CHANNELS, EMAIL, SMS, USSD, VOICE, WHATSAPP, customer_id, hop, phone, seeded_world, send, state
from world_support import APP, ASHA, BEN, ORG

from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.commands import AdoptCustomerState, DeleteCustomer
from elarian_trio.models.messaging import (
    Email,
    Location,
    Media,
    Message,
    MessageBody,
    MessagingSessionEndReason,
    ReceivedMessage,
    SentMessage,
    UssdInput,
    UssdMenu,
)
from elarian_trio.models.notifications import (
    MessagingSessionEndedNotification,
    MessagingSessionRenewedNotification,
    MessagingSessionStartedNotification,
    ReceivedEmailNotification,
    ReceivedSmsNotification,
    ReceivedWhatsappNotification,
    UssdSessionNotification,
    VoiceCallNotification,
)
from elarian_trio.models.payments import Cash
from elarian_trio.models.replies import SimulatorReply
from elarian_trio.models.voice import Reject, Say, VoiceCallInput
from elarian_trio.sandbox.world.effects import SessionExpires, WaitForHop
from elarian_trio.sandbox.world.entities import ChannelRecord

if TYPE_CHECKING:
    from elarian_trio.models.messaging import InboundMessageBody

Reason = MessagingSessionEndReason
DIAL = UssdInput("", "active")
MENU = Message(UssdMenu("1. Yes"))
PLACE = Location(latitude=-1.3, longitude=36.8)


# --- messages ---


def test_an_sms_is_kept_and_told_to_the_channels_app() -> None:
    """Inbound traffic goes to the app that the channel number belongs to."""
    world = seeded_world()
    reply = phone(world, "OK", PLACE, number="00254 709-759 881", cost=Cash("KES", 1))
    assert reply == SimulatorReply(status=True, description=reply.description)
    (told,) = world.told()
    assert isinstance(told, ReceivedSmsNotification)
    assert (told.text, told.location, told.parts) == ("OK", PLACE, ("OK", PLACE))
    assert (told.app_id, told.customer_number, told.channel_number, told.session_id) == (APP, ASHA, SMS, None)
    (kept,) = state(world).messaging_state.messages
    assert isinstance(kept, ReceivedMessage)
    assert (kept.message_id, kept.cost, kept.received_at) == (told.message_id, Cash("KES", 1), world.now)


def test_a_mail_comes_from_a_mailbox() -> None:
    """A phone names the customer by a bare string; the channel says whose number it is."""
    world = seeded_world()
    mail = Email(subject="Help")
    phone(world, mail, channel=EMAIL, number="asha@example.com")
    (told,) = world.told()
    assert isinstance(told, ReceivedEmailNotification)
    assert (told.email, told.customer_number.provider) == (mail, "email")


@pytest.mark.parametrize(
    ("parts", "channel", "number"),
    [
        (("OK",), MessagingChannel.sms("99999"), ASHA.number),
        (("OK",), MessagingChannel("83044", Channel.UNKNOWN), ASHA.number),
        (("OK",), SMS, ""),
        ((), SMS, ASHA.number),
        ((None,), SMS, ASHA.number),
        ((DIAL,), SMS, ASHA.number),
        (("1",), USSD, ASHA.number),
        ((DIAL, "1"), USSD, ASHA.number),
        ((DIAL,), VOICE, ASHA.number),
    ],
)
def test_what_no_phone_could_do_is_refused(
    parts: tuple[InboundMessageBody, ...], channel: MessagingChannel, number: str
) -> None:
    """A refusal says what was wrong, and changes nothing."""
    world = seeded_world()
    reply = phone(world, *parts, channel=channel, number=number)
    assert isinstance(reply, SimulatorReply)
    assert not reply.status
    assert reply.description
    assert world.told() == []


def test_a_channel_that_belongs_to_no_app_takes_nothing() -> None:
    """There would be nobody to tell."""
    world = seeded_world()
    world.put(ChannelRecord(org_id=ORG, channel=Channel.SMS, number="1", app_id=""))
    assert not phone(world, "OK", channel=MessagingChannel.sms("1")).status


@pytest.mark.parametrize("strict", [True, False])
def test_nobody_writes_to_a_sender_id_of_a_strict_server(strict: bool) -> None:
    """The facts (4): alphanumeric sender ids only send."""
    world = seeded_world(strict=strict)
    world.put(ChannelRecord(org_id=ORG, channel=Channel.SMS, number="SHOP", app_id=APP))
    assert phone(world, "OK", channel=MessagingChannel.sms("SHOP")).status is not strict
    assert len(world.told()) == (not strict)


def test_an_open_server_binds_a_channel_to_the_app_that_the_phone_connected_as() -> None:
    """Credentials of phones are an app's; with a single app that is the one a user expects."""
    world = seeded_world(strict=False)
    assert phone(world, "OK", channel=MessagingChannel.sms("1")).status
    assert world.told()[0].app_id == APP


# --- chat sessions ---


def test_a_chat_begins_a_session_that_every_message_renews() -> None:
    """A day, as chat providers have it; the phone's own session id is the provider's, ours is another."""
    world = seeded_world()
    phone(world, "Hi", channel=WHATSAPP, session_id="wa-1", cost=Cash("KES", 1))
    started, message = world.told()
    assert isinstance(started, MessagingSessionStartedNotification)
    assert isinstance(message, ReceivedWhatsappNotification)
    assert started.session_id.startswith("el_ses_")
    assert started.session_id == message.session_id
    assert started.expires_at == world.now + timedelta(hours=24)
    world.advance(timedelta(hours=23))
    phone(world, Media("https://example.com/a.png", "image"), channel=WHATSAPP, session_id="wa-2")
    renewed, _ = world.told()
    assert isinstance(renewed, MessagingSessionRenewedNotification)
    assert (renewed.session_id, renewed.expires_at) == (started.session_id, world.now + timedelta(hours=24))
    world.advance(timedelta(hours=24))
    (ended,) = world.told()
    assert isinstance(ended, MessagingSessionEndedNotification)
    assert (ended.reason, ended.duration) == (Reason.INACTIVITY, timedelta(hours=47))
    (done,) = state(world).messaging_state.sessions
    assert (done.session_id, done.provider_session_id, done.cost) == (started.session_id, "wa-1", Cash("KES", 1))


def test_a_sessions_cost_is_the_sum_of_its_messages_in_one_currency() -> None:
    """Costs in another currency cannot be added, and are left out."""
    world = seeded_world()
    for cost in (None, Cash("KES", "1.5"), Cash("USD", 9), Cash("KES", 2)):
        phone(world, "Hi", channel=WHATSAPP, cost=cost)
    world.advance(timedelta(hours=24))
    assert state(world).messaging_state.sessions[0].cost == Cash("KES", "3.5")


def test_a_session_of_an_adopted_customer_still_ends() -> None:
    """Sessions go over to the survivor, and their end with them."""
    world = seeded_world()
    phone(world, "Hi", channel=WHATSAPP)
    ben = customer_id(world, BEN)
    world.run(AdoptCustomerState(customer_id=ben, other_customer=ASHA))
    world.advance(timedelta(hours=24))
    (ended,) = world.told(MessagingSessionEndedNotification)
    assert ended.customer_id == ben


def test_a_session_that_is_gone_does_not_end_again() -> None:
    """A job may come late, or its customer be deleted."""
    world = seeded_world()
    asha = customer_id(world)
    phone(world, "Hi", channel=WHATSAPP)
    world.told()
    world.run_job(SessionExpires(org_id=ORG, customer_id=asha, session_id="el_ses_other"))
    world.run_job(SessionExpires(org_id=ORG, customer_id="el_cst_none", session_id="el_ses_other"))
    assert world.told() == []


# --- USSD ---


def test_a_dial_is_answered_with_the_apps_menu() -> None:
    """The phone's command is answered with what the app answers: the way of the live simulator."""
    world = seeded_world()
    waiting = hop(world, DIAL)
    started, told = world.told()
    assert isinstance(started, MessagingSessionStartedNotification)
    assert isinstance(told, UssdSessionNotification)
    assert (told.input, told.session_id, told.message_id) == (DIAL, waiting.session_id, waiting.message_id)
    reply = world.answer_hop(waiting, Message(UssdMenu("1. Yes"), labels=("home",)))
    assert reply.status
    assert reply.message == Message(UssdMenu("1. Yes"), labels=("home",))
    kept = state(world).messaging_state.messages[-1]
    assert isinstance(kept, SentMessage)
    assert (kept.in_reply_to, kept.session_id, kept.app_id) == (told.message_id, told.session_id, APP)


def test_text_is_a_menu_to_a_customer_at_the_phone() -> None:
    """Other SDKs' apps may answer with plain text."""
    world = seeded_world()
    assert world.answer_hop(hop(world, DIAL), Message("Wait")).message == Message(UssdMenu("Wait"))


def test_the_notification_carries_the_hop_that_the_phone_waits_with() -> None:
    """The server's delivery finds by it whose answer it is."""
    world = seeded_world()
    waiting = hop(world, DIAL)
    assert [each.hop for each in world.notified] == [None, waiting]


def test_inputs_with_one_session_id_are_one_session() -> None:
    """And each renews it; after its last menu the same id begins another."""
    world = seeded_world()
    first = hop(world, DIAL)
    world.answer_hop(first, MENU)
    second = hop(world, UssdInput("1", "active"))
    assert second.session_id == first.session_id
    assert [type(each) for each in world.told()][2:] == [MessagingSessionRenewedNotification, UssdSessionNotification]
    assert world.answer_hop(second, Message(UssdMenu("Bye", is_terminal=True))).status
    (ended,) = world.told()
    assert ended.reason is Reason.NORMAL_CLEARING
    assert hop(world, DIAL).session_id != first.session_id


def test_a_new_session_id_from_the_phone_ends_the_session_before() -> None:
    """Whoever dials anew has hung up; sample simulators do so on every hop, and must get their menus."""
    world = seeded_world()
    first = hop(world, DIAL, session_id="a")
    second = hop(world, UssdInput("1", "active"), session_id="b")
    assert second.session_id != first.session_id
    (ended,) = world.told(MessagingSessionEndedNotification)
    assert (ended.session_id, ended.reason) == (first.session_id, Reason.NORMAL_CLEARING)
    assert world.answer_hop(second, MENU).message == MENU


def test_a_phone_that_names_no_session_goes_on_with_the_one_in_progress() -> None:
    """Session ids are the phone's to give; one given later names the session that is there."""
    world = seeded_world()
    first = hop(world, DIAL, session_id="")
    assert hop(world, DIAL, session_id="").session_id == first.session_id
    assert hop(world, DIAL, session_id="a").session_id == first.session_id
    assert hop(world, DIAL, session_id=first.session_id).session_id == first.session_id
    assert hop(world, DIAL, session_id="b").session_id != first.session_id


def test_a_late_answer_does_not_end_a_session_that_began_meanwhile() -> None:
    """The customer redialled while the app thought."""
    world = seeded_world()
    late = hop(world, DIAL, session_id="a")
    hop(world, DIAL, session_id="b")
    world.told()
    assert world.answer_hop(late, Message(UssdMenu("Bye", is_terminal=True))).status
    assert world.told() == []


@pytest.mark.parametrize("answer", [None, Message((Say("Hello"),))])
def test_a_dial_without_a_menu_ends_the_session(answer: Message | None) -> None:
    """A customer at the phone cannot be left waiting: also when no app is there."""
    world = seeded_world()
    waiting = hop(world, DIAL)
    world.told()
    reply = world.answer_hop(waiting, answer)
    assert not reply.status
    assert reply.message is None
    (ended,) = world.told()
    assert ended.reason is Reason.FAILURE


def test_the_last_input_is_not_swallowed() -> None:
    """Sample simulators mark the last hop completed while it still carries input that the app must answer."""
    world = seeded_world()
    waiting = hop(world, UssdInput("100", "completed"))
    assert waiting.is_last
    assert [type(each) for each in world.told()][1:] == [UssdSessionNotification, MessagingSessionEndedNotification]
    assert world.answer_hop(waiting, MENU).message == MENU
    assert not world.answer_hop(hop(world, UssdInput("100", "completed")), None).status


def test_a_customer_who_only_hangs_up_needs_no_menu() -> None:
    """The app may answer, and need not."""
    world = seeded_world()
    assert world.answer_hop(hop(world, UssdInput("", "completed")), None).status


@pytest.mark.parametrize(
    ("part", "reason"),
    [(UssdInput("", "incomplete"), Reason.NORMAL_CLEARING), (UssdInput("", "app_error"), Reason.FAILURE)],
)
def test_nobody_waits_after_a_session_broke_off(part: UssdInput, reason: Reason) -> None:
    """The app is told, and the phone answered at once."""
    world = seeded_world()
    reply = phone(world, part, channel=USSD)
    assert isinstance(reply, SimulatorReply)
    assert reply.status
    assert world.told(MessagingSessionEndedNotification)[0].reason is reason


def test_a_menu_that_no_screen_holds_is_refused_by_a_strict_server() -> None:
    """182 characters, as GSM networks carry them."""
    world = seeded_world()
    assert world.answer_hop(hop(world, DIAL), Message(UssdMenu("x" * 182))).status
    world.told()
    reply = world.answer_hop(hop(world, DIAL), Message(UssdMenu("x" * 183)))
    assert not reply.status
    assert "183" in reply.description
    assert world.told(MessagingSessionEndedNotification)[0].reason is Reason.FAILURE


def test_a_menu_that_no_screen_holds_is_cut_by_an_open_server() -> None:
    """This SDK: the reply says so, and so does the server's log."""
    world = seeded_world(strict=False)
    reply = world.answer_hop(hop(world, DIAL), Message(UssdMenu("x" * 183, is_terminal=True)))
    assert reply.status
    assert reply.message == Message(UssdMenu("x" * 182, is_terminal=True))
    assert "cut" in reply.description
    assert [words for words in world.warned if "183" in words and "x" * 10 not in words]


def test_a_ussd_session_ends_without_input() -> None:
    """Three minutes."""
    world = seeded_world()
    world.answer_hop(hop(world, DIAL), MENU)
    world.advance(179)
    assert not world.told(MessagingSessionEndedNotification)
    world.advance(1)
    assert world.told()[0].reason is Reason.INACTIVITY


@pytest.mark.parametrize("channel", [USSD, VOICE], ids=["ussd", "voice"])
def test_an_answer_for_a_customer_who_was_deleted_says_so(channel: MessagingChannel) -> None:
    """Nothing breaks when the customer goes while the app thinks."""
    world = seeded_world()
    waiting = hop(world, DIAL if channel is USSD else VoiceCallInput(status="active"), channel)
    world.run(DeleteCustomer(customer=ASHA))
    assert not world.answer_hop(waiting, MENU).status


@pytest.mark.parametrize(
    ("part", "channel"),
    [(DIAL, USSD), (UssdInput("", "completed"), USSD), (VoiceCallInput(direction="inbound", status="active"), VOICE)],
)
def test_a_customer_at_the_phone_hears_of_an_app_that_is_away(
    part: InboundMessageBody, channel: MessagingChannel
) -> None:
    """Whatever the phone reported: it is not kept for later, as other notifications are."""
    world = seeded_world()
    waiting = hop(world, part, channel)
    reply = world.answer_hop(waiting, None, is_heard=False)
    assert not reply.status
    assert reply.description
    assert [each.session_id for each in world.told(MessagingSessionEndedNotification)] == [waiting.session_id]


def test_an_empty_part_beside_the_input_is_passed_over() -> None:
    """A part that only a newer phone knows decodes to nothing."""
    world = seeded_world()
    waiting = phone(world, None, UssdInput("", "completed"), None, channel=USSD)
    assert isinstance(waiting, WaitForHop)
    assert world.answer_hop(waiting.hop, None).status


def test_an_answer_to_a_message_that_is_forgotten_still_counts() -> None:
    """A state keeps the last hundred messages; the phone still waits."""
    world = seeded_world()
    waiting = hop(world, UssdInput("", "completed"))
    for _ in range(100):
        send(world, "more")
    assert not world.answer_hop(waiting, None).status
    assert world.answer_hop(waiting, MENU).status


# --- calls ---


def test_a_customers_call_is_answered_with_the_apps_actions() -> None:
    """A call reports that it dials, and the app picks up with what it shall do."""
    world = seeded_world()
    waiting = hop(world, VoiceCallInput(direction="inbound", status="dialing"), VOICE)
    told = world.told(VoiceCallNotification)[0]
    assert told.voice.status == "dialing"
    reply = world.answer_hop(waiting, Message((Say("Hello"),)))
    assert (reply.status, reply.message) == (True, Message((Say("Hello"),)))
    reply = world.answer_hop(hop(world, VoiceCallInput(status="active"), VOICE), Message("Bye"))
    assert reply.message == Message((Say("Bye"),))


@pytest.mark.parametrize("body", [None, UssdMenu("1. Yes"), ()])
def test_a_customers_call_that_nobody_picks_up_ends(body: MessageBody | None) -> None:
    """As a dial without a menu does."""
    world = seeded_world()
    waiting = hop(world, VoiceCallInput(direction="inbound", status="ringing"), VOICE)
    reply = world.answer_hop(waiting, None if body is None else Message(body))
    assert not reply.status
    assert world.told(MessagingSessionEndedNotification)[0].reason is Reason.FAILURE


def test_a_call_in_progress_needs_nothing_more_from_the_app() -> None:
    """An app that has said what it has to say may stay silent."""
    world = seeded_world()
    waiting = hop(world, VoiceCallInput(direction="inbound", status="active"), VOICE)
    reply = world.answer_hop(waiting, None)
    assert (reply.status, reply.message) == (True, None)
    assert not world.told(MessagingSessionEndedNotification)


def test_a_call_that_the_app_refuses_ends() -> None:
    """The action is there for that."""
    world = seeded_world()
    waiting = hop(world, VoiceCallInput(direction="inbound", status="dialing"), VOICE)
    assert world.answer_hop(waiting, Message((Reject(),))).status
    assert world.told(MessagingSessionEndedNotification)[0].reason is Reason.NORMAL_CLEARING


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (VoiceCallInput(status="completed"), Reason.NORMAL_CLEARING),
        (VoiceCallInput(status="active", hangup_cause="normal_clearing"), Reason.NORMAL_CLEARING),
        (VoiceCallInput(status="not_answered", hangup_cause="no_answer"), Reason.FAILURE),
    ],
)
def test_a_call_that_is_over_ends_its_session_and_nobody_waits(part: VoiceCallInput, reason: Reason) -> None:
    """The phone says how long it lasted."""
    world = seeded_world()
    session_id = send(world, (), VOICE).session_id
    reply = phone(world, part, channel=VOICE, session_id=session_id, duration=timedelta(seconds=42))
    assert reply.status
    (ended,) = world.told(MessagingSessionEndedNotification)
    assert (ended.session_id, ended.reason, ended.duration) == (session_id, reason, timedelta(seconds=42))


def test_a_customer_who_calls_hears_what_the_app_says_though_the_phone_filled_in_how_it_hung_up() -> None:
    """Phones of other SDKs fill in all that there is: the answer is theirs, and the call is over all the same."""
    world = seeded_world()
    waiting = hop(world, VoiceCallInput(direction="inbound", status="dialing", hangup_cause="normal_clearing"), VOICE)
    assert world.answer_hop(waiting, Message((Say("Hello"),))).message == Message((Say("Hello"),))
    assert len(world.told(MessagingSessionEndedNotification)) == 1
    assert send(world, (), VOICE).session_id


def test_what_the_app_planned_is_told_once_when_the_call_is_answered() -> None:
    """The plan was given at send time; the app hears of the answer all the same."""
    world = seeded_world()
    plan = Message((Say("Press 1"),))
    session_id = send(world, plan, VOICE).session_id
    ringing = hop(world, VoiceCallInput(direction="outbound", status="ringing"), VOICE, session_id or "")
    assert world.answer_hop(ringing, None).status
    world.told()
    answered = VoiceCallInput(direction="outbound", status="answered")
    reply = phone(world, answered, channel=VOICE, session_id=session_id)
    assert (reply.status, reply.message) == (True, plan)
    assert [each.voice for each in world.told(VoiceCallNotification)] == [answered]
    again = phone(world, answered, channel=VOICE, session_id=session_id)
    assert isinstance(again, WaitForHop)


def test_digits_are_an_answer_to_the_plan() -> None:
    """A phone that reports the pressed key at once has heard the plan: now it is the app's turn."""
    world = seeded_world()
    session_id = send(world, (Say("Press 1"),), VOICE).session_id
    pressed = VoiceCallInput(direction="outbound", status="active", dtmf_digits="1")
    reply = world.answer_hop(hop(world, pressed, VOICE, session_id or ""), Message((Say("Thanks"),)))
    assert reply.message == Message((Say("Thanks"),))


def test_the_app_that_placed_a_call_hears_of_it() -> None:
    """Also where the channel is another app's."""
    world = seeded_world()
    send(world, (), VOICE, app_id="shop")
    waiting = hop(world, VoiceCallInput(direction="outbound", status="active"), VOICE, "call-1")
    assert waiting.app_id == "shop"
    assert {each.app_id for each in world.told()} == {"shop"}


def test_a_customer_who_calls_while_being_called_begins_another_call() -> None:
    """Lines cross; the outbound call is over then."""
    world = seeded_world()
    outbound = send(world, (), VOICE).session_id
    inbound = hop(world, VoiceCallInput(direction="inbound", status="dialing"), VOICE, "call-1").session_id
    assert inbound != outbound
    assert world.told(MessagingSessionEndedNotification)[0].session_id == outbound


def test_a_call_that_nobody_hangs_up_ends_at_last() -> None:
    """Or its customer could never be called again."""
    world = seeded_world()
    hop(world, VoiceCallInput(direction="inbound", status="active"), VOICE)
    world.advance(timedelta(hours=2))
    assert world.told(MessagingSessionEndedNotification)[0].reason is Reason.INACTIVITY


def test_channels_all_take_part() -> None:
    """The seeded world has one channel number of each kind."""
    assert len({channel.channel for channel in CHANNELS}) == len(CHANNELS)
