"""Load in both directions on an app and a phone, and a ledger of what became of every command and notification.

The fault tests stand above; the app, the phone and the sandbox below are used as users use them. What a command does
can be counted: a message is heard by the phone, what the phone sends is heard by the app, each with its customer's next
number; a payment takes one shilling out of a purse; a value that was written is read back.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from elarian_trio import (
    Cash,
    Elarian,
    MessagingChannel,
    PaymentStatusNotification,
    Purse,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
    Wallet,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from elarian_trio.sandbox import Sandbox

SMS = MessagingChannel.sms("83044")
ROOM = 4096  # of a subscription: more than customers can have under way, so that none is REJECTED
PATIENCE = 30.0  # seconds without anything happening after which a load hangs; a command gives up after as many
LONG = "a long message of many frames, " * 8
WORKERS = 2  # of each customer, each way: a customer's messages are pipelined, and keep their order
LAG = 4  # messages of a customer that were sent and not heard yet
KINDS = ("message",) * 15 + ("long", "payment", "write", "read", "write")
APART = 1_000  # customers from here on are sent long messages, one at a time: a short one may overtake their fragments
NUMBER = "+2547{:08d}"
QUIET = "+2548{:08d}"  # what is written belongs to customers who say nothing: their state, which is read, stays small


@dataclass
class Heard:
    """What one side heard from each customer, against what was sent."""

    sent: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    heard: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    total: int = 0
    changed: dict[int, anyio.Event] = field(default_factory=lambda: defaultdict(anyio.Event))

    async def room(self, customer: int) -> None:
        """Wait until not too much is on its way to be heard: a server that is told more than it can tell drops it."""
        while self.sent[customer] - len(self.heard[customer]) >= LAG:
            await self.changed[customer].wait()

    def next(self, customer: int) -> int:
        """Give the number of the customer's next message."""
        self.sent[customer] += 1
        return self.sent[customer]

    def note(self, text: str) -> None:
        """Note that a message was heard."""
        customer, number, *_ = text.split()
        self.heard[int(customer)].append(int(number))
        self.total += 1
        self.changed.pop(int(customer), anyio.Event()).set()

    @property
    def complete(self) -> bool:
        """Whether as much was heard as was sent."""
        return self.total >= sum(self.sent.values())

    def faults(self, name: str) -> Iterator[str]:
        """Say what was lost, heard twice, or heard out of order."""
        for customer, sent in self.sent.items():
            heard = self.heard[customer]
            if heard == list(range(1, sent + 1)):
                continue
            often = Counter(heard)
            lost = [number for number in range(1, sent + 1) if not often[number]]
            twice = [number for number, times in often.items() if times > 1]
            order = [late for early, late in pairwise(heard) if late < early]
            yield f"{name} of customer {customer}: lost {lost[:5]}, twice {twice[:5]}, out of order {order[:5]}"


class Load:
    """Commands and notifications, until somebody has enough.

    Args:
        app: the app, in its block.
        phone: a simulator, in its block.
        sandbox: where both are connected.
        seed: of what is sent.
        customers: how many customers there are; each has a few tasks either way.
    """

    def __init__(
        self, app: Elarian, phone: Simulator, sandbox: Sandbox, *, seed: int | str = 0, customers: int = 12
    ) -> None:
        self._app, self._phone, self._sandbox = app, phone, sandbox
        self._dice = random.Random(f"load {seed}")
        self._customers = customers
        self._first_balance = sandbox.purse_balance()
        self._numbers = [NUMBER.format(each) for each in range(customers)]
        self.out = Heard()  # from the app to phones
        self.back = Heard()  # from phones to the app
        self.paid: Counter[str] = Counter()  # by transaction
        self.told: Counter[str] = Counter()
        self.commands = 0
        self.payments = 0
        self.errors: list[str] = []
        self._wallets: list[Wallet] = []
        self._present = 0

    @property
    def notifications(self) -> int:
        """How many notifications were heard, by both."""
        return self.out.total + self.back.total + sum(self.told.values())

    async def run(self, enough: Callable[[Load], bool]) -> None:
        """Send until there is *enough*, then wait for what is under way.

        Raises:
            TimeoutError: nothing happens any more, and not all has arrived.
        """
        await self._open_wallets()
        async with anyio.create_task_group() as readers:
            for client, kind, note in (
                (self._phone, SendMessageSimulatorNotification, lambda each: self.out.note(each.message.body)),
                (self._app, ReceivedSmsNotification, lambda each: self.back.note(each.text)),
                (self._app, PaymentStatusNotification, lambda each: self.told.update([each.transaction_id])),
            ):
                await readers.start(self._read, client, kind, note)
            async with anyio.create_task_group() as workers:
                workers.start_soon(self._watch, workers.cancel_scope, lambda: not self._present)
                self._present = 2 * self._customers * WORKERS
                for customer in range(self._customers):
                    values: Iterator[int] = count(1)
                    for worker in range(WORKERS):
                        workers.start_soon(self._work, self._app_command, customer, values, worker, enough)
                        workers.start_soon(self._work, self._phone_command, customer, values, worker, enough)
            async with anyio.create_task_group() as rest:
                rest.start_soon(self._watch, rest.cancel_scope, lambda: self._all_heard)
            await self._see_again()
            readers.cancel_scope.cancel()

    @property
    def _all_heard(self) -> bool:
        return self.out.complete and self.back.complete and len(self.told) >= len(self.paid)

    async def _watch(self, scope: anyio.CancelScope, done: Callable[[], bool]) -> None:
        """Wait until it is *done*; fail once nothing has happened for long."""
        seen, since = -1, anyio.current_time()
        while not done():
            if self.commands + self.notifications != seen:
                seen, since = self.commands + self.notifications, anyio.current_time()
            elif anyio.current_time() - since > PATIENCE:
                words = f"nothing happens after {self}"
                raise TimeoutError(words)
            await anyio.sleep(0.01)
        scope.cancel()

    async def _open_wallets(self) -> None:
        for number in self._numbers:
            state = await self._app.customer(number).get_state()
            self._wallets.append(Wallet(state.customer_id, "load"))

    async def _read(
        self,
        client: Elarian | Simulator,
        kind: Any,  # noqa: ANN401 - whichever
        note: Callable[[Any], object],
        *,
        task_status: anyio.abc.TaskStatus[None],
    ) -> None:
        async with client.notifications(kind, max_buffer_size=ROOM) as inbox:
            task_status.started()
            async for delivery in inbox:
                async with delivery:
                    note(delivery.notification)

    async def _work(
        self,
        command: Callable[[int, Iterator[int], int], Awaitable[None]],
        customer: int,
        values: Iterator[int],
        worker: int,
        enough: Callable[[Load], bool],
    ) -> None:
        while not enough(self) and not self.errors:
            try:
                await command(customer, values, worker)
            except Exception as error:
                self.errors.append(f"customer {customer}: {error!r}, caused by {error.__cause__!r}")
                break
            self.commands += 1
        self._present -= 1

    async def _app_command(self, customer: int, values: Iterator[int], worker: int) -> None:
        who, quiet = self._app.customer(self._numbers[customer]), self._app.customer(QUIET.format(customer))
        kind = self._dice.choice(KINDS)
        if kind == "payment":
            self.payments += 1
            reply = await self._app.initiate_payment(
                Purse(self._sandbox.purse_id), self._wallets[customer], Cash("KES", 1)
            )
            self.paid[str(reply.transaction_id)] += 1
        elif kind == "write":
            value = next(values)
            await quiet.update_metadata({f"of-{worker}": value})
            self.commands += 1
            stored = await quiet.get_metadata()
            if stored.get(f"of-{worker}") != value:
                self.errors.append(f"customer {customer} wrote {value} and read {stored}")
        elif kind == "read":
            await quiet.get_tags()
        elif kind == "long" and worker == 0:
            apart = customer + APART
            await self._app.customer(NUMBER.format(apart)).send_message(SMS, f"{apart} {self.out.next(apart)} {LONG}")
        else:
            await self.out.room(customer)
            await who.send_message(SMS, f"{customer} {self.out.next(customer)}")

    async def _phone_command(self, customer: int, _values: Iterator[int], _worker: int) -> None:
        await self.back.room(customer)
        text = f"{customer} {self.back.next(customer)}"
        await self._phone.receive_message(self._numbers[customer], SMS, None, [text])

    async def _see_again(self) -> None:
        """Let what came twice arrive, if anything does: the answers to these are behind it."""
        for client in (self._app, self._phone):
            await client.ping()
        for _ in range(50):
            await anyio.lowlevel.checkpoint()

    def faults(self) -> list[str]:
        """Say everything that is wrong; nothing, if nothing is."""
        found = list(self.errors)
        found += self.out.faults("messages")
        found += self.back.faults("received messages")
        if self.paid != self.told or any(times > 1 for times in self.paid.values()):
            found.append(f"payments {len(self.paid)}, told of {len(self.told)}; differing: {self.paid - self.told}")
        taken = self._first_balance - self._sandbox.purse_balance()
        if taken != Decimal(self.payments):
            found.append(f"{self.payments} payments took {taken} out of the purse")
        return found

    def __str__(self) -> str:
        """Give the counts on a line."""
        return (
            f"{self.commands} commands, {self.notifications} notifications "
            f"({self.out.total} to phones, {self.back.total + sum(self.told.values())} to the app)"
        )
