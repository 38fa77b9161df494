"""Leaving a client's block in every way, with something in hand, over connections in every state.

What must hold each time: what the design lets be answered is answered, nobody waits longer than ``drain_timeout`` and a
little, new commands are refused, and the server hears a goodbye where it can hear at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from acceptance import (
    APPLICATION_ERROR,
    ASHA,
    CONNECTION_CLOSE,
    ERROR,
    PAYLOAD,
    SMS,
    Frame,
    Line,
    ScriptedServer,
    an_sms,
    an_update_reply,
    answer_frame,
    answering,
)
from faulty import FaultNetwork, Kind, sound
from trio.testing import MockClock

from elarian_trio import (
    Backoff,
    ConnectionClosed,
    ConnectionLost,
    ConnectionOptions,
    Delivery,
    DeliveryExpired,
    Elarian,
    ElarianError,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
    Tag,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import ObjectReceiveStream

pytestmark = pytest.mark.anyio

DRAIN = 20.0  # seconds: the options' default
A_LITTLE = 5.0  # seconds for goodbyes, each of which has a bound of its own
OPTIONS = ConnectionOptions(reconnect=Backoff(jitter=0.0))


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio alone has a clock that jumps when nobody can run."""
    return "trio", {"clock": MockClock(autojump_threshold=0.0)}


class Left(Exception):
    """What a user's block is left by."""


async def at_the_end(_: Elarian) -> None:
    """Leave by the block's end."""
    await anyio.lowlevel.checkpoint()


async def by_disconnect(app: Elarian) -> None:
    """Leave ahead of the block's end."""
    await app.disconnect()


async def by_error(_: Elarian) -> None:
    """Leave by an error."""
    await anyio.lowlevel.checkpoint()
    raise Left


async def by_cancellation(_: Elarian) -> None:
    """Leave because somebody outside says so."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anyio.lowlevel.checkpoint()


IN_ORDER = [at_the_end, by_disconnect]


@dataclass
class Book:
    """What came of it all."""

    began: float = 0.0
    took: float = 0.0
    heard: list[str] = field(default_factory=list[str])
    refused: list[type[Exception]] = field(default_factory=list[type[Exception]])


async def hold(delivery: Delivery[Any], seconds: float, book: Book, *, entered: anyio.Event) -> None:
    """Have a delivery in hand for some seconds, then answer it by hand."""
    try:
        async with delivery:
            entered.set()
            await anyio.sleep(seconds)
            await delivery.reply(app_data={"held": seconds})
            book.heard.append("answered")
    except (ElarianError, DeliveryExpired) as error:
        book.heard.append(type(error).__name__)


async def opened(app: Elarian) -> ObjectReceiveStream[Delivery[ReceivedSmsNotification]]:
    """Open a subscription that lasts as long as its client."""
    inbox = app.notifications(ReceivedSmsNotification)
    return await inbox.__aenter__()


async def command(app: Elarian, number: str, book: Book) -> None:
    """Send a command, and note what comes of it."""
    try:
        await app.customer(number).update_tags(Tag("n", "1"))
        book.heard.append("done")
    except ElarianError as error:
        book.heard.append(type(error).__name__)


# --- with the server played by hand ---


@pytest.mark.parametrize("leave", IN_ORDER)
@pytest.mark.parametrize("seconds", [1.0, 12.0])
async def test_what_is_in_hand_is_answered_and_what_is_new_refused(
    seconds: float, leave: Callable[[Elarian], Awaitable[None]]
) -> None:
    """The design: new commands raise ConnectionClosed; deliveries in hand may still be answered."""
    book = Book()
    async with ScriptedServer() as server, anyio.create_task_group() as tasks:
        async with Elarian(**server.arguments, options=OPTIONS) as app:
            inbox = await opened(app)
            stream = await server.line.ask(an_sms("held"))
            waiting = await server.line.ask(an_sms("behind it", message_id="m-2"))
            delivery, entered = await inbox.receive(), anyio.Event()
            tasks.start_soon(lambda: hold(delivery, seconds, book, entered=entered))
            await entered.wait()
            tasks.start_soon(refused_soon, app, book)
            book.began = anyio.current_time()
            await leave(app)
        book.took = anyio.current_time() - book.began
        await anyio.wait_all_tasks_blocked()
        line = server.lines[0]
        assert book.heard == ["answered"]
        assert line.answers[stream].kind == PAYLOAD
        assert b"held" in line.answers[stream].rest
        assert line.answers[waiting].code == 0x202, "nobody has seen it: the server may try elsewhere"
        assert seconds <= book.took <= seconds + A_LITTLE
        assert book.refused == [ConnectionClosed]
        assert goodbyes(line) == [CONNECTION_CLOSE]
        assert len(server.lines) == 1


async def refused_soon(app: Elarian, book: Book) -> None:
    """Try a command while the client is being left."""
    await anyio.sleep(0.5)
    try:
        await app.customer(ASHA).update_tags(Tag("late", "yes"))
    except ElarianError as error:
        book.refused.append(type(error))


def goodbyes(line: Line) -> list[int]:
    """Give the codes of ERRORs on stream 0."""
    return [frame.code for frame in line.frames if frame.kind == ERROR and frame.stream == 0]


@pytest.mark.parametrize("leave", IN_ORDER)
async def test_drain_timeout_is_the_longest_it_takes(leave: Callable[[Elarian], Awaitable[None]]) -> None:
    """The design: deliveries in hand may be answered for ``drain_timeout``, and commands end by then, too."""
    book = Book()
    options = ConnectionOptions(notification_timeout=600.0, command_timeout=None)
    async with ScriptedServer() as server, anyio.create_task_group() as tasks:
        async with Elarian(**server.arguments, options=options) as app:
            inbox = await opened(app)
            stream = await server.line.ask(an_sms("held"))
            delivery, entered = await inbox.receive(), anyio.Event()
            tasks.start_soon(lambda: hold(delivery, 100.0, book, entered=entered))
            tasks.start_soon(command, app, ASHA, book)  # which this server never answers
            await entered.wait()
            await anyio.wait_all_tasks_blocked()
            book.began = anyio.current_time()
            await leave(app)
        book.took = anyio.current_time() - book.began
        assert DRAIN <= book.took <= DRAIN + A_LITTLE
        assert stream not in server.line.answers
        assert book.heard == ["ConnectionLost"], "the command; it was sent"
        await anyio.sleep(100)
        assert book.heard[1:] in (["ConnectionClosed"], ["ConnectionLost"])
        assert goodbyes(server.line) == [CONNECTION_CLOSE]


@pytest.mark.parametrize("leave", [by_error, by_cancellation])
async def test_leaving_otherwise_answers_nothing_more_and_closes_at_once(
    leave: Callable[[Elarian], Awaitable[None]],
) -> None:
    """The design: leaving by an exception or cancellation answers nothing more and closes."""
    book, answers = Book(), []

    async def handler(*_: object) -> None:
        await anyio.sleep(100)

    async with ScriptedServer() as server, anyio.create_task_group() as tasks:
        with anyio.CancelScope() as outside:
            try:
                async with Elarian(**server.arguments, options=OPTIONS).on("receivedSms", handler) as app:
                    answers = [await server.line.ask(an_sms(f"{n}", f"el_cst_{n}", f"m-{n}")) for n in range(3)]
                    tasks.start_soon(command, app, ASHA, book)
                    await anyio.wait_all_tasks_blocked()
                    book.began = anyio.current_time()
                    if leave is by_cancellation:
                        outside.cancel()
                    await leave(app)
                    await anyio.lowlevel.checkpoint()
            except Left:
                pass
        book.took = anyio.current_time() - book.began
        await anyio.wait_all_tasks_blocked()
        line = server.line
        assert book.took <= A_LITTLE
        assert book.heard == ["ConnectionLost"]
        assert [line.answers[stream] for stream in answers if stream in line.answers] == []
        assert goodbyes(line) in ([CONNECTION_CLOSE], [])
        assert line.ended


async def test_error_in_a_deliverys_own_block_is_told_before_the_connection_closes() -> None:
    """The design: an error in the block answers APPLICATION_ERROR with its class's name, and propagates."""
    streams: list[int] = []

    async def program(server: ScriptedServer) -> None:
        async with Elarian(**server.arguments, options=OPTIONS) as app:
            inbox = await opened(app)
            streams.append(await server.line.ask(an_sms("held")))
            async with await inbox.receive():
                raise Left

    async with ScriptedServer() as server:
        with pytest.raises(Left):
            await program(server)
        await anyio.wait_all_tasks_blocked()
        answer = server.line.answers[streams[0]]
        assert (answer.code, answer.words) == (APPLICATION_ERROR, "Left")


@pytest.mark.parametrize("leave", IN_ORDER)
async def test_command_that_is_answered_while_draining_is_done(leave: Callable[[Elarian], Awaitable[None]]) -> None:
    """This SDK: commands under way may end, within ``drain_timeout``."""
    book = Book()

    async def script(line: Line) -> None:
        await line.let_in()
        line.reply = lambda frame: late.append((line, frame))  # type: ignore[func-returns-value]
        await line.serve()

    late: list[tuple[Line, Frame]] = []

    async def answer_late() -> None:
        await anyio.sleep(7.0)
        line, frame = late[0]
        await line.send(answer_frame(frame.stream, an_update_reply()))

    async with ScriptedServer(script) as server, anyio.create_task_group() as tasks:
        async with Elarian(**server.arguments, options=OPTIONS) as app:
            tasks.start_soon(command, app, ASHA, book)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(answer_late)
            book.began = anyio.current_time()
            await leave(app)
        assert book.heard == ["done"]
        assert 7.0 <= anyio.current_time() - book.began <= 7.0 + A_LITTLE


# --- with the sandbox, behind a network that fails ---


@dataclass
class Scene:
    """An app whose network the test commands, with a delivery in hand and a command under way."""

    network: FaultNetwork
    app: Elarian
    book: Book


async def stays(_: Scene) -> None:
    """Let the connection be."""
    await anyio.lowlevel.checkpoint()


async def is_cut(scene: Scene) -> None:
    """Cut it, and let the client come back."""
    await scene.network.cut()


async def vanishes(scene: Scene) -> None:
    """Cut it so that only the client hears of it."""
    await scene.network.cut(Kind.VANISH)


async def is_gone(scene: Scene) -> None:
    """Cut it for good."""
    scene.network.reachable = False
    await scene.network.cut()


@pytest.mark.parametrize("moment", ["before", "during"])
@pytest.mark.parametrize("network_does", [stays, is_cut, vanishes, is_gone])
@pytest.mark.parametrize("leave", IN_ORDER)
@pytest.mark.parametrize("resume", ["auto", "off"])
async def test_leaving_in_order_over_a_connection_that_fails(
    resume: Any,  # noqa: ANN401
    leave: Callable[[Elarian], Awaitable[None]],
    network_does: Callable[[Scene], Awaitable[None]],
    moment: str,
) -> None:
    """The design: drains for ``drain_timeout``; what can still be answered is, over the session that is resumed."""
    book = Book()
    async with (
        Sandbox() as sandbox,
        FaultNetwork(sandbox.credentials["dial"], sound, timed=True) as network,
        Simulator(**sandbox.credentials) as phone,
        answering(phone, SendMessageSimulatorNotification),
        anyio.create_task_group() as tasks,
    ):
        options = ConnectionOptions(reconnect=Backoff(jitter=0.0), resume=resume)
        async with Elarian(**{**sandbox.credentials, "dial": network.dial}, options=options) as app:
            scene = Scene(network, app, book)
            async with app.notifications(ReceivedSmsNotification) as inbox:
                await phone.receive_message(ASHA, SMS, "", ["held"])
                delivery, entered = await inbox.receive(), anyio.Event()
                tasks.start_soon(lambda: hold(delivery, 3.0, book, entered=entered))
                await entered.wait()
                if moment == "during":
                    tasks.start_soon(soon, network_does, scene)
                else:
                    await network_does(scene)
                tasks.start_soon(command, app, "+254700000001", book)
                await anyio.wait_all_tasks_blocked()
                book.began = anyio.current_time()
                await leave(app)
        book.took = anyio.current_time() - book.began
        assert book.took <= DRAIN + A_LITTLE
        await anyio.sleep(60)
        assert len(book.heard) == 2
        survives = network_does is stays or (resume == "auto" and network_does is not is_gone)
        if survives:
            assert sorted(book.heard) == ["answered", "done"]
            assert book.took <= 3.0 + A_LITTLE
        else:
            assert set(book.heard) <= {"answered", "done", "ConnectionLost", "ConnectionClosed", "DeliveryExpired"}
        async with Elarian(**sandbox.credentials) as after:
            known = await after.customer(ASHA).lease_app_data()
            assert (known == {"held": 3.0}) == ("answered" in book.heard) or not survives


async def soon(network_does: Callable[[Scene], Awaitable[None]], scene: Scene) -> None:
    """Have it happen while the client is being left."""
    await anyio.sleep(1.0)
    await network_does(scene)


@pytest.mark.parametrize("leave", [by_error, by_cancellation])
@pytest.mark.parametrize("network_does", [is_cut, vanishes, is_gone])
async def test_leaving_otherwise_while_the_connection_is_down_is_prompt(
    network_does: Callable[[Scene], Awaitable[None]], leave: Callable[[Elarian], Awaitable[None]]
) -> None:
    """The design: answers nothing more and closes; and waits for no network to come back."""
    book = Book()
    async with (
        Sandbox() as sandbox,
        FaultNetwork(sandbox.credentials["dial"], sound, timed=True) as network,
    ):
        with anyio.CancelScope() as outside:
            try:
                async with Elarian(**{**sandbox.credentials, "dial": network.dial}, options=OPTIONS) as app:
                    await app.customer(ASHA).update_tags(Tag("n", "1"))
                    await network_does(Scene(network, app, book))
                    book.began = anyio.current_time()
                    if leave is by_cancellation:
                        outside.cancel()
                    await leave(app)
                    await anyio.lowlevel.checkpoint()
            except Left:
                pass
        assert anyio.current_time() - book.began <= A_LITTLE
        before = network.record.connections
        await anyio.sleep(600)
        assert network.record.connections == before


async def test_client_that_never_connected_is_left_at_once() -> None:
    """The design: entering waits; cancelled, it leaves nothing."""
    async with (
        Sandbox() as sandbox,
        FaultNetwork(sandbox.credentials["dial"], sound, timed=True) as network,
    ):
        network.reachable = False
        begun = anyio.current_time()
        with anyio.move_on_after(100):
            async with Elarian(**{**sandbox.credentials, "dial": network.dial}, options=OPTIONS):
                pytest.fail("entered")
        assert anyio.current_time() - begun == pytest.approx(100, abs=0.5)


async def test_session_that_ends_for_good_during_the_drain_ends_the_drain() -> None:
    """This SDK: who waits for what can come no more is told at once."""
    book = Book()
    async with ScriptedServer() as server, anyio.create_task_group() as tasks:
        options = ConnectionOptions(command_timeout=None, resume="off", reconnect=Backoff(jitter=0.0))
        async with Elarian(**server.arguments, options=options) as app:
            tasks.start_soon(command, app, ASHA, book)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(hang_up, server)
            book.began = anyio.current_time()
        assert book.heard == ["ConnectionLost"]
        assert anyio.current_time() - book.began <= 1.0 + A_LITTLE
        assert len(server.lines) == 1, "nobody connects to say goodbye"
    assert ConnectionLost.__name__ in book.heard


async def hang_up(server: ScriptedServer) -> None:
    """End the connection as a server that dies."""
    await anyio.sleep(1.0)
    await server.line.hang_up()
