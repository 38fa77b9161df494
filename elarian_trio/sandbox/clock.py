"""Wall time that tests may move: the one place where the sandbox's timers come from.

The sandbox's server and delivery stand above and ask for the present and for calls at a later time; anyio is below,
and Trio's MockClock where one runs. The rules in :mod:`.world` never see a clock: they are told the time.
"""

from __future__ import annotations

import heapq
import math
import sys
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import anyio
import anyio.lowlevel
import trio

from elarian_trio._arguments import require
from elarian_trio.models.checks import check_datetime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    # It loads pytest where that is installed, and whoever runs with its MockClock has loaded it.
    import trio.testing  # noqa: TC004

__all__ = [
    "Clock",
    "ClockName",
    "ManualClock",
    "RealClock",
    "Timer",
    "VirtualClock",
    "mock_clock",
    "open_clock",
    "reopen_clock",
]

ClockName: TypeAlias = Literal["auto", "real", "virtual", "manual"]

NAMES = ("auto", "real", "virtual", "manual")
_LAST = datetime(9999, 1, 1, tzinfo=UTC)  # leaves a year to what is set then and due later, before datetime ends
INSTANT = timedelta(microseconds=1)  # the finest step of a datetime; waiting for less would wait for nothing
AT_ONCE = 64  # timers called before others have their turn: a message by tag may be one for each of 100,000
MAX_STINT = 0.05  # seconds that more of them may take where others had as long: else all is ever later under load
MIN_DEAD = 64  # cancelled timers are swept out once there are this many and they outnumber the living
MAX_DOZE = 10.0  # seconds until time is looked at again while a timer is set: a loop's own clock may miss a sleep
MIN_SLEEP = 1.0  # seconds; less between two clocks is no sleep, but the time it takes to read both
_WITH_SLEEP = {"linux": "CLOCK_BOOTTIME", "darwin": "CLOCK_MONOTONIC"}  # clocks that go on while the machine sleeps


class Timer:
    """A call that is due later. Made by :meth:`Clock.call_at`."""

    __slots__ = ("_timers", "callback", "due", "is_patience")

    def __init__(self, due: datetime, callback: Callable[[], None], timers: Timers) -> None:
        self.due: datetime = due
        self.is_patience: bool = False  # how long somebody may take, who cannot hurry while the machine sleeps
        self.callback: Callable[[], None] | None = callback
        self._timers = timers

    def cancel(self) -> None:
        """Have it never called; does nothing once it was."""
        if self.callback is not None:
            self.callback = None
            self._timers.note_cancelled()


class Timers:
    """Timers in due order; equal times in the order in which they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._counter = count()
        self._dead = 0

    def add(self, due: datetime, callback: Callable[[], None]) -> Timer:
        """Note *callback* for *due*."""
        timer = Timer(due, callback, self)
        heapq.heappush(self._heap, (due, next(self._counter), timer))
        return timer

    def note_cancelled(self) -> None:
        """Count a dead timer, and sweep when they are many: a manual clock may never get to their due times."""
        self._dead += 1
        if self._dead >= MIN_DEAD and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._dead = 0

    def put_off(self, by: timedelta) -> None:
        """Give everybody who may take some time so much more of it."""
        for _, _, timer in self._heap:
            if timer.is_patience:
                timer.due += by
        self._heap = [(timer.due, number, timer) for _, number, timer in self._heap]
        heapq.heapify(self._heap)

    @property
    def next_due(self) -> datetime | None:
        """When the earliest living timer is due."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
            self._dead -= 1
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: datetime) -> Iterator[Callable[[], None]]:
        """Give the callbacks due by *now*, also those set meanwhile, one by one."""
        while (due := self.next_due) is not None and due <= now:
            timer = heapq.heappop(self._heap)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                yield callback


class Clock(ABC):
    """The sandbox's clock: ``sandbox.clock``."""

    _max_doze: ClassVar[float] = math.inf  # seconds

    def __init__(self) -> None:
        self._timers = Timers()
        self._rearm: anyio.Event | None = None  # set: an earlier timer came up while run() waits
        self._advancing = anyio.ResourceGuard("advancing")
        self._settle: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint

    def __repr__(self) -> str:
        """Tell the time."""
        return f"<{type(self).__name__} at {self.now().isoformat()}>"

    @abstractmethod
    def now(self) -> datetime:
        """Give the sandbox's present, an aware datetime in UTC. Synchronous."""

    async def advance(self, by: timedelta) -> None:
        """Let *by* pass, and return when all that fell due meanwhile was delivered.

        A manual clock is moved, and what falls due comes in due order, each at its own time. Trio's MockClock is
        moved likewise, or, with autojump, slept on. Real time is waited for. Delivered means: answered by the app (or
        the phone) that heard of it; kept because nobody is there or the app is busy; or in its hands, and no answer
        seems to be coming: virtual time waits until every task of the program waits, manual time until nothing was
        heard for half a real second, 35 at most.

        Raises:
            ValueError: *by* is negative, or leads beyond the calendar's end.
            TypeError: it is no timedelta.
            BusyResourceError: another task is advancing this clock.

        Cancellation:
            Always a checkpoint. Time stays where it had got to.
        """
        require("by", timedelta, by)
        if by < timedelta(0):
            msg = f"time moves forward only, got {by!r}"
            raise ValueError(msg)
        if by > _LAST - self.now():
            msg = f"the sandbox's calendar ends on {_LAST:%Y-%m-%d}, before {by!r} have passed"
            raise ValueError(msg)
        with self._advancing:
            await self._rest()
            await self._pass(by)
            await self._rest()

    async def _rest(self) -> None:
        """Wait, within a bound, until what was under way is delivered."""
        await self._settle()

    @abstractmethod
    async def _pass(self, by: timedelta) -> None:
        """Let *by* pass, calling what falls due."""

    # For the sandbox.

    def settle_with(self, settle: Callable[[], Awaitable[None]]) -> None:
        """Have :meth:`advance` wait for *settle*, which waits (within a bound) until nothing is under way."""
        self._settle = settle

    def forget(self) -> None:
        """Call nothing that was asked for until now: whoever asked is gone."""
        self._timers = Timers()

    def call_at(self, due: datetime, callback: Callable[[], None]) -> Timer:
        """Have *callback* called, synchronously, at *due*, or soon where that has passed already."""
        earliest = self._timers.next_due
        timer = self._timers.add(due, callback)
        if self._rearm is not None and (earliest is None or due < earliest):
            self._rearm.set()
        return timer

    def call_later(self, seconds: float, callback: Callable[[], None], *, after_advance: bool = False) -> Timer:
        """Have *callback* called in *seconds* of being awake; see :meth:`call_at`.

        With *after_advance*, a manual clock that is being advanced counts from where it will stand still: whoever has
        to answer cannot do so while time leaps.
        """
        since = self._rests_at() if after_advance else self.now()
        timer = self.call_at(since + timedelta(seconds=seconds), callback)
        timer.is_patience = True
        return timer

    def _rests_at(self) -> datetime:
        """When time is next as people see it."""
        return self.now()

    async def run(self) -> None:
        """Call what falls due, until cancelled. Wakes for timers only: while none is set, nothing ticks."""
        while True:
            self._rearm = anyio.Event()
            self._fire(self.now())
            due = self._timers.next_due
            wait = math.inf if due is None else max(due - self.now(), INSTANT).total_seconds()
            with anyio.move_on_after(wait if due is None else min(wait, self._max_doze)):
                await self._rearm.wait()

    def _fire(self, now: datetime) -> None:
        for callback in self._timers.take_due(now):
            callback()


class RealClock(Clock):
    """Time as it passes outside, evenly.

    What the computer's clock shows is read once, and from then on seconds are counted. Corrections of the computer's
    clock, be they of a day either way, are not followed: followed backwards, a lease of 90 seconds would be held for a
    day and messages would be older than what they answer; forwards, leases, sessions and tokens would end while in use.
    A restart reads the computer's clock again.

    While the machine sleeps, time passes: on waking, reminders are due, leases and tokens have lapsed. But nobody could
    answer meanwhile, so whoever was being waited for (see :meth:`Clock.call_later`) has as long as before the sleep;
    else a notification that an app has in hand would be delivered twice.

    Args:
        wall: what the computer's clock shows.
        passed: seconds that have passed since some moment, sleep included.
        awake: the same without sleep, as the event loops count.
    """

    _max_doze = MAX_DOZE

    def __init__(
        self,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        passed: Callable[[], float] | None = None,
        awake: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._passed = passed or time_passing()
        self._awake = awake
        self._offset = wall().timestamp() - self._passed()
        self._asleep = self._passed() - awake()
        self._called_at = self._passed()  # when what was due was called last

    def now(self) -> datetime:
        """Give the present."""
        return datetime.fromtimestamp(self._offset + self._passed(), UTC)

    async def _pass(self, by: timedelta) -> None:
        await anyio.sleep(by.total_seconds())
        now = self.now()
        while (due := self._timers.next_due) is not None and due <= now:
            self._fire(now)
            await anyio.lowlevel.checkpoint()

    def _fire(self, now: datetime) -> None:
        """Call some of what is due, or for as long as others had since; the rest has its turn when they had theirs."""
        self._notice_sleep()
        began = self._passed()
        until = began + min(began - self._called_at, MAX_STINT)
        for number, callback in enumerate(self._timers.take_due(now), 1):
            callback()
            if number >= AT_ONCE and self._passed() >= until:
                break
        self._called_at = self._passed()

    def _notice_sleep(self) -> None:
        slept = self._passed() - self._awake() - self._asleep
        if slept >= MIN_SLEEP:
            self._asleep += slept
            self._timers.put_off(timedelta(seconds=slept))


def time_passing() -> Callable[[], float]:
    """Give what tells the seconds since some moment, sleep of the machine included where the platform counts it."""
    number: int | None = getattr(time, _WITH_SLEEP.get(sys.platform, ""), None)
    return time.monotonic if number is None else partial(time.clock_gettime, number)


class VirtualClock(Clock):
    """Time as Trio's MockClock has it; it begins at the real present.

    Args:
        mock: the clock that the running Trio loop goes by.
    """

    def __init__(self, mock: trio.testing.MockClock) -> None:
        super().__init__()
        self._mock = mock
        self._offset = datetime.now(UTC) - timedelta(seconds=mock.current_time())
        self._reached = datetime.min.replace(tzinfo=UTC)  # where the last advance ended

    def now(self) -> datetime:
        """Give the present; after an advance no less than what that was to reach, of which a float may fall short."""
        return max(self._reached, self._offset + timedelta(seconds=self._mock.current_time()))

    def follow(self, mock: trio.testing.MockClock) -> None:
        """Go by *mock* from now on, and on from the present."""
        present = self.now()
        self._mock = mock
        self._offset = present - timedelta(seconds=mock.current_time())

    async def _rest(self) -> None:
        await trio.testing.wait_all_tasks_blocked()

    async def _pass(self, by: timedelta) -> None:
        end, reached = self._mock.current_time() + by.total_seconds(), self.now() + by
        if math.isfinite(self._mock.autojump_threshold) or self._mock.rate > 0:
            await trio.sleep_until(end)
        else:
            await self._jump_to(end)
        self._reached = max(self._reached, reached)
        self._fire(self.now())  # never before its time: who finds that it is too early asks for the same time again

    async def _jump_to(self, end: float) -> None:
        """Move the clock, which stands still, from one deadline of the program's to the next."""
        await anyio.lowlevel.checkpoint()
        while (left := end - self._mock.current_time()) > 0:
            await trio.testing.wait_all_tasks_blocked()
            pause = trio.lowlevel.current_statistics().seconds_to_next_deadline
            self._mock.jump(min(max(pause, 0.0), left))
            self._fire(self.now())
            await trio.testing.wait_all_tasks_blocked()


class ManualClock(Clock):
    """Time that stands still but for :meth:`advance`; it works on every backend and every transport.

    Args:
        start: where it begins, an aware datetime; the real present if left out. Give one where two runs shall be
            alike to the stamp.

    Raises:
        ValueError: *start* is naive, or beyond the sandbox's calendar, which ends on 9999-01-01.
        TypeError: it is no datetime.
    """

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__()
        self._now = datetime.now(UTC) if start is None else check_datetime("start", start)
        if self._now > _LAST:
            msg = f"start must be no later than {_LAST:%Y-%m-%d}, where the sandbox's calendar ends, got {start!r}"
            raise ValueError(msg)
        self._end: datetime | None = None  # where the present advance ends

    def now(self) -> datetime:
        """Give the present."""
        return self._now

    async def _pass(self, by: timedelta) -> None:
        await anyio.lowlevel.checkpoint()
        self._end = end = self._now + by
        try:
            while (due := self._timers.next_due) is not None and due <= end:
                self._now = max(self._now, due)
                self._fire(self._now)
                await self._rest()
            self._now = max(self._now, end)
        finally:
            self._end = None

    def _rests_at(self) -> datetime:
        return self._end or self._now

    async def run(self) -> None:
        """Call what is due at once where it is set for the present or the past, until cancelled."""
        while True:
            self._rearm = anyio.Event()
            self._fire(self._now)
            await self._rearm.wait()


def mock_clock() -> trio.testing.MockClock | None:
    """Give Trio's MockClock where the running loop goes by one."""
    if "trio.testing" not in sys.modules or not trio.lowlevel.in_trio_run():
        return None
    clock = trio.lowlevel.current_clock()
    return clock if isinstance(clock, trio.testing.MockClock) else None


def open_clock(name: ClockName) -> Clock:
    """Make the clock that *name* says, for the loop that runs.

    Raises:
        ValueError: "virtual" where Trio does not run with a MockClock.
    """
    mock = mock_clock()
    if name == "manual":
        return ManualClock()
    if name == "virtual" and mock is None:
        msg = (
            "clock='virtual' follows Trio's MockClock, and none runs here; clock='manual' with sandbox.clock.advance() "
            "works on every backend"
        )
        raise ValueError(msg)
    return RealClock() if mock is None or name == "real" else VirtualClock(mock)


def reopen_clock(clock: Clock, name: ClockName) -> None:
    """Have *clock*, which *name* made for the loop that ran then, go on by the one that runs now.

    Raises:
        ValueError: one of the two loops goes by Trio's MockClock, and the other does not.
    """
    mock = mock_clock()
    if isinstance(clock, VirtualClock) and mock is not None:
        clock.follow(mock)
    elif isinstance(clock, VirtualClock) or (name == "auto" and mock is not None):
        before, here = ("a MockClock", "none runs") if mock is None else ("real time", "a MockClock runs")
        msg = (
            f"the sandbox went by {before} when it was entered before, and {here} here; make another one, or one with "
            "clock='manual', which works wherever it is entered"
        )
        raise ValueError(msg)
