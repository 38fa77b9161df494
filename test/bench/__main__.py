"""Measure us and our peers side by side: ``python test/bench``, as ``nox -s bench`` does with every peer at hand.

It prints one page, writes it where it is told, and ends with 1 if a figure is missed. Processes it started end with it.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import anyio
from lineup import PEERS
from results import machine, page
from rich.console import Console
from rich.progress import Progress
from stage import Ground
from timed import Results, measure
from wanted import FIGURES, judge
from weighed import QUICK, WEIGHINGS, Sizes, Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS, SECONDS = 5, 0.8
QUICK_ROUNDS, QUICK_SECONDS = 1, 0.05
STOPPED = 130  # as a shell has it after Ctrl-C
TIMED = tuple(dict.fromkeys(peer.group for peer in PEERS))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python test/bench", description=__doc__)
    names = (*TIMED, *WEIGHINGS)
    parser.add_argument("--only", action="append", choices=names, help="measure this; again for each further")
    parser.add_argument("--quick", action="store_true", help="a look at whether all runs; its figures say nothing")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="that a round takes")
    parser.add_argument("--rsocket-python", help="an interpreter that has rsocket-py 0.4.20")
    parser.add_argument("--node-modules", help="the folder of packages with Elarian's JavaScript SDK")
    parser.add_argument("--output", type=Path, help="where the page is written")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = QUICK_ROUNDS, QUICK_SECONDS
    options.only = options.only or names
    return options


class Run:
    """One run, from its options to its page."""

    def __init__(self, options: argparse.Namespace, ground: Ground, progress: Progress) -> None:
        self._options = options
        self._ground = ground
        self._progress = progress
        self._results: Results = {}
        self._weights = Weights()
        self._absent: dict[str, str] = {}

    async def measure(self) -> None:
        """Measure all that is wanted."""
        chosen = self._options.only
        for group in [each for each in TIMED if each in chosen]:
            await self._measure_rates(group)
        sizes = QUICK if self._options.quick else Sizes()
        for name in [each for each in WEIGHINGS if each in chosen]:
            with self._shown(name, 1) as step:
                await WEIGHINGS[name](self._ground, sizes, self._weights)
                step(name)

    async def _measure_rates(self, group: str) -> None:
        options, peers = self._options, [peer for peer in PEERS if peer.group == group]
        lines = sum(len(peer.requests) * len(peer.in_flight) for peer in peers)
        with self._shown(group, lines * (options.rounds + 1)) as step:
            results, absent = await measure(self._ground, peers, options.rounds, options.seconds, step)
        self._results |= results
        self._absent |= absent

    @contextmanager
    def _shown(self, name: str, total: int) -> Iterator[Callable[[str], None]]:
        """Show a bar for something of so many steps; give what is called at each."""
        bar = self._progress.add_task(name, total=total)
        yield lambda words: self._progress.update(bar, advance=1, description=words)
        self._progress.update(bar, completed=total, description=name)

    def page(self) -> tuple[str, bool]:
        """Give the page, and whether no figure is missed."""
        verdicts = [judge(figure, self._results, self._weights) for figure in FIGURES]
        where = machine(self._ground, self._options.rounds, self._options.seconds)
        if self._options.quick:
            where.append("**a quick look at whether everything runs: its figures say nothing**")
        text = page(verdicts, self._results, self._weights, self._absent, where)
        return text, all(verdict.holds is not False for verdict in verdicts)


async def until_stopped(stop: Callable[[], None]) -> None:
    """Call *stop* when somebody wants us to end: what we started ends with us."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            stop()


async def main(options: argparse.Namespace) -> int:
    """Measure, say what was seen, and give the exit status."""
    with TemporaryDirectory() as folder, Progress(console=Console(stderr=True)) as progress:
        ground = Ground(Path(folder), options.rsocket_python, shutil.which("node"), options.node_modules)
        run, measured = Run(options, ground, progress), False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(until_stopped, tasks.cancel_scope.cancel)
            await run.measure()
            measured = True
            tasks.cancel_scope.cancel()
    if not measured:
        return STOPPED
    text, holds = run.page()
    sys.stdout.write(text)
    if options.output is not None:
        options.output.write_text(text, encoding="utf-8")
    return 0 if holds or options.quick else 1


if __name__ == "__main__":
    sys.exit(anyio.run(main, arguments(), backend="trio"))
