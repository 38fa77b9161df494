"""A network that fails as it is told to: what happens to each connection is a :class:`Plan`, drawn from a seed.

The fault tests stand above. :class:`FaultNetwork` is a ``dial`` for clients of the in-memory sandbox; the proxy
beside it (``proxy.py``) does the same to sockets. Both count bytes as a byte stream carries them, length prefixes
included, and both read their plans through :class:`Line`, which does no I/O. Nothing here looks at a clock: pauses are
the loop's, so that they pass at once in virtual time.
"""

from __future__ import annotations

import math
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, cycle
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream, ObjectStream

from elarian_trio._rsocket import FrameSplitter, join_frames
from elarian_trio._transport import StreamTransport, as_transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from typing import Self

    from elarian_trio._transport import FrameTransport

MAX_VANISHED = 64  # connections that only one end knows to be gone; beyond that the oldest other end hears of it, too


class Way(StrEnum):
    """Which way bytes go."""

    UP = "up"  # from who dialled
    DOWN = "down"


class Kind(StrEnum):
    """What can befall a connection."""

    CUT = "cut"  # both ends lose it, as by a reset
    END = "end"  # both ends see it closed in order
    VANISH = "vanish"  # who dialled loses it, and the other end hears nothing
    HALF_CLOSE = "half-close"  # this way ends in order, the other goes on
    STALL = "stall"  # nothing passes this way for ``value`` seconds
    GARBLE = "garble"  # the byte at this place is flipped by the mask ``value``


ENDS = frozenset({Kind.CUT, Kind.END, Kind.VANISH})
LAST = ENDS | {Kind.HALF_CLOSE}  # after which nothing more passes


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that befalls a connection, once *at* bytes have passed one way."""

    kind: Kind
    way: Way
    at: int
    value: float = 0.0

    def __str__(self) -> str:
        """Say what, which way and where."""
        return f"{self.kind} {self.way} at {self.at}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to one connection.

    Attributes:
        number: which connection of its network it is, from 0.
        faults: what befalls it, each at its own byte.
        refused: whether it is not made at all.
        delay: seconds that pass before each read and each write.
        pieces: sizes that bytes are cut into, over and over; none leaves them together.
        linger: turns of the loop before each read, so that more comes together.
        loud: whether a write that a fault cuts fails at once, or only what comes after it.
    """

    number: int = 0
    faults: tuple[Fault, ...] = ()
    refused: bool = False
    delay: float = 0.0
    pieces: tuple[int, ...] = ()
    linger: int = 0
    loud: bool = True

    def __str__(self) -> str:
        """Say what a reader needs to see it again."""
        what = ", ".join(map(str, self.faults)) or "no fault"
        return f"#{self.number}: {'refused' if self.refused else what}"


Plans: TypeAlias = "Callable[[int], Plan]"
Step: TypeAlias = "bytes | Fault"
Shape: TypeAlias = Literal["frames", "bytes", "objects"]

SOUND = Plan()


def sound(number: int) -> Plan:
    """Plan nothing."""
    return Plan(number)


def cut(way: Way | str, at: int, kind: Kind = Kind.CUT) -> Fault:
    """End a connection once *at* bytes have passed one way."""
    return Fault(kind, Way(way), at)


def first_of(*plans: Plan) -> Plans:
    """Give connections these plans, one after another, and no faults from then on."""
    return lambda number: plans[number] if number < len(plans) else Plan(number)


@dataclass(frozen=True, slots=True)
class RandomCuts:
    """Cuts at random bytes, each connection's from its own dice: any of them can be had again alone.

    Attributes:
        seed: of everything.
        reach: how many bytes a connection lives at most, one way or the other.
        opening: how many bytes count as its first; a quarter of the cuts falls there, where sessions are resumed.
        refusals: how many connections of a hundred are not made.
        kinds: how connections end.
    """

    seed: int | str
    reach: int = 2500
    opening: int = 100
    refusals: int = 4
    kinds: tuple[Kind, ...] = (Kind.CUT, Kind.CUT, Kind.END, Kind.VANISH)

    def __call__(self, number: int) -> Plan:
        """Plan connection *number*."""
        dice = random.Random(f"{self.seed}/{number}")
        return Plan(
            number,
            (Fault(dice.choice(self.kinds), dice.choice(list(Way)), self._where(dice)),),
            refused=dice.randrange(100) < self.refusals,
            pieces=tuple(dice.choices((1, 2, 3, 7, 50, 200), k=5)) if dice.randrange(8) == 0 else (),
            linger=dice.choice((0, 0, 0, 1, 5)),
            loud=dice.random() < 0.5,
        )

    def _where(self, dice: random.Random) -> int:
        return dice.randrange(self.opening if dice.randrange(4) == 0 else self.reach)


class Line:
    """One way of one connection, without I/O: bytes in, and out come the bytes that pass and the faults between them.

    Attributes:
        passed: how many bytes have passed.
        ended: whether nothing passes any more.
    """

    def __init__(self, plan: Plan, way: Way) -> None:
        mine = sorted((fault for fault in plan.faults if fault.way == way), key=lambda fault: fault.at)
        self._faults = deque(fault for fault in mine if fault.kind is not Kind.GARBLE)
        self._masks = {fault.at: int(fault.value) & 0xFF for fault in mine if fault.kind is Kind.GARBLE}
        self._sizes = cycle(plan.pieces) if plan.pieces else None
        self.passed = 0
        self.ended = False

    def feed(self, data: bytes) -> Iterator[Step]:
        """Take *data*; what comes up at its end comes up now, not with the next byte. Feed nothing to begin with."""
        start = 0
        while not self.ended:
            room = self._faults[0].at - self.passed if self._faults else len(data)
            piece = data[start : start + max(room, 0)]
            start += len(piece)
            yield from self._split(self._garble(piece))
            if not self._faults or self.passed < self._faults[0].at:
                return
            fault = self._faults.popleft()
            self.ended = fault.kind in LAST
            yield fault

    def _split(self, piece: bytes) -> Iterator[bytes]:
        while piece:
            size = len(piece) if self._sizes is None else next(self._sizes)
            yield piece[:size]
            piece = piece[size:]

    def _garble(self, piece: bytes) -> bytes:
        begin, self.passed = self.passed, self.passed + len(piece)
        hit = [at for at in self._masks if begin <= at < self.passed]
        if not hit:
            return piece
        flipped = bytearray(piece)
        for at in hit:
            flipped[at - begin] ^= self._masks[at]
        return bytes(flipped)


class FrameBytes(ByteStream):
    """A transport of whole frames as the stream of bytes that a socket would carry."""

    def __init__(self, frames: FrameTransport) -> None:
        self._frames = frames
        self._splitter = FrameSplitter()
        self._rest = b""

    async def send(self, item: bytes) -> None:
        """Send what frames are whole by now; half a frame waits for its rest."""
        frames = self._splitter.feed(item)
        if frames:
            await self._frames.send_frames(frames)
        else:
            await anyio.lowlevel.checkpoint()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Give bytes; those of several frames together where several wait."""
        if not self._rest:
            self._rest = join_frames(await self._frames.receive_frames())
        data, self._rest = self._rest[:max_bytes], self._rest[max_bytes:]
        return data

    async def send_eof(self) -> None:
        await self._frames.send_eof()

    async def aclose(self) -> None:
        await self._frames.aclose()


class FaultyStream(ByteStream):
    """A stream of bytes to which its plan happens; the end of who dialled.

    Args:
        inner: what carries the bytes that pass; closed with this.
        plan: what happens.
        met: is told of each fault as it happens.
    """

    def __init__(self, inner: ByteStream, plan: Plan, met: Callable[[FaultyStream, Fault], None]) -> None:
        self.inner = inner
        self.plan = plan
        self.up, self.down = Line(plan, Way.UP), Line(plan, Way.DOWN)
        self.torn: Fault | None = None
        self._met = met
        self._tear = anyio.Event()
        self._scopes: set[anyio.CancelScope] = set()  # of reads and writes, which end when the connection does
        self._arriving = self.down.feed(b"")
        self._arrived: deque[bytes] = deque()
        self._no_more = False

    async def send(self, item: bytes) -> None:
        """Send what passes.

        Raises:
            BrokenResourceError: the connection was lost, or is lost by this and the plan is loud.
        """
        await self._pause()
        self._require_whole(reading=False)
        for step in self.up.feed(item):
            if isinstance(step, Fault):
                await self._meet(step)
            else:
                await self._until_torn(self.inner.send, step)
            if self.torn is not None:
                break
        if self.plan.loud:
            self._require_whole(reading=False)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Give the next piece that passes.

        Raises:
            EndOfStream: this way ended in order.
            BrokenResourceError: the connection was lost.
        """
        while True:
            step = next(self._arriving, None)
            if isinstance(step, bytes):
                self._arrived.append(step)
            elif step is not None and step.kind is Kind.STALL:
                behind, self._arriving = self._arriving, chain([step], self._arriving)
                if self._arrived:
                    return self._take(max_bytes)
                await self._meet(step)  # cancelled meanwhile, the next read meets it again
                self._arriving = behind if self.torn is None else iter(())  # what was held up never arrives
            elif step is not None:
                await self._meet(step)
            elif self._arrived:
                await anyio.lowlevel.checkpoint()
                return self._take(max_bytes)
            else:
                await self._read()

    def _take(self, max_bytes: int) -> bytes:
        piece = self._arrived.popleft()
        if len(piece) > max_bytes:
            self._arrived.appendleft(piece[max_bytes:])
        return piece[:max_bytes]

    async def _read(self) -> None:
        await self._pause()
        for _ in range(self.plan.linger):
            await anyio.lowlevel.checkpoint()
        self._require_whole(reading=True)
        data = await self._until_torn(self.inner.receive)
        self._arriving = self.down.feed(data or b"")

    def _require_whole(self, *, reading: bool) -> None:
        if reading and (self._no_more or (self.torn is not None and self.torn.kind is Kind.END)):
            raise anyio.EndOfStream
        if self.torn is not None:
            raise anyio.BrokenResourceError

    async def _pause(self) -> None:
        if self.plan.delay:
            await self._sleep(self.plan.delay)

    async def _sleep(self, seconds: float) -> None:
        """Let time pass, unless the connection is lost meanwhile."""
        with anyio.move_on_after(seconds):
            await self._tear.wait()

    async def _until_torn(self, call: Callable[..., Awaitable[bytes | None]], *args: bytes) -> bytes | None:
        """Make *call*, unless the connection is lost meanwhile: then give nothing."""
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                return await call(*args)
            except anyio.ClosedResourceError:
                if self.torn is None:
                    raise
            finally:
                self._scopes.discard(scope)
        return None

    async def _meet(self, fault: Fault) -> None:
        if self.torn is not None:
            return
        self._met(self, fault)
        if fault.kind is Kind.STALL:
            await self._sleep(fault.value)
        elif fault.kind is not Kind.HALF_CLOSE:
            await self.tear(fault)
        elif fault.way is Way.UP:
            await self.inner.send_eof()
        else:
            self._no_more = True

    async def tear(self, fault: Fault) -> None:
        """Lose the connection now; what has arrived can still be read."""
        self.torn = fault
        self._tear.set()
        for scope in self._scopes:
            scope.cancel()
        if fault.kind is not Kind.VANISH:
            with anyio.CancelScope(shield=True):
                await self.inner.aclose()

    async def send_eof(self) -> None:
        self._require_whole(reading=False)
        self.up.ended = True
        await self.inner.send_eof()

    async def aclose(self) -> None:
        """Close both ends, but for an end that shall not hear of it."""
        if self.torn is None or self.torn.kind is not Kind.VANISH:
            await self.inner.aclose()
        else:
            await anyio.lowlevel.checkpoint()


class Objects(ObjectStream[bytes]):
    """A stream of a user's own make: a frame an object, and no more than anyio asks for."""

    def __init__(self, frames: FrameTransport) -> None:
        self._frames = frames

    async def send(self, item: bytes) -> None:
        await self._frames.send(item)

    async def receive(self) -> bytes:
        return await self._frames.receive()

    async def send_eof(self) -> None:
        await self._frames.send_eof()

    async def aclose(self) -> None:
        await self._frames.aclose()


@dataclass
class Record:
    """What a network did so far: counts, and the latest plans for who must see it again."""

    connections: int = 0
    refused: int = 0
    met: Counter[Kind] = field(default_factory=Counter)
    latest: deque[str] = field(default_factory=lambda: deque(maxlen=8))

    @property
    def cuts(self) -> int:
        """How many connections were ended."""
        return sum(self.met[kind] for kind in ENDS)

    def note(self, plan: Plan, fault: Fault) -> None:
        """Remember that *fault* came up."""
        self.met[fault.kind] += 1
        self.latest.append(f"#{plan.number} {fault}")

    def __str__(self) -> str:
        """Give all counts on a line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.met.items()))
        return f"{self.connections} connections, {self.refused} refused, {self.cuts} cuts ({kinds or 'none'})"


class FaultNetwork:
    """A ``dial`` through which a client reaches a server in this process, and to which plans happen.

    Args:
        dial: opens a connection to the server.
        plans: gives each connection its plan, by its number.
        timed: whether clients keep their connections alive as over a socket; without, no keepalive is in the way.
        shape: what is dialled: "frames", a transport of the SDK's; or what users' own functions may give, "bytes" for
            anyio's ``ByteStream`` or "objects" for an ``ObjectStream`` with a frame an object. Both are timed.

    Attributes:
        record: what has happened.
        reachable: whether anybody answers.
        streams: the connections that may still be open.
    """

    def __init__(
        self,
        dial: Callable[[], Awaitable[ObjectStream[bytes] | ByteStream]],
        plans: Plans,
        *,
        timed: bool = False,
        shape: Shape = "frames",
    ) -> None:
        self._shape = shape
        self._dial = dial
        self._plans = plans
        self._timed = timed
        self.record = Record()
        self.reachable = True
        self.streams: deque[FaultyStream] = deque(maxlen=4)
        self._vanished: deque[FaultyStream] = deque()

    async def dial(self) -> Any:  # noqa: ANN401 - whatever a client's dial may give
        """Open a connection to which the next plan happens.

        Raises:
            ConnectionRefusedError: by plan, or because nobody is reachable.
        """
        plan = self._plans(self.record.connections)
        self.record.connections += 1
        await self._close_vanished(MAX_VANISHED)
        if plan.refused or not self.reachable:
            self.record.refused += 1
            msg = "the network refuses this connection"
            raise ConnectionRefusedError(msg)
        stream = FaultyStream(FrameBytes(as_transport(await self._dial())), plan, self._met)
        self.streams.append(stream)
        if self._shape == "bytes":
            return stream
        transport = StreamTransport(stream)
        transport.timed = self._timed
        return Objects(transport) if self._shape == "objects" else transport

    def _met(self, stream: FaultyStream, fault: Fault) -> None:
        self.record.note(stream.plan, fault)
        if fault.kind is Kind.VANISH:
            self._vanished.append(stream)

    async def cut(self, kind: Kind = Kind.CUT) -> None:
        """Cut the newest connection now, if there is one."""
        stream = self.streams[-1] if self.streams else None
        if stream is None or stream.torn is not None:
            await anyio.lowlevel.checkpoint()
            return
        fault = Fault(kind, Way.UP, stream.up.passed)
        self._met(stream, fault)
        await stream.tear(fault)

    async def _close_vanished(self, keep: int) -> None:
        while len(self._vanished) > keep:
            await self._vanished.popleft().inner.aclose()

    async def __aenter__(self) -> Self:
        await anyio.lowlevel.checkpoint()
        return self

    async def __aexit__(self, *_: object) -> None:
        with anyio.CancelScope(shield=True):
            await self._close_vanished(0)
            await anyio.lowlevel.checkpoint()


FOREVER = math.inf
