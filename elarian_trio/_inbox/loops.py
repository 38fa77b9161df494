"""What each notification and command asks of the event loop, in the cheapest form: the loop's own.

anyio asks at each call which loop runs, Trio which clock it has, and asyncio (until Python 3.12, with a system call)
which loop it is; at some microseconds a notification or command that counts. So does looking whether Trio runs, where
it does not: who asks often keeps the :class:`Loop` that it was given first.
"""

from __future__ import annotations

from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, NamedTuple

import anyio.lowlevel
import trio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Loop", "present_loop"]


class Loop(NamedTuple):
    """An event loop.

    Attributes:
        checkpoint: lets others run, and sees whether we are cancelled.
        checkpoint_if_cancelled: sees whether we are cancelled; others run only then.
        current_task: gives what is the same for as long as one task runs, and another for every other.
        current_time: gives the time on anyio's clock; for tasks.
        thread: the one that it runs in.
    """

    checkpoint: Callable[[], Awaitable[None]]
    checkpoint_if_cancelled: Callable[[], Awaitable[None]]
    current_task: Callable[[], object]
    current_time: Callable[[], float]
    thread: int


def present_loop() -> Loop:
    """Give the one that runs now."""
    return _running_trio() if trio.lowlevel.in_trio_task() else _running_asyncio()


def _running_trio() -> Loop:
    own, clock = trio.lowlevel, trio.lowlevel.current_clock()
    return Loop(own.checkpoint, own.checkpoint_if_cancelled, own.current_task, clock.current_time, get_ident())


def _running_asyncio() -> Loop:
    import asyncio  # which programs on Trio need not load

    loop, anyios = asyncio.get_running_loop(), anyio.lowlevel.current_token().backend_class
    current_task = partial(asyncio.current_task, loop)
    return Loop(anyios.checkpoint, anyios.checkpoint_if_cancelled, current_task, loop.time, get_ident())
