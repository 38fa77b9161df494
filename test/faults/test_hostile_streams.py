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
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import figures
import pytest
from acceptance import CANCEL, FOLLOWS, KEEPALIVE, NEXT, PAYLOAD, REQUEST_RESPONSE, RESPOND, Frame
from attack import MAX_KEPT, MAX_PAYLOAD, PATIENCE, ROOM, SEED, STREAMS, Attack, living_sessions
from byte_pipes import PipeEnd
from hostile_bytes import EXT, TOKEN, a_setup, prefixed
from trio.testing import MockClock

from elarian_trio._rsocket import Role
from elarian_trio._transport import StreamTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import TaskGroup

pytestmark = pytest.mark.anyio

FLOOD = figures.sized(smoke=500, ci=10_000, soak=500_000)  # frames
MAX_FLOOD = figures.sized(smoke=6, ci=48, soak=256) * MAX_PAYLOAD  # bytes
BATCH = 100


@pytest.fixture(scope="module", params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401
    """Trio has a clock that jumps when nobody can run."""
    return ("trio", {"clock": MockClock(autojump_threshold=0.0)}) if request.param == "trio" else "asyncio"


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
    attack.handle = lambda _: None  # type: ignore[method-assign] # nobody ever answers
    session = attack.make_session()
    make = endless(what, role)
    size = len(make(1))
    count = min(FLOOD, math.ceil(MAX_FLOOD / size))
    tracemalloc.start()
    try:
        with anyio.fail_after(10 * PATIENCE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(attack.live, session, StreamTransport(near))
                await pour(near, far, make, count, attack, tasks if reads else None)
                peak = tracemalloc.get_traced_memory()[1]
                tasks.cancel_scope.cancel()
    finally:
        tracemalloc.stop()
    figures.say(f"flood of {count} {what}, {role.name.lower()}, {'read' if reads else 'deaf'}: {peak / 2**20:.1f} MiB")
    assert peak < MAX_KEPT


async def pour(
    near: PipeEnd,
    far: PipeEnd,
    make: Callable[[int], bytes],
    count: int,
    attack: Attack,
    readers: TaskGroup | None,
) -> None:
    """Be let in and pour, and have the pipes remember neither what was poured nor what it was answered."""
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
            near.sends.clear()
