"""What the acceptance tests share: places to meet, readers of notifications, and a server played by hand.

The tests beside it are written from the design alone. The scripted server speaks RSocket's own bytes and knows nothing
of the package's rooms, so that both ends cannot agree on the same mistake.
"""

from __future__ import annotations

import math
import socket
import ssl
import struct
import traceback
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import anyio
import anyio.lowlevel
import pytest
from anyio.streams.stapled import StapledObjectStream

from elarian_trio import Backoff, ConnectionOptions, Elarian, MessagingChannel, PaymentChannelNumber, Simulator
from elarian_trio._wire._pb import app_socket_pb2, common_model_pb2, messaging_model_pb2
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

    from anyio.abc import ByteStream, TaskGroup

    from elarian_trio import Delivery

BOUND = 5.0  # seconds that anything awaited in a test may take
QUICK = Backoff(first=0.01, base=0.01, cap=0.02)

ASHA = "+254709759881"
JUMA = "+254709759882"
SMS = MessagingChannel.sms("83044")
USSD = MessagingChannel.ussd("*83044#")
VOICE = MessagingChannel.voice("+254711621711")
WHATSAPP = MessagingChannel.whatsapp("+254711621711")
TELEGRAM = MessagingChannel.telegram("+254711621711")
MESSENGER = MessagingChannel.fb_messenger("+254711621711")
PAYBILL = PaymentChannelNumber("83044")

KEY = "el_k_test_5ec2e70000000000000000000000000000000000000000000000000000000000"


# --- places to meet ---


@dataclass
class Place:
    """A sandbox with one app and one phone connected to it."""

    sandbox: Sandbox
    app: Elarian
    phone: Simulator


@asynccontextmanager
async def a_place(options: ConnectionOptions | None = None, **settings: Any) -> AsyncIterator[Place]:  # noqa: ANN401
    """Open a sandbox whose time the test moves, an app and a phone, over memory."""
    more: dict[str, Any] = {} if options is None else {"options": options}
    async with (
        Sandbox(**{"clock": "manual", **settings}) as sandbox,
        Elarian(**sandbox.credentials, **more) as app,
        Simulator(**sandbox.credentials) as phone,
    ):
        yield Place(sandbox, app, phone)


async def enter(app: Elarian | Simulator) -> None:
    """Enter a client's block and leave it."""
    async with app:
        pass


WAYS = pytest.mark.parametrize("way", ["tcp", "tls", "ws", "wss"])


def listening(way: str, **arguments: Any) -> Sandbox:  # noqa: ANN401 - the sandbox's own
    """Make a sandbox with one way in over the network."""
    arguments[way] = "127.0.0.1:0"
    return Sandbox(**arguments)


def at_port(sandbox: Sandbox, way: str = "tcp", **options: Any) -> dict[str, Any]:  # noqa: ANN401 - the client's own
    """Give the arguments of a client that comes over the network, and believes the sandbox's authority."""
    known = sandbox.credentials
    if way in ("tls", "wss"):
        options["ssl_context"] = ssl.create_default_context(cafile=sandbox.ca_file)
    return {name: known[name] for name in ("org_id", "app_id", "api_key")} | {
        "endpoint": sandbox.endpoints[way],
        "options": ConnectionOptions(**options),
    }


def unused_port() -> int:
    """Give a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- reading notifications ---


@dataclass
class Seen:
    """What a subscription brought so far."""

    deliveries: list[Delivery[Any]] = field(default_factory=list)
    taken: int = 0
    changed: anyio.Event = field(default_factory=anyio.Event)
    bound: float = BOUND

    @property
    def notifications(self) -> list[Any]:
        """The notifications so far."""
        return [each.notification for each in self.deliveries]

    async def next(self) -> Any:  # noqa: ANN401 - whichever comes
        """Wait for the next notification."""
        with anyio.fail_after(self.bound):
            while len(self.deliveries) <= self.taken:
                await self.changed.wait()
        self.taken += 1
        return self.deliveries[self.taken - 1].notification

    async def many(self, count: int) -> list[Any]:
        """Wait for some more notifications."""
        return [await self.next() for _ in range(count)]

    async def read(
        self, client: Elarian | Simulator, types: tuple[Any, ...], *, task_status: anyio.abc.TaskStatus[None]
    ) -> None:
        """Answer every notification by default."""
        async with client.notifications(*types) as inbox:
            task_status.started()
            async for delivery in inbox:
                async with delivery:
                    self.deliveries.append(delivery)
                self.changed.set()
                self.changed = anyio.Event()


@asynccontextmanager
async def answering(client: Elarian | Simulator, *types: Any, bound: float = BOUND) -> AsyncIterator[Seen]:  # noqa: ANN401
    """Read and answer all notifications of some kinds in the background."""
    seen = Seen(bound=bound)
    async with anyio.create_task_group() as tasks:
        await tasks.start(seen.read, client, types)
        yield seen
        tasks.cancel_scope.cancel()


async def settle(app: Elarian) -> None:
    """Wait until the client has taken in all that was sent to it before."""
    with anyio.fail_after(BOUND):
        await app.ping()
        await anyio.wait_all_tasks_blocked()


async def the_end_of(error: type[BaseException], block: Callable[[], Awaitable[object]]) -> BaseException:
    """Give the error that comes out of *block* itself, which must be of just that kind and in no group."""
    try:
        with anyio.fail_after(BOUND):
            await block()
    except BaseException as raised:
        if type(raised) is not error:
            raise
        return raised
    msg = f"no {error.__name__} came"
    raise AssertionError(msg)


def texts_of(error: BaseException) -> Iterator[str]:
    """Give every text in which an error may show what its frames hold, frames of the package's own included."""
    yield from (str(error), repr(error), *traceback.format_exception(error))
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        todo += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            todo += each.exceptions
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if "elarian_trio" in frame.f_code.co_filename and "test" not in frame.f_code.co_filename:
                yield from (f"{frame.f_code.co_qualname} {name}={value!r}" for name, value in frame.f_locals.items())


# --- a server played by hand ---

SETUP, KEEPALIVE, REQUEST_RESPONSE, CANCEL, PAYLOAD, ERROR = 0x01, 0x03, 0x04, 0x09, 0x0A, 0x0B
FOLLOWS = RESPOND = 0x80
METADATA, COMPLETE, NEXT = 0x100, 0x40, 0x20
REJECTED_SETUP, CONNECTION_ERROR, CONNECTION_CLOSE = 0x003, 0x101, 0x102
APPLICATION_ERROR, REJECTED, CANCELED, INVALID = 0x201, 0x202, 0x203, 0x204

GONE = (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError)  # the client hung up


@dataclass(frozen=True)
class Frame:
    """A frame's header, and the rest as bytes."""

    stream: int
    kind: int
    flags: int
    rest: bytes = b""

    def __bytes__(self) -> bytes:
        return struct.pack(">IH", self.stream, self.kind << 10 | self.flags) + self.rest

    @classmethod
    def of(cls, data: bytes) -> Frame:
        """Read a whole frame."""
        stream, kind = struct.unpack(">IH", data[:6])
        return cls(stream, kind >> 10, kind & 0x3FF, data[6:])

    @property
    def code(self) -> int:
        """An ERROR's code."""
        return int.from_bytes(self.rest[:4], "big")

    @property
    def words(self) -> str:
        """An ERROR's message."""
        return self.rest[4:].decode()

    @property
    def data(self) -> bytes:
        """A request's or payload's data, its metadata left out."""
        return self.rest[3 + int.from_bytes(self.rest[:3], "big") :] if self.flags & METADATA else self.rest


def error_frame(stream: int, code: int, words: str = "") -> Frame:
    """Make an ERROR."""
    return Frame(stream, ERROR, 0, struct.pack(">I", code) + words.encode())


def answer_frame(stream: int, data: bytes) -> Frame:
    """Make the one PAYLOAD that answers a request."""
    return Frame(stream, PAYLOAD, NEXT | COMPLETE, data)


class Line:
    """The server's end of one connection."""

    def __init__(self, stream: StapledObjectStream[bytes]) -> None:
        self._stream = stream
        self._next_id = 0
        self._sink: Callable[[Frame], None] | None = None
        self.requests: list[Frame] = []
        self.answers: dict[int, Frame] = {}
        self.frames: list[Frame] = []
        self.reply: Callable[[Frame], Frame | None] = lambda _: None
        self.ended = False
        self._changed = anyio.Event()

    async def receive(self) -> Frame:
        """Give the next frame."""
        return Frame.of(await self._stream.receive())

    async def send(self, *frames: Frame | bytes) -> None:
        """Send frames."""
        for frame in frames:
            await self._stream.send(bytes(frame))

    async def let_in(self) -> None:
        """Take SETUP and KEEPALIVE and answer the latter: the client is in."""
        setup, keepalive = await self.receive(), await self.receive()
        assert (setup.stream, setup.kind) == (0, SETUP)
        assert (keepalive.stream, keepalive.kind, keepalive.flags & RESPOND) == (0, KEEPALIVE, RESPOND)
        await self.send(Frame(0, KEEPALIVE, 0, keepalive.rest))

    async def serve(self) -> None:
        """Keep the connection alive, answer requests by ``reply`` and note what else comes, until the end."""
        try:
            while True:
                await self._take(await self.receive())
        except GONE:
            self.note_the_end()

    def note_the_end(self) -> None:
        """Note that nothing more comes."""
        self.ended = True
        self._note()

    async def _take(self, frame: Frame) -> None:
        if frame.kind == KEEPALIVE:
            if frame.flags & RESPOND:
                await self.send(Frame(0, KEEPALIVE, 0, frame.rest))
            return
        if frame.kind == REQUEST_RESPONSE:
            self.requests.append(frame)
            reply = self.reply(frame)
            if reply is not None:
                await self.send(reply)
        elif frame.kind in (PAYLOAD, ERROR) and frame.stream:
            self.answers[frame.stream] = frame
        if self._sink is not None:
            self._sink(frame)
        else:
            self.frames.append(frame)
        self._note()

    def _note(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def count_only(self, sink: Callable[[Frame], None]) -> None:
        """Keep no frames from now on, but show each to *sink*."""
        self._sink = sink

    async def until(self, holds: Callable[[], object], bound: float = BOUND) -> None:
        """Wait until something holds."""
        with anyio.fail_after(bound):
            while not holds():
                await self._changed.wait()

    async def ask(self, data: bytes) -> int:
        """Send a request of the server's, and give its stream."""
        self._next_id += 2
        await self.send(Frame(self._next_id, REQUEST_RESPONSE, 0, data))
        return self._next_id

    async def answer_to(self, stream: int, bound: float = BOUND) -> Frame:
        """Wait for the client's answer to a request."""
        await self.until(lambda: stream in self.answers, bound)
        return self.answers[stream]

    async def hang_up(self) -> None:
        """Close this end."""
        await self._stream.aclose()


class ScriptedServer:
    """A server to whom ``dial`` leads; what it does with each connection is the test's to say."""

    def __init__(self, script: Callable[[Line], Awaitable[None]] | None = None, *, room: float = math.inf) -> None:
        self.lines: list[Line] = []
        self._script = script or self.welcome
        self._room = room
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> bool | None:  # noqa: ANN401, PYI036 - handed on to the task group
        assert self._tasks is not None
        self._tasks.cancel_scope.cancel()
        return await self._tasks.__aexit__(*error)

    async def dial(self) -> StapledObjectStream[bytes]:
        """Open a connection."""
        assert self._tasks is not None
        up_send, up_receive = anyio.create_memory_object_stream[bytes](self._room)
        down_send, down_receive = anyio.create_memory_object_stream[bytes](self._room)
        line = Line(StapledObjectStream(down_send, up_receive))
        self.lines.append(line)
        self._tasks.start_soon(self._run, line)
        return StapledObjectStream(up_send, down_receive)

    async def _run(self, line: Line) -> None:
        try:
            await self._script(line)
        except GONE:
            pass
        finally:
            line.note_the_end()
            await line.hang_up()

    @staticmethod
    async def welcome(line: Line) -> None:
        """Let the client in and serve it."""
        await line.let_in()
        await line.serve()

    @property
    def line(self) -> Line:
        """The latest connection."""
        return self.lines[-1]

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What a client that comes here is made with."""
        return {"org_id": "org", "app_id": "app", "api_key": KEY, "dial": self.dial}


def in_customer(customer_id: str, app_data: str | bytes | None = None, **entry: Any) -> bytes:  # noqa: ANN401
    """Give the bytes of an app's notification, made through the compiled schema."""
    whole = app_socket_pb2.ServerToAppNotification()
    part = whole.customer
    part.org_id, part.app_id, part.customer_id = "org", "app", customer_id
    part.created_at.FromDatetime(datetime(2030, 1, 1, tzinfo=UTC).replace(tzinfo=None))
    if isinstance(app_data, str):
        part.app_data.string_val = app_data
    elif app_data is not None:
        part.app_data.bytes_val = app_data
    for name, message in entry.items():
        getattr(part, name).CopyFrom(message)
    return whole.SerializeToString()


def an_sms(
    text: str, customer: str = "el_cst_1", message_id: str = "m-1", app_data: str | bytes | None = None
) -> bytes:
    """Give the bytes of a received SMS."""
    message = app_socket_pb2.ReceivedMessageNotification(message_id=message_id)
    message.customer_number.number = ASHA
    message.customer_number.provider = common_model_pb2.CUSTOMER_NUMBER_PROVIDER_CELLULAR
    message.channel_number.number = "83044"
    message.channel_number.channel = messaging_model_pb2.MESSAGING_CHANNEL_SMS
    message.parts.add().text = text
    return in_customer(customer, app_data, received_message=message)


def a_status(message_id: str, customer: str = "el_cst_1") -> bytes:
    """Give the bytes of a delivery report."""
    status = app_socket_pb2.MessageStatusNotification(
        message_id=message_id, status=messaging_model_pb2.MESSAGE_DELIVERY_STATUS_DELIVERED
    )
    return in_customer(customer, message_status=status)


def a_token_reply() -> bytes:
    """Give the bytes of the answer to asking for a token."""
    whole = app_socket_pb2.AppToServerCommandReply()
    whole.generate_auth_token.token = "el_tkn_of_the_script"
    whole.generate_auth_token.lifetime.seconds = 3600
    return whole.SerializeToString()


def an_update_reply() -> bytes:
    """Give the bytes of the answer to a change of a customer."""
    whole = app_socket_pb2.AppToServerCommandReply()
    whole.update_customer_state.status = True
    whole.update_customer_state.description = "done"
    return whole.SerializeToString()


def an_app_data_reply(customer_id: str | None = None) -> bytes:
    """Give the bytes of the answer to a change of app data."""
    whole = app_socket_pb2.AppToServerCommandReply()
    whole.update_customer_app_data.status = True
    whole.update_customer_app_data.description = "done"
    if customer_id is not None:
        whole.update_customer_app_data.customer_id.value = customer_id
    return whole.SerializeToString()


def the_command(frame: Frame) -> str:
    """Say which command a request holds, by the schema's name."""
    whole = app_socket_pb2.AppToServerCommand.FromString(frame.data)
    return whole.WhichOneof("entry") or "none"


def answers_commands(line: Line) -> None:
    """Have a line answer updates and token requests."""
    replies = {
        "generate_auth_token": a_token_reply(),
        "update_customer_app_data": an_app_data_reply(),
        "delete_customer_app_data": an_app_data_reply(),
    }
    line.reply = lambda frame: answer_frame(frame.stream, replies[the_command(frame)])


def the_answer(frame: Frame) -> app_socket_pb2.ServerToAppNotificationReply:
    """Read the client's answer to a notification."""
    assert frame.kind == PAYLOAD, frame
    return app_socket_pb2.ServerToAppNotificationReply.FromString(frame.data)


async def read_exactly(stream: ByteStream, count: int) -> bytes:
    """Read so many bytes."""
    data = b""
    while len(data) < count:
        data += await stream.receive(count - len(data))
    return data
