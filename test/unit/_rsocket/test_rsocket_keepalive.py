"""The two timers and the open KEEPALIVEs, given any time."""

from __future__ import annotations

import math

from elarian_trio._rsocket.keepalive import Keepalive


def test_nothing_is_due_before_the_start() -> None:
    """This SDK: an untimed connection never starts its timers."""
    keepalive = Keepalive()
    assert keepalive.deadline() is None
    assert not keepalive.is_due(1e9)
    assert not keepalive.is_over(1e9)


def test_the_client_speaks_every_interval() -> None:
    """Specification (checklist 48): the first one interval after the start; a long pause asks for one, not many."""
    keepalive = Keepalive()
    keepalive.start(100.0, interval=10.0, lifetime=1000.0)
    assert keepalive.deadline() == 110.0
    assert not keepalive.is_due(109.9)
    assert keepalive.is_due(110.0)
    keepalive.spoke(160.0)
    assert not keepalive.is_due(169.9)
    assert keepalive.is_due(170.0)


def test_only_what_is_heard_extends_the_lifetime() -> None:
    """Specification (checklist 50, 51)."""
    keepalive = Keepalive()
    keepalive.start(100.0, interval=math.inf, lifetime=30.0)
    assert keepalive.deadline() == 130.0
    assert keepalive.is_over(130.0)
    keepalive.heard(120.0)
    assert not keepalive.is_over(149.9)
    assert keepalive.is_over(150.0)


def test_round_trips_are_told_once_for_each_ping() -> None:
    """This SDK: answers are matched by data, which is fresh each time."""
    keepalive = Keepalive()
    first, second = keepalive.ping(1.0), keepalive.ping(2.0)
    assert len(first) == len(second) == 8
    assert first != second
    assert keepalive.answered(second, 4.0) == 2.0
    assert keepalive.answered(second, 5.0) is None
    assert keepalive.answered(first, 5.0) == 4.0
    assert keepalive.answered(b"", 5.0) is None


def test_pings_that_are_never_answered_are_forgotten_in_the_end() -> None:
    """This SDK: no buffer without a bound."""
    keepalive = Keepalive()
    pings = [keepalive.ping(0.0) for _ in range(1025)]
    assert keepalive.answered(pings[0], 1.0) is None
    assert keepalive.answered(pings[1], 1.0) == 1.0
