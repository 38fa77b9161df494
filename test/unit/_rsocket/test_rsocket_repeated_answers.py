"""An answer that is followed by another one, which no peer may send: what a broken server does, on purpose."""

from __future__ import annotations

import pytest
from frame_strategies import feed, open_client, open_server, sent

from elarian_trio._rsocket import ConnectionPhase, ErrorCode, FrameIgnored, ResponseReceived
from elarian_trio._rsocket import frames as f

ASK = f.RequestResponseFrame(1, b"q")


@pytest.mark.parametrize("size", [1, 1000], ids=["one frame", "fragments"])
def test_the_second_answer_follows_the_whole_first(size: int) -> None:
    """This SDK: two whole payloads, one behind the other, on the stream of one request."""
    server, client = open_server(fragment_size=64), open_client()
    feed(server, ASK)
    client.request(b"q")
    sent(client)
    assert server.respond(1, b"a" * size)
    assert server.repeat(1, b"b" * size)
    frames = sent(server)
    assert b"".join(frame.data for frame in frames if isinstance(frame, f.PayloadFrame)) == b"a" * size + b"b" * size
    events = feed(client, *frames)
    assert events[0] == ResponseReceived(1, b"a" * size)
    assert events[1:]
    assert {type(event) for event in events[1:]} == {FrameIgnored}
    assert server.outstanding == 0


def test_what_was_not_answered_or_has_left_is_not_repeated() -> None:
    """This SDK: only an answer that still waits can be followed by another."""
    server = open_server()
    feed(server, ASK)
    assert not server.repeat(1, b"b")
    server.respond(1, b"a")
    sent(server)
    assert not server.repeat(1, b"b")
    assert sent(server) == []


def test_a_cancelled_answer_is_not_repeated_either() -> None:
    """Specification: CANCEL ends what is sent on a stream."""
    server = open_server()
    feed(server, ASK)
    server.respond(1, b"a")
    server.repeat(1, b"b")
    feed(server, f.CancelFrame(1))
    assert sent(server) == []


def test_a_second_answer_counts_for_resumption_like_every_frame() -> None:
    """Specification (resumption): positions count what is on streams, so that both ends agree after a cut."""
    server, client = open_server(resume_buffer_size=1 << 16), open_client(resume_buffer_size=1 << 16)
    client.request(b"q")
    feed(server, *sent(client))
    server.respond(1, b"a")
    server.repeat(1, b"b")
    feed(client, *sent(server))
    assert server.kept_bytes > 0
    client.ping(0.0)
    feed(server, *sent(client))
    assert server.kept_bytes == 0
    assert server.state is ConnectionPhase.OPEN


def test_a_closing_connection_still_sends_the_second_answer() -> None:
    """This SDK: closing in order waits for what is queued."""
    server = open_server()
    feed(server, ASK)
    server.respond(1, b"a")
    server.repeat(1, b"b")
    server.close()
    *payloads, farewell = sent(server)
    assert [frame.data for frame in payloads if isinstance(frame, f.PayloadFrame)] == [b"a", b"b"]
    assert isinstance(farewell, f.ErrorFrame)
    assert farewell.code == ErrorCode.CONNECTION_CLOSE
    assert server.state is ConnectionPhase.CLOSED
