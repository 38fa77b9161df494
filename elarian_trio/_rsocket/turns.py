"""What waits to be sent on streams: CANCELs, and payloads and ERRORs that take turns, one frame each.

Above: the outbox, which asks how large a frame is before it takes it, so that one that finds no room where sent frames
are kept stays here and can still be dropped. Below: frames and the cutting of payloads. What needs no cutting waits as
the bytes that it will be; of a payload that does, one fragment is written at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from elarian_trio._rsocket.fragments import LENGTH_SIZE, needs_cutting, split_frame
from elarian_trio._rsocket.frames import (
    HEADER_SIZE,
    ErrorFrame,
    PayloadFrame,
    RequestResponseFrame,
    encode_answer,
    encode_frame,
    encode_request,
    encoded_size,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio._rsocket.frames import CancelFrame, FragmentableFrame

_WHOLE_FIXED_SIZE = LENGTH_SIZE + HEADER_SIZE  # length prefix and header of a frame that has data only
_MAX_CUT_AT_ONCE = 8  # payloads whose fragments take turns: each is a partial payload in the peer's memory


class Departure(NamedTuple):
    """A frame that leaves.

    Attributes:
        data: its bytes, without length prefix.
        stream_id: the stream that it is on, 0 for none, and for what is repeated.
        has_more: whether more fragments of the same payload come behind it.
    """

    data: bytes
    stream_id: int = 0
    has_more: bool = False


@dataclass(slots=True)
class _Cut:
    """A payload on its way in fragments."""

    head: FragmentableFrame  # the next to leave
    rest: Iterator[FragmentableFrame]
    size: int  # of all of it


class Turns:
    """Frames of streams in the order in which they leave. Holds at most one payload or ERROR a stream.

    Attributes:
        fragment_size: what is put from now on is cut at it. Bytes, the length prefix included.
        waiting_bytes: what is held. A payload that is cut is held as a whole until its last fragment has left.
    """

    def __init__(self, fragment_size: int) -> None:
        self.fragment_size: int = fragment_size
        self._cancels: list[Departure] = []  # an empty deque is ten times as large, and most connections have none
        self._turns: OrderedDict[int, bytes | _Cut] = OrderedDict()
        self._waiting: OrderedDict[int, _Cut] = OrderedDict()
        self._cut_at_once = 0
        self.waiting_bytes: int = 0

    def put_cancel(self, frame: CancelFrame) -> None:
        """Queue a CANCEL, which overtakes payloads."""
        data = encode_frame(frame)
        self._cancels.append(Departure(data, frame.stream_id))
        self.waiting_bytes += len(data)

    def put_request(self, stream_id: int, data: bytes, metadata: bytes | None) -> None:
        """Queue a request of ours."""
        if metadata is None and len(data) <= self.fragment_size - _WHOLE_FIXED_SIZE:
            self._turns[stream_id] = whole = encode_request(stream_id, data)
            self.waiting_bytes += len(whole)
        else:
            self.put(RequestResponseFrame(stream_id, data, metadata))

    def put_answer(self, stream_id: int, data: bytes, metadata: bytes | None) -> None:
        """Queue the answer to a request of the peer."""
        if metadata is None and len(data) <= self.fragment_size - _WHOLE_FIXED_SIZE:
            self._turns[stream_id] = whole = encode_answer(stream_id, data)
            self.waiting_bytes += len(whole)
        else:
            self.put(PayloadFrame(stream_id, data, metadata, complete=True, next_=True))

    def put(self, frame: FragmentableFrame | ErrorFrame) -> None:
        """Queue a stream's payload or ERROR, cut where it is too large."""
        if isinstance(frame, ErrorFrame) or not needs_cutting(frame, self.fragment_size):
            self._turns[frame.stream_id] = whole = encode_frame(frame)
            self.waiting_bytes += len(whole)
            return
        pieces = split_frame(frame, self.fragment_size)
        cut = _Cut(next(pieces), pieces, encoded_size(frame))
        self.waiting_bytes += cut.size
        if self._cut_at_once < _MAX_CUT_AT_ONCE:
            self._cut_at_once += 1
            self._turns[frame.stream_id] = cut
        else:
            self._waiting[frame.stream_id] = cut

    def drop(self, stream_id: int) -> None:
        """Forget what is left of a stream's payload."""
        waiting = self._waiting.pop(stream_id, None)
        if waiting is not None:
            self.waiting_bytes -= waiting.size
        turn = self._turns.pop(stream_id, None)
        if isinstance(turn, bytes):
            self.waiting_bytes -= len(turn)
        elif turn is not None:
            self._retire(turn)

    def clear(self) -> None:
        """Forget everything."""
        for queue in (self._cancels, self._turns, self._waiting):
            queue.clear()
        self._cut_at_once = self.waiting_bytes = 0

    @property
    def next_size(self) -> int | None:
        """How many bytes ``take`` would give, ``None`` for nothing."""
        if self._cancels:
            return len(self._cancels[0].data)
        if not self._turns:  # then nothing is in _waiting: whoever leaves _turns lets the next one in
            return None
        turn = next(iter(self._turns.values()))
        return len(turn) if isinstance(turn, bytes) else encoded_size(turn.head)

    def take(self) -> Departure | None:
        """Give the next frame, ``None`` if none waits."""
        if self._cancels:
            cancel = self._cancels.pop(0)
            self.waiting_bytes -= len(cancel.data)
            return cancel
        if not self._turns:
            return None
        stream_id, turn = self._turns.popitem(last=False)
        if isinstance(turn, bytes):
            self.waiting_bytes -= len(turn)
            return Departure(turn, stream_id)
        frame = turn.head
        if frame.follows:
            turn.head = next(turn.rest)
            self._turns[stream_id] = turn
        else:
            self._retire(turn)
        return Departure(encode_frame(frame), stream_id, frame.follows)

    def take_wholes(self, max_bytes: int, limit: float) -> list[tuple[int, bytes]]:
        """Give what ``take`` would, as long as that is no CANCEL and was not cut.

        It is about *max_bytes* at most, one frame more or less, and never more than *limit*.
        """
        taken: list[tuple[int, bytes]] = []
        turns, size = self._turns, 0
        while turns and size < max_bytes and not self._cancels:
            stream_id, turn = turns.popitem(last=False)
            if not isinstance(turn, bytes) or size + len(turn) > limit:
                turns[stream_id] = turn
                turns.move_to_end(stream_id, last=False)
                break
            taken.append((stream_id, turn))
            size += len(turn)
        self.waiting_bytes -= size
        return taken

    def _retire(self, cut: _Cut) -> None:
        """Be done with a large payload; the next large one takes turns."""
        self.waiting_bytes -= cut.size
        if self._waiting:
            stream_id, following = self._waiting.popitem(last=False)
            self._turns[stream_id] = following
        else:
            self._cut_at_once -= 1
