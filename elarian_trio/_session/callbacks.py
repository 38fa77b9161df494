"""Functions of the rooms above, called where whatever they raise must not do more harm than that it is logged.

Everything that calls such functions stands above: the session, its requests and undos.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["call_safely", "report"]

logger = logging.getLogger("elarian_trio.session")


def call_safely(callback: Callable[[], object]) -> None:
    """Call what belongs to a room above; what it raises is logged without its words, which may be a user's."""
    try:
        callback()
    except Exception as error:
        report(error)


def report(error: Exception) -> None:
    """Log what a callback has raised, without its words; to be called where it was caught."""
    logger.error("a callback raised %s", type(error).__name__)
    logger.debug("it was raised here", exc_info=True)
