"""The sandbox over TCP: the same server on a port, restarted, and with clients that read nothing or vanish."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import pytest
from sandbox_clients import BOUND, a_setup, raw_client

from elarian_trio import (
    Backoff,
    ConnectionFailed,
    ConnectionOptions,
    CustomerActivityNotification,
    Elarian,
    SetupRejected,
    Simulator,
    Tag,
)
from elarian_trio._rsocket import Connection, Role
from elarian_trio._rsocket.framing import join_frames
from elarian_trio._wire.envelopes import encode_command
from elarian_trio.models.activity import Activity
from elarian_trio.models.commands import CreateCustomer, CustomerActivity, GetCustomerState, UpdateCustomerMetadata
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from anyio.abc import SocketStream

pytestmark = pytest.mark.anyio

LOOPBACK = "127.0.0.1:0"
ASHA = CustomerNumber("+254709759881")


def at_tcp(sandbox: Sandbox) -> dict[str, Any]:
    """Give what a client over TCP takes."""
    return {**sandbox.credentials.at(sandbox.endpoints["tcp"])}


async def test_an_app_and_a_phone_meet_over_tcp() -> None:
    """The design: the endpoint with the sandbox's credentials is all a client needs."""
    async with Sandbox(tcp=LOOPBACK) as sandbox:
        assert sandbox.endpoints["tcp"].startswith("tcp://127.0.0.1:")
        async with Elarian(**at_tcp(sandbox)) as app, Simulator(**at_tcp(sandbox)) as phone:
            asha = app.customer(ASHA.number)
            assert (await asha.update_tags(Tag("segment", "premium"))).status
            async with app.notifications(CustomerActivityNotification) as inbox:
                await asha.update_activity("shop.example", Activity("look", "1", {}))
                with anyio.fail_after(BOUND):
                    async for delivery in inbox:
                        async with delivery:
                            assert delivery.notification.activity.key == "look"
                        break
            await phone.ping()


async def test_memory_and_tcp_lead_to_the_same_world() -> None:
    """This SDK: one server, however it is reached."""
    async with (
        Sandbox(tcp=LOOPBACK) as sandbox,
        raw_client(sandbox, over="tcp") as far,
        raw_client(sandbox) as near,
    ):
        made = await far.send(CreateCustomer(customer_number=ASHA))
        assert (await near.send(CreateCustomer(customer_number=ASHA))).customer_id == made.customer_id


async def test_wrong_key_is_rejected_over_tcp_at_once() -> None:
    """The design: SetupRejected from the ``async with`` line, with no credential in its text."""
    async with Sandbox(tcp=LOOPBACK) as sandbox:
        wrong = {**at_tcp(sandbox), "api_key": "el_k_test_wrong"}
        with anyio.fail_after(BOUND), pytest.raises(SetupRejected) as caught:
            async with Elarian(**wrong):
                pytest.fail("it came in")
        assert "el_k_test" not in str(caught.value)


async def test_clients_come_back_when_the_server_is_restarted_on_its_port() -> None:
    """The design: server killed and restarted mid-run, the client comes back by itself."""
    options = ConnectionOptions(reconnect=Backoff(first=0.01, base=0.01, cap=0.05))
    sandbox, stopped = Sandbox(tcp=LOOPBACK), anyio.Event()
    with anyio.fail_after(2 * BOUND):
        async with anyio.create_task_group() as tasks:
            kill = await tasks.start(run, sandbox, stopped)
            async with Elarian(**at_tcp(sandbox), options=options) as app:
                made = await app.customer(ASHA.number).create()
                kill.cancel()
                await stopped.wait()
                kill = await tasks.start(run, sandbox, anyio.Event())
                assert (await app.customer(ASHA.number).get_state()).customer_id == made.customer_id
                assert app.statistics().reconnects == 1
            kill.cancel()


async def run(sandbox: Sandbox, stopped: anyio.Event, *, task_status: anyio.abc.TaskStatus[anyio.CancelScope]) -> None:
    """Run *sandbox* until it is killed, which whoever starts this is given the means for."""
    with anyio.CancelScope() as scope:
        async with sandbox:
            task_status.started(scope)
            await anyio.sleep_forever()
    stopped.set()


async def test_a_restarted_sandbox_listens_on_the_port_it_had() -> None:
    """This SDK: entered again, a sandbox is the same server on the same port."""
    sandbox = Sandbox(tcp=LOOPBACK)
    async with sandbox:
        endpoint = sandbox.endpoints["tcp"]
    async with sandbox:
        assert sandbox.endpoints["tcp"] == endpoint


async def test_a_port_that_is_taken_is_an_error_of_the_block() -> None:
    """This SDK: OSError, plain, from the ``async with`` line; a sandbox has several, so that it says which."""
    async with Sandbox(tcp=LOOPBACK) as first:
        taken = first.endpoints["tcp"].removeprefix("tcp://")
        with pytest.raises(OSError, match=f"cannot listen on {taken}: .*ddress"):
            async with Sandbox(tcp=taken):
                pytest.fail("it listens")


async def test_left_block_listens_no_more() -> None:
    """The design's promise 3: every socket ends with the block."""
    async with Sandbox(tcp=LOOPBACK) as sandbox:
        port = int(sandbox.endpoints["tcp"].rpartition(":")[2])
    options = ConnectionOptions(reconnect=Backoff(first=0.01, base=0.01, cap=0.01, give_up_after=0.02))
    gone = {**sandbox.credentials.at(f"tcp://127.0.0.1:{port}"), "options": options}
    with anyio.fail_after(BOUND), pytest.raises(ConnectionFailed):
        async with Elarian(**gone):
            pytest.fail("it came in")


async def test_a_client_that_is_reset_mid_command_harms_nobody() -> None:
    """The design: a client that goes away mid-command costs the server nothing."""
    async with Sandbox(tcp=LOOPBACK) as sandbox, raw_client(sandbox) as app:
        stream = await connect(sandbox)
        await speak(stream, sandbox, [encode_command(CreateCustomer(customer_number=ASHA))] * 100)
        raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # close resets
        await stream.aclose()
        assert (await app.send(CreateCustomer(customer_number=ASHA))).status


async def test_a_client_that_reads_nothing_is_dropped_after_its_lifetime() -> None:
    """This SDK: a slow client blocks nobody; one that takes nothing for its own lifetime is dropped.

    It goes on sending keepalives, so that only its silence towards us gives it away.
    """
    async with Sandbox(tcp=LOOPBACK) as sandbox, raw_client(sandbox) as app:
        large = UpdateCustomerMetadata(customer=ASHA, updates={"large": "x" * 1_000_000})
        assert (await app.send(large)).status
        stream = await connect(sandbox)
        connection = await speak(stream, sandbox, [encode_command(GetCustomerState(customer=ASHA))] * 60, lifetime=0.5)
        assert (await app.send(CustomerActivity(customer_number=ASHA, source="s", session_id="1", key="k"))).status
        with anyio.fail_after(3 * BOUND), pytest.raises((anyio.BrokenResourceError, anyio.ClosedResourceError)):
            await keep_alive(stream, connection)
        assert (await app.send(CreateCustomer(customer_number=ASHA))).status
        await stream.aclose()


async def test_a_silent_client_is_dropped_after_its_lifetime() -> None:
    """Protocol: no KEEPALIVE for the lifetime that the client named, and it counts as dead."""
    async with Sandbox(tcp=LOOPBACK) as sandbox:
        stream = await connect(sandbox)
        await speak(stream, sandbox, [], lifetime=0.2)
        with anyio.fail_after(BOUND), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await read_all(stream)
        await stream.aclose()


async def test_manual_time_moves_over_tcp_too() -> None:
    """The design: where virtual time cannot be had, the manual clock can."""
    async with Sandbox(tcp=LOOPBACK, clock="manual") as sandbox, raw_client(sandbox, over="tcp") as app:
        start = sandbox.clock.now()
        await app.send(CreateCustomer(customer_number=ASHA))
        await sandbox.clock.advance(timedelta(days=1))
        assert sandbox.clock.now() - start == timedelta(days=1)


async def connect(sandbox: Sandbox) -> SocketStream:
    """Open a bare connection."""
    port = int(sandbox.endpoints["tcp"].rpartition(":")[2])
    return await anyio.connect_tcp("127.0.0.1", port)


async def speak(stream: SocketStream, sandbox: Sandbox, requests: list[bytes], *, lifetime: float = 30.0) -> Connection:
    """Send a SETUP and some requests, and read nothing."""
    connection = Connection(Role.CLIENT, setup=a_setup(sandbox.credentials, lifetime=lifetime))
    connection.open(anyio.current_time())
    for data in requests:
        connection.request(data)
    while frames := connection.frames_to_send():
        await stream.send(join_frames(frames))
    return connection


async def keep_alive(stream: SocketStream, connection: Connection) -> None:
    """Send keepalives until that fails. They are real, and so is the time between them: this is what a socket does."""
    while True:
        connection.ping(anyio.current_time())
        await stream.send(join_frames(connection.frames_to_send()))
        await anyio.sleep(0.1)


async def read_all(stream: SocketStream) -> None:
    """Read until that fails."""
    while True:
        await stream.receive()
