"""One session after another: what becomes of requests when a session is lost, and which failures are final."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import pytest
import trio
from keeper import Outcomes
from network import PROMPT, Network, States, fresh_setup, supervised
from peers import BOUND, CREDENTIALS, RawPeer, Recorder, running, settle, until

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._rsocket.frames import ErrorFrame, RequestResponseFrame, encode_frame
from elarian_trio._session import GivenUp, Handover, IncomingRequest, Session, StreamFailed, Supervisor
from elarian_trio._transport import FrameTransport, StreamTransport, open_tcp, serve_tcp
from elarian_trio.errors import ConnectionClosed, ConnectionFailed, ConnectionLost, RemoteProtocolError, SetupRejected
from elarian_trio.options import Backoff, ConnectionOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio


def says(*frames: bytes) -> Callable[[FrameTransport], Awaitable[None]]:
    """Script a server that answers the SETUP by *frames*."""

    async def play(transport: FrameTransport) -> None:
        peer = RawPeer(transport)
        await peer.receive()
        await peer.receive()
        await peer.send(*frames)
        await peer.receive_rest()

    return play


def lets_in_then_says(*frames: bytes) -> Callable[[FrameTransport], Awaitable[None]]:
    """Script a server that answers the proving KEEPALIVE, waits for a request, and says *frames*."""

    async def play(transport: FrameTransport) -> None:
        peer = RawPeer(transport)
        await peer.let_in()
        await peer.receive()
        await peer.send(*frames)
        await peer.receive_rest()

    return play


GARBAGE = b"\0\0"
REJECTED = encode_frame(ErrorFrame(0, 0x003, "wrong key"))


async def test_request_and_ping_go_by_the_session_there_is() -> None:
    """This SDK: connected means proven by the first KEEPALIVE's answer."""
    async with supervised() as (supervisor, _, _, states):
        assert states.names == ["connecting", "connected"]
        assert await supervisor.request(b"hello", retry=False) == b"hello"
        assert 0 <= await supervisor.ping() < BOUND
        assert supervisor.bytes_sent > 0
        assert supervisor.bytes_received > 0
        assert (supervisor.reconnects, supervisor.resumptions, supervisor.sessions_lost) == (0, 0, 0)


async def test_stream_errors_pass_through() -> None:
    """This SDK: what the server answers is for the room above to translate."""
    async with supervised() as (supervisor, network, _, _):
        network.handler = lambda request: _drop(request.fail(0x204, "invalid"))
        with pytest.raises(StreamFailed, match="invalid"):
            await supervisor.request(b"x", retry=True)


async def test_lost_session_is_followed_by_another() -> None:
    """This SDK: the client reconnects by itself, and commands afterwards work."""
    async with supervised() as (supervisor, network, _, states):
        await network.cut()
        await until(lambda: supervisor.reconnects == 1)
        assert await supervisor.request(b"again", retry=False) == b"again"
        assert supervisor.sessions_lost == 1
        assert states.names == ["connecting", "connected", "pending", "connecting", "connected"]
        assert isinstance(states.causes[2], ConnectionLost)


async def test_sent_request_is_lost_with_its_session_unless_it_may_be_repeated() -> None:
    """This SDK promises: only reads are sent again in silence; for others ``sent`` is the truth."""
    async with supervised() as (supervisor, network, _, _), anyio.create_task_group() as tasks:
        network.handler = lambda _: None
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"read", retry=True)
        asked.ask(b"write")
        await until(lambda: len(network.asked) == 2)
        network.handler = lambda request: _drop(request.respond(b"answer"))
        await network.cut()
        lost = await asked.wait_for(b"write")
        assert isinstance(lost, ConnectionLost)
        assert lost.sent
        assert await asked.wait_for(b"read") == b"answer"
        assert sorted(network.asked) == [b"read", b"read", b"write"]


async def test_unsent_request_goes_out_on_the_next_session_in_silence() -> None:
    """This SDK promises: what was not yet sent goes out on the next session, whatever it is."""
    recorders: list[Recorder] = []

    def record(transport: FrameTransport) -> FrameTransport:
        recorders.append(Recorder(transport))
        return recorders[-1]

    def prepare(network: Network) -> None:
        network.wrap = record

    async with supervised(prepare=prepare) as (supervisor, network, _, _), anyio.create_task_group() as tasks:
        asked = Outcomes(supervisor, tasks)
        recorders[0].hold()
        asked.ask(b"half-way")
        await until(lambda: len(recorders[0].writes) == 2)
        asked.ask(b"unsent")
        await settle()
        await network.cut()
        half_way = await asked.wait_for(b"half-way")
        assert isinstance(half_way, ConnectionLost)
        assert half_way.sent
        assert await asked.wait_for(b"unsent") == b"unsent"
        assert network.asked == [b"unsent"]


async def test_requests_wait_while_there_is_no_session() -> None:
    """This SDK: commands wait for the connection while it is being re-established; cancelled there, nothing is sent."""
    async with supervised() as (supervisor, network, _, states), anyio.create_task_group() as tasks:
        network.up = False
        await network.cut()
        await until(lambda: "pending" in states.names)
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"waits")
        handover = Handover()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await supervisor.request(b"given up", retry=True, handover=handover)
        assert not handover.sent
        await settle()
        assert not asked.of
        network.up = True
        assert await asked.wait_for(b"waits") == b"waits"
        assert await supervisor.ping() >= 0
        assert b"given up" not in network.asked


async def test_request_is_given_up_from_another_task() -> None:
    """This SDK: that ends as a cancelled one does: what was sent is followed by a CANCEL, and nothing is left."""
    held: list[IncomingRequest] = []
    handover = Handover()

    def prepare(network: Network) -> None:
        network.handler = held.append

    async with supervised(prepare=prepare) as (supervisor, _, _, _):

        async def ask() -> None:
            with pytest.raises(GivenUp):
                await supervisor.request(b"never answered", retry=True, handover=handover)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await until(lambda: bool(held))
            handover.give_up()
        assert handover.sent
        await until(lambda: held[0].canceled)


async def test_request_that_was_given_up_between_sessions_is_not_sent() -> None:
    """This SDK: it may be given up where it waits for a session, or while the last one's end has yet to reach it."""
    async with supervised() as (supervisor, network, _, states):
        network.up = False
        await network.cut()
        await until(lambda: "pending" in states.names)
        waiting, before = Handover(), Handover()
        waiting.deadline = anyio.current_time() + 0.01
        with pytest.raises(GivenUp):
            await supervisor.request(b"given up", retry=True, handover=waiting)
        before.give_up()
        with pytest.raises(GivenUp):
            await supervisor.request(b"given up", retry=True, handover=before)
        network.up = True
        assert await supervisor.request(b"the next", retry=True) == b"the next"
        assert network.asked == [b"the next"]


async def test_ping_is_repeated_on_the_next_session() -> None:
    """This SDK: a KEEPALIVE does nothing, so losing one is no reason to fail."""
    silent = lets_in_then_says()

    async with supervised(prepare=lambda network: network.script.append(silent)) as (supervisor, network, _, _):
        trips: list[float] = []

        async def ping() -> None:
            trips.append(await supervisor.ping())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ping)
            await settle()
            assert not trips
            await network.cut()
        assert trips


async def test_goodbye_of_the_server_is_followed_by_another_session() -> None:
    """This SDK: a peer's CONNECTION_CLOSE lets outstanding requests end; then the supervisor reconnects."""
    waiting: list[IncomingRequest] = []
    async with supervised() as (supervisor, network, _, _), anyio.create_task_group() as tasks:
        network.handler = waiting.append
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"outstanding")
        await until(lambda: bool(waiting))
        network.sessions[0].close()
        lost = await asked.wait_for(b"outstanding")
        assert isinstance(lost, ConnectionLost)
        assert lost.sent
        await until(lambda: supervisor.reconnects == 1)
        assert supervisor.sessions_lost == 1


@pytest.mark.parametrize("code", [0x001, 0x002, 0x003])
async def test_refused_setup_is_final_at_first(code: int) -> None:
    """This SDK: wrong key gives SetupRejected, plain, with no credential in its text, after one attempt."""
    rejection = says(encode_frame(ErrorFrame(0, code, "wrong key")))
    async with supervised(opened=False, prepare=lambda network: network.script.append(rejection)) as (
        _,
        network,
        run,
        states,
    ):
        error = await run.wait()
        assert isinstance(error, SetupRejected)
        assert error.code == code
        assert CREDENTIALS.decode() not in f"{error!r}{error}"
        assert network.dials == 1
        assert states.names == ["connecting", "error"]
        assert states.causes[-1] is error


async def test_refused_setup_is_final_later_and_wakes_who_waits() -> None:
    """This SDK: REJECTED_SETUP is final later, too; commands that wait for a session hear that they were not sent."""
    async with supervised() as (supervisor, network, run, _), anyio.create_task_group() as tasks:
        network.up = False
        await network.cut()
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"waits")
        await settle()
        network.script.append(says(REJECTED))
        network.up = True
        error = await run.wait()
        outcome = await asked.wait_for(b"waits")
        assert isinstance(error, SetupRejected)
        assert isinstance(outcome, ConnectionLost)
        assert not outcome.sent
        assert outcome.__cause__ is error
        with pytest.raises(ConnectionClosed):
            await supervisor.request(b"after", retry=True)


@pytest.mark.parametrize("code", [0x101, 0x102])
async def test_lesser_refusal_is_tried_again_with_a_warning(code: int, caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: while the first connection fails for lesser reasons, attempts go on, each logged at WARNING."""
    caplog.set_level(logging.WARNING, "elarian_trio.session")
    full = says(encode_frame(ErrorFrame(0, code, "full")))
    async with supervised(prepare=lambda network: network.script.extend([full, full])) as (_, network, _, states):
        assert network.dials == 3
        assert states.names == ["connecting", "pending"] * 2 + ["connecting", "connected"]
    warnings = [record for record in caplog.records if record.name == "elarian_trio.session"]
    assert len(warnings) == 2
    assert all("full" in record.getMessage() for record in warnings)
    assert CREDENTIALS.decode() not in caplog.text


async def test_nobody_there_is_tried_again_until_giving_up(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: ``give_up_after`` ends it with ConnectionFailed, from the last failure."""
    caplog.set_level(logging.WARNING, "elarian_trio.session")
    options = ConnectionOptions(resume="off", reconnect=Backoff(first=0.0, base=0.001, jitter=0.0, give_up_after=0.02))
    async with supervised(options, opened=False, up=False) as (_, network, run, _):
        error = await run.wait()
        assert type(error) is ConnectionFailed
        assert isinstance(error.__cause__, ConnectionFailed)
        assert isinstance(error.__cause__.__cause__, ConnectionRefusedError)
        assert "gave up after 0.02 s" in str(error)
        assert len(caplog.records) >= 2
        assert network.dials >= 2


async def test_garbage_at_first_is_final() -> None:
    """This SDK: malformed bytes before the first answer raise RemoteProtocolError."""
    async with supervised(opened=False, prepare=lambda network: network.script.append(says(GARBAGE))) as (
        _,
        network,
        run,
        _,
    ):
        assert isinstance(await run.wait(), RemoteProtocolError)
        assert network.dials == 1


async def test_garbage_later_costs_a_session_and_three_such_end_it() -> None:
    """This SDK: fresh SETUP each time, and three such sessions within a minute end the block with it."""
    garbled = lets_in_then_says(GARBAGE)
    async with (
        supervised(prepare=lambda network: network.script.extend([garbled] * 3)) as (supervisor, network, run, _),
        anyio.create_task_group() as tasks,
    ):
        asked = Outcomes(supervisor, tasks)
        for number in range(3):
            asked.ask(b"%d" % number)
            lost = await asked.wait_for(b"%d" % number)
            assert isinstance(lost, ConnectionLost)
            assert lost.sent
            assert isinstance(lost.__cause__, RemoteProtocolError)
        assert isinstance(await run.wait(), RemoteProtocolError)
        assert network.dials == 3
        assert supervisor.sessions_lost == 3


async def test_error_of_the_users_dial_comes_out_plain_at_first() -> None:
    """This SDK: a mistake in the program's own callable should be seen, not retried for ever."""

    async def broken() -> Setup:
        await anyio.lowlevel.checkpoint()
        msg = "no such attribute"
        raise AttributeError(msg)

    async with supervised(opened=False, setup=broken) as (_, network, run, _):
        assert isinstance(await run.wait(), AttributeError)
        assert network.dials == 0


async def test_error_of_the_users_token_source_later_is_a_failed_attempt(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: tokens come over the network, which may be down as well; the words may be secret, the name is not."""
    fails = [False, True]

    async def token() -> Setup:
        if fails and fails.pop(0):
            msg = CREDENTIALS.decode()
            raise RuntimeError(msg)
        return await fresh_setup()

    async with supervised(setup=token) as (supervisor, network, _, states):
        await network.cut()
        await until(lambda: supervisor.reconnects == 1)
        assert states.names.count("pending") == 2
    assert "RuntimeError" in caplog.text
    assert CREDENTIALS.decode() not in caplog.text


@pytest.mark.parametrize("failure", [trio.TooSlowError, trio.BrokenResourceError, TimeoutError])
async def test_dial_that_reaches_nobody_is_tried_again_from_the_first(failure: type[Exception]) -> None:
    """A past bug: a dial written for Trio, with a time-out of Trio's, ended the block at the first connection."""
    failures = [failure(), failure()]

    def unreachable_at_first(network: Network) -> None:
        reach = network.dial

        async def dial() -> FrameTransport:
            transport = await reach()
            if failures:
                await transport.aclose()
                raise failures.pop()
            return transport

        network.dial = dial  # type: ignore[method-assign]

    async with supervised(prepare=unreachable_at_first) as (_, network, _, states):
        assert network.dials == 3
        assert states.names.count("pending") == 2


async def test_dial_that_gives_no_transport_is_a_type_error() -> None:
    """This SDK: named at once, at the line where the connection was wanted."""

    async def dial() -> str:
        await anyio.lowlevel.checkpoint()
        return "tcp://somewhere"

    supervisor = Supervisor(
        dial=dial,  # type: ignore[arg-type] - the mistake under test
        setup=fresh_setup,
        options=PROMPT,
        handler=lambda _: None,
    )
    async with running(supervisor, opened=False) as run:
        assert isinstance(await run.wait(), TypeError)


async def test_requests_before_and_after_are_refused() -> None:
    """This SDK: commands before or after the block raise ConnectionClosed."""
    async with supervised() as (supervisor, _, run, states):
        idle = Supervisor(dial=supervisor._dial, setup=fresh_setup, options=PROMPT, handler=lambda _: None)
        with pytest.raises(ConnectionClosed):
            await idle.request(b"before", retry=True)
        supervisor.close()
        assert await run.wait() is None
        assert states.names[-1] == "closed"
    with pytest.raises(ConnectionClosed):
        await supervisor.request(b"after", retry=True)
    with pytest.raises(ConnectionClosed):
        await supervisor.ping()
    with pytest.raises(RuntimeError, match="runs once"):
        await supervisor.run()


async def test_close_says_goodbye_and_ends_what_is_in_flight() -> None:
    """This SDK: orderly close; ``sent`` tells the truth; the server saw CONNECTION_CLOSE, not a cut."""
    async with supervised() as (supervisor, network, run, _), anyio.create_task_group() as tasks:
        network.handler = lambda _: None
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"in flight", retry=True)
        await until(lambda: bool(network.asked))
        supervisor.close()
        lost = await asked.wait_for(b"in flight")
        assert isinstance(lost, ConnectionLost)
        assert lost.sent
        assert await run.wait() is None
        assert supervisor.sessions_lost == 0


async def test_close_while_waiting_to_reconnect_ends_at_once() -> None:
    """This SDK, "every way out": also in the pause between two attempts, whose commands were not sent."""
    options = ConnectionOptions(resume="off", reconnect=Backoff(first=1000.0, jitter=0.0))
    async with supervised(options) as (supervisor, network, run, states), anyio.create_task_group() as tasks:
        asked = Outcomes(supervisor, tasks)
        await network.cut()
        await until(lambda: states.names[-1] == "pending")
        asked.ask(b"waits")
        await settle()
        supervisor.close()
        assert isinstance(await asked.wait_for(b"waits"), ConnectionClosed)
        assert await run.wait() is None


async def test_closed_before_it_ran_it_never_connects() -> None:
    """This SDK: whoever waits for ``started()`` hears an error, not silence."""
    async with supervised() as (_, network, _, _):
        early = Supervisor(dial=network.dial, setup=fresh_setup, options=PROMPT, handler=lambda _: None)
        early.close()
        with pytest.raises(ConnectionClosed):
            await early.run()
        assert network.dials == 1


async def test_own_error_of_a_dial_is_tried_again_as_it_is() -> None:
    """This SDK: a dial that says ConnectionFailed, as ours for TCP do, is not wrapped once more."""
    failure = ConnectionFailed("could not connect to somewhere")

    def prepare(network: Network) -> None:
        dial = network.dial

        async def fail_once() -> FrameTransport:
            network.dial = dial  # type: ignore[method-assign]
            await anyio.lowlevel.checkpoint()
            raise failure

        network.dial = fail_once  # type: ignore[method-assign]

    async with supervised(prepare=prepare) as (_, network, _, states):
        assert states.causes[1] is failure
        assert network.dials == 1


async def test_close_during_an_attempt_ends_at_once() -> None:
    """This SDK, "every way out": also while a server thinks about our SETUP."""

    async def silent(transport: FrameTransport) -> None:
        await RawPeer(transport).receive_rest()

    async with supervised(opened=False, prepare=lambda network: network.script.append(silent)) as (
        supervisor,
        network,
        run,
        _,
    ):
        await until(lambda: network.dials == 1)
        await settle()
        supervisor.close()
        assert isinstance(await run.wait(), ConnectionClosed)


async def test_drain_lets_everything_under_way_end() -> None:
    """This SDK, ``disconnect()``: new commands are refused; commands and deliveries under way may end."""
    at_server: list[IncomingRequest] = []
    at_client: list[IncomingRequest] = []
    async with (
        supervised(handler=at_client.append) as (supervisor, network, run, _),
        anyio.create_task_group() as tasks,
    ):
        network.handler = at_server.append
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"command")
        notified: list[bytes] = []

        async def notify() -> None:
            notified.append(await network.sessions[0].request(b"notification"))

        tasks.start_soon(notify)
        await until(lambda: bool(at_server and at_client))
        tasks.start_soon(supervisor.drain)
        await settle()
        with pytest.raises(ConnectionClosed):
            await supervisor.request(b"new", retry=True)
        at_server[0].respond(b"reply")
        assert await asked.wait_for(b"command") == b"reply"
        await settle()
        assert not run.ended.is_set()
        at_client[0].respond(b"delivered")
        await until(lambda: bool(notified))
        assert await run.wait() is None
    assert notified == [b"delivered"]


async def test_drain_that_is_cancelled_closes_all_the_same() -> None:
    """This SDK: ``drain_timeout`` bounds it; then it closes."""
    async with supervised() as (supervisor, network, run, _), anyio.create_task_group() as tasks:
        network.handler = lambda _: None
        asked = Outcomes(supervisor, tasks)
        asked.ask(b"never answered")
        await until(lambda: bool(network.asked))
        with anyio.move_on_after(0.01) as scope:
            await supervisor.drain()
        assert scope.cancelled_caught
        assert isinstance(await asked.wait_for(b"never answered"), ConnectionLost)
        assert await run.wait() is None


async def test_reconnect_now_skips_the_pause() -> None:
    """This SDK: ``reconnect_now()`` skips the present backoff delay, and only that."""
    options = ConnectionOptions(resume="off", reconnect=Backoff(first=1000.0, jitter=0.0))
    async with supervised(options) as (supervisor, network, _, states):
        await supervisor.reconnect_now()  # nothing to skip
        await network.cut()
        await until(lambda: states.names[-1] == "pending")
        await settle()
        assert network.dials == 1
        await supervisor.reconnect_now()
        await until(lambda: supervisor.reconnects == 1)


async def test_requests_of_the_server_reach_the_handler_on_every_session() -> None:
    """This SDK: the handler is the supervisor's, whichever session a request came by."""
    seen: list[bytes] = []

    def handle(request: IncomingRequest) -> None:
        seen.append(request.data)
        request.respond(b"noted")

    async with supervised(handler=handle) as (supervisor, network, _, _):
        with anyio.fail_after(BOUND):
            assert await network.sessions[0].request(b"first") == b"noted"
            await network.cut()
            await until(lambda: supervisor.reconnects == 1)
            assert await network.sessions[1].request(b"second") == b"noted"
    assert seen == [b"first", b"second"]


async def test_ignored_frames_are_counted_over_all_sessions() -> None:
    """This SDK, statistics: ``frames_ignored`` over all sessions."""
    async with supervised() as (supervisor, network, _, _):
        peer = RawPeer(network.ends[0])
        await peer.send(RequestResponseFrame(1, b"our own parity"))
        await until(lambda: supervisor.frames_ignored == 1)
        await network.cut()
        await until(lambda: supervisor.reconnects == 1)
        assert supervisor.frames_ignored == 1


@pytest.mark.parametrize("step", range(10))
async def test_supervisor_is_usable_whenever_a_caller_was_cancelled(step: int) -> None:
    """This SDK: a command cancelled at every step, a cut included, leaves the client usable."""
    async with supervised() as (supervisor, network, _, _):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: supervisor.request(b"cancelled", retry=True))
                tasks.start_soon(network.cut)
                await settle(step)
                scope.cancel()
        with anyio.fail_after(BOUND):
            assert await supervisor.request(b"after", retry=True) == b"after"


@pytest.mark.parametrize("step", range(12))
async def test_run_cancelled_at_every_step_leaves_nothing(step: int) -> None:
    """This SDK promises: the fixtures look for tasks and sockets, this test for waiters."""
    async with supervised(opened=False) as (supervisor, _, run, states), anyio.create_task_group() as tasks:
        asked = Outcomes(supervisor, tasks)
        await until(lambda: bool(states.names))
        asked.ask(b"whenever")
        await settle(step)
        run.scope.cancel()
        await run.wait()
        await asked.wait_for(b"whenever")
        assert states.names[-1] == "closed"
        assert supervisor._idle


async def test_server_killed_and_restarted_over_tcp() -> None:
    """This SDK: server killed and restarted mid-run; the client comes back by itself."""
    answered: list[bytes] = []

    async def serve(transport: StreamTransport) -> None:
        def handle(request: IncomingRequest) -> None:
            answered.append(request.data)
            request.respond(request.data)

        await Session(Connection(Role.SERVER), handle, on_setup=_welcome).run(transport)

    async def listen(*, task_status: anyio.abc.TaskStatus[int]) -> None:
        async with anyio.create_task_group() as tasks:

            async def inner(*, task_status: anyio.abc.TaskStatus[list[tuple[str, int]]]) -> None:
                await serve_tcp(serve, port=ports[-1], task_status=task_status)

            ((_, port),) = await tasks.start(inner)
            ports.append(port)
            servers.append(tasks.cancel_scope)
            task_status.started(port)

    ports = [0]
    servers: list[anyio.CancelScope] = []
    options = ConnectionOptions(resume="off", reconnect=Backoff(first=0.01, base=0.01, cap=0.05, jitter=0.0))
    async with anyio.create_task_group() as tasks:
        await tasks.start(listen)
        supervisor = Supervisor(
            dial=lambda: open_tcp("127.0.0.1", ports[-1]),
            setup=fresh_setup,
            options=options,
            handler=lambda _: None,
            on_state=States(),
        )
        async with running(supervisor) as run:
            for number in range(3):
                with anyio.fail_after(BOUND):
                    assert await supervisor.request(b"%d" % number, retry=True) == b"%d" % number
                    servers[-1].cancel()
                    await until(lambda: supervisor.sessions_lost == number + 1)  # noqa: B023 - awaited right here
                    await tasks.start(listen)
            with anyio.fail_after(BOUND):
                assert await supervisor.request(b"last", retry=True) == b"last"
            supervisor.close()
            assert await run.wait() is None
        assert supervisor.reconnects == 3
        tasks.cancel_scope.cancel()


def _drop(_: object) -> None:
    """Make a handler of a call."""


async def _welcome(_: Setup) -> None:
    await anyio.lowlevel.checkpoint()
