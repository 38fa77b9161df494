"""Collect twelve loans by SMS, USSD, voice and mobile money, against an Elarian server in this process.

The app reads ``loans.csv``, tags each borrower, keeps the loan as metadata and sets a reminder for its due date. From
then on it only answers what it is told:

- on the due date an SMS asks to reply OK, which starts a checkout on the borrower's phone;
- three days later a second SMS names the USSD menu, where all or part can be paid;
- four days later the phone rings: press 1 to pay;
- a week after that the loan is closed as it stands.

Whoever pays in full gets a receipt and one per cent back into a wallet. The borrowers' phones, and the mobile-money
gateway, are played by a ``Simulator`` in the same program, each as the CSV says. It ends with a table of who paid
what, and with exit status 0 only when the books balance.

Time is virtual: weeks pass in seconds. ``--real-time`` waits for real, with ``--day`` seconds for a day;
``--backend asyncio`` moves the sandbox's manual clock. Ctrl-C or SIGTERM ends it early; for a program that goes on with
real customers until then, see ``service.py``.
"""

from __future__ import annotations

import argparse
import csv
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import anyio
import anyio.abc
from trio.testing import MockClock

from elarian_trio import (
    Cash,
    CheckoutPaymentSimulatorNotification,
    ConsentAction,
    Customer,
    CustomerNumber,
    CustomerPayment,
    Delivery,
    Elarian,
    GetDigits,
    MakeVoiceCallSimulatorNotification,
    MessagingChannel,
    PaymentChannelNumber,
    PaymentStatus,
    PaymentStatusNotification,
    Purse,
    ReceivedPaymentNotification,
    ReceivedSmsNotification,
    Reminder,
    ReminderNotification,
    Say,
    SendMessageSimulatorNotification,
    Simulator,
    Tag,
    UssdInput,
    UssdMenu,
    UssdSessionNotification,
    VoiceCallInput,
    VoiceCallNotification,
    Wallet,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

SMS = MessagingChannel.sms("83044")
USSD = MessagingChannel.ussd("*83044#")
VOICE = MessagingChannel.voice("+254711621711")
PAYBILL = PaymentChannelNumber("83044")
CASHBACK = Decimal("0.01")


@dataclass(frozen=True)
class Loan:
    """One row of the CSV."""

    name: str
    phone: str
    amount: Decimal
    currency: str
    due: datetime
    behaviour: str


def read_loans(path: Path) -> list[Loan]:
    """Read the loans; the due dates are taken relative to the first one, so that the story can start any day."""
    with path.open(newline="") as file:
        return [
            Loan(
                row["name"],
                row["phone"],
                Decimal(row["amount"]),
                row["currency"],
                datetime.fromisoformat(row["due"]).replace(tzinfo=UTC),
                row["behaviour"],
            )
            for row in csv.DictReader(file)
        ]


@dataclass
class Timeline:
    """What happened, printed as it happens."""

    now: Callable[[], datetime]
    day: timedelta
    start: datetime

    def tell(self, who: str, what: str) -> None:
        """Print one line with the day of the story."""
        elapsed = (self.now() - self.start) / self.day
        hours = int(elapsed * 24) % 24
        print(f"day {int(elapsed):>2} {hours:02}h  {who:<8} {what}", flush=True)


# --- the app ---


@dataclass
class Collector:
    """The app: everything it needs to know of a borrower stands in Elarian, not here."""

    app: Elarian
    timeline: Timeline
    purse_id: str
    open_loans: set[str] = field(default_factory=set[str])
    all_closed: anyio.Event = field(default_factory=anyio.Event)

    async def load(self, loan: Loan, due: datetime) -> None:
        """Tag a borrower, keep the loan as metadata, and set the first reminder."""
        borrower = self.app.customer(loan.phone)
        await borrower.update_tags(Tag("loan", "open"))
        await borrower.update_metadata(
            {"name": loan.name, "phone": loan.phone, "owed": str(loan.amount), "currency": loan.currency, "paid": "0"}
        )
        await borrower.add_reminder(Reminder("loan", due, payload="first SMS"))
        self.open_loans.add(loan.phone)

    async def remind(self, delivery: Delivery[ReminderNotification]) -> None:
        """Take the step that the reminder names, and set the next."""
        borrower, step = delivery.customer, delivery.notification.reminder.payload
        loan = await borrower.get_metadata()
        self.timeline.tell(loan["name"], f"reminder: {step}")
        if step == "close":
            await self.close(borrower, loan, "unpaid" if loan["paid"] == "0" else "partly paid")
            return
        days, following = {"first SMS": (3, "second SMS"), "second SMS": (4, "call"), "call": (7, "close")}[step]
        await borrower.add_reminder(Reminder("loan", self.timeline.now() + days * self.timeline.day, payload=following))
        rest = left(loan)
        if step == "first SMS":
            await borrower.send_message(SMS, f"{loan['name']}, {money(rest)} is due today. Reply OK to pay.")
        elif step == "second SMS":
            await borrower.send_message(SMS, f"{money(rest)} is overdue. Reply OK, or dial {USSD.number} to pay.")
        else:
            prompt = Say(f"You owe {money(rest)}. Press 1 to pay now.")
            await borrower.make_voice_call(VOICE, (GetDigits(say=prompt, num_digits=1),))

    async def answer_sms(self, delivery: Delivery[ReceivedSmsNotification]) -> None:
        """OK starts a checkout, STOP ends the conversation."""
        borrower = delivery.customer
        word = (delivery.notification.text or "").strip().upper()
        loan = await borrower.get_metadata()
        if word == "OK":
            await self.check_out(borrower, loan, left(loan))
        elif word == "STOP":
            await borrower.send_message(SMS, "You will not hear from us again; a colleague will visit you.")
            await borrower.update_messaging_consent(SMS, ConsentAction.BLOCK)
            await self.close(borrower, loan, "opted out")

    async def answer_ussd(self, delivery: Delivery[UssdSessionNotification]) -> None:
        """Walk through the menu; where the borrower stands in it is kept as app data."""
        text = delivery.notification.input.text
        where: dict[str, str] = delivery.app_data or {}
        screen = where.get("screen", "home")
        loan = await delivery.customer.get_metadata()
        rest = left(loan)
        if screen == "home":
            menu = UssdMenu(f"You owe {money(rest)}\n1. Pay all\n2. Pay a part")
            await delivery.reply(menu, app_data={"screen": "choice"})
        elif screen == "choice" and text == "2":
            await delivery.reply(UssdMenu("How much?"), app_data={"screen": "amount"})
        elif screen == "choice" and text == "1":
            await delivery.reply(UssdMenu("Confirm on your phone.", is_terminal=True), app_data=None)
            await self.check_out(delivery.customer, loan, rest)
        elif screen == "amount" and text.isdigit() and 0 < Decimal(text) <= rest:
            await delivery.reply(UssdMenu("Confirm on your phone.", is_terminal=True), app_data=None)
            await self.check_out(delivery.customer, loan, Decimal(text))
        else:
            await delivery.reply(UssdMenu(f"Please enter an amount up to {rest}"), app_data={"screen": "amount"})

    async def answer_call(self, delivery: Delivery[VoiceCallNotification]) -> None:
        """Whoever presses 1 gets a checkout."""
        if delivery.notification.voice.dtmf_digits == "1":
            loan = await delivery.customer.get_metadata()
            await delivery.reply((Say("Thank you. Confirm on your phone."),))
            await self.check_out(delivery.customer, loan, left(loan))

    async def check_out(self, borrower: Customer, loan: dict[str, Any], amount: Decimal) -> None:
        """Ask the borrower's mobile money for the amount; how it ends comes as a notification."""
        payer = CustomerPayment(CustomerNumber(loan["phone"]), PAYBILL)
        cash = Cash(loan["currency"], amount)
        reply = await self.app.initiate_payment(payer, Purse(self.purse_id), cash, "loan")
        if reply.transaction_id is not None:
            await borrower.update_metadata({f"checkout {reply.transaction_id}": str(amount)})
        self.timeline.tell(loan["name"], f"checkout of {money(amount)}: {reply.status}")

    async def settle_checkout(self, delivery: Delivery[PaymentStatusNotification]) -> None:
        """Book a checkout that succeeded."""
        payment = delivery.notification
        if payment.customer_id is None:
            return
        loan = await delivery.customer.get_metadata()
        amount = loan.get(f"checkout {payment.transaction_id}")
        if amount is None:
            return  # our own cashback
        if payment.status is PaymentStatus.SUCCESS:
            await self.book(delivery.customer, loan, Decimal(amount))
        else:
            self.timeline.tell(loan["name"], f"checkout {payment.status}")

    async def settle_paybill(self, delivery: Delivery[ReceivedPaymentNotification]) -> None:
        """Book money that came in unasked."""
        if delivery.notification.status is PaymentStatus.SUCCESS:
            loan = await delivery.customer.get_metadata()
            await self.book(delivery.customer, loan, delivery.notification.value.amount)

    async def book(self, borrower: Customer, loan: dict[str, Any], amount: Decimal) -> None:
        """Write a payment down, send the receipt, and close the loan once nothing is left."""
        paid = Decimal(loan["paid"]) + amount
        loan = {**loan, "paid": str(paid)}
        await borrower.update_metadata({"paid": loan["paid"]})
        await borrower.send_message(SMS, f"Received {money(amount)}. Left to pay: {money(left(loan))}.")
        if left(loan) == 0:
            await self.reward(borrower, loan)
            await borrower.cancel_reminder("loan")
            await self.close(borrower, loan, "paid")

    async def reward(self, borrower: Customer, loan: dict[str, Any]) -> None:
        """Give one per cent back into the borrower's wallet."""
        state = await borrower.get_state()
        cash = Cash(loan["currency"], Decimal(loan["owed"]) * CASHBACK)
        reply = await self.app.initiate_payment(
            Purse(self.purse_id), Wallet(state.customer_id, "cashback"), cash, "thank you"
        )
        self.timeline.tell(loan["name"], f"cashback of {money(cash.amount)}: {reply.status}")

    async def close(self, borrower: Customer, loan: dict[str, Any], outcome: str) -> None:
        """Mark the loan closed and stop reminding."""
        await borrower.update_tags(Tag("loan", outcome))
        await borrower.cancel_reminder("loan")
        self.timeline.tell(loan["name"], f"closed: {outcome}")
        self.open_loans.discard(loan["phone"])
        if not self.open_loans:
            self.all_closed.set()


def left(loan: dict[str, Any]) -> Decimal:
    """Give what is still owed."""
    return Decimal(loan["owed"]) - Decimal(loan["paid"])


def money(amount: Decimal) -> str:
    """Give an amount as people write it."""
    return f"KES {amount:,.2f}"


# --- the borrowers ---

REPLIES_OK = {"pays at first SMS": 1, "declines then pays": 1, "pays at second SMS": 2}
PRESSES_ONE = {"pays after the call", "declines then pays"}


@dataclass
class Borrowers:
    """All the phones and the mobile-money gateway; each borrower does what the CSV says."""

    phone: Simulator
    timeline: Timeline
    loans: dict[str, Loan]
    received: Counter[str] = field(default_factory=Counter[str])
    asked: Counter[str] = field(default_factory=Counter[str])
    paid: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    async def read_sms(self, delivery: Delivery[SendMessageSimulatorNotification]) -> None:
        """Act on the first or second reminder by SMS; receipts are only read."""
        notification = delivery.notification
        loan = self.loans[notification.customer_number.number]
        text = notification.message.body
        if not isinstance(text, str):
            return
        self.timeline.tell(loan.name, f"  reads: {text}")
        if "due" not in text:
            return
        self.received[loan.phone] += 1
        count, behaviour = self.received[loan.phone], loan.behaviour
        if REPLIES_OK.get(behaviour) == count:
            await self.text(loan, "OK")
        elif behaviour == "opts out":
            await self.text(loan, "STOP")
        elif behaviour == "pays at the paybill" and count == 1:
            await self.pay_at_paybill(loan)
        elif behaviour == "dials the menu" and count == 2:
            await self.dial(loan, "", "1")
        elif behaviour == "pays part by menu" and count == 2:
            await self.dial(loan, "", "2", str(loan.amount // 2))

    async def text(self, loan: Loan, words: str) -> None:
        """Send an SMS."""
        self.timeline.tell(loan.name, f"  writes: {words}")
        await self.phone.receive_message(loan.phone, SMS, "", [words])

    async def dial(self, loan: Loan, *inputs: str) -> None:
        """Dial the USSD code and answer its menus."""
        for text in inputs:
            self.timeline.tell(loan.name, f"  enters {text!r}" if text else f"  dials {USSD.number}")
            reply = await self.phone.receive_message(
                loan.phone, USSD, f"ussd-{loan.phone}", [UssdInput(text, "active")]
            )
            if reply.message is not None and isinstance(reply.message.body, UssdMenu):
                self.timeline.tell(loan.name, "  sees: " + reply.message.body.text.replace("\n", " | "))

    async def answer_phone(self, delivery: Delivery[MakeVoiceCallSimulatorNotification]) -> None:
        """Listen to a call, press 1 or hang up."""
        call = delivery.notification
        loan = self.loans[call.customer_number.number]
        presses = loan.behaviour in PRESSES_ONE
        self.timeline.tell(loan.name, "  picks up and presses 1" if presses else "  hangs up")
        steps = [VoiceCallInput(direction="outbound", status="active", dtmf_digits="1")] if presses else []
        steps.append(VoiceCallInput(direction="outbound", status="completed", hangup_cause="normal_clearing"))
        for step in steps:
            await self.phone.receive_message(loan.phone, VOICE, call.session_id, [step])

    async def confirm(self, delivery: Delivery[CheckoutPaymentSimulatorNotification]) -> None:
        """Confirm or decline a checkout on the phone."""
        checkout = delivery.notification
        loan = self.loans[checkout.customer_number.number]
        self.asked[loan.phone] += 1
        declines = loan.behaviour == "declines then pays" and self.asked[loan.phone] == 1
        self.timeline.tell(loan.name, "  declines the checkout" if declines else "  confirms the checkout")
        status = PaymentStatus.REJECTED if declines else PaymentStatus.SUCCESS
        await self.phone.update_payment_status(checkout.transaction_id, status)
        if not declines:
            self.pay(loan, checkout.value.amount)

    async def pay_at_paybill(self, loan: Loan) -> None:
        """Pay unasked."""
        self.timeline.tell(loan.name, f"  pays {money(loan.amount)} at the paybill")
        await self.phone.receive_payment(
            loan.phone, PAYBILL, f"paybill-{loan.phone}", Cash(loan.currency, loan.amount), PaymentStatus.SUCCESS
        )
        self.pay(loan, loan.amount)

    def pay(self, loan: Loan, amount: Decimal) -> None:
        """Note, independently of the app, what left a borrower's pocket."""
        self.paid[loan.phone] = self.paid.get(loan.phone, Decimal(0)) + amount


# --- the program ---


async def answer(
    client: Elarian | Simulator,
    kind: type[Any],
    handler: Callable[[Delivery[Any]], Awaitable[None]],
    *,
    task_status: anyio.abc.TaskStatus[None],
) -> None:
    """Answer every notification of one kind, in order, until cancelled."""
    async with client.notifications(kind) as deliveries:
        task_status.started()
        async for delivery in deliveries:
            async with delivery:
                await handler(delivery)


@dataclass
class Ending:
    """How the story ends early: in order at the first SIGINT (Ctrl-C) or SIGTERM, at once at the second."""

    story: anyio.CancelScope
    signal: signal.Signals | None = None

    async def watch(self, program: anyio.CancelScope, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        """Cancel the story, then the whole *program*, when the operating system says so."""
        try:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                async for number in signals:
                    (self.story if self.signal is None else program).cancel()
                    self.signal = self.signal or number
        except NotImplementedError:  # asyncio on Windows: there Ctrl-C cancels everything, see main()
            task_status.started()


async def run(options: argparse.Namespace) -> int:
    """Play the story, to its end or until a signal comes; give the exit status."""
    ending, balanced = Ending(anyio.CancelScope()), False
    async with anyio.create_task_group() as tasks:
        await tasks.start(ending.watch, tasks.cancel_scope)
        balanced = await play(options, ending.story)
        tasks.cancel_scope.cancel()
    if ending.signal is not None:
        print(f"stopped by {ending.signal.name}, with loans still open")
        return 128 + ending.signal
    return 0 if balanced else 1


async def play(options: argparse.Namespace, story: anyio.CancelScope) -> bool:
    """Run the story and say whether its books balance."""
    loans = {loan.phone: loan for loan in read_loans(options.loans)}
    clock: Literal["auto", "real", "manual"] = (
        "real" if options.real_time else "manual" if options.backend == "asyncio" else "auto"
    )
    day = timedelta(seconds=options.day) if options.real_time else timedelta(days=1)
    async with (
        Sandbox(clock=clock, settle="manual", seed=1) as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials) as phone,
    ):
        timeline = Timeline(sandbox.clock.now, day, sandbox.clock.now())
        collector = Collector(app, timeline, sandbox.purse_id)
        borrowers = Borrowers(phone, timeline, loans)
        opening_balance = sandbox.purse_balance(sandbox.purse_id)
        with story:  # cancelled, it still leaves the clients' blocks in order
            await collect(sandbox, collector, borrowers, moves_clock=clock == "manual")
            moved = sandbox.purse_balance(sandbox.purse_id) - opening_balance
            return await close_the_books(app, loans, borrowers, moved)
    return False


async def collect(sandbox: Sandbox, collector: Collector, borrowers: Borrowers, *, moves_clock: bool) -> None:
    """Lend, and let time pass until every loan is closed."""
    async with anyio.create_task_group() as tasks:
        await start_answering(tasks, collector, borrowers)
        await load(borrowers.loans.values(), collector)
        while not collector.all_closed.is_set():
            if moves_clock:
                await sandbox.clock.advance(timedelta(hours=6))
            else:
                await collector.all_closed.wait()
        tasks.cancel_scope.cancel()


async def start_answering(tasks: anyio.abc.TaskGroup, collector: Collector, borrowers: Borrowers) -> None:
    """Give every kind of notification a task, on both sides; each is listening when this returns."""
    for client, kind, handler in (
        (collector.app, ReminderNotification, collector.remind),
        (collector.app, ReceivedSmsNotification, collector.answer_sms),
        (collector.app, UssdSessionNotification, collector.answer_ussd),
        (collector.app, VoiceCallNotification, collector.answer_call),
        (collector.app, PaymentStatusNotification, collector.settle_checkout),
        (collector.app, ReceivedPaymentNotification, collector.settle_paybill),
        (borrowers.phone, SendMessageSimulatorNotification, borrowers.read_sms),
        (borrowers.phone, MakeVoiceCallSimulatorNotification, borrowers.answer_phone),
        (borrowers.phone, CheckoutPaymentSimulatorNotification, borrowers.confirm),
    ):
        await tasks.start(answer, client, kind, handler)


async def load(loans: Collection[Loan], collector: Collector) -> None:
    """Load the loans so that the first falls due tomorrow."""
    first_due = min(loan.due for loan in loans)
    for loan in loans:
        days_later = 1 + (loan.due - first_due) / timedelta(days=1)
        await collector.load(loan, collector.timeline.start + days_later * collector.timeline.day)


async def close_the_books(app: Elarian, loans: dict[str, Loan], borrowers: Borrowers, moved: Decimal) -> bool:
    """Print who paid what, and compare what left the pockets with what reached the purse and the wallets."""
    print(f"\n{'borrower':<10}{'behaviour':<22}{'owed':>12}{'paid':>12}{'cashback':>12}  outcome")
    total = wallets = Decimal(0)
    agreed = True
    for loan in loans.values():
        state = await app.customer(loan.phone).get_state()
        wallet = state.payment_state.wallets.get("cashback")
        cashback = wallet.actual.amount if wallet is not None and wallet.actual is not None else Decimal(0)
        outcome = next(tag.value for tag in state.identity_state.tags if tag.key == "loan")
        paid = borrowers.paid.get(loan.phone, Decimal(0))
        agreed = agreed and paid == Decimal(state.identity_state.metadata["paid"])
        total, wallets = total + paid, wallets + cashback
        print(f"{loan.name:<10}{loan.behaviour:<22}{loan.amount:>12,.2f}{paid:>12,.2f}{cashback:>12,.2f}  {outcome}")
    balanced = agreed and total == moved + wallets
    print(f"\npaid by the borrowers {total:,.2f} = purse {moved:,.2f} + wallets {wallets:,.2f}: ", end="")
    print("the books balance" if balanced else "THE BOOKS DO NOT BALANCE")
    return balanced


def main() -> int:
    """Read the command line and run the story."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backend", choices=("trio", "asyncio"), default="trio", help="what the program runs under")
    parser.add_argument("--real-time", action="store_true", help="wait for real instead of in virtual time")
    parser.add_argument("--day", type=float, default=5.0, help="seconds that a day takes with --real-time (default 5)")
    parser.add_argument("--loans", type=Path, default=Path(__file__).with_name("loans.csv"), help="the CSV to collect")
    options = parser.parse_args()
    virtual = options.backend == "trio" and not options.real_time
    clock = {"clock": MockClock(autojump_threshold=0)} if virtual else {}
    try:
        return anyio.run(run, options, backend=options.backend, backend_options=clock)
    except KeyboardInterrupt:  # where no signals can be watched
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
