"""The figures that are to be reached, and what was seen of each: ratios within one run, as a rule.

Those of our own are judged on trio, which the yardstick runs on; what asyncio does is told beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lineup import (
    COMMANDS,
    CONSTANT,
    DURABLE,
    IN_MEMORY,
    MANY,
    MINIMAL,
    NOTIFIED,
    ON_FILE,
    ONE,
    RESUMABLE,
    RSOCKET_PY,
    SDK,
    SECURE,
    SESSION,
    SOME,
)
from timed import Key
from weighed import IMPORTS, MEGABYTE, RAW, TASK, TYPED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from timed import Results, Seen
    from weighed import Weights

    Judge: TypeAlias = Callable[[Results, Weights], tuple[str, bool]]

BUSY = (SOME, MANY)
OURS = ("trio", "asyncio")


@dataclass(frozen=True)
class Figure:
    """What is to be reached.

    Attributes:
        what: of what.
        wanted: the figure, in words.
        judge: says what was seen and whether it will do; raises KeyError where it was not measured.
    """

    what: str
    wanted: str
    judge: Judge


@dataclass(frozen=True)
class Verdict:
    """What was seen of a figure.

    Attributes:
        figure: which.
        seen: what was seen, in words.
        holds: whether it will do; ``None`` where it was not measured.
    """

    figure: Figure
    seen: str
    holds: bool | None


def judge(figure: Figure, results: Results, weights: Weights) -> Verdict:
    """See whether *figure* is reached."""
    try:
        seen, holds = figure.judge(results, weights)
    except KeyError:
        return Verdict(figure, "not measured", None)
    return Verdict(figure, seen, holds)


def ratios(
    ours: str, theirs: tuple[str, str], *in_flights: int, request: str = "echo", their_request: str = "echo"
) -> Callable[[Results, str, Callable[[Seen], float]], list[float]]:
    """Give what finds our share of theirs, for each of *in_flights*. Theirs is a name and a loop, ours has any."""

    def find(results: Results, loop: str, value: Callable[[Seen], float]) -> list[float]:
        name, their_loop = theirs
        return [
            value(results[Key(ours, loop, request, each)])
            / value(results[Key(name, their_loop or loop, their_request, each)])
            for each in in_flights
        ]

    return find


def in_words(values: Sequence[float]) -> str:
    """Write down ratios."""
    return " / ".join(f"{value:.2f}" for value in values)


def at_least(factor: float, find: Callable[..., list[float]]) -> Judge:
    """Make the judge of rates."""

    def judge_rates(results: Results, weights: Weights) -> tuple[str, bool]:
        del weights
        judged, beside = (find(results, loop, lambda seen: seen.rate) for loop in OURS)
        return f"{in_words(judged)} (asyncio {in_words(beside)})", min(judged) >= factor

    return judge_rates


def at_most(factor: float, find: Callable[..., list[float]]) -> Judge:
    """Make the judge of latencies, by the medians."""

    def judge_times(results: Results, weights: Weights) -> tuple[str, bool]:
        del weights
        judged, beside = (find(results, loop, lambda seen: seen.p50) for loop in OURS)
        return f"{in_words(judged)} (asyncio {in_words(beside)})", max(judged) <= factor

    return judge_times


def _judge_waiting(_: Results, weights: Weights) -> tuple[str, bool]:
    """A command is awaited by a task of the user's, which is not the command's own cost."""
    words, highest = [], 0.0
    for what in (RAW, TYPED):
        each = {loop: weights.waiting[what, loop] - weights.waiting[TASK, loop] for loop in OURS}
        words.append(f"{what} {each['trio'] / 1e3:.2f} kB (asyncio {each['asyncio'] / 1e3:.2f})")
        highest = max(highest, each["trio"])
    return ", ".join(words), highest <= 3_000


def _judge_idle(_: Results, weights: Weights) -> tuple[str, bool]:
    words = f"{weights.idle['trio']:.4%} (asyncio {weights.idle['asyncio']:.4%})"
    return words, weights.idle["trio"] < 0.001


def _judge_clients(_: Results, weights: Weights) -> tuple[str, bool]:
    megabytes = {loop: weights.clients[loop] / MEGABYTE for loop in OURS}
    return f"{megabytes['trio']:.1f} MB (asyncio {megabytes['asyncio']:.1f})", megabytes["trio"] < 60


def _judge_customers(_: Results, weights: Weights) -> tuple[str, bool]:
    moved = {}
    for loop in OURS:
        first, *rest = weights.customers[loop]
        moved[loop] = max((each - first for each in rest), key=abs) / MEGABYTE
    return f"{moved['trio']:+.1f} MB (asyncio {moved['asyncio']:+.1f})", abs(moved["trio"]) <= 5


def _judge_imports(_: Results, weights: Weights) -> tuple[str, bool]:
    *ours, beside = (weights.imports[name] for name in IMPORTS)
    times = " / ".join(f"{each * 1e3:.0f} ms" for each in ours)
    return f"{in_words([each / beside for each in ours])} ({times} to {beside * 1e3:.0f} ms)", max(ours) <= 2 * beside


def _judge_file(results: Results, weights: Weights) -> tuple[str, bool]:
    del weights
    key = Key(ON_FILE, "trio", "update_metadata", DURABLE)
    many, one = results[key].rate, results[Key(ON_FILE, "trio", "update_metadata", ONE)].rate
    memory = results[Key(IN_MEMORY, "trio", "update_metadata", DURABLE)].rate
    return f"{many / one:.1f} x and {many / memory:.2f} x", many >= 20 * one and many >= 0.3 * memory


def _against_sdk(command: str) -> Figure:
    find = ratios(SECURE, (SDK, "node"), *BUSY, request=command, their_request=command)
    return Figure(f"typed `{command}` against the in-memory sandbox, 64 / 1,024", ">= 2 x the SDK", at_least(2, find))


_MINIMAL, _RSOCKET_PY, _SESSION = (MINIMAL, "trio"), (RSOCKET_PY, "asyncio"), (SESSION, "")
_RAW_BUSY, _RAW_ONE = "raw session, 64 / 1,024 in flight", "raw session, one at a time, latency"
_TYPED = ratios(CONSTANT, _RSOCKET_PY, MANY, request="get_state")
_NOTIFIED = ratios(NOTIFIED, _SESSION, *BUSY, request="notification")

FIGURES: tuple[Figure, ...] = (
    Figure(_RAW_BUSY, ">= 0.6 x the minimal loop", at_least(0.6, ratios(SESSION, _MINIMAL, *BUSY))),
    Figure(_RAW_BUSY, ">= 3 x rsocket-py", at_least(3, ratios(SESSION, _RSOCKET_PY, *BUSY))),
    Figure(_RAW_ONE, "<= 1.3 x the minimal loop", at_most(1.3, ratios(SESSION, _MINIMAL, ONE))),
    Figure(_RAW_ONE, "<= rsocket-py", at_most(1, ratios(SESSION, _RSOCKET_PY, ONE))),
    Figure("`get_state`, constant reply, 1,024 in flight", ">= 1.5 x rsocket-py's raw echo", at_least(1.5, _TYPED)),
    *map(_against_sdk, COMMANDS),
    Figure("notifications answered, 64 / 1,024 under way", ">= 0.5 x the raw session", at_least(0.5, _NOTIFIED)),
    Figure("resumption on, 64 / 1,024 in flight", ">= 0.85 x off", at_least(0.85, ratios(RESUMABLE, _SESSION, *BUSY))),
    Figure("CPU of an idle connection", "< 0.1 % of a core", _judge_idle),
    Figure("1,000 idle clients in one process, beyond one", "< 60 MB", _judge_clients),
    Figure("memory per pending command, beyond the task that waits", "<= 3 kB", _judge_waiting),
    Figure("memory while 1,000,000 customers' notifications are handled", "flat, +- 5 MB", _judge_customers),
    Figure("import of `elarian_trio` / of `Elarian` from it", "<= 2 x anyio, trio and protobuf", _judge_imports),
    Figure("sandbox on a file, 256 in flight", ">= 20 x one at a time, >= 0.3 x in memory", _judge_file),
)
