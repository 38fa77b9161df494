"""A million customers and a million pending reminders in one file: how fast it opens, answers and reminds.

The file is filled in bulk, by the database's own writes. The server is the command in a process of its own, so that
what it takes can be read off the system. ``nox -s scale`` runs the full size and prints the figures.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import anyio
import pytest
from figures import SIZE, say, seed_or, sized
from serving import APP, ORG, served

from elarian_trio import (
    ConnectionOptions,
    CustomerNumber,
    CustomerNumberProvider,
    Elarian,
    Reminder,
    ReminderNotification,
)
from elarian_trio.sandbox.database import Database
from elarian_trio.sandbox.pending import JobRecord
from elarian_trio.sandbox.world.addresses import number_key
from elarian_trio.sandbox.world.effects import ReminderDue
from elarian_trio.sandbox.world.entities import AppRecord, CustomerRecord, NumberRecord, ReminderState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio.sandbox.world.entities import Record

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")]

CUSTOMERS = sized(smoke=2_000, ci=50_000, soak=1_000_000)
DUE = sized(smoke=200, ci=10_000, soak=10_000)  # reminders that are due within one second
FEW = 1_000  # customers of the file that the large one is compared with
BATCH = 20_000  # records that are written at a time
COMMANDS = sized(smoke=200, ci=2_000, soak=4_000)
ROUNDS = 5
AT_ONCE = 32
HEAD_START = timedelta(seconds=8)  # from writing the reminders until they are due; the server starts meanwhile
OPEN_WITHIN = 2.0  # seconds, the interpreter's start included
MEMORY = 300.0  # MB
REMIND_WITHIN = 3.0  # seconds after the last was due
COST_RATIO = 1.5
OPTIONS = ConnectionOptions(command_timeout=60.0, drain_timeout=1.0)


@pytest.fixture(params=["trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run once: what is measured is the server in its own process."""
    backend: str = request.param
    return backend


def number_of(customer: int) -> CustomerNumber:
    """Give a customer's number."""
    return CustomerNumber(f"+2547{customer:08d}")


def id_of(customer: int) -> str:
    """Give a customer's id."""
    return f"el_cst_{customer:032x}"


def records_of(customer: int, due: datetime, place: int) -> Iterator[Record]:
    """Give what the server has of a customer who has one reminder."""
    number, customer_id = number_of(customer), id_of(customer)
    key = number_key(ORG, number)
    reminder = ReminderState(reminder=Reminder("dues", due), due_at=due)
    yield CustomerRecord(
        org_id=ORG, customer_id=customer_id, created_at=due, numbers=(number,), metadata={"n": "1"}, app_ids=(APP,)
    )
    yield NumberRecord(
        org_id=ORG,
        provider=CustomerNumberProvider.CELLULAR,
        number=key.number,
        partition=key.partition,
        customer_id=customer_id,
    )
    yield AppRecord(org_id=ORG, app_id=APP, customer_id=customer_id, reminders={"dues": reminder})
    job = ReminderDue(org_id=ORG, app_id=APP, customer_id=customer_id, reminder_key="dues")
    yield JobRecord(due=due, number=place, job=job)


def fill(file: Path, customers: range, begins: datetime, apart: timedelta) -> None:
    """Write *customers* whose reminders are due one after another."""
    database = Database.open(file)
    records = (
        record
        for place, customer in enumerate(customers)
        for record in records_of(customer, begins + place * apart, customer + 1)
    )
    while batch := list(islice(records, BATCH)):
        database.write({record.key: record for record in batch})
    database.close()


def resident(pid: int) -> float:
    """Give the most memory that a process ever had, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    peak = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) * 1024 / 1e6


async def cost(app: Elarian, customers: int, at_once: int, dice: random.Random) -> float:
    """Give the microseconds that a command takes where so many are under way: half of them read, half of them write.

    What is written is new each time: SQLite writes no page for what is there already.
    """
    turns = iter([(dice.randrange(customers), dice.getrandbits(63)) for _ in range(COMMANDS)])

    async def work() -> None:
        for customer, value in turns:
            asha = app.customer(number_of(customer))
            await (asha.get_state() if value % 2 else asha.update_metadata({"n": value}))

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(at_once):
            tasks.start_soon(work)
    return (time.perf_counter() - began) / COMMANDS * 1e6


class Cost(NamedTuple):
    """What a command costs among few and among many customers, in microseconds."""

    few: float
    many: float

    @property
    def ratio(self) -> float:
        """How many times as much it is among many."""
        return self.many / self.few

    def __str__(self) -> str:
        """Say it in words."""
        return f"a command takes {self.many:.0f} µs, among {FEW} customers {self.few:.0f} µs: {self.ratio:.2f} times"


async def compare(small: Elarian, large: Elarian, at_once: int, dice: random.Random) -> Cost:
    """Give what a command costs, measured in turn."""
    rounds = [
        (await cost(small, FEW, at_once, dice), await cost(large, CUSTOMERS, at_once, dice)) for _ in range(ROUNDS)
    ]
    return Cost(median(few for few, _ in rounds), median(many for _, many in rounds))


async def remind(app: Elarian, last_due: datetime) -> float:
    """Hear every reminder that is due; give how many seconds after *last_due* that was."""
    async with app.notifications(ReminderNotification, max_buffer_size=2 * DUE) as inbox:
        heard: set[str | None] = set()
        async for delivery in inbox:
            async with delivery:
                heard.add(delivery.notification.customer_id)
            if len(heard) == DUE:
                break
    return (datetime.now(UTC) - last_due).total_seconds()


async def test_a_large_file_is_as_good_as_a_small_one(tmp_path: Path) -> None:
    """Issue: a million customers and a million pending reminders; none of them costs who does not ask for them."""
    seed = seed_or(90_001)
    small, large = tmp_path / "small.sqlite3", tmp_path / "large.sqlite3"
    far = datetime.now(UTC) + timedelta(days=30)
    began = time.perf_counter()
    fill(small, range(FEW), far, timedelta(seconds=1))
    fill(large, range(DUE, CUSTOMERS), far, timedelta(seconds=1))
    began, filled = time.perf_counter(), time.perf_counter() - began
    async with served(small) as few:
        first_due = datetime.now(UTC) + HEAD_START
        fill(large, range(DUE), first_due, timedelta(seconds=1) / DUE)
        async with served(large) as many:
            app = Elarian(**many.known, options=OPTIONS)
            async with app, Elarian(**few.known, options=OPTIONS) as other:
                late = await remind(app, first_due + timedelta(seconds=1))
                alone = await compare(other, app, 1, random.Random(seed))
                among_others = await compare(other, app, AT_ONCE, random.Random(seed))
            memory = resident(many.process.pid)
    size = large.stat().st_size / 1e6
    say(
        f"scale: seed {seed}: {CUSTOMERS} customers and as many reminders, {size:.0f} MB, filled in {filled:.0f} s: "
        f"ready after {many.took:.2f} s; {DUE} reminders of one second heard {late:.2f} s after it; {memory:.0f} MB "
        f"at most; one at a time {alone}; {AT_ONCE} at once {among_others}"
    )
    assert memory < MEMORY
    if SIZE != "smoke":  # the plain suite runs on whatever is busy, and wall time says nothing there
        assert many.took < OPEN_WITHIN
        assert late < REMIND_WITHIN
        assert alone.ratio < COST_RATIO
        assert among_others.ratio < COST_RATIO
