"""What stands beside one test: the blocks that are open for it, each in a task of its own, and what failed in them.

A fixture may not hold an open block across its ``yield``: under anyio's plugin fixtures and test share one task, and a
block that fails would cancel whatever that task happens to do, the plugin's own loop included. So the blocks live in
tasks of the one task group whose scope stays open around the test. These tasks raise nothing: what fails is noted here,
is the cause of the next expectation that comes to nothing, and else is raised when the test has ended.

The fixtures and the phones stand above.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import anyio
import anyio.lowlevel

from elarian_trio.testing.bounds import bounded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager
    from typing import Any

    from anyio.abc import TaskGroup

    from elarian_trio.testing.app import AppUnderTest

    Program: TypeAlias = Callable[..., Coroutine[Any, Any, object]]

__all__ = ["PATIENCE", "Program", "Stage", "open_stage"]

T = TypeVar("T")

PATIENCE = 5.0  # seconds, the loop's, that an expectation waits unless told otherwise

_MORE_THAN_A_FAILURE = (KeyboardInterrupt, SystemExit)


class Stage:
    """Blocks and programs beside one test, and what failed in them. Made by :func:`open_stage`.

    Attributes:
        failures: what failed and was told to nobody yet, oldest first.
        unawaited: what was written down to be done, and was never awaited.
        patience: seconds, the loop's, that an expectation waits unless told otherwise.
        app: the app under test, while there is one.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self._stirred = anyio.Event()
        self.failures: list[BaseException] = []
        self.unawaited: dict[object, None] = {}
        self.patience: float = PATIENCE
        self.app: AppUnderTest | None = None

    # What runs beside the test.

    @asynccontextmanager
    async def hosting(self, block: AbstractAsyncContextManager[T]) -> AsyncGenerator[T]:
        """Have *block* entered in a task of its own, and left with this one; it fails without harm to the test.

        Raises:
            Exception: what *block* raised while it was entered.
        """
        act: _Act[T] = _Act()
        self._tasks.start_soon(self._host, block, act, name=f"elarian_trio.testing {type(block).__name__}")
        value = await self._value_of(act)
        try:
            yield value
        finally:
            act.ending.set()
            await act.over.wait()

    @asynccontextmanager
    async def running(self, program: Program, *arguments: object) -> AsyncGenerator[None]:
        """Have *program* run in a task of its own until this block is left, where it is cancelled.

        Waits until the program says that it has started, if it takes a ``task_status``; else it is on its way.

        Raises:
            Exception: what *program* raised before it had started.
        """
        act: _Act[None] = _Act()
        self._tasks.start_soon(self._run, program, arguments, act, name=f"elarian_trio.testing {program!r}")
        await self._value_of(act)
        try:
            yield
        finally:
            act.scope.cancel()
            await act.over.wait()

    async def _host(self, block: AbstractAsyncContextManager[T], act: _Act[T]) -> None:
        with _Noting(self, act):
            async with block as value:
                act.begin(value)
                await act.ending.wait()
        await anyio.lowlevel.checkpoint()

    async def _run(self, program: Program, arguments: tuple[object, ...], act: _Act[None]) -> None:
        with _Noting(self, act), act.scope:
            if _takes_task_status(program):
                await program(*arguments, task_status=_Started(act))
            else:
                act.begin(None)
                await program(*arguments)
            act.begin(None)
        await anyio.lowlevel.checkpoint()

    async def _value_of(self, act: _Act[T]) -> T:
        """Wait for what a block or program begins with, or raise what kept it from beginning."""
        await act.begun.wait()
        if act.value:
            return act.value[0]
        error = act.error or RuntimeError("the test was ended before it began")
        if error in self.failures:
            self.failures.remove(error)
        raise error

    # What failed.

    def fail(self, error: BaseException) -> None:
        """Note a failure, and wake whoever waits for something that may never come now. Synchronous."""
        self.failures.append(error)
        self.stir()

    def take_failures(self) -> tuple[BaseException, ...]:
        """Give what failed since this was last asked."""
        taken = tuple(self.failures)
        self.failures.clear()
        return taken

    def blame(self, words: str) -> AssertionError:
        """Give an AssertionError of *words*, with what failed beside the test as its cause; it takes no other."""
        failed = self.take_failures()
        told = "".join(f"\nbeside the test failed: {type(each).__name__}: {each}" for each in failed)
        wrong = AssertionError(words + told)
        wrong.__cause__ = _one_of(failed)  # set, even to None, it hides what was being handled
        return wrong

    # Waiting.

    def stir(self) -> None:
        """Wake whoever waits in :meth:`first`. Synchronous."""
        self._stirred.set()
        self._stirred = anyio.Event()

    async def first(self, find: Callable[[], T | None], within: float | None) -> T | None:
        """Wait until *find* finds something; ``None`` when *within* seconds have passed or something has failed."""
        await anyio.lowlevel.checkpoint()
        if (there := find()) is not None:  # what is there takes no time, so none is too little
            return there

        async def wait() -> T | None:
            await anyio.lowlevel.checkpoint()
            while (found := find()) is None and not self.failures:
                await self._stirred.wait()
            return found

        try:
            return await bounded(self.patience if within is None else within, wait)
        except TimeoutError:
            return None


class _Act(Generic[T]):
    """One block or program on the stage, as its task and the fixture that asked for it see it."""

    def __init__(self) -> None:
        self.begun = anyio.Event()
        self.ending = anyio.Event()
        self.over = anyio.Event()
        self.scope = anyio.CancelScope()
        self.value: tuple[()] | tuple[T] = ()
        self.error: BaseException | None = None

    def begin(self, value: T) -> None:
        """Hand *value* to whoever asked for this."""
        if not self.value:
            self.value = (value,)
            self.begun.set()


class _Noting:
    """Notes what leaves the block, and says that it is over; lets a cancellation and Ctrl-C pass."""

    def __init__(self, stage: Stage, act: _Act[Any]) -> None:
        self._stage = stage
        self._act = act

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """Note *error*."""
        act = self._act
        act.error = error
        is_noted = error is not None and not isinstance(error, (*_MORE_THAN_A_FAILURE, anyio.get_cancelled_exc_class()))
        if is_noted and error is not None:
            self._stage.fail(error)
        act.begun.set()
        act.over.set()
        return is_noted


class _Started:
    """The ``task_status`` of a program."""

    def __init__(self, act: _Act[None]) -> None:
        self._act = act

    def started(self, value: object = None) -> None:
        """Say that the program is ready."""
        del value
        self._act.begin(None)


def _takes_task_status(program: Program) -> bool:
    parameters = signature(program).parameters
    found = parameters.get("task_status")
    return found is not None and found.kind in (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def _one_of(failed: tuple[BaseException, ...]) -> BaseException | None:
    if len(failed) > 1:
        return BaseExceptionGroup("several things failed beside the test", failed)
    return failed[0] if failed else None


@asynccontextmanager
async def open_stage() -> AsyncGenerator[Stage]:
    """Open a stage for a block.

    Raises:
        Exception: what failed beside the block and nobody was told of; a group where that is more than one thing.
        RuntimeError: something was written down to be done, and never awaited.
    """
    __tracebackhide__ = True
    tasks = anyio.create_task_group()
    stage = Stage(tasks)
    async with tasks:
        yield stage
        tasks.cancel_scope.cancel()
    for turns in stage.unawaited:
        stage.fail(RuntimeError(f"{turns!r} was never awaited, so it did nothing"))
    failed = _one_of(stage.take_failures())
    if failed is not None:
        raise failed
