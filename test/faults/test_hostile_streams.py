"""Hostile peers by the thousand, in a live session of either role: nothing but our own errors, nothing kept, no hang.

Each stream of bytes comes from dice of its own (seed and number), so that any of them can be had again alone. What the
attacker does not say is silence: on trio, virtual time then passes until the keepalive lifetime ends the session.
"""

from __future__ import annotations

import gc
import math
import random
import struct
import tracemalloc
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import figures
import pytest
from acceptance import (
    CANCEL,
    COMPLETE,
    ERROR,
    FOLLOWS,
    KEEPALIVE,
    METADATA,
    NEXT,
    PAYLOAD,
    REQUEST_RESPONSE,
    RESPOND,
    SETUP,
    Frame,
)
from byte_pipes import PipeEnd
from trio.testing import MockClock

from elarian_trio import ElarianError, SetupRejected
from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session import IncomingRequest, Reception, Session, StreamFailed, attachment
from elarian_trio._transport import StreamTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anyio.abc import TaskGroup

pytestmark = pytest.mark.anyio

SEED = figures.seed_or(30)
STREAMS = figures.sized(smoke=200, ci=5_000, soak=100_000)  # on each backend
MAX_PAYLOAD = 1024 * 1024
FLOOD = figures.sized(smoke=500, ci=10_000, soak=500_000)  # frames
MAX_FLOOD = figures.sized(smoke=6, ci=48, soak=256) * MAX_PAYLOAD  # bytes
BATCH = 100
PATIENCE = 120.0  # seconds: on trio virtual ones, of which a silent peer may take thirty twice over
ROOM = 4096  # bytes under way, where the attacker does not read
MAX_STORE = 256 * 1024
MAX_KEPT = 24 * 1024 * 1024  # bytes that a session may ever hold, whatever is thrown at it, with these two bounds

REQUEST_FNF, REQUEST_STREAM, REQUEST_CHANNEL, REQUEST_N, PUSH, RESUME, RESUME_OK, LEASE, EXT = (
    *(0x05, 0x06, 0x07, 0x08, 0x0C, 0x0D, 0x0E, 0x02, 0x3F),
)
TOKEN = b"0123456789abcdef"
SILENT_ENDS = ("silence", "deafness")  # which only virtual time gets over


@pytest.fixture(scope="module", params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401
    """Trio has a clock that jumps when nobody can run."""
    return ("trio", {"clock": MockClock(autojump_threshold=0.0)}) if request.param == "trio" else "asyncio"


# --- what is thrown ---


def prefixed(frame: Frame | bytes) -> bytes:
    """Give a frame as a byte stream carries it."""
    data = bytes(frame)
    return len(data).to_bytes(3, "big") + data


def a_setup(dice: random.Random, *, token: bytes | None = None) -> Frame:
    """Give a SETUP that is in order."""
    rest = struct.pack(">HHII", 1, 0, 10_000, 30_000)
    if token is not None:
        rest += struct.pack(">H", len(token)) + token
    mime = b"application/octet-stream"
    rest += bytes([len(mime)]) + mime + bytes([len(mime)]) + mime + dice.randbytes(20)
    return Frame(0, SETUP, RESPOND if token is not None else 0, rest)


def an_id(dice: random.Random) -> int:
    """Give a stream id: of either side, used or not, or none at all."""
    return dice.choice((0, 1, 2, 3, 4, 5, 6, 7, dice.randrange(64), dice.randrange(2**31), 2**31 - 1, 2**31 - 2))


def a_position(dice: random.Random) -> bytes:
    """Give a position, sound or wild."""
    return struct.pack(">Q", dice.choice((0, 1, 30, 2**31, 2**63 - 1, 2**64 - 1, dice.randrange(400))))


def a_frame(dice: random.Random) -> Frame:
    """Give a frame that could be read, on any stream, at any time."""
    stream, data = an_id(dice), dice.randbytes(dice.choice((0, 1, 9, 60, 700)))
    number = struct.pack(">I", dice.choice((0, 1, 2**31 - 1, 2**32 - 1, dice.randrange(0x400))))
    payload = dice.choice((NEXT, COMPLETE, NEXT | COMPLETE, 0, NEXT | FOLLOWS, FOLLOWS | COMPLETE | NEXT))
    return dice.choice(
        (
            lambda: Frame(stream, PAYLOAD, payload, data),
            lambda: Frame(stream, PAYLOAD, payload | METADATA, dice.randbytes(3) + data),
            lambda: Frame(stream, ERROR, 0, number + data),
            lambda: Frame(0, ERROR, 0, number + data),
            lambda: Frame(0, KEEPALIVE, dice.choice((0, RESPOND)), a_position(dice) + data),
            lambda: Frame(stream, REQUEST_RESPONSE, dice.choice((0, FOLLOWS)), data),
            lambda: Frame(stream, REQUEST_RESPONSE, METADATA, (1).to_bytes(3, "big") + b"m" + data),
            lambda: Frame(stream, REQUEST_FNF, 0, data),
            lambda: Frame(stream, dice.choice((REQUEST_STREAM, REQUEST_CHANNEL)), 0, number + data),
            lambda: Frame(stream, REQUEST_N, 0, number),
            lambda: Frame(stream, CANCEL, 0),
            lambda: Frame(0, PUSH, METADATA, data),
            lambda: Frame(0, LEASE, 0, number + number),
            lambda: Frame(0, RESUME_OK, 0, a_position(dice)),
            lambda: Frame(0, RESUME, 0, b"\0\1\0\0\0\x10" + TOKEN + a_position(dice) + a_position(dice)),
            lambda: Frame(stream, EXT, dice.choice((0, 0x200)), number + data),
            lambda: Frame(stream, dice.randrange(0x40), dice.randrange(0x400), data),
            lambda: a_setup(dice, token=dice.choice((None, TOKEN))),
        )
    )()


def mutated(dice: random.Random, data: bytes) -> bytes:
    """Give bytes with something wrong with them."""
    raw = bytearray(data)
    what = dice.randrange(5)
    if what == 0 and raw:
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    elif what == 1:
        del raw[dice.randrange(len(raw) + 1) :]
    elif what == 2:
        raw += dice.randbytes(dice.randrange(1, 40))
    elif what == 3:
        raw[: dice.randrange(14)] = dice.randbytes(dice.randrange(14))
    else:
        cut = dice.randrange(len(raw) + 1)
        raw = raw[cut:] + raw[:cut]
    return bytes(raw)


def noise(dice: random.Random) -> Iterator[bytes]:
    """Send what is nothing."""
    yield from (dice.randbytes(dice.randrange(1, 300)) for _ in range(dice.randrange(1, 6)))


def frames(dice: random.Random) -> Iterator[bytes]:
    """Send frames that can be read, and make no sense."""
    yield from (prefixed(a_frame(dice)) for _ in range(dice.randrange(1, 30)))


def mutations(dice: random.Random) -> Iterator[bytes]:
    """Send frames of which some are broken within."""
    for _ in range(dice.randrange(1, 30)):
        data = bytes(a_frame(dice))
        yield prefixed(mutated(dice, data) if dice.randrange(4) == 0 else data)


def torn(dice: random.Random) -> Iterator[bytes]:
    """Send frames that are broken where they are cut."""
    yield mutated(dice, b"".join(prefixed(a_frame(dice)) for _ in range(dice.randrange(1, 8))))


def half(dice: random.Random) -> Iterator[bytes]:
    """Stop within a frame."""
    data = prefixed(a_frame(dice))
    yield data[: dice.randrange(len(data))]


def huge(dice: random.Random) -> Iterator[bytes]:
    """Announce much, and send little of it."""
    yield dice.choice((b"\xff\xff\xff", b"\x80\0\0", b"\0\0\0", b"\0\0\5"))
    for _ in range(dice.randrange(8)):
        yield bytes(dice.choice((1, 100, 20_000)))


def drip(dice: random.Random) -> Iterator[bytes]:
    """Send one byte at a time."""
    data = b"".join(prefixed(a_frame(dice)) for _ in range(dice.randrange(1, 4)))
    yield from (data[at : at + 1] for at in range(len(data)))


def pings(dice: random.Random) -> Iterator[bytes]:
    """Ask for many signs of life at once."""
    for _ in range(dice.randrange(1, 5)):
        yield prefixed(Frame(0, KEEPALIVE, RESPOND, bytes(8) + dice.randbytes(dice.randrange(2000)))) * 30


def cancels(dice: random.Random) -> Iterator[bytes]:
    """Give up what was never asked."""
    yield b"".join(prefixed(Frame(an_id(dice), CANCEL, 0)) for _ in range(200))


def requests(dice: random.Random) -> Iterator[bytes]:
    """Ask much, under any id, and give some of it up."""
    for first in range(dice.randrange(1, 3), 120, 2):
        yield prefixed(Frame(first, REQUEST_RESPONSE, 0, dice.randbytes(9)))
        if dice.randrange(3) == 0:
            yield prefixed(Frame(first, CANCEL, 0))


def pieces(dice: random.Random) -> Iterator[bytes]:
    """Begin payloads, and end few of them."""
    for _ in range(dice.randrange(1, 60)):
        kind = dice.choice((REQUEST_RESPONSE, REQUEST_FNF, PAYLOAD, PAYLOAD))
        flags = dice.choice((FOLLOWS, FOLLOWS, FOLLOWS | METADATA, 0)) | (NEXT if kind == PAYLOAD else 0)
        size = dice.choice((0, 10, 5000)).to_bytes(3, "big") if flags & METADATA else b""
        yield prefixed(Frame(dice.randrange(1, 12), kind, flags, size + bytes(dice.choice((0, 10, 5000)))))


def positions(dice: random.Random) -> Iterator[bytes]:
    """Claim to have received whatever."""
    for _ in range(dice.randrange(1, 20)):
        yield prefixed(Frame(0, KEEPALIVE, dice.choice((0, RESPOND)), a_position(dice)))


def answers(dice: random.Random) -> Iterator[bytes]:
    """Answer what the other side asks, in every wrong way."""
    for _ in range(dice.randrange(1, 20)):
        stream = dice.randrange(1, 9)
        yield prefixed(
            dice.choice(
                (
                    Frame(stream, PAYLOAD, dice.choice((0, NEXT, COMPLETE, NEXT | COMPLETE | FOLLOWS)), b"answer"),
                    Frame(stream, ERROR, 0, struct.pack(">I", dice.choice((0, 0x202, 0x301, 2**32 - 1))) + b"\xff\xfe"),
                    Frame(stream, ERROR, 0, b"\0\0"),
                    Frame(stream, PAYLOAD, METADATA | NEXT, b"\xff\xff\xff"),
                )
            )
        )


RECIPES: tuple[Callable[[random.Random], Iterator[bytes]], ...] = (
    *(noise, frames, frames, mutations, mutations, mutations, torn, half, huge, drip, pings, cancels, requests, pieces),
    *(positions, answers, answers),
)


# --- who is attacked ---


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


@pytest.mark.parametrize("role", Role)
async def test_hostile_streams_end_in_our_errors_and_leave_nothing(role: Role, anyio_backend: Any) -> None:  # noqa: ANN401
    """The issue: nothing escapes but the protocol errors of ours, memory bounded, no hang."""
    ends, backend = Counter[str](), anyio_backend if isinstance(anyio_backend, str) else anyio_backend[0]
    gc.collect()
    before = living_sessions()
    for first in range(0, STREAMS // 2, BATCH):
        for number in range(first, min(first + BATCH, STREAMS // 2)):
            attack = Attack(number, role, random.Random(f"{SEED}/{role.name}/{number}"), backend == "trio", ends)
            try:
                await attack.run()
            except BaseException as error:
                error.add_note(f"seed {SEED}, {role.name} {number}, ending by {attack.ending}")
                raise
        del attack
        gc.collect()
        assert living_sessions() <= before, f"sessions stay, seed {SEED}, {role.name} {first} to {first + BATCH}"
    counts = ", ".join(f"{count} {name}" for name, count in sorted(ends.items()))
    whose = f"{role.name.lower()}'s session on {backend}"
    figures.say(f"hostile streams into a {whose}: {STREAMS // 2}, seed {SEED}: {counts}")
    assert sum(ends.values()) == STREAMS // 2
    assert len(ends) >= 3, "the attackers reached several ends"


def living_sessions() -> int:
    """Count sessions and connections that somebody still holds."""
    return sum(isinstance(each, Session | Connection) for each in gc.get_objects())


# --- a session that is kept, and who wants it ---


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
    gc.collect()
    assert living_sessions() <= before
    counts = ", ".join(f"{each} {name}" for name, each in sorted(told.items()))
    figures.say(f"sieges of sessions that are kept, on {backend}: {count}, seed {SEED}: {counts}")
    assert told["resumed"] > 0


# --- floods, measured ---


def endless(what: str, role: Role) -> Callable[[int], bytes]:
    """Give the frames of a flood, by number."""
    mine = 2 if role is Role.CLIENT else 1
    piece = bytes(16_000)
    return {
        "keepalives": lambda number: prefixed(Frame(0, KEEPALIVE, RESPOND, bytes(8) + number.to_bytes(4, "big") * 50)),
        "cancels": lambda number: prefixed(Frame(number % 2**31, CANCEL, 0)),
        "requests": lambda number: prefixed(Frame(mine + 2 * number, REQUEST_RESPONSE, 0, b"twelve bytes")),
        "canceled requests": lambda number: (
            prefixed(Frame(mine + 2 * number, REQUEST_RESPONSE, 0, b"x"))
            + prefixed(Frame(mine + 2 * number, CANCEL, 0))
        ),
        "pieces": lambda number: (
            prefixed(Frame(mine + 2 * (number % 5000), REQUEST_RESPONSE, FOLLOWS, piece))
            if number < 5000
            else prefixed(Frame(mine + 2 * (number % 5000), PAYLOAD, FOLLOWS | NEXT, piece))
        ),
        "one long payload": lambda number: prefixed(
            Frame(mine, PAYLOAD if number else REQUEST_RESPONSE, FOLLOWS | (NEXT if number else 0), piece)
        ),
        "small pieces": lambda number: prefixed(
            Frame(mine, PAYLOAD if number else REQUEST_RESPONSE, FOLLOWS | (NEXT if number else 0), b"ab")
        ),
        "unknown answers": lambda number: prefixed(Frame(number * 2 + 101, PAYLOAD, NEXT | FOLLOWS, piece)),
        "empty frames": lambda _: b"\0\0\6" + bytes(4) + struct.pack(">H", EXT << 10 | 0x200),
        "extensions": lambda _: prefixed(Frame(0, EXT, 0x200, bytes(100))),
    }[what]


FLOODS = [
    *("keepalives", "cancels", "requests", "canceled requests", "pieces", "one long payload", "small pieces"),
    *("unknown answers", "empty frames", "extensions"),
]


@pytest.mark.parametrize("reads", [True, False], ids=["reads", "deaf"])
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("what", FLOODS)
async def test_flood_takes_bounded_memory(what: str, role: Role, reads: bool, anyio_backend: Any) -> None:  # noqa: ANN401
    """The issue: memory bounded, whether the attacker reads what it is answered or not."""
    if not reads and anyio_backend == "asyncio":
        pytest.skip("a deaf peer ends by time, which is virtual on trio only")
    attack = Attack(0, role, random.Random(SEED), can_wait=False)
    attack.resumable, attack.lets_in = not reads, True
    near, far = PipeEnd.pair(ROOM if not reads else 64 * 1024)
    session = attack.make_session()
    make = endless(what, role)
    size = len(make(1))
    count = min(FLOOD, math.ceil(MAX_FLOOD / size))
    attack.handle = attack.held.append  # type: ignore[method-assign] # nobody ever answers
    tracemalloc.start()
    try:
        with anyio.fail_after(10 * PATIENCE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(attack.live, session, StreamTransport(near))
                await pour(far, make, count, attack, tasks if reads else None)
                peak = tracemalloc.get_traced_memory()[1]
                tasks.cancel_scope.cancel()
    finally:
        tracemalloc.stop()
    figures.say(f"flood of {count} {what}, {role.name.lower()}, {'read' if reads else 'deaf'}: {peak / 2**20:.1f} MiB")
    assert peak < MAX_KEPT


async def pour(
    far: PipeEnd, make: Callable[[int], bytes], count: int, attack: Attack, readers: TaskGroup | None
) -> None:
    """Be let in and pour, without keeping what was poured."""
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
        if attack.role is Role.SERVER:
            await far.send(prefixed(a_setup(attack.dice, token=TOKEN if attack.resumable else None)))
        else:
            await far.send(prefixed(Frame(0, KEEPALIVE, 0, (await far.receive())[-16:])))
        if readers is not None:
            readers.start_soon(attack.swallow, far)
        for number in range(0, count, 50):
            await far.send(b"".join(make(each) for each in range(number, number + 50)))
            far.sends.clear()
