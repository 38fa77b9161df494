"""Acceptance, written from the design: commands on one connection: many, large, refused, cancelled, and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from acceptance import (
    ASHA,
    BOUND,
    CANCEL,
    ERROR,
    INVALID,
    PAYLOAD,
    QUICK,
    REJECTED,
    SMS,
    Frame,
    ScriptedServer,
    a_place,
    a_token_reply,
    an_update_reply,
    answer_frame,
    answering,
    error_frame,
    the_end_of,
)

from elarian_trio import (
    CommandFailed,
    CommandRejected,
    ConnectionLost,
    ConnectionOptions,
    Elarian,
    ReceivedSmsNotification,
    RemoteProtocolError,
    Tag,
)
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio


async def test_statistics_count_what_happened() -> None:
    """This SDK: a frozen dataclass of counters."""
    async with a_place() as place, answering(place.app, ReceivedSmsNotification) as inbox:
        before = place.app.statistics()
        await place.app.customer(ASHA).update_tags(Tag("a", "b"))
        with pytest.raises(CommandFailed):
            await place.app.customer(customer_id="none").get_state()
        await place.phone.receive_message(ASHA, SMS, "", ["hi"])
        await inbox.next()
        after = place.app.statistics()
        assert (after.commands - before.commands, after.commands_failed, after.notifications) == (2, 1, 1)
        assert after.bytes_sent > before.bytes_sent > 0
        assert after.bytes_received > before.bytes_received > 0
        for name in ("unclaimed", "rejected", "answers_late", "observed_dropped", "reconnects", "resumptions"):
            assert getattr(after, name) == 0
        assert (after.sessions_lost, after.frames_ignored) == (0, 0)
        with pytest.raises(AttributeError):
            after.commands = 0  # type: ignore[misc]


async def test_ping_measures_a_round_trip() -> None:
    """This SDK: the round-trip time of a KEEPALIVE, in seconds."""
    async with Sandbox() as sandbox, Elarian(**sandbox.credentials) as app:
        assert 0 <= await app.ping() < BOUND


async def test_thousand_commands_run_at_once() -> None:
    """The issue: 1,000 concurrent commands on one connection, each with its own answer."""
    async with a_place() as place:
        got: dict[int, object] = {}

        async def one(n: int) -> None:
            customer = place.app.customer(f"+2547{n:08}")
            await customer.update_metadata({"n": n})
            got[n] = (await customer.get_metadata())["n"]

        async with anyio.create_task_group() as tasks:
            for n in range(500):
                tasks.start_soon(one, n)
        assert got == {n: n for n in range(500)}
        in_flight = 0
        async with (
            ScriptedServer() as server,
            Elarian(**server.arguments) as app,
            anyio.create_task_group() as tasks,
        ):
            for _ in range(1_000):
                tasks.start_soon(app.generate_auth_token)
            await server.line.until(lambda: len(server.line.requests) == 1_000)
            in_flight = len(server.line.requests)  # all of them wait at once
            for frame in reversed(server.line.requests):
                await server.line.send(answer_frame(frame.stream, a_token_reply()))
        assert in_flight == 1_000
        assert len({frame.stream for frame in server.line.requests}) == 1_000


@pytest.mark.parametrize("value", ["x" * 5_000_000, b"\x00\xff" * 2_500_000], ids=["text", "bytes"])
async def test_five_megabytes_travel_both_ways(value: Any) -> None:  # noqa: ANN401
    """The issue: one metadata value of 5 MB at the default fragment size; other commands go on beside it."""
    async with a_place() as place:
        asha = place.app.customer(ASHA)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(asha.update_metadata, {"big": value})
            await place.app.ping()
        assert (await asha.get_metadata())["big"] == value


async def test_server_sees_fragments_no_larger_than_the_option() -> None:
    """The protocol: frames larger than the fragment size are cut; the pieces joined are the whole."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments, options=ConnectionOptions(fragment_size=1024)) as app,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(app.customer(ASHA).update_metadata, {"big": "y" * 10_000})
        await server.line.until(lambda: server.line.frames and not server.line.frames[-1].flags & 0x80)
        assert all(len(bytes(frame)) <= 1024 for frame in server.line.frames)
        assert b"".join(frame.data for frame in server.line.frames).count(b"y") >= 10_000
        (stream,) = {frame.stream for frame in server.line.frames}
        await server.line.send(answer_frame(stream, an_update_reply()))


async def test_fragments_beyond_the_limit_are_refused() -> None:
    """The issue: what grows beyond ``max_payload_size`` is not gathered; the client goes on."""
    options = ConnectionOptions(max_payload_size=100_000, reconnect=QUICK)
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments, options=options) as app,
        app.notifications(ReceivedSmsNotification),
    ):
        line = server.line
        await line.send(Frame(2, 0x04, 0x80, b"z" * 60_000))
        for _ in range(3):
            await line.send(Frame(2, PAYLOAD, 0x80 | 0x20, b"z" * 60_000))
        await line.until(lambda: any(frame.kind == ERROR for frame in line.frames) or line.ended)
        server.line.reply = lambda frame: answer_frame(frame.stream, a_token_reply())
        with anyio.fail_after(BOUND):
            await app.ping()


async def test_reply_that_is_no_reply_ends_its_command_and_never_hangs() -> None:
    """This SDK: bytes that mean nothing in a PAYLOAD raise RemoteProtocolError, or end the session; never a hang."""
    async with (
        ScriptedServer() as server,
        Elarian(**server.arguments, options=ConnectionOptions(reconnect=QUICK)) as app,
    ):
        server.line.reply = lambda frame: answer_frame(frame.stream, b"\xff\xff\xff")
        with pytest.raises((RemoteProtocolError, ConnectionLost)), anyio.fail_after(BOUND):
            await app.customer(ASHA).create()


@pytest.mark.parametrize("method", ["create", "get_state"])
async def test_rejected_command_says_so_and_other_errors_fail(method: str) -> None:
    """This SDK: REJECTED is CommandRejected; INVALID and the rest are CommandFailed without a reply, with the code."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        call: Callable[[], Awaitable[object]] = getattr(app.customer(ASHA), method)
        server.line.reply = lambda frame: error_frame(frame.stream, REJECTED, "busy")
        rejected = await the_end_of(CommandRejected, call)
        assert isinstance(rejected, CommandRejected)
        assert rejected.description == "busy"
        for code in (INVALID, 0x201, 0x203, 0x301):
            server.line.reply = lambda frame, code=code: error_frame(frame.stream, code, "words")
            failed = await the_end_of(CommandFailed, call)
            assert isinstance(failed, CommandFailed)
            assert (failed.reply, failed.code, failed.description) == (None, code, "words")


async def test_cancelled_command_sends_cancel() -> None:
    """This SDK: cancelled after it was handed to the writer, a CANCEL follows the request."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.generate_auth_token)
            await server.line.until(lambda: server.line.requests)
            tasks.cancel_scope.cancel()
        await server.line.until(lambda: server.line.frames[-1].kind == CANCEL)
        assert server.line.frames[-1].stream == server.line.requests[0].stream
        server.line.reply = lambda frame: answer_frame(frame.stream, a_token_reply())
        await app.generate_auth_token()
