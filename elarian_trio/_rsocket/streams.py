"""Stream ids, and the table of legal moves of one stream.

Above: requester and responder, each with the streams of its own. Below: frames. Only request/response streams live
long; what is refused, or sent without wanting an answer, passes through the same states.
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
    """Where a stream stands; the first four are our requests, the next three the peer's."""

    QUEUED = auto()  # nothing of it was handed out
    SENDING = auto()  # some fragments were
    WAITING = auto()  # all of it was
    RECEIVING = auto()  # some fragments of the answer are here
    ASSEMBLING = auto()  # some fragments of the request are here
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
    StreamState.RUNNING: {Move.CANCEL_IN: StreamState.DONE, Move.ANSWER: StreamState.ANSWERING},
    StreamState.ANSWERING: {
        Move.PIECE_OUT: StreamState.ANSWERING,
        Move.LAST_OUT: StreamState.DONE,
        Move.CANCEL_IN: StreamState.DONE,
    },
    StreamState.DONE: {},
}


class Stream:
    """One request and its answer. Made and forgotten by the requester if it is ours, by the responder if the peer's.

    Attributes:
        wants_answer: whether the peer waits for one.
        ends_at: the position behind what we send on it, once all of that was handed out.
        again: what is to follow the answer, though nothing should.
    """

    __slots__ = ("again", "ends_at", "state", "wants_answer")

    def __init__(self, state: StreamState, *, wants_answer: bool = True) -> None:
        """Begin in *state*; that it is given by its place halves what making one takes."""
        self.state = state
        self.wants_answer = wants_answer
        self.ends_at: float = math.inf
        self.again: PayloadFrame | None = None

    def allows(self, move: Move) -> bool:
        """Whether *move* is legal now."""
        return move in _MOVES[self.state]

    def make(self, move: Move) -> StreamState:
        """Make a legal *move* and return the state after it."""
        self.state = _MOVES[self.state][move]
        return self.state


class StreamIds:
    """The ids one end gives its requests: odd for clients, even for servers, always two further."""

    def __init__(self, first: int) -> None:
        self._first = self._next = first

    def owns(self, stream_id: int) -> bool:
        """Whether *stream_id* is of the kind this end gives out."""
        return stream_id % 2 == self._first % 2

    def take(self, live: Container[int]) -> int:
        """Give the next id; after the last possible one they start again and skip *live* ones."""
        while True:
            taken = self._next
            self._next = taken + 2 if taken + 2 <= MAX_STREAM_ID else self._first
            if taken not in live:
                return taken
