"""Bounds of waiting that hold whichever clock the loop goes by.

The stage and the phones stand above.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.lowlevel
import trio.testing

from elarian_trio._arguments import require
from elarian_trio.sandbox.clock import mock_clock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio.sandbox import Sandbox

__all__ = ["bounded", "settle"]

T = TypeVar("T")

NO_TIME = timedelta(0)


async def bounded(seconds: float, act: Callable[[], Awaitable[T]]) -> T:
    """Do *act*, within *seconds* of the loop's time.

    Under a MockClock that stands still until somebody moves it no time would ever pass: there the seconds are real
    ones in which every task of the program waits.

    Raises:
        TimeoutError: it took longer.
        Exception: what *act* raises.
        ValueError: the seconds are none that can be counted to.
        TypeError: they are no number.

    Cancellation:
        Always a checkpoint; *act* is cancelled.
    """
    await anyio.lowlevel.checkpoint()
    require("the seconds to wait", (int, float), seconds, wanted="a number")
    if math.isnan(seconds):
        msg = "the seconds to wait must be a number, got nan"
        raise ValueError(msg)
    with anyio.move_on_after(seconds) as scope:
        if not _time_stands_still():
            return await act()
        return await _until_all_wait(seconds, act, scope)
    raise TimeoutError


def _time_stands_still() -> bool:
    clock = mock_clock()
    return clock is not None and clock.rate == 0 and clock.autojump_threshold == math.inf


async def _until_all_wait(seconds: float, act: Callable[[], Awaitable[T]], scope: anyio.CancelScope) -> T:
    done: list[T] = []
    failed: list[Exception] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_give_up, seconds, scope)
        try:
            done.append(await act())
        except Exception as error:
            failed.append(error)
        tasks.cancel_scope.cancel()
    if failed:
        raise failed[0]
    return done[0]


async def _give_up(seconds: float, scope: anyio.CancelScope) -> None:
    await trio.testing.wait_all_tasks_blocked(seconds)
    scope.cancel()


async def settle(sandbox: Sandbox) -> None:
    """Wait, within the clock's own bounds, until nothing is under way in *sandbox* any more; its time does not move."""
    await anyio.lowlevel.checkpoint()
    with suppress(anyio.BusyResourceError):  # then somebody advances the clock, and waits for the same
        await sandbox.clock.advance(NO_TIME)
