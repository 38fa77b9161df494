"""Resumption with peers as they were seen on the wire: frames of rsocket-js 0.0.27 (js0) and 1.0 (js1)."""

from __future__ import annotations

import pytest
from frame_strategies import TOKEN, feed, open_server, sent
from resumable_end import MiB, client_with, codes, resuming

from elarian_trio._rsocket import Connection, ErrorCode, Resumed, ResumeRejected, Role, SetupReceived
from elarian_trio._rsocket import frames as f
from elarian_trio.errors import RemoteProtocolError

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


def test_a_js0_client_comes_back_byte_by_byte() -> None:
    """Specification (section 4.2 of the facts): the worked trace, with the frames that js0 sent."""
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    (event,) = server.receive_frame(JS0_SETUP, 0.0)
    assert isinstance(event, SetupReceived)
    assert event.setup.resume_token == server.resume_token == b"tok-js0"
    server.accept_setup(0.0)
    server.receive_frame(JS0_REQUEST, 0.0)
    server.respond(1, b"twelve bytes")
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
    server.respond(1, bytes(12))
    server.respond(3, bytes(19))
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
    server.respond(1, bytes(12))
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


def test_the_golden_refusal_is_understood() -> None:
    """Specification (golden vector 12)."""
    client = resuming(client_with(10))
    assert client.receive_frame(REJECTED, 0.0) == [ResumeRejected(ErrorCode.REJECTED_RESUME, "unknown resume token")]


def test_a_first_resume_is_refused_where_there_is_no_session() -> None:
    """Specification (checklist 61): also by a server that keeps sessions."""
    server = Connection(Role.SERVER, resume_buffer_size=MiB)
    server.open(0.0)
    with pytest.raises(RemoteProtocolError, match="session"):
        server.receive_frame(JS0_RESUME, 0.0)
    assert codes(server) == [ErrorCode.REJECTED_RESUME]
