"""What the server remembers: one record per thing, each under a key.

The rules stand on these; a store keeps them, in memory or on disk, by their keys, and needs to know no more of them
than :class:`Record` and :class:`Key` say. A customer is several records, one per family, so that sending a message
does not rewrite the customer's metadata. Records are models: ``dataclasses.replace`` changes one, ``to_json`` and
``from_json`` carry it to a disk and back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Self, dataclass_transform

from typing_extensions import TypeVar

from elarian_trio.models.activity import ActivitySessionState
from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, Reminder, SecondaryId, Tag
from elarian_trio.models.messaging import (
    CompleteMessagingSession,
    Message,
    MessageDeliveryStatus,
    MessageReplyToken,
    ReceivedMessage,
    SentMessage,
)
from elarian_trio.models.model import Model
from elarian_trio.models.payments import Cash, PaymentBalance, PaymentChannel, PaymentChannelNumber, PaymentTransaction

KEPT = 100
"""How many messages, ended sessions and transactions a customer keeps: state holds the most recent, not everything."""

MAX_CHANNELS = 1_000  # channel states per customer; a bound, far beyond what anybody has

ON_ITS_WAY = frozenset({MessageDeliveryStatus.QUEUED, MessageDeliveryStatus.SENT})
"""The statuses of a message of which more is to come."""

R = TypeVar("R", bound="Record", default=Any, covariant=True)
T = TypeVar("T")


class Record(Model):
    """The base of what is remembered."""

    __slots__ = ()

    @property
    def key(self) -> Key[Self]:
        """What it is found by."""
        raise NotImplementedError


@dataclass_transform(frozen_default=True)
def key_class(cls: type[T]) -> type[T]:
    """Make *cls* a class of keys, a dataclass that is frozen for whoever writes and checks code.

    At run time nothing refuses to set a field: where something does, a key takes three times as long to make, and
    every record that a rule looks at takes one.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(kw_only_default=True, frozen_default=True)
def record_class(cls: type[T]) -> type[T]:
    """Make *cls* a class of records, or of what is in them, that is frozen as classes of keys are."""
    return dataclass(slots=True, kw_only=True, repr=False, eq=False)(cls)


@key_class
class Key(Generic[R]):
    """What a record is found by; the class says which kind of record, the type parameter so to the type checkers.

    Attributes:
        org_id: the organisation. Nothing ever crosses organisations.
    """

    org_id: str


def latest(values: tuple[T, ...], value: T) -> tuple[T, ...]:
    """Give *values* with *value* added at the end, the oldest dropped beyond :data:`KEPT`."""
    return (*values, value)[-KEPT:]


# --- customers ---


@key_class
class CustomerKey(Key["CustomerRecord"]):
    """Names a customer."""

    customer_id: str


@record_class
class CustomerRecord(Record):
    """A customer: who it is.

    Attributes:
        org_id: the organisation.
        customer_id: Elarian's id.
        created_at: since when it is known.
        numbers: every number under which it ever engaged, normalised, oldest first.
        tags: its tags, expired ones perhaps among them.
        secondary_ids: its secondary ids, likewise.
        metadata: values by key, shared by all apps.
        app_ids: the apps that have an :class:`AppRecord` on it.
        decommissioned_to: the customer that adopted it; then nothing else in here counts.
    """

    org_id: str
    customer_id: str
    created_at: datetime
    numbers: tuple[CustomerNumber, ...] = ()
    tags: tuple[Tag, ...] = ()
    secondary_ids: tuple[SecondaryId, ...] = ()
    metadata: Mapping[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    app_ids: tuple[str, ...] = ()
    decommissioned_to: str | None = None

    @property
    def key(self) -> CustomerKey:
        """What it is found by."""
        return CustomerKey(self.org_id, self.customer_id)


@key_class
class NumberKey(Key["NumberRecord"]):
    """Names a customer number; make it with :func:`.addresses.number_key`, which normalises."""

    provider: str
    number: str
    partition: str | None


@record_class
class NumberRecord(Record):
    """Whose a customer number is.

    Attributes:
        org_id: the organisation.
        provider: whose number it is.
        number: the number, normalised.
        partition: a subdivision of the provider's numbers.
        customer_id: the customer.
    """

    org_id: str
    provider: CustomerNumberProvider
    number: str
    partition: str | None
    customer_id: str

    @property
    def key(self) -> NumberKey:
        """What it is found by."""
        return NumberKey(self.org_id, self.provider.value, self.number, self.partition)


@key_class
class SecondaryIdKey(Key["SecondaryIdRecord"]):
    """Names a secondary id; *id_key* is case-folded."""

    id_key: str
    value: str


@record_class
class SecondaryIdRecord(Record):
    """Whose a secondary id is.

    Attributes:
        org_id: the organisation.
        id_key: what kind of id it is, case-folded.
        value: the id.
        customer_id: the customer.
        expires_at: from then on it is nobody's.
    """

    org_id: str
    id_key: str
    value: str
    customer_id: str
    expires_at: datetime | None = None

    @property
    def key(self) -> SecondaryIdKey:
        """What it is found by."""
        return SecondaryIdKey(self.org_id, self.id_key, self.value)


@key_class
class AppKey(Key["AppRecord"]):
    """Names what an app keeps on a customer; the app-data lease is on the same key."""

    app_id: str
    customer_id: str


@record_class
class ReminderState(Model):
    """A reminder that is set.

    Attributes:
        reminder: the reminder, as it was set.
        due_at: when it is due next.
        tag: the tag by which it was set, if it was.
        work_id: the work that set it by tag.
    """

    reminder: Reminder
    due_at: datetime
    tag: Tag | None = None
    work_id: str | None = None


@record_class
class AppRecord(Record):
    """What one app keeps on one customer.

    Attributes:
        org_id: the organisation.
        app_id: the app.
        customer_id: the customer.
        data: the app data; ``None`` for none.
        reminders: what is set, by key.
    """

    org_id: str
    app_id: str
    customer_id: str
    data: str | bytes | None = None
    reminders: Mapping[str, ReminderState] = field(default_factory=dict[str, ReminderState])

    @property
    def key(self) -> AppKey:
        """What it is found by."""
        return AppKey(self.org_id, self.app_id, self.customer_id)


# --- indexes: many members under one name ---


@dataclass(frozen=True, slots=True)
class IndexKey:
    """Names a set of members that a store can list without loading anything else.

    Attributes:
        org_id: the organisation.
        kind: what is indexed: "tag" or "tagged_reminder".
        parts: what is looked for.
    """

    org_id: str
    kind: str
    parts: tuple[str, ...]


@key_class
class EntryKey(Key["EntryRecord"]):
    """Names one member of an index."""

    kind: str
    parts: tuple[str, ...]
    member: str

    @property
    def index(self) -> IndexKey:
        """The index it is a member of."""
        return IndexKey(self.org_id, self.kind, self.parts)


@record_class
class EntryRecord(Record):
    """One member of an index.

    Attributes:
        org_id: the organisation.
        kind: the index's kind.
        parts: the index's parts.
        member: a customer's id.
        expires_at: from then on it is no member.
    """

    org_id: str
    kind: str
    parts: tuple[str, ...]
    member: str
    expires_at: datetime | None = None

    @property
    def key(self) -> EntryKey:
        """What it is found by."""
        return EntryKey(self.org_id, self.kind, self.parts, self.member)


# --- messaging ---


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
    """Names a channel number; make it with :func:`.addresses.channel_key`, which normalises."""

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


# --- payments ---


@key_class
class PaymentsKey(Key["PaymentsRecord"]):
    """Names a customer's payments."""

    customer_id: str


@record_class
class PaymentsRecord(Record):
    """What a customer paid and was paid.

    Attributes:
        org_id: the organisation.
        customer_id: the customer.
        customer_numbers: the numbers that paid or were paid, normalised.
        channel_numbers: the organisation's numbers through which.
        log: ids of the last transactions that are done, oldest first.
        pending: ids of those on their way, oldest first.
        wallets: the balance of each wallet by its name.
    """

    org_id: str
    customer_id: str
    customer_numbers: tuple[CustomerNumber, ...] = ()
    channel_numbers: tuple[PaymentChannelNumber, ...] = ()
    log: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    wallets: Mapping[str, PaymentBalance] = field(default_factory=dict[str, PaymentBalance])

    @property
    def key(self) -> PaymentsKey:
        """What it is found by."""
        return PaymentsKey(self.org_id, self.customer_id)


@key_class
class TransactionKey(Key["TransactionRecord"]):
    """Names a transaction."""

    transaction_id: str


@record_class
class TransactionRecord(Record):
    """A payment, done or pending.

    Attributes:
        org_id: the organisation.
        transaction: the payment as customers' states show it; its parties, status and app are in there.
        debit_customer_id: the customer who pays, if one does.
        credit_customer_id: the customer who is paid, if one is.
        purse_id: the purse that an unasked payment goes to.
        is_replay: whether it was loaded from the past, and so moved no money.
    """

    org_id: str
    transaction: PaymentTransaction
    debit_customer_id: str | None = None
    credit_customer_id: str | None = None
    purse_id: str | None = None
    is_replay: bool = False

    @property
    def key(self) -> TransactionKey:
        """What it is found by."""
        return TransactionKey(self.org_id, self.transaction.transaction_id)


@key_class
class TransactionAliasKey(Key["TransactionAliasRecord"]):
    """Names a transaction by its provider's id."""

    provider_transaction_id: str


@record_class
class TransactionAliasRecord(Record):
    """Which transaction a provider's id means.

    Attributes:
        org_id: the organisation.
        provider_transaction_id: the provider's id.
        transaction_id: Elarian's id.
    """

    org_id: str
    provider_transaction_id: str
    transaction_id: str

    @property
    def key(self) -> TransactionAliasKey:
        """What it is found by."""
        return TransactionAliasKey(self.org_id, self.provider_transaction_id)


@key_class
class PurseKey(Key["PurseRecord"]):
    """Names a purse."""

    purse_id: str


@record_class
class PurseRecord(Record):
    """The organisation's own money box.

    Attributes:
        org_id: the organisation.
        purse_id: its id.
        balances: what is in it, by currency.
    """

    org_id: str
    purse_id: str
    balances: Mapping[str, PaymentBalance] = field(default_factory=dict[str, PaymentBalance])

    @property
    def key(self) -> PurseKey:
        """What it is found by."""
        return PurseKey(self.org_id, self.purse_id)


@key_class
class PaymentChannelKey(Key["PaymentChannelRecord"]):
    """Names a payment channel number; make it with :func:`.addresses.payment_channel_key`, which normalises."""

    channel: str
    number: str


@record_class
class PaymentChannelRecord(Record):
    """A payment channel number of the organisation, such as a paybill.

    Attributes:
        org_id: the organisation.
        channel: how money moves through it.
        number: the number, normalised.
        app_id: the app that hears of unasked payments.
        purse_id: the purse that unasked payments go to.
    """

    org_id: str
    channel: PaymentChannel
    number: str
    app_id: str
    purse_id: str

    @property
    def key(self) -> PaymentChannelKey:
        """What it is found by."""
        return PaymentChannelKey(self.org_id, self.channel.value, self.number)


# --- activity and tokens ---


@key_class
class ActivityKey(Key["ActivityRecord"]):
    """Names a customer's activity."""

    customer_id: str


@record_class
class ActivityRecord(Record):
    """What a customer did elsewhere.

    Attributes:
        org_id: the organisation.
        customer_id: the customer.
        sessions: the last visits, the one with the latest activity last.
    """

    org_id: str
    customer_id: str
    sessions: tuple[ActivitySessionState, ...] = ()

    @property
    def key(self) -> ActivityKey:
        """What it is found by."""
        return ActivityKey(self.org_id, self.customer_id)


@key_class
class TokenKey(Key["TokenRecord"]):
    """Names a token by its digest; see :func:`token_digest`."""

    digest: str


@record_class
class TokenRecord(Record):
    """A token that replaces an API key at a setup, for any app of the organisation.

    Attributes:
        org_id: the organisation.
        digest: what the token is known by; the token itself is not kept.
        expires_at: from then on it lets nobody in.
    """

    org_id: str
    digest: str = field(repr=False)
    expires_at: datetime

    @property
    def key(self) -> TokenKey:
        """What it is found by."""
        return TokenKey(self.org_id, self.digest)


def token_digest(token: str) -> str:
    """Give what a token is known by: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


RECORDS: Mapping[str, type[Record]] = {
    each.__name__: each
    for each in (
        ActivityRecord,
        AppRecord,
        ChannelRecord,
        CustomerRecord,
        EntryRecord,
        MessageRecord,
        MessagingRecord,
        NumberRecord,
        PaymentChannelRecord,
        PaymentsRecord,
        PurseRecord,
        SecondaryIdRecord,
        TokenRecord,
        TransactionAliasRecord,
        TransactionRecord,
    )
}
"""Every kind of record by name, for stores that write the name beside the JSON."""
