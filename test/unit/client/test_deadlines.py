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
        tasks.start_soon(timer.keep)
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
        tasks.start_soon(timer.keep)
        for item in ("a", "b", "c"):
            deadlines.add(item)
        assert list(deadlines) == ["a", "b", "c"]
        await anyio.sleep(31)
        tasks.cancel_scope.cancel()
    assert due == ["a"]
