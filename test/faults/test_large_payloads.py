"""Payloads larger than what is kept for resumption, cut again and again: fragments go on where they were cut.

A payload of megabytes takes hundreds of frames; the store holds a part of them. What finds no room waits for the other
end's positions, and what was under way at a cut is repeated from there, never from its beginning.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import anyio
import pytest
from faulty import FaultNetwork, Kind, Plan, Way, cut
from figures import say, seed_or, sized

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


@pytest.mark.parametrize("fragment", FRAGMENTS)
@pytest.mark.parametrize("store", STORES)
async def test_large_payloads_arrive_in_both_directions(store: int, fragment: int, anyio_backend: str) -> None:
    """Promise 1 of the design, and its bound on what is kept: the payloads are several times as large as the store."""
    seed, began = seed_or(70_000), time.perf_counter()

    def plans(number: int) -> Plan:
        dice = random.Random(f"large {seed} {number}")
        kind = dice.choice((Kind.CUT, Kind.END, Kind.VANISH))
        return Plan(number, tuple(cut(way, dice.randrange(LIFE // 2, LIFE), kind) for way in Way))

    options = ConnectionOptions(
        reconnect=Backoff(first=0.0, base=0.001, jitter=0.0),
        command_timeout=None,
        fragment_size=fragment,
        resume="require",
        resume_buffer_size=store,
    )
    dice = random.Random(seed)
    values = {f"{each}": dice.randbytes(SIZE // 4).hex() for each in range(2)}
    with anyio.fail_after(BOUND):
        async with (
            Sandbox(clock="manual", seed=seed) as sandbox,
            FaultNetwork(sandbox.credentials["dial"], plans) as network,
            Elarian(**{**sandbox.credentials, "dial": network.dial}, options=options) as app,
        ):
            customer = app.customer("+254700000001")
            async with anyio.create_task_group() as tasks:
                for key, value in values.items():
                    tasks.start_soon(customer.update_metadata, {key: value})
            up = network.record.cuts
            stored = await customer.get_metadata()
            statistics = app.statistics()
    record: Record = network.record
    assert stored == values
    assert statistics.sessions_lost == 0
    assert up >= 3
    assert record.cuts - up >= 3
    say(
        f"large payloads, {anyio_backend}: seed {seed}: {SIZE} bytes each way, fragments of {fragment}, {store} kept: "
        f"{record.cuts} cuts, {statistics.bytes_sent} bytes sent, {statistics.bytes_received} received; "
        f"{time.perf_counter() - began:.0f} s"
    )
