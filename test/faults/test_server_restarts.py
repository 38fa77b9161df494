"""A sandbox that is left and entered again under a client at work: what was answered is in its books, once.

Sessions die with the server, its entities do not. A shilling leaves the purse for each payment, so that the books say
how often each was made, whatever the client was told of it.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import anyio
import anyio.abc
import pytest
from faulty import FaultNetwork, RandomCuts
from figures import say, seed_or, sized

from elarian_trio import Backoff, Cash, ConnectionLost, ConnectionOptions, Elarian, Purse, Wallet
from elarian_trio.sandbox import Sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_logged")]

SEEDS = sized(smoke=5, ci=100, soak=1_000)
BOUND = 60.0  # seconds that one run may take
WORKERS, EACH, RESTARTS = 5, 8, 4
OPTIONS = ConnectionOptions(
    reconnect=Backoff(first=0.0, base=0.001, jitter=0.0, cap=0.005), command_timeout=None, drain_timeout=1.0
)


@dataclass
class Run:
    """One seed's server, which dies and lives, and the app that goes on."""

    seed: int
    ends: Counter[str] = field(default_factory=Counter)
    working: int = WORKERS

    def __post_init__(self) -> None:
        self.dice = random.Random(f"restarts {self.seed}")
        self.sandbox = Sandbox(clock="manual", seed=self.seed)
        self.changed = anyio.Event()
        self.purse = Purse(self.sandbox.purse_id)

    async def play(self) -> None:
        """Play it, and hold the books against what the app was told."""
        before = self.sandbox.purse_balance()
        plans = RandomCuts(f"restarts {self.seed}", reach=4_000)
        with anyio.fail_after(BOUND):
            async with (
                FaultNetwork(self.sandbox.credentials["dial"], plans) as network,
                anyio.create_task_group() as tasks,
            ):
                await tasks.start(self._keep_restarting)
                async with Elarian(**{**self.sandbox.credentials, "dial": network.dial}, options=OPTIONS) as app:
                    state = await app.customer("+254700000001").get_state()
                    async with anyio.create_task_group() as workers:
                        for _ in range(WORKERS):
                            workers.start_soon(self._pay, app, Wallet(state.customer_id, "books"))
                    assert (await app.customer("+254700000001").get_state()).customer_id == state.customer_id
                    self.sessions_lost = app.statistics().sessions_lost
                tasks.cancel_scope.cancel()
        taken = before - self.sandbox.purse_balance()
        assert self.ends.total() == WORKERS * EACH
        assert self.ends["reply"] <= taken <= self.ends["reply"] + self.ends["lost sent"], (taken, self.ends)

    async def _keep_restarting(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        started = False
        while True:
            async with self.sandbox:
                if not started:
                    task_status.started()
                    started = True
                target = self.ends.total() + self.dice.randrange(1, WORKERS * EACH // RESTARTS)
                while self.ends.total() < target or not self.working:
                    await self.changed.wait()
            await anyio.sleep(self.dice.choice((0.0, 0.0, 0.003)))

    async def _pay(self, app: Elarian, wallet: Wallet) -> None:
        for _ in range(EACH):
            try:
                reply = await app.initiate_payment(self.purse, wallet, Cash("KES", Decimal(1)))
            except ConnectionLost as lost:
                self.ends["lost sent" if lost.sent else "lost unsent"] += 1
            else:
                assert reply.status == "success"
                self.ends["reply"] += 1
            self._note()
        self.working -= 1
        self._note()

    def _note(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


async def test_what_was_answered_before_a_restart_is_in_the_books_once(anyio_backend: str) -> None:
    """Promise 1 of the design, with the server killed: nothing is paid twice, and nobody is told what is not so."""
    first, began = seed_or(60_000), time.perf_counter()
    ends: Counter[str] = Counter()
    lost = 0
    for seed in range(first, first + SEEDS):
        run = Run(seed)
        try:
            await run.play()
        except BaseException as error:
            error.add_note(f"again with ELARIAN_TRIO_SEED={seed}: {run.ends}")
            raise
        ends += run.ends
        lost += run.sessions_lost
    assert lost
    said = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    say(
        f"restarts, {anyio_backend}: seeds {first} to {first + SEEDS - 1}: {lost} sessions lost, {said}; "
        f"{time.perf_counter() - began:.0f} s"
    )
