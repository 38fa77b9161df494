"""The order in which frames of all kinds leave a connection, and what holds them back."""

from __future__ import annotations

import pytest

from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.outbox import Outbox
from elarian_trio._rsocket.resume import Resumption

ERROR = f.ErrorFrame(0, f.ErrorCode.CONNECTION_CLOSE)


@pytest.fixture(name="resumption")
def make_resumption() -> Resumption:
    """Give the counts of a session with room for 100 bytes."""
    resumption = Resumption()
    resumption.begin(b"token", 100)
    return resumption


@pytest.fixture(name="outbox")
def make_outbox(resumption: Resumption) -> Outbox:
    """Give an outbox that cuts payloads at 64 bytes."""
    return Outbox(64, resumption)


def drain(outbox: Outbox) -> list[f.Frame]:
    """Take everything that may leave, in order."""
    out: list[f.Frame] = []
    while outbox:
        departure = outbox.take()
        assert departure is not None
        frame = f.decode_frame(departure.data)
        assert frame is not None
        assert departure.stream_id in (0, getattr(frame, "stream_id", 0))
        out.append(frame)
    assert outbox.take() is None
    return out


def answer(stream_id: int, size: int = 0) -> f.PayloadFrame:
    """Give an answer of *size* bytes, which makes a frame of 6 more."""
    return f.PayloadFrame(stream_id, bytes(size), complete=True, next_=True)


def test_everything_leaves_in_its_order(outbox: Outbox, resumption: Resumption) -> None:
    """Specification (checklist 48, 56): a KEEPALIVE never waits behind a payload, nothing new before the replay."""
    resumption.keep(b"kept")
    assert resumption.rewind(0)
    outbox.farewell = ERROR
    outbox.turns.put(answer(3))
    outbox.turns.put_cancel(f.CancelFrame(1))
    outbox.put_echo(f.KeepaliveFrame(b"echo"))
    outbox.put_ping(f.KeepaliveFrame(b"ours", respond=True))
    outbox.opening = f.ResumeOkFrame(0)
    leaving = [departure.data for _ in range(4) if (departure := outbox.take())]
    assert leaving[3] == b"kept"
    assert [f.decode_frame(data) for data in leaving[:3]] == [
        f.ResumeOkFrame(0),
        f.KeepaliveFrame(b"ours", respond=True),
        f.KeepaliveFrame(b"echo"),
    ]
    assert drain(outbox) == [f.CancelFrame(1), answer(3), ERROR]


def test_only_the_opening_passes_what_is_held(outbox: Outbox, resumption: Resumption) -> None:
    """Specification (checklist 55): a RESUME leaves alone."""
    resumption.keep(b"kept")
    assert resumption.rewind(0)
    outbox.put_ping(f.KeepaliveFrame())
    outbox.turns.put(answer(1))
    outbox.is_held = True
    assert drain(outbox) == []
    outbox.opening = f.ResumeFrame(b"token", 0, 0)
    assert drain(outbox) == [f.ResumeFrame(b"token", 0, 0)]


def test_keepalives_say_how_far_we_have_received(outbox: Outbox, resumption: Resumption) -> None:
    """Specification (checklist 54): both kinds, at the time they leave."""
    outbox.put_ping(f.KeepaliveFrame(respond=True))
    outbox.put_echo(f.KeepaliveFrame())
    resumption.count_in(f.encode_frame(answer(1, 10)))
    assert [getattr(frame, "position", None) for frame in drain(outbox)] == [16, 16]


def test_without_a_session_positions_stay_0(outbox: Outbox) -> None:
    """Specification: 0 is "not supported", and nothing is held back."""
    resumption = Resumption()
    outbox = Outbox(64, resumption)
    resumption.count_in(f.encode_frame(answer(1, 10)))
    outbox.put_ping(f.KeepaliveFrame())
    for stream_id in range(1, 100):
        outbox.turns.put(answer(stream_id, 50))
    assert drain(outbox) == [f.KeepaliveFrame(), *(answer(stream_id, 50) for stream_id in range(1, 100))]
    assert resumption.kept_bytes == 0


def test_a_frame_without_room_holds_back_those_behind_it_but_no_keepalive(
    outbox: Outbox, resumption: Resumption
) -> None:
    """This SDK: order never changes, and the peer is asked for its position instead."""
    outbox.turns.put(answer(1, 50))
    outbox.turns.put(answer(2, 50))
    outbox.turns.put(answer(3))
    sent, question = drain(outbox)
    assert sent == answer(1, 50)
    assert isinstance(question, f.KeepaliveFrame)
    assert question.respond
    assert outbox.is_blocked
    outbox.put_echo(f.KeepaliveFrame(b"echo"))
    assert drain(outbox) == [f.KeepaliveFrame(b"echo")]
    assert resumption.acknowledge(56)
    assert drain(outbox)[:2] == [answer(2, 50), answer(3)]


def test_a_held_back_frame_can_be_dropped(outbox: Outbox) -> None:
    """Specification (checklist 68): nothing of a request that was never kept leaves."""
    outbox.turns.put(answer(1, 50))
    outbox.turns.put(answer(2, 50))
    outbox.turns.put(answer(3))
    drain(outbox)
    outbox.turns.drop(2)
    assert drain(outbox) == [answer(3)]


def test_a_frame_larger_than_the_store_leaves_alone(resumption: Resumption) -> None:
    """This SDK: once nothing else is kept."""
    outbox = Outbox(1000, resumption)
    outbox.turns.put(answer(1, 1))
    outbox.turns.put(answer(2, 500))
    outbox.turns.put(answer(3))
    assert drain(outbox)[0] == answer(1, 1)
    assert resumption.acknowledge(7)
    assert drain(outbox) == [answer(2, 500)]
    assert resumption.acknowledge(7 + 506)
    assert answer(3) in drain(outbox)


def test_echoes_are_bounded_in_number_and_bytes(outbox: Outbox) -> None:
    """This SDK: a peer that asks and never reads costs a bounded amount; the newest answers are kept."""
    for number in range(2000):
        outbox.put_echo(f.KeepaliveFrame(number.to_bytes(2, "big")))
    echoes = [int.from_bytes(getattr(frame, "data", b""), "big") for frame in drain(outbox)]
    assert echoes == list(range(2000 - 1024, 2000))
    for number in range(5):
        outbox.put_echo(f.KeepaliveFrame(bytes((number,)) * 600_000))
    assert [getattr(frame, "data", b"")[0] for frame in drain(outbox)] == [4]
    outbox.put_echo(f.KeepaliveFrame(bytes(2_000_000)))
    assert len(drain(outbox)) == 1


def test_losing_the_transport_drops_what_is_not_counted(outbox: Outbox) -> None:
    """Specification: KEEPALIVEs and the opening mean nothing on another transport."""
    outbox.opening = f.ResumeOkFrame(0)
    outbox.turns.put(answer(1))
    outbox.put_ping(f.KeepaliveFrame())
    outbox.put_echo(f.KeepaliveFrame(bytes(600_000)))
    outbox.drop_uncounted()
    outbox.put_echo(f.KeepaliveFrame(bytes(600_000)))
    assert [type(frame) for frame in drain(outbox)] == [f.KeepaliveFrame, f.PayloadFrame]


def test_clear_forgets_everything(outbox: Outbox) -> None:
    """This SDK: after the end nothing of before leaves."""
    outbox.opening = f.ResumeOkFrame(0)
    outbox.farewell = ERROR
    outbox.turns.put(answer(1))
    outbox.put_ping(f.KeepaliveFrame())
    outbox.clear()
    assert drain(outbox) == []
