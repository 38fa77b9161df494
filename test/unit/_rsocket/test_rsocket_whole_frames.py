"""The short way of whole frames: it must do what the long way does, which knows all frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from frame_strategies import RESUMABLE_SETUP, SETUP
from hypothesis import given, settings
from hypothesis import strategies as st

from elarian_trio._rsocket import Connection, Role
from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.setup import setup_to_frame
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from elarian_trio._rsocket import Event

MAX_PAYLOAD = 60
FRAGMENT = 64


class LongWay(Connection):
    """A connection that takes every frame, in and out, the way that knows all of them."""

    def frames_to_send(self, max_bytes: int = 256 * 1024) -> list[bytes]:
        """Have nothing leave in runs."""
        self._outbox.take_wholes = lambda max_bytes: []  # type: ignore[method-assign]
        return super().frames_to_send(max_bytes)

    def _receive_whole(self, data: bytes) -> Event | None:
        del data


def opened(kind: type[Connection], role: Role, capacity: int | None) -> Connection:
    """Give a connection that stands, with room for *capacity* bytes if it is resumable."""
    setup = SETUP if capacity is None else RESUMABLE_SETUP
    offered = setup if role is Role.CLIENT else None
    connection = kind(
        role,
        setup=offered,
        fragment_size=FRAGMENT,
        max_payload_size=MAX_PAYLOAD,
        max_incoming=2,
        resume_buffer_size=capacity,
    )
    connection.open(0.0)
    if role is Role.CLIENT:
        ping = f.decode_frame(connection.frames_to_send()[1])
        assert isinstance(ping, f.KeepaliveFrame)
        connection.receive_frame(f.encode_frame(f.KeepaliveFrame(ping.data)), 0.0)
    else:
        connection.receive_frame(f.encode_frame(setup_to_frame(setup)), 0.0)
        connection.accept_setup(0.0)
    return connection


ids = st.integers(1, 8)
sizes = st.sampled_from([0, 5, 55, 61])
contents = sizes.map(bytes)
metadata = st.sampled_from([None, b"", b"meta"])
whole_frames = st.builds(f.PayloadFrame, ids, contents, complete=st.just(True), next_=st.just(True)) | st.builds(
    f.RequestResponseFrame, ids, contents
)
other_frames = st.one_of(
    st.builds(f.PayloadFrame, ids, contents, follows=st.booleans(), next_=st.booleans()),
    st.builds(f.RequestResponseFrame, ids, contents, st.just(b"meta"), follows=st.booleans()),
    st.builds(f.CancelFrame, ids),
    st.builds(f.ErrorFrame, ids, st.just(0x201)),
    st.builds(f.KeepaliveFrame, respond=st.booleans(), position=st.just(0)),
)
bare_headers = st.builds(
    lambda stream_id, word: stream_id.to_bytes(4, "big") + word.to_bytes(2, "big"),
    st.sampled_from([0, 1, 2, 0x8000_0001, 0x8000_0002]),
    st.sampled_from([f.WHOLE_ANSWER, f.WHOLE_REQUEST, f.WHOLE_ANSWER | 0x80]),
)
received = st.tuples(
    st.just("receive_frame"), (whole_frames | other_frames).map(f.encode_frame) | bare_headers, st.just(1.0)
)
sent = st.tuples(st.just("frames_to_send"), st.sampled_from([1, 40, 1000]))
asked = st.tuples(st.just("request"), contents, metadata)
answered = st.tuples(st.just("respond"), ids, contents, metadata)
failed = st.tuples(st.just("fail"), ids, st.just(0x201), st.just("no"))
others = st.one_of(
    st.tuples(st.just("cancel"), ids),
    st.tuples(st.just("repeat"), ids, contents, metadata),
    st.tuples(st.just("ping"), st.just(1.0)),
)
steps = st.one_of(received, received, sent, asked, answered | failed, others)
endings = st.sampled_from(
    [
        ("close",),
        ("receive_frame", f.encode_frame(f.ErrorFrame(0, 0x102)), 1.0),
        ("receive_frame", f.encode_frame(f.KeepaliveFrame(position=1 << 40)), 1.0),
        ("receive_frame", b"short", 1.0),
    ]
)
scripts = st.builds(
    lambda before, end, after: [*before, end, *after],
    st.lists(steps, min_size=25, max_size=60),
    endings,
    st.lists(steps, max_size=8),
)


def outcome(connection: Connection, name: str, *arguments: Any) -> object:  # noqa: ANN401 - of any call
    """Give what a call gives, or what it raises."""
    try:
        return getattr(connection, name)(*arguments)
    except (LocalProtocolError, RemoteProtocolError) as error:
        return type(error), str(error)


def told(connection: Connection) -> object:
    """Give all that a connection tells of itself."""
    asked = [connection.was_sent(stream_id) for stream_id in range(10)]
    received = [connection.was_received(stream_id) for stream_id in range(10)]
    counts = connection.outstanding, connection.kept_bytes, connection.waiting_bytes
    resumption = connection._resumption
    return connection.state, connection.wants_to_send, counts, asked, received, resumption.received, resumption.sent


@pytest.mark.parametrize("role", Role)
@settings(max_examples=200)
@given(capacity=st.sampled_from([None, 100, 100_000]), script=scripts)
def test_the_short_way_does_what_the_long_way_does(role: Role, capacity: int | None, script: list[Any]) -> None:
    """This SDK: whatever frames come and whatever is asked, answered and sent between them."""
    short, long = opened(Connection, role, capacity), opened(LongWay, role, capacity)
    for name, *arguments in script:
        assert outcome(short, name, *arguments) == outcome(long, name, *arguments)
        assert told(short) == told(long)
