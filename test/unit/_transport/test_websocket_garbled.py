"""WebSocket bytes that were spoiled, by accident or in anger: frames come out, and the errors of a transport."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import pytest
from byte_pipes import PipeEnd
from websocket_peers import a_protocol
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from elarian_trio._transport.upgrade import _ask, _grant
from elarian_trio._transport.websocket import SILENT, WebSocketTransport
from elarian_trio.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio._transport import FrameTransport

pytestmark = pytest.mark.anyio

STREAMS = 1000  # of each kind, on each backend
SEED = 20_260_101
BOUND = 60.0  # seconds for all of them, ten times what they take

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: deflate; bits=9\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def messages(rng: random.Random, role: str) -> bytes:
    """Make some messages of a peer in *role*: mostly good ones."""
    peer = a_protocol(role)
    moves: list[Callable[[], None]] = [
        lambda: peer.send_binary(rng.randbytes(rng.randrange(200))),
        lambda: peer.send_binary(b"begun", fin=False),
        lambda: peer.send_continuation(b"ended", fin=rng.random() < 0.8),
        lambda: peer.send_ping(rng.randbytes(rng.randrange(125))),
        lambda: peer.send_text(b"text"),
        lambda: peer.send_close(rng.choice([1000, 1001, 1011, 4000])),
    ]
    for move in rng.choices(moves, weights=[6, 2, 2, 3, 1, 1], k=rng.randrange(1, 10)):
        with suppress(Exception):  # the library refuses to send what is out of order: then that is left out
            move()
    return b"".join(peer.data_to_send())


def spoiled(rng: random.Random, data: bytes) -> bytes:
    """Flip up to five bits of *data*, or replace it all."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(1, 300))
    changed = bytearray(data)
    for _ in range(min(rng.randrange(6), len(data))):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


async def fed(rng: random.Random, data: bytes, use: Callable[[PipeEnd], Awaitable[str]]) -> str:
    """Have *use* read *data*, which comes in pieces and then ends, and give what it says."""
    near, far = PipeEnd.pair()
    async with anyio.create_task_group() as tasks:

        async def send() -> None:
            start = 0
            with suppress(anyio.BrokenResourceError):
                while start < len(data):
                    piece = data[start : start + rng.randrange(1, 100)]
                    await far.send(piece)
                    start += len(piece)
                await far.send_eof()

        tasks.start_soon(send)
        outcome = await use(near)
        await near.aclose()
    return outcome


async def read_all(transport: FrameTransport) -> str:
    """Read until the end, and say which."""
    try:
        while True:
            await transport.receive_frames()
    except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
        return type(error).__name__
    finally:
        await transport.aclose()


@pytest.mark.parametrize("role", ["client", "server"])
async def test_spoiled_messages_end_a_transport_and_nothing_else(role: str) -> None:
    """This SDK: a peer's bytes raise what transports raise, whatever they are."""
    rng, outcomes = random.Random(f"{SEED} {role}"), Counter[str]()

    async def use(stream: PipeEnd) -> str:
        return await read_all(WebSocketTransport(stream, a_protocol(role)))

    with anyio.fail_after(BOUND):
        for _ in range(STREAMS):
            data = spoiled(rng, messages(rng, "server" if role == "client" else "client"))
            outcomes[await fed(rng, data, use)] += 1
    print(f"seed {SEED} {role}, {STREAMS} streams: {dict(outcomes)}")  # noqa: T201 - a figure
    assert set(outcomes) == {"EndOfStream", "BrokenResourceError"}


async def test_spoiled_requests_are_granted_or_refused_and_nothing_else() -> None:
    """This SDK: a client's opening bytes raise ConnectionFailed at most."""
    rng, outcomes = random.Random(f"{SEED} requests"), Counter[str]()

    async def use(stream: PipeEnd) -> str:
        try:
            return f"granted, {await read_all(await _grant(stream))}"
        except ConnectionFailed as error:
            return str(error)

    with anyio.fail_after(BOUND):
        for _ in range(STREAMS):
            data = spoiled(rng, REQUEST + (messages(rng, "client") if rng.random() < 0.2 else b""))
            outcomes[await fed(rng, data, use)] += 1
    print(f"seed {SEED}, {STREAMS} requests: {dict(outcomes)}")  # noqa: T201 - a figure
    assert len(outcomes) > 2


async def test_spoiled_answers_open_a_websocket_or_fail_and_nothing_else() -> None:
    """This SDK: a server's opening bytes raise ConnectionFailed at most."""
    rng, outcomes = random.Random(f"{SEED} answers"), Counter[str]()

    async def use(stream: PipeEnd) -> str:
        protocol = ClientProtocol(parse_uri("ws://here/"), logger=SILENT)
        protocol.key = "dGhlIHNhbXBsZSBub25jZQ=="
        try:
            return f"opened, {await read_all(await _ask(stream, protocol, 'here'))}"
        except ConnectionFailed as error:
            return str(error)

    with anyio.fail_after(BOUND):
        for _ in range(STREAMS):
            data = spoiled(rng, ANSWER + (messages(rng, "server") if rng.random() < 0.5 else b""))
            outcomes[await fed(rng, data, use)] += 1
    print(f"seed {SEED}, {STREAMS} answers: {dict(outcomes)}")  # noqa: T201 - a figure
    assert len(outcomes) > 2
