"""The user's own functions, run in the client's task group: notification handlers, and listeners to its state.

The client's ``on()`` stands above; the inbox hands tickets in, synchronously, and never more than there is room for.
"""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from inspect import isawaitable
from pathlib import PurePath
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import anyio.lowlevel

from elarian_trio._inbox.answers import UNSET
from elarian_trio._session import Flag

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from types import FrameType

    from anyio.abc import TaskGroup

    from elarian_trio._inbox.deliveries import Delivery
    from elarian_trio._inbox.inbox import Inbox
    from elarian_trio._inbox.tickets import Ticket
    from elarian_trio.models.messaging import Sendable
    from elarian_trio.models.notifications import AnyNotification

__all__ = ["MAX_RUNNING", "MAX_WAITING", "Answered", "Handler", "Handlers"]

Handler: TypeAlias = "Callable[..., Awaitable[Any] | None]"
"""What ``on()`` takes: an async function, or a plain one."""

MAX_RUNNING = 64  # handlers at once: enough to keep slow ones from holding up the quick, few enough to reason about
MAX_WAITING = 64  # notifications that wait for one of them to end
MAX_PLACES = 8  # lines of code that the log names of a failure, the last ones: what recursion fails on has a thousand

logger = logging.getLogger("elarian_trio.inbox")


class Answered:
    """What a handler's callback gives back: awaiting it does nothing, so that it can be awaited or not."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, None]:
        """Give ``None`` after a checkpoint."""
        return anyio.lowlevel.checkpoint().__await__()


class Handlers:
    """One handler per kind of notification; a taker of all their tickets. Made by the client.

    Attributes:
        room: how many may wait for one to end.
        waiting: how many do.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._handlers: dict[type[AnyNotification], Handler] = {}
        self._tasks: TaskGroup | None = None
        self.room: int = MAX_WAITING
        self.waiting: int = 0
        self._turns: OrderedDict[Ticket, None] = OrderedDict()
        self._running = self._listening = 0
        self._changed = Flag()

    # What the client calls.

    def run_in(self, tasks: TaskGroup) -> None:
        """Run handlers in *tasks* from now on."""
        self._tasks = tasks

    def set(self, kind: type[AnyNotification], handler: Handler) -> None:
        """Take *kind*, or replace its handler.

        Raises:
            ValueError: a subscription takes it.
        """
        is_new = kind not in self._handlers
        if is_new:
            self._inbox.require_free({kind})
        self._handlers[kind] = handler  # first: what waited for a taker starts in open_taker()
        if is_new:
            self._inbox.open_taker(frozenset({kind}), self)

    def remove(self, kind: type[AnyNotification]) -> None:
        """Take *kind* no longer; what waited for its handler is answered REJECTED."""
        if self._handlers.pop(kind, None) is not None:
            self._inbox.close_taker(frozenset({kind}), self)

    def tell(self, listener: Handler, *arguments: object) -> None:
        """Have a listener to the client's state run."""
        if self._tasks is not None:
            self._listening += 1
            self._tasks.start_soon(self._listen, listener, arguments, name=f"elarian_trio listener {_name(listener)}")

    async def wait_idle(self) -> None:
        """Wait until no handler and no listener runs; a checkpoint at least. Cancelled, nothing changes."""
        await anyio.lowlevel.checkpoint()
        while self._running or self._listening:
            await self._changed.wait()

    async def wait_told(self) -> None:
        """Wait until no listener runs; a checkpoint at least. Cancelled, nothing changes."""
        await anyio.lowlevel.checkpoint()
        while self._listening:
            await self._changed.wait()

    # What the inbox calls.

    @property
    def is_idle(self) -> bool:
        """Whether another handler may run."""
        return self._running < MAX_RUNNING

    def ready(self, ticket: Ticket) -> None:
        """Let *ticket*'s handler run."""
        self._turns[ticket] = None
        self._start_more()

    def drop(self, ticket: Ticket) -> None:
        """Forget *ticket*."""
        self._turns.pop(ticket, None)

    def _start_more(self) -> None:
        while self._turns and self._running < MAX_RUNNING and self._tasks is not None:
            ticket, _ = self._turns.popitem(last=False)
            handler = self._handlers.get(type(ticket.notification))
            if handler is None:  # just removed: it is about to be answered REJECTED with the others
                continue
            delivery = self._inbox.hand_out(ticket)
            self._running += 1
            self._tasks.start_soon(self._handle, handler, delivery, name=f"elarian_trio handler {_name(handler)}")

    # The tasks. What a handler raises costs its own notification only.

    async def _handle(self, handler: Handler, delivery: Delivery[Any]) -> None:
        def callback(message: Sendable | None = None, app_data: Any = UNSET) -> Answered:  # noqa: ANN401
            delivery.reply_nowait(message, app_data)
            return Answered()

        error: BaseException | None = None
        delivery.begin()
        try:
            arguments = (delivery.notification, delivery.customer_or_none, delivery.app_data, callback)
            await _run(handler, *arguments)
        except BaseException as raised:
            error = raised
            if _ends_more(raised):
                self._tasks = None  # the client's group is being cancelled: no more handlers
                self._inbox.abandon()  # and no more answers, perhaps before the block itself has heard of it
                raise
            _log(f"the handler of {delivery.event!r}", raised)
        finally:
            delivery.end(error)
            del error  # its traceback holds this frame
            self._running -= 1
            self._notify()
            self._start_more()  # does nothing once the group is being cancelled
        await anyio.lowlevel.checkpoint()

    async def _listen(self, listener: Handler, arguments: tuple[object, ...]) -> None:
        try:
            await _run(listener, *arguments)
        except BaseException as error:
            if _ends_more(error):
                raise
            _log("a listener to the connection's state", error)
        finally:
            self._listening -= 1
            self._notify()
        await anyio.lowlevel.checkpoint()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = Flag()


async def _run(function: Handler, *arguments: object) -> None:
    """Call *function*, which may be an async one or not."""
    result = function(*arguments)
    if isawaitable(result):
        await result
    await anyio.lowlevel.checkpoint()


def _ends_more(error: BaseException) -> bool:
    """Whether *error* concerns more than the function that raised it: Ctrl-C, or the cancellation of our group.

    Under asyncio a function raises CancelledError also where it awaits something else that was cancelled. Let out, that
    would end the client's block without a word, so it counts as any other error of the function's.
    """
    if isinstance(error, anyio.get_cancelled_exc_class()):
        return anyio.current_effective_deadline() == -math.inf
    return not isinstance(error, Exception)


def _log(who: str, error: BaseException) -> None:
    """Say what failed, and where; its own words may hold what customers wrote, so they are for debugging only."""
    logger.error("%s raised %s%s", who, type(error).__name__, _places(error))
    logger.debug("it was raised here", exc_info=error)


def _places(error: BaseException) -> str:
    """Name the lines that *error* went through outside this package, the function's own first."""
    theirs = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__) if not _is_ours(frame)]
    places = [f"{PurePath(code.co_filename).name}:{line} in {code.co_name}" for code, line in theirs[-MAX_PLACES:]]
    return f" at {', '.join(places)}" if places else ""


def _is_ours(frame: FrameType) -> bool:
    """Whether a line is this package's; what is written when first needed has no module's name."""
    module: str = frame.f_globals.get("__name__", "elarian_trio")
    return module.partition(".")[0] == "elarian_trio"


def _name(function: Handler) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
