"""Money under any sequence of payments: none appears, none disappears. A stateful machine plays apps and gateway."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from seeded_world import PAYBILL, PURSE, SAVINGS, customer_id, seeded_world
from world_support import ASHA, BEN, World

from elarian_trio.models.commands import AdoptCustomerState, InitiatePayment, ReceivePayment, UpdatePaymentStatus
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.notifications import PaymentStatusNotification
from elarian_trio.models.payments import Cash, ChannelPayment, CustomerPayment, PaymentStatus, Purse, Wallet
from elarian_trio.sandbox.world.entities import PaymentsRecord, PurseRecord, TransactionRecord
from elarian_trio.sandbox.world.ledgers import amount_of
from elarian_trio.sandbox.world.transactions import ON_ITS_WAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio.models.payments import PaymentBalance, PaymentParty

Status = PaymentStatus
CHIP = CustomerNumber("+254709759883")
NUMBERS = (ASHA, BEN, CHIP)
AMOUNTS = st.sampled_from(
    [Decimal(each) for each in ("0.0001", "0.1", "1", "7.35", "60", "1000", "0", "-1", "0.00001")]
)
"""Small ones, so that there is money left to go on with, and a few that must be refused."""

LEDGERS = ("purse", "savings", "wallet", "wallet 2")
OUTSIDE = ("customer", "channel")
DECISIONS = st.sampled_from((Status.SUCCESS, Status.REVERSED, Status.FAILED, Status.VALIDATED)) | st.sampled_from(
    Status
)


class Money(RuleBasedStateMachine):
    """The organisation's ledgers, and beside them a book of what went in and out of the organisation."""

    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.world: World = seeded_world(settle="manual")
        self.expected = {"KES": Decimal(1000), "USD": Decimal(0)}
        self.final: dict[str, Status] = {}
        self.versions: dict[str, PaymentBalance] = {}
        self.unasked = 0
        self.changes_at_once = 1
        self.has_adopted = False

    # What apps, customers and the gateway do.

    @initialize(target=payments)
    def fill_wallets(self) -> object:
        """Have something in wallets, and something on its way, to begin with."""
        for number in NUMBERS:
            self._pay("purse", "wallet", number, number, Decimal(100), "KES")
        return self._pay("wallet", "customer", ASHA, BEN, Decimal(40), "KES")

    @rule(
        target=payments,
        sides=st.tuples(st.sampled_from(LEDGERS), st.sampled_from((*LEDGERS, *OUTSIDE, *OUTSIDE)))
        | st.tuples(st.just("customer"), st.sampled_from(LEDGERS))
        | st.tuples(st.sampled_from(OUTSIDE), st.sampled_from(OUTSIDE)),
        who=st.sampled_from(NUMBERS),
        whom=st.sampled_from(NUMBERS),
        amount=AMOUNTS,
        currency=st.sampled_from(("KES", "KES", "KES", "USD")),
    )
    def pay(
        self, sides: tuple[str, str], who: CustomerNumber, whom: CustomerNumber, amount: Decimal, currency: str
    ) -> object:
        """An app asks for a payment between anything and anything."""
        return self._pay(*sides, who, whom, amount, currency)

    def _pay(
        self, debit: str, credit: str, who: CustomerNumber, whom: CustomerNumber, amount: Decimal, currency: str
    ) -> object:
        command = InitiatePayment(
            debit_party=self._party(debit, who), credit_party=self._party(credit, whom), value=Cash(currency, amount)
        )
        reply = self.world.run(command)
        if reply.transaction_id is None:
            assert reply.status not in ON_ITS_WAY | {Status.SUCCESS}
            return multiple()
        return reply.transaction_id

    def _party(self, side: str, number: CustomerNumber) -> PaymentParty:
        if side in ("purse", "savings"):
            return PURSE if side == "purse" else SAVINGS
        if side == "customer":
            return CustomerPayment(number, PAYBILL)
        if side == "channel":
            return ChannelPayment("cellular", 99999, "83044", "1")
        return Wallet(customer_id(self.world, number), side)

    @rule(target=payments, number=st.sampled_from(NUMBERS), amount=AMOUNTS, status=DECISIONS)
    def receive(self, number: CustomerNumber, amount: Decimal, status: Status) -> object:
        """A customer pays unasked."""
        self.unasked += 1
        command = ReceivePayment(
            transaction_id=f"mpesa-{self.unasked}",
            channel_number=PAYBILL,
            customer_number=number.number,
            value=Cash("KES", amount),
            status=status,
        )
        if not self.world.run(command).status:
            return multiple()
        if status is Status.SUCCESS:
            self.expected["KES"] += amount
        return f"mpesa-{self.unasked}"

    @rule(payment=payments, status=DECISIONS)
    def decide(self, payment: str, status: Status) -> None:
        """The gateway decides, sensibly or not."""
        self.world.run(UpdatePaymentStatus(transaction_id=payment, status=status))

    @rule(
        payer=st.sampled_from(("purse", "wallet")),
        payee=st.sampled_from(OUTSIDE),
        who=st.sampled_from(NUMBERS),
        is_checkout=st.booleans(),
        decisions=st.lists(DECISIONS, min_size=1, max_size=3),
    )
    def pay_and_decide(
        self, payer: str, payee: str, who: CustomerNumber, is_checkout: bool, decisions: list[Status]
    ) -> None:
        """A payment to or from the outside, seen through to its end: runs that never do it would show little."""
        sides = ("customer", payer) if is_checkout else (payer, payee)
        payment = self._pay(*sides, who, who, Decimal("7.35"), "KES")
        self.changes_at_once = len(decisions) + 1
        if isinstance(payment, str):
            for status in decisions:
                self.decide(payment, status)

    @rule(seconds=st.sampled_from((1, 60, 120)))
    def wait(self, seconds: int) -> None:
        """Time passes, and payments that nobody decided about expire."""
        self.changes_at_once = 1_000
        self.world.advance(seconds)

    @rule(survivor=st.sampled_from(NUMBERS), other=st.sampled_from(NUMBERS))
    def adopt(self, survivor: CustomerNumber, other: CustomerNumber) -> None:
        """Two customers turn out to be one, with money on its way or not."""
        self.world.run(
            AdoptCustomerState(customer_id=customer_id(self.world, survivor), other_customer=other),
        )
        self.has_adopted = True
        self.versions.clear()  # wallets were added up under other names

    # What holds after each of them.

    def teardown(self) -> None:
        """In the end nothing is on its way, and nothing is held."""
        self.world.advance(120)
        self.money_is_neither_made_nor_lost()
        assert not [balance for _, balance in self._balances() if balance.pending]

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        """What came in and went out, as the app was told, is what the ledgers hold."""
        self._book()
        actual = {"KES": Decimal(0), "USD": Decimal(0)}
        for _, balance in self._balances():
            actual[balance.currency_code] += amount_of(balance.actual)
        assert actual == self.expected

    def _book(self) -> None:
        """Keep a book of our own, from the notifications alone, of what crossed the organisation's border."""
        for told in self.world.told(PaymentStatusNotification):
            payment = self._payment(told.transaction_id)
            value = payment.transaction.value
            assert value is not None
            sign = {Status.SUCCESS: 1, Status.REVERSED: -1}.get(told.status, 0)
            came_in = isinstance(payment.transaction.credit_party, Purse | Wallet)
            went_out = isinstance(payment.transaction.debit_party, Purse | Wallet)
            self.expected[value.currency_code] += sign * (came_in - went_out) * value.amount

    def _payment(self, transaction_id: str) -> TransactionRecord:
        return next(
            each
            for each in self.world.records.values()
            if isinstance(each, TransactionRecord) and each.transaction.transaction_id == transaction_id
        )

    def _balances(self) -> Iterator[tuple[str, PaymentBalance]]:
        for record in self.world.records.values():
            if isinstance(record, PurseRecord):
                for currency, balance in record.balances.items():
                    yield f"{record.purse_id} {currency}", balance
            elif isinstance(record, PaymentsRecord):
                for name, balance in record.wallets.items():
                    yield f"{record.customer_id} {name}", balance

    @invariant()
    def what_is_held_is_exactly_what_cannot_be_spent(self) -> None:
        """Available is never above actual, nor below zero, and the difference is what is pending."""
        for _, balance in self._balances():
            held = sum((amount_of(each.value) for each in balance.pending.values()), Decimal(0))
            assert 0 <= amount_of(balance.available) <= amount_of(balance.actual)
            assert amount_of(balance.actual) - amount_of(balance.available) == held

    @invariant()
    def only_payments_on_their_way_hold_money(self) -> None:
        """A final payment left nothing behind."""
        for _, balance in self._balances():
            for transaction_id in balance.pending:
                assert self._payment(transaction_id).transaction.status in ON_ITS_WAY

    @invariant()
    def a_balance_that_changed_counted_it(self) -> None:
        """The number grows by one with each change; one step makes one at most, only time may settle several.

        Once customers were adopted, both sides of a payment may be one and the same wallet: two changes of it.
        """
        most = self.changes_at_once * (2 if self.has_adopted else 1)
        for name, balance in self._balances():
            before = self.versions.get(name)
            if before is not None:
                assert (balance == before) == (balance.sequence_nr == before.sequence_nr)
                assert 0 <= balance.sequence_nr - before.sequence_nr <= most
            self.versions[name] = balance
        self.changes_at_once = 1

    @invariant()
    def a_final_status_is_final(self) -> None:
        """Only a success can still be reversed."""
        for record in self.world.records.values():
            if isinstance(record, TransactionRecord):
                payment = record.transaction
                before = self.final.get(payment.transaction_id)
                if before not in (None, payment.status):
                    assert (before, payment.status) == (Status.SUCCESS, Status.REVERSED)
                if payment.status not in ON_ITS_WAY:
                    self.final[payment.transaction_id] = payment.status


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
