"""What SQLite or the disk refused, in our own words. The database stands above, the errors are below."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import apsw

from elarian_trio.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["refusal", "translated"]


@contextmanager
def translated(file: Path | None = None) -> Generator[None]:
    """Say in our own words what SQLite or the disk refused."""
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise refusal("the sandbox's file" if file is None else str(file), error) from error


def refusal(where: str, error: Exception) -> StoreError:
    """Give the error that says what is the matter with the file."""
    words = next((words for kinds, words in _REFUSALS if isinstance(error, kinds)), f"{{}} cannot be used: {error}")
    return StoreError(words.replace("{}", where, 1))


_REFUSALS = (
    (
        (apsw.CorruptError, apsw.NotADBError),
        "{} is damaged: restore it from a copy, or name another file; it was left as it is",
    ),
    (apsw.FullError, "the disk of {} is full: make room, and ask again"),
    (
        (apsw.ReadOnlyError, apsw.CantOpenError, PermissionError),
        "{} cannot be opened to be written: let this user write it, and make files beside it, or name another file",
    ),
)
