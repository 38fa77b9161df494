"""How a peer is driven and what it tells: the same for every peer in Python, of the standard library alone.

A peer is a program that prints ``{"ready": true}`` when it is connected and then answers lines of JSON with lines of
JSON until its input ends. A line's ``do`` names one of its acts; without it, it asks for a round: so many workers, each
of which does one request after another for so many seconds.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    Work = Callable[[], Awaitable[None]]
    Together = Callable[[Sequence[Work]], Awaitable[None]]
    Act = Callable[..., Awaitable[dict[str, Any]]]

PAYLOAD = bytes(range(120))  # what raw requests carry


class Tally:
    """What one round took: each request's time, and its own.

    Attributes:
        until: when no further request begins.
    """

    now = staticmethod(time.perf_counter)

    def __init__(self, seconds: float) -> None:
        self._took: list[float] = []
        self._began = self.now()
        self.until = self._began + seconds

    @property
    def is_over(self) -> bool:
        """Whether no further request begins."""
        return self.now() >= self.until

    def note(self, began: float) -> None:
        """Note a request that has just ended."""
        self._took.append(self.now() - began)

    def report(self) -> dict[str, Any]:
        """Give what is told of it; times in seconds."""
        seconds = self.now() - self._began
        took = sorted(self._took)
        p50, p99 = (took[int(len(took) * part)] if took else 0.0 for part in (0.5, 0.99))
        return {"count": len(took), "seconds": seconds, "p50": p50, "p99": p99}


async def do_round(
    request: Callable[[], Awaitable[object]], together: Together, in_flight: int, seconds: float
) -> dict[str, Any]:
    """Have *in_flight* workers at it at once."""
    tally = Tally(seconds)

    async def work() -> None:
        now, note, until = tally.now, tally.note, tally.until
        began = now()
        while True:  # once at least: a busy machine may need longer to begin than a quick round takes
            await request()
            note(began)
            if (began := now()) >= until:
                break

    await together([work] * in_flight)
    return tally.report()


def resident() -> int:
    """Give the bytes of memory that this process has now, after looking for what nobody needs."""
    gc.collect()
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def tell_memory() -> dict[str, Any]:
    """Give the bytes of memory that this process has."""
    return {"resident": resident()}


async def be_driven(
    in_thread: Callable[[Callable[[], str]], Awaitable[str]],
    together: Together,
    requests: Mapping[str, Callable[[], Awaitable[object]]],
    **acts: Act,
) -> None:
    """Say that this peer is ready, and do what it is told until there is nobody to tell it.

    Args:
        in_thread: runs a function in a thread, while the loop goes on.
        together: runs many async functions at once, until all have ended.
        requests: what a round may do, by name; the first is what it does unless it is named.
        acts: what else can be done.
    """
    first = next(iter(requests), "")
    known = {"memory": tell_memory, **acts}
    say({"ready": True})
    while line := await in_thread(sys.stdin.readline):
        words = json.loads(line)
        act = known.get(words.pop("do", "round"))
        if act is None:
            act = partial(do_round, requests[words.pop("request", first)], together)
        say(await act(**words))


def say(words: Mapping[str, Any]) -> None:
    """Print a line."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()
