"""One end of an established connection, in either role, and what a test asks about it.

The room's tests stand above; :mod:`frame_strategies` opens the ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from frame_strategies import open_client, open_server

from elarian_trio._rsocket import Connection, ConnectionPhase, FrameIgnored

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket import Event

ENDS: list[tuple[Callable[[], Connection], int, int]] = [(open_client, 1, 2), (open_server, 2, 1)]
both_ends = pytest.mark.parametrize(("make", "our_id", "their_id"), ENDS, ids=["client", "server"])


def is_ignored(events: list[Event]) -> bool:
    """Whether a frame had no effect but to be counted."""
    return len(events) == 1 and isinstance(events[0], FrameIgnored)


def phase(connection: Connection) -> ConnectionPhase:
    """Give the state anew each time; type checkers take a property they have compared for unchanged."""
    return connection.state
