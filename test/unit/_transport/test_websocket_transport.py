"""Frames over WebSocket messages: what is carried, what is answered and what is cancelled, byte by byte in memory."""

from __future__ import annotations

import logging
import tracemalloc
from itertools import pairwise

import anyio
import anyio.lowlevel
import pytest
from byte_pipes import PipeEnd
from hypothesis import given
from hypothesis import strategies as st
from websocket_peers import ROLES, Peer, a_protocol, ours_and_peer
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode

from elarian_trio._rsocket.frames import MAX_FRAME_SIZE
from elarian_trio._transport.websocket import WebSocketTransport
from elarian_trio.errors import LocalProtocolError

pytestmark = pytest.mark.anyio


# --- messages ---


@ROLES
async def test_one_frame_is_one_binary_message_without_length(role: str) -> None:
    """RSocket over WebSocket: no length prefix, one message each, in order; one write for many."""
    frames = [b"header" + bytes(size) for size in (0, 1, 125, 126, 70_000, 5)]
    async with ours_and_peer(role) as (ours, peer):
        stream = ours._stream
        assert isinstance(stream, PipeEnd)
        await ours.send_frames(frames)
        seen = await peer.read(len(frames))
        assert [(frame.opcode, frame.fin, bytes(frame.data)) for frame in seen] == [
            (Opcode.BINARY, True, frame) for frame in frames
        ]
        assert len(stream.sends) == 1


@ROLES
async def test_one_read_gives_all_its_messages(role: str) -> None:
    """RSocket: many frames in one read, and none is held back."""
    async with ours_and_peer(role) as (ours, peer):
        for number in range(9):
            peer.protocol.send_binary(b"frame%d" % number)
        await peer.flush()
        assert await ours.receive_frames() == [b"frame%d" % number for number in range(9)]


async def test_message_that_comes_byte_by_byte_is_whole() -> None:
    """RFC 6455: a message's bytes may arrive in any pieces."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_binary(b"dripping")
        for piece in b"".join(peer.protocol.data_to_send()):
            await peer.stream.send(bytes([piece]))
        assert await ours.receive_frames() == [b"dripping"]


@ROLES
async def test_fragments_of_a_message_are_joined_around_what_comes_between(role: str) -> None:
    """RFC 6455 §5.4: control frames may come between the fragments of a message; fragments may be empty."""
    async with ours_and_peer(role) as (ours, peer):
        peer.protocol.send_binary(b"in", fin=False)
        peer.protocol.send_continuation(b"", fin=False)
        peer.protocol.send_ping(b"between")
        peer.protocol.send_continuation(b" three ", fin=False)
        peer.protocol.send_continuation(b"parts", fin=True)
        peer.protocol.send_binary(b"whole")
        await peer.flush()
        assert await ours.receive_frames() == [b"in three parts", b"whole"]


@given(
    messages=st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=4), min_size=1, max_size=5),
    cuts=st.lists(st.integers(min_value=0, max_value=400)),
)
def test_pieces_and_fragments_change_nothing(messages: list[list[bytes]], cuts: list[int]) -> None:
    """RFC 6455: neither the fragments of messages nor the pieces in which bytes arrive mean anything."""
    sender, receiver = a_protocol("client"), a_protocol("server")
    ours = WebSocketTransport(PipeEnd.pair()[0], receiver)
    for first, *rest in messages:
        sender.send_binary(first, fin=not rest)
        for number, part in enumerate(rest, 1):
            sender.send_continuation(part, fin=number == len(rest))
    data = b"".join(sender.data_to_send())
    places = [0, *sorted(place % (len(data) + 1) for place in cuts), len(data)]
    frames: list[bytes] = []
    for start, end in pairwise(places):
        receiver.receive_data(data[start:end])
        frames += ours._take_in(receiver.events_received())
    assert frames == [b"".join(parts) for parts in messages]


async def test_empty_message_comes_out_as_the_short_frame_it_is() -> None:
    """This SDK: so that the Connection refuses it, with an ERROR for the peer, after the good frames before it."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_binary(b"good frame")
        peer.protocol.send_binary(b"")
        await peer.flush()
        assert await ours.receive_frames() == [b"good frame", b""]


async def test_messages_that_came_with_the_handshake_are_given_first() -> None:
    """RFC 6455: a server may speak right behind its answer, in the same segment."""
    near, far = PipeEnd.pair()
    async with WebSocketTransport(near, a_protocol("client"), [Frame(Opcode.BINARY, b"early")]) as ours:
        assert await ours.receive_frames() == [b"early"]
        peer = Peer(far, a_protocol("server"))
        peer.protocol.send_binary(b"later")
        await peer.flush()
        assert await ours.receive_frames() == [b"later"]


async def test_frame_too_long_for_rsocket_is_not_sent() -> None:
    """RSocket: 16,777,215 bytes at most, whatever the transport; nothing of it or its neighbours leaves."""
    async with ours_and_peer() as (ours, peer):
        with pytest.raises(LocalProtocolError, match="16777216"):
            await ours.send_frames([b"neighbour", bytes(MAX_FRAME_SIZE + 1)])
        await ours.send(b"after")
        assert bytes((await peer.read())[0].data) == b"after"


async def test_longest_frame_passes_both_ways() -> None:
    """RSocket: 16,777,215 bytes are allowed, where WebSocket stacks often stop at less."""
    longest = bytes(MAX_FRAME_SIZE)
    async with ours_and_peer() as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(ours.send, longest)
        assert len((await peer.read())[0].data) == MAX_FRAME_SIZE
        peer.protocol.send_binary(longest)
        tasks.start_soon(peer.flush)
        assert len(await ours.receive()) == MAX_FRAME_SIZE


async def test_many_tiny_fragments_cost_little_more_than_their_bytes() -> None:
    """This SDK, a bound: a fragment of one byte must not cost a hundred, nor an empty one anything."""
    protocol = a_protocol("server")
    ours = WebSocketTransport(PipeEnd.pair()[0], protocol)
    peer = a_protocol("client")
    peer.send_binary(b"", fin=False)
    tracemalloc.start()
    try:
        for _ in range(20):
            for _ in range(500):
                peer.send_continuation(b"x", fin=False)
                peer.send_continuation(b"", fin=False)
            protocol.receive_data(b"".join(peer.data_to_send()))
            assert ours._take_in(protocol.events_received()) == []
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    print(f"kept for 10,000 fragments of one byte and as many empty ones: {kept} bytes")  # noqa: T201 - a figure
    assert kept < 100_000
    await anyio.lowlevel.checkpoint()


# --- pings ---


@ROLES
async def test_ping_is_answered_with_its_own_words(role: str) -> None:
    """RFC 6455 §5.5.2: by whoever reads, while nobody writes."""
    async with ours_and_peer(role) as (ours, peer), anyio.create_task_group() as tasks:
        peer.protocol.send_ping(b"are you there")
        await peer.flush()
        tasks.start_soon(ours.receive_frames)
        (pong,) = await peer.read()
        assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"are you there")
        tasks.cancel_scope.cancel()


async def test_no_ping_is_sent_and_a_pong_nobody_asked_for_is_ignored() -> None:
    """RFC 6455 §5.5.3; and this SDK finds dead peers by RSocket's keepalives."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_pong(b"unasked")
        peer.protocol.send_binary(b"frame")
        await peer.flush()
        assert await ours.receive_frames() == [b"frame"]
        await ours.send(b"answer")
        assert [frame.opcode for frame in await peer.read()] == [Opcode.BINARY]


async def test_ping_during_a_stuck_write_is_answered_behind_it_and_holds_up_nobody() -> None:
    """This SDK: two may not send at once, and the reader never waits for the writer; the newest ping wins."""
    async with ours_and_peer(room=1000) as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(ours.send, bytes(5000))
        await anyio.wait_all_tasks_blocked()
        for number in range(50):
            peer.protocol.send_ping(b"%d" % number)
        peer.protocol.send_binary(b"read all the same")
        await peer.flush()
        assert await ours.receive_frames() == [b"read all the same"]
        tasks.start_soon(ours.receive_frames)
        await anyio.wait_all_tasks_blocked()
        big, pong = await peer.read(2)
        assert (big.opcode, len(big.data)) == (Opcode.BINARY, 5000)
        assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"49")
        tasks.cancel_scope.cancel()


async def test_frames_wait_for_a_pong_under_way_and_follow_it_whole() -> None:
    """This SDK: the writer takes its turn behind the reader's answer; neither's bytes get between the other's."""
    async with ours_and_peer(room=10) as (ours, peer), anyio.create_task_group() as tasks:
        peer.protocol.send_ping(bytes(100))
        tasks.start_soon(peer.flush)
        tasks.start_soon(ours.receive_frames)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(ours.send, b"behind it")
        await anyio.wait_all_tasks_blocked()
        pong, frame = await peer.read(2)
        assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, bytes(100))
        assert bytes(frame.data) == b"behind it"
        tasks.cancel_scope.cancel()


# --- calls that are cancelled ---


async def test_cancelled_before_its_turn_sends_nothing_and_breaks_nothing() -> None:
    """This SDK: who waits for another's write and is cancelled has not begun."""
    async with ours_and_peer(room=10) as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(ours.send, bytes(100))
        await anyio.wait_all_tasks_blocked()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as others:
                others.start_soon(ours.send, b"never")
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        await peer.read()
        await ours.send(b"next")
        assert bytes((await peer.read())[0].data) == b"next"


@ROLES
async def test_cancelled_read_loses_nothing(role: str) -> None:
    """anyio: a receive that is cancelled has received nothing."""
    async with ours_and_peer(role) as (ours, peer):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ours.receive_frames)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        peer.protocol.send_binary(b"for the next one")
        await peer.flush()
        assert await ours.receive_frames() == [b"for the next one"]


# --- secrets ---


@ROLES
async def test_nothing_that_travels_is_logged_by_anybody(role: str, caplog: pytest.LogCaptureFixture) -> None:
    """The design, promise 4: the library below logs the bytes of messages where somebody turns its log on."""
    caplog.set_level(logging.DEBUG)
    for name in ("websockets", "websockets.client", "websockets.server", "elarian_trio"):
        caplog.set_level(logging.DEBUG, logger=name)
    async with ours_and_peer(role) as (ours, peer):
        await ours.send(b"el_k_test_secret")
        await peer.read()
        peer.protocol.send_binary(b"el_k_test_secret")
        await peer.flush()
        assert await ours.receive() == b"el_k_test_secret"
    assert "secret" not in caplog.text


def test_protocols_of_ours_offer_no_extension() -> None:
    """RSocket's peers use none: compression would only cost."""
    protocol = a_protocol("client")
    assert isinstance(protocol, ClientProtocol)
    assert "Sec-WebSocket-Extensions" not in protocol.connect().headers
