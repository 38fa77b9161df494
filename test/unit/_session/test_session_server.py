"""The server's role: SETUPs are judged without holding the reader up, and refused clients hear why."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import anyio
import pytest
from peers import BOUND, CREDENTIALS, RawPeer, Recorder, Run, echo, payload_of, running, settle, until

from elarian_trio._rsocket import Connection, ErrorCode, Role, Setup
from elarian_trio._rsocket.frames import (
    CancelFrame,
    ErrorFrame,
    KeepaliveFrame,
    PayloadFrame,
    RequestNFrame,
    RequestResponseFrame,
    SetupFrame,
)
from elarian_trio._session import Session, StreamFailed
from elarian_trio._session.attachment import PARTS, TOGETHER
from elarian_trio._transport import StreamTransport, open_memory_pair, open_tcp, serve_tcp
from elarian_trio.errors import ConnectionFailed, ConnectionLost, RemoteProtocolError, SetupRejected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

pytestmark = pytest.mark.anyio

SETUP = SetupFrame(
    10_000, 30_000, metadata_mime=b"application/json", data_mime=b"application/octet-stream", data=CREDENTIALS
)
KEEPALIVE = KeepaliveFrame(b"first", respond=True)


async def accept(_: Setup) -> None:
    """Judge everybody welcome."""
    await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def server_and_peer(
    judge: Callable[[Setup], Awaitable[None]] | None = accept, in_a_row: float = 0.0
) -> AsyncIterator[tuple[Session, RawPeer, Run, Recorder]]:
    """Join a server's session and a scripted client."""
    ours, theirs = open_memory_pair()
    recorder = Recorder(ours)
    connection = Connection(Role.SERVER, timed=False)
    session = Session(connection, echo, on_setup=judge, in_a_row=in_a_row)
    async with theirs, running(session, recorder, opened=False) as run:
        yield session, RawPeer(theirs), run, recorder


@pytest.mark.parametrize("judge", [accept, None], ids=["judged", "everybody welcome"])
async def test_setup_and_request_in_one_segment_are_both_served(
    judge: Callable[[Setup], Awaitable[None]] | None,
) -> None:
    """RSocket: what came behind the SETUP waits for the judgement and is served then."""
    async with server_and_peer(judge) as (session, peer, _, _):
        await peer.send(SETUP, KEEPALIVE, RequestResponseFrame(1, b"early"))
        assert await peer.receive() == KeepaliveFrame(b"first")
        assert payload_of(await peer.receive()).data == b"early"
        assert session.usable


@pytest.mark.parametrize("code", [ErrorCode.CONNECTION_CLOSE, ErrorCode.CONNECTION_ERROR])
async def test_client_that_left_behind_its_setup_is_asked_nothing(code: int) -> None:
    """A past bug: a server that asks as a client comes in heard of a wrong move of its own."""
    heard: list[str | bytes | StreamFailed | ConnectionLost] = []

    class Told:
        """What is told that the session is open, and asks at once."""

        def started(self, value: None = None) -> None:
            """Ask, as a server does that has something to tell."""
            heard.append("usable" if session.usable else "not usable")
            try:
                session.ask(b"?", heard.append)
            except ConnectionLost as error:
                heard.append(error)

    ours, theirs = open_memory_pair()
    session = Session(Connection(Role.SERVER, timed=False), echo, on_setup=accept)
    async with theirs, anyio.create_task_group() as tasks:

        async def run() -> None:
            with suppress(ConnectionLost):
                await session.run(ours, task_status=Told())

        tasks.start_soon(run)
        peer = RawPeer(theirs)
        await peer.send(SETUP, KEEPALIVE, RequestResponseFrame(1, b"early"), ErrorFrame(0, code, ""))
        answers = await peer.receive_rest()
    assert heard[0] == "not usable"
    (lost,) = heard[1:]
    assert isinstance(lost, ConnectionLost)
    assert not lost.sent
    in_order = code == ErrorCode.CONNECTION_CLOSE  # then what was asked before is answered
    assert [type(each) for each in answers] == ([KeepaliveFrame, PayloadFrame] if in_order else [])


async def writes_that_answer(requests: int, in_a_row: float) -> int:
    """Send so many requests at once, see that all are answered, and give in how many writes they were."""
    asked = [RequestResponseFrame(1 + 2 * number, b"%d" % number) for number in range(requests)]
    async with server_and_peer(in_a_row=in_a_row) as (_, peer, _, recorder):
        await peer.send(SETUP, KEEPALIVE)
        await peer.receive()
        before = len(recorder.writes)
        await peer.send(*asked)
        answers = [payload_of(await peer.receive()) for _ in asked]
        assert [each.data for each in answers] == [each.data for each in asked]
        return len(recorder.writes) - before


@pytest.mark.parametrize(("in_a_row", "at_once"), [(0.0, False), (BOUND, True)])
async def test_answers_leave_while_the_rest_of_a_batch_is_acted_on(in_a_row: float, *, at_once: bool) -> None:
    """Issue (fast): where each end acts on a whole batch before it answers, the other end is idle meanwhile."""
    assert (await writes_that_answer(4 * TOGETHER, in_a_row) == 1) is at_once


async def test_large_batch_is_acted_on_in_few_turns() -> None:
    """Issue (fast): a turn costs both ends the same for few answers as for many; some are enough to keep both busy."""
    assert 1 < await writes_that_answer(2 * PARTS * TOGETHER, 0.0) <= PARTS


async def test_nothing_is_sent_before_the_setup_is_accepted() -> None:
    """RSocket, and the client's proof: a KEEPALIVE behind SETUP is answered after acceptance only."""
    judged = anyio.Event()
    seen: list[Setup] = []

    async def judge(setup: Setup) -> None:
        seen.append(setup)
        await judged.wait()

    async with server_and_peer(judge) as (session, peer, _, recorder):
        await peer.send(SETUP, KEEPALIVE)
        await until(lambda: bool(seen))
        await settle()
        assert recorder.writes == []
        assert not session.opened
        judged.set()
        assert await peer.receive() == KeepaliveFrame(b"first")
    assert seen[0].data == CREDENTIALS
    assert CREDENTIALS.decode() not in repr(seen[0])


@pytest.mark.parametrize("code", [None, 0x002, 0x003])
async def test_refused_client_hears_why_and_is_closed(code: int | None) -> None:
    """RSocket: REJECTED_SETUP with reason, flushed before close; the request behind is not executed."""

    async def judge(_: Setup) -> None:
        await anyio.lowlevel.checkpoint()
        msg = "no such key"
        raise SetupRejected(msg, code=code)

    async with server_and_peer(judge) as (session, peer, run, recorder):
        await peer.send(SETUP, KEEPALIVE, RequestResponseFrame(1, b"pay"))
        assert await peer.receive_rest() == [ErrorFrame(0, code or 0x003, "no such key")]
        error = await run.wait()
    assert isinstance(error, SetupRejected)
    assert not session.opened
    assert recorder.closed


async def test_judge_that_fails_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: a defect in the judge is logged by name, without its words, and tells the client nothing."""

    async def judge(setup: Setup) -> None:
        await anyio.lowlevel.checkpoint()
        raise LookupError(setup.data)

    async with server_and_peer(judge) as (_, peer, run, _):
        await peer.send(SETUP, KEEPALIVE)
        (frame,) = await peer.receive_rest()
        assert isinstance(await run.wait(), SetupRejected)
    assert isinstance(frame, ErrorFrame)
    assert frame.code == ErrorCode.REJECTED_SETUP
    assert "LookupError" in caplog.text
    assert CREDENTIALS.decode() not in frame.message + "".join(record.getMessage() for record in caplog.records)


async def test_first_frame_must_be_a_setup() -> None:
    """RSocket: anything else is answered INVALID_SETUP and closed."""
    async with server_and_peer() as (_, peer, run, _):
        await peer.send(RequestResponseFrame(1, b"hello?"))
        (frame,) = await peer.receive_rest()
        assert isinstance(await run.wait(), RemoteProtocolError)
    assert isinstance(frame, ErrorFrame)
    assert frame.code == ErrorCode.INVALID_SETUP


async def test_bad_frame_behind_the_setup_is_told_after_acceptance() -> None:
    """The specification: a credit of nothing is a protocol error or ignored, but never a hang of the judge."""
    async with server_and_peer() as (session, peer, _, _):
        await peer.send(SETUP, KEEPALIVE, CancelFrame(1), RequestNFrame(1, 5))
        assert await peer.receive() == KeepaliveFrame(b"first")
        await until(lambda: session.frames_ignored == 2)


async def test_resume_behind_the_setup_ends_the_session_with_a_word() -> None:
    """RSocket: RESUME after SETUP is ERROR[CONNECTION_ERROR], also when it came before the judgement."""
    resume = bytes.fromhex("000000003400000100000003") + b"tok" + bytes(16)
    async with server_and_peer() as (_, peer, run, _):
        await peer.send(SETUP, resume)
        (frame,) = await peer.receive_rest()
        assert isinstance(await run.wait(), RemoteProtocolError)
    assert isinstance(frame, ErrorFrame)
    assert frame.code == ErrorCode.CONNECTION_ERROR


async def test_client_that_goes_while_judged_ends_the_session() -> None:
    """This SDK: nobody waits for a judgement that has no more use."""

    async def judge(_: Setup) -> None:
        await anyio.sleep_forever()

    async with server_and_peer(judge) as (_, peer, run, recorder):
        await peer.send(SETUP)
        await settle()
        await peer.transport.aclose()
        assert isinstance(await run.wait(), ConnectionFailed)
    assert recorder.closed


@pytest.mark.parametrize("verdict", ["welcome", "refused"])
async def test_judgement_after_the_session_was_closed_changes_nothing(verdict: str) -> None:
    """This SDK: closing a server while a judge shields itself sends an ERROR or nothing, not acceptance."""
    judged = anyio.Event()

    async def judge(_: Setup) -> None:
        with anyio.CancelScope(shield=True):
            await judged.wait()
        if verdict == "refused":
            msg = "too late"
            raise SetupRejected(msg)

    async with server_and_peer(judge) as (session, peer, run, recorder):
        await peer.send(SETUP, KEEPALIVE)
        await settle()
        session.close()
        await settle()
        judged.set()
        assert await run.wait() is None
        rest = await peer.receive_rest()
    assert not session.opened
    assert all(isinstance(frame, ErrorFrame) for frame in rest)
    assert recorder.closed


async def test_refused_client_reads_the_reason_though_more_of_its_bytes_come() -> None:
    """A socket closed over unread bytes is reset and takes the ERROR along; so the peer is let go first."""
    errors: list[Exception] = []

    async def judge(_: Setup) -> None:
        await anyio.lowlevel.checkpoint()
        msg = "no such key"
        raise SetupRejected(msg)

    async def serve(transport: StreamTransport) -> None:
        try:
            await Session(Connection(Role.SERVER), echo, on_setup=judge).run(transport)
        except SetupRejected as error:
            errors.append(error)
            raise

    async with anyio.create_task_group() as tasks:

        async def listen(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
            await serve_tcp(serve, task_status=task_status)

        (address,) = await tasks.start(listen)
        with anyio.fail_after(BOUND):
            async with await open_tcp(*address) as transport:
                peer = RawPeer(transport)
                await peer.send(SETUP, KEEPALIVE)
                for number in range(20):  # still writing, as a client does that has not read the ERROR yet
                    await peer.send(RequestResponseFrame(2 * number + 1, bytes(1000)))
                assert await peer.receive() == ErrorFrame(0, ErrorCode.REJECTED_SETUP, "no such key")
                with pytest.raises(anyio.EndOfStream):
                    await transport.receive()
            await until(lambda: bool(errors))
        tasks.cancel_scope.cancel()


async def test_lost_client_is_connection_lost() -> None:
    """The error tree: after acceptance the session was open, so it is lost."""
    async with server_and_peer() as (_, peer, run, _):
        await peer.send(SETUP, KEEPALIVE)
        await peer.receive()
        await peer.transport.aclose()
        assert isinstance(await run.wait(), ConnectionLost)


async def test_server_may_request_and_client_may_leave() -> None:
    """RSocket: both sides request; a client that says CONNECTION_CLOSE left in order."""
    async with server_and_peer() as (session, peer, run, _), anyio.create_task_group() as tasks:
        await peer.send(SETUP, KEEPALIVE)
        await peer.receive()
        answers: list[bytes] = []

        async def ask() -> None:
            answers.append(await session.request(b"notification"))

        tasks.start_soon(ask)
        request = await peer.receive_request()
        assert request.stream_id == 2
        await peer.answer(request, b"noted")
        await until(lambda: bool(answers))
        await peer.send(ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, ""))
        assert await run.wait() is None
