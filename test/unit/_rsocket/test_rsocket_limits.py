"""Payloads in pieces at one end, and what bounds them: their size, their number, and how much is sent at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from frame_strategies import feed, open_client, open_server, sent
from one_end import both_ends, is_ignored

from elarian_trio._rsocket import (
    Connection,
    ConnectionPhase,
    ErrorCode,
    RequestFailed,
    RequestReceived,
    ResponseReceived,
)
from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket import responder as responder_module
from elarian_trio.errors import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable


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
        RequestReceived(3, b"b1b2", b"mm"),
        RequestReceived(1, b"a1a2a3", b"m1"),
    ]


def test_follows_with_complete_ends_a_payload() -> None:
    """Specification (checklist 44): F and C together count as no F."""
    client = open_client()
    client.request(b"")
    sent(client)
    assert feed(client, f.PayloadFrame(1, b"a", next_=True, follows=True)) == []
    assert feed(client, f.PayloadFrame(1, b"b", next_=True, follows=True, complete=True)) == [
        ResponseReceived(1, b"ab")
    ]


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
    end.request(b"")
    sent(end)
    events = feed(
        end, f.PayloadFrame(our_id, b"d", next_=True, follows=True), f.PayloadFrame(our_id, b"", b"m", next_=True)
    )
    assert [getattr(event, "code", 0) for event in events] == [ErrorCode.CANCELED]
    assert sent(end) == [f.CancelFrame(our_id)]


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
    assert feed(server, f.RequestResponseFrame(3, bytes(60), bytes(40))) == [RequestReceived(3, bytes(60), bytes(40))]


def test_an_oversize_answer_is_cancelled_and_fails_here() -> None:
    """Specification (checklist 45): CANCEL plus local failure, as in rsocket-java."""
    client = open_client(max_payload_size=100)
    client.request(b"")
    sent(client)
    feed(client, f.PayloadFrame(1, bytes(60), next_=True, follows=True))
    (event,) = feed(client, f.PayloadFrame(1, bytes(41), next_=True, follows=True))
    assert isinstance(event, RequestFailed)
    assert event.code == ErrorCode.CANCELED
    assert sent(client) == [f.CancelFrame(1)]
    assert is_ignored(feed(client, f.PayloadFrame(1, b"rest", next_=True, complete=True)))
    assert client.state is ConnectionPhase.OPEN


def test_unfinished_payloads_together_are_bounded() -> None:
    """This SDK: many partial payloads may hold four times the largest one; then new bytes are refused."""
    server = open_server(max_payload_size=100)
    feed(server, *[f.RequestResponseFrame(stream_id, bytes(80), follows=True) for stream_id in (1, 3, 5, 7, 9)])
    assert is_ignored(feed(server, f.RequestResponseFrame(11, b"x", follows=True)))
    assert feed(server, f.PayloadFrame(1, b"", next_=True, follows=True)) == []
    assert is_ignored(feed(server, f.PayloadFrame(1, b"x", next_=True)))
    assert [getattr(frame, "stream_id", 0) for frame in sent(server)] == [11, 1]
    assert feed(server, f.PayloadFrame(3, b"x", next_=True)) == [RequestReceived(3, bytes(80) + b"x")]


def test_requests_beyond_the_limit_are_rejected_until_answers_leave() -> None:
    """This SDK: REJECTED promises that nothing was executed; a queued answer still counts."""
    server = open_server(max_incoming=2)
    feed(server, f.RequestResponseFrame(1), f.RequestResponseFrame(3))
    assert is_ignored(feed(server, f.RequestResponseFrame(5)))
    server.respond(1, b"")
    assert is_ignored(feed(server, f.RequestResponseFrame(7)))
    assert [(getattr(frame, "stream_id", 0), getattr(frame, "code", None)) for frame in sent(server)] == [
        (5, ErrorCode.REJECTED),
        (1, None),
        (7, ErrorCode.REJECTED),
    ]
    assert feed(server, f.RequestResponseFrame(9)) == [RequestReceived(9, b"")]


def test_a_flood_whose_answers_are_not_read_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: no buffer without a bound."""
    monkeypatch.setattr(responder_module, "_MAX_REFUSALS", 10)
    server = open_server(max_incoming=1)
    feed(server, *[f.RequestResponseFrame(stream_id) for stream_id in range(1, 23, 2)])
    with pytest.raises(RemoteProtocolError):
        feed(server, f.RequestResponseFrame(23))
    assert [getattr(frame, "code", 0) for frame in sent(server)] == [ErrorCode.CONNECTION_ERROR]


def test_batches_are_about_as_large_as_asked() -> None:
    """This SDK: a payload of 5 MB leaves in many, and a KEEPALIVE gets in between."""
    client = open_client()
    client.request(bytes(5_000_000))
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
