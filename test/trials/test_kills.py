"""A server that is killed at any moment: what clients were told is in its file, whole, and nothing is there by halves.

The server is the command as users run it, on a port, with a file; it is killed by SIGKILL under load and started again
on the same file. What a killed process leaves is what a machine that loses its power may leave, but for the pages that
the system had not written: SQLite is told to wait for those.
"""

from __future__ import annotations

import random
import time
from statistics import median
from typing import TYPE_CHECKING

import anyio
import pytest
from books import OPENING, PURSE, Ledger, judge, load, open_wallets, wait_heard
from figures import say, seed_or, sized
from serving import APPS, served

from elarian_trio import Backoff, Cash, ConnectionOptions, Elarian, ReceivedSmsNotification, Simulator, Wallet
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_logged")]

KILLS = sized(smoke=1, ci=13, soak=100)  # on each backend
PATIENCE = 30.0  # seconds that a client may take to hear what is left
LIFE = (0.02, 0.4)  # seconds between the first command and the kill, at least and at most
READY_WITHIN = 1.0  # seconds, as the issue has it
OPTIONS = ConnectionOptions(resume="off", command_timeout=5.0, drain_timeout=0.0, reconnect=Backoff(first=60.0))


async def test_what_was_acknowledged_survives_kills(tmp_path: Path, anyio_backend: str) -> None:
    """Issue: kill -9 at random moments under load: nothing acknowledged is lost, nothing is half applied."""
    seed, file = seed_or(70_001), tmp_path / "sandbox.sqlite3"
    dice, ledger, ready = random.Random(seed), Ledger(), []
    wallets: dict[int, Wallet] = {}
    for _ in range(KILLS):
        async with served(file, "--settle", "manual", "--purse", f"{PURSE}=KES:{OPENING}") as server:
            ready.append(server.took)
            app = Elarian(**server.known, options=OPTIONS)
            phone = Simulator(**server.known, options=OPTIONS)
            async with app.notifications(ReceivedSmsNotification) as inbox, app, phone:
                wallets = wallets or await open_wallets(app)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(load, app, phone, inbox, ledger, wallets)
                    await anyio.sleep(dice.uniform(*LIFE))
                    server.process.kill()
                    with anyio.move_on_after(OPTIONS.command_timeout):  # those who wait are told at once
                        await told_of_the_end(app)
                    tasks.cancel_scope.cancel()
    opened = time.perf_counter()
    async with Sandbox(data=file, apps=APPS, purses={PURSE: Cash("KES", OPENING)}) as sandbox:
        opened = time.perf_counter() - opened
        app = Elarian(**sandbox.credentials, options=OPTIONS)
        async with app.notifications(ReceivedSmsNotification) as inbox, app:
            await wait_heard(app, inbox, ledger, PATIENCE)
            wrong = await judge(app, sandbox, ledger, wallets)
    say(
        f"kills, {anyio_backend}: seed {seed}: {KILLS} kills, {ledger}; {len(wrong)} wrong; the command was ready "
        f"after {median(ready):.2f} s (median; {max(ready):.2f} s at most), its file after {opened:.2f} s"
    )
    assert not wrong, f"again with ELARIAN_TRIO_SEED={seed}: {wrong[:8]}"
    assert opened < READY_WITHIN


async def told_of_the_end(app: Elarian) -> None:
    """Wait until the client knows that its server is gone."""
    async with app.connection_states() as states:
        async for state in states:
            if state != "connected":
                return
