"""Payloads larger than what is kept for resumption, cut again and again: fragments go on where they were cut.

A payload of megabytes takes hundreds of frames; the store holds a part of them. What finds no room waits for the other
end's positions, and what was under way at a cut is repeated from there, never from its beginning.
"""

from __future__ import annotations

import random
import ssl
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from faulty import FaultNetwork, Kind, Plan, Way, cut
from figures import say, seed_or, sized
from proxy import open_proxy

from elarian_trio import Backoff, ConnectionOptions, Elarian
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from faulty import Record

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_logged")]

BOUND = 120.0  # seconds that one run may take
SIZE = sized(smoke=2_000_000, ci=5_000_000, soak=12_000_000)  # bytes; a fifth has to hold some frames of 64 KiB
LIFE = SIZE // 5  # bytes a connection lives at most, so that no payload gets through in one
STORES = sized(smoke=[50_000], ci=[1_000, 50_000, 1_000_000], soak=[1_000, 50_000, 1_000_000])
FRAGMENTS = sized(smoke=[1_024], ci=[1_024, 65_536], soak=[64, 1_024, 65_536])


def options_for(fragment: int, store: int) -> ConnectionOptions:
    """Give a client's options."""
    return ConnectionOptions(
        reconnect=Backoff(first=0.0, base=0.001, jitter=0.0),
        command_timeout=None,
        fragment_size=fragment,
        resume="require",
        resume_buffer_size=store,
    )


@dataclass(frozen=True)
class Cuts:
    """Connections that live for a part of a payload, whichever way it goes."""

    seed: int

    def __call__(self, number: int) -> Plan:
        """Plan connection *number*."""
        dice = random.Random(f"large {self.seed} {number}")
        kind = dice.choice((Kind.CUT, Kind.END, Kind.VANISH))
        return Plan(number, tuple(cut(way, dice.randrange(LIFE // 2, LIFE), kind) for way in Way))


async def send_and_read(app: Elarian, record: Record, title: str, seed: int) -> None:
    """Store large values, and read them again."""
    began = time.perf_counter()
    dice = random.Random(seed)
    values = {f"{each}": dice.randbytes(SIZE // 4).hex() for each in range(2)}
    with anyio.fail_after(BOUND):
        customer = app.customer("+254700000001")
        async with anyio.create_task_group() as tasks:
            for key, value in values.items():
                tasks.start_soon(customer.update_metadata, {key: value})
        up = record.cuts
        assert await customer.get_metadata() == values
    statistics = app.statistics()
    say(
        f"large payloads, {title}: seed {seed}: {SIZE} bytes each way: {record.cuts} cuts, "
        f"{statistics.bytes_sent} bytes sent, {statistics.bytes_received} received; {time.perf_counter() - began:.0f} s"
    )
    assert statistics.sessions_lost == 0
    assert up >= 3
    assert record.cuts - up >= 3


@pytest.mark.parametrize("fragment", FRAGMENTS)
@pytest.mark.parametrize("store", STORES)
async def test_large_payloads_arrive_in_both_directions(store: int, fragment: int, anyio_backend: str) -> None:
    """Promise 1 of the design, and its bound on what is kept: the payloads are several times as large as the store."""
    seed = seed_or(70_000)
    async with (
        Sandbox(clock="manual", seed=seed) as sandbox,
        FaultNetwork(sandbox.credentials["dial"], Cuts(seed)) as network,
        Elarian(**{**sandbox.credentials, "dial": network.dial}, options=options_for(fragment, store)) as app,
    ):
        title = f"memory, {anyio_backend}, fragments of {fragment}, {store} kept"
        await send_and_read(app, network.record, title, seed)


@pytest.mark.parametrize("scheme", ["tcp", "ws", "wss"])
async def test_large_payloads_arrive_by_sockets(scheme: str, anyio_backend: str) -> None:
    """Promise 1 of the design: also where the system holds back bytes, and takes a part of them."""
    seed = seed_or(71_000)
    where: dict[str, Any] = {scheme: "127.0.0.1:0"}
    options = options_for(16_384, 200_000)
    async with Sandbox(clock="manual", seed=seed, **where) as sandbox:
        if scheme == "wss":
            options = replace(options, ssl_context=ssl.create_default_context(cafile=sandbox.ca_file))
        known = {name: sandbox.credentials[name] for name in ("org_id", "app_id", "api_key")}
        async with (
            open_proxy(sandbox.endpoints[scheme], Cuts(seed)) as proxy,
            Elarian(**known, endpoint=proxy.endpoint(scheme), options=options) as app,
        ):
            await send_and_read(app, proxy.record, f"{scheme}, {anyio_backend}", seed)
