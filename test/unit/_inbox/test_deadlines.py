"""What is due some time after it came: each at its own time, by one timer."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from elarian_trio._inbox import Timer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on trio alone, whose clock jumps to the next deadline as soon as every task waits."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def test_each_is_due_at_its_own_time() -> None:
    """This SDK: one timer, which looks at the first deadline there is, is as exact as one for each."""
    due: list[tuple[str, float]] = []

    def note(item: str) -> None:
        due.append((item, anyio.current_time()))

    timer = Timer()
    deadlines = timer.deadlines(30, note)
    longer = timer.deadlines(90, note)
    async with anyio.create_task_group() as tasks:
        timer.run_in(tasks)
        begin = anyio.current_time()
        longer.add("long")
        for item in ("a", "b", "c"):
            assert deadlines.add(item) == anyio.current_time() + 30
            await anyio.sleep(10)
        assert deadlines.discard("b")
        assert not deadlines.discard("b")
        await anyio.sleep(100)  # it waits for nothing by then
        deadlines.add("after a pause")
        await anyio.sleep(100)
        tasks.cancel_scope.cancel()
    assert due == [("a", begin + 30), ("c", begin + 50), ("long", begin + 90), ("after a pause", begin + 160)]
    assert len(deadlines) == len(longer) == 0


async def test_what_is_due_may_take_another_along() -> None:
    """This SDK: a client that ends over one command's timeout leaves no other to expire."""
    due: list[str] = []

    def expire(item: str) -> None:
        due.append(item)
        for other in deadlines:
            deadlines.discard(other)

    timer = Timer()
    deadlines = timer.deadlines(30, expire)
    async with anyio.create_task_group() as tasks:
        timer.run_in(tasks)
        for item in ("a", "b", "c"):
            deadlines.add(item)
        assert list(deadlines) == ["a", "b", "c"]
        await anyio.sleep(31)
        tasks.cancel_scope.cancel()
    assert due == ["a"]


async def test_what_waits_before_the_timer_has_tasks_is_due_in_them() -> None:
    """This SDK: a command called while the client connects is bounded as any other."""
    due: list[float] = []
    timer = Timer()
    deadlines = timer.deadlines(30, lambda _: due.append(anyio.current_time()))
    begin = anyio.current_time()
    deadlines.add("early")
    await anyio.sleep(10)
    async with anyio.create_task_group() as tasks:
        timer.run_in(tasks)
        await anyio.sleep(100)
        tasks.cancel_scope.cancel()
    assert due == [begin + 30]


async def test_the_timer_has_a_task_only_while_something_waits() -> None:
    """This SDK: thousands of idle clients cost little; the group would not end while a task of the timer's lasts."""
    due: list[str] = []
    timer = Timer()
    deadlines = timer.deadlines(30, due.append)
    begin = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        timer.run_in(tasks)
        deadlines.add("first")
        await anyio.sleep(100)
        deadlines.add("second")
    assert due == ["first", "second"]
    assert anyio.current_time() == begin + 130


async def test_nothing_is_due_once_the_timer_has_no_tasks_any_more() -> None:
    """This SDK: a command called while the client's block ends finds no task group to start anything in."""
    due: list[str] = []
    timer = Timer()
    deadlines = timer.deadlines(30, due.append)
    async with anyio.create_task_group() as tasks:
        timer.run_in(tasks)
        deadlines.add("too late")
        await anyio.sleep(10)
        timer.run_in(None)
        tasks.cancel_scope.cancel()
    deadlines.add("later still")
    await anyio.sleep(100)
    assert due == []
    assert len(deadlines) == 2
