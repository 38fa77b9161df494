"""HTTP by hand on loopback: connections that a test serves byte by byte, what is asked there, and who asks."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio
from anyio.abc import SocketAttribute, SocketStream

from elarian_trio._http import Request, open_sender
from elarian_trio.options import HttpOptions, Retries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio.abc import ByteStream

    from elarian_trio._http import Sender

BOUND = 5.0  # seconds that anything awaited in a test may take
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
ONCE = Retries(attempts=1)
DIRECT = HttpOptions(trust_env=False)
GET = Request(method="GET", path="/a%2Fb")
SECRET = "s3cr3t-Th1s-1s-n0t-to-be-shown"
POST = Request(method="POST", path="/x", headers={"authorization": f"Basic {SECRET}"}, content=b'{"a":1}')


async def request_of(stream: ByteStream) -> bytes:
    """Read one request, with its body if it says that there is one."""
    data = b""
    while True:
        data += await stream.receive()
        head, end, body = data.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
        if end and len(body) >= length:
            return data


@asynccontextmanager
async def served(serve: Callable[[ByteStream], Awaitable[None]]) -> AsyncIterator[int]:
    """Serve connections on loopback; gives the port."""

    async def one(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                await serve(stream)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, one)
        with anyio.fail_after(BOUND):
            yield listener.extra(SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def sending(port: int, options: HttpOptions = DIRECT, retries: Retries = ONCE) -> AsyncIterator[Sender]:
    """Open a sender to loopback."""
    async with open_sender(f"http://127.0.0.1:{port}", options, retries=retries) as sender:
        yield sender
