"""A session that is cut over and over, with a peer that others wrote at its other end, and a ledger of what was done.

The peers' programs stand in ``test/interop``; :mod:`foreign` starts them and :mod:`proxy` cuts. Both ends ask, and what
either executes is counted: in ``job:<text>``, which the peer counts, and in ``item <number>``, which we count.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import anyio
import anyio.lowlevel
import foreign
from faulty import Fault, Kind, Plan, Way
from meetings import METADATA, Us, dial, serve
from proxy import open_proxy

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session import Handover, IncomingRequest, Reception, Session, Supervisor
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from foreign import Peer
    from proxy import Proxy

    from elarian_trio._transport import FrameTransport

    Ask: TypeAlias = Callable[[bytes, Handover], Awaitable[bytes]]

__all__ = ["OPTIONS", "Cuts", "Ledger", "Resuming", "client", "make_supervisor", "resuming_client", "resuming_server"]

PATIENCE = 60.0  # seconds for all of a load
WORKERS = 8
AT_A_TIME = 400  # requests each way, of a part of the load
LIFETIME = 300.0  # seconds, of clients of others: rsocket-js 1 sends no KEEPALIVE any more once it was resumed
FRAGMENT_SIZE = 1024  # small enough for the bytes between two cuts
KEPT = 1024 * 1024
OPENING = 500  # bytes either way that the first connection is sure to have: what is cut short there never begins


@dataclass(frozen=True)
class Cuts:
    """Plans for a proxy: each connection is cut at a random byte of a random way, the same ones for the same seed.

    Attributes:
        seed: of everything.
        up: how many bytes each connection lets pass at least, from the client.
        down: the same the other way.
        reach: how many at most; more than the largest frame, or that would never get through.
        kinds: how connections end.
        number: how many of them are cut; then there is peace.
    """

    seed: str
    up: int = 0
    down: int = 0
    reach: int = 6000
    kinds: tuple[Kind, ...] = (Kind.CUT, Kind.END)
    number: int = 60

    def __call__(self, number: int) -> Plan:
        """Plan connection *number*."""
        dice = random.Random(f"{self.seed}/{number}")
        if number >= self.number:
            return Plan(number)
        way = dice.choice(list(Way))
        floor = max(self.up if way is Way.UP else self.down, 0 if number else OPENING)
        reach = floor + 200 if dice.randrange(4) == 0 else self.reach  # a quarter falls where sessions are resumed
        return Plan(number, (Fault(dice.choice(self.kinds), way, dice.randrange(floor, reach)),))


class Ledger:
    """What either end was asked to do, and did."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.executed: Counter[bytes] = Counter()
        self.given_up: list[Handover] = []
        self.wrong: list[bytes] = []

    def handle(self, request: IncomingRequest) -> None:
        """Do what the peer asks: count, and say the same."""
        self.executed[request.data] += 1
        request.respond(request.data)

    async def ask(self, verb: str, body: bytes = b"") -> bytes:
        """Have the peer do something."""
        return await self._ask(verb.encode() + b":" + body, Handover())

    async def load(self, jobs: range, items: int) -> bytes:
        """Have the peer do these jobs, one in 16 of them large, and ask us for so many items meanwhile."""
        numbers = iter(jobs)
        report = b""

        async def work() -> None:
            for number in numbers:
                body = b"%d" % number + b"." * (2500 if number % 16 == 0 else number % 40)
                if await self.ask("job", body) != body:
                    self.wrong.append(body)
                if number % 20 == 0:
                    await self.give_up()

        async def listen() -> None:
            nonlocal report
            report = await self.ask("load", b"%d" % items)

        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(listen)
                for _ in range(WORKERS):
                    tasks.start_soon(work)
        return report

    async def give_up(self) -> None:
        """Ask for what never comes, and stop waiting; the peer counts what it heard of it."""
        handover = Handover()
        self.given_up.append(handover)
        with anyio.move_on_after(0.01):
            await self._ask(b"never:", handover)

    def faults(self, items: int) -> list[str]:
        """Say what of *items* was not done exactly once, and which answers were not the right ones."""
        said = [f"answers to others: {self.wrong[:3]}"] if self.wrong else []
        for number in range(items):
            times = self.executed.pop(b"item %d" % number, 0)
            if times != 1:
                said.append(f"item {number} was executed {times} times")
        return said + [f"never asked for: {each!r}" for each in self.executed]


@dataclass
class Resuming:
    """A session of ours that is cut, and the peer at its other end.

    Attributes:
        ledger: counts what is done.
        peer: the peer's process.
        proxy: what cuts.
    """

    ledger: Ledger
    peer: Peer
    proxy: Proxy

    async def run(self, cuts: int) -> str:
        """Load both ways until there were so many cuts; give what was counted, once the books are right."""
        done = 0
        while not done or self.proxy.record.cuts < cuts:
            assert await self.ledger.load(range(done, done + AT_A_TIME), AT_A_TIME) == b"each its own"
            assert self.ledger.faults(AT_A_TIME) == []
            done += AT_A_TIME
        assert await self.ledger.ask("jobs") == b"%d %d" % (done, done)
        assert int(await self.ledger.ask("canceled")) == sum(each.sent for each in self.ledger.given_up)
        return f"{self.proxy.record}, {done} requests each way, each executed once"


# Of a client of ours that is back as soon as it can be.
OPTIONS = ConnectionOptions(
    keepalive_interval=1.0,
    keepalive_lifetime=30.0,
    resume="require",
    resume_buffer_size=KEPT,
    fragment_size=FRAGMENT_SIZE,
    reconnect=Backoff(first=0.01),
)


@asynccontextmanager
async def resuming_client(
    name: str, transport: str, cuts: Cuts, *, fragment_size: int = FRAGMENT_SIZE
) -> AsyncIterator[tuple[Resuming, Supervisor]]:
    """Have a client of ours meet a peer that keeps sessions, with a network that cuts between the two."""
    async with (
        foreign.foreign(*foreign.peer_command(name, "server-resumable", transport)) as peer,
        open_proxy(f"tcp://127.0.0.1:{await peer.port()}", cuts) as proxy,
        client(partial(dial, transport, proxy.port), replace(OPTIONS, fragment_size=fragment_size)) as (
            supervisor,
            ledger,
        ),
    ):
        yield Resuming(ledger, peer, proxy), supervisor


def make_supervisor(
    reach: Callable[[], Awaitable[FrameTransport]],
    chosen: ConnectionOptions,
    handler: Callable[[IncomingRequest], None],
    credentials: bytes = b"right",
) -> Supervisor:
    """Make a client of ours, to be run."""
    interval, lifetime = chosen.keepalive_interval, chosen.keepalive_lifetime

    async def setup() -> Setup:
        await anyio.lowlevel.checkpoint()
        return Setup(credentials, METADATA, keepalive_interval=interval, keepalive_lifetime=lifetime)

    return Supervisor(dial=reach, setup=setup, options=chosen, handler=handler)


@asynccontextmanager
async def client(
    reach: Callable[[], Awaitable[FrameTransport]], chosen: ConnectionOptions
) -> AsyncIterator[tuple[Supervisor, Ledger]]:
    """Run a client of ours for a block."""

    async def ask(data: bytes, handover: Handover) -> bytes:
        return await supervisor.request(data, retry=False, handover=handover)

    ledger = Ledger(ask)
    supervisor = make_supervisor(reach, chosen, ledger.handle)
    async with anyio.create_task_group() as tasks:
        with anyio.fail_after(foreign.BOUND):
            await tasks.start(supervisor.run)
        yield supervisor, ledger
        supervisor.close()


@asynccontextmanager
async def resuming_server(
    name: str, transport: str, cuts: Cuts, *, fragment_size: int = FRAGMENT_SIZE
) -> AsyncIterator[tuple[Resuming, Session]]:
    """Have a server of ours meet a peer that comes back, with a network that cuts between the two."""
    sessions: list[Session] = []
    opened = anyio.Event()
    reception = Reception()

    async def ask(data: bytes, handover: Handover) -> bytes:
        return await sessions[0].request(data, handover=handover)

    def open_session() -> Session:
        connection = Connection(Role.SERVER, fragment_size=fragment_size, resume_buffer_size=KEPT)
        sessions.append(Session(connection, ledger.handle, on_setup=Us().judge))
        return sessions[-1]

    def note_open(_: Session) -> None:
        opened.set()

    async def live(link: FrameTransport) -> None:
        await reception.serve(link, open_session, on_open=note_open)

    ledger = Ledger(ask)
    setup = Setup(b"right", METADATA, keepalive_interval=1.0, keepalive_lifetime=LIFETIME)
    async with anyio.create_task_group() as tasks:
        port = await serve(tasks, transport, live)
        async with (
            open_proxy(f"tcp://127.0.0.1:{port}", cuts) as proxy,
            foreign.foreign(*foreign.client_command(name, "client-resumable", transport, proxy.port, setup)) as peer,
        ):
            with anyio.fail_after(foreign.BOUND):
                await opened.wait()
            yield Resuming(ledger, peer, proxy), sessions[0]
        tasks.cancel_scope.cancel()
