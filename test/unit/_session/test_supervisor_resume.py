"""Sessions that outlive their transports: what is resumed, what requests notice of it, and what stays secret."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import pytest
from keeper import Keeper, Outcomes, Tokens, refusal, scripted
from network import PATIENT, RESUMING, fresh_setup, supervised
from peers import CREDENTIALS, RawPeer, settle, until

from elarian_trio._rsocket.frames import CancelFrame, KeepaliveFrame, PayloadFrame, RequestResponseFrame, SetupFrame
from elarian_trio._session import IncomingRequest
from elarian_trio.errors import SetupRejected

if TYPE_CHECKING:
    from elarian_trio._rsocket import Setup
    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio


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
