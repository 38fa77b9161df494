"""The seed's callback form of entitlements: when it is called, in whose block, and what becomes of what it raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from planship_memory import MemoryPlanship

from elarian_trio.errors import PlanshipError
from elarian_trio.planship import Reconnects
from elarian_trio.planship.client import MAX_CALLBACKS

if TYPE_CHECKING:
    from elarian_trio.planship import Entitlements

pytestmark = pytest.mark.anyio

BOUND = 5.0  # seconds that anything awaited in a test may take
AT_ONCE = Reconnects(first=0.0)


class Heard:
    """A user's function, plain or async, that keeps what it was called with.

    Attributes:
        states: what it was called with.
    """

    def __init__(self) -> None:
        self.states: list[Entitlements] = []

    def plain(self, entitlements: Entitlements) -> str:
        """Be called; what is given back is ignored."""
        self.states.append(entitlements)
        return "ignored"

    async def waiting(self, entitlements: Entitlements) -> None:
        """Be called and awaited."""
        await anyio.lowlevel.checkpoint()
        self.states.append(entitlements)


@pytest.mark.parametrize("kind", ["plain", "waiting"])
async def test_callback_is_called_with_each_newer_state_and_not_with_the_one_returned(kind: str) -> None:
    """The facts, section 9: the result of the call is returned, and is not sent to the callback."""
    planship, heard = MemoryPlanship(state={"n": 0}), Heard()
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client:
            assert await client.get_entitlements(getattr(heard, kind)) == {"n": 0}
            await anyio.wait_all_tasks_blocked()
            assert heard.states == []
            planship.server.change(n=1)
            await anyio.wait_all_tasks_blocked()
            planship.server.state = {"n": 2}
            planship.wires[0].cut()
            await anyio.wait_all_tasks_blocked()
    assert heard.states == [{"n": 1}, {"n": 2}]
    assert planship.wires[1].socket.closed_by_client == 1000


async def test_change_between_the_answer_and_the_socket_is_not_missed() -> None:
    """This SDK: the state is read again once the socket is open."""
    planship, heard = MemoryPlanship(state={"n": 0}), Heard()
    async with planship.client() as client:
        await client.get_entitlements(heard.plain)
        planship.server.state = {"n": 1}
        await anyio.wait_all_tasks_blocked()
    assert heard.states == [{"n": 1}]


async def test_each_callback_has_its_own_updates_and_none_has_them_twice() -> None:
    """The facts, section 9: with the official client a second callback is never called; D21."""
    planship, one, other = MemoryPlanship(state={"n": 0}), Heard(), Heard()
    async with planship.client() as client:
        for callback in (one.plain, other.waiting, one.plain):
            await client.get_entitlements(callback)
        await anyio.wait_all_tasks_blocked()
        planship.server.change(n=1)
        await anyio.wait_all_tasks_blocked()
    assert one.states == other.states == [{"n": 1}]
    assert len(planship.wires) == 2


async def test_error_of_a_callback_ends_the_clients_block_and_comes_out_of_it() -> None:
    """D23 of the facts: it propagates to the scope that the callback lives in."""
    planship, mine = MemoryPlanship(state={"n": 0}), ValueError("mine")
    reached: list[str] = []

    def callback(_: Entitlements) -> None:
        raise mine

    with anyio.fail_after(BOUND), pytest.raises(ValueError, match="mine") as caught:  # noqa: PT012 - the block's
        async with planship.client() as client:
            await client.get_entitlements(callback)
            await anyio.wait_all_tasks_blocked()
            planship.server.change(n=1)
            await anyio.sleep_forever()
            reached.append("the end")
    assert caught.value is mine
    assert reached == []
    assert planship.wires[0].socket.closed_by_client == 1000


async def test_refusal_that_ends_the_updates_ends_the_clients_block() -> None:
    """D22 of the facts: stop and raise."""
    planship = MemoryPlanship(state={"n": 0})
    planship.refusals = [404]
    with anyio.fail_after(BOUND), pytest.raises(PlanshipError, match="404"):  # noqa: PT012 - the block's
        async with planship.client() as client:
            await client.get_entitlements(Heard().plain)
            await anyio.sleep_forever()


async def test_leaving_does_not_wait_for_a_callback() -> None:
    """This SDK: no task outlives its block; one that waits is cancelled."""
    planship, is_called = MemoryPlanship(state={"n": 0}), anyio.Event()

    async def callback(_: Entitlements) -> None:
        is_called.set()
        await anyio.sleep_forever()

    with anyio.fail_after(BOUND):
        async with planship.client() as client:
            await client.get_entitlements(callback)
            planship.server.state = {"n": 1}
            await is_called.wait()


async def test_what_is_no_callback_is_refused_before_anything_is_asked() -> None:
    """This SDK: nothing half-done on bad input."""
    planship = MemoryPlanship(state={})
    wrong: Any = "callback"
    async with planship.client() as client:
        with pytest.raises(TypeError, match="a callback must be a function, got str"):
            await client.get_entitlements(wrong)
        assert planship.server.asked == []


async def test_callbacks_are_so_many_and_no_more() -> None:
    """This SDK: nothing is without bound, and each has a WebSocket."""
    planship = MemoryPlanship(state={})
    heard = [Heard() for _ in range(MAX_CALLBACKS + 1)]
    async with planship.client() as client:
        for each in heard[:-1]:
            await client.get_entitlements(each.plain)
        with pytest.raises(ValueError, match="16 callbacks already"):
            await client.get_entitlements(heard[-1].plain)
        await client.get_entitlements(heard[0].plain)
