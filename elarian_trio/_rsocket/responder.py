"""The peer's requests: from their first frame until our answers have left, or they are given up.

Above: the connection, and through it whoever answers. Below: streams, turns, and payloads that arrive in pieces. Of
frames only those on streams with ids of the peer's come here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from elarian_trio._rsocket.events import (
    CancelIgnored,
    Event,
    FireAndForgetReceived,
    FrameIgnored,
    RequestCanceled,
    RequestReceived,
)
from elarian_trio._rsocket.fragments import FragmentRefused, fit_error, is_last_piece
from elarian_trio._rsocket.frames import (
    HEADER_SIZE,
    WHOLE_REQUEST,
    CancelFrame,
    ErrorCode,
    ErrorFrame,
    PayloadFrame,
    RequestChannelFrame,
    RequestFnfFrame,
    RequestNFrame,
    RequestResponseFrame,
    RequestStreamFrame,
)
from elarian_trio._rsocket.refusal import PeerRefused
from elarian_trio._rsocket.streams import Move, Stream, StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket.fragments import Assemblies, Payload
    from elarian_trio._rsocket.frames import FragmentableFrame, IncomingFrame, RequestFrame
    from elarian_trio._rsocket.turns import Turns

_MAX_REFUSALS = 16384  # answers to requests beyond max_requests that may wait: more than one read of 64 KiB can hold

# Those that each request is asked about; to look an enum's members up takes ten times as long.
_RUNNING, _ANSWER = StreamState.RUNNING, Move.ANSWER


class Responder:
    """Those of the peer's requests whose answers have not left. Made by the connection, as one of its two sides.

    Args:
        turns: takes what we send.
        assemblies: holds requests that arrive in pieces.
        max_requests: that may wait for our answer; further ones are answered REJECTED.
    """

    def __init__(self, turns: Turns, assemblies: Assemblies, max_requests: int) -> None:
        self._turns = turns
        self._assemblies = assemblies
        self._max_requests = max_requests
        self._streams: dict[int, Stream] = {}  # refused ones included
        self._is_stopped = self._is_over = False

    def __len__(self) -> int:
        """How many have not ended, refused ones included."""
        return len(self._streams)

    def stop(self) -> None:
        """Reject whatever the peer asks from now on: the connection is closing."""
        self._is_stopped = True

    def end(self) -> None:
        """Take no answer any more: the connection is over."""
        self._is_over = True

    # Our answers

    def respond(self, stream_id: int, data: bytes, metadata: bytes | None) -> bool:
        """Queue an answer; say whether anybody waits for it."""
        if not self._begin_answer(stream_id):
            return False
        self._turns.put_answer(stream_id, data, metadata)
        return True

    def fail(self, stream_id: int, code: int, message: str) -> bool:
        """Queue an ERROR for an answer; say whether anybody waits for it.

        Raises:
            LocalProtocolError: the code has more than 32 bits.
        """
        error = fit_error(stream_id, code, message, self._turns.fragment_size)
        if not self._begin_answer(stream_id):
            return False
        self._turns.put(error)
        return True

    def repeat(self, stream_id: int, data: bytes, metadata: bytes | None) -> bool:
        """Have a payload follow a queued answer, as no peer may; say whether there is such an answer."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.state is not StreamState.ANSWERING:
            return False
        stream.again = PayloadFrame(stream_id, data, metadata, complete=True, next_=True)
        return True

    def _begin_answer(self, stream_id: int) -> bool:
        stream = self._streams.get(stream_id)
        if stream is None or stream.state is not _RUNNING or self._is_over:
            return False
        stream.make(_ANSWER)
        return True

    # What has left

    def note_piece_out(self, stream_id: int) -> None:
        """Some of an answer was handed out, more of it follows."""
        if stream_id in self._streams:  # not so of what ``repeat`` lets follow
            self._streams[stream_id].make(Move.PIECE_OUT)

    def note_last_out(self, stream_id: int, position: int) -> None:
        """The last of an answer was handed out: of a stream that was answered there is nothing else."""
        del position  # matters for our requests only
        stream = self._streams.pop(stream_id, None)
        if stream is not None and stream.again is not None:
            self._turns.put(stream.again)

    # What comes in

    def receive_whole(self, stream_id: int, kind: int, data: bytes) -> Event | None:
        """Take a frame of a kind that ``read_whole`` tells, if it is a request with which all is well."""
        streams = self._streams
        if kind != WHOLE_REQUEST or stream_id in streams or len(streams) >= self._max_requests:
            return None
        streams[stream_id] = Stream(_RUNNING)
        return RequestReceived(stream_id, data[HEADER_SIZE:])

    def receive(self, frame: IncomingFrame) -> list[Event]:
        """Take a frame on a stream of the peer's, and report what it means.

        Raises:
            PeerRefused: requests keep coming, though their answers are not read.
        """
        return self._RECEIVERS[type(frame)](self, frame)

    def _on_request(self, frame: RequestFrame) -> list[Event]:
        if frame.stream_id in self._streams:
            return [FrameIgnored("a request with the id of a live one")]
        objection = self._objection(frame)
        if len(self._streams) >= self._max_requests + _MAX_REFUSALS:
            raise PeerRefused(ErrorCode.CONNECTION_ERROR, "requests keep coming while their answers are not read")
        stream = Stream(StreamState.ASSEMBLING, wants_answer=not isinstance(frame, RequestFnfFrame))
        self._streams[frame.stream_id] = stream
        if objection is not None:
            return self._refuse(stream, frame.stream_id, ErrorCode.REJECTED, objection)
        return self._gather(stream, frame)

    def _objection(self, frame: RequestFrame) -> str | None:
        """Why a request is not even looked at."""
        if isinstance(frame, RequestStreamFrame | RequestChannelFrame):
            return "only request/response is served here"
        if self._is_stopped:
            return "the connection is closing"
        return "too many requests wait for an answer" if len(self._streams) >= self._max_requests else None

    def _on_payload(self, frame: PayloadFrame) -> list[Event]:
        stream = self._streams.get(frame.stream_id)
        if stream is None or not stream.allows(Move.LAST_IN):
            return [FrameIgnored("a PAYLOAD that nobody waits for")]
        return self._gather(stream, frame)

    def _on_cancel(self, frame: CancelFrame) -> list[Event]:
        stream = self._streams.get(frame.stream_id)
        if stream is None:
            return [CancelIgnored("a CANCEL for a request that is not running", frame.stream_id)]
        self._drop(frame.stream_id)
        return [] if stream.state is StreamState.ASSEMBLING else [RequestCanceled(frame.stream_id)]

    def _on_error(self, frame: ErrorFrame) -> list[Event]:
        stream = self._streams.get(frame.stream_id)
        if stream is None or not stream.allows(Move.ERROR_IN):
            return [FrameIgnored("an ERROR for a request that does not wait")]
        self._drop(frame.stream_id)
        return []

    def _on_request_n(self, frame: RequestNFrame) -> list[Event]:
        return [] if frame.stream_id in self._streams else [FrameIgnored("credit for a stream that is not")]

    def _gather(self, stream: Stream, frame: FragmentableFrame) -> list[Event]:
        """Take the next piece of a request, and report the request once it is whole."""
        is_last = is_last_piece(frame)
        try:
            payload = self._assemblies.collect(frame, is_last=is_last)
        except FragmentRefused as refused:
            return self._refuse(stream, frame.stream_id, refused.code, str(refused))
        stream.make(Move.LAST_IN if is_last else Move.PIECE_IN)
        return [] if payload is None else [self._report(stream, frame.stream_id, payload)]

    def _report(self, stream: Stream, stream_id: int, payload: Payload) -> Event:
        if stream.wants_answer:
            return RequestReceived(stream_id, *payload)
        self._drop(stream_id)
        return FireAndForgetReceived(*payload)

    def _refuse(self, stream: Stream, stream_id: int, code: ErrorCode, message: str) -> list[Event]:
        """Answer a request that we do not take with an ERROR, if it wants any answer."""
        if stream.wants_answer:
            self._assemblies.drop(stream_id)
            stream.make(Move.ANSWER)
            self._turns.put(fit_error(stream_id, code, message, self._turns.fragment_size))
        else:
            self._drop(stream_id)
        return [FrameIgnored(f"a request was refused: {message}")]

    def _drop(self, stream_id: int) -> None:
        """Drop all that is kept of a stream."""
        self._assemblies.drop(stream_id)
        self._turns.drop(stream_id)
        del self._streams[stream_id]

    _RECEIVERS: ClassVar[dict[type[IncomingFrame], Callable[[Responder, Any], list[Event]]]] = {
        RequestResponseFrame: _on_request,
        RequestFnfFrame: _on_request,
        RequestStreamFrame: _on_request,
        RequestChannelFrame: _on_request,
        PayloadFrame: _on_payload,
        CancelFrame: _on_cancel,
        ErrorFrame: _on_error,
        RequestNFrame: _on_request_n,
    }
