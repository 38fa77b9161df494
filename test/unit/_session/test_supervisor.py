"""One session after another: requests in both directions, and what becomes of them when a session is lost."""

from __future__ import annotations

import anyio
import pytest
from keeper import Outcomes
from network import Network, States, fresh_setup, lets_in_then_says, supervised
from peers import BOUND, RawPeer, Recorder, running, settle, until

from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._rsocket.frames import RequestResponseFrame
from elarian_trio._session import GivenUp, Handover, IncomingRequest, Session, StreamFailed, Supervisor
from elarian_trio._transport import FrameTransport, StreamTransport, open_tcp, serve_tcp
from elarian_trio.errors import ConnectionLost
from elarian_trio.options import Backoff, ConnectionOptions

pytestmark = pytest.mark.anyio


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
