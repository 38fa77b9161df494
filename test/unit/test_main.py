"""The command ``elarian-trio``: what answers whatever is installed; the words themselves are in ``cli``."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import metadata

import pytest

from elarian_trio.__main__ import main


def test_version_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: the version is that of the distribution."""
    monkeypatch.setattr(metadata, "version", {"elarian-trio": "1.2.3"}.__getitem__)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "elarian-trio 1.2.3\n"


def test_help_is_told_when_nothing_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """This SDK: the bare command says what it can do."""
    assert main([]) == 0
    assert "Elarian" in capsys.readouterr().out


def test_unknown_word_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """This SDK: a command that is not there is no success."""
    assert main(["fly"]) == 2
    assert "fly" in capsys.readouterr().err


def test_module_runs_as_a_program() -> None:
    """This SDK: ``python -m elarian_trio`` is the same command."""
    ran = subprocess.run([sys.executable, "-m", "elarian_trio", "--help"], capture_output=True, check=True, timeout=60)
    assert ran.stdout.startswith(b"Usage: elarian-trio")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no SIGPIPE")
def test_version_that_nobody_reads_is_no_traceback() -> None:
    """A past bug: `elarian-trio --version` was the one command that failed on a closed pipe."""
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "elarian_trio", "--version"]
    for unbuffered in ({}, {"PYTHONUNBUFFERED": "1"}):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"} | unbuffered
        ran = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, env=environment, check=False, timeout=60)
        assert (ran.returncode, ran.stderr) == (141, b"")
    os.close(writes)


def test_version_is_told_to_nobody_where_there_is_no_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A past bug: as with any other command, and with `print`."""
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["--version"]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process by a status of its own")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signal_that_comes_as_the_interpreter_ends_changes_nothing(number: signal.Signals) -> None:
    """A past bug: a second one killed the process before the folder with its certificate was removed."""
    program = f"""
import atexit, signal, sys
from elarian_trio.__main__ import main
atexit.register(print, "cleaned up")
atexit.register(signal.raise_signal, {int(number)})
sys.argv = ["elarian-trio", "fly"]
raise SystemExit(main())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "cleaned up\n")
    assert ran.stderr.count("\n") == 1, "of the word that there is none of"


def test_little_is_loaded_before_ctrl_c_is_no_traceback() -> None:
    """A past bug: two thirds of that time went to finding versions, for which few ask."""
    program = "import sys; before = {*sys.modules}; import elarian_trio.__main__; print(*{*sys.modules} - before)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "elarian_trio.__main__" in ran.stdout.split()
    assert "importlib.metadata" not in ran.stdout.split()


def test_ctrl_c_that_comes_as_the_command_ends_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A past bug: a second one, while what was written is flushed."""

    class Out(io.StringIO):
        def flush(self) -> None:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(sys, "stdout", Out())
    status = None
    with suppress(KeyboardInterrupt):  # which would end the tests
        status = main(["fly"])
    assert status == 130


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals for another process")
def test_ctrl_c_while_it_loads_is_no_traceback() -> None:
    """A past bug: for the third of a second that loading takes."""
    program = """
import signal, sys
from elarian_trio.__main__ import main

class Impatience:
    def find_spec(self, name, *_):
        if name == "cyclopts":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Impatience())
raise SystemExit(main(["--help"]))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, b"", b"")
