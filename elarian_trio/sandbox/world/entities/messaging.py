"""What was said with a customer, message by message, and where it stands on each channel."""

from __future__ import annotations

from datetime import datetime, timedelta

from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.messaging import (
    CompleteMessagingSession,
    Message,
    MessageDeliveryStatus,
    MessageReplyToken,
    ReceivedMessage,
    SentMessage,
)
from elarian_trio.models.model import Model
from elarian_trio.models.payments import Cash
from elarian_trio.sandbox.world.entities.record import Key, Record, key_class, record_class

__all__ = [
    "MAX_CHANNELS",
    "ON_ITS_WAY",
    "ChannelKey",
    "ChannelRecord",
    "ChannelState",
    "MessageKey",
    "MessageRecord",
    "MessagingKey",
    "MessagingRecord",
    "Session",
]

MAX_CHANNELS = 1_000  # channel states per customer; a bound, far beyond what anybody has

ON_ITS_WAY = frozenset({MessageDeliveryStatus.QUEUED, MessageDeliveryStatus.SENT})
"""The statuses of a message of which more is to come."""


@record_class
class Session(Model):
    """A session in progress.

    Attributes:
        session_id: Elarian's id.
        started_at: when it began.
        expires_at: when it ends unless renewed; a call that nobody hangs up ends, too.
        app_ids: the apps that take part.
        provider_session_id: the phone's or provider's own id.
        plan: what an outbound call shall do once it is answered; ``None`` when there is none (any more).
        cost: what it cost so far.
        duration: how long the phone says it lasted.
        reply_tokens: the permissions to reply that the customer's last messages brought, oldest first.
    """

    session_id: str
    started_at: datetime
    expires_at: datetime | None = None
    app_ids: tuple[str, ...] = ()
    provider_session_id: str | None = None
    plan: Message | None = None
    cost: Cash | None = None
    duration: timedelta | None = None
    reply_tokens: tuple[str, ...] = ()


@record_class
class ChannelState(Model):
    """Where a customer's number stands on one channel number of the organisation.

    Attributes:
        customer_number: whose number, normalised.
        channel_number: which channel.
        allowed_at: since when it may be written to.
        blocked_at: since when it may not; ``None`` for allowed.
        reply_token: the latest permission to reply.
        session: the session in progress.
    """

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    allowed_at: datetime | None = None
    blocked_at: datetime | None = None
    reply_token: MessageReplyToken | None = None
    session: Session | None = None


@key_class
class MessagingKey(Key["MessagingRecord"]):
    """Names a customer's messaging."""

    customer_id: str


@record_class
class MessagingRecord(Record):
    """What was said with a customer.

    Attributes:
        org_id: the organisation.
        customer_id: the customer.
        channels: where it stands on each channel, oldest first.
        log: ids of the last messages both ways, oldest first.
        last_at: when the last of them was said.
        sessions: the last sessions that have ended, oldest first.
    """

    org_id: str
    customer_id: str
    channels: tuple[ChannelState, ...] = ()
    log: tuple[str, ...] = ()
    last_at: datetime | None = None
    sessions: tuple[CompleteMessagingSession, ...] = ()

    @property
    def key(self) -> MessagingKey:
        """What it is found by."""
        return MessagingKey(self.org_id, self.customer_id)


@key_class
class MessageKey(Key["MessageRecord"]):
    """Names a message."""

    message_id: str


@record_class
class MessageRecord(Record):
    """A message: a record of its own, so that the next one does not rewrite it. Whose it is, is in a customer's log.

    Attributes:
        org_id: the organisation.
        message: the message as customers' states show it.
    """

    org_id: str
    message: ReceivedMessage | SentMessage

    @property
    def key(self) -> MessageKey:
        """What it is found by."""
        return MessageKey(self.org_id, self.message.message_id)

    @property
    def is_on_its_way(self) -> bool:
        """Whether more is to come of it; until then it is asked for again, and afterwards seldom."""
        return isinstance(self.message, SentMessage) and self.message.status in ON_ITS_WAY


@key_class
class ChannelKey(Key["ChannelRecord"]):
    """Names a channel number; make it with :func:`.world.addresses.channel_key`, which normalises."""

    channel: str
    number: str


@record_class
class ChannelRecord(Record):
    """A channel number of the organisation, and the app that inbound traffic goes to.

    Attributes:
        org_id: the organisation.
        channel: the channel.
        number: the number, normalised.
        app_id: the app.
    """

    org_id: str
    channel: Channel
    number: str
    app_id: str

    @property
    def key(self) -> ChannelKey:
        """What it is found by."""
        return ChannelKey(self.org_id, self.channel.value, self.number)
