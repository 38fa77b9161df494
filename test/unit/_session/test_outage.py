"""An outage, told the time: how long to wait and to try, when to give up, and what is said then."""

from __future__ import annotations

import pytest

from elarian_trio._session.outage import Outage
from elarian_trio.errors import ConnectionFailed, ConnectionLost
from elarian_trio.options import Backoff, ConnectionOptions

CUT = ConnectionLost("the transport was lost", sent=False)
REFUSED = ConnectionFailed("connection refused")


def outage(give_up_after: float | None = None) -> Outage:
    """One whose delays are exact; the connect_timeout is 10 s, the keepalive_lifetime 30 s."""
    backoff = Backoff(jitter=0.0, give_up_after=give_up_after)
    return Outage(ConnectionOptions(reconnect=backoff), lambda: 0.5)


def test_delays_follow_the_backoff_from_when_the_outage_began() -> None:
    """This SDK: quick attempts for ten seconds of it where the session may be resumed, rare ones after minutes."""
    present = outage()
    present.begin(1000.0)
    assert present.fail(CUT, 1000.0, resumable=True) == 0.25
    assert present.fail(REFUSED, 1009.9, resumable=True) == 0.25
    assert present.fail(REFUSED, 1010.0, resumable=True) == 0.5
    assert present.fail(REFUSED, 1010.5, resumable=False) == 0.8
    assert present.fail(REFUSED, 1300.0, resumable=False) == 1.6


def test_it_keeps_what_failed_last() -> None:
    """This SDK: whoever logs it sees whether something else is the matter."""
    present = outage()
    present.begin(0.0)
    assert present.failure is None
    for failure in (CUT, REFUSED):
        present.fail(failure, 0.0, resumable=False)
        assert present.failure is failure


def test_answer_ends_it_and_what_was_known_of_it() -> None:
    """This SDK: the delays begin anew when the peer has answered, and nothing has failed since."""
    present = outage()
    present.begin(0.0)
    for _ in range(3):
        present.fail(REFUSED, 1.0, resumable=False)
    present.end()
    assert present.failure is None
    present.begin(50.0)
    assert present.fail(CUT, 50.0, resumable=False) == 0.25


def test_it_is_long_after_five_minutes() -> None:
    """This SDK: until then a session that may be resumed is waited for."""
    present = outage()
    present.begin(100.0, heard=80.0)
    assert not present.is_long(399.9)
    assert present.is_long(400.0)


def test_without_a_limit_nobody_gives_up() -> None:
    """Options: ``give_up_after=None``."""
    present = outage()
    present.begin(0.0)
    assert present.fail(REFUSED, 1e9, resumable=False) == 1.0
    present.require_time(1e9)


def test_giving_up_is_counted_from_the_last_answer() -> None:
    """Options: ``give_up_after`` is since the peer last answered, not since its silence was noticed."""
    present = outage(give_up_after=60.0)
    present.begin(100.0, heard=90.0)
    present.fail(REFUSED, 149.0, resumable=False)
    present.require_time(149.9)
    with pytest.raises(ConnectionFailed, match="gave up after 60 s without an answer: connection refused") as caught:
        present.require_time(150.0)
    assert caught.value.__cause__ is REFUSED


def test_giving_up_is_counted_from_now_where_nobody_was_heard() -> None:
    """This SDK: the first outage begins before there is anybody to hear."""
    present = outage(give_up_after=60.0)
    present.begin(100.0)
    present.require_time(159.9)
    with pytest.raises(ConnectionFailed):
        present.require_time(160.0)


def test_sleep_of_the_process_is_no_silence_of_the_peer() -> None:
    """A process that slept for hours tries before it gives up: no silence is taken to be longer than the lifetime."""
    present = outage(give_up_after=60.0)
    present.begin(30_000.0, heard=100.0)
    present.require_time(30_029.9)
    with pytest.raises(ConnectionFailed):
        present.require_time(30_030.0)


def test_no_delay_goes_beyond_giving_up() -> None:
    """This SDK: it gives up when it said, not one delay later; late, there is nothing to wait for."""
    present = outage(give_up_after=1.0)
    present.begin(0.0)
    assert present.fail(REFUSED, 0.9, resumable=False) == pytest.approx(0.1)
    assert present.fail(REFUSED, 5.0, resumable=False) == 0.0


def test_it_tells_whether_another_attempt_comes_before_giving_up() -> None:
    """This SDK: the log said that the next attempt follows, and then there was none."""
    present = outage(give_up_after=1.0)
    present.begin(0.0)
    for now, gives_up in ((0.0, False), (0.5, True), (1.5, True)):  # the delays are 0.25 s, then 0.5 s
        present.fail(REFUSED, now, resumable=False)
        assert present.gives_up is gives_up
    present.end()
    present.begin(2.0)
    present.fail(CUT, 2.0, resumable=True)
    assert not present.gives_up


@pytest.mark.parametrize(
    ("give_up_after", "now", "limit"),
    [(60.0, 0.0, 10.0), (60.0, 55.0, 5.0), (0.0, 0.0, 10.0), (None, 1e9, 10.0)],
    ids=["time enough", "cut short", "the only one", "no end"],
)
def test_attempt_takes_no_longer_than_there_is_time(give_up_after: float | None, now: float, limit: float) -> None:
    """Options: ``connect_timeout`` bounds an attempt; ``give_up_after=0`` means one attempt, not none."""
    present = outage(give_up_after)
    present.begin(0.0)
    assert present.attempt_limit(now) == limit


def test_attempt_that_took_its_time_says_how_long_that_was() -> None:
    """This SDK: whoever reads it may find the time too short."""
    present = outage(give_up_after=60.0)
    present.begin(0.0)
    present.fail(REFUSED, 0.0, resumable=False)
    assert str(present.late(10.0)) == "no connection was made within 10 s"


def test_attempt_that_giving_up_cut_short_says_what_failed_before() -> None:
    """This SDK: "refused" helps whoever reads it, "nothing within 0.2 s" does not; unless nothing failed before."""
    present = outage(give_up_after=60.0)
    present.begin(0.0)
    assert str(present.late(0.2)) == "no connection was made within 0.2 s"
    present.fail(REFUSED, 0.0, resumable=False)
    assert present.late(0.2) is REFUSED
