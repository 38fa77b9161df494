"""The person at the terminal: lines to them, lines from them, and their wish to stop.

Every command stands above; only the standard streams are below.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread
from rich.console import Console, RenderableType

if TYPE_CHECKING:
    import signal
    from collections.abc import Generator
    from typing import TextIO

    from elarian_trio.options import JsonValue

__all__ = ["Keyboard", "StandardInput", "Terminal", "visible"]

READ_SIZE = 4096  # bytes; what a terminal gives at once
NARROWEST = 20  # characters; at 0 cyclopts fails to lay the help out, and at 1 or 2 it goes on for ever
UNCUT = 1 << 30  # characters; wider than any line, since a tree cuts what is wider than the page
MAX_LINE = 64 * 1024  # characters; nobody types more, and what is piped in shall not fill the memory


class Keyboard(Protocol):
    """Where lines come from."""

    @property
    def is_watched(self) -> bool:
        """Whether somebody sits there who wants to see a prompt."""
        ...

    async def read_line(self) -> str | None:
        """Wait for a line, and give it without its end; ``None`` after the last."""
        ...


class StandardInput:
    """The process's standard input.

    It is read by a thread, since no loop can wait for a file; and past Python's own buffer, since a thread that is left
    behind in there stops the interpreter from ending.

    Args:
        descriptor: the file descriptor to read instead.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor or 0
        self._rest = ""
        self._ended = descriptor is None and sys.stdin is None  # the number is some connection's, where there is none
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    @property
    def is_watched(self) -> bool:
        """Whether it is a terminal."""
        return not self._ended and os.isatty(self._descriptor)

    async def read_line(self) -> str | None:
        """Wait for a line; ``None`` after the last.

        Raises:
            ValueError: a line does not end.

        Cancellation:
            The thread stays until something comes, which is lost then: end the process.
        """
        await anyio.lowlevel.checkpoint()
        while "\n" not in self._rest and not self._ended:
            if len(self._rest) > MAX_LINE:
                msg = f"a line of the standard input has more than {MAX_LINE} characters"
                raise ValueError(msg)
            chunk = await anyio.to_thread.run_sync(os.read, self._descriptor, READ_SIZE, abandon_on_cancel=True)
            self._ended = not chunk
            self._rest += self._decode(chunk, self._ended)
        line, end, self._rest = self._rest.partition("\n")
        return line.removesuffix("\r") if line or end else None


class _Nowhere(io.StringIO):
    """Where words go that nobody can read, since the process was started without that stream: as ``print`` has it."""

    def write(self, text: str, /) -> int:
        return len(text)


class _Page(Console):
    def on_broken_pipe(self) -> None:
        """Say so, as any other output does, rather than exit with a status of its own."""
        raise BrokenPipeError


class Terminal:
    """What a command talks to.

    Args:
        out: takes what was asked for.
        err: takes what went wrong.
        keyboard: gives lines.

    Attributes:
        signal: the signal that asked for an end, if one did.
    """

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None, keyboard: Keyboard | None = None) -> None:
        self._out: TextIO = out or sys.stdout or _Nowhere()
        self._err: TextIO = err or sys.stderr or _Nowhere()
        self._keyboard = keyboard or StandardInput()
        self.signal: signal.Signals | None = None
        self._scopes: list[anyio.CancelScope] = []

    @property
    def page(self) -> Console:
        """For what is laid out by the width of the terminal: the help."""
        page = _Page(file=self._out)
        page.width = max(page.width, NARROWEST)
        return page

    @property
    def is_interactive(self) -> bool:
        """Whether somebody sits there who wants to see a prompt."""
        return self._keyboard.is_watched

    def say(self, words: str) -> None:
        """Write a line, or several; at once, since others may wait for it."""
        self._out.write(f"{visible(words)}\n")
        self._out.flush()

    def show(self, shown: RenderableType) -> None:
        """Write something that gains by colours or lines, where somebody sees them; long lines are whole."""
        _Page(file=self._out, width=UNCUT, highlight=False, markup=False, emoji=False, soft_wrap=True).print(shown)
        self._out.flush()

    def say_json(self, value: JsonValue) -> None:
        """Write a value as one line of JSON."""
        self._out.write(f"{json.dumps(value)}\n")
        self._out.flush()

    def complain(self, words: str) -> None:
        """Write a line about what went wrong; where nobody reads it, the exit status alone tells."""
        with suppress(OSError):
            self._err.write(f"elarian-trio: {visible(words)}\n")
            self._err.flush()

    async def ask(self, prompt: str) -> str | None:
        """Wait for a line from the keyboard; ``None`` at its end, or where the user wants to stop.

        Raises:
            ValueError: the line is too long.

        Cancellation:
            What was typed so far is lost.
        """
        if self.is_interactive:
            self._out.write(prompt)
            self._out.flush()
        line = None
        with self.stoppable():
            line = await self._keyboard.read_line()
        return line  # noqa: RET504 - still None where the block above was ended

    @contextmanager
    def stoppable(self) -> Generator[None]:
        """Give the part of a command that a first signal ends; what surrounds it then ends in order.

        Without one, a signal ends the whole command where it stands.
        """
        with anyio.CancelScope() as scope:
            if self.signal is not None:
                scope.cancel()
            self._scopes.append(scope)
            try:
                yield
            finally:
                self._scopes.remove(scope)

    def stop(self, number: signal.Signals) -> None:
        """End the innermost part that can be ended; everything, where that is asked for twice.

        Where nothing has begun, what begins later ends at once; where all has ended, there is nothing to do.
        """
        part = self._scopes[-1:] if self.signal is None else self._scopes[:1]
        self.signal = self.signal or number
        for scope in part:
            scope.cancel()


def visible(words: str) -> str:
    r"""Give *words* without the characters that steer a terminal: what customers write is shown, not obeyed."""
    return "".join(each if each.isprintable() or each in "\n\t" else _escaped(each) for each in words)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
