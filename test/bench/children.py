"""The processes of a run: started, spoken to in lines of JSON, and ended by whoever started them, whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from anyio.abc import Process

START_BOUND = 30.0  # seconds until a child says something
END_BOUND = 5.0  # seconds that it may take to end by itself
LONGEST_LINE = 4_096  # bytes
COMPLAINT = 2_000  # characters of a child's error stream that are repeated
PROCESS_CLOCK = 2  # of all its threads, as its scheduler counts


class ChildFailed(Exception):
    """A child ended, or fell silent, while it was waited for; with the end of what it complained."""


class Child:
    """A process that runs.

    Attributes:
        name: what it is called in errors.
    """

    def __init__(self, name: str, process: Process, complaints: Path) -> None:
        assert process.stdout is not None
        self.name = name
        self._process = process
        self._complaints = complaints
        self._lines = BufferedByteReceiveStream(process.stdout)

    async def line(self, bound: float = START_BOUND) -> str:
        """Wait for a line of its output.

        Raises:
            ChildFailed: none came within *bound* seconds.
        """
        try:
            with anyio.fail_after(bound):
                return (await self._lines.receive_until(b"\n", LONGEST_LINE)).decode()
        except (TimeoutError, anyio.IncompleteRead, anyio.EndOfStream) as error:
            words = self._complaints.read_text(encoding="utf-8", errors="replace")[-COMPLAINT:]
            msg = f"{self.name} said nothing within {bound:g} s ({type(error).__name__}); it complained: {words or '-'}"
            raise ChildFailed(msg) from error

    async def says(self, bound: float = START_BOUND) -> dict[str, Any]:
        """Wait for a line of JSON; as :meth:`line`."""
        words: dict[str, Any] = json.loads(await self.line(bound))
        return words

    async def does(self, *, bound: float = START_BOUND, **words: object) -> dict[str, Any]:
        """Tell it to do something, and give what came of it; as :meth:`line`."""
        assert self._process.stdin is not None
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # then it says nothing, which is told
            await self._process.stdin.send(json.dumps(words).encode() + b"\n")
        return await self.says(bound)

    def cpu(self) -> float:
        """Give the seconds of processor that it has had: Linux numbers each process's clock by its id."""
        return time.clock_gettime(~self._process.pid << 3 | PROCESS_CLOCK)

    async def end(self) -> None:
        """Have it end: its input is over, or it is told, or it is killed; all within a bound, also if cancelled."""
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(END_BOUND):
                await self._end_in_order()
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            await self._process.aclose()

    async def _end_in_order(self) -> None:
        if self._process.stdin is not None:
            await self._process.stdin.aclose()
        else:
            self._process.terminate()
        await self._process.wait()


@asynccontextmanager
async def child(
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    driven: bool = True,
) -> AsyncIterator[Child]:
    """Run *command* while the block does.

    Args:
        name: what it is called.
        command: the program and its arguments.
        folder: where its complaints are kept.
        environment: what is added to ours.
        driven: whether it is told things by its input; else it has none, and ends by SIGTERM.
    """
    complaints = folder / f"{name.replace(' ', '-')}.log"
    stdin = subprocess.PIPE if driven else subprocess.DEVNULL
    with complaints.open("ab") as log:
        process = await anyio.open_process(command, env={**os.environ, **(environment or {})}, stdin=stdin, stderr=log)
    started = Child(name, process, complaints)
    try:
        yield started
    finally:
        await started.end()
