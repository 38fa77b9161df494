"""Order and bounds of what waits to be sent on streams."""

from __future__ import annotations

from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.turns import Departure, Turns


def drain(turns: Turns) -> list[Departure]:
    """Take everything, in order."""
    out: list[Departure] = []
    while (departure := turns.take()) is not None:
        out.append(departure)
    return out


def drain_some(turns: Turns, number: int) -> list[Departure]:
    """Take so many, in order."""
    return [departure for _ in range(number) if (departure := turns.take()) is not None]


def ids(departures: list[Departure]) -> list[int]:
    """Give the streams of what leaves."""
    return [departure.stream_id for departure in departures]


def large(stream_id: int, pieces: int = 3) -> f.PayloadFrame:
    """Give an answer that is cut into *pieces* at a fragment size of 64."""
    return f.PayloadFrame(stream_id, bytes(55 * pieces), complete=True, next_=True)


def test_streams_take_turns() -> None:
    """Specification (checklist 42): fragments of several streams interleave, small payloads pass between."""
    turns = Turns(64)
    turns.put(large(1))
    turns.put(large(3))
    turns.put(f.PayloadFrame(5, b"small"))
    turns.put(f.ErrorFrame(7, 0x201))
    assert ids(drain(turns)) == [1, 3, 5, 7, 1, 3, 1, 3]


def test_only_eight_payloads_are_cut_at_once() -> None:
    """This SDK: each begun payload is memory in the peer; others wait until one has left."""
    turns = Turns(64)
    for stream_id in range(1, 11):
        turns.put(large(stream_id, 2))
    turns.put(f.PayloadFrame(99, b"small"))
    assert ids(drain(turns)) == [1, 2, 3, 4, 5, 6, 7, 8, 99, *range(1, 9), 9, 10, 9, 10]
    turns.put(large(1, 2))
    assert ids(drain(turns)) == [1, 1]


def test_what_is_dropped_makes_room() -> None:
    """Specification (checklist 43): after a CANCEL the next large payload takes the turn."""
    turns = Turns(64)
    for stream_id in range(1, 12):
        turns.put(large(stream_id, 2))
    turns.put(f.PayloadFrame(99, b"small"))
    for stream_id in (1, 9, 99, 1, 1000):
        turns.drop(stream_id)
    left = ids(drain(turns))
    assert left[:8] == [*range(2, 9), 10]
    assert sorted(left) == sorted([*range(2, 9), 10, 11] * 2)


def test_cancels_overtake_payloads_and_the_size_told_is_that_of_what_leaves() -> None:
    """This SDK: a frame's size is asked before it is taken, and cancelling what waits changes it."""
    turns = Turns(64)
    turns.put(large(1, 2))
    turns.put(large(3, 2))
    size = turns.next_size
    first = turns.take()
    assert first is not None
    assert (size, first.has_more) == (len(first.data), True)
    turns.drop(3)
    turns.put_cancel(f.CancelFrame(3))
    assert turns.next_size == f.HEADER_SIZE
    assert ids(drain(turns)) == [3, 1]
    assert turns.next_size is None


def test_whole_frames_leave_together_up_to_what_comes_between() -> None:
    """This SDK: a run of them ends before one that was cut, at a limit, behind enough, and where a CANCEL waits."""
    turns = Turns(64)
    for stream_id in (1, 3, 5):
        turns.put(f.PayloadFrame(stream_id, b"small"))
    turns.put(large(7, 2))
    turns.put(f.PayloadFrame(9, b"small"))
    turns.put_cancel(f.CancelFrame(11))
    assert turns.take_wholes(1000, 1000) == []
    assert ids(drain_some(turns, 1)) == [11]
    assert turns.take_wholes(1000, 10) == []
    assert [stream_id for stream_id, _ in turns.take_wholes(12, 1000)] == [1, 3]
    assert [stream_id for stream_id, _ in turns.take_wholes(1000, 1000)] == [5]
    assert turns.take_wholes(1000, 1000) == []
    assert ids(drain(turns)) == [7, 9, 7]
    assert turns.waiting_bytes == 0


def test_clear_forgets_everything() -> None:
    """This SDK: after the end nothing of before leaves."""
    turns = Turns(64)
    for stream_id in range(1, 12):
        turns.put(large(stream_id))
    turns.put_cancel(f.CancelFrame(1))
    turns.clear()
    assert drain(turns) == []
    turns.put(large(1, 2))
    assert ids(drain(turns)) == [1, 1]


def test_what_is_held_is_counted_until_it_has_left() -> None:
    """This SDK: a payload that is cut is held as a whole, until its last fragment has left or it is dropped."""
    turns = Turns(64)
    assert turns.waiting_bytes == 0
    turns.put_cancel(f.CancelFrame(1))
    turns.put(f.ErrorFrame(3, 0x201, "no"))
    turns.put(f.PayloadFrame(5, b"data", b"more"))
    small = 6 + (6 + 4 + 2) + (6 + 3 + 8)
    assert turns.waiting_bytes == small
    for stream_id in range(7, 27, 2):  # two more than take turns
        turns.put(large(stream_id, 2))
    assert turns.waiting_bytes == small + 10 * 116
    assert ids(drain_some(turns, 4)) == [1, 3, 5, 7]
    assert turns.waiting_bytes == 10 * 116
    for stream_id in (7, 25, 25):
        turns.drop(stream_id)
    assert turns.waiting_bytes == 8 * 116
    drain(turns)
    assert turns.waiting_bytes == 0
    turns.put(large(1))
    turns.clear()
    assert turns.waiting_bytes == 0
