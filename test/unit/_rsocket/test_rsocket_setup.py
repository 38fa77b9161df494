"""How a connection begins: SETUP, its acceptance or refusal, and what may come before."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from frame_strategies import SETUP, feed, open_client, open_server, sent

from elarian_trio._rsocket import (
    Connection,
    ConnectionEnded,
    ConnectionPhase,
    ErrorCode,
    FrameIgnored,
    KeepaliveAnswered,
    PeerLost,
    RequestReceived,
    Role,
    Setup,
    SetupReceived,
)
from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.setup import setup_from_frame, setup_to_frame
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = f.SetupFrame(10_000, 30_000, metadata_mime=b"a/b", data_mime=b"c/d", data=b"creds")


def new_client(*, timed: bool = True) -> Connection:
    """Give a client with its first two frames still to send."""
    client = Connection(Role.CLIENT, setup=SETUP, timed=timed)
    client.open(0.0)
    return client


def new_server(*, timed: bool = True, max_payload_size: int = 1 << 24) -> Connection:
    """Give a server that waits for a SETUP."""
    server = Connection(Role.SERVER, timed=timed, max_payload_size=max_payload_size)
    server.open(0.0)
    return server


def test_a_setup_says_the_same_at_both_ends() -> None:
    """Specification: times are milliseconds on the wire, MIME types ASCII."""
    setup = Setup(
        b"d",
        b"m",
        data_mime="a/b",
        metadata_mime="c/d",
        keepalive_interval=1.5,
        keepalive_lifetime=3.0,
        resume_token=b"t",
    )
    assert setup_from_frame(setup_to_frame(setup)) == setup
    assert setup_to_frame(setup).keepalive_ms == 1500


def test_times_stay_within_what_a_setup_can_say() -> None:
    """Specification (checklist 17): never 0, and 31 bits at most."""
    frame = setup_to_frame(Setup(b"", keepalive_interval=0.0001, keepalive_lifetime=float("inf")))
    assert (frame.keepalive_ms, frame.lifetime_ms) == (1, 0x7FFF_FFFF)


def test_credentials_stay_out_of_the_repr() -> None:
    """This SDK: a setup lands in tracebacks."""
    setup = Setup(b"hunter2", b"hunter2", keepalive_interval=1, keepalive_lifetime=2, resume_token=b"hunter2")
    assert "hunter2" not in repr(setup)


def test_a_client_begins_with_setup_and_a_keepalive_that_asks() -> None:
    """Specification (checklist 22); this SDK asks at once, since no SETUP is ever acknowledged."""
    client = new_client()
    setup, keepalive = sent(client)
    assert setup == f.SetupFrame(
        10_000, 30_000, metadata_mime=b"application/json", data_mime=b"application/octet-stream", data=b"creds"
    )
    assert isinstance(keepalive, f.KeepaliveFrame)
    assert keepalive.respond
    assert client.state.name == "CONNECTING"
    assert feed(client, f.KeepaliveFrame(keepalive.data), now=0.5) == [KeepaliveAnswered(keepalive.data, 0.5)]
    assert client.state is ConnectionPhase.OPEN


def test_a_keepalive_of_the_server_does_not_prove_acceptance() -> None:
    """This SDK: only the answer to ours does."""
    client = new_client()
    assert feed(client, f.KeepaliveFrame(b"x", respond=True)) == []
    assert feed(client, f.KeepaliveFrame(b"x")) == [FrameIgnored("a KEEPALIVE that answers none of ours")]
    assert client.state is ConnectionPhase.CONNECTING


def test_requests_may_follow_the_setup_at_once() -> None:
    """Specification: acceptance is never awaited; SETUP stays first."""
    client = new_client()
    client.request(b"early")
    assert [type(frame) for frame in sent(client)] == [f.SetupFrame, f.KeepaliveFrame, f.RequestResponseFrame]


@pytest.mark.parametrize("code", [1, 2, 3, 4, 0x101, 0x201, 0x301, 0])
def test_an_error_before_the_proof_ends_the_connection(code: int) -> None:
    """Specification (checklist 23): with the server's code and words."""
    client = new_client()
    client.request(b"early")
    sent(client)
    assert feed(client, f.ErrorFrame(0, code, "no")) == [ConnectionEnded(code, "no")]
    assert client.state is ConnectionPhase.CLOSED
    assert client.next_deadline() is None


@pytest.mark.parametrize("code", [1, 2, 3, 4])
@pytest.mark.parametrize("make", [open_client, open_server])
def test_setup_errors_are_ignored_once_established(code: int, make: Callable[[], Connection]) -> None:
    """Specification (checklist 21, 24)."""
    connection = make()
    assert feed(connection, f.ErrorFrame(0, code, "no")) == [FrameIgnored("a setup error after the setup")]
    assert connection.state is ConnectionPhase.OPEN


@pytest.mark.parametrize("frame", [GOOD, f.LeaseFrame(1, 1), f.ResumeFrame(b"t", 0, 0), f.ResumeOkFrame(0)], ids=repr)
def test_an_open_client_ignores_what_only_servers_take(frame: f.Frame) -> None:
    """Specification (checklist 24): SETUP and a lease nobody asked for; RESUME frames without a resumption."""
    client = open_client()
    (event,) = feed(client, frame)
    assert isinstance(event, FrameIgnored)
    assert client.state is ConnectionPhase.OPEN


def test_a_server_reports_the_setup_and_says_nothing_before_accepting_it() -> None:
    """Specification (checklist 19, 21): what came right behind it is served afterwards, in order."""
    server = new_server()
    events = feed(
        server, GOOD, f.KeepaliveFrame(b"proof", respond=True), f.RequestResponseFrame(1, b"one"), f.RequestNFrame(1, 1)
    )
    (event,) = events
    assert isinstance(event, SetupReceived)
    assert event.setup.data == b"creds"
    assert (event.setup.keepalive_interval, event.setup.keepalive_lifetime) == (10.0, 30.0)
    assert (event.setup.data_mime, event.setup.metadata_mime) == ("c/d", "a/b")
    assert not server.wants_to_send
    assert server.accept_setup(1.0) == [RequestReceived(1, b"one")]
    assert server.state is ConnectionPhase.OPEN
    assert sent(server) == [f.KeepaliveFrame(b"proof")]


def test_a_rejected_client_is_told_why_and_nothing_is_executed() -> None:
    """Specification (checklist 16)."""
    server = new_server()
    feed(server, GOOD, f.RequestResponseFrame(1, b"one"))
    server.reject_setup(ErrorCode.REJECTED_SETUP, "wrong key")
    assert sent(server) == [f.ErrorFrame(0, ErrorCode.REJECTED_SETUP, "wrong key")]
    assert server.state is ConnectionPhase.CLOSED
    assert server.accept_setup(0.0) == []
    server.reject_setup(ErrorCode.REJECTED_SETUP, "again")
    assert not server.wants_to_send


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (replace(GOOD, major=2), ErrorCode.INVALID_SETUP),
        (replace(GOOD, major=0, minor=2), ErrorCode.INVALID_SETUP),
        (replace(GOOD, keepalive_ms=0), ErrorCode.INVALID_SETUP),
        (replace(GOOD, lifetime_ms=0), ErrorCode.INVALID_SETUP),
        (replace(GOOD, lease=True), ErrorCode.UNSUPPORTED_SETUP),
        (replace(GOOD, resume_token=b"token"), ErrorCode.REJECTED_SETUP),
        (f.ResumeFrame(b"token", 0, 0), ErrorCode.REJECTED_RESUME),
        (f.RequestResponseFrame(1, b""), ErrorCode.INVALID_SETUP),
        (f.KeepaliveFrame(), ErrorCode.INVALID_SETUP),
        (f.ErrorFrame(0, 0x101), ErrorCode.INVALID_SETUP),
    ],
    ids=repr,
)
def test_an_odd_opening_is_refused_with_the_code_it_deserves(frame: f.Frame, code: ErrorCode) -> None:
    """Specification (checklist 11, 13, 14, 15, 17)."""
    server = new_server()
    with pytest.raises(RemoteProtocolError):
        feed(server, frame)
    (error,) = sent(server)
    assert isinstance(error, f.ErrorFrame)
    assert (error.stream_id, error.code) == (0, code)
    assert server.state is ConnectionPhase.CLOSED
    assert feed(server, GOOD) == [FrameIgnored("a frame after the end")]


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"\0\0\0\1" + f.encode_frame(GOOD)[4:], ErrorCode.INVALID_SETUP),
        (b"\0\0\0\1" + f.encode_frame(f.ResumeFrame(b"", 0, 0))[4:], ErrorCode.INVALID_SETUP),
        (f.encode_frame(GOOD)[:24], ErrorCode.INVALID_SETUP),
        (bytes.fromhex("00000000fe0000000001"), ErrorCode.INVALID_SETUP),
        (b"", ErrorCode.CONNECTION_ERROR),
        (b"\0\0\0\0\4", ErrorCode.CONNECTION_ERROR),
    ],
)
def test_an_unreadable_opening_is_refused(wire: bytes, code: ErrorCode) -> None:
    """Specification (checklist 4, 12)."""
    server = new_server()
    with pytest.raises(RemoteProtocolError):
        server.receive_frame(wire, 0.0)
    (error,) = sent(server)
    assert isinstance(error, f.ErrorFrame)
    assert error.code == code


def test_a_second_setup_is_ignored() -> None:
    """Specification (checklist 18): before and after acceptance."""
    server = new_server()
    feed(server, GOOD)
    assert isinstance(feed(server, GOOD)[0], FrameIgnored)
    assert server.accept_setup(0.0) == []
    assert isinstance(feed(server, GOOD)[0], FrameIgnored)
    assert server.state is ConnectionPhase.OPEN


def test_a_resume_behind_the_setup_ends_the_connection() -> None:
    """Specification (checklist 65)."""
    server = open_server()
    with pytest.raises(RemoteProtocolError):
        feed(server, f.ResumeFrame(b"t", 0, 0))
    assert [getattr(frame, "code", None) for frame in sent(server)] == [ErrorCode.CONNECTION_ERROR]


def test_what_breaks_the_rules_behind_the_setup_ends_the_connection_upon_acceptance() -> None:
    """This SDK: what had to wait is judged as if it came then, and nothing behind it is served."""
    server = new_server()
    feed(server, GOOD, f.ResumeFrame(b"t", 0, 0), f.RequestResponseFrame(1, b"late"))
    with pytest.raises(RemoteProtocolError, match="RESUME must be the first"):
        server.accept_setup(0.0)
    assert [getattr(error, "code", None) for error in sent(server)] == [ErrorCode.CONNECTION_ERROR]
    assert server.state is ConnectionPhase.CLOSED


@pytest.mark.parametrize(
    ("frame", "count"), [(f.CancelFrame(1), 1025), (f.RequestResponseFrame(1, bytes(400)), 3)], ids=["frames", "bytes"]
)
def test_what_waits_for_acceptance_is_bounded(frame: f.Frame, count: int) -> None:
    """This SDK: no buffer without a bound, in frames and in bytes."""
    server = new_server(max_payload_size=1200 if count == 3 else 1 << 20)
    feed(server, GOOD, *[frame] * (count - 1))
    with pytest.raises(RemoteProtocolError, match="too much"):
        feed(server, frame)
    assert [getattr(error, "code", None) for error in sent(server)] == [ErrorCode.CONNECTION_ERROR]
    assert server.accept_setup(0.0) == []


def test_garbage_behind_an_undecided_setup_ends_the_connection_at_once() -> None:
    """This SDK: it is not held back."""
    server = new_server()
    feed(server, GOOD)
    with pytest.raises(RemoteProtocolError):
        server.receive_frame(bytes(6), 0.0)
    assert [getattr(error, "code", None) for error in sent(server)] == [ErrorCode.CONNECTION_ERROR]
    assert isinstance(server.receive_frame(bytes.fromhex("0000000124ff"), 0.0)[0], FrameIgnored)


def test_frames_to_ignore_are_not_held() -> None:
    """Specification (checklist 7): behind the SETUP as anywhere."""
    server = new_server()
    feed(server, GOOD)
    assert server.receive_frame(bytes.fromhex("00000000fe0000000001"), 0.0) == [
        FrameIgnored("frame type 0x3F on stream 0")
    ]


def test_a_client_that_gives_up_before_acceptance_is_not_served_further() -> None:
    """This SDK: what it sent behind its own ERROR is dropped."""
    server = new_server()
    feed(server, GOOD, f.ErrorFrame(0, ErrorCode.CONNECTION_ERROR, "bye"), f.RequestResponseFrame(1, b"late"))
    assert server.accept_setup(0.0) == [ConnectionEnded(ErrorCode.CONNECTION_ERROR, "bye")]


def test_no_setup_in_time_is_a_lost_peer() -> None:
    """Specification (checklist 20)."""
    server = Connection(Role.SERVER, setup_timeout=5.0)
    server.open(100.0)
    assert server.next_deadline() == 105.0
    assert server.tick(104.9) == []
    assert server.tick(105.0) == [PeerLost()]
    assert server.state is ConnectionPhase.CLOSED
    assert server.tick(200.0) == []


def test_a_client_that_falls_silent_before_acceptance_is_lost() -> None:
    """Specification (checklist 51): the lifetime runs from the SETUP, and held KEEPALIVEs count."""
    server = new_server()
    feed(server, GOOD, now=10.0)
    feed(server, f.KeepaliveFrame(respond=True), now=20.0)
    assert server.tick(49.9) == []
    assert server.tick(50.0) == [PeerLost()]


def test_an_untimed_connection_sends_the_proof_and_waits_for_ever() -> None:
    """This SDK: on the memory transport a year passes at once."""
    for connection in (new_client(timed=False), new_server(timed=False)):
        assert connection.next_deadline() is None
        assert connection.tick(1e9) == []
    assert len(sent(new_client(timed=False))) == 2


def test_the_lifetime_is_told() -> None:
    """This SDK: the session bounds a write that stalls by it. A server has the client's, once its SETUP came."""
    assert (new_client().lifetime, new_client(timed=False).lifetime) == (30.0, math.inf)
    server = new_server()
    assert server.lifetime == 60.0
    feed(server, GOOD)
    assert server.lifetime == 30.0


def test_roles_and_sizes_that_cannot_work_are_refused() -> None:
    """This SDK: bad arguments are ValueError."""
    with pytest.raises(ValueError, match="setup"):
        Connection(Role.CLIENT)
    with pytest.raises(ValueError, match="setup"):
        Connection(Role.SERVER, setup=SETUP)
    for size in (63, f.MAX_FRAME_SIZE + 1):
        with pytest.raises(ValueError, match="fragment_size"):
            Connection(Role.SERVER, fragment_size=size)


def test_illegal_moves_of_ours_are_local_errors() -> None:
    """This SDK: nothing is sent, and the connection goes on."""
    unopened = Connection(Role.CLIENT, setup=SETUP)
    server = new_server()
    for move in (
        lambda: unopened.request(b""),
        lambda: unopened.ping(0.0),
        lambda: new_client().accept_setup(0.0),
        lambda: server.open(0.0),
        lambda: server.request(b""),
        lambda: server.ping(0.0),
        lambda: server.accept_setup(0.0),
        lambda: server.reject_setup(3, ""),
        lambda: open_server().accept_setup(0.0),
    ):
        with pytest.raises(LocalProtocolError):
            move()
    assert not server.wants_to_send


def test_a_setup_too_large_for_one_frame_is_refused_when_opening() -> None:
    """Specification: SETUP cannot be fragmented; the writer must not be the one to notice."""
    client = Connection(Role.CLIENT, setup=replace(SETUP, data=bytes(f.MAX_FRAME_SIZE)))
    with pytest.raises(LocalProtocolError, match="limit"):
        client.open(0.0)
    assert not client.wants_to_send


def test_all_frames_are_ignored_after_the_end() -> None:
    """This SDK: the reader may still hold some."""
    client = open_client()
    client.close(ErrorCode.CONNECTION_ERROR)
    for frame in (GOOD, f.KeepaliveFrame(respond=True), f.RequestResponseFrame(2)):
        assert feed(client, frame) == [FrameIgnored("a frame after the end")]
    assert len(sent(client)) == 1
