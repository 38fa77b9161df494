"""An established connection from one end: requests, answers, cancels, keepalives, limits and endings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from frame_strategies import feed, open_client, open_server, sent

from elarian_trio._rsocket import (
    Connection,
    ConnectionEnded,
    ConnectionPhase,
    ErrorCode,
    FireAndForgetReceived,
    FrameIgnored,
    KeepaliveAnswered,
    MetadataPushed,
    Payload,
    PeerLost,
    RequestCanceled,
    RequestFailed,
    RequestReceived,
    ResponseReceived,
)
from elarian_trio._rsocket import connection as connection_module
from elarian_trio._rsocket import frames as f
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket import Event

ENDS: list[tuple[Callable[[], Connection], int, int]] = [(open_client, 1, 2), (open_server, 2, 1)]
both_ends = pytest.mark.parametrize(("make", "our_id", "their_id"), ENDS, ids=["client", "server"])


def is_ignored(events: list[Event]) -> bool:
    """Whether a frame had no effect but to be counted."""
    return len(events) == 1 and isinstance(events[0], FrameIgnored)


def phase(connection: Connection) -> ConnectionPhase:
    """Give the state anew each time; type checkers take a property they have compared for unchanged."""
    return connection.state


# Our requests


@both_ends
def test_requests_count_up_and_their_answers_arrive(make: Callable[[], Connection], our_id: int, their_id: int) -> None:
    """Specification (checklist 26, 36): answers in any order, each with its id."""
    end = make()
    ids = [end.request(Payload(b"q", b"m")) for _ in range(3)]
    assert ids == [our_id, our_id + 2, our_id + 4]
    assert sent(end) == [f.RequestResponseFrame(stream_id, b"q", b"m") for stream_id in ids]
    answers = [f.PayloadFrame(stream_id, b"a%d" % stream_id, complete=True, next_=True) for stream_id in ids]
    assert feed(end, *reversed(answers)) == [
        ResponseReceived(stream_id, Payload(b"a%d" % stream_id)) for stream_id in reversed(ids)
    ]
    assert end.outstanding == 0


@pytest.mark.parametrize("next_", [True, False])
@pytest.mark.parametrize("complete", [True, False])
def test_every_kind_of_answer_completes_its_request(next_: bool, complete: bool) -> None:
    """Specification (checklist 29): N and C, one of them, neither; a second PAYLOAD is ignored."""
    client = open_client()
    client.request(Payload(b"q"))
    sent(client)
    answer = f.PayloadFrame(1, complete=complete, next_=next_)
    assert feed(client, answer) == [ResponseReceived(1, Payload())]
    assert is_ignored(feed(client, answer))


@pytest.mark.parametrize("code", [0x201, 0x202, 0x203, 0x204, 0x301, 0xFFFF_FFFE])
def test_a_stream_error_fails_that_request_only(code: int) -> None:
    """Specification (checklist 30): the code is kept."""
    client = open_client()
    client.request(Payload(b"q"))
    client.request(Payload(b"q"))
    sent(client)
    assert feed(client, f.ErrorFrame(1, code, "no")) == [RequestFailed(1, code, "no")]
    assert is_ignored(feed(client, f.ErrorFrame(1, code, "no")))
    assert client.outstanding == 1
    assert client.state is ConnectionPhase.OPEN


def test_an_unsent_request_is_forgotten_when_cancelled() -> None:
    """This SDK: nothing of it leaves, and ``was_sent`` told the truth."""
    client = open_client()
    stream_id = client.request(Payload(b"q"))
    assert client.was_sent(stream_id) is False
    assert client.cancel(stream_id) is False
    assert client.cancel(stream_id) is False
    assert sent(client) == []


def test_a_sent_request_is_cancelled_by_exactly_one_frame() -> None:
    """Specification (checklist 33): the late answer is ignored."""
    client = open_client()
    stream_id = client.request(Payload(b"q"))
    sent(client)
    assert client.was_sent(stream_id) is True
    assert client.cancel(stream_id) is True
    assert client.cancel(stream_id) is False
    assert sent(client) == [f.CancelFrame(stream_id)]
    assert is_ignored(feed(client, f.PayloadFrame(stream_id, b"late", complete=True, next_=True)))
    assert client.was_sent(stream_id) is True


def test_cancelling_half_a_request_stops_the_other_half() -> None:
    """Specification (checklist 43): CANCEL may come between fragments; none follows it."""
    client = open_client(fragment_size=64)
    stream_id = client.request(Payload(bytes(1000)))
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
    client.request(Payload(bytes(1000)))
    client.frames_to_send(1)
    assert isinstance(feed(client, answer)[0], RequestFailed | ResponseReceived)
    assert sent(client) == []


def test_an_answer_to_a_request_that_was_not_sent_is_ignored() -> None:
    """Specification (checklist 34): the peer cannot know that id."""
    client = open_client()
    stream_id = client.request(Payload(b"q"))
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
    assert feed(end, f.RequestResponseFrame(their_id, b"q", b"")) == [RequestReceived(their_id, Payload(b"q", b""))]
    assert feed(end, f.RequestNFrame(their_id, 5)) == []
    assert end.respond(their_id, Payload(b"a", b"m")) is True
    assert end.respond(their_id, Payload(b"again")) is False
    assert end.fail(their_id, 0x201, "again") is False
    assert end.outstanding == 1
    assert sent(end) == [f.PayloadFrame(their_id, b"a", b"m", complete=True, next_=True)]
    assert end.outstanding == 0
    assert end.respond(their_id, Payload(b"again")) is False


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
    assert server.respond(3, Payload())


def test_a_peer_that_knows_no_fragments_is_sent_none_once_that_is_known() -> None:
    """This SDK: who it is shows in the SETUP, after the connection was made."""
    server = open_server(fragment_size=64)
    with pytest.raises(ValueError, match="fragment_size"):
        server.cut_at(63)
    server.cut_at(f.MAX_FRAME_SIZE)
    feed(server, f.RequestResponseFrame(1, b"q"))
    server.respond(1, Payload(bytes(1000)))
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
    assert feed(server, f.PayloadFrame(1, b"two", next_=True)) == [RequestReceived(1, Payload(b"onetwo"))]
    assert is_ignored(feed(server, f.RequestResponseFrame(1, b"other")))
    assert is_ignored(feed(server, f.PayloadFrame(1, b"more", next_=True)))
    server.respond(1, Payload())
    assert is_ignored(feed(server, f.RequestFnfFrame(1, b"other")))


def test_a_cancelled_request_is_reported_and_gets_no_answer() -> None:
    """Specification (checklist 32)."""
    server = open_server()
    feed(server, f.RequestResponseFrame(1, b"q"))
    assert feed(server, f.CancelFrame(1)) == [RequestCanceled(1)]
    assert server.respond(1, Payload()) is False
    assert server.fail(1, 0x201, "") is False
    assert is_ignored(feed(server, f.CancelFrame(1)))
    assert sent(server) == []


def test_a_cancel_stops_an_answer_on_its_way() -> None:
    """Specification (checklist 32): no frame follows for that id; the handler is done already."""
    server = open_server(fragment_size=64)
    feed(server, f.RequestResponseFrame(1, b"q"))
    server.respond(1, Payload(bytes(1000)))
    server.frames_to_send(1)
    assert feed(server, f.CancelFrame(1)) == []
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
    assert feed(server, f.RequestResponseFrame(99, b"q")) == [RequestReceived(99, Payload(b"q"))]


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
    assert feed(server, f.RequestFnfFrame(1, b"q")) == [FireAndForgetReceived(Payload(b"q"))]
    assert feed(server, f.RequestFnfFrame(3, b"one", follows=True)) == []
    assert feed(server, f.PayloadFrame(3, b"two", next_=True)) == [FireAndForgetReceived(Payload(b"onetwo"))]
    assert is_ignored(feed(server, f.RequestFnfFrame(5, bytes(101))))
    assert (sent(server), server.outstanding) == ([], 0)


def test_pushed_metadata_is_reported() -> None:
    """Specification: hand it over or drop it."""
    assert feed(open_client(), f.MetadataPushFrame(b"m")) == [MetadataPushed(b"m")]


# Fragments and limits


def test_fragments_of_several_streams_and_keepalives_mix() -> None:
    """Specification (checklist 42)."""
    server = open_server()
    assert (
        feed(
            server,
            f.RequestResponseFrame(1, b"a1", b"m1", follows=True),
            f.RequestResponseFrame(3, b"", b"m", follows=True),
            f.KeepaliveFrame(b"k", respond=True),
            f.PayloadFrame(1, b"a2", next_=True, follows=True),
            f.PayloadFrame(3, b"b1", b"m", next_=True, follows=True),
        )
        == []
    )
    assert feed(server, f.PayloadFrame(3, b"b2", next_=True), f.PayloadFrame(1, b"a3", next_=True)) == [
        RequestReceived(3, Payload(b"b1b2", b"mm")),
        RequestReceived(1, Payload(b"a1a2a3", b"m1")),
    ]


def test_follows_with_complete_ends_a_payload() -> None:
    """Specification (checklist 44): F and C together count as no F."""
    client = open_client()
    client.request(Payload())
    sent(client)
    assert feed(client, f.PayloadFrame(1, b"a", next_=True, follows=True)) == []
    assert feed(client, f.PayloadFrame(1, b"b", next_=True, follows=True, complete=True)) == [
        ResponseReceived(1, Payload(b"ab"))
    ]


@pytest.mark.parametrize("sizes", [[101], [60, 41], [100, 1], [0] * 50 + [101]])
def test_an_oversize_request_is_rejected_and_the_connection_goes_on(sizes: list[int]) -> None:
    """Specification (checklist 45): REJECTED, since nothing was executed; the rest of it is ignored."""
    server = open_server(max_payload_size=100)
    first, *others = sizes
    frames = [f.RequestResponseFrame(1, bytes(first), follows=bool(others))]
    pieces = [f.PayloadFrame(1, bytes(size), next_=True, follows=True) for size in others]
    assert is_ignored(feed(server, *frames, *pieces))
    assert is_ignored(feed(server, f.PayloadFrame(1, b"rest", next_=True)))
    (error,) = sent(server)
    assert isinstance(error, f.ErrorFrame)
    assert (error.stream_id, error.code) == (1, ErrorCode.REJECTED)
    assert feed(server, f.RequestResponseFrame(3, bytes(60), bytes(40))) == [
        RequestReceived(3, Payload(bytes(60), bytes(40)))
    ]


def test_an_oversize_answer_is_cancelled_and_fails_here() -> None:
    """Specification (checklist 45): CANCEL plus local failure, as in rsocket-java."""
    client = open_client(max_payload_size=100)
    client.request(Payload())
    sent(client)
    feed(client, f.PayloadFrame(1, bytes(60), next_=True, follows=True))
    (event,) = feed(client, f.PayloadFrame(1, bytes(41), next_=True, follows=True))
    assert isinstance(event, RequestFailed)
    assert event.code == ErrorCode.CANCELED
    assert sent(client) == [f.CancelFrame(1)]
    assert is_ignored(feed(client, f.PayloadFrame(1, b"rest", next_=True, complete=True)))
    assert client.state is ConnectionPhase.OPEN


@both_ends
def test_metadata_after_data_is_refused(make: Callable[[], Connection], our_id: int, their_id: int) -> None:
    """Specification: INVALID from a responder, CANCEL and a local failure at a requester."""
    end = make()
    assert is_ignored(
        feed(
            end,
            f.RequestResponseFrame(their_id, b"d", follows=True),
            f.PayloadFrame(their_id, b"", b"m", next_=True),
        )
    )
    assert [getattr(frame, "code", 0) for frame in sent(end)] == [ErrorCode.INVALID]
    end.request(Payload())
    sent(end)
    events = feed(
        end, f.PayloadFrame(our_id, b"d", next_=True, follows=True), f.PayloadFrame(our_id, b"", b"m", next_=True)
    )
    assert [getattr(event, "code", 0) for event in events] == [ErrorCode.CANCELED]
    assert sent(end) == [f.CancelFrame(our_id)]


def test_unfinished_payloads_together_are_bounded() -> None:
    """This SDK: many partial payloads may hold four times the largest one; then new bytes are refused."""
    server = open_server(max_payload_size=100)
    feed(server, *[f.RequestResponseFrame(stream_id, bytes(80), follows=True) for stream_id in (1, 3, 5, 7, 9)])
    assert is_ignored(feed(server, f.RequestResponseFrame(11, b"x", follows=True)))
    assert feed(server, f.PayloadFrame(1, b"", next_=True, follows=True)) == []
    assert is_ignored(feed(server, f.PayloadFrame(1, b"x", next_=True)))
    assert [getattr(frame, "stream_id", 0) for frame in sent(server)] == [11, 1]
    assert feed(server, f.PayloadFrame(3, b"x", next_=True)) == [RequestReceived(3, Payload(bytes(80) + b"x"))]


def test_requests_beyond_the_limit_are_rejected_until_answers_leave() -> None:
    """This SDK: REJECTED promises that nothing was executed; a queued answer still counts."""
    server = open_server(max_incoming=2)
    feed(server, f.RequestResponseFrame(1), f.RequestResponseFrame(3))
    assert is_ignored(feed(server, f.RequestResponseFrame(5)))
    server.respond(1, Payload())
    assert is_ignored(feed(server, f.RequestResponseFrame(7)))
    assert [(getattr(frame, "stream_id", 0), getattr(frame, "code", None)) for frame in sent(server)] == [
        (5, ErrorCode.REJECTED),
        (1, None),
        (7, ErrorCode.REJECTED),
    ]
    assert feed(server, f.RequestResponseFrame(9)) == [RequestReceived(9, Payload())]


def test_a_flood_whose_answers_are_not_read_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: no buffer without a bound."""
    monkeypatch.setattr(connection_module, "_MAX_REFUSALS", 10)
    server = open_server(max_incoming=1)
    feed(server, *[f.RequestResponseFrame(stream_id) for stream_id in range(1, 23, 2)])
    with pytest.raises(RemoteProtocolError):
        feed(server, f.RequestResponseFrame(23))
    assert [getattr(frame, "code", 0) for frame in sent(server)] == [ErrorCode.CONNECTION_ERROR]


# Batches


def test_batches_are_about_as_large_as_asked() -> None:
    """This SDK: a payload of 5 MB leaves in many, and a KEEPALIVE gets in between."""
    client = open_client()
    client.request(Payload(bytes(5_000_000)))
    batches = [client.frames_to_send(256 * 1024)]
    assert [len(frame) for frame in batches[0]] == [64 * 1024 - 3] * 5
    data = client.ping(1.0)
    following = client.frames_to_send(1)
    assert [f.decode_frame(frame) for frame in following] == [f.KeepaliveFrame(data, respond=True)]
    while batch := client.frames_to_send(256 * 1024):
        batches.append(batch)
    assert len(batches) == 16
    assert not client.wants_to_send
    assert client.frames_to_send() == []


# Keepalive


@both_ends
def test_keepalives_are_answered_with_their_own_data(
    make: Callable[[], Connection], our_id: int, their_id: int
) -> None:
    """Specification (checklist 49): once, without asking back, position 0 as nothing is counted."""
    end = make()
    feed(end, f.KeepaliveFrame(b"any data", respond=True, position=77))
    assert sent(end) == [f.KeepaliveFrame(b"any data")]
    feed(end, f.KeepaliveFrame(b"any data"))
    assert sent(end) == []


@both_ends
def test_a_ping_comes_back_with_its_round_trip(make: Callable[[], Connection], our_id: int, their_id: int) -> None:
    """This SDK: ``ping`` works from either end."""
    end = make()
    data = end.ping(5.0)
    assert sent(end) == [f.KeepaliveFrame(data, respond=True)]
    assert feed(end, f.KeepaliveFrame(data), now=5.25) == [KeepaliveAnswered(data, 0.25)]


def test_a_client_speaks_every_interval_and_gives_up_after_the_lifetime() -> None:
    """Specification (checklist 48, 50): other traffic is no life, any KEEPALIVE is."""
    client = open_client()
    assert client.next_deadline() == 10.0
    assert client.tick(9.9) == []
    assert not client.wants_to_send
    assert client.tick(10.0) == []
    assert [type(frame) for frame in sent(client)] == [f.KeepaliveFrame]
    assert client.next_deadline() == 20.0
    feed(client, f.KeepaliveFrame(b"x", respond=True), now=15.0)
    feed(client, f.RequestResponseFrame(2), now=40.0)
    client.tick(44.9)
    assert client.state is ConnectionPhase.OPEN
    assert client.tick(45.0) == [PeerLost()]
    assert (client.state, client.next_deadline(), client.wants_to_send) == (ConnectionPhase.CLOSED, None, False)


def test_a_server_gives_up_after_the_lifetime_of_the_setup() -> None:
    """Specification (checklist 51): it only answers, the client speaks."""
    server = open_server()
    assert server.next_deadline() == 30.0
    feed(server, f.KeepaliveFrame(b"x", respond=True), now=29.0)
    sent(server)
    assert server.tick(58.9) == []
    assert not server.wants_to_send
    assert server.tick(59.0) == [PeerLost()]


# Endings


@both_ends
@pytest.mark.parametrize("code", [0x101, 0x201, 0x301, 0, 0xFFFF_FFFF])
def test_an_error_on_stream_0_ends_everything(
    make: Callable[[], Connection], our_id: int, their_id: int, code: int
) -> None:
    """Specification (checklist 52): whatever its code, but for the setup's and CONNECTION_CLOSE."""
    end = make()
    sent_id = end.request(Payload())
    sent(end)
    unsent_id = end.request(Payload())
    feed(end, f.RequestResponseFrame(their_id))
    assert feed(end, f.ErrorFrame(0, code, "bye")) == [ConnectionEnded(code, "bye")]
    assert phase(end) is ConnectionPhase.CLOSED
    assert (end.was_sent(sent_id), end.was_sent(unsent_id)) == (True, False)
    assert end.respond(their_id, Payload()) is False
    assert (end.cancel(sent_id), end.cancel(unsent_id)) == (True, False)
    assert sent(end) == []
    with pytest.raises(LocalProtocolError, match="CLOSED"):
        end.request(Payload())


@both_ends
def test_connection_close_lets_outstanding_requests_end(
    make: Callable[[], Connection], our_id: int, their_id: int
) -> None:
    """Specification (checklist 52): what the peer has not seen is taken back, what it has may be answered."""
    end = make()
    sent_id = end.request(Payload())
    sent(end)
    unsent_id = end.request(Payload())
    feed(end, f.RequestResponseFrame(their_id))
    assert feed(end, f.ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "bye")) == [
        ConnectionEnded(ErrorCode.CONNECTION_CLOSE, "bye")
    ]
    assert phase(end) is ConnectionPhase.CLOSING
    assert (end.was_sent(sent_id), end.was_sent(unsent_id)) == (True, False)
    assert end.cancel(unsent_id) is False
    for refused in (lambda: end.request(Payload()), lambda: end.ping(0.0)):
        with pytest.raises(LocalProtocolError, match="CLOSING"):
            refused()
    assert is_ignored(feed(end, f.RequestResponseFrame(their_id + 2)))
    assert feed(end, f.PayloadFrame(sent_id, b"a", next_=True)) == [ResponseReceived(sent_id, Payload(b"a"))]
    assert end.respond(their_id, Payload(b"b")) is True
    assert phase(end) is ConnectionPhase.CLOSING
    assert [type(frame) for frame in sent(end)] == [f.ErrorFrame, f.PayloadFrame]
    assert phase(end) is ConnectionPhase.CLOSED


def test_connection_close_with_nothing_outstanding_is_the_end() -> None:
    """Specification (checklist 52)."""
    client = open_client()
    feed(client, f.ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, ""))
    assert phase(client) is ConnectionPhase.CLOSED


def test_closing_in_order_says_so_behind_what_is_queued() -> None:
    """This SDK: queued frames leave first; then a client's new requests are rejected until the last one has ended."""
    server = open_server()
    feed(server, f.RequestResponseFrame(1), f.RequestResponseFrame(3))
    server.respond(1, Payload(b"a"))
    server.close(message="going")
    server.close(message="again")
    assert phase(server) is ConnectionPhase.CLOSING
    assert sent(server) == [
        f.PayloadFrame(1, b"a", complete=True, next_=True),
        f.ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "going"),
    ]
    assert phase(server) is ConnectionPhase.CLOSING
    assert server.respond(3, Payload(b"b"))
    assert len(sent(server)) == 1
    assert phase(server) is ConnectionPhase.CLOSED
    server.close()
    assert not server.wants_to_send


def test_cancelling_the_last_request_lets_a_closing_connection_close() -> None:
    """This SDK: a caller that gives up during the drain does not hold it up."""
    client = open_client()
    stream_id = client.request(Payload())
    sent(client)
    client.close()
    sent(client)
    assert phase(client) is ConnectionPhase.CLOSING
    client.cancel(stream_id)
    assert sent(client) == [f.CancelFrame(stream_id)]
    assert phase(client) is ConnectionPhase.CLOSED


def test_closing_with_an_error_sends_nothing_else() -> None:
    """This SDK: after CONNECTION_ERROR no frame means anything."""
    client = open_client()
    client.request(Payload())
    client.close(ErrorCode.CONNECTION_ERROR, "broken")
    assert phase(client) is ConnectionPhase.CLOSED
    assert sent(client) == [f.ErrorFrame(0, ErrorCode.CONNECTION_ERROR, "broken")]


def test_closing_turns_fatal_when_the_reason_does() -> None:
    """This SDK: a peer that breaks the rules during the drain ends it."""
    client = open_client()
    client.request(Payload())
    client.close()
    with pytest.raises(RemoteProtocolError):
        client.receive_frame(b"", 0.0)
    assert [getattr(frame, "code", 0) for frame in sent(client)] == [ErrorCode.CONNECTION_ERROR]


@both_ends
@pytest.mark.parametrize("wire", ["", "0000000110", "000000013c00", "00000001110000000564", "00000000080000"])
def test_garbage_is_told_to_the_peer_and_raised(
    make: Callable[[], Connection], our_id: int, their_id: int, wire: str
) -> None:
    """Specification (checklist 4, 7, 8): ERROR[CONNECTION_ERROR] is queued and nothing else follows."""
    end = make()
    end.request(Payload())
    with pytest.raises(RemoteProtocolError):
        end.receive_frame(bytes.fromhex(wire), 0.0)
    assert [getattr(frame, "code", 0) for frame in sent(end)] == [ErrorCode.CONNECTION_ERROR]
    assert phase(end) is ConnectionPhase.CLOSED
