"""Positions at one end: what they count, what they trim, and what they tell of what the peer has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from frame_strategies import TOKEN, feed, open_client, open_server, sent
from resumable_end import MiB, both_ends, codes, open_ends, resume_frame

from elarian_trio._rsocket import Connection, ConnectionPhase, ErrorCode, Role
from elarian_trio._rsocket import frames as f
from elarian_trio.errors import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable


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
    client.request(b"q")
    sent(client)
    feed(client, f.RequestResponseFrame(2), f.KeepaliveFrame(respond=True, position=99))
    assert sent(client) == [f.KeepaliveFrame()]
    assert (client.resume_token, client.resumable, client.kept_bytes) == (None, False, 0)


def test_what_came_before_acceptance_is_counted() -> None:
    """Specification: a frame is received once it is here."""
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    feed(server, f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"", resume_token=TOKEN))
    feed(server, f.RequestResponseFrame(1, bytes(4)), f.KeepaliveFrame(respond=True))
    server.accept_setup(0.0)
    assert sent(server) == [f.KeepaliveFrame(position=10)]


@both_ends
@pytest.mark.parametrize("respond", [True, False])
def test_a_keepalives_position_trims(make: Callable[[], Connection], respond: bool) -> None:
    """Specification (checklist 67): 0, and what is below the oldest kept byte, says nothing."""
    end = make()
    for _ in range(3):
        end.request(bytes(4))
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
        end.request(bytes(4))
    sent(end)
    with pytest.raises(RemoteProtocolError, match="position"):
        feed(end, f.KeepaliveFrame(position=position))
    assert codes(end) == [ErrorCode.CONNECTION_ERROR]
    assert not end.resumable
    assert not end.lose_transport()


def test_a_request_was_received_once_the_peer_says_so_of_its_last_byte() -> None:
    """This SDK: of requests in pieces the last one counts; a cut changes nothing about it."""
    server = open_server(fragment_size=64, resume_buffer_size=MiB)
    small, large = server.request(b"small"), server.request(bytes(100))
    assert not server.was_received(small)
    first = len(server.frames_to_send(1)[0])
    last = first + sum(map(len, server.frames_to_send()))
    for position, received in ((0, (False, False)), (first, (True, False)), (last, (True, True))):
        feed(server, f.KeepaliveFrame(position=position))
        assert (server.was_received(small), server.was_received(large)) == received
    late = server.request(b"late")
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
    answered, cancelled = server.request(b"x"), server.request(b"y")
    server.frames_to_send()
    feed(server, f.PayloadFrame(answered, b"z", complete=True, next_=True))
    server.cancel(cancelled)
    assert server.was_received(answered)
    assert server.was_received(cancelled)


def test_where_nobody_tells_a_request_counts_as_received() -> None:
    """This SDK: positions lag for ever without resumption, or without the KEEPALIVEs of timed connections."""
    for server in (open_server(), open_server(resume_buffer_size=MiB, timed=False)):
        request = server.request(b"x")
        assert server.was_received(request)
        server.frames_to_send()
        assert server.was_received(request)
    server = open_server(resume_buffer_size=MiB)
    request = server.request(b"x")
    assert not server.was_received(request)
    server.close()
    assert server.was_received(request)


def test_what_waits_to_be_sent_is_counted() -> None:
    """This SDK: whoever keeps the session of a client that was cut must know how much that is."""
    server = open_server(resume_buffer_size=MiB)
    feed(server, f.RequestResponseFrame(1, b"?"))
    server.lose_transport()
    assert server.waiting_bytes == 0
    server.respond(1, bytes(100))
    server.request(b"x")
    assert server.waiting_bytes == 106 + 7
    server.accept_resume(resume_frame(0), 0.0)
    server.frames_to_send()
    assert (server.waiting_bytes, server.kept_bytes) == (0, 106 + 7)
