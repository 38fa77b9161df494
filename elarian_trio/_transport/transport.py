"""What every transport of ours is: whole frames, many at a time.

:mod:`elarian_trio._session` stands above and is the only one that sends; the ways to carry frames (:mod:`.tcp`,
:mod:`.memory`) stand beside and implement it. anyio is below.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.lowlevel
from anyio.abc import ObjectStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["TRANSPORT_ERRORS", "FrameTransport", "ObjectTransport"]

# What sending and receiving may raise: the peer has closed or cannot be reached, or this end was closed.
TRANSPORT_ERRORS = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


class FrameTransport(ObjectStream[bytes]):
    """Whole RSocket frames, without their length prefix, over something that keeps their order.

    It is an anyio ``ObjectStream[bytes]`` and raises what those raise: ``EndOfStream`` where the peer has closed,
    ``BrokenResourceError`` where it cannot be reached any more, ``ClosedResourceError`` after :meth:`aclose`.
    A send that was cancelled or failed may have left half a frame: then the only thing to do is to close.

    Attributes:
        timed: whether a silent peer may be a dead one, so that keepalives are worth their while.
    """

    timed: bool = True
    _received: list[bytes]

    def __init__(self) -> None:
        self._received = []

    @abstractmethod
    async def send_frames(self, frames: Sequence[bytes]) -> None:
        """Send *frames* in one write where the medium allows it; waits while the medium has no room."""

    @abstractmethod
    async def receive_frames(self) -> list[bytes]:
        """Wait for the next read that completes a frame and give every frame it completed, at least one."""

    async def send(self, item: bytes) -> None:
        """Send one frame; see :meth:`send_frames`."""
        await self.send_frames([item])

    async def receive(self) -> bytes:
        """Give the next frame; see :meth:`receive_frames`, with which it should not be mixed."""
        if self._received:
            await anyio.lowlevel.checkpoint()
        else:
            self._received.extend(await self.receive_frames())
        return self._received.pop(0)


class ObjectTransport(FrameTransport):
    """Somebody else's stream of messages, one frame a message."""

    def __init__(self, stream: ObjectStream[bytes]) -> None:
        super().__init__()
        self._stream = stream
        self.timed = bool(getattr(stream, "timed", True))

    async def send_frames(self, frames: Sequence[bytes]) -> None:
        """Send each frame as a message."""
        await anyio.lowlevel.checkpoint()
        for frame in frames:
            await self._stream.send(frame)

    async def receive_frames(self) -> list[bytes]:
        """Give the next message, alone."""
        return [await self._stream.receive()]

    async def send_eof(self) -> None:
        """Tell the peer that no more frames follow."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close the stream underneath."""
        await self._stream.aclose()

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """Those of the stream underneath."""
        return attributes_of(self._stream)


def attributes_of(stream: Any) -> Mapping[Any, Callable[[], Any]]:  # noqa: ANN401 - anyio leaves its types open
    """Give the extra attributes of a stream underneath: addresses, the socket, TLS."""
    return cast("Mapping[Any, Callable[[], Any]]", stream.extra_attributes)
