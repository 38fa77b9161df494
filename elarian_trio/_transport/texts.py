"""A WebSocket by which a client only listens: messages of a service that pushes them, over any stream.

Planship's client stands above. The opening handshake travels as any other HTTP request of that client, by its proxy
and its TLS; what it says, and what the bytes mean afterwards, the ``websockets`` package knows, without I/O.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import anyio
import anyio.lowlevel

from elarian_trio._transport.transport import TRANSPORT_ERRORS
from elarian_trio.errors import ConnectionFailed

try:
    from websockets.client import ClientProtocol
    from websockets.frames import CloseCode, Frame, Opcode
    from websockets.protocol import State
    from websockets.uri import parse_uri

    from elarian_trio._transport.websocket import SILENT
except ImportError as error:
    msg = "updates come by WebSocket, and need the websockets package: pip install 'elarian-trio[http]'"
    raise ModuleNotFoundError(msg, name="websockets") from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from anyio.abc import ByteStream
    from websockets.protocol import Event

__all__ = ["Listening", "Message", "Opening", "Pong"]

MAX_MESSAGE = 16 * 1024 * 1024  # bytes, as of an HTTP response
READ_SIZE = 64 * 1024  # one read may carry many small messages
CLOSE_TIMEOUT = 0.5  # seconds for saying goodbye and hearing it said

_HANDSHAKE = ("connection", "upgrade", "sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol")


@dataclass(frozen=True, slots=True)
class Message:
    """What the service sent.

    Attributes:
        data: its bytes.
        is_text: whether it was sent as text; it may be no UTF-8 all the same.
    """

    data: bytes = field(repr=False)
    is_text: bool


@dataclass(frozen=True, slots=True)
class Pong:
    """The service has answered a ping, and so has sent before all that it had to say by then.

    Attributes:
        data: what the ping said.
    """

    data: bytes


class Opening:
    """One opening handshake.

    Attributes:
        headers: those of the request that asks for the WebSocket.
    """

    def __init__(self) -> None:
        self._protocol = ClientProtocol(parse_uri("ws://unused/"), max_size=MAX_MESSAGE, logger=SILENT)
        request = self._protocol.connect()
        self._protocol.send_request(request)
        self._protocol.data_to_send()  # the request travels as one of HTTP's own
        self.headers: Mapping[str, str] = {
            name: value for name, value in request.headers.raw_items() if name.lower() != "host"
        }

    def accept(self, headers: Mapping[str, str], stream: ByteStream) -> Listening:
        """Give the open WebSocket over *stream*, after an answer of status 101 with *headers*.

        Raises:
            ConnectionFailed: the answer is not how a WebSocket is opened.
        """
        lines = [f"{name}: {headers[name]}\r\n" for name in _HANDSHAKE if name in headers]
        head = f"HTTP/1.1 101 Switching Protocols\r\n{''.join(lines)}\r\n"
        self._protocol.receive_data(head.encode("latin-1", "replace"))
        self._protocol.events_received()
        if self._protocol.handshake_exc is not None:
            msg = "the server's answer is not how a WebSocket is opened"
            raise ConnectionFailed(msg) from self._protocol.handshake_exc
        return Listening(stream, self._protocol)


class Listening:
    """A client's end of a WebSocket whose opening handshake is over. One task uses it.

    Args:
        stream: carries the bytes; whoever gave it closes it.
        protocol: what they mean, in the open state.

    Attributes:
        close_code: with which the service has closed, 1005 if it did not say; ``None`` before, and if it just left.
    """

    def __init__(self, stream: ByteStream, protocol: ClientProtocol) -> None:
        self.close_code: int | None = None
        self._stream = stream
        self._protocol = protocol
        self._heard: deque[Message | Pong] = deque()
        self._partial = bytearray()
        self._is_text = True
        self._is_over = False
        self._is_cut = False  # a write was begun and not ended: there may be half a message on the wire

    async def receive(self) -> Message | Pong:
        """Wait for what the service says next, and answer its pings meanwhile.

        Raises:
            EndOfStream: the service has closed, with a closing message (see ``close_code``) or without.
            BrokenResourceError: it cannot be reached any more, or broke the protocol.

        Cancellation:
            Loses no message.
        """
        while not self._heard:
            if self._is_over:
                await anyio.lowlevel.checkpoint()
                raise anyio.EndOfStream
            await self._read()
        await anyio.lowlevel.checkpoint()
        return self._heard.popleft()

    async def _read(self) -> None:
        data = await self._stream.receive(READ_SIZE)
        self._protocol.receive_data(data)  # no checkpoint between reading and keeping: a message would be lost
        self._take_in(self._protocol.events_received())
        try:
            await self._write()
        except anyio.BrokenResourceError:
            if not self._is_over:  # a service may close the connection behind its closing message: that stands
                raise
        if self._protocol.parser_exc is not None:
            raise anyio.BrokenResourceError from self._protocol.parser_exc

    def _take_in(self, events: Iterable[Event]) -> None:
        for event in events:
            frame = cast("Frame", event)  # requests and responses are the handshake's
            data = bytes(frame.data)
            if frame.opcode is Opcode.CLOSE:
                self._is_over = True
                self.close_code = int.from_bytes(data[:2], "big") if data else int(CloseCode.NO_STATUS_RCVD)
            elif frame.opcode is Opcode.PONG:
                self._heard.append(Pong(data))
            elif frame.opcode is not Opcode.PING:
                self._join(frame, data)

    def _join(self, frame: Frame, data: bytes) -> None:
        """Put the pieces of a message together."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._partial += data
        if frame.fin:
            self._heard.append(Message(bytes(self._partial), self._is_text))
            self._partial.clear()

    async def ping(self, data: bytes) -> None:
        """Ask whether the service is there; it answers with the same *data*, at most 125 bytes.

        Raises:
            BrokenResourceError: it cannot be reached any more.
        """
        if self._protocol.state is State.OPEN:
            self._protocol.send_ping(data)
        await self._write()

    async def _write(self) -> None:
        """Send what the protocol has to say, if anything."""
        data = b"".join(self._protocol.data_to_send())
        if self._is_cut:
            await anyio.lowlevel.checkpoint()
            raise anyio.BrokenResourceError
        if data:
            self._is_cut = True
            await self._stream.send(data)
            self._is_cut = False
        await anyio.lowlevel.checkpoint()

    async def say_goodbye(self) -> None:
        """Close with code 1000 and wait until the service has answered, for half a second together."""
        if self._is_over or self._is_cut or self._protocol.state is not State.OPEN:
            await anyio.lowlevel.checkpoint()
            return
        with anyio.move_on_after(CLOSE_TIMEOUT), suppress(*TRANSPORT_ERRORS):
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            await self._write()
            while not self._is_over:
                await self._read()
        await anyio.lowlevel.checkpoint()
