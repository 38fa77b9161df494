"""One class per command, each naming the reply it is answered with.

Stands on the families and :mod:`.replies`. ``Elarian``, ``Customer`` and ``Simulator`` make them; the sandbox's rules
read them. Fields are the published wire contract's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic

from typing_extensions import TypeVar

from .channels import MessagingChannel
from .identity import (
    AuthToken,
    ChannelNumberProvider,
    ChannelNumberProviderName,
    CustomerNumber,
    Reminder,
    SecondaryId,
    Tag,
)
from .messaging import (
    ConsentAction,
    ConsentActionName,
    InboundMessageBody,
    Message,
    MessageDeliveryStatus,
    MessageDeliveryStatusName,
    MessageReaction,
    MessageReactionName,
    MessagingSessionEndReason,
    MessagingSessionEndReasonName,
)
from .model import Model, dataclass
from .payments import (
    Cash,
    ChannelPayment,
    CustomerPayment,
    PaymentChannelNumber,
    PaymentStatus,
    PaymentStatusName,
    Purse,
    Wallet,
)
from .replies import (
    ConsentUpdateReply,
    CustomerStateUpdateReply,
    DeleteCustomerReply,
    GetCustomerStateReply,
    InitiatePaymentReply,
    LeaseAppDataReply,
    MessageReply,
    ReplayPaymentReply,
    SimulatorReply,
    TagUpdateReply,
)

R = TypeVar("R", bound=Model, covariant=True, default=Model)


class Command(Model, Generic[R]):
    """Something that a socket asks the server for, answered with an *R*.

    Attributes:
        reply_type: the class of the reply.
        is_read: whether asking twice changes nothing, so that the client may send it again by itself.
    """

    __slots__ = ()
    _speaks_as_method = True
    reply_type: ClassVar[type[Any]]
    is_read: ClassVar[bool] = False


class AppCommand(Command[R]):
    """A command of an app's socket."""

    __slots__ = ()


class SimulatorCommand(Command[SimulatorReply]):
    """A command of a simulator's socket."""

    __slots__ = ()
    reply_type = SimulatorReply


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateAuthToken(AppCommand[AuthToken]):
    """Ask for a short-lived token that replaces the API key."""

    reply_type = AuthToken
    is_read = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCustomer(AppCommand[CustomerStateUpdateReply]):
    """Get or make the customer with a number."""

    reply_type = CustomerStateUpdateReply

    customer_number: CustomerNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCustomer(AppCommand[DeleteCustomerReply]):
    """Remove a customer with everything known of it (this project's own extension)."""

    reply_type = DeleteCustomerReply

    customer: str | CustomerNumber | SecondaryId


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCustomerState(AppCommand[GetCustomerStateReply]):
    """Ask for everything known of a customer."""

    reply_type = GetCustomerStateReply
    is_read = True

    customer: str | CustomerNumber | SecondaryId


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptCustomerState(AppCommand[CustomerStateUpdateReply]):
    """Merge another customer into this one; the other is gone afterwards."""

    reply_type = CustomerStateUpdateReply

    customer_id: str
    other_customer: str | CustomerNumber | SecondaryId


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCustomerReminder(AppCommand[CustomerStateUpdateReply]):
    """Set a reminder on a customer."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    reminder: Reminder


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCustomerReminderTag(AppCommand[TagUpdateReply]):
    """Set a reminder on all customers with a tag."""

    reply_type = TagUpdateReply

    tag: Tag
    reminder: Reminder


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCustomerReminder(AppCommand[CustomerStateUpdateReply]):
    """Cancel a customer's reminder."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCustomerReminderTag(AppCommand[TagUpdateReply]):
    """Cancel a reminder of all customers with a tag."""

    reply_type = TagUpdateReply

    tag: Tag
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCustomerTag(AppCommand[CustomerStateUpdateReply]):
    """Set tags on a customer."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    updates: tuple[Tag, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCustomerTag(AppCommand[CustomerStateUpdateReply]):
    """Remove tags from a customer, by key."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    deletions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCustomerSecondaryId(AppCommand[CustomerStateUpdateReply]):
    """Set secondary ids on a customer."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    updates: tuple[SecondaryId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCustomerSecondaryId(AppCommand[CustomerStateUpdateReply]):
    """Remove secondary ids from a customer."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    deletions: tuple[SecondaryId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCustomerMetadata(AppCommand[CustomerStateUpdateReply]):
    """Set metadata of a customer; other keys stay."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    updates: Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCustomerMetadata(AppCommand[CustomerStateUpdateReply]):
    """Remove metadata of a customer, by key."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    deletions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseCustomerAppData(AppCommand[LeaseAppDataReply]):
    """Read the app's data on a customer and keep others out until it is updated, 90 s at most."""

    reply_type = LeaseAppDataReply

    customer: str | CustomerNumber | SecondaryId


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCustomerAppData(AppCommand[CustomerStateUpdateReply]):
    """Replace the app's data on a customer; ends the lease."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId
    update: str | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCustomerAppData(AppCommand[CustomerStateUpdateReply]):
    """Remove the app's data on a customer; ends the lease."""

    reply_type = CustomerStateUpdateReply

    customer: str | CustomerNumber | SecondaryId


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(AppCommand[MessageReply]):
    """Send a message to a customer."""

    reply_type = MessageReply

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessageTag(AppCommand[TagUpdateReply]):
    """Send a message to all customers with a tag."""

    reply_type = TagUpdateReply

    tag: Tag
    channel_number: MessagingChannel
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToMessage(AppCommand[MessageReply]):
    """Answer a message of a customer."""

    reply_type = MessageReply

    customer_id: str
    message_id: str
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMessagingConsent(AppCommand[ConsentUpdateReply]):
    """Allow or block writing to a customer on a channel."""

    reply_type = ConsentUpdateReply

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    update: ConsentAction | ConsentActionName


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiatePayment(AppCommand[InitiatePaymentReply]):
    """Move money."""

    reply_type = InitiatePaymentReply

    debit_party: Purse | Wallet | CustomerPayment | ChannelPayment
    credit_party: Purse | Wallet | CustomerPayment | ChannelPayment
    value: Cash
    narration: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerActivity(AppCommand[CustomerStateUpdateReply]):
    """Report what a customer did."""

    reply_type = CustomerStateUpdateReply

    customer_number: CustomerNumber
    source: str
    session_id: str
    key: str
    properties: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMessagingConsentUpdate(AppCommand[CustomerStateUpdateReply]):
    """Load a past change of consent."""

    reply_type = CustomerStateUpdateReply

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    updated_at: datetime
    update: ConsentAction | ConsentActionName


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReceivedMessage(AppCommand[CustomerStateUpdateReply]):
    """Load a message that a customer sent in the past."""

    reply_type = CustomerStateUpdateReply

    provider_message_id: str
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    received_at: datetime
    parts: tuple[InboundMessageBody | None, ...]
    provider_session_id: str | None = None
    in_reply_to: str | None = None
    provider: ChannelNumberProvider | ChannelNumberProviderName = ChannelNumberProvider.UNKNOWN
    cost: Cash | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySentMessage(AppCommand[CustomerStateUpdateReply]):
    """Load a message that was sent to a customer in the past."""

    reply_type = CustomerStateUpdateReply

    provider_message_id: str
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    sent_at: datetime
    message: Message
    status: MessageDeliveryStatus | MessageDeliveryStatusName
    provider_session_id: str | None = None
    in_reply_to: str | None = None
    provider: ChannelNumberProvider | ChannelNumberProviderName = ChannelNumberProvider.UNKNOWN
    cost: Cash | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMessageStatusUpdate(AppCommand[CustomerStateUpdateReply]):
    """Load a past change of a sent message's status."""

    reply_type = CustomerStateUpdateReply

    provider_message_id: str
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    updated_at: datetime
    status: MessageDeliveryStatus | MessageDeliveryStatusName
    cost: Cash | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMessageReactionUpdate(AppCommand[CustomerStateUpdateReply]):
    """Load a past reaction to a sent message."""

    reply_type = CustomerStateUpdateReply

    provider_message_id: str
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    updated_at: datetime
    reaction: MessageReaction | MessageReactionName


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayMessagingSession(AppCommand[CustomerStateUpdateReply]):
    """Load a past session."""

    reply_type = CustomerStateUpdateReply

    provider_session_id: str
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    started_at: datetime
    duration: timedelta
    end_reason: MessagingSessionEndReason | MessagingSessionEndReasonName
    cost: Cash | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPayment(AppCommand[ReplayPaymentReply]):
    """Load a past payment."""

    reply_type = ReplayPaymentReply

    provider_transaction_id: str
    debit_party: Purse | Wallet | CustomerPayment | ChannelPayment
    credit_party: Purse | Wallet | CustomerPayment | ChannelPayment
    status: PaymentStatus | PaymentStatusName
    value: Cash
    created_at: datetime
    narration: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPaymentStatusUpdate(AppCommand[ReplayPaymentReply]):
    """Load a past change of a payment's status."""

    reply_type = ReplayPaymentReply

    customer_number: CustomerNumber
    provider_transaction_id: str
    updated_at: datetime
    status: PaymentStatus | PaymentStatusName


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveMessage(SimulatorCommand):
    """A customer's phone sends a message, dials or is in a call."""

    customer_number: str
    channel_number: MessagingChannel
    parts: tuple[InboundMessageBody | None, ...]
    session_id: str | None = None
    cost: Cash | None = None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivePayment(SimulatorCommand):
    """A customer pays."""

    transaction_id: str
    channel_number: PaymentChannelNumber
    customer_number: str
    value: Cash
    status: PaymentStatus | PaymentStatusName


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePaymentStatus(SimulatorCommand):
    """The payment gateway decides."""

    transaction_id: str
    status: PaymentStatus | PaymentStatusName
