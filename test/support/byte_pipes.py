"""A joined pair of byte streams in memory, as a socket pair is: with little room, and with half-sent pieces.

Tests of what stands on a stream of bytes hold one end and look at what it was asked to carry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream

if TYPE_CHECKING:
    from typing import Self

PLENTY = 64 * 1024 * 1024


class _Pipe:
    """One direction: bytes that wait to be read, and how many may."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.waiting = bytearray()
        self.ended = self.unread = False
        self.changed = anyio.Event()

    def notify(self) -> None:
        self.changed.set()
        self.changed = anyio.Event()


class PipeEnd(ByteStream):
    """One end of a pair. Made by :meth:`pair`.

    Attributes:
        sends: what each call of ``send`` was given.
    """

    def __init__(self, outgoing: _Pipe, incoming: _Pipe) -> None:
        self.sends: list[bytes] = []
        self._outgoing = outgoing
        self._incoming = incoming
        self._closed = False
        self._sending = anyio.ResourceGuard("sending on")
        self._receiving = anyio.ResourceGuard("receiving from")

    @classmethod
    def pair(cls, room: int = PLENTY) -> tuple[Self, Self]:
        """Make two ends; each direction takes *room* unread bytes before its sender waits."""
        there, back = _Pipe(room), _Pipe(room)
        return cls(there, back), cls(back, there)

    @property
    def is_closed(self) -> bool:
        """Whether this end was closed."""
        return self._closed

    async def send(self, item: bytes) -> None:
        """Send *item* piece by piece, as there is room: cancelled, it may have sent some of them."""
        with self._sending:
            self.sends.append(bytes(item))
            await anyio.lowlevel.checkpoint()
            pipe, rest = self._outgoing, memoryview(item)
            while True:
                if self._closed:
                    raise anyio.ClosedResourceError
                if pipe.unread:
                    raise anyio.BrokenResourceError
                taken = max(pipe.room - len(pipe.waiting), 0)
                pipe.waiting += rest[:taken]
                rest = rest[taken:]
                pipe.notify()
                if not rest:
                    return
                await pipe.changed.wait()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Give what waits, once something does."""
        with self._receiving:
            await anyio.lowlevel.checkpoint()
            pipe = self._incoming
            while not pipe.waiting:
                if self._closed:
                    raise anyio.ClosedResourceError
                if pipe.ended:
                    raise anyio.EndOfStream
                await pipe.changed.wait()
            data = bytes(pipe.waiting[:max_bytes])
            del pipe.waiting[:max_bytes]
            pipe.notify()
            return data

    async def send_eof(self) -> None:
        """End this direction."""
        self._outgoing.ended = True
        self._outgoing.notify()
        await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Close both directions; the other end still reads what was sent."""
        self._closed = True
        self._outgoing.ended = self._incoming.unread = True
        self._outgoing.notify()
        self._incoming.notify()
        await anyio.lowlevel.checkpoint()
