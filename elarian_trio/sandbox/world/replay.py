"""Replays of messages, consents and sessions: what happened outside, loaded into customers' states.

:mod:`.rules` stands above, the conversations below. A replay touches nothing but state: no phone
rings, no balance moves, no app is told. Loading the same thing again changes nothing: an import may be repeated.
Things are named by their providers' ids, messages by those and both numbers, since some providers count anew in each
chat; Elarian's own id of a message is understood as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from elarian_trio.models.commands import (
    ReplayMessageReactionUpdate,
    ReplayMessageStatusUpdate,
    ReplayMessagingConsentUpdate,
    ReplayMessagingSession,
    ReplayReceivedMessage,
    ReplaySentMessage,
)
from elarian_trio.models.messaging import (
    CompleteMessagingSession,
    ConsentAction,
    MessageDeliveryStatus,
    MessageReaction,
    MessageReactionState,
    MessagingSessionEndReason,
    ReceivedMessage,
    SentMessage,
)
from elarian_trio.models.model import EPOCH
from elarian_trio.models.replies import CustomerStateUpdateReply
from elarian_trio.sandbox.world.addresses import customer_with_number, messaging_of, normal, number_owner
from elarian_trio.sandbox.world.consent import changed, known_action
from elarian_trio.sandbox.world.conversations import (
    add_message,
    change_message,
    messages_of,
    put_state,
    reaches,
    state_of,
    was_said_at,
)
from elarian_trio.sandbox.world.entities import KEPT, latest
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.sandbox.world.entities import ChannelState
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

_OfMessage: TypeAlias = (
    "ReplayReceivedMessage | ReplaySentMessage | ReplayMessageStatusUpdate | ReplayMessageReactionUpdate"
)


def _loaded(customer_id: str, what: str) -> CustomerStateUpdateReply:
    return CustomerStateUpdateReply(status=True, description=f"{what} loaded", customer_id=customer_id)


def _unchanged(customer_id: str, why: str) -> CustomerStateUpdateReply:
    return CustomerStateUpdateReply(status=True, description=f"{why}; nothing changed", customer_id=customer_id)


def _too_old(what: str) -> str:
    return f"the customer's state shows {KEPT} later {what} and no more"


def _customer(work: Work, number: CustomerNumber, channel: MessagingChannel) -> str:
    """Give the customer, made if need be; the channel may be one that the organisation has no more."""
    if not reaches(number, channel):
        msg = f"{channel.channel} does not reach {number.provider} numbers; give two that belong together"
        raise Refusal(msg)
    return customer_with_number(work, number).customer_id


# --- consent ---


def consent_update(work: Work, command: ReplayMessagingConsentUpdate) -> CustomerStateUpdateReply:
    """Load a change of consent, unless a later one is in force."""
    update = known_action(command.update)
    customer_id = _customer(work, command.customer_number, command.channel_number)
    state = state_of(work, customer_id, command.customer_number, command.channel_number)
    if not _is_older(state, command.updated_at):
        return _unchanged(customer_id, "the consent in force is no older")
    put_state(work, customer_id, changed(state, update, command.updated_at))
    return _loaded(customer_id, "consent")


def _is_older(state: ChannelState, than: datetime) -> bool:
    """Whether the consent in force is; what nobody ever decided is older than anything."""
    since = state.blocked_at or state.allowed_at
    return since is None or since < than


# --- messages ---


def received_message(work: Work, command: ReplayReceivedMessage) -> CustomerStateUpdateReply:
    """Load a message that the customer sent."""
    customer_id = _customer(work, command.customer_number, command.channel_number)
    _check_id(command.provider_message_id, "message")
    messages = messages_of(work, messaging_of(work, customer_id))
    if any(isinstance(each, ReceivedMessage) and _is(each, command) for each in messages):
        return _unchanged(customer_id, "the message was loaded before")
    message = ReceivedMessage(
        message_id=work.new_id("msg"),
        received_at=command.received_at,
        parts=command.parts,
        session_id=command.provider_session_id or None,
        in_reply_to=command.in_reply_to or None,
        provider=command.provider,
        cost=command.cost,
        customer_number=normal(command.customer_number),
        channel_number=command.channel_number,
        app_id=work.app_id,
        provider_message_id=command.provider_message_id,
    )
    return _add(work, customer_id, command, message)


def sent_message(work: Work, command: ReplaySentMessage) -> CustomerStateUpdateReply:
    """Load a message that was sent to the customer."""
    customer_id = _customer(work, command.customer_number, command.channel_number)
    _check_id(command.provider_message_id, "message")
    status = _known_status(command.status)
    if _find(work, customer_id, command) is not None:
        return _unchanged(customer_id, "the message was loaded before")
    message = SentMessage(
        message_id=work.new_id("msg"),
        sent_at=command.sent_at,
        message=command.message,
        status=status,
        session_id=command.provider_session_id or None,
        in_reply_to=command.in_reply_to or None,
        provider=command.provider,
        cost=command.cost,
        customer_number=normal(command.customer_number),
        channel_number=command.channel_number,
        app_id=work.app_id,
        updated_at=command.sent_at,
        provider_message_id=command.provider_message_id,
    )
    return _add(work, customer_id, command, message)


def _add(
    work: Work,
    customer_id: str,
    command: ReplayReceivedMessage | ReplaySentMessage,
    message: ReceivedMessage | SentMessage,
) -> CustomerStateUpdateReply:
    """Add the message, and the channel to those on which the customer was met."""
    state = state_of(work, customer_id, command.customer_number, command.channel_number)
    add_message(work, customer_id, message, state)
    if message.message_id not in messaging_of(work, customer_id).log:
        return _unchanged(customer_id, _too_old("messages"))
    return _loaded(customer_id, "message")


def _check_id(given: str, what: str) -> None:
    if not given:
        msg = f"the provider's {what} id is empty; give the one that the provider knows it by"
        raise Refusal(msg)


def _is(message: ReceivedMessage | SentMessage, command: _OfMessage) -> bool:
    given = command.provider_message_id
    return given == message.message_id or (
        given == message.provider_message_id and was_said_at(message, command.customer_number, command.channel_number)
    )


def _find(work: Work, customer_id: str, command: _OfMessage) -> SentMessage | None:
    messages = messages_of(work, messaging_of(work, customer_id))
    return next((each for each in messages if isinstance(each, SentMessage) and _is(each, command)), None)


def _target(work: Work, command: ReplayMessageStatusUpdate | ReplayMessageReactionUpdate) -> tuple[str, SentMessage]:
    """Give the message that a change is about.

    Raises:
        Refusal: the customer has no such message. Nobody is made a customer by that.
    """
    customer = number_owner(work, command.customer_number)
    found = None if customer is None else _find(work, customer.customer_id, command)
    if customer is None or found is None:
        channel = command.channel_number.channel
        msg = (
            f"the number was sent no message {command.provider_message_id!r} on that {channel} number; replay it first"
        )
        raise Refusal(msg)
    return customer.customer_id, found


def message_status(work: Work, command: ReplayMessageStatusUpdate) -> CustomerStateUpdateReply:
    """Load a change of a sent message's status, unless a later one is known."""
    customer_id, message = _target(work, command)
    status = _known_status(command.status)
    since = message.updated_at or EPOCH
    if command.updated_at < since or (command.updated_at == since and status is message.status):
        return _unchanged(customer_id, "the status in force is no older")
    cost = message.cost if command.cost is None else command.cost
    change_message(work, replace(message, status=status, updated_at=command.updated_at, cost=cost))
    return _loaded(customer_id, "status")


def _known_status(status: MessageDeliveryStatus | str) -> MessageDeliveryStatus:
    known = MessageDeliveryStatus(status)
    if known is MessageDeliveryStatus.UNKNOWN:
        raise Refusal("the message's status is missing; give one such as delivered")
    return known


def message_reaction(work: Work, command: ReplayMessageReactionUpdate) -> CustomerStateUpdateReply:
    """Load what the customer did with a sent message; whoever unsubscribed does not want to be written to."""
    customer_id, message = _target(work, command)
    reaction = MessageReactionState(created_at=command.updated_at, reaction=MessageReaction(command.reaction))
    if reaction.reaction is MessageReaction.UNKNOWN:
        raise Refusal("the reaction is missing; give one such as clicked")
    if reaction in message.reactions:
        return _unchanged(customer_id, "the reaction was loaded before")
    change_message(work, replace(message, reactions=latest(message.reactions, reaction)))
    if reaction.reaction is MessageReaction.UNSUBSCRIBED:
        state = state_of(work, customer_id, command.customer_number, command.channel_number)
        if _is_older(state, command.updated_at):
            put_state(work, customer_id, changed(state, ConsentAction.BLOCK, command.updated_at))
    return _loaded(customer_id, "reaction")


# --- sessions ---


def session(work: Work, command: ReplayMessagingSession) -> CustomerStateUpdateReply:
    """Load a session that has ended."""
    customer_id = _customer(work, command.customer_number, command.channel_number)
    _check_id(command.provider_session_id, "session")
    record = messaging_of(work, customer_id)
    if any(each.provider_session_id == command.provider_session_id for each in record.sessions):
        return _unchanged(customer_id, "the session was loaded before")
    done = CompleteMessagingSession(
        customer_number=normal(command.customer_number),
        channel_number=command.channel_number,
        session_id=work.new_id("ses"),
        started_at=command.started_at,
        duration=command.duration,
        app_ids=(work.app_id,),
        end_reason=MessagingSessionEndReason(command.end_reason),
        cost=command.cost,
        provider_session_id=command.provider_session_id,
    )
    shown = tuple(sorted((*record.sessions, done), key=lambda each: each.started_at or EPOCH))[-KEPT:]
    if done not in shown:
        return _unchanged(customer_id, _too_old("sessions"))
    work.put(replace(record, sessions=shown))
    return _loaded(customer_id, "session")


RULES: Rules = {
    ReplayMessagingConsentUpdate: consent_update,
    ReplayReceivedMessage: received_message,
    ReplaySentMessage: sent_message,
    ReplayMessageStatusUpdate: message_status,
    ReplayMessageReactionUpdate: message_reaction,
    ReplayMessagingSession: session,
}
JOBS: JobRules = {}
