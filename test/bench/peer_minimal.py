"""The yardstick: the least that a Trio program can do to have many requests under way on one connection.

``python peer_minimal.py PORT [event|parked]``. Frames by ``struct``, whatever waits is written in one send, waiters in
a dict; no types, no timeouts, no keepalives, no errors, no resumption. With events it is what one would write by hand,
and as fast as one would: four to five times as fast as rsocket-py. ``parked`` shows what could be had without them.
"""

from __future__ import annotations

import struct
import sys
from functools import partial
from typing import TYPE_CHECKING

import outcome
import trio
from rounds import PAYLOAD, be_driven

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rounds import Work

READ_SIZE = 64 * 1024
PREFIX = 3
SETUP = struct.pack(">IHHHII", 0, 0x0400, 1, 0, 3_600_000, 3_600_000) + b"\x18application/octet-stream" * 2
REQUEST = 0x1000

_HEAD = struct.Struct(">BHIH")
_STREAM = struct.Struct(">I")
_LENGTH = struct.Struct(">BH")


class Loop:
    """Requests on one connection, each of which waits for an event."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._waiters: dict[int, Waiter] = {}
        self._outgoing: list[bytes] = [_LENGTH.pack(0, len(SETUP)) + SETUP]
        self._work = trio.Event()
        self._next = 1

    async def request(self, data: bytes) -> bytes:
        """Send *data* and wait for the answer."""
        stream_id = self.put(data)
        waiter = self._waiters[stream_id] = Waiter()
        await waiter.event.wait()
        return waiter.answer

    def put(self, data: bytes) -> int:
        """Queue a request; give its stream."""
        stream_id, self._next = self._next, self._next + 2
        self._outgoing.append(_HEAD.pack(0, len(data) + 6, stream_id, REQUEST) + data)
        self._work.set()
        return stream_id

    def answer(self, stream_id: int, data: bytes) -> None:
        """Give *data* to who waits."""
        waiter = self._waiters.pop(stream_id)
        waiter.answer = data
        waiter.event.set()

    async def write(self) -> None:
        """Send whatever waits, for ever."""
        while True:
            while self._outgoing:
                data = b"".join(self._outgoing)
                self._outgoing.clear()
                await self._stream.send_all(data)
            await self._work.wait()
            self._work = trio.Event()

    async def read(self) -> None:
        """Give answers to those who wait, for ever."""
        rest = b""
        while True:
            data = rest + await self._stream.receive_some(READ_SIZE)
            begin, size = 0, len(data)
            while size - begin >= PREFIX:
                high, low = _LENGTH.unpack_from(data, begin)
                end = begin + PREFIX + (high << 16 | low)
                if end > size:
                    break
                (stream_id,) = _STREAM.unpack_from(data, begin + PREFIX)
                self.answer(stream_id, data[begin + 9 : end])
                begin = end
            rest = data[begin:]


class Waiter:
    """Who waits for an answer."""

    __slots__ = ("answer", "event")

    def __init__(self) -> None:
        self.event = trio.Event()
        self.answer = b""


class ParkingLoop(Loop):
    """The same on the least that Trio offers, without an event: the limit of what can be had."""

    def __init__(self, stream: trio.SocketStream) -> None:
        super().__init__(stream)
        self._parked: dict[int, trio.lowlevel.Task] = {}

    async def request(self, data: bytes) -> bytes:
        """Send *data* and wait for the answer."""
        stream_id = self.put(data)
        self._parked[stream_id] = trio.lowlevel.current_task()
        answer: bytes = await trio.lowlevel.wait_task_rescheduled(partial(self._forget, stream_id))
        return answer

    def _forget(self, stream_id: int, _: object) -> trio.lowlevel.Abort:
        del self._parked[stream_id]
        return trio.lowlevel.Abort.SUCCEEDED

    def answer(self, stream_id: int, data: bytes) -> None:
        """Give *data* to who waits."""
        trio.lowlevel.reschedule(self._parked.pop(stream_id), outcome.Value(data))


async def together(works: Sequence[Work]) -> None:
    """Run *works* at once."""
    async with trio.open_nursery() as workers:
        for work in works:
            workers.start_soon(work)


async def main(port: str, waits: str = "event") -> None:
    """Connect and be driven."""
    stream = await trio.open_tcp_stream("127.0.0.1", int(port))
    async with stream, trio.open_nursery() as tasks:
        loop = (ParkingLoop if waits == "parked" else Loop)(stream)
        tasks.start_soon(loop.write)
        tasks.start_soon(loop.read)
        await be_driven(trio.to_thread.run_sync, together, {"echo": partial(loop.request, PAYLOAD)})
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
