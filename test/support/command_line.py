"""The command line as tests run it: words in, status and what was printed out, with a keyboard played by the test."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from elarian_trio.cli import Terminal, perform, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elarian_trio.cli import Keyboard
    from elarian_trio.sandbox import Sandbox

BOUND = 5.0  # seconds that a command in a test may take


@dataclass
class Ran:
    """What became of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        """Every line as the JSON that it is."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Typist:
    """A keyboard on which somebody types given lines, and then nothing more, or hangs up."""

    lines: list[str] = field(default_factory=list)
    hangs_up: bool = True
    is_watched: bool = False

    async def read_line(self) -> str | None:
        await anyio.lowlevel.checkpoint()
        if not self.lines and not self.hangs_up:
            await anyio.sleep_forever()
        return self.lines.pop(0) if self.lines else None


class Screen(io.StringIO):
    """Standard output, of which a test can wait for a line."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = anyio.Event()

    def write(self, text: str) -> int:
        self._changed.set()
        self._changed = anyio.Event()
        return super().write(text)

    async def wait_for(self, words: str) -> None:
        with anyio.fail_after(BOUND):
            while words not in self.getvalue():
                await self._changed.wait()


def environment_of(sandbox: Sandbox, way: str = "tcp") -> dict[str, str]:
    """Give the variables that lead a command to *sandbox*, and nowhere else."""
    given = {name: sandbox.credentials[name] for name in ("org_id", "app_id", "api_key")}
    variables = {f"ELARIAN_{name.upper()}": value for name, value in given.items()}
    variables |= {"ELARIAN_ENDPOINT": sandbox.endpoints[way], "ELARIAN_AUTH_TOKEN": "", "ELARIAN_CA_FILE": ""}
    return variables


async def run(
    *words: str, types: Iterable[str] = (), keyboard: Keyboard | None = None, screen: io.StringIO | None = None
) -> Ran:
    """Run a command in this loop, to its end."""
    out, err = screen or io.StringIO(), io.StringIO()
    terminal = Terminal(out, err, keyboard or Typist(list(types)))
    job = read(words, terminal)
    with anyio.fail_after(BOUND):
        status = job if isinstance(job, int) else await perform(job, terminal)
    return Ran(status, out.getvalue(), err.getvalue())


def read_only(*words: str) -> Ran:
    """Have a command line read that has nothing to be carried out."""
    out, err = io.StringIO(), io.StringIO()
    status = read(words, Terminal(out, err, Typist()))
    assert isinstance(status, int), f"{words} would be carried out"
    return Ran(status, out.getvalue(), err.getvalue())
