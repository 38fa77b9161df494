"""Resumption and time, on a clock that jumps: lifetimes, stalls, windows, and the bounds of goodbyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
import trio.testing
from comeback import Comeback, resume_of, size
from door import KEEPALIVE, TOKEN, a_setup_frame, open_door
from peers import Asked, RawPeer, Run, until

from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket.frames import (
    ErrorFrame,
    KeepaliveFrame,
    RequestResponseFrame,
    ResumeFrame,
    ResumeOkFrame,
    SetupFrame,
    decode_frame,
)
from elarian_trio._session import Reception
from elarian_trio.errors import ConnectionLost

if TYPE_CHECKING:
    from elarian_trio._rsocket.frames import Frame

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on trio alone, whose clock jumps to the next deadline as soon as every task waits."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def end_of(run: Run) -> BaseException | None:
    """Wait for a run's end, however much virtual time that takes; the clock cannot hang."""
    await run.ended.wait()
    return run.error


async def next_of(peer: RawPeer) -> Frame | None:
    """Give the next frame, however much virtual time it takes."""
    return decode_frame(await peer.transport.receive())


async def test_silent_peer_costs_the_transport_and_not_the_session() -> None:
    """RSocket: no KEEPALIVE for the lifetime: the transport is dead, the session resumed, and both timers restart."""
    comeback = Comeback(timed=True, interval=10.0, lifetime=30.0)
    session = comeback.session
    async with anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        async with comeback.met() as peer:
            began = anyio.current_time()
            asked.ask(b"anybody there?")
            assert isinstance(await end_of(comeback.runs[0]), ConnectionLost)
            assert anyio.current_time() - began == pytest.approx(30.0)
            assert comeback.recorders[0].closed
            assert session.resumable
        await anyio.sleep(1000.0)
        assert session.resumable
        assert asked.outcomes == {}
        async with comeback.on_a_transport() as peer:
            await resume_of(peer)
            await anyio.sleep(100.0)
            assert [len(write) for write in comeback.recorders[-1].writes] == [1]  # no KEEPALIVE, no timer
            await peer.send(ResumeOkFrame(0))
            began = anyio.current_time()
            request = await peer.receive_request()
            keepalive = await next_of(peer)
            assert isinstance(keepalive, KeepaliveFrame)
            assert anyio.current_time() - began == pytest.approx(10.0)
            await peer.send(KeepaliveFrame(keepalive.data, position=size(request)))
            began = anyio.current_time()
            assert isinstance(await end_of(comeback.runs[-1]), ConnectionLost)
            assert anyio.current_time() - began == pytest.approx(30.0)
        assert session.resumable
        session.end()


@pytest.mark.parametrize("role", ["client", "server"])
async def test_peer_that_takes_nothing_for_the_lifetime_costs_the_transport(role: str) -> None:
    """This SDK: who sends KEEPALIVEs and reads nothing is dropped, or what waits for it would wait for ever."""
    if role == "client":
        comeback = Comeback(timed=True, interval=1000.0, lifetime=30.0)
        async with comeback.met() as peer, anyio.create_task_group() as tasks:
            asked = Asked(comeback.session, tasks)
            comeback.recorders[0].hold()
            began = anyio.current_time()
            asked.ask(b"x")
            tasks.start_soon(chatter, peer)
            error = await end_of(comeback.runs[0])
            assert "took nothing for 30 s" in str(error)
            assert anyio.current_time() - began == pytest.approx(30.0)
            assert comeback.session.resumable
            assert asked.outcomes == {}
            tasks.cancel_scope.cancel()
        comeback.session.end()
        return
    async with open_door(timed=True) as door, anyio.create_task_group() as tasks:
        peer = door.connect()
        await peer.send(a_setup_frame(interval=5.0, lifetime=12.0), KEEPALIVE)
        await next_of(peer)
        door.recorders[0].hold()
        began = anyio.current_time()
        await peer.send(RequestResponseFrame(1, b"x"))
        tasks.start_soon(chatter, peer)
        await door.tells("detached")
        assert anyio.current_time() - began == pytest.approx(12.0)
        tasks.cancel_scope.cancel()


async def test_peer_that_takes_no_resume_for_the_lifetime_costs_the_transport() -> None:
    """This SDK: a write is bounded also while no KEEPALIVE is due, and the session can be resumed over another."""
    comeback = Comeback(timed=True, interval=10.0, lifetime=30.0)
    async with comeback.met() as peer:
        await comeback.cut(peer)
    async with comeback.on_a_transport():
        comeback.recorders[-1].hold()
        began = anyio.current_time()
        error = await end_of(comeback.runs[-1])
        assert "took nothing for 30 s" in str(error)
        assert anyio.current_time() - began == pytest.approx(30.0)
        assert comeback.session.resumable
    comeback.session.end()


async def chatter(peer: RawPeer) -> None:
    """Send KEEPALIVEs, and read nothing."""
    with anyio.CancelScope():
        try:
            while True:
                await peer.transport.send_frames([b"\0\0\0\0\x0c\0" + bytes(8)])
                await anyio.sleep(2.0)
        except anyio.BrokenResourceError:
            return


async def test_a_write_within_the_lifetime_is_let_be() -> None:
    """This SDK: a slow peer is not a dead one."""
    comeback = Comeback(timed=True, interval=1000.0, lifetime=30.0)
    async with comeback.met() as peer, anyio.create_task_group() as tasks:
        recorder = comeback.recorders[0]
        for name in (b"x", b"y"):
            recorder.hold()
            tasks.start_soon(comeback.session.request, name)
            await anyio.sleep(29.0)
            recorder.gate.set()
            assert (await peer.receive_request()).data == name
            await peer.send(KeepaliveFrame(b""))
        assert comeback.session.attached
        tasks.cancel_scope.cancel()
    assert [str(run.error) for run in comeback.runs] == ["None"]


async def test_cancelled_session_whose_peer_takes_nothing_ends_in_two_seconds() -> None:
    """This SDK, "no wait without a bound": a goodbye may take two seconds, half of a frame or none."""
    comeback = Comeback(timed=True)
    async with comeback.met() as peer:
        comeback.recorders[0].hold()
        began = anyio.current_time()
        comeback.runs[0].scope.cancel()
        await comeback.runs[0].ended.wait()
        assert anyio.current_time() - began == pytest.approx(2.0)
        assert comeback.recorders[0].closed
        del peer


async def test_cancelled_session_lingers_for_a_moment_only() -> None:
    """This SDK: over a socket the peer may close first, for half a second."""
    comeback = Comeback(timed=True)
    async with comeback.met() as peer:
        began = anyio.current_time()
        comeback.runs[0].scope.cancel()
        assert await next_of(peer) == ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")
        await comeback.runs[0].ended.wait()
        assert anyio.current_time() - began == pytest.approx(0.5)


@pytest.mark.parametrize(("takes", "bound"), [(True, 0.5), (False, 2.0)])
async def test_cancelled_first_attempt_waits_no_longer_for_a_server_that_does_not_answer(
    takes: bool, bound: float
) -> None:
    """This SDK, "no wait without a bound": its goodbye is bounded as that of an open session."""
    comeback = Comeback(timed=True)
    async with comeback.on_a_transport() as peer:
        setup, keepalive = await next_of(peer), await next_of(peer)
        assert isinstance(setup, SetupFrame)
        assert isinstance(keepalive, KeepaliveFrame)
        if not takes:
            comeback.recorders[0].hold()
        began = anyio.current_time()
        comeback.runs[0].scope.cancel()
        await comeback.runs[0].ended.wait()
        assert anyio.current_time() - began == pytest.approx(bound)
        assert comeback.recorders[0].closed


async def test_second_cancellation_does_not_lengthen_the_goodbye() -> None:
    """This SDK: closing, then cancelled, is bounded as one goodbye."""
    comeback = Comeback(timed=True)
    async with comeback.met():
        comeback.recorders[0].hold()
        began = anyio.current_time()
        comeback.session.close()
        await anyio.sleep(1.0)
        comeback.runs[0].scope.cancel()
        await comeback.runs[0].ended.wait()
        assert anyio.current_time() - began == pytest.approx(2.0)


@pytest.mark.parametrize("window", [120.0, 7.0])
async def test_parked_session_ends_with_its_window(window: float) -> None:
    """RSocket: an expired token is unknown: ERROR[REJECTED_RESUME]; whoever waited in the session hears the truth."""
    async with open_door(Reception(resume_window=window)) as door, anyio.create_task_group() as tasks:
        peer = await door.enter()
        asked = Asked(door.sessions[0], tasks)
        asked.ask(b"x")
        await peer.receive_request()
        began = anyio.current_time()
        await door.cut(peer)
        await door.tells("end")
        assert anyio.current_time() - began == pytest.approx(window)
        assert (await asked.lost(b"x")).sent
        assert door.reception.parked == 0
        peer = await door.come_back(0)
        (frame,) = await peer.receive_rest()
        assert isinstance(frame, ErrorFrame)
        assert frame.code == ErrorCode.REJECTED_RESUME


async def test_window_begins_anew_with_each_cut() -> None:
    """This SDK: it is the time for one comeback, not for the session."""
    async with open_door(Reception(resume_window=10.0)) as door:
        peer = await door.enter()
        for _ in range(5):
            await door.cut(peer)
            await anyio.sleep(9.0)
            peer = await door.come_back(0)
            assert await peer.receive() == ResumeOkFrame(0)
            await anyio.sleep(20.0)
        assert ("end", 0) not in door.told


async def test_client_silent_for_its_lifetime_is_parked_and_its_timers_restart() -> None:
    """RSocket: a resumable server parks the session instead of ending it, with the lifetime from SETUP, each time."""
    async with open_door(timed=True) as door:
        peer = door.connect()
        await peer.send(a_setup_frame(interval=5.0, lifetime=12.0), KEEPALIVE)
        await next_of(peer)
        for number in range(1, 4):
            began = anyio.current_time()
            await door.tells("detached", times=number)
            assert anyio.current_time() - began == pytest.approx(12.0)
            peer = await door.come_back(0)
            assert await peer.receive() == ResumeOkFrame(0)
        assert door.told[0] == ("open", 0)


async def test_connection_that_says_nothing_is_closed_after_ten_seconds() -> None:
    """RSocket: no first frame within the setup timeout closes, in memory as well; no session is made."""
    async with open_door() as door:
        peer = door.connect()
        began = anyio.current_time()
        with pytest.raises(anyio.EndOfStream):
            await peer.transport.receive()
        assert anyio.current_time() - began == pytest.approx(10.0)
        await until(lambda: door.served == 1)
        assert door.sessions == []


async def test_old_transport_whose_end_takes_too_long_costs_the_session() -> None:
    """This SDK, "no wait without a bound": a comeback waits five seconds for what was told to end at once."""
    async with open_door() as door:
        await door.enter()
        never = anyio.Event()
        original = door.recorders[0].aclose

        async def aclose() -> None:
            with anyio.CancelScope(shield=True):
                await never.wait()
            await original()

        door.recorders[0].aclose = aclose  # type: ignore[method-assign]
        began = anyio.current_time()
        peer = door.connect()
        await peer.send(ResumeFrame(TOKEN, 0, 0))
        with pytest.raises(anyio.EndOfStream):
            await peer.transport.receive()
        assert anyio.current_time() - began == pytest.approx(5.0)
        await door.tells("end")
        assert not door.sessions[0].resumable
        never.set()
        await until(lambda: door.served == 2)
        assert door.told.count(("end", 0)) == 1
