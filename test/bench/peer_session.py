"""Our own session, raw: ``python peer_session.py BACKEND PORT [resumable]``.

It is what the client stands on, without types: :class:`~elarian_trio._session.Session` over TCP.
"""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING

import anyio
from rounds import PAYLOAD
from under_anyio import be_driven, words

from elarian_trio import ConnectionOptions
from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session import Session
from elarian_trio._transport import open_tcp

if TYPE_CHECKING:
    from elarian_trio._session import IncomingRequest


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
        await be_driven({"echo": partial(session.request, PAYLOAD)})
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    backend, (at, *more) = words()
    anyio.run(partial(main, resumable="resumable" in more), at, backend=backend)
