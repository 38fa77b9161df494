"""What takes an answer back whose request the peer had given up by then.

The session stands above and learns of that; whoever answers says what is to be undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._session.callbacks import call_safely

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Undos"]

MAX_UNDOS = 64  # kept of answers given, in case the peer had given their requests up by then


class Undos:
    """Functions by the streams of answers that may not have come through. Made by the session."""

    __slots__ = ("_by_stream",)

    def __init__(self) -> None:
        self._by_stream: dict[int, Callable[[], object]] = {}

    def keep(self, stream_id: int, undo: Callable[[], object]) -> None:
        """Keep *undo*, and forget the oldest of too many."""
        self._by_stream[stream_id] = undo
        if len(self._by_stream) > MAX_UNDOS:
            del self._by_stream[next(iter(self._by_stream))]

    def perform(self, stream_id: int) -> None:
        """Call what was kept for *stream_id*, if anything was, and forget it."""
        undo = self._by_stream.pop(stream_id, None)
        if undo is not None:
            call_safely(undo)
