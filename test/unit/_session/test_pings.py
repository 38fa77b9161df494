"""Pings: those who wait for the answer to a KEEPALIVE, of which many at once wait for each other."""

from __future__ import annotations

import anyio
import pytest

from elarian_trio._session import pings as room
from elarian_trio._session.pings import Pings
from elarian_trio.errors import ConnectionLost

pytestmark = pytest.mark.anyio


async def test_of_many_pings_some_wait_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: a peer forgets the oldest of very many, whose askers would wait for ever."""
    monkeypatch.setattr(room, "MAX_PINGS", 2)
    pings, sent, took = Pings(), list[bytes](), list[float]()

    def send() -> bytes:
        sent.append(str(len(sent)).encode())
        return sent[-1]

    async def ask() -> None:
        took.append(await pings.ask(send))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert sent == [b"0", b"1"]
            assert pings.resolve(b"1", 0.5)
            await anyio.wait_all_tasks_blocked()
            assert (sent, took) == ([b"0", b"1", b"2"], [0.5])
            for data in (b"0", b"2"):
                pings.resolve(data, 1.0)
    assert (took, len(pings)) == ([0.5, 1.0, 1.0], 0)


async def test_a_ping_that_cannot_be_sent_keeps_nobody_elses_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """House: no waiter is left behind by any way out."""
    monkeypatch.setattr(room, "MAX_PINGS", 1)
    pings = Pings()

    def refuse() -> bytes:
        raise ConnectionLost("gone", sent=False)

    with anyio.fail_after(5):
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                await pings.ask(refuse)
    assert len(pings) == 0
