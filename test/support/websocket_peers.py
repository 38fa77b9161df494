"""The other end of a WebSocket, played by hand with the protocol objects of the ``websockets`` package."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from byte_pipes import PLENTY, PipeEnd
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from elarian_trio._rsocket.frames import MAX_FRAME_SIZE
from elarian_trio._transport.websocket import SILENT, WebSocketTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import ByteStream

BOUND = 5.0  # seconds that anything awaited in a test may take
ROLES = pytest.mark.parametrize("role", ["client", "server"])  # of ours


def a_protocol(role: str, max_size: int | None = MAX_FRAME_SIZE) -> ClientProtocol | ServerProtocol:
    """Make what one end of an open WebSocket goes by."""
    if role == "server":
        return ServerProtocol(state=State.OPEN, max_size=max_size, logger=SILENT)
    return ClientProtocol(parse_uri("ws://127.0.0.1/"), state=State.OPEN, max_size=max_size, logger=SILENT)


class Peer:
    """The other end. What it does with ``protocol`` leaves with the next :meth:`flush`.

    Attributes:
        protocol: what it goes by.
        stream: carries its bytes.
        seen: everything that came and was read so far.
    """

    def __init__(self, stream: ByteStream, protocol: ClientProtocol | ServerProtocol) -> None:
        self.stream = stream
        self.protocol = protocol
        self.seen: list[Frame] = []

    async def flush(self) -> None:
        """Send what its protocol has to say, in one write."""
        await self.stream.send(b"".join(self.protocol.data_to_send()))

    async def read(self, count: int = 1) -> list[Frame]:
        """Give the next *count* frames of the WebSocket's own."""
        start = len(self.seen)
        while len(self.seen) - start < count:
            self.protocol.receive_data(await self.stream.receive())
            self.seen += [event for event in self.protocol.events_received() if isinstance(event, Frame)]
        return self.seen[start:]

    async def read_close(self) -> int:
        """Read until the closing message and give its code, 1005 for none."""
        while not any(frame.opcode is Opcode.CLOSE for frame in self.seen):
            await self.read()
        data = bytes(self.seen[-1].data)
        return int.from_bytes(data[:2], "big") if data else 1005


@asynccontextmanager
async def ours_and_peer(role: str = "client", room: int = PLENTY) -> AsyncIterator[tuple[WebSocketTransport, Peer]]:
    """Join a transport of ours, in *role*, with a peer in the other one."""
    near, far = PipeEnd.pair(room)
    other = "server" if role == "client" else "client"
    with anyio.fail_after(BOUND):
        async with WebSocketTransport(near, a_protocol(role)) as ours:
            yield ours, Peer(far, a_protocol(other, max_size=None))
            await far.aclose()
