"""Rounds, one peer after the other and then again, and the medians of what came of them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Any

import anyio
from lineup import COMMANDS
from stage import Running, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lineup import Peer
    from stage import Ground

BOUND = 60.0  # seconds that a round may take beyond its own length
QUIET = 0.05  # seconds without work after which a server counts as done with what a round left behind ...
QUIET_BOUND = 5.0  # ... or that it is given for it
LITTLE = 0.002  # seconds of processor that it may have in that time


@dataclass(frozen=True)
class Seen:
    """What came of one peer's rounds: each the median. Times are seconds.

    Attributes:
        rate: requests a second.
        p50: the half of them took less.
        p99: all but one of a hundred took less.
        cpu: of the peer's process, for each.
        other_cpu: of the process at the other end, for each.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    other_cpu: float


@dataclass(frozen=True)
class Key:
    """A line of the table."""

    name: str
    loop: str
    request: str
    in_flight: int


Results = dict[Key, Seen]


def of_rounds(rounds: Sequence[dict[str, Any]]) -> Seen:
    """Give the medians."""

    def middle(value: Callable[[dict[str, Any]], float]) -> float:
        return median(map(value, rounds))

    return Seen(
        middle(lambda each: each["count"] / each["seconds"]),
        middle(lambda each: each["p50"]),
        middle(lambda each: each["p99"]),
        middle(lambda each: each["cpu"] / each["count"]),
        middle(lambda each: each["other_cpu"] / each["count"]),
    )


async def do_round(running: Running, request: str, in_flight: int, seconds: float) -> dict[str, Any]:
    """Have one round done, and give what came of it."""
    words = {"in_flight": in_flight, "seconds": seconds, "request": request}
    cpu, other_cpu = running.process.cpu(), running.server.cpu()
    told = await running.leader.does(**words, bound=seconds + BOUND)
    told |= {"cpu": running.process.cpu() - cpu, "other_cpu": running.server.cpu() - other_cpu}
    if told.get("refused") or not told["count"]:
        msg = f"{running.peer.title}: a round of {request} came to nothing: {told}"
        raise RuntimeError(msg)
    await be_quiet(running)
    return told


async def be_quiet(running: Running) -> None:
    """Wait until the server has no more to do, such as telling what became of messages."""
    with anyio.move_on_after(QUIET_BOUND):
        before = -1.0
        while running.server.cpu() - before > LITTLE:
            before = running.server.cpu()
            await anyio.sleep(QUIET)


@dataclass(frozen=True)
class Row:
    """One thing that is measured."""

    running: Running
    request: str
    in_flight: int

    @property
    def key(self) -> Key:
        """Where it stands in the table."""
        return Key(self.running.peer.name, self.running.peer.loop, self.request, self.in_flight)

    @property
    def rank(self) -> tuple[int, int]:
        """What is the same of those that are measured in the same rounds; messages, which fill a server, come last."""
        return COMMANDS.index(self.request) if self.running.peer.group != "raw" else 0, self.in_flight


async def measure(
    ground: Ground, peers: Sequence[Peer], rounds: int, seconds: float, step: Callable[[str], None]
) -> tuple[Results, dict[str, str]]:
    """Measure all *peers* of one group; give what came of it, and why some are absent."""
    results: Results = {}
    async with AsyncExitStack() as stack:
        stage = Stage(ground, stack)
        standing = [running for peer in peers if (running := await stage.bring(peer)) is not None]
        rows = [
            Row(each, request, many)
            for each in standing
            for request in each.peer.requests
            for many in each.peer.in_flight
        ]
        for _, batch in groupby(sorted(rows, key=lambda row: row.rank), key=lambda row: row.rank):
            results |= await interleave(list(batch), rounds, seconds, step)
    return results, stage.absent


async def interleave(batch: Sequence[Row], rounds: int, seconds: float, step: Callable[[str], None]) -> Results:
    """Measure the rows of *batch* in turn, *rounds* times.

    Before that one round of each is done that does not count: interpreters, compilers and caches are warm then.
    """
    got: dict[Key, list[dict[str, Any]]] = {row.key: [] for row in batch}
    for _ in range(rounds + 1):
        for row in batch:
            step(f"{row.in_flight} in flight, {row.request}: {row.running.peer.title}")
            got[row.key].append(await do_round(row.running, row.request, row.in_flight, seconds))
    return {key: of_rounds(told[1:]) for key, told in got.items()}
