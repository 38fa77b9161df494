"""An established connection from one end: our requests and the peer's, their answers, errors and cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from frame_strategies import feed, open_client, open_server, sent
from one_end import both_ends, is_ignored

from elarian_trio._rsocket import (
    Connection,
    ConnectionPhase,
    ErrorCode,
    FireAndForgetReceived,
    MetadataPushed,
    RequestCanceled,
    RequestFailed,
    RequestReceived,
    ResponseReceived,
)
from elarian_trio._rsocket import frames as f
from elarian_trio.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable


# Our requests


@both_ends
def test_requests_count_up_and_their_answers_arrive(make: Callable[[], Connection], our_id: int, their_id: int) -> None:
    """Specification (checklist 26, 36): answers in any order, each with its id."""
    end = make()
    ids = [end.request(b"q", b"m") for _ in range(3)]
    assert ids == [our_id, our_id + 2, our_id + 4]
    assert sent(end) == [f.RequestResponseFrame(stream_id, b"q", b"m") for stream_id in ids]
    answers = [f.PayloadFrame(stream_id, b"a%d" % stream_id, complete=True, next_=True) for stream_id in ids]
    assert feed(end, *reversed(answers)) == [
        ResponseReceived(stream_id, b"a%d" % stream_id) for stream_id in reversed(ids)
    ]
    assert end.outstanding == 0


@pytest.mark.parametrize("next_", [True, False])
@pytest.mark.parametrize("complete", [True, False])
def test_every_kind_of_answer_completes_its_request(next_: bool, complete: bool) -> None:
    """Specification (checklist 29): N and C, one of them, neither; a second PAYLOAD is ignored."""
    client = open_client()
    client.request(b"q")
    sent(client)
    answer = f.PayloadFrame(1, complete=complete, next_=next_)
    assert feed(client, answer) == [ResponseReceived(1, b"")]
    assert is_ignored(feed(client, answer))


@pytest.mark.parametrize("code", [0x201, 0x202, 0x203, 0x204, 0x301, 0xFFFF_FFFE])
def test_a_stream_error_fails_that_request_only(code: int) -> None:
    """Specification (checklist 30): the code is kept."""
    client = open_client()
    client.request(b"q")
    client.request(b"q")
    sent(client)
    assert feed(client, f.ErrorFrame(1, code, "no")) == [RequestFailed(1, code, "no")]
    assert is_ignored(feed(client, f.ErrorFrame(1, code, "no")))
    assert client.outstanding == 1
    assert client.state is ConnectionPhase.OPEN


def test_an_unsent_request_is_forgotten_when_cancelled() -> None:
    """This SDK: nothing of it leaves, and ``was_sent`` told the truth."""
    client = open_client()
    stream_id = client.request(b"q")
    assert client.was_sent(stream_id) is False
    assert client.cancel(stream_id) is False
    assert client.cancel(stream_id) is False
    assert sent(client) == []


def test_a_sent_request_is_cancelled_by_exactly_one_frame() -> None:
    """Specification (checklist 33): the late answer is ignored."""
    client = open_client()
    stream_id = client.request(b"q")
    sent(client)
    assert client.was_sent(stream_id) is True
    assert client.cancel(stream_id) is True
    assert client.cancel(stream_id) is False
    assert sent(client) == [f.CancelFrame(stream_id)]
    assert is_ignored(feed(client, f.PayloadFrame(stream_id, b"late", complete=True, next_=True)))
    assert client.was_sent(stream_id) is True


def test_an_answer_that_nobody_took_is_disowned_by_a_cancel() -> None:
    """Specification (checklist 33): a CANCEL may cross the answer, so a peer takes one behind it, too."""
    client = open_client()
    stream_id = client.request(b"q")
    sent(client)
    feed(client, f.PayloadFrame(stream_id, b"a", complete=True, next_=True))
    client.disown(stream_id)
    assert sent(client) == [f.CancelFrame(stream_id)]
    feed(client, f.ErrorFrame(0, 0x101, "over"))
    client.disown(stream_id)
    assert sent(client) == []


def test_cancelling_half_a_request_stops_the_other_half() -> None:
    """Specification (checklist 43): CANCEL may come between fragments; none follows it."""
    client = open_client(fragment_size=64)
    stream_id = client.request(bytes(1000))
    assert len(client.frames_to_send(1)) == 1
    assert client.was_sent(stream_id)
    assert client.cancel(stream_id)
    assert sent(client) == [f.CancelFrame(stream_id)]


@pytest.mark.parametrize(
    "answer", [f.ErrorFrame(1, 0x202, "too large"), f.PayloadFrame(1, complete=True, next_=True)], ids=repr
)
def test_an_early_answer_stops_the_rest_of_the_request(answer: f.Frame) -> None:
    """This SDK: a peer that refuses the first fragments does not want the others."""
    client = open_client(fragment_size=64)
    client.request(bytes(1000))
    client.frames_to_send(1)
    assert isinstance(feed(client, answer)[0], RequestFailed | ResponseReceived)
    assert sent(client) == []


def test_an_answer_to_a_request_that_was_not_sent_is_ignored() -> None:
    """Specification (checklist 34): the peer cannot know that id."""
    client = open_client()
    stream_id = client.request(b"q")
    assert is_ignored(feed(client, f.PayloadFrame(stream_id, complete=True, next_=True)))
    assert is_ignored(feed(client, f.ErrorFrame(stream_id, 0x201)))
    assert len(sent(client)) == 1


@both_ends
def test_late_and_strange_frames_are_ignored(make: Callable[[], Connection], our_id: int, their_id: int) -> None:
    """Specification (checklist 34, 46): unknown ids of either parity; orphan fragments are not kept."""
    end = make()
    for stream_id in (our_id, their_id):
        for frame in (
            f.CancelFrame(stream_id),
            f.PayloadFrame(stream_id, b"x", next_=True),
            f.PayloadFrame(stream_id, b"x", next_=True, follows=True),
            f.ErrorFrame(stream_id, 0x201),
            f.RequestNFrame(stream_id, 1),
        ):
            assert is_ignored(feed(end, frame))
    for number in (0x09, 0x0A):
        assert is_ignored(end.receive_frame(bytes(4) + (number << 10).to_bytes(2, "big"), 0.0))
    assert is_ignored(feed(end, f.LeaseFrame(1, 1)))
    assert (end.outstanding, end.wants_to_send) == (0, False)


# The peer's requests


@both_ends
def test_the_peers_request_is_reported_and_answered_once(
    make: Callable[[], Connection], our_id: int, their_id: int
) -> None:
    """Specification (checklist 31, 35): N and C are both set; credit does no harm."""
    end = make()
    assert feed(end, f.RequestResponseFrame(their_id, b"q", b"")) == [RequestReceived(their_id, b"q", b"")]
    assert feed(end, f.RequestNFrame(their_id, 5)) == []
    assert end.respond(their_id, b"a", b"m") is True
    assert end.respond(their_id, b"again") is False
    assert end.fail(their_id, 0x201, "again") is False
    assert end.outstanding == 1
    assert sent(end) == [f.PayloadFrame(their_id, b"a", b"m", complete=True, next_=True)]
    assert end.outstanding == 0
    assert end.respond(their_id, b"again") is False


def test_a_failed_handler_is_answered_by_an_error() -> None:
    """Specification (checklist 31)."""
    server = open_server()
    feed(server, f.RequestResponseFrame(1, b"q"))
    assert server.fail(1, ErrorCode.APPLICATION_ERROR, "ValueError") is True
    assert sent(server) == [f.ErrorFrame(1, ErrorCode.APPLICATION_ERROR, "ValueError")]


def test_error_text_is_cut_to_one_frame_between_characters() -> None:
    """Specification: ERROR cannot be fragmented, and its text is UTF-8."""
    server = open_server(fragment_size=64)
    feed(server, f.RequestResponseFrame(1, b"q"))
    server.fail(1, 0x301, "é" * 1000)
    (encoded,) = server.frames_to_send()
    assert len(encoded) + 3 <= 64
    assert encoded[10:].decode() == "é" * 25
    feed(server, f.RequestResponseFrame(3, b"q"))
    with pytest.raises(LocalProtocolError):
        server.fail(3, -1, "")
    assert server.respond(3, b"")


def test_a_peer_that_knows_no_fragments_is_sent_none_once_that_is_known() -> None:
    """This SDK: who it is shows in the SETUP, after the connection was made."""
    server = open_server(fragment_size=64)
    with pytest.raises(ValueError, match="fragment_size"):
        server.cut_at(63)
    server.cut_at(f.MAX_FRAME_SIZE)
    feed(server, f.RequestResponseFrame(1, b"q"))
    server.respond(1, bytes(1000))
    assert sent(server) == [f.PayloadFrame(1, bytes(1000), complete=True, next_=True)]


@both_ends
def test_a_request_with_our_parity_is_not_executed(make: Callable[[], Connection], our_id: int, their_id: int) -> None:
    """Specification (checklist 27)."""
    assert is_ignored(feed(make(), f.RequestResponseFrame(our_id, b"q")))


def test_a_second_request_with_a_live_id_is_ignored() -> None:
    """Specification (checklist 28): also within a fragment sequence (46), also while the answer waits."""
    server = open_server()
    feed(server, f.RequestResponseFrame(1, b"one", follows=True))
    assert is_ignored(feed(server, f.RequestResponseFrame(1, b"other")))
    assert feed(server, f.PayloadFrame(1, b"two", next_=True)) == [RequestReceived(1, b"onetwo")]
    assert is_ignored(feed(server, f.RequestResponseFrame(1, b"other")))
    assert is_ignored(feed(server, f.PayloadFrame(1, b"more", next_=True)))
    server.respond(1, b"")
    assert is_ignored(feed(server, f.RequestFnfFrame(1, b"other")))


def test_a_cancelled_request_is_reported_and_gets_no_answer() -> None:
    """Specification (checklist 32)."""
    server = open_server()
    feed(server, f.RequestResponseFrame(1, b"q"))
    assert feed(server, f.CancelFrame(1)) == [RequestCanceled(1)]
    assert server.respond(1, b"") is False
    assert server.fail(1, 0x201, "") is False
    assert is_ignored(feed(server, f.CancelFrame(1)))
    assert sent(server) == []


def test_a_cancel_stops_an_answer_on_its_way() -> None:
    """Specification (checklist 32): no frame follows for that id; whoever answered may take back what was given."""
    server = open_server(fragment_size=64)
    feed(server, f.RequestResponseFrame(1, b"q"))
    server.respond(1, bytes(1000))
    server.frames_to_send(1)
    assert feed(server, f.CancelFrame(1)) == [RequestCanceled(1)]
    assert (sent(server), server.outstanding) == ([], 0)


@pytest.mark.parametrize("give_up", [f.CancelFrame, lambda stream_id: f.ErrorFrame(stream_id, 0x203)])
def test_a_request_given_up_half_way_leaves_nothing(give_up: Callable[[int], f.Frame]) -> None:
    """Specification (checklist 43): the partial is dropped, the next request is fine."""
    server = open_server(max_payload_size=100)
    for stream_id in range(1, 99, 2):  # far more than the partials that fit in memory
        feed(server, f.RequestResponseFrame(stream_id, bytes(90), follows=True))
        assert feed(server, give_up(stream_id)) == []
        assert is_ignored(feed(server, f.PayloadFrame(stream_id, b"rest", next_=True)))
    assert server.outstanding == 0
    assert feed(server, f.RequestResponseFrame(99, b"q")) == [RequestReceived(99, b"q")]


def test_streams_and_channels_are_rejected() -> None:
    """Specification (checklist 31): an interaction that is not served; its later frames are ignored."""
    server = open_server()
    assert is_ignored(feed(server, f.RequestStreamFrame(1, 5, b"q")))
    assert is_ignored(feed(server, f.RequestChannelFrame(3, 5, b"q", follows=True)))
    assert is_ignored(feed(server, f.PayloadFrame(3, b"more", next_=True)))
    errors = sent(server)
    assert [(getattr(e, "stream_id", 0), getattr(e, "code", 0)) for e in errors] == [
        (1, ErrorCode.REJECTED),
        (3, ErrorCode.REJECTED),
    ]
    assert server.outstanding == 0


def test_fire_and_forget_is_reported_and_never_answered() -> None:
    """Specification (checklist 31): whole, in fragments, or refused for its size."""
    server = open_server(max_payload_size=100)
    assert feed(server, f.RequestFnfFrame(1, b"q")) == [FireAndForgetReceived(b"q")]
    assert feed(server, f.RequestFnfFrame(3, b"one", follows=True)) == []
    assert feed(server, f.PayloadFrame(3, b"two", next_=True)) == [FireAndForgetReceived(b"onetwo")]
    assert is_ignored(feed(server, f.RequestFnfFrame(5, bytes(101))))
    assert (sent(server), server.outstanding) == ([], 0)


def test_pushed_metadata_is_reported() -> None:
    """Specification: hand it over or drop it."""
    assert feed(open_client(), f.MetadataPushFrame(b"m")) == [MetadataPushed(b"m")]
