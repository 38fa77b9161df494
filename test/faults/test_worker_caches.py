"""The one thing that may outlive a run: worker threads that a library keeps, until its own time-out.

Names are looked up in threads: trio keeps one for ten seconds in case it is needed again, asyncio until its loop
closes. The other tests overlook such threads; here it is seen that they go, and are none of ours.
"""

from __future__ import annotations

import time

import anyio
import leaks
import pytest
from acceptance import ASHA, SMS, listening

from elarian_trio import ConnectionOptions, Elarian

PATIENCE = 15.0  # seconds: trio's ten, and what a busy machine adds
ROUNDS = 3


async def work(way: str) -> None:
    """Listen, come in by a name that has to be looked up, be cut, come back, and leave."""
    async with listening(way) as sandbox:
        known = {name: sandbox.credentials[name] for name in ("org_id", "app_id", "api_key")}
        endpoint = sandbox.endpoints[way].replace("127.0.0.1", "localhost")
        for _ in range(ROUNDS):
            async with Elarian(**known, endpoint=endpoint, options=ConnectionOptions(keepalive_interval=1.0)) as app:
                await app.customer(ASHA).send_message(SMS, "Hello")


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_worker_threads_of_libraries_go_after_their_own_time_out(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The issue: 0 threads but a library's idle worker cache, and that gone after its own time-out."""
    # Else ten seconds are waited for.
    monkeypatch.setattr("trio._core._thread_cache.IDLE_TIMEOUT", 1.0, raising=False)
    before, idle = leaks.Picture(), leaks.idle_workers()
    anyio.run(work, "tcp", backend=backend)
    assert before.left() == []
    kept = leaks.idle_workers() - idle
    assert len(kept) <= 2
    deadline = time.monotonic() + PATIENCE
    for thread in kept:
        thread.join(max(0.0, deadline - time.monotonic()))
    assert [thread.name for thread in kept if thread.is_alive()] == []
