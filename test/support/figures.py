"""How large the fault tests are, which seed they use, and what they count.

The environment says: ``ELARIAN_TRIO_FAULTS`` is ``smoke`` (a few seconds, what the plain suite runs), ``ci`` (what
``nox -s faults`` sets) or ``soak``; ``ELARIAN_TRIO_SEED`` replaces every seed. ``test/conftest.py`` prints what
was counted when all tests are over.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

SIZES = ("smoke", "ci", "soak")
SIZE = os.environ.get("ELARIAN_TRIO_FAULTS") or "smoke"
if SIZE not in SIZES:
    msg = f"ELARIAN_TRIO_FAULTS is one of {', '.join(SIZES)}, not {SIZE!r}"
    raise ValueError(msg)

LINES: list[str] = []  # what was counted so far, for the summary


def sized(*, smoke: T, ci: T, soak: T) -> T:
    """Give the value for the size that is run."""
    return {"smoke": smoke, "ci": ci, "soak": soak}[SIZE]


def seed_or(seed: int) -> int:
    """Give the seed of the environment, or the test's own."""
    return int(os.environ.get("ELARIAN_TRIO_SEED") or seed)


def say(line: str) -> None:
    """Have a figure printed, with its seed, when all tests are over; and at once, for who watches."""
    LINES.append(line)
    print(line)  # noqa: T201 - a figure is for people to read
