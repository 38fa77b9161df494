"""From when on one end can be resumed, what it does without a transport, and what ends it for good."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from frame_strategies import RESUMABLE_SETUP, TOKEN, feed, open_client, open_server, sent
from one_end import phase
from resumable_end import MiB, both_ends, client_with, codes, open_ends, resume_frame, resuming

from elarian_trio._rsocket import (
    Connection,
    ConnectionEnded,
    ConnectionPhase,
    ErrorCode,
    FrameIgnored,
    KeepaliveAnswered,
    PeerLost,
    Resumed,
    Role,
)
from elarian_trio._rsocket import frames as f
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

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
    stream_id = client.request(b"q")
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


def test_no_token_is_in_a_repr() -> None:
    """This SDK: whoever has it can take the session over."""
    assert "tok-js0" not in repr([RESUMABLE_SETUP, f.ResumeFrame(TOKEN, 0, 0), open_client(resume_buffer_size=1)])


# The transport goes


@pytest.mark.parametrize("make", [open_client, open_server], ids=["client", "server"])
def test_an_unresumable_connection_ends_with_its_transport(make: Callable[[], Connection]) -> None:
    """This SDK: as ever, where there is no token; ``was_sent`` still tells."""
    end = make()
    out = end.request(b"q")
    sent(end)
    kept_back = end.request(b"q")
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
    assert end.respond(theirs, b"answer")
    end.request(b"later")
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


# Ends


@both_ends
def test_a_connection_that_ends_is_not_resumed(make: Callable[[], Connection]) -> None:
    """Specification (checklist 70): an orderly close by either side leaves no session behind."""
    end = make()
    end.request(b"q")
    sent(end)
    end.close()
    assert phase(end) is ConnectionPhase.CLOSING
    assert (end.resumable, end.kept_bytes) == (False, 0)
    assert not end.lose_transport()
    end = make()
    end.request(b"q")
    sent(end)
    feed(end, f.ErrorFrame(0, ErrorCode.CONNECTION_CLOSE))
    assert not end.resumable
    end = make()
    end.request(b"q")
    sent(end)
    assert feed(end, f.ErrorFrame(0, ErrorCode.CONNECTION_ERROR, "no")) == [ConnectionEnded(0x101, "no")]
    assert (end.resumable, end.kept_bytes) == (False, 0)
    assert not end.lose_transport()


def test_closing_lets_what_was_held_back_and_what_is_repeated_leave() -> None:
    """This SDK: behind them the farewell; nothing more needs to be kept."""
    client = client_with(60, resume_buffer_size=64)
    client.request(bytes(50))
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
    client.request(bytes(50))
    feed(resuming(client), f.ResumeOkFrame(0))
    (question,) = [frame for frame in sent(client) if isinstance(frame, f.KeepaliveFrame)]
    client.close()
    assert feed(client, f.KeepaliveFrame(question.data)) == []


@both_ends
def test_closing_without_a_transport_says_nothing(make: Callable[[], Connection]) -> None:
    """This SDK: nobody is there to hear it."""
    end = make()
    stream_id = end.request(b"q")
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
