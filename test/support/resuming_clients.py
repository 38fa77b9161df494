"""Clients of the sandbox whose connection a test cuts, with whatever was on its way, and resumes."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import anyio.lowlevel
from peers import until
from sandbox_clients import BOUND, RawClient, a_setup

from elarian_trio._transport import FrameTransport, as_transport
from elarian_trio._wire.setup import decode_setup
from elarian_trio.errors import ConnectionFailed, ConnectionLost
from elarian_trio.models.commands import CustomerActivity
from elarian_trio.models.identity import CustomerNumber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from anyio.abc import TaskGroup

    from elarian_trio._rsocket import Setup
    from elarian_trio.sandbox import Sandbox

ASHA = CustomerNumber("+254709759881")


class CutTransport(FrameTransport):
    """The client's end of a connection; what it has on its way when it is cut may be told to be lost.

    Attributes:
        loses_up: whether what the client sends gets lost from now on.
        loses_down: the same of what the server sends.
        vanishes: whether the server is not to hear that the connection was closed.
    """

    def __init__(self, inner: FrameTransport) -> None:
        super().__init__()
        self.timed = inner.timed
        self.loses_up = self.loses_down = self.vanishes = False
        self._inner = inner

    async def send_frames(self, frames: Sequence[bytes]) -> None:
        if self.loses_up:
            await anyio.lowlevel.checkpoint()
        else:
            await self._inner.send_frames(frames)

    async def receive_frames(self) -> list[bytes]:
        while True:
            frames = await self._inner.receive_frames()
            if not self.loses_down:
                return frames

    async def send_eof(self) -> None:
        await self._inner.send_eof()

    async def aclose(self) -> None:
        if self.vanishes:
            await anyio.lowlevel.checkpoint()
        else:
            await self._inner.aclose()


class ResumingClient(RawClient):
    """One session with a sandbox, over one connection after another.

    Attributes:
        ends: what came out of the session's runs, those that were cut included.
    """

    transport: CutTransport

    def __init__(self, sandbox: Sandbox, transport: CutTransport, setup: Setup, tasks: TaskGroup) -> None:
        super().__init__(transport, setup, is_simulator=decode_setup(setup.data).simulator_mode)
        self._sandbox = sandbox
        self._tasks = tasks
        self.ends: list[Exception] = []

    async def live(self, transport: CutTransport) -> None:
        """Go on over *transport*, until that is cut; return once the session is open, or over."""
        self.transport = transport
        with anyio.fail_after(BOUND):
            await self._tasks.start(self._live)

    async def _live(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        started = _Once(task_status)
        try:
            await self.session.run(self.transport, task_status=started)
        except (ConnectionFailed, ConnectionLost) as error:
            self.ends.append(error)
        started.started()

    async def cut(self) -> None:
        """Lose the connection, and what was on its way as the transport was told."""
        if self.transport.vanishes:
            self.session.release()
        else:
            await self.transport.aclose()
        await until(lambda: not self.session.attached)
        await self.settle()

    async def resume(self) -> None:
        """Go on over a new connection."""
        await self.live(await dialled(self._sandbox))
        await self.settle()


class _Once:
    """A task status that takes the first word only: a session that ends before it is open is started, too."""

    def __init__(self, status: anyio.abc.TaskStatus[None]) -> None:
        self._status: anyio.abc.TaskStatus[None] | None = status

    def started(self, value: None = None) -> None:
        del value
        status, self._status = self._status, None
        if status is not None:
            status.started()


async def dialled(sandbox: Sandbox) -> CutTransport:
    """Give a new connection to *sandbox*."""
    return CutTransport(as_transport(await sandbox.credentials["dial"]()))


def resumable(setup: Setup) -> Setup:
    """Have *setup* ask for a session that may be resumed, by a token of its own."""
    return replace(setup, resume_token=secrets.token_hex(16).encode())


@asynccontextmanager
async def resuming_client(
    sandbox: Sandbox,
    *,
    simulator_mode: bool = False,
    **changes: Any,  # noqa: ANN401
) -> AsyncIterator[ResumingClient]:
    """Open a session that may be resumed, for a block; *changes* are other credentials."""
    setup = resumable(a_setup(sandbox.credentials, simulator_mode=simulator_mode, **changes))
    transport = await dialled(sandbox)
    async with anyio.create_task_group() as tasks:
        client = ResumingClient(sandbox, transport, setup, tasks)
        await client.live(transport)
        yield client
        client.session.close()
        tasks.cancel_scope.cancel()


def visit(key: str, customer: CustomerNumber = ASHA) -> CustomerActivity:
    """Make the command whose notification goes to the app that sent it."""
    return CustomerActivity(customer_number=customer, source="shop.example", session_id="1", key=key)
