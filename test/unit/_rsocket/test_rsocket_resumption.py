"""One end that loses its transport and goes on over another, or is refused, or refuses: each frame by hand."""

from __future__ import annotations

import pytest
from frame_strategies import TOKEN, feed, open_client, open_server, sent
from one_end import phase
from resumable_end import MiB, client_with, codes, resume_frame, resuming

from elarian_trio._rsocket import (
    ConnectionPhase,
    ErrorCode,
    FrameIgnored,
    PeerLost,
    RequestCanceled,
    RequestReceived,
    ResponseReceived,
    Resumed,
    ResumeRejected,
)
from elarian_trio._rsocket import frames as f
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

# A client resumes


def test_only_resume_leaves_until_it_is_granted() -> None:
    """Specification (checklist 55): neither KEEPALIVE nor request, whatever the time."""
    client = client_with(20)
    client.lose_transport()
    client.request(b"later")
    client.resume(1.0)
    assert client.state is ConnectionPhase.RESUMING
    assert sent(client) == [f.ResumeFrame(TOKEN, 0, 0)]
    client.request(b"still later")
    assert not client.wants_to_send
    assert client.next_deadline() is None
    assert client.tick(1e9) == []


def test_after_resume_ok_what_is_missing_is_repeated_and_then_the_new_leaves() -> None:
    """Specification (checklist 57): byte-identical, dropped below the position; both timers restart."""
    client = open_client(resume_buffer_size=MiB)
    ids = [client.request(b"%d" % number) for number in range(3)]
    before = client.frames_to_send()
    client.lose_transport()
    later = client.request(b"later")
    client.resume(100.0)
    sent(client)
    assert feed(client, f.ResumeOkFrame(7), now=100.0) == [Resumed()]
    assert client.kept_bytes == 14
    assert client.next_deadline() == 110.0
    after = client.frames_to_send()
    assert after[:2] == before[1:]
    assert [f.decode_frame(data) for data in after[2:]] == [f.RequestResponseFrame(later, b"later")]
    assert client.request(b"") == ids[-1] + 4
    assert feed(client, f.PayloadFrame(ids[1], b"a", complete=True, next_=True)) == [ResponseReceived(ids[1], b"a")]
    assert client.tick(130.0) == [PeerLost()]


@pytest.mark.parametrize("position", [0, 9, 15, 31, f.MAX_POSITION])
def test_a_resume_ok_that_cannot_be_ends_the_session(position: int) -> None:
    """Specification (checklist 63): below what is kept, inside a frame, beyond what was sent."""
    client = client_with(10, 10, 10)
    feed(client, f.KeepaliveFrame(position=10))
    resuming(client)
    with pytest.raises(RemoteProtocolError, match="position"):
        feed(client, f.ResumeOkFrame(position))
    assert codes(client) == [ErrorCode.CONNECTION_ERROR]
    assert phase(client) is ConnectionPhase.CLOSED
    assert not client.resumable


@pytest.mark.parametrize(
    "wire",
    [
        f.encode_frame(f.KeepaliveFrame(respond=True)),
        f.encode_frame(f.RequestResponseFrame(2)),
        f.encode_frame(f.ErrorFrame(1, 0x201)),
        f.encode_frame(f.ResumeFrame(TOKEN, 0, 0)),
        f.encode_frame(f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"")),
        bytes.fromhex("00000000fe0000000001"),
        bytes(6),
        b"",
    ],
    ids=["KEEPALIVE", "REQUEST", "ERROR on a stream", "RESUME", "SETUP", "EXT", "type 0", "nothing"],
)
def test_any_other_answer_to_resume_ends_the_session(wire: bytes) -> None:
    """Specification (section 4.3 of the facts): as rsocket-java and rsocket-js 1.0 do."""
    client = resuming(client_with(10))
    with pytest.raises(RemoteProtocolError):
        client.receive_frame(wire, 0.0)
    assert codes(client) == [ErrorCode.CONNECTION_ERROR]
    assert client.state is ConnectionPhase.CLOSED


@pytest.mark.parametrize("code", [*range(5), 0x101, 0x102, 0x201, 0xFFFF_FFFF])
def test_a_refused_resume_is_the_end(code: int) -> None:
    """Specification (checklist 60): whatever the code; no second RESUME, what was sent has an unknown outcome."""
    client = resuming(client_with(10))
    unsent = client.request(b"q")
    assert feed(client, f.ErrorFrame(0, code, "no")) == [ResumeRejected(code, "no")]
    assert phase(client) is ConnectionPhase.CLOSED
    assert not client.resumable
    assert (client.was_sent(1), client.was_sent(unsent)) == (True, False)
    assert client.cancel(unsent) is False
    with pytest.raises(LocalProtocolError):
        client.resume(0.0)
    assert sent(client) == []


def test_a_client_cut_again_before_the_answer_asks_again() -> None:
    """Specification (checklist 59): five times in a row, between RESUME and RESUME_OK and in the replay."""
    client = client_with(10, 20)
    for _ in range(5):
        client.lose_transport()
        client.resume(0.0)
        assert sent(client) == [f.ResumeFrame(TOKEN, 0, 0)]
        client.lose_transport()
        client.resume(0.0)
        sent(client)
        feed(client, f.ResumeOkFrame(0))
        assert len(client.frames_to_send(1)[0]) == 10
    feed(resuming(client), f.ResumeOkFrame(10))
    assert [len(frame) for frame in client.frames_to_send()] == [20]


def test_half_sent_and_half_received_payloads_go_on() -> None:
    """Specification (checklist 59): a cut between fragments, both ways."""
    client = open_client(resume_buffer_size=MiB, fragment_size=64)
    ours = client.request(bytes(150))
    head = client.frames_to_send(1)
    feed(client, f.RequestResponseFrame(2, b"half ", follows=True))
    resuming(client)
    feed(client, f.ResumeOkFrame(0))
    again = client.frames_to_send(1)
    assert again == head
    assert [len(frame) for frame in client.frames_to_send()] == [61, 46]
    assert client.was_sent(ours)
    assert feed(client, f.PayloadFrame(2, b"whole", next_=True)) == [RequestReceived(2, b"half whole")]


# A server resumes


def test_a_server_says_how_far_it_received_and_repeats_the_rest() -> None:
    """Specification (checklist 56): RESUME_OK first, then the kept frames unchanged, then the new ones."""
    server = open_server(resume_buffer_size=MiB)
    feed(server, *(f.RequestResponseFrame(stream_id, bytes(4)) for stream_id in (1, 3, 5)))
    server.respond(1, b"one")
    server.respond(3, b"three")
    _, three = server.frames_to_send()
    server.lose_transport()
    server.respond(5, b"five")
    server.ping(0.0)
    assert server.accept_resume(resume_frame(9), 7.0) == [Resumed()]
    assert phase(server) is ConnectionPhase.OPEN
    assert server.next_deadline() == 37.0
    first, ping, replay, new = server.frames_to_send()
    assert f.decode_frame(first) == f.ResumeOkFrame(30)
    assert isinstance(f.decode_frame(ping), f.KeepaliveFrame)
    assert replay == three
    assert f.decode_frame(new) == f.PayloadFrame(5, b"five", complete=True, next_=True)
    assert server.outstanding == 0


@pytest.mark.parametrize(
    ("received", "first"), [(0, 31), (9, 0), (15, 0), (31, 0), (f.MAX_POSITION, 0), (20, f.MAX_POSITION)]
)
def test_a_resume_whose_positions_do_not_fit_is_refused(received: int, first: int) -> None:
    """Specification (checklist 62): the client has forgotten too much, or names what cannot be."""
    server = open_server(resume_buffer_size=MiB)
    feed(server, *(f.RequestResponseFrame(stream_id, bytes(4)) for stream_id in (1, 3, 5)))
    for stream_id in (1, 3, 5):
        server.respond(stream_id, bytes(4))
    sent(server)
    feed(server, f.KeepaliveFrame(position=10))
    server.lose_transport()
    with pytest.raises(RemoteProtocolError, match="positions"):
        server.accept_resume(resume_frame(received, first), 0.0)
    assert codes(server) == [ErrorCode.REJECTED_RESUME]
    assert phase(server) is ConnectionPhase.CLOSED
    assert not server.resumable


@pytest.mark.parametrize(("received", "is_outdated"), [(0, True), (9, True), (10, False), (31, False)])
def test_a_resume_from_before_an_acknowledgement_is_told(received: int, is_outdated: bool) -> None:
    """This SDK: a client's count never falls, so one below what it said since was late on its way."""
    server = open_server(resume_buffer_size=MiB)
    feed(server, f.RequestResponseFrame(1, bytes(4)))
    server.respond(1, bytes(4))
    sent(server)
    feed(server, f.KeepaliveFrame(position=10))
    assert server.is_outdated(resume_frame(received)) is is_outdated


def test_a_resume_while_the_old_transport_is_open_takes_over() -> None:
    """Specification (checklist 64): what the old one still brings is not counted, so the client repeats it."""
    server = open_server(resume_buffer_size=MiB)
    request = f.RequestResponseFrame(1, b"once")
    server.lose_transport()
    assert isinstance(feed(server, request)[0], FrameIgnored)
    server.accept_resume(resume_frame(0), 0.0)
    assert isinstance(feed(server, request)[0], RequestReceived)
    server.ping(0.0)
    assert [getattr(frame, "position", None) for frame in sent(server)] == [None, 10]


@pytest.mark.parametrize("is_resumed", [False, True])
def test_a_resume_later_than_first_ends_the_session(is_resumed: bool) -> None:
    """Specification (checklist 65): behind a SETUP, or twice."""
    server = open_server(resume_buffer_size=MiB)
    if is_resumed:
        server.lose_transport()
        server.accept_resume(resume_frame(0), 0.0)
        sent(server)
    with pytest.raises(RemoteProtocolError, match="first"):
        server.receive_frame(resume_frame(0), 0.0)
    assert codes(server) == [ErrorCode.CONNECTION_ERROR]


def test_a_server_cut_before_its_answer_left_answers_the_next_resume() -> None:
    """Specification (checklist 59): RESUME_OK is not sent twice on one transport."""
    server = open_server(resume_buffer_size=MiB)
    for _ in range(2):
        server.lose_transport()
        server.accept_resume(resume_frame(0), 0.0)
    assert sent(server) == [f.ResumeOkFrame(0)]


# Either


def test_a_cancel_made_without_a_transport_is_delivered_after_it() -> None:
    """Specification (checklist 68): behind the repeated request, and the peer stops."""
    client = client_with(10)
    client.lose_transport()
    assert client.cancel(1) is True
    client.resume(0.0)
    sent(client)
    feed(client, f.ResumeOkFrame(0))
    assert sent(client) == [f.RequestResponseFrame(1, bytes(4)), f.CancelFrame(1)]
    assert isinstance(feed(client, f.PayloadFrame(1, next_=True))[0], FrameIgnored)
    server = open_server(resume_buffer_size=MiB)
    feed(server, f.RequestResponseFrame(1, bytes(4)))
    server.lose_transport()
    server.accept_resume(resume_frame(0), 0.0)
    assert feed(server, f.CancelFrame(1)) == [RequestCanceled(1)]


def test_a_request_that_was_never_kept_needs_no_cancel() -> None:
    """Specification (checklist 68): nothing of it leaves, with or without a transport."""
    client = client_with(60, resume_buffer_size=64)
    blocked = client.request(bytes(50))
    sent(client)
    assert client.was_sent(blocked) is False
    client.lose_transport()
    meanwhile = client.request(b"")
    assert client.cancel(blocked) is False
    assert client.cancel(meanwhile) is False
    client.resume(0.0)
    sent(client)
    feed(client, f.ResumeOkFrame(60))
    assert sent(client) == []


def test_an_untimed_session_comes_back_untimed() -> None:
    """This SDK: on the memory transport no lifetime runs, but full stores still ask."""
    client = open_client(resume_buffer_size=20, timed=False)
    server = open_server(resume_buffer_size=20, timed=False)
    for end in (client, server):
        end.request(bytes(14))
        assert [type(frame) for frame in sent(end)] == [f.RequestResponseFrame, f.KeepaliveFrame]
        assert end.lose_transport()
    client.resume(0.0)
    sent(client)
    feed(client, f.ResumeOkFrame(20))
    server.accept_resume(resume_frame(20), 0.0)
    assert client.next_deadline() is server.next_deadline() is None
