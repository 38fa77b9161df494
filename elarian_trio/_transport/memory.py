"""A joined pair of transports inside one process, for the in-memory sandbox and for tests.

:mod:`elarian_trio._session` stands on it as on any other; anyio's events are below.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from elarian_trio._transport.transport import FrameTransport

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MemoryTransport", "open_memory_pair"]

MAX_FRAMES = 1024  # a queue this deep already lets writer and reader take turns in large steps
MAX_BYTES = 1024 * 1024  # comparable with what a TCP connection holds in flight


class _Pipe:
    """One direction: frames in flight, bounded by number and by bytes."""

    __slots__ = ("bytes_in_flight", "changed", "frames", "max_bytes", "max_frames", "reader_gone", "writer_gone")

    def __init__(self, max_frames: int, max_bytes: int) -> None:
        self.frames: deque[bytes] = deque()
        self.bytes_in_flight = 0
        self.max_frames = max_frames
        self.max_bytes = max_bytes
        self.reader_gone = self.writer_gone = False
        self.changed = anyio.Event()

    def has_room_for(self, frame: bytes) -> bool:
        """Whether *frame* fits; a frame larger than the bound travels alone."""
        if not self.frames:
            return True
        return len(self.frames) < self.max_frames and self.bytes_in_flight + len(frame) <= self.max_bytes

    def put(self, frame: bytes) -> None:
        self.frames.append(frame)
        self.bytes_in_flight += len(frame)
        self.notify()

    def take_all(self) -> list[bytes]:
        frames = list(self.frames)
        self.frames.clear()
        self.bytes_in_flight = 0
        self.notify()
        return frames

    def notify(self) -> None:
        """Wake whoever waits for the other side of this pipe."""
        self.changed.set()
        self.changed = anyio.Event()


class MemoryTransport(FrameTransport):
    """One end of a pair made by :func:`open_memory_pair`. Its peer cannot die silently, so it is not ``timed``."""

    timed = False

    def __init__(self, outgoing: _Pipe, incoming: _Pipe) -> None:
        super().__init__()
        self._outgoing = outgoing
        self._incoming = incoming
        self._closed = False
        self._sending = anyio.ResourceGuard("sending on")
        self._receiving = anyio.ResourceGuard("receiving from")

    async def send_frames(self, frames: Sequence[bytes]) -> None:
        """Hand *frames* to the other end; waits while it has too many unread.

        Raises:
            BrokenResourceError: the other end was closed.
            ClosedResourceError: this one was.

        Cancellation:
            Always a checkpoint. The first of *frames* may have gone over, the rest has not.
        """
        with self._sending:
            await anyio.lowlevel.checkpoint()
            pipe = self._outgoing
            for frame in frames:
                while self._require_sendable() and not pipe.has_room_for(frame):
                    await pipe.changed.wait()
                pipe.put(bytes(frame))
            self._require_sendable()

    def _require_sendable(self) -> bool:
        if self._closed or self._outgoing.writer_gone:
            raise anyio.ClosedResourceError
        if self._outgoing.reader_gone:
            raise anyio.BrokenResourceError
        return True

    async def receive_frames(self) -> list[bytes]:
        """Give every frame that waits here; waits for the first.

        Raises:
            EndOfStream: the other end was closed and everything it had sent was received.
            ClosedResourceError: this end was closed.
        """
        with self._receiving:
            await anyio.lowlevel.checkpoint()
            pipe = self._incoming
            while not pipe.frames:
                if self._closed:
                    raise anyio.ClosedResourceError
                if pipe.writer_gone:
                    raise anyio.EndOfStream
                await pipe.changed.wait()
            return pipe.take_all()

    async def send_eof(self) -> None:
        """End this direction; the other end still receives what was sent before."""
        self._outgoing.writer_gone = True
        self._outgoing.notify()
        await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Close both directions at once, then checkpoint. What was sent can still be received, by the other end."""
        self._closed = True
        self._outgoing.writer_gone = self._incoming.reader_gone = True
        self._incoming.frames.clear()
        self._incoming.bytes_in_flight = 0
        self._outgoing.notify()
        self._incoming.notify()
        await anyio.lowlevel.checkpoint()


def open_memory_pair(
    max_frames: int = MAX_FRAMES, max_bytes: int = MAX_BYTES
) -> tuple[MemoryTransport, MemoryTransport]:
    """Make two transports, each the other's peer.

    Args:
        max_frames: how many unread frames each direction holds before its sender waits.
        max_bytes: how many unread bytes; one larger frame may travel alone.
    """
    if max_frames < 1 or max_bytes < 1:
        msg = f"a pair must hold at least one frame and one byte, got {max_frames!r} and {max_bytes!r}"
        raise ValueError(msg)
    there, back = _Pipe(max_frames, max_bytes), _Pipe(max_frames, max_bytes)
    return MemoryTransport(there, back), MemoryTransport(back, there)
