"""Two Connections over one transport after another: cut anywhere, resumed, and nothing is lost or done twice."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from frame_strategies import RESUMABLE_SETUP
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from elarian_trio._rsocket import (
    Connection,
    ConnectionPhase,
    FrameIgnored,
    KeepaliveAnswered,
    RequestCanceled,
    RequestFailed,
    RequestReceived,
    ResponseReceived,
    Resumed,
    Role,
    SetupReceived,
    resume_token_of,
)
from elarian_trio._rsocket.resume import counts

if TYPE_CHECKING:
    from elarian_trio._rsocket import Event

CLIENT, SERVER = 0, 1


@dataclass
class End:
    """One Connection and what a model knows of it; frames on their way are kept where they left."""

    connection: Connection
    in_flight: deque[bytes] = field(default_factory=deque)
    counted_out: list[bytes] = field(default_factory=list)  # each counted frame that left, once
    counted_in: list[bytes] = field(default_factory=list)
    is_attached: bool = True  # has not noticed a cut

    def send(self) -> bytes | None:
        """Have one frame leave; it is lost if nobody noticed that the transport is gone."""
        wanted = self.connection.wants_to_send
        position = self.connection._resumption.sent
        frames = self.connection.frames_to_send(1)
        assert bool(frames) is wanted
        if not frames:
            return None
        (frame,) = frames
        if self.connection._resumption.sent > position:
            self.counted_out.append(frame)
        return frame

    def receive(self, frame: bytes) -> list[Event]:
        """Receive a frame on a transport that is there."""
        if counts(frame):
            self.counted_in.append(frame)
        return self.connection.receive_frame(frame, 0.0)


class Line:
    """Both ends, and the transport between them while there is one.

    Args:
        store: bytes of the store of each end.
        cuts: frames, counted per sender from the first behind the handshake, that are lost with their transport.
    """

    def __init__(self, *, store: int, fragment_size: int, cuts: frozenset[tuple[int, int]] = frozenset()) -> None:
        client = Connection(
            Role.CLIENT, setup=RESUMABLE_SETUP, resume_buffer_size=store, fragment_size=fragment_size, timed=False
        )
        server = Connection(Role.SERVER, resume_buffer_size=store, fragment_size=fragment_size, timed=False)
        self.ends = [End(client), End(server)]
        self.is_up = True
        self.events: list[list[Event]] = [[], []]
        self.resumptions = 0
        client.open(0.0)
        server.open(0.0)
        self.cuts: frozenset[tuple[int, int]] = frozenset()
        self.pump()
        self.cuts = cuts
        self.sent_frames = [0, 0]

    # Step by step

    def put(self, side: int) -> None:
        """Have one frame leave *side*, for the transport or for nowhere."""
        end = self.ends[side]
        frame = end.send()
        if frame is not None and self.is_up and end.is_attached:
            end.in_flight.append(frame)

    def get(self, side: int) -> list[Event]:
        """Have *side* receive the next frame that is on its way."""
        end, other = self.ends[side], self.ends[1 - side]
        if not other.in_flight:
            return []
        frame = other.in_flight.popleft()
        if resume_token_of(frame) is not None and side == SERVER:
            assert end.connection.lose_transport()  # the old transport goes before the RESUME is looked at
            end.is_attached = True
            return end.connection.accept_resume(frame, 0.0)
        events = end.receive(frame)
        if any(isinstance(event, SetupReceived) for event in events):
            events += end.connection.accept_setup(0.0)
        return events

    def cut(self) -> None:
        """End the transport; what is on its way is lost, whole or in part."""
        self.is_up = False
        for end in self.ends:
            end.in_flight.clear()

    def notice(self, side: int) -> None:
        """Have *side* see that the transport is gone."""
        self.ends[side].is_attached = False
        assert self.ends[side].connection.lose_transport()

    def reconnect(self) -> None:
        """Give both another transport, on which the client sends its RESUME."""
        self.cut()
        self.notice(CLIENT)
        self.is_up = True
        client, server = self.ends
        client.is_attached = True
        server.is_attached = False  # to the new one, until the RESUME has come
        client.connection.resume(0.0)
        self.resumptions += 1

    # All at once

    def pump(self) -> None:
        """Move frames, and cut where told, until neither end has more to say."""
        while any(end.connection.wants_to_send for end in self.ends):
            for side in (CLIENT, SERVER):
                self.move(side)

    def move(self, side: int) -> None:
        """Have everything that waits at one end reach the other, up to a cut."""
        while self.ends[side].connection.wants_to_send:
            self.put(side)
            if not self.is_cut_here(side):
                self.events[1 - side] += self.get(1 - side)

    def is_cut_here(self, side: int) -> bool:
        """Count a frame, and lose it with the transport if it is the one."""
        if not self.cuts:
            return False
        is_cut = (side, self.sent_frames[side]) in self.cuts
        self.sent_frames[side] += 1
        if is_cut:
            self.reconnect()
        return is_cut


def check_agreement(line: Line) -> None:
    """What one end has sent the other has received: each counted frame once, in order."""
    for end, other in (line.ends, line.ends[::-1]):
        counts_out, counts_in = end.connection._resumption, other.connection._resumption
        assert end.counted_out == other.counted_in
        assert counts_out.sent == counts_in.received == sum(map(len, end.counted_out))


def test_a_cut_loses_nothing() -> None:
    """Specification (checklist 58): a request and an answer lost in the cut arrive after the resumption, once."""
    line = Line(store=1 << 20, fragment_size=1 << 16)
    client, server = (end.connection for end in line.ends)
    asked, lost = client.request(b"first"), client.request(b"lost")
    line.put(CLIENT)
    assert line.get(SERVER) == [RequestReceived(asked, b"first")]
    line.put(CLIENT)
    assert server.respond(asked, b"answer")
    line.put(SERVER)
    line.reconnect()
    assert server.lose_transport()
    later = client.request(b"later")
    line.pump()
    assert line.events[SERVER][-2:] == [
        RequestReceived(lost, b"lost"),
        RequestReceived(later, b"later"),
    ]
    assert line.events[CLIENT][-2:] == [Resumed(), ResponseReceived(asked, b"answer")]
    check_agreement(line)


# One session, cut everywhere


def play(line: Line) -> None:
    """Have both ends ask, answer, fail and cancel, with small and fragmented payloads and small stores.

    What is decided depends on events only, so that cuts do not change it.
    """
    ends = [end.connection for end in line.ends]
    for _ in range(3):
        asked = [[end.request(b"%d" % number * 3 * 10**number) for number in range(3)] for end in ends]
        seen = [len(events) for events in line.events]
        line.pump()
        for side, end in enumerate(ends):
            for event in line.events[side][seen[side] :]:
                if isinstance(event, RequestReceived) and event.stream_id in asked[1 - side][:2]:
                    assert end.respond(event.stream_id, event.data, b"m")
        line.pump()
        for side, end in enumerate(ends):
            assert end.cancel(asked[side][2]) is True
            end.ping(0.0)
        line.pump()
        assert [end.outstanding for end in ends] == [0, 0]


def heard(line: Line, side: int) -> list[Event]:
    """Give what was reported, without what belongs to a transport."""
    left_out = (KeepaliveAnswered, Resumed, SetupReceived)
    return [event for event in line.events[side] if not isinstance(event, left_out)]


def uncut(store: int) -> tuple[Line, int]:
    """Play without a cut; also tell how many frames each end may send at most."""
    line = Line(store=store, fragment_size=64, cuts=frozenset({(CLIENT, -1)}))
    play(line)
    check_agreement(line)
    assert not line.resumptions
    return line, max(line.sent_frames)


@pytest.mark.parametrize("store", [100, 1 << 20], ids=["full stores", "large stores"])
@pytest.mark.parametrize("side", [CLIENT, SERVER], ids=["client", "server"])
def test_one_session_survives_a_cut_at_every_frame(side: int, store: int) -> None:
    """Specification (checklist 59): whichever frame is lost, both hear what they would have heard without a cut."""
    plain, count = uncut(store)
    assert count > 30
    for index in range(count):
        line = Line(store=store, fragment_size=64, cuts=frozenset({(side, index)}))
        play(line)
        check_agreement(line)
        for hearing in (CLIENT, SERVER):
            assert sorted(map(repr, heard(line, hearing))) == sorted(map(repr, heard(plain, hearing)))


@pytest.mark.parametrize("store", [100, 1 << 20], ids=["full stores", "large stores"])
def test_one_session_survives_every_second_cut_behind_a_fixed_first(store: int) -> None:
    """Specification (checklist 59): also in RESUME, in RESUME_OK and in the replay of the first."""
    plain, count = uncut(store)
    for first in ((CLIENT, 10), (SERVER, 10)):
        for second in [(side, index) for side in (CLIENT, SERVER) for index in range(11, count)]:
            line = Line(store=store, fragment_size=64, cuts=frozenset({first, second}))
            play(line)
            check_agreement(line)
            for hearing in (CLIENT, SERVER):
                assert sorted(map(repr, heard(line, hearing))) == sorted(map(repr, heard(plain, hearing)))


# Anything at any time


class CutConversation(RuleBasedStateMachine):
    """Either end does anything it may while transports come and go; a model says what the other must hear of it."""

    def __init__(self) -> None:
        super().__init__()
        self.line: Line | None = None
        self.asked: list[dict[int, bytes]] = [{}, {}]  # requests that wait for their answer
        self.running: list[dict[int, bytes]] = [{}, {}]  # the peer's, reported and unanswered
        self.answered: list[dict[int, bytes]] = [{}, {}]
        self.executed: list[set[int]] = [set(), set()]
        self.store = 0

    @initialize(fragment_size=st.sampled_from([64, 100, 1 << 16]), store=st.sampled_from([0, 50, 300, 1 << 20]))
    def connect(self, fragment_size: int, store: int) -> None:
        self.line = Line(store=store, fragment_size=fragment_size)
        self.store = max(store, 700)  # one frame of any size may be kept

    @property
    def there(self) -> Line:
        assert self.line is not None
        return self.line

    def end(self, side: int) -> Connection:
        return self.there.ends[side].connection

    @rule(side=st.sampled_from([CLIENT, SERVER]), data=st.binary(max_size=300))
    def ask(self, side: int, data: bytes) -> None:
        stream_id = self.end(side).request(data, data[:3] or None)
        self.asked[side][stream_id] = data

    @rule(side=st.sampled_from([CLIENT, SERVER]))
    def ping(self, side: int) -> None:
        self.end(side).ping(0.0)

    @rule(side=st.sampled_from([CLIENT, SERVER]), pieces=st.integers(1, 4))
    def put(self, side: int, pieces: int) -> None:
        for _ in range(pieces):
            self.there.put(side)

    @rule(side=st.sampled_from([CLIENT, SERVER]), pieces=st.integers(1, 4))
    def get(self, side: int, pieces: int) -> None:
        for _ in range(pieces):
            for event in self.there.get(side):
                self.hear(side, event)

    @rule()
    def cut(self) -> None:
        self.there.cut()

    @precondition(lambda self: not self.there.is_up)
    @rule(side=st.sampled_from([CLIENT, SERVER]))
    def notice(self, side: int) -> None:
        self.there.notice(side)

    @rule()
    def reconnect(self) -> None:
        """Also while the old transport is up: the client may see an end that the server does not."""
        self.there.reconnect()

    def hear(self, side: int, event: Event) -> None:
        asked, running = self.asked[1 - side], self.running[side]
        match event:
            case RequestReceived(stream_id, data, metadata):
                assert stream_id not in self.executed[side]
                self.executed[side].add(stream_id)
                assert metadata == (data[:3] or None)
                assert asked.get(stream_id, data) == data
                running[stream_id] = data
            case ResponseReceived(stream_id, data):
                assert data == self.asked[side].pop(stream_id)[::-1]
            case RequestFailed(stream_id, code, message):
                assert (code, message) == (0x301, str(len(self.asked[side].pop(stream_id))))
            case RequestCanceled(stream_id):
                assert stream_id not in asked
                (running if stream_id in running else self.answered[side]).pop(stream_id)
            case FrameIgnored() | KeepaliveAnswered() | Resumed():
                pass
            case _:
                pytest.fail(f"unexpected {event}")

    @precondition(lambda self: any(self.running))
    @rule(data=st.data(), in_order=st.booleans())
    def answer(self, data: st.DataObject, in_order: bool) -> None:
        side = data.draw(st.sampled_from([side for side in (CLIENT, SERVER) if self.running[side]]))
        stream_id = data.draw(st.sampled_from(sorted(self.running[side])))
        asked = self.answered[side][stream_id] = self.running[side].pop(stream_id)
        if in_order:
            assert self.end(side).respond(stream_id, asked[::-1])
        else:
            assert self.end(side).fail(stream_id, 0x301, str(len(asked)))

    @precondition(lambda self: any(self.asked))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        side = data.draw(st.sampled_from([side for side in (CLIENT, SERVER) if self.asked[side]]))
        stream_id = data.draw(st.sampled_from(sorted(self.asked[side])))
        was_sent = self.end(side).was_sent(stream_id)
        assert self.end(side).cancel(stream_id) is was_sent
        assert was_sent or stream_id not in self.executed[1 - side]
        del self.asked[side][stream_id]

    @invariant()
    def nothing_is_over_and_stores_are_bounded(self) -> None:
        if self.line is None:
            return
        for end in self.line.ends:
            counting = end.connection._resumption
            assert end.connection.resumable
            assert end.connection.state not in (ConnectionPhase.CLOSING, ConnectionPhase.CLOSED)
            assert end.connection.kept_bytes == sum(map(len, counting._kept)) == counting.sent - counting.first
            assert end.connection.kept_bytes <= self.store

    def teardown(self) -> None:
        """After a last resumption everything is delivered, answered once, and forgotten; both agree on positions."""
        if self.line is None:
            return
        self.there.reconnect()
        for _ in range(2):
            self.drain()
            for side in (CLIENT, SERVER):
                for stream_id, asked in self.running[side].items():
                    assert self.end(side).respond(stream_id, asked[::-1])
                self.running[side].clear()
        self.drain()
        assert self.asked == [{}, {}]
        check_agreement(self.there)
        for end in self.there.ends:
            assert end.connection.outstanding == 0
            assert end.connection._responder._assemblies.size == len(end.connection._responder) == 0

    def drain(self) -> None:
        while any(end.connection.wants_to_send or end.in_flight for end in self.there.ends):
            for side in (CLIENT, SERVER):
                self.there.put(side)
                self.get(1 - side, 1)


CutConversation.TestCase.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestCutConversation = CutConversation.TestCase


def test_stores_too_small_for_the_load_slow_it_down_and_lose_nothing() -> None:
    """This SDK (checklist 69): a thousand requests each way through stores of 200 bytes, with a cut now and then."""
    cuts = frozenset((side, index) for side in (CLIENT, SERVER) for index in range(7, 10_000, 97))
    line = Line(store=200, fragment_size=64, cuts=cuts)
    ids = [[end.connection.request(b"%d" % number) for number in range(1000)] for end in line.ends]
    line.pump()
    for side, end in enumerate(line.ends):
        received = [event for event in line.events[side] if isinstance(event, RequestReceived)]
        assert [event.stream_id for event in received] == ids[1 - side]
        for event in received:
            assert end.connection.respond(event.stream_id, event.data)
    line.pump()
    for side in (CLIENT, SERVER):
        answers = [event for event in line.events[side] if isinstance(event, ResponseReceived)]
        assert [(event.stream_id, event.data) for event in answers] == [
            (stream_id, b"%d" % number) for number, stream_id in enumerate(ids[side])
        ]
    assert line.resumptions > 40
    check_agreement(line)
    assert max(end.connection.kept_bytes for end in line.ends) <= 200
