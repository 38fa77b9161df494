"""Acceptance, written from the design: corners that a user finds in the first week."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from acceptance import (
    ASHA,
    BOUND,
    CONNECTION_CLOSE,
    ERROR,
    PAYLOAD,
    REJECTED,
    SMS,
    USSD,
    Frame,
    Line,
    ScriptedServer,
    a_place,
    a_status,
    a_token_reply,
    an_sms,
    answer_frame,
    answering,
    error_frame,
    the_end_of,
)

from elarian_trio import (
    Backoff,
    CommandFailed,
    ConnectionClosed,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    Elarian,
    ElarianError,
    MessageStatusNotification,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    SetupRejected,
    Simulator,
    UssdInput,
)
from elarian_trio.sandbox import Sandbox

pytestmark = pytest.mark.anyio

QUICK = ConnectionOptions(resume="off", reconnect=Backoff(first=0.01, base=0.01, cap=0.02))


# --- sizes ---


async def test_command_larger_than_the_server_takes_fails_alone() -> None:
    """This SDK's sandbox: 16 MiB is the most; the error is the command's, the connection goes on.

    A past bug: it was a CommandRejected, which promises that asking again may do.
    """
    async with a_place() as place:
        with pytest.raises(CommandFailed, match=r"too large with 200000.. bytes, .* 16777216") as failed:
            with anyio.fail_after(BOUND):
                await place.app.customer(ASHA).update_metadata({"big": "x" * 20_000_000})
        assert (failed.value.code, failed.value.reply) == (REJECTED, None)
        assert await place.app.customer(ASHA).get_metadata() == {}
        assert place.app.statistics().sessions_lost == 0


async def test_reply_larger_than_the_client_takes_fails_alone() -> None:
    """This SDK: what grows beyond ``max_payload_size`` is refused, and its command told; others go on."""
    async with a_place(ConnectionOptions(max_payload_size=1_000_000)) as place:
        for name in ("one", "two", "three"):
            await place.app.customer(ASHA).update_metadata({name: "x" * 400_000})
        words = r"may be done, but the answer is lost: .* 1000000 bytes \(max_payload_size\)"
        with pytest.raises(CommandFailed, match=words), anyio.fail_after(BOUND):
            await place.app.customer(ASHA).get_metadata()
        assert await place.app.customer("+254700000009").get_metadata() == {}
        assert place.app.statistics().sessions_lost == 0


async def test_notification_larger_than_the_client_takes_is_refused_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """RSocket: REJECTED, which servers repeat; so it must be seen why nothing more comes of that customer."""
    options = ConnectionOptions(max_payload_size=1_000)
    async with a_place(options) as place, answering(place.app, ReceivedSmsNotification) as seen:
        await place.phone.receive_message(ASHA, SMS, "", ["y" * 5_000])
        await place.phone.receive_message("+254700000009", SMS, "", ["hello"])
        assert (await seen.next()).text == "hello"
        assert place.app.statistics().sessions_lost == 0
    (words,) = {record.getMessage() for record in caplog.records if record.name == "elarian_trio.session"}
    assert words.endswith("a payload of more than 1000 bytes (max_payload_size) is not taken here")


async def test_notification_of_five_megabytes_arrives() -> None:
    """The issue: fragmented at the default size, the other way round."""
    async with a_place() as place, answering(place.app, ReceivedSmsNotification) as seen:
        await place.phone.receive_message(ASHA, SMS, "", ["y" * 5_000_000])
        assert (await seen.next()).text == "y" * 5_000_000


# --- time ---


async def test_all_goes_on_where_time_has_come_to_its_end() -> None:
    """A past bug: a lease and a token were an OverflowError where the clock had been moved to its very end."""
    async with a_place() as place, answering(place.app, ReceivedSmsNotification) as seen:
        clock, asha = place.sandbox.clock, place.app.customer(ASHA)
        with anyio.fail_after(BOUND):
            with pytest.raises(ValueError, match="calendar ends on 9999-01-01"):
                await clock.advance(datetime.max.replace(tzinfo=UTC) - clock.now())
            await clock.advance(datetime(9999, 1, 1, tzinfo=UTC) - clock.now())
            await asha.update_app_data("kept")
            assert await asha.lease_app_data() == "kept"
            assert (await place.app.generate_auth_token()).lifetime == timedelta(hours=1)
            await place.phone.receive_message(ASHA, SMS, "", ["hello"])
            await asha.update_app_data("released")
            assert (await seen.next()).text == "hello"


# --- ends ---


@pytest.mark.parametrize("way", ["error", "cancel", "leave"])
async def test_every_way_out_wakes_every_waiter(way: str) -> None:
    """Promise 3: commands of other tasks that wait for an answer end with an error of ours, none hangs."""
    ends: list[str] = []
    async with ScriptedServer() as server, anyio.create_task_group() as tasks:
        app = Elarian(**server.arguments, options=ConnectionOptions(drain_timeout=0.01))

        async def wait() -> None:
            with pytest.raises((ConnectionLost, ConnectionClosed)) as caught:
                await app.customer(ASHA).create()
            ends.append(type(caught.value).__name__)

        async def block(scope: anyio.CancelScope) -> None:
            async with app:
                for _ in range(100):
                    tasks.start_soon(wait)
                await server.line.until(lambda: len(server.line.requests) == 100)
                if way == "error":
                    raise KeyError(way)
                if way == "cancel":
                    scope.cancel()
                    await anyio.sleep_forever()

        with anyio.fail_after(BOUND), anyio.CancelScope() as scope:
            if way == "error":
                await the_end_of(KeyError, lambda: block(scope))
            else:
                await block(scope)
    assert ends == ["ConnectionLost"] * 100


async def test_failure_in_the_background_comes_out_once_and_plain_with_the_users_error_first() -> None:
    """The style: the user's exception first, ours added as a note; ours alone where the user had none."""

    async def script(line: Line) -> None:
        if len(server.lines) == 1:
            await line.let_in()
            while (await line.receive()).kind != 0x04:
                pass
        else:
            await line.receive()
            await line.send(error_frame(0, 0x003, "thrown out"))

    class Mishap(Exception):
        pass

    async def alone() -> None:
        async with Elarian(**server.arguments, options=QUICK) as app:
            with pytest.raises(ConnectionLost):
                await app.customer(ASHA).create()
            await anyio.sleep_forever()

    async def with_the_users() -> None:
        async with Elarian(**server.arguments, options=QUICK) as app:
            try:
                with pytest.raises(ConnectionLost):
                    await app.customer(ASHA).create()
                await anyio.sleep_forever()
            finally:
                raise Mishap("mine")

    async with ScriptedServer(script) as server:
        assert "thrown out" in str(await the_end_of(SetupRejected, alone))
        server.lines.clear()
        error = await the_end_of(Mishap, with_the_users)
    assert any("thrown out" in note for note in error.__notes__)


async def test_error_event_tells_the_failure() -> None:
    """The specification: ``error(exception)``."""
    told: list[BaseException] = []

    async def script(line: Line) -> None:
        await line.receive()
        await line.send(error_frame(0, 0x003, "who are you"))

    async with ScriptedServer(script) as server:
        app = Elarian(**server.arguments)
        app.on("error", told.append)
        with pytest.raises(SetupRejected):
            async with app:
                pytest.fail("entered")
    assert [type(error) for error in told] == [SetupRejected]
    assert app.connection_state == "error"


async def test_server_that_says_goodbye_is_dialled_again() -> None:
    """The protocol: CONNECTION_CLOSE is no failure of ours."""

    async def script(line: Line) -> None:
        await line.let_in()
        if len(server.lines) == 1:
            await line.send(error_frame(0, CONNECTION_CLOSE, "maintenance"))
        line.reply = lambda frame: answer_frame(frame.stream, a_token_reply())
        await line.serve()

    async with ScriptedServer(script) as server, Elarian(**server.arguments, options=QUICK) as app:
        with anyio.fail_after(BOUND):
            await app.generate_auth_token()
        assert len(server.lines) == 2


async def test_disconnect_from_a_handler_does_not_wait_for_itself() -> None:
    """This SDK: a handler may end the client it belongs to."""
    async with ScriptedServer() as server:
        app = Elarian(**server.arguments)

        async def handler(*_: object) -> None:
            await app.disconnect()
            await app.disconnect()

        app.on("receivedSms", handler)
        with anyio.fail_after(BOUND):
            async with app:
                await server.line.ask(an_sms("bye"))
                async with app.connection_states() as states:
                    async for state in states:
                        if state == "closed":
                            break
                await the_end_of(ConnectionClosed, app.generate_auth_token)


async def test_delivery_outlives_neither_its_session_nor_its_block() -> None:
    """This SDK: answering then is an error that says so."""

    async def script(line: Line) -> None:
        await line.let_in()
        if len(server.lines) == 1:
            await line.ask(an_sms("one"))
            await cut.wait()
            return
        await line.ask(an_sms("two", message_id="m-2"))
        await line.serve()

    cut = anyio.Event()
    async with ScriptedServer(script) as server:
        async with (
            Elarian(**server.arguments, options=replace(QUICK, drain_timeout=0.01)) as app,
            app.notifications(ReceivedSmsNotification) as inbox,
        ):
            async with await anext(aiter(inbox)) as one:
                cut.set()
                with anyio.fail_after(BOUND):
                    async with app.connection_states() as states:
                        async for state in states:
                            if state != "connected":
                                break
                await the_end_of(ConnectionLost, one.reply)
            with anyio.fail_after(BOUND):
                two = await anext(aiter(inbox))
            await two.reply()
            await server.line.ask(an_sms("three", message_id="m-3"))
            three = await anext(aiter(inbox))
            await app.disconnect()
        with pytest.raises(ElarianError):
            await three.reply("late")


async def test_cancelled_reader_loses_nothing() -> None:
    """This SDK: a cancelled ``receive`` leaves the item for the next reader."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification) as inbox,
    ):

        async def read(got: list[str | None]) -> None:
            async with await anext(aiter(inbox)) as delivery:
                got.append(delivery.notification.text)

        for steps in range(12):
            got: list[str | None] = []
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(read, got)
                    await server.line.ask(an_sms(str(steps), f"el_cst_{steps}", f"m-{steps}"))
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
            with anyio.fail_after(BOUND):
                await app.ping()
                if not got and not server.line.answers:
                    await read(got)
                await server.line.until(lambda: server.line.answers)
            server.line.answers.clear()


async def test_state_listener_far_behind_is_told_so() -> None:
    """This SDK: more than 1,024 changes behind gets BrokenResourceError; nothing grows without bound."""

    async def dial() -> Any:  # noqa: ANN401
        nonlocal attempts
        attempts += 1
        if attempts == 1_200:
            scope.cancel()
        raise OSError("no")

    attempts = 0
    scope = anyio.CancelScope()
    options = ConnectionOptions(reconnect=Backoff(first=0.0, base=0.0, cap=0.0, slow_cap=0.0))
    app = Elarian(org_id="o", app_id="a", api_key="k", dial=dial, options=options)
    async with app.connection_states() as states:
        with anyio.fail_after(2 * BOUND), scope:
            async with app:
                pytest.fail("entered")

        async def read() -> None:
            async for _ in states:
                pass

        await the_end_of(anyio.BrokenResourceError, read)


# --- who hears what ---


async def test_client_that_wants_no_notifications_gets_none() -> None:
    """The wire's simplex mode: they go to the app's other connections, or wait."""
    async with Sandbox(clock="manual") as sandbox, Simulator(**sandbox.credentials) as phone:
        quiet = ConnectionOptions(receive_notifications=False)
        async with (
            Elarian(**sandbox.credentials, options=quiet) as mute,
            Elarian(**sandbox.credentials) as app,
            answering(app, ReceivedSmsNotification) as heard,
        ):
            for n in range(4):
                await phone.receive_message(ASHA, SMS, "", [str(n)])
                assert (await heard.next()).text == str(n)
            await mute.ping()
            assert mute.statistics().notifications == 0


async def test_every_phone_of_the_organisation_rings() -> None:
    """The sandbox's rules: simulators are told by organisation, all of them."""
    async with (
        a_place() as place,
        Simulator(**place.sandbox.credentials) as second,
        answering(place.phone, SendMessageSimulatorNotification) as one,
        answering(second, SendMessageSimulatorNotification) as two,
    ):
        await place.app.customer(ASHA).send_message(SMS, "hi")
        assert (await one.next()).message_id == (await two.next()).message_id


async def test_hop_without_an_app_is_an_error_on_the_phone() -> None:
    """The sandbox's rules: interactive notifications do not wait for an app that is away."""
    async with Sandbox(clock="manual") as sandbox, Simulator(**sandbox.credentials) as phone:
        with pytest.raises(CommandFailed), anyio.fail_after(BOUND):
            await phone.receive_message(ASHA, USSD, "u", [UssdInput("", "active")])


async def test_delivery_that_is_never_entered_is_in_hand_until_it_is_answered() -> None:
    """Promise 5: its customer's next notification waits for the answer."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments) as app,
        app.notifications(ReceivedSmsNotification, MessageStatusNotification) as inbox,
    ):
        await server.line.ask(an_sms("1"))
        await server.line.ask(a_status("m-9"))
        first = await anext(aiter(inbox))
        with anyio.move_on_after(0.01) as scope:
            await anext(aiter(inbox))
        assert scope.cancelled_caught
        await first.reply()
        with anyio.fail_after(BOUND):
            async with await anext(aiter(inbox)) as second:
                assert isinstance(second.notification, MessageStatusNotification)


async def test_token_is_asked_for_before_each_setup() -> None:
    """This SDK: tokens live an hour; a callable is asked anew for each connection."""
    asked: list[int] = []

    async def token() -> str:
        asked.append(len(asked))
        return f"el_tkn_{len(asked)}"

    setups: list[bytes] = []
    third = anyio.Event()

    async def script(line: Line) -> None:
        setups.append((await line.receive()).rest)
        keepalive = await line.receive()
        await line.send(Frame(0, 0x03, 0, keepalive.rest))
        if len(server.lines) > 2:
            third.set()
            await line.serve()

    async with ScriptedServer(script) as server:
        arguments = {name: value for name, value in server.arguments.items() if name != "api_key"}
        async with Elarian(**arguments, auth_token=token, options=QUICK) as app:
            with anyio.fail_after(BOUND):
                await third.wait()
                await app.ping()
    assert len(asked) == 3
    assert all(f"el_tkn_{n + 1}".encode() in setup for n, setup in enumerate(setups))


async def test_token_that_cannot_be_had_fails_plainly() -> None:
    """This SDK: whatever the user's callable raises, the ``async with`` line ends with one plain error in time."""

    async def token() -> str:
        raise LookupError("no token today")

    async with ScriptedServer() as server:
        arguments = {name: value for name, value in server.arguments.items() if name != "api_key"}
        options = ConnectionOptions(reconnect=Backoff(first=0.01, base=0.01, cap=0.01, give_up_after=0.05))
        with pytest.raises((ConnectionFailed, LookupError)), anyio.fail_after(BOUND):
            async with Elarian(**arguments, auth_token=token, options=options):
                pytest.fail("entered")


# --- politeness ---

ODD_FRAMES = {
    "fire and forget": Frame(2, 0x05, 0, b"x"),
    "metadata push": Frame(0, 0x0C, 0x100, b"x"),
    "unknown but ignorable": Frame(0, 0x3D, 0x200, b"x"),
    "cancel of nothing": Frame(8, 0x09, 0),
    "payload for nobody": Frame(99, PAYLOAD, 0x60, b"x"),
    "error for nobody": error_frame(99, REJECTED, "x"),
    "request_n for nobody": Frame(99, 0x08, 0, b"\x00\x00\x00\x01"),
    "lease": Frame(0, 0x02, 0, b"\x00\x00\x10\x00\x00\x00\x00\x01"),
}


@pytest.mark.parametrize("frame", ODD_FRAMES.values(), ids=ODD_FRAMES)
async def test_odd_frames_are_ignored(frame: Frame) -> None:
    """The protocol: what is unexpected is mostly to be ignored; the session goes on."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        await server.line.send(frame)
        with anyio.fail_after(BOUND):
            await app.ping()
        assert app.connection_state == "connected"
        assert app.statistics().sessions_lost == 0


@pytest.mark.parametrize("kind", [0x06, 0x07], ids=["stream", "channel"])
async def test_streams_and_channels_are_refused_politely(kind: int) -> None:
    """The protocol: an interaction that is not served gets an ERROR on its own stream."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        await server.line.send(Frame(2, kind, 0, b"\x00\x00\x00\x01x"))
        answer = await server.line.answer_to(2)
        assert answer.kind == ERROR
        await app.ping()
        assert app.statistics().sessions_lost == 0
