"""How a connection shows that it lives, and how it ends: by silence, in order, by an error, by garbage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from frame_strategies import feed, open_client, open_server, sent
from one_end import both_ends, is_ignored, phase

from elarian_trio._rsocket import (
    Connection,
    ConnectionEnded,
    ConnectionPhase,
    ErrorCode,
    KeepaliveAnswered,
    PeerLost,
    ResponseReceived,
)
from elarian_trio._rsocket import frames as f
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable


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
    sent_id = end.request(b"")
    sent(end)
    unsent_id = end.request(b"")
    feed(end, f.RequestResponseFrame(their_id))
    assert feed(end, f.ErrorFrame(0, code, "bye")) == [ConnectionEnded(code, "bye")]
    assert phase(end) is ConnectionPhase.CLOSED
    assert (end.was_sent(sent_id), end.was_sent(unsent_id)) == (True, False)
    assert end.respond(their_id, b"") is False
    assert (end.cancel(sent_id), end.cancel(unsent_id)) == (True, False)
    assert sent(end) == []
    with pytest.raises(LocalProtocolError, match="CLOSED"):
        end.request(b"")


@both_ends
def test_connection_close_lets_outstanding_requests_end(
    make: Callable[[], Connection], our_id: int, their_id: int
) -> None:
    """Specification (checklist 52): what the peer has not seen is taken back, what it has may be answered."""
    end = make()
    sent_id = end.request(b"")
    sent(end)
    unsent_id = end.request(b"")
    feed(end, f.RequestResponseFrame(their_id))
    assert feed(end, f.ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "bye")) == [
        ConnectionEnded(ErrorCode.CONNECTION_CLOSE, "bye")
    ]
    assert phase(end) is ConnectionPhase.CLOSING
    assert (end.was_sent(sent_id), end.was_sent(unsent_id)) == (True, False)
    assert end.cancel(unsent_id) is False
    for refused in (lambda: end.request(b""), lambda: end.ping(0.0)):
        with pytest.raises(LocalProtocolError, match="CLOSING"):
            refused()
    assert is_ignored(feed(end, f.RequestResponseFrame(their_id + 2)))
    assert feed(end, f.PayloadFrame(sent_id, b"a", next_=True)) == [ResponseReceived(sent_id, b"a")]
    assert end.respond(their_id, b"b") is True
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
    server.respond(1, b"a")
    server.close(message="going")
    server.close(message="again")
    assert phase(server) is ConnectionPhase.CLOSING
    assert sent(server) == [
        f.PayloadFrame(1, b"a", complete=True, next_=True),
        f.ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "going"),
    ]
    assert phase(server) is ConnectionPhase.CLOSING
    assert server.respond(3, b"b")
    assert len(sent(server)) == 1
    assert phase(server) is ConnectionPhase.CLOSED
    server.close()
    assert not server.wants_to_send


def test_cancelling_the_last_request_lets_a_closing_connection_close() -> None:
    """This SDK: a caller that gives up during the drain does not hold it up."""
    client = open_client()
    stream_id = client.request(b"")
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
    client.request(b"")
    client.close(ErrorCode.CONNECTION_ERROR, "broken")
    assert phase(client) is ConnectionPhase.CLOSED
    assert sent(client) == [f.ErrorFrame(0, ErrorCode.CONNECTION_ERROR, "broken")]


def test_closing_turns_fatal_when_the_reason_does() -> None:
    """This SDK: a peer that breaks the rules during the drain ends it."""
    client = open_client()
    client.request(b"")
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
    end.request(b"")
    with pytest.raises(RemoteProtocolError):
        end.receive_frame(bytes.fromhex(wire), 0.0)
    assert [getattr(frame, "code", 0) for frame in sent(end)] == [ErrorCode.CONNECTION_ERROR]
    assert phase(end) is ConnectionPhase.CLOSED
