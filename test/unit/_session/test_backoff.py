"""The delays of the options' Backoff, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio._session import Schedule
from elarian_trio.options import Backoff

CALM = Backoff(jitter=0.0)


def half() -> float:
    """Dice that change nothing."""
    return 0.5


def test_delays_grow_from_first_to_the_cap() -> None:
    """This SDK: the first after ``first``, the n-th after ``base * factor ** (n - 2)``, up to ``cap``."""
    schedule = Schedule(CALM, half)
    delays = [schedule.next_delay(0.0) for _ in range(9)]
    assert delays == pytest.approx([0.25, 0.5, 0.8, 1.28, 2.048, 3.2768, 5.0, 5.0, 5.0])


def test_reset_starts_again() -> None:
    """This SDK: reset when the peer has answered."""
    schedule = Schedule(CALM, half)
    for _ in range(6):
        schedule.next_delay(400.0)
    schedule.reset()
    assert schedule.next_delay(0.0) == 0.25


def test_resumable_session_is_tried_quickly_for_ten_seconds() -> None:
    """This SDK: while the session can be resumed, every ``first`` for the first 10 s; then the growing delays."""
    schedule = Schedule(CALM, half)
    quick = [schedule.next_delay(second * 0.25, resumable=True) for second in range(40)]
    assert quick == [0.25] * 40
    assert schedule.next_delay(10.0, resumable=True) == 0.5
    assert schedule.next_delay(10.5, resumable=True) == 0.8


def test_long_outage_doubles_up_to_the_slow_cap() -> None:
    """This SDK: after 5 minutes of failure the delay doubles up to ``slow_cap``."""
    schedule = Schedule(CALM, half)
    for _ in range(10):
        schedule.next_delay(299.0)
    assert [schedule.next_delay(300.0) for _ in range(5)] == [10.0, 20.0, 40.0, 60.0, 60.0]


def test_first_delay_of_zero_still_grows() -> None:
    """This SDK: a user who sets ``first=0`` gets one attempt at once, not a busy loop."""
    schedule = Schedule(Backoff(first=0.0, jitter=0.0), half)
    assert [schedule.next_delay(0.0) for _ in range(3)] == pytest.approx([0.0, 0.5, 0.8])
    assert Schedule(Backoff(first=0.0, jitter=0.0), half).next_delay(500.0) == 1.0


def test_quick_attempts_without_a_delay_are_no_busy_loop() -> None:
    """This SDK: with ``first=0`` a cut session is resumed at once, a server that is gone asked 100 times a second."""
    schedule = Schedule(Backoff(first=0.0, jitter=0.0), half)
    for _ in range(2):
        assert [schedule.next_delay(0.0, resumable=True) for _ in range(3)] == [0.0, 0.01, 0.01]
        schedule.reset()


def test_refused_resumption_goes_on_with_the_second_delay() -> None:
    """This SDK: the outage is the same one, and quick attempts do not count for the exponent."""
    schedule = Schedule(CALM, half)
    assert [schedule.next_delay(0.0, resumable=True) for _ in range(3)] == [0.25] * 3
    assert [schedule.next_delay(0.75) for _ in range(3)] == pytest.approx([0.5, 0.8, 1.28])


def test_thousands_of_attempts_do_not_overflow() -> None:
    """This SDK: weeks without a server end at the cap, not in OverflowError."""
    schedule = Schedule(Backoff(factor=10.0, jitter=0.0), half)
    assert {schedule.next_delay(0.0) for _ in range(5000)} >= {5.0}


@given(dice=st.floats(0, 1, exclude_max=True), attempts=st.integers(1, 30))
def test_jitter_stays_within_its_share(dice: float, attempts: int) -> None:
    """This SDK: each delay is varied by ``jitter`` either way."""
    plain, varied = Schedule(CALM, half), Schedule(Backoff(jitter=0.2), lambda: dice)
    for _ in range(attempts):
        delay = plain.next_delay(0.0)
        assert 0.8 * delay - 1e-9 <= varied.next_delay(0.0) <= 1.2 * delay + 1e-9
