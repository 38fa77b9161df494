"""Requester and responder by themselves: neither needs a connection, nor the other."""

from __future__ import annotations

from elarian_trio._rsocket import ErrorCode, FrameIgnored, RequestReceived, ResponseReceived
from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.fragments import Assemblies
from elarian_trio._rsocket.requester import Requester
from elarian_trio._rsocket.responder import Responder
from elarian_trio._rsocket.turns import Turns


def leave(turns: Turns, side: Requester | Responder) -> list[f.Frame | None]:
    """Take all that waits, tell the side whose it is, and give it."""
    left: list[f.Frame | None] = []
    position = 0
    while (departure := turns.take()) is not None:
        position += len(departure.data)
        left.append(f.decode_frame(departure.data))
        if departure.has_more:
            side.note_piece_out(departure.stream_id)
        else:
            side.note_last_out(departure.stream_id, position)
    return left


def test_a_request_is_known_until_it_is_answered() -> None:
    """This SDK: sent once its first piece left, received once the peer's position is behind its last."""
    turns = Turns(64)
    requester = Requester(1, turns, Assemblies(1000))
    stream_id = requester.request(bytes(100), None)
    assert not requester.was_sent(stream_id)
    assert [getattr(frame, "follows", None) for frame in leave(turns, requester)] == [True, False]
    assert requester.was_sent(stream_id)
    assert not requester.was_received(stream_id, 111)
    assert requester.was_received(stream_id, 112)
    answer = f.PayloadFrame(stream_id, b"a", complete=True, next_=True)
    assert requester.receive(answer) == [ResponseReceived(stream_id, b"a")]
    assert len(requester) == 0
    assert requester.was_sent(stream_id)


def test_what_is_taken_back_was_never_sent_and_the_rest_goes_on() -> None:
    """Specification: a peer that closes takes no new requests, and answers the old ones."""
    turns = Turns(64)
    requester = Requester(2, turns, Assemblies(1000))
    sent = requester.request(b"", None)
    leave(turns, requester)
    waiting = requester.request(b"", None)
    requester.take_back()
    assert (requester.was_sent(sent), requester.was_sent(waiting)) == (True, False)
    assert leave(turns, requester) == []
    assert len(requester) == 1
    assert requester.forget(waiting) is False
    assert requester.forget(sent) is True


def test_a_responder_that_stops_rejects_and_one_that_ended_takes_no_answer() -> None:
    """Specification: what was asked before the end may be answered, what comes later is not looked at."""
    turns = Turns(64)
    responder = Responder(turns, Assemblies(1000), max_requests=2)
    assert responder.receive(f.RequestResponseFrame(1, b"a")) == [RequestReceived(1, b"a")]
    assert responder.receive(f.RequestResponseFrame(3, b"b")) == [RequestReceived(3, b"b")]
    responder.stop()
    assert isinstance(responder.receive(f.RequestResponseFrame(5))[0], FrameIgnored)
    assert responder.respond(1, b"A", None)
    responder.end()
    assert not responder.respond(3, b"B", None)
    assert [(getattr(frame, "stream_id", 0), getattr(frame, "code", None)) for frame in leave(turns, responder)] == [
        (5, ErrorCode.REJECTED),
        (1, None),
    ]
    assert len(responder) == 1
