"""rsocket-py's client, raw, on asyncio: ``python peer_rsocket_py.py PORT``, by an interpreter that has it and no more.

It reads as much at a time as the others do, where its own default of 1,024 bytes makes it slower, and speaks as seldom.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rounds import PAYLOAD, be_driven
from rsocket.payload import Payload
from rsocket.rsocket_client import RSocketClient
from rsocket.transports.tcp import TransportTCP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rounds import Work

READ_SIZE = 64 * 1024


async def together(works: Sequence[Work]) -> None:
    """Run *works* at once."""
    async with asyncio.TaskGroup() as workers:
        for work in works:
            workers.create_task(work())


async def transports(port: str) -> AsyncIterator[TransportTCP]:
    """Connect."""
    yield TransportTCP(*await asyncio.open_connection("127.0.0.1", int(port)), read_buffer_size=READ_SIZE)


async def main(port: str) -> None:
    """Connect and be driven."""
    client: Any = RSocketClient(
        transports(port), keep_alive_period=timedelta(seconds=10), max_lifetime_period=timedelta(minutes=10)
    )

    async def echo() -> bytes:
        return bytes((await client.request_response(Payload(PAYLOAD))).data)

    async with client:
        await be_driven(asyncio.to_thread, together, {"echo": echo})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
