"""Acceptance, written from the design: the same over a network, where servers die, lie and stay silent."""

from __future__ import annotations

import struct
import tracemalloc
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import pytest
from acceptance import (
    ASHA,
    BOUND,
    KEY,
    PAYBILL,
    QUICK,
    SMS,
    USSD,
    WAYS,
    Frame,
    answering,
    at_port,
    enter,
    listening,
    read_exactly,
    texts_of,
    the_end_of,
    unused_port,
)

from elarian_trio import (
    Activity,
    Backoff,
    Cash,
    ConnectionFailed,
    ConnectionOptions,
    CustomerNumber,
    CustomerPayment,
    Elarian,
    MessageStatusNotification,
    PaymentStatusNotification,
    Purse,
    ReceivedSmsNotification,
    Reminder,
    ReminderNotification,
    RemoteProtocolError,
    SecondaryId,
    SendCustomerPaymentSimulatorNotification,
    SendMessageSimulatorNotification,
    SetupRejected,
    Simulator,
    Tag,
    UssdInput,
    UssdMenu,
    UssdSessionNotification,
    Wallet,
)
from elarian_trio.sandbox import Sandbox, SandboxApp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

pytestmark = pytest.mark.anyio

GIVES_UP = Backoff(first=0.01, base=0.01, cap=0.01, give_up_after=0.1)


@WAYS
async def test_commands_of_every_family_work_on_a_port(way: str) -> None:
    """The issue: the same program over TCP, TLS and WebSocket."""
    async with (
        listening(way, clock="manual") as sandbox,
        Elarian(**at_port(sandbox, way)) as app,
        Simulator(**at_port(sandbox, way)) as phone,
        answering(app, ReceivedSmsNotification, MessageStatusNotification) as messages,
        answering(app, PaymentStatusNotification) as payments,
        answering(app, ReminderNotification) as reminders,
        answering(phone, SendMessageSimulatorNotification, SendCustomerPaymentSimulatorNotification) as handset,
    ):
        asha = app.customer(ASHA)
        made = await asha.create()
        await asha.update_tags(Tag("segment", "premium"))
        await asha.update_secondary_ids(SecondaryId("passport", "A1"))
        await asha.update_metadata({"name": "Asha", "raw": b"\x00"})
        await asha.update_app_data({"screen": "home"})
        assert await asha.lease_app_data() == {"screen": "home"}
        await asha.delete_app_data()
        assert (await app.customer(secondary_id=("passport", "A1")).get_metadata())["raw"] == b"\x00"
        sent = await asha.send_message(SMS, "Hello")
        assert (await handset.next()).message_id == sent.message_id
        await sandbox.clock.advance(timedelta(seconds=1))
        assert (await messages.next()).status == "delivered"
        await phone.receive_message(ASHA, SMS, "", ["Hi"])
        assert (await messages.next()).text == "Hi"
        await asha.add_reminder(Reminder("r", sandbox.clock.now() + timedelta(days=400)))
        await sandbox.clock.advance(timedelta(days=401))
        assert (await reminders.next()).reminder.key == "r"
        wallet = Wallet(made.customer_id or "", "w")
        paid = await app.initiate_payment(Purse(sandbox.purse_id), wallet, Cash("KES", 10))
        assert (await payments.next()).transaction_id == paid.transaction_id
        out = await app.initiate_payment(wallet, CustomerPayment(CustomerNumber(ASHA), PAYBILL), Cash("KES", 4))
        assert (await handset.next()).transaction_id == out.transaction_id
        await phone.update_payment_status(out.transaction_id or "", "success")
        assert (await payments.next()).status == "success"
        await asha.update_activity("web", Activity("look", "visit", {}))
        assert (await asha.update_messaging_consent(SMS, "block")).status == "completed"
        assert (await app.generate_auth_token()).token
        assert (await asha.delete()).status


@WAYS
async def test_ussd_hop_travels_over_a_port(way: str) -> None:
    """The specification: the menu comes back in the phone's own reply."""
    async with (
        listening(way) as sandbox,
        Elarian(**at_port(sandbox, way)) as app,
        Simulator(**at_port(sandbox, way)) as phone,
        app.notifications(UssdSessionNotification) as inbox,
        anyio.create_task_group() as tasks,
    ):
        shown: list[Any] = []

        async def dial() -> None:
            reply = await phone.receive_message(ASHA, USSD, "u", [UssdInput("", "active")])
            assert reply.message is not None
            shown.append(reply.message.body)

        tasks.start_soon(dial)
        with anyio.fail_after(BOUND):
            async with await anext(aiter(inbox)) as delivery:
                await delivery.customer.get_state()  # commands are served while the notification is unanswered
                await delivery.reply("Welcome", app_data=1)
            while not shown:
                await app.ping()
        assert shown == [UssdMenu("Welcome")]


@WAYS
async def test_thousand_commands_at_once_and_five_megabytes_on_one_connection(way: str) -> None:
    """The issue: both, at the default fragment size, over one socket."""
    big = "x" * 5_000_000
    async with listening(way) as sandbox, Elarian(**at_port(sandbox, way)) as app:
        got: list[Any] = []

        async def one(n: int) -> None:
            reply = await app.customer(f"+2547{n:08}").create()
            got.append(reply.customer_id)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.customer(ASHA).update_metadata, {"big": big})
            for n in range(1_000):
                tasks.start_soon(one, n)
        assert len(set(got)) == 1_000
        assert (await app.customer(ASHA).get_metadata())["big"] == big


@WAYS
async def test_wrong_key_is_rejected_plainly(way: str) -> None:
    """The issue: SetupRejected from the ``async with`` line, no credential in its text."""
    async with listening(way) as sandbox:
        arguments = {**at_port(sandbox, way), "api_key": KEY}
        error = await the_end_of(SetupRejected, lambda: enter(Elarian(**arguments)))
        assert not [text for text in texts_of(error) if KEY in text]
        assert not [text for text in texts_of(error) if sandbox.credentials["api_key"] in text]


async def test_nobody_listening_is_a_failed_connection_after_giving_up() -> None:
    """The issue: ConnectionFailed after the configured give-up, plain."""
    app = Elarian(
        org_id="o", app_id="a", api_key=KEY, endpoint=f"tcp://127.0.0.1:{unused_port()}",
        options=ConnectionOptions(reconnect=GIVES_UP),
    )  # fmt: skip
    error = await the_end_of(ConnectionFailed, lambda: enter(app))
    assert not [text for text in texts_of(error) if KEY in text]


async def test_nobody_listening_yet_is_waited_for() -> None:
    """The issue: else waiting under the caller's scope; a server that comes up later is found."""
    port = unused_port()
    known = SandboxApp("org", "app", KEY)
    app = Elarian(
        org_id="org", app_id="app", api_key=KEY, endpoint=f"tcp://127.0.0.1:{port}",
        options=ConnectionOptions(reconnect=QUICK),
    )  # fmt: skip
    entered = anyio.Event()

    async def use() -> None:
        async with app:
            entered.set()

    async with anyio.create_task_group() as tasks:
        async with app.connection_states() as states:
            tasks.start_soon(use)
            with anyio.fail_after(BOUND):
                async for state in states:
                    if state == "connecting":
                        break
        async with Sandbox(tcp=f"127.0.0.1:{port}", apps=[known]):
            with anyio.fail_after(BOUND):
                await entered.wait()


async def test_server_killed_and_restarted_is_found_again() -> None:
    """The issue: the client comes back by itself, its subscriptions with it."""
    known = SandboxApp("org", "app", KEY)
    port = unused_port()
    arguments: dict[str, Any] = {
        "org_id": "org",
        "app_id": "app",
        "api_key": KEY,
        "endpoint": f"tcp://127.0.0.1:{port}",
    }
    options = ConnectionOptions(reconnect=QUICK)

    async def up(end: anyio.Event, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        async with Sandbox(tcp=f"127.0.0.1:{port}", apps=[known]):
            task_status.started()
            await end.wait()

    async with anyio.create_task_group() as tasks:
        killed, done = anyio.Event(), anyio.Event()
        await tasks.start(up, killed)
        async with Elarian(**arguments, options=options) as app, answering(app, ReceivedSmsNotification) as inbox:
            await app.customer(ASHA).update_metadata({"round": 1})
            killed.set()
            async with app.connection_states() as states:
                with anyio.fail_after(BOUND):
                    async for state in states:
                        if state != "connected":
                            break
            with anyio.fail_after(BOUND):
                await tasks.start(up, done)
                await app.customer(ASHA).update_metadata({"two": 2})
                assert await app.customer(ASHA).get_metadata() == {"two": 2}  # memory started anew
                async with Simulator(**arguments, options=options) as phone:
                    await phone.receive_message(ASHA, SMS, "", ["still there?"])
                    assert (await inbox.next()).text == "still there?"
            assert app.connection_state == "connected"
            assert app.statistics().reconnects >= 1
        done.set()


# --- servers that are none ---


@asynccontextmanager
async def a_liar(serve: Callable[[anyio.abc.ByteStream], Awaitable[None]]) -> AsyncIterator[str]:
    """Listen on a port and have each connection served by the test."""

    async def handle(stream: anyio.abc.ByteStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.IncompleteRead):
                await serve(stream)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        yield f"tcp://127.0.0.1:{port}"
        tasks.cancel_scope.cancel()


def framed(frame: Frame | bytes) -> bytes:
    """Put the 24-bit length before a frame."""
    data = bytes(frame)
    return struct.pack(">I", len(data))[1:] + data


async def read_frame(stream: anyio.abc.ByteStream) -> Frame:
    """Read a frame."""
    length = int.from_bytes(await read_exactly(stream, 3), "big")
    return Frame.of(await read_exactly(stream, length))


async def let_in(stream: anyio.abc.ByteStream) -> None:
    """Take SETUP and KEEPALIVE, and answer the latter."""
    setup, keepalive = await read_frame(stream), await read_frame(stream)
    assert (setup.kind, keepalive.kind) == (0x01, 0x03)
    await stream.send(framed(Frame(0, 0x03, 0, keepalive.rest)))


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x00\x00",
        b"\x00\x00\x05hello",
        framed(Frame(0, 0x03, 0x80, b"\x00")),
        framed(Frame(0, 0x0B, 0, b"\x00")),
    ],
    ids=["no frame at all", "no whole header", "keepalive cut short", "error without a code"],
)
async def test_malformed_bytes_raise_remote_protocol_error(garbage: bytes) -> None:
    """The issue: never a hang."""

    async def serve(stream: anyio.abc.ByteStream) -> None:
        await read_frame(stream)
        await stream.send(garbage)
        while True:
            await stream.receive()

    async with a_liar(serve) as endpoint:
        app = Elarian(org_id="o", app_id="a", api_key=KEY, endpoint=endpoint)
        error = await the_end_of(RemoteProtocolError, lambda: enter(app))
    assert not [text for text in texts_of(error) if KEY in text]


async def test_server_of_another_protocol_is_a_failed_attempt_not_a_hang() -> None:
    """The issue: whatever answers, the ``async with`` line ends."""

    async def serve(stream: anyio.abc.ByteStream) -> None:
        await stream.receive()
        await stream.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    async with a_liar(serve) as endpoint:
        options = ConnectionOptions(reconnect=GIVES_UP)
        app = Elarian(org_id="o", app_id="a", api_key=KEY, endpoint=endpoint, options=options)
        with pytest.raises((ConnectionFailed, RemoteProtocolError)), anyio.fail_after(BOUND):
            await enter(app)


async def test_length_of_16_megabytes_is_not_allocated_before_its_bytes_come() -> None:
    """The issue: a length prefix of 16,777,215 and few bytes behind it."""
    watching, taken = anyio.Event(), anyio.Event()

    async def serve(stream: anyio.abc.ByteStream) -> None:
        await let_in(stream)
        await watching.wait()
        asks = framed(Frame(0, 0x03, 0x80, b"\x00" * 8 + b"are you there"))
        await stream.send(asks + b"\xff\xff\xff" + b"\x00" * 100)  # one write, so that one read gives both
        while (await read_frame(stream)).rest[8:] != b"are you there":
            pass
        taken.set()
        await anyio.sleep_forever()

    async with a_liar(serve) as endpoint, Elarian(org_id="o", app_id="a", api_key=KEY, endpoint=endpoint) as app:
        tracemalloc.start()
        try:
            watching.set()
            with anyio.fail_after(BOUND):
                await taken.wait()
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()
        assert app.connection_state == "connected"


@pytest.mark.parametrize("pieces", [1, 7, 4096])
async def test_frames_may_come_in_any_pieces(pieces: int) -> None:
    """The protocol: TCP keeps no borders."""

    async def serve(stream: anyio.abc.ByteStream) -> None:
        data = b""
        setup, keepalive = await read_frame(stream), await read_frame(stream)
        assert setup.kind == 0x01
        data = framed(Frame(0, 0x03, 0, keepalive.rest))
        while True:
            for start in range(0, len(data), pieces):
                await stream.send(data[start : start + pieces])
                await anyio.lowlevel.checkpoint()
            frame = await read_frame(stream)
            data = framed(Frame(0, 0x03, 0, frame.rest)) if frame.kind == 0x03 and frame.flags & 0x80 else b""

    async with a_liar(serve) as endpoint, Elarian(org_id="o", app_id="a", api_key=KEY, endpoint=endpoint) as app:
        with anyio.fail_after(BOUND):
            assert await app.ping() >= 0


async def test_credentials_travel_once_and_only_in_the_setup() -> None:
    """The specification: every later request is data alone."""
    frames: list[Frame] = []

    async def serve(stream: anyio.abc.ByteStream) -> None:
        frames.extend([await read_frame(stream), await read_frame(stream)])
        await stream.send(framed(Frame(0, 0x03, 0, frames[1].rest)))
        while True:
            frames.append(await read_frame(stream))
            await stream.send(framed(Frame(frames[-1].stream, 0x0B, 0, b"\x00\x00\x02\x02no")))

    async with a_liar(serve) as endpoint, Elarian(org_id="o", app_id="a", api_key=KEY, endpoint=endpoint) as app:
        with pytest.raises(Exception, match="no"):
            await app.customer(ASHA).create()
    assert KEY.encode() in frames[0].rest
    assert not [frame for frame in frames[1:] if KEY.encode() in frame.rest]
    assert b'"agent"' in frames[0].rest
