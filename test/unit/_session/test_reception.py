"""The server's side of resumption: who gets which session back, what is said to whom, and what is kept how long."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import pytest
from comeback import size
from door import KEEPALIVE, TOKEN, a_setup_frame, open_door, welcome
from peers import Asked, RawPeer, Recorder, settle, until

from elarian_trio._rsocket import ErrorCode, Setup
from elarian_trio._rsocket.frames import (
    ErrorFrame,
    Frame,
    KeepaliveFrame,
    PayloadFrame,
    RequestResponseFrame,
    ResumeFrame,
    ResumeOkFrame,
)
from elarian_trio._session import IncomingRequest, Reception
from elarian_trio.errors import SetupRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.anyio


def request(stream_id: int, data: bytes) -> RequestResponseFrame:
    """Make a request of the client."""
    return RequestResponseFrame(stream_id, data)


def echoed(asked: RequestResponseFrame) -> PayloadFrame:
    """Make the answer to it."""
    return PayloadFrame(asked.stream_id, asked.data, complete=True, next_=True)


async def refused(peer: RawPeer, code: ErrorCode) -> None:
    """Receive one ERROR on stream 0, and the end."""
    (frame,) = await peer.receive_rest()
    assert isinstance(frame, ErrorFrame)
    assert (frame.stream_id, frame.code) == (0, code)
    assert TOKEN.decode() not in frame.message


def close_late(recorder: Recorder, closing: anyio.Event) -> None:
    """Have a transport close when *closing* is set, and not before, whatever is cancelled."""
    original = recorder.aclose

    async def aclose() -> None:
        with anyio.CancelScope(shield=True):
            await closing.wait()
        await original()

    recorder.aclose = aclose  # type: ignore[method-assign]


async def test_resumed_client_gets_what_it_lacks_and_goes_on() -> None:
    """RSocket: RESUME_OK says what was received, what the client lacks follows byte by byte, then what is new."""
    async with open_door() as door:
        one, two, three = request(1, b"one"), request(3, b"two"), request(5, b"three")
        peer = await door.enter()
        await peer.send(one, two)
        answers = [await peer.transport.receive() for _ in range(2)]
        await door.cut(peer)
        peer = await door.come_back(size(answers[0]), 0, three)
        assert await peer.receive() == ResumeOkFrame(size(one, two))
        assert await peer.transport.receive() == answers[1]
        assert await peer.receive() == echoed(three)
        assert door.told == [("open", 0), ("detached", 0), ("resumed", 0)]
        assert door.reception.parked == 0
        await peer.send(KEEPALIVE)
        assert await peer.receive() == KeepaliveFrame(b"first", position=size(one, two, three))


async def test_judge_is_not_asked_again() -> None:
    """This SDK: the token is the proof."""
    judged: list[Setup] = []

    async def judge(setup: Setup) -> None:
        await welcome(setup)
        judged.append(setup)

    async with open_door() as door:
        door.judge = judge
        peer = await door.enter()
        await door.cut(peer)
        peer = await door.come_back(0)
        assert await peer.receive() == ResumeOkFrame(0)
    assert len(judged) == 1


async def test_answer_made_during_the_outage_is_delivered_once_and_the_request_runs_once() -> None:
    """RSocket: handlers go on while nobody is connected, and their answers wait."""
    came: list[IncomingRequest] = []
    async with open_door() as door:
        door.handler = came.append
        peer = await door.enter()
        asked = request(1, b"slow")
        await peer.send(asked)
        await until(lambda: bool(came))
        await door.cut(peer)
        assert came[0].respond(b"slow")
        for _ in range(3):
            peer = await door.come_back(0)
            assert await peer.receive() == ResumeOkFrame(size(asked))
            assert await peer.receive() == echoed(asked)
            await door.cut(peer)
        peer = await door.come_back(size(echoed(asked)))
        assert await peer.receive() == ResumeOkFrame(size(asked))
        await settle()
        assert sum(len(write) for write in door.recorders[-1].writes) == 1
    assert len(came) == 1


async def test_servers_requests_wait_for_the_client_and_reach_it_in_order() -> None:
    """This SDK: a session takes requests while it is detached."""
    async with open_door() as door, anyio.create_task_group() as tasks:
        peer = await door.enter()
        session = door.sessions[0]
        asked = Asked(session, tasks)
        asked.ask(b"sent")
        sent = await peer.receive_request()
        await door.cut(peer)
        asked.ask(b"waits")
        await settle()
        peer = await door.come_back(0)
        assert await peer.receive() == ResumeOkFrame(0)
        assert await peer.receive_request() == sent
        waits = await peer.receive_request()
        for each in (sent, waits):
            await peer.answer(each, b"noted")
        assert await asked.answer(b"sent") == await asked.answer(b"waits") == b"noted"


async def test_unknown_token_is_refused() -> None:
    """RSocket: ERROR[REJECTED_RESUME], and the connection closes; nobody is told of a session."""
    async with open_door() as door:
        peer = await door.come_back(0)
        await refused(peer, ErrorCode.REJECTED_RESUME)
        await until(lambda: door.served == 1)
    assert door.told == []


@pytest.mark.parametrize(
    ("received", "first"),
    [(1000, 0), (3, 0), (0, 1000)],
    ids=["beyond what was sent", "inside a frame", "a gap in front of us"],
)
async def test_positions_that_do_not_meet_are_refused_and_end_the_session(received: int, first: int) -> None:
    """RSocket: ERROR[REJECTED_RESUME]; the session is dead, and its token unknown from then on."""
    async with open_door() as door:
        peer = await door.enter()
        asked = request(1, b"x")
        await peer.send(asked)
        assert await peer.receive() == echoed(asked)
        await door.cut(peer)
        await refused(await door.come_back(received, first), ErrorCode.REJECTED_RESUME)
        await refused(await door.come_back(0), ErrorCode.REJECTED_RESUME)
        assert door.told == [("open", 0), ("detached", 0), ("end", 0)]


async def test_position_that_was_acknowledged_cannot_be_asked_for_again() -> None:
    """RSocket: what a KEEPALIVE acknowledged is not kept."""
    async with open_door() as door:
        peer = await door.enter()
        asked = request(1, b"x")
        await peer.send(asked)
        assert await peer.receive() == echoed(asked)
        await peer.send(KeepaliveFrame(b"?", respond=True, position=size(echoed(asked))))
        await peer.receive()
        assert door.sessions[0].kept_bytes == 0
        await door.cut(peer)
        await refused(await door.come_back(0), ErrorCode.REJECTED_RESUME)


async def test_resume_takes_the_session_from_a_transport_that_is_still_open() -> None:
    """RSocket: the old transport is closed first, the new one wins, and nothing is counted twice."""
    async with open_door() as door:
        first = await door.enter()
        asked = request(1, b"x")
        await first.send(asked)
        assert await first.receive() == echoed(asked)
        late = request(3, b"late")
        await first.send(late)  # not read any more: the client would repeat it
        second = await door.come_back(size(echoed(asked)), 0)
        ok = await second.receive()
        assert isinstance(ok, ResumeOkFrame)
        assert ok.last_client_position in (size(asked), size(asked, late))
        assert await first.receive_rest() in ([], [echoed(late)])
        assert door.recorders[0].closed
        assert door.told == [("open", 0), ("detached", 0), ("resumed", 0)]
        await until(lambda: door.served == 1)
        await second.send(KEEPALIVE)
        while not isinstance(frame := await second.receive(), KeepaliveFrame):
            pass
        assert frame.position == ok.last_client_position


@pytest.mark.parametrize("then", ["attached", "parked"])
async def test_resume_that_comes_after_its_client_was_back_by_another_harms_nobody(then: str) -> None:
    """A past bug: held up on its way and given up, it took the session from the client's transport, and ended it."""
    async with open_door() as door:
        await door.cut(await door.enter())
        peer = await door.come_back(0)
        assert await peer.receive() == ResumeOkFrame(0)
        asked = request(1, b"x")
        await peer.send(asked)
        answer = await peer.receive()
        await peer.send(KeepaliveFrame(b"?", respond=True, position=size(answer)))
        await peer.receive()
        if then == "parked":
            await door.cut(peer)
        await refused(await door.come_back(0), ErrorCode.REJECTED_RESUME)
        if then == "parked":
            peer = await door.come_back(size(answer))
            assert await peer.receive() == ResumeOkFrame(size(asked))
        again = request(3, b"y")
        await peer.send(again)
        assert await peer.receive() == echoed(again)
        assert ("end", 0) not in door.told


async def test_of_two_resumes_at_once_the_later_has_the_session() -> None:
    """This SDK: the client has given the earlier one up; each is answered or closed, and the session lives once."""
    async with open_door() as door:
        await door.enter()
        closing = anyio.Event()
        close_late(door.recorders[0], closing)
        second = await door.come_back(0)
        await settle()
        third = await door.come_back(0)
        await settle()
        closing.set()
        assert await second.receive_rest() == []
        assert await third.receive() == ResumeOkFrame(0)
        await until(lambda: door.served == 2)
        assert door.told == [("open", 0), ("detached", 0), ("resumed", 0)]
        assert door.sessions[0].attached
        await door.cut(third)
        assert await (await door.come_back(0)).receive() == ResumeOkFrame(0)


@pytest.mark.parametrize("step", range(12))
@pytest.mark.parametrize("first_is_cancelled", [True, False])
async def test_each_return_follows_a_cut(first_is_cancelled: bool, step: int) -> None:
    """A past bug: of two RESUMEs at once the server heard of two cuts and one return, or of a return without a cut."""
    async with open_door() as door:
        await door.enter()
        await door.come_back(0)
        await settle(step)
        if first_is_cancelled:
            door.scopes[0].cancel()
        else:
            await door.come_back(0)
        await settle()
    (opened, *between, ended) = [what for what, number in door.told if number == 0]
    assert (opened, ended) == ("open", "end")
    assert between == [("detached", "resumed")[nth % 2] for nth in range(len(between))]


async def test_ten_resumes_in_a_row_each_take_over_at_once() -> None:
    """This SDK: a client that comes again and again finds its session, as it left it."""
    async with open_door() as door:
        await door.enter()
        for _ in range(10):
            peer = await door.come_back(0)
            assert await peer.receive() == ResumeOkFrame(0)
        asked = request(1, b"x")
        await peer.send(asked)
        assert await peer.receive() == echoed(asked)
        assert door.told == [("open", 0)] + [("detached", 0), ("resumed", 0)] * 10
        await until(lambda: door.served == 10)


@pytest.mark.parametrize("then", ["attached", "parked"])
async def test_token_in_use_is_refused_in_a_setup(then: str) -> None:
    """RSocket: a server does not accept it; here ERROR[REJECTED_SETUP], and the session that has it lives on."""
    async with open_door() as door:
        peer = await door.enter()
        if then == "parked":
            await door.cut(peer)
        other = door.connect()
        await other.send(a_setup_frame(), KEEPALIVE, request(1, b"pay"))
        await refused(other, ErrorCode.REJECTED_SETUP)
        assert await (await door.come_back(0)).receive() == ResumeOkFrame(0)
        assert door.told[0] == ("open", 0)
        assert ("end", 0) not in door.told


async def test_two_setups_with_one_token_at_once_let_one_in() -> None:
    """This SDK: the token is taken when the SETUP comes, not when it has been judged."""
    judged = anyio.Event()

    async def judge(_: Setup) -> None:
        await judged.wait()

    async with open_door() as door:
        door.judge = judge
        first, second = door.connect(), door.connect()
        await first.send(a_setup_frame(), KEEPALIVE)
        await until(lambda: len(door.sessions) == 1)
        await settle()
        await second.send(a_setup_frame(), KEEPALIVE)
        await refused(second, ErrorCode.REJECTED_SETUP)
        await refused(await door.come_back(0), ErrorCode.REJECTED_RESUME)  # nor is it resumed before it is accepted
        judged.set()
        assert await first.receive() == KeepaliveFrame(b"first")


async def test_token_of_a_refused_setup_is_free_again() -> None:
    """This SDK: nothing is kept of a client that was not let in."""

    async def judge(_: Setup) -> None:
        await anyio.lowlevel.checkpoint()
        msg = "not you"
        raise SetupRejected(msg)

    async with open_door() as door:
        door.judge = judge
        peer = door.connect()
        await peer.send(a_setup_frame(), KEEPALIVE)
        await refused(peer, ErrorCode.REJECTED_SETUP)
        await until(lambda: door.served == 1)
        door.judge = welcome
        await door.enter()
    assert door.told == [("open", 1), ("end", 1)]


async def test_resume_in_the_middle_is_an_error() -> None:
    """RSocket: RESUME after SETUP, or twice, is ERROR[CONNECTION_ERROR]."""
    async with open_door() as door:
        peer = await door.enter()
        await peer.send(ResumeFrame(TOKEN, 0, 0))
        await refused(peer, ErrorCode.CONNECTION_ERROR)
        await until(lambda: door.told == [("open", 0), ("end", 0)])
        await door.enter()
        peer = await door.come_back(0, 0, ResumeFrame(TOKEN, 0, 0))
        frames: Sequence[Frame | None] = await peer.receive_rest()
        assert isinstance(frames[-1], ErrorFrame)
        assert frames[-1].code == ErrorCode.CONNECTION_ERROR


async def test_versions_of_resume_are_not_looked_at() -> None:
    """rsocket-js 1.0 sends 0.1 for 1.0, and no server minds."""
    async with open_door() as door:
        peer = await door.enter()
        await door.cut(peer)
        peer = door.connect()
        await peer.send(ResumeFrame(TOKEN, 0, 0, major=0, minor=1))
        assert await peer.receive() == ResumeOkFrame(0)


@pytest.mark.parametrize("code", [ErrorCode.CONNECTION_CLOSE, ErrorCode.CONNECTION_ERROR])
async def test_goodbye_of_a_client_parks_nothing(code: ErrorCode) -> None:
    """RSocket: ERROR on stream 0 ends the session; rsocket-java says CONNECTION_ERROR when it is disposed."""
    async with open_door() as door:
        peer = await door.enter()
        await peer.send(ErrorFrame(0, code, "Disposed"))
        await until(lambda: door.told == [("open", 0), ("end", 0)])
        await until(lambda: door.served == 1)
        assert door.reception.parked == 0
        await refused(await door.come_back(0), ErrorCode.REJECTED_RESUME)


async def test_session_without_a_token_is_not_kept() -> None:
    """RSocket: only who asked for it is resumed."""
    async with open_door() as door:
        peer = await door.enter(None)
        await peer.transport.aclose()
        await until(lambda: door.served == 1)
        assert door.told == [("open", 0), ("end", 0)]
        assert door.reception.parked == 0


async def test_session_ended_by_its_server_while_parked_is_forgotten_at_once() -> None:
    """This SDK: whoever ends it need not wait for the window."""
    async with open_door() as door:
        peer = await door.enter()
        await door.cut(peer)
        door.sessions[0].close()
        assert door.told == [("open", 0), ("detached", 0), ("end", 0)]
        assert door.reception.parked == 0
        await until(lambda: door.served == 1)
        await refused(await door.come_back(0), ErrorCode.REJECTED_RESUME)


async def test_the_longest_parked_end_first_where_too_many_wait(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK, "no unbounded buffer": three of five are kept, the newest."""
    caplog.set_level(logging.DEBUG)
    async with open_door(Reception(max_parked=3)) as door:
        for number in range(5):
            peer = await door.enter(b"token %d" % number)
            await door.cut(peer, parked=min(number + 1, 3))
            await until(lambda number=number: ("detached", number) in door.told)  # type: ignore[misc]
        assert [each for each in door.told if each[0] == "end"] == [("end", 0), ("end", 1)]
        await refused(await door.come_back(0, token=b"token 1"), ErrorCode.REJECTED_RESUME)
        assert await (await door.come_back(0, token=b"token 2")).receive() == ResumeOkFrame(0)
    assert "token" not in "".join(record.getMessage() for record in caplog.records)


async def test_the_longest_parked_end_first_where_they_keep_too_much() -> None:
    """This SDK, "no unbounded buffer": the bound is on all that is kept; one that is too much alone is not kept."""
    async with open_door(Reception(max_parked_bytes=250)) as door:
        for number, length in enumerate((90, 90, 90, 300)):
            peer = await door.enter(b"%d" % number)
            await peer.send(request(1, bytes(length)))
            await peer.receive()
            await peer.transport.aclose()
            await until(lambda number=number: ("detached", number) in door.told)  # type: ignore[misc]
            assert door.reception.parked_bytes <= 250
        ends = [number for what, number in door.told if what == "end"]
        assert ends == [0, 1, 2, 3]
        assert (door.reception.parked, door.reception.parked_bytes) == (0, 0)


async def test_what_grows_while_it_is_parked_is_bounded_too() -> None:
    """This SDK, "no unbounded buffer": answers wait for clients that are away; who is away longest gives way."""
    async with open_door(Reception(max_parked_bytes=250)) as door:
        requests: list[IncomingRequest] = []
        door.handler = requests.append
        for number in range(2):
            peer = await door.enter(b"%d" % number)
            await peer.send(request(1, b"?"), request(3, b"?"))
            await until(lambda number=number: len(requests) == 2 * number + 2)  # type: ignore[misc]
            await door.cut(peer, parked=number + 1)
        first, _, second, third = requests
        assert first.respond(bytes(94))
        assert second.respond(bytes(94))
        assert (door.reception.parked, door.reception.parked_bytes) == (2, 200)
        assert third.respond(bytes(94))
        assert (door.reception.parked, door.reception.parked_bytes) == (1, 200)
        await until(lambda: ("end", 0) in door.told)
        await refused(await door.come_back(0, token=b"0"), ErrorCode.REJECTED_RESUME)
        back = await door.come_back(0, token=b"1")
        assert await back.receive() == ResumeOkFrame(14)
        assert await back.receive() == PayloadFrame(1, bytes(94), complete=True, next_=True)
        assert (door.reception.parked, door.reception.parked_bytes) == (0, 0)


async def test_answer_that_is_too_much_for_who_is_parked_ends_its_session_and_breaks_nothing() -> None:
    """This SDK: the session ends at the next step, not under the hands of who answers."""
    async with open_door(Reception(max_parked_bytes=250)) as door:
        requests: list[IncomingRequest] = []
        door.handler = requests.append
        peer = await door.enter()
        await peer.send(request(1, b"?"), request(3, b"?"))
        await until(lambda: len(requests) == 2)
        await door.cut(peer)
        assert requests[0].respond(bytes(300))
        assert not requests[1].canceled
        await until(lambda: ("end", 0) in door.told)
        assert requests[1].canceled
        assert (door.reception.parked, door.reception.parked_bytes) == (0, 0)


async def test_leaving_the_server_ends_what_is_parked_and_says_goodbye_to_who_is_there() -> None:
    """This SDK: no session outlives its server, and a client that is told so does not try to resume it."""
    async with open_door() as door, anyio.create_task_group() as tasks:
        parked = await door.enter(b"parked")
        asked = Asked(door.sessions[0], tasks)
        asked.ask(b"x")
        await parked.receive_request()
        await door.cut(parked)
        there = await door.enter(b"there")
        door._tasks.cancel_scope.cancel()
        assert await there.receive_rest() == [ErrorFrame(0, ErrorCode.CONNECTION_CLOSE, "")]
        assert (await asked.lost(b"x")).sent
        with anyio.CancelScope(shield=True):
            await until(lambda: door.served == 2)
    assert sorted(door.told[-2:]) == [("end", 0), ("end", 1)]
    assert door.reception.parked == 0


async def test_client_that_leaves_before_its_first_frame_costs_nothing() -> None:
    """This SDK: no session is made for it."""
    async with open_door() as door:
        peer = door.connect()
        await settle()
        await peer.transport.aclose()
        await until(lambda: door.served == 1)
        assert door.recorders[0].closed
    assert door.sessions == []


async def test_malformed_first_frame_is_answered_as_ever() -> None:
    """RSocket: what is neither SETUP nor RESUME is told so."""
    async with open_door() as door:
        peer = door.connect()
        await peer.send(request(1, b"hello?"))
        await refused(peer, ErrorCode.INVALID_SETUP)


async def test_cancelled_while_it_waits_for_the_old_transport_ends_the_session() -> None:
    """This SDK: whoever came for a session last sees to its end."""
    async with open_door() as door:
        await door.enter()
        closing = anyio.Event()
        close_late(door.recorders[0], closing)
        await door.come_back(0)
        await settle()
        door._tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await settle()
            assert door.told == [("open", 0), ("end", 0)]
            closing.set()
            await until(lambda: door.served == 2)
    assert door.told == [("open", 0), ("end", 0)]
    assert door.recorders[1].closed
