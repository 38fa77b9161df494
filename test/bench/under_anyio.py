"""What our own peers have in common: one code for trio and asyncio, through anyio as they are."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import rounds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from rounds import Work

SETTLING = 2.0  # seconds until whatever was begun waits


async def together(works: Sequence[Work]) -> None:
    """Run *works* at once."""
    async with anyio.create_task_group() as workers:
        for work in works:
            workers.start_soon(work)


async def weigh(waiting: Callable[[], Awaitable[object]], count: int) -> dict[str, Any]:
    """Have *count* tasks wait for what never comes; give how many bytes of memory each took."""
    before = rounds.resident()
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(waiting)
        await anyio.sleep(SETTLING)
        after = rounds.resident()
        tasks.cancel_scope.cancel()
    return {"each": (after - before) / count}


async def be_driven(requests: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
    """Do what the driver says; on top of what all peers can, weigh requests that nobody answers, or bare tasks."""

    async def act(count: int, request: str | None = None) -> dict[str, Any]:
        return await weigh(requests[request] if request else anyio.Event().wait, count)

    await rounds.be_driven(anyio.to_thread.run_sync, together, requests, weigh=act)


def words() -> tuple[str, list[str]]:
    """Give the backend and the further arguments of a program that takes them so."""
    _, backend, *rest = sys.argv
    return backend, rest
