"""Many cuts in a row, with requests in both directions: nothing is lost, and nothing done twice."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import anyio
import pytest
from network import RESUMING, Network, supervised
from peers import settle

from elarian_trio._session import Reception
from elarian_trio.errors import ConnectionClosed, ConnectionLost

if TYPE_CHECKING:
    from elarian_trio._session import IncomingRequest, Supervisor

pytestmark = pytest.mark.anyio

CUTS = 50
ASKERS = 8
FORGETFUL_SEEDS = 60
BOUND = 60.0  # seconds; it takes two


def keep_sessions(network: Network) -> None:
    """Have the network's servers keep sessions that are cut."""
    network.reception = Reception()


async def cut_now_and_then(network: Network, dice: random.Random, times: int) -> None:
    """Cut each connection in turn, after a few steps of life, whether or not it has come to stand by then."""
    for _ in range(times):
        dialled = len(network.transports)
        await network.cut()
        while len(network.transports) == dialled:
            await anyio.lowlevel.checkpoint()
        await settle(dice.randrange(40))


async def test_fifty_cuts_in_a_row_lose_and_repeat_nothing() -> None:
    """This SDK promises: a cut connection is resumed; no command lost, none executed twice, no notification lost."""
    seed = 50
    seen: list[bytes] = []
    answers: dict[bytes, bytes] = {}
    notified: dict[bytes, bytes] = {}

    def handle(request: IncomingRequest) -> None:
        seen.append(request.data)
        request.respond(request.data[::-1])

    with anyio.fail_after(BOUND):
        async with supervised(RESUMING, handler=handle, prepare=keep_sessions) as (supervisor, network, _, _):
            (server,) = network.sessions
            done = anyio.Event()

            async def ask(number: int) -> None:
                turn = 0
                while not done.is_set():
                    data = b"%d-%d" % (number, turn := turn + 1)
                    answers[data] = await supervisor.request(data, retry=False)

            async def notify(number: int) -> None:
                turn = 0
                while not done.is_set():
                    data = b"%d-%d" % (number, turn := turn + 1)
                    notified[data] = await server.request(data)

            async with anyio.create_task_group() as tasks:
                for number in range(ASKERS):
                    tasks.start_soon(ask, number)
                    tasks.start_soon(notify, number)
                await cut_now_and_then(network, random.Random(seed), CUTS)
                done.set()
            resumptions = supervisor.resumptions
            assert (supervisor.sessions_lost, len(network.sessions)) == (0, 1)
    print(f"seed {seed}: {CUTS} cuts, {resumptions} resumptions, {len(answers)} up, {len(notified)} down")  # noqa: T201
    assert answers == {data: data for data in answers}
    assert notified == {data: data[::-1] for data in notified}
    assert Counter(network.asked) == Counter(list(answers))
    assert Counter(seen) == Counter(list(notified))
    for log in (network.asked, seen):
        for number in range(ASKERS):
            turns = [int(data.split(b"-")[1]) for data in log if data.startswith(b"%d-" % number)]
            assert turns == list(range(1, len(turns) + 1))
    assert resumptions > CUTS // 2


async def test_server_that_forgets_sessions_is_told_of_truly() -> None:
    """This SDK promises: each command ends in its reply or ConnectionLost, ``sent`` as the server's log has it."""
    ends: Counter[str] = Counter()
    for seed in range(FORGETFUL_SEEDS):
        with anyio.fail_after(BOUND):
            ends += await _forgetful(random.Random(seed))
    print(f"seeds 0 to {FORGETFUL_SEEDS - 1}: {dict(ends)}")  # noqa: T201 - a figure to look at
    assert ends["replied"] > 0
    assert ends["lost, sent"] > 0


async def _forgetful(dice: random.Random) -> Counter[str]:
    """Let commands run while connections are cut and sessions forgotten; check their ends, and count them."""
    outcomes: dict[bytes, bytes | ConnectionLost] = {}

    async def ask(supervisor: Supervisor, data: bytes, *, retry: bool) -> None:
        try:
            outcomes[data] = await supervisor.request(data, retry=retry)
        except ConnectionLost as lost:
            outcomes[data] = lost

    async with supervised(RESUMING, prepare=keep_sessions) as (supervisor, network, run, _):
        waiting: list[IncomingRequest] = []
        network.handler = lambda request: waiting.append(request) if dice.random() < 0.3 else respond(request)
        async with anyio.create_task_group() as tasks:
            for number in range(40):
                tasks.start_soon(lambda data, read: ask(supervisor, data, retry=read), b"%d" % number, number % 4 == 0)
                await settle(dice.randrange(4))
                if dice.random() < 0.3:
                    await network.cut()
                if dice.random() < 0.15:
                    network.forget()
                if dice.random() < 0.3:
                    for request in waiting:
                        request.respond(request.data)
                    waiting.clear()
            network.handler = respond
            network.forget()  # those that still wait hear of it, or are asked again
        assert not run.ended.is_set()
    log = Counter(network.asked)
    for number in range(40):
        data = b"%d" % number
        outcome = outcomes[data]
        is_read = number % 4 == 0
        assert is_read or log[data] <= 1
        if isinstance(outcome, ConnectionLost):
            assert outcome.sent
            assert not is_read
        else:
            assert outcome == data
            assert log[data] >= 1
    assert len(outcomes) == 40
    return Counter("replied" if isinstance(outcome, bytes) else "lost, sent" for outcome in outcomes.values())


async def test_commands_that_were_never_sent_say_so_when_the_end_comes() -> None:
    """This SDK promises: and ``sent=False`` means that the server's log does not have it."""
    async with (
        supervised(RESUMING, prepare=keep_sessions) as (supervisor, network, _, _),
        anyio.create_task_group() as tasks,
    ):
        lost: list[ConnectionLost | ConnectionClosed] = []

        async def ask(data: bytes) -> None:
            try:
                await supervisor.request(data, retry=False)
            except (ConnectionLost, ConnectionClosed) as error:
                lost.append(error)

        network.up = False
        await network.cut()
        for number in range(10):
            tasks.start_soon(ask, b"%d" % number)
        await settle()
        supervisor.close()
        with anyio.fail_after(BOUND):
            while len(lost) < 10:
                await anyio.lowlevel.checkpoint()
        for error in lost:
            assert isinstance(error, ConnectionClosed)
        assert not network.asked


def respond(request: IncomingRequest) -> None:
    """Answer a request by its own data."""
    request.respond(request.data)
