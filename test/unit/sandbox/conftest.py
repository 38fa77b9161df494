"""What the tests of the store and of its parts stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stored import FaultyDatabase

from elarian_trio.sandbox.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FaultyDatabase]:
    """Open a file."""
    opened = FaultyDatabase(Database.open(tmp_path / "x.sqlite3"))
    yield opened
    opened.close()
