"""The person at the terminal: what is shown to them, what they type, and how they stop a command."""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import pytest
from command_line import BOUND, Typist
from rich.tree import Tree

from elarian_trio.cli.terminal import MAX_LINE, StandardInput, Terminal, visible

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Give a pipe to read from and write to."""
    ends = os.pipe()
    yield ends
    os.close(ends[0])


def test_characters_that_steer_a_terminal_are_shown_and_not_obeyed() -> None:
    """This SDK: customers write what they like, and an operator's terminal must not do it."""
    assert visible("a\x1b[2Jb\x07\u202ec\r") == "a\\x1b[2Jb\\x07\\u202ec\\r"
    assert visible("Käse 🧀\n1.\tJa") == "Käse 🧀\n1.\tJa"


@pytest.mark.anyio
async def test_lines_are_read_as_they_come(pipe: tuple[int, int]) -> None:
    """This SDK: several in one go, one without its end, and with the ends of another system; then no more."""
    keyboard = StandardInput(pipe[0])
    assert not keyboard.is_watched
    os.write(pipe[1], "eins\nzwei\r\n\nKäse".encode())
    with anyio.fail_after(BOUND):
        lines = [await keyboard.read_line() for _ in range(3)]
        os.close(pipe[1])
        lines += [await keyboard.read_line() for _ in range(3)]
    assert lines == ["eins", "zwei", "", "Käse", None, None]


@pytest.mark.anyio
async def test_line_without_end_is_refused(pipe: tuple[int, int]) -> None:
    """The house's rules: no buffer without a bound."""
    keyboard = StandardInput(pipe[0])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.to_thread.run_sync, os.write, pipe[1], b"x" * (MAX_LINE + 4096))
        with anyio.fail_after(BOUND), pytest.raises(ValueError, match="a line of the standard input"):
            await keyboard.read_line()
    os.close(pipe[1])


@pytest.mark.anyio
@pytest.mark.parametrize(("is_watched", "prompted"), [(True, "> "), (False, "")])
async def test_prompt_is_for_those_who_see_it(is_watched: bool, prompted: str) -> None:
    """This SDK: what is piped on shall hold no prompts."""
    out = io.StringIO()
    terminal = Terminal(out, io.StringIO(), Typist(["1"], is_watched=is_watched))
    assert await terminal.ask("> ") == "1"
    assert out.getvalue() == prompted


def test_page_that_nobody_reads_ends_as_any_other_output_does() -> None:
    """This SDK: ``elarian-trio state NUMBER | head -1`` ended with the traceback of a SystemExit."""
    reads, writes = os.pipe()
    os.close(reads)
    out = os.fdopen(writes, "w", encoding="utf-8")
    terminal = Terminal(out, io.StringIO())
    with pytest.raises(BrokenPipeError):
        terminal.show("a page")
    with suppress(BrokenPipeError):  # of what is still in its buffer
        out.close()


def test_long_lines_of_a_tree_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A past bug: `elarian-trio state NUMBER > file` cut messages at the width of a terminal, or at nothing."""
    for columns in ("0", "80"):
        monkeypatch.setenv("COLUMNS", columns)
        out = io.StringIO()
        tree = Tree("customer")
        tree.add("text: " + "word " * 100 + "end")
        Terminal(out, io.StringIO()).show(tree)
        assert [len(line) for line in out.getvalue().splitlines()] == [8, 513]


@pytest.mark.anyio
async def test_keyboard_of_a_process_without_standard_input_gives_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A past bug: started as ``elarian-trio … <&-``, descriptor 0 is a connection, which was read from."""
    monkeypatch.setattr(sys, "stdin", None)
    keyboard = StandardInput()
    assert not keyboard.is_watched
    assert await keyboard.read_line() is None


@pytest.mark.anyio
async def test_words_go_nowhere_where_the_process_has_no_such_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python: started as ``elarian-trio … >&-`` there is no standard output, and ``print`` is silent."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    terminal = Terminal(keyboard=Typist(["1"], is_watched=True))
    for speak in (terminal.say, terminal.say_json, terminal.show, terminal.complain):
        speak("words")
    assert await terminal.ask("> ") == "1"


@pytest.mark.anyio
async def test_first_signal_ends_the_innermost_part_and_the_second_everything() -> None:
    """The examples: in order at first, at once when asked for twice."""
    terminal, steps = Terminal(io.StringIO(), io.StringIO(), Typist(hangs_up=False)), list[str]()
    with anyio.fail_after(BOUND):
        with terminal.stoppable():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_stop_when_waiting, terminal)
                assert await terminal.ask("") is None
                steps.append("asked")
                assert await terminal.ask("") is None
                steps.append("asked no more")
                terminal.stop(signal.SIGTERM)
                await anyio.sleep_forever()
        steps.append("ended")
    assert steps == ["asked", "asked no more", "ended"]
    assert terminal.signal == signal.SIGINT


@pytest.mark.anyio
async def test_signals_that_come_when_all_has_ended_do_nothing() -> None:
    """Past bug: the second of two SIGTERMs, as ``timeout`` sends them, came as the sandbox had ended: an IndexError."""
    terminal = Terminal(io.StringIO(), io.StringIO(), Typist([]))
    with terminal.stoppable():
        terminal.stop(signal.SIGTERM)
    terminal.stop(signal.SIGTERM)
    terminal.stop(signal.SIGINT)
    assert terminal.signal == signal.SIGTERM


@pytest.mark.anyio
async def test_signal_that_comes_before_anything_begins_ends_it_as_it_does() -> None:
    """It is listened for before the command begins."""
    terminal = Terminal(io.StringIO(), io.StringIO(), Typist([]))
    terminal.stop(signal.SIGINT)
    with anyio.fail_after(BOUND), terminal.stoppable():
        await anyio.sleep_forever()
    assert terminal.signal == signal.SIGINT


async def _stop_when_waiting(terminal: Terminal) -> None:
    await anyio.wait_all_tasks_blocked()
    terminal.stop(signal.SIGINT)
