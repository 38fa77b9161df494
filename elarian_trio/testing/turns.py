"""Conversations written down as chains, and held when they are awaited: ``await phone.dial("*384#").says("Welcome")``.

The kinds of conversation stand above, the stage is below.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeAlias

import anyio.lowlevel
from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any, Self

    from elarian_trio.testing.stage import Stage

__all__ = ["Begin", "Turns", "already"]

S = TypeVar("S")

Begin: TypeAlias = "Callable[[], Awaitable[S]]"


class Turns(Awaitable[S], Generic[S]):
    """What a customer does and hears, one thing after the other. Nothing happens before it is awaited.

    Awaiting gives the session, call or payment that it is about. A chain that is written down and never awaited makes
    the test fail when it has ended.

    Args:
        stage: where the test takes place.
        begin: gives what the turns are about, at the first of them.
        words: how the beginning is written in a program.
    """

    def __init__(self, stage: Stage, begin: Begin[S], words: str) -> None:
        self._stage = stage
        self._begin = begin
        self._steps: list[Callable[[S], Awaitable[None]]] = []
        self._words = words
        self._is_held = False
        stage.unawaited[self] = None

    def __repr__(self) -> str:
        """Give it as it is written in a program."""
        return self._words

    def __await__(self) -> Generator[Any, Any, S]:
        """Hold the conversation.

        Raises:
            AssertionError: something was not as expected.
            RuntimeError: it was held before.
        """
        return self._hold().__await__()

    async def _hold(self) -> S:
        __tracebackhide__ = True
        if self._is_held:
            msg = f"{self._words} was awaited before; write it down again"
            raise RuntimeError(msg)
        self._is_held = True
        self._stage.unawaited.pop(self, None)
        await anyio.lowlevel.checkpoint()
        subject = await self._begin()
        for step in self._steps:
            await step(subject)
        return subject

    def then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> Self:
        """Write another turn down, *words* in a program: *step* is called with the subject and the arguments.

        For the kinds of conversation, whose methods have better names.
        """
        self._steps.append(partial(_turn, step, arguments))
        self._words += f".{words}"
        return self


async def _turn(step: Callable[..., Awaitable[None]], arguments: tuple[object, ...], subject: object) -> None:
    __tracebackhide__ = True
    await anyio.lowlevel.checkpoint()
    await step(subject, *arguments)


def already(subject: S) -> Begin[S]:
    """Give a beginning for turns whose subject is there already."""

    async def begin() -> S:
        await anyio.lowlevel.checkpoint()
        return subject

    return begin
