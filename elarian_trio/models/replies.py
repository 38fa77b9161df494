"""What commands are answered with.

Stands on :mod:`.state` and :mod:`.messaging`; :mod:`.commands` names for each command its reply. The server makes
them, and gives every one a description in its own words.
"""

from __future__ import annotations

from .messaging import Message, MessageDeliveryStatus, MessagingConsentUpdateStatus
from .model import Model, dataclass
from .payments import PaymentStatus
from .state import CustomerState


@dataclass(frozen=True, slots=True, kw_only=True)
class GetCustomerStateReply(Model):
    """The answer to asking for a customer's state.

    Attributes:
        status: whether it was found.
        description: the server's words.
        data: the state.
    """

    status: bool
    description: str = ""
    data: CustomerState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStateUpdateReply(Model):
    """The answer to a command that changes a customer.

    Attributes:
        status: whether it was done.
        description: the server's words.
        customer_id: the customer.
    """

    status: bool
    description: str = ""
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCustomerReply(Model):
    """The answer to deleting a customer (an extension of this project, see ``schema/``).

    Attributes:
        status: whether it was done.
        description: the server's words.
        customer_id: the customer that was deleted.
    """

    status: bool
    description: str = ""
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseAppDataReply(Model):
    """The answer to leasing app data.

    Attributes:
        status: whether the lease is held.
        description: the server's words.
        customer_id: the customer.
        value: what is stored, as it is stored; ``None`` for nothing.
    """

    status: bool
    description: str = ""
    customer_id: str | None = None
    value: str | bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReply(Model):
    """The answer to sending a message.

    Attributes:
        status: what became of it so far, be it a refusal.
        description: the server's words.
        message_id: Elarian's id of the message.
        session_id: the session it belongs to or began.
        customer_id: the customer.
    """

    status: MessageDeliveryStatus
    description: str = ""
    message_id: str | None = None
    session_id: str | None = None
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentUpdateReply(Model):
    """The answer to changing a consent.

    Attributes:
        status: what became of it so far, be it a refusal.
        description: the server's words.
        customer_id: the customer.
    """

    status: MessagingConsentUpdateStatus
    description: str = ""
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagUpdateReply(Model):
    """The answer to a command for all customers with a tag.

    Attributes:
        status: whether it was taken on.
        description: the server's words.
        work_id: names the work; notifications that come of it carry it.
    """

    status: bool
    description: str = ""
    work_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiatePaymentReply(Model):
    """The answer to asking for a payment.

    Attributes:
        status: what became of it so far, be it a refusal.
        description: the server's words.
        transaction_id: Elarian's id of the payment.
        debit_customer_id: the customer who pays, if one does.
        credit_customer_id: the customer who is paid, if one is.
    """

    status: PaymentStatus
    description: str = ""
    transaction_id: str | None = None
    debit_customer_id: str | None = None
    credit_customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPaymentReply(Model):
    """The answer to loading a past payment.

    Attributes:
        status: whether it was done.
        description: the server's words.
        transaction_id: Elarian's id of the payment.
        debit_customer_id: the customer who paid, if one did.
        credit_customer_id: the customer who was paid, if one was.
    """

    status: bool
    description: str = ""
    transaction_id: str | None = None
    debit_customer_id: str | None = None
    credit_customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorReply(Model):
    """The answer to a simulated act of a phone.

    Attributes:
        status: whether it was done.
        description: the server's words.
        message: what the app answered: a USSD menu or what a call shall do.
    """

    status: bool
    description: str = ""
    message: Message | None = None
