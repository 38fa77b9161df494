"""Conversations: where a customer's number stands on a channel number, and what was said there.

The families of messaging stand on this: :mod:`.sessions`, :mod:`.messaging`, :mod:`.consent`, :mod:`.inbound`,
:mod:`.replay`. Below are the addresses. Everything reads and writes the customer's one messaging record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from elarian_trio.models.channels import CUSTOMER_PROVIDERS, Channel, MessagingChannel
from elarian_trio.models.identity import ChannelNumberProvider, CustomerNumber
from elarian_trio.models.messaging import ReceivedMessage, SentMessage
from elarian_trio.models.model import EPOCH
from elarian_trio.sandbox.world.addresses import channel_key, messaging_of, normal
from elarian_trio.sandbox.world.entities import KEPT, MAX_CHANNELS, ChannelRecord, ChannelState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from elarian_trio.sandbox.world.work import Work

CARRIERS: Mapping[str, ChannelNumberProvider] = {
    Channel.SMS: ChannelNumberProvider.AT,
    Channel.VOICE: ChannelNumberProvider.AT,
    Channel.USSD: ChannelNumberProvider.AT,
    Channel.WHATSAPP: ChannelNumberProvider.TWILIO,
    Channel.FB_MESSENGER: ChannelNumberProvider.FACEBOOK,
    Channel.TELEGRAM: ChannelNumberProvider.TELEGRAM,
    Channel.EMAIL: ChannelNumberProvider.MAILGUN,
}
"""Who would carry a message on each channel; the sandbox carries it itself, but a message names its provider."""

# --- channels of the organisation ---


def registered(work: Work, channel: MessagingChannel) -> ChannelRecord | None:
    """Give the organisation's channel number, or ``None`` where it has none such.

    A server that is not strict registers what it does not know, and binds it to the app that first names it.
    """
    key = channel_key(work.org_id, channel)
    found = work.get(key)
    if found is not None or work.settings.strict or key.channel not in CUSTOMER_PROVIDERS or not key.number:
        return found
    made = ChannelRecord(org_id=key.org_id, channel=Channel(key.channel), number=key.number, app_id=work.app_id)
    work.put(made)
    return made


def not_registered(channel: MessagingChannel) -> str:
    """Say what is wrong with a channel number that the organisation does not have."""
    return (
        f"{channel.channel} {channel.number!r} is no channel number of this organisation; "
        "use one that is registered with its app"
    )


def reaches(number: CustomerNumber, channel: MessagingChannel) -> bool:
    """Whether a channel reaches such a number: an SMS does not reach a mailbox."""
    return CUSTOMER_PROVIDERS.get(channel.channel) is number.provider


# --- a customer's number on a channel ---


def state_of(work: Work, customer_id: str, number: CustomerNumber, channel: MessagingChannel) -> ChannelState:
    """Give where *number* stands on *channel*. Whoever was never asked may be written to."""
    blank = ChannelState(customer_number=normal(number), channel_number=channel)
    states = messaging_of(work, customer_id).channels
    return next((each for each in states if _is_same_place(each, blank)), blank)


def put_state(work: Work, customer_id: str, state: ChannelState) -> None:
    """Remember where a number stands on a channel."""
    record = messaging_of(work, customer_id)
    states = record.channels
    known = next((index for index, each in enumerate(states) if _is_same_place(each, state)), len(states))
    changed = (*states[:known], state, *states[known + 1 :])
    work.put(replace(record, channels=changed[-MAX_CHANNELS:]))


def _is_same_place(one: ChannelState, other: ChannelState) -> bool:
    return (one.customer_number, channel_key("", one.channel_number)) == (
        other.customer_number,
        channel_key("", other.channel_number),
    )


# --- messages ---


def add_message(work: Work, customer_id: str, message: ReceivedMessage | SentMessage) -> None:
    """Add a message to what was said; by its time, since a replayed one may be older than what is there."""
    record = messaging_of(work, customer_id)
    messages = sorted((*record.messages, message), key=_said_at)[-KEPT:]
    work.put(replace(record, messages=tuple(messages)))


def _said_at(message: ReceivedMessage | SentMessage) -> datetime:
    said_at = message.received_at if isinstance(message, ReceivedMessage) else message.sent_at
    return EPOCH if said_at is None else said_at


def change_message(work: Work, customer_id: str, message: SentMessage) -> None:
    """Put *message* in the place of the one with its id."""
    record = messaging_of(work, customer_id)
    changed = tuple(message if each.message_id == message.message_id else each for each in record.messages)
    work.put(replace(record, messages=changed))


def message_with_id(work: Work, customer_id: str, message_id: str) -> ReceivedMessage | SentMessage | None:
    """Give the message with that id, if it is among those that are kept."""
    messages = messaging_of(work, customer_id).messages
    return next((each for each in messages if each.message_id == message_id), None)


def sent_message(work: Work, customer_id: str, message_id: str) -> SentMessage | None:
    """Give the message with that id if it is one that was sent to the customer."""
    found = message_with_id(work, customer_id, message_id)
    return found if isinstance(found, SentMessage) else None
