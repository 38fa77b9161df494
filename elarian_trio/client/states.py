"""What a client tells of its connection: its state, the changes of it, and counters.

The client stands above and keeps them up to date, synchronously.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from threading import get_ident
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
from anyio.abc import ObjectReceiveStream

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ["ConnectionState", "ConnectionStates", "StateBoard", "Statistics"]

MAX_BEHIND = 1024  # changes that a listener may leave unread


class ConnectionState(StrEnum):
    """Where a connection stands. ``closed`` and ``error`` are final."""

    PENDING = "pending"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"
    ERROR = "error"


FINAL = (ConnectionState.CLOSED, ConnectionState.ERROR)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a client counted since it was made.

    Attributes:
        commands: commands called.
        commands_failed: of these, those that raised.
        notifications: notifications that came.
        unclaimed: of these, those that nobody took, answered by default.
        rejected: of these, those answered REJECTED: no user code saw them.
        answers_late: answers that came after their time was up.
        observed_dropped: copies for which an observer had no room.
        reconnects: connections after the first.
        resumptions: of these, those by which the session went on where it was cut.
        sessions_lost: sessions that ended without the client's doing; one that was resumed has not.
        frames_ignored: frames that the protocol wants dropped in silence.
        bytes_sent: bytes of frames.
        bytes_received: bytes of frames.
    """

    commands: int = 0
    commands_failed: int = 0
    notifications: int = 0
    unclaimed: int = 0
    rejected: int = 0
    answers_late: int = 0
    observed_dropped: int = 0
    reconnects: int = 0
    resumptions: int = 0
    sessions_lost: int = 0
    frames_ignored: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


class StateBoard:
    """The present state, and who listens for the next. Made by the client."""

    def __init__(self) -> None:
        self.present: ConnectionState = ConnectionState.PENDING
        self.listeners: set[ConnectionStates] = set()

    def show(self, state: ConnectionState) -> bool:
        """Change the state and tell the listeners; ``False`` if it was that before."""
        if state is self.present:
            return False
        self.present = state
        for listener in tuple(self.listeners):  # one that is too far behind leaves
            listener.put(state)
        return True


_TOO_FAR_BEHIND = (
    f"this listener was more than {MAX_BEHIND:,} changes behind, and what it missed is lost; ask for another by "
    "connection_states(), which begins with the present state"
)
_NOT_LISTENING = "states are listened to in a block: async with client.connection_states() as states"
_ELSEWHERE = "states are listened to in the thread in which that began; anyio.from_thread.run() leads there"


class ConnectionStates(ObjectReceiveStream[ConnectionState]):
    """The state of a connection when the stream is opened, then each change. Made by ``connection_states()``.

    A loop over it ends after a final state.
    """

    def __init__(self, board: StateBoard) -> None:
        self._board = board
        self._states: deque[ConnectionState] = deque()
        self._changed = anyio.Event()
        self._closed = False
        self._behind = False
        self._thread = 0  # in which it began to listen

    def __repr__(self) -> str:
        """Say where the connection stands, and how many changes were not read yet."""
        return f"<ConnectionStates, {self._board.present} now, {len(self._states)} unread>"

    async def __aenter__(self) -> Self:
        """Begin to listen. A checkpoint, before it begins."""
        await anyio.lowlevel.checkpoint()
        self._thread = get_ident()
        self._board.listeners.add(self)
        self.put(self._board.present)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._close()
        await anyio.lowlevel.cancel_shielded_checkpoint()

    def put(self, state: ConnectionState) -> None:
        """For the board: tell of a state."""
        if len(self._states) >= MAX_BEHIND:
            self._behind = True
            self._states.clear()
            self._board.listeners.discard(self)
        else:
            self._states.append(state)
        self._notify()

    async def receive(self) -> ConnectionState:
        """Wait for the next state.

        Raises:
            EndOfStream: the last one was final.
            BrokenResourceError: this listener was too far behind; what it missed is lost.
            ClosedResourceError: it does not listen.
            RuntimeError: it would wait in another thread than the one it began to listen in.

        Cancellation:
            Always a checkpoint. Nothing is taken.
        """
        await anyio.lowlevel.checkpoint()
        while not self._states:
            if self._behind and not self._closed:
                raise anyio.BrokenResourceError(_TOO_FAR_BEHIND)
            if self not in self._board.listeners:
                raise anyio.ClosedResourceError(_NOT_LISTENING)
            if self._board.present in FINAL:
                raise anyio.EndOfStream
            if get_ident() != self._thread:  # the client would fail as it told of a change
                raise RuntimeError(_ELSEWHERE)
            await self._changed.wait()
        return self._states.popleft()

    async def aclose(self) -> None:
        """Stop listening. A checkpoint, no wait."""
        self._close()
        await anyio.lowlevel.checkpoint()

    def _close(self) -> None:
        self._closed = True
        self._board.listeners.discard(self)
        self._states.clear()
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
