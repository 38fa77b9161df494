"""A server that says what a test tells it to: the session and the wire in the server's role, and no rules.

The client's tests stand above. The sandbox, which has rules, is tested for itself.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio

from elarian_trio._rsocket import Connection, Role
from elarian_trio._session import Reception, Session, StreamFailed
from elarian_trio._transport import as_transport, open_memory_pair
from elarian_trio._wire.envelopes import (
    decode_app_command,
    decode_notification_reply,
    decode_simulator_command,
    encode_notification,
    encode_reply,
)
from elarian_trio._wire.setup import Credentials, decode_setup
from elarian_trio.errors import SetupRejected
from elarian_trio.models.replies import CustomerStateUpdateReply

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from anyio.abc import TaskGroup

    from elarian_trio._rsocket import Setup
    from elarian_trio._session import IncomingRequest
    from elarian_trio._transport import FrameTransport, MemoryTransport
    from elarian_trio.models.commands import Command
    from elarian_trio.models.notifications import Notification, NotificationReply
    from elarian_trio.models.simulator import SimulatorNotification

    Answer: TypeAlias = Any  # a reply, a StreamFailed, NEVER, or a function of the command that gives one

KEY = "el_k_test_0123456789"
NEVER = object()
DONE = CustomerStateUpdateReply(status=True, description="done", customer_id="el_cst_1")


class ScriptedServer:
    """Accepts connections over memory. Made by :func:`scripted_server`.

    Attributes:
        answers: what each class of command is answered with; DONE where nothing is said.
        commands: every command that came.
        waiting: requests whose commands are answered NEVER, or by ``answer_waiting``.
        setups: the credentials of every SETUP that came.
        sessions: every session that was begun.
        dials: how often somebody dialled.
        refusing: a reason to refuse SETUPs, if any.
        unreachable: whether dialling fails.
    """

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self.answers: dict[type, Answer] = {}
        self.commands: list[Command[Any]] = []
        self.waiting: list[tuple[IncomingRequest, Command[Any]]] = []
        self.setups: list[Credentials] = []
        self.sessions: list[Session] = []
        self.dials = 0
        self.refusing: str | None = None
        self.unreachable = False
        self._came = anyio.Event()
        self._reception = Reception()
        self._transports: list[MemoryTransport] = []

    @property
    def credentials(self) -> dict[str, Any]:
        """What a client is made of that talks to this server."""
        return {"org_id": "el_org_1", "app_id": "el_app_1", "api_key": KEY, "dial": self.dial}

    @property
    def parked(self) -> int:
        """How many sessions are kept for clients that may come back."""
        return self._reception.parked

    async def dial(self) -> MemoryTransport:
        """Open a connection to this server."""
        self.dials += 1
        await anyio.lowlevel.checkpoint()
        if self.unreachable:
            raise ConnectionRefusedError("nobody is there")
        near, far = open_memory_pair()
        self._transports.append(far)
        self._tasks.start_soon(self._serve, far)
        return near

    async def _serve(self, transport: FrameTransport) -> None:
        await self._reception.serve(as_transport(transport), self._open_session)

    def _open_session(self) -> Session:
        connection = Connection(Role.SERVER, timed=False, resume_buffer_size=1024 * 1024)
        self.sessions.append(Session(connection, self._handle, on_setup=self._judge))
        return self.sessions[-1]

    async def _judge(self, setup: Setup) -> None:
        await anyio.lowlevel.checkpoint()
        self.setups.append(decode_setup(setup.data))
        if self.refusing is not None:
            raise SetupRejected(self.refusing)

    def _handle(self, request: IncomingRequest) -> None:
        simulator = self.setups[-1].simulator_mode
        command: Any = decode_simulator_command(request.data) if simulator else decode_app_command(request.data)
        self.commands.append(command)
        self._came.set()
        self._came = anyio.Event()
        answer = self.answers.get(type(command), DONE)
        if callable(answer):
            answer = answer(command)
        if isinstance(answer, StreamFailed):
            request.fail(answer.code, answer.message)
        elif isinstance(answer, bytes):
            request.respond(answer)
        elif answer is not NEVER:
            request.respond(encode_reply(command, answer))
        else:
            self.waiting.append((request, command))

    def answer_waiting(self) -> None:
        """Answer what was to be answered NEVER."""
        for request, command in self.waiting:
            request.respond(encode_reply(command, DONE))
        self.waiting.clear()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until a command has made *condition* true."""
        while not condition():
            await self._came.wait()

    async def notify(
        self, notification: Notification | SimulatorNotification, app_data: str | bytes | None = None
    ) -> NotificationReply:
        """Tell the client something over the newest connection; give its answer."""
        return decode_notification_reply(await self.notify_raw(encode_notification(notification, app_data)))

    async def notify_raw(self, data: bytes) -> bytes:
        """Send the client a request of any bytes; give the bytes of its answer."""
        return await self.sessions[-1].request(data)

    def cut(self) -> None:
        """End the newest session in order."""
        self.sessions[-1].close()

    async def drop(self) -> None:
        """Cut the newest connection, as a cable is; its session is kept."""
        await self._transports[-1].aclose()

    def forget(self) -> None:
        """Know no session any more, as a server that was started again."""
        self._reception = Reception()
        for session in self.sessions:
            session.end()


@asynccontextmanager
async def scripted_server() -> AsyncGenerator[ScriptedServer]:
    """Serve until the block is left."""
    async with anyio.create_task_group() as tasks:
        yield ScriptedServer(tasks)
        tasks.cancel_scope.cancel()
