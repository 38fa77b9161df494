"""Deaf connections over real sockets: TCP, TLS and WebSocket, both backends, with lifetimes of about a second.

The rules are tried in virtual time beside this (``test_deaf_connections.py``, ``test_deaf_clients.py``); here it is
that a write which the kernel, TLS or a WebSocket holds is given up as well, and that nothing is left.
"""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import figures
import pytest
import trustme
from acceptance import ASHA, KEEPALIVE, PAYLOAD, RESPOND, SMS, Frame, answering, at_port, listening
from faulty import FOREVER, Fault, Kind, Plan, Way, first_of
from proxy import open_proxy

from elarian_trio import (
    Backoff,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    Elarian,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
)
from elarian_trio._session import reception
from elarian_trio._transport import serve_tcp, sockets, upgrade
from elarian_trio._transport.upgrade import serve_websocket
from elarian_trio._wire.envelopes import encode_command
from elarian_trio._wire.setup import Credentials, encode_setup
from elarian_trio.client.endpoint import parse_endpoint
from elarian_trio.models.commands import GetCustomerState
from elarian_trio.models.identity import CustomerNumber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from elarian_trio._transport import FrameTransport

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

WAYS = figures.sized(smoke=("tcp",), ci=("tcp", "tls", "ws", "wss"), soak=("tcp", "tls", "ws", "wss"))
LIFETIME = 1.0  # seconds, real ones
PATIENCE = 60.0  # seconds; what takes them all hangs
QUICK: dict[str, Any] = {
    "keepalive_interval": LIFETIME / 4,
    "keepalive_lifetime": LIFETIME,
    "reconnect": Backoff(first=0.01, base=0.01, jitter=0.0),
}
GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)
BULK = "x" * 8_000_000  # more than two kernels' buffers hold

ways = pytest.mark.parametrize("way", WAYS)


@ways
@pytest.mark.parametrize("direction", list(Way))
async def test_half_open_connection_costs_a_lifetime_and_nothing_else(way: str, direction: Way) -> None:
    """Promise 1: the peer vanished without a word; what was under way is all there, once each."""
    plan = Plan(0, (Fault(Kind.STALL, direction, 4_000, FOREVER),))
    async with (
        listening(way) as sandbox,
        open_proxy(sandbox.endpoints[way], first_of(plan)) as proxy,
        Elarian(**at_port(sandbox, way, **QUICK) | {"endpoint": proxy.endpoint(way)}) as app,
        Simulator(**sandbox.credentials) as phone,
        answering(phone, SendMessageSimulatorNotification, bound=PATIENCE) as handset,
        answering(app, ReceivedSmsNotification, bound=PATIENCE) as inbox,
    ):
        filler = "." * 500
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                for number in range(10):
                    tasks.start_soon(app.customer(f"+25470000000{number}").send_message, SMS, f"{number}{filler}")
                    tasks.start_soon(phone.receive_message, f"+25471100000{number}", SMS, "", [f"{number}{filler}"])
        outgoing, incoming = await handset.many(10), await inbox.many(10)
        assert proxy.record.met[Kind.STALL] == 1
        assert sorted(str(each.message.body)[0] for each in outgoing) == list("0123456789")
        assert sorted(str(each.text)[0] for each in incoming) == list("0123456789")
        counted = app.statistics()
        assert (counted.reconnects, counted.resumptions, counted.sessions_lost) == (1, 1, 0)


@ways
async def test_server_that_accepts_and_never_speaks_costs_the_connect_timeout(way: str) -> None:
    """The issue: a peer that accepts and never speaks, be it TLS, HTTP or RSocket that it is silent about."""
    accepted = 0

    async def say_nothing(stream: anyio.abc.SocketStream) -> None:
        nonlocal accepted
        accepted += 1
        async with stream:
            await anyio.sleep_forever()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, say_nothing)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        options = ConnectionOptions(
            connect_timeout=0.3, reconnect=Backoff(first=0.01, base=0.01, jitter=0.0, give_up_after=1.0)
        )
        app = Elarian(org_id="o", app_id="a", api_key="k" * 20, endpoint=f"{way}://127.0.0.1:{port}", options=options)
        with anyio.fail_after(PATIENCE), pytest.raises(ConnectionFailed, match="gave up"):
            async with app:
                pytest.fail("entered")
        assert 2 <= accepted <= 5
        tasks.cancel_scope.cancel()


@ways
@pytest.mark.parametrize("what", ["nothing", "half of it"])
async def test_client_that_never_comes_to_its_setup_is_closed(
    way: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue: a SETUP that never comes; handshakes that never end are no better (and here time is short)."""
    monkeypatch.setattr(reception, "FIRST_FRAME_TIMEOUT", 0.3)
    monkeypatch.setattr(sockets, "HANDSHAKE_TIMEOUT", 0.3)
    monkeypatch.setattr(upgrade, "HANDSHAKE_TIMEOUT", 0.3)
    begin = {"tcp": b"\0\0\x40\0\0", "tls": b"\x16\x03\x01\x02", "ws": b"GET / HT", "wss": b"\x16\x03\x01\x02"}[way]
    async with listening(way) as sandbox:
        port = int(sandbox.endpoints[way].rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            if what != "nothing":
                await stream.send(begin)
            with anyio.fail_after(PATIENCE), suppress(*GONE):
                while True:
                    await stream.receive()


@ways
async def test_client_that_shakes_hands_and_is_silent_then_is_closed(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The issue: a SETUP that never comes."""
    monkeypatch.setattr(reception, "FIRST_FRAME_TIMEOUT", 0.3)
    async with listening(way) as sandbox, await opened(at_port(sandbox, way)) as transport:
        with anyio.fail_after(PATIENCE), suppress(*GONE):
            await transport.receive_frames()


@ways
async def test_server_that_takes_nothing_is_given_up_though_it_speaks(way: str) -> None:
    """The issue: a write stall ends the connection after the lifetime, and commands half-way out hear of it."""
    async with deaf_server(way) as (arguments, connections):
        lost: list[bool] = []

        async def send(number: int) -> None:
            try:
                await app.customer(ASHA).update_metadata({str(number): BULK})
            except ConnectionLost as error:
                lost.append(error.sent)
                if len(connections) > 1:
                    tasks.cancel_scope.cancel()

        with anyio.fail_after(PATIENCE):
            async with Elarian(**arguments) as app, anyio.create_task_group() as tasks:
                for number in range(4):
                    tasks.start_soon(send, number)
        assert lost == [True] * len(lost)
        assert lost


@asynccontextmanager
async def deaf_server(way: str) -> AsyncIterator[tuple[dict[str, Any], list[FrameTransport]]]:
    """Serve clients that are let in and heard no more, though they are told all the time that the server lives."""
    connections: list[FrameTransport] = []

    async def handle(transport: FrameTransport) -> None:
        connections.append(transport)
        with suppress(*GONE):
            opening: list[bytes] = []
            while len(opening) < 2:
                opening += await transport.receive_frames()
            await transport.send_frames([bytes(Frame(0, KEEPALIVE, 0, bytes(8) + opening[1][14:]))])
            while True:
                await anyio.sleep(LIFETIME / 10)
                await transport.send_frames([bytes(Frame(0, KEEPALIVE, 0, bytes(8)))])

    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    serve: Callable[..., Any] = serve_websocket if way in ("ws", "wss") else serve_tcp
    is_secure = way in ("tls", "wss")
    async with anyio.create_task_group() as tasks:

        async def listen(*, task_status: anyio.abc.TaskStatus[Any]) -> None:
            await serve(handle, ssl_context=server if is_secure else None, task_status=task_status)

        addresses = await tasks.start(listen)
        # Resumable, nothing would leave beyond what is kept, and no write would stall.
        options = ConnectionOptions(
            **QUICK, ssl_context=client if is_secure else None, resume="off", command_timeout=None, drain_timeout=0.1
        )
        endpoint = f"{way}://127.0.0.1:{addresses[0][1]}"
        yield {"org_id": "o", "app_id": "a", "api_key": "k" * 20, "endpoint": endpoint, "options": options}, connections
        tasks.cancel_scope.cancel()


@ways
async def test_client_that_takes_nothing_is_cut_though_it_speaks(way: str) -> None:
    """The issue: write stalls end the connection after the lifetime, in the server's role as well."""
    async with listening(way) as sandbox:
        arguments = at_port(sandbox, way)
        async with Elarian(**arguments) as app:
            await app.customer(ASHA).update_metadata({"long": BULK})
        known = {name: arguments[name] for name in ("org_id", "app_id", "api_key")}
        async with await opened(arguments) as transport:
            frames = [a_setup(encode_setup(Credentials(**known)))]
            frames += [bytes(Frame(stream, 0x04, 0, the_state_of(ASHA))) for stream in range(1, 41, 2)]
            with anyio.fail_after(PATIENCE), suppress(*GONE):
                await transport.send_frames(frames)
                while True:
                    await anyio.sleep(LIFETIME / 4)
                    await transport.send_frames([bytes(Frame(0, KEEPALIVE, 0, bytes(8)))])


@ways
async def test_client_that_reads_slowly_is_served_to_the_end(way: str) -> None:
    """The issue: slow readers are not deaf ones. It takes several lifetimes to read all of it."""
    async with listening(way) as sandbox:
        arguments = at_port(sandbox, way)
        async with Elarian(**arguments) as app:
            await app.customer(ASHA).update_metadata({"long": BULK})
        known = {name: arguments[name] for name in ("org_id", "app_id", "api_key")}
        async with await opened(arguments) as transport, anyio.create_task_group() as tasks:

            async def live() -> None:
                while True:
                    await transport.send_frames([bytes(Frame(0, KEEPALIVE, RESPOND, bytes(8)))])
                    await anyio.sleep(LIFETIME / 4)

            setup = a_setup(encode_setup(Credentials(**known)))
            await transport.send_frames([setup, bytes(Frame(1, 0x04, 0, the_state_of(ASHA)))])
            tasks.start_soon(live)
            received = 0
            with anyio.fail_after(PATIENCE):
                while received < len(BULK):
                    for data in await transport.receive_frames():
                        frame = Frame.of(data)
                        received += len(frame.rest) if frame.kind == PAYLOAD else 0
                        await anyio.sleep(len(data) * 3 * LIFETIME / len(BULK))
            tasks.cancel_scope.cancel()


def a_setup(data: bytes) -> bytes:
    """Give a SETUP with a short lifetime."""
    times = round(LIFETIME * 250).to_bytes(4, "big") + round(LIFETIME * 1000).to_bytes(4, "big")
    return bytes(Frame(0, 0x01, 0, b"\0\1\0\0" + times + b"\1a\1b" + data))


def the_state_of(number: str) -> bytes:
    """Give the command that asks for a customer's state."""
    return encode_command(GetCustomerState(customer=CustomerNumber(number)))


async def opened(arguments: Mapping[str, Any]) -> FrameTransport:
    """Open a transport as a client would, and say nothing."""
    return await parse_endpoint(arguments["endpoint"]).open(arguments["options"].ssl_context)
