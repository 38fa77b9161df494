"""The app under test: a client like any other, whose failing handlers are noticed.

The fixtures stand above, the stage that notes failures below.
"""

from __future__ import annotations

from functools import wraps
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

import anyio.lowlevel

from elarian_trio.elarian import Elarian

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self

    from elarian_trio._inbox import Subscription
    from elarian_trio.models.notifications import AnyNotification
    from elarian_trio.testing.stage import Stage

__all__ = ["AppUnderTest"]


class AppUnderTest(Elarian):
    """What the fixture ``elarian_app`` gives: an :class:`~elarian_trio.Elarian`, connected to the test's sandbox.

    In production a handler that raises is logged, and costs its own notification only. In a test that would pass
    unseen: here it is kept in :attr:`failures`, is the cause of the next expectation of a phone's that comes to
    nothing, and else makes the test fail when it has ended.
    """

    _stage: Stage | None = None
    is_listening: bool = False
    """Whether anything of it ever took notifications. Until then they wait with the client, as in production."""

    def watched_by(self, stage: Stage) -> Self:
        """Have *stage* told of what handlers raise. For the fixture.

        Returns:
            The app itself.
        """
        self._stage = stage
        return self

    def unwatched(self) -> None:
        """Have nobody told any more. For the fixture: what handlers raise while the app is leaving is no surprise."""
        self._stage = None

    @property
    def failures(self) -> list[BaseException]:
        """What failed beside the test, and no expectation told of yet, oldest first.

        That is what handlers and ``elarian_program`` raised, and what ended the app's or the sandbox's block. A test
        that provokes such a thing takes it out of here: ``assert isinstance(elarian_app.failures.pop(), ValueError)``.
        """
        return [] if self._stage is None else self._stage.failures

    def on(self, event: str | type[AnyNotification], handler: Callable[..., Any]) -> Self:
        """Have *handler* called for each *event*; see :meth:`Elarian.on`. What it raises is noticed.

        Returns:
            The app itself.

        Raises:
            ValueError: the event is not known, or a subscription takes it.
            TypeError: the handler is no function, or cannot be called so.
        """
        found = self._events.check(event, handler)  # not what watches it, which takes anything
        self.is_listening = self.is_listening or not isinstance(found, str)  # one of the connection's takes nothing
        return super().on(event, self._watch(handler))

    def _subscribe(
        self, types: Iterable[type[AnyNotification]], max_buffer_size: int, *, observe: bool
    ) -> Subscription[Any]:
        self.is_listening = self.is_listening or not observe
        return super()._subscribe(types, max_buffer_size, observe=observe)

    def _watch(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        async def watched(*arguments: object) -> None:
            try:
                result = handler(*arguments)
                if isawaitable(result):
                    await result
            except Exception as error:
                if self._stage is not None:
                    self._stage.fail(error)
                raise
            await anyio.lowlevel.checkpoint()

        return watched
