"""What a customer paid and was paid, payment by payment, and the organisation's own money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.payments import PaymentBalance, PaymentChannel, PaymentChannelNumber, PaymentTransaction
from elarian_trio.sandbox.world.entities.record import Key, Record, key_class, record_class

__all__ = [
    "PaymentChannelKey",
    "PaymentChannelRecord",
    "PaymentsKey",
    "PaymentsRecord",
    "PurseKey",
    "PurseRecord",
    "TransactionAliasKey",
    "TransactionAliasRecord",
    "TransactionKey",
    "TransactionRecord",
]


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
    """Names a payment channel number; make it with :func:`.world.addresses.payment_channel_key`, which normalises."""

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
