"""Frames over WebSocket messages: one RSocket frame a binary message, without a length before it.

:mod:`.upgrade` opens these and :mod:`elarian_trio._session` stands on them. Below, the ``websockets`` package says what
the bytes mean, without I/O, and an anyio stream carries them. No extension is used, and no subprotocol, as with the
RSocket libraries of others. A dead peer is found by RSocket's keepalives; we send no ping of our own.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.lowlevel
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

from elarian_trio._rsocket.frames import MAX_FRAME_SIZE, require_size
from elarian_trio._transport.transport import TRANSPORT_ERRORS, FrameTransport, attributes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from anyio.abc import ByteStream
    from websockets.client import ClientProtocol
    from websockets.protocol import Event
    from websockets.server import ServerProtocol

__all__ = ["SILENT", "WebSocketTransport"]

READ_SIZE = 64 * 1024  # one read may carry many small messages
ANSWER_TIMEOUT = 10.0  # seconds for which a peer that pings may leave the answer untaken while nothing is read from it
CLOSE_TIMEOUT = 0.5  # seconds for the closing message; a session allows a transport 1 s for its goodbye

_ORDERLY = frozenset({CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD})

# The library's log repeats the bytes of messages, and the first one holds the credentials: nobody may turn it on.
SILENT = logging.Logger("elarian_trio.transport.websocket", level=logging.CRITICAL + 1)


class WebSocketTransport(FrameTransport):
    """One end of a WebSocket whose opening handshake is over; it owns the stream underneath.

    The reader answers pings and closing messages itself while nobody writes; while somebody does, the answer waits,
    and the newest one replaces the one before it (RFC 6455 §5.5.3 lets a peer answer only the latest of many pings).

    Args:
        stream: carries the bytes.
        protocol: what they mean, in the open state.
        early: messages that came together with the handshake.
    """

    def __init__(
        self, stream: ByteStream, protocol: ClientProtocol | ServerProtocol, early: Iterable[Event] = ()
    ) -> None:
        super().__init__()
        self._stream = stream
        self._protocol = protocol
        self._writing = anyio.Lock()
        self._is_cut = False  # a write was begun and not ended: there may be half a message on the wire
        self._closed = False
        self._answer = b""  # what the reader has to say, for whoever writes next
        self._partial = bytearray()  # joined as it comes: a list of a million tiny pieces would be a hundred times that
        self._over: str | None = None  # why nothing more is received; no words where all is in order
        self._is_at_fault = False  # the peer, and our closing message tells it so
        self._early = self._take_in(early)

    async def send_frames(self, frames: Sequence[bytes]) -> None:
        """Send each of *frames* as a message, all in one write.

        Raises:
            LocalProtocolError: a frame is longer than RSocket allows.
            ClosedResourceError: this end was closed, or has ended its direction.
            BrokenResourceError: the peer has closed, or cannot be reached any more.

        Cancellation:
            A cancelled send may have left part of a message on the wire: close then; nothing more is sent.
        """
        if any(len(frame) > MAX_FRAME_SIZE for frame in frames):
            require_size(max(map(len, frames)))
        async with self._writing:
            self._require_open()
            for frame in frames:
                self._protocol.send_binary(frame)
            await self._write(b"".join(self._protocol.data_to_send()))
            while self._answer:  # the reader left it here and does not wait for the lock
                await self._write(self._take_answer())

    def _require_open(self) -> None:
        if self._closed or self._protocol.state is not State.OPEN:
            raise anyio.ClosedResourceError if self._closed or self._over is None else anyio.BrokenResourceError

    def _take_answer(self) -> bytes:
        answer, self._answer = self._answer, b""
        return answer

    async def _write(self, data: bytes) -> None:
        """Send, with the lock held. Nothing may follow a write that was cut off."""
        if self._is_cut:
            raise anyio.BrokenResourceError
        self._is_cut = True
        await self._stream.send(data)
        self._is_cut = False

    async def receive_frames(self) -> list[bytes]:
        """Wait for the read that completes at least one message, and give all that it completed.

        Raises:
            EndOfStream: the peer has closed, with a closing message or without.
            ClosedResourceError: this end was closed.
            BrokenResourceError: the peer cannot be reached, broke the protocol (it sent text, too large a message, or
                what is no WebSocket message at all, and is told by a closing message), or closed for a reason of that
                kind; or it pings and takes no answer.

        Cancellation:
            Loses no message.
        """
        if self._early:
            await anyio.lowlevel.checkpoint()
            frames, self._early = self._early, []
            return frames
        while True:
            if self._answer:
                await self._say_answer()
            self._require_more()
            data = await self._stream.receive(READ_SIZE)
            self._protocol.receive_data(data)  # no checkpoint after reading: a cancelled reader would lose messages
            if frames := self._take_in(self._protocol.events_received()):
                return frames

    async def _say_answer(self) -> None:
        """Answer the peer now if nobody writes; whoever does will answer before letting go."""
        try:
            self._writing.acquire_nowait()
        except anyio.WouldBlock:
            await anyio.lowlevel.checkpoint()
            return
        try:
            with anyio.move_on_after(ANSWER_TIMEOUT) as scope:
                await self._write(self._take_answer())
            if scope.cancelled_caught and self._over is None:
                self._over = "the peer asks for answers and does not take them"
        except TRANSPORT_ERRORS:
            if self._over is None:  # else the peer said goodbye and did not wait for ours
                raise
            await anyio.lowlevel.checkpoint()
        finally:
            self._writing.release()

    def _require_more(self) -> None:
        if self._over:
            raise anyio.BrokenResourceError(self._over) from self._protocol.parser_exc
        if self._over is not None:
            raise anyio.EndOfStream

    def _take_in(self, events: Iterable[Event]) -> list[bytes]:
        """Give the frames among what came, and note what is to be answered and whether it is over."""
        frames: list[bytes] = []
        for event in events:
            frame = cast("Frame", event)  # requests and responses are the handshake's
            if frame.opcode is Opcode.TEXT:
                self._protocol.fail(CloseCode.UNSUPPORTED_DATA, "frames travel in binary messages")
                self._over, self._is_at_fault = "the peer sent text, and frames travel in binary messages", True
                break
            if frame.opcode is Opcode.CLOSE:
                self._over = _reason(bytes(cast("bytes | bytearray", frame.data)))
            elif frame.opcode in (Opcode.BINARY, Opcode.CONT):
                self._partial += frame.data
                if frame.fin:
                    frames.append(bytes(self._partial))
                    self._partial.clear()
        if self._over is None and self._protocol.parser_exc is not None:
            self._over, self._is_at_fault = "the peer broke the WebSocket protocol", True
        self._answer = next((each for each in reversed(self._protocol.data_to_send()) if each), self._answer)
        return frames

    async def send_eof(self) -> None:
        """Send a closing message: nothing of ours follows, and the peer, having answered it, sends no more."""
        async with self._writing:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
                await self._write(b"".join(self._protocol.data_to_send()))

    async def aclose(self) -> None:
        """Send a closing message if that can be done in half a second, and close the stream; at once if cancelled."""
        if self._closed:
            await anyio.lowlevel.checkpoint()
            return
        self._closed = True
        try:
            with anyio.move_on_after(CLOSE_TIMEOUT):
                await self._say_goodbye()
        finally:
            await self._stream.aclose()

    async def _say_goodbye(self) -> None:
        """Send the last message unless somebody is stuck in writing, or was."""
        try:
            self._writing.acquire_nowait()
        except anyio.WouldBlock:
            await anyio.lowlevel.checkpoint()
            return
        try:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
                self._answer += b"".join(self._protocol.data_to_send())
            await anyio.lowlevel.checkpoint()
            if self._answer:
                await self._write(self._take_answer())
            if self._is_at_fault:
                await self._let_it_read_why()
        except (anyio.BusyResourceError, *TRANSPORT_ERRORS):
            await anyio.lowlevel.checkpoint()  # there is nobody to say it to
        finally:
            self._writing.release()

    async def _let_it_read_why(self) -> None:
        """Throw away what the peer still sends until it closes: closing over that would lose our last words."""
        with suppress(NotImplementedError):
            await self._stream.send_eof()
        while True:
            await self._stream.receive()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Those of the stream underneath: addresses, the socket, TLS."""
        return attributes_of(self._stream)


def _reason(closing: bytes) -> str:
    """Say why the peer closed, by its closing message: two bytes of code, then words. Nothing where all is well."""
    code = int.from_bytes(closing[:2], "big") if closing else CloseCode.NO_STATUS_RCVD
    return "" if code in _ORDERLY else f"the peer closed the WebSocket with code {code:d}"
