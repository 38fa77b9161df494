"""What was seen, in words: one page of Markdown, which is also what is printed."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from lineup import PEERS
from weighed import MEGABYTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stage import Ground
    from timed import Key, Results
    from wanted import Verdict
    from weighed import Weights

HOLDS = {True: "yes", False: "**no**", None: "-"}
PACKAGES = ("anyio", "trio", "protobuf", "rsocket")
HEAD = "# Measured side by side\n\nBy `nox -s bench`, which wrote this.\n\n"
RATES = """\
Raw requests carry 120 bytes. A notification's latency is the server's. Who needs a sandbox has one of its own, in
another process; the other end's CPU is that process's.

"""
RATE_HEAD = ("who", "loop", "does", "in flight", "a second", "p50, µs", "p99, µs", "CPU, µs", "other end's CPU, µs")


def page(
    verdicts: Iterable[Verdict], results: Results, weights: Weights, absent: Mapping[str, str], where: Sequence[str]
) -> str:
    """Give all of it.

    Args:
        verdicts: what was seen of the figures.
        results: of the rounds.
        weights: of what is no rate.
        absent: why some peers were not measured, by their titles.
        where: lines about the machine and the run.
    """
    parts = [
        HEAD + "".join(f"- {each}\n" for each in where),
        "## Figures\n\n" + table(("what", "wanted", "seen", "holds"), map(_verdict_cells, verdicts)),
        "## Rates\n\n" + RATES + table(RATE_HEAD, _rate_rows(results)),
        "## Weights\n\n" + table(("what", "loop", "seen"), _weight_rows(weights)),
    ]
    if absent:
        parts.append("## Not measured\n\n" + "".join(f"- {title}: {why}\n" for title, why in absent.items()))
    return "\n".join(parts)


def machine(ground: Ground, rounds: int, seconds: float) -> list[str]:
    """Say where and when it was measured."""
    node = "none"
    if ground.node is not None:
        node = subprocess.run([ground.node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} on {platform.machine()}",
        f"Python {platform.python_version()}, Node {node}, {packages}",
        f"each rate is the median of {rounds} rounds of {seconds:g} s, peers in turn, after one that does not count",
    ]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _verdict_cells(verdict: Verdict) -> Sequence[str]:
    return verdict.figure.what, verdict.figure.wanted, verdict.seen, HOLDS[verdict.holds]


def _rate_rows(results: Results) -> Iterator[Sequence[str]]:
    names = [peer.name for peer in PEERS]

    def place(key: Key) -> tuple[int, str, int, bool]:
        return names.index(key.name), key.request, key.in_flight, key.loop != "trio"

    for key in sorted(results, key=place):
        seen = results[key]
        times = map(_microseconds, (seen.p50, seen.p99, seen.cpu, seen.other_cpu))
        yield key.name, key.loop, key.request, f"{key.in_flight:,}", f"{seen.rate:,.0f}", *times


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f}" if seconds > 1e-4 else f"{seconds * 1e6:.1f}"


def _weight_rows(weights: Weights) -> Iterator[Sequence[str]]:
    for (what, loop), size in weights.waiting.items():
        yield f"memory of {what}, waiting among thousands", loop, f"{size / 1e3:.2f} kB"
    for what, seconds in weights.imports.items():
        yield f"import of {what}", "-", f"{seconds * 1e3:.0f} ms"
    for loop, share in weights.idle.items():
        yield "CPU of an idle connection", loop, f"{share:.4%} of a core"
    for loop, size in weights.clients.items():
        yield "memory of idle clients beyond the first", loop, f"{size / MEGABYTE:.1f} MB"
    for loop, sizes in weights.customers.items():
        megabytes = ", ".join(f"{size / MEGABYTE:.1f}" for size in sizes)
        yield "memory after each part of the customers", loop, f"{megabytes} MB"
