"""What the tests with peers of others share: their figures at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import figures

if TYPE_CHECKING:
    import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every figure, each with its seed; the fault tests, run together with these, print what is left."""
    if figures.LINES:
        terminalreporter.section("figures")
    while figures.LINES:
        terminalreporter.write_line(figures.LINES.pop(0))
