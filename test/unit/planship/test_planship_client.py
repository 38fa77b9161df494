"""Planship's client: its block, what each call asks for and what comes of it, and what is not shown."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from answering import Answering, json_answer
from disclosure import Disclosure
from planship_service import PAIR, TOKEN, Service

from elarian_trio.errors import CommandTimedOut, ConnectionClosed, ConnectionLost, PlanshipError
from elarian_trio.planship import (
    CreateCustomerParameters,
    HttpOptions,
    ModifySubscriptionParameters,
    PlanshipCustomer,
    Retries,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

# --- calls ---


async def test_every_method_of_the_seed_asks_for_its_own() -> None:
    """Issue 5: every method, in snake case; what each sends to the byte is seen with the endpoints."""
    transport = Answering(lambda _: json_answer({"detail": "so"}, 418))
    calls: list[tuple[str, Callable[[PlanshipCustomer], Awaitable[object]]]] = [
        ("GET /products/p", lambda it: it.get_product()),
        ("GET /products/p/plans", lambda it: it.list_plans()),
        (
            "GET /products/p/plans?public_only=true&order_by=-name",
            lambda it: it.list_plans(public_only=True, order_by="-name"),
        ),
        ("GET /products/p/plans/s", lambda it: it.get_plan("s")),
        ("GET /products/p/plans/s?levers_order_by=name", lambda it: it.get_plan("s", levers_order_by=["name"])),
        ("GET /products/p/levers?order_by=order", lambda it: it.list_levers(order_by="order")),
        ("POST /customers {}", lambda it: it.create_customer()),
        ('POST /customers {"name":"A"}', lambda it: it.create_customer(CreateCustomerParameters(name="A"))),
        ("GET /customers/d", lambda it: it.get_customer("d")),
        ("DELETE /customers/d", lambda it: it.delete_customer("d")),
        ('POST /products/p/plans/s/subscriptions {"customer_id":"c"}', lambda it: it.create_subscription("s")),
        ("GET /customers/c/subscriptions", lambda it: it.list_subscriptions()),
        ("GET /customers/c/subscriptions?product_slug=q", lambda it: it.list_subscriptions(product_slug="q")),
        ("GET /customers/c/subscriptions/u", lambda it: it.get_subscription("u")),
        (
            'PATCH /customers/c/subscriptions/u {"max_subscribers":2}',
            lambda it: it.modify_subscription("u", ModifySubscriptionParameters(max_subscribers=2)),
        ),
        ('PATCH /customers/c/subscriptions/u {"plan_slug":"m"}', lambda it: it.change_subscription_plan("u", "m")),
        (
            'PATCH /customers/c/subscriptions/u {"renew_plan_slug":"m"}',
            lambda it: it.change_subscription_renew_plan("u", "m"),
        ),
        (
            'PATCH /customers/c/subscriptions/u {"max_subscribers":5}',
            lambda it: it.change_subscription_max_subscribers("u", 5),
        ),
        (
            'PATCH /customers/c/subscriptions/u {"auto_renew":false}',
            lambda it: it.set_subscription_auto_renew("u", False),
        ),
        (
            'PATCH /customers/c/subscriptions/u {"is_active":true}',
            lambda it: it.set_subscription_is_active("u", True),
        ),
        ("GET /customers/c/subscriptions/u/customers", lambda it: it.list_subscription_customers("u")),
        (
            "POST /customers/c/subscriptions/u/customers "
            '{"customer_id":"d","is_administrator":false,"is_subscriber":true}',
            lambda it: it.add_subscription_customer("u", "d"),
        ),
        ("DELETE /customers/c/subscriptions/u/customers/d", lambda it: it.remove_subscription_customer("u", "d")),
        ("GET /customers/c/products/p/entitlements", lambda it: it.get_entitlements()),
        ("GET /customers/c/products/p/levers/l/usage", lambda it: it.get_lever_usage("l")),
        ("GET /customers/c/products/p/usage/m", lambda it: it.get_metering_id_usage("m")),
        ('POST /customers/c/products/p/usage/m {"usage":3}', lambda it: it.report_usage("m", 3)),
        ('POST /customers/c/products/p/usage/m {"usage":3,"bucket":"b"}', lambda it: it.report_usage("m", 3, "b")),
    ]

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        del force_refresh
        await anyio.lowlevel.checkpoint()
        return "t"

    async with PlanshipCustomer("p", "c", get_access_token=get_access_token, transport=transport) as planship:
        for _, call in calls:
            with pytest.raises(PlanshipError) as caught:
                await call(planship)
            assert (caught.value.status, caught.value.detail) == (418, "so")
    asked = [
        f"{line.replace('/api/v1', '')} {body}".strip()
        for line, body in zip(transport.lines(), transport.bodies(), strict=True)
    ]
    assert asked == [line for line, _ in calls]
    assert {each.headers["authorization"] for each in transport.asked} == {"Bearer t"}


async def test_get_is_sent_again_by_default_and_nothing_else() -> None:
    """Issue 5: GET only, after a 429 or 503; a POST never, whatever the options say."""
    transport = Answering(lambda _: json_answer({}, 503, retry_after="0"))

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        del force_refresh
        await anyio.lowlevel.checkpoint()
        return "t"

    async with PlanshipCustomer("p", "c", get_access_token=get_access_token, transport=transport) as planship:
        for call, times in ((planship.list_plans, 3), (planship.create_customer, 1)):
            transport.asked.clear()
            with pytest.raises(PlanshipError, match="503"):
                await call()
            assert len(transport.asked) == times
    options = HttpOptions(retries=Retries(attempts=2, methods=frozenset({"DELETE"})))
    async with PlanshipCustomer(
        "p", "c", get_access_token=get_access_token, transport=transport, options=options
    ) as planship:
        transport.asked.clear()
        with pytest.raises(PlanshipError, match="503"):
            await planship.delete_customer("d")
    assert len(transport.asked) == 2


async def test_time_out_holds_for_the_token_as_well() -> None:
    """This SDK: seconds for one call with all that belongs to it, and nothing of it was sent."""
    service = Service()
    service.gate = anyio.Event()
    async with service.client(options=HttpOptions(timeout=0.01)) as planship:
        with pytest.raises(CommandTimedOut) as caught:
            await planship.report_usage("m", 1)
    assert caught.value.sent is False


@pytest.mark.parametrize(
    ("host", "customer_id", "words"),
    [("h", "c" * 70_000, "no address of a request, with the ids in it: URL too long"), ("⒈com", "c", "⒈com")],
)
async def test_address_that_cannot_be_is_a_value_error(host: str, customer_id: str, words: str) -> None:
    """A past bug: the error of the package below came out, which is no ValueError and nothing of this package's."""

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        del force_refresh
        await anyio.lowlevel.checkpoint()
        return "token"

    transport = Answering([])
    base_url = f"https://{host}"
    async with PlanshipCustomer(
        "p", "c", get_access_token=get_access_token, base_url=base_url, transport=transport
    ) as planship:
        with pytest.raises(ValueError, match=words):
            await planship.get_customer(customer_id)
    assert transport.asked == []


@pytest.mark.parametrize("base_url", ["http://[::1]:8080", f"https://{'h' * 63}.io"])
async def test_host_without_an_address_of_updates_serves_everything_else(base_url: str) -> None:
    """This SDK: who wants updates there is told what to give, before anything is asked for."""
    service = Service()
    async with service.client(base_url=base_url) as planship:
        await planship.get_product()
        asked = service.transport.lines()
        with pytest.raises(ValueError, match="give web_socket_url"):
            async with planship.entitlement_updates():
                raise AssertionError("they were opened")
        with pytest.raises(ValueError, match="give web_socket_url"):
            await planship.get_entitlements(print)
        assert service.transport.lines() == asked
    given = service.client(base_url=base_url, web_socket_url="ws://[::1]:1")
    async with given as planship, planship.entitlement_updates():
        pass


async def test_connection_lost_with_the_token_was_not_the_calls() -> None:
    """A past bug: usage that was never reported might have been, by what was said; as of a time-out it is told now."""
    token = json_answer({"access_token": "t", "token_type": "b", "expires_in": 1})
    expired = json_answer({"detail": "expired"}, 401)
    lost = httpx2.ReadError("")
    transport = Answering([lost, lost, token, expired, lost])
    async with PlanshipCustomer("p", "c", **PAIR, transport=transport) as planship:
        for call, was_sent in (
            (partial(planship.report_usage, "m", 1), False),
            (planship.get_access_token, True),
            (partial(planship.report_usage, "m", 1), True),
        ):
            with pytest.raises(ConnectionLost) as caught:
                await call()
            assert caught.value.sent is was_sent
    assert [line for line in transport.lines() if line != TOKEN] == ["POST /api/v1/customers/c/products/p/usage/m"]


async def test_connection_that_the_function_for_tokens_lost_is_its_own() -> None:
    """This SDK: what it raises comes out as it is."""
    mine = ConnectionLost("mine", sent=True)

    async def get_access_token(force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        del force_refresh
        await anyio.lowlevel.checkpoint()
        raise mine

    async with Service().client(get_access_token=get_access_token) as planship:
        with pytest.raises(ConnectionLost) as caught:
            await planship.get_product()
    assert caught.value is mine


async def test_broken_connection_is_this_packages_own_error() -> None:
    """This SDK: transport failures are never httpx2's."""
    transport = Answering(
        [json_answer({"access_token": "t", "token_type": "b", "expires_in": 1}), httpx2.ReadError("")]
    )
    async with PlanshipCustomer("p", "c", **PAIR, transport=transport) as planship:
        with pytest.raises(ConnectionLost) as caught:
            await planship.report_usage("m", 1)
    assert caught.value.sent is True


# --- the block ---


async def test_client_works_in_its_block_and_nowhere_else() -> None:
    """This SDK: one block owns it."""
    service = Service()
    planship = service.client()
    with pytest.raises(ConnectionClosed):
        await planship.get_product()
    async with planship as entered:
        assert entered is planship
        await planship.get_product()
    for call in (planship.get_product, planship.get_access_token, planship.get_entitlements):
        with pytest.raises(ConnectionClosed):
            await call()
    with pytest.raises(ConnectionClosed):
        async with planship.entitlement_updates():
            pass
    with pytest.raises(RuntimeError, match="entered before"):
        async with planship:
            pass
    assert service.transport.is_closed


async def test_error_of_the_block_comes_out_as_it_is() -> None:
    """This SDK: no exception group that the user did not raise."""
    mine = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as caught:
        async with Service().client():
            raise mine
    assert caught.value is mine


async def test_block_that_is_cancelled_is_left_at_once() -> None:
    """This SDK: cancellation is never held back, and what was under way is closed."""
    service = Service()
    service.gate = anyio.Event()
    with anyio.move_on_after(0.01) as scope:
        async with service.client() as planship:
            await planship.get_product()
    assert scope.cancelled_caught
    assert service.transport.is_closed


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({}, ValueError, "either client_id and client_secret, or get_access_token"),
        ({"client_id": "a"}, ValueError, "either client_id"),
        ({"client_secret": "a"}, ValueError, "either client_id"),
        ({**PAIR, "get_access_token": print}, ValueError, "either client_id"),
        ({"client_id": "a", "get_access_token": print}, ValueError, "either client_id"),
        ({"get_access_token": "t"}, TypeError, "get_access_token must be a function, got str"),
        ({"client_id": 7, "client_secret": "a"}, TypeError, "client_id must be a str, got int"),
        ({"client_id": "a", "client_secret": " "}, ValueError, "client_secret must not be empty"),
        ({"client_id": "a:b", "client_secret": "a"}, ValueError, "client_id must not contain a colon"),
        ({**PAIR, "base_url": "api.planship.io"}, ValueError, "looks like https://host"),
        ({**PAIR, "web_socket_url": "https://h"}, ValueError, "looks like wss://host"),
        ({**PAIR, "product_slug": ""}, ValueError, "must not be ''"),
        ({**PAIR, "customer_id": None}, TypeError, "got NoneType"),
        ({**PAIR, "options": 5}, TypeError, "options must be a HttpOptions, got int"),
        ({**PAIR, "reconnects": None}, TypeError, "reconnects must be a Reconnects, got NoneType"),
        ({**PAIR, "transport": 5}, TypeError, "transport must be an httpx2.AsyncBaseTransport, got int"),
    ],
)
async def test_bad_arguments_are_refused_at_once(arguments: Any, kind: type[Exception], words: str) -> None:  # noqa: ANN401
    """This SDK: with what would be right, before anything is opened."""
    await anyio.lowlevel.checkpoint()
    with pytest.raises(kind, match=words):
        PlanshipCustomer(**{"product_slug": "p", "customer_id": "c", **arguments})


# --- what is not shown ---


def test_a_client_says_for_whom_and_where() -> None:
    """style.md: credentials are in no repr; of the rest it tells what somebody at a prompt would ask."""
    planship = PlanshipCustomer("p", "c", client_id="the-client", client_secret="hush", base_url="http://127.0.0.1:1")
    assert repr(planship) == "<PlanshipCustomer 'c' of 'p' at http://127.0.0.1:1>"
    assert repr(PlanshipCustomer.__new__(PlanshipCustomer)) == "<PlanshipCustomer, not made>"


async def test_credentials_show_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Promise 4 of the design: no repr, log, error or traceback, not even of a service that repeats them."""
    caplog.set_level(logging.DEBUG)
    secret, token = "Th1s-1s-the-s3cret-0f-all", "Th3-t0ken-that-nob0dy-s33s"
    disclosure = Disclosure()
    disclosure.keep_secret("the secret", secret)
    disclosure.keep_secret("the token", token)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/auth/token"):
            return json_answer({"detail": f"what is {token}?"}, 401)
        if sum(each.url.path.endswith("/auth/token") for each in transport.asked) < 3:
            return json_answer({"access_token": token, "token_type": "bearer", "expires_in": 1})
        return json_answer({"detail": f"not {secret}"}, 401)

    transport = Answering(answer)
    with disclosure.watch_logs():
        planship = PlanshipCustomer("p", "c", client_id="the-client", client_secret=secret, transport=transport)
        async with planship:
            for call in (planship.get_product, planship.get_product, planship.get_access_token):
                with pytest.raises(PlanshipError) as caught:
                    await call()
                disclosure.note_error(caught.value)
                assert "<secret>" in str(caught.value.detail)
            disclosure.note_objects()
        for arguments in ({"client_secret": secret}, {"client_id": "a:b", "client_secret": secret}):
            with pytest.raises(ValueError, match="client") as refused:
                PlanshipCustomer("p", "c", **arguments)  # type: ignore[arg-type]
            disclosure.note_error(refused.value)
    assert disclosure.found() == []


async def test_token_that_cannot_be_read_shows_nowhere() -> None:
    """Promise 4 of the design: it may be beside what is wrong."""
    token = "Th3-t0ken-that-nob0dy-s33s"
    disclosure = Disclosure()
    disclosure.keep_secret("the token", token)
    async with PlanshipCustomer("p", "c", **PAIR, transport=Answering([json_answer({"access_token": token})])) as it:
        with pytest.raises(PlanshipError, match="should be there") as caught:
            await it.get_product()
    disclosure.note_error(caught.value)
    assert disclosure.found() == []
