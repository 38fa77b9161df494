"""Positions, what is kept, when the peer is asked, and when it is believed no more."""

from __future__ import annotations

import pytest
from frame_strategies import frames
from hypothesis import given

from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.resume import Resumption, counts


def started(capacity: int = 100) -> Resumption:
    """Give the counts of a session."""
    resumption = Resumption()
    resumption.begin(b"token", capacity)
    return resumption


def replayed(resumption: Resumption) -> list[bytes]:
    """Give what is repeated."""
    out: list[bytes] = []
    while resumption.replaying:
        data = resumption.next_replay()
        assert data is not None
        out.append(data)
    assert resumption.next_replay() is None
    return out


@pytest.mark.parametrize(
    "frame",
    [
        f.RequestResponseFrame(1),
        f.RequestFnfFrame(1),
        f.RequestStreamFrame(1, 1),
        f.RequestChannelFrame(1, 1),
        f.RequestNFrame(1, 1),
        f.CancelFrame(1),
        f.PayloadFrame(1, next_=True),
        f.ErrorFrame(1, 0x201),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_frames_of_streams_count(frame: f.Frame) -> None:
    """Specification: the eight types that Protocol.md lists."""
    assert counts(f.encode_frame(frame))


@pytest.mark.parametrize(
    "frame",
    [
        f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b""),
        f.LeaseFrame(1, 1),
        f.KeepaliveFrame(),
        f.MetadataPushFrame(),
        f.ResumeFrame(b"", 0, 0),
        f.ResumeOkFrame(0),
        f.ErrorFrame(0, 0x101),
    ],
    ids=lambda frame: type(frame).__name__,
)
@pytest.mark.parametrize("first_byte", [0x00, 0x80], ids=["plain", "reserved bit"])
def test_frames_of_the_connection_do_not_count(frame: f.Frame, first_byte: int) -> None:
    """Specification; the reserved bit of the stream id is no part of it (checklist 5)."""
    assert not counts(bytes((first_byte,)) + f.encode_frame(frame)[1:])


@pytest.mark.parametrize("type_number", [0x01, 0x02, 0x03, 0x0C, 0x0D, 0x0E])
def test_a_connections_frame_on_a_stream_does_not_count(type_number: int) -> None:
    """Specification: Protocol.md counts by type; nobody may send these."""
    assert not counts(b"\0\0\0\1" + (type_number << 10).to_bytes(2, "big"))


@pytest.mark.parametrize("type_number", [0x00, 0x0F, 0x3E, 0x3F])
def test_unknown_types_on_a_stream_count(type_number: int) -> None:
    """Specification leaves it open: as rsocket-java and rsocket-js 1.0 count, by the stream id."""
    assert counts(b"\0\0\0\1" + (type_number << 10).to_bytes(2, "big"))
    assert not counts(b"\0\0\0\0" + (type_number << 10).to_bytes(2, "big"))


def test_only_whole_headers_are_counted() -> None:
    """This SDK: the connection ends over such a frame anyway."""
    resumption = started()
    for size in range(6):
        resumption.count_in(bytes(size))
    assert resumption.received == 0
    resumption.count_in(f.encode_frame(f.CancelFrame(1)))
    assert resumption.received == 6


def test_nothing_is_counted_or_kept_without_a_token() -> None:
    """Specification: positions stay 0 then."""
    resumption = Resumption()
    resumption.count_in(f.encode_frame(f.CancelFrame(1)))
    resumption.keep(bytes(10))
    assert (resumption.received, resumption.kept_bytes) == (0, 0)
    assert resumption.has_room(1 << 30)
    assert resumption.acknowledge(1 << 30)
    assert not resumption.rewind(0)
    assert not resumption.is_question_due(blocked=True)


def test_acknowledged_frames_are_forgotten() -> None:
    """Specification (checklist 67): up to the named position, and first follows."""
    resumption = started()
    for size in (10, 20, 30):
        resumption.keep(bytes(size))
    assert (resumption.first, resumption.sent, resumption.kept_bytes) == (0, 60, 60)
    assert resumption.acknowledge(0)
    assert resumption.acknowledge(30)
    assert (resumption.first, resumption.kept_bytes) == (30, 30)
    assert resumption.acknowledge(10)  # late
    assert resumption.acknowledge(60)
    assert (resumption.first, resumption.kept_bytes) == (60, 0)
    assert resumption.acknowledge(60)


@pytest.mark.parametrize("position", [1, 9, 11, 29, 31, 61, 1 << 62])
def test_positions_that_cannot_be_are_told(position: int) -> None:
    """Specification (checklist 63, 67): inside a frame, or beyond what was sent."""
    for move in ("acknowledge", "rewind"):
        resumption = started()
        for size in (10, 20, 30):
            resumption.keep(bytes(size))
        assert getattr(resumption, move)(position) is False


def test_a_rewind_repeats_from_the_position_byte_for_byte() -> None:
    """Specification (checklist 56): in order, and as often as transports are lost."""
    resumption = started()
    kept = [b"first", b"second", b"third"]
    for data in kept:
        resumption.keep(data)
    assert resumption.rewind(5)
    assert resumption.next_replay() == b"second"
    resumption.detach()
    assert not resumption.replaying
    assert resumption.rewind(5)
    assert replayed(resumption) == kept[1:]
    assert resumption.sent == 16
    assert not resumption.rewind(0)


def test_there_is_room_up_to_the_capacity_and_for_one_frame_of_any_size() -> None:
    """This SDK (checklist 69): the writer waits instead of forgetting."""
    resumption = started(100)
    assert resumption.has_room(1000)
    resumption.keep(bytes(60))
    assert resumption.has_room(40)
    assert not resumption.has_room(41)
    assert resumption.acknowledge(60)
    resumption.keep(bytes(1000))
    assert not resumption.has_room(1)


def test_the_peer_is_asked_from_a_quarter_on_one_question_at_a_time() -> None:
    """This SDK: as soon as a quarter of the store is unacknowledged."""
    resumption = started(100)
    resumption.keep(bytes(24))
    assert not resumption.is_question_due(blocked=False)
    resumption.keep(bytes(1))
    assert resumption.is_question_due(blocked=False)
    data = resumption.ask()
    assert not resumption.is_question_due(blocked=True)
    assert not resumption.is_answer(b"another")
    assert resumption.acknowledge(25)
    assert resumption.is_answer(data)
    assert not resumption.is_answer(data)
    assert not resumption.stalled
    resumption.keep(bytes(99))
    assert resumption.ask() != data


def test_a_blocked_frame_asks_below_a_quarter() -> None:
    """This SDK: a frame larger than three quarters of the store may wait for little."""
    resumption = started(100)
    assert not resumption.is_question_due(blocked=True)
    resumption.keep(bytes(1))
    assert resumption.is_question_due(blocked=True)


def test_nothing_is_asked_while_frames_are_repeated() -> None:
    """This SDK: the answer could not have reached what is not sent again yet."""
    resumption = started(100)
    resumption.keep(bytes(50))
    assert resumption.rewind(0)
    assert not resumption.is_question_due(blocked=True)
    replayed(resumption)
    assert resumption.is_question_due(blocked=False)


def test_a_peer_that_never_advances_is_asked_again_only_when_a_frame_must_wait() -> None:
    """This SDK: rsocket-js 0.0.27 always answers 0; questions must not go round for ever."""
    resumption = started(100)
    resumption.keep(bytes(25))
    data = resumption.ask()
    assert resumption.acknowledge(0)
    assert resumption.is_answer(data)
    assert resumption.stalled
    assert not resumption.is_question_due(blocked=False)
    assert resumption.is_question_due(blocked=True)
    assert resumption.acknowledge(25)
    assert not resumption.stalled
    resumption.keep(bytes(25))
    assert resumption.is_question_due(blocked=False)


@pytest.mark.parametrize("answered", [10, 25])
def test_an_answer_that_advances_is_no_stall(answered: int) -> None:
    """This SDK: also where it came in another KEEPALIVE, or does not reach all that was sent."""
    resumption = started(100)
    resumption.keep(bytes(10))
    resumption.keep(bytes(15))
    data = resumption.ask()
    assert resumption.acknowledge(answered)
    assert resumption.is_answer(data)
    assert not resumption.stalled


def test_a_question_is_lost_with_its_transport() -> None:
    """This SDK: another one is asked on the next."""
    resumption = started(100)
    resumption.keep(bytes(25))
    data = resumption.ask()
    resumption.detach()
    assert not resumption.is_answer(data)
    assert resumption.is_question_due(blocked=False)


def test_what_is_abandoned_keeps_nothing_and_holds_nothing_back() -> None:
    """This SDK: but what is being repeated goes on, since the peer waits for just those bytes."""
    resumption = started(100)
    resumption.keep(b"kept")
    assert resumption.rewind(0)
    resumption.abandon()
    assert replayed(resumption) == [b"kept"]
    assert resumption.kept_bytes == 0
    assert resumption.has_room(1000)
    resumption.keep(bytes(1000))
    assert resumption.kept_bytes == 0
    assert resumption.acknowledge(1)
    assert not resumption.rewind(resumption.sent)


@given(frame=frames)
def test_sizes_are_known_before_encoding(frame: f.Frame) -> None:
    """This SDK: whether there is room is asked before a frame is taken."""
    if isinstance(frame, f.StreamFrame):
        assert f.encoded_size(frame) == len(f.encode_frame(frame))
