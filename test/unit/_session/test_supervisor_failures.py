"""What keeps a supervisor from a session: which failures are final, at first and later, and which are tried again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import pytest
import trio
from keeper import Outcomes
from network import PROMPT, Network, fresh_setup, lets_in_then_says, says, supervised
from peers import CREDENTIALS, running, settle, until

from elarian_trio._rsocket.frames import ErrorFrame, encode_frame
from elarian_trio._session import Supervisor
from elarian_trio.errors import ConnectionClosed, ConnectionFailed, ConnectionLost, RemoteProtocolError, SetupRejected
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from elarian_trio._rsocket import Setup
    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio

GARBAGE = b"\0\0"
REJECTED = encode_frame(ErrorFrame(0, 0x003, "wrong key"))


@pytest.mark.parametrize("code", [0x001, 0x002, 0x003])
async def test_refused_setup_is_final_at_first(code: int) -> None:
    """This SDK: wrong key gives SetupRejected, plain, with no credential in its text, after one attempt."""
    rejection = says(encode_frame(ErrorFrame(0, code, "wrong key")))
    async with supervised(opened=False, prepare=lambda network: network.script.append(rejection)) as (
        _,
        network,
        run,
        states,
    ):
        error = await run.wait()
        assert isinstance(error, SetupRejected)
        assert error.code == code
        assert CREDENTIALS.decode() not in f"{error!r}{error}"
        assert network.dials == 1
        assert states.names == ["connecting", "error"]
        assert states.causes[-1] is error


async def test_refused_setup_is_final_later_and_wakes_who_waits() -> None:
    """This SDK: REJECTED_SETUP is final later, too; commands that wait for a session hear that they were not sent."""
    async with supervised() as (supervisor, network, run, _), anyio.create_task_group() as tasks:
        network.up = False
        await network.cut()
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"waits")
        await settle()
        network.script.append(says(REJECTED))
        network.up = True
        error = await run.wait()
        outcome = await asked.wait_for(b"waits")
        assert isinstance(error, SetupRejected)
        assert isinstance(outcome, ConnectionLost)
        assert not outcome.sent
        assert outcome.__cause__ is error
        with pytest.raises(ConnectionClosed):
            await supervisor.request(b"after", retry=True)


@pytest.mark.parametrize("code", [0x101, 0x102])
async def test_lesser_refusal_is_tried_again_with_a_warning(code: int, caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: while the first connection fails for lesser reasons, attempts go on, each logged at WARNING."""
    caplog.set_level(logging.WARNING, "elarian_trio.session")
    full = says(encode_frame(ErrorFrame(0, code, "full")))
    async with supervised(prepare=lambda network: network.script.extend([full, full])) as (_, network, _, states):
        assert network.dials == 3
        assert states.names == ["connecting", "pending"] * 2 + ["connecting", "connected"]
    warnings = [record for record in caplog.records if record.name == "elarian_trio.session"]
    assert len(warnings) == 2
    assert all("full" in record.getMessage() for record in warnings)
    assert CREDENTIALS.decode() not in caplog.text


async def test_nobody_there_is_tried_again_until_giving_up(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: ``give_up_after`` ends it with ConnectionFailed, from the last failure."""
    caplog.set_level(logging.WARNING, "elarian_trio.session")
    options = ConnectionOptions(resume="off", reconnect=Backoff(first=0.0, base=0.001, jitter=0.0, give_up_after=0.02))
    async with supervised(options, opened=False, up=False) as (_, network, run, _):
        error = await run.wait()
        assert type(error) is ConnectionFailed
        assert isinstance(error.__cause__, ConnectionFailed)
        assert isinstance(error.__cause__.__cause__, ConnectionRefusedError)
        assert "gave up after 0.02 s" in str(error)
        assert len(caplog.records) >= 2
        assert network.dials >= 2


async def test_garbage_at_first_is_final() -> None:
    """This SDK: malformed bytes before the first answer raise RemoteProtocolError."""
    async with supervised(opened=False, prepare=lambda network: network.script.append(says(GARBAGE))) as (
        _,
        network,
        run,
        _,
    ):
        assert isinstance(await run.wait(), RemoteProtocolError)
        assert network.dials == 1


async def test_garbage_later_costs_a_session_and_three_such_end_it() -> None:
    """This SDK: fresh SETUP each time, and three such sessions within a minute end the block with it."""
    garbled = lets_in_then_says(GARBAGE)
    async with (
        supervised(prepare=lambda network: network.script.extend([garbled] * 3)) as (supervisor, network, run, _),
        anyio.create_task_group() as tasks,
    ):
        asked = Outcomes(supervisor, tasks)
        for number in range(3):
            asked.ask(b"%d" % number)
            lost = await asked.wait_for(b"%d" % number)
            assert isinstance(lost, ConnectionLost)
            assert lost.sent
            assert isinstance(lost.__cause__, RemoteProtocolError)
        assert isinstance(await run.wait(), RemoteProtocolError)
        assert network.dials == 3
        assert supervisor.sessions_lost == 3


async def test_error_of_the_users_dial_comes_out_plain_at_first() -> None:
    """This SDK: a mistake in the program's own callable should be seen, not retried for ever."""

    async def broken() -> Setup:
        await anyio.lowlevel.checkpoint()
        msg = "no such attribute"
        raise AttributeError(msg)

    async with supervised(opened=False, setup=broken) as (_, network, run, _):
        assert isinstance(await run.wait(), AttributeError)
        assert network.dials == 0


async def test_error_of_the_users_token_source_later_is_a_failed_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: tokens come over the network, which may be down as well; the words may be secret, the name is not."""
    fails = [False, True]

    async def token() -> Setup:
        if fails and fails.pop(0):
            msg = CREDENTIALS.decode()
            raise RuntimeError(msg)
        return await fresh_setup()

    async with supervised(setup=token) as (supervisor, network, _, states):
        await network.cut()
        await until(lambda: supervisor.reconnects == 1)
        assert states.names.count("pending") == 2
    assert "RuntimeError" in caplog.text
    assert CREDENTIALS.decode() not in caplog.text


@pytest.mark.parametrize("failure", [trio.TooSlowError, trio.BrokenResourceError, TimeoutError])
async def test_dial_that_reaches_nobody_is_tried_again_from_the_first(failure: type[Exception]) -> None:
    """A past bug: a dial written for Trio, with a time-out of Trio's, ended the block at the first connection."""
    failures = [failure(), failure()]

    def unreachable_at_first(network: Network) -> None:
        reach = network.dial

        async def dial() -> FrameTransport:
            transport = await reach()
            if failures:
                await transport.aclose()
                raise failures.pop()
            return transport

        network.dial = dial  # type: ignore[method-assign]

    async with supervised(prepare=unreachable_at_first) as (_, network, _, states):
        assert network.dials == 3
        assert states.names.count("pending") == 2


async def test_own_error_of_a_dial_is_tried_again_as_it_is() -> None:
    """This SDK: a dial that says ConnectionFailed, as ours for TCP do, is not wrapped once more."""
    failure = ConnectionFailed("could not connect to somewhere")

    def prepare(network: Network) -> None:
        dial = network.dial

        async def fail_once() -> FrameTransport:
            network.dial = dial  # type: ignore[method-assign]
            await anyio.lowlevel.checkpoint()
            raise failure

        network.dial = fail_once  # type: ignore[method-assign]

    async with supervised(prepare=prepare) as (_, network, _, states):
        assert states.causes[1] is failure
        assert network.dials == 1


async def test_dial_that_gives_no_transport_is_a_type_error() -> None:
    """This SDK: named at once, at the line where the connection was wanted."""

    async def dial() -> str:
        await anyio.lowlevel.checkpoint()
        return "tcp://somewhere"

    supervisor = Supervisor(
        dial=dial,  # type: ignore[arg-type] - the mistake under test
        setup=fresh_setup,
        options=PROMPT,
        handler=lambda _: None,
    )
    async with running(supervisor, opened=False) as run:
        assert isinstance(await run.wait(), TypeError)
