"""Money: the parties of a payment, amounts, balances, and what was paid so far.

Stands on :mod:`.identity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from .checks import WireEnum
from .identity import CustomerNumber
from .model import Model, dataclass


class PaymentChannel(WireEnum):
    """How money moves."""

    UNKNOWN = "unknown"
    CELLULAR = "cellular"
    AIRTIME = "airtime"


PaymentChannelName: TypeAlias = Literal["cellular", "airtime"]


class PaymentStatus(WireEnum):
    """Where a payment stands.

    Pending: ``queued``, ``pending_confirmation``, ``pending_validation``, ``validated``. Done: ``success``, and
    ``reversed`` once the money went back. Any other but ``unknown``: it was refused or failed, and no money moved.
    """

    UNKNOWN = "unknown"
    QUEUED = "queued"
    PENDING_CONFIRMATION = "pending_confirmation"
    PENDING_VALIDATION = "pending_validation"
    VALIDATED = "validated"
    INVALID_REQUEST = "invalid_request"
    NOT_SUPPORTED = "not_supported"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    APPLICATION_ERROR = "application_error"
    NOT_ALLOWED = "not_allowed"
    DUPLICATE_REQUEST = "duplicate_request"
    INVALID_PURSE = "invalid_purse"
    INVALID_COUNTER_PARTY = "invalid_counter_party"
    INVALID_CHANNEL_NUMBER = "invalid_channel_number"
    GATEWAY_ERROR = "gateway_error"
    DECOMMISSIONED_CUSTOMER_ID = "decommissioned_customer_id"
    SUCCESS = "success"
    FAILED = "failed"
    THROTTLED = "throttled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REVERSED = "reversed"


PaymentStatusName: TypeAlias = Literal[
    "queued", "pending_confirmation", "pending_validation", "validated", "invalid_request", "not_supported",
    "insufficient_funds", "application_error", "not_allowed", "duplicate_request", "invalid_purse",
    "invalid_counter_party", "invalid_channel_number", "gateway_error", "decommissioned_customer_id", "success",
    "failed", "throttled", "expired", "rejected", "reversed",
]  # fmt: skip


@dataclass(frozen=True, slots=True, init=False)
class Cash(Model):
    """An amount of money.

    Args:
        currency_code: ISO 4217, such as "KES".
        amount: a Decimal, or an int, str or float that is made one. It travels as a double, so an amount that a
            double would change is a ValueError.
    """

    currency_code: str
    amount: Decimal

    def __init__(self, currency_code: str, amount: Decimal | float | str) -> None:
        object.__setattr__(self, "currency_code", currency_code)
        object.__setattr__(self, "amount", amount)
        Model.__post_init__(self)


@dataclass(frozen=True, slots=True)
class PaymentChannelNumber(Model):
    """A number of the organisation through which customers pay and are paid, such as a paybill.

    Attributes:
        number: the number.
        channel: how money moves through it.
    """

    number: str
    channel: PaymentChannel | PaymentChannelName = PaymentChannel.CELLULAR


@dataclass(frozen=True, slots=True)
class Purse(Model):
    """The organisation's own money box, by id."""

    purse_id: str


@dataclass(frozen=True, slots=True)
class Wallet(Model):
    """A named ledger of one customer.

    Attributes:
        customer_id: whose.
        wallet_id: its name; any, it is made by its first credit.
    """

    customer_id: str
    wallet_id: str


@dataclass(frozen=True, slots=True)
class CustomerPayment(Model):
    """A customer's own mobile money or airtime, reached through a payment channel number.

    Attributes:
        customer_number: whose.
        channel_number: through which number of the organisation.
    """

    customer_number: CustomerNumber
    channel_number: PaymentChannelNumber


@dataclass(frozen=True, slots=True)
class ChannelPayment(Model):
    """Another paybill, bank or airtime endpoint.

    Attributes:
        channel: how money moves.
        channel_code: the network, mobile country code and network code joined; 99999 is the sandbox's.
        source: from which number of the organisation.
        destination: to whom.
        account: the account there.
    """

    channel: PaymentChannel | PaymentChannelName
    channel_code: int
    source: str
    destination: str
    account: str | None = None


PaymentParty: TypeAlias = Purse | Wallet | CustomerPayment | ChannelPayment
"""Who pays or is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPaymentTransaction(Model):
    """Money on its way.

    Attributes:
        created_at: since when.
        value: how much.
        converted: how much in the balance's currency, where that differs.
    """

    created_at: datetime | None = None
    value: Cash | None = None
    converted: Cash | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentBalance(Model):
    """A wallet's or purse's balance.

    Attributes:
        currency_code: its currency.
        available: what can be spent.
        actual: what is there, with what is on its way out.
        pending: what is on its way, by transaction id.
        sequence_nr: grows by one with each change.
    """

    currency_code: str
    available: Cash | None = None
    actual: Cash | None = None
    pending: Mapping[str, PendingPaymentTransaction] = field(default_factory=dict[str, PendingPaymentTransaction])
    sequence_nr: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTransaction(Model):
    """A payment, done or pending.

    Attributes:
        transaction_id: Elarian's id.
        app_id: the app that asked for it.
        debit_party: who pays.
        credit_party: who is paid.
        value: how much.
        status: where it stands.
        created_at: when it was asked for.
        updated_at: when its status last changed.
        provider_transaction_id: the provider's own id.
        narration: the words given with it.
        description: the server's words on its status.
    """

    transaction_id: str
    app_id: str | None = None
    debit_party: PaymentParty | None = None
    credit_party: PaymentParty | None = None
    value: Cash | None = None
    status: PaymentStatus = PaymentStatus.UNKNOWN
    created_at: datetime | None = None
    updated_at: datetime | None = None
    provider_transaction_id: str | None = None
    narration: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentState(Model):
    """What a customer paid and was paid, most recent things only.

    Attributes:
        customer_numbers: the numbers that paid or were paid.
        channel_numbers: the organisation's numbers through which.
        transaction_log: payments that are done, oldest first.
        pending_transactions: payments on their way.
        wallets: the balance of each wallet by its name.
    """

    customer_numbers: tuple[CustomerNumber, ...] = ()
    channel_numbers: tuple[PaymentChannelNumber, ...] = ()
    transaction_log: tuple[PaymentTransaction, ...] = ()
    pending_transactions: tuple[PaymentTransaction, ...] = ()
    wallets: Mapping[str, PaymentBalance] = field(default_factory=dict[str, PaymentBalance])
