"""A Connection on a transport: reader, writer and timer tasks, our requests and their waiters, the peer's to a handler.

:mod:`elarian_trio._session.supervisor` (and the sandbox's server) stand above; a :class:`Connection` says what the
bytes mean, a :class:`FrameTransport` carries them. It carries bytes and never hears of Elarian.

Only the writer task sends on the transport. It is woken by an event, takes whatever frames wait by then, and sends them
in one write, so a cancelled caller never leaves half a frame. The reader hands events over synchronously and waits for
nobody but the transport.
"""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from functools import partial
from traceback import format_tb
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import anyio.lowlevel

from elarian_trio._rsocket import (
    Connection,
    ConnectionEnded,
    ErrorCode,
    Event,
    FireAndForgetReceived,
    FrameIgnored,
    KeepaliveAnswered,
    MetadataPushed,
    Payload,
    PeerLost,
    RequestCanceled,
    RequestFailed,
    RequestReceived,
    ResponseReceived,
    Setup,
    SetupReceived,
)
from elarian_trio._session.incoming import IncomingRequest, StreamFailed, call_safely
from elarian_trio._session.pending import Pending, Waiter
from elarian_trio.errors import ConnectionFailed, ConnectionLost, ElarianError, RemoteProtocolError, SetupRejected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from anyio.abc import TaskStatus

    from elarian_trio._transport import FrameTransport

__all__ = ["Handover", "Session"]

SETUP_TIMEOUT = 10.0  # seconds a client has for its SETUP, and a server of ours for judging it
FLUSH_TIMEOUT = 2.0  # seconds that the last frames may take before the transport is closed all the same
LINGER_TIMEOUT = 0.5  # seconds for the peer to close first: closing over its unread bytes resets a TCP connection
CLOSE_TIMEOUT = 1.0  # seconds for a transport's own goodbye
MAX_PINGS = 64  # under way at once: peers, ours included, forget the oldest of very many, whose askers would wait on
MAX_TEXT = 400  # characters of a peer's words that an error repeats

_SETUP_CODES = frozenset({ErrorCode.INVALID_SETUP, ErrorCode.UNSUPPORTED_SETUP, ErrorCode.REJECTED_SETUP})
_TRANSPORT_ERRORS = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)

logger = logging.getLogger("elarian_trio.session")


class Handover:
    """What a caller may pass along with a request, to know what became of it, above all after a timeout of its own.

    Attributes:
        sent: whether the request's first byte was handed to the transport, so that the peer may have acted on it;
            true to fact once the request has ended.
    """

    __slots__ = ("_waiter", "sent")

    def __init__(self) -> None:
        self.sent: bool = False
        self._waiter: Waiter[bytes] | None = None

    @property
    def answered(self) -> bool:
        """Whether the peer's answer has come, be it that the caller has yet to take it."""
        return self._waiter is not None and self._waiter.done and not isinstance(self._waiter.error, ConnectionLost)

    def follow(self, waiter: Waiter[bytes]) -> None:
        """For the session: note who waits for the answer now."""
        self._waiter = waiter

    def note(self, *, sent: bool) -> None:
        """For the session: remember *sent*; what was sent once stays sent."""
        self.sent = self.sent or sent


class Session:
    """One connection's life on a transport. Made by the supervisor, or for an accepted connection.

    Args:
        connection: fresh, in the role to play.
        handler: is given each request of the peer's, in the reader task; it must not wait.
        on_setup: the server's judge, an async function: returns to accept the SETUP, raises
            :exc:`~elarian_trio.errors.SetupRejected` to refuse it. It may wait, up to 10 seconds; the reader does not
            wait for it. With it, a client that sends no SETUP for 10 seconds is closed; without, everybody is welcome.
        on_idle: called whenever the last request, of ours or of the peer's, has ended.
        clock: the present, in seconds, for the keepalives; must pass as anyio's does.

    Attributes:
        bytes_sent: of frames, without length prefixes.
        bytes_received: the same.
        frames_ignored: how many frames the protocol wanted dropped in silence.
        last_heard: when, by ``clock``, the peer last sent anything; ``None`` for never.
    """

    def __init__(
        self,
        connection: Connection,
        handler: Callable[[IncomingRequest], None],
        *,
        on_setup: Callable[[Setup], Awaitable[None]] | None = None,
        on_idle: Callable[[], None] | None = None,
        clock: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._connection = connection
        self._handler = handler
        self._on_setup = on_setup
        self._on_idle = on_idle
        self._clock = clock
        self.bytes_sent: int = 0
        self.bytes_received: int = 0
        self.frames_ignored: int = 0
        self.last_heard: float | None = None
        self._requests: Pending[int, bytes] = Pending()
        self._pings: Pending[bytes, float] = Pending()
        self._ping_turns = anyio.Semaphore(MAX_PINGS)
        self._incoming: dict[int, IncomingRequest] = {}
        self._setup: Setup | None = None
        self._setup_came = anyio.Event()
        self._opened = anyio.Event()
        self._work = anyio.Event()  # for the writer: something waits to be sent
        self._rearm = anyio.Event()  # for the timer: an earlier deadline may have come up
        self._scope = anyio.CancelScope()
        self._error: Exception | None = None
        self._started = False
        self._peer_leaves = False  # its CONNECTION_CLOSE came: what is under way may end, nothing new begins
        self._leaving = False  # nothing more is taken in; what waits is still sent
        self._flushed = self._read_over = False
        self._over = False

    # What the rooms above call.

    @property
    def opened(self) -> bool:
        """Whether the connection was ever open: our SETUP proven accepted, or the peer's accepted by us."""
        return self._opened.is_set()

    @property
    def usable(self) -> bool:
        """Whether a request would be taken now."""
        return self.opened and not (self._leaving or self._peer_leaves or self._over)

    @property
    def ending(self) -> bool:
        """Whether nothing more is taken in: every request of the peer's that waits is canceled, or about to be."""
        return self._leaving or self._over

    @property
    def idle(self) -> bool:
        """Whether no request is under way, neither of ours nor of the peer's."""
        return not (self._requests or self._incoming)

    async def run(
        self,
        transport: FrameTransport,
        *,
        received: Sequence[bytes] = (),
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Live on *transport* until either side closes in order. Calls ``task_status.started()`` once open.

        Args:
            transport: carries the frames; owned from now on, and closed in the end.
            received: frames that were already read from it.
            task_status: is told once the session is open.

        Raises:
            SetupRejected: the server refused the SETUP, or (as a server) we did.
            ConnectionFailed: the connection was lost before it was open.
            ConnectionLost: it was lost later.
            RemoteProtocolError: the peer broke the rules; it was told so, if it still listened.

        Cancellation:
            Closes the transport without another word; requests in flight raise ConnectionLost.
        """
        if self._started:
            msg = "a session runs once"
            raise RuntimeError(msg)
        self._started = True
        try:
            with self._scope:
                await self._run_tasks(transport, received, task_status)
        except BaseExceptionGroup as group:
            raise _plain(group.split(anyio.get_cancelled_exc_class())[1] or group) from None
        finally:
            self._end(None)
            await _close(transport)
        if self._error is not None:
            raise self._error

    async def request(self, data: bytes, metadata: bytes | None = None, *, handover: Handover | None = None) -> bytes:
        """Send a request and wait for its answer.

        Raises:
            StreamFailed: the peer answered with an error.
            ConnectionLost: the session ended first, or takes no requests; ``sent`` tells whether the peer may have
                acted.

        Cancellation:
            Always a checkpoint. Cancelled before the writer has taken the request, nothing is sent; later, one CANCEL
            follows it.
        """
        handover = handover or Handover()
        if not self.usable:
            await anyio.lowlevel.checkpoint()
            raise self._lost(sent=False)
        stream_id = self._connection.request(Payload(data, metadata))
        self._work.set()
        try:
            with self._requests.catch(stream_id) as waiter:
                handover.follow(waiter)
                try:
                    return await waiter.wait()
                finally:
                    handover.note(sent=self._was_sent(stream_id, waiter))
                    if not waiter.done:
                        self._connection.cancel(stream_id)
                        self._work.set()
        finally:
            self._settle()

    def ask(self, data: bytes, then: Callable[[bytes | StreamFailed | ConnectionLost], None]) -> Callable[[], None]:
        """Send a request and have *then* called, once, with what becomes of it: for servers, which have many to ask.

        Synchronous: requests go out in the order of the calls. *then* must not wait.

        Returns:
            A function that gives the request up: *then* is not called, and a CANCEL follows what was sent.

        Raises:
            ConnectionLost: the session takes no requests; nothing was sent.
        """
        if not self.usable:
            raise self._lost(sent=False)
        stream_id = self._connection.request(Payload(data))
        self._requests.expect(stream_id, partial(self._tell, then))
        self._work.set()
        return partial(self._stop_asking, stream_id)

    def _tell(self, then: Callable[[Any], None], outcome: bytes | Exception) -> None:
        call_safely(partial(then, outcome))
        self._settle()

    def _stop_asking(self, stream_id: int) -> None:
        if self._requests.forget(stream_id):
            self._connection.cancel(stream_id)
            self._work.set()
            self._settle()

    def _was_sent(self, stream_id: int, waiter: Waiter[bytes]) -> bool:
        """Whether the peer may have acted, also where the caller was cancelled in the moment the session ended."""
        if isinstance(waiter.error, ConnectionLost):  # the connection has forgotten what was not sent
            return waiter.error.sent
        return waiter.done or self._connection.was_sent(stream_id)

    async def ping(self) -> float:
        """Have a KEEPALIVE answered; give the round trip's seconds. Of many at once some wait for others.

        Raises:
            ConnectionLost: the session ended first, or is about to.

        Cancellation:
            Always a checkpoint. The answer is then dropped when it comes.
        """
        async with self._ping_turns:
            if not self.usable:
                raise self._lost(sent=False)
            with self._pings.catch(self._connection.ping(self._clock())) as waiter:
                self._work.set()
                return await waiter.wait()

    def close(self, code: int = ErrorCode.CONNECTION_CLOSE, message: str = "") -> None:
        """Close in order: what waits is sent, then ERROR on stream 0, then the transport closes.

        Requests that still wait for an answer end with ConnectionLost at once; those not yet sent never are. Returns
        at once; :meth:`run` ends within a few seconds, whatever the peer does.
        """
        self._leave(None, code, message)

    # Ends. Whoever comes first says why, and every waiter wakes in the same step.

    def _leave(self, error: Exception | None, code: int | None = None, message: str = "") -> None:
        """Begin to end: nothing more is taken in, what waits is still sent, and ERROR[*code*] behind it."""
        if self._leaving or self._over:
            return
        self._leaving = True
        self._error = error
        self._wake_all()  # first: what was not sent by now never will be
        if code is not None and self._started:
            self._connection.close(code, message)
        self._scope.deadline = anyio.current_time() + FLUSH_TIMEOUT
        self._work.set()

    def _end(self, error: Exception | None) -> None:
        """End now: no task goes on, nothing more is sent."""
        if self._over:
            return
        if not self._leaving:
            self._error = error
        self._leaving = self._over = True
        self._wake_all()
        self._scope.cancel()

    def _wake_all(self) -> None:
        """Tell each waiter the truth, whatever it waits for."""
        for stream_id in self._requests.unanswered():
            self._give_up(stream_id)
        self._pings.fail_all(lambda _: self._lost(sent=False))
        for incoming in list(self._incoming.values()):
            incoming.cancel()
        self._incoming.clear()

    def _give_up(self, stream_id: int) -> None:
        sent = self._connection.was_sent(stream_id)
        if not sent:
            self._connection.cancel(stream_id)
        self._requests.fail(stream_id, self._lost(sent=sent))

    def _lost(self, *, sent: bool) -> ConnectionLost:
        """Make the error of one waiter; the session's own is its cause."""
        reason = f": {self._error}" if isinstance(self._error, ElarianError) else ""
        lost = ConnectionLost(f"the session ended before the answer came{reason}", sent=sent)
        lost.__cause__ = self._error
        return lost

    def _broken(self, what: str, cause: BaseException | None = None) -> Exception:
        """Make the session's own error, which is another one before the connection is open."""
        error: ElarianError
        if self.opened:
            error = ConnectionLost(what, sent=any(map(self._connection.was_sent, self._requests.unanswered())))
        else:
            error = ConnectionFailed(f"{what}, before the connection was open")
        error.__cause__ = cause
        return error

    def _settle(self) -> None:
        """See whether the last request has ended, for whoever waits for that."""
        if not self.idle:
            return
        if self._peer_leaves:
            self._leave(None)
        if self._on_idle is not None:
            self._on_idle()

    # The tasks. None of them raises; each records why it ended.

    async def _run_tasks(
        self, transport: FrameTransport, received: Sequence[bytes], task_status: TaskStatus[None]
    ) -> None:
        if self._leaving:  # closed before it began
            await anyio.lowlevel.checkpoint()
            return
        self._connection.open(self._clock())
        async with anyio.create_task_group() as tasks:
            for work in (partial(self._read, transport, received), partial(self._write, transport), self._time):
                tasks.start_soon(self._guard, work)
            if self._on_setup is not None:
                tasks.start_soon(self._guard, partial(self._judge, self._on_setup))
            await self._opened.wait()
            task_status.started()

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except _TRANSPORT_ERRORS as error:
            self._end(None if self._peer_leaves else self._broken(_describe(error), error))
        except Exception as error:  # a defect: it ends the session, and comes out of run() as it is
            self._end(error)
        await anyio.lowlevel.checkpoint()

    async def _read(self, transport: FrameTransport, frames: Sequence[bytes]) -> None:
        try:
            while True:
                if frames:  # no checkpoint between reading and feeding: a cancelled reader would lose frames
                    self._take_in(frames)
                frames = await transport.receive_frames()
        except _TRANSPORT_ERRORS:
            self._read_over = True
            if not self._leaving:
                raise
            if self._flushed:
                self._end(None)
            await anyio.lowlevel.checkpoint()

    def _take_in(self, frames: Sequence[bytes]) -> None:
        """Feed the connection, and hand over what it reports; what comes while leaving is dropped."""
        now = self.last_heard = self._clock()
        for frame in frames:
            if self._leaving:
                return
            self.bytes_received += len(frame)
            try:
                events = self._connection.receive_frame(frame, now)
            except RemoteProtocolError as error:  # the connection has queued the ERROR that says so
                self._leave(error)
                return
            self._hand_over(events)

    async def _write(self, transport: FrameTransport) -> None:
        while True:
            while frames := self._connection.frames_to_send():
                await transport.send_frames(frames)
                self.bytes_sent += sum(map(len, frames))
            if self._leaving:
                break
            await self._work.wait()
            self._work = anyio.Event()
        await self._say_goodbye(transport)

    async def _say_goodbye(self, transport: FrameTransport) -> None:
        """Let the peer close first, for a moment, where closing could cost it our last words."""
        self._flushed = True
        if self._read_over or not transport.timed:
            self._end(None)
        self._scope.deadline = anyio.current_time() + LINGER_TIMEOUT
        with suppress(NotImplementedError, *_TRANSPORT_ERRORS):
            await transport.send_eof()
        await anyio.lowlevel.checkpoint()

    async def _time(self) -> None:
        await anyio.lowlevel.checkpoint()
        while not self._leaving:
            deadline = self._connection.next_deadline()
            now = self._clock()
            if deadline is not None and deadline <= now:
                self._hand_over(self._connection.tick(now))
                deadline = now
            with anyio.move_on_after(math.inf if deadline is None else max(deadline - now, 0.0)):
                await self._rearm.wait()
                self._rearm = anyio.Event()

    async def _judge(self, on_setup: Callable[[Setup], Awaitable[None]]) -> None:
        """As a server: wait for the SETUP, have it judged, and let the client in or not."""
        with anyio.move_on_after(SETUP_TIMEOUT):
            await self._setup_came.wait()
        setup, self._setup = self._setup, None  # it holds credentials: kept no longer than they are needed
        if setup is None:
            self._end(ConnectionFailed(f"no SETUP came within {SETUP_TIMEOUT:g} s"))
            await anyio.lowlevel.checkpoint()
            return
        try:
            with anyio.fail_after(SETUP_TIMEOUT):
                await on_setup(setup)
        except SetupRejected as error:
            self._refuse(error)
        except Exception as error:
            logger.error("judging a SETUP raised %s", type(error).__name__)  # not its words: it saw credentials
            logger.debug("it was raised here:\n%s", "".join(format_tb(error.__traceback__)))
            self._refuse(SetupRejected("the setup could not be checked"))
        else:
            self._accept()
        await anyio.lowlevel.checkpoint()

    def _refuse(self, error: SetupRejected) -> None:
        if self._leaving:
            return
        self._connection.reject_setup(error.code or ErrorCode.REJECTED_SETUP, str(error))
        self._leave(error)

    def _accept(self) -> None:
        if self._leaving:
            return
        try:
            events = self._connection.accept_setup(self._clock())
        except RemoteProtocolError as error:  # in what came behind the SETUP
            self._leave(error)
            return
        self._open()
        self._hand_over(events)

    def _open(self) -> None:
        self._opened.set()
        self._rearm.set()

    # What the connection reports.

    def _hand_over(self, events: list[Event]) -> None:
        for event in events:
            if not self._leaving:
                self._REACTIONS[type(event)](self, event)
        if self._connection.wants_to_send:
            self._work.set()

    def _on_setup_received(self, event: SetupReceived) -> None:
        if self._on_setup is None:
            self._accept()
        else:
            self._setup = event.setup
            self._setup_came.set()

    def _on_keepalive_answered(self, event: KeepaliveAnswered) -> None:
        if not self.opened:
            self._open()
        self._pings.resolve(event.data, event.round_trip)

    def _on_request(self, event: RequestReceived) -> None:
        answer = partial(self._answer, event.stream_id)
        request = IncomingRequest(self, event.payload.data, event.payload.metadata, answer)
        self._incoming[event.stream_id] = request
        error = call_safely(partial(self._handler, request))
        if error is not None:
            request.fail(ErrorCode.APPLICATION_ERROR, type(error).__name__)

    def _answer(self, stream_id: int, answer: bytes | StreamFailed) -> bool:
        """Queue the answer to a request of the peer's; ``False`` if it waits no more."""
        self._incoming.pop(stream_id, None)
        if isinstance(answer, StreamFailed):
            queued = self._connection.fail(stream_id, answer.code, answer.message)
        else:
            queued = self._connection.respond(stream_id, Payload(answer))
        self._work.set()
        self._settle()
        return queued

    def _on_request_canceled(self, event: RequestCanceled) -> None:
        incoming = self._incoming.pop(event.stream_id, None)
        if incoming is not None:
            incoming.cancel()
            self._settle()

    def _on_response(self, event: ResponseReceived) -> None:
        self._requests.resolve(event.stream_id, event.payload.data)

    def _on_request_failed(self, event: RequestFailed) -> None:
        self._requests.fail(event.stream_id, StreamFailed(event.code, event.message))

    def _on_connection_ended(self, event: ConnectionEnded) -> None:
        words = _printable(event.message)
        if event.code == ErrorCode.CONNECTION_CLOSE and self.opened:
            self._peer_leaves = True
            for stream_id in self._requests.unanswered():
                if not self._connection.was_sent(stream_id):
                    self._give_up(stream_id)
            self._settle()
        elif event.code in _SETUP_CODES and not self.opened:
            self._end(SetupRejected(words or "the server refused the setup", code=event.code))
        else:
            self._end(self._broken(f"the peer ended the connection with error 0x{event.code:03x} ({words})"))

    def _on_peer_lost(self, _: PeerLost) -> None:
        self._end(self._broken("the peer fell silent: no KEEPALIVE came within the lifetime agreed on"))

    def _on_ignored(self, _: object) -> None:
        self.frames_ignored += 1

    _REACTIONS: ClassVar[dict[type[Event], Callable[[Session, Any], None]]] = {
        SetupReceived: _on_setup_received,
        KeepaliveAnswered: _on_keepalive_answered,
        RequestReceived: _on_request,
        RequestCanceled: _on_request_canceled,
        ResponseReceived: _on_response,
        RequestFailed: _on_request_failed,
        ConnectionEnded: _on_connection_ended,
        PeerLost: _on_peer_lost,
        FrameIgnored: _on_ignored,
        FireAndForgetReceived: _on_ignored,  # Elarian's protocol has no use for these two
        MetadataPushed: _on_ignored,
    }


def _printable(message: str) -> str:
    """Give a peer's words as an error may repeat them and a log may hold them: on one line, and not too many."""
    return "".join(each if each.isprintable() else " " for each in message[:MAX_TEXT])


async def _close(transport: FrameTransport) -> None:
    """Close *transport* whatever has happened, and whatever happens meanwhile, within a bound."""
    with anyio.move_on_after(CLOSE_TIMEOUT, shield=True), suppress(*_TRANSPORT_ERRORS):
        await transport.aclose()
    await anyio.lowlevel.cancel_shielded_checkpoint()


def _describe(error: BaseException) -> str:
    if isinstance(error, anyio.EndOfStream):
        return "the peer closed the transport"
    return "the transport broke"


def _plain(error: BaseException) -> BaseException:
    """Give the one error inside groups of one (Ctrl-C, in practice), or what was given."""
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _plain(inner[0]) if len(inner) == 1 else error
