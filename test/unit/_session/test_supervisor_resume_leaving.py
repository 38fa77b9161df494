"""How a supervisor is left while its session is cut: closed, cancelled, or drained of what is in hand."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import pytest
from keeper import Keeper, Outcomes, refusal, scripted
from network import PATIENT, RESUMING, supervised
from peers import BOUND, settle, until

from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket.frames import (
    ErrorFrame,
    Frame,
    KeepaliveFrame,
    PayloadFrame,
    RequestResponseFrame,
    ResumeFrame,
    SetupFrame,
    decode_frame,
)
from elarian_trio._session import IncomingRequest
from elarian_trio.errors import ConnectionClosed

if TYPE_CHECKING:
    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio

FAREWELL = ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")


class Silent:
    """A server that has yet to answer, and notes what comes meanwhile."""

    def __init__(self) -> None:
        self.frames: list[Frame | None] = []
        self.is_left = False

    async def __call__(self, transport: FrameTransport) -> None:
        try:
            while True:
                self.frames += map(decode_frame, await transport.receive_frames())
        except anyio.EndOfStream:
            self.is_left = True


async def test_close_while_cut_ends_at_once_and_tells_the_truth() -> None:
    """This SDK, "every way out": there is nobody to wait for."""
    keeper = Keeper()
    async with (
        supervised(PATIENT, prepare=scripted(keeper.lets_in)) as (supervisor, network, run, states),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"sent")
        await keeper.take_request()
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        requests.ask(b"unsent")
        await settle()
        supervisor.close()
        assert await run.wait() is None
        await requests.lost(b"sent", sent=True)
        assert isinstance(await requests.wait_for(b"unsent"), ConnectionClosed)
        assert network.dials == 1
        assert supervisor.sessions_lost == 0


async def test_close_during_an_attempt_to_resume_ends_at_once() -> None:
    """This SDK, "every way out": also while a server thinks about our RESUME."""
    keeper = Keeper()
    script = scripted(keeper.lets_in, keeper.answers())
    async with supervised(RESUMING, prepare=script) as (supervisor, _, run, _), anyio.create_task_group() as tasks:
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"sent")
        await keeper.take_request()
        keeper.cut()
        await until(lambda: bool(keeper.resumes))
        supervisor.close()
        assert await run.wait() is None
        await requests.lost(b"sent", sent=True)
        assert supervisor.sessions_lost == 0


@pytest.mark.parametrize("closings", [1, 2])
@pytest.mark.parametrize("attempt", ["first", "another", "return"])
async def test_close_during_an_attempt_says_goodbye(attempt: str, closings: int) -> None:
    """A past bug: a server that takes a SETUP or RESUME it has yet to answer kept the session, for nobody."""
    keeper, silent = Keeper(), Silent()
    before = {"first": [], "another": [keeper.lets_in, keeper.answers(refusal(0x004))], "return": [keeper.lets_in]}
    script = scripted(*before[attempt], silent)
    async with supervised(RESUMING, opened=attempt != "first", prepare=script) as (supervisor, network, run, _):
        if attempt != "first":
            keeper.cut()
        await until(lambda: bool(silent.frames))
        for _ in range(closings):  # as drain() does that is cancelled, whose caller then closes
            supervisor.close()
        assert isinstance(await run.wait(), ConnectionClosed if attempt == "first" else type(None))
        await until(lambda: silent.is_left)
        opening = [ResumeFrame] if attempt == "return" else [SetupFrame, KeepaliveFrame]
        assert [type(frame) for frame in silent.frames[:-1]] == opening
        assert silent.frames[-1] == FAREWELL
        assert supervisor.sessions_lost == (attempt == "another")  # the one that was not resumed
        assert network.dials == len(before[attempt]) + 1


@pytest.mark.parametrize("step", range(12))
async def test_close_as_the_first_attempt_begins_blames_no_server(step: int, caplog: pytest.LogCaptureFixture) -> None:
    """A past bug: closed before the SETUP had left, it logged that the server was silent about it."""
    caplog.set_level(logging.INFO, "elarian_trio.session")
    async with supervised(RESUMING, opened=False, prepare=scripted(Silent())) as (supervisor, _, run, states):
        await until(lambda: bool(states.names))
        await settle(step)
        supervisor.close()
        assert isinstance(await run.wait(), ConnectionClosed)
    assert caplog.messages == []


@pytest.mark.parametrize("step", range(0, 24, 2))
async def test_run_cancelled_at_any_step_of_a_resumption_leaves_nothing(step: int) -> None:
    """This SDK promises: the fixtures look for tasks and sockets, this test for waiters."""
    keeper = Keeper()
    script = scripted(keeper.lets_in, keeper.resumes_it)
    async with supervised(RESUMING, prepare=script) as (supervisor, _, run, states), anyio.create_task_group() as tasks:
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"sent")
        await keeper.take_request()
        keeper.cut()
        await settle(step)
        run.scope.cancel()
        await run.wait()
        await requests.lost(b"sent", sent=True)
        assert states.names[-1] == "closed"
        assert supervisor._idle
        assert supervisor.sessions_lost == 0


async def test_drain_while_cut_resumes_for_what_is_in_hand() -> None:
    """This SDK, ``disconnect()``: commands and deliveries under way may end, an outage notwithstanding."""
    keeper, came = Keeper(), list[IncomingRequest]()
    async with (
        supervised(PATIENT, handler=came.append, prepare=scripted(keeper.lets_in)) as (
            supervisor,
            network,
            run,
            states,
        ),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"command")
        request = await keeper.take_request()
        await keeper.peer.send(RequestResponseFrame(2, b"notification"))
        await until(lambda: bool(came))
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        network.script.append(keeper.resumes_it)
        tasks.start_soon(supervisor.drain)
        await until(lambda: keeper.opened == 2)  # the pause was cut short: there is no time to lose
        came[0].respond(b"answer")
        assert isinstance(await keeper.peer.receive(), PayloadFrame)
        await settle()
        assert not run.ended.is_set()
        await keeper.peer.answer(request, b"reply")
        assert await requests.wait_for(b"command") == b"reply"
        assert await run.wait() is None


async def test_drain_while_cut_delivers_an_answer_that_was_given_meanwhile() -> None:
    """This SDK: a delivery that was answered is answered; leaving right after does not take it back."""
    keeper, came = Keeper(), list[IncomingRequest]()
    script = scripted(keeper.lets_in)
    async with (
        supervised(RESUMING, handler=came.append, prepare=script) as (supervisor, network, run, states),
        anyio.create_task_group() as tasks,
    ):
        await keeper.peer.send(RequestResponseFrame(2, b"notification"))
        await until(lambda: bool(came))
        network.up = False
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        came[0].respond(b"answer")
        tasks.start_soon(supervisor.drain)
        await until(lambda: states.names.count("pending") == 3)
        assert not run.ended.is_set()
        network.script.append(keeper.resumes_it)
        network.up = True
        await until(lambda: keeper.opened == 2)
        assert await keeper.peer.receive() == PayloadFrame(2, b"answer", complete=True, next_=True)
        assert await run.wait() is None


@pytest.mark.parametrize("back", [True, False])
async def test_drain_while_cut_tries_once_more_for_what_may_not_have_arrived(back: bool) -> None:
    """This SDK: what was sent just before the cut is repeated if that is to be had at once."""
    keeper, came = Keeper(), list[IncomingRequest]()
    script = scripted(keeper.lets_in)
    async with supervised(PATIENT, handler=came.append, prepare=script) as (supervisor, network, run, states):
        await keeper.peer.send(RequestResponseFrame(2, b"notification"))
        await until(lambda: bool(came))
        came[0].respond(b"answer")
        answer = await keeper.peer.receive()
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        network.up = back
        network.script.append(keeper.resumes_it)
        with anyio.fail_after(BOUND):
            await supervisor.drain()
        if back:
            assert await keeper.peer.receive() == answer
        assert await run.wait() is None
        assert network.dials == 2
        assert supervisor.sessions_lost == 0


async def test_drain_while_cut_with_nothing_in_hand_ends_at_once() -> None:
    """This SDK: nothing is to be had from a connection that nobody needs any more."""
    keeper = Keeper()
    async with supervised(PATIENT, prepare=scripted(keeper.lets_in)) as (supervisor, network, run, states):
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        with anyio.fail_after(BOUND):
            await supervisor.drain()
        assert await run.wait() is None
        assert network.dials == 1
