"""Lanes: each customer's notifications one after the other, and customers side by side."""

from __future__ import annotations

from datetime import UTC, datetime

from post import name_of, parcel

from elarian_trio.sandbox.delivery.lanes import Lane, Lanes

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def names(lane: Lane) -> list[str]:
    """Give what is in a lane, in order."""
    return [name_of(each) for each in lane.queue]


def test_each_customer_has_a_lane_that_is_ready_once() -> None:
    """The design's promise 5: one at a time and in order; different customers in parallel."""
    lanes = Lanes()
    for name, customer in (("1", "asha"), ("2", "juma"), ("3", "asha"), ("4", None)):
        lanes.put(parcel(name, customer))
    assert [names(lane) for lane in lanes.ready] == [["1", "3"], ["2"], ["4"]]
    assert list(lanes) == list(lanes.ready)
    assert lanes.size == 4


def test_a_lane_goes_on_when_its_first_is_done_and_is_gone_with_its_last() -> None:
    """House: nothing is kept for a customer of whom there is nothing to tell."""
    lanes, first, second = Lanes(), parcel("first"), parcel("second")
    lane = lanes.put(first)
    assert lanes.put(second) is lane
    for done in (first, second):
        assert lanes.ready.popleft() is lane
        assert lane in lanes
        lane.busy = lane.lets_pass = True
        lanes.drop(lane, done)
        assert (lane.busy, lane.lets_pass) == (not lane.queue, not lane.queue)
    assert lane not in lanes
    assert (lanes.size, list(lanes), list(lanes.ready)) == (0, [], [])
    assert lanes.put(parcel("third")) is not lane


def test_what_is_given_up_before_its_turn_leaves_the_lane_as_it_is() -> None:
    """This SDK: a customer who hung up is nobody's turn; what is under way to others goes on."""
    lanes, first, second = Lanes(), parcel("first"), parcel("second")
    lane = lanes.put(first)
    lanes.put(second)
    lanes.drop(lane, second)
    assert (list(lanes.ready), names(lane)) == ([lane], ["first"])
    lanes.drop(lane, first)
    assert not lanes.ready


def test_only_a_lane_with_somebody_at_the_phone_is_in_a_hurry() -> None:
    """This SDK: nobody else's lease keeps a customer at the phone waiting, whatever goes before."""
    lanes, hop = Lanes(), parcel("hop", hop="hop")
    lane = lanes.put(parcel("first"))
    assert lane.hurry_at is None
    lanes.put(hop)
    hop.hurry_at = NOW
    assert lane.hurry_at == NOW
    lanes.drop(lane, hop)
    assert (lane.hurry_at, lane.hops) == (None, 0)


def test_the_second_overtakes_and_is_not_made_late_again() -> None:
    """This SDK: two that each let the other pass would never go."""
    lanes, first, second = Lanes(), parcel("first"), parcel("second")
    lane = lanes.put(first)
    lanes.put(second)
    lanes.put(parcel("third"))
    lanes.ready.clear()
    lane.busy = True
    lanes.overtake(lane)
    assert names(lane) == ["second", "first", "third"]
    assert (second.is_timely, first.is_timely, lane.busy, list(lanes.ready)) == (True, False, False, [lane])


def test_who_was_refused_waits_no_longer_once_refusals_are_forgotten() -> None:
    """This SDK: that others were too busy says nothing of a connection that is new; who failed waits all the same."""
    lanes = Lanes()
    refused, failed = lanes.put(parcel("refused", "asha")), lanes.put(parcel("failed", "juma"))
    lanes.ready.clear()
    for lane in (refused, failed):
        lane.busy = True
        lane.queue[0].refusals = 3
    lanes.pause(refused)
    lanes.forget_refusals()
    assert list(lanes.ready) == [refused]
    assert [lane.queue[0].refusals for lane in lanes] == [0, 0]
    lanes.ready.clear()
    lanes.forget_refusals()
    assert not lanes.ready, "it is paused once only"


def test_what_was_cleared_away_is_no_lane_of_these() -> None:
    """This SDK: answers to what a phone was told come after it is gone."""
    lanes = Lanes()
    lane = lanes.put(parcel("first"))
    lanes.pause(lane)
    lanes.clear()
    assert lane not in lanes
    lanes.forget_refusals()
    assert (lanes.size, list(lanes), list(lanes.ready)) == (0, [], [])
