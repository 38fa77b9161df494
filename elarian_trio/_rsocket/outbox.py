"""What waits to be sent, and in which order.

Above: the connection, which encodes what comes out. Below: frames and the cutting of payloads. Control frames
overtake everything, so that a payload of many megabytes never keeps a KEEPALIVE waiting; streams take turns, one
frame each.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from elarian_trio._rsocket.fragments import needs_cutting, split_frame
from elarian_trio._rsocket.frames import ErrorFrame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio._rsocket.frames import FragmentableFrame, Frame, KeepaliveFrame

_MAX_CUT_AT_ONCE = 8  # payloads whose fragments take turns: each is a partial payload in the peer's memory
_MAX_ECHOES = 1024  # a peer that asks more often than it reads gets the newest answers only
_MAX_ECHO_BYTES = 1024 * 1024  # of their data, so that large ones cannot pile up either; one always has room


@dataclass(slots=True)
class _Turn:
    frames: Iterator[FragmentableFrame | ErrorFrame]
    is_cut: bool


class Outbox:
    """Frames in the order in which they leave. Holds at most one payload or ERROR a stream."""

    def __init__(self, fragment_size: int) -> None:
        self._fragment_size = fragment_size
        self._control: deque[Frame] = deque()
        self._echoes: deque[KeepaliveFrame] = deque()
        self._echo_bytes = 0
        self._turns: OrderedDict[int, _Turn] = OrderedDict()
        self._waiting: OrderedDict[int, _Turn] = OrderedDict()
        self._cut_at_once = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._control or self._echoes or self._turns)

    def put_control(self, frame: Frame) -> None:
        """Queue a frame that overtakes payloads: the connection's own, or a CANCEL."""
        self._control.append(frame)

    def put_echo(self, frame: KeepaliveFrame) -> None:
        """Queue the answer to a KEEPALIVE; the oldest are dropped where they pile up."""
        self._echoes.append(frame)
        self._echo_bytes += len(frame.data)
        while len(self._echoes) > _MAX_ECHOES or (self._echo_bytes > _MAX_ECHO_BYTES and len(self._echoes) > 1):
            self._take_echo()

    def put(self, frame: FragmentableFrame | ErrorFrame) -> None:
        """Queue a stream's payload or ERROR, cut where it is too large."""
        if isinstance(frame, ErrorFrame) or not needs_cutting(frame, self._fragment_size):
            self._turns[frame.stream_id] = _Turn(iter((frame,)), is_cut=False)
            return
        turn = _Turn(split_frame(frame, self._fragment_size), is_cut=True)
        if self._cut_at_once < _MAX_CUT_AT_ONCE:
            self._cut_at_once += 1
            self._turns[frame.stream_id] = turn
        else:
            self._waiting[frame.stream_id] = turn

    def drop(self, stream_id: int) -> None:
        """Forget what is left of a stream's payload."""
        self._waiting.pop(stream_id, None)
        turn = self._turns.pop(stream_id, None)
        if turn is not None:
            self._retire(turn)

    def clear(self) -> None:
        """Forget everything."""
        for queue in (self._control, self._echoes, self._turns, self._waiting):
            queue.clear()
        self._echo_bytes = self._cut_at_once = 0

    def take(self) -> Frame | None:
        """Give the next frame, ``None`` if nothing waits."""
        if self._control:
            return self._control.popleft()
        if self._echoes:
            return self._take_echo()
        if not self._turns:  # then nothing is in _waiting: whoever leaves _turns lets the next one in
            return None
        stream_id, turn = self._turns.popitem(last=False)
        frame = next(turn.frames)
        if has_more(frame):
            self._turns[stream_id] = turn
        else:
            self._retire(turn)
        return frame

    def _take_echo(self) -> KeepaliveFrame:
        frame = self._echoes.popleft()
        self._echo_bytes -= len(frame.data)
        return frame

    def _retire(self, turn: _Turn) -> None:
        """Let the next large payload take turns when one has left."""
        if not turn.is_cut:
            return
        if self._waiting:
            stream_id, following = self._waiting.popitem(last=False)
            self._turns[stream_id] = following
        else:
            self._cut_at_once -= 1


def has_more(frame: Frame) -> bool:
    """Whether more fragments of the same payload come behind *frame*."""
    follows: bool = getattr(frame, "follows", False)
    return follows
