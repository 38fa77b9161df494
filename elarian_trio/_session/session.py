"""A Connection and who waits for it: our requests and their waiters, the peer's to a handler, over several transports.

:mod:`elarian_trio._session.supervisor` (and, for servers, :mod:`elarian_trio._session.reception`) stand above; a
:class:`Connection` says what the bytes mean, an :class:`Attachment` has the tasks of one transport. It carries bytes
and never hears of Elarian. Here is when it begins, goes on and ends; who waits for what is in :mod:`.requests`,
:mod:`.pings` and :mod:`.undos`, the server's verdict on a client in :mod:`.judgement`, the errors in :mod:`.endings`.

Everything here but waiting is synchronous, so that the loss of a transport, or the session's end, is one step: no frame
is taken from the connection, and nobody is told anything, in between.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import anyio.lowlevel

from elarian_trio._rsocket import (
    CancelIgnored,
    Connection,
    ConnectionEnded,
    ErrorCode,
    Event,
    FireAndForgetReceived,
    FrameIgnored,
    KeepaliveAnswered,
    MetadataPushed,
    NotResumable,
    PayloadRefused,
    PeerLost,
    RequestCanceled,
    RequestFailed,
    RequestReceived,
    ResponseReceived,
    Resumed,
    ResumeRejected,
    Setup,
    SetupReceived,
)
from elarian_trio._session.attachment import Attachment, close_transport
from elarian_trio._session.callbacks import call_safely
from elarian_trio._session.endings import broken, ended_by_peer, not_resumed, plain, unanswered, words_of
from elarian_trio._session.incoming import IncomingRequest, StreamFailed
from elarian_trio._session.judgement import Judgement
from elarian_trio._session.pending import Handover, Question
from elarian_trio._session.pings import Pings
from elarian_trio._session.requests import Requests
from elarian_trio._session.undos import Undos
from elarian_trio.errors import ConnectionLost, RemoteProtocolError, SetupRejected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from anyio.abc import TaskStatus

    from elarian_trio._transport import FrameTransport

__all__ = ["Session"]

FLUSH_TIMEOUT = 2.0  # seconds that the last frames may take before the transport is closed all the same

logger = logging.getLogger("elarian_trio.session")


class Session:
    """One connection's life, on one transport after another. Made by the supervisor, or for an accepted connection.

    Where both ends agreed on a resume token it outlives its transport: see :meth:`run`.

    Args:
        connection: fresh, in the role to play.
        handler: is given each request of the peer's, in the reader task; it must not wait.
        on_setup: the server's judge, an async function: returns to accept the SETUP, raises
            :exc:`~elarian_trio.errors.SetupRejected` to refuse it. It may wait, up to 10 seconds; the reader does not
            wait for it. With it, a client that sends no SETUP for 10 seconds is closed; without, everybody is welcome.
        on_idle: called whenever the last request, of ours or of the peer's, has ended.
        clock: the present, in seconds, for the keepalives; must pass as anyio's does.
        redact: takes secrets out of the peer's words, which errors repeat.
        in_a_row: seconds for which what one read brought is acted on before others have their turn; real ones, whatever
            clock there is. 0 for a server: what its first frames are answered leaves while it acts on the next, or each
            end would wait for the other's whole batch.
        on_turn: called behind what came together, a few frames, in the same step: for a server that looks at such
            requests before it acts on each.

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
        redact: Callable[[str], str] = str,
        in_a_row: float = 0.001,
        on_turn: Callable[[], None] | None = None,
    ) -> None:
        self._connection = connection
        self.in_a_row: float = in_a_row
        self._redact = redact
        self._handler = handler
        self._on_idle = on_idle
        self._on_turn = on_turn
        self._clock = clock
        self.bytes_sent: int = 0
        self.bytes_received: int = 0
        self.frames_ignored: int = 0
        self.last_heard: float | None = None
        self._requests = Requests(connection)
        self._pings = Pings()
        self._incoming: dict[int, IncomingRequest] = {}
        self._undos = Undos()
        self._judgement = None if on_setup is None else Judgement(on_setup)
        self._opened = False
        self._check_setup: Callable[[Setup], None] | None = None
        self._on_growth: Callable[[], None] | None = None
        self._on_over: Callable[[], None] | None = None
        self._attachment: Attachment | None = None  # the present transport, until its tasks have ended
        self._error: Exception | None = None
        self._started = False
        self._peer_leaves = False  # its CONNECTION_CLOSE came: what is under way may end, nothing new begins
        self._peer_left = False  # the same of what came behind its SETUP, before that is heard in its turn
        self._leaving = False  # nothing more is taken in; what waits is still sent, unless it is over
        self._over = False  # never without the one before

    # What the rooms above call.

    @property
    def opened(self) -> bool:
        """Whether the connection was ever open: our SETUP proven accepted, or the peer's accepted by us."""
        return self._opened

    @property
    def attached(self) -> bool:
        """Whether it is open on a transport now."""
        return self._attachment is not None and self._attachment.is_open

    @property
    def owes_goodbye(self) -> bool:
        """Whether the peer may keep it and can be told not to: from the SETUP on, answered or not, but while cut."""
        attachment = self._attachment
        return attachment is not None and not attachment.is_over and (attachment.is_open or self.resumable)

    @property
    def resumable(self) -> bool:
        """Whether it would outlive the loss of its transport, or has outlived it."""
        return not self._leaving and self._connection.resumable

    @property
    def resume_token(self) -> bytes | None:
        """What names it to the server; ``None``: it is not resumed. A server knows it once the SETUP came."""
        return self._connection.resume_token

    @property
    def kept_bytes(self) -> int:
        """How many bytes of sent frames it keeps, to repeat them on another transport."""
        return 0 if self._over else self._connection.kept_bytes

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of requests and answers wait to be sent."""
        return 0 if self._over else self._connection.waiting_bytes

    @property
    def usable(self) -> bool:
        """Whether a request would be taken now; it waits where there is no transport."""
        return self._opened and not (self._leaving or self._peer_leaves or self._peer_left)

    @property
    def ending(self) -> bool:
        """Whether nothing more is taken in: every request of the peer's that waits is canceled, or about to be."""
        return self._leaving

    @property
    def idle(self) -> bool:
        """Whether no request is under way, neither of ours nor of the peer's."""
        return not (self._incoming or self._requests)

    @property
    def outstanding(self) -> int:
        """How many requests have not ended for the peer: an answer that no transport has taken yet is still owed."""
        return 0 if self._over else self._connection.outstanding

    async def run(
        self,
        transport: FrameTransport,
        *,
        received: Sequence[bytes] = (),
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        """Live on *transport* until it is lost or the session ends. Calls ``task_status.started()`` once open on it.

        The first time begins with SETUP. Later times, while the session is :attr:`resumable`, begin with RESUME, which
        a server was given as the first of *received*. A session that is over, or was closed before it began, only
        closes the transport.

        Args:
            transport: carries the frames; owned from now on, and closed in the end.
            received: frames that were already read from it.
            task_status: is told once the session is open on this transport.

        Raises:
            SetupRejected: the server refused the SETUP, or (as a server) we did.
            ResumptionRefused: the server refused the RESUME: the session is over.
            ConnectionFailed: the transport was lost before the session was ever open. Where the session is
                :attr:`resumable` it may go on by another :meth:`run`.
            ConnectionLost: it was lost later; the same holds. Requests still wait then, ours and the peer's.
            RemoteProtocolError: the peer broke the rules; it was told so, if it still listened.

        Cancellation:
            Ends the session and closes the transport; requests in flight raise ConnectionLost. A session that could be
            resumed says ERROR[CONNECTION_CLOSE] first, which takes a few seconds at most, so that a server does not
            keep it. A return to the server that is cancelled before it is granted leaves the session resumable.
        """
        if self._attachment is not None:
            msg = "a session has one transport at a time"
            raise RuntimeError(msg)
        attachment = self._attachment = Attachment(
            self, self._connection, transport, returns=self.resumable, clock=self._clock, task_status=task_status
        )
        try:
            await self._stay(attachment, received)
        except BaseExceptionGroup as group:
            rest = group.split(anyio.get_cancelled_exc_class())[1]
            if rest is not None:
                self.end()
            raise plain(rest or group) from None
        except anyio.get_cancelled_exc_class():
            if not attachment.is_over:  # its tasks had not begun
                self._interrupt(attachment)
            raise
        finally:
            if not attachment.is_over:
                self.end()
            self._attachment = None
            await close_transport(transport, forcefully=not self._over)
        if attachment.error is not None:
            raise attachment.error

    async def _stay(self, attachment: Attachment, received: Sequence[bytes]) -> None:
        await anyio.lowlevel.checkpoint()
        if self._leaving:  # closed before it began, or over
            self.end()
            attachment.stop(self._error)
        if attachment.is_over:  # or released by now
            return
        others: list[Callable[[], Awaitable[None]]] = []
        if not self._started:
            self._started = True
            self._connection.open(self._clock())
            if self._judgement is not None:
                others.append(partial(self._judge, self._judgement))
        elif received:
            received = self._accept_resume(received)
        else:
            self._connection.resume(self._clock())
        await attachment.run(received, *others, on_cancel=self._interrupt)

    def _accept_resume(self, received: Sequence[bytes]) -> Sequence[bytes]:
        """As a server: go on, or begin to end with a word where that is impossible. Give what came behind RESUME."""
        resume, *rest = received
        now = self.last_heard = self._clock()
        self.bytes_received += len(resume)
        try:
            events = self._connection.accept_resume(resume, now)
        except RemoteProtocolError as error:
            self._leave(error)
        else:
            self.hand_over(events)
        return rest

    async def request(self, data: bytes, metadata: bytes | None = None, *, handover: Handover | None = None) -> bytes:
        """Send a request and wait for its answer.

        Raises:
            StreamFailed: the peer answered with an error.
            ConnectionLost: the session ended first, or takes no requests; ``sent`` tells whether the peer may have
                acted.

        Cancellation:
            Always a checkpoint. Cancelled before the writer has taken the request, nothing is sent; later, one CANCEL
            follows it, also where the answer came meanwhile and nobody took it. That the caller was cancelled before
            it called is seen as late as the writer's turn may come: who must not send then looks first.
        """
        if not self._opened or self._leaving or self._peer_leaves or self._peer_left:
            await anyio.lowlevel.checkpoint()
            raise self._lost(sent=False)
        stream_id = self._connection.request(data, metadata)
        self._wake_writer()
        waiter = self._requests.catch(stream_id)
        if handover is not None:
            handover.follow(waiter)
        try:
            await waiter.arrival()
            return waiter.take()
        except BaseException:
            if waiter.done and waiter.error is None:  # it came behind the cancellation: whoever asked hears of none
                self._connection.disown(stream_id)
                self._wake_writer()
            raise
        finally:
            waiter.forget()
            if handover is not None and not handover.sent:  # what was sent once stays sent
                handover.sent = self._requests.was_sent(stream_id, waiter)
            if not waiter.done:
                self._connection.cancel(stream_id)
                self._wake_writer()
            if not (self._incoming or self._requests):
                self._settle()

    def ask(self, data: bytes, then: Callable[[bytes | StreamFailed | ConnectionLost], None]) -> Question:
        """Send a request and have *then* called, once, with what becomes of it: for servers, which have many to ask.

        Synchronous: requests go out in the order of the calls. *then* must not wait.

        Raises:
            ConnectionLost: the session takes no requests; nothing was sent.
        """
        if not self.usable:
            raise self._lost(sent=False)
        stream_id = self._connection.request(data)
        self._requests.expect(stream_id, partial(self._tell, then))
        self._wake_writer()
        return Question(partial(self._stop_asking, stream_id), partial(self._connection.was_received, stream_id))

    def _tell(self, then: Callable[[Any], None], outcome: bytes | Exception) -> None:
        call_safely(partial(then, outcome))
        self._settle()

    def _stop_asking(self, stream_id: int) -> None:
        if self._requests.forget(stream_id):
            self._connection.cancel(stream_id)
            self._wake_writer()
            self._settle()

    def repeat(self, stream_id: int, data: bytes) -> None:
        """Have *data* follow the answer just given on a stream: for servers that show what a broken one does."""
        self._connection.repeat(stream_id, data)

    async def ping(self) -> float:
        """Have a KEEPALIVE answered; give the round trip's seconds. Of many at once some wait for others.

        Raises:
            ConnectionLost: the session ended first, or is about to.

        Cancellation:
            Always a checkpoint. The answer is then dropped when it comes.
        """
        return await self._pings.ask(self._send_ping)

    def _send_ping(self) -> bytes:
        if not self.usable:
            raise self._lost(sent=False)
        data = self._connection.ping(self._clock())
        self._wake_writer()
        return data

    def close(self, code: int = ErrorCode.CONNECTION_CLOSE, message: str = "") -> None:
        """Close in order: what waits is sent, then ERROR on stream 0, then the transport closes.

        Requests that still wait for an answer end with ConnectionLost at once; those not yet sent never are. Returns
        at once; :meth:`run` ends within a few seconds, whatever the peer does.

        The ERROR ends a resumable session, too. A server on rsocket-java (1.1.5 was seen) only ends its own requests by
        it, and keeps the rest until its own time is over, whatever it is told.
        """
        self._leave(None, code, message)

    def release(self) -> None:
        """Drop the present transport at once, as if it had been cut; nothing more is read from it."""
        self.lose("another transport took its place")

    def is_outdated(self, resume: bytes) -> bool:
        """Whether *resume*, a RESUME of this session, is one that its client has given up since."""
        return self._connection.is_outdated(resume)

    def oversee(
        self,
        *,
        check_setup: Callable[[Setup], None],
        on_growth: Callable[[], None],
        on_over: Callable[[], None],
    ) -> None:
        """For the reception: have a server's session looked after. All functions are synchronous.

        Args:
            check_setup: called with the SETUP at once when it comes, before anybody judges it; raises
                :exc:`~elarian_trio.errors.SetupRejected` to refuse it.
            on_growth: called whenever something more waits for a transport; must not end the session.
            on_over: called once the session is over and every waiter was told.
        """
        self._check_setup = check_setup
        self._on_growth = on_growth
        self._on_over = on_over

    # Ends. Whoever comes first says why, and every waiter wakes in the same step.

    def lose(self, what: str, cause: BaseException | None = None) -> None:
        """For the tasks of the transport: it is gone. The session goes on without one, or is over."""
        attachment = self._attachment
        if attachment is None or attachment.is_over:
            return
        if self._leaving or self._peer_leaves:
            self.end()
            return
        error = broken(what, cause, opened=self._opened, sent=self._requests.any_sent)
        if self._connection.lose_transport():
            self._detach(attachment, error)
        else:
            self.end(error)

    def _detach(self, attachment: Attachment, error: Exception | None) -> None:
        """Leave the transport. Requests wait for the next one; a ping's answer would not come by it."""
        attachment.stop(error)
        self._pings.fail_all(lambda _: unanswered("the connection was cut", error, sent=False))

    def _interrupt(self, attachment: Attachment) -> None:
        """Cancelled from outside: the session is over, except before it is back, where it has lost nothing.

        The server is told where it may keep the session, which it may from the SETUP on, answered or not.
        """
        if self._leaving:
            if attachment.flushed or self.resume_token is None:
                self.end()
        elif attachment.returns and not attachment.is_open and self._connection.lose_transport():
            self._detach(attachment, None)
        elif self.resumable:
            self._leave(None, ErrorCode.CONNECTION_CLOSE)
        else:
            self.end()

    def _leave(self, error: Exception | None, code: int | None = None, message: str = "") -> None:
        """Begin to end: nothing more is taken in, what waits is still sent, and ERROR[*code*] behind it."""
        if self._leaving:
            return
        if self._attachment is None and self._started:
            self.end(error)
            return
        self._leaving = True
        self._error = error
        self._wake_all()  # first: what was not sent by now never will be
        if code is not None and self._started:
            self._connection.close(code, message)
        if self._attachment is not None:
            self._attachment.stop_within(FLUSH_TIMEOUT)

    def end(self, error: Exception | None = None) -> None:
        """End now: nothing more is sent, and every waiter wakes. May be repeated.

        *error* comes out of :meth:`run`, unless the session was about to end by then.
        """
        if self._over:
            return
        if not self._leaving:
            self._error = error
        self._leaving = self._over = True
        self._wake_all()
        if self._attachment is not None:
            self._attachment.stop(self._error)
        if self._on_over is not None:
            call_safely(self._on_over)

    def _wake_all(self) -> None:
        """Tell each waiter the truth, whatever it waits for."""
        for stream_id in self._requests.unanswered():
            self._requests.give_up(stream_id, self._lost)
        self._pings.fail_all(lambda _: self._lost(sent=False))
        for incoming in list(self._incoming.values()):
            incoming.cancel()
        self._incoming.clear()

    def _lost(self, sent: bool) -> ConnectionLost:
        """Make the error of one waiter; the session's own is its cause."""
        return unanswered("the session ended", self._error, sent=sent)

    def _settle(self) -> None:
        """See whether the last request has ended, for whoever waits for that."""
        if self._incoming or self._requests:
            return
        if self._peer_leaves:
            self._leave(None)
        if self._on_idle is not None:
            self._on_idle()

    # What came by the transport.

    def take_in(self, frames: Sequence[bytes]) -> None:
        """For the reader: feed the connection, and hand over what it reports; what comes while leaving is dropped.

        A frame counts as received in the same step as it is acted on: the peer never repeats it.
        """
        now = self.last_heard = self._clock()
        attachment, receive, reactions = self._attachment, self._connection.receive_frame, self._REACTIONS
        for frame in frames:
            if self._leaving or attachment is None or attachment.is_over:
                break
            self.bytes_received += len(frame)
            try:
                events = receive(frame, now)
            except RemoteProtocolError as error:  # the connection has queued the ERROR that says so
                self._leave(error)
                break
            for event in events:
                if not self._leaving:
                    reactions[type(event)](self, event)
        self._end_turn()

    def hand_over(self, events: list[Event]) -> None:
        """React to what the connection reports of itself: for the timer, and as a server lets a client in or back."""
        for event in events:
            if not self._leaving:
                self._REACTIONS[type(event)](self, event)
        self._end_turn()

    def _end_turn(self) -> None:
        """Have what came together acted on, and what is to be sent taken."""
        if self._on_turn is not None:
            call_safely(self._on_turn)
        if self._connection.wants_to_send:
            self._wake_writer()

    def _wake_writer(self) -> None:
        if self._attachment is not None:
            self._attachment.wake()
        elif self._on_growth is not None:
            self._on_growth()

    # The server's judgement of a SETUP.

    async def _judge(self, judgement: Judgement) -> None:
        """As a server: wait for the verdict on the SETUP, and let the client in or not."""
        verdict = await judgement.verdict()
        if verdict is None:
            self._accept()
        elif isinstance(verdict, SetupRejected):
            self._refuse(verdict)
        else:
            self.end(verdict)

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
        # Who is told that it is open may ask at once; a client that has left by then is served, and asked nothing.
        self._peer_left = any(isinstance(event, ConnectionEnded) for event in events)
        self._open()
        self.hand_over(events)

    def _open(self) -> None:
        self._opened = True
        if self._attachment is not None:
            self._attachment.open()

    # What the connection reports.

    def _on_setup_received(self, event: SetupReceived) -> None:
        try:
            if self._check_setup is not None:
                self._check_setup(event.setup)
        except SetupRejected as error:
            self._refuse(error)
            return
        if self._judgement is None:
            self._accept()
        else:
            self._judgement.hand_over(event.setup)

    def _on_keepalive_answered(self, event: KeepaliveAnswered) -> None:
        if not self.opened:
            self._open()
        self._pings.resolve(event.data, event.round_trip)

    def _on_request(self, event: RequestReceived) -> None:
        stream_id = event.stream_id
        request = self._incoming[stream_id] = IncomingRequest(self, event.data, event.metadata, stream_id)
        try:
            self._handler(request)
        except Exception as error:
            request.fail_by(error)

    def answer(self, stream_id: int, answer: bytes | StreamFailed) -> bool:
        """For a request of the peer's: queue the answer to it; ``False`` if it waits no more."""
        self._incoming.pop(stream_id, None)
        if isinstance(answer, StreamFailed):
            queued = self._connection.fail(stream_id, answer.code, answer.message)
        else:
            queued = self._connection.respond(stream_id, answer)
        self._wake_writer()
        if not (self._incoming or self._requests):
            self._settle()
        return queued

    def undo_unless_heard(self, stream_id: int, undo: Callable[[], object]) -> None:
        """For a request of the peer's that is answered: have *undo* called if it is given up all the same."""
        self._undos.keep(stream_id, undo)

    def _on_cancel_ignored(self, event: CancelIgnored) -> None:
        self.frames_ignored += 1
        self._undos.perform(event.stream_id)

    def _on_request_canceled(self, event: RequestCanceled) -> None:
        incoming = self._incoming.pop(event.stream_id, None)
        if incoming is not None:
            incoming.cancel()
            self._settle()
        else:
            self._undos.perform(event.stream_id)

    def _on_response(self, event: ResponseReceived) -> None:
        self._requests.resolve(event.stream_id, event.data)

    def _on_request_failed(self, event: RequestFailed) -> None:
        self._requests.fail(event.stream_id, StreamFailed(event.code, self._redact(event.message)))

    def _on_connection_ended(self, event: ConnectionEnded) -> None:
        if event.code == ErrorCode.CONNECTION_CLOSE and self.opened:
            self._peer_leaves = True
            for stream_id in self._requests.unsent():
                self._requests.give_up(stream_id, self._lost)
            self._settle()
        else:
            words, sent = self._words(event.message), self._requests.any_sent
            self.end(ended_by_peer(event.code, words, opened=self._opened, sent=sent))

    def _words(self, message: str) -> str:
        return words_of(message, self._redact, self.resume_token)

    def _on_peer_lost(self, _: PeerLost) -> None:
        self.lose("the peer fell silent: no KEEPALIVE came within the lifetime agreed on")

    def _on_resumed(self, _: Resumed) -> None:
        self._open()

    def _on_resume_rejected(self, event: ResumeRejected) -> None:
        self.end(not_resumed(event.code, self._words(event.message), sent=self._requests.any_sent))

    def _on_not_resumable(self, event: NotResumable) -> None:
        logger.warning("the session would not outlive its connection any more: %s", event.reason)

    def _on_ignored(self, _: object) -> None:
        self.frames_ignored += 1

    def _on_payload_refused(self, event: PayloadRefused) -> None:
        self.frames_ignored += 1
        logger.warning("a request of the peer's was refused: %s", event.reason)

    _REACTIONS: ClassVar[dict[type[Event], Callable[[Session, Any], None]]] = {
        SetupReceived: _on_setup_received,
        KeepaliveAnswered: _on_keepalive_answered,
        RequestReceived: _on_request,
        RequestCanceled: _on_request_canceled,
        ResponseReceived: _on_response,
        RequestFailed: _on_request_failed,
        ConnectionEnded: _on_connection_ended,
        PeerLost: _on_peer_lost,
        Resumed: _on_resumed,
        ResumeRejected: _on_resume_rejected,
        NotResumable: _on_not_resumable,
        FrameIgnored: _on_ignored,
        CancelIgnored: _on_cancel_ignored,
        PayloadRefused: _on_payload_refused,
        FireAndForgetReceived: _on_ignored,  # Elarian's protocol has no use for these two
        MetadataPushed: _on_ignored,
    }
