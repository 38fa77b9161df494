"""One client, as the server sees it: let in or not, its commands in, its notifications out, away and back.

The server stands above and makes one for each connection; its :class:`Host`, the engine, says who may come in and what
commands mean. Below are the session, in the server's role, the reception that keeps it where its connection is cut, the
wire's reading of a SETUP, and what goes wrong on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.lowlevel

from elarian_trio._rsocket import Connection, ErrorCode, Role, Setup
from elarian_trio._rsocket.frames import MAX_FRAME_SIZE
from elarian_trio._session import IncomingRequest, Session
from elarian_trio._wire.setup import decode_setup
from elarian_trio.errors import ConnectionLost, RemoteProtocolError, SetupRejected
from elarian_trio.sandbox.provoked import Provoked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from elarian_trio._session import Question, Reception, StreamFailed
    from elarian_trio._transport import FrameTransport
    from elarian_trio._wire.setup import Credentials as SetupCredentials
    from elarian_trio.models.identity import CustomerNumber, SecondaryId
    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.simulator import SimulatorNotification
    from elarian_trio.sandbox.clock import Clock
    from elarian_trio.sandbox.faults.rules import Faults
    from elarian_trio.sandbox.faults.values import Late

__all__ = ["Client", "Host"]

MAX_COMMANDS = 4_096  # commands one client may have unanswered, or answered and not taken; more are REJECTED
RESUME_BUFFER_SIZE = 1024 * 1024  # bytes sent to one client that are kept until it has them; more waits


class Host(Protocol):
    """What a connection asks of the server."""

    def judge(self, credentials: SetupCredentials) -> None:
        """Let the bearer in, or raise SetupRejected."""
        ...

    def came(self, client: Client) -> None:
        """Note that *client* is in and hears from now on."""
        ...

    def away(self, client: Client) -> None:
        """Note that *client* hears nothing until it is back: its connection was cut, and its session waits for it."""
        ...

    def back(self, client: Client) -> None:
        """Note that *client*, which was away, hears again."""
        ...

    def left(self, client: Client) -> None:
        """Note that *client* is gone for good; called for those that came."""
        ...

    def handle(self, client: Client, requests: Sequence[IncomingRequest]) -> None:
        """Act on commands of *client*'s that came together, in order, without waiting."""
        ...

    def numbers_of(self, org_id: str, customer: str | SecondaryId) -> tuple[CustomerNumber, ...]:
        """Give the numbers of the customer with that id or secondary id; none where nobody has it."""
        ...


class Client:
    """A client from its SETUP to its session's end, over one connection after another. Made by the server for each.

    Args:
        connection_id: names it among all clients of this server.
        host: the server.
        timed: whether its connections can fall silent, so that keepalives are due.
        is_resumable: whether it may be resumed; if not, a client that asks for that is turned away.
        faults: what is to go wrong on purpose.
        clock: the server's, by which that is delayed.

    Attributes:
        connection_id: as given; it stays the same over all its connections.
        org_id: the organisation it came in for; empty before.
        app_id: the app it came in as; empty before.
        is_simulator: whether it plays the customers' phones and the payment gateway.
        hears: whether it wants its app's notifications.
    """

    def __init__(
        self,
        connection_id: str,
        host: Host,
        *,
        timed: bool,
        is_resumable: bool,
        faults: Faults,
        clock: Clock,
    ) -> None:
        self.connection_id = connection_id
        self.org_id: str = ""
        self.app_id: str = ""
        self.is_simulator: bool = False
        self.hears: bool = False
        self._host = host
        self._timed = timed
        self._connection = Connection(
            Role.SERVER,
            timed=timed,
            max_incoming=MAX_COMMANDS,
            resume_buffer_size=RESUME_BUFFER_SIZE if is_resumable else None,
        )
        self._session = Session(
            self._connection, self._handle, on_setup=self._judge, in_a_row=0.0, on_turn=self._end_turn
        )
        self._requests: list[IncomingRequest] = []  # of this turn
        self._provoked = Provoked(self, self._session, faults, clock)

    @property
    def usable(self) -> bool:
        """Whether it would take a notification now: its session would, and it has a connection."""
        return self._session.usable and self._session.attached

    def is_deaf_for(self, seconds: float) -> bool:
        """Whether nothing was heard from it for *seconds*, not even a KEEPALIVE, where it should send any."""
        heard = self._session.last_heard
        return self._timed and heard is not None and anyio.current_time() - heard >= seconds

    def ask(self, data: bytes, then: Callable[[bytes | StreamFailed | ConnectionLost], None]) -> Question:
        """Send a notification and have *then* called with what becomes of it; see :meth:`Session.ask`."""
        return self._provoked.ask(data, then) if self._provoked.has_rules else self._session.ask(data, then)

    def lateness_of(self, notification: Notification | SimulatorNotification) -> Late | None:
        """Say whether *notification* is to be late on purpose."""
        return self._provoked.lateness_of(notification) if self._provoked.has_rules else None

    async def serve(self, reception: Reception, transport: FrameTransport) -> None:
        """Serve whoever comes by *transport*: this client, or one that *reception* keeps and that is back.

        Returns when this client is gone for good, or the other has left the transport. A client's failures are its own:
        none is raised.

        Cancellation:
            Closes the transport at once, and ends a session that lives on it or waits for another.
        """
        await reception.serve(
            transport,
            lambda: self._session,
            on_open=lambda _: self._host.came(self),
            on_detached=lambda _: self._host.away(self),
            on_resumed=lambda _: self._come_back(),
            on_end=lambda _: self._leave(),
        )

    def _come_back(self) -> None:
        self._host.back(self)
        self._provoked.come_back()

    def _leave(self) -> None:
        self._provoked.leave()
        self._host.left(self)

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
        if setup.resume_token is None:  # what knows no resumption may know no fragments: Elarian's Python SDK does not
            self._connection.cut_at(MAX_FRAME_SIZE)

    def _handle(self, request: IncomingRequest) -> None:
        if self._provoked.has_rules:
            self._provoked.handle(request)
        else:
            self._requests.append(request)

    def _end_turn(self) -> None:
        if self._requests:
            requests, self._requests = self._requests, []
            self._host.handle(self, requests)

    # For what goes wrong on purpose.

    def execute(self, request: IncomingRequest) -> None:
        """Have the server act on a command."""
        self._host.handle(self, (request,))

    def numbers_of(self, customer: str | SecondaryId) -> tuple[CustomerNumber, ...]:
        """Give the numbers of a customer of its organisation."""
        return self._host.numbers_of(self.org_id, customer)
