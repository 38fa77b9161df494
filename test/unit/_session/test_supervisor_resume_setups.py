"""Servers that refuse a SETUP because it asks for resumption: what is left out once, and what is final."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from keeper import Keeper, Outcomes, refusal, scripted
from network import RESUMING, fresh_setup, supervised
from peers import RawPeer, until

from elarian_trio.errors import SetupRejected
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from elarian_trio._rsocket import Setup
    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio


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
