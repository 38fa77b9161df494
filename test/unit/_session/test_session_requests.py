"""A client's session that stands: its requests, their cancellation, its pings, and how writes are joined."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import anyio
import pytest
from peers import BOUND, RawPeer, a_client, client_and_peer, client_and_server, echo, running, settle, until

from elarian_trio._rsocket.frames import (
    CancelFrame,
    ErrorFrame,
    KeepaliveFrame,
    MetadataPushFrame,
    PayloadFrame,
    RequestFnfFrame,
    encode_frame,
)
from elarian_trio._session import Handover, IncomingRequest, StreamFailed
from elarian_trio._transport import StreamTransport, open_memory_pair, open_tcp, serve_tcp
from elarian_trio.errors import ConnectionLost

if TYPE_CHECKING:
    from elarian_trio._session import Session

pytestmark = pytest.mark.anyio


async def test_answer_reaches_its_caller() -> None:
    """RSocket request/response: data and metadata there, data back."""
    async with client_and_peer() as (session, peer, _, _), anyio.create_task_group() as tasks:
        answers: list[bytes] = []

        async def ask() -> None:
            answers.append(await session.request(b"question", b"about"))

        tasks.start_soon(ask)
        request = await peer.receive_request()
        assert (request.data, request.metadata) == (b"question", b"about")
        await peer.answer(request, b"answer")
        await until(lambda: bool(answers))
        assert answers == [b"answer"]
        assert session.idle


async def test_stream_error_reaches_its_caller_only() -> None:
    """RSocket: an application's own code is kept, other requests go on."""
    async with client_and_peer() as (session, peer, _, _), anyio.create_task_group() as tasks:
        answers: list[object] = []

        async def ask(data: bytes) -> None:
            try:
                answers.append(await session.request(data))
            except StreamFailed as failed:
                answers.append((failed.code, failed.message))

        tasks.start_soon(ask, b"one")
        first = await peer.receive_request()
        tasks.start_soon(ask, b"two")
        second = await peer.receive_request()
        await peer.send(ErrorFrame(first.stream_id, 0x80000301, "own reasons"))
        await peer.answer(second, b"fine")
        await until(lambda: len(answers) == 2)
        assert (0x80000301, "own reasons") in answers
        assert b"fine" in answers


async def test_thousand_requests_answered_out_of_order() -> None:
    """RSocket: 1,000 concurrent requests, each answer to its caller."""
    waiting: list[IncomingRequest] = []

    def collect(request: IncomingRequest) -> None:
        waiting.append(request)
        if len(waiting) == 1000:
            random.Random(7).shuffle(waiting)
            for each in waiting:
                each.respond(b"re: " + each.data)

    answers: dict[int, bytes] = {}
    async with client_and_server(collect) as (client, _):

        async def ask(number: int) -> None:
            answers[number] = await client.request(b"%d" % number)

        began = time.perf_counter()
        with anyio.fail_after(BOUND):
            async with anyio.create_task_group() as tasks:
                for number in range(1000):
                    tasks.start_soon(ask, number)
        took = time.perf_counter() - began
        print(f"1,000 concurrent requests, shuffled answers: {took * 1000:.0f} ms")  # noqa: T201 - a figure
        assert answers == {number: b"re: %d" % number for number in range(1000)}
        assert client.idle


async def test_frames_that_wait_together_leave_in_one_write() -> None:
    """This SDK: the writer takes whatever waits. 200 requests behind one blocked write make one more."""
    async with client_and_peer() as (session, peer, _, recorder), anyio.create_task_group() as tasks:
        recorder.hold()
        tasks.start_soon(session.request, b"the first")
        await until(lambda: len(recorder.writes) == 2)  # SETUP and KEEPALIVE made the one before
        for number in range(200):
            tasks.start_soon(session.request, b"%d" % number)
        await settle()
        recorder.gate.set()
        await peer.receive_request()
        for _ in range(200):
            await peer.receive_request()
        sizes = [len(write) for write in recorder.writes]
        print(f"frames by write: {sizes}")  # noqa: T201 - a figure to look at
        assert sizes == [2, 1, 200]
        tasks.cancel_scope.cancel()


async def test_five_megabytes_both_ways_over_tcp() -> None:
    """This SDK: a 5 MB value, fragmented at the default size."""
    data = random.Random(5).randbytes(5_000_000)
    opened: list[StreamTransport] = []
    done = anyio.Event()

    async def keep(transport: StreamTransport) -> None:
        opened.append(transport)
        await done.wait()

    async with anyio.create_task_group() as tasks:

        async def listen(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
            await serve_tcp(keep, task_status=task_status)

        (address,) = await tasks.start(listen)
        ours = await open_tcp(*address)
        await until(lambda: bool(opened))
        async with client_and_server(echo, client_handler=echo, pair=(ours, opened[0])) as (client, server):
            back: list[bytes] = []

            async def ask(session: Session) -> None:
                back.append(await session.request(data))

            await until(lambda: server.opened)
            began = time.perf_counter()
            with anyio.fail_after(BOUND):
                async with anyio.create_task_group() as both:
                    both.start_soon(ask, client)
                    both.start_soon(ask, server)
            took = time.perf_counter() - began
            print(f"5 MB there and back from both ends at once: {took * 1000:.0f} ms")  # noqa: T201 - a figure
            assert back == [data, data]
        done.set()
        tasks.cancel_scope.cancel()


async def test_cancel_before_the_writer_took_it_sends_nothing() -> None:
    """This SDK, "a cancelled caller": unsent is forgotten."""
    async with client_and_peer() as (session, peer, _, recorder), anyio.create_task_group() as tasks:
        recorder.hold()
        tasks.start_soon(session.request, b"holds the writer")
        await until(lambda: len(recorder.writes) == 2)
        handover = Handover()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await session.request(b"never seen", handover=handover)
        recorder.gate.set()
        assert (await peer.receive_request()).data == b"holds the writer"
        tasks.start_soon(session.request, b"the next")
        assert (await peer.receive_request()).data == b"the next"
        assert not handover.sent
        tasks.cancel_scope.cancel()


async def test_unsent_is_unsent_also_where_cancellation_and_the_end_come_together() -> None:
    """A past bug: a command that timed out in the moment its session ended claimed to have been sent."""
    async with client_and_peer() as (session, _, _, recorder), anyio.create_task_group() as tasks:
        recorder.hold()
        handover = Handover()

        async def ask() -> None:
            await session.request(b"never seen", handover=handover)

        async with anyio.create_task_group() as asking:
            asking.start_soon(session.ping)
            await until(lambda: len(recorder.writes) == 2)
            asking.start_soon(ask)
            await settle()
            asking.cancel_scope.cancel()
            session.close()
        assert not handover.sent
        recorder.gate.set()
        tasks.cancel_scope.cancel()


async def test_thousands_of_pings_at_once_are_all_answered() -> None:
    """A past bug: peers, and we ourselves, keep 1,024 KEEPALIVEs at most; whose was dropped waited on."""
    answered = 0
    async with client_and_server() as (session, _), anyio.create_task_group() as tasks:

        async def ping() -> None:
            nonlocal answered
            await session.ping()
            answered += 1

        for _ in range(2000):
            tasks.start_soon(ping)
    assert answered == 2000


async def test_cancel_after_sending_sends_one_cancel() -> None:
    """RSocket: exactly one CANCEL, and the late answer is ignored."""
    async with client_and_peer() as (session, peer, _, _):
        handover = Handover()
        async with anyio.create_task_group() as tasks:

            async def ask() -> None:
                await session.request(b"too slow", handover=handover)

            tasks.start_soon(ask)
            request = await peer.receive_request()
            tasks.cancel_scope.cancel()
        assert handover.sent
        assert await peer.receive() == CancelFrame(request.stream_id)
        await peer.answer(request, b"late")
        await until(lambda: session.frames_ignored == 1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.request, b"still usable")
            following = await peer.receive_request()
            await peer.answer(following, b"yes")
        assert session.idle


async def test_answer_that_comes_as_its_caller_is_cancelled_is_disowned() -> None:
    """This SDK: nothing is left behind; a server that granted something to nobody can take it back."""
    async with client_and_peer() as (session, peer, _, _):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.request, b"a lease, please")
            request = await peer.receive_request()
            tasks.cancel_scope.cancel()  # whoever asks has yet to run when the answer comes
            session.take_in([encode_frame(PayloadFrame(request.stream_id, b"granted", complete=True, next_=True))])
        assert await peer.receive() == CancelFrame(request.stream_id)
        assert session.idle


async def test_cancel_in_the_middle_of_its_fragments_leaves_whole_frames() -> None:
    """This SDK: a cancelled caller never leaves half a frame, and its other fragments stay here."""
    ours, theirs = open_memory_pair(max_frames=4)
    session, peer = a_client(ours, fragment_size=64), RawPeer(theirs)
    async with theirs, running(session, ours, opened=False):
        await peer.let_in()
        await until(lambda: session.opened)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.request, bytes(1_000_000))
            first = await peer.receive_request()
            assert first.follows
            tasks.cancel_scope.cancel()
        fragments = 0
        while not isinstance(frame := await peer.receive(), CancelFrame):
            assert isinstance(frame, PayloadFrame)
            assert frame.stream_id == first.stream_id
            fragments += 1
        assert frame == CancelFrame(first.stream_id)
        print(f"fragments already handed over when cancelled: {fragments} of 17,000")  # noqa: T201 - a figure
        assert fragments < 8000  # one batch of the writer's


@pytest.mark.parametrize("step", range(12))
async def test_session_is_usable_whenever_a_caller_was_cancelled(step: int) -> None:
    """This SDK: a command cancelled at every step leaves the session usable, and nobody waiting."""
    async with client_and_server() as (client, server):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.request, b"cancelled")
                await settle(step)
                scope.cancel()
        with anyio.fail_after(BOUND):
            assert await client.request(b"after") == b"after"
        assert client.idle
        await until(lambda: server.idle)


async def test_ping_waits_for_its_own_answer() -> None:
    """This SDK: ``ping()`` gives the round trip of a KEEPALIVE."""
    async with client_and_peer() as (session, peer, _, _), anyio.create_task_group() as tasks:
        trips: list[float] = []

        async def ping() -> None:
            trips.append(await session.ping())

        tasks.start_soon(ping)
        keepalive = await peer.receive()
        assert isinstance(keepalive, KeepaliveFrame)
        assert keepalive.respond
        await peer.send(KeepaliveFrame(b"another"))
        await settle()
        assert not trips
        await peer.send(KeepaliveFrame(keepalive.data))
        await until(lambda: bool(trips))
        assert 0 <= trips[0] < BOUND


async def test_what_nobody_asked_for_is_ignored_and_counted() -> None:
    """The specification asks to ignore most unexpected frames; Elarian uses neither FNF nor METADATA_PUSH."""
    async with client_and_peer() as (session, peer, _, _):
        await peer.send(
            PayloadFrame(99, b"nobody asked", complete=True, next_=True),
            CancelFrame(98),
            RequestFnfFrame(2, b"fire"),
            MetadataPushFrame(b"forget"),
        )
        await until(lambda: session.frames_ignored == 4)
        assert session.usable


async def test_bytes_are_counted_without_prefixes() -> None:
    """RSocket and its peers: positions count encoded frames; the statistics do likewise."""
    async with client_and_server() as (client, server):
        await client.request(b"x" * 100)
        await until(lambda: server.bytes_sent == client.bytes_received)
        assert server.bytes_received == client.bytes_sent
        assert client.bytes_sent > 106


async def test_answer_and_cancellation_at_once_lose_nothing_else() -> None:
    """This SDK: a caller cancelled while its answer is there already sends no CANCEL for an ended stream."""
    async with client_and_peer() as (session, peer, _, _):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.request, b"x")
            request = await peer.receive_request()
            await peer.answer(request, b"answer")
            tasks.cancel_scope.cancel()
        await peer.send(KeepaliveFrame(b"?", respond=True))
        frames = [await peer.receive()]
        if isinstance(frames[0], CancelFrame):  # cancelled before the reader had taken the answer: then it must come
            frames.append(await peer.receive())
        assert frames[-1] == KeepaliveFrame(b"?")


async def test_request_on_a_session_that_is_over_is_not_sent() -> None:
    """This SDK: ``sent`` tells the truth."""
    async with client_and_peer() as (session, _, run, _):
        session.close()
        await run.wait()
        with pytest.raises(ConnectionLost) as caught:
            await session.request(b"x")
        assert not caught.value.sent
        with pytest.raises(ConnectionLost):
            await session.ping()
