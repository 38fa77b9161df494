"""What a simulator's socket is told: what reached the customer's phone, and what the payment gateway is to do.

Stands on :mod:`.notifications` and the families; ``_wire`` and the sandbox's rules make these.
"""

from __future__ import annotations

from typing import ClassVar

from .channels import MessagingChannel
from .identity import CustomerNumber
from .messaging import Message
from .model import dataclass
from .notifications import AnyNotification
from .payments import Cash, PaymentChannel, PaymentChannelNumber, Purse, Wallet


class SimulatorNotification(AnyNotification):
    """What the server tells a simulator."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessageSimulatorNotification(SimulatorNotification):
    """A message reached the customer's phone.

    Attributes:
        org_id: the organisation.
        customer_id: the customer.
        message_id: the message's id.
        customer_number: whose phone.
        channel_number: from which channel.
        message: what it says.
    """

    event: ClassVar[str] = "sendMessage"
    key_fields: ClassVar[tuple[str, ...]] = ("message_id",)

    org_id: str = ""
    customer_id: str = ""
    message_id: str = ""
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeVoiceCallSimulatorNotification(SimulatorNotification):
    """The customer's phone rings.

    Attributes:
        org_id: the organisation.
        customer_id: the customer.
        session_id: the call.
        customer_number: whose phone.
        channel_number: who calls.
    """

    event: ClassVar[str] = "makeVoiceCall"
    key_fields: ClassVar[tuple[str, ...]] = ("session_id",)

    org_id: str = ""
    customer_id: str = ""
    session_id: str = ""
    customer_number: CustomerNumber
    channel_number: MessagingChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCustomerPaymentSimulatorNotification(SimulatorNotification):
    """The gateway is to pay a customer.

    Attributes:
        org_id: the organisation.
        app_id: the app that pays.
        customer_id: the customer.
        transaction_id: the payment.
        customer_number: who is paid.
        channel_number: through which number.
        value: how much.
        wallet: the wallet that pays, or
        purse: the purse that pays.
    """

    event: ClassVar[str] = "sendCustomerPayment"
    key_fields: ClassVar[tuple[str, ...]] = ("transaction_id",)

    org_id: str = ""
    app_id: str = ""
    customer_id: str = ""
    transaction_id: str = ""
    customer_number: CustomerNumber
    channel_number: PaymentChannelNumber
    value: Cash
    wallet: Wallet | None = None
    purse: Purse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendChannelPaymentSimulatorNotification(SimulatorNotification):
    """The gateway is to pay another paybill, bank or airtime endpoint.

    Attributes:
        org_id: the organisation.
        app_id: the app that pays.
        transaction_id: the payment.
        channel: how money moves.
        source: from which number.
        destination: to whom.
        account: the account there.
        value: how much.
        wallet: the wallet that pays, or
        purse: the purse that pays.
    """

    event: ClassVar[str] = "sendChannelPayment"
    key_fields: ClassVar[tuple[str, ...]] = ("transaction_id",)

    org_id: str = ""
    app_id: str = ""
    transaction_id: str = ""
    channel: PaymentChannel = PaymentChannel.UNKNOWN
    source: str = ""
    destination: str = ""
    account: str | None = None
    value: Cash
    wallet: Wallet | None = None
    purse: Purse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutPaymentSimulatorNotification(SimulatorNotification):
    """The gateway is to ask a customer to pay.

    Attributes:
        org_id: the organisation.
        app_id: the app that asks.
        customer_id: the customer.
        transaction_id: the payment.
        customer_number: who is to pay.
        channel_number: through which number.
        value: how much.
        wallet: the wallet that is paid, or
        purse: the purse that is paid.
    """

    event: ClassVar[str] = "checkoutPayment"
    key_fields: ClassVar[tuple[str, ...]] = ("transaction_id",)

    org_id: str = ""
    app_id: str = ""
    customer_id: str = ""
    transaction_id: str = ""
    customer_number: CustomerNumber
    channel_number: PaymentChannelNumber
    value: Cash
    wallet: Wallet | None = None
    purse: Purse | None = None


SIMULATOR_NOTIFICATIONS: tuple[type[SimulatorNotification], ...] = (
    SendMessageSimulatorNotification,
    MakeVoiceCallSimulatorNotification,
    SendCustomerPaymentSimulatorNotification,
    SendChannelPaymentSimulatorNotification,
    CheckoutPaymentSimulatorNotification,
)
"""Every class that a simulator's socket may be told of."""
