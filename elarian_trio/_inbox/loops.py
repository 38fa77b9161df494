"""What each notification asks of the event loop, in the cheapest form: Trio's own where it runs, else anyio's.

anyio asks at each call which loop runs, and then calls the same; at some microseconds a notification that counts. So
does looking whether Trio runs, where it does not: who asks often keeps the :class:`Loop` that it was given first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import anyio.lowlevel
import trio
import trio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Loop", "present_loop"]


class Loop(NamedTuple):
    """A kind of event loop.

    Attributes:
        checkpoint: lets others run, and sees whether we are cancelled.
        checkpoint_if_cancelled: sees whether we are cancelled; others run only then.
        current_task: gives what is the same for as long as one task runs, and another for every other.
        current_time: gives the time on anyio's clock; for tasks.
    """

    checkpoint: Callable[[], Awaitable[None]]
    checkpoint_if_cancelled: Callable[[], Awaitable[None]]
    current_task: Callable[[], object]
    current_time: Callable[[], float]


_TRIO = Loop(
    trio.lowlevel.checkpoint,
    trio.lowlevel.checkpoint_if_cancelled,
    trio.lowlevel.current_task,
    trio.current_time,
)
_ASYNCIO = Loop(
    anyio.lowlevel.checkpoint,
    anyio.lowlevel.checkpoint_if_cancelled,
    asyncio.current_task,
    lambda: asyncio.get_running_loop().time(),
)


def present_loop() -> Loop:
    """Give the kind that runs now."""
    return _TRIO if trio.lowlevel.in_trio_task() else _ASYNCIO
