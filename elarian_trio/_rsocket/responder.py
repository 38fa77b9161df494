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
    PayloadRefused,
    RequestCanceled,
    RequestReceived,
)
from elarian_trio._rsocket.fragments import FragmentRefused, fit_error
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
from elarian_trio._rsocket.streams import Move, Served, StreamState

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket.fragments import Assemblies
    from elarian_trio._rsocket.frames import FragmentableFrame, IncomingFrame, RequestFrame
    from elarian_trio._rsocket.turns import Turns

_MAX_REFUSALS = 16384  # answers to requests beyond max_requests that may wait: more than one read of 64 KiB can hold

_RUNNING = StreamState.RUNNING  # what each is told to be; to look an enum's member up takes ten times as long


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
        self._served = Served()  # refused ones included
        self._is_stopped = self._is_over = False

    def __len__(self) -> int:
        """How many have not ended, refused ones included."""
        return len(self._served)

    def stop(self) -> None:
        """Reject whatever the peer asks from now on: the connection is closing."""
        self._is_stopped = True

    def end(self) -> None:
        """Take no answer any more: the connection is over."""
        self._is_over = True

    # Our answers

    def respond(self, stream_id: int, data: bytes, metadata: bytes | None) -> bool:
        """Queue an answer; say whether anybody waits for it."""
        if self._is_over or not self._served.answer(stream_id):
            return False
        self._turns.put_answer(stream_id, data, metadata)
        return True

    def fail(self, stream_id: int, code: int, message: str) -> bool:
        """Queue an ERROR for an answer; say whether anybody waits for it.

        Raises:
            LocalProtocolError: the code has more than 32 bits.
        """
        error = fit_error(stream_id, code, message, self._turns.fragment_size)
        if self._is_over or not self._served.answer(stream_id):
            return False
        self._turns.put(error)
        return True

    def repeat(self, stream_id: int, data: bytes, metadata: bytes | None) -> bool:
        """Have a payload follow a queued answer, as no peer may; say whether there is such an answer."""
        return self._served.repeat(PayloadFrame(stream_id, data, metadata, complete=True, next_=True))

    # What has left

    def note_piece_out(self, stream_id: int) -> None:
        """Some of an answer was handed out, more of it follows: it stands where it stood."""

    def note_last_out(self, stream_id: int, position: int) -> None:
        """The last of an answer was handed out: of a stream that was answered there is nothing else."""
        del position  # matters for our requests only
        again = self._served.answered(stream_id)
        if again is not None:
            self._turns.put(again)

    # What comes in

    def receive_whole(self, stream_id: int, kind: int, data: bytes) -> Event | None:
        """Take a frame of a kind that ``read_whole`` tells, if it is a request with which all is well."""
        served = self._served
        if kind != WHOLE_REQUEST or stream_id in served or len(served) >= self._max_requests:
            return None
        served[stream_id] = _RUNNING
        return RequestReceived(stream_id, data[HEADER_SIZE:])

    def receive(self, frame: IncomingFrame) -> list[Event]:
        """Take a frame on a stream of the peer's, and report what it means.

        Raises:
            PeerRefused: requests keep coming, though their answers are not read.
        """
        return self._RECEIVERS[type(frame)](self, frame)

    def _on_request(self, frame: RequestFrame) -> list[Event]:
        if frame.stream_id in self._served:
            return [FrameIgnored("a request with the id of a live one")]
        objection = self._objection(frame)
        if len(self._served) >= self._max_requests + _MAX_REFUSALS:
            raise PeerRefused(ErrorCode.CONNECTION_ERROR, "requests keep coming while their answers are not read")
        wants_answer = not isinstance(frame, RequestFnfFrame)
        self._served[frame.stream_id] = StreamState.ASSEMBLING if wants_answer else StreamState.TAKING
        if objection is not None:
            return self._refuse(frame.stream_id, ErrorCode.REJECTED, objection)
        return self._gather(frame)

    def _objection(self, frame: RequestFrame) -> str | None:
        """Why a request is not even looked at."""
        if isinstance(frame, RequestStreamFrame | RequestChannelFrame):
            return "only request/response is served here"
        if self._is_stopped:
            return "the connection is closing"
        return "too many requests wait for an answer" if len(self._served) >= self._max_requests else None

    def _on_payload(self, frame: PayloadFrame) -> list[Event]:
        if not self._served.allows(frame.stream_id, Move.LAST_IN):
            return [FrameIgnored("a PAYLOAD that nobody waits for")]
        return self._gather(frame)

    def _on_cancel(self, frame: CancelFrame) -> list[Event]:
        stream_id = frame.stream_id
        if not self._served.allows(stream_id, Move.CANCEL_IN):
            return [CancelIgnored("a CANCEL for a request that is not running", stream_id)]
        was_reported = not self._served.allows(stream_id, Move.LAST_IN)  # all of it had come
        self._drop(stream_id)
        return [RequestCanceled(stream_id)] if was_reported else []

    def _on_error(self, frame: ErrorFrame) -> list[Event]:
        if not self._served.allows(frame.stream_id, Move.ERROR_IN):
            return [FrameIgnored("an ERROR for a request that does not wait")]
        self._drop(frame.stream_id)
        return []

    def _on_request_n(self, frame: RequestNFrame) -> list[Event]:
        return [] if frame.stream_id in self._served else [FrameIgnored("credit for a stream that is not")]

    def _gather(self, frame: FragmentableFrame) -> list[Event]:
        """Take the next piece of a request, and report the request once it is whole."""
        try:
            payload = self._assemblies.collect(frame)
        except FragmentRefused as refused:
            self._refuse(frame.stream_id, refused.code, str(refused))
            return [PayloadRefused(str(refused))]
        self._served.make(frame.stream_id, Move.PIECE_IN if payload is None else Move.LAST_IN)
        if payload is None:
            return []
        if frame.stream_id not in self._served:  # it wants no answer
            return [FireAndForgetReceived(*payload)]
        return [RequestReceived(frame.stream_id, *payload)]

    def _refuse(self, stream_id: int, code: ErrorCode, message: str) -> list[Event]:
        """Answer a request that we do not take with an ERROR, if it wants any answer."""
        if self._served.allows(stream_id, Move.ANSWER):
            self._assemblies.drop(stream_id)
            self._served.make(stream_id, Move.ANSWER)
            self._turns.put(fit_error(stream_id, code, message, self._turns.fragment_size))
        else:
            self._drop(stream_id)
        return [FrameIgnored(f"a request was refused: {message}")]

    def _drop(self, stream_id: int) -> None:
        """Drop all that is kept of a request."""
        self._assemblies.drop(stream_id)
        self._turns.drop(stream_id)
        self._served.drop(stream_id)

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
