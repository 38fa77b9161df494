"""What found no room, and how that is said.

A route stands above.
"""

from __future__ import annotations

import logging

__all__ = ["Overflow"]

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class Overflow:
    """Counts what is dropped for want of room. Made by the route.

    Args:
        name: whose notifications they are, for the log.
    """

    __slots__ = ("_dropped", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._dropped = 0

    def note(self) -> None:
        """Note that there was no room for a notification.

        That is said once until nothing is waiting any more: under load there is room for one again and again.
        """
        if not self._dropped:
            logger.warning("%s has too many notifications waiting: new ones are dropped", self._name)
        self._dropped += 1

    def end(self) -> None:
        """Say how many were dropped, now that nothing is waiting."""
        if self._dropped:
            logger.warning("%s has no notifications waiting any more: %d were dropped", self._name, self._dropped)
            self._dropped = 0
