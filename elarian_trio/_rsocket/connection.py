"""One RSocket connection without I/O: frames in, events out, frames to send; over several transports if it is resumed.

Above: the session, which moves the bytes and tells the time. Below: everything else in this room. Facts about frames
and reactions are Protocol.md's, version 1.0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from elarian_trio._rsocket.admission import Admission
from elarian_trio._rsocket.events import (
    ConnectionEnded,
    Event,
    FrameIgnored,
    KeepaliveAnswered,
    MetadataPushed,
    NotResumable,
    PeerLost,
    Resumed,
    ResumeRejected,
    SetupReceived,
)
from elarian_trio._rsocket.fragments import MIN_FRAGMENT_SIZE, Assemblies, fit_error
from elarian_trio._rsocket.frames import (
    HEADER_SIZE,
    MAX_FRAME_SIZE,
    CancelFrame,
    ErrorCode,
    ErrorFrame,
    Frame,
    KeepaliveFrame,
    MetadataPushFrame,
    PayloadFrame,
    RequestChannelFrame,
    RequestFnfFrame,
    RequestNFrame,
    RequestResponseFrame,
    RequestStreamFrame,
    ResumeFrame,
    SetupFrame,
    decode_frame,
    describe_frame,
    encode_frame,
    read_whole,
)
from elarian_trio._rsocket.handshake import ask_to_resume, grant_resume, is_outdated, resume_token_of, take_grant
from elarian_trio._rsocket.keepalive import Keepalive
from elarian_trio._rsocket.outbox import Outbox
from elarian_trio._rsocket.phases import DEAF_PHASES, LIVE_PHASES, ConnectionPhase, Role
from elarian_trio._rsocket.refusal import PeerRefused
from elarian_trio._rsocket.requester import Requester
from elarian_trio._rsocket.responder import Responder
from elarian_trio._rsocket.resume import Resumption
from elarian_trio._rsocket.setup import setup_to_frame
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket.frames import IncomingFrame
    from elarian_trio._rsocket.setup import Setup
    from elarian_trio._rsocket.turns import Departure

_SETUP_ERRORS = range(ErrorCode.INVALID_SETUP, ErrorCode.REJECTED_RESUME + 1)


def _check_fragment_size(fragment_size: int) -> None:
    if not MIN_FRAGMENT_SIZE <= fragment_size <= MAX_FRAME_SIZE:
        msg = f"fragment_size must be from {MIN_FRAGMENT_SIZE} to {MAX_FRAME_SIZE}, got {fragment_size}"
        raise ValueError(msg)


_OPEN = ConnectionPhase.OPEN  # each frame asks; to look an enum's members up takes ten times as long


class Connection:
    """One RSocket connection, either end. Made by whoever runs a session.

    It outlives its transport where both ends agreed on a resume token: ``lose_transport`` detaches it, and on another
    transport ``resume`` or ``accept_resume`` goes on with every stream as it was.

    Args:
        setup: what a client offers; servers have none.
        fragment_size: frames that would be larger, their length prefix included, are cut. Bytes.
        max_payload_size: a larger request or answer of the peer is refused. Bytes, data and metadata together.
        timed: False sends only the KEEPALIVE that proves the connection, and no lifetime runs.
        max_incoming: requests of the peer that may wait for our answer; further ones are answered REJECTED.
        setup_timeout: seconds a server waits for the SETUP.
        resume_buffer_size: bytes of sent frames that may be kept until the peer has them; what finds no room waits. A
            client needs it with a resume token; a server with ``None`` keeps no sessions and refuses such clients.
    """

    def __init__(
        self,
        role: Role,
        *,
        setup: Setup | None = None,
        fragment_size: int = 64 * 1024,
        max_payload_size: int = 16 * 1024 * 1024,
        timed: bool = True,
        max_incoming: int = 16384,
        setup_timeout: float = 60.0,
        resume_buffer_size: int | None = None,
    ) -> None:
        if (setup is not None) is not (role is Role.CLIENT):
            msg = "a client offers a setup, a server has none"
            raise ValueError(msg)
        _check_fragment_size(fragment_size)
        self._role = role
        self._setup = setup
        self._max_whole_size = max_payload_size + HEADER_SIZE  # bytes of a frame, where all behind its header is data
        self._timed = timed
        self._setup_timeout = setup_timeout
        self._resume_buffer_size = resume_buffer_size
        self._resumption = Resumption()
        if setup is not None and setup.resume_token is not None:
            if resume_buffer_size is None:
                msg = "a setup with a resume token needs a resume_buffer_size"
                raise ValueError(msg)
            self._resumption.begin(setup.resume_token, resume_buffer_size)
        self._phase = ConnectionPhase.CONNECTING
        self._is_started = False
        self._admission = Admission(resumable=resume_buffer_size is not None, max_bytes=max_payload_size)
        self._outbox = Outbox(fragment_size, self._resumption)
        self._keepalive = Keepalive()
        turns, assemblies = self._outbox.turns, Assemblies(max_payload_size)
        self._requester = Requester(1 if role is Role.CLIENT else 2, turns, assemblies)
        self._responder = Responder(turns, assemblies, max_incoming)
        ours, peers = self._requester, self._responder
        self._sides = (peers, ours) if role is Role.CLIENT else (ours, peers)  # of streams with even ids, and with odd

    @property
    def state(self) -> ConnectionPhase:
        """How far the connection has come."""
        return self._phase

    @property
    def wants_to_send(self) -> bool:
        """Whether ``frames_to_send`` would give anything; not so while what waits finds no room to be kept."""
        return bool(self._outbox)

    @property
    def outstanding(self) -> int:
        """How many requests, ours and the peer's, have not ended yet."""
        return len(self._requester) + len(self._responder)

    @property
    def resume_token(self) -> bytes | None:
        """What names the session to a server; a server knows it once the SETUP came. ``None``: it is not resumed."""
        return self._resumption.token

    @property
    def resumable(self) -> bool:
        """Whether losing the transport leaves, or has left, the connection DETACHED.

        For a client from the moment its SETUP was handed out, for a server from acceptance on; not once it is ending.
        """
        if self._resumption.abandoned:
            return False
        is_setup_out = self._is_started and self._role is Role.CLIENT and self._outbox.opening is None
        return self._phase in LIVE_PHASES or (self._phase is ConnectionPhase.CONNECTING and is_setup_out)

    @property
    def lifetime(self) -> float:
        """Seconds after which a peer that says or takes nothing is dead; ``math.inf`` for an untimed connection."""
        return self._keepalive.lifetime

    @property
    def kept_bytes(self) -> int:
        """How many bytes of sent frames are kept for being repeated."""
        return self._resumption.kept_bytes

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of frames on streams wait to be sent; a payload counts until its last fragment has left."""
        return self._outbox.turns.waiting_bytes

    def open(self, now: float) -> None:
        """Begin. A client queues its SETUP and a KEEPALIVE whose answer proves acceptance; a server starts to wait.

        Raises:
            LocalProtocolError: it is open already, or the setup does not fit one frame.
        """
        if self._is_started or self._phase is not ConnectionPhase.CONNECTING:
            msg = "a connection is opened once"
            raise LocalProtocolError(msg)
        if self._setup is None:
            self._start_timers(now, interval=math.inf, lifetime=self._setup_timeout)
        else:
            frame = setup_to_frame(self._setup)
            encode_frame(frame)  # raises here what would else be raised in the writer
            self._outbox.opening = frame
            self._queue_ping(now)
            self._start_timers(now, interval=self._setup.keepalive_interval, lifetime=self._setup.keepalive_lifetime)
            self._setup = None  # it holds credentials, and is not needed again
        self._is_started = True

    # What the transport received and wants to send

    def receive_frame(self, data: bytes, now: float) -> list[Event]:
        """Take one whole frame, without length prefix, and report what it means.

        Raises:
            RemoteProtocolError: the connection is over for what the peer sent; an ERROR that tells it so is queued
                and should be sent before the transport closes.
        """
        if self._phase is _OPEN and (event := self._receive_whole(data)) is not None:
            return [event]
        if self._phase in DEAF_PHASES:
            return [FrameIgnored(DEAF_PHASES[self._phase])]
        self._resumption.count_in(data)
        frame = self._decode(data)
        try:
            return self._receive(frame, data, now)
        except PeerRefused as refused:
            raise self._end_for(refused) from None

    def frames_to_send(self, max_bytes: int = 256 * 1024) -> list[bytes]:
        """Hand out encoded frames in their order, up to about *max_bytes* and at least one if any waits.

        KEEPALIVEs come first, then what is repeated after a resumption, then one frame of each stream in turn. What
        was handed out counts as sent.
        """
        frames: list[bytes] = []
        size = 0
        while size < max_bytes:
            before = position = self._resumption.sent
            for stream_id, data in self._outbox.take_wholes(max_bytes - size):
                frames.append(data)
                position += len(data)
                self._sides[stream_id & 1].note_last_out(stream_id, position)
            size += position - before
            if position == before:
                departure = self._outbox.take()
                if departure is None:
                    break
                frames.append(departure.data)
                size += len(departure.data)
                self._note_departure(departure)
        self._settle()
        return frames

    # Our requests

    def request(self, data: bytes, metadata: bytes | None = None) -> int:
        """Queue a request; its id comes back with ResponseReceived or RequestFailed.

        Raises:
            LocalProtocolError: not open yet, or closing. A client may request right behind its SETUP, and either end
                while it has no transport: the request waits for the next.
        """
        if self._phase is not _OPEN:
            self._require_open("request")
        return self._requester.request(data, metadata)

    def was_sent(self, stream_id: int) -> bool:
        """Whether any byte of a request of ours was handed out, so that the peer may have acted on it.

        True of requests that have ended, too, but for those that the peer's CONNECTION_CLOSE overtook; of a cancelled
        one ``cancel`` told.
        """
        return self._requester.was_sent(stream_id)

    def cut_at(self, fragment_size: int) -> None:
        """Cut what is handed over from now on at another size: a peer may turn out to know no fragments.

        Raises:
            ValueError: the size is out of its range.
        """
        _check_fragment_size(fragment_size)
        self._outbox.turns.fragment_size = fragment_size

    def was_received(self, stream_id: int) -> bool:
        """Whether the peer has all of a request of ours, as far as its KEEPALIVEs would tell.

        True also of a request that has ended, and where nothing would tell: positions are not counted, or the
        connection is not timed, so that nobody sends KEEPALIVEs by himself.
        """
        is_told = self._timed and not self._resumption.abandoned
        return not is_told or self._requester.was_received(stream_id, self._resumption.first)

    def cancel(self, stream_id: int) -> bool:
        """Give up a request of ours and forget it; its late answer will be ignored.

        Returns:
            Whether it had been sent; then a CANCEL is queued. Nothing leaves of one that had not. False also for ids
            that wait for no answer.
        """
        was_sent = self._requester.forget(stream_id)
        if was_sent and self._phase is not ConnectionPhase.CLOSED:
            self._outbox.turns.put_cancel(CancelFrame(stream_id))
        self._settle()
        return was_sent

    def disown(self, stream_id: int) -> None:
        """Queue a CANCEL for a request of ours whose answer has come and was taken by nobody: the peer may undo it."""
        if self._phase is not ConnectionPhase.CLOSED:
            self._outbox.turns.put_cancel(CancelFrame(stream_id))

    # Our answers

    def respond(self, stream_id: int, data: bytes, metadata: bytes | None = None) -> bool:
        """Answer a request of the peer.

        Returns:
            False if nobody waits for it any more: canceled, answered, or the connection is over. Nothing is queued.
        """
        return self._responder.respond(stream_id, data, metadata)

    def repeat(self, stream_id: int, data: bytes, metadata: bytes | None = None) -> bool:
        """Have a payload follow an answer that ``respond`` has queued, as no peer may: it counts as any other frame.

        For servers that show clients what a broken server does.

        Returns:
            False if no answer waits to be handed out on that stream; nothing follows then.
        """
        return self._responder.repeat(stream_id, data, metadata)

    def fail(self, stream_id: int, code: int, message: str) -> bool:
        """Answer a request of the peer with an ERROR; the text is cut where it does not fit one frame.

        Returns:
            False as ``respond`` does.

        Raises:
            LocalProtocolError: the code has more than 32 bits.
        """
        return self._responder.fail(stream_id, code, message)

    # Beginning and end

    def accept_setup(self, now: float) -> list[Event]:
        """Server: let the client in, and report what it sent behind its SETUP. Nothing if the client is gone already.

        Raises:
            LocalProtocolError: no SETUP waits for an answer.
            RemoteProtocolError: as ``receive_frame``, for a frame that had to wait.
        """
        if self._phase is ConnectionPhase.CLOSED:
            return []
        held = self._admission.decide()
        self._phase = ConnectionPhase.OPEN
        self._keepalive.heard(now)
        events: list[Event] = []
        try:
            for frame in held:
                if self.state is ConnectionPhase.CLOSED:  # ended by the frame before
                    break
                events += self._dispatch(frame, now)
        except PeerRefused as refused:
            raise self._end_for(refused) from None
        return events

    def reject_setup(self, code: int, message: str) -> None:
        """Server: turn the client away with an ERROR; nothing of what it sent was reported.

        Raises:
            LocalProtocolError: no SETUP waits for an answer.
        """
        if self._phase is ConnectionPhase.CLOSED:
            return
        self._admission.decide()
        self._abort(code, message)

    def close(self, code: int = ErrorCode.CONNECTION_CLOSE, message: str = "") -> None:
        """End the connection: no request after this.

        With CONNECTION_CLOSE the ERROR follows what is queued, and outstanding requests may still end on either side;
        new ones of the peer are answered REJECTED. With any other code the ERROR is all that still leaves. Detached,
        nothing leaves; while resuming the ERROR follows the RESUME, so that the server does not keep the session.
        """
        if self._phase is ConnectionPhase.CLOSED:
            return
        is_connected = self._is_started and not self._is_admitting
        if self._phase is ConnectionPhase.DETACHED:
            self._finish()
        elif self._phase is ConnectionPhase.RESUMING:
            resume = self._outbox.opening
            self._abort(code, message)
            self._outbox.opening = resume
        elif code != ErrorCode.CONNECTION_CLOSE or not is_connected:
            self._abort(code, message)
        elif self._outbox.farewell is None:
            self._outbox.farewell = self._error(code, message)
            self._begin_closing()

    # One transport after another

    def lose_transport(self) -> bool:
        """The transport is gone, whoever ended it: no frame comes or goes any more.

        Queued KEEPALIVEs are dropped and timers stop. Streams, half-received payloads and what else waits to be sent
        stay, and more may be queued. Half-sent payloads go on after the resumption.

        Returns:
            Whether the connection is DETACHED and can be resumed. If not it is CLOSED, and ``was_sent`` tells the rest.
        """
        if not self.resumable:
            self._finish()
            return False
        self._phase = ConnectionPhase.DETACHED
        self._outbox.is_held = True
        self._outbox.drop_uncounted()
        self._keepalive.stop()
        self._resumption.detach()
        return True

    def resume(self, now: float) -> None:
        """Client: another transport is there; queue RESUME, which leaves alone and waits for its answer.

        Resumed or ResumeRejected tell how it went. Until then nothing else leaves and no timer runs: how long the
        answer may take, counted from *now*, is the session's to say.

        Raises:
            LocalProtocolError: not a detached client.
        """
        token = self._require_detached(Role.CLIENT)
        self._phase = ConnectionPhase.RESUMING
        self._outbox.opening = ask_to_resume(token, self._resumption)

    def is_outdated(self, data: bytes) -> bool:
        """Server: whether *data*, a RESUME, asks for bytes of which the client has said since that it has them.

        A client's count never falls, so this is an attempt that it gave up, and that was long on its way.
        """
        return is_outdated(data, self._resumption)

    def accept_resume(self, data: bytes, now: float) -> list[Event]:
        """Server: go on over another transport, whose first frame *data* was the RESUME of this session.

        RESUME_OK is queued before everything else, and behind it what the client has not received.

        Raises:
            LocalProtocolError: not a detached server, or *data* is not the RESUME of this session.
            RemoteProtocolError: the ends no longer agree on what was sent. The connection is over, and
                ERROR[REJECTED_RESUME] is queued.
        """
        token = self._require_detached(Role.SERVER)
        frame = decode_frame(data) if resume_token_of(data) == token else None
        if not isinstance(frame, ResumeFrame):
            msg = "only the RESUME of this session resumes it"
            raise LocalProtocolError(msg)
        try:
            self._outbox.opening = grant_resume(frame, self._resumption)
        except PeerRefused as refused:
            raise self._end_for(refused) from None
        return self._go_on(now)

    def _receive_resume_answer(self, frame: Frame | None, now: float) -> list[Event]:
        """Client: the answer to RESUME is RESUME_OK or an ERROR, and nothing comes before it."""
        if isinstance(frame, ErrorFrame) and frame.stream_id == 0:
            self._finish()
            return [ResumeRejected(frame.code, frame.message)]
        take_grant(frame, self._resumption)
        return self._go_on(now)

    def _go_on(self, now: float) -> list[Event]:
        self._phase = ConnectionPhase.OPEN
        self._outbox.is_held = False
        self._keepalive.restart(now)
        return [Resumed()]

    # Time

    def ping(self, now: float) -> bytes:
        """Queue a KEEPALIVE that asks for an answer, and give the data by which KeepaliveAnswered will name it.

        Raises:
            LocalProtocolError: not open yet, or closing. Without a transport it waits for the next.
        """
        self._require_open("ping")
        return self._queue_ping(now)

    def next_deadline(self) -> float | None:
        """When ``tick`` is due, on the clock that ``now`` is read from; ``None`` for never."""
        return None if self._phase is ConnectionPhase.CLOSED else self._keepalive.deadline()

    def tick(self, now: float) -> list[Event]:
        """Do what time asks for: speak, or give the peer up with PeerLost. Early and repeated calls do no harm.

        With PeerLost the transport is of no use, and counts as lost: the connection is DETACHED, or CLOSED.
        """
        if self._phase is ConnectionPhase.CLOSED:
            return []
        if self._keepalive.is_over(now):
            self.lose_transport()
            return [PeerLost()]
        if self._keepalive.is_due(now):
            self._keepalive.spoke(now)
            self._queue_ping(now)
        return []

    # Frames in

    def _receive_whole(self, data: bytes) -> Event | None:
        """Take a frame that answers a request of ours, or is one of the peer's, whole and without metadata.

        Nearly all frames are such. The others, and those that anything is the matter with, are left as they are
        (``None``) to what knows all frames, and would do the same with these, in ten times the time.
        """
        stream_id, kind = read_whole(data)
        if len(data) > self._max_whole_size:
            return None
        event = self._sides[stream_id & 1].receive_whole(stream_id, kind, data)
        if event is not None:
            self._resumption.count_in_whole(data)
        return event

    def _receive(self, frame: Frame | None, data: bytes, now: float) -> list[Event]:
        """Take a frame, which *data* was read as, by what the phase has it mean."""
        if self._phase is ConnectionPhase.RESUMING:
            return self._receive_resume_answer(frame, now)
        if self._is_admitting:
            return self._receive_early(frame, data, now)
        if frame is None:
            return [FrameIgnored(describe_frame(data))]
        return self._dispatch(frame, now)

    @property
    def _is_admitting(self) -> bool:
        """Whether this is a server that has not let its client in yet."""
        return self._role is Role.SERVER and self._phase is ConnectionPhase.CONNECTING

    def _decode(self, data: bytes) -> Frame | None:
        try:
            return decode_frame(data)
        except RemoteProtocolError as error:
            is_bad_setup = self._is_admitting and not self._admission.is_due and len(data) >= HEADER_SIZE
            self._abort(ErrorCode.INVALID_SETUP if is_bad_setup else ErrorCode.CONNECTION_ERROR, str(error))
            raise

    def _receive_early(self, frame: Frame | None, data: bytes, now: float) -> list[Event]:
        """Server, before acceptance: the first frame must be a SETUP, what follows waits for the decision on it."""
        if not self._admission.is_due:
            return self._receive_first(frame, now)
        if frame is None or isinstance(frame, SetupFrame):
            return [FrameIgnored(describe_frame(data))]
        if isinstance(frame, KeepaliveFrame):
            self._keepalive.heard(now)
        self._admission.hold(frame, len(data))
        return []

    def _receive_first(self, frame: Frame | None, now: float) -> list[Event]:
        setup = self._admission.receive_first(frame)
        if setup.resume_token is not None and self._resume_buffer_size is not None:
            self._resumption.begin(setup.resume_token, self._resume_buffer_size)
        self._start_timers(now, interval=math.inf, lifetime=setup.keepalive_lifetime)
        return [SetupReceived(setup)]

    def _dispatch(self, frame: Frame, now: float) -> list[Event]:
        receive = self._RECEIVERS.get(type(frame))
        if receive is None:
            return [FrameIgnored(f"{type(frame).__name__} out of place")]
        events = receive(self, frame, now)
        self._settle()
        return events

    def _on_keepalive(self, frame: KeepaliveFrame, now: float) -> list[Event]:
        self._keepalive.heard(now)
        events = [] if self._resumption.acknowledge(frame.position) else self._doubt(frame)
        if frame.respond:
            self._outbox.put_echo(KeepaliveFrame(frame.data))
            return events
        if self._resumption.is_answer(frame.data):
            return events + self._give_resumption_up()
        round_trip = self._keepalive.answered(frame.data, now)
        if round_trip is None:
            return [*events, FrameIgnored("a KEEPALIVE that answers none of ours")]
        if self._phase is ConnectionPhase.CONNECTING:
            self._phase = ConnectionPhase.OPEN
        return [*events, KeepaliveAnswered(frame.data, round_trip)]

    def _doubt(self, frame: KeepaliveFrame) -> list[Event]:
        """Take in a position that cannot be: the end, but from a peer that answers with ours instead of its own.

        rsocket-py does, as do servers made by hand that send a KEEPALIVE back as it came. They know no resumption, even
        where they took the SETUP that asked for it, and are good for everything else.
        """
        if frame.respond or not self._resumption.is_echo(frame.position):
            raise PeerRefused(ErrorCode.CONNECTION_ERROR, "a KEEPALIVE names a position that cannot be")
        self._resumption.abandon()
        return [NotResumable("the peer answers with our position instead of its own")]

    def _give_resumption_up(self) -> list[Event]:
        """Go on without resumption if a peer that does not tell its position (rsocket-js 0.0.27) holds frames back."""
        if not (self._resumption.stalled and self._outbox.is_blocked):
            return []
        self._resumption.abandon()
        return [NotResumable("the peer does not acknowledge what it receives, and no more can be kept")]

    def _on_stream(self, frame: IncomingFrame, _now: float) -> list[Event]:
        return self._sides[frame.stream_id & 1].receive(frame)

    def _on_error(self, frame: ErrorFrame, now: float) -> list[Event]:
        return self._on_stream(frame, now) if frame.stream_id else self._on_connection_error(frame)

    def _on_connection_error(self, frame: ErrorFrame) -> list[Event]:
        is_established = self._role is Role.SERVER or self._phase is not ConnectionPhase.CONNECTING
        if frame.code in _SETUP_ERRORS and is_established:
            return [FrameIgnored("a setup error after the setup")]
        if frame.code == ErrorCode.CONNECTION_CLOSE:
            self._requester.take_back()
            self._begin_closing()
        else:
            self._finish()
        return [ConnectionEnded(frame.code, frame.message)]

    def _on_metadata_push(self, frame: MetadataPushFrame, _now: float) -> list[Event]:
        return [MetadataPushed(frame.metadata)]

    def _on_resume(self, _frame: ResumeFrame, _now: float) -> list[Event]:
        if self._role is Role.SERVER:
            raise PeerRefused(ErrorCode.CONNECTION_ERROR, "a RESUME must be the first frame")
        return [FrameIgnored("a RESUME from a server")]

    # Frames out

    def _note_departure(self, departure: Departure) -> None:
        side = self._sides[departure.stream_id & 1]
        if departure.has_more:
            side.note_piece_out(departure.stream_id)
        else:
            side.note_last_out(departure.stream_id, self._resumption.sent)

    def _queue_ping(self, now: float) -> bytes:
        data = self._keepalive.ping(now)
        self._outbox.put_ping(KeepaliveFrame(data, respond=True))
        return data

    # The end, and what must hold before

    def _settle(self) -> None:
        """Let a closing connection be closed once nothing is outstanding and everything was handed out."""
        if self._phase is ConnectionPhase.CLOSING and not self.outstanding and not self.wants_to_send:
            self._finish()

    def _begin_closing(self) -> None:
        """Let what is outstanding end. A connection that ends is not resumed, so nothing is kept or held back."""
        self._phase = ConnectionPhase.CLOSING
        self._responder.stop()
        self._resumption.abandon()

    def _finish(self) -> None:
        """Be over. Streams stay, so that ``was_sent`` can still tell."""
        self._phase = ConnectionPhase.CLOSED
        self._responder.end()
        self._resumption.abandon()
        self._resumption.detach()
        self._outbox.clear()
        self._outbox.is_held = False
        self._admission.clear()

    def _error(self, code: int, message: str) -> ErrorFrame:
        return fit_error(0, code, message, self._outbox.turns.fragment_size)

    def _abort(self, code: int, message: str) -> None:
        error = self._error(code, message)
        self._finish()
        self._outbox.farewell = error

    def _end_for(self, refused: PeerRefused) -> RemoteProtocolError:
        """End for what the peer sent, tell it so, and give the error that says so here."""
        self._abort(refused.code, str(refused))
        return RemoteProtocolError(str(refused))

    def _start_timers(self, now: float, *, interval: float, lifetime: float) -> None:
        if self._timed:
            self._keepalive.start(now, interval=interval, lifetime=lifetime)

    def _require_open(self, doing: str) -> None:
        is_client_connecting = self._role is Role.CLIENT and self._phase is ConnectionPhase.CONNECTING
        if not self._is_started or not (is_client_connecting or self._phase in LIVE_PHASES):
            msg = f"cannot {doing} while the connection is {self._phase.name}"
            raise LocalProtocolError(msg)

    def _require_detached(self, role: Role) -> bytes:
        """Give the token of a session that waits for a transport."""
        token = self._resumption.token
        if token is None or self._role is not role or self._phase is not ConnectionPhase.DETACHED:
            msg = f"a {self._role.name} that is {self._phase.name} cannot resume so"
            raise LocalProtocolError(msg)
        return token

    # The frames that have an effect once a connection stands; the others are ignored then.
    _RECEIVERS: ClassVar[dict[type[Frame], Callable[[Connection, Any, float], list[Event]]]] = {
        KeepaliveFrame: _on_keepalive,
        ErrorFrame: _on_error,
        RequestResponseFrame: _on_stream,
        RequestFnfFrame: _on_stream,
        RequestStreamFrame: _on_stream,
        RequestChannelFrame: _on_stream,
        PayloadFrame: _on_stream,
        CancelFrame: _on_stream,
        RequestNFrame: _on_stream,
        MetadataPushFrame: _on_metadata_push,
        ResumeFrame: _on_resume,
    }
