"""Every kind of fault at once on everything an app does at once, by the seed: a loss in one part shows in another.

Each run is short and draws everything from its seed: sizes of fragments and stores, how many apps share the work, what
kind of stream they dial, cuts, stalls, half-closed and slow connections, callers that give up. What must hold is what
the design promises whoever is cut: messages are heard once and in order, each menu answers its own input, a counter
kept under a lease counts right.
On trio time is virtual, so that connections may also fall silent, and be found out.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio.testing
from faulty import FOREVER, Fault, FaultNetwork, Kind, Plan, Record, Way
from figures import say, seed_or, sized

from elarian_trio import (
    Backoff,
    ConnectionOptions,
    Elarian,
    MessagingChannel,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
    UssdInput,
    UssdMenu,
    UssdSessionNotification,
)
from elarian_trio.errors import ElarianError, InternalError
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_logged")]

SEEDS = sized(smoke=8, ci=120, soak=5_000)
GARBLED = sized(smoke=20, ci=300, soak=5_000)
BOUND = 600.0  # seconds that one run may take before it counts as hanging; virtual ones on trio
REAL_BOUND = 60.0  # the same on asyncio
SMS, USSD = MessagingChannel.sms("83044"), MessagingChannel.ussd("*83044#")
CUSTOMERS, MESSAGES = 5, 8
LIVES = 40  # connections after which a run is left in peace, so that it ends


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}), id="trio"),
        pytest.param(("asyncio", {}), id="asyncio"),
    ],
)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run on both, on trio in virtual time."""
    backend: tuple[str, dict[str, Any]] = request.param
    return backend


def number_of(customer: int) -> str:
    """Give a customer's number."""
    return f"+2547{customer:08d}"


@dataclass
class Plans:
    """Faults of many kinds for each connection."""

    seed: str
    silent: bool  # whether connections may fall silent for ever, which takes keepalives to find out

    def __call__(self, number: int) -> Plan:
        """Plan connection *number*."""
        if number >= LIVES:
            return Plan(number)
        dice = random.Random(f"{self.seed}/{number}")
        return Plan(
            number,
            tuple(self._fault(dice) for _ in range(dice.randrange(1, 4))),
            refused=dice.randrange(12) == 0,
            delay=dice.choice((0.0, 0.0, 0.0, 0.001)),
            pieces=tuple(dice.choices((1, 3, 30, 500), k=4)) if dice.randrange(5) == 0 else (),
            linger=dice.choice((0, 0, 2)),
            loud=dice.random() < 0.5,
        )

    def _fault(self, dice: random.Random) -> Fault:
        kinds = [Kind.CUT, Kind.CUT, Kind.END, Kind.VANISH, Kind.HALF_CLOSE, Kind.STALL]
        kind, way = dice.choice(kinds), dice.choice(list(Way))
        if kind is Kind.HALF_CLOSE and not self.silent:
            way = Way.DOWN  # upwards, a server closes what it has in hand, and only then the client hears of it
        stall = FOREVER if self.silent and dice.randrange(3) == 0 else dice.choice((0.0, 0.002))
        return Fault(kind, way, dice.choice((dice.randrange(120), dice.randrange(1500))), stall)


@dataclass
class Run:
    """One seed's apps, phone, and all they do."""

    seed: int
    virtual: bool
    wrong: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    sure: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # messages whose senders waited
    maybe: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # whose senders gave up
    heard: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    received: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    commands: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(f"mixture {self.seed}")
        self.silent = self.virtual and self.dice.random() < 0.5
        self.options = ConnectionOptions(
            keepalive_interval=1.0,
            keepalive_lifetime=3.0 if self.silent else 30.0,
            command_timeout=None,
            connect_timeout=5.0,
            drain_timeout=5.0,
            notification_timeout=BOUND,
            fragment_size=self.dice.choice((64, 100, 1024, 65536)),
            resume="require",
            resume_buffer_size=self.dice.choice((300, 2_000, 1_000_000)),
            reconnect=Backoff(first=0.0, base=0.001, jitter=0.0, cap=0.05),
        )

    async def play(self) -> None:
        """Play it; what is wrong is in ``wrong`` afterwards."""
        with anyio.fail_after(BOUND if self.virtual else REAL_BOUND):
            async with AsyncExitStack() as stack:
                sandbox = await stack.enter_async_context(Sandbox(clock="manual", seed=self.seed))
                apps = [await self._enter(stack, Elarian, sandbox) for _ in range(self.dice.choice((1, 1, 2)))]
                phone = await self._enter(stack, Simulator, sandbox)
                await self._work(sandbox, apps, phone)
                lost = sum(each.statistics().sessions_lost for each in (*apps, phone))
        if lost:
            self.wrong.append(f"{lost} sessions lost")
        self._check()

    async def _enter(self, stack: AsyncExitStack, kind: Callable[..., Any], sandbox: Sandbox) -> Any:  # noqa: ANN401
        plans = Plans(f"{self.seed} {len(self.records)}", self.silent)
        shape = self.dice.choice(("frames", "bytes", "objects"))
        network = FaultNetwork(sandbox.credentials["dial"], plans, timed=self.silent, shape=shape)
        self.records.append(network.record)
        await stack.enter_async_context(network)
        return await stack.enter_async_context(
            kind(**{**sandbox.credentials, "dial": network.dial}, options=self.options)
        )

    async def _work(self, sandbox: Sandbox, apps: list[Elarian], phone: Simulator) -> None:
        async with anyio.create_task_group() as readers:
            for app in apps:
                await readers.start(self._read, app, ReceivedSmsNotification, self._note_received)
                await readers.start(self._serve_menus, app)
            await readers.start(self._read, phone, SendMessageSimulatorNotification, self._note_heard)
            async with anyio.create_task_group() as workers:
                for customer in range(CUSTOMERS):
                    workers.start_soon(self._send, self.dice.choice(apps), customer)
                    workers.start_soon(self._receive, phone, customer)
                    workers.start_soon(self._use_ussd, phone, customer)
                for _ in range(3):
                    workers.start_soon(self._count_up, self.dice.choice(apps))
            counter = await apps[0].customer("+254790000000").lease_app_data()
            if counter != 3 * MESSAGES:
                self.wrong.append(f"{3 * MESSAGES} increments under the lease came to {counter}")
            await self._until_heard()
            readers.cancel_scope.cancel()

    async def _until_heard(self) -> None:
        for _ in range(2_000):
            if all(set(self.sure[each]) <= set(self.heard[each]) for each in range(CUSTOMERS)) and all(
                len(self.received[each]) >= MESSAGES for each in range(CUSTOMERS)
            ):
                break
            await anyio.sleep(0.01)
        for _ in range(100):
            await anyio.lowlevel.checkpoint()

    # What apps and phones do.

    async def _read(
        self,
        client: Any,  # noqa: ANN401 - either
        kind: Any,  # noqa: ANN401 - whichever
        note: Callable[[Any], None],
        *,
        task_status: anyio.abc.TaskStatus[None],
    ) -> None:
        async with client.notifications(kind) as inbox:
            task_status.started()
            async for delivery in inbox:
                async with delivery:
                    note(delivery.notification)

    async def _serve_menus(self, app: Elarian, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        async with app.notifications(UssdSessionNotification) as inbox:
            task_status.started()
            async for delivery in inbox:
                async with delivery:
                    await delivery.reply(UssdMenu(f"menu of {delivery.notification.input.text}"), app_data=None)

    def _note_heard(self, notification: SendMessageSimulatorNotification) -> None:
        customer, number, *_ = str(notification.message.body).split()
        self.heard[int(customer)].append(int(number))

    def _note_received(self, notification: ReceivedSmsNotification) -> None:
        customer, number = str(notification.text).split()
        self.received[int(customer)].append(int(number))

    async def _send(self, app: Elarian, customer: int) -> None:
        """Send numbered messages, some of them with little patience."""
        for number in range(MESSAGES):
            text = f"{customer} {number} {'x' * self.dice.choice((0, 0, 0, 300))}"
            patience = self.dice.choice((None, None, None, 0.0, 0.001, 0.003))
            with anyio.move_on_after(patience) as scope:
                await app.customer(number_of(customer)).send_message(SMS, text)
            self.commands += 1
            (self.maybe if scope.cancelled_caught else self.sure)[customer].append(number)

    async def _receive(self, phone: Simulator, customer: int) -> None:
        for number in range(MESSAGES):
            await phone.receive_message(number_of(customer), SMS, None, [f"{customer} {number}"])
            self.commands += 1

    async def _use_ussd(self, phone: Simulator, customer: int) -> None:
        """Walk through a menu: each answer must be the one to what was just put in."""
        for number in range(MESSAGES // 2):
            said = f"{customer}*{number}"
            reply = await phone.receive_message(
                number_of(100 + customer), USSD, f"ussd-{customer}", [UssdInput(said, "active")]
            )
            self.commands += 1
            menu = reply.message.body if reply.message is not None else None
            if menu != UssdMenu(f"menu of {said}"):
                self.wrong.append(f"the answer to {said} was {menu}")

    async def _count_up(self, app: Elarian) -> None:
        """Add one, under the lease that keeps others out meanwhile."""
        customer = app.customer("+254790000000")
        for _ in range(MESSAGES):
            value = await customer.lease_app_data()
            await customer.update_app_data((value or 0) + 1)
            self.commands += 2

    def _check(self) -> None:
        for customer in range(CUSTOMERS):
            heard, received = self.heard[customer], self.received[customer]
            twice = [number for number, times in Counter(heard).items() if times > 1]
            lost = sorted(set(self.sure[customer]) - set(heard))
            if twice or lost or heard != sorted(heard):
                self.wrong.append(f"messages of customer {customer}: heard {heard}, lost {lost}, twice {twice}")
            if received != list(range(MESSAGES)):
                self.wrong.append(f"received messages of customer {customer}: {received}")


async def all_runs(first: int, count: int, play: Callable[[int], Awaitable[Run]]) -> list[Run]:
    """Play many seeds; fail at the first that is wrong, with how to see it again."""
    runs = []
    for seed in range(first, first + count):
        try:
            run = await play(seed)
        except BaseException as error:
            error.add_note(f"again with ELARIAN_TRIO_SEED={seed}")
            raise
        latest = [list(record.latest) for record in run.records]
        assert not run.wrong, f"again with ELARIAN_TRIO_SEED={seed}: {run.wrong[:5]}; {run.options}; {latest}"
        runs.append(run)
    return runs


async def play(virtual: bool, seed: int) -> Run:
    """Play one seed."""
    run = Run(seed, virtual)
    await run.play()
    return run


async def test_all_that_apps_do_survives_all_that_networks_do(anyio_backend: tuple[str, dict[str, Any]]) -> None:
    """Promises 1 and 5 of the design, for whatever happens to share a connection."""
    first, began = seed_or(40_000), time.perf_counter()
    runs = await all_runs(first, SEEDS, partial(play, anyio_backend[0] == "trio"))
    met: Counter[str] = Counter()
    for record in (record for run in runs for record in run.records):
        met.update(record.met)
    say(
        f"mixtures, {anyio_backend[0]}: seeds {first} to {first + SEEDS - 1}: "
        f"{sum(run.commands for run in runs)} commands, {sum(each.cuts for run in runs for each in run.records)} cuts, "
        f"{met[Kind.STALL]} stalls, {met[Kind.HALF_CLOSE]} half-closes, {sum(run.silent for run in runs)} runs with "
        f"silences, {sum(map(len, (each for run in runs for each in run.maybe.values())))} commands given up; 0 wrong; "
        f"{time.perf_counter() - began:.0f} s"
    )


# --- bytes that are not what was sent ---


def garbled(seed: int, number: int) -> Plan:
    """Plan bytes that arrive flipped, and a cut in the end."""
    dice = random.Random(f"garbled {seed}/{number}")
    if number >= LIVES:
        return Plan(number)
    places = [dice.randrange(1200) for _ in range(dice.choice((1, 1, 2, 6)))]
    flips = [Fault(Kind.GARBLE, dice.choice(list(Way)), place, dice.randrange(1, 256)) for place in places]
    return Plan(number, (*flips, Fault(Kind.CUT, dice.choice(list(Way)), dice.randrange(100, 1600))))


async def live_garbled(seed: int, ends: Counter[str]) -> None:
    """Have an app do what it can on connections that garble."""
    options = ConnectionOptions(
        keepalive_interval=1.0,
        keepalive_lifetime=3.0,
        command_timeout=0.05,
        connect_timeout=0.1,
        drain_timeout=0.1,
        resume_buffer_size=random.Random(seed).choice((0, 300, 100_000)),
        reconnect=Backoff(first=0.0, base=0.001, jitter=0.0, cap=0.01, give_up_after=30.0),
    )

    async def work(app: Elarian, customer: int) -> None:
        for number in range(4):
            try:
                await app.customer(number_of(customer)).send_message(SMS, f"{customer} {number}")
            except InternalError:
                raise
            except ElarianError as error:
                ends[type(error).__name__] += 1
            else:
                ends["reply"] += 1

    async with Sandbox(clock="manual", seed=seed) as sandbox:
        network = FaultNetwork(sandbox.credentials["dial"], partial(garbled, seed), timed=True)
        try:
            async with (
                network,
                Elarian(**{**sandbox.credentials, "dial": network.dial}, options=options) as app,
                anyio.create_task_group() as workers,
            ):
                for customer in range(4):
                    workers.start_soon(work, app, customer)
        except InternalError:
            raise
        except ElarianError as error:
            ends[f"block: {type(error).__name__}"] += 1
        else:
            ends["block left in order"] += 1


async def test_garbled_bytes_end_in_errors_of_ours_and_never_in_a_hang(
    anyio_backend: tuple[str, dict[str, Any]],
) -> None:
    """This SDK: what no transport should do does no harm beyond its session, whichever byte it is."""
    first, began = seed_or(50_000), time.perf_counter()
    ends: Counter[str] = Counter()
    for seed in range(first, first + GARBLED):
        try:
            with anyio.fail_after(BOUND if anyio_backend[0] == "trio" else REAL_BOUND):
                await live_garbled(seed, ends)
        except BaseException as error:
            error.add_note(f"again with ELARIAN_TRIO_SEED={seed}")
            raise
    assert ends["reply"]
    said = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    say(
        f"garbled bytes, {anyio_backend[0]}: seeds {first} to {first + GARBLED - 1}: {said}; "
        f"{time.perf_counter() - began:.0f} s"
    )
