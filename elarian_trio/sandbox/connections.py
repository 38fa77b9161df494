"""One client's connection, as the server sees it: let in or not, its commands in, its notifications out.

The server stands above and says what commands mean. Below are the session, in the server's role, the wire's reading
of a SETUP, and the door.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.lowlevel

from elarian_trio._rsocket import Connection, ErrorCode, Role, Setup
from elarian_trio._session import IncomingRequest, Session
from elarian_trio._transport import FrameTransport
from elarian_trio._wire.setup import decode_setup
from elarian_trio.errors import ConnectionLost, ElarianError, RemoteProtocolError, SetupRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from elarian_trio._session import StreamFailed
    from elarian_trio._wire.setup import Credentials as SetupCredentials

__all__ = ["Client", "Host"]

MAX_COMMANDS = 4_096  # commands one client may have unanswered, or answered and not taken; more are REJECTED

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class Host(Protocol):
    """What a connection asks of the server."""

    def judge(self, credentials: SetupCredentials) -> None:
        """Let the bearer in, or raise SetupRejected."""
        ...

    def came(self, client: Client) -> None:
        """Note that *client* is in and hears from now on."""
        ...

    def left(self, client: Client) -> None:
        """Note that *client* is gone; called for those that came."""
        ...

    def handle(self, client: Client, request: IncomingRequest) -> None:
        """Act on a command of *client*'s, without waiting."""
        ...


class Client:
    """A connection from its transport's opening to its end. Made by the server for each.

    Attributes:
        connection_id: names it among all connections of this server.
        org_id: the organisation it came in for; empty before.
        app_id: the app it came in as; empty before.
        is_simulator: whether it plays the customers' phones and the payment gateway.
        hears: whether it wants its app's notifications.
    """

    def __init__(self, connection_id: str, transport: FrameTransport, host: Host) -> None:
        self.connection_id = connection_id
        self.org_id: str = ""
        self.app_id: str = ""
        self.is_simulator: bool = False
        self.hears: bool = False
        self._host = host
        self._transport = _Bounded(transport)
        self._session = Session(
            Connection(Role.SERVER, timed=transport.timed, max_incoming=MAX_COMMANDS),
            self._handle,
            on_setup=self._judge,
        )

    @property
    def usable(self) -> bool:
        """Whether it would take a notification now."""
        return self._session.usable

    def ask(self, data: bytes, then: Callable[[bytes | StreamFailed | ConnectionLost], None]) -> Callable[[], None]:
        """Send a notification and have *then* called with what becomes of it; see :meth:`Session.ask`."""
        return self._session.ask(data, then)

    async def serve(self) -> None:
        """Serve the client until either side leaves. Its failures are its own: none is raised.

        Cancellation:
            Closes the transport at once.
        """
        await anyio.lowlevel.checkpoint()
        opened = _WhenOpen(self._opened)
        try:
            await self._session.run(self._transport, task_status=opened)
        except ElarianError as error:
            logger.debug("connection %s ended: %s", self.connection_id, type(error).__name__)
        finally:
            if opened.is_open:
                self._host.left(self)

    def _opened(self) -> None:
        self._host.came(self)

    async def _judge(self, setup: Setup) -> None:
        """Read and check the credentials; nothing of them is repeated in what the client is told."""
        await anyio.lowlevel.checkpoint()
        try:
            credentials = decode_setup(setup.data)
        except (RemoteProtocolError, ValueError):
            msg = "the setup's data could not be read"
            raise SetupRejected(msg, code=ErrorCode.INVALID_SETUP) from None
        self._host.judge(credentials)
        self.org_id, self.app_id = credentials.org_id, credentials.app_id
        self.is_simulator = credentials.simulator_mode
        self.hears = credentials.simulator_mode or not credentials.simplex_mode
        self._transport.patience = setup.keepalive_lifetime

    def _handle(self, request: IncomingRequest) -> None:
        self._host.handle(self, request)


class _WhenOpen:
    """A task status that calls a function: a session runs in the task that accepted it."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.is_open = False
        self._call = call

    def started(self, value: None = None) -> None:
        del value
        self.is_open = True
        self._call()


class _Bounded(FrameTransport):
    """A transport whose client must take what it is sent within the lifetime that it named itself.

    A client may send keepalives and read nothing; without this, what waits for it would be kept for ever.
    """

    def __init__(self, transport: FrameTransport) -> None:
        super().__init__()
        self.timed = transport.timed
        self.patience: float | None = None
        self._transport = transport

    async def send_frames(self, frames: Sequence[bytes]) -> None:
        with anyio.move_on_after(self.patience if self.timed else None) as scope:
            await self._transport.send_frames(frames)
        if scope.cancelled_caught:
            logger.warning("a client took nothing for %g s: it is dropped", self.patience)
            raise anyio.BrokenResourceError

    async def receive_frames(self) -> list[bytes]:
        return await self._transport.receive_frames()

    async def send_eof(self) -> None:
        await self._transport.send_eof()

    async def aclose(self) -> None:
        await self._transport.aclose()
