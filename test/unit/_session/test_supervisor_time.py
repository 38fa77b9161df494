"""How long a supervisor waits, tries and hopes, on a clock that jumps."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any, Literal

import anyio
import pytest
import trio.testing
from network import CALM, Network, note_dials, supervised
from peers import RawPeer

from elarian_trio._rsocket.frames import KeepaliveFrame
from elarian_trio._session import Reception
from elarian_trio.errors import ConnectionFailed, ConnectionLost
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from peers import Run

    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on trio alone, whose clock jumps to the next deadline as soon as every task waits."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


async def end_of(run: Run) -> BaseException | None:
    """Wait for a run's end, however much virtual time that takes."""
    await run.ended.wait()
    return run.error


def timed(transport: FrameTransport) -> FrameTransport:
    """Have keepalives run over memory."""
    transport.timed = True
    return transport


async def say_nothing(transport: FrameTransport) -> None:
    """Play a server that accepts the connection and never says a word."""
    while True:
        await transport.receive()


async def test_attempts_follow_the_backoff() -> None:
    """This SDK: first, then base·factor^(n-2) up to cap; and the schedule starts again once the peer has answered."""
    times: list[float] = []

    def prepare(network: Network) -> None:
        times.append(anyio.current_time())
        nonlocal dials
        dials = note_dials(network)

    dials: list[float] = []
    async with supervised(CALM, opened=False, up=False, prepare=prepare) as (supervisor, network, _, _):
        await anyio.sleep(10)
        waits = [round(after - before, 4) for before, after in itertools.pairwise(dials)]
        assert waits == [0.25, 0.5, 0.8, 1.28, 2.048, 3.2768]
        assert dials[0] == times[0]
        network.up = True
        await supervisor.ping()
        await network.cut()
        began = anyio.current_time()
        await anyio.sleep(1)
        assert dials[-1] - began == pytest.approx(0.25)


async def test_peer_that_accepts_but_never_answers_costs_one_attempt_of_connect_timeout() -> None:
    """rsocket-java may swallow its refusal: the connector's own timeout ends the attempt, and it is tried again."""

    def prepare(network: Network) -> None:
        network.script.append(say_nothing)

    async with supervised(CALM, opened=False, prepare=prepare) as (_, network, _, states):
        await anyio.sleep(10.3)
        assert states.names == ["connecting", "pending", "connecting", "connected"]
        assert states.times[-1] == pytest.approx(10.25, abs=0.01)
        assert network.dials == 2
        assert "within 10 s" in str(states.causes[1])


async def test_dial_that_hangs_costs_one_attempt() -> None:
    """Options: ``connect_timeout`` bounds one attempt to open a connection and have it answered."""

    def prepare(network: Network) -> None:
        async def hang() -> FrameTransport:
            await anyio.sleep_forever()
            raise AssertionError

        network.dial = hang  # type: ignore[method-assign]

    options = ConnectionOptions(
        resume="off", connect_timeout=3.0, reconnect=Backoff(first=1.0, jitter=0.0, give_up_after=7.0)
    )
    async with supervised(options, opened=False, prepare=prepare) as (_, _, run, states):
        assert isinstance(await end_of(run), ConnectionFailed)
        assert anyio.current_time() == pytest.approx(7.0, abs=0.01)
        assert states.times[:4] == pytest.approx([0.0, 3.0, 4.0, 7.0], abs=0.01)
        assert "within 3 s" in str(states.causes[1])


@pytest.mark.parametrize("give_up_after", [0.1, 5.0, 400.0])
async def test_gives_up_exactly_when_it_should(give_up_after: float) -> None:
    """This SDK: seconds since the peer last answered after which the block ends with ConnectionFailed."""
    options = ConnectionOptions(resume="off", reconnect=Backoff(jitter=0.0, give_up_after=give_up_after))
    async with supervised(options) as (_, network, run, _):
        await anyio.sleep(50)
        network.up = False
        heard = anyio.current_time()
        await network.sessions[0].ping()
        await network.cut()
        error = await end_of(run)
        assert isinstance(error, ConnectionFailed)
        assert anyio.current_time() - heard == pytest.approx(give_up_after, abs=0.01)


@pytest.mark.parametrize("resume", ["off", "auto"])
async def test_log_says_that_it_gives_up_where_no_attempt_follows(
    resume: Literal["off", "auto"], caplog: pytest.LogCaptureFixture
) -> None:
    """A past bug: "the next attempt follows in 0.00 s" was the last word before giving up."""
    caplog.set_level(logging.INFO, "elarian_trio.session")
    options = ConnectionOptions(resume=resume, reconnect=Backoff(first=1.0, jitter=0.0, give_up_after=1.25))

    def prepare(network: Network) -> None:
        network.reception = Reception()

    async with supervised(options, prepare=prepare) as (_, network, run, _):
        network.up = False
        await network.cut()
        assert isinstance(await end_of(run), ConnectionFailed)
        assert network.dials == 2
    *_, first, last = caplog.records
    assert first.getMessage().endswith("; the next attempt follows in 1.00 s")
    assert last.getMessage().endswith("Connection refused; giving up in 0.25 s, before another attempt is due")
    assert last.levelno == logging.WARNING


async def test_giving_up_in_the_middle_of_an_attempt_names_what_failed_before() -> None:
    """This SDK: "refused" helps whoever reads it, "nothing within 0.2 s" does not."""

    def prepare(network: Network) -> None:
        async def refuse_then_hang() -> FrameTransport:
            network.dials += 1
            if network.dials == 1:
                raise ConnectionRefusedError(111, "Connection refused")
            await anyio.sleep_forever()
            raise AssertionError

        network.dial = refuse_then_hang  # type: ignore[method-assign]

    options = ConnectionOptions(resume="off", reconnect=Backoff(jitter=0.0, give_up_after=0.5))
    async with supervised(options, opened=False, prepare=prepare) as (_, _, run, _):
        error = await end_of(run)
        assert "refused" in str(error)
        assert anyio.current_time() == pytest.approx(0.5, abs=0.01)


async def test_giving_up_after_nothing_still_tries_once() -> None:
    """This SDK: ``give_up_after=0`` means one attempt, not none."""
    options = ConnectionOptions(resume="off", reconnect=Backoff(give_up_after=0.0))
    async with supervised(options) as (supervisor, network, run, _):
        assert await supervisor.request(b"x", retry=False) == b"x"
        await network.cut()
        assert isinstance(await end_of(run), ConnectionFailed)
        assert network.dials == 1


async def test_silence_counts_from_the_last_answer_not_from_its_discovery() -> None:
    """This SDK: ``give_up_after`` seconds since the peer last answered; the lifetime is part of them."""
    heard: list[float] = []

    async def fall_silent(transport: FrameTransport) -> None:
        await RawPeer(transport).let_in()
        heard.append(anyio.current_time())
        await say_nothing(transport)

    def prepare(network: Network) -> None:
        network.wrap = timed
        network.script.append(fall_silent)

    options = ConnectionOptions(resume="off", reconnect=Backoff(jitter=0.0, give_up_after=33.0))
    async with supervised(options, prepare=prepare) as (_, network, run, states):
        network.up = False
        error = await end_of(run)
        assert isinstance(error, ConnectionFailed)
        assert anyio.current_time() - heard[0] == pytest.approx(33.0, abs=0.01)
        assert isinstance(states.causes[2], ConnectionLost)
        assert "silent" in str(states.causes[2])


async def test_silent_server_is_left_for_another_session() -> None:
    """This SDK: keepalive lifetime over, the client comes back by itself; an unsafe command in flight is lost, sent."""

    async def fall_silent(transport: FrameTransport) -> None:
        await RawPeer(transport).let_in()
        await say_nothing(transport)

    def prepare(network: Network) -> None:
        network.wrap = timed
        network.script.append(fall_silent)

    async with supervised(CALM, prepare=prepare) as (supervisor, _, _, _):
        began = anyio.current_time()
        with pytest.raises(ConnectionLost) as caught:
            await supervisor.request(b"write", retry=False)
        assert caught.value.sent
        assert anyio.current_time() - began == pytest.approx(30.0, abs=0.01)
        assert await supervisor.request(b"again", retry=False) == b"again"
        assert supervisor.reconnects == 1


async def test_strikes_far_apart_do_not_end_it() -> None:
    """This SDK: three sessions spoilt *within a minute*; one in half a minute is bad luck."""

    def garbled_after(seconds: float) -> Callable[[FrameTransport], Awaitable[None]]:
        async def play(transport: FrameTransport) -> None:
            await RawPeer(transport).let_in()
            await anyio.sleep(seconds)
            await RawPeer(transport).send(b"\0\0")

        return play

    script = [garbled_after(31.0) for _ in range(6)]
    async with supervised(CALM, prepare=lambda network: network.script.extend(script)) as (supervisor, _, run, _):
        await anyio.sleep(6 * 32)
        assert not run.ended.is_set()
        assert supervisor.reconnects == 6


async def test_long_outage_slows_down_and_recovers() -> None:
    """This SDK: after five minutes of failure the delays double up to a minute; the next outage starts afresh."""
    dials: list[float] = []

    def prepare(network: Network) -> None:
        nonlocal dials
        dials = note_dials(network)

    async with supervised(CALM, prepare=prepare) as (supervisor, network, _, _):
        network.up = False
        await network.cut()
        await anyio.sleep(3600)
        waits = [after - before for before, after in itertools.pairwise(dials)]
        assert waits[-5:] == pytest.approx([60.0] * 5)
        assert 10.0 in [round(wait, 6) for wait in waits]
        print(f"attempts in an hour without a server: {len(dials)}")  # noqa: T201 - a figure to look at
        assert len(dials) < 150
        network.up = True
        with anyio.fail_after(61):
            await supervisor.request(b"back", retry=False)


async def test_keepalives_keep_a_quiet_session_for_a_day() -> None:
    """RSocket and its peers: the client asks every interval, the server answers, and nothing is lost."""

    def prepare(network: Network) -> None:
        network.wrap = timed

    async with supervised(CALM, prepare=prepare) as (supervisor, _, _, _):
        await anyio.sleep(24 * 3600)
        assert supervisor.sessions_lost == 0
        frames = supervisor.bytes_received / len(KeepaliveFrame(bytes(8)).data + bytes(14))
        print(f"KEEPALIVEs answered in a day, every 10 s: {frames:.0f}")  # noqa: T201 - a figure to look at
        assert frames == pytest.approx(8640, abs=2)
