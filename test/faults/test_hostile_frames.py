"""Mutated frames into Connections of both roles, in every phase: only protocol errors come out, and memory is bounded.

Every count is printed with its seed, which brings the same frames again.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from figures import say, seed_or, sized
from hostile import TOKEN, Forger, setup_frame

from elarian_trio._rsocket import (
    Connection,
    ConnectionPhase,
    ErrorCode,
    RequestCanceled,
    RequestReceived,
    Role,
    Setup,
    SetupReceived,
    resume_token_of,
)
from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.admission import _MAX_HELD
from elarian_trio._rsocket.fragments import _MAX_PARTIALS
from elarian_trio._rsocket.outbox import _MAX_ECHO_BYTES, _MAX_ECHOES
from elarian_trio._rsocket.responder import _MAX_REFUSALS
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from elarian_trio._rsocket import Event

PARTS = range(4)  # of each role's frames: one test of a million would look as if it hung
FRAMES = sized(smoke=5_000, ci=250_000, soak=2_500_000)  # mutated ones, for each part
FLOOD = sized(smoke=5_000, ci=100_000, soak=1_000_000)
LIFE = 100  # frames one connection is given, if it lives so long

PHASES = tuple(ConnectionPhase)
STORES = (0, 100, 2000)
SIZES = (0, 10, 10, 200)  # of payloads of ours
SETUPS = {token: f.encode_frame(setup_frame(token)) for token in (None, TOKEN)}
FRAGMENT_SIZE = 64
MAX_PAYLOAD = 6000
MAX_INCOMING = 8
MAX_REQUESTS = 40  # of ours on one connection
MAX_FLOOD_MEMORY = 48 << 20  # bytes, for one connection that is never read from


class Victim:
    """One Connection, and a program above it that does as it is told."""

    def __init__(self, forger: Forger, role: Role, phase: ConnectionPhase) -> None:
        self.forger = forger
        self.dice = dice = forger.dice
        forger.positions, forger.apt = self.positions, self.apt
        self.role = role
        self.store = dice.choice(STORES)
        needs_token = phase in (ConnectionPhase.DETACHED, ConnectionPhase.RESUMING)
        self.token = TOKEN if needs_token or dice.random() < 0.7 else None
        self.connection = Connection(
            role,
            setup=self.make_setup() if role is Role.CLIENT else None,
            fragment_size=FRAGMENT_SIZE,
            max_payload_size=MAX_PAYLOAD,
            max_incoming=MAX_INCOMING,
            resume_buffer_size=self.store,
        )
        self.now = 0.0
        self.proof = b""
        self.asked: list[int] = []
        self.running: list[int] = []
        self.is_read = dice.random() < 0.8  # by the peer
        self.is_watched = dice.random() < 0.3  # the costly checks are for some
        self.lead_to(phase)

    def make_setup(self) -> Setup:
        return Setup(b"creds", keepalive_interval=10.0, keepalive_lifetime=30.0, resume_token=self.token)

    # Where it stands

    def lead_to(self, phase: ConnectionPhase) -> None:
        """Bring the connection to *phase*, as far as its role can be there."""
        connection = self.connection
        connection.open(self.now)
        if self.role is Role.CLIENT:
            proof = f.decode_frame(connection.frames_to_send()[1])
            assert isinstance(proof, f.KeepaliveFrame)
            self.proof = proof.data
        if phase is ConnectionPhase.CONNECTING:
            return
        if self.role is Role.CLIENT:
            connection.receive_frame(f.encode_frame(f.KeepaliveFrame(self.proof)), self.now)
        else:
            connection.receive_frame(SETUPS[self.token], self.now)
            connection.accept_setup(self.now)
        for _ in range(self.dice.choice((0, 1, 1, 3))):
            self.ask()
        if phase is ConnectionPhase.CLOSING:
            connection.close()
        elif phase is ConnectionPhase.CLOSED:
            connection.close(ErrorCode.CONNECTION_ERROR)
        if self.dice.random() < 0.8:
            connection.frames_to_send()
        if phase in (ConnectionPhase.DETACHED, ConnectionPhase.RESUMING):
            assert connection.lose_transport()
        if phase is ConnectionPhase.RESUMING and self.role is Role.CLIENT:
            connection.resume(self.now)

    def positions(self) -> tuple[int, ...]:
        """Give what the peer might truthfully name."""
        counting = self.connection._resumption
        return (0, counting.first, counting.sent, counting.received)

    def apt(self) -> f.Frame:
        """Give a frame that a good peer might send now, but for its positions."""
        position, dice = self.forger.position, self.dice
        match self.connection.state, self.role:
            case ConnectionPhase.CONNECTING, Role.SERVER:
                return setup_frame(self.token)
            case ConnectionPhase.CONNECTING, _:
                return f.KeepaliveFrame(self.proof, position=position())
            case ConnectionPhase.DETACHED, Role.SERVER:
                return f.ResumeFrame(TOKEN, position(), position())
            case ConnectionPhase.RESUMING, _:
                return f.ResumeOkFrame(position())
            case _:
                stream_id = dice.choice(self.asked or [1])
                return dice.choice(
                    (
                        f.KeepaliveFrame(b"k", respond=dice.random() < 0.5, position=position()),
                        f.PayloadFrame(stream_id, bytes(100), follows=dice.random() < 0.5, next_=True),
                        f.ErrorFrame(stream_id, 0x201, "no"),
                        f.RequestResponseFrame(self.fresh_id(), bytes(100), follows=dice.random() < 0.5),
                        f.CancelFrame(dice.choice(self.running or [2])),
                    )
                )

    def fresh_id(self) -> int:
        """Give an id the peer has likely not used yet."""
        return self.dice.randrange(100, 1_000_000) * 2 + (self.role is Role.SERVER)

    # What comes in

    def receive(self, data: bytes) -> str:
        """Receive a frame, on a new transport if there is none; tell what became of it."""
        connection = self.connection
        is_resume = self.role is Role.SERVER and connection.state is ConnectionPhase.DETACHED
        try:
            if is_resume and resume_token_of(data) == connection.resume_token:
                events = connection.accept_resume(data, self.now)
            else:
                events = connection.receive_frame(data, self.now)
        except RemoteProtocolError:
            self.check_error_is_told()
            return "RemoteProtocolError"
        self.react(events)
        return type(events[0]).__name__ if events else "nothing to report"

    def check_error_is_told(self) -> None:
        assert self.connection.state is ConnectionPhase.CLOSED
        assert not self.connection.resumable
        (error,) = self.connection.frames_to_send()
        frame = f.decode_frame(error)
        assert isinstance(frame, f.ErrorFrame)
        assert frame.stream_id == 0

    def react(self, events: list[Event]) -> None:
        """Do what a session would."""
        for event in events:
            if isinstance(event, SetupReceived):
                self.judge()
            elif isinstance(event, RequestReceived):
                self.running.append(event.stream_id)
            elif isinstance(event, RequestCanceled) and event.stream_id in self.running:  # or it is answered
                self.running.remove(event.stream_id)

    def judge(self) -> None:
        """Let the client in, or not, or not yet."""
        kind = self.dice.random()
        if kind < 0.1:
            self.connection.reject_setup(ErrorCode.REJECTED_SETUP, "no")
        elif kind < 0.9:
            try:
                self.react(self.connection.accept_setup(self.now))
            except RemoteProtocolError:  # in what came behind the SETUP
                self.check_error_is_told()

    # What the program above does meanwhile

    def act(self) -> None:
        """Do one thing that is legal now."""
        self.dice.choice((self.ask, self.answer, self.give_up, self.pass_time, self.send, self.send, self.change))()
        if self.is_read:
            self.send()

    def ask(self) -> None:
        if (
            self.connection.state in (ConnectionPhase.CLOSING, ConnectionPhase.CLOSED)
            or len(self.asked) >= MAX_REQUESTS
        ):
            return
        if self.role is Role.CLIENT or self.connection.state is not ConnectionPhase.CONNECTING:
            self.asked.append(self.connection.request(bytes(self.dice.choice(SIZES))))

    def answer(self) -> None:
        if self.running:
            self.connection.respond(self.running.pop(), bytes(self.dice.choice(SIZES)))

    def give_up(self) -> None:
        if self.asked:
            self.connection.cancel(self.dice.choice(self.asked))

    def pass_time(self) -> None:
        self.now += self.dice.choice((0.1, 5.0))
        self.connection.tick(self.now)

    def send(self) -> None:
        """Have frames leave; each must be one that a peer can read."""
        is_wanted = self.connection.wants_to_send
        frames = self.connection.frames_to_send(self.dice.choice((1, 1000, 1 << 18)))
        assert bool(frames) is is_wanted
        if self.is_watched:
            assert all(f.decode_frame(data) is not None for data in frames)

    def change(self) -> None:
        """Lose the transport, get another, or begin to close."""
        kind = self.dice.random()
        state = self.connection.state
        if kind < 0.1:
            self.connection.close(self.dice.choice((ErrorCode.CONNECTION_CLOSE, ErrorCode.CONNECTION_ERROR)))
        elif kind < 0.4:
            resumable = self.connection.resumable
            assert self.connection.lose_transport() is resumable
        elif state is ConnectionPhase.DETACHED and self.role is Role.SERVER:
            with pytest.raises(LocalProtocolError):
                self.connection.accept_resume(b"", self.now)

    def reconnect(self) -> None:
        """Find another transport."""
        if self.connection.state is ConnectionPhase.DETACHED and self.role is Role.CLIENT:
            self.connection.resume(self.now)

    def check_bounds(self) -> None:
        """See that nothing the peer sends makes it keep more than it may."""
        connection = self.connection
        outbox, responder = connection._outbox, connection._responder
        assert len(responder) <= MAX_INCOMING + _MAX_REFUSALS
        assert connection.outstanding <= len(responder) + MAX_REQUESTS
        assert responder._assemblies.size <= _MAX_PARTIALS * MAX_PAYLOAD
        assert len(responder._assemblies._unfinished) <= connection.outstanding
        assert len(connection._admission._held) <= _MAX_HELD
        assert connection._admission._held_size <= MAX_PAYLOAD
        assert connection.kept_bytes <= max(self.store, FRAGMENT_SIZE)
        assert len(outbox._echoes) <= _MAX_ECHOES
        assert outbox._echo_bytes <= _MAX_ECHO_BYTES
        assert len(outbox.turns._cancels) <= MAX_REQUESTS
        assert len(outbox.turns._turns) + len(outbox.turns._waiting) <= connection.outstanding


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("role", Role)
def test_nothing_but_protocol_errors_comes_of_mutated_frames(role: Role, part: int) -> None:
    """This SDK: a peer may be broken or mean harm; it costs its own connection at most."""
    seed = seed_or(3)
    dice = random.Random(f"{seed}/{role.name}/{part}")
    outcomes: Counter[str] = Counter()
    phases: Counter[str] = Counter()
    lives = count = 0
    began = time.perf_counter()
    forger = Forger(dice)
    while count < FRAMES:
        phase = PHASES[lives % len(PHASES)]
        lives += 1
        victim = Victim(forger, role, phase)
        for number in range(LIFE):
            is_mutated = dice.random() < 0.7
            data = forger.mutated() if is_mutated else f.encode_frame(victim.apt())
            met = victim.connection.state
            try:
                outcome = victim.receive(data)
                kind = dice.random()
                if kind < 0.4:
                    victim.act()
                elif kind < 0.7:
                    victim.reconnect()
                if number % 20 == 0:
                    victim.check_bounds()
            except BaseException as error:
                error.add_note(f"seed {seed}, life {lives}, frame {number}, {role.name} {met.name}: {data.hex()}")
                raise
            if is_mutated:
                count += 1
                phases[met.name] += 1
                outcomes[outcome] += 1
            if victim.connection.state is ConnectionPhase.CLOSED:
                break
        if victim.is_watched:
            victim.check_bounds()
    took = time.perf_counter() - began
    say(
        f"hostile frames, {role.name.lower()}, part {part + 1} of {len(PARTS)}: {count} mutated frames into {lives} "
        f"connections, seed {seed}, {took:.0f} s; met {_counts(phases)}; became {_counts(outcomes)}"
    )
    reachable = {phase.name for phase in PHASES if phase is not ConnectionPhase.RESUMING or role is Role.CLIENT}
    assert set(phases) == reachable
    assert outcomes["RemoteProtocolError"] > count / 100


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counter.most_common())


@pytest.mark.parametrize("role", Role)
def test_a_flood_that_is_never_answered_for_costs_bounded_memory(role: Role) -> None:
    """This SDK: frames that end nothing, into one connection whose answers are not read and not acknowledged."""
    seed = seed_or(4)
    dice = random.Random(f"{seed}/{role.name}")
    forger = Forger(dice)
    victim = Victim(forger, role, ConnectionPhase.OPEN)
    connections = 1
    tracemalloc.start()
    try:
        for _ in range(FLOOD):
            data = forger.calm()
            if data[:4] != bytes(4) and dice.random() < 0.7:  # most open another stream, whole or in part
                data = victim.fresh_id().to_bytes(4, "big") + data[4:]
            victim.receive(data)
            if victim.connection.state is ConnectionPhase.CLOSED:
                victim = Victim(forger, role, ConnectionPhase.OPEN)
                connections += 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    victim.check_bounds()
    say(
        f"flood, {role.name.lower()}: {FLOOD} frames into {connections} connections, seed {seed}: "
        f"at most {peak / (1 << 20):.1f} MiB"
    )
    assert peak < MAX_FLOOD_MEMORY
