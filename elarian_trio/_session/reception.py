"""The server's door: reads a connection's first frame, and keeps the sessions whose connections were cut.

Servers stand above and serve each transport in a task of its own; the session is below. Whoever's task holds the
transport runs the session. After a cut that task waits, for a bounded time, until the client is back over another
transport, whose task then runs the session, or until it is given up. What a server is told of its session is in
:mod:`.guest`, for how many and how much there is room while they wait in :mod:`.lobby`.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from elarian_trio._rsocket import resume_token_of
from elarian_trio._session.attachment import close_transport
from elarian_trio._session.guest import Guest
from elarian_trio._session.lobby import Lobby
from elarian_trio._transport import TRANSPORT_ERRORS
from elarian_trio.errors import ElarianError, SetupRejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket import Setup
    from elarian_trio._session.session import Session
    from elarian_trio._transport import FrameTransport

__all__ = ["Reception"]

FIRST_FRAME_TIMEOUT = 10.0  # seconds a client has for its SETUP or RESUME
HANDOVER_TIMEOUT = 5.0  # seconds for the tasks of an old transport to end; they have been told to at once

logger = logging.getLogger("elarian_trio.session")


def _ignore(_: Session) -> None:
    pass


class Reception:
    """Serves connections, and keeps what was cut for a while. One for all connections that may resume each other's.

    The bounds hold for all sessions that wait: where they are exceeded, those that have waited longest end first.

    Args:
        resume_window: seconds that a session waits for its client. With 0 the sessions' connections should be made
            without a ``resume_buffer_size``, so that clients hear at once that there is no resumption.
        max_parked: how many sessions may wait.
        max_parked_bytes: how many bytes they may hold together for their clients, sent before the cut or not yet.
    """

    def __init__(
        self, *, resume_window: float = 120.0, max_parked: int = 1024, max_parked_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self._resume_window = resume_window
        self._guests: dict[bytes, Guest] = {}  # by token
        self._lobby = Lobby(max_parked, max_parked_bytes)

    @property
    def parked(self) -> int:
        """How many sessions wait for their clients."""
        return len(self._lobby)

    @property
    def parked_bytes(self) -> int:
        """How many bytes they hold for their clients: what may have to be repeated, and what was not sent."""
        return self._lobby.held_bytes

    async def serve(
        self,
        transport: FrameTransport,
        open_session: Callable[[], Session],
        *,
        on_open: Callable[[Session], None] = _ignore,
        on_detached: Callable[[Session], None] = _ignore,
        on_resumed: Callable[[Session], None] = _ignore,
        on_end: Callable[[Session], None] = _ignore,
    ) -> None:
        """Serve one connection: to its end, and after a cut until its session ends or another connection has it.

        A client that says nothing for 10 seconds is closed. What makes a single connection fail is logged, not raised.

        Args:
            transport: the connection; owned from now on.
            open_session: makes the session of a client that does not resume one; asked once its first frame is here.
            on_open: told that the session is open. This and the following are called synchronously, with the session
                that *open_session* of the same call made, whichever connection it lives on by then.
            on_detached: told that its transport is gone, and it waits.
            on_resumed: told that it goes on over another transport; each follows an ``on_detached``.
            on_end: told that it is over; once for each session that was open.

        Cancellation:
            Ends the session that lives on this connection, or was left by it and waits.
        """
        received = await _first_frames(transport)
        if not received:
            return
        guest = self._find(received[0])
        if guest is None:
            guest = self._welcome(Guest(open_session(), on_open, on_detached, on_resumed, on_end))
        turn = guest.turn = guest.turn + 1
        try:
            if turn == 1 or await self._take_over(guest, turn, transport):
                await self._host(guest, turn, transport, received)
        finally:
            if guest.turn == turn:
                self._dismiss(guest)

    def _find(self, frame: bytes) -> Guest | None:
        """Give the session that *frame* resumes, if it may. Whoever knows the token is its client: it is a secret.

        A RESUME that comes so late that its client is back by another since then is refused like one of a stranger, and
        harms nobody: it would take the session from the transport that it is on, and then end it.
        """
        token = resume_token_of(frame)
        guest = None if token is None else self._guests.get(token)
        if guest is None or not guest.session.resumable or guest.session.is_outdated(frame):
            return None
        return guest

    def _welcome(self, guest: Guest) -> Guest:
        guest.session.oversee(
            check_setup=partial(self._enter, guest),
            on_growth=partial(self._note_growth, guest),
            on_over=partial(self._dismiss, guest),
        )
        guest.free.set()
        return guest

    def _enter(self, guest: Guest, setup: Setup) -> None:
        """Note the token of a SETUP before anybody judges it, so that no two sessions share one."""
        if setup.resume_token is None:
            return
        if setup.resume_token in self._guests:
            msg = "the resume token is in use"
            raise SetupRejected(msg)
        guest.token = setup.resume_token
        self._guests[guest.token] = guest

    async def _take_over(self, guest: Guest, turn: int, transport: FrameTransport) -> bool:
        """Make a session leave the transport it has. ``False`` if another connection came later, or it is over.

        The old transport goes first and is not read again, so that what was received by then is what RESUME_OK says.
        """
        is_ours = False
        try:
            self._unpark(guest)
            guest.session.release()
            with anyio.move_on_after(HANDOVER_TIMEOUT):
                await guest.free.wait()
            is_ours = guest.free.is_set() and guest.turn == turn and guest.session.resumable
        finally:
            if not is_ours:
                await close_transport(transport, forcefully=True)
        return is_ours

    async def _host(self, guest: Guest, turn: int, transport: FrameTransport, received: list[bytes]) -> None:
        """Run a session until its transport is gone, and then keep it, unless it is over or another one has come."""
        guest.free = anyio.Event()
        try:
            await guest.session.run(transport, received=received, task_status=guest)
        except ElarianError as error:
            logger.debug("a session's connection ended: %s", type(error).__name__)
        finally:
            guest.free.set()
            if guest.session.resumable:
                guest.cut()  # at once: whoever waits for the session to be free may say next that it goes on
        if guest.session.resumable and guest.turn == turn:
            await self._keep(guest)
        await anyio.lowlevel.checkpoint()

    async def _keep(self, guest: Guest) -> None:
        """Wait until another connection comes for the session, or nobody waits for it any more."""
        self._park(guest)
        with anyio.move_on_after(self._resume_window):
            await guest.called.wait()
        await anyio.lowlevel.checkpoint()

    def _park(self, guest: Guest) -> None:
        """Keep a session, as long as there is room for it."""
        guest.called = anyio.Event()
        self._lobby.enter(guest)
        for surplus in self._lobby.surplus():
            self._dismiss(surplus)

    def _note_growth(self, guest: Guest) -> None:
        """Count what a parked session has taken in for its client, as answers to what was asked before the cut."""
        if self._lobby.weigh(guest):
            # Whoever answers may be in the midst of much else: those given up end in their own tasks.
            for surplus in self._lobby.surplus():
                self._unpark(surplus)

    def _unpark(self, guest: Guest) -> None:
        """Have a session wait no more: its client is back, or it is given up."""
        self._lobby.leave(guest)
        guest.called.set()

    def _dismiss(self, guest: Guest) -> None:
        """End a session, or note that it ended, and forget it."""
        guest.session.end()
        self._unpark(guest)
        if guest.token is not None and self._guests.get(guest.token) is guest:
            del self._guests[guest.token]
        guest.over()


async def _first_frames(transport: FrameTransport) -> list[bytes]:
    """Give what a client sends first, or close the transport and give nothing."""
    received: list[bytes] = []
    try:
        await anyio.lowlevel.checkpoint()
        with anyio.move_on_after(FIRST_FRAME_TIMEOUT), suppress(*TRANSPORT_ERRORS):
            received = await transport.receive_frames()
    finally:
        if not received:
            await close_transport(transport, forcefully=False)
    return received
