"""Random cuts at random bytes during load in both directions: nothing lost, nothing done twice, order kept.

Every count is printed with its seed. A connection's cut comes again from the seed and the connection's number; the
order of tasks does as well, on trio by the seed, on asyncio by itself.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from faulty import FaultNetwork, RandomCuts
from figures import say, seed_or, sized
from load import Load
from proxy import open_proxy

from elarian_trio import Backoff, ConnectionOptions, Elarian, Simulator
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from faulty import Record

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_logged")]

AT_ONCE = Backoff(first=0.0, base=0.01, jitter=0.0, cap=0.05)
OPTIONS = ConnectionOptions(reconnect=AT_ONCE, resume="require", fragment_size=128, notification_timeout=60.0)

CUTS = sized(smoke=40, ci=5_000, soak=50_000)  # on each backend
COMMANDS = sized(smoke=400, ci=50_000, soak=500_000)  # and as many notifications
SOCKET_CUTS = sized(smoke=8, ci=500, soak=5_000)  # for each transport on each backend
HANDSHAKES = {"tcp": 0, "tls": 3_000, "ws": 300, "wss": 3_500}  # bytes a connection must live to be one


class Counted:
    """One load and what happened to it: a line to print, and a verdict."""

    def __init__(self, title: str, seed: int, **records: Record) -> None:
        self.title, self.seed, self.records = title, seed, records
        self._began = time.perf_counter()

    @property
    def cuts(self) -> int:
        """How many there were, on both clients."""
        return sum(record.cuts for record in self.records.values())

    async def run(self, sandbox: Sandbox, app: Elarian, phone: Simulator, cuts: int, commands: int) -> None:
        """Load the sandbox until it was cut so often and did so much; then say what was counted, and judge it."""

        def enough(load: Load) -> bool:
            return self.cuts >= cuts and load.commands >= commands and load.notifications >= commands

        load = Load(app, phone, sandbox, seed=self.seed)
        try:
            await load.run(enough)
        except BaseException as error:
            error.add_note(f"{load}; {self._again}; {load.faults()[:5]}")
            raise
        self._judge(load, [app, phone])

    def _judge(self, load: Load, clients: list[Any]) -> None:
        wrong = load.faults()
        resumed, lost = (
            sum(getattr(client.statistics(), name) for client in clients) for name in ("resumptions", "sessions_lost")
        )
        say(
            f"{self.title}: seed {self.seed}: {self.cuts} cuts, {load}; {len(wrong)} wrong; {resumed} resumptions, "
            f"{lost} sessions lost; {time.perf_counter() - self._began:.0f} s"
        )
        for name, record in self.records.items():
            say(f"  {name}: {record}")
        assert not wrong, f"{self._again}: {wrong[:8]}"
        assert lost == 0, self._again

    @property
    def _again(self) -> str:
        latest = {name: list(record.latest) for name, record in self.records.items()}
        return f"again with ELARIAN_TRIO_SEED={self.seed}; the latest cuts were {latest}"


async def test_nothing_is_lost_or_done_twice_over_memory(anyio_backend: str) -> None:
    """Promise 1 of the design: a cut connection is resumed, and nobody can tell."""
    seed = seed_or(20_001)
    async with Sandbox(clock="manual", seed=seed) as sandbox:
        dial = sandbox.credentials["dial"]
        async with (
            FaultNetwork(dial, RandomCuts(f"app {seed}")) as by_app,
            FaultNetwork(dial, RandomCuts(f"phone {seed}")) as by_phone,
            Elarian(**{**sandbox.credentials, "dial": by_app.dial}, options=OPTIONS) as app,
            Simulator(**{**sandbox.credentials, "dial": by_phone.dial}, options=OPTIONS) as phone,
        ):
            title = f"random cuts, memory, {anyio_backend}"
            counted = Counted(title, seed, app=by_app.record, phone=by_phone.record)
            await counted.run(sandbox, app, phone, CUTS, COMMANDS)


@pytest.mark.parametrize("scheme", list(HANDSHAKES))
async def test_nothing_is_lost_or_done_twice_over_sockets(scheme: str, anyio_backend: str) -> None:
    """Promise 1 of the design: the same by the sockets that users have, through their handshakes."""
    seed = seed_or(30_001)
    where: dict[str, Any] = {scheme: "127.0.0.1:0"}
    reach, opening = 2 * HANDSHAKES[scheme] + 4_000, HANDSHAKES[scheme] + 200
    async with Sandbox(clock="manual", seed=seed, **where) as sandbox:
        options = OPTIONS
        if scheme in ("tls", "wss"):
            options = replace(OPTIONS, ssl_context=ssl.create_default_context(cafile=sandbox.ca_file))
        known = {name: sandbox.credentials[name] for name in ("org_id", "app_id", "api_key")}
        async with (
            open_proxy(sandbox.endpoints[scheme], RandomCuts(f"app {seed}", reach, opening)) as by_app,
            open_proxy(sandbox.endpoints[scheme], RandomCuts(f"phone {seed}", reach, opening)) as by_phone,
            Elarian(**known, endpoint=by_app.endpoint(scheme), options=options) as app,
            Simulator(**known, endpoint=by_phone.endpoint(scheme), options=options) as phone,
        ):
            title = f"random cuts, {scheme}, {anyio_backend}"
            counted = Counted(title, seed, app=by_app.record, phone=by_phone.record)
            await counted.run(sandbox, app, phone, SOCKET_CUTS, 10 * SOCKET_CUTS)
