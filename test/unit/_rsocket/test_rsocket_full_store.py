"""What a resumable end does when what it must keep finds no room: it asks, and at last it gives resumption up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frame_strategies import TOKEN, feed, open_client, open_server, sent
from resumable_end import both_ends, client_with, open_ends

from elarian_trio._rsocket import Connection, ConnectionPhase, FrameIgnored, NotResumable
from elarian_trio._rsocket import frames as f

if TYPE_CHECKING:
    from collections.abc import Callable


def stall(end: Connection) -> f.KeepaliveFrame:
    """Have *end* fill its store and ask; give the question."""
    for _ in range(3):
        end.request(bytes(14))
    (question,) = [frame for frame in sent(end) if isinstance(frame, f.KeepaliveFrame)]
    return question


def test_what_finds_no_room_waits_and_the_peer_is_asked() -> None:
    """This SDK (checklist 69): nothing is forgotten; first stays true."""
    client = client_with(60, 30, resume_buffer_size=100)
    held_back = client.request(bytes(50))
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
        end.request(bytes(10))
    sent(end)
    feed(end, f.KeepaliveFrame(b"echo", respond=True))
    data = end.ping(0.0)
    assert [getattr(frame, "data", None) for frame in sent(end)] == [data, b"echo"]


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
        end.request(bytes(40))
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
    client.request(bytes(20))
    (again,) = sent(client)
    assert isinstance(again, f.KeepaliveFrame)
    assert isinstance(feed(client, f.KeepaliveFrame(again.data))[0], NotResumable)


def test_an_answer_that_advances_keeps_the_session() -> None:
    """This SDK: also where the frame still finds no room."""
    client = open_client(resume_buffer_size=50)
    client.request(bytes(14))
    client.request(bytes(14))
    client.request(bytes(44))
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
        client.request(bytes(14))
    for position in (20, 40, 60):
        request, question = sent(client)
        assert isinstance(request, f.RequestResponseFrame)
        assert isinstance(question, f.KeepaliveFrame)
        feed(client, f.KeepaliveFrame(question.data, position=position))
    assert sent(client) == []
