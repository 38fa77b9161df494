"""Stream ids, and the table of legal moves of one stream.

Above: requester and responder, each with the streams of its own. Below: frames. Only request/response streams live
long; what is refused, or sent without wanting an answer, passes through the same table. Of a request of ours there is
more to know than where it stands; of the peer's, of which many thousand may wait, there is not, so that each costs a
number only.
"""

from __future__ import annotations

import math
from enum import IntEnum, auto
from typing import TYPE_CHECKING

from elarian_trio._rsocket.frames import MAX_STREAM_ID

if TYPE_CHECKING:
    from collections.abc import Container

    from elarian_trio._rsocket.frames import PayloadFrame


class StreamState(IntEnum):
    """Where a stream stands; the first four are our requests, the next four the peer's."""

    QUEUED = auto()  # nothing of it was handed out
    SENDING = auto()  # some fragments were
    WAITING = auto()  # all of it was
    RECEIVING = auto()  # some fragments of the answer are here
    ASSEMBLING = auto()  # some fragments of the request are here
    TAKING = auto()  # some fragments of one that wants no answer are here
    RUNNING = auto()  # the request was reported and waits for respond or fail
    ANSWERING = auto()  # the answer waits to be handed out, or some of it
    DONE = auto()


class Move(IntEnum):
    """What happens to a stream; ``_IN`` is a frame received, ``_OUT`` a frame handed out."""

    PIECE_OUT = auto()  # more of the payload follows
    LAST_OUT = auto()
    PIECE_IN = auto()
    LAST_IN = auto()
    ERROR_IN = auto()
    CANCEL_IN = auto()
    ANSWER = auto()  # respond or fail, also our refusal of a request


_MOVES: dict[StreamState, dict[Move, StreamState]] = {
    StreamState.QUEUED: {Move.PIECE_OUT: StreamState.SENDING, Move.LAST_OUT: StreamState.WAITING},
    StreamState.SENDING: {
        Move.PIECE_OUT: StreamState.SENDING,
        Move.LAST_OUT: StreamState.WAITING,
        Move.PIECE_IN: StreamState.RECEIVING,  # answered before the request was whole
        Move.LAST_IN: StreamState.DONE,
        Move.ERROR_IN: StreamState.DONE,
    },
    StreamState.WAITING: {
        Move.PIECE_IN: StreamState.RECEIVING,
        Move.LAST_IN: StreamState.DONE,
        Move.ERROR_IN: StreamState.DONE,
    },
    StreamState.RECEIVING: {
        Move.PIECE_IN: StreamState.RECEIVING,
        Move.LAST_IN: StreamState.DONE,
        Move.ERROR_IN: StreamState.DONE,
    },
    StreamState.ASSEMBLING: {
        Move.PIECE_IN: StreamState.ASSEMBLING,
        Move.LAST_IN: StreamState.RUNNING,
        Move.ERROR_IN: StreamState.DONE,
        Move.CANCEL_IN: StreamState.DONE,
        Move.ANSWER: StreamState.ANSWERING,
    },
    StreamState.TAKING: {
        Move.PIECE_IN: StreamState.TAKING,
        Move.LAST_IN: StreamState.DONE,
        Move.ERROR_IN: StreamState.DONE,
        Move.CANCEL_IN: StreamState.DONE,
    },
    StreamState.RUNNING: {Move.CANCEL_IN: StreamState.DONE, Move.ANSWER: StreamState.ANSWERING},
    StreamState.ANSWERING: {
        Move.PIECE_OUT: StreamState.ANSWERING,
        Move.LAST_OUT: StreamState.DONE,
        Move.CANCEL_IN: StreamState.DONE,
    },
    StreamState.DONE: {},
}

# A member that is looked up in its class takes several times as long.
_QUEUED, _RUNNING, _ANSWERING, _DONE = (
    StreamState.QUEUED,
    StreamState.RUNNING,
    StreamState.ANSWERING,
    StreamState.DONE,
)


class Stream:
    """One request of ours and its answer. Made and forgotten by the requester.

    Attributes:
        ends_at: the position behind what we send on it, once all of that was handed out.
    """

    __slots__ = ("ends_at", "state")

    def __init__(self) -> None:
        self.state: StreamState = _QUEUED
        self.ends_at: float = math.inf

    def allows(self, move: Move) -> bool:
        """Whether *move* is legal now."""
        return move in _MOVES[self.state]

    def make(self, move: Move) -> None:
        """Make a legal *move*."""
        self.state = _MOVES[self.state][move]


class Served(dict[int, StreamState]):
    """Where each request of the peer's stands, by its stream id. Made by the responder.

    One that was received whole is put in as RUNNING, which is what most are for most of their time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._again: dict[int, PayloadFrame] = {}

    def allows(self, stream_id: int, move: Move) -> bool:
        """Whether *move* is legal now."""
        return move in _MOVES[self.get(stream_id, _DONE)]

    def make(self, stream_id: int, move: Move) -> None:
        """Make a legal *move*; there is nothing left of one that is done."""
        self[stream_id] = state = _MOVES[self[stream_id]][move]
        if state is _DONE:
            self.drop(stream_id)

    def answer(self, stream_id: int) -> bool:
        """Note that an answer is queued; ``False`` if nobody waits for one."""
        if self.get(stream_id) is not _RUNNING:
            return False
        self[stream_id] = _ANSWERING
        return True

    def repeat(self, frame: PayloadFrame) -> bool:
        """Have *frame* follow the answer on its stream, though nothing should; ``False`` if none waits to leave."""
        if self.get(frame.stream_id) is not _ANSWERING:
            return False
        self._again[frame.stream_id] = frame
        return True

    def answered(self, stream_id: int) -> PayloadFrame | None:
        """Note that all of the answer was handed out; give what is to follow it."""
        self.pop(stream_id, None)
        return self._again.pop(stream_id, None) if self._again else None

    def drop(self, stream_id: int) -> None:
        """Forget a request."""
        del self[stream_id]
        self._again.pop(stream_id, None)


class StreamIds:
    """The ids one end gives its requests: odd for clients, even for servers, always two further."""

    def __init__(self, first: int) -> None:
        self._first = self._next = first

    def take(self, live: Container[int]) -> int:
        """Give the next id; after the last possible one they start again and skip *live* ones."""
        while True:
            taken = self._next
            self._next = taken + 2 if taken + 2 <= MAX_STREAM_ID else self._first
            if taken not in live:
                return taken
