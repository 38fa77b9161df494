"""How a WebSocket ends: by what a peer does wrong, by either's goodbye or none, and by a write that was cut off."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest
from byte_pipes import PipeEnd
from websocket_peers import ROLES, Peer, a_protocol, ours_and_peer

from elarian_trio._rsocket.frames import MAX_FRAME_SIZE
from elarian_trio._transport.websocket import WebSocketTransport

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def until(reached: Callable[[], bool]) -> None:
    """Let others have their turn until *reached* says so."""
    with anyio.fail_after(5):
        while not reached():
            await anyio.lowlevel.checkpoint()


# --- what peers do wrong ---


@ROLES
async def test_text_is_refused_with_1003_after_the_frames_before_it(role: str) -> None:
    """RFC 6455 §7.4.1: 1003, a type of data that cannot be accepted."""
    async with ours_and_peer(role) as (ours, peer):
        peer.protocol.send_binary(b"good")
        peer.protocol.send_text(b"bad")
        peer.protocol.send_binary(b"too late")
        await peer.flush()
        assert await ours.receive_frames() == [b"good"]
        with pytest.raises(anyio.BrokenResourceError, match="text"):
            await ours.receive_frames()
        assert await peer.read_close() == 1003
        with pytest.raises(anyio.BrokenResourceError):
            await ours.send(b"no more")


@ROLES
@pytest.mark.parametrize("fragments", [1, 2])
async def test_message_over_rsockets_limit_is_refused_with_1009(role: str, fragments: int) -> None:
    """RSocket: 16,777,215 bytes at most, whatever the transport; WebSocket's 1009 says so. Its bytes are not kept."""
    async with ours_and_peer(role) as (ours, peer), anyio.create_task_group() as tasks:
        peer.protocol.send_binary(bytes(MAX_FRAME_SIZE + 2 - fragments), fin=fragments == 1)
        for number in range(1, fragments):
            peer.protocol.send_continuation(b"x", fin=number == fragments - 1)
        tasks.start_soon(peer.flush)
        with pytest.raises(anyio.BrokenResourceError, match="protocol"):
            await ours.receive_frames()
        assert await peer.read_close() == 1009
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\x83\x00", id="a reserved kind of frame"),
        pytest.param(b"\xc2\x00", id="a bit of an extension nobody agreed on"),
        pytest.param(b"\x82\x80abcd", id="a mask, which only clients put on"),
        pytest.param(b"\x80\x01x", id="a continuation of nothing"),
        pytest.param(b"\x89\x7e\x00\x7e" + bytes(126), id="a ping too long"),
        pytest.param(b"\x09\x00", id="a ping in fragments"),
        pytest.param(b"\x88\x01x", id="half a closing code"),
        pytest.param(b"\x88\x02\x03\xed", id="a closing code that is only ever internal"),
        pytest.param(b"\x02\x01a\x82\x01b", id="a message within another"),
    ],
)
async def test_what_is_no_websocket_is_refused_with_1002(garbage: bytes) -> None:
    """RFC 6455 §7.4.1: 1002, a protocol error; the frames before it count."""
    async with ours_and_peer() as (ours, peer):
        await peer.stream.send(b"\x82\x04good" + garbage)
        assert await ours.receive_frames() == [b"good"]
        with pytest.raises(anyio.BrokenResourceError, match="protocol"):
            await ours.receive_frames()
        assert await peer.read_close() == 1002


async def test_client_that_does_not_mask_is_refused() -> None:
    """RFC 6455 §5.1: a server must close then."""
    async with ours_and_peer("server") as (ours, peer):
        await peer.stream.send(b"\x82\x04bare")
        with pytest.raises(anyio.BrokenResourceError, match="protocol"):
            await ours.receive_frames()
        assert await peer.read_close() == 1002


# --- the end ---


@ROLES
@pytest.mark.parametrize("code", [1000, 1001, None])
async def test_peer_that_leaves_in_order_is_the_end_of_the_stream(role: str, code: int | None) -> None:
    """RFC 6455 §7.4.1: normal, going away, or no code; it is answered with the same."""
    async with ours_and_peer(role) as (ours, peer):
        peer.protocol.send_binary(b"last")
        peer.protocol.send_close(code)
        await peer.flush()
        assert await ours.receive_frames() == [b"last"]
        for _ in range(2):
            with pytest.raises(anyio.EndOfStream):
                await ours.receive_frames()
        assert await peer.read_close() == (code or 1005)
        with pytest.raises(anyio.BrokenResourceError):
            await ours.send(b"nobody is there")


@pytest.mark.parametrize("code", [1002, 1003, 1008, 1009, 1011, 1013, 3000, 4999])
async def test_peer_that_leaves_for_another_reason_is_a_broken_connection(code: int) -> None:
    """This SDK: the code is told, the words are not: they are the peer's, and may hold anything."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_close(code, "el_k_test_secret")
        await peer.flush()
        with pytest.raises(anyio.BrokenResourceError, match=f"code {code}") as caught:
            await ours.receive_frames()
        assert "secret" not in str(caught.value)
        assert await peer.read_close() == code


@ROLES
async def test_peer_that_closes_without_a_word_is_the_end_of_the_stream(role: str) -> None:
    """This SDK: as over TCP; half a message is lost with it."""
    async with ours_and_peer(role) as (ours, peer):
        peer.protocol.send_binary(b"half", fin=False)
        await peer.flush()
        await peer.stream.aclose()
        with pytest.raises(anyio.EndOfStream):
            await ours.receive_frames()


async def test_goodbye_to_a_peer_that_did_not_wait_for_it_changes_nothing() -> None:
    """This SDK: a peer that closed in order and was gone when we answered has closed in order."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_close(1000)
        await peer.flush()
        await peer.stream.aclose()
        with pytest.raises(anyio.EndOfStream):
            await ours.receive_frames()


async def test_ping_of_a_peer_that_is_gone_is_a_broken_connection() -> None:
    """This SDK: a peer that asked and is gone did not close in order."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_ping(b"")
        await peer.flush()
        await peer.stream.aclose()
        with pytest.raises(anyio.BrokenResourceError):
            await ours.receive_frames()


@ROLES
async def test_closing_says_goodbye_once(role: str) -> None:
    """RFC 6455 §7.1.1: a closing message first, with 1000; closing twice is closing once."""
    async with ours_and_peer(role) as (ours, peer):
        await ours.aclose()
        await ours.aclose()
        assert await peer.read_close() == 1000
        with pytest.raises(anyio.EndOfStream):
            await peer.read()
        with pytest.raises(anyio.ClosedResourceError):
            await ours.send(b"closed")
        with pytest.raises(anyio.ClosedResourceError):
            await ours.receive()


async def test_closing_answers_a_goodbye_that_nobody_read_on_for() -> None:
    """RFC 6455 §5.5.1: a closing message is answered, also where the reader has ended since."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_binary(b"last")
        peer.protocol.send_close(1001)
        await peer.flush()
        assert await ours.receive_frames() == [b"last"]
        await ours.aclose()
        assert await peer.read_close() == 1001


async def test_end_of_our_direction_is_a_closing_message_and_the_other_direction_goes_on() -> None:
    """This SDK: the session ends its direction, and reads on until its peer closes first."""
    async with ours_and_peer() as (ours, peer):
        await ours.send(b"last")
        await ours.send_eof()
        await ours.send_eof()
        with pytest.raises(anyio.ClosedResourceError):
            await ours.send(b"too late")
        peer.protocol.send_binary(b"still under way")
        await peer.flush()
        assert await ours.receive_frames() == [b"still under way"]
        assert await peer.read_close() == 1000
        await peer.flush()
        with pytest.raises(anyio.EndOfStream):
            await ours.receive_frames()


async def test_nothing_follows_a_write_that_was_cut_off() -> None:
    """This SDK: half a message is on the wire; neither frames, nor an answer, nor a goodbye may follow it."""
    async with ours_and_peer(room=100) as (ours, peer):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ours.send, bytes(5000))
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        with pytest.raises(anyio.BrokenResourceError):
            await ours.send(b"behind half a message")
        peer.protocol.send_ping(b"")
        await peer.flush()
        with pytest.raises(anyio.BrokenResourceError):
            await ours.receive_frames()
        stream = ours._stream
        assert isinstance(stream, PipeEnd)
        await ours.aclose()
        assert len(stream.sends) == 1
        assert stream.is_closed


async def test_closing_while_somebody_is_stuck_in_writing_waits_for_nobody() -> None:
    """This SDK: closing never hangs on a peer that does not read."""
    async with ours_and_peer(room=10) as (ours, _), anyio.create_task_group() as tasks:
        errors: list[type[BaseException]] = []

        async def send() -> None:
            try:
                await ours.send(bytes(1000))
            except anyio.ClosedResourceError as error:
                errors.append(type(error))

        tasks.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        await ours.aclose()
        await until(lambda: bool(errors))


async def test_closing_when_cancelled_closes_at_once() -> None:
    """anyio: a cancelled ``aclose`` still closes, and says no goodbye."""
    async with ours_and_peer() as (ours, _):
        stream = ours._stream
        assert isinstance(stream, PipeEnd)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await ours.aclose()
        assert stream.is_closed
        assert stream.sends == []


@pytest.mark.parametrize("ends", [True, False])
async def test_peer_at_fault_may_read_why_over_what_it_still_sends(ends: bool) -> None:
    """This SDK: a socket closed over unread bytes is reset, and our last words are lost with it."""
    near, far = PipeEnd.pair(room=1000)
    ours, peer = WebSocketTransport(near, a_protocol("client")), Peer(far, a_protocol("server"))
    async with anyio.create_task_group() as tasks:
        peer.protocol.send_text(b"what?")
        await peer.flush()
        with pytest.raises(anyio.BrokenResourceError):
            await ours.receive_frames()

        async def go_on() -> None:
            with suppress(anyio.ClosedResourceError):
                await far.send(bytes(5000))

        tasks.start_soon(go_on)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(ours.aclose)
        assert await peer.read_close() == 1003
        if ends:
            await far.aclose()
        await until(lambda: near.is_closed)
        tasks.cancel_scope.cancel()
