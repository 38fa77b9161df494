"""Replays of consents, messages and sessions: what happened outside, loaded into customers' states in order of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from replaying import PAST, load, refused
from seeded_world import SMS, TELEGRAM, USSD, WHATSAPP, customer_id, seeded_world, send, state
from world_support import APP, ASHA, BEN, START, World

from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import (
    AdoptCustomerState,
    ReplayMessageReactionUpdate,
    ReplayMessageStatusUpdate,
    ReplayMessagingConsentUpdate,
    ReplayMessagingSession,
    ReplayReceivedMessage,
    ReplaySentMessage,
    UpdateMessagingConsent,
)
from elarian_trio.models.messaging import (
    BlockedMessagingChannelState,
    ConsentAction,
    Message,
    MessageDeliveryStatus,
    MessageReaction,
    MessageReactionState,
    MessagingSessionEndReason,
    ReceivedMessage,
    SentMessage,
)
from elarian_trio.models.payments import Cash

Delivery = MessageDeliveryStatus
WHERE: dict[str, Any] = {"customer_number": ASHA, "channel_number": SMS}


def sent(world: World, name: str = "sms-1", at: datetime = PAST, **changes: Any) -> Any:  # noqa: ANN401 - the command's fields, the reply
    """Load a message that was sent."""
    given = {**WHERE, "message": Message("Hello"), "status": Delivery.SENT, **changes}
    return load(world, ReplaySentMessage(provider_message_id=name, sent_at=at, **given))


def the_sent_message(world: World) -> SentMessage:
    """Give the only message of the customer."""
    (message,) = state(world).messaging_state.messages
    assert isinstance(message, SentMessage)
    return message


# --- consent ---


def consent(update: ConsentAction, at: datetime, channel: MessagingChannel = SMS) -> ReplayMessagingConsentUpdate:
    """Give a replayed change of consent."""
    return ReplayMessagingConsentUpdate(customer_number=ASHA, channel_number=channel, updated_at=at, update=update)


def test_a_consent_of_the_past_is_in_force_since_then() -> None:
    """The caller's time counts, not the time of the import."""
    world = seeded_world()
    send(world, "Hello")
    world.phones()
    world.advance(1)
    world.told()
    load(world, consent(ConsentAction.BLOCK, PAST))
    (shown,) = state(world).messaging_state.channels
    assert isinstance(shown, BlockedMessagingChannelState)
    assert shown.blocked_at == PAST
    assert send(world, "Hello").status is Delivery.NO_CONSENT


def test_a_later_consent_stays() -> None:
    """An import may come after the customer's last word."""
    world = seeded_world()
    world.run(UpdateMessagingConsent(customer_number=ASHA, channel_number=SMS, update="block"))
    world.told()
    load(world, consent(ConsentAction.ALLOW, PAST))
    assert send(world, "Hello").status is Delivery.NO_CONSENT
    load(world, consent(ConsentAction.ALLOW, START + timedelta(days=1)))
    assert send(world, "Hello").status is Delivery.SENT


def test_of_two_consents_of_one_time_the_first_that_was_loaded_stays() -> None:
    """Their order is all there is to go by."""
    world = seeded_world()
    load(world, consent(ConsentAction.BLOCK, PAST))
    load(world, consent(ConsentAction.ALLOW, PAST))
    assert send(world, "Hello").status is Delivery.NO_CONSENT


def test_consents_that_mean_nothing_are_refused() -> None:
    """Unknown enum values and channels that do not reach the number."""
    world = seeded_world()
    refused(world, consent(ConsentAction.UNKNOWN, PAST))
    refused(world, consent(ConsentAction.ALLOW, PAST, TELEGRAM))


# --- messages ---


def test_messages_of_the_past_stand_before_later_ones() -> None:
    """A state is in order of time, and an import is late."""
    world = seeded_world()
    send(world, "now")
    world.phones()
    world.advance(1)
    world.told()
    command = ReplayReceivedMessage(
        provider_message_id="in-1", received_at=PAST, parts=("Hi",), provider_session_id="s-1", in_reply_to="x", **WHERE
    )
    load(world, command)
    sent(world, at=PAST + timedelta(hours=1), cost=Cash("KES", 1), provider="twilio")
    first, second, third = state(world).messaging_state.messages
    assert isinstance(first, ReceivedMessage)
    assert (first.parts, first.session_id, first.in_reply_to, first.provider_message_id) == (
        ("Hi",),
        "s-1",
        "x",
        "in-1",
    )
    assert first.message_id.startswith("el_msg_")
    assert isinstance(second, SentMessage)
    assert (second.cost, second.provider, second.sent_at) == (
        Cash("KES", 1),
        "twilio",
        PAST + timedelta(hours=1),
    )
    assert isinstance(third, SentMessage)
    assert third.sent_at == START


def test_a_channel_of_the_past_need_not_be_registered_any_more() -> None:
    """History has numbers that were given up long ago; the state lists where the customer was met."""
    world = seeded_world()
    old = MessagingChannel.sms("20100")
    sent(world, channel_number=old)
    (shown,) = state(world).messaging_state.channels
    assert shown is not None
    assert shown.channel_number == old


def test_loading_a_message_again_changes_nothing() -> None:
    """An import that broke off may be repeated."""
    world = seeded_world()
    sent(world)
    command = ReplayReceivedMessage(provider_message_id="in-1", received_at=PAST, parts=("Hi",), **WHERE)
    load(world, command)
    before = dict(world.records)
    sent(world, status=Delivery.FAILED)
    load(world, command)
    assert world.records == before


def test_messages_with_one_providers_id_on_two_channels_are_two() -> None:
    """The wire names a message by both numbers, too; a past bug took the second for the first and lost it."""
    world = seeded_world()
    again = MessagingChannel.sms("20100")
    for channel in (SMS, again, MessagingChannel.sms("8 30 44")):
        sent(world, "1", channel_number=channel)
        load(
            world,
            ReplayReceivedMessage(
                provider_message_id="1",
                received_at=PAST,
                parts=("Hi",),
                customer_number=ASHA,
                channel_number=channel,
            ),
        )
    load(
        world,
        ReplayMessageStatusUpdate(
            provider_message_id="1",
            updated_at=PAST + timedelta(hours=1),
            status=Delivery.READ,
            customer_number=ASHA,
            channel_number=again,
        ),
    )
    messages = state(world).messaging_state.messages
    assert [each.channel_number for each in messages] == [SMS, SMS, again, again]
    assert [each.status for each in messages if isinstance(each, SentMessage)] == [Delivery.SENT, Delivery.READ]


def test_a_message_of_one_of_two_numbers_is_not_the_others() -> None:
    """A customer with two numbers has two chats on a channel: providers may count anew in each."""
    world = seeded_world()
    sent(world, "1")
    sent(world, "1", customer_number=BEN)
    load(world, AdoptCustomerState(customer_id=customer_id(world), other_customer=BEN))
    command = ReplayMessageStatusUpdate(
        provider_message_id="1", updated_at=START, status=Delivery.READ, customer_number=BEN, channel_number=SMS
    )
    load(world, command)
    messages = state(world).messaging_state.messages
    assert {each.customer_number: each.status for each in messages if isinstance(each, SentMessage)} == {
        ASHA: Delivery.SENT,
        BEN: Delivery.READ,
    }


def test_a_message_before_all_those_that_a_state_shows_is_not_said_to_be_loaded() -> None:
    """A state shows the last hundred: what came before them is nowhere."""
    world = seeded_world()
    for number in range(100):
        sent(world, f"later-{number}", PAST + timedelta(hours=1))
    before = state(world).messaging_state.messages
    reply = sent(world)
    assert (reply.status, reply.description) == (
        True,
        "the customer's state shows 100 later messages and no more; nothing changed",
    )
    assert state(world).messaging_state.messages == before


def test_a_status_of_the_past_counts_unless_a_later_one_is_known() -> None:
    """Updates may come out of order."""
    world = seeded_world()
    sent(world)

    def update(status: Delivery, at: datetime, cost: Cash | None = None) -> None:
        command = ReplayMessageStatusUpdate(
            provider_message_id="sms-1", updated_at=at, status=status, cost=cost, **WHERE
        )
        load(world, command)

    update(Delivery.READ, PAST + timedelta(hours=2), Cash("KES", 1))
    update(Delivery.DELIVERED, PAST + timedelta(hours=1))
    update(Delivery.READ, PAST + timedelta(hours=2))
    message = the_sent_message(world)
    assert (message.status, message.updated_at, message.cost) == (
        Delivery.READ,
        PAST + timedelta(hours=2),
        Cash("KES", 1),
    )


def test_a_status_of_the_second_in_which_a_message_was_sent_counts() -> None:
    """Other SDKs send whole seconds, in one of which a message may be sent and delivered."""
    world = seeded_world()
    sent(world)
    status, where = Delivery.DELIVERED, {"provider_message_id": "sms-1", "updated_at": PAST, **WHERE}
    load(world, ReplayMessageStatusUpdate(status=status, **where))
    assert the_sent_message(world).status is Delivery.DELIVERED


def test_a_message_whose_end_was_loaded_is_reported_no_more() -> None:
    """What is read is not delivered a moment later."""
    world = seeded_world()
    message_id = send(world, "Hello").message_id
    assert message_id is not None
    status, where = Delivery.READ, {"provider_message_id": message_id, "updated_at": world.now, **WHERE}
    assert world.run(ReplayMessageStatusUpdate(status=status, **where)).status
    world.advance(1)
    assert world.told() == []
    assert the_sent_message(world).status is Delivery.READ


def test_a_reaction_is_kept_once_with_its_message() -> None:
    """Also for a message that was sent here: then Elarian's own id names it."""
    world = seeded_world()
    reply = send(world, "Hello")
    world.phones()
    world.advance(1)
    world.told()
    command = ReplayMessageReactionUpdate(
        provider_message_id=reply.message_id or "", updated_at=START, reaction=MessageReaction.CLICKED, **WHERE
    )
    load(world, command)
    load(world, command)
    reaction = MessageReactionState(created_at=START, reaction=MessageReaction.CLICKED)
    assert the_sent_message(world).reactions == (reaction,)
    assert send(world, "Hello").status is Delivery.SENT


def test_whoever_unsubscribed_is_written_to_no_more() -> None:
    """A reaction that is a consent, too."""
    world = seeded_world()
    sent(world)
    command = ReplayMessageReactionUpdate(
        provider_message_id="sms-1", updated_at=PAST, reaction=MessageReaction.UNSUBSCRIBED, **WHERE
    )
    load(world, command)
    assert send(world, "Hello").status is Delivery.NO_CONSENT


def test_whoever_allowed_it_since_is_written_to_although_they_once_unsubscribed() -> None:
    """A past bug: loading an old reaction took back a consent that was given later."""
    world = seeded_world()
    sent(world)
    world.run(UpdateMessagingConsent(customer_number=ASHA, channel_number=SMS, update=ConsentAction.ALLOW))
    world.told()
    command = ReplayMessageReactionUpdate(
        provider_message_id="sms-1", updated_at=PAST, reaction=MessageReaction.UNSUBSCRIBED, **WHERE
    )
    load(world, command)
    assert send(world, "Hello").status is Delivery.SENT


def test_changes_to_messages_that_nobody_knows_are_refused() -> None:
    """And make nobody a customer."""
    world = seeded_world()
    for name in ("sms-1", "in-1"):
        refused(
            world,
            ReplayMessageStatusUpdate(provider_message_id=name, updated_at=PAST, status=Delivery.DELIVERED, **WHERE),
        )
        load(world, ReplayReceivedMessage(provider_message_id="in-1", received_at=PAST, parts=("Hi",), **WHERE))
    refused(
        world,
        ReplayMessageReactionUpdate(
            provider_message_id="sms-1", updated_at=PAST, reaction=MessageReaction.CLICKED, **WHERE
        ),
    )


def test_messages_and_changes_that_mean_nothing_are_refused() -> None:
    """Empty ids and unknown enum values."""
    world = seeded_world()
    message = Message("Hello")
    unknown = Delivery.UNKNOWN
    refused(
        world,
        ReplaySentMessage(provider_message_id="", sent_at=PAST, message=message, status=Delivery.SENT, **WHERE),
    )
    refused(world, ReplaySentMessage(provider_message_id="a", sent_at=PAST, message=message, status=unknown, **WHERE))
    refused(world, ReplayReceivedMessage(provider_message_id="", received_at=PAST, parts=("Hi",), **WHERE))
    sent(world)
    refused(world, ReplayMessageStatusUpdate(provider_message_id="sms-1", updated_at=PAST, status=unknown, **WHERE))
    refused(
        world,
        ReplayMessageReactionUpdate(
            provider_message_id="sms-1", updated_at=PAST, reaction=MessageReaction.UNKNOWN, **WHERE
        ),
    )


# --- sessions ---


def test_sessions_of_the_past_are_kept_in_order_and_once() -> None:
    """As sessions that ended here are."""
    world = seeded_world()
    for name, day in (("b", 2), ("a", 1), ("b", 3)):
        command = ReplayMessagingSession(
            provider_session_id=name,
            customer_number=ASHA,
            channel_number=USSD,
            started_at=PAST + timedelta(days=day),
            duration=timedelta(seconds=30),
            end_reason=MessagingSessionEndReason.INACTIVITY,
            cost=Cash("KES", 1),
        )
        load(world, command)
    first, second = state(world).messaging_state.sessions
    assert (first.provider_session_id, second.provider_session_id) == ("a", "b")
    assert (first.end_reason, first.duration, first.app_ids, first.cost) == (
        MessagingSessionEndReason.INACTIVITY,
        timedelta(seconds=30),
        (APP,),
        Cash("KES", 1),
    )
    assert first.session_id.startswith("el_ses_")


def test_a_session_without_an_id_is_refused() -> None:
    """Nothing could tell it from another."""
    world = seeded_world()
    command = ReplayMessagingSession(
        provider_session_id="",
        customer_number=ASHA,
        channel_number=WHATSAPP,
        started_at=PAST,
        duration=timedelta(seconds=30),
        end_reason=MessagingSessionEndReason.INACTIVITY,
    )
    refused(world, command)


def test_a_session_before_all_those_that_a_state_shows_is_not_said_to_be_loaded() -> None:
    """As with messages: what came before the last hundred is nowhere."""
    world = seeded_world()

    def past_session(name: str, at: datetime) -> str:
        command = ReplayMessagingSession(
            provider_session_id=name,
            customer_number=ASHA,
            channel_number=WHATSAPP,
            started_at=at,
            duration=timedelta(seconds=30),
            end_reason=MessagingSessionEndReason.INACTIVITY,
        )
        description: str = load(world, command).description
        return description

    for number in range(100):
        past_session(f"later-{number}", PAST + timedelta(hours=1))
    before = state(world).messaging_state.sessions
    assert past_session("old", PAST) == "the customer's state shows 100 later sessions and no more; nothing changed"
    assert state(world).messaging_state.sessions == before
    assert past_session("new", PAST + timedelta(hours=2)) == "session loaded"
