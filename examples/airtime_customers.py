"""The customers of ``airtime_shop.py``: what each does and when, on phones that a ``Simulator`` plays.

Everybody who visits in the same hour does so at the same time. What is told of it is kept until the hour is over and
then sorted by customer, so that the timeline is the same in every run, whoever was faster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

import anyio

from elarian_trio import (
    CheckoutPaymentSimulatorNotification,
    Delivery,
    MessagingChannel,
    PaymentChannel,
    PaymentStatus,
    SendCustomerPaymentSimulatorNotification,
    SendMessageSimulatorNotification,
    Simulator,
    UssdInput,
    UssdMenu,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

T = TypeVar("T")

USSD = MessagingChannel.ussd("*83044#")
PATIENCE = 30.0  # seconds, real ones, that a customer looks at the phone
PROMPTS = {"confirms": PaymentStatus.SUCCESS, "declines": PaymentStatus.REJECTED}


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What somebody does in one hour of the story.

    Attributes:
        day: from 0.
        hour: of the day.
        who: by name.
        plan: the plan to choose, where the shop asks for one.
        code: what to enter where the shop asks for a code; a name stands for that customer's code.
        too_much: first ask for more than any plan allows.
        invites: ask for a code for friends instead of airtime.
        changes_mind: leave when the price is named.
        prompt: what to do when the phone asks to confirm the payment.
        has_signal: otherwise the operator cannot deliver the airtime.
        outage: a service that answers 503 once in that hour: Talon.One when a session opens, Planship when it is told
            of a use.
    """

    day: int
    hour: int
    who: str
    plan: str = "Starter"
    code: str = "0"
    too_much: bool = False
    invites: bool = False
    changes_mind: bool = False
    prompt: Literal["confirms", "declines", "ignores"] = "confirms"
    has_signal: bool = True
    outage: Literal["", "Talon.One", "Planship"] = ""

    @property
    def at(self) -> timedelta:
        """When, from the beginning of the story."""
        return timedelta(days=self.day, hours=self.hour)


STORY = (
    Visit(day=0, hour=9, who="Asha"),
    Visit(day=0, hour=9, who="Baraka", plan="Trial", code="harvest"),
    Visit(day=0, hour=9, who="Chebet", plan="Trader", code="FREE4ALL"),
    Visit(day=0, hour=9, who="Daudi", prompt="declines"),
    Visit(day=0, hour=9, who="Eshe", too_much=True),
    Visit(day=0, hour=12, who="Asha", invites=True),
    Visit(day=0, hour=12, who="Baraka"),
    Visit(day=0, hour=12, who="Chebet", code="harvest"),
    Visit(day=0, hour=12, who="Daudi", code="harvest", changes_mind=True),
    Visit(day=0, hour=12, who="Eshe", prompt="ignores"),
    Visit(day=0, hour=15, who="Chebet", invites=True),
    Visit(day=0, hour=15, who="Farida", plan="Trader", code="Asha"),
    Visit(day=0, hour=15, who="Daudi", code="harvest"),
    Visit(day=0, hour=18, who="Asha", code="Asha"),
    Visit(day=0, hour=18, who="Eshe"),
    Visit(day=0, hour=18, who="Farida", code="Asha"),
    Visit(day=0, hour=18, who="Gatimu", code="Chebet", has_signal=False),
    Visit(day=0, hour=20, who="Asha"),
    Visit(day=0, hour=20, who="Gatimu", code="Chebet"),
    Visit(day=1, hour=10, who="Baraka", code="harvest"),
    Visit(day=1, hour=10, who="Chebet"),
    Visit(day=1, hour=12, who="Hawa", plan="Trader", outage="Talon.One"),
    Visit(day=1, hour=14, who="Farida", code="Chebet"),
    Visit(day=1, hour=14, who="Hawa", plan="Trader", code="Asha"),
    Visit(day=1, hour=18, who="Eshe", outage="Planship"),
    Visit(day=1, hour=21, who="Asha"),
    Visit(day=1, hour=21, who="Daudi"),
)
NAMES = tuple(dict.fromkeys(visit.who for visit in STORY))
PHONES = {name: f"+2547000000{number:02}" for number, name in enumerate(NAMES, start=1)}


@dataclass
class Timeline:
    """What happened, by the services' clock; printed when an hour of the story is over."""

    now: Callable[[], datetime]
    _told: list[tuple[datetime, str, str]] = field(default_factory=list[tuple[datetime, str, str]])

    def tell(self, phone: str, what: str, at: datetime | None = None) -> None:
        """Note something about the customer with that phone, as of now unless said otherwise."""
        self._told.append((at or self.now(), phone, what))

    def print(self) -> None:
        """Print what was told, in the order of time, and of customers within the hour."""
        names = {phone: name for name, phone in PHONES.items()}
        for moment, phone, what in sorted(self._told, key=lambda told: told[:2]):
            print(f"{moment:%a %H:%M}  {names[phone]:<8}{what}", flush=True)
        self._told.clear()


class Box(Generic[T]):
    """What came to a phone, until its owner looks."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._came = anyio.Event()

    def put(self, item: T) -> None:
        """Have it lie there."""
        self._items.append(item)
        self._came.set()

    async def take(self) -> T:
        """Take out the oldest; wait for one if there is none."""
        with anyio.fail_after(PATIENCE):
            while not self._items:
                self._came = anyio.Event()
                await self._came.wait()
        return self._items.pop(0)

    def take_all(self) -> list[T]:
        """Take out everything."""
        taken, self._items = self._items, []
        return taken


class Handset:
    """One customer's phone."""

    def __init__(self, name: str, simulator: Simulator, timeline: Timeline) -> None:
        self.name = name
        self.number = PHONES[name]
        self.code = ""  # of an SMS, to be given to friends
        self.has_signal = True
        self.prompts: Box[CheckoutPaymentSimulatorNotification] = Box()
        self._texts: Box[tuple[datetime, str]] = Box()
        self._simulator = simulator
        self._timeline = timeline
        self._dialled = 0

    def tell(self, what: str, at: datetime | None = None) -> None:
        """Note what its owner sees or does."""
        self._timeline.tell(self.number, f"  {what}", at)

    async def dial(self, answer: Callable[[str], str]) -> str:
        """Dial the shop and have every menu answered; give the last screen."""
        self._dialled += 1
        entered, menu = "", UssdMenu("")
        while not menu.is_terminal:
            reply = await self._simulator.receive_message(
                self.number, USSD, f"{self.name}-{self._dialled}", [UssdInput(entered, "active")]
            )
            if reply.message is None or not isinstance(reply.message.body, UssdMenu):
                return ""
            menu = reply.message.body
            self.tell(f"{entered or 'dials'}: ".ljust(10) + menu.text.replace("\n", " | "))
            if not menu.is_terminal:
                entered = answer(menu.text)
        return menu.text

    async def answer_prompt(self, visit: Visit) -> None:
        """Confirm or decline the payment, or leave it until it expires."""
        prompt = await self.prompts.take()
        self.tell(f"{visit.prompt}: ".ljust(10) + f"the payment of KES {prompt.value.amount:,.2f}")
        if visit.prompt != "ignores":
            await self._simulator.update_payment_status(prompt.transaction_id, PROMPTS[visit.prompt])

    def take_text(self, text: str) -> None:
        """Take in an SMS."""
        self._texts.put((self._timeline.now(), text))

    async def read(self) -> None:
        """Wait for an SMS."""
        self._read(*await self._texts.take())

    def read_all(self) -> None:
        """Read what came unasked."""
        for each in self._texts.take_all():
            self._read(*each)

    def _read(self, at: datetime, text: str) -> None:
        self.tell(f"reads:    {text}", at)
        found = re.search(r"PAL-\w+", text)
        self.code = found[0] if found else self.code


class Customers:
    """All phones, and the operator that pays out airtime and money."""

    def __init__(self, simulator: Simulator, timeline: Timeline, rng: random.Random) -> None:
        self.handsets = {name: Handset(name, simulator, timeline) for name in NAMES}
        self._by_number = {handset.number: handset for handset in self.handsets.values()}
        self.simulator = simulator
        self._amounts = {visit: 5 * rng.randint(4, 10) for visit in STORY}

    # What the phones are told.

    async def take_text(self, delivery: Delivery[SendMessageSimulatorNotification]) -> None:
        """An SMS came."""
        text = delivery.notification.message.body
        if isinstance(text, str):
            self._by_number[delivery.notification.customer_number.number].take_text(text)

    async def take_prompt(self, delivery: Delivery[CheckoutPaymentSimulatorNotification]) -> None:
        """A phone asks its owner to confirm a payment."""
        self._by_number[delivery.notification.customer_number.number].prompts.put(delivery.notification)

    async def pay_out(self, delivery: Delivery[SendCustomerPaymentSimulatorNotification]) -> None:
        """Deliver airtime where there is a signal, and money anywhere."""
        payment = delivery.notification
        handset = self._by_number[payment.customer_number.number]
        is_airtime = payment.channel_number.channel is PaymentChannel.AIRTIME
        status = PaymentStatus.FAILED if is_airtime and not handset.has_signal else PaymentStatus.SUCCESS
        what = f"{'airtime' if is_airtime else 'money'}, KES {payment.value.amount:,.2f}"
        handset.tell(f"gets:     {what}" if status is PaymentStatus.SUCCESS else f"misses:   {what}")
        await self.simulator.update_payment_status(payment.transaction_id, status)

    # What their owners do.

    async def visit_all(self, visits: tuple[Visit, ...]) -> None:
        """Have everybody visit at once; return when all are done."""
        async with anyio.create_task_group() as tasks:
            for visit in visits:
                tasks.start_soon(self._visit, self.handsets[visit.who], visit)

    async def _visit(self, handset: Handset, visit: Visit) -> None:
        """Dial, answer the menus, confirm the payment, and read how it ended."""
        handset.has_signal = visit.has_signal
        last = await handset.dial(Answers(visit, self._amounts[visit], self._code_for(visit)))
        if last.startswith("Confirm"):
            await handset.answer_prompt(visit)
        is_soon = visit.prompt != "ignores" and visit.outage != "Planship"
        if is_soon and ("Confirm" in last or "by SMS" in last):
            await handset.read()

    @property
    def codes(self) -> dict[str, str]:
        """The codes that they may give to friends, by their names."""
        return {name: handset.code for name, handset in self.handsets.items()}

    def _code_for(self, visit: Visit) -> str:
        return self.handsets[visit.code].code if visit.code in self.handsets else visit.code

    def read_all(self) -> None:
        """Have everybody read what came unasked."""
        for handset in self.handsets.values():
            handset.read_all()


@dataclass
class Answers:
    """What a customer enters, by the words on the screen."""

    visit: Visit
    amount: int
    code: str
    asked: int = 0

    def __call__(self, screen: str) -> str:
        """Give what to enter."""
        if screen.startswith("Choose a plan"):
            return next(line[0] for line in screen.splitlines() if line.endswith(self.visit.plan))
        if "Invite a friend" in screen:
            return "2" if self.visit.invites else "1"
        if screen.startswith("How much"):
            self.asked += 1
            return "5000" if self.visit.too_much and self.asked == 1 else str(self.amount)
        if "code? 0 for none" in screen:
            return self.code
        return "2" if self.visit.changes_mind else "1"


def hours() -> Iterator[tuple[timedelta, tuple[Visit, ...]]]:
    """Give the story's hours, with who visits in each."""
    for at, visits in groupby(STORY, key=lambda visit: visit.at):
        yield at, tuple(visits)
