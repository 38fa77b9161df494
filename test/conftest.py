"""Fixtures for every test: the two backends, the proof that nothing is left behind, and the figures at the end."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import figures
import leaks
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# A machine that is busy is no reason to fail, and a red CI run must be about the change: there the examples are fixed.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="module", params=["trio", "asyncio"], ids=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each async test under trio and under asyncio; a file may override it, to ask for a clock or one backend."""
    backend: str = request.param
    return backend


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """Undo what a shell does to programs in the background: they ignore Ctrl-C, and so would those they start."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Fail a test after which a thread or socket is there that was not there before."""
    before = leaks.Picture()
    yield
    left = before.left()
    assert not left, f"left behind: {', '.join(left)}"


@pytest.fixture(autouse=True)
def no_task_is_left(request: pytest.FixtureRequest, nothing_is_left: None) -> None:
    """Have each test of anyio's plugin watched from inside its loop.

    The pictures from outside are taken first and compared last, when the loop and its own sockets are gone.
    """
    if "anyio_backend" in request.fixturenames:
        request.getfixturevalue("tasks_inside")


@pytest.fixture
async def tasks_inside() -> AsyncIterator[None]:
    """Fail a test after which a task lives that was not there before."""
    before = leaks.living_tasks()
    yield
    left = await leaks.tasks_left(before)
    assert not left, f"left running: {', '.join(map(repr, left))}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every figure, each with its seed."""
    if figures.LINES:
        terminalreporter.section(f"figures ({figures.SIZE})")
        for line in figures.LINES:
            terminalreporter.write_line(line)
