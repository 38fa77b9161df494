"""What waits to be sent on streams: CANCELs, and payloads and ERRORs that take turns, one frame each.

Above: the outbox, which looks at a frame before it takes it, so that one that finds no room where sent frames are kept
stays here and can still be dropped. Below: frames and the cutting of payloads.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elarian_trio._rsocket.fragments import needs_cutting, split_frame
from elarian_trio._rsocket.frames import ErrorFrame, encoded_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio._rsocket.frames import CancelFrame, FragmentableFrame, StreamFrame

_MAX_CUT_AT_ONCE = 8  # payloads whose fragments take turns: each is a partial payload in the peer's memory


@dataclass(slots=True)
class _Turn:
    head: FragmentableFrame | ErrorFrame  # the next to leave
    rest: Iterator[FragmentableFrame]
    is_cut: bool
    size: int  # of all of it


class Turns:
    """Frames of streams in the order in which they leave. Holds at most one payload or ERROR a stream.

    Attributes:
        fragment_size: what is put from now on is cut at it. Bytes, the length prefix included.
        waiting_bytes: what is held. A payload that is cut is held as a whole until its last fragment has left.
    """

    def __init__(self, fragment_size: int) -> None:
        self.fragment_size: int = fragment_size
        self._cancels: deque[CancelFrame] = deque()
        self._turns: OrderedDict[int, _Turn] = OrderedDict()
        self._waiting: OrderedDict[int, _Turn] = OrderedDict()
        self._cut_at_once = 0
        self.waiting_bytes: int = 0

    def put_cancel(self, frame: CancelFrame) -> None:
        """Queue a CANCEL, which overtakes payloads."""
        self._cancels.append(frame)
        self.waiting_bytes += encoded_size(frame)

    def put(self, frame: FragmentableFrame | ErrorFrame) -> None:
        """Queue a stream's payload or ERROR, cut where it is too large."""
        size = encoded_size(frame)
        self.waiting_bytes += size
        if isinstance(frame, ErrorFrame) or not needs_cutting(frame, self.fragment_size):
            self._turns[frame.stream_id] = _Turn(frame, iter(()), is_cut=False, size=size)
            return
        pieces = split_frame(frame, self.fragment_size)
        turn = _Turn(next(pieces), pieces, is_cut=True, size=size)
        if self._cut_at_once < _MAX_CUT_AT_ONCE:
            self._cut_at_once += 1
            self._turns[frame.stream_id] = turn
        else:
            self._waiting[frame.stream_id] = turn

    def drop(self, stream_id: int) -> None:
        """Forget what is left of a stream's payload."""
        waiting = self._waiting.pop(stream_id, None)
        if waiting is not None:
            self.waiting_bytes -= waiting.size
        turn = self._turns.pop(stream_id, None)
        if turn is not None:
            self._retire(turn)

    def clear(self) -> None:
        """Forget everything."""
        for queue in (self._cancels, self._turns, self._waiting):
            queue.clear()
        self._cut_at_once = self.waiting_bytes = 0

    def peek(self) -> StreamFrame | None:
        """Show what ``take`` would give."""
        if self._cancels:
            return self._cancels[0]
        if not self._turns:  # then nothing is in _waiting: whoever leaves _turns lets the next one in
            return None
        return next(iter(self._turns.values())).head

    def take(self) -> StreamFrame | None:
        """Give the next frame, ``None`` if none waits."""
        if self._cancels:
            cancel = self._cancels.popleft()
            self.waiting_bytes -= encoded_size(cancel)
            return cancel
        if not self._turns:
            return None
        stream_id, turn = self._turns.popitem(last=False)
        frame = turn.head
        if has_more(frame):
            turn.head = next(turn.rest)
            self._turns[stream_id] = turn
        else:
            self._retire(turn)
        return frame

    def _retire(self, turn: _Turn) -> None:
        """Be done with a payload or ERROR; where it was large, the next large one takes turns."""
        self.waiting_bytes -= turn.size
        if not turn.is_cut:
            return
        if self._waiting:
            stream_id, following = self._waiting.popitem(last=False)
            self._turns[stream_id] = following
        else:
            self._cut_at_once -= 1


def has_more(frame: StreamFrame) -> bool:
    """Whether more fragments of the same payload come behind *frame*."""
    follows: bool = getattr(frame, "follows", False)
    return follows
