"""What a session does with time, on a clock that jumps: keepalives, lifetimes, and the bounds of every goodbye."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio.testing
from peers import RawPeer, Recorder, Run, a_client, a_setup, echo, running, until

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._rsocket.frames import ErrorFrame, KeepaliveFrame, RequestResponseFrame, SetupFrame
from elarian_trio._session import Session
from elarian_trio._transport import open_memory_pair
from elarian_trio.errors import ConnectionFailed, ConnectionLost, SetupRejected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on trio alone, whose clock jumps to the next deadline as soon as every task waits."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def wait_for(run: Run) -> BaseException | None:
    """Wait for a run's end, however much virtual time that takes; the clock cannot hang."""
    await run.ended.wait()
    return run.error


@asynccontextmanager
async def timed_client(
    *, interval: float = 10.0, lifetime: float = 30.0
) -> AsyncIterator[tuple[Session, RawPeer, Run, Recorder]]:
    """Join a client's session with timers, already let in, and a scripted peer."""
    ours, theirs = open_memory_pair()
    ours.timed = True
    recorder = Recorder(ours)
    session = a_client(recorder, setup=a_setup(interval=interval, lifetime=lifetime))
    peer = RawPeer(theirs)
    async with theirs, running(session, recorder, opened=False) as run:
        await peer.let_in()
        await until(lambda: session.opened)
        yield session, peer, run, recorder


async def test_keepalive_every_interval() -> None:
    """RSocket: KEEPALIVE(R) every interval."""
    async with timed_client(interval=10.0) as (_, peer, _, _):
        began = anyio.current_time()
        times: list[float] = []
        for _ in range(5):
            keepalive = decode(await peer.transport.receive())
            assert keepalive.respond
            times.append(anyio.current_time() - began)
            await peer.send(KeepaliveFrame(keepalive.data))
    assert times == pytest.approx([10.0, 20.0, 30.0, 40.0, 50.0])


def decode(data: bytes) -> KeepaliveFrame:
    """Read a frame that must be a KEEPALIVE."""
    from elarian_trio._rsocket.frames import decode_frame

    frame = decode_frame(data)
    assert isinstance(frame, KeepaliveFrame), frame
    return frame


async def test_silent_peer_is_dead_after_the_lifetime() -> None:
    """RSocket: no KEEPALIVE for the lifetime closes the transport, and in-flight commands hear of it."""
    async with timed_client(interval=10.0, lifetime=30.0) as (session, peer, run, recorder):
        began = anyio.current_time()
        with pytest.raises(ConnectionLost) as caught:
            await session.request(b"anybody there?")
        assert anyio.current_time() - began == pytest.approx(30.0)
        error = await wait_for(run)
        del peer
    assert caught.value.sent
    assert isinstance(error, ConnectionLost)
    assert "silent" in str(error)
    assert recorder.closed


async def test_other_traffic_is_no_sign_of_life() -> None:
    """RSocket: only KEEPALIVEs count; a busy connection without them is dead, too."""
    async with timed_client(interval=10.0, lifetime=30.0) as (_, peer, run, _):
        began = anyio.current_time()
        for number in range(5):
            await anyio.sleep(5)
            await peer.send(RequestResponseFrame(2 * number + 2, b"busy"))
        assert isinstance(await wait_for(run), ConnectionLost)
        assert anyio.current_time() - began == pytest.approx(30.0)


async def test_any_keepalive_is_a_sign_of_life() -> None:
    """RSocket: KEEPALIVEs of the peer's own accord keep the session, answers or not."""
    async with timed_client(interval=10.0, lifetime=30.0) as (session, peer, run, _):
        for _ in range(20):
            await anyio.sleep(25)
            await peer.send(KeepaliveFrame(b"", respond=True))
        assert session.usable
        assert not run.ended.is_set()


async def test_silence_before_the_first_answer_is_a_failed_attempt() -> None:
    """RSocket: silence gives a timeout, and a retryable failure."""
    ours, theirs = open_memory_pair()
    ours.timed = True
    async with theirs, running(a_client(ours), ours, opened=False) as run:
        error = await wait_for(run)
    assert type(error) is ConnectionFailed
    assert anyio.current_time() > 0


async def test_year_passes_over_an_untimed_transport() -> None:
    """This SDK: in memory only the proving KEEPALIVE is sent, so that a year passes at once."""
    ours, theirs = open_memory_pair()
    recorder = Recorder(ours)
    session, peer = a_client(recorder), RawPeer(theirs)
    async with theirs, running(session, recorder, opened=False):
        await peer.let_in()
        await until(lambda: session.opened)
        await anyio.sleep(365 * 24 * 3600)
        assert session.usable
        assert [len(write) for write in recorder.writes] == [2]


async def test_client_without_setup_is_closed_after_ten_seconds() -> None:
    """RSocket: no first frame within the setup timeout closes, in memory as well."""

    async def judge(_: Setup) -> None:
        raise AssertionError

    ours, theirs = open_memory_pair()
    session = Session(Connection(Role.SERVER, timed=False), echo, on_setup=judge)
    async with theirs, running(session, ours, opened=False) as run:
        began = anyio.current_time()
        error = await wait_for(run)
        assert anyio.current_time() - began == pytest.approx(10.0)
    assert isinstance(error, ConnectionFailed)


async def test_judge_that_never_comes_back_is_a_refusal() -> None:
    """This SDK, "no wait without a bound": a judge has ten seconds."""

    async def judge(_: Setup) -> None:
        await anyio.sleep_forever()

    ours, theirs = open_memory_pair()
    session = Session(Connection(Role.SERVER, timed=False), echo, on_setup=judge)
    async with theirs, running(session, ours, opened=False) as run:
        peer = RawPeer(theirs)
        await peer.send(SetupFrame(1000, 3000, metadata_mime=b"a/b", data_mime=b"a/b"))
        error = await wait_for(run)
        (frame,) = await peer.receive_rest()
    assert isinstance(error, SetupRejected)
    assert isinstance(frame, ErrorFrame)


async def test_server_drops_a_silent_client_after_its_lifetime() -> None:
    """RSocket: the same with the lifetime from SETUP."""
    ours, theirs = open_memory_pair()
    ours.timed = True
    session = Session(Connection(Role.SERVER), echo)
    async with theirs, running(session, ours, opened=False) as run:
        await RawPeer(theirs).send(SetupFrame(1000, 7000, metadata_mime=b"a/b", data_mime=b"a/b"))
        began = anyio.current_time()
        assert isinstance(await wait_for(run), ConnectionLost)
        assert anyio.current_time() - began == pytest.approx(7.0)


async def test_goodbye_does_not_wait_for_a_peer_that_reads_nothing() -> None:
    """This SDK, "no wait without a bound": the last frames have two seconds, then the transport is closed."""
    async with timed_client() as (session, _, run, recorder):
        recorder.hold()
        began = anyio.current_time()
        session.close()
        assert await wait_for(run) is None
        assert anyio.current_time() - began == pytest.approx(2.0)
    assert recorder.closed


async def test_goodbye_lingers_for_a_moment_only() -> None:
    """This SDK: over a socket the peer may close first, for half a second."""
    async with timed_client() as (session, peer, run, recorder):
        began = anyio.current_time()
        session.close()
        assert await wait_for(run) is None
        assert anyio.current_time() - began == pytest.approx(0.5)
        del peer
    assert recorder.closed


async def test_transport_that_does_not_close_is_left_after_a_second() -> None:
    """This SDK, "no wait without a bound": also for a transport's own goodbye, under cancellation as well."""

    class Sticky(Recorder):
        async def aclose(self) -> None:
            await super().aclose()
            await anyio.sleep_forever()

    ours, theirs = open_memory_pair()
    sticky = Sticky(ours)
    async with theirs, running(a_client(sticky), sticky, opened=False) as run:
        await anyio.sleep(0.1)
        began = anyio.current_time()
        run.scope.cancel()
        await wait_for(run)
        assert anyio.current_time() - began == pytest.approx(1.0)
    assert sticky.closed


async def test_keepalive_overtakes_bulk_data() -> None:
    """RSocket: KEEPALIVEs go out every interval while megabytes wait for a slow peer."""

    class Slow(Recorder):
        async def send_frames(self, frames: Sequence[bytes]) -> None:
            self.writes.append(list(frames))
            await anyio.sleep(sum(map(len, frames)) / 100_000)  # 100 kB/s

    ours, theirs = open_memory_pair()
    ours.timed = True
    slow = Slow(ours)
    session = a_client(slow, setup=a_setup(interval=5.0, lifetime=60.0))
    async with theirs, running(session, slow, opened=False):
        await until(lambda: bool(slow.writes))
        keepalive = decode(slow.writes[0][1])
        await RawPeer(theirs).send(KeepaliveFrame(keepalive.data))
        await until(lambda: session.opened)
        with anyio.move_on_after(50):
            await session.request(bytes(10_000_000))
        pings = sum(frame[4] >> 2 == 0x03 for write in slow.writes[1:] for frame in write)
    print(f"KEEPALIVEs within 50 s of bulk data, one every 5 s: {pings}")  # noqa: T201 - a figure to look at
    assert 8 <= pings <= 10
