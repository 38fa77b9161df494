"""What each notification asks of the event loop, in the cheapest form: Trio's own where it runs, else anyio's.

anyio asks at each call which loop runs, and then calls the same; at some microseconds a notification that counts.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio.lowlevel
import trio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["checkpoint", "checkpoint_if_cancelled", "current_task", "current_time"]


def checkpoint() -> Awaitable[None]:
    """Let others run, and see whether we are cancelled."""
    if trio.lowlevel.in_trio_task():
        return trio.lowlevel.checkpoint()  # noqa: ASYNC105 - the caller awaits it
    return anyio.lowlevel.checkpoint()


def checkpoint_if_cancelled() -> Awaitable[None]:
    """See whether we are cancelled; others run only then."""
    if trio.lowlevel.in_trio_task():
        return trio.lowlevel.checkpoint_if_cancelled()  # noqa: ASYNC105 - the caller awaits it
    return anyio.lowlevel.checkpoint_if_cancelled()


def current_task() -> object:
    """Give what is the same for as long as one task runs, and another for every other."""
    return trio.lowlevel.current_task() if trio.lowlevel.in_trio_task() else asyncio.current_task()


def current_time() -> float:
    """Give the time on anyio's clock; for tasks."""
    return trio.current_time() if trio.lowlevel.in_trio_task() else asyncio.get_running_loop().time()
