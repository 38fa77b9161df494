"""A server of the tests' own, which notes every command as it comes, forgets sessions and dies when it is told to.

The fault tests stand above. It speaks by the session's rooms, like the sandbox, and has no rules: what it adds is a log
that nobody else writes, against which the client's account of each command is checked.
"""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from elarian_trio._rsocket import Connection, ErrorCode, Role
from elarian_trio._session import IncomingRequest, Reception, Session
from elarian_trio._transport import FrameTransport, open_memory_pair
from elarian_trio._wire.envelopes import decode_app_command, encode_reply
from elarian_trio.errors import ElarianError
from elarian_trio.models.commands import GetCustomerState
from elarian_trio.models.replies import CustomerStateUpdateReply, GetCustomerStateReply
from elarian_trio.models.state import CustomerState

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Sequence

    from anyio.abc import TaskGroup

    from elarian_trio._rsocket import Setup
    from elarian_trio.models.commands import Command

KEY = "el_k_test_1edeed0000000000000000000000000000000000000000000000000000000000"
STORE = 1024 * 1024  # bytes a session of the server's keeps
FOUND = GetCustomerStateReply(status=True, data=CustomerState(customer_id="el_cst_1"))
DONE = CustomerStateUpdateReply(status=True, description="done")
_KEEPALIVE = 0x03


class Ledger:
    """The server. Made by :func:`open_ledger`.

    Args:
        tasks: where connections are served.
        dice: says how commands are answered.
        window: seconds a cut session is kept; ``None`` refuses clients that ask for it.
        positions: whether its KEEPALIVEs say what it has received; rsocket-js 0.0.27's never do.

    Attributes:
        done: how often each command was carried out, by the customer it names: each command names its own.
        refused: how often each was answered REJECTED.
        commands: how many came.
        sessions: every session there was.
    """

    def __init__(self, tasks: TaskGroup, dice: random.Random, *, window: float | None, positions: bool) -> None:
        self._tasks = tasks
        self._dice = dice
        self._window = window
        self._positions = positions
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.commands = 0
        self.sessions: list[Session] = []
        self.forgets = 0
        self.reachable = True
        self._scopes: set[anyio.CancelScope] = set()
        self._reception = self._open_reception()

    @property
    def credentials(self) -> dict[str, Any]:
        """What a client comes with."""
        return {"org_id": "el_org_1", "app_id": "el_app_1", "api_key": KEY, "dial": self.dial}

    def _open_reception(self) -> Reception:
        return Reception(resume_window=self._window or 0.0)

    async def dial(self) -> FrameTransport:
        """Open a connection, if anybody is there."""
        await anyio.lowlevel.checkpoint()
        if not self.reachable:
            raise ConnectionRefusedError
        near, far = open_memory_pair()
        self._tasks.start_soon(self._serve, far)
        return near if self._positions else _Positionless(near)

    async def _serve(self, transport: FrameTransport) -> None:
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                await self._reception.serve(transport, self._open_session)
            except ElarianError:  # the client's to see
                await anyio.lowlevel.checkpoint()
            finally:
                self._scopes.discard(scope)

    def _open_session(self) -> Session:
        store = None if self._window is None else STORE
        connection = Connection(Role.SERVER, timed=False, resume_buffer_size=store)
        session = Session(connection, self._handle, on_setup=self._welcome)
        self.sessions.append(session)
        return session

    async def _welcome(self, _: Setup) -> None:
        await anyio.lowlevel.checkpoint()

    def forget(self) -> None:
        """Know nothing of any session any more, as a server that was killed and started again."""
        self.forgets += 1
        self._reception = self._open_reception()
        for scope in list(self._scopes):
            scope.cancel()

    # Commands.

    def _handle(self, request: IncomingRequest) -> None:
        command: Any = decode_app_command(request.data)
        name = command.customer if isinstance(command.customer, str) else command.customer.number
        self.commands += 1
        chance = self._dice.random()
        if chance < 0.05:
            self.refused[name] += 1
            request.fail(ErrorCode.REJECTED, "not now")
            return
        self.done[name] += 1
        if chance < 0.6:
            self._answer(request, command)
        elif chance < 0.97:  # and the rest never
            self._tasks.start_soon(self._answer_later, request, command, self._dice.randrange(1, 30))

    async def _answer_later(self, request: IncomingRequest, command: Command[Any], turns: int) -> None:
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        self._answer(request, command)

    def _answer(self, request: IncomingRequest, command: Command[Any]) -> None:
        request.respond(encode_reply(command, FOUND if isinstance(command, GetCustomerState) else DONE))


class _Positionless(FrameTransport):
    """The client's end of a connection whose server says in each KEEPALIVE that it has received nothing."""

    timed = False

    def __init__(self, inner: FrameTransport) -> None:
        super().__init__()
        self._inner = inner

    async def send_frames(self, frames: Sequence[bytes]) -> None:
        await self._inner.send_frames(frames)

    async def receive_frames(self) -> list[bytes]:
        return [_without_position(frame) for frame in await self._inner.receive_frames()]

    async def send_eof(self) -> None:
        await self._inner.send_eof()

    async def aclose(self) -> None:
        await self._inner.aclose()


def _without_position(frame: bytes) -> bytes:
    return frame[:6] + bytes(8) + frame[14:] if frame[4] >> 2 == _KEEPALIVE else frame


@asynccontextmanager
async def open_ledger(
    dice: random.Random, *, window: float | None = 120.0, positions: bool = True
) -> AsyncIterator[Ledger]:
    """Serve for a block."""
    async with anyio.create_task_group() as tasks:
        yield Ledger(tasks, dice, window=window, positions=positions)
        tasks.cancel_scope.cancel()
