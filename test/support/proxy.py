"""A TCP proxy on loopback that fails as it is told to: the network of ``faulty.py`` for sockets.

It carries bytes and knows nothing of them, so that it works under TCP, TLS and WebSocket alike; the offsets of its
plans count the bytes of the TCP connection. It stands on bare sockets, for resets and half-closes are theirs to send.
"""

from __future__ import annotations

import socket
import struct
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
from faulty import ENDS, Fault, Kind, Line, Plan, Plans, Record, Way, sound

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from anyio.abc import TaskGroup

_READ_SIZE = 64 * 1024
_BACKLOG = 256
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds: closing sends RST
_LOOPBACK = "127.0.0.1"
_MAX_VANISHED = 16  # connections whose server's side is left open; see faulty.MAX_VANISHED


class Proxy:
    """Listens on a port of its own and carries to another. Made by :func:`open_proxy`.

    Attributes:
        record: what has happened.
        plans: gives each connection its plan, by its number; may be replaced.
        port: where it listens.
    """

    def __init__(self, target: tuple[str, int], plans: Plans, tasks: TaskGroup) -> None:
        self.record = Record()
        self.plans = plans
        self.port = 0
        self._target = target
        self._tasks = tasks
        self._listener: socket.socket | None = None
        self._connections: set[_Connection] = set()
        self._vanished: list[socket.socket] = []

    def endpoint(self, scheme: str) -> str:
        """Give what a client takes to come by this proxy."""
        return f"{scheme}://{_LOOPBACK}:{self.port}"

    def go_down(self) -> None:
        """Refuse connections from now on; those that stand go on."""
        if self._listener is not None:
            anyio.notify_closing(self._listener)
            self._listener.close()
            self._listener = None

    def come_up(self) -> None:
        """Take connections, on the same port as ever."""
        if self._listener is not None:
            return
        listener = socket.socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setblocking(False)
            listener.bind((_LOOPBACK, self.port))
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
        self._listener = listener
        self.port = listener.getsockname()[1]
        self._tasks.start_soon(self._accept, listener)

    def cut_all(self, kind: Kind = Kind.CUT) -> None:
        """Cut whatever stands."""
        for connection in list(self._connections):
            connection.end(Fault(kind, Way.UP, connection.lines[Way.UP].passed))

    async def _accept(self, listener: socket.socket) -> None:
        with suppress(anyio.ClosedResourceError):
            while listener.fileno() >= 0:
                await anyio.wait_readable(listener)
                with suppress(BlockingIOError, ConnectionError):
                    client, _ = listener.accept()
                    plan = self.plans(self.record.connections)
                    self.record.connections += 1
                    self._tasks.start_soon(self._carry, client, plan)

    async def _carry(self, client: socket.socket, plan: Plan) -> None:
        if plan.refused:
            self.record.refused += 1
            _close(client, Kind.CUT)
            await anyio.lowlevel.checkpoint()
            return
        server = socket.socket()
        connection = _Connection(self, plan, client, server)
        self._connections.add(connection)
        try:
            await connection.run(self._target)
        finally:
            self._connections.discard(connection)
            connection.close()

    def met(self, plan: Plan, fault: Fault) -> None:
        """Note that a fault came up."""
        self.record.note(plan, fault)

    def keep_open(self, server: socket.socket) -> None:
        """Leave a server's side open, though who dialled is gone."""
        self._vanished.append(server)
        while len(self._vanished) > _MAX_VANISHED:
            _close(self._vanished.pop(0), Kind.CUT)

    def close_vanished(self) -> None:
        """Let servers hear at last that who dialled is gone."""
        while self._vanished:
            _close(self._vanished.pop(), Kind.CUT)


class _Connection:
    """One connection carried: two sockets, and a line for each way."""

    def __init__(self, proxy: Proxy, plan: Plan, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._plan = plan
        self._client, self._server = client, server
        self.lines = {way: Line(plan, way) for way in Way}
        self._scope = anyio.CancelScope()
        self._how: Fault | None = None
        for each in (client, server):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def run(self, target: tuple[str, int]) -> None:
        """Carry both ways until both have ended, or a fault ends them."""
        with self._scope:
            try:
                await self._connect(target)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._pump, self._client, self._server, Way.UP)
                    tasks.start_soon(self._pump, self._server, self._client, Way.DOWN)
            except* OSError:
                self._how = self._how or Fault(Kind.CUT, Way.UP, -1)
        await anyio.lowlevel.cancel_shielded_checkpoint()

    async def _connect(self, target: tuple[str, int]) -> None:
        await anyio.lowlevel.checkpoint()
        with suppress(BlockingIOError):
            self._server.connect(target)
        await anyio.wait_writable(self._server)
        error = self._server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "the target refuses")

    async def _pump(self, source: socket.socket, sink: socket.socket, way: Way) -> None:
        line = self.lines[way]
        data = b""
        while True:
            for step in line.feed(data):
                if isinstance(step, Fault):
                    await self._meet(step, sink)
                else:
                    await self._send(sink, step)
            data = await self._read(source)
            if not data:
                break
        if not line.ended:
            sink.shutdown(socket.SHUT_WR)

    async def _read(self, source: socket.socket) -> bytes:
        for _ in range(self._plan.linger):
            await anyio.lowlevel.checkpoint()
        if self._plan.delay:
            await anyio.sleep(self._plan.delay)
        while True:
            await anyio.wait_readable(source)
            with suppress(BlockingIOError):
                return source.recv(_READ_SIZE)

    async def _send(self, sink: socket.socket, data: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        while data:
            try:
                data = data[sink.send(data) :]
            except BlockingIOError:
                await anyio.wait_writable(sink)

    async def _meet(self, fault: Fault, sink: socket.socket) -> None:
        if fault.kind in ENDS:
            self.end(fault)
            await anyio.lowlevel.checkpoint()  # which is where the scope that was cancelled ends this task
            return
        self._proxy.met(self._plan, fault)
        if fault.kind is Kind.STALL:
            with anyio.move_on_after(fault.value):
                await anyio.sleep_forever()
        else:
            sink.shutdown(socket.SHUT_WR)
            await anyio.lowlevel.checkpoint()

    def end(self, fault: Fault) -> None:
        """End the connection now, in the way the fault says."""
        if self._how is None:
            self._how = fault
            self._proxy.met(self._plan, fault)
            self._scope.cancel()

    def close(self) -> None:
        """Close both sides, as the fault that ended them wants it."""
        how = Kind.END if self._how is None else self._how.kind
        _close(self._client, Kind.CUT if how is Kind.VANISH else how)
        if how is Kind.VANISH and self._server.fileno() >= 0:
            self._proxy.keep_open(self._server)
        else:
            _close(self._server, how)


def _close(side: socket.socket, how: Kind) -> None:
    with suppress(OSError):
        if how is Kind.CUT:
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            side.shutdown(socket.SHUT_RDWR)
    side.close()


@asynccontextmanager
async def open_proxy(target: str, plans: Plans = sound) -> AsyncGenerator[Proxy]:
    """Carry connections to *target*, an endpoint such as ``tcp://127.0.0.1:40123``, for a block."""
    host, _, port = target.rpartition("/")[2].rpartition(":")
    async with anyio.create_task_group() as tasks:
        proxy = Proxy((host, int(port)), plans, tasks)
        proxy.come_up()
        try:
            yield proxy
        finally:
            proxy.go_down()
            proxy.close_vanished()
            tasks.cancel_scope.cancel()
