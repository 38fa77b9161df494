"""Writes, payments and messages under load, and a ledger of what clients were told, for servers that fail.

The tests of killed servers and failing disks stand above; a sandbox's file is held against the ledger afterwards.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from elarian_trio import Cash, Elarian, MessagingChannel, PaymentStatus, Purse, Simulator, Wallet
from elarian_trio.errors import CommandFailed, ElarianError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio.sandbox import Sandbox

CUSTOMERS = 8
SMS = MessagingChannel.sms("83044")
PURSE = "purse"
OPENING = Decimal(10_000_000)
MAX_UNHEARD = 500  # texts; a server keeps 1,000 for an app that is away, as it is after each restart, and drops others


@dataclass
class Ledger:
    """What clients asked for, and what they were told.

    Attributes:
        asked: the last number that was written for each customer, told or not.
        told: the last one that the server said it has.
        paid: how often each customer's payment was answered "success".
        ordered: how often it was asked for.
        written: the texts that the phone was told have arrived.
        heard: how often the app heard each text.
        unheard: the texts that have arrived and are still to be heard.
        refused: how often the server refused something, by its words.
    """

    asked: Counter[int] = field(default_factory=Counter)
    told: Counter[int] = field(default_factory=Counter)
    ordered: Counter[int] = field(default_factory=Counter)
    paid: Counter[int] = field(default_factory=Counter)
    written: set[str] = field(default_factory=set)
    heard: Counter[str] = field(default_factory=Counter)
    unheard: set[str] = field(default_factory=set)
    news: anyio.Event = field(default_factory=anyio.Event)
    refused: Counter[str] = field(default_factory=Counter)
    texts: int = 0

    def note_written(self, said: str) -> None:
        """Note that the phone was told that *said* has arrived."""
        self.written.add(said)
        if said not in self.heard:
            self.unheard.add(said)

    def note_heard(self, said: str) -> None:
        """Note that the app heard *said*."""
        self.heard[said] += 1
        self.unheard.discard(said)
        self.news.set()
        self.news = anyio.Event()

    def __str__(self) -> str:
        """Say what was acknowledged."""
        return (
            f"{self.told.total()} writes, {self.paid.total()} payments and {len(self.written)} messages acknowledged, "
            f"{self.heard.total() - len(self.heard)} heard again"
        )


def number_of(customer: int) -> str:
    """Give a customer's number."""
    return f"+2547{customer:08d}"


async def load(app: Elarian, phone: Simulator, inbox: Any, ledger: Ledger, wallets: dict[int, Wallet]) -> None:  # noqa: ANN401
    """Write, pay and say as much as goes, until the connection is gone.

    The app's *inbox* is to be opened before the app's block, so that it is not closed before: what nobody takes from
    an app that is there is answered by default.
    """
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear, inbox, ledger)
        for customer in range(CUSTOMERS):
            for work in (write, pay, text):
                tasks.start_soon(until_lost, partial(work, app, phone, ledger, wallets, customer), ledger)


async def until_lost(work: Callable[[], Awaitable[None]], ledger: Ledger) -> None:
    """Do *work* again and again, refused or not, until the server is gone."""
    try:
        while True:
            try:
                await work()
            except CommandFailed as error:
                ledger.refused[error.description] += 1
    except ElarianError:
        return


async def write(app: Elarian, _: Simulator, ledger: Ledger, __: dict[int, Wallet], customer: int) -> None:
    """Write the next number in two places at once: one of them alone would be a half."""
    ledger.asked[customer] += 1
    number = ledger.asked[customer]
    await app.customer(number_of(customer)).update_metadata({"left": number, "right": number})
    ledger.told[customer] = number


async def pay(app: Elarian, _: Simulator, ledger: Ledger, wallets: dict[int, Wallet], customer: int) -> None:
    """Move a shilling from the purse to the customer."""
    ledger.ordered[customer] += 1
    reply = await app.initiate_payment(Purse(PURSE), wallets[customer], Cash("KES", 1))
    assert reply.status is PaymentStatus.SUCCESS
    ledger.paid[customer] += 1


async def text(_: Elarian, phone: Simulator, ledger: Ledger, __: dict[int, Wallet], customer: int) -> None:
    """Have the customer write to the app, once it has not too much to hear already."""
    while len(ledger.unheard) >= MAX_UNHEARD:
        await ledger.news.wait()
    ledger.texts += 1
    said = f"text {ledger.texts}"
    await phone.receive_message(number_of(customer), SMS, None, [said])
    ledger.note_written(said)


async def hear(inbox: Any, ledger: Ledger) -> None:  # noqa: ANN401
    """Take what comes, until the client is left."""
    async for delivery in inbox:
        async with delivery:
            ledger.note_heard(delivery.notification.text)


async def open_wallets(app: Elarian) -> dict[int, Wallet]:
    """Name a wallet of each customer."""
    states = [await app.customer(number_of(customer)).get_state() for customer in range(CUSTOMERS)]
    return {customer: Wallet(state.customer_id, "savings") for customer, state in enumerate(states)}


async def wait_heard(app: Elarian, inbox: Any, ledger: Ledger, patience: float) -> None:  # noqa: ANN401
    """Hear what is still to be told, for so many seconds at most.

    It waits and does not ask: a loop that is never idle keeps the thread that writes to the disk from its turn.
    """
    await app.ping()
    with anyio.move_on_after(patience):
        while ledger.unheard:
            async with await inbox.receive() as delivery:
                ledger.note_heard(delivery.notification.text)


async def judge(app: Elarian, sandbox: Sandbox, ledger: Ledger, wallets: dict[int, Wallet]) -> list[str]:
    """Hold the file against the ledger; give what is wrong."""
    wrong: list[str] = []
    in_wallets = Decimal(0)
    for customer in range(CUSTOMERS):
        state = await app.customer(number_of(customer)).get_state()
        metadata = {name: int(str(value)) for name, value in state.identity_state.metadata.items()}
        left, right = metadata.get("left", 0), metadata.get("right", 0)
        if left != right:
            wrong.append(f"half a write: {left} and {right} of customer {customer}")
        if not ledger.told[customer] <= left <= ledger.asked[customer]:
            wrong.append(f"customer {customer} was told {ledger.told[customer]}, and has {left}")
        balance = state.payment_state.wallets.get(wallets[customer].wallet_id)
        held = Decimal(0) if balance is None or balance.actual is None else balance.actual.amount
        in_wallets += held
        if not ledger.paid[customer] <= held <= ledger.ordered[customer]:
            wrong.append(f"customer {customer} was paid {ledger.paid[customer]} times, and has {held}")
    if in_wallets + sandbox.purse_balance() != OPENING:
        wrong.append(f"{in_wallets} in wallets and {sandbox.purse_balance()} in the purse are not {OPENING}")
    lost = sorted(ledger.written - ledger.heard.keys())
    if lost:
        wrong.append(f"never heard: {lost[:5]} of {len(ledger.written)}")
    return wrong
