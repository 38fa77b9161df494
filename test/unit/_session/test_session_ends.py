"""Every way a session ends: what comes out of ``run()``, what the waiters hear, and that the transport is closed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import anyio
import pytest
from peers import (
    BOUND,
    CREDENTIALS,
    Asked,
    RawPeer,
    Recorder,
    a_client,
    client_and_peer,
    payload_of,
    running,
    settle,
    until,
)

from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket.frames import (
    ErrorFrame,
    KeepaliveFrame,
    PayloadFrame,
    RequestResponseFrame,
    SetupFrame,
    encode_frame,
)
from elarian_trio._transport import StreamTransport, open_memory_pair
from elarian_trio.errors import ConnectionFailed, ConnectionLost, RemoteProtocolError, SetupRejected

if TYPE_CHECKING:
    from elarian_trio._session import IncomingRequest, Session

pytestmark = pytest.mark.anyio

GARBAGE = {
    "too short": b"\0\0",
    "empty": b"",
    "unknown type": bytes.fromhex("000000004c00") + b"what",
    "metadata beyond the end": bytes.fromhex("000000021100ffffff") + b"m",
}


async def start(session: Session, peer: RawPeer, *answers: bytes) -> None:
    """Play a server that says *answers* to the SETUP."""
    setup = await peer.receive()
    assert isinstance(setup, SetupFrame)
    await peer.receive()
    await peer.send(*answers)
    del session


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_before_the_first_answer(garbage: bytes) -> None:
    """This SDK: malformed bytes raise RemoteProtocolError, never a hang; the peer is told by CONNECTION_ERROR."""
    ours, theirs = open_memory_pair()
    session, peer = a_client(ours), RawPeer(theirs)
    async with theirs, running(session, ours, opened=False) as run:
        await start(session, peer, garbage)
        frames = await peer.receive_rest()
        error = await run.wait()
    assert isinstance(error, RemoteProtocolError)
    assert [type(frame) for frame in frames] == [ErrorFrame]
    assert isinstance(frames[0], ErrorFrame)
    assert frames[0].code == ErrorCode.CONNECTION_ERROR
    assert not session.opened


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_later_costs_the_session(garbage: bytes) -> None:
    """This SDK: commands in flight get ConnectionLost from it, the peer gets CONNECTION_ERROR."""
    async with client_and_peer() as (session, peer, run, _), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        asked.ask(b"in flight")
        await peer.receive_request()
        await peer.send(garbage, encode_frame(PayloadFrame(1, b"behind garbage", complete=True, next_=True)))
        lost = await asked.lost(b"in flight")
        frames = await peer.receive_rest()
        error = await run.wait()
    assert isinstance(error, RemoteProtocolError)
    assert lost.sent
    assert lost.__cause__ is error
    assert isinstance(frames[-1], ErrorFrame)
    assert (frames[-1].stream_id, frames[-1].code) == (0, ErrorCode.CONNECTION_ERROR)


@pytest.mark.parametrize("size", [1, 7, 100, 100_000])
async def test_random_bytes_on_a_byte_stream_never_hang(size: int) -> None:
    """This SDK: whatever a peer sends on TCP, the session ends when it closes, in one of three ways."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)

        async def babble() -> None:
            stream = await listener.listeners[0].accept()
            async with stream:
                await stream.receive()
                await stream.send(random.Random(size).randbytes(size))

        with anyio.fail_after(BOUND):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(babble)
                transport = StreamTransport(await anyio.connect_tcp("127.0.0.1", port))
                session = a_client(transport)
                async with running(session, transport, opened=False) as run:
                    error = await run.wait()
    assert isinstance(error, RemoteProtocolError | ConnectionFailed)


@pytest.mark.parametrize("code", [0x001, 0x002, 0x003])
async def test_refused_setup(code: int) -> None:
    """RSocket: each setup error ends the attempt with its code and text, and with no credential in it."""
    ours, theirs = open_memory_pair()
    recorder = Recorder(ours)
    session, peer = a_client(recorder), RawPeer(theirs)
    async with theirs, running(session, recorder, opened=False) as run:
        await start(session, peer, encode_frame(ErrorFrame(0, code, "wrong key")))
        error = await run.wait()
    assert isinstance(error, SetupRejected)
    assert (str(error), error.code) == ("wrong key", code)
    assert CREDENTIALS.decode() not in repr(error)
    assert recorder.closed


async def test_words_of_a_peer_are_repeated_on_one_line() -> None:
    """This SDK: errors end in logs, where a peer must not be able to write lines of its own, or pages."""
    ours, theirs = open_memory_pair()
    session, peer = a_client(ours), RawPeer(theirs)
    async with theirs, running(session, ours, opened=False) as run:
        await start(session, peer, encode_frame(ErrorFrame(0, 0x003, "no\nWARNING: forged\x1b[2J" + "x" * 5000)))
        error = await run.wait()
    assert str(error).startswith("no WARNING: forged [2J")
    assert len(str(error)) == 400


@pytest.mark.parametrize("code", [ErrorCode.CONNECTION_ERROR, ErrorCode.CONNECTION_CLOSE, ErrorCode.REJECTED_RESUME])
async def test_other_error_to_the_setup_is_a_failed_attempt(code: int) -> None:
    """This SDK: lesser reasons are tried again, so they must differ from SetupRejected."""
    ours, theirs = open_memory_pair()
    session, peer = a_client(ours), RawPeer(theirs)
    async with theirs, running(session, ours, opened=False) as run:
        await start(session, peer, encode_frame(ErrorFrame(0, code, "full")))
        error = await run.wait()
    assert type(error) is ConnectionFailed
    assert "full" in str(error)


async def test_end_before_the_first_answer_is_a_failed_attempt() -> None:
    """RSocket: close without ERROR gives a different, retryable failure."""
    ours, theirs = open_memory_pair()
    session, peer = a_client(ours), RawPeer(theirs)
    async with theirs, running(session, ours, opened=False) as run:
        await peer.receive()
        await theirs.aclose()
        error = await run.wait()
    assert type(error) is ConnectionFailed
    assert isinstance(error.__cause__, anyio.EndOfStream | anyio.BrokenResourceError)


async def test_lost_transport_tells_each_waiter_the_truth() -> None:
    """This SDK promises: ``sent`` says whether the server may have acted; what was not sent says so."""
    async with client_and_peer() as (session, peer, run, recorder), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        asked.ask(b"sent")
        await peer.receive_request()
        recorder.hold()
        asked.ask(b"half-way")
        await until(lambda: len(recorder.writes) == 3)
        asked.ask(b"unsent")
        await settle()
        await peer.transport.aclose()
        outcomes = {data: (await asked.lost(data)).sent for data in (b"sent", b"half-way", b"unsent")}
        error = await run.wait()
    assert outcomes == {b"sent": True, b"half-way": True, b"unsent": False}
    assert isinstance(error, ConnectionLost)
    assert error.sent
    assert recorder.closed


async def test_failed_write_is_never_followed_by_another() -> None:
    """RSocket: a partial write poisons the transport; it is closed."""
    async with client_and_peer() as (session, _, run, recorder), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        recorder.breaks = True
        asked.ask(b"breaks")
        await asked.lost(b"breaks")
        error = await run.wait()
        asked.ask(b"afterwards")
        assert not (await asked.lost(b"afterwards")).sent
    assert isinstance(error, ConnectionLost)
    assert isinstance(error.__cause__, anyio.BrokenResourceError)
    assert len(recorder.writes) == 2  # SETUP with KEEPALIVE, and the one that broke
    assert recorder.closed


async def test_cancelled_write_is_never_followed_by_another() -> None:
    """RSocket, the other half: cancelled while the writer is mid-way."""
    async with client_and_peer() as (session, _, run, recorder), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        recorder.hold()
        asked.ask(b"half-way")
        await until(lambda: len(recorder.writes) == 2)
        run.scope.cancel()
        assert (await asked.lost(b"half-way")).sent
        assert await run.wait() is None
    assert len(recorder.writes) == 2
    assert recorder.closed


async def test_cancelled_run_says_nothing_more() -> None:
    """This SDK: leaving by cancellation answers nothing more and closes; cancellation is not swallowed."""
    canceled: list[str] = []

    def keep(request: IncomingRequest) -> None:
        request.on_cancel(lambda: canceled.append("told"))

    async with client_and_peer(keep) as (_, peer, run, recorder):
        await peer.send(RequestResponseFrame(2, b"unanswered"))
        await settle()
        run.scope.cancel()
        await run.wait()
        assert await peer.receive_rest() == []
    assert run.scope.cancelled_caught
    assert canceled == ["told"]
    assert recorder.closed


async def test_orderly_close_sends_what_waits_and_says_so() -> None:
    """This SDK: ``close()`` flushes what is queued, sends ERROR[CONNECTION_CLOSE], closes."""
    kept: list[IncomingRequest] = []
    async with client_and_peer(kept.append) as (session, peer, run, recorder), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        await peer.send(RequestResponseFrame(2, b"x"), RequestResponseFrame(4, b"unanswered"))
        asked.ask(b"in flight")
        await peer.receive_request()
        await until(lambda: len(kept) == 2)
        recorder.hold()
        asked.ask(b"holds the writer")
        await until(lambda: len(recorder.writes) == 3)
        asked.ask(b"unsent")
        await settle()
        kept[0].respond(b"answer that waits")
        session.close()
        assert not session.usable
        assert kept[1].canceled
        assert not kept[1].respond(b"too late")
        recorder.gate.set()
        assert (await asked.lost(b"in flight")).sent
        assert not (await asked.lost(b"unsent")).sent
        frames = await peer.receive_rest()
        assert await run.wait() is None
    assert [type(frame) for frame in frames] == [RequestResponseFrame, PayloadFrame, ErrorFrame]
    assert payload_of(frames[1]).data == b"answer that waits"
    assert frames[2] == ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")
    assert recorder.closed


async def test_close_twice_is_close() -> None:
    """This SDK: every way out is idempotent."""
    async with client_and_peer() as (session, peer, run, _):
        session.close()
        session.close(ErrorCode.CONNECTION_ERROR, "again")
        assert await peer.receive_rest() == [ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")]
        assert await run.wait() is None
        session.close()


async def test_session_closed_before_it_ran_only_closes_its_transport() -> None:
    """This SDK: whoever gave the session up early need not know how far it had come."""
    ours, theirs = open_memory_pair()
    recorder = Recorder(ours)
    session = a_client(recorder)
    session.close()
    async with theirs, running(session, recorder, opened=False) as run:
        assert await run.wait() is None
        assert await RawPeer(theirs).receive_rest() == []
    assert recorder.closed
    await session.run(recorder)
    assert recorder.closed == 2


async def test_session_has_one_transport_at_a_time() -> None:
    """This SDK: a second transport under a live session is a mistake, and harms neither."""
    async with client_and_peer() as (session, peer, _, recorder), anyio.create_task_group() as tasks:
        with pytest.raises(RuntimeError, match="one transport"):
            await session.run(recorder)
        asked = Asked(session, tasks)
        asked.ask(b"x")
        await peer.answer(await peer.receive_request(), b"y")
        await until(lambda: asked.outcomes == {b"x": b"y"})
        assert not recorder.closed


async def test_goodbye_of_the_peer_lets_requests_end() -> None:
    """RSocket: CONNECTION_CLOSE lets outstanding requests end, and refuses new ones."""
    kept: list[IncomingRequest] = []
    async with client_and_peer(kept.append) as (session, peer, run, _), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        asked.ask(b"outstanding")
        request = await peer.receive_request()
        await peer.send(RequestResponseFrame(2, b"theirs"), ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "going down"))
        await until(lambda: not session.usable)
        asked.ask(b"new")
        assert not (await asked.lost(b"new")).sent
        await peer.answer(request, b"just in time")
        await until(lambda: b"outstanding" in asked.outcomes)
        assert asked.outcomes[b"outstanding"] == b"just in time"
        assert not run.ended.is_set()
        kept[0].respond(b"answered, too")
        assert payload_of(await peer.receive()).data == b"answered, too"
        assert await run.wait() is None


async def test_goodbye_of_an_idle_peer_ends_at_once() -> None:
    """RSocket: nothing is outstanding, so nothing is waited for."""
    async with client_and_peer() as (_, peer, run, _):
        await peer.send(ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "bye"))
        assert await run.wait() is None


async def test_unsent_requests_hear_of_the_goodbye_at_once() -> None:
    """This SDK promises: what was not sent can go out on the next session, so it must not wait for this one to end."""
    async with client_and_peer() as (session, peer, _, recorder), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        recorder.hold()
        asked.ask(b"half-way")
        await until(lambda: len(recorder.writes) == 2)
        asked.ask(b"unsent")
        await settle()
        await peer.send(ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "bye"))
        assert not (await asked.lost(b"unsent")).sent
        assert b"half-way" not in asked.outcomes
        recorder.gate.set()
        assert (await peer.receive_request()).data == b"half-way"
        tasks.cancel_scope.cancel()


async def test_peer_that_says_goodbye_and_goes_is_an_orderly_end() -> None:
    """This SDK: an EOF after CONNECTION_CLOSE is no surprise, though outstanding requests are lost."""
    async with client_and_peer() as (session, peer, run, _), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        asked.ask(b"outstanding")
        await peer.receive_request()
        await peer.send(ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "bye"))
        await peer.transport.aclose()
        assert (await asked.lost(b"outstanding")).sent
        assert await run.wait() is None


async def test_connection_error_of_the_peer_fails_everything() -> None:
    """RSocket: ERROR[CONNECTION_ERROR] fails everything, with the peer's words."""
    async with client_and_peer() as (session, peer, run, _), anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        asked.ask(b"outstanding")
        await peer.receive_request()
        await peer.send(ErrorFrame(0, ErrorCode.CONNECTION_ERROR, "out of order"))
        assert "out of order" in str(await asked.lost(b"outstanding"))
        assert isinstance(await run.wait(), ConnectionLost)


async def test_setup_error_after_the_setup_is_ignored() -> None:
    """RSocket: a client ignores setup errors once established."""
    async with client_and_peer() as (session, peer, _, _):
        await peer.send(ErrorFrame(0, ErrorCode.REJECTED_SETUP, "late"), KeepaliveFrame(b"?", respond=True))
        assert await peer.receive() == KeepaliveFrame(b"?")
        assert session.usable
        assert session.frames_ignored == 1


async def test_pings_end_with_the_session() -> None:
    """This SDK: every way out wakes every waiter."""
    async with client_and_peer() as (session, peer, _, _), anyio.create_task_group() as tasks:
        tasks.start_soon(peer.transport.aclose)
        with pytest.raises(ConnectionLost):
            await session.ping()


async def test_defect_comes_out_as_it_is() -> None:
    """This SDK: an error that nobody foresaw ends the session, wakes everybody, and is not dressed up."""

    class Defective(Recorder):
        async def receive_frames(self) -> list[bytes]:
            frames = await super().receive_frames()
            if b"boom" in frames[0]:
                msg = "a defect"
                raise ZeroDivisionError(msg)
            return frames

    ours, theirs = open_memory_pair()
    defective = Defective(ours)
    session, peer = a_client(defective), RawPeer(theirs)
    async with theirs, running(session, defective, opened=False) as run, anyio.create_task_group() as tasks:
        await peer.let_in()
        await until(lambda: session.opened)
        asked = Asked(session, tasks)
        asked.ask(b"x")
        await peer.receive_request()
        await peer.send(b"boom")
        assert isinstance((await asked.lost(b"x")).__cause__, ZeroDivisionError)
        assert isinstance(await run.wait(), ZeroDivisionError)


@pytest.mark.parametrize("anyio_backend", ["trio"])  # asyncio ends its loop at once, whatever task is interrupted
async def test_interrupt_in_a_task_comes_out_plain() -> None:
    """This SDK: no exception group leaves ``run()``; Ctrl-C may strike in any task."""

    class Interrupted(Recorder):
        async def receive_frames(self) -> list[bytes]:
            await super().receive_frames()
            raise KeyboardInterrupt

    ours, theirs = open_memory_pair()
    interrupted = Interrupted(ours)
    session, peer = a_client(interrupted), RawPeer(theirs)
    async with theirs:
        await peer.send(b"anything")
        with pytest.raises(KeyboardInterrupt), anyio.fail_after(BOUND):
            await session.run(interrupted)
    assert interrupted.closed
