"""The words of the command line: how they are read, what help there is, and what ends in which status."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import subprocess
import sys
from functools import partial
from importlib import metadata

import anyio.lowlevel
import pytest
from command_line import Typist, read_only, run

from elarian_trio import (
    CommandFailed,
    CommandRejected,
    CommandTimedOut,
    ConnectionFailed,
    ConnectionLost,
    RemoteProtocolError,
    SetupRejected,
    StoreError,
)
from elarian_trio.cli import Terminal, commands, perform
from elarian_trio.cli.exits import status_of, words_for

COMMANDS = ["sandbox", "doctor", "state", "send", "tail", "phone sms", "phone dial", "phone pay", "phone call"]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_help(command: str) -> None:
    """The issue: good ``--help``; the exit statuses are told with it."""
    ran = read_only(*command.split(), "--help")
    assert ran.status == 0
    assert f"elarian-trio {command}" in ran.out
    assert "Exit status: 0" in ran.out
    assert ran.err == ""
    if command != "sandbox":
        assert "--json" in ran.out
        assert "ELARIAN_ENDPOINT" in ran.out


def test_bare_command_tells_of_all() -> None:
    """This SDK: where to begin."""
    ran = read_only()
    assert ran.status == 0
    assert all(command.split()[0] in ran.out for command in COMMANDS)


def test_version_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: with the extra as without it."""
    monkeypatch.setattr(metadata, "version", {"elarian-trio": "1.2.3"}.__getitem__)
    assert read_only("--version").out == "elarian-trio 1.2.3\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fly"], "fly"),
        (["phone", "dance"], "sms, dial, pay, call"),
        (["state"], "NUMBER"),
        (["send", "+254709759881"], "TEXT"),
        (["sandbox", "--settle", "never"], "auto"),
        (["tail", "--count", "many"], "--count"),
        (["tail", "--count", "1.5"], "a whole number from 1 on, got '1.5'"),
        (["doctor", "--timeout"], "--timeout"),
    ],
    ids=" ".join,
)
def test_wrong_words_are_one_line_and_status_2(words: list[str], said: str) -> None:
    """The issue: errors on stderr, no tracebacks."""
    ran = read_only(*words)
    assert ran.status == 2
    assert ran.out == ""
    assert said in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("words", [["--api-key=5ec2e7"], ["--api-key", "5ec2e7"], ["--auth-token=5ec2e7"]], ids=repr)
def test_secret_on_the_command_line_is_neither_taken_nor_repeated(words: list[str]) -> None:
    """The issue: secrets only from the environment or a file."""
    ran = read_only("doctor", *words)
    assert ran.status == 2
    assert "ELARIAN_API_KEY" in ran.err
    assert "--api-key-file" in ran.err
    assert "5ec2e7" not in ran.err


@pytest.mark.parametrize("word", ["--api-key", "--api-key=5ec2e7-1"])
def test_second_key_without_its_option_is_not_repeated(word: str) -> None:
    """A past bug: what stood behind a key was repeated, as any word is that belongs nowhere."""
    ran = read_only("sandbox", "--org-id", "o", "--app-id", "a", "--app-id", "b", word, "5ec2e7-2", "5ec2e7-3")
    assert ran.status == 2
    assert "--api-key again" in ran.err
    assert "5ec2e7" not in ran.err


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["state", "+254709759881"], "give --org-id"),
        (["state", "+254709759881", "--provider", "pigeon"], "cellular"),
        (["doctor", "--endpoint", "nowhere"], "tcp://host:port"),
        (["send", "+254709759881", "Hi", "--channel", "83044"], "sms:83044"),
        (["tail", "--count", "0"], "from 1 on"),
        (["phone", "pay", "+254709759881", "100"], "KES:100"),
        (["phone", "pay", "+254709759881", "KES:100", "--status", "maybe"], "success"),
        (["phone", "sms", "+254709759881", "Hi", "--channel", "83044"], "sms:83044"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_wrong_values_are_one_line_and_status_2(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue: wrong usage is 2, before anything is sent; each says what would be right."""
    if words[0] != "state" or "--provider" in words:
        for name in ("ORG_ID", "APP_ID", "API_KEY"):
            monkeypatch.setenv(f"ELARIAN_{name}", "given")
        monkeypatch.setenv("ELARIAN_ENDPOINT", "tcp://127.0.0.1:1")
    ran = await run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
async def test_time_to_wait_is_above_nothing_and_ends(seconds: str) -> None:
    """The issue: wrong usage is 2, in one line that names the option and says what would be right."""
    ran = await run("doctor", f"--timeout={seconds}", "--endpoint", "tcp://127.0.0.1:1")
    assert (ran.status, ran.out) == (2, "")
    assert re.search(r"--timeout.*a number of seconds above 0", ran.err)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGPIPE")
def test_help_that_nobody_reads_to_its_end_ends_as_by_a_closed_pipe() -> None:
    """The help's last lines: the exit status is the one that shells give, 128 and SIGPIPE's number."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "elarian_trio", "sandbox", "--help"]
    ran = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writes)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_help_that_there_is_no_room_for_is_a_failure_in_one_line() -> None:
    """The issue: documented exit codes; no tracebacks."""
    command = [sys.executable, "-m", "elarian_trio", "sandbox", "--help"]
    with open("/dev/full", "wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1), ran.stderr
    assert ran.stderr.startswith("elarian-trio: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGPIPE")
def test_complaint_that_nobody_reads_leaves_the_status_as_it_is() -> None:
    """A past bug: a command that could not connect ended as one that was refused, since its words found no reader."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "elarian_trio", "fly"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ran = subprocess.run(command, stdout=writes, stderr=writes, env=environment, check=False, timeout=60)
    os.close(writes)
    assert ran.returncode == 2


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("columns", ["0", "1", "20"])
def test_help_fits_any_width(command: str, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A past bug: where COLUMNS is 0, the help of all was a traceback, and where it is 1 most helps never ended."""
    monkeypatch.setenv("COLUMNS", columns)
    assert read_only(*command.split(), "--help").status == 0


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SetupRejected("unknown app"), 1, "refused.*unknown app.*credential"),
        (CommandFailed(object(), "no such customer"), 1, "^no such customer$"),
        (CommandRejected(object(), ""), 1, "^CommandRejected$"),
        (PermissionError(13, "not for you"), 1, "^not for you$"),
        (PermissionError(13, "not for you", "file"), 1, "not for you.*file"),
        (OSError(errno.EADDRINUSE, "in use"), 1, "in use: choose another port, or 0"),
        (StoreError("in use by another sandbox"), 1, "^in use by another"),
        (ValueError("like this"), 2, "like this"),
        (ModuleNotFoundError("pip install it"), 2, "pip install it"),
        (ConnectionFailed("nobody"), 3, "nobody"),
        (ConnectionLost("gone", sent=True), 3, "gone"),
        (CommandTimedOut("silence", sent=True), 3, "silence"),
        (RemoteProtocolError("HTTP/1.1"), 3, "no RSocket"),
        (BrokenPipeError(), 141, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_failure_has_its_status_and_words(error: Exception, status: int, said: str) -> None:
    """The issue: documented exit codes."""
    assert status_of(error) == status
    assert re.search(said, words_for(error))


def test_attempt_that_failed_says_more_than_giving_up() -> None:
    """This SDK: the first line is the reason, not the policy."""
    error = ConnectionFailed("gave up after 0 s")
    error.__cause__ = ConnectionFailed("connection refused")
    assert words_for(error) == "connection refused"


@pytest.mark.anyio
async def test_defect_is_raised_and_not_dressed_up() -> None:
    """This SDK: what nobody expects is to be reported, with its traceback."""

    async def job() -> int:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await perform(job, Terminal(io.StringIO(), io.StringIO(), Typist()))
    assert caught.group_contains(ZeroDivisionError)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows raises no signal in a loop that waits for one")
def test_second_ctrl_c_that_finds_all_over_shows_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A past bug: one that came while the signals' receiver was closed ended in a traceback, and status 1."""

    async def job(**_: object) -> int:
        await anyio.lowlevel.checkpoint()
        signal.raise_signal(signal.SIGINT)
        return 0

    monkeypatch.setattr(commands, "read", lambda *_: partial(job))
    for _ in range(20):  # whether it is found in time is a matter of chance
        assert commands.main([]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_without_the_extra_every_word_but_version_says_what_to_install(missing: str) -> None:
    """The design: the command line is an extra; ``--version`` answers whatever is installed."""
    program = f"""
import sys
sys.modules[{missing!r}] = None
from elarian_trio.__main__ import main
assert main(["--version"]) == 0
assert [main(words) for words in ([], ["sandbox"], ["--help"])] == [2, 2, 2]
"""
    command = [sys.executable, "-W", "error", "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("pip install 'elarian-trio[cli]'") == ran.stderr.count("\n") == 3
