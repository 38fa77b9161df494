"""The words of the command line, and how one of them is read and carried out.

:mod:`elarian_trio.__main__` stands above; each command has a file of its own beside this one.
"""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import sys
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING

import anyio
import anyio.abc
import anyio.lowlevel
from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from elarian_trio.cli import phone
from elarian_trio.cli.customers import send, state
from elarian_trio.cli.doctor import doctor
from elarian_trio.cli.exits import BY_SIGNAL, EPILOGUE, EXPECTED, OK, PIPE_CLOSED, USAGE, status_of, words_for
from elarian_trio.cli.sandbox import sandbox
from elarian_trio.cli.tail import tail
from elarian_trio.cli.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TextIO

__all__ = ["main", "perform", "read"]

NAME = "elarian-trio"

app: App = App(
    name=NAME,
    help="Talk to an Elarian from the terminal, or be one: a sandbox to develop and test against.",
    help_epilogue=EPILOGUE,
    help_format="markdown",
    version=lambda: f"{NAME} {metadata.version(NAME)}",
    default_parameter=Parameter(negative=()),
)
phones: App = App(
    name="phone", help="Be a customer's phone: write, dial, pay or call; against a sandbox or a test account."
)
app.command(sandbox)
app.command(doctor)
app.command(state)
app.command(send)
app.command(tail)
app.command(phones)
phones.command(phone.sms)
phones.command(phone.dial)
phones.command(phone.pay)
phones.command(phone.call)

_GO_ON = (sandbox, tail)
"""What goes on for long, so that a log of what happens meanwhile is of use."""


def main(arguments: Sequence[str]) -> int:
    """Run a command under Trio; give its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # customers write what no terminal may be able to show
    try:
        status = _run(arguments)
    except KeyboardInterrupt:  # while the words are read
        status = BY_SIGNAL + signal.SIGINT
    except OSError as error:  # the help is longer than whoever reads it wants to know, or than there is room for
        status = _status_told(error, Terminal())
    for stream in (sys.stdout, sys.stderr):
        _let_go(stream)
    return status


def _let_go(stream: TextIO | None) -> None:
    """Forget what nobody takes, or the interpreter fails on it once more, when it ends."""
    if stream is not None:
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _run(arguments: Sequence[str]) -> int:
    terminal = Terminal()
    job = read(arguments, terminal)
    if isinstance(job, int):
        return job
    level = logging.WARNING if job.func in _GO_ON else logging.CRITICAL
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    status = BY_SIGNAL + signal.SIGINT
    try:
        status = anyio.run(perform, job, terminal, backend="trio")
    except* KeyboardInterrupt:  # before anybody listens for it, or when nobody does any longer
        pass
    return status


def read(arguments: Sequence[str], terminal: Terminal) -> partial[Awaitable[int]] | int:
    """Read a command line; give what is to be done, or the exit status where that was all: after --help, say."""
    try:
        command, bound, ignored = app.parse_args(
            list(arguments), console=terminal.page, print_error=False, exit_on_error=False
        )
    except CycloptsError as error:
        terminal.complain(_words_for(error, arguments))
        return USAGE
    if "terminal" in ignored:
        return partial(command, *bound.args, **bound.kwargs, terminal=terminal)
    command(*bound.args, **bound.kwargs)
    return OK


def _words_for(error: CycloptsError, arguments: Sequence[str]) -> str:
    """Say what is wrong with a command line, without a value that may be a secret."""
    words = re.sub(r"(--[\w-]+)=.*", r"\1", str(error)).strip()
    if isinstance(error, UnusedCliTokensError) and any(each.partition("=")[0] == "--api-key" for each in arguments):
        return "There is a word that belongs to no option: give --api-key again for each further key. See --help."
    if "--api-key" in words or "--auth-token" in words:
        return f"{words} Secrets come from ELARIAN_API_KEY or ELARIAN_AUTH_TOKEN, or a file: --api-key-file FILE."
    return f"{words} See --help."


async def perform(job: Callable[[], Awaitable[int]], terminal: Terminal) -> int:
    """Carry a command out, to its end or until a signal comes; give the exit status.

    SIGINT (Ctrl-C) and SIGTERM end it in order, a second one at once. What a command may meet becomes one line for the
    user and a status; only a defect is raised, as a group.
    """
    status = OK
    async with anyio.create_task_group() as tasks:
        await tasks.start(_watch, terminal)
        with terminal.stoppable():
            status = await _carry_out(job, terminal)
        tasks.cancel_scope.cancel()
    return status if terminal.signal is None else BY_SIGNAL + terminal.signal


async def _carry_out(job: Callable[[], Awaitable[int]], terminal: Terminal) -> int:
    await anyio.lowlevel.checkpoint()
    try:
        return await job()
    except EXPECTED as error:
        return _status_told(error, terminal)


def _status_told(error: Exception, terminal: Terminal) -> int:
    """Give the exit status, and tell the user why; but for a pipe's end, which is no failure to write home about."""
    status = status_of(error)
    if status != PIPE_CLOSED:
        terminal.complain(words_for(error))
    return status


async def _watch(terminal: Terminal, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Tell the terminal of each signal that asks for an end."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for number in signals:
            terminal.stop(number)
