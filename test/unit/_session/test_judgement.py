"""The judgement of a SETUP: what comes of it, and that each of its two waits is bounded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from trio.testing import MockClock

from elarian_trio._rsocket import Setup
from elarian_trio._session.judgement import SETUP_TIMEOUT, Judgement
from elarian_trio.errors import ConnectionFailed, SetupRejected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

SETUP = Setup(keepalive_interval=10.0, keepalive_lifetime=30.0, data=b"credentials")
REFUSAL = SetupRejected("no such app")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Time passes at once here."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def accept(given: Setup) -> None:
    """Look at what was handed over, and let its client in."""
    await anyio.lowlevel.checkpoint()
    assert given is SETUP


async def fail(error: Exception, _: Setup) -> None:
    """Let nobody in."""
    await anyio.lowlevel.checkpoint()
    raise error


async def dither(_: Setup) -> None:
    """Never come back."""
    await anyio.sleep_forever()


@pytest.mark.parametrize(
    ("judge", "verdict", "seconds"),
    [
        (accept, None, 0),
        (partial(fail, REFUSAL), REFUSAL, 0),
        (partial(fail, LookupError("of the key el_k_1")), SetupRejected("the setup could not be checked"), 0),
        (dither, SetupRejected("the setup could not be checked"), SETUP_TIMEOUT),
    ],
    ids=["accepted", "refused", "failed", "never"],
)
async def test_a_setup_is_judged_once_it_comes(
    judge: Callable[[Setup], Awaitable[None]], verdict: SetupRejected | None, seconds: float
) -> None:
    """The design: only who was judged comes in; a judge's defect lets nobody in, and its words go nowhere."""
    judgement, begin = Judgement(judge), anyio.current_time()

    async def come() -> None:
        await anyio.sleep(1)
        judgement.hand_over(SETUP)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(come)
        found = await judgement.verdict()
    assert (type(found), str(found)) == (type(verdict), str(verdict))
    assert anyio.current_time() - begin == 1 + seconds
    assert judgement._setup is None, "it holds credentials"


async def test_a_setup_that_was_there_before_is_judged() -> None:
    """This SDK: the reader may be quicker than the judge's task."""
    judgement = Judgement(accept)
    judgement.hand_over(SETUP)
    assert await judgement.verdict() is None


async def test_a_client_without_a_setup_is_waited_for_ten_seconds() -> None:
    """The design: a connection that says nothing holds nothing for long."""
    begin = anyio.current_time()
    assert isinstance(await Judgement(accept).verdict(), ConnectionFailed)
    assert anyio.current_time() - begin == SETUP_TIMEOUT
