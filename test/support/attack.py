"""One hostile stream of bytes into one live session of either role, and how the session ended.

The tests of hostile streams stand above; :mod:`hostile_bytes` says what is thrown.
"""

from __future__ import annotations

import gc
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import figures
from acceptance import ERROR, KEEPALIVE, Frame
from byte_pipes import PipeEnd
from hostile_bytes import RECIPES, TOKEN, a_setup, mutated, prefixed

from elarian_trio import ElarianError, SetupRejected
from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session import IncomingRequest, Session, StreamFailed
from elarian_trio._transport import StreamTransport

if TYPE_CHECKING:
    import random

    from anyio.abc import TaskGroup

SEED = figures.seed_or(30)
STREAMS = figures.sized(smoke=200, ci=5_000, soak=100_000)  # on each backend
PATIENCE = 120.0  # seconds: on trio virtual ones, of which a silent peer may take thirty twice over
ROOM = 4096  # bytes under way, where the attacker does not read
MAX_PAYLOAD = 1024 * 1024
MAX_STORE = 256 * 1024
MAX_KEPT = 24 * 1024 * 1024  # bytes that a session may ever hold, whatever is thrown at it, with these two bounds
SILENT_ENDS = ("silence", "deafness")  # which only virtual time gets over


@dataclass
class Attack:
    """One hostile stream into one session.

    Attributes:
        number: which of its run it is.
        role: of the session that is attacked.
    """

    number: int
    role: Role
    dice: random.Random
    can_wait: bool
    ends: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        self.resumable = self.dice.randrange(2) == 0
        self.lets_in = self.dice.randrange(8) != 0
        self.ending = self.dice.choice(("close", "eof", "leave", *(SILENT_ENDS if self.can_wait else ())))
        self.held: list[IncomingRequest] = []

    async def run(self) -> None:
        """Attack, and see what becomes of the session and of who asks something by it."""
        near, far = PipeEnd.pair(ROOM if self.ending == "deafness" else 64 * 1024 * 1024)
        session = self.make_session()
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.live, session, StreamTransport(near))
                for ask in (self.ask, self.ask, self.ping):
                    tasks.start_soon(ask, session)
                await self.attack(far, tasks)
        assert session.idle, "somebody still waits"

    def make_session(self) -> Session:
        """Make the session that is attacked."""
        store = MAX_STORE if self.resumable else None
        bounds: dict[str, Any] = {"max_payload_size": MAX_PAYLOAD, "resume_buffer_size": store}
        if self.role is Role.SERVER:
            return Session(Connection(Role.SERVER, **bounds), self.handle, on_setup=self.judge)
        setup = Setup(
            b"creds",
            keepalive_interval=10.0,
            keepalive_lifetime=30.0,
            resume_token=TOKEN if self.resumable else None,
        )
        return Session(Connection(Role.CLIENT, setup=setup, **bounds), self.handle)

    async def judge(self, _: Setup) -> None:
        """Let most in."""
        await anyio.lowlevel.checkpoint()
        if not self.lets_in:
            raise SetupRejected("no")

    def handle(self, request: IncomingRequest) -> None:
        """Answer some, fail some, hold some for ever, and be defective."""
        what = self.dice.randrange(4)
        if what == 0:
            request.respond(request.data)
        elif what == 1:
            request.fail(0x201, "no")
        elif what == 2:
            self.held.append(request)
        else:
            raise ValueError("the handler's own mistake")

    async def live(self, session: Session, transport: StreamTransport) -> None:
        """Live the session to its end, which must be one of ours."""
        try:
            await session.run(transport)
            self.ends["in order"] += 1
        except ElarianError as error:
            self.ends[type(error).__name__] += 1
        session.end()  # one that could be resumed is not

    async def ask(self, session: Session) -> None:
        """Ask something once the session is open, and take whatever becomes of it."""
        await self.until_open(session)
        with suppress(StreamFailed, ElarianError):
            await session.request(self.dice.randbytes(self.dice.choice((1, 100, 200_000))))

    async def ping(self, session: Session) -> None:
        """Ask for a sign of life."""
        await self.until_open(session)
        with suppress(ElarianError):
            await session.ping()

    async def until_open(self, session: Session) -> None:
        """Wait a while for the session to open."""
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
            if session.opened:
                return

    async def attack(self, far: PipeEnd, tasks: TaskGroup) -> None:
        """Be let in, mostly, and throw."""
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            await self.enter(far)
            if self.ending != "deafness":
                tasks.start_soon(self.swallow, far)
            for recipe in self.dice.choices(RECIPES, k=self.dice.randrange(1, 4)):
                for data in recipe(self.dice):
                    await far.send(data)
            await self.end(far)

    async def enter(self, far: PipeEnd) -> None:
        """Open the connection as one should, or not quite."""
        if self.role is Role.SERVER:
            setup = bytes(a_setup(self.dice, token=TOKEN if self.resumable else None))
            if self.dice.randrange(6) == 0:
                setup = mutated(self.dice, setup)
            await far.send(prefixed(setup) if self.dice.randrange(10) else b"")
            return
        opening = await far.receive()
        if self.lets_in:
            await far.send(prefixed(Frame(0, KEEPALIVE, 0, opening[-16:])))

    async def swallow(self, far: PipeEnd) -> None:
        """Read whatever comes."""
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            while True:
                await far.receive()

    async def end(self, far: PipeEnd) -> None:
        """Leave, or fall silent."""
        if self.ending == "close":
            await far.aclose()
        elif self.ending == "eof":
            await far.send_eof()
        elif self.ending == "leave":
            await far.send(prefixed(Frame(0, ERROR, 0, struct.pack(">I", 0x102))))
            await far.aclose()


def living_sessions() -> int:
    """Count sessions and connections that somebody still holds."""
    return sum(isinstance(each, Session | Connection) for each in gc.get_objects())
