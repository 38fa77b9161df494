"""Where tasks wait: woken once, freed by cancellation, on trio and on asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from elarian_trio._session.parking import WOKEN, Bell, Flag, Spot

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

pytestmark = pytest.mark.anyio


async def park_at(spot: Spot, went_on: anyio.Event) -> None:
    """Park, and say that it is over."""
    await spot.park()
    went_on.set()


async def listen_to(bell: Bell, went_on: anyio.Event) -> None:
    """Wait for a bell, and say that it rang."""
    await bell.wait()
    went_on.set()


async def test_a_parked_task_goes_on_once_it_is_woken() -> None:
    """This SDK: a spot is what a request waits at."""
    spot, went_on = Spot(), anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(park_at, spot, went_on)
        await anyio.wait_all_tasks_blocked()
        assert not went_on.is_set()
        spot.unpark()
        spot.unpark()  # nobody is there any more
        with anyio.fail_after(5):
            await went_on.wait()


async def test_what_a_task_goes_on_with_can_be_given_to_any_number() -> None:
    """outcome: what Trio hands a task it wakes says what the task goes on with; Trio's own says so once."""

    def wait() -> Generator[str, None, None]:
        yield "waits"
        yield "went on"

    async def wait_for_long() -> AsyncGenerator[str, None]:
        yield "waits"
        yield "went on"

    for _ in range(2):
        waiting, waiting_long = wait(), wait_for_long()
        assert (next(waiting), await anext(waiting_long)) == ("waits", "waits")
        assert (WOKEN.send(waiting), await WOKEN.asend(waiting_long)) == ("went on", "went on")
        waiting.close()
        await waiting_long.aclose()
        WOKEN.unwrap()


async def test_waking_nobody_is_not_remembered() -> None:
    """This SDK: whoever wakes says elsewhere what for, so a spot itself remembers nothing."""
    spot, went_on = Spot(), anyio.Event()
    spot.unpark()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(park_at, spot, went_on)
        await anyio.wait_all_tasks_blocked()
        assert not went_on.is_set()
        tasks.cancel_scope.cancel()


async def test_a_cancelled_task_leaves_the_spot_free_for_the_next() -> None:
    """This SDK: waking a task that was cancelled a moment ago is harmless, and the next one waits as the first did."""
    spot, went_on = Spot(), anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(park_at, spot, anyio.Event())
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        spot.unpark()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(park_at, spot, went_on)
        await anyio.wait_all_tasks_blocked()
        assert not went_on.is_set()
        spot.unpark()
        with anyio.fail_after(5):
            await went_on.wait()


async def test_a_bell_rung_before_anybody_waits_is_heard_once() -> None:
    """This SDK: the writer looks for work, then waits; what comes in between must not be slept over."""
    bell, went_on = Bell(), anyio.Event()
    bell.ring()
    bell.ring()
    with anyio.fail_after(5):
        await bell.wait()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen_to, bell, went_on)
        await anyio.wait_all_tasks_blocked()
        assert not went_on.is_set()
        tasks.cancel_scope.cancel()


async def test_a_bell_wakes_who_waits_again_and_again() -> None:
    """This SDK: one bell serves a task for as long as it lives."""
    bell, heard = Bell(), 0

    async def listen() -> None:
        nonlocal heard
        while True:
            await bell.wait()
            heard += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        for number in range(1, 4):
            await anyio.wait_all_tasks_blocked()
            bell.ring()
            await anyio.wait_all_tasks_blocked()
            assert heard == number
        tasks.cancel_scope.cancel()


async def test_a_flag_wakes_all_who_wait_and_lets_the_next_pass() -> None:
    """This SDK: it takes little while nobody waits, and is as an event else."""
    flag, went_on = Flag(), [anyio.Event(), anyio.Event()]

    async def wait_with(event: anyio.Event) -> None:
        await flag.wait()
        event.set()

    async with anyio.create_task_group() as tasks:
        for event in went_on:
            tasks.start_soon(wait_with, event)
        await anyio.wait_all_tasks_blocked()
        assert not any(each.is_set() for each in (flag, *went_on))
        flag.set()
        flag.set()  # nobody is there any more
        with anyio.fail_after(5):
            for event in went_on:
                await event.wait()
            await flag.wait()
    assert flag.is_set()


async def test_a_flag_set_before_anybody_waits_is_a_checkpoint() -> None:
    """This SDK: waiting for what has come already sees cancellation all the same."""
    flag = Flag()
    flag.set()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await flag.wait()
    assert scope.cancelled_caught


async def test_a_task_cancelled_at_a_flag_leaves_the_others_there() -> None:
    """This SDK: whoever stops waiting for a session takes nobody along."""
    flag, went_on = Flag(), anyio.Event()

    async def wait() -> None:
        await flag.wait()
        went_on.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        with anyio.move_on_after(0.0):
            await flag.wait()
        await anyio.wait_all_tasks_blocked()
        flag.set()
        with anyio.fail_after(5):
            await went_on.wait()
