"""Positions, and the sent frames that are kept until the peer has them.

Above: the connection, which counts through here whatever goes in and out, and asks before a frame leaves whether there
is room for it. Below: frames. Positions are bytes of encoded frames without their length prefix, per fragment, as
Protocol.md counts them; a frame once kept is repeated byte for byte or not at all.
"""

from __future__ import annotations

import math

from elarian_trio._rsocket.frames import (
    HEADER,
    HEADER_SIZE,
    MAX_STREAM_ID,
    KeepaliveFrame,
    LeaseFrame,
    MetadataPushFrame,
    ResumeFrame,
    ResumeOkFrame,
    SetupFrame,
    type_number,
)

_ASK_AT = 4  # the peer is asked for its position when this part of the store is not acknowledged: a quarter
_MAX_TOLD = 64  # of our own positions are remembered: as many questions as may well be on their way at once
_QUESTION_PREFIX = b"rx?"  # of the data of our questions: 8 bytes, as all KEEPALIVE data of ours
_CONNECTION_TYPES = frozenset(
    map(type_number, (SetupFrame, LeaseFrame, KeepaliveFrame, MetadataPushFrame, ResumeFrame, ResumeOkFrame))
)


def counts(data: bytes) -> bool:
    """Whether an encoded frame moves the position: it is on a stream, and not of a type that belongs to connections.

    The header decides, so that what is ignored or cannot be read is counted too, as every peer does. Protocol.md
    counts by type. rsocket-java (since 1.1) and rsocket-js 1.0 count whatever is not on stream 0; that is followed for
    the types the text leaves open (EXT, unassigned ones, and ERROR, which on stream 0 ends the session anyway). Else
    the two differ only on frames that nobody may send: a connection's on a stream, a stream's on stream 0.
    """
    stream_id, word = HEADER.unpack_from(data)
    return stream_id & MAX_STREAM_ID > 0 and word >> 10 not in _CONNECTION_TYPES


class Resumption:
    """What one end must know to go on over a new transport. Made by the connection.

    Until ``begin`` nothing is counted or kept, and there is room for everything.

    Attributes:
        token: names the session.
        received: the position of the next byte expected from the peer.
        sent: the position of the next byte that goes to the peer for the first time.
        first: the position of the oldest kept byte; as ``sent`` if none is.
        abandoned: nothing is kept any more, so that there will be no resumption.
    """

    def __init__(self) -> None:
        self.token: bytes | None = None
        self.received = self.sent = self.first = 0
        self.abandoned = True
        self._capacity = 0
        self._told: list[int] = []  # what our last KEEPALIVEs said of ``received``
        self._kept: list[bytes] = []
        self._replay: list[bytes] = []  # the next at the end
        self._questions = 0
        self._asked: tuple[bytes, int] | None = None  # data, and first when it left
        self._stalled = False  # the last answer brought nothing: asking again waits until it must be

    def begin(self, token: bytes, capacity: int) -> None:
        """Count and keep from now on; *capacity* bytes of sent frames may wait for the peer's acknowledgement."""
        self.token = token
        self.abandoned = False
        self._capacity = capacity

    @property
    def kept_bytes(self) -> int:
        """How much is kept."""
        return self.sent - self.first

    @property
    def replaying(self) -> bool:
        """Whether kept frames are still to be repeated on the present transport."""
        return bool(self._replay)

    # Counting

    def count_in(self, data: bytes) -> None:
        """Note a received frame; to be called before anything else is done with it."""
        if self.token is not None and len(data) >= HEADER_SIZE and counts(data):
            self.received += len(data)

    def count_in_whole(self, data: bytes) -> None:
        """Note a received frame of a stream, as ``count_in`` does."""
        if self.token is not None:
            self.received += len(data)

    def tell(self) -> int:
        """Give the position for a KEEPALIVE that leaves now."""
        if self.received not in self._told:
            self._told.append(self.received)
            del self._told[:-_MAX_TOLD]
        return self.received

    def is_echo(self, position: int) -> bool:
        """Whether *position* is one of ours, as a peer sends back that answers with all it was sent (rsocket-py)."""
        return position in self._told

    def has_room(self, size: int) -> bool:
        """Whether a counted frame of *size* bytes may leave; where nothing is kept, one of any size may."""
        return self.abandoned or not self._kept or self.kept_bytes + size <= self._capacity

    @property
    def calm_bytes(self) -> float:
        """How many bytes may leave without anything being repeated, asked or held back meanwhile."""
        if self._replay:
            return 0
        if self.abandoned:
            return math.inf
        limit = self._capacity if self._asked is not None else (self._capacity - 1) // _ASK_AT
        return limit - self.kept_bytes

    def keep(self, *frames: bytes) -> None:
        """Note counted frames that leave for the first time."""
        self.sent += sum(map(len, frames))
        if self.abandoned:
            self.first = self.sent
        else:
            self._kept += frames

    def acknowledge(self, position: int) -> bool:
        """Forget what the peer has, as a KEEPALIVE of its says.

        Positions at or below ``first`` say nothing: 0 stands for "not supported" (rsocket-js 0.0.27 never says more),
        and what is late is old news, as rsocket-java takes it.

        Returns:
            False if *position* cannot be: beyond what was sent, or inside a frame. Both ends no longer agree then.
        """
        return self.abandoned or position <= self.first or self._drop_below(position)

    # The question

    def is_question_due(self, *, blocked: bool) -> bool:
        """Whether the peer is to be asked for its position: a frame finds no room, or much is unacknowledged."""
        if self._asked is not None or self._replay or not self._kept:
            return False
        return blocked or (not self._stalled and self.kept_bytes * _ASK_AT >= self._capacity)

    def ask(self) -> bytes:
        """Give the data for a KEEPALIVE that leaves now and asks the peer's position."""
        self._questions += 1
        data = _QUESTION_PREFIX + (self._questions & 0xFF_FF_FF_FF_FF).to_bytes(5, "big")
        self._asked = (data, self.first)
        return data

    def is_answer(self, data: bytes) -> bool:
        """Whether a KEEPALIVE with *data* answers the question; then another may be asked."""
        if self._asked is None or self._asked[0] != data:
            return False
        # A peer that counts has by now received all that left before the question, as frames arrive in order; and
        # something had, as nothing is asked before.
        self._stalled = self.first == self._asked[1]
        self._asked = None
        return True

    @property
    def stalled(self) -> bool:
        """Whether the last answer did not advance although it should have."""
        return self._stalled

    # The transport goes and another comes

    def detach(self) -> None:
        """The transport is gone: neither the rest of a replay nor an answer comes through it."""
        self._replay.clear()
        self._asked = None

    def rewind(self, position: int) -> bool:
        """Prepare to repeat everything from *position* on, which the peer named in RESUME or RESUME_OK.

        Returns:
            False if it cannot be: below what is kept, beyond what was sent, or inside a frame.
        """
        if self.abandoned or not self._drop_below(position):
            return False
        self._replay = list(reversed(self._kept))
        return True

    def next_replay(self) -> bytes | None:
        """Give the next frame to repeat."""
        return self._replay.pop() if self._replay else None

    def abandon(self) -> None:
        """Keep nothing from now on. What is being repeated still goes out: the peer waits for just those bytes."""
        self.abandoned = True
        self._kept.clear()
        self.first = self.sent

    def _drop_below(self, position: int) -> bool:
        """Forget kept frames up to *position*, and tell whether that is the start of one, or the end of all."""
        first, dropped = self.first, 0
        for data in self._kept:
            if first >= position:
                break
            first += len(data)
            dropped += 1
        if dropped:
            self._stalled = False
            del self._kept[:dropped]
        self.first = first
        return first == position
