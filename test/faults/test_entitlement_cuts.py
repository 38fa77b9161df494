"""Entitlement updates whose sockets are cut at random bytes: the last state is seen, and never an older one after it.

Answers and frames are late by different measures, so that a state that was read overtakes those that were pushed, and
the other way round. Every count is printed with its seed.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest
from faulty import RandomCuts, Way
from figures import say, seed_or, sized
from planship_server import PlanshipServer, serving
from proxy import open_proxy

from elarian_trio.planship import EntitlementUpdates, PlanshipCustomer, Reconnects

if TYPE_CHECKING:
    from faulty import Plan
    from proxy import Proxy

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_logged")]

CUTS = sized(smoke=60, ci=1_000, soak=20_000)  # on each backend
STREAMS = 4  # at once, by the same client
LATE = 0.003  # seconds at most
ASKING = 250  # bytes that a client sends on a connection, at least: its cuts fall into the handshake
AT_ONCE = Reconnects(first=0.001, cap=0.001)


class Cuts(RandomCuts):
    """Random cuts of which none is out of reach: a client only asks for its WebSocket, and pings."""

    def __call__(self, number: int) -> Plan:
        """Plan connection *number*."""
        plan = super().__call__(number)
        (fault,) = plan.faults
        return replace(plan, faults=(replace(fault, at=fault.at % ASKING),)) if fault.way is Way.UP else plan


class Reader:
    """Reads one stream and keeps the version it saw last, and how many it saw."""

    def __init__(self) -> None:
        self.seen = 0
        self.version = -1
        self._read = anyio.Event()

    async def read(self, updates: EntitlementUpdates) -> None:
        """Read on and on; a state older than the one before it is a failure."""
        async for entitlements in updates:
            version = entitlements["version"]
            assert version >= self.version, f"{version} came after {self.version}"
            self.seen, self.version = self.seen + 1, version
            self._read.set()
            self._read = anyio.Event()

    async def has_seen(self, version: int) -> None:
        """Wait until a version was seen."""
        while self.version != version:
            await self._read.wait()


async def change_until_cut(server: PlanshipServer, proxy: Proxy, cuts: int) -> int:
    """Change the entitlements at random moments, some of them in rows, until there were *cuts*."""
    version = 0
    while proxy.record.cuts < cuts:
        for _ in range(server.dice.choice((1, 1, 1, 2, 5))):
            version += 1
            server.change(version=version, filling="x" * server.dice.choice((0, 10, 300)))
        await anyio.sleep(server.dice.uniform(0, 2 * LATE))
    return version


async def test_last_state_is_seen_and_none_older_than_one_seen_however_sockets_are_cut(anyio_backend: str) -> None:
    """This SDK: D21 to D24 of its decisions about Planship, under 1,000 cuts in CI's size."""
    seed = seed_or(50_001)
    began = time.perf_counter()
    readers = [Reader() for _ in range(STREAMS)]
    async with serving(late=LATE, dice=random.Random(seed), state={"version": 0}) as server:
        plans = Cuts(seed, reach=4_000, opening=700)
        async with (
            open_proxy(server.urls["web_socket_url"], plans) as proxy,
            PlanshipCustomer(
                "clicker-demo",
                "c/1",
                **{**server.credentials, "web_socket_url": proxy.endpoint("ws")},
                reconnects=AT_ONCE,
            ) as planship,
            anyio.create_task_group() as tasks,
        ):

            async def follow(reader: Reader) -> None:
                async with planship.entitlement_updates() as updates:
                    await reader.read(updates)

            for reader in readers:
                tasks.start_soon(follow, reader)
            version = await change_until_cut(server, proxy, CUTS)
            with anyio.fail_after(10):
                for reader in readers:
                    await reader.has_seen(version)
            tasks.cancel_scope.cancel()
        seen = sum(reader.seen for reader in readers)
        took = time.perf_counter() - began
        say(
            f"entitlement updates, {anyio_backend}: seed {seed}: {proxy.record}; {version} changes, {seen} states seen "
            f"by {STREAMS} streams, {server.tokens} tokens; 0 older than one seen; {took:.0f} s"
        )
        assert proxy.record.cuts >= CUTS
