"""Where sessions wait whose connections were cut: how many there may be, and how much they may hold for their clients.

:mod:`elarian_trio._session.reception` stands above, whose tasks do the waiting; below are the guests. Nothing here
waits. A client that is away costs memory that nobody but its server bounds.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio._session.guest import Guest

__all__ = ["Lobby"]

logger = logging.getLogger("elarian_trio.session")


class Lobby:
    """The guests that wait, the longest first. Made by the reception.

    Args:
        max_guests: how many may wait.
        max_bytes: how many bytes they may hold together for their clients, sent before the cut or not yet.

    Attributes:
        held_bytes: how many they hold together, as they were last weighed.
    """

    __slots__ = ("_guests", "_max_bytes", "_max_guests", "held_bytes")

    def __init__(self, max_guests: int, max_bytes: int) -> None:
        self._max_guests = max_guests
        self._max_bytes = max_bytes
        self._guests: dict[Guest, int] = {}  # with what each was found to hold
        self.held_bytes: int = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._guests)

    def enter(self, guest: Guest) -> None:
        """Have *guest* wait, behind all others."""
        self._guests[guest] = 0
        self.weigh(guest)

    def leave(self, guest: Guest) -> None:
        """Have *guest* wait no more, if it does."""
        self.held_bytes -= self._guests.pop(guest, 0)

    def weigh(self, guest: Guest) -> bool:
        """Count anew what *guest* holds, which grows by answers to what was asked before the cut.

        Returns:
            Whether it waits at all; else nothing is counted.
        """
        if guest not in self._guests:
            return False
        held = guest.session.kept_bytes + guest.session.waiting_bytes
        self.held_bytes += held - self._guests[guest]
        self._guests[guest] = held
        return True

    def surplus(self) -> Iterator[Guest]:
        """Have those leave that are too much, one by one, those first that have waited longest, perhaps all.

        What is done to one may make others leave or grow before the next is looked for.
        """
        while len(self._guests) > self._max_guests or self.held_bytes > self._max_bytes:
            logger.info("too much is kept for clients that were cut: the one that is away longest is given up")
            guest = next(iter(self._guests))
            self.leave(guest)
            yield guest
