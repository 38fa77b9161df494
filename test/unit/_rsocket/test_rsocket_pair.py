"""Two Connections joined by byte streams: what one says, the other understands, however the bytes are cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from frame_strategies import Pair
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from elarian_trio._rsocket import (
    Connection,
    ConnectionEnded,
    ConnectionPhase,
    ErrorCode,
    FrameIgnored,
    KeepaliveAnswered,
    RequestCanceled,
    RequestFailed,
    RequestReceived,
    ResponseReceived,
    SetupReceived,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elarian_trio._rsocket import Event


@pytest.mark.parametrize("step", [1, 7, 1 << 30])
def test_both_ends_ask_and_answer_byte_by_byte(step: int) -> None:
    """Specification (checklist 1, 38): a whole life, fragments both ways, on any cutting of the stream."""
    pair = Pair(step=step, fragment_size=64)
    assert [type(event) for event in pair.client_events] == [KeepaliveAnswered]
    assert [type(event) for event in pair.server_events] == [SetupReceived]
    payload, other = (bytes(range(256)) * 2, b"m" * 100), (b"small", None)
    ours = [pair.client.request(*payload), pair.client.request(*other)]
    theirs = [pair.server.request(*payload), pair.server.request(*other)]
    pair.pump()
    asked = [event for event in pair.server_events if isinstance(event, RequestReceived)]
    assert sorted(event.stream_id for event in asked) == ours
    for event in asked:
        assert pair.server.respond(event.stream_id, event.data, event.metadata)
    for stream_id in theirs:
        assert pair.client.fail(stream_id, 0x301, "no")
    pair.pump()
    answered = {event.stream_id: event for event in pair.client_events if isinstance(event, ResponseReceived)}
    assert [(answered[stream_id].data, answered[stream_id].metadata) for stream_id in ours] == [payload, other]
    failed = [event for event in pair.server_events if isinstance(event, RequestFailed)]
    assert failed == [RequestFailed(stream_id, 0x301, "no") for stream_id in theirs]
    pair.client.close()
    pair.pump()
    assert pair.server_events[-1] == ConnectionEnded(ErrorCode.CONNECTION_CLOSE, "")
    assert pair.client.state is pair.server.state is ConnectionPhase.CLOSED
    assert not [event for event in pair.client_events + pair.server_events if isinstance(event, FrameIgnored)]


def test_a_thousand_requests_at_once_each_get_their_own_answer() -> None:
    """Specification (checklist 36): answered in the opposite order."""
    pair = Pair()
    ids = [pair.client.request(b"%d" % number) for number in range(1000)]
    pair.pump()
    asked = [event for event in pair.server_events if isinstance(event, RequestReceived)]
    for event in reversed(asked):
        pair.server.respond(event.stream_id, b"re " + event.data)
    pair.pump()
    answers = {event.stream_id: event.data for event in pair.client_events if isinstance(event, ResponseReceived)}
    assert [answers[stream_id] for stream_id in ids] == [b"re %d" % number for number in range(1000)]


@dataclass
class End:
    connection: Connection
    asked: dict[int, bytes]  # our requests that wait
    running: dict[int, bytes]  # the peer's, reported and unanswered
    answered: dict[int, bytes] = field(default_factory=dict[int, bytes])


class Conversation(RuleBasedStateMachine):
    """Either end does anything it may at any time; a model says what the other must hear of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[End] = []

    @initialize(fragment_size=st.sampled_from([64, 100, 1 << 16]))
    def connect(self, fragment_size: int) -> None:
        pair = Pair(fragment_size=fragment_size)
        self.ends = [End(pair.client, {}, {}), End(pair.server, {}, {})]

    @rule(end=st.sampled_from([0, 1]), data=st.binary(max_size=300))
    def ask(self, end: int, data: bytes) -> None:
        stream_id = self.ends[end].connection.request(data, data[:3] or None)
        self.ends[end].asked[stream_id] = data

    @rule(end=st.sampled_from([0, 1]), pieces=st.integers(1, 4))
    def hand_over(self, end: int, pieces: int) -> None:
        """Move some frames one way, so that cancels and answers meet in flight."""
        source, target = self.ends[end], self.ends[1 - end]
        for _ in range(pieces):
            for frame in source.connection.frames_to_send(1):
                self.hear(target, source, target.connection.receive_frame(frame, 0.0))

    def hear(self, end: End, other: End, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case RequestReceived(stream_id, data, metadata):
                    assert metadata == (data[:3] or None)
                    assert other.asked.get(stream_id, data) == data
                    end.running[stream_id] = data
                case ResponseReceived(stream_id, data):
                    assert data == end.asked.pop(stream_id)[::-1]
                case RequestFailed(stream_id, code, message):
                    assert (code, message) == (0x301, str(len(end.asked.pop(stream_id))))
                case RequestCanceled(stream_id):
                    assert stream_id not in other.asked
                    (end.running if stream_id in end.running else end.answered).pop(stream_id)
                case FrameIgnored():
                    pass
                case _:
                    pytest.fail(f"unexpected {event}")

    @precondition(lambda self: any(end.running for end in self.ends))
    @rule(data=st.data(), in_order=st.booleans())
    def answer(self, data: st.DataObject, in_order: bool) -> None:
        end = data.draw(st.sampled_from([end for end in self.ends if end.running]))
        stream_id = data.draw(st.sampled_from(sorted(end.running)))
        asked = end.answered[stream_id] = end.running.pop(stream_id)
        if in_order:
            assert end.connection.respond(stream_id, asked[::-1])
        else:
            assert end.connection.fail(stream_id, 0x301, str(len(asked)))
        assert not end.connection.respond(stream_id, b"")

    @precondition(lambda self: any(end.asked for end in self.ends))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        end = data.draw(st.sampled_from([end for end in self.ends if end.asked]))
        stream_id = data.draw(st.sampled_from(sorted(end.asked)))
        was_sent = end.connection.was_sent(stream_id)
        assert end.connection.cancel(stream_id) is was_sent
        del end.asked[stream_id]

    @invariant()
    def both_live(self) -> None:
        for end in self.ends:
            assert end.connection.state is ConnectionPhase.OPEN

    def teardown(self) -> None:
        """When everything was delivered and answered, neither end remembers anything."""
        for _ in range(2):
            self._drain()
            for end in self.ends:
                for stream_id, asked in end.running.items():
                    assert end.connection.respond(stream_id, asked[::-1])
                end.running.clear()
        self._drain()
        for end in self.ends:
            assert not end.asked
            assert end.connection.outstanding == 0
            assert end.connection._responder._assemblies.size == len(end.connection._responder) == 0

    def _drain(self) -> None:
        while any(end.connection.wants_to_send for end in self.ends):
            self.hand_over(0, 10)
            self.hand_over(1, 10)


Conversation.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestConversation = Conversation.TestCase
