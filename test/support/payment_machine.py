"""Money under any sequence of payments: what is there is what came in less what left."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from machines import NUMBERS, WorldMachine, numbers, picked, picks
from seeded_world import PAYBILL, PURSE, SAVINGS
from world_support import ORG

from elarian_trio.models.commands import InitiatePayment, ReceivePayment, ReplayPayment, UpdatePaymentStatus
from elarian_trio.models.notifications import PaymentStatusNotification
from elarian_trio.models.payments import (
    Cash,
    ChannelPayment,
    CustomerPayment,
    PaymentChannel,
    PaymentStatus,
    Purse,
    Wallet,
)
from elarian_trio.sandbox.world.entities import PaymentsKey, PaymentsRecord, PurseRecord, TransactionRecord
from elarian_trio.sandbox.world.transactions import ON_ITS_WAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.models.payments import PaymentBalance, PaymentParty

Ledgers = Counter[str]

AMOUNTS = st.sampled_from(("0.0001", "1", "100", "400.25", "5000", "0", "-3", "1.23456"))
CURRENCIES = st.sampled_from(("KES", "KES", "KES", "USD", "kes", ""))
STATUSES = st.sampled_from([each for each in PaymentStatus if each is not PaymentStatus.UNKNOWN])
PARTIES = st.sampled_from(("purse", "savings", "nobody's purse", "wallet", "other wallet", "customer", "channel"))
ENDS = st.sampled_from((PaymentStatus.SUCCESS, PaymentStatus.REVERSED, PaymentStatus.FAILED))
WALLETS = st.sampled_from(("main", "other"))
PRICES = st.sampled_from((Cash("KES", 1), Cash("KES", "40.25"), Cash("KES", 300), Cash("KES", 3_000), Cash("USD", 1)))
OPENING = Decimal(1000)


class PaymentMachine(WorldMachine):
    """Apps pay, phones decide, gateways settle, customers are joined and deleted while money is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.total: dict[str, Decimal] = {"KES": OPENING}
        self.statuses: dict[str, PaymentStatus] = {}
        self.provider_ids: list[str] = []

    @initialize(mode=st.sampled_from(("auto", "manual")), number=numbers)
    def begin(self, mode: str, number: CustomerNumber) -> None:
        """Choose who settles; somebody is there from the beginning."""
        self.world.change_settings(settle=mode)
        self.meet(number)

    # The books: every status that a payment takes moves what its kind of payment moves.

    def balances(self) -> Iterator[PaymentBalance]:
        """Give every balance that there is."""
        for record in self.world.records.values():
            if isinstance(record, PurseRecord):
                yield from record.balances.values()
            if isinstance(record, PaymentsRecord):
                yield from record.wallets.values()

    def move(self, currency: str, amount: Decimal) -> None:
        """Have money come in from outside, or leave."""
        self.total[currency] = self.total.get(currency, Decimal(0)) + amount

    def book(self, transaction_id: str, status: PaymentStatus) -> None:
        """Note that a payment took *status*."""
        before, self.statuses[transaction_id] = self.statuses.get(transaction_id), status
        if before is not None and before not in ON_ITS_WAY:
            assert (before, status) == (PaymentStatus.SUCCESS, PaymentStatus.REVERSED), "final is final"
        record = self.record(transaction_id)
        value = record.transaction.value
        assert value is not None
        comes_in = isinstance(record.transaction.debit_party, CustomerPayment)
        leaves = isinstance(record.transaction.credit_party, CustomerPayment | ChannelPayment)
        if leaves and not self.is_there(record.transaction.debit_party):
            return  # the money went with the customer
        if (comes_in or leaves) and status in (PaymentStatus.SUCCESS, PaymentStatus.REVERSED):
            sign = 1 if comes_in is (status is PaymentStatus.SUCCESS) else -1
            self.move(value.currency_code, sign * value.amount)

    def is_there(self, party: PaymentParty | None) -> bool:
        """Whether a ledger is still there."""
        return not isinstance(party, Wallet) or self.heir(party.customer_id) not in self.deleted

    def record(self, transaction_id: str) -> TransactionRecord:
        """Give a payment."""
        found = [
            each
            for each in self.world.records.values()
            if isinstance(each, TransactionRecord) and each.transaction.transaction_id == transaction_id
        ]
        assert len(found) == 1
        return found[0]

    def hear(self) -> None:
        """Book every change of which an app was told; each is told once."""
        for told in self.world.told(PaymentStatusNotification):
            self.book(told.transaction_id, told.status)

    # The moves.

    @rule(one=numbers, other=numbers, joins=st.booleans())
    def change_who_is_who(self, one: CustomerNumber, other: CustomerNumber, joins: bool) -> None:
        """Two are one, and so is their money; or somebody is deleted, and their wallets' money with them."""
        heir, gone = self.meet(one), self.meet(other)
        if joins:
            self.adopt(heir, gone)
            return
        wallets = wallets_of(self.world.records.values(), gone)
        assert self.delete(gone)
        for balance in wallets:
            self.move(balance.currency_code, -amount(balance.actual))

    @rule(number=numbers, wallet=WALLETS, value=PRICES)
    def fill(self, number: CustomerNumber, wallet: str, value: Cash) -> None:
        """Money goes to a customer's wallet, whose currency it decides if it is the first."""
        self.pay(PURSE, Wallet(self.meet(number), wallet), value)

    @rule(number=numbers, other=numbers, wallet=WALLETS, value=PRICES, to=PARTIES)
    def spend(self, number: CustomerNumber, other: CustomerNumber, wallet: str, value: Cash, to: str) -> None:
        """A wallet pays somebody."""
        self.pay(Wallet(self.meet(number), wallet), self.party(to, other), value)

    @rule(purse=st.sampled_from((PURSE, SAVINGS)), number=numbers, value=PRICES, to=PARTIES)
    def disburse(self, purse: Purse, number: CustomerNumber, value: Cash, to: str) -> None:
        """A purse pays somebody."""
        self.pay(purse, self.party(to, number), value)

    @rule(number=numbers, value=PRICES, to=PARTIES)
    def check_out(self, number: CustomerNumber, value: Cash, to: str) -> None:
        """A customer is asked to pay."""
        self.pay(CustomerPayment(number, PAYBILL), self.party(to, number), value)

    @rule(one=PARTIES, other=PARTIES, pick=picks, sum_=AMOUNTS, currency=CURRENCIES)
    def pay_badly(self, one: str, other: str, pick: int, sum_: str, currency: str) -> None:
        """An app asks for what cannot be, mostly."""
        debit, credit = self.party(one, NUMBERS[0]), self.party(other, NUMBERS[1])
        if isinstance(debit, Wallet):
            debit = Wallet(picked(self.ids, pick), "main")
        self.pay(debit, credit, Cash(currency, sum_))

    def pay(self, debit: PaymentParty, credit: PaymentParty, value: Cash) -> None:
        """Have an app ask for a payment, and book what is told of it."""
        before = dict(self.world.records)
        reply = self.world.run(InitiatePayment(debit_party=debit, credit_party=credit, value=value))
        assert reply.description
        if reply.transaction_id is None:
            assert reply.status not in ON_ITS_WAY | {PaymentStatus.SUCCESS}
            assert self.world.records == before, "something is half-written"
            return
        assert value.amount > 0
        assert value.currency_code in ("KES", "USD")
        if reply.status in ON_ITS_WAY:
            self.statuses[reply.transaction_id] = reply.status
        self.hear()
        assert self.statuses[reply.transaction_id] is reply.status

    def party(self, name: str, number: CustomerNumber) -> PaymentParty:
        """Give a party of the kind that is named."""
        customer_id = self.meet(number)
        parties: dict[str, PaymentParty] = {
            "purse": PURSE,
            "savings": SAVINGS,
            "nobody's purse": Purse("el_prs_nobody"),
            "wallet": Wallet(customer_id, "main"),
            "other wallet": Wallet(customer_id, "other"),
            "customer": CustomerPayment(number, PAYBILL),
            "channel": ChannelPayment(PaymentChannel.CELLULAR, 63902, PAYBILL.number, "400200"),
        }
        return parties[name]

    @precondition(lambda self: self.statuses)
    @rule(pick=picks, is_latest=st.booleans(), status=STATUSES | ENDS)
    def decide(self, pick: int, is_latest: bool, status: PaymentStatus) -> None:
        """A phone, as the gateway, says what became of a payment."""
        transaction_id = picked(list(self.statuses), -1 if is_latest else pick)
        known, before = self.statuses[transaction_id], dict(self.world.records)
        reply = self.world.run(UpdatePaymentStatus(transaction_id=transaction_id, status=status))
        may = known in ON_ITS_WAY or (known, status) == (PaymentStatus.SUCCESS, PaymentStatus.REVERSED)
        if not reply.status or known is status:
            assert self.world.records == before, "something is half-written"
        if not may or (known in ON_ITS_WAY and status is PaymentStatus.REVERSED):
            assert reply.status is (known is status)
        elif status is not PaymentStatus.REVERSED:
            assert reply.status
        self.hear()

    @rule(number=numbers, value=PRICES | st.builds(Cash, CURRENCIES, AMOUNTS), status=STATUSES, again=st.booleans())
    def receive(self, number: CustomerNumber, value: Cash, status: PaymentStatus, again: bool) -> None:
        """A customer pays unasked, perhaps under an id that was used before."""
        given = self.provider_ids[-1] if again and self.provider_ids else f"MPESA{len(self.provider_ids)}"
        command = ReceivePayment(
            transaction_id=given,
            channel_number=PAYBILL,
            customer_number=number.number,
            value=value,
            status=status,
        )
        before = dict(self.world.records)
        reply = self.world.run(command)
        if not reply.status:
            assert self.world.records == before, "something is half-written"
            return
        assert given not in self.provider_ids, "it was taken twice"
        self.provider_ids.append(given)
        (record,) = (
            each
            for each in self.world.records.values()
            if isinstance(each, TransactionRecord) and each.transaction.provider_transaction_id == given
        )
        self.hear()
        self.book(record.transaction.transaction_id, status)

    @rule(pick=picks, number=numbers, status=STATUSES)
    def replay(self, pick: int, number: CustomerNumber, status: PaymentStatus) -> None:
        """A payment of the past is loaded, and moves nothing."""
        command = ReplayPayment(
            provider_transaction_id=f"PAST{pick}",
            debit_party=CustomerPayment(number, PAYBILL),
            credit_party=PURSE,
            status=status,
            value=Cash("KES", 7),
            created_at=self.world.now,
        )
        before = list(self.balances())
        assert self.world.run(command).status
        assert list(self.balances()) == before
        assert not self.world.notified

    @rule(seconds=st.sampled_from((0.1, 1, 60, 200)))
    def pass_time(self, seconds: float) -> None:
        """Gateways decide, and what nobody decided expires."""
        self.world.advance(seconds)
        self.hear()

    # What must hold.

    @invariant()
    def money_is_conserved(self) -> None:
        """All that is there is what was there at first, with what came in and without what left."""
        there: dict[str, Decimal] = {}
        for balance in self.balances():
            there[balance.currency_code] = there.get(balance.currency_code, Decimal(0)) + amount(balance.actual)
        assert {key: each for key, each in there.items() if each} == {
            key: each for key, each in self.total.items() if each
        }

    @invariant()
    def what_is_held_is_on_its_way(self) -> None:
        """No balance is below nothing, and what lies between actual and available is exactly what is held."""
        held: list[str] = []
        for balance in self.balances():
            assert amount(balance.available) >= 0
            pending = sum((amount(each.value) for each in balance.pending.values()), Decimal(0))
            assert amount(balance.actual) - amount(balance.available) == pending
            held += balance.pending
        assert len(held) == len(set(held)), "a payment holds money twice"
        for transaction_id, status in self.statuses.items():
            debit = self.record(transaction_id).transaction.debit_party
            holds = status in ON_ITS_WAY and isinstance(debit, Purse | Wallet) and self.is_there(debit)
            assert (transaction_id in held) is holds

    @invariant()
    def whatever_is_on_its_way_will_end(self) -> None:
        """One job waits for each payment that is on its way, and none for any other."""
        waiting = {job.transaction_id for _, _, job in self.world.jobs.values()}  # type: ignore[attr-defined]
        assert waiting == {each for each, status in self.statuses.items() if status in ON_ITS_WAY}

    @invariant()
    def nobody_misses_a_payment(self) -> None:
        """Whoever takes part in one, or adopted somebody who does, is shown it."""
        for transaction_id in self.statuses:
            record = self.record(transaction_id)
            for each in {record.debit_customer_id, record.credit_customer_id} - {None}:
                heir = self.heir(str(each))
                assert heir in self.deleted or transaction_id in self.shown(heir)

    def shown(self, customer_id: str) -> set[str]:
        """Give the ids of the payments that a customer's state shows."""
        found = self.world.records[PaymentsKey(ORG, customer_id)]
        assert isinstance(found, PaymentsRecord)
        return {*found.log, *found.pending}

    @invariant()
    def states_show_each_payment_where_it_stands(self) -> None:
        """As pending or as done, never both, and by the status that was told."""
        for customer_id in self.live:
            shown = next(
                (
                    each
                    for each in self.world.records.values()
                    if isinstance(each, PaymentsRecord) and each.customer_id == customer_id
                ),
                PaymentsRecord(org_id=ORG, customer_id=customer_id),
            )
            assert not set(shown.log) & set(shown.pending)
            assert len(shown.log) == len(set(shown.log)) <= 100
            for transaction_id in (*shown.log, *shown.pending):
                record = self.record(transaction_id)
                is_pending = record.transaction.status in ON_ITS_WAY
                assert is_pending is (transaction_id in shown.pending)
                assert record.is_replay or record.transaction.status is self.statuses[transaction_id]
                parties = {record.debit_customer_id, record.credit_customer_id} - {None}
                assert customer_id in {self.heir(str(each)) for each in parties}


def amount(cash: Cash | None) -> Decimal:
    """Give an amount."""
    assert cash is not None
    return cash.amount


def wallets_of(records: Any, customer_id: str) -> list[PaymentBalance]:  # noqa: ANN401
    """Give what is in a customer's wallets."""
    found = [each for each in records if isinstance(each, PaymentsRecord) and each.customer_id == customer_id]
    return [balance for record in found for balance in record.wallets.values()]
