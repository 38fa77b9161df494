"""Sessions that are not resumed: what refuses or spoils it, what follows, and what becomes of requests in them."""

from __future__ import annotations

import anyio
import pytest
from keeper import Keeper, Outcomes, Tokens, refusal, scripted
from network import PATIENT, RESUMING, supervised
from peers import settle, until

from elarian_trio._rsocket.frames import ErrorFrame, KeepaliveFrame, ResumeOkFrame, encode_frame
from elarian_trio.errors import ConnectionFailed, RemoteProtocolError
from elarian_trio.options import Backoff, ConnectionOptions

pytestmark = pytest.mark.anyio


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
