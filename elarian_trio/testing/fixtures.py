"""What the fixtures do: blocks around one test, each on the test's stage.

The plugin stands above, and loads this when the first of its fixtures is wanted.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio.lowlevel

from elarian_trio.options import ConnectionOptions
from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.clock import mock_clock
from elarian_trio.simulator import Simulator
from elarian_trio.testing.app import AppUnderTest
from elarian_trio.testing.bounds import settle
from elarian_trio.testing.exchange import Exchange
from elarian_trio.testing.phone import Phone

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from elarian_trio.testing.stage import Program, Stage

__all__ = ["open_app", "open_phone", "open_sandbox"]

SEED = "elarian_sandbox"  # any: ids are to be the same in every run, and need not be anything else
DRAIN = 5.0  # seconds that an app may take to leave a test; a real one has four times as long


@asynccontextmanager
async def open_sandbox(stage: Stage, options: Mapping[str, Any]) -> AsyncGenerator[Sandbox]:
    """Open a sandbox for a block; its clock moves with Trio's MockClock, or when it is told to."""
    clock = "virtual" if mock_clock() is not None else "manual"
    arguments: dict[str, Any] = {"clock": clock, "seed": SEED, **options}
    async with stage.hosting(Sandbox(**arguments)) as sandbox:
        yield sandbox


@asynccontextmanager
async def open_app(
    stage: Stage, sandbox: Sandbox, options: ConnectionOptions | None, program: Program | None
) -> AsyncGenerator[AppUnderTest]:
    """Connect the app for a block, and run its *program*, if it has one.

    Raises:
        Exception: what the program raised as it began.
    """
    chosen = ConnectionOptions(drain_timeout=DRAIN) if options is None else options
    app = AppUnderTest(**sandbox.credentials, options=chosen).watched_by(stage)
    async with stage.hosting(app):
        stage.app = app
        try:
            async with stage.running(program or _nothing, app):
                await settle(sandbox)
                yield app
                if app.is_listening:  # else what came waits for an answer that nobody will give
                    await settle(sandbox)
        finally:
            app.unwatched()
            stage.app = None


async def _nothing(app: AppUnderTest) -> None:
    del app
    await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def open_phone(stage: Stage, sandbox: Sandbox) -> AsyncGenerator[Phone]:
    """Connect a customer's phone for a block."""
    async with stage.hosting(Simulator(**sandbox.credentials)) as simulator:
        exchange = Exchange(stage, sandbox, simulator)
        async with stage.running(exchange.listen):
            yield Phone(exchange)
