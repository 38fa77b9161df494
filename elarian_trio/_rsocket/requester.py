"""Our requests: from the moment they are asked until they are answered, fail, or are given up.

Above: the connection, which says whether one may be asked at all. Below: streams, turns, and payloads that arrive in
pieces. Of frames only those on streams with ids of ours come here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from elarian_trio._rsocket.events import CancelIgnored, Event, FrameIgnored, RequestFailed, ResponseReceived
from elarian_trio._rsocket.fragments import FragmentRefused
from elarian_trio._rsocket.frames import (
    HEADER_SIZE,
    WHOLE_ANSWER,
    CancelFrame,
    ErrorCode,
    ErrorFrame,
    PayloadFrame,
    RequestNFrame,
)
from elarian_trio._rsocket.streams import Move, Stream, StreamIds, StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket.fragments import Assemblies
    from elarian_trio._rsocket.frames import IncomingFrame
    from elarian_trio._rsocket.turns import Turns

# Those that each request is asked about; to look an enum's members up takes ten times as long.
_QUEUED, _WAITING, _LAST_OUT = StreamState.QUEUED, StreamState.WAITING, Move.LAST_OUT


class Requester:
    """Those of our requests that have not ended. Made by the connection, as one of its two sides.

    Args:
        first_id: 1 for a client, 2 for a server.
        turns: takes what we send.
        assemblies: holds answers that arrive in pieces.
    """

    def __init__(self, first_id: int, turns: Turns, assemblies: Assemblies) -> None:
        self._ids = StreamIds(first_id)
        self._turns = turns
        self._assemblies = assemblies
        self._streams: dict[int, Stream] = {}
        self._never_sent: set[int] = set()  # those that the peer's CONNECTION_CLOSE overtook

    def __len__(self) -> int:
        """How many have not ended."""
        return len(self._streams)

    def request(self, data: bytes, metadata: bytes | None) -> int:
        """Queue a request and give its id."""
        stream_id = self._ids.take(self._streams)
        self._streams[stream_id] = Stream()
        self._turns.put_request(stream_id, data, metadata)
        return stream_id

    def was_sent(self, stream_id: int) -> bool:
        """Whether any byte of a request was handed out; true of one that has ended, unless it was taken back."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return stream_id not in self._never_sent
        return stream.state is not _QUEUED

    def was_received(self, stream_id: int, position: int) -> bool:
        """Whether a peer that has everything below *position* has all of a request; true of one that has ended."""
        stream = self._streams.get(stream_id)
        return stream is None or position >= stream.ends_at

    def forget(self, stream_id: int) -> bool:
        """Wait no more for an answer; say whether the peer may have seen anything of the request. False for others."""
        self._never_sent.discard(stream_id)
        if stream_id not in self._streams:
            return False
        was_sent = self.was_sent(stream_id)
        self._drop(stream_id)
        return was_sent

    def take_back(self) -> None:
        """Forget those of which the peer has seen nothing: it will not take new ones."""
        for stream_id in [stream_id for stream_id, stream in self._streams.items() if stream.state is _QUEUED]:
            self._drop(stream_id)
            self._never_sent.add(stream_id)

    # What has left

    def note_piece_out(self, stream_id: int) -> None:
        """Some of a request was handed out, more of it follows."""
        self._streams[stream_id].make(Move.PIECE_OUT)

    def note_last_out(self, stream_id: int, position: int) -> None:
        """The last frame on a stream was handed out, and *position* is behind it."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            stream.ends_at = position
            stream.make(_LAST_OUT)

    # What comes in

    def receive_whole(self, stream_id: int, kind: int, data: bytes) -> Event | None:
        """Take a frame of a kind that ``read_whole`` tells, if it is an answer that is waited for."""
        stream = self._streams.get(stream_id)
        if kind != WHOLE_ANSWER or stream is None or stream.state is not _WAITING:
            return None
        del self._streams[stream_id]
        return ResponseReceived(stream_id, data[HEADER_SIZE:])

    def receive(self, frame: IncomingFrame) -> list[Event]:
        """Take a frame on a stream of ours, and report what it means."""
        receive = self._RECEIVERS.get(type(frame))
        return [FrameIgnored("a request with an id of ours")] if receive is None else receive(self, frame)

    def _on_payload(self, frame: PayloadFrame) -> list[Event]:
        stream = self._streams.get(frame.stream_id)
        if stream is None or not stream.allows(Move.LAST_IN):
            return [FrameIgnored("a PAYLOAD that nobody waits for")]
        self._turns.drop(frame.stream_id)  # answered before all of the request was sent: the rest is moot
        try:
            payload = self._assemblies.collect(frame)
        except FragmentRefused as refused:
            return self._give_up(frame.stream_id, f"what was asked may be done, but the answer is lost: {refused}")
        if payload is None:
            stream.make(Move.PIECE_IN)
            return []
        self._drop(frame.stream_id)
        return [ResponseReceived(frame.stream_id, *payload)]

    def _give_up(self, stream_id: int, message: str) -> list[Event]:
        """Fail a request whose answer we do not take."""
        self._drop(stream_id)
        self._turns.put_cancel(CancelFrame(stream_id))
        return [RequestFailed(stream_id, ErrorCode.CANCELED, message)]

    def _on_error(self, frame: ErrorFrame) -> list[Event]:
        stream = self._streams.get(frame.stream_id)
        if stream is None or not stream.allows(Move.ERROR_IN):
            return [FrameIgnored("an ERROR for a request that does not wait")]
        self._drop(frame.stream_id)
        return [RequestFailed(frame.stream_id, frame.code, frame.message)]

    def _on_cancel(self, frame: CancelFrame) -> list[Event]:
        return [CancelIgnored("a CANCEL for a request of ours", frame.stream_id)]

    def _on_request_n(self, frame: RequestNFrame) -> list[Event]:
        return [] if frame.stream_id in self._streams else [FrameIgnored("credit for a stream that is not")]

    def _drop(self, stream_id: int) -> None:
        """Drop all that is kept of a stream."""
        self._assemblies.drop(stream_id)
        self._turns.drop(stream_id)
        del self._streams[stream_id]

    # The frames that mean something here; the others are requests.
    _RECEIVERS: ClassVar[dict[type[IncomingFrame], Callable[[Requester, Any], list[Event]]]] = {
        PayloadFrame: _on_payload,
        ErrorFrame: _on_error,
        CancelFrame: _on_cancel,
        RequestNFrame: _on_request_n,
    }
