"""Peers that answer a KEEPALIVE with the position it came with, although theirs was asked for."""

from __future__ import annotations

import pytest

from elarian_trio._rsocket import Connection, ConnectionPhase, KeepaliveAnswered, NotResumable, Role, Setup
from elarian_trio._rsocket.frames import KeepaliveFrame, RequestResponseFrame, decode_frame, encode_frame
from elarian_trio.errors import RemoteProtocolError

SETUP = Setup(b"", keepalive_interval=10, keepalive_lifetime=30, resume_token=b"token")


def asked() -> tuple[Connection, KeepaliveFrame]:
    """Give a client that has received some and sent nothing that counts, and a KEEPALIVE of its that says so."""
    client = Connection(Role.CLIENT, setup=SETUP, resume_buffer_size=1024)
    client.open(0.0)
    first = decode_frame(client.frames_to_send()[1])
    assert isinstance(first, KeepaliveFrame)
    client.receive_frame(encode_frame(KeepaliveFrame(first.data)), 0.0)
    client.receive_frame(encode_frame(RequestResponseFrame(2, b"counted")), 0.0)
    client.ping(0.0)
    keepalive = decode_frame(client.frames_to_send()[0])
    assert isinstance(keepalive, KeepaliveFrame)
    assert keepalive.position == 13
    return client, keepalive


def test_own_position_sent_back_ends_resumption_and_nothing_else() -> None:
    """A peer's behaviour (rsocket-py): it knows no resumption, and is good for everything else."""
    client, keepalive = asked()
    events = client.receive_frame(encode_frame(KeepaliveFrame(keepalive.data, position=keepalive.position)), 1.0)
    assert [type(event) for event in events] == [NotResumable, KeepaliveAnswered]
    assert client.state is ConnectionPhase.OPEN
    assert not client.resumable
    client.request(b"goes on")
    assert len(client.frames_to_send()) == 1
    client.ping(1.0)
    again = decode_frame(client.frames_to_send()[0])
    assert isinstance(again, KeepaliveFrame)
    events = client.receive_frame(encode_frame(KeepaliveFrame(again.data, position=again.position)), 1.0)
    assert [type(event) for event in events] == [KeepaliveAnswered]  # reported once


@pytest.mark.parametrize(("position", "respond"), [(14, False), (13, True), (1, False)])
def test_other_positions_that_cannot_be_end_the_connection(position: int, respond: bool) -> None:
    """Both ends no longer agree (rsocket-java ends it, too): nothing of ours explains the number."""
    client, keepalive = asked()
    with pytest.raises(RemoteProtocolError):
        client.receive_frame(encode_frame(KeepaliveFrame(keepalive.data, position=position, respond=respond)), 1.0)
    assert client.state is ConnectionPhase.CLOSED
