"""How a stream that the user's ``dial`` returned becomes a transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.abc import ByteSendStream
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.stapled import StapledByteStream, StapledObjectStream

from elarian_trio._transport import ObjectTransport, as_transport, open_memory_pair

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectSendStream

pytestmark = pytest.mark.anyio


class _Bytes(ByteSendStream):
    def __init__(self, inner: MemoryObjectSendStream[bytes]) -> None:
        self.inner = inner

    async def send(self, item: bytes) -> None:
        await self.inner.send(item)

    async def aclose(self) -> None:
        await self.inner.aclose()


def stream_of_objects() -> StapledObjectStream[bytes]:
    """Give an anyio stream that receives what was sent on it."""
    send, receive = anyio.create_memory_object_stream[bytes](10)
    return StapledObjectStream(send, receive)


async def test_own_transport_is_taken_as_it_is() -> None:
    """This SDK: our own already speak frames."""
    left, right = open_memory_pair()
    async with left, right:
        assert as_transport(left) is left


async def test_stream_of_objects_carries_a_frame_an_object() -> None:
    """This SDK: ``dial`` returns a transport; a WebSocket of the user's is one message a frame."""
    transport = as_transport(stream_of_objects())
    assert isinstance(transport, ObjectTransport)
    assert transport.timed
    async with transport:
        await transport.send_frames([b"one", b"two"])
        assert await transport.receive_frames() == [b"one"]
        assert await transport.receive() == b"two"
        assert transport.extra_attributes == {}
        await transport.send_eof()
        with pytest.raises(anyio.EndOfStream):
            await transport.receive()


async def test_stream_of_bytes_gets_length_prefixes() -> None:
    """RSocket and its peers: on a byte stream, a tunnel or proxy say, each frame has a 24-bit length before it."""
    send, receive = anyio.create_memory_object_stream[bytes](10)
    transport = as_transport(StapledByteStream(_Bytes(send), BufferedByteReceiveStream(receive)))
    async with transport:
        await transport.send_frames([b"frame one", b"frame two"])
        assert receive.statistics().current_buffer_used == 1
        assert await transport.receive_frames() == [b"frame one", b"frame two"]


async def test_anything_else_is_a_type_error() -> None:
    """This SDK: a mistake in ``dial`` is named, not discovered later."""
    with pytest.raises(TypeError, match="got str"):
        as_transport("tcp://localhost")  # type: ignore[arg-type]
