"""Entitlement updates: what is delivered and in which order, what is put up with, and what ends them for good."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from planship_memory import MemoryPlanship
from planship_server import as_json

from elarian_trio.errors import ConnectionClosed, PlanshipError
from elarian_trio.planship import EntitlementUpdates, PlanshipCustomer, Reconnects

if TYPE_CHECKING:
    from planship_server import Answer, Asked

pytestmark = pytest.mark.anyio

BOUND = 5.0  # seconds that anything awaited in a test may take
AT_ONCE = Reconnects(first=0.0)


def a_planship(**settings: Any) -> MemoryPlanship:  # noqa: ANN401 - see the server
    """Make a server whose customer has one entitlement."""
    return MemoryPlanship(**{"state": {"n": 0}, **settings})


# --- what is delivered ---


async def test_state_comes_first_and_then_each_newer_one() -> None:
    """This SDK: as with the states of a connection."""
    planship = a_planship()
    with anyio.fail_after(BOUND):
        async with planship.client() as client, client.entitlement_updates() as updates:
            assert await updates.receive() == {"n": 0}
            for number in (1, 2, 3):
                planship.server.change(n=number)
                assert await updates.receive() == {"n": number}


async def test_updates_show_whether_there_is_anything_to_read_and_nothing_of_it() -> None:
    """This SDK: a log may hold what an object shows."""
    planship = a_planship(state={"secret-plan": True})
    async with planship.client() as client, client.entitlement_updates() as updates:
        await updates.receive()
        assert repr(updates) == "<EntitlementUpdates, all read, open>"
        updates.put('{"secret-plan": false}')
        assert repr(updates) == "<EntitlementUpdates, a state unread, open>"
        await updates.receive()
    assert repr(updates) == "<EntitlementUpdates, all read, closed>"


async def test_socket_is_asked_for_with_a_fresh_token_and_read_beside() -> None:
    """D21 and D22 of the facts: forced refresh, ids and token encoded, no authorization; one read once it is open."""
    planship = a_planship()
    async with planship.client() as client:
        await client.get_entitlements()
        async with client.entitlement_updates() as updates:
            await updates.receive()
    asked = planship.server.asked
    read = "GET /api/v1/customers/c%2F1/products/p/entitlements"
    assert [str(each) for each in asked] == [
        "POST /api/v1/auth/token",
        read,
        "POST /api/v1/auth/token",
        "GET /api/v1/ws/customers/c%2F1/products/p/entitlements?token=t2",
        read,
    ]
    assert "authorization" not in asked[3].headers
    assert "sec-websocket-protocol" not in asked[3].headers
    assert asked[3].headers["host"] == "websockets-h"
    assert asked[4].headers["authorization"] == "Bearer t2"


async def test_leaving_says_goodbye() -> None:
    """D23 of the facts: leaving the scope closes with 1000."""
    planship = a_planship()
    async with planship.client() as client, client.entitlement_updates() as updates:
        await updates.receive()
    (wire,) = planship.wires
    assert wire.socket.closed_by_client == 1000
    assert wire.is_closed


async def test_slow_reader_sees_the_newest_state_alone() -> None:
    """This SDK: nothing piles up for a reader that is slow."""
    planship = a_planship()
    with anyio.fail_after(BOUND):
        async with planship.client() as client, client.entitlement_updates() as updates:
            await updates.receive()
            for number in range(100):
                planship.server.change(n=number)
            await anyio.wait_all_tasks_blocked()
            assert await updates.receive() == {"n": 99}
            await anyio.wait_all_tasks_blocked()
            assert_nothing_is_there(updates)


def assert_nothing_is_there(updates: EntitlementUpdates) -> None:
    """Look whether a state waits to be read."""
    assert updates._is_unread is False


async def test_state_that_is_read_is_the_readers_own() -> None:
    """This SDK: what one reader does to it, no other sees."""
    planship = a_planship(state={"list": []})
    with anyio.fail_after(BOUND):
        async with planship.client() as client, client.entitlement_updates() as updates:
            (await updates.receive())["list"].append("x")
            planship.server.change(n=1)
            assert await updates.receive() == {"list": [], "n": 1}


async def test_pushed_state_overtaken_by_the_one_that_was_read_is_not_delivered_after_it() -> None:
    """Issue 5: no update older than one delivered. The answer is newer than a frame that is still under way."""
    planship = a_planship()
    late: list[str] = []

    async def answer(asked: Asked) -> Answer | None:
        await anyio.lowlevel.checkpoint()
        if asked.path.endswith("/entitlements") and planship.wires:
            late.extend([json.dumps({"n": 1}), json.dumps({"n": 2})])
            planship.server.state = {"n": 2}
            reply = as_json(planship.server.state)
            for text in late:  # they leave behind the answer, and before the pong
                planship.wires[-1].socket.push(text)
            return reply
        return None

    planship.server.answer = answer
    seen: list[int] = []
    with anyio.fail_after(BOUND):
        async with planship.client() as client, client.entitlement_updates() as updates:
            seen.append((await updates.receive())["n"])
            await anyio.wait_all_tasks_blocked()
            assert_nothing_is_there(updates)
    assert seen == [2]


async def test_pushed_state_newer_than_the_one_that_was_read_is_the_one_delivered() -> None:
    """Issue 5: the last state seen is the server's, also where the answer was the slower one."""
    planship = a_planship()

    async def answer(asked: Asked) -> Answer | None:
        await anyio.lowlevel.checkpoint()
        if asked.path.endswith("/entitlements") and planship.wires:
            reply = as_json({"n": 0})
            planship.server.change(n=5)
            return reply
        return None

    planship.server.answer = answer
    with anyio.fail_after(BOUND):
        async with planship.client() as client, client.entitlement_updates() as updates:
            assert await updates.receive() == {"n": 5}
            await anyio.wait_all_tasks_blocked()
            assert_nothing_is_there(updates)


# --- what is put up with ---


@pytest.mark.parametrize("how", ["cut", "ended", "closed 1000", "closed 1011", "closed 1001", "garbled"])
async def test_socket_that_is_lost_is_opened_again_and_missed_changes_are_read(how: str) -> None:
    """D22 of the facts: on any loss that the caller did not cause, and one read, since changes may have been missed."""
    planship = a_planship()
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            await updates.receive()
            await anyio.wait_all_tasks_blocked()
            planship.server.state = {"n": 7}  # and nobody is told
            wire = planship.wires[0]
            if how.startswith("closed"):
                wire.socket.close(int(how.split()[1]))
            elif how == "garbled":
                wire.socket.say(b"\xff\xff\xff\xff")
            else:
                wire.cut(broken=how == "cut")
            assert await updates.receive() == {"n": 7}
            planship.server.change(n=8)
            assert await updates.receive() == {"n": 8}
    assert len(planship.wires) == 2
    assert planship.wires[0].is_closed
    assert planship.server.tokens == 2


@pytest.mark.parametrize("snapshot", [True, False])
async def test_state_that_is_the_same_after_a_loss_is_not_delivered_again(*, snapshot: bool) -> None:
    """D22 and D24 of the facts: if different, and whether the service sends the state on connecting or not."""
    planship = a_planship(snapshot=snapshot)
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            assert await updates.receive() == {"n": 0}
            await anyio.wait_all_tasks_blocked()
            planship.wires[0].cut()
            await anyio.wait_all_tasks_blocked()
            assert len(planship.wires) == 2
            assert_nothing_is_there(updates)


@pytest.mark.parametrize("junk", ["no JSON", "[1]", '"x"', "null", "[" * 100_000])
async def test_message_that_is_no_object_is_skipped_and_logged(junk: str, caplog: pytest.LogCaptureFixture) -> None:
    """D21 of the facts; a log says nothing of what was in it."""
    planship = a_planship()
    with anyio.fail_after(BOUND):
        async with planship.client() as client, client.entitlement_updates() as updates:
            await updates.receive()
            await anyio.wait_all_tasks_blocked()
            planship.wires[0].socket.push(junk)
            planship.wires[0].socket.push_bytes(b'{"n": 1}')
            planship.server.change(n=2)
            assert await updates.receive() == {"n": 2}
    skipped = [each for each in caplog.records if "skipped a message" in each.getMessage()]
    assert len(skipped) == 2
    assert {each.name for each in skipped} == {"elarian_trio.planship"}


@pytest.mark.parametrize(
    ("code", "words"), [(None, "the service just left"), (1011, "the service closed the WebSocket with code 1011")]
)
async def test_loss_is_logged_with_the_code_if_there_was_one(
    code: int | None, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A service whose process dies closes with no code; the log said that it was None."""
    planship = a_planship()
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            await updates.receive()
            await anyio.wait_all_tasks_blocked()
            planship.server.state = {"n": 1}
            wire = planship.wires[0]
            wire.cut(broken=False) if code is None else wire.socket.close(code)
            await updates.receive()
    assert [each.getMessage() for each in caplog.records if each.levelno > logging.DEBUG] == [
        f"entitlement updates: {words}; connecting again in 0.0 s"
    ]


async def test_loss_is_logged_in_words_that_name_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Promise 4 of the design: personal data in no log above DEBUG, and a service's words may hold some."""
    planship = a_planship()
    answers = [as_json({"detail": "asha@example.com is over her limit"}, 429, ("retry-after", "99"))] * 2
    garbled = [httpx2.RemoteProtocolError("asha@example.com is no HTTP")]

    async def answer(asked: Asked) -> Answer | None:
        await anyio.lowlevel.checkpoint()
        if asked.path.endswith("/entitlements") and garbled:
            raise garbled.pop()
        return answers.pop() if asked.path.endswith("/entitlements") and answers else None

    planship.server.answer = answer
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            await updates.receive()
    assert [each.getMessage() for each in caplog.records if each.levelno > logging.DEBUG] == [
        "entitlement updates: the answer is not HTTP; connecting again in 0.0 s",
        *["entitlement updates: refused with status 429; connecting again in 0.0 s"] * 2,
    ]


async def test_one_refused_token_is_followed_by_a_fresh_one() -> None:
    """D22 of the facts: twice in a row is final, once is not; and what lies between breaks the row."""
    planship = a_planship()
    planship.refusals = [403, 500, 401, None]
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            assert await updates.receive() == {"n": 0}
    assert planship.server.tokens == 4


async def test_closed_for_an_expired_token_is_followed_by_a_fresh_one() -> None:
    """D19 and D22 of the facts: 1008 once."""
    planship = a_planship()
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            await updates.receive()
            await anyio.wait_all_tasks_blocked()
            planship.server.state = {"n": 1}
            planship.wires[0].socket.close(1008)
            assert await updates.receive() == {"n": 1}
    assert [wire.socket.token for wire in planship.wires] == ["t1", "t2"]


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_read_that_fails_for_now_is_a_loss(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: without it changes may have been missed."""
    caplog.set_level(logging.CRITICAL)
    planship = a_planship()
    failures = [True, True]

    async def answer(asked: Asked) -> Answer | None:
        await anyio.lowlevel.checkpoint()
        is_read = asked.path.endswith("/entitlements")
        return as_json({}, status, ("retry-after", "99")) if is_read and failures and failures.pop() else None

    planship.server.answer = answer
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            assert await updates.receive() == {"n": 0}
    assert len(planship.wires) == 3


async def test_answer_that_opens_no_websocket_is_a_loss() -> None:
    """This SDK: 101 with the wrong key is some other protocol."""
    planship = a_planship()
    inner = planship._open

    def open_wrongly(asked: Asked, token: str) -> Any:  # noqa: ANN401 - a response
        response = inner(asked, token)
        if len(planship.wires) == 1:
            response.headers["sec-websocket-accept"] = "no"
        return response

    planship._open = open_wrongly  # type: ignore[method-assign]
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            assert await updates.receive() == {"n": 0}
    assert len(planship.wires) == 2
    assert planship.wires[0].socket.closed_by_client is None


# --- what ends them ---


@pytest.mark.parametrize(
    ("refusals", "status", "times"),
    [([403] * 9, 403, 2), ([401] * 9, 401, 2), ([401, 403], 403, 2), ([404], 404, 1), ([422], 422, 1)],
)
async def test_refusal_that_is_final_comes_out_of_the_stream(refusals: list[int], status: int, times: int) -> None:
    """D22 of the facts: 401 and 403 twice in a row with fresh tokens, 404 at once."""
    planship = a_planship()
    planship.refusals = [*refusals]
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            for _ in range(2):
                with pytest.raises(PlanshipError, match="no socket") as caught:
                    await updates.receive()
                assert caught.value.status == status
    assert planship.server.tokens == times


async def test_closed_for_two_fresh_tokens_in_a_row_is_final() -> None:
    """D22 of the facts: 1008 twice."""
    planship = a_planship()
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            for number in range(2):
                await anyio.wait_all_tasks_blocked()
                planship.wires[number].socket.close(1008)
            assert await updates.receive() == {"n": 0}  # what was there is read first
            with pytest.raises(PlanshipError, match="closed the WebSocket with code 1008") as caught:
                async for _ in updates:
                    pass
    assert caught.value.status == 401


async def test_refused_credentials_are_final() -> None:
    """D3 of the facts: a 401 of the token call is never tried again."""
    planship = a_planship()

    async def answer(asked: Asked) -> Answer | None:
        await anyio.lowlevel.checkpoint()
        return as_json({"detail": "bad client"}, 401) if asked.path.endswith("/token") else None

    planship.server.answer = answer
    with anyio.fail_after(BOUND):
        async with planship.client(reconnects=AT_ONCE) as client, client.entitlement_updates() as updates:
            with pytest.raises(PlanshipError, match="bad client"):
                await updates.receive()
    assert planship.server.paths() == ["POST /api/v1/auth/token"]


async def test_error_of_the_function_for_tokens_comes_out_of_the_stream() -> None:
    """This SDK: it is the user's own."""

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        await anyio.lowlevel.checkpoint()
        raise KeyError(force_refresh)

    with anyio.fail_after(BOUND):
        async with (
            a_planship().client(get_access_token=get_access_token) as client,
            client.entitlement_updates() as updates,
        ):
            with pytest.raises(KeyError):
                await updates.receive()


async def test_error_of_the_block_comes_out_as_it_is() -> None:
    """This SDK: no exception group that the user did not raise."""
    mine = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:  # noqa: PT012 - the block's
        async with a_planship().client() as client, client.entitlement_updates() as updates:
            await updates.receive()
            raise mine
    assert caught.value is mine


async def test_stream_is_closed_with_its_block() -> None:
    """This SDK: as any stream."""
    async with a_planship().client() as client:
        async with client.entitlement_updates() as updates:
            await updates.receive()
        with pytest.raises(anyio.ClosedResourceError):
            await updates.receive()


async def test_stream_that_is_closed_by_hand_wakes_its_readers() -> None:
    """Anyio's streams: a reader of a closed one is told."""
    async with a_planship().client() as client, client.entitlement_updates() as updates:
        await updates.receive()
        async with anyio.create_task_group() as tasks:

            async def read() -> None:
                with pytest.raises(anyio.ClosedResourceError):
                    await updates.receive()

            tasks.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            await updates.aclose()


async def test_stream_that_is_closed_by_hand_stays_closed() -> None:
    """A past bug: a state that came later was given to whoever read once more."""
    planship = a_planship()
    async with planship.client() as client, client.entitlement_updates() as updates:
        await updates.receive()
        await updates.aclose()
        planship.server.change(n=1)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(anyio.ClosedResourceError):
            await updates.receive()


async def test_readers_are_told_when_the_client_is_left_first() -> None:
    """This SDK: nothing of a client works outside of its block, whoever holds it."""
    planship, opened = a_planship(), anyio.Event()
    left: list[BaseException] = []

    async def read(client: PlanshipCustomer) -> None:
        async with client.entitlement_updates() as updates:
            await updates.receive()
            opened.set()
            with pytest.raises(ConnectionClosed) as caught:
                await updates.receive()
            left.append(caught.value)

    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks, planship.client() as client:
            tasks.start_soon(read, client)
            await opened.wait()
    assert len(left) == 1
    assert planship.wires[0].is_closed
