"""The token of Planship's client: one however many want it, renewed once after a 401, and what else may come of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from answering import Answering, json_answer
from planship_service import PAIR, TOKEN, Service

from elarian_trio.errors import PlanshipError
from elarian_trio.planship import PlanshipCustomer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

BOUND = 5.0  # seconds that anything awaited in a test may take


async def at_once(count: int, call: Callable[[], Awaitable[object]]) -> list[object]:
    """Make so many calls at the same time, and give what came of each."""
    outcomes: list[object] = []

    async def one() -> None:
        try:
            outcomes.append(await call())
        except Exception as error:
            outcomes.append(error)

    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(one)
    return outcomes


async def test_first_calls_ask_for_one_token() -> None:
    """D3 of the facts: one token, one refresh in flight; the official clients ask once a call."""
    service = Service()
    async with service.client() as planship:
        await at_once(100, planship.get_product)
        await planship.get_product()
    assert service.given == 1
    assert len(service.transport.asked) == 102


async def test_expired_token_under_a_hundred_calls_is_refreshed_once() -> None:
    """Issue 5: one refresh, 0 failures."""
    service = Service()
    async with service.client() as planship:
        await planship.get_product()
        service.valid.clear()
        outcomes = await at_once(100, planship.get_product)
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert service.given == 2


async def test_call_that_lost_the_race_goes_on_with_the_newer_token() -> None:
    """D3 of the facts: a 401 to an older token than the one there is asks for none."""
    service = Service()
    held = anyio.Event()
    is_held = anyio.Event()
    inner = service.transport._give
    assert inner is not None

    async def hold_the_first(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/plans/slow") and not held.is_set():
            is_held.set()
            await held.wait()
            return json_answer({}, 401)
        answer = inner(request)
        assert not isinstance(answer, httpx2.Response)
        return await answer

    service.transport._give = hold_the_first
    with anyio.fail_after(BOUND):
        async with service.client() as planship, anyio.create_task_group() as tasks:

            async def slow() -> None:
                with pytest.raises(PlanshipError, match=r"the plan\.description"):
                    await planship.get_plan("slow")

            tasks.start_soon(slow)
            await is_held.wait()
            service.valid.clear()
            await planship.get_product()
            held.set()
    assert service.given == 2


async def test_server_that_answers_401_for_ever_gets_two_requests_a_call() -> None:
    """D3 of the facts: one forced refresh, one replay, then an error; official clients loop without end."""
    transport = Answering(
        lambda request: (
            json_answer({"access_token": "t", "token_type": "bearer", "expires_in": 1})
            if request.url.path.endswith("/token")
            else json_answer({"detail": "no"}, 401)
        )
    )
    async with PlanshipCustomer("p", "c", **PAIR, transport=transport) as planship:
        for _ in range(2):
            transport.asked.clear()
            with pytest.raises(PlanshipError, match="401 Unauthorized: no") as caught:
                await planship.report_usage("m", 1)
            assert (caught.value.status, caught.value.detail) == (401, "no")
            assert sum(line.endswith("/usage/m") for line in transport.lines()) == 2


@pytest.mark.parametrize("status", [401, 500])
async def test_token_that_is_refused_is_not_asked_for_again(status: int) -> None:
    """D3 of the facts: a 401 of the token call is final, and whoever waited for it has failed as well."""
    service = Service()
    service.gate = anyio.Event()
    service.token_answers = [json_answer({"detail": "bad client"}, status)]
    async with service.client() as planship, anyio.create_task_group() as tasks:
        outcomes: list[object] = []

        async def ask() -> None:
            outcomes.extend(await at_once(100, planship.get_product))

        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        service.gate.set()
        await anyio.wait_all_tasks_blocked()
        assert [getattr(each, "status", None) for each in outcomes] == [status] * 100
        assert {(str(each), getattr(each, "detail", None)) for each in outcomes} == {
            (f"Planship answered {status} {HTTPStatus(status).phrase}: bad client", "bad client")
        }
        assert len({id(each) for each in outcomes}) == 100  # each task has a traceback of its own
        assert service.transport.lines() == [TOKEN]
        await planship.get_product()  # the next call asks anew


async def test_caller_that_is_cancelled_while_it_asks_leaves_the_asking_to_the_next() -> None:
    """This SDK: what others wait for does not go down with one of them."""
    service = Service()
    service.gate = anyio.Event()
    async with service.client() as planship, anyio.create_task_group() as tasks:
        first, outcomes = anyio.CancelScope(), []

        async def ask_and_go() -> None:
            with first:
                await planship.get_product()

        async def ask() -> None:
            outcomes.append(await planship.get_product())

        tasks.start_soon(ask_and_go)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.wait_all_tasks_blocked()
        service.gate.set()
    assert len(outcomes) == 1
    assert service.given == 2


async def test_function_for_tokens_is_told_whether_one_is_worn_out() -> None:
    """The facts, section 3: ``False`` at first, ``True`` after a 401; the bare token comes back."""
    service, forced = Service(), []

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        await anyio.lowlevel.checkpoint()
        forced.append(force_refresh)
        service.valid.add(f"g{len(forced)}")
        return f"g{len(forced)}"

    async with service.client(get_access_token=get_access_token) as planship:
        await planship.get_product()
        service.valid.clear()
        await planship.get_product()
        with pytest.raises(RuntimeError, match="no client_id"):
            await planship.get_access_token()
    assert forced == [False, True]
    assert TOKEN not in service.transport.lines()


@pytest.mark.parametrize(
    ("token", "kind", "words"),
    [
        (None, TypeError, "the access token must be a str, got NoneType"),
        ("", ValueError, "must not be empty"),
        ("a\nb", ValueError, "must be of printable ASCII"),
    ],
)
async def test_function_that_gives_no_token_fails_that_call(token: Any, kind: type[Exception], words: str) -> None:  # noqa: ANN401
    """This SDK: an empty token would be a 401 that nobody understands."""

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        del force_refresh
        await anyio.lowlevel.checkpoint()
        return token

    service = Service()
    async with service.client(get_access_token=get_access_token) as planship:
        with pytest.raises(kind, match=words):
            await planship.get_product()
    assert service.transport.asked == []


async def test_token_that_cannot_be_sent_is_not_kept() -> None:
    """A past bug: one with a line's end behind it, as files have it, failed every call for good."""
    service, tokens = Service(), ["mine\n", "mine"]
    service.valid.add("mine")

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        del force_refresh
        await anyio.lowlevel.checkpoint()
        return tokens.pop(0)

    async with service.client(get_access_token=get_access_token) as planship:
        with pytest.raises(ValueError, match="the access token must be of printable ASCII characters"):
            await planship.get_product()
        await planship.get_product()


@pytest.mark.parametrize("token", ["", " ", "sécret", "secret\r\nx: y", "\ud800"])
async def test_service_that_gives_no_token_is_at_fault_itself(token: str) -> None:
    """This SDK: what cannot be used is a PlanshipError as what cannot be read is; the next call asks again."""
    service = Service()
    service.token_answers = [json_answer({"access_token": token, "token_type": "b", "expires_in": 1}) for _ in range(2)]
    async with service.client() as planship:
        for call in (planship.get_product, planship.get_access_token):
            with pytest.raises(PlanshipError, match="that cannot be sent") as caught:
                await call()
            assert caught.value.status == 200
            assert caught.value.body == b""
            assert "cret" not in str(caught.value)
        await planship.get_product()
    assert service.given == 3


async def test_error_of_the_function_for_tokens_comes_out_as_it_is() -> None:
    """This SDK: it is the user's own."""

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        del force_refresh
        await anyio.lowlevel.checkpoint()
        raise KeyError("mine")

    async with Service().client(get_access_token=get_access_token) as planship:
        with pytest.raises(KeyError, match="mine"):
            await planship.get_product()


async def test_error_of_the_function_for_tokens_comes_to_all_who_waited() -> None:
    """This SDK: as it is, with whatever it holds."""
    gate = anyio.Event()

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        del force_refresh
        await gate.wait()
        raise OSError(7, "mine")

    async with Service().client(get_access_token=get_access_token) as planship, anyio.create_task_group() as tasks:
        outcomes: list[Any] = []

        async def ask() -> None:
            outcomes.extend(await at_once(3, planship.get_product))

        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert [(type(each), each.errno, each.strerror) for each in outcomes] == [(OSError, 7, "mine")] * 3


async def test_token_may_be_asked_for_by_hand() -> None:
    """The seed: ``getAccessToken`` gives the whole answer; the client's own token is another."""
    service = Service()
    async with service.client() as planship:
        token = await planship.get_access_token()
        assert (token.access_token, token.token_type, token.expires_in) == ("t1", "bearer", 3600)
    assert service.transport.asked[0].headers["authorization"] == "Basic SUQ6U0VDUkVU"
    assert service.transport.asked[0].content == b""
