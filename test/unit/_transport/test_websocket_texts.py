"""A WebSocket by which a client only listens: what it makes of messages, pings, goodbyes and nonsense."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from byte_pipes import PLENTY, PipeEnd
from websocket_peers import Peer, a_protocol
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from elarian_trio._transport.texts import MAX_MESSAGE, Listening, Message, Opening, Pong
from elarian_trio.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

BOUND = 5.0  # seconds that anything awaited in a test may take


def answered(opening: Opening) -> dict[str, str]:
    """Answer a request as a server does, and give the headers."""
    headers = Headers({**opening.headers, "Host": "h"})
    answer = ServerProtocol().accept(Request("/", headers))
    return {name.lower(): value for name, value in answer.headers.raw_items()}


@asynccontextmanager
async def ours_and_peer(room: int = PLENTY) -> AsyncIterator[tuple[Listening, Peer]]:
    """Join an open one of ours with a server's end."""
    near, far = PipeEnd.pair(room)
    opening = Opening()
    with anyio.fail_after(BOUND):
        async with near, far:
            yield opening.accept(answered(opening), near), Peer(far, a_protocol("server", max_size=None))


async def test_request_has_the_headers_of_a_websocket_and_no_others() -> None:
    """RFC 6455 §4.1; the facts about Planship: no subprotocol, no extension, no origin."""
    await anyio.lowlevel.checkpoint()
    opening = Opening()
    assert set(opening.headers) == {"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}
    assert opening.headers["Sec-WebSocket-Key"] != Opening().headers["Sec-WebSocket-Key"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sec-websocket-accept": "bm90IHRoaXM="},
        {"sec-websocket-accept": "é☃"},
        {"upgrade": "h2c"},
        {"connection": "close"},
        {"sec-websocket-extensions": "permessage-deflate"},
        {"sec-websocket-protocol": "graphql"},
    ],
)
async def test_answer_to_something_else_opens_nothing(wrong: dict[str, str]) -> None:
    """RFC 6455 §4.1: what a client must check."""
    await anyio.lowlevel.checkpoint()
    opening = Opening()
    near, _ = PipeEnd.pair()
    with pytest.raises(ConnectionFailed, match="not how a WebSocket is opened"):
        opening.accept({**answered(opening), **wrong}, near)


async def test_messages_come_as_they_were_sent_whole_or_in_pieces() -> None:
    """RFC 6455 §5.4: fragments are one message, of the kind of the first."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_text("é".encode())
        peer.protocol.send_text(b"{", fin=False)
        peer.protocol.send_continuation(b"", fin=False)
        peer.protocol.send_ping(b"between")
        peer.protocol.send_continuation(b"}", fin=True)
        peer.protocol.send_binary(b"\0")
        peer.protocol.send_text(b"\xff")
        await peer.flush()
        heard = [await ours.receive() for _ in range(4)]
        assert heard == [
            Message("é".encode(), True),
            Message(b"{}", True),
            Message(b"\0", False),
            Message(b"\xff", True),
        ]
        assert [bytes(frame.data) for frame in await peer.read()] == [b"between"]
        assert repr(heard[0]) == "Message(is_text=True)"


async def test_pong_comes_behind_what_was_said_before_it() -> None:
    """What settles a connection: the order of one stream."""
    async with ours_and_peer() as (ours, peer):
        await ours.ping(b"mark")
        peer.protocol.send_text(b"1")
        await peer.read()  # which answers the ping
        await peer.flush()
        assert [await ours.receive() for _ in range(2)] == [Message(b"1", True), Pong(b"mark")]


async def test_goodbye_of_the_service_ends_it_with_its_code() -> None:
    """RFC 6455 §5.5.1: answered with the same code; 1005 stands for none."""
    for code, seen in ((1008, 1008), (None, 1005)):
        async with ours_and_peer() as (ours, peer):
            peer.protocol.send_text(b"last")
            peer.protocol.send_close(code)
            await peer.flush()
            assert await ours.receive() == Message(b"last", True)
            for _ in range(2):
                with pytest.raises(anyio.EndOfStream):
                    await ours.receive()
            assert ours.close_code == seen
            assert await peer.read_close() == seen
            await ours.say_goodbye()
            await ours.ping(b"too late")


async def test_goodbye_stands_where_nobody_is_left_to_hear_its_answer() -> None:
    """A past bug: a service that closed the connection behind its 1008 had not said it, and was asked for ever."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_text(b"last")
        peer.protocol.send_close(1008)
        await peer.flush()
        await peer.stream.aclose()
        assert await ours.receive() == Message(b"last", True)
        with pytest.raises(anyio.EndOfStream):
            await ours.receive()
        assert ours.close_code == 1008
        await ours.say_goodbye()


async def test_answer_that_cannot_be_sent_breaks_what_was_not_closed() -> None:
    """This SDK: without a closing message it is a connection lost like any other."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_ping(b"there?")
        await peer.flush()
        await peer.stream.aclose()
        with pytest.raises(anyio.BrokenResourceError):
            await ours.receive()
        assert ours.close_code is None


async def test_service_that_just_leaves_gives_no_code() -> None:
    """This SDK: that is a connection lost like any other."""
    async with ours_and_peer() as (ours, peer):
        await peer.stream.aclose()
        with pytest.raises(anyio.EndOfStream):
            await ours.receive()
        assert ours.close_code is None
        await ours.say_goodbye()


@pytest.mark.parametrize("nonsense", [b"\xff\xff\xff", b"\x81\xff" + bytes(4), b"\x81\x7f" + b"\x7f" * 8, b"\x80\x00"])
async def test_service_that_breaks_the_protocol_is_told_and_dropped(nonsense: bytes) -> None:
    """RFC 6455 §7.1.7: a masked, endless or unasked frame fails the connection."""
    async with ours_and_peer() as (ours, peer):
        await peer.stream.send(nonsense)
        with pytest.raises(anyio.BrokenResourceError):
            await ours.receive()
        assert await peer.read_close() in (1002, 1009)
        await ours.say_goodbye()


async def test_message_as_long_as_allowed_is_heard_and_a_longer_one_is_not() -> None:
    """This SDK: no unbounded buffer."""
    async with ours_and_peer() as (ours, peer):
        peer.protocol.send_text(bytes(MAX_MESSAGE))
        await peer.flush()
        assert await ours.receive() == Message(bytes(MAX_MESSAGE), True)
        peer.protocol.send_text(bytes(MAX_MESSAGE + 1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(peer.flush)
            with pytest.raises(anyio.BrokenResourceError):
                await ours.receive()
            tasks.cancel_scope.cancel()


async def test_cancelled_receive_loses_no_message() -> None:
    """This SDK: a reader may be cancelled at any time."""
    async with ours_and_peer() as (ours, peer):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await ours.receive()
        peer.protocol.send_text(b"1")
        peer.protocol.send_text(b"2")
        await peer.flush()
        assert await ours.receive() == Message(b"1", True)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await ours.receive()
        assert await ours.receive() == Message(b"2", True)


async def test_goodbye_is_said_and_heard() -> None:
    """D23 of the facts about Planship: 1000; what still comes before the answer is thrown away."""
    async with ours_and_peer() as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(ours.say_goodbye)
        assert await peer.read_close() == 1000
        await peer.stream.send(Frame(Opcode.TEXT, b"late").serialize(mask=False))
        await peer.flush()


async def test_nothing_is_said_after_half_a_message() -> None:
    """This SDK: a write that was cut off leaves half a frame on the wire, and what follows would be read into it."""
    async with ours_and_peer(room=1) as (ours, peer):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ours.ping, b"never taken")
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        with pytest.raises(anyio.BrokenResourceError):
            await ours.ping(b"")
        await ours.say_goodbye()
        assert peer.seen == []
