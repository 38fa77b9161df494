"""What a peer asks of a session that stands: how it is handled, answered, cancelled and undone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest
from peers import client_and_peer, echo, payload_of, until

from elarian_trio._rsocket import ErrorCode, RequestCanceled
from elarian_trio._rsocket.frames import CancelFrame, ErrorFrame, KeepaliveFrame, PayloadFrame, RequestResponseFrame
from elarian_trio.errors import RemoteProtocolError

if TYPE_CHECKING:
    from elarian_trio._session import IncomingRequest

pytestmark = pytest.mark.anyio


async def test_requests_of_the_peer_are_answered() -> None:
    """RSocket, either side may request: data, errors, metadata."""
    seen: list[bytes | None] = []

    def handle(request: IncomingRequest) -> None:
        seen.append(request.metadata)
        if request.data == b"bad":
            assert request.fail(0x301, "do not like it")
            assert not request.respond(b"second answer")
        else:
            assert request.respond(b"ok " + request.data)
            assert not request.fail(0x301, "second answer")

    async with client_and_peer(handle) as (session, peer, _, _):
        await peer.send(RequestResponseFrame(2, b"good", b"meta"), RequestResponseFrame(4, b"bad"))
        assert payload_of(await peer.receive()).data == b"ok good"
        assert await peer.receive() == ErrorFrame(4, 0x301, "do not like it")
        assert seen == [b"meta", None]
        assert session.idle


async def test_blocked_handling_delays_nothing() -> None:
    """RSocket: requests that nobody answers delay neither KEEPALIVE answers nor other requests."""
    kept: list[IncomingRequest] = []
    async with client_and_peer(kept.append) as (session, peer, _, _), anyio.create_task_group() as tasks:
        await peer.send(*(RequestResponseFrame(2 * number + 2, b"waits") for number in range(100)))
        await peer.send(KeepaliveFrame(b"alive?", respond=True))
        assert await peer.receive() == KeepaliveFrame(b"alive?")
        tasks.start_soon(session.request, b"ours")
        await peer.answer(await peer.receive_request(), b"fine")
        await until(lambda: len(kept) == 100)
        assert kept[50].respond(b"at last")
        assert await peer.receive() == PayloadFrame(102, b"at last", complete=True, next_=True)


async def test_who_looks_at_requests_that_came_together_is_called_behind_them() -> None:
    """This SDK, ``on_turn``: once for what one read brought, also where a broken frame ends the connection there."""
    turns: list[list[bool]] = []
    together: list[IncomingRequest] = []

    def answer_all() -> None:
        if together:
            turns.append([request.respond(b"ok") for request in together])
            together.clear()

    async with client_and_peer(together.append, on_turn=answer_all) as (_, peer, run, _):
        await peer.send(*(RequestResponseFrame(2 * number + 2, b"x") for number in range(10)))
        for number in range(10):
            assert await peer.receive() == PayloadFrame(2 * number + 2, b"ok", complete=True, next_=True)
        await peer.send(RequestResponseFrame(22, b"last"), b"short")
        assert isinstance(await peer.receive(), ErrorFrame)
        assert isinstance(await run.wait(), RemoteProtocolError)
    assert turns == [[True] * 10, [False]]


async def test_what_raises_behind_a_turn_ends_no_session(caplog: pytest.LogCaptureFixture) -> None:
    """House: a callback's error is logged by its name only."""

    def fail() -> None:
        msg = "+254700000000 said something private"
        raise LookupError(msg)

    async with client_and_peer(echo, on_turn=fail) as (session, peer, _, _):
        await peer.send(RequestResponseFrame(2, b"x"))
        assert payload_of(await peer.receive()).data == b"x"
        assert session.usable
    assert "LookupError" in caplog.text
    assert "+2547" not in "".join(record.getMessage() for record in caplog.records)


async def test_handler_that_raises_is_answered_with_its_name_only(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK, Delivery: APPLICATION_ERROR with the exception's class name, never its message."""

    def handle(_: IncomingRequest) -> None:
        msg = "+254700000000 said something private"
        raise LookupError(msg)

    async with client_and_peer(handle) as (session, peer, _, _):
        await peer.send(RequestResponseFrame(2, b"x"))
        assert await peer.receive() == ErrorFrame(2, ErrorCode.APPLICATION_ERROR, "LookupError")
        assert session.usable
    assert "+2547" not in "".join(record.getMessage() for record in caplog.records)
    assert "LookupError" in caplog.text


async def test_cancel_of_the_peer_reaches_whoever_works_on_it() -> None:
    """RSocket: CANCEL stops the handler; no frame follows for that id."""
    kept: list[IncomingRequest] = []
    told: list[str] = []
    async with client_and_peer(kept.append) as (session, peer, _, _):
        await peer.send(RequestResponseFrame(2, b"x"), RequestResponseFrame(4, b"y"))
        await until(lambda: len(kept) == 2)
        for request in kept:
            request.on_cancel(lambda: told.append("canceled"))
        await peer.send(CancelFrame(2))
        await until(lambda: kept[0].canceled)
        assert told == ["canceled"]
        assert not kept[0].respond(b"late")
        kept[0].on_cancel(lambda: told.append("told at once"))
        assert kept[1].respond(b"y")
        kept[1].on_cancel(lambda: told.append("never"))
        assert payload_of(await peer.receive()).data == b"y"
        assert told == ["canceled", "told at once"]
        assert session.idle


async def test_answer_that_did_not_come_through_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: an answer may give something away, and CANCEL says that its receiver never knew."""
    monkeypatch.setattr("elarian_trio._session.undos.MAX_UNDOS", 2)
    kept: list[IncomingRequest] = []
    undone: list[int] = []
    async with client_and_peer(kept.append) as (session, peer, _, _):
        await peer.send(*(RequestResponseFrame(stream_id, b"x") for stream_id in (2, 4, 6, 8)))
        await until(lambda: len(kept) == 4)
        for request in kept[:3]:
            assert request.respond(b"y", undo=partial(undone.append, request.stream_id))
            assert payload_of(await peer.receive()).data == b"y"
        assert kept[3].respond(b"plain")
        for stream_id in (2, 4, 6, 6, 8):
            await peer.send(CancelFrame(stream_id))
        await until(lambda: session.frames_ignored == 5)
        assert undone == [4, 6], "the first was one too many, and each is undone once"


async def test_answer_that_is_being_sent_is_undone_as_well() -> None:
    """As above; its other pieces stay here."""
    kept: list[IncomingRequest] = []
    undone: list[str] = []
    async with client_and_peer(kept.append) as (_, peer, _, _):
        await peer.send(RequestResponseFrame(2, b"x"), CancelFrame(2), RequestResponseFrame(4, b"x"))
        await until(lambda: len(kept) == 2)
        assert not kept[0].respond(b"y", undo=lambda: undone.append("never given"))
        assert kept[1].respond(b"y", undo=lambda: undone.append("given"))
        kept[1].session.hand_over([RequestCanceled(4)])
        assert undone == ["given"]


async def test_request_canceled_before_anybody_looked_is_quiet() -> None:
    """This SDK: a request may be answered and given up at once, and the session's end finds nothing to cancel."""
    kept: list[IncomingRequest] = []
    async with client_and_peer(kept.append) as (session, peer, run, _):
        await peer.send(RequestResponseFrame(2, b"x"), CancelFrame(2), RequestResponseFrame(4, b"y"))
        await until(lambda: len(kept) == 2)
        assert kept[0].canceled
        assert kept[1].respond(b"answered")
        kept[1].cancel()
        assert not kept[1].canceled
        session.close()
        await run.wait()
        assert not kept[1].canceled
