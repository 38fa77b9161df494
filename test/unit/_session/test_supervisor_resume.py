"""Sessions that outlive their transports: what is resumed, what follows a refusal, and what requests notice of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import pytest
from keeper import Keeper, Outcomes, Tokens, refusal, scripted
from network import RESUMING, fresh_setup, supervised
from peers import BOUND, CREDENTIALS, RawPeer, settle, until

from elarian_trio._rsocket.frames import (
    CancelFrame,
    ErrorFrame,
    KeepaliveFrame,
    PayloadFrame,
    RequestResponseFrame,
    ResumeOkFrame,
    SetupFrame,
    encode_frame,
)
from elarian_trio._session import IncomingRequest
from elarian_trio.errors import ConnectionClosed, ConnectionFailed, RemoteProtocolError, SetupRejected
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from elarian_trio._rsocket import Setup
    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio

PATIENT = ConnectionOptions(reconnect=Backoff(first=1000.0, jitter=0.0))


# --- resumed ---


async def test_cut_session_is_resumed_with_its_token_and_no_new_credentials() -> None:
    """RSocket: after a cut the only frame sent is RESUME; and this SDK asks for credentials before a SETUP only."""
    keeper, asked = Keeper(), 0

    async def setup() -> Setup:
        nonlocal asked
        asked += 1
        return await fresh_setup()

    script = scripted(keeper.lets_in, keeper.resumes_it, keeper.resumes_it)
    async with supervised(RESUMING, setup=setup, prepare=script) as (supervisor, network, run, states):
        for number in (1, 2):
            keeper.cut()
            await until(lambda: supervisor.resumptions == number)  # noqa: B023 - awaited right here
        assert len(keeper.setups) == asked == 1
        assert len(keeper.setups[0].resume_token or b"") == 32
        assert network.dials == 3
        assert (supervisor.reconnects, supervisor.resumptions, supervisor.sessions_lost) == (2, 2, 0)
        assert states.names == ["connecting", "connected"] + ["pending", "connecting", "connected"] * 2
        supervisor.close()
        assert await run.wait() is None
        assert supervisor.sessions_lost == 0


async def test_commands_in_flight_and_those_made_meanwhile_go_on_where_they_were() -> None:
    """This SDK promises: a cut connection is resumed; no command lost, none executed twice."""
    keeper = Keeper()
    async with (
        supervised(RESUMING, prepare=scripted(keeper.lets_in)) as (supervisor, network, _, states),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"in flight")
        first = await keeper.take_request()
        network.up = False
        keeper.cut()
        await until(lambda: "pending" in states.names)
        requests.ask(b"meanwhile")
        await settle()
        assert not requests.of
        network.script.append(keeper.resumes_it)
        network.up = True
        second = await keeper.request_after(2)
        assert (second.stream_id, second.data) == (3, b"meanwhile")
        await keeper.peer.answer(first, b"one")
        await keeper.peer.answer(second, b"two")
        assert await requests.wait_for(b"in flight") == b"one"
        assert await requests.wait_for(b"meanwhile") == b"two"
        assert keeper.asked == [b"in flight", b"meanwhile"]
        assert (supervisor.resumptions, supervisor.sessions_lost) == (1, 0)


async def test_request_that_the_cut_swallowed_is_repeated_by_resumption_alone() -> None:
    """RSocket: what the server has not received is replayed, whether or not the request may be repeated."""
    keeper = Keeper()
    async with (
        supervised(RESUMING, prepare=scripted(keeper.lets_in, keeper.resumes_it)) as (supervisor, _, _, _),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"swallowed")
        await keeper.peer.receive_request()  # not counted: it got lost on its way, as far as the server knows
        keeper.cut()
        again = await keeper.request_after(2)
        await keeper.peer.answer(again, b"answer")
        assert await requests.wait_for(b"swallowed") == b"answer"


async def test_requests_of_the_server_stay_answerable_across_a_cut() -> None:
    """RSocket: handlers of server-initiated requests keep running while disconnected; their answers are sent later."""
    keeper, came = Keeper(), list[IncomingRequest]()
    script = scripted(keeper.lets_in, keeper.resumes_it)
    async with supervised(RESUMING, handler=came.append, prepare=script) as (supervisor, network, _, states):
        await keeper.peer.send(RequestResponseFrame(2, b"early"), RequestResponseFrame(4, b"late"))
        await until(lambda: len(came) == 2)
        network.up = False
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        assert not any(request.canceled for request in came)
        assert came[0].respond(b"during")
        network.up = True
        await until(lambda: supervisor.resumptions == 1)
        assert came[1].respond(b"after")
        answers = [await keeper.peer.receive(), await keeper.peer.receive()]
        assert answers == [
            PayloadFrame(stream_id, data, complete=True, next_=True)
            for stream_id, data in ((2, b"during"), (4, b"after"))
        ]
        assert keeper.resumes[0].last_server_position == 2 * 6 + len(b"early") + len(b"late")


async def test_ping_is_asked_again_over_the_next_transport() -> None:
    """RSocket: no KEEPALIVE is repeated by a resumption; this SDK asks again, since it does nothing."""
    keeper, trips = Keeper(), list[float]()
    async with (
        supervised(RESUMING, prepare=scripted(keeper.lets_in, keeper.resumes_it)) as (supervisor, _, _, _),
        anyio.create_task_group() as tasks,
    ):

        async def ping() -> None:
            trips.append(await supervisor.ping())

        tasks.start_soon(ping)
        assert isinstance(await keeper.peer.receive(), KeepaliveFrame)
        keeper.cut()
        await until(lambda: keeper.opened == 2)
        again = await keeper.peer.receive()
        assert isinstance(again, KeepaliveFrame)
        await keeper.peer.send(KeepaliveFrame(again.data))
        await until(lambda: bool(trips))


@pytest.mark.parametrize("seen", [True, False], ids=["received", "swallowed"])
async def test_request_cancelled_during_an_outage_is_cancelled_at_the_server(seen: bool) -> None:
    """RSocket: a CANCEL made while disconnected is delivered after the resumption."""
    keeper = Keeper()
    async with (
        supervised(RESUMING, prepare=scripted(keeper.lets_in)) as (supervisor, network, _, states),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"sent")
        await (keeper.take_request() if seen else keeper.peer.receive_request())
        network.up = False
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        requests.ask(b"never sent")
        await settle()
        for scope in requests.scopes.values():
            scope.cancel()
        await settle()
        assert requests.handovers[b"sent"].sent
        assert not requests.handovers[b"never sent"].sent
        network.script.append(keeper.resumes_it)
        network.up = True
        await until(lambda: keeper.opened == 2)
        if not seen:
            assert (await keeper.peer.receive_request()).data == b"sent"
        assert await keeper.peer.receive() == CancelFrame(1)
        requests.ask(b"next")
        assert (await keeper.take_request()).data == b"next"
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("step", range(0, 16, 2))
async def test_request_cancelled_at_any_step_of_a_resumption_leaves_the_client_usable(step: int) -> None:
    """This SDK: a command cancelled at every step; nothing of it is in the way of the next."""
    keeper = Keeper()
    async with (
        supervised(RESUMING, prepare=scripted(keeper.lets_in, keeper.resumes_it)) as (supervisor, _, _, _),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"cancelled")
        await keeper.take_request()
        keeper.cut()
        await settle(step)
        requests.scopes[b"cancelled"].cancel()
        await until(lambda: keeper.opened == 2)
        assert await keeper.peer.receive() == CancelFrame(1)
        requests.ask(b"next")
        request = await keeper.take_request()
        await keeper.peer.answer(request, b"answer")
        assert await requests.wait_for(b"next") == b"answer"


async def test_session_cut_again_before_it_was_resumed_is_still_resumed() -> None:
    """RSocket: a transport that fails before RESUME_OK leaves the session as it was; try again."""
    keeper = Keeper()

    async def takes_it_and_falls(transport: FrameTransport) -> None:
        await keeper.take_resume(RawPeer(transport))

    async def falls(_: FrameTransport) -> None:
        await anyio.lowlevel.checkpoint()

    script = scripted(keeper.lets_in, *[takes_it_and_falls, falls] * 3, keeper.resumes_it)
    async with supervised(RESUMING, prepare=script) as (supervisor, network, _, _), anyio.create_task_group() as tasks:
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"patient")
        request = await keeper.take_request()
        keeper.cut()
        await until(lambda: keeper.opened == 2)
        await keeper.peer.answer(request, b"answer")
        assert await requests.wait_for(b"patient") == b"answer"
        assert network.dials == 8
        assert (supervisor.reconnects, supervisor.resumptions) == (1, 1)


async def test_session_cut_before_it_was_proven_is_resumed_and_counts_as_the_first() -> None:
    """This SDK: the server may have accepted the SETUP, and keep for us what it has begun to send."""
    keeper = Keeper()

    async def takes_setup_and_falls(transport: FrameTransport) -> None:
        peer = RawPeer(transport)
        frame = await peer.receive()
        assert isinstance(frame, SetupFrame)
        keeper.setups.append(frame)

    script = scripted(takes_setup_and_falls, keeper.resumes_it)
    async with supervised(RESUMING, prepare=script) as (supervisor, _, _, states), anyio.create_task_group() as tasks:
        assert (supervisor.reconnects, supervisor.resumptions, supervisor.sessions_lost) == (0, 0, 0)
        assert states.names == ["connecting", "pending", "connecting", "connected"]
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"first")
        request = await keeper.take_request()
        await keeper.peer.answer(request, b"answer")
        assert await requests.wait_for(b"first") == b"answer"


async def test_reconnect_now_skips_the_pause_before_a_resumption() -> None:
    """This SDK: ``reconnect_now()`` skips the present backoff delay, whatever it was for."""
    keeper = Keeper()
    script = scripted(keeper.lets_in, keeper.resumes_it)
    async with supervised(PATIENT, prepare=script) as (supervisor, network, _, states):
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        await settle()
        assert network.dials == 1
        await supervisor.reconnect_now()
        await until(lambda: supervisor.resumptions == 1)


# --- the session is over, and another follows ---


@pytest.mark.parametrize("code", [0x004, 0x101, 0x003, 0x102, 0x301])
async def test_refused_resumption_is_followed_by_another_session_at_once(code: int) -> None:
    """This SDK: whatever the ERROR, with no pause; commands end as promised, and ``sent`` agrees with the server."""
    keeper, tokens = Keeper(), Tokens()
    script = scripted(keeper.lets_in, keeper.answers(refusal(code)), keeper.lets_in)
    async with (
        supervised(PATIENT, prepare=script, token=tokens) as (supervisor, network, _, states),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"write")
        await keeper.take_request()
        requests.ask(b"read", retry=True)
        await keeper.take_request()
        keeper.cut()
        await until(lambda: states.names[-1] == "pending")
        requests.ask(b"unsent")
        await settle()
        await supervisor.reconnect_now()
        await until(lambda: keeper.opened == 2)
        for _ in range(2):
            request = await keeper.take_request()
            await keeper.peer.answer(request, request.data)
        assert await requests.wait_for(b"read") == b"read"
        assert await requests.wait_for(b"unsent") == b"unsent"
        await requests.lost(b"write", sent=True)
        assert sorted(keeper.asked) == [b"read", b"read", b"unsent", b"write"]
        assert [setup.resume_token for setup in keeper.setups] == tokens.made == [b"token-0", b"token-1"]
        assert (supervisor.reconnects, supervisor.resumptions, supervisor.sessions_lost) == (1, 0, 1)
        assert states.names == ["connecting", "connected", "pending", "connecting", "connected"]
        assert network.dials == 3


async def test_server_that_forgets_every_session_still_gets_a_pause_in_each_round() -> None:
    """This SDK: at once after a refusal, but never in a tight loop: a cut is always followed by a pause."""
    keeper = Keeper()
    script = scripted(*[keeper.lets_in, keeper.answers(refusal(0x004))] * 5, keeper.lets_in)
    async with supervised(RESUMING, prepare=script) as (supervisor, network, _, states):
        for number in range(1, 6):
            await until(lambda: keeper.opened == number)  # noqa: B023 - awaited right here
            keeper.cut()
        await until(lambda: supervisor.reconnects == 5)
        assert network.dials == 11
        assert supervisor.sessions_lost == 5
        assert states.names == ["connecting", "connected"] + ["pending", "connecting", "connected"] * 5
        assert len({setup.resume_token for setup in keeper.setups}) == 6


@pytest.mark.parametrize(
    "answer",
    [encode_frame(KeepaliveFrame(bytes(8), respond=True)), encode_frame(ResumeOkFrame(10**6)), b"\0\0"],
    ids=["another frame", "impossible position", "garbage"],
)
async def test_nonsense_in_answer_to_a_resumption_costs_the_session(answer: bytes) -> None:
    """RSocket: anything but RESUME_OK and ERROR, and a position that cannot be, end it with CONNECTION_ERROR."""
    keeper = Keeper()
    script = scripted(keeper.lets_in, keeper.answers(answer), keeper.lets_in)
    async with supervised(RESUMING, prepare=script) as (supervisor, _, _, _), anyio.create_task_group() as tasks:
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"write")
        await keeper.take_request()
        keeper.cut()
        lost = await requests.lost(b"write", sent=True)
        assert isinstance(lost.__cause__, RemoteProtocolError)
        await until(lambda: supervisor.reconnects == 1)
        assert (supervisor.resumptions, supervisor.sessions_lost) == (0, 1)


async def test_three_sessions_spoilt_in_resuming_are_three_strikes() -> None:
    """This SDK: malformed bytes cost a session, three of them within a minute the block, also in answer to RESUME."""
    keeper = Keeper()
    script = scripted(*[keeper.lets_in, keeper.answers(b"\0\0")] * 3)
    async with supervised(RESUMING, prepare=script) as (supervisor, network, run, _):
        for number in range(1, 4):
            await until(lambda: keeper.opened == number)  # noqa: B023 - awaited right here
            keeper.cut()
        assert isinstance(await run.wait(), RemoteProtocolError)
        assert network.dials == 6
        assert supervisor.sessions_lost == 3


async def test_goodbye_of_the_server_is_not_resumed() -> None:
    """RSocket: an ERROR on stream 0 ends the session, so the next connection begins with a SETUP."""
    keeper = Keeper()
    script = scripted(keeper.lets_in, keeper.lets_in)
    async with supervised(RESUMING, prepare=script) as (supervisor, _, _, _):
        await keeper.peer.send(ErrorFrame(0, 0x102, "going"))
        keeper.cut()
        await until(lambda: supervisor.reconnects == 1)
        assert not keeper.resumes
        assert supervisor.sessions_lost == 1


async def test_giving_up_ends_the_session_that_was_kept() -> None:
    """This SDK: commands in it hear the truth; and it was lost, as nobody closed it."""
    options = ConnectionOptions(reconnect=Backoff(first=0.0, base=0.001, jitter=0.0, give_up_after=0.02))
    keeper = Keeper()
    async with (
        supervised(options, prepare=scripted(keeper.lets_in)) as (supervisor, network, run, states),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"write")
        await keeper.take_request()
        network.up = False
        keeper.cut()
        await until(lambda: "pending" in states.names)
        requests.ask(b"unsent")
        error = await run.wait()
        assert type(error) is ConnectionFailed
        assert (await requests.lost(b"write", sent=True)).__cause__ is error
        assert (await requests.lost(b"unsent", sent=False)).__cause__ is error
        assert supervisor.sessions_lost == 1


# --- servers that refuse the SETUP ---


class Credentials:
    """A source of SETUPs that counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> Setup:
        self.asked += 1
        return await fresh_setup()


@pytest.mark.parametrize("code", [0x002, 0x003])
async def test_refused_flag_is_left_out_once_at_once_and_then_for_good(code: int) -> None:
    """This SDK, "auto": one attempt without it, no pause before; and remembered for the client's life."""
    keeper, credentials = Keeper(), Credentials()
    script = scripted(keeper.answers(refusal(code)), keeper.lets_in, keeper.lets_in, keeper.lets_in)
    async with supervised(RESUMING, setup=credentials, prepare=script) as (supervisor, network, _, states):
        assert states.names == ["connecting", "connected"]
        for number in (1, 2):
            keeper.cut()
            await until(lambda: supervisor.reconnects == number)  # noqa: B023 - awaited right here
        assert [setup.resume_token is not None for setup in keeper.setups] == [True, False, False, False]
        assert network.dials == credentials.asked == 4
        assert (supervisor.resumptions, supervisor.sessions_lost) == (0, 2)


@pytest.mark.parametrize("code", [0x001, 0x002, 0x003])
async def test_refusal_without_the_flag_is_final(code: int) -> None:
    """This SDK: exactly one attempt without the flag, whose ERROR is final; no credential is used again."""
    keeper, credentials = Keeper(), Credentials()
    script = scripted(keeper.answers(refusal(0x003)), keeper.answers(refusal(code, "wrong key")), keeper.lets_in)
    async with supervised(RESUMING, opened=False, setup=credentials, prepare=script) as (_, network, run, states):
        error = await run.wait()
        assert isinstance(error, SetupRejected)
        assert error.code == code
        assert "wrong key" in str(error)
        assert network.dials == credentials.asked == 2
        assert states.names == ["connecting", "error"]
        assert keeper.setups[1].resume_token is None


@pytest.mark.parametrize("lesser", [refusal(0x101, "full"), refusal(0x102, "going"), b""])
async def test_attempt_without_the_flag_that_fails_for_lesser_reasons_is_repeated_without_it(lesser: bytes) -> None:
    """This SDK: the flag is not tried again; the schedule is what every failed attempt has."""
    keeper = Keeper()

    async def falls(transport: FrameTransport) -> None:
        await RawPeer(transport).receive()

    fails = keeper.answers(lesser) if lesser else falls
    script = scripted(keeper.answers(refusal(0x002)), fails, fails, keeper.lets_in)
    async with supervised(RESUMING, prepare=script) as (_, network, _, states):
        assert [setup.resume_token is not None for setup in keeper.setups[:1]] == [True]
        assert keeper.setups[-1].resume_token is None
        assert network.dials == 4
        assert states.names == ["connecting"] + ["pending", "connecting"] * 2 + ["connected"]


@pytest.mark.parametrize("mode", ["auto", "require", "off"])
async def test_invalid_setup_is_final_at_once_in_every_mode(mode: str) -> None:
    """This SDK: it means neither credentials nor resumption, so that nothing left out would help."""
    keeper, credentials = Keeper(), Credentials()
    options = ConnectionOptions(resume=mode, reconnect=Backoff(first=0.0))  # type: ignore[arg-type]
    script = scripted(keeper.answers(refusal(0x001)), keeper.lets_in)
    async with supervised(options, opened=False, setup=credentials, prepare=script) as (_, network, run, _):
        error = await run.wait()
        assert isinstance(error, SetupRejected)
        assert error.code == 0x001
        assert network.dials == credentials.asked == 1


@pytest.mark.parametrize("code", [0x002, 0x003])
async def test_required_resumption_that_is_refused_is_final_and_says_so(code: int) -> None:
    """This SDK, "require": final at once, and whoever reads it learns what was required."""
    keeper = Keeper()
    options = ConnectionOptions(resume="require")
    script = scripted(keeper.answers(refusal(code, "unheard of")), keeper.lets_in)
    async with supervised(options, opened=False, prepare=script) as (_, network, run, _):
        error = await run.wait()
        assert isinstance(error, SetupRejected)
        assert error.code == code
        assert "unheard of" in str(error)
        assert "resume='require'" in str(error)
        assert network.dials == 1


@pytest.mark.parametrize(
    "options",
    [
        ConnectionOptions(resume="off", reconnect=Backoff(first=0.0)),
        ConnectionOptions(resume_buffer_size=0, reconnect=Backoff(first=0.0)),
    ],
    ids=["off", "no store"],
)
async def test_resumption_that_is_off_is_never_asked_for(options: ConnectionOptions) -> None:
    """This SDK: and a refusal is final at once, since nothing could be left out."""
    keeper = Keeper()
    script = scripted(keeper.lets_in, keeper.lets_in, keeper.answers(refusal(0x003)))
    async with supervised(options, prepare=script) as (supervisor, network, run, _):
        keeper.cut()
        await until(lambda: supervisor.reconnects == 1)
        keeper.cut()
        assert isinstance(await run.wait(), SetupRejected)
        assert [setup.resume_token for setup in keeper.setups] == [None] * 3
        assert not keeper.resumes
        assert network.dials == 3


async def test_key_revoked_during_an_outage_is_tried_without_the_flag_and_then_no_more() -> None:
    """This SDK: refused resumption, refused SETUP, one attempt without the flag, whose answer is final."""
    keeper, credentials = Keeper(), Credentials()
    no = keeper.answers(refusal(0x003, "revoked"))
    script = scripted(keeper.lets_in, keeper.answers(refusal(0x004)), no, no, keeper.lets_in)
    async with (
        supervised(RESUMING, setup=credentials, prepare=script) as (supervisor, network, run, _),
        anyio.create_task_group() as tasks,
    ):
        requests = Outcomes(supervisor, tasks)
        requests.ask(b"write")
        await keeper.take_request()
        keeper.cut()
        assert isinstance(await run.wait(), SetupRejected)
        await requests.lost(b"write", sent=True)
        assert network.dials == 4
        assert credentials.asked == 3


# --- leaving while cut ---


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


# --- secrets ---


async def test_token_is_in_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: whoever has the token has the session."""
    caplog.set_level(logging.DEBUG)
    keeper, tokens = Keeper(), Tokens()
    script = scripted(keeper.lets_in, keeper.resumes_it, keeper.answers(refusal(0x004)), keeper.answers(refusal(0x001)))
    async with supervised(RESUMING, prepare=script, token=tokens) as (supervisor, _, run, _):
        shown = [repr(supervisor), *(repr(getattr(supervisor, name)) for name in supervisor.__slots__)]
        keeper.cut()
        await until(lambda: supervisor.resumptions == 1)
        keeper.cut()
        error = await run.wait()
        assert isinstance(error, SetupRejected)
        shown += [repr(error), str(error), caplog.text, *(repr(each) for each in (*keeper.setups, *keeper.resumes))]
    assert tokens.made
    for secret in (*tokens.made, CREDENTIALS):
        assert not any(secret.decode() in text for text in shown)


async def test_tokens_are_drawn_afresh_and_plain_text() -> None:
    """Peers look tokens up as text (rsocket-java, rsocket-js), so they are ASCII; each names one session, once."""
    keeper = Keeper()
    script = scripted(*[keeper.lets_in, keeper.answers(refusal(0x004))] * 3, keeper.lets_in)
    async with supervised(RESUMING, prepare=script) as (supervisor, _, _, _):
        for number in (1, 2, 3):
            await until(lambda: keeper.opened == number)  # noqa: B023 - awaited right here
            keeper.cut()
        await until(lambda: supervisor.reconnects == 3)
        tokens = {setup.resume_token for setup in keeper.setups}
        assert len(tokens) == 4
        assert all(token is not None and len(bytes.fromhex(token.decode())) == 16 for token in tokens)
