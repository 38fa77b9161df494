"""How soon a cut session is resumed, how long that is tried, and what a process that slept makes of it."""

from __future__ import annotations

import itertools
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import anyio
import pytest
import trio
import trio.testing
from keeper import Keeper, Outcomes, refusal, scripted
from network import Network, note_dials, supervised
from peers import RawPeer, Recorder, settle

from elarian_trio._rsocket.frames import KeepaliveFrame, ResumeOkFrame, decode_frame
from elarian_trio.errors import ConnectionClosed, ConnectionFailed, ConnectionLost, SetupRejected
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio

CALM = ConnectionOptions(reconnect=Backoff(jitter=0.0))
SEEDS = 500
ROUND_TRIP = 0.02  # seconds, of the network in which returns are counted


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run on trio alone, whose clock jumps to the next deadline as soon as every task waits."""
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


def sleep_through(seconds: float) -> None:
    """Have the process sleep: time passes, and nothing runs."""
    clock = trio.lowlevel.current_clock()
    assert isinstance(clock, trio.testing.MockClock)
    clock.jump(seconds)


def timed(transport: FrameTransport) -> FrameTransport:
    """Have keepalives run over memory."""
    transport.timed = True
    return transport


def waits(times: list[float]) -> list[float]:
    """Give the seconds between, rounded."""
    return [round(after - before, 4) for before, after in itertools.pairwise(times)]


async def test_cut_session_is_tried_every_quarter_of_a_second_for_ten_and_then_by_the_schedule() -> None:
    """This SDK: for as long as the outage lasts, since the server says when the session is over."""
    keeper = Keeper()
    async with (
        supervised(CALM, prepare=scripted(keeper.lets_in)) as (supervisor, network, _, _),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"patient")
        request = await keeper.take_request()
        network.up = False
        dials = note_dials(network)
        cut_at = anyio.current_time()
        keeper.cut()
        await anyio.sleep(3600)
        assert waits([cut_at, *dials])[:45] == [0.25] * 40 + [0.5, 0.8, 1.28, 2.048, 3.2768]
        assert waits(dials)[-3:] == [60.0] * 3
        network.script.append(keeper.resumes_it)
        network.up = True
        await anyio.sleep(60)
        await keeper.peer.answer(request, b"answer")
        assert await requests.wait_for(b"patient") == b"answer"
        assert (supervisor.resumptions, supervisor.sessions_lost) == (1, 0)


async def test_server_that_is_silent_about_a_resumption_is_asked_again_and_again() -> None:
    """rsocket-java answers a RESUME when it has noticed the old transport's end: bound each attempt, and repeat it."""
    keeper = Keeper()
    options = ConnectionOptions(connect_timeout=3.0, reconnect=Backoff(jitter=0.0))
    script = scripted(keeper.lets_in, *[keeper.answers()] * 7, keeper.resumes_it)
    async with supervised(options, prepare=script) as (supervisor, network, _, states):
        dials = note_dials(network)
        keeper.cut()
        await anyio.sleep(60)
        assert supervisor.resumptions == 1
        assert waits(dials) == pytest.approx([3.25, 3.25, 3.25, 3.5, 3.8, 4.28, 5.048])
        assert len(keeper.resumes) == 8
        assert "within 3 s" in str(states.causes[-3])


async def test_server_that_never_answers_a_resumption_is_given_another_session_after_five_minutes() -> None:
    """This SDK: no silence keeps the client away for ever; no server known keeps sessions as long as that."""
    keeper = Keeper()
    script = scripted(keeper.lets_in, *[keeper.answers()] * 22, keeper.lets_in)
    async with (
        supervised(CALM, prepare=script) as (supervisor, _, _, _),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"write")
        await keeper.take_request()
        keeper.cut()
        began = anyio.current_time()
        lost = await requests.ended(b"write")
        assert 300 <= anyio.current_time() - began < 330
        assert isinstance(lost, ConnectionLost)
        assert lost.sent
        await anyio.sleep(30)
        assert supervisor.reconnects == 1
        assert (supervisor.resumptions, supervisor.sessions_lost) == (0, 1)


async def test_server_gone_for_three_seconds_is_resumed_soon_after_its_return() -> None:
    """This SDK's figure: within a round trip and 400 ms at p99; by design ``first``, its jitter, and the dialling."""
    took = sorted([await _return_after(3.0, random.Random(seed)) for seed in range(SEEDS)])
    p50, p99 = took[SEEDS // 2], took[int(SEEDS * 0.99)]
    print(f"resumed after the server's return, seeds 0 to {SEEDS - 1}: p50 {p50:.3f} s, p99 {p99:.3f} s")  # noqa: T201
    first = Backoff()
    assert p99 <= first.first * (1 + first.jitter) + 3 * ROUND_TRIP
    assert p99 <= ROUND_TRIP + 0.4


async def _return_after(outage: float, dice: random.Random) -> float:
    """Cut a session at a random moment, have the server return later; give the seconds from then to the resumption."""
    keeper = Keeper()

    def prepare(network: Network) -> None:
        dial = network.dial

        async def far_away() -> FrameTransport:
            await anyio.sleep(ROUND_TRIP)
            return await dial()

        network.dial = far_away  # type: ignore[method-assign]
        network.script.append(keeper.lets_in)

    async with supervised(ConnectionOptions(), prepare=prepare, random=dice.random) as (supervisor, network, _, states):
        await anyio.sleep(dice.random())
        network.up = False
        network.script.append(keeper.resumes_it)
        keeper.cut()
        await anyio.sleep(outage + dice.random())
        network.up = True
        back = anyio.current_time()
        await anyio.sleep(2)
        assert supervisor.resumptions == 1
        return states.times[-1] - back


async def test_fresh_session_follows_a_refused_resumption_in_the_same_moment() -> None:
    """This SDK: at once; and if that attempt fails, the schedule goes on where the outage has brought it."""
    keeper = Keeper()

    async def falls(_: FrameTransport) -> None:
        await anyio.lowlevel.checkpoint()

    script = scripted(keeper.lets_in, keeper.answers(refusal(0x004)), keeper.answers(refusal(0x101)), keeper.lets_in)
    async with supervised(CALM, prepare=script) as (supervisor, network, _, _):
        dials = note_dials(network)
        cut_at = anyio.current_time()
        keeper.cut()
        await anyio.sleep(10)
        assert waits([cut_at, *dials]) == [0.25, 0.0, 0.5]
        assert supervisor.reconnects == 1


async def test_server_that_lets_in_and_cuts_at_once_is_asked_a_few_times_a_second() -> None:
    """This SDK: never a tight loop, whatever the server does; every round has its pause."""
    keeper = Keeper()

    async def lets_in_and_cuts(transport: FrameTransport) -> None:
        keeper.setups.append(await RawPeer(transport).let_in())

    script = scripted(*[lets_in_and_cuts, keeper.answers(refusal(0x004))] * 1000)
    async with supervised(CALM, prepare=script) as (_, network, run, _):
        await anyio.sleep(60)
        assert not run.ended.is_set()
        print(f"connections in a minute to a server that cuts every one: {network.dials}")  # noqa: T201 - a figure
        assert network.dials <= 2 * 60 / 0.25 + 2


async def test_silence_about_the_flag_is_followed_by_an_attempt_without_whose_refusal_is_final() -> None:
    """A peer's behaviour: rsocket-java with resumption on never sends its REJECTED_SETUP to who asks for resumption."""
    keeper = Keeper()
    script = scripted(keeper.answers(), keeper.answers(refusal(0x003, "wrong key")), keeper.lets_in)
    async with supervised(CALM, opened=False, prepare=script) as (_, network, run, _):
        await run.ended.wait()
        assert isinstance(run.error, SetupRejected)
        assert "wrong key" in str(run.error)
        assert anyio.current_time() == pytest.approx(CALM.connect_timeout + 0.25, abs=0.01)
        assert [setup.resume_token is not None for setup in keeper.setups] == [True, False]
        assert network.dials == 2


@pytest.mark.parametrize(("mode", "asks"), [("auto", [True, False, True, False, True]), ("require", [True] * 5)])
async def test_silent_server_is_asked_for_resumption_every_other_time(
    mode: Literal["auto", "require"], asks: list[bool]
) -> None:
    """This SDK: what the silence is about is not known, so neither way is given up."""
    keeper = Keeper()
    options = ConnectionOptions(resume=mode, reconnect=Backoff(jitter=0.0))
    async with supervised(options, opened=False, prepare=scripted(*[keeper.answers()] * 5)) as (_, _, run, _):
        await anyio.sleep(51)
        assert not run.ended.is_set()
        assert [setup.resume_token is not None for setup in keeper.setups] == asks


async def test_flag_that_was_left_out_for_a_silence_is_back_in_the_next_setup() -> None:
    """This SDK: a server may have been slow for any reason; only a refusal is remembered."""
    keeper = Keeper()
    script = scripted(keeper.answers(), keeper.lets_in, keeper.lets_in, keeper.resumes_it)
    async with supervised(CALM, opened=False, prepare=script) as (supervisor, _, _, _):
        await anyio.sleep(12)
        for _ in range(2):
            keeper.cut()
            await anyio.sleep(1)
        assert [setup.resume_token is not None for setup in keeper.setups] == [True, False, True]
        assert (supervisor.reconnects, supervisor.resumptions) == (2, 1)


async def test_silence_later_says_nothing_about_the_flag() -> None:
    """This SDK: a server that has answered once knows what to do with it."""
    keeper = Keeper()
    script = scripted(keeper.lets_in, keeper.answers(refusal(0x004)), *[keeper.answers()] * 3)
    async with supervised(CALM, prepare=script) as (_, _, _, _):
        keeper.cut()
        await anyio.sleep(30)
        assert [setup.resume_token is not None for setup in keeper.setups] == [True] * 4


@pytest.mark.parametrize("give_up_after", [0.1, 5.0, 400.0])
async def test_gives_up_exactly_when_it_should_while_resuming(give_up_after: float) -> None:
    """This SDK: seconds since the peer last answered; a session that waits to be resumed ends then, too."""
    keeper = Keeper()
    options = ConnectionOptions(reconnect=Backoff(jitter=0.0, give_up_after=give_up_after))
    async with supervised(options, prepare=scripted(keeper.lets_in)) as (supervisor, network, run, _):
        network.up = False
        heard = anyio.current_time()
        keeper.cut()
        await run.ended.wait()
        assert isinstance(run.error, ConnectionFailed)
        assert anyio.current_time() - heard == pytest.approx(give_up_after, abs=0.01)
        assert supervisor.sessions_lost == 1


@pytest.mark.parametrize("kept", [True, False])
async def test_process_that_slept_eight_hours_comes_back_once(kept: bool) -> None:
    """This SDK: only monotonic time counts; the silence is noticed, and one resumption or one SETUP follows."""
    keeper = Keeper()

    async def goes_silent(transport: FrameTransport) -> None:
        keeper.setups.append(await RawPeer(transport).let_in())
        while True:
            await transport.receive()

    def prepare(network: Network) -> None:
        network.wrap = timed
        network.script += [goes_silent, *([] if kept else [keeper.answers(refusal(0x004))])]
        network.script.append(answers_keepalives)

    async def answers_keepalives(transport: FrameTransport) -> None:
        peer = RawPeer(transport)
        if kept:
            await keeper.take_resume(peer)
            await peer.send(ResumeOkFrame(0))
        else:
            await peer.let_in()
        while isinstance(asked := decode_frame(await transport.receive()), KeepaliveFrame):
            await peer.send(KeepaliveFrame(asked.data))

    options = ConnectionOptions(reconnect=Backoff(jitter=0.0, give_up_after=60.0))
    async with supervised(options, prepare=prepare) as (supervisor, network, run, states):
        await anyio.sleep(1)
        sleep_through(8 * 3600)
        await anyio.sleep(3600)
        assert not run.ended.is_set()
        assert network.dials == (2 if kept else 3)
        assert supervisor.reconnects == 1
        assert supervisor.resumptions == int(kept)
        assert states.names == ["connecting", "connected", "pending", "connecting", "connected"]


@pytest.mark.parametrize("steps", range(10))
@pytest.mark.parametrize("resuming", [False, True], ids=["setup", "resume"])
async def test_answer_in_the_very_moment_an_attempt_ends_costs_the_session_at_most(steps: int, resuming: bool) -> None:
    """A past bug: session open, attempt over, and the client took it for the end of everything."""
    keeper, dials = Keeper(), list[float]()

    async def answers_late(transport: FrameTransport) -> None:
        keeper.peer = RawPeer(transport)
        answer = await keeper.take_first(keeper.peer)
        await anyio.sleep_until(dials[-1] + CALM.connect_timeout - 0.01)
        await keeper.peer.send(answer)
        await settle(steps)
        sleep_through(0.01)
        await keeper.hold()

    def prepare(network: Network) -> None:
        nonlocal dials
        dials = note_dials(network)
        network.script += [*([keeper.serves] if resuming else []), answers_late, keeper.serves, keeper.serves]

    async with (
        supervised(CALM, opened=resuming, prepare=prepare) as (supervisor, _, run, _),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        if resuming:
            requests.ask(b"in flight")
            await keeper.take_request()
            keeper.cut()
        await anyio.sleep(30)
        assert not run.ended.is_set()
        requests.ask(b"next")
        request = await keeper.take_request()
        await keeper.peer.answer(request, b"answer")
        assert await requests.wait_for(b"next") == b"answer"
        if supervisor.sessions_lost and resuming:
            await requests.lost(b"in flight", sent=True)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(("takes", "bound"), [(True, 0.5), (False, 2.0)], ids=["takes it", "takes nothing"])
async def test_close_waits_no_longer_for_a_server_that_does_not_answer(takes: bool, bound: float) -> None:
    """This SDK, "no wait without a bound": the goodbye behind a SETUP is bounded as any other."""
    recorders: list[Recorder] = []

    async def keep_silent(transport: FrameTransport) -> None:
        with suppress(anyio.EndOfStream):
            while True:
                await transport.receive_frames()
        await anyio.sleep_forever()  # and leaves the connection as it is

    def wrap(transport: FrameTransport) -> FrameTransport:
        recorders.append(Recorder(timed(transport)))
        return recorders[0]

    def prepare(network: Network) -> None:
        network.wrap = wrap
        network.script.append(keep_silent)

    async with supervised(CALM, opened=False, prepare=prepare) as (supervisor, _, run, _):
        await anyio.sleep(9.9)  # of the ten that an attempt may take
        if not takes:
            recorders[0].hold()
        supervisor.close()
        await run.ended.wait()
        assert anyio.current_time() == pytest.approx(9.9 + bound)
        assert isinstance(run.error, ConnectionClosed)
        assert recorders[0].closed
