"""The sandbox's clock: real, virtual and manual time, and timers that fall due in order."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import anyio
import anyio.lowlevel
import pytest
import trio
import trio.testing

from elarian_trio.sandbox import clock as clocks
from elarian_trio.sandbox.clock import (
    AT_ONCE,
    INSTANT,
    MAX_DOZE,
    MIN_DEAD,
    ManualClock,
    RealClock,
    Timers,
    VirtualClock,
    mock_clock,
    open_clock,
    time_passing,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_clocks_tell_the_time_in_a_debugger() -> None:
    """This SDK: also where no loop runs."""
    assert repr(ManualClock(START)) == "<ManualClock at 2026-01-01T00:00:00+00:00>"
    assert repr(RealClock()).startswith("<RealClock at 2")
    assert repr(VirtualClock(trio.testing.MockClock())).startswith("<VirtualClock at 2")


def test_timers_fall_due_by_time_then_in_the_order_they_were_set() -> None:
    """This SDK: reminders fire in due order, and equal times in the order in which they were asked for."""
    timers, heard = Timers(), list[str]()
    for seconds, name in ((2, "late"), (1, "first"), (1, "second")):
        timers.add(START + seconds * SECOND, partial(heard.append, name))
    for callback in timers.take_due(START + 2 * SECOND):
        callback()
    assert heard == ["first", "second", "late"]


def test_a_cancelled_timer_is_never_called_and_hides_nothing() -> None:
    """This SDK: an answer cancels its time-out, whatever stands behind it in the queue."""
    timers, heard = Timers(), list[str]()
    gone = timers.add(START, partial(heard.append, "gone"))
    timers.add(START + SECOND, partial(heard.append, "stays"))
    gone.cancel()
    gone.cancel()
    assert timers.next_due == START + SECOND
    for callback in timers.take_due(START + SECOND):
        callback()
    assert heard == ["stays"]
    assert timers.next_due is None


def test_cancelled_timers_do_not_pile_up() -> None:
    """This SDK: a clock that is never advanced must not keep every time-out that was ever set."""
    timers = Timers()
    kept = timers.add(START + SECOND, lambda: None)
    for _ in range(100 * MIN_DEAD):
        timers.add(START + 2 * SECOND, lambda: None).cancel()
    assert len(timers._heap) <= 2 * MIN_DEAD  # the sweep itself cannot be seen from outside
    assert timers.next_due == kept.due


def test_a_timer_cancelled_by_an_earlier_one_is_not_called() -> None:
    """This SDK: what falls due together still takes effect one after another."""
    timers, heard = Timers(), list[str]()
    second = timers.add(START + SECOND, partial(heard.append, "second"))
    timers.add(START, second.cancel)
    for callback in timers.take_due(START + SECOND):
        callback()
    assert heard == []


@pytest.mark.anyio
class TestManual:
    """Time that a test moves; the design's ``await advance(timedelta)``."""

    async def test_it_stands_still(self) -> None:
        """The design: manual time moves by ``advance`` only."""
        clock = ManualClock(START)
        assert clock.now() == START
        await anyio.lowlevel.checkpoint()
        assert clock.now() == START

    async def test_due_timers_see_their_own_time_in_order(self) -> None:
        """The design: reminders fire in due order, each at its time, wherever ``advance`` ends."""
        clock, heard = ManualClock(START), list[datetime]()
        for seconds in (30, 10, 20, 61):
            clock.call_later(seconds, lambda: heard.append(clock.now()))
        await clock.advance(timedelta(minutes=1))
        assert heard == [START + seconds * SECOND for seconds in (10, 20, 30)]
        assert clock.now() == START + timedelta(minutes=1)

    async def test_a_timer_may_set_another_within_the_span(self) -> None:
        """This SDK: a repeating reminder fires as often as the span holds it."""
        clock, heard = ManualClock(START), list[datetime]()

        def again() -> None:
            heard.append(clock.now())
            clock.call_later(15, again)

        clock.call_later(15, again)
        await clock.advance(timedelta(minutes=1))
        assert heard == [START + seconds * SECOND for seconds in (15, 30, 45, 60)]

    async def test_it_settles_after_each_moment_and_at_the_end(self) -> None:
        """The design: ``advance`` returns when all that fell due was delivered."""
        clock, settled = ManualClock(START), list[datetime]()

        async def settle() -> None:
            await anyio.lowlevel.checkpoint()
            settled.append(clock.now())

        clock.settle_with(settle)
        clock.call_later(10, lambda: None)
        await clock.advance(timedelta(minutes=1))
        assert settled == [START, START + 10 * SECOND, START + timedelta(minutes=1)]

    async def test_two_tasks_cannot_advance_at_once(self) -> None:
        """This SDK: time has one mover; a second one is told so instead of waiting for itself."""
        clock, held = ManualClock(START), anyio.Event()

        async def settle() -> None:
            await held.wait()

        clock.settle_with(settle)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(clock.advance, SECOND)
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(anyio.BusyResourceError):
                    await clock.advance(SECOND)
                held.set()

    async def test_what_is_due_already_is_called_without_advancing(self) -> None:
        """Facts, decision 21: a reminder in the past fires immediately."""
        clock, called = ManualClock(START), anyio.Event()
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(clock.run)
                await anyio.wait_all_tasks_blocked()
                clock.call_at(START - SECOND, called.set)
                await called.wait()
                tasks.cancel_scope.cancel()

    async def test_time_does_not_run_backwards(self) -> None:
        """This SDK: a negative span is an error of the caller's."""
        clock = ManualClock(START)
        with pytest.raises(ValueError, match="forward"):
            await clock.advance(-SECOND)

    async def test_time_does_not_run_beyond_the_calendar(self) -> None:
        """This SDK: the error says so, before any time has passed."""
        clock = ManualClock(START)
        with pytest.raises(ValueError, match="9999"):
            await clock.advance(timedelta.max)
        with pytest.raises(ValueError, match=r"the sandbox's calendar ends on 9999-01-01"):
            await clock.advance(LAST - START + timedelta(microseconds=1))
        assert clock.now() == START

    async def test_what_is_set_at_the_calendars_end_is_due_later(self) -> None:
        """A past bug: leases, tokens and retries were an OverflowError where time had come to its very end."""
        clock = ManualClock(START)
        await clock.advance(LAST - START)
        assert clock.call_later(timedelta(days=364).total_seconds(), lambda: None).due > clock.now() == LAST

    async def test_it_does_not_begin_where_it_could_not_have_come(self) -> None:
        """The same, of a clock's start; also where it is beyond all time in UTC."""
        assert ManualClock(LAST).now() == LAST
        for late in (LAST + SECOND, datetime.max.replace(tzinfo=UTC)):
            with pytest.raises(ValueError, match="start must be no later than 9999-01-01"):
                ManualClock(late)
        with pytest.raises(ValueError, match="start must be within the years 1 to 9999"):
            ManualClock(datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))))

    async def test_a_naive_start_is_refused(self) -> None:
        """The design: times are aware."""
        with pytest.raises(ValueError, match="aware"):
            ManualClock(datetime(2026, 1, 1))

    async def test_what_is_no_time_is_refused(self) -> None:
        """errors.py: a TypeError that says what would be right."""
        with pytest.raises(TypeError, match="start must be an aware datetime, got int"):
            ManualClock(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="by must be a timedelta, got int"):
            await ManualClock(START).advance(5)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_real_time_fires_what_is_due_soon() -> None:
    """This SDK: the real clock wakes by itself, also for a timer that is set while it waits for a later one."""
    clock, called = RealClock(), anyio.Event()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            clock.call_later(3600, lambda: None)
            tasks.start_soon(clock.run)
            await anyio.wait_all_tasks_blocked()
            clock.call_later(0.01, called.set)
            await called.wait()
            tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_real_time_lets_others_have_their_turn_between_many_timers() -> None:
    """A past bug: a message by tag to 10,000 customers held every other command up for a second."""
    clock, called, seen = RealClock(passed=lambda: 0.0), list[int](), set[int]()  # nothing takes any time
    due = clock.now()
    for number in range(10 * AT_ONCE):
        clock.call_at(due, partial(called.append, number))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(clock.run)
            while len(called) < 10 * AT_ONCE:
                await anyio.lowlevel.checkpoint()
                seen.add(len(called))
            tasks.cancel_scope.cancel()
    assert called == list(range(10 * AT_ONCE))
    assert len(seen) > 3  # Trio shuffles whose turn it is, so not after each batch


@pytest.mark.parametrize(("others", "expected"), [(0.0, AT_ONCE), (0.02, 200), (60.0, 500)])
def test_timers_have_as_long_at_a_time_as_others_had(others: float, expected: int) -> None:
    """A past bug: with 1,024 commands under way, 64 timers a turn were too few, and news came ever later, by seconds.

    But nobody waits for longer than a twentieth of a second.
    """
    machine, called = Machine(), list[float]()

    def take_time() -> None:
        called.append(machine.passed)
        machine.live(0.0001)

    for _ in range(1_000):
        machine.clock.call_at(machine.clock.now(), take_time)
    machine.clock._fire(machine.clock.now())
    before = len(called)
    machine.live(others)
    machine.clock._fire(machine.clock.now())
    assert len(called) - before == pytest.approx(expected, abs=1)


@pytest.mark.anyio
async def test_real_time_is_advanced_once_all_that_fell_due_was_called() -> None:
    """The design: advance returns when all that fell due was delivered, however much that is."""
    clock, called = RealClock(), list[int]()
    for number in range(3 * AT_ONCE):
        clock.call_at(clock.now(), partial(called.append, number))
    await clock.advance(timedelta(milliseconds=1))
    assert called == list(range(3 * AT_ONCE))


@pytest.mark.anyio
async def test_real_time_is_near_the_computers() -> None:
    """The design: "real" is the time that user code sees, too."""
    assert abs(RealClock().now() - datetime.now(UTC)) < timedelta(seconds=5)


class Machine:
    """A machine's clocks, as a test sets them."""

    def __init__(self) -> None:
        self.wall = START
        self.passed = 1000.0
        self.awake = 400.0
        self.clock = RealClock(wall=lambda: self.wall, passed=lambda: self.passed, awake=lambda: self.awake)

    def live(self, seconds: float) -> None:
        """Let time pass, awake."""
        self.awake += seconds
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        """Let time pass, asleep."""
        self.passed += seconds
        self.wall += seconds * SECOND

    async def fire(self) -> None:
        """Have what is due called, and no more."""
        with anyio.move_on_after(0):
            await self.clock.run()


@pytest.mark.anyio
@pytest.mark.parametrize("days", [1, -1])
async def test_corrections_of_the_computers_clock_move_nothing(days: int) -> None:
    """The issue: a clock that jumps a day either way sticks no lease, and ends none that is held."""
    machine, heard = Machine(), list[datetime]()
    machine.clock.call_at(START + 90 * SECOND, lambda: heard.append(machine.clock.now()))
    machine.wall += timedelta(days=days)
    machine.live(89)
    await machine.fire()
    assert heard == []
    assert machine.clock.now() == START + 89 * SECOND
    machine.live(1)
    await machine.fire()
    assert heard == [START + 90 * SECOND]


@pytest.mark.anyio
async def test_on_waking_what_fell_due_is_called_but_nobody_has_less_time_to_answer() -> None:
    """The issue: the machine sleeps 8 h. What has a time of its own is due; who could not answer still may."""
    machine, heard = Machine(), list[str]()
    machine.clock.call_at(START + timedelta(hours=1), partial(heard.append, "reminder"))
    machine.clock.call_later(35, partial(heard.append, "nobody answered"))
    gone = machine.clock.call_later(35, partial(heard.append, "given up, but answered"))
    machine.live(10)
    machine.sleep(8 * 3600)
    assert machine.clock.now() == START + timedelta(hours=8, seconds=10)
    await machine.fire()
    assert heard == ["reminder"]
    machine.live(24.5)
    gone.cancel()
    await machine.fire()
    assert heard == ["reminder"]
    machine.live(0.5)
    await machine.fire()
    assert heard == ["reminder", "nobody answered"]


@pytest.mark.anyio
async def test_sleep_is_counted_once_however_often_it_is_looked_for() -> None:
    """This SDK: many naps add up, none twice."""
    machine, heard = Machine(), list[str]()
    machine.clock.call_later(35, partial(heard.append, "nobody answered"))
    for _ in range(7):
        machine.sleep(600)
        machine.live(4.9)
        await machine.fire()
        await machine.fire()
    assert heard == []
    machine.live(0.7)
    await machine.fire()
    assert heard == ["nobody answered"]


@pytest.mark.trio
async def test_a_loop_whose_clock_slept_looks_at_the_time_soon(autojump_clock: trio.testing.MockClock) -> None:
    """This SDK: loops count without sleep, so a wait that was set before would end hours late."""
    machine, called = Machine(), anyio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(machine.clock.run)
        machine.clock.call_at(START + timedelta(hours=8), called.set)
        await trio.testing.wait_all_tasks_blocked()
        machine.sleep(8 * 3600)
        with trio.fail_after(2 * MAX_DOZE):
            await called.wait()
        nursery.cancel_scope.cancel()
    assert trio.current_time() <= 2 * MAX_DOZE


def test_time_that_passed_is_pythons_own_where_the_platform_counts_no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: Windows' monotonic clocks count sleep by themselves, and have no other names."""
    passed = time_passing()
    assert passed() <= passed()
    monkeypatch.setattr(clocks, "_WITH_SLEEP", {})
    now = time.monotonic()
    assert now <= time_passing()() <= now + 60


@pytest.mark.anyio
async def test_without_a_mock_clock_auto_is_real_and_virtual_is_refused() -> None:
    """The design: "auto" follows Trio's MockClock where one runs, else real time."""
    assert mock_clock() is None
    assert isinstance(open_clock("auto"), RealClock)
    assert isinstance(open_clock("manual"), ManualClock)
    with pytest.raises(ValueError, match="manual"):
        open_clock("virtual")


def test_outside_a_loop_there_is_no_mock_clock() -> None:
    """This SDK: asking is harmless anywhere."""
    assert mock_clock() is None


@pytest.mark.trio
async def test_virtual_time_passes_a_year_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """The design: with a MockClock a year passes at once, since nothing ticks while it is idle."""
    clock, heard = open_clock("auto"), list[timedelta]()
    assert isinstance(clock, VirtualClock)
    begun = clock.now()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clock.run)
        clock.call_later(3600, lambda: heard.append(clock.now() - begun))
        clock.call_later(365 * 86400, lambda: heard.append(clock.now() - begun))
        await clock.advance(timedelta(days=365))
        nursery.cancel_scope.cancel()
    assert [round(passed.total_seconds(), 3) for passed in heard] == [3600, 365 * 86400]
    assert round((clock.now() - begun).total_seconds(), 3) == 365 * 86400


@pytest.mark.trio
async def test_virtual_time_without_autojump_goes_from_deadline_to_deadline(
    mock_clock: trio.testing.MockClock,
) -> None:
    """This SDK: a MockClock that stands still is moved by ``advance``, and the program's own sleeps wake in between."""
    clock, heard = open_clock("virtual"), list[str]()
    begun = clock.now()

    async def sleeper() -> None:
        await trio.sleep(5)
        heard.append(f"sleeper at {round((clock.now() - begun).total_seconds())}")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(clock.run)
        nursery.start_soon(sleeper)
        clock.call_later(10, lambda: heard.append(f"timer at {round((clock.now() - begun).total_seconds())}"))
        await clock.advance(timedelta(seconds=10))
        nursery.cancel_scope.cancel()
    assert heard == ["sleeper at 5", "timer at 10"]


@pytest.mark.trio
@pytest.mark.parametrize("threshold", [0.0, math.inf], ids=["by autojump", "by jumps"])
async def test_virtual_time_calls_nothing_a_microsecond_early_nor_late(
    mock_clock: trio.testing.MockClock, threshold: float
) -> None:
    """A past bug: who was called early asked for the same time again, and was called at once, for ever."""
    mock_clock.autojump_threshold = threshold
    clock, heard = open_clock("virtual"), list[datetime]()
    due = clock.now() + SECOND
    clock.call_at(due, lambda: heard.append(clock.now()))
    await clock.advance(SECOND - INSTANT)
    assert not heard
    await clock.advance(INSTANT)
    assert heard == [due]


@pytest.mark.trio
@pytest.mark.parametrize("threshold", [0.0, math.inf], ids=["by autojump", "by jumps"])
async def test_an_advance_of_virtual_time_never_falls_short_of_its_end(
    mock_clock: trio.testing.MockClock, threshold: float
) -> None:
    """This SDK: Trio's clock is a float, which may fall short of the end; what is due there is called all the same."""
    mock_clock.autojump_threshold = threshold
    clock, heard = open_clock("virtual"), list[datetime]()
    mock_clock.jump(1e9)  # decades, after which a float counts in steps of 0.1 microseconds
    for number in range(1, 200):
        mock_clock.jump(1 / 3)
        due = clock.now() + timedelta(seconds=number / 7)
        clock.call_at(due, lambda: heard.append(clock.now()))
        await clock.advance(due - clock.now())
        assert len(heard) == number
        assert due <= heard[-1] <= due + INSTANT
