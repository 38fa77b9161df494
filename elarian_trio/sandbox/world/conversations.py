"""Conversations: where a customer's number stands on a channel number, and what was said there.

The families of messaging stand on this: :mod:`.sessions`, :mod:`.messaging`, :mod:`.consent`, :mod:`.inbound`,
:mod:`.replay`. Below are the addresses. Everything reads and writes the customer's one messaging record,
and a record for each message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.models.channels import CUSTOMER_PROVIDERS, Channel, MessagingChannel
from elarian_trio.models.identity import ChannelNumberProvider, CustomerNumber
from elarian_trio.models.messaging import ReceivedMessage, SentMessage
from elarian_trio.models.model import EPOCH, altered
from elarian_trio.sandbox.world.addresses import channel_key, messaging_of, normal
from elarian_trio.sandbox.world.entities import (
    KEPT,
    MAX_CHANNELS,
    ChannelRecord,
    ChannelState,
    MessageKey,
    MessageRecord,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from elarian_trio.sandbox.world.entities import MessagingRecord
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
    known = normal(number)
    for each in messaging_of(work, customer_id).channels:
        if _is_at(each, known, channel):
            return each
    return ChannelState(customer_number=known, channel_number=channel)


def put_state(work: Work, customer_id: str, state: ChannelState) -> None:
    """Remember where a number stands on a channel."""
    record = messaging_of(work, customer_id)
    channels = _with_state(record.channels, state)
    if channels is not record.channels:
        work.put(altered(record, channels=channels))


def _with_state(states: tuple[ChannelState, ...], state: ChannelState) -> tuple[ChannelState, ...]:
    """Give *states* with *state* in the place of the one that was there; themselves where it is among them."""
    if state in states:
        return states
    number, channel = state.customer_number, state.channel_number
    known = next((index for index, each in enumerate(states) if _is_at(each, number, channel)), len(states))
    return (*states[:known], state, *states[known + 1 :])[-MAX_CHANNELS:]


def _is_at(state: ChannelState, number: CustomerNumber, channel: MessagingChannel) -> bool:
    return state.customer_number == number and _is_same(state.channel_number, channel)


def _is_same(one: MessagingChannel, other: MessagingChannel) -> bool:
    return one == other or channel_key("", one) == channel_key("", other)


# --- messages ---


def add_message(
    work: Work, customer_id: str, message: ReceivedMessage | SentMessage, state: ChannelState | None = None
) -> None:
    """Add a message to what was said; by its time, since a replayed one may be older than what is there.

    With it *state*, if it is given, is remembered as by :func:`put_state`.
    """
    record, at = messaging_of(work, customer_id), said_at(message)
    channels = record.channels if state is None else _with_state(record.channels, state)
    if record.last_at is None or at >= record.last_at:
        log, last_at = (*record.log, message.message_id), at
    else:
        log, last_at = _logged(*messages_of(work, record), message), record.last_at
    work.put(MessageRecord(org_id=work.org_id, message=message))
    work.put(altered(record, channels=channels, log=_last(work, log), last_at=last_at))


def _logged(*messages: ReceivedMessage | SentMessage) -> tuple[str, ...]:
    """Give the ids of *messages* in order of their times."""
    return tuple(message.message_id for message in sorted(messages, key=said_at))


def _last(work: Work, log: tuple[str, ...]) -> tuple[str, ...]:
    """Give the end of a log, as long as it may be, and forget the messages before that."""
    for message_id in log[:-KEPT]:
        work.delete(MessageKey(work.org_id, message_id))
    return log[-KEPT:]


def with_messages_of(work: Work, record: MessagingRecord, other: MessagingRecord) -> MessagingRecord:
    """Give *record* with the messages of both in its log."""
    log = _logged(*messages_of(work, record), *messages_of(work, other))
    last_at = max((each.last_at for each in (record, other) if each.last_at is not None), default=None)
    return altered(record, log=_last(work, log), last_at=last_at)


def said_at(message: ReceivedMessage | SentMessage) -> datetime:
    """Give when a message was said; what has no time is the oldest."""
    at = message.received_at if isinstance(message, ReceivedMessage) else message.sent_at
    return EPOCH if at is None else at


def was_said_at(message: ReceivedMessage | SentMessage, number: CustomerNumber, channel: MessagingChannel) -> bool:
    """Whether *message* went between these two numbers, in whatever way they are written."""
    said_on = message.channel_number
    return message.customer_number == normal(number) and said_on is not None and _is_same(said_on, channel)


def change_message(work: Work, message: SentMessage) -> None:
    """Put *message* in the place of the one with its id."""
    work.put(MessageRecord(org_id=work.org_id, message=message))


def messages_of(work: Work, record: MessagingRecord) -> tuple[ReceivedMessage | SentMessage, ...]:
    """Give the messages of a customer, oldest first."""
    found = [work.get(MessageKey(work.org_id, each)) for each in record.log]
    return tuple(each.message for each in found if each is not None)


def message_with_id(work: Work, customer_id: str, message_id: str) -> ReceivedMessage | SentMessage | None:
    """Give the message with that id, if it is among those that are kept of the customer's."""
    found = work.get(MessageKey(work.org_id, message_id))
    return None if found is None or message_id not in messaging_of(work, customer_id).log else found.message


def sent_message(work: Work, message_id: str) -> SentMessage | None:
    """Give the message with that id if it was sent and is kept: while a customer's log names it."""
    found = work.get(MessageKey(work.org_id, message_id))
    return found.message if found is not None and isinstance(found.message, SentMessage) else None
