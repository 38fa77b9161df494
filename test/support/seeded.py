"""What tests of many seeds share: the scheduler's dice, and silence in the log. Their folders' conftests import it."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

import figures
import pytest
from trio._core import _run  # trio offers its scheduler's dice to hypothesis only; a seed must fix them as well

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def the_order_of_tasks_is_seeded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have trio run its tasks in an order that a seed gives again."""
    monkeypatch.setattr(_run, "_r", random.Random(figures.seed_or(1)), raising=False)
    monkeypatch.setattr(_run, "_ALLOW_DETERMINISTIC_SCHEDULING", True, raising=False)
    return iter(())


@pytest.fixture
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Keep thousands of warnings about cuts, which a test asked for itself, out of memory and reports."""
    caplog.set_level(logging.CRITICAL, logger="elarian_trio")
