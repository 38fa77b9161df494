"""A session that is kept, and strangers by the hundred who claim it: each ends in order, and nothing is left.

What they say comes from dice of their own (seed and number), so that each siege can be had again alone.
"""

from __future__ import annotations

import gc
import random
import struct
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import figures
import pytest
from acceptance import REQUEST_RESPONSE, Frame
from attack import MAX_PAYLOAD, MAX_STORE, PATIENCE, SEED, STREAMS, living_sessions
from byte_pipes import PipeEnd
from hostile_bytes import RECIPES, RESUME, TOKEN, a_position, a_setup, mutated, prefixed
from trio.testing import MockClock

from elarian_trio._rsocket import Connection, Role
from elarian_trio._session import IncomingRequest, Reception, Session, attachment
from elarian_trio._transport import StreamTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyio.abc import TaskGroup

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401
    """Trio has a clock that jumps when nobody can run."""
    return ("trio", {"clock": MockClock(autojump_threshold=0.0)}) if request.param == "trio" else "asyncio"


class Besieged:
    """A server whose clients were cut, and whom everybody claims to be.

    Attributes:
        told: what the server was told of its sessions.
    """

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.reception = Reception(resume_window=20.0, max_parked=4)
        self.told: Counter[str] = Counter()
        self.sessions: list[Session] = []

    async def run(self) -> None:
        """Open a few sessions, and have strangers resume them, all at once and one after another."""
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                for number in range(self.dice.randrange(1, 4)):
                    tasks.start_soon(self.come, self.opening(number), tasks)
                for _ in range(self.dice.randrange(1, 8)):
                    await turns(self.dice.randrange(6))
                    tasks.start_soon(self.come, self.claim(), tasks)
                await turns(50)
                tasks.cancel_scope.cancel()
        assert self.reception.parked == 0
        assert self.reception.parked_bytes == 0
        assert all(session.idle and not session.resumable for session in self.sessions)
        assert self.told["over"] == self.told["open"], "each session's end was told once"
        assert self.told["resumed"] <= self.told["cut"]

    def opening(self, number: int) -> Iterator[bytes]:
        """Be a true client for a moment."""
        yield prefixed(a_setup(self.dice, token=TOKEN[:-1] + bytes([number])))
        for stream in range(1, 2 * self.dice.randrange(1, 6), 2):
            yield prefixed(Frame(stream, REQUEST_RESPONSE, 0, self.dice.randbytes(30)))

    def claim(self) -> Iterator[bytes]:
        """Resume somebody's session, or nobody's, from a position of one's own choice; and go on from there."""
        token = self.dice.choice((TOKEN[:-1] + bytes([self.dice.randrange(3)]), self.dice.randbytes(16), b""))
        version = self.dice.choice((b"\0\1\0\0", b"\0\0\0\1", b"\xff\xff\0\0"))
        places = (struct.pack(">Q", 0), struct.pack(">Q", 36), a_position(self.dice))
        rest = version + len(token).to_bytes(2, "big") + token + self.dice.choice(places) + self.dice.choice(places)
        resume = bytes(Frame(0, RESUME, 0, rest))
        yield prefixed(mutated(self.dice, resume) if self.dice.randrange(6) == 0 else resume)
        for recipe in self.dice.choices(RECIPES, k=self.dice.randrange(2)):
            yield from recipe(self.dice)

    async def come(self, says: Iterator[bytes], tasks: TaskGroup) -> None:
        """Connect, say it, and leave or not."""
        near, far = PipeEnd.pair(self.dice.choice((500, 1 << 20)))
        tasks.start_soon(self.serve, StreamTransport(near))
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            for data in says:
                await far.send(data)
            await turns(self.dice.randrange(10))
            if self.dice.randrange(3):
                await far.aclose()

    async def serve(self, transport: StreamTransport) -> None:
        """Serve a connection, and note what is told of it."""
        await self.reception.serve(
            transport,
            self.open_session,
            on_open=lambda _: self.note("open"),
            on_detached=lambda _: self.note("cut"),
            on_resumed=lambda _: self.note("resumed"),
            on_end=lambda _: self.note("over"),
        )

    def note(self, what: str) -> None:
        """Count it."""
        self.told[what] += 1

    def open_session(self) -> Session:
        """Make a session that can be kept."""
        connection = Connection(Role.SERVER, max_payload_size=MAX_PAYLOAD, resume_buffer_size=MAX_STORE)
        self.sessions.append(Session(connection, self.handle))
        return self.sessions[-1]

    def handle(self, request: IncomingRequest) -> None:
        """Answer most."""
        if self.dice.randrange(4):
            request.respond(self.dice.randbytes(30))


async def turns(count: int) -> None:
    """Let the others have their turn so many times."""
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


async def test_hostile_resumes_end_in_order_and_leave_nothing(
    anyio_backend: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The issue: RESUME with wild positions, tokens and versions, at sessions that are kept, open, or both."""
    monkeypatch.setattr(attachment, "LINGER_TIMEOUT", 0.001)  # who besieges does not hang up when told goodbye
    told, backend = Counter[str](), anyio_backend if isinstance(anyio_backend, str) else anyio_backend[0]
    gc.collect()
    before, count = living_sessions(), STREAMS // 10
    for number in range(count):
        besieged = Besieged(random.Random(f"{SEED}/resumes/{number}"))
        try:
            await besieged.run()
        except BaseException as error:
            error.add_note(f"seed {SEED}, resumes {number}")
            raise
        told += besieged.told
        del besieged
    await turns(10)  # asyncio of Python 3.12 holds what ended last until it has called all that waits to be called
    gc.collect()
    assert living_sessions() <= before
    counts = ", ".join(f"{each} {name}" for name, each in sorted(told.items()))
    figures.say(f"sieges of sessions that are kept, on {backend}: {count}, seed {SEED}: {counts}")
    assert told["resumed"] > 0
