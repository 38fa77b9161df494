"""RESUME and what answers it: how it is told from other frames, and when both ends agree."""

from __future__ import annotations

import pytest
from frame_strategies import frames
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio._rsocket import ErrorCode, resume_token_of
from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.handshake import ask_to_resume, grant_resume, take_grant
from elarian_trio._rsocket.refusal import PeerRefused
from elarian_trio._rsocket.resume import Resumption


def end(*kept: bytes, received: int = 0) -> Resumption:
    """Give the positions of an end that keeps what it has sent, and has received so many bytes."""
    resumption = Resumption()
    resumption.begin(b"token", 100)
    resumption.keep(*kept)
    resumption.received = received
    return resumption


def test_both_ends_repeat_what_the_other_lacks() -> None:
    """Specification: each names what it has, and the other goes on from there."""
    client, server = end(bytes(10), bytes(20), received=7), end(bytes(7), bytes(8), received=10)
    grant = grant_resume(ask_to_resume(b"token", client), server)
    take_grant(grant, client)
    assert (client.next_replay(), client.next_replay()) == (bytes(20), None)
    assert (server.next_replay(), server.next_replay()) == (bytes(8), None)


@pytest.mark.parametrize(("received", "has"), [(6, 10), (15, 0), (16, 10)], ids=["inside", "gap", "beyond"])
def test_positions_that_do_not_meet_end_the_session(received: int, has: int) -> None:
    """Specification: both ends would go on with a hole in between."""
    client, server = end(bytes(10), received=received), end(bytes(7), bytes(8), received=has)
    client.acknowledge(10)
    with pytest.raises(PeerRefused) as raised:
        grant_resume(ask_to_resume(b"token", client), server)
    assert raised.value.code == ErrorCode.REJECTED_RESUME
    assert not server.replaying


@given(data=st.binary(max_size=60))
def test_bytes_that_are_no_resume_have_no_token(data: bytes) -> None:
    """This SDK: a server looks into whatever comes first."""
    frame = b"\0\0\0\0\x34\0" + data
    token = resume_token_of(frame)
    assert token is None or frame == frame[:12] + token + frame[-16:]
    assert resume_token_of(data[:5]) is None


@given(frame=frames)
def test_a_resume_names_its_token(frame: f.Frame) -> None:
    """Specification: only RESUME does, on stream 0."""
    data = f.encode_frame(frame)
    assert resume_token_of(data) == (frame.token if isinstance(frame, f.ResumeFrame) else None)
    assert resume_token_of(b"\0\0\0\1" + data[4:]) is None
