"""Every way a session that could be resumed ends for good, and what its waiters and its peer hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest
from comeback import TOKEN, Comeback, resume_of, size
from peers import BOUND, Asked, Recorder, Run, settle, until

from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket.frames import ErrorFrame, KeepaliveFrame, PayloadFrame, RequestResponseFrame, ResumeOkFrame
from elarian_trio._session import ResumptionRefused
from elarian_trio._transport import open_memory_pair
from elarian_trio.errors import ConnectionLost, RemoteProtocolError

if TYPE_CHECKING:
    from elarian_trio._session import IncomingRequest, Session

pytestmark = pytest.mark.anyio

FAREWELL = ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")


async def cancel(run: Run) -> None:
    """Cancel a run from outside, and wait for its end."""
    run.scope.cancel()
    with anyio.fail_after(BOUND):
        await run.ended.wait()


async def run_on_another(session: Session) -> tuple[BaseException | None, Recorder]:
    """Run a session that is over on one transport more; give what came out, and the transport."""
    ours, theirs = open_memory_pair()
    recorder = Recorder(ours)
    error: BaseException | None = None
    async with theirs:
        try:
            with anyio.fail_after(BOUND):
                await session.run(recorder)
        except Exception as caught:
            error = caught
    return error, recorder


@pytest.mark.parametrize("code", [ErrorCode.REJECTED_RESUME, ErrorCode.CONNECTION_ERROR, ErrorCode.REJECTED_SETUP])
async def test_refused_resume_ends_the_session_and_tells_the_truth(code: ErrorCode) -> None:
    """RSocket: after ERROR[REJECTED_RESUME] there is no second RESUME; what was sent has an unknown outcome."""
    kept: list[IncomingRequest] = []
    comeback = Comeback(kept.append)
    session = comeback.session
    async with anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"sent")
            await peer.receive_request()
            await peer.send(RequestResponseFrame(2, b"theirs"))
            await until(lambda: bool(kept))
            await comeback.cut(peer)
        asked.ask(b"not sent")
        await settle()
        async with comeback.on_a_transport() as peer:
            await resume_of(peer)
            await peer.send(ErrorFrame(0, code, "never heard\nof it"))
            error = await comeback.runs[-1].wait()
        assert isinstance(error, ResumptionRefused)
        assert (error.code, error.sent) == (code, True)
        assert "never heard of it" in str(error)
        assert TOKEN.decode() not in str(error)
        assert (await asked.lost(b"sent")).sent
        assert not (await asked.lost(b"not sent")).sent
    assert not session.resumable
    assert not session.usable
    assert session.kept_bytes == 0
    assert kept[0].canceled
    assert comeback.recorders[-1].closed
    again, recorder = await run_on_another(session)
    assert again is error
    assert recorder.writes == []
    assert recorder.closed


@pytest.mark.parametrize("position", [1, 3, 1000])
async def test_resume_ok_that_cannot_be_ends_the_session_with_a_word(position: int) -> None:
    """RSocket: RESUME_OK below the first kept byte, off a frame's boundary or beyond: ERROR[CONNECTION_ERROR], dead."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            await peer.receive_request()
            await comeback.cut(peer)
        async with comeback.on_a_transport() as peer:
            await resume_of(peer)
            await peer.send(ResumeOkFrame(position))
            error = await peer.receive()
            assert isinstance(error, ErrorFrame)
            assert (error.stream_id, error.code) == (0, ErrorCode.CONNECTION_ERROR)
            assert isinstance(await comeback.runs[-1].wait(), RemoteProtocolError)
        assert (await asked.lost(b"x")).sent
    assert not comeback.session.resumable


async def test_resume_ok_below_what_is_kept_ends_the_session() -> None:
    """RSocket: a server that has forgotten what it acknowledged cannot be helped."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            request = await peer.receive_request()
            await peer.send(KeepaliveFrame(b"?", respond=True, position=size(request)))
            await peer.receive()
            await comeback.cut(peer)
        async with comeback.on_a_transport() as peer:
            assert (await resume_of(peer)).first_client_position == size(request)
            await peer.send(ResumeOkFrame(0))
            assert isinstance(await comeback.runs[-1].wait(), RemoteProtocolError)
        await asked.lost(b"x")


async def test_anything_but_an_answer_to_resume_ends_the_session_with_a_word() -> None:
    """rsocket-java and rsocket-js: what is neither RESUME_OK nor ERROR is answered ERROR[CONNECTION_ERROR]."""
    comeback = Comeback()
    async with comeback.met() as peer:
        await comeback.cut(peer)
    async with comeback.on_a_transport() as peer:
        await resume_of(peer)
        await peer.send(PayloadFrame(1, b"early", next_=True))
        (frame,) = await peer.receive_rest()
        assert isinstance(frame, ErrorFrame)
        assert frame.code == ErrorCode.CONNECTION_ERROR
        assert isinstance(await comeback.runs[-1].wait(), RemoteProtocolError)
    assert not comeback.session.resumable


async def test_error_of_the_peer_forbids_resumption() -> None:
    """RSocket: ERROR on stream 0 ends the session: a transport that goes with it was not cut."""
    comeback = Comeback()
    async with comeback.met() as peer:
        await peer.send(ErrorFrame(0, ErrorCode.CONNECTION_ERROR, "bye"))
        assert isinstance(await comeback.runs[0].wait(), ConnectionLost)
    assert not comeback.session.resumable


async def test_goodbye_of_the_peer_forbids_resumption() -> None:
    """RSocket: CONNECTION_CLOSE lets what is outstanding end; a cut meanwhile is the end, in order."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            await peer.receive_request()
            await peer.send(FAREWELL)
            await until(lambda: not comeback.session.usable)
            assert await comeback.cut(peer) is None
        assert (await asked.lost(b"x")).sent
    assert not comeback.session.resumable


async def test_orderly_close_says_so() -> None:
    """RSocket: ERROR[CONNECTION_CLOSE], so that the server parks no session."""
    comeback = Comeback()
    async with comeback.met() as peer:
        comeback.session.close()
        assert await peer.receive_rest() == [FAREWELL]
        assert await comeback.runs[0].wait() is None
    assert not comeback.session.resumable


async def test_close_while_detached_ends_at_once() -> None:
    """This SDK: there is nobody to say goodbye to."""
    comeback = Comeback()
    session = comeback.session
    async with anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            await peer.receive_request()
            await comeback.cut(peer)
        session.close()
        assert not session.usable
        assert not session.resumable
        assert (await asked.lost(b"x")).sent
    error, recorder = await run_on_another(session)
    assert error is None
    assert recorder.writes == []
    assert recorder.closed


async def test_close_while_resuming_still_says_so() -> None:
    """This SDK: the farewell follows the RESUME, so that the server does not keep what nobody comes back to."""
    comeback = Comeback()
    async with comeback.met() as peer:
        await comeback.cut(peer)
    async with comeback.on_a_transport() as peer:
        await resume_of(peer)
        comeback.session.close()
        assert await peer.receive_rest() == [FAREWELL]
        assert await comeback.runs[-1].wait() is None


async def test_session_ended_while_detached_wakes_everybody_once() -> None:
    """This SDK: whoever gives the session up says why, and every waiter hears it; a second word changes nothing."""
    comeback = Comeback()
    session = comeback.session
    async with anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            await peer.receive_request()
            await comeback.cut(peer)
        why = ConnectionLost("nobody answers any more", sent=False)
        session.end(why)
        session.end(ConnectionLost("too late", sent=False))
        session.release()
        lost = await asked.lost(b"x")
        assert lost.__cause__ is why
        assert lost.sent
    assert not session.resumable
    assert not session.attached


async def test_cancelled_session_says_goodbye() -> None:
    """This SDK: a server should not keep a session that nobody will resume."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            await peer.receive_request()
            await cancel(comeback.runs[0])
            assert await peer.receive_rest() == [FAREWELL]
        assert (await asked.lost(b"x")).sent
    assert comeback.recorders[0].closed
    assert not comeback.session.resumable


async def test_cancelled_session_ends_the_write_under_way_before_its_goodbye() -> None:
    """RSocket: nothing follows half a frame; so the write ends, if it does in time, and the goodbye follows."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            recorder = comeback.recorders[0]
            recorder.hold()
            asked.ask(b"x")
            await until(lambda: len(recorder.writes) == 2)
            comeback.runs[0].scope.cancel()
            assert (await asked.lost(b"x")).sent
            recorder.gate.set()
            assert (await peer.receive_request()).data == b"x"
            assert await peer.receive_rest() == [FAREWELL]


async def test_cancellation_while_closing_does_not_take_the_goodbye_along() -> None:
    """This SDK: the goodbye of a session that could be resumed is bounded by itself."""
    comeback = Comeback()
    async with comeback.met() as peer:
        recorder = comeback.recorders[0]
        recorder.hold()
        comeback.session.close()
        await until(lambda: len(recorder.writes) == 2)
        comeback.runs[0].scope.cancel()
        await settle()
        recorder.gate.set()
        assert await peer.receive_rest() == [FAREWELL]
        with anyio.fail_after(BOUND):
            await comeback.runs[0].ended.wait()


async def test_cancelled_attempt_leaves_the_session_resumable() -> None:
    """This SDK: an attempt that takes too long is given up, not the session."""
    comeback = Comeback()
    session = comeback.session
    async with anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            request = await peer.receive_request()
            await comeback.cut(peer)
        pings: list[ConnectionLost] = []

        async def ping() -> None:
            with pytest.raises(ConnectionLost) as caught:
                await session.ping()
            pings.append(caught.value)

        async with comeback.on_a_transport() as peer:
            await resume_of(peer)
            tasks.start_soon(ping)
            await settle()
            await cancel(comeback.runs[-1])
            assert await peer.receive_rest() == []
            await until(lambda: bool(pings))
        assert session.resumable
        assert asked.outcomes == {}
        async with comeback.back(0) as peer:
            assert await peer.receive_request() == request
            await peer.answer(request, b"y")
            assert await asked.answer(b"x") == b"y"


async def test_attempt_cancelled_at_any_step_leaves_the_session_resumable() -> None:
    """A past bug: on asyncio an attempt cancelled as its tasks began ended the session."""
    comeback = Comeback()
    async with comeback.met() as peer:
        await comeback.cut(peer)
    for steps in range(12):
        async with comeback.on_a_transport():
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            await cancel(comeback.runs[-1])
        assert comeback.session.resumable, steps
    async with comeback.back(0):
        assert comeback.session.usable


async def test_first_attempt_cancelled_behind_its_setup_says_goodbye() -> None:
    """A past bug: a server that had accepted the SETUP, which its answer had yet to tell, kept the session."""
    comeback = Comeback()
    async with comeback.on_a_transport() as peer:
        await peer.receive()
        await peer.receive()
        await cancel(comeback.runs[0])
        assert await peer.receive_rest() == [FAREWELL]
    assert not comeback.session.resumable


async def test_first_attempt_cancelled_before_its_setup_ends_without_a_word() -> None:
    """This SDK: a server that knows nothing of a session has none to keep."""
    comeback = Comeback()
    async with comeback.on_a_transport() as peer:
        await cancel(comeback.runs[0])
        assert await peer.receive_rest() == []
    assert not comeback.session.resumable


async def test_defect_ends_a_session_that_could_be_resumed() -> None:
    """This SDK: an error that nobody foresaw is not dressed up as a cut."""

    def defective(frames: object) -> None:
        raise ZeroDivisionError

    comeback = Comeback()
    async with comeback.met() as peer:
        comeback.session.take_in = defective  # type: ignore[method-assign]
        await peer.send(KeepaliveFrame(b""))
        assert isinstance(await comeback.runs[0].wait(), ZeroDivisionError)
    assert not comeback.session.resumable


@pytest.mark.parametrize("anyio_backend", ["trio"])  # asyncio ends its loop at once, whatever task is interrupted
async def test_interrupt_comes_out_plain_and_ends_the_session() -> None:
    """This SDK: Ctrl-C may strike in any task; it ends a session that could be resumed."""

    class Interrupted(Recorder):
        interrupts = False

        async def receive_frames(self) -> list[bytes]:
            frames = await super().receive_frames()
            if self.interrupts:
                raise KeyboardInterrupt
            return frames

    comeback = Comeback()
    async with comeback.met() as peer:
        await comeback.cut(peer)
    ours, theirs = open_memory_pair()
    interrupted = Interrupted(ours)
    interrupted.interrupts = True
    async with theirs:
        await theirs.send(b"anything")
        with pytest.raises(KeyboardInterrupt), anyio.fail_after(BOUND):
            await comeback.session.run(interrupted)
    assert interrupted.closed
    assert not comeback.session.resumable
