"""Order and bounds of what waits to be sent."""

from __future__ import annotations

from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.outbox import Outbox


def drain(outbox: Outbox) -> list[f.Frame]:
    """Take everything, in order."""
    out: list[f.Frame] = []
    while (frame := outbox.take_keepalive() or outbox.take()) is not None:
        out.append(frame)
    return out


def ids(frames: list[f.Frame]) -> list[int]:
    """Give the streams that *frames* are on."""
    return [getattr(frame, "stream_id", 0) for frame in frames]


def large(stream_id: int, pieces: int = 3) -> f.PayloadFrame:
    """Give an answer that is cut into *pieces* at a fragment size of 64."""
    return f.PayloadFrame(stream_id, bytes(55 * pieces), complete=True, next_=True)


def test_pings_and_echoes_overtake_payloads() -> None:
    """Specification (checklist 48): a KEEPALIVE never waits behind a payload."""
    outbox = Outbox(64)
    outbox.put(large(1))
    first = outbox.take()
    assert isinstance(first, f.PayloadFrame)
    outbox.put_echo(f.KeepaliveFrame(b"echo"))
    outbox.put_ping(f.KeepaliveFrame(b"ours"))
    assert [getattr(frame, "data", b"")[:4] for frame in drain(outbox)] == [b"ours", b"echo", bytes(4), bytes(4)]
    assert not outbox.has_keepalive
    assert outbox.peek() is None


def test_streams_take_turns() -> None:
    """Specification (checklist 42): fragments of several streams interleave, small payloads pass between."""
    outbox = Outbox(64)
    outbox.put(large(1))
    outbox.put(large(3))
    outbox.put(f.PayloadFrame(5, b"small"))
    outbox.put(f.ErrorFrame(7, 0x201))
    assert ids(drain(outbox)) == [1, 3, 5, 7, 1, 3, 1, 3]


def test_only_eight_payloads_are_cut_at_once() -> None:
    """This SDK: each begun payload is memory in the peer; others wait until one has left."""
    outbox = Outbox(64)
    for stream_id in range(1, 11):
        outbox.put(large(stream_id, 2))
    outbox.put(f.PayloadFrame(99, b"small"))
    assert ids(drain(outbox)) == [1, 2, 3, 4, 5, 6, 7, 8, 99, *range(1, 9), 9, 10, 9, 10]
    outbox.put(large(1, 2))
    assert ids(drain(outbox)) == [1, 1]


def test_what_is_dropped_makes_room() -> None:
    """Specification (checklist 43): after a CANCEL the next large payload takes the turn."""
    outbox = Outbox(64)
    for stream_id in range(1, 12):
        outbox.put(large(stream_id, 2))
    outbox.put(f.PayloadFrame(99, b"small"))
    for stream_id in (1, 9, 99, 1, 1000):
        outbox.drop(stream_id)
    left = ids(drain(outbox))
    assert left[:8] == [*range(2, 9), 10]
    assert sorted(left) == sorted([*range(2, 9), 10, 11] * 2)


def test_echoes_are_bounded_in_number_and_bytes() -> None:
    """This SDK: a peer that asks and never reads costs a bounded amount; the newest answers are kept."""
    outbox = Outbox(64)
    for number in range(2000):
        outbox.put_echo(f.KeepaliveFrame(number.to_bytes(2, "big")))
    echoes = [int.from_bytes(getattr(frame, "data", b""), "big") for frame in drain(outbox)]
    assert echoes == list(range(2000 - 1024, 2000))
    for number in range(5):
        outbox.put_echo(f.KeepaliveFrame(bytes((number,)) * 600_000))
    assert [getattr(frame, "data", b"")[0] for frame in drain(outbox)] == [4]
    outbox.put_echo(f.KeepaliveFrame(bytes(2_000_000)))
    assert len(drain(outbox)) == 1


def test_clear_forgets_everything() -> None:
    """This SDK: after the end nothing of before leaves."""
    outbox = Outbox(64)
    for stream_id in range(1, 12):
        outbox.put(large(stream_id))
    outbox.put_cancel(f.CancelFrame(1))
    outbox.put_ping(f.KeepaliveFrame())
    outbox.put_echo(f.KeepaliveFrame())
    outbox.clear()
    assert drain(outbox) == []
    outbox.put(large(1, 2))
    assert ids(drain(outbox)) == [1, 1]


def test_cancels_overtake_payloads_and_what_is_shown_is_what_leaves() -> None:
    """This SDK: a frame is looked at before it is taken, and cancelling what waits changes what is shown."""
    outbox = Outbox(64)
    outbox.put(large(1, 2))
    outbox.put(large(3, 2))
    first = outbox.peek()
    assert first == outbox.peek()
    assert outbox.take() is first
    outbox.drop(3)
    outbox.put_cancel(f.CancelFrame(3))
    assert outbox.peek() == f.CancelFrame(3)
    assert ids(drain(outbox)) == [3, 1]


def test_losing_the_transport_drops_keepalives_only() -> None:
    """Specification: they are not counted, and mean nothing on another transport."""
    outbox = Outbox(64)
    outbox.put(large(1, 2))
    outbox.put_cancel(f.CancelFrame(3))
    outbox.put_ping(f.KeepaliveFrame())
    outbox.put_echo(f.KeepaliveFrame(bytes(600_000)))
    outbox.drop_keepalives()
    outbox.put_echo(f.KeepaliveFrame(bytes(600_000)))
    assert [type(frame) for frame in drain(outbox)] == [
        f.KeepaliveFrame,
        f.CancelFrame,
        f.PayloadFrame,
        f.PayloadFrame,
    ]
