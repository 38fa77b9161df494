"""One end that loses its transport and goes on over another, or is refused, or refuses: each frame by hand.

Golden frames are rsocket-js 0.0.27's (js0) and 1.0's (js1), as seen on the wire.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from frame_strategies import RESUMABLE_SETUP, SETUP, TOKEN, feed, open_client, open_server, sent

from elarian_trio._rsocket import (
    Connection,
    ConnectionEnded,
    ConnectionPhase,
    ErrorCode,
    FrameIgnored,
    KeepaliveAnswered,
    NotResumable,
    Payload,
    PeerLost,
    RequestCanceled,
    RequestReceived,
    ResponseReceived,
    Resumed,
    ResumeRejected,
    Role,
    SetupReceived,
)
from elarian_trio._rsocket import frames as f
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

MiB = 1 << 20
JS0_SETUP = bytes.fromhex(
    "00000000048000010000000002bc000013880007746f6b2d6a7330186170706c69636174696f6e2f6f637465742d73747265616d"
    "186170706c69636174696f6e2f6f637465742d73747265616d6372656473"
)
JS0_REQUEST = bytes.fromhex("00000001100068656c6c6f")
JS1_ASKS_AT_18 = bytes.fromhex("000000000c800000000000000012")
JS1_ANSWERS_AT_39 = bytes.fromhex("000000000c000000000000000027")
JS0_RESUME = bytes.fromhex("000000003400000100000007746f6b2d6a733000000000000000120000000000000000")
JS1_RESUME = bytes.fromhex("000000003400000000010004746f6b3100000000000000120000000000000012")
JS1_RESUME_OK = bytes.fromhex("0000000038000000000000000027")
REJECTED = bytes.fromhex("000000002c0000000004756e6b6e6f776e20726573756d6520746f6b656e")

open_ends: list[Callable[[], Connection]] = [
    partial(open_client, resume_buffer_size=MiB),
    partial(open_server, resume_buffer_size=MiB),
]
both_ends = pytest.mark.parametrize("make", open_ends, ids=["client", "server"])


def phase(connection: Connection) -> ConnectionPhase:
    """Give the state anew each time; type checkers take a property they have compared for unchanged."""
    return connection.state


def codes(connection: Connection) -> list[int | None]:
    """Give the codes of the ERRORs that are left to send, ``None`` for other frames."""
    return [getattr(frame, "code", None) for frame in sent(connection)]


def resume_frame(received: int, first: int = 0, token: bytes = TOKEN) -> bytes:
    """Give a client's RESUME."""
    return f.encode_frame(f.ResumeFrame(token, received, first))


def client_with(*sizes: int, resume_buffer_size: int = MiB) -> Connection:
    """Give an open client that has sent requests whose frames have *sizes*."""
    client = open_client(resume_buffer_size=resume_buffer_size)
    for size in sizes:
        client.request(Payload(bytes(size - f.HEADER_SIZE)))
    sent(client)
    return client


def resuming(client: Connection) -> Connection:
    """Cut a client off and have its RESUME handed out."""
    assert client.lose_transport()
    client.resume(0.0)
    client.frames_to_send()
    return client


# Golden traces


def test_a_js0_client_comes_back_byte_by_byte() -> None:
    """Specification (section 4.2 of the facts): the worked trace, with the frames that js0 sent."""
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    (event,) = server.receive_frame(JS0_SETUP, 0.0)
    assert isinstance(event, SetupReceived)
    assert event.setup.resume_token == server.resume_token == b"tok-js0"
    server.accept_setup(0.0)
    server.receive_frame(JS0_REQUEST, 0.0)
    server.respond(1, Payload(b"twelve bytes"))
    server.ping(0.0)
    assert next(frame.hex() for frame in server.frames_to_send()).endswith("000000000000000b" + "0000000000000001")
    assert server.lose_transport()
    assert server.accept_resume(JS0_RESUME, 0.0) == [Resumed()]
    assert [frame.hex() for frame in server.frames_to_send()] == ["000000003800000000000000000b"]
    feed(server, f.RequestResponseFrame(3, bytes(9)), f.RequestResponseFrame(5, bytes(5)))
    feed(server, f.KeepaliveFrame(respond=True))
    assert [frame.hex() for frame in server.frames_to_send()] == ["000000000c000000000000000025"]


def test_a_kept_answer_is_repeated_to_a_js0_client() -> None:
    """Specification (section 4.2 of the facts): the second trace; the client's position drops what it has."""
    server = open_server(resume_buffer_size=MiB)
    feed(server, f.RequestResponseFrame(1, bytes(5)), f.RequestResponseFrame(3, bytes(6)))
    server.respond(1, Payload(bytes(12)))
    server.respond(3, Payload(bytes(19)))
    _, kept = server.frames_to_send()
    server.lose_transport()
    server.accept_resume(JS0_RESUME, 0.0)
    assert [frame.hex() for frame in server.frames_to_send()] == ["0000000038000000000000000017", kept.hex()]
    assert server.kept_bytes == 25


def test_our_resume_is_the_one_js0_sends() -> None:
    """Specification (checklist 55): version 1.0, the token, how far we received, the oldest byte we keep."""
    client = client_with(11)
    feed(client, f.PayloadFrame(1, b"twelve bytes", complete=True, next_=True))
    client.lose_transport()
    client.resume(0.0)
    assert client.frames_to_send() == [JS0_RESUME]


def test_our_resume_names_the_oldest_byte_that_is_kept() -> None:
    """Specification (section 4.2 of the facts): as js1's did, whose store a KEEPALIVE had trimmed to 39."""
    client = client_with(18, 21, 30)
    client.receive_frame(JS1_ANSWERS_AT_39, 0.0)
    feed(client, f.RequestResponseFrame(2, bytes(12)))
    client.lose_transport()
    client.resume(0.0)
    assert sent(client) == [f.ResumeFrame(TOKEN, 18, 39)]


def test_js1_frames_move_positions() -> None:
    """Specification (checklist 67): its KEEPALIVE trims to 18, its answer to 39."""
    client = client_with(18, 21)
    client.receive_frame(JS1_ASKS_AT_18, 0.0)
    assert client.kept_bytes == 21
    client.receive_frame(JS1_ANSWERS_AT_39, 0.0)
    assert client.kept_bytes == 0


def test_js1_is_resumed_although_its_version_is_swapped() -> None:
    """Specification (checklist 66): 0.1 instead of 1.0."""
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    feed(server, f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"", resume_token=b"tok1"))
    server.accept_setup(0.0)
    feed(server, f.RequestResponseFrame(1, bytes(12)))
    server.respond(1, Payload(bytes(12)))
    sent(server)
    server.lose_transport()
    assert server.accept_resume(JS1_RESUME, 0.0) == [Resumed()]
    assert sent(server) == [f.ResumeOkFrame(18)]


def test_a_js1_server_resumes_us() -> None:
    """Specification (checklist 57): its RESUME_OK names all that was sent."""
    client = resuming(client_with(18, 21))
    assert client.receive_frame(JS1_RESUME_OK, 0.0) == [Resumed()]
    assert not client.wants_to_send
    assert client.kept_bytes == 0


# Positions


@both_ends
def test_positions_count_what_the_text_says_and_nothing_else(make: Callable[[], Connection]) -> None:
    """Specification (checklist 54): each type, fragments, late and unreadable ones; both KEEPALIVEs say so."""
    end = make()
    theirs = 2 if make is open_ends[0] else 1
    counted: list[f.Frame] = [
        f.RequestResponseFrame(theirs, b"a", follows=True),
        f.PayloadFrame(theirs, b"b", next_=True),
        f.RequestResponseFrame(theirs, b"again"),
        f.RequestFnfFrame(theirs + 2, b"c"),
        f.RequestStreamFrame(theirs + 4, 1, b"d"),
        f.RequestChannelFrame(theirs + 6, 1, b"e"),
        f.RequestNFrame(theirs, 1),
        f.CancelFrame(99),
        f.PayloadFrame(99, b"late", next_=True),
        f.ErrorFrame(99, 0x201, "late"),
    ]
    uncounted: list[f.Frame] = [
        f.LeaseFrame(1, 1),
        f.KeepaliveFrame(b"x"),
        f.MetadataPushFrame(b"m"),
        f.ResumeOkFrame(5),
        f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b""),
    ]
    feed(end, *counted, *uncounted)
    end.receive_frame(bytes.fromhex("00000063fe0000000001"), 0.0)  # EXT on a stream, to be ignored
    end.ping(0.0)
    feed(end, f.KeepaliveFrame(b"echo", respond=True))
    expected = sum(len(f.encode_frame(frame)) for frame in counted) + 10
    keepalives = [frame for frame in sent(end) if isinstance(frame, f.KeepaliveFrame)]
    assert [(frame.respond, frame.position) for frame in keepalives] == [(True, expected), (False, expected)]


def test_without_a_token_positions_stay_0() -> None:
    """Specification: 0 is "not supported", and what the peer says is not looked at."""
    client = open_client()
    client.request(Payload(b"q"))
    sent(client)
    feed(client, f.RequestResponseFrame(2), f.KeepaliveFrame(respond=True, position=99))
    assert sent(client) == [f.KeepaliveFrame()]
    assert (client.resume_token, client.resumable, client.kept_bytes) == (None, False, 0)


@both_ends
@pytest.mark.parametrize("respond", [True, False])
def test_a_keepalives_position_trims(make: Callable[[], Connection], respond: bool) -> None:
    """Specification (checklist 67): 0, and what is below the oldest kept byte, says nothing."""
    end = make()
    for _ in range(3):
        end.request(Payload(bytes(4)))
    sent(end)
    assert end.kept_bytes == 30
    for position, kept in ((10, 20), (0, 20), (5, 20), (10, 20), (30, 0)):
        feed(end, f.KeepaliveFrame(respond=respond, position=position))
        assert end.kept_bytes == kept
    assert end.state is ConnectionPhase.OPEN


@both_ends
@pytest.mark.parametrize("position", [5, 11, 31, f.MAX_POSITION])
def test_a_position_that_cannot_be_ends_the_session(make: Callable[[], Connection], position: int) -> None:
    """Specification (checklist 67): inside a frame or beyond the end, the ends no longer agree."""
    end = make()
    for _ in range(3):
        end.request(Payload(bytes(4)))
    sent(end)
    with pytest.raises(RemoteProtocolError, match="position"):
        feed(end, f.KeepaliveFrame(position=position))
    assert codes(end) == [ErrorCode.CONNECTION_ERROR]
    assert not end.resumable
    assert not end.lose_transport()


# Beginnings


def test_a_setup_with_a_token_needs_a_store() -> None:
    """This SDK: bad arguments are ValueError."""
    with pytest.raises(ValueError, match="resume_buffer_size"):
        Connection(Role.CLIENT, setup=RESUMABLE_SETUP)


def test_a_server_that_keeps_sessions_takes_the_flag_and_others_do_not() -> None:
    """Specification (checklist 15): REJECTED_SETUP where resumption is off."""
    setup = f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"", resume_token=b"t")
    for size in (None, MiB):
        server = Connection(Role.SERVER, resume_buffer_size=size)
        server.open(0.0)
        if size is None:
            with pytest.raises(RemoteProtocolError, match="resumption"):
                feed(server, setup)
            assert codes(server) == [ErrorCode.REJECTED_SETUP]
        else:
            feed(server, setup)
            assert server.resume_token == b"t"
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    feed(server, replace(setup, resume_token=None))
    server.accept_setup(0.0)
    assert (server.resume_token, server.resumable) == (None, False)


def test_a_client_is_resumable_from_the_moment_its_setup_leaves() -> None:
    """This SDK: the server may have it from then on; Resumed proves that it was accepted."""
    client = Connection(Role.CLIENT, setup=RESUMABLE_SETUP, resume_buffer_size=MiB)
    assert client.resume_token == TOKEN
    assert not client.resumable
    client.open(0.0)
    assert not client.resumable
    assert len(client.frames_to_send(1)) == 1
    assert client.resumable
    assert feed(resuming(client), f.ResumeOkFrame(0)) == [Resumed()]
    assert client.state is ConnectionPhase.OPEN


def test_a_client_whose_setup_never_left_is_over_when_cut() -> None:
    """This SDK: there is nothing to resume, and no credential stays in memory."""
    client = Connection(Role.CLIENT, setup=RESUMABLE_SETUP, resume_buffer_size=MiB)
    client.open(0.0)
    stream_id = client.request(Payload(b"q"))
    assert not client.lose_transport()
    assert client.state is ConnectionPhase.CLOSED
    assert not client.was_sent(stream_id)
    assert sent(client) == []


def test_a_server_is_resumable_from_acceptance_on() -> None:
    """This SDK: a client that is not let in yet has no session."""
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    feed(server, f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"", resume_token=b"t"))
    assert not server.resumable
    assert not server.lose_transport()
    assert server.accept_setup(0.0) == []
    assert open_ends[1]().resumable


def test_what_came_before_acceptance_is_counted() -> None:
    """Specification: a frame is received once it is here."""
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    feed(server, f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"", resume_token=TOKEN))
    feed(server, f.RequestResponseFrame(1, bytes(4)), f.KeepaliveFrame(respond=True))
    server.accept_setup(0.0)
    assert sent(server) == [f.KeepaliveFrame(position=10)]


# The transport goes


@both_ends
def test_an_unresumable_connection_ends_with_its_transport(make: Callable[[], Connection]) -> None:
    """This SDK: as ever, where there is no token; ``was_sent`` still tells."""
    for end in (open_client(), open_server()):
        out = end.request(Payload(b"q"))
        sent(end)
        kept_back = end.request(Payload(b"q"))
        assert not end.lose_transport()
        assert not end.lose_transport()
        assert end.state is ConnectionPhase.CLOSED
        assert end.was_sent(out)
        assert not end.was_sent(kept_back)
        assert not end.wants_to_send


@both_ends
def test_nothing_comes_or_goes_without_a_transport(make: Callable[[], Connection]) -> None:
    """Specification (section 4.3 of the facts): timers stop, streams stay; what is read late was not received."""
    end = make()
    theirs = 2 if make is open_ends[0] else 1
    feed(end, f.RequestResponseFrame(theirs, bytes(4)))
    end.ping(0.0)
    feed(end, f.KeepaliveFrame(respond=True))
    assert end.lose_transport()
    assert end.lose_transport()
    assert phase(end) is ConnectionPhase.DETACHED
    assert end.resumable
    assert feed(end, f.RequestResponseFrame(theirs + 2)) == [FrameIgnored("a frame after its transport")]
    assert end.receive_frame(b"garbage", 0.0) == [FrameIgnored("a frame after its transport")]
    assert end.next_deadline() is None
    assert end.tick(1e9) == []
    assert end.respond(theirs, Payload(b"answer"))
    end.request(Payload(b"later"))
    end.ping(0.0)
    assert not end.wants_to_send
    assert end.frames_to_send() == []


def test_the_lifetime_over_is_a_lost_transport() -> None:
    """Specification (checklist 50): no KEEPALIVE for the lifetime; a resumable session is kept."""
    for make in open_ends:
        end = make()
        feed(end, f.KeepaliveFrame(), now=5.0)
        assert end.tick(35.0) == [PeerLost()]
        assert end.state is ConnectionPhase.DETACHED
        assert end.tick(99.0) == []


def test_pings_of_before_are_not_answered_after() -> None:
    """This SDK: whoever asked has been told of the cut; a ping of meanwhile leaves after RESUME_OK."""
    client = open_client(resume_buffer_size=MiB)
    before = client.ping(0.0)
    sent(client)
    client.lose_transport()
    meanwhile = client.ping(1.0)
    client.resume(2.0)
    client.ping(2.0)
    assert [type(frame) for frame in sent(client)] == [f.ResumeFrame]
    feed(client, f.ResumeOkFrame(0))
    assert next(getattr(frame, "data", None) for frame in sent(client)) == meanwhile
    assert isinstance(feed(client, f.KeepaliveFrame(before))[0], FrameIgnored)
    assert feed(client, f.KeepaliveFrame(meanwhile), now=3.0) == [KeepaliveAnswered(meanwhile, 2.0)]


# A client resumes


def test_only_resume_leaves_until_it_is_granted() -> None:
    """Specification (checklist 55): neither KEEPALIVE nor request, whatever the time."""
    client = client_with(20)
    client.lose_transport()
    client.request(Payload(b"later"))
    client.resume(1.0)
    assert client.state is ConnectionPhase.RESUMING
    assert sent(client) == [f.ResumeFrame(TOKEN, 0, 0)]
    client.request(Payload(b"still later"))
    assert not client.wants_to_send
    assert client.next_deadline() is None
    assert client.tick(1e9) == []


def test_after_resume_ok_what_is_missing_is_repeated_and_then_the_new_leaves() -> None:
    """Specification (checklist 57): byte-identical, dropped below the position; both timers restart."""
    client = open_client(resume_buffer_size=MiB)
    ids = [client.request(Payload(b"%d" % number)) for number in range(3)]
    before = client.frames_to_send()
    client.lose_transport()
    later = client.request(Payload(b"later"))
    client.resume(100.0)
    sent(client)
    assert feed(client, f.ResumeOkFrame(7), now=100.0) == [Resumed()]
    assert client.kept_bytes == 14
    assert client.next_deadline() == 110.0
    after = client.frames_to_send()
    assert after[:2] == before[1:]
    assert [f.decode_frame(data) for data in after[2:]] == [f.RequestResponseFrame(later, b"later")]
    assert client.request(Payload()) == ids[-1] + 4
    assert feed(client, f.PayloadFrame(ids[1], b"a", complete=True, next_=True)) == [
        ResponseReceived(ids[1], Payload(b"a"))
    ]
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
    unsent = client.request(Payload(b"q"))
    assert feed(client, f.ErrorFrame(0, code, "no")) == [ResumeRejected(code, "no")]
    assert phase(client) is ConnectionPhase.CLOSED
    assert not client.resumable
    assert (client.was_sent(1), client.was_sent(unsent)) == (True, False)
    assert client.cancel(unsent) is False
    with pytest.raises(LocalProtocolError):
        client.resume(0.0)
    assert sent(client) == []


def test_the_golden_refusal_is_understood() -> None:
    """Specification (golden vector 12)."""
    client = resuming(client_with(10))
    assert client.receive_frame(REJECTED, 0.0) == [ResumeRejected(ErrorCode.REJECTED_RESUME, "unknown resume token")]


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
    ours = client.request(Payload(bytes(150)))
    head = client.frames_to_send(1)
    feed(client, f.RequestResponseFrame(2, b"half ", follows=True))
    resuming(client)
    feed(client, f.ResumeOkFrame(0))
    again = client.frames_to_send(1)
    assert again == head
    assert [len(frame) for frame in client.frames_to_send()] == [61, 46]
    assert client.was_sent(ours)
    assert feed(client, f.PayloadFrame(2, b"whole", next_=True)) == [RequestReceived(2, Payload(b"half whole"))]


# A server resumes


def test_a_server_says_how_far_it_received_and_repeats_the_rest() -> None:
    """Specification (checklist 56): RESUME_OK first, then the kept frames unchanged, then the new ones."""
    server = open_server(resume_buffer_size=MiB)
    feed(server, *(f.RequestResponseFrame(stream_id, bytes(4)) for stream_id in (1, 3, 5)))
    server.respond(1, Payload(b"one"))
    server.respond(3, Payload(b"three"))
    _, three = server.frames_to_send()
    server.lose_transport()
    server.respond(5, Payload(b"five"))
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
        server.respond(stream_id, Payload(bytes(4)))
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
    server.respond(1, Payload(bytes(4)))
    sent(server)
    feed(server, f.KeepaliveFrame(position=10))
    assert server.is_outdated(resume_frame(received)) is is_outdated


def test_a_first_resume_is_refused_where_there_is_no_session() -> None:
    """Specification (checklist 61): also by a server that keeps sessions."""
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    with pytest.raises(RemoteProtocolError, match="session"):
        server.receive_frame(JS0_RESUME, 0.0)
    assert codes(server) == [ErrorCode.REJECTED_RESUME]


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


# Cancels


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
    blocked = client.request(Payload(bytes(50)))
    sent(client)
    assert client.was_sent(blocked) is False
    client.lose_transport()
    meanwhile = client.request(Payload())
    assert client.cancel(blocked) is False
    assert client.cancel(meanwhile) is False
    client.resume(0.0)
    sent(client)
    feed(client, f.ResumeOkFrame(60))
    assert sent(client) == []


# The store is full


def test_what_finds_no_room_waits_and_the_peer_is_asked() -> None:
    """This SDK (checklist 69): nothing is forgotten; first stays true."""
    client = client_with(60, 30, resume_buffer_size=100)
    held_back = client.request(Payload(bytes(50)))
    assert not client.was_sent(held_back)
    assert not client.wants_to_send
    assert client.frames_to_send() == []
    client.lose_transport()
    client.resume(0.0)
    assert sent(client) == [f.ResumeFrame(TOKEN, 0, 0)]
    feed(client, f.ResumeOkFrame(0))
    assert client.wants_to_send
    first, second, question = client.frames_to_send()
    assert (len(first), len(second)) == (60, 30)
    asked = f.decode_frame(question)
    assert isinstance(asked, f.KeepaliveFrame)
    assert asked.respond
    assert not client.wants_to_send
    assert feed(client, f.KeepaliveFrame(asked.data, position=90)) == []
    assert [type(frame) for frame in sent(client)] == [f.RequestResponseFrame, f.KeepaliveFrame]
    assert client.was_sent(held_back)


@both_ends
def test_keepalives_pass_while_the_store_is_full(make: Callable[[], Connection]) -> None:
    """Specification (checklist 48): an echo, and what the timer or ``ping`` asks."""
    end = (open_client if make is open_ends[0] else open_server)(resume_buffer_size=10)
    for _ in range(3):
        end.request(Payload(bytes(10)))
    sent(end)
    feed(end, f.KeepaliveFrame(b"echo", respond=True))
    data = end.ping(0.0)
    assert [getattr(frame, "data", None) for frame in sent(end)] == [data, b"echo"]


def stall(end: Connection) -> f.KeepaliveFrame:
    """Have *end* fill its store and ask; give the question."""
    for _ in range(3):
        end.request(Payload(bytes(14)))
    (question,) = [frame for frame in sent(end) if isinstance(frame, f.KeepaliveFrame)]
    return question


@both_ends
def test_a_peer_that_never_advances_costs_resumability_and_no_more(make: Callable[[], Connection]) -> None:
    """This SDK: js0 always answers 0. It is said once, the store is dropped, and writing goes on."""
    end = (open_client if make is open_ends[0] else open_server)(resume_buffer_size=50)
    question = stall(end)
    assert question.data != end.ping(0.0)
    (event,) = feed(end, f.KeepaliveFrame(question.data))
    assert isinstance(event, NotResumable)
    assert event.reason
    assert (end.resumable, end.kept_bytes) == (False, 0)
    for _ in range(10):
        end.request(Payload(bytes(40)))
    assert [type(frame) for frame in sent(end)] == [f.KeepaliveFrame, *[f.RequestResponseFrame] * 11]
    assert all(map(end.was_sent, range(1 + (make is not open_ends[0]), 21, 2)))
    assert feed(end, f.KeepaliveFrame(position=3)) == [FrameIgnored("a KEEPALIVE that answers none of ours")]
    assert end.state is ConnectionPhase.OPEN
    feed(end, f.CancelFrame(99), f.KeepaliveFrame(respond=True))
    assert sent(end) == [f.KeepaliveFrame(position=6)]
    assert not end.lose_transport()


def test_a_stall_without_a_waiting_frame_is_no_end() -> None:
    """This SDK: only when a frame finds no room is the session given up."""
    client = open_client(resume_buffer_size=50)
    question = stall(client)
    client.cancel(5)  # was held back: never sent
    assert feed(client, f.KeepaliveFrame(question.data)) == []
    assert client.resumable
    assert not client.wants_to_send
    client.request(Payload(bytes(20)))
    (again,) = sent(client)
    assert isinstance(again, f.KeepaliveFrame)
    assert isinstance(feed(client, f.KeepaliveFrame(again.data))[0], NotResumable)


def test_an_answer_that_advances_keeps_the_session() -> None:
    """This SDK: also where the frame still finds no room."""
    client = open_client(resume_buffer_size=50)
    client.request(Payload(bytes(14)))
    client.request(Payload(bytes(14)))
    client.request(Payload(bytes(44)))
    for position in (20, 40):
        (question,) = [frame for frame in sent(client) if isinstance(frame, f.KeepaliveFrame)]
        assert client.kept_bytes == 60 - position
        assert feed(client, f.KeepaliveFrame(question.data, position=position)) == []
        assert client.resumable
    assert client.frames_to_send()
    assert client.kept_bytes == 50


def test_a_store_of_0_sends_one_frame_at_a_time() -> None:
    """This SDK: one of any size may pass alone."""
    client = open_client(resume_buffer_size=0)
    for _ in range(3):
        client.request(Payload(bytes(14)))
    for position in (20, 40, 60):
        request, question = sent(client)
        assert isinstance(request, f.RequestResponseFrame)
        assert isinstance(question, f.KeepaliveFrame)
        feed(client, f.KeepaliveFrame(question.data, position=position))
    assert sent(client) == []


# Ends


@both_ends
def test_a_connection_that_ends_is_not_resumed(make: Callable[[], Connection]) -> None:
    """Specification (checklist 70): an orderly close by either side leaves no session behind."""
    end = make()
    end.request(Payload(b"q"))
    sent(end)
    end.close()
    assert phase(end) is ConnectionPhase.CLOSING
    assert (end.resumable, end.kept_bytes) == (False, 0)
    assert not end.lose_transport()
    end = make()
    end.request(Payload(b"q"))
    sent(end)
    feed(end, f.ErrorFrame(0, ErrorCode.CONNECTION_CLOSE))
    assert not end.resumable
    end = make()
    end.request(Payload(b"q"))
    sent(end)
    assert feed(end, f.ErrorFrame(0, ErrorCode.CONNECTION_ERROR, "no")) == [ConnectionEnded(0x101, "no")]
    assert (end.resumable, end.kept_bytes) == (False, 0)
    assert not end.lose_transport()


def test_closing_lets_what_was_held_back_and_what_is_repeated_leave() -> None:
    """This SDK: behind them the farewell; nothing more needs to be kept."""
    client = client_with(60, resume_buffer_size=64)
    client.request(Payload(bytes(50)))
    feed(resuming(client), f.ResumeOkFrame(0))
    client.close()
    assert [type(frame) for frame in sent(client)] == [f.RequestResponseFrame, f.RequestResponseFrame, f.ErrorFrame]


def test_a_fatal_end_stops_a_replay() -> None:
    """This SDK: the ERROR is all that still leaves, and nothing is kept for nobody."""
    client = resuming(client_with(10, 10))
    feed(client, f.ResumeOkFrame(0))
    assert len(client.frames_to_send(1)) == 1
    client.close(ErrorCode.CONNECTION_ERROR)
    assert [type(frame) for frame in sent(client)] == [f.ErrorFrame]
    assert client.kept_bytes == 0


def test_a_question_answered_while_closing_is_no_surprise() -> None:
    """This SDK: it is neither counted as ignored nor believed to be a stall."""
    client = client_with(60, resume_buffer_size=64)
    client.request(Payload(bytes(50)))
    feed(resuming(client), f.ResumeOkFrame(0))
    (question,) = [frame for frame in sent(client) if isinstance(frame, f.KeepaliveFrame)]
    client.close()
    assert feed(client, f.KeepaliveFrame(question.data)) == []


@both_ends
def test_closing_without_a_transport_says_nothing(make: Callable[[], Connection]) -> None:
    """This SDK: nobody is there to hear it."""
    end = make()
    stream_id = end.request(Payload(b"q"))
    end.lose_transport()
    end.close()
    assert phase(end) is ConnectionPhase.CLOSED
    assert sent(end) == []
    assert not end.was_sent(stream_id)


@pytest.mark.parametrize("is_out", [True, False], ids=["RESUME sent", "RESUME waiting"])
def test_closing_while_resuming_tells_the_server_behind_the_resume(is_out: bool) -> None:
    """This SDK: it would keep the session for nobody."""
    client = client_with(10)
    client.lose_transport()
    client.resume(0.0)
    if is_out:
        sent(client)
    client.close()
    assert phase(client) is ConnectionPhase.CLOSED
    assert [type(frame) for frame in sent(client)] == [*[f.ResumeFrame] * (not is_out), f.ErrorFrame]
    assert isinstance(feed(client, f.ResumeOkFrame(10))[0], FrameIgnored)


def test_illegal_resumptions_of_ours_are_local_errors() -> None:
    """This SDK: nothing is sent, and nothing changes."""
    client, server = (make() for make in open_ends)
    lost_client, lost_server = (make() for make in open_ends)
    lost_client.lose_transport()
    lost_server.lose_transport()
    for move in (
        lambda: client.resume(0.0),
        lambda: server.resume(0.0),
        lambda: lost_server.resume(0.0),
        lambda: open_client().resume(0.0),
        lambda: server.accept_resume(resume_frame(0), 0.0),
        lambda: lost_client.accept_resume(resume_frame(0), 0.0),
        lambda: lost_server.accept_resume(resume_frame(0, token=b"other"), 0.0),
        lambda: lost_server.accept_resume(f.encode_frame(f.KeepaliveFrame()), 0.0),
        lambda: lost_server.accept_resume(b"", 0.0),
    ):
        with pytest.raises(LocalProtocolError):
            move()
    assert phase(lost_server) is phase(lost_client) is ConnectionPhase.DETACHED
    assert not any(end.wants_to_send for end in (client, server, lost_client, lost_server))


def test_an_untimed_session_comes_back_untimed() -> None:
    """This SDK: on the memory transport no lifetime runs, but full stores still ask."""
    client = open_client(resume_buffer_size=20, timed=False)
    server = open_server(resume_buffer_size=20, timed=False)
    for end in (client, server):
        end.request(Payload(bytes(14)))
        assert [type(frame) for frame in sent(end)] == [f.RequestResponseFrame, f.KeepaliveFrame]
        assert end.lose_transport()
    client.resume(0.0)
    sent(client)
    feed(client, f.ResumeOkFrame(20))
    server.accept_resume(resume_frame(20), 0.0)
    assert client.next_deadline() is server.next_deadline() is None


def test_no_token_is_in_a_repr() -> None:
    """This SDK: whoever has it can take the session over."""
    assert "tok-js0" not in repr([RESUMABLE_SETUP, f.ResumeFrame(TOKEN, 0, 0), open_client(resume_buffer_size=1)])
    assert SETUP.resume_token is None


# What the peer has, and what it does not have yet


def test_a_request_was_received_once_the_peer_says_so_of_its_last_byte() -> None:
    """This SDK: of requests in pieces the last one counts; a cut changes nothing about it."""
    server = open_server(fragment_size=64, resume_buffer_size=MiB)
    small, large = server.request(Payload(b"small")), server.request(Payload(bytes(100)))
    assert not server.was_received(small)
    first = len(server.frames_to_send(1)[0])
    last = first + sum(map(len, server.frames_to_send()))
    for position, received in ((0, (False, False)), (first, (True, False)), (last, (True, True))):
        feed(server, f.KeepaliveFrame(position=position))
        assert (server.was_received(small), server.was_received(large)) == received
    late = server.request(Payload(b"late"))
    server.lose_transport()
    assert not server.was_received(late)
    server.accept_resume(resume_frame(last), 0.0)
    server.frames_to_send()
    assert not server.was_received(late)
    server.lose_transport()
    server.accept_resume(resume_frame(last + 6 + len(b"late")), 0.0)
    assert server.was_received(late)


def test_a_request_that_ended_was_received() -> None:
    """This SDK: nobody need wait for it."""
    server = open_server(resume_buffer_size=MiB)
    answered, cancelled = server.request(Payload(b"x")), server.request(Payload(b"y"))
    server.frames_to_send()
    feed(server, f.PayloadFrame(answered, b"z", complete=True, next_=True))
    server.cancel(cancelled)
    assert server.was_received(answered)
    assert server.was_received(cancelled)


def test_where_nobody_tells_a_request_counts_as_received() -> None:
    """This SDK: positions lag for ever without resumption, or without the KEEPALIVEs of timed connections."""
    for server in (open_server(), open_server(resume_buffer_size=MiB, timed=False)):
        request = server.request(Payload(b"x"))
        assert server.was_received(request)
        server.frames_to_send()
        assert server.was_received(request)
    server = open_server(resume_buffer_size=MiB)
    request = server.request(Payload(b"x"))
    assert not server.was_received(request)
    server.close()
    assert server.was_received(request)


def test_what_waits_to_be_sent_is_counted() -> None:
    """This SDK: whoever keeps the session of a client that was cut must know how much that is."""
    server = open_server(resume_buffer_size=MiB)
    feed(server, f.RequestResponseFrame(1, b"?"))
    server.lose_transport()
    assert server.waiting_bytes == 0
    server.respond(1, Payload(bytes(100)))
    server.request(Payload(b"x"))
    assert server.waiting_bytes == 106 + 7
    server.accept_resume(resume_frame(0), 0.0)
    server.frames_to_send()
    assert (server.waiting_bytes, server.kept_bytes) == (0, 106 + 7)
