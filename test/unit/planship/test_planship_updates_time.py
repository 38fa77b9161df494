"""Entitlement updates on a clock that jumps: when they connect again, and how they find out that nobody is there."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import Any

import anyio
import pytest
from planship_memory import MemoryPlanship
from planship_server import Answer, Asked, as_json
from trio.testing import MockClock

from elarian_trio._transport.texts import CLOSE_TIMEOUT
from elarian_trio.errors import PlanshipError
from elarian_trio.planship import HttpOptions, Reconnects

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that jumps when nobody can run."""
    return "trio", {"clock": MockClock(autojump_threshold=0.0)}


@pytest.fixture(autouse=True)
def no_warnings(caplog: pytest.LogCaptureFixture) -> None:
    """Losses are asked for."""
    caplog.set_level(logging.CRITICAL)


async def test_delays_double_up_to_their_cap_and_vary() -> None:
    """D22 of the facts: 0.5 s doubling to 30 s with full jitter, without end."""
    planship = MemoryPlanship(state={"n": 0})
    planship.unreachable = 60
    async with planship.client() as client, client.entitlement_updates() as updates:
        assert await updates.receive() == {"n": 0}
    delays = [later - earlier for earlier, later in pairwise(planship.asked_at)]
    assert len(delays) == 60
    for number, delay in enumerate(delays, start=1):
        assert 0.0 <= delay <= min(0.5 * 2 ** (number - 1), 30.0) + 0.001
    assert max(delays[6:]) - min(delays[6:]) > 5.0
    assert planship.server.tokens == 61


@pytest.mark.parametrize(("lived", "greatest"), [(11.0, 1.0), (5.0, 16.0)])
async def test_row_of_failures_ends_with_a_connection_that_lived(lived: float, greatest: float) -> None:
    """D22 of the facts: reset once a connection has lived 10 s."""
    planship = MemoryPlanship(state={"n": 0})
    reconnects = Reconnects(first=1.0, cap=16.0, steady_after=10.0)
    planship.unreachable = 5
    async with planship.client(reconnects=reconnects) as client, client.entitlement_updates() as updates:
        await updates.receive()
        delays = []
        for number in range(40):
            await anyio.sleep(lived)
            planship.server.state = {"n": number + 1}
            cut_at = anyio.current_time()
            planship.wires[-1].cut()
            await updates.receive()
            delays.append(anyio.current_time() - cut_at)
    assert max(delays) <= greatest + 0.01
    assert max(delays) > greatest / 2


async def test_refusals_of_tokens_that_had_lived_are_no_row() -> None:
    """D22 of the facts: a token that expires each hour is refused each hour, and that is in order."""
    planship = MemoryPlanship(state={"n": 0})
    async with planship.client() as client, client.entitlement_updates() as updates:
        await updates.receive()
        for number in range(1, 6):
            await anyio.sleep(3600)
            planship.server.state = {"n": number}
            planship.wires[-1].socket.close(1008)
            assert await updates.receive() == {"n": number}
    assert len(planship.wires) == 6


async def test_limit_of_refusals_is_the_users() -> None:
    """D22 of the facts: all numbers configurable."""
    planship = MemoryPlanship(state={})
    planship.refusals = [403] * 9
    async with planship.client(reconnects=Reconnects(refusals=5)) as client, client.entitlement_updates() as updates:
        with pytest.raises(PlanshipError):
            await updates.receive()
    assert planship.server.tokens == 5


async def test_silent_service_is_asked_and_then_dropped() -> None:
    """This SDK: a connection that is gone without a word would be waited for without end."""
    planship = MemoryPlanship(state={"n": 0})
    async with planship.client(reconnects=Reconnects(first=0.0)) as client, client.entitlement_updates() as updates:
        await updates.receive()
        await anyio.sleep(3600)
        assert len(planship.wires) == 1  # it has answered each time
        planship.wires[0].socket.answers_pings = False
        planship.server.state = {"n": 1}
        silent_since = anyio.current_time()
        assert await updates.receive() == {"n": 1}
        assert 30.0 <= anyio.current_time() - silent_since <= 90.0


async def test_service_that_does_not_even_take_a_ping_is_dropped() -> None:
    """This SDK: no wait is without a bound."""
    planship = MemoryPlanship(state={"n": 0})
    async with planship.client(reconnects=Reconnects(first=0.0)) as client, client.entitlement_updates() as updates:
        await updates.receive()
        planship.wires[0].is_stuck = True
        planship.server.state = {"n": 1}
        assert await updates.receive() == {"n": 1}
        assert anyio.current_time() >= 30.0


async def test_service_that_answers_no_pings_is_put_up_with() -> None:
    """The facts, section 9: what the live service does with pings is unknown."""
    planship = MemoryPlanship(state={"n": 0}, answers_pings=False)
    async with planship.client() as client, client.entitlement_updates() as updates:
        began = anyio.current_time()
        assert await updates.receive() == {"n": 0}
        assert anyio.current_time() - began == pytest.approx(Reconnects().connect_timeout)
        await anyio.sleep(3600)
        assert len(planship.wires) == 1
        planship.server.change(n=1)
        assert await updates.receive() == {"n": 1}


async def test_service_that_may_be_silent_is_not_asked() -> None:
    """This SDK: ``None`` is for never asking."""
    planship = MemoryPlanship(state={"n": 0})
    async with (
        planship.client(reconnects=Reconnects(ping_after=None)) as client,
        client.entitlement_updates() as updates,
    ):
        await updates.receive()
        planship.wires[0].socket.answers_pings = False
        await anyio.sleep(80_000)
    assert len(planship.wires) == 1


async def test_goodbye_is_waited_for_half_a_second() -> None:
    """This SDK: leaving takes no longer, whoever does not answer."""
    planship = MemoryPlanship(state={"n": 0})
    async with planship.client() as client:
        async with client.entitlement_updates() as updates:
            await updates.receive()
            planship.wires[0].socket.answers_pings = False
            left_at = anyio.current_time()
        assert anyio.current_time() - left_at == pytest.approx(CLOSE_TIMEOUT)
    assert planship.wires[0].socket.closed_by_client == 1000


async def test_handshake_and_read_are_waited_for_so_long_and_no_longer() -> None:
    """D22 of the facts: all numbers configurable; a service that stalls is a loss."""
    planship = MemoryPlanship(state={"n": 0})
    stalls = ["read", "read"]

    async def answer(asked: Asked) -> Answer | None:
        await anyio.lowlevel.checkpoint()
        if asked.path.endswith("/entitlements") and stalls:
            stalls.pop()
            await anyio.sleep_forever()
        return None

    planship.server.answer = answer
    reconnects = Reconnects(first=0.0, connect_timeout=4.0)
    options = HttpOptions(timeout=None)
    async with planship.client(reconnects=reconnects, options=options) as it, it.entitlement_updates() as updates:
        assert await updates.receive() == {"n": 0}
    assert anyio.current_time() >= 8.0
    assert len(planship.wires) == 3


async def test_token_that_cannot_be_had_for_now_is_a_loss() -> None:
    """This SDK: a service that is down gives no tokens either."""
    planship = MemoryPlanship(state={"n": 0})
    failures = [503, 500]

    async def answer(asked: Asked) -> Answer | None:
        await anyio.lowlevel.checkpoint()
        return as_json({}, failures.pop()) if asked.path.endswith("/token") and failures else None

    planship.server.answer = answer
    async with planship.client() as client, client.entitlement_updates() as updates:
        assert await updates.receive() == {"n": 0}
    assert planship.server.paths().count("POST /api/v1/auth/token") == 3
