"""The stage beside a test: blocks and programs in tasks of their own, and what becomes of their failures."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.abc
import anyio.lowlevel
import pytest
import trio

from elarian_trio.testing.stage import open_stage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.anyio

SOON = 0.01  # seconds: for what never comes


class Trap:
    """A block that fails when it is told to, as one does whose background task fails."""

    def __init__(self, *, on_entering: bool = False) -> None:
        self._on_entering = on_entering
        self.sprung = anyio.Event()
        self.left = False

    @asynccontextmanager
    async def block(self) -> AsyncGenerator[str]:
        if self._on_entering:
            raise LookupError("no way in")
        try:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._spring, scope)
                    yield "inside"
                    tasks.cancel_scope.cancel()
        finally:
            self.left = True
        if scope.cancelled_caught:
            raise LookupError("the floor gave way")

    async def _spring(self, scope: anyio.CancelScope) -> None:
        await self.sprung.wait()
        scope.cancel()


async def test_a_block_is_entered_and_left_with_the_test() -> None:
    """This SDK: as if it stood in the fixture itself."""
    trap = Trap()
    async with open_stage() as stage:
        async with stage.hosting(trap.block()) as value:
            assert value == "inside"
            assert not trap.left
        assert trap.left


async def test_a_block_that_fails_does_not_cancel_the_test() -> None:
    """This SDK: under anyio's plugin that would end the plugin's own task. The failure comes out at the end."""
    trap = Trap()

    async def test() -> None:
        async with open_stage() as stage, stage.hosting(trap.block()):
            trap.sprung.set()
            assert await stage.first(lambda: None, None) is None  # it is woken by the failure
            await anyio.lowlevel.checkpoint()
            assert trap.left

    with pytest.raises(LookupError, match="floor"):
        await test()


async def test_a_block_that_cannot_be_entered_fails_the_fixture() -> None:
    """This SDK: with the error itself, in no group, and once."""
    async with open_stage() as stage:
        with pytest.raises(LookupError, match="no way in"):
            async with stage.hosting(Trap(on_entering=True).block()):
                pass
        assert stage.failures == []


async def test_several_failures_come_out_as_a_group() -> None:
    """This SDK: none is lost."""

    async def test() -> None:
        async with open_stage() as stage:
            stage.fail(ValueError("one"))
            stage.fail(LookupError("two"))

    with pytest.raises(BaseExceptionGroup) as caught:
        await test()
    assert [str(each) for each in caught.value.exceptions] == ["one", "two"]


async def test_a_failure_that_an_expectation_told_of_is_not_told_twice() -> None:
    """This SDK: the AssertionError has it as its cause, and that is enough."""
    async with open_stage() as stage:
        error = ValueError("no money")
        stage.fail(error)
        wrong = stage.blame("it was silent")
        assert wrong.__cause__ is error
        assert str(wrong) == "it was silent\nbeside the test failed: ValueError: no money"
        assert stage.blame("again").__cause__ is None


async def test_a_program_runs_until_the_test_has_ended() -> None:
    """This SDK: cancelled like any task in a block."""
    cancelled = anyio.Event()

    async def serve(name: str) -> None:
        assert name == "bank"
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    async with open_stage() as stage:
        async with stage.running(serve, "bank"):
            await anyio.lowlevel.checkpoint()
        assert cancelled.is_set()


async def test_a_program_may_say_when_it_is_ready() -> None:
    """This SDK: by the ``task_status`` that Trio and anyio have for that; what it hands over is not kept."""
    ready = False

    async def serve(*, task_status: anyio.abc.TaskStatus[str]) -> None:
        nonlocal ready
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        ready = True
        task_status.started("yes")
        task_status.started("yes")
        await anyio.sleep_forever()

    async with open_stage() as stage, stage.running(serve):
        assert ready


async def test_a_program_that_fails_before_it_is_ready_fails_the_fixture() -> None:
    """This SDK: with the error itself."""

    async def serve(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        del task_status
        raise LookupError("no bank")

    async with open_stage() as stage:
        with pytest.raises(LookupError, match="no bank"):
            async with stage.running(serve):
                pass


async def test_a_program_may_end_by_itself() -> None:
    """This SDK: one that only registers handlers has nothing to wait for, whether it says that it is ready or not."""

    async def with_status(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        del task_status

    async def without() -> None:
        pass

    async with open_stage() as stage, stage.running(with_status), stage.running(without):
        await anyio.lowlevel.checkpoint()


async def test_waiting_ends_in_time() -> None:
    """The house rule: no wait without a bound."""
    async with open_stage() as stage:
        assert await stage.first(lambda: None, SOON) is None
        stage.patience = SOON
        assert await stage.first(lambda: None, None) is None


async def test_waiting_ends_with_what_it_waits_for() -> None:
    """This SDK: whoever brings something stirs the stage."""
    found: list[str] = []

    async def bring() -> None:
        found.append("SMS")
        stage.stir()

    async with open_stage() as stage, anyio.create_task_group() as tasks:
        tasks.start_soon(bring)
        assert await stage.first(lambda: found[0] if found else None, None) == "SMS"


async def test_what_is_there_needs_no_time() -> None:
    """A past bug: with 0 seconds to wait nothing was found, and the failure showed the very thing that was wanted."""
    async with open_stage() as stage:
        assert await stage.first(lambda: "SMS", 0) == "SMS"
        assert await stage.first(lambda: None, 0) is None


def test_ctrl_c_in_a_program_is_no_failure_to_be_kept() -> None:
    """This SDK: it ends the run, as everywhere. In a loop of its own: asyncio lets it end the test run, too."""

    async def serve() -> None:
        raise KeyboardInterrupt

    async def test() -> None:
        async with open_stage() as stage, stage.running(serve):
            await trio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as caught:
        trio.run(test)
    assert caught.group_contains(KeyboardInterrupt)
