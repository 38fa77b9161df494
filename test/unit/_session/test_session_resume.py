"""A client's session outlives its transport: what it says to come back, and what happens to what waits meanwhile."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest
from comeback import Comeback, resume_of, size
from peers import BOUND, Asked, payload_of, settle, until

from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket.frames import (
    CancelFrame,
    ErrorFrame,
    KeepaliveFrame,
    PayloadFrame,
    RequestResponseFrame,
    ResumeOkFrame,
)
from elarian_trio.errors import ConnectionFailed, ConnectionLost

if TYPE_CHECKING:
    from elarian_trio._session import IncomingRequest

pytestmark = pytest.mark.anyio


def answer_to(request: RequestResponseFrame, data: bytes) -> PayloadFrame:
    """Make the answer to a request."""
    return PayloadFrame(request.stream_id, data, complete=True, next_=True)


async def test_first_words_on_another_transport_are_resume_alone() -> None:
    """RSocket: after a cut only RESUME is sent, with token and both positions, and nothing else until RESUME_OK."""
    comeback = Comeback()
    session = comeback.session
    async with anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"first")
            first = await peer.receive_request()
            answer = answer_to(first, b"one")
            await peer.send(answer)
            await asked.answer(b"first")
            await peer.send(KeepaliveFrame(b"mark", respond=True, position=size(first)))
            assert await peer.receive() == KeepaliveFrame(b"mark", position=size(answer))
            assert isinstance(await comeback.cut(peer), ConnectionLost)
        assert session.resumable
        assert session.usable
        assert not session.attached
        asked.ask(b"second")
        tasks.start_soon(session.ping)
        await settle()
        async with comeback.on_a_transport() as peer:
            resume = await resume_of(peer)
            assert (resume.last_server_position, resume.first_client_position) == (size(answer), size(first))
            await settle()
            assert [len(write) for write in comeback.recorders[-1].writes] == [1]
            await peer.send(ResumeOkFrame(size(first)))
            keepalive = await peer.receive()
            assert isinstance(keepalive, KeepaliveFrame)
            await peer.send(KeepaliveFrame(keepalive.data))
            second = await peer.receive_request()
            assert (second.stream_id, second.data) == (3, b"second")
            await peer.answer(second, b"two")
            assert await asked.answer(b"second") == b"two"
        tasks.cancel_scope.cancel()


async def test_what_the_peer_lacks_is_repeated_byte_by_byte_before_anything_new() -> None:
    """RSocket: on RESUME_OK what the server has is dropped, the rest repeated unchanged, and new frames follow."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            for name in (b"a", b"b", b"c"):
                asked.ask(name)
                await until(lambda name=name: any(frame.endswith(name) for frame in comeback.recorders[0].writes[-1]))  # type: ignore[misc]
            sent = [frame for write in comeback.recorders[0].writes[1:] for frame in write]
            await comeback.cut(peer)
        assert comeback.session.kept_bytes == size(*sent)
        asked.ask(b"d")
        await settle()
        async with comeback.back(size(sent[0])) as peer:
            frames = [await peer.transport.receive() for _ in range(3)]
            assert frames[:2] == sent[1:]
            assert frames[2].endswith(b"d")
            for stream_id in (1, 3, 5, 7):
                await peer.send(PayloadFrame(stream_id, b"done", complete=True, next_=True))
            for name in (b"a", b"b", b"c", b"d"):
                assert await asked.answer(name) == b"done"


async def test_a_cut_wakes_nobody_but_pings() -> None:
    """This SDK: requests of either side wait for the next transport; a ping's answer would not come by that."""
    kept: list[IncomingRequest] = []
    comeback = Comeback(kept.append)
    session = comeback.session
    canceled: list[None] = []
    async with anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        pings: list[ConnectionLost] = []

        async def ping() -> None:
            with pytest.raises(ConnectionLost) as caught:
                await session.ping()
            pings.append(caught.value)

        async with comeback.met() as peer:
            asked.ask(b"ours")
            request = await peer.receive_request()
            await peer.send(RequestResponseFrame(2, b"theirs"))
            await until(lambda: bool(kept))
            kept[0].on_cancel(lambda: canceled.append(None))
            tasks.start_soon(ping)
            await peer.receive()
            await comeback.cut(peer)
            await until(lambda: bool(pings))
        assert not pings[0].sent
        assert asked.outcomes == {}
        assert canceled == []
        assert comeback.idles == 0
        assert not session.idle
        assert kept[0].respond(b"done meanwhile")
        async with comeback.back(size(request)) as peer:
            assert payload_of(await peer.receive()).data == b"done meanwhile"
            await peer.answer(request, b"answered")
            assert await asked.answer(b"ours") == b"answered"
        assert comeback.idles == 1


async def test_frames_in_front_of_the_end_count() -> None:
    """RSocket: a frame is received once it is counted: an answer that came with the cut is not asked for again."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            request = await peer.receive_request()
            answer = answer_to(request, b"y")
            await peer.send(answer)
            assert isinstance(await comeback.cut(peer), ConnectionLost)
            assert await asked.answer(b"x") == b"y"
        async with comeback.on_a_transport() as peer:
            assert (await resume_of(peer)).last_server_position == size(answer)


async def test_fragments_before_and_after_a_cut_make_one_payload() -> None:
    """RSocket: half-received payloads survive, and so do half-sent ones."""
    came: list[IncomingRequest] = []
    comeback = Comeback(came.append, fragment_size=64)
    first = RequestResponseFrame(2, b"first half, ", follows=True)
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            await peer.send(first)
            asked.ask(bytes(200))
            pieces = [await peer.transport.receive()]
            await settle()
            await comeback.cut(peer)
        async with comeback.on_a_transport() as peer:
            assert (await resume_of(peer)).last_server_position == size(first)
            await peer.send(ResumeOkFrame(size(*pieces)), PayloadFrame(2, b"second half", next_=True))
            while size(*pieces) < 6 + 200 + 6 * (len(pieces) - 1):
                pieces.append(await peer.transport.receive())
            assert all(size(piece) <= 61 for piece in pieces)
            await until(lambda: bool(came))
            assert came[0].data == b"first half, second half"


async def test_five_cuts_before_resume_ok_cost_nothing() -> None:
    """RSocket: a transport that fails before RESUME_OK leaves the session resumable."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            asked.ask(b"x")
            request = await peer.receive_request()
            await comeback.cut(peer)
        for _ in range(5):
            async with comeback.on_a_transport() as peer:
                resume = await resume_of(peer)
                assert (resume.last_server_position, resume.first_client_position) == (0, 0)
                assert isinstance(await comeback.cut(peer), ConnectionLost)
            assert comeback.session.resumable
        async with comeback.back(0) as peer:
            assert await peer.receive_request() == request
            await peer.answer(request, b"y")
            assert await asked.answer(b"x") == b"y"


async def test_cuts_while_frames_are_repeated_repeat_what_is_left() -> None:
    """RSocket: a cut in the middle of the replay, five times, each a frame further."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            for number in range(6):
                asked.ask(b"%d" % number)
                await until(lambda number=number: comeback.session.kept_bytes == 7 * (number + 1))  # type: ignore[misc]
            await comeback.cut(peer)
        for number in range(5):
            async with comeback.on_a_transport() as peer:
                await resume_of(peer)
                await peer.send(ResumeOkFrame(7 * number))
                assert (await peer.receive_request()).data == b"%d" % number
                await comeback.cut(peer)
        async with comeback.back(35) as peer:
            assert (await peer.receive_request()).data == b"5"
            await settle()
            assert len(comeback.recorders[-1].writes) == 2
            for stream_id in range(1, 13, 2):
                await peer.send(PayloadFrame(stream_id, b"done", complete=True, next_=True))
            for number in range(6):
                assert await asked.answer(b"%d" % number) == b"done"


async def test_nothing_is_written_after_a_write_that_was_in_flight_at_the_cut() -> None:
    """RSocket: a write cut half-way is the last on its transport; what was in it is repeated on the next."""
    comeback = Comeback()
    async with anyio.create_task_group() as tasks:
        asked = Asked(comeback.session, tasks)
        async with comeback.met() as peer:
            recorder = comeback.recorders[0]
            recorder.hold()
            asked.ask(b"x")
            await until(lambda: len(recorder.writes) == 2)
            asked.ask(b"y")
            assert isinstance(await comeback.cut(peer), ConnectionLost)
            recorder.gate.set()
            await settle()
            assert len(recorder.writes) == 2
        assert asked.outcomes == {}
        async with comeback.back(0) as peer:
            assert [(await peer.receive_request()).data for _ in range(2)] == [b"x", b"y"]
        tasks.cancel_scope.cancel()


async def test_request_given_up_while_detached_is_canceled_or_never_sent() -> None:
    """RSocket: a CANCEL follows what was sent, after the resumption; what was not sent is never heard of."""
    comeback = Comeback()
    session = comeback.session
    async with comeback.met() as peer, anyio.create_task_group() as tasks:
        tasks.start_soon(session.request, b"sent")
        sent = await peer.receive_request()
        await comeback.cut(peer)
        tasks.start_soon(session.request, b"not sent")
        await settle()
        tasks.cancel_scope.cancel()
    session.ask(b"not sent either", lambda _: None).call_off()
    async with comeback.back(size(sent)) as peer:
        assert await peer.receive() == CancelFrame(1)
        await settle()
        assert [len(write) for write in comeback.recorders[-1].writes] == [1, 1]


async def test_a_session_cut_before_its_setup_was_answered_can_be_resumed() -> None:
    """This SDK: the server may have taken the SETUP; asking it to resume costs a round trip at most."""
    comeback = Comeback()
    session = comeback.session
    async with comeback.on_a_transport() as peer:
        await peer.receive()
        assert isinstance(await comeback.cut(peer), ConnectionFailed)
    assert session.resumable
    assert not session.opened
    assert not session.usable
    async with comeback.back(0) as peer:
        assert session.opened
        assert session.usable
        await settle()
        assert [len(write) for write in comeback.recorders[-1].writes] == [1]
        session.close()
        assert await peer.receive() == ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")


async def test_a_session_cut_before_its_setup_left_is_over() -> None:
    """This SDK: nobody can know the token yet."""
    comeback = Comeback()
    async with comeback.on_a_transport() as peer:
        await peer.transport.aclose()
        assert isinstance(await comeback.runs[0].wait(), ConnectionFailed)
    assert comeback.recorders[0].closed


async def test_ping_asked_while_detached_is_answered_on_the_next_transport() -> None:
    """This SDK: a ping waits for a transport as a request does, and for RESUME_OK."""
    comeback = Comeback()
    async with comeback.met() as peer:
        await comeback.cut(peer)
    trips: list[float] = []

    async def ping() -> None:
        trips.append(await comeback.session.ping())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ping)
        await settle()
        async with comeback.back(0) as peer:
            keepalive = await peer.receive()
            assert isinstance(keepalive, KeepaliveFrame)
            await peer.send(KeepaliveFrame(keepalive.data))
            await until(lambda: bool(trips))


async def test_released_transport_is_closed_and_read_no_more() -> None:
    """RSocket: the old transport goes first when another one comes, so that nothing is counted twice."""
    came: list[IncomingRequest] = []
    comeback = Comeback(came.append)
    session = comeback.session
    async with comeback.met() as peer:
        await peer.send(RequestResponseFrame(2, b"in time"))
        await until(lambda: bool(came))
        await peer.send(RequestResponseFrame(4, b"too late"))
        session.release()
        assert not session.attached
        assert session.resumable
        session.release()
        assert isinstance(await comeback.runs[0].wait(), ConnectionLost)
        assert comeback.recorders[0].closed
    async with comeback.on_a_transport() as peer:
        assert (await resume_of(peer)).last_server_position == size(RequestResponseFrame(2, b"in time"))
    assert len(came) == 1


async def test_transport_may_be_released_at_any_step_of_the_return() -> None:
    """A past bug: one released before RESUME was made left a session that could not be resumed any more."""
    comeback = Comeback()
    async with comeback.met() as peer:
        await comeback.cut(peer)
    for steps in range(12):
        async with comeback.on_a_transport():
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            comeback.session.release()
            await settle()
        assert comeback.session.resumable, steps
    async with comeback.back(0):
        assert comeback.session.usable


async def test_transport_released_by_the_handler_keeps_the_rest_of_the_read_for_later() -> None:
    """RSocket: frames of one read after the release are not counted, so the peer repeats them."""
    comeback = Comeback(lambda request: request.session.release())
    async with comeback.met() as peer:
        await peer.send(RequestResponseFrame(2, b"one"), RequestResponseFrame(4, b"two"))
        assert isinstance(await comeback.runs[0].wait(), ConnectionLost)
    async with comeback.on_a_transport() as peer:
        assert (await resume_of(peer)).last_server_position == size(RequestResponseFrame(2, b"one"))


async def test_a_peer_that_does_not_count_ends_resumption_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """RSocket, and rsocket-js 0.0.27, whose positions are always 0: what cannot be kept is sent all the same."""
    comeback = Comeback(store=64)
    session = comeback.session
    async with anyio.create_task_group() as tasks:
        asked = Asked(session, tasks)
        async with comeback.met() as peer:
            with caplog.at_level(logging.WARNING, "elarian_trio.session"):
                for name in (b"a" * 40, b"b" * 40, b"c" * 40):
                    asked.ask(name)
                seen: list[bytes] = []
                with anyio.fail_after(BOUND):
                    while len(seen) < 3:
                        frame = await peer.receive()
                        if isinstance(frame, KeepaliveFrame):
                            await peer.send(KeepaliveFrame(frame.data))
                        else:
                            assert isinstance(frame, RequestResponseFrame)
                            seen.append(frame.data)
            assert [record.levelname for record in caplog.records] == ["WARNING"]
            assert not session.resumable
            assert session.kept_bytes == 0
            assert isinstance(await comeback.cut(peer), ConnectionLost)
            assert (await asked.lost(b"a" * 40)).sent
    assert not session.usable
