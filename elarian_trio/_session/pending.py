"""Waiters by key: who waits for which stream's answer, or for which KEEPALIVE's.

:mod:`elarian_trio._session.session`, its requests and pings, and the supervisor stand above; the places where tasks
wait and the errors are all that is below. Everything here but :meth:`Waiter.wait` is synchronous, so that a session's
end can wake everybody in one step.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

import anyio.lowlevel

from elarian_trio._session.parking import Spot, asyncio_loop
from elarian_trio.errors import ConnectionLost

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable, Hashable
    from typing import Self

__all__ = ["GivenUp", "Handover", "Pending", "Question", "Waiter"]

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")


class GivenUp(Exception):
    """What a request raises whose caller had it given up, by :meth:`Handover.give_up`."""


class Question(NamedTuple):
    """A request whose answer a function will be called with. Made by :meth:`Session.ask`.

    Attributes:
        call_off: gives it up: the function is not called, and a CANCEL follows what was sent. May be repeated.
        was_received: whether the peer has all of it, as far as its KEEPALIVEs would tell; see
            :meth:`Connection.was_received`.
    """

    call_off: Callable[[], None]
    was_received: Callable[[], bool]


class Waiter(Spot, Generic[T]):
    """One answer that one task waits for, until it is forgotten. Made by :meth:`Pending.catch`.

    The first of :meth:`resolve` and :meth:`fail` counts; later ones do nothing.

    Attributes:
        done: whether there is an answer or an error, taken or not.
        error: what :meth:`fail` was given, if that came first.
    """

    __slots__ = ("_key", "_pending", "_value", "done", "error")

    def __init__(self, pending: Pending[Any, T], key: Hashable) -> None:
        self._parked = None
        self._pending = pending
        self._key = key
        self._value: T | None = None
        self.done: bool = False
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        """Be what catches the answer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Be forgotten."""
        self.forget()

    def forget(self) -> None:
        """Catch no answer any more: what leaving the block does."""
        del self._pending.waiters[self._key]

    def resolve(self, value: T) -> bool:
        """Hand *value* to the waiter; ``False`` if it was done already."""
        if self.done:
            return False
        self.done = True
        self._value = value
        self.unpark()
        return True

    def fail(self, error: Exception) -> bool:
        """Make the waiter raise *error*; ``False`` if it was done already."""
        if self.done:
            return False
        self.done = True
        self.error = error
        self.unpark()
        return True

    def give_up(self) -> None:
        """Wake the task that waits by now, without an answer unless there is one before it runs."""
        self.unpark()

    async def wait(self) -> T:
        """Wait for the answer; at least one checkpoint.

        Raises:
            GivenUp: it was given up.
            Exception: whatever :meth:`fail` was given.

        Cancellation:
            Nothing is left behind but the waiter, which its ``with`` block forgets.
        """
        await self.arrival()
        return self.take()

    def arrival(self) -> Awaitable[object]:
        """Give what is to be awaited at once, and waits for the answer: for requests, which need no coroutine more."""
        return anyio.lowlevel.checkpoint() if self.done else self.park_in(self._pending.loop)

    def take(self) -> T:
        """Give the answer that has arrived; raises as :meth:`wait` does."""
        if self.error is not None:
            raise self.error
        if not self.done:
            raise GivenUp
        return cast("T", self._value)


class Handoff(Generic[T]):
    """One answer that a function is called with, where no task waits. Made by :meth:`Pending.expect`.

    It is forgotten before it is called: of those that can be found none is done.
    """

    __slots__ = ("_call", "_key", "_pending")
    done = False

    def __init__(self, pending: Pending[Any, T], key: Hashable, call: Callable[[T | Exception], None]) -> None:
        self._pending = pending
        self._key = key
        self._call = call

    def resolve(self, outcome: T | Exception) -> bool:
        """Be forgotten, and call with *outcome*; ``False`` if that was done before."""
        expected = self._pending.forget(self._key)
        if expected:
            self._call(outcome)
        return expected

    fail = resolve


class Pending(Generic[K, T]):
    """The waiters of one session, by key. Made in the loop that they wait in.

    Attributes:
        waiters: all that are not forgotten yet, each of which takes itself out.
        loop: the loop, if it is asyncio's.
    """

    __slots__ = ("loop", "waiters")

    def __init__(self) -> None:
        self.waiters: dict[K, Waiter[T] | Handoff[T]] = {}
        self.loop: AbstractEventLoop | None = asyncio_loop()

    def __len__(self) -> int:
        """How many are not forgotten: of tasks, whether they have their answer or not, and of functions."""
        return len(self.waiters)

    def unanswered(self) -> list[K]:
        """Give the keys that have no answer yet."""
        return [key for key, waiter in self.waiters.items() if not waiter.done]

    def catch(self, key: K) -> Waiter[T]:
        """Give a block within which *key*'s answer is caught, from this call on.

        Raises:
            ValueError: somebody waits for *key* already.
        """
        if key in self.waiters:
            msg = f"somebody waits for {key!r} already"
            raise ValueError(msg)
        waiter: Waiter[T] = Waiter(self, key)
        self.waiters[key] = waiter
        return waiter

    def expect(self, key: K, call: Callable[[T | Exception], None]) -> None:
        """Have *call* called, once, with *key*'s answer or error, instead of waiting for it.

        Raises:
            ValueError: somebody waits for *key* already.
        """
        if key in self.waiters:
            msg = f"somebody waits for {key!r} already"
            raise ValueError(msg)
        self.waiters[key] = Handoff(self, key, call)

    def forget(self, key: K) -> bool:
        """Have the function of :meth:`expect` never called; ``False`` if it was called, or never was expected."""
        expected = isinstance(self.waiters.get(key), Handoff)
        if expected:
            del self.waiters[key]
        return expected

    def resolve(self, key: K, value: T) -> bool:
        """Hand *value* to *key*'s waiter; ``False`` if nobody waits for it (any more)."""
        waiter = self.waiters.get(key)
        return waiter is not None and waiter.resolve(value)

    def fail(self, key: K, error: Exception) -> bool:
        """Make *key*'s waiter raise *error*; ``False`` if nobody waits for it (any more)."""
        waiter = self.waiters.get(key)
        return waiter is not None and waiter.fail(error)

    def fail_all(self, error_for: Callable[[K], Exception]) -> int:
        """Wake every waiter that has no answer, each with an error of its own; give how many there were.

        One exception object raised in many tasks would gather all their tracebacks, hence the function.
        """
        return sum(waiter.fail(error_for(key)) for key, waiter in list(self.waiters.items()))


class Handover:
    """What a caller may pass along with a request, to know what became of it, and to give it up from another task.

    Attributes:
        deadline: when it is going to be given up, on anyio's clock; for waits that :meth:`give_up` does not end.
        given_up: whether it was.
        sent: whether the request's first byte was handed to the transport, so that the peer may have acted on it;
            true to fact once the request has ended.
    """

    __slots__ = ("_waiter", "deadline", "given_up", "sent")

    def __init__(self) -> None:
        self.deadline: float = math.inf
        self.given_up: bool = False
        self.sent: bool = False
        self._waiter: Waiter[bytes] | None = None

    @property
    def answered(self) -> bool:
        """Whether the peer's answer has come, be it that the caller has yet to take it."""
        return self._waiter is not None and self._waiter.done and not isinstance(self._waiter.error, ConnectionLost)

    def give_up(self) -> None:
        """Wait no longer: the request ends as where its caller is cancelled, but by :exc:`GivenUp`, if unanswered."""
        self.given_up = True
        if self._waiter is not None:
            self._waiter.give_up()

    def follow(self, waiter: Waiter[bytes]) -> None:
        """For the session: note who waits for the answer now."""
        self._waiter = waiter
