"""Resumption with RSocket libraries that others wrote, through a network that cuts: nothing lost, nothing done twice.

rsocket-java is the reference. rsocket-js 1.0.0-alpha.3 keeps and resumes sessions; 0.0.27 resumes, and no server of its
keeps anything; rsocket-py does neither, and rsocket-go 0.8.13 takes part in it with positions that are always 0. What
each of them needs is said where a table makes room for it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import foreign
import pytest
from faulty import Kind
from figures import say, seed_or
from foreign import BOUND
from meetings import dial
from proxy import Proxy, open_proxy
from resuming import OPTIONS, Cuts, Ledger, client, make_supervisor, resuming_client, resuming_server

from elarian_trio.errors import ConnectionLost, SetupRejected

if TYPE_CHECKING:
    from elarian_trio._transport import FrameTransport

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(foreign.why_not() is not None, reason=str(foreign.why_not())),
]

SEED = seed_or(1)
CUTS = 100
PEACE = Cuts("peace", number=0)
LARGE = 64 * 1024  # of fragments: both rsocket-js put them together in the square of their number
# What rsocket-js 1.0.0-alpha.3 cannot live through is let through. As a server on TCP it takes the first read for the
# first frame, and dies where that is half of one; as a client it waits for ever where it is cut before RESUME_OK.
NEEDS = {
    ("server", "js1", "tcp"): {"up": 200},
    ("client", "js1", "tcp"): {"up": 100, "down": 100},
    ("client", "js1", "ws"): {"up": 500, "down": 500},
}
both_transports = pytest.mark.parametrize("transport", ["tcp", "ws"])


def cuts(role: str, name: str, transport: str, *kinds: Kind) -> Cuts:
    """Give the cuts that befall the peer in *role*, and print them with what was counted."""
    return Cuts(f"{SEED} {role} {name} {transport}", kinds=kinds, number=CUTS, **NEEDS.get((role, name, transport), {}))


@pytest.mark.parametrize("name", foreign.peers("java", "js1"))
@both_transports
async def test_our_client_comes_back_to_a_server_that_keeps_its_session(name: str, transport: str) -> None:
    """RSocket: RESUME, RESUME_OK, and each side repeats what the other has not got."""
    plans = cuts("server", name, transport, Kind.CUT, Kind.END)
    async with resuming_client(name, transport, plans) as (met, supervisor):
        say(f"{plans.seed}: {await met.run(CUTS)}, {supervisor.resumptions} resumptions")
        assert supervisor.sessions_lost == 0
        assert supervisor.resumptions == supervisor.reconnects > 0


@pytest.mark.parametrize("name", foreign.peers("java", "js0", "js1"))
@both_transports
async def test_a_client_comes_back_to_our_server(name: str, transport: str) -> None:
    """RSocket: the same the other way round; and here we take clients back that we still believed to be there."""
    plans = cuts("client", name, transport, Kind.CUT, Kind.END, Kind.VANISH)
    async with resuming_server(name, transport, plans) as (met, session):
        say(f"{plans.seed}: {await met.run(CUTS)}")
        assert session.resumable
        await session.ping()
        if name == "js0":  # says 0 whatever it got; what we keep goes only when it resumes
            assert session.kept_bytes > 0
        else:
            assert session.kept_bytes == 0


async def pass_what_is_large(ledger: Ledger) -> None:
    """Carry more, each way, than either side can keep."""
    body = bytes(range(256)) * (5 * 4096)
    with anyio.fail_after(BOUND):
        assert await ledger.ask("echo", body) == body
        assert await ledger.ask("ask", body) == body


@pytest.mark.parametrize("name", foreign.peers("java", "js1"))
async def test_our_client_sends_more_than_it_can_keep_since_the_peer_says_what_it_got(name: str) -> None:
    """RSocket: the positions in KEEPALIVEs make room, so the session stays resumable."""
    async with resuming_client(name, "tcp", PEACE, fragment_size=LARGE) as (met, supervisor):
        await pass_what_is_large(met.ledger)
        met.proxy.cut_all()
        await pass_what_is_large(met.ledger)
        assert (supervisor.resumptions, supervisor.sessions_lost) == (1, 0)


@pytest.mark.parametrize("name", foreign.peers("java", "js0", "js1"))
async def test_our_server_sends_more_than_it_can_keep(name: str) -> None:
    """The same; but rsocket-js 0 says that it got nothing, so that its session cannot be resumed, and goes on."""
    async with resuming_server(name, "tcp", PEACE, fragment_size=LARGE) as (met, session):
        await pass_what_is_large(met.ledger)
        assert session.resumable is (name != "js0")
        met.proxy.cut_all()
        if name != "js0":
            await pass_what_is_large(met.ledger)
        else:
            await met.peer.says("CLOSED ERROR")
            assert met.proxy.record.connections == 2


async def test_a_server_that_keeps_sessions_hears_that_our_client_leaves() -> None:
    """RSocket: CONNECTION_CLOSE ends the session; nothing is kept for somebody who will not be back.

    So it is with rsocket-js 1. rsocket-java takes it for the end of its own requests only, and keeps the rest until its
    time is over, whatever it is told.
    """
    async with resuming_client("js1", "tcp", PEACE) as (met, supervisor):
        await met.ledger.ask("echo", b"hello")
        supervisor.close()
        await met.peer.says("CLOSED 258")


@pytest.mark.parametrize("name", foreign.peers("java", "js0", "js1"))
async def test_a_client_that_resumes_gives_up_once_our_server_has_left(name: str) -> None:
    """RSocket: CONNECTION_CLOSE ends the session; rsocket-java tries once more, and takes REJECTED_RESUME for it."""
    async with resuming_server(name, "tcp", PEACE) as (met, session):
        await met.ledger.ask("echo", b"hello")
        session.close(message="enough")
        await met.peer.says("CLOSED")
        assert not session.resumable
        assert met.proxy.record.connections == (2 if name == "java" else 1)


@pytest.mark.parametrize("name", foreign.peers("java"))
async def test_a_refusal_that_a_server_keeps_to_itself_is_heard_without_the_flag(name: str) -> None:
    """rsocket-java, where it is asked for resumption, never sends the ERROR that refuses a SETUP (its issue 1121).

    The attempt ends by its own bound, and the next one asks for less.
    """
    impatient = replace(OPTIONS, resume="auto", connect_timeout=1.0)
    async with foreign.foreign(*foreign.peer_command(name, "server-resumable", "tcp")) as peer:
        port = await peer.port()
        supervisor = make_supervisor(partial(dial, "tcp", port), impatient, lambda _: None, b"wrong")
        with anyio.fail_after(BOUND), pytest.raises(SetupRejected, match="no such key"):
            await supervisor.run()


@pytest.mark.parametrize("name", foreign.peers("java", "js0", "js1", "py", "go"))
async def test_our_client_does_without_where_a_server_keeps_nothing(name: str) -> None:
    """The design: a SETUP refused for its flag is offered once more without, and that is remembered.

    rsocket-java says UNSUPPORTED_SETUP, as do rsocket-py and -go; rsocket-js 1 says REJECTED_SETUP. rsocket-js 0 takes
    the flag without a word and refuses the RESUME later: then a fresh session follows at once.
    """
    says_so_late = name == "js0"
    async with (
        foreign.foreign(*foreign.peer_command(name, "server", "tcp")) as peer,
        open_proxy(f"tcp://127.0.0.1:{await peer.port()}") as proxy,
        client(partial(dial, "tcp", proxy.port), replace(OPTIONS, resume="auto")) as (supervisor, ledger),
    ):
        assert await ledger.ask("echo", b"one") == b"one"
        assert proxy.record.connections == (1 if says_so_late else 2)
        await lose_what_was_sent(ledger, proxy)
        assert await ledger.ask("echo", b"two") == b"two"
        assert (supervisor.resumptions, supervisor.reconnects, supervisor.sessions_lost) == (0, 1, 1)
        assert proxy.record.connections == 3


@pytest.mark.parametrize("name", foreign.peers("java", "js1"))
async def test_a_server_that_was_replaced_gets_a_fresh_session(name: str) -> None:
    """RSocket: REJECTED_RESUME for a token that nobody knows; what was sent may have been done, the rest goes on."""
    command = foreign.peer_command(name, "server-resumable", "tcp")
    async with foreign.foreign(*command) as old, foreign.foreign(*command) as new:
        ports = [await old.port(), await new.port()]
        async with (
            open_proxy(f"tcp://127.0.0.1:{ports[0]}") as before,
            open_proxy(f"tcp://127.0.0.1:{ports[1]}") as after,
        ):
            proxies = [before, after]

            async def reach() -> FrameTransport:
                return await dial("tcp", proxies.pop(0).port if len(proxies) > 1 else after.port)

            async with client(reach, OPTIONS) as (supervisor, ledger):
                assert await ledger.ask("echo", b"one") == b"one"
                await lose_what_was_sent(ledger, before)
                assert await ledger.ask("echo", b"two") == b"two"
                assert (supervisor.resumptions, supervisor.reconnects, supervisor.sessions_lost) == (0, 1, 1)
                assert after.record.connections == 2
                after.cut_all()
                assert await ledger.ask("echo", b"three") == b"three"
                assert (supervisor.resumptions, supervisor.sessions_lost) == (1, 1)


async def lose_what_was_sent(ledger: Ledger, proxy: Proxy) -> None:
    """Cut while a request waits for its answer; it must hear that it may have been acted upon."""
    async with anyio.create_task_group() as tasks:

        async def wait() -> None:
            with anyio.fail_after(BOUND), pytest.raises(ConnectionLost) as caught:
                await ledger.ask("never")
            assert caught.value.sent

        tasks.start_soon(wait)
        await anyio.lowlevel.checkpoint()
        assert await ledger.ask("echo", b"behind it") == b"behind it"
        proxy.cut_all()
