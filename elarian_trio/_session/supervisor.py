"""One session after another, each over one transport after another: dial, prove or resume, pause, or give up.

The client's block stands above, and runs :meth:`Supervisor.run` in a task of its own; :class:`Session` is below.
A session whose transport was lost is kept while it can be resumed, with all that is under way in it; the next transport
is for it. Only when it is over a fresh SETUP follows. Requests made here outlive a session as long as that is safe.
Whether a SETUP asks for resumption is in :mod:`.offer`, what it means that dialing raised in :mod:`.dialing`, how long
to wait then and when to give up in :mod:`.outage`.
"""

from __future__ import annotations

import logging
import math
import random as dice
import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import anyio
import anyio.lowlevel

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session.dialing import dialing
from elarian_trio._session.endings import ResumptionRefused
from elarian_trio._session.offer import Offer
from elarian_trio._session.outage import Outage
from elarian_trio._session.parking import Flag
from elarian_trio._session.pending import GivenUp, Handover
from elarian_trio._session.session import Session
from elarian_trio._transport import as_transport
from elarian_trio.errors import (
    ConnectionClosed,
    ConnectionFailed,
    ConnectionLost,
    ElarianError,
    RemoteProtocolError,
    SetupRejected,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import ByteStream, ObjectStream, TaskStatus

    from elarian_trio._session.incoming import IncomingRequest
    from elarian_trio._transport import FrameTransport
    from elarian_trio.options import ConnectionOptions

__all__ = ["StateName", "Supervisor", "WhenStarted"]

StateName: TypeAlias = Literal["pending", "connecting", "connected", "closed", "error"]

MAX_STRIKES = 3  # sessions that the peer spoilt by breaking the protocol ...
STRIKE_WINDOW = 60.0  # ... within so many seconds: after that it will not get better by itself

logger = logging.getLogger("elarian_trio.session")


def make_token() -> bytes:
    """Make a name for a session that nobody guesses: ASCII, since rsocket-java and -js look it up as text."""
    return secrets.token_hex(16).encode()


class Traffic(NamedTuple):
    """What sessions have counted: bytes sent and received, and frames that were ignored."""

    sent: int = 0
    received: int = 0
    ignored: int = 0


class Supervisor:
    """Keeps a connection to one server, and carries requests over whatever session there is. Made by the client.

    Args:
        dial: opens a transport; asked before each session, and each time one is to be resumed.
        setup: makes the SETUP, but for the resume token; asked before each session, since credentials may be
            short-lived, but not to resume one.
        options: how to connect, wait and buffer.
        handler: is given each request of the server's, synchronously; see :class:`Session`.
        on_state: is told, synchronously, of each change and of what caused it.
        random: gives numbers in [0, 1), for the jitter of the delays.
        token: makes a resume token; asked before each SETUP that offers resumption.
        clock: the present, in seconds; must pass as anyio's does.
        redact: takes secrets out of the server's words, which errors and logs repeat.

    Attributes:
        reconnects: how often the connection stood again after the first time.
        resumptions: of these, how often the session went on where it was cut.
        sessions_lost: sessions that ended without our closing them; one that was resumed has not ended.
    """

    __slots__ = (  # too many for a dict that shares its keys with others, and its own takes five times as much
        "_attempt",
        "_changed",
        "_clock",
        "_closing",
        "_connected_once",
        "_dial",
        "_draining",
        "_final",
        "_handler",
        "_hurry",
        "_offer",
        "_on_state",
        "_options",
        "_outage",
        "_past",
        "_redact",
        "_requests",
        "_running",
        "_session",
        "_setup",
        "_standing",
        "_strikes",
        "_token",
        "reconnects",
        "resumptions",
        "sessions_lost",
    )

    def __init__(
        self,
        *,
        dial: Callable[[], Awaitable[ObjectStream[bytes] | ByteStream]],
        setup: Callable[[], Awaitable[Setup]],
        options: ConnectionOptions,
        handler: Callable[[IncomingRequest], None],
        on_state: Callable[[StateName, BaseException | None], None] = lambda _state, _error: None,
        random: Callable[[], float] = dice.random,
        token: Callable[[], bytes] = make_token,
        clock: Callable[[], float] = anyio.current_time,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._dial = dial
        self._setup = setup
        self._options = options
        self._handler = handler
        self._on_state = on_state
        self._clock = clock
        self._redact = redact
        self._token = token
        self._offer = Offer(options)
        self._outage = Outage(options, random)
        self.reconnects = 0
        self.resumptions = 0
        self.sessions_lost = 0
        self._past = Traffic()  # of the sessions that are over
        self._running = self._draining = self._closing = False
        self._connected_once = False
        self._requests = 0
        self._session: Session | None = None  # the present one: proven or not, attached or kept to be resumed
        self._standing = False  # the present transport carries it, proven or resumed
        self._attempt: anyio.CancelScope | None = None  # the latest, for close()
        self._changed = Flag()
        self._hurry = Flag()
        self._strikes: list[float] = []  # when the last ones were, no more than count
        self._final: Exception | None = None

    # What the client calls.

    @property
    def bytes_sent(self) -> int:
        """Of frames, over all sessions, without length prefixes."""
        return self._past.sent + (self._session.bytes_sent if self._session else 0)

    @property
    def bytes_received(self) -> int:
        """Of frames, over all sessions, without length prefixes."""
        return self._past.received + (self._session.bytes_received if self._session else 0)

    @property
    def frames_ignored(self) -> int:
        """How many frames, over all sessions, the protocol wanted dropped in silence."""
        return self._past.ignored + (self._session.frames_ignored if self._session else 0)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Connect, and stay connected until closed. Calls ``task_status.started()`` once the server has answered.

        Raises:
            SetupRejected: the server refused the setup, now or at a later connection.
            ConnectionFailed: ``give_up_after`` has passed since the server last answered; the last failure is chained.
            RemoteProtocolError: the server broke the protocol before its first answer, or in three sessions within a
                minute.
            ConnectionClosed: it was closed before the first connection stood.
            Exception: whatever ``dial`` or ``setup`` raised, other than failures to reach somebody, at the first
                connection.

        Cancellation:
            Ends the session, resumable or not, and closes the transport; requests in flight raise ConnectionLost.
        """
        if self._running or self._final is not None:
            msg = "a supervisor runs once"
            raise RuntimeError(msg)
        self._running = True
        self._outage.begin(self._clock())
        try:
            await self._supervise(task_status)
        except Exception as error:
            self._final = error
            self._let_go(error)
            raise
        finally:
            self._closing = True
            self._let_go(None)
            self._notify()
            self._on_state("error" if self._final else "closed", self._final)

    async def request(
        self, data: bytes, metadata: bytes | None = None, *, retry: bool, handover: Handover | None = None
    ) -> bytes:
        """Send a request and wait for its answer, and for a session first where there is none.

        A cut leaves it where it is, as long as its session can be resumed. What was not sent when its session ended
        goes out on the next one.

        Args:
            data: the request's data.
            metadata: the request's metadata.
            retry: whether the request may be sent again after it was sent and its session was lost.
            handover: is told whether the request was sent, for callers that stop waiting; and has it given up.

        Raises:
            GivenUp: *handover* said so.
            StreamFailed: the server answered with an error.
            ConnectionLost: the connection ended for good, or, without *retry*, after the request was sent.
            ConnectionClosed: the supervisor does not run, is draining, or was closed before the request was sent.

        Cancellation:
            Always a checkpoint. Cancelled before the writer has taken the request, nothing is sent; later, one CANCEL
            follows it.
        """
        handover = handover or Handover()
        self._begin_request()
        try:
            while not handover.given_up:
                session = self._session
                if session is None or not session.usable:
                    await self._another_session(handover)
                    continue
                try:
                    return await session.request(data, metadata, handover=handover)
                except ConnectionLost as lost:
                    if lost.sent and not retry:
                        raise
                    await anyio.lowlevel.checkpoint()
            raise GivenUp
        finally:
            self._end_request()

    async def ping(self) -> float:
        """Have a KEEPALIVE answered, over the next transport if the present one ends; give the round trip's seconds.

        Raises:
            ConnectionLost: the connection ended for good.
            ConnectionClosed: the supervisor does not run, is draining, or was closed.

        Cancellation:
            Always a checkpoint. The answer is then dropped when it comes.
        """
        self._begin_request()
        try:
            while True:
                while self._session is None or not (self._session.usable and self._session.attached):
                    await self._another_session(Handover())
                try:
                    return await self._session.ping()
                except ConnectionLost:
                    await anyio.lowlevel.checkpoint()
        finally:
            self._end_request()

    async def reconnect_now(self) -> None:
        """End the present pause between two attempts; without one, do nothing. A checkpoint, no wait."""
        self._hurry.set()
        await anyio.lowlevel.checkpoint()

    async def drain(self) -> None:
        """Refuse new requests at once, let those under way end, ours and the server's, then :meth:`close`.

        Waits as long as they take; bound it with a cancel scope. While the connection is cut, it goes on being resumed
        for them, and for answers that were not sent; for what was sent and may have been lost, only once more.

        Cancellation:
            Always a checkpoint. Closes all the same.
        """
        self._draining = True
        try:
            await anyio.lowlevel.checkpoint()
            self._hurry.set()
            while not (self._closing or (self._idle and self._delivered)):
                await self._changed.wait()
        finally:
            self.close()

    def close(self) -> None:
        """Close in order; :meth:`run` returns within a few seconds. Requests that still wait end with an error.

        A server is told so from the SETUP on, whether it has answered that, or a RESUME, or not. A session that waits
        to be resumed ends at once: there is nobody to say goodbye to. May be repeated.
        """
        if self._closing:
            return
        self._draining = self._closing = True
        self._hurry.set()
        session = self._session
        if session is not None and (session.owes_goodbye or session.ending):
            session.close()  # which leaves a goodbye that is under way as it is
            if self._attempt is not None:
                self._attempt.deadline = math.inf  # the goodbye has a limit of its own
        else:
            if session is not None:
                session.end()
            if self._attempt is not None:
                self._attempt.cancel()
        self._notify()

    # Requests and the session they go by.

    async def _another_session(self, handover: Handover) -> None:
        """Wait for things to change, unless they have come to their end, or until the request is given up."""
        if self._closing:
            raise self._ended(sent=handover.sent)
        with anyio.CancelScope(deadline=handover.deadline) as scope:
            await self._changed.wait()
        handover.given_up = handover.given_up or scope.cancelled_caught

    def _ended(self, *, sent: bool) -> ElarianError:
        """Make the error for a request that no session will carry any more."""
        error: ElarianError
        if sent or self._final is not None:
            error = ConnectionLost("the connection ended for good before the answer came", sent=sent)
            error.__cause__ = self._final
        else:
            error = ConnectionClosed("the connection was closed")
        return error

    @property
    def _idle(self) -> bool:
        """Whether nothing is under way; while the session is cut, an answer is until a transport has taken it."""
        session = self._session
        if session is None:
            return not self._requests
        return not self._requests and session.idle and (session.attached or not session.outstanding)

    @property
    def _delivered(self) -> bool:
        """Whether closing now would lose nothing: what was sent over a cut transport may not have arrived."""
        session = self._session
        return session is None or session.attached or not session.kept_bytes

    def _begin_request(self) -> None:
        """Let a request in, if any may come in, and count it until it has ended."""
        if not self._running or self._draining or self._closing:
            msg = "the client is not connected: its block was not entered, or it was left"
            raise ConnectionClosed(msg)
        self._requests += 1

    def _end_request(self) -> None:
        self._requests -= 1
        self._see_idle()

    def _see_idle(self) -> None:
        if self._draining and self._idle:
            self._notify()

    def _notify(self) -> None:
        """Wake everybody who waits for another state of things; each looks again."""
        self._changed.set()
        self._changed = Flag()

    # Sessions, one after another, and their transports.

    async def _supervise(self, task_status: TaskStatus[None]) -> None:
        await anyio.lowlevel.checkpoint()
        self._on_state("connecting", None)
        while not self._closing:
            try:
                await self._live_once(task_status)
                cause: ElarianError = ConnectionLost("the server closed the connection", sent=False)
            except SetupRejected as error:
                self._offer.weigh_refusal(error)  # most are final: it raises them
                continue
            except ResumptionRefused as error:
                self._let_go(error)
                logger.warning("%s; another session is begun", error)
                continue
            except RemoteProtocolError as error:
                self._count_strike(error)
                cause = error
            except (ConnectionFailed, ConnectionLost) as error:
                cause = error
            if not self._closing:
                await self._pause(cause)
        if not self._connected_once:
            msg = "it was closed before the first connection stood"
            raise ConnectionClosed(msg)

    async def _live_once(self, task_status: TaskStatus[None]) -> None:
        """Dial, and live in this task until the transport or the session ends; until open, for ``connect_timeout``."""
        limit = self._outage.attempt_limit(self._clock())
        session: Session | None = None
        with anyio.CancelScope(deadline=anyio.current_time() + limit) as attempt:
            self._attempt = attempt
            session, transport = await self._reach()
            self._session = session
            await self._live_on(session, transport, attempt, task_status)
        if not attempt.cancelled_caught:
            return
        if session is not None and not self._closing:
            self._weigh_silence(session)
        raise self._outage.late(limit)

    async def _reach(self) -> tuple[Session, FrameTransport]:
        """Dial for the session that is to be resumed, or for a fresh one, which a SETUP is made for first."""
        with dialing(first=not self._connected_once):
            setup = None if self._session is not None else await self._make_setup()
            transport = as_transport(await self._dial())
        return self._session or self._make_session(setup, timed=transport.timed), transport

    async def _make_setup(self) -> Setup:
        """Have a SETUP made; with a token of its own, which no variable holds, if the server is to keep the session."""
        setup = await self._setup()
        return replace(setup, resume_token=self._token()) if self._offer.made else setup

    def _make_session(self, setup: Setup | None, *, timed: bool) -> Session:
        options = self._options
        connection = Connection(
            Role.CLIENT,
            setup=setup,
            fragment_size=options.fragment_size,
            max_payload_size=options.max_payload_size,
            resume_buffer_size=options.resume_buffer_size,
            timed=timed,
        )
        return Session(connection, self._handler, on_idle=self._see_idle, clock=self._clock, redact=self._redact)

    async def _live_on(
        self, session: Session, transport: FrameTransport, attempt: anyio.CancelScope, task_status: TaskStatus[None]
    ) -> None:
        """Live until *transport* or *session* ends, and keep the session if it can be resumed."""
        opened = partial(self._opened, attempt, task_status, resumed=session.opened)
        try:
            await session.run(transport, task_status=WhenStarted(opened))
        except BaseException as error:
            if not (isinstance(error, Exception) or attempt.cancel_called):
                self._closing = True  # we are cancelled, or Ctrl-C came: the session is ended, not lost
            raise
        finally:
            self._note_end(session)

    def _opened(self, attempt: anyio.CancelScope, task_status: TaskStatus[None], *, resumed: bool) -> None:
        """Note that the session is proven, or goes on: the attempt has no limit any more."""
        if attempt.cancel_called:  # too late by a hair: the attempt counts as failed
            return
        attempt.deadline = math.inf
        self._standing = True
        self._offer.renew()
        self._outage.end()
        if self._connected_once:
            self.reconnects += 1
            self.resumptions += resumed
        self._on_state("connected", None)
        if not self._connected_once:
            self._connected_once = True
            task_status.started()
        self._notify()

    def _note_end(self, session: Session) -> None:
        """Note that a transport is gone, and the session with it unless it can be resumed."""
        if self._standing:  # else the server, which may only ever refuse, has not answered
            self._standing = False
            self._outage.begin(self._clock(), session.last_heard)
        if not session.resumable:
            self._bury(session)

    def _bury(self, session: Session) -> None:
        """Keep the counts of a session that is over, and nothing else."""
        self._session = None
        sent, received, ignored = self._past
        self._past = Traffic(
            sent + session.bytes_sent, received + session.bytes_received, ignored + session.frames_ignored
        )
        self.sessions_lost += session.opened and not self._closing
        self._notify()

    def _let_go(self, error: Exception | None) -> None:
        """End the session that was kept, if one was."""
        session = self._session
        if session is not None:
            session.end(error)
            self._bury(session)

    # What an attempt's failure means for the next.

    def _weigh_silence(self, session: Session) -> None:
        """Give up a session that nobody answered for, if little or nothing is lost with it.

        A server says so when a session is over, but one that stays silent about it must not keep us away for ever.
        """
        if session.resumable and (not session.opened or self._outage.is_long(self._clock())):
            self._let_go(ConnectionFailed("the server did not answer"))
        if not self._connected_once and session.last_heard is None:
            self._offer.weigh_silence()

    def _count_strike(self, error: RemoteProtocolError) -> None:
        """Raise *error* where it is final: before anything else was ever heard, or for the third time in a minute."""
        now = self._clock()
        self._strikes = [*self._strikes, now][-MAX_STRIKES:]
        if not self._connected_once or (len(self._strikes) == MAX_STRIKES and now - self._strikes[0] <= STRIKE_WINDOW):
            raise error

    async def _pause(self, cause: ElarianError) -> None:
        """Wait before the next attempt, or give up."""
        if self._draining and self._idle:  # the session had its last chance
            self.close()
            await anyio.lowlevel.checkpoint()
            return
        resumable = self._session is not None
        is_news = self._outage.failure is None or not (resumable and self._connected_once)
        delay = self._outage.fail(cause, self._clock(), resumable=resumable)
        if self._outage.gives_up:
            logger.warning("%s; giving up in %.2f s, before another attempt is due", cause, delay)
        else:
            words = "%s; the next attempt follows in %.2f s"
            logger.log(logging.WARNING if is_news else logging.INFO, words, cause, delay)
        self._on_state("pending", cause)
        self._hurry = Flag()
        with anyio.move_on_after(delay):
            await self._hurry.wait()
        if self._closing:
            return
        self._outage.require_time(self._clock())
        self._on_state("connecting", None)


class WhenStarted:
    """A task status that calls a function: for what runs in a task of another's, or is waited for elsewhere."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def started(self, value: object = None) -> None:
        """Call it."""
        del value
        self._call()
