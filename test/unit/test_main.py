"""The command ``elarian-trio``: what answers whatever is installed; the words themselves are in ``cli``."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from elarian_trio.__main__ import main

if TYPE_CHECKING:
    import pytest


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
