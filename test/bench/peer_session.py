"""Our own session, raw: ``python peer_session.py PORT BACKEND [resumable]``.

It is what the client stands on, without types: :class:`~elarian_trio._session.Session` over TCP.
"""

from __future__ import annotations

import secrets
import sys
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from rounds import PAYLOAD, be_driven

from elarian_trio import ConnectionOptions
from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session import Session
from elarian_trio._transport import open_tcp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rounds import Work

    from elarian_trio._session import IncomingRequest


async def together(works: Sequence[Work]) -> None:
    """Run *works* at once."""
    async with anyio.create_task_group() as workers:
        for work in works:
            workers.start_soon(work)


def connection(*, resumable: bool) -> Connection:
    """Make a connection as the client does, with its options as they are by default."""
    options = ConnectionOptions()
    setup = Setup(
        b"",
        keepalive_interval=options.keepalive_interval,
        keepalive_lifetime=options.keepalive_lifetime,
        resume_token=secrets.token_hex(16).encode() if resumable else None,
    )
    return Connection(Role.CLIENT, setup=setup, resume_buffer_size=options.resume_buffer_size)


def answer(request: IncomingRequest) -> None:
    """Answer a request of the server's with its own bytes."""
    request.respond(request.data)


async def main(port: str, *, resumable: bool) -> None:
    """Connect and be driven."""
    session = Session(connection(resumable=resumable), answer)
    async with anyio.create_task_group() as tasks:
        await tasks.start(session.run, await open_tcp("127.0.0.1", int(port)))
        await be_driven(anyio.to_thread.run_sync, together, {"echo": partial(session.request, PAYLOAD)})
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    _, at, backend, *words = sys.argv
    anyio.run(partial(main, resumable="resumable" in words), at, backend=backend)
