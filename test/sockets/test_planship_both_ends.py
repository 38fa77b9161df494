"""Planship's client against the stand-in for its service, over sockets: both ends are this package's own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from elarian_trio.errors import ConnectionLost, PlanshipError
from elarian_trio.planship import (
    CreateCustomerParameters,
    CreateSubscriptionOptions,
    Entitlements,
    EntitlementUpdates,
    HttpOptions,
    ModifySubscriptionParameters,
    PlanshipCustomer,
    Reconnects,
    Retries,
)
from elarian_trio.sandbox.planship import PlanshipServer, WebFault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from elarian_trio.sandbox.clock import ClockName

pytestmark = pytest.mark.anyio

BOUND = 20.0  # seconds that a test may take; each takes less than one
WHO = "asha/1+é%@example.com"  # needs encoding wherever it stands in a path
PRODUCT = "clicker-demo"
AT_ONCE = Reconnects(first=0.001, cap=0.001)
DROPS = 60


class Getter:
    """An application that gets tokens by itself, from the same service."""

    def __init__(self, planship: PlanshipServer) -> None:
        self.asked: list[bool] = []
        self._urls = {name: planship.credentials[name] for name in ("base_url", "web_socket_url")}
        self._credentials = planship.credentials

    async def __call__(self, force_refresh: bool) -> str:  # noqa: FBT001, RUF100 - as the facts have it
        self.asked.append(force_refresh)
        async with PlanshipCustomer(PRODUCT, WHO, **self._credentials) as other:
            return (await other.get_access_token()).access_token

    @property
    def arguments(self) -> dict[str, Any]:
        return {**self._urls, "get_access_token": self}


@asynccontextmanager
async def shop(
    *,
    by_getter: bool = False,
    clock: ClockName = "auto",
    **settings: Any,  # noqa: ANN401 - the client's
) -> AsyncIterator[tuple[PlanshipServer, PlanshipCustomer]]:
    """Have a customer who is subscribed to the smallest plan."""
    with anyio.fail_after(BOUND):
        async with PlanshipServer(seed=1, clock=clock) as planship:
            credentials = Getter(planship).arguments if by_getter else planship.credentials
            async with PlanshipCustomer(PRODUCT, WHO, **{**credentials, **settings}) as customer:
                await customer.create_customer(CreateCustomerParameters(alternative_id=WHO))
                await customer.create_subscription("small")
                planship.forget_requests()
                yield planship, customer


async def until(reached: Callable[[], bool]) -> None:
    """Let others have their turn until *reached* says so; the test is bounded."""
    while not reached():
        await anyio.lowlevel.checkpoint()


def asked(planship: PlanshipServer) -> list[str]:
    """Give what was asked and how it was answered, a line each."""
    return [f"{each.request.method} {each.request.path} {each.status}" for each in planship.requests]


# --- every method ---


@pytest.mark.parametrize("by_getter", [False, True], ids=["credentials", "getter"])
async def test_customers_and_the_catalogue_are_what_was_made_of_them(by_getter: bool) -> None:
    """Issue 5: every method, by both kinds of credentials; D25's extras as well."""
    async with shop(by_getter=by_getter) as (_, customer):
        product = await customer.get_product()
        assert (product.slug, product.extra) == (PRODUCT, {})
        plans = await customer.list_plans()
        assert [plan.slug for plan in plans] == ["small", "medium", "large"]
        assert await customer.list_plans(order_by="order", public_only=False) == plans
        assert [plan.slug for plan in await customer.list_plans(order_by=["-order"])] == ["large", "medium", "small"]
        plan = await customer.get_plan("small")
        turned = await customer.get_plan("small", levers_order_by="-order")
        assert turned.entitlements == plan.entitlements[::-1]
        assert all(each.formatted_value and each.lever_name for each in plan.entitlements)
        levers = await customer.list_levers(order_by="-order")
        assert [lever.name for lever in levers] == [each.lever_name for each in turned.entitlements]

        made = await customer.create_customer(
            CreateCustomerParameters(alternative_id="ben/1", name="Ben", email="b@x", metadata={"a": [None, "é"]})
        )
        assert (made.subscriptions, made.metadata) == ((), {"a": [None, "é"]})
        for name in ("ben/1", made.id):
            assert await customer.get_customer(name) == await customer.get_customer(made.id)
        assert (await customer.delete_customer("ben/1")).id == made.id
        with pytest.raises(PlanshipError) as caught:
            await customer.get_customer("ben/1")
        assert (caught.value.status, caught.value.detail) == (404, "Customer not found")


@pytest.mark.parametrize("by_getter", [False, True], ids=["credentials", "getter"])
async def test_subscriptions_are_what_was_made_of_them(by_getter: bool) -> None:
    """Issue 5: every method, by both kinds of credentials; D9 and D10 where somebody may not."""
    async with shop(by_getter=by_getter) as (_, customer):
        (first,) = await customer.list_subscriptions()
        options = CreateSubscriptionOptions(is_subscriber=False, max_subscribers=3, auto_renew=False, metadata={"n": 1})
        made = await customer.create_subscription("medium", options)
        assert (made.plan.slug, made.max_subscribers, made.auto_renew) == ("medium", 3, False)
        both = await customer.list_subscriptions(product_slug=PRODUCT)
        assert {each.subscription_id for each in both} == {first.subscription_id, made.id}
        assert await customer.list_subscriptions(product_slug="another") == ()
        found = await customer.get_subscription(made.id)
        assert (found.is_administrator, found.is_subscriber, found.metadata) == (True, False, {"n": 1})

        assert (await customer.change_subscription_plan(made.id, "large")).plan.slug == "large"
        renewing = await customer.change_subscription_renew_plan(made.id, "small")
        assert (renewing.plan.slug, renewing.renew_plan.slug) == ("large", "small")
        assert (await customer.change_subscription_max_subscribers(made.id, 2)).max_subscribers == 2
        assert (await customer.set_subscription_auto_renew(made.id, True)).auto_renew
        assert not (await customer.set_subscription_is_active(made.id, False)).is_active
        changed = await customer.modify_subscription(made.id, ModifySubscriptionParameters(is_active=True))
        assert (changed.is_active, changed.auto_renew, changed.max_subscribers) == (True, True, 2)

        ben = await customer.create_customer(CreateCustomerParameters(alternative_id="ben"))
        added = await customer.add_subscription_customer(made.id, "ben", metadata={"seat": 1})
        assert (added.customer_id, added.is_administrator, added.metadata) == (ben.id, False, {"seat": 1})
        members = await customer.list_subscription_customers(made.id)
        assert {each.customer_id for each in members} == {ben.id, found.customer_id}
        with pytest.raises(PlanshipError) as caught:
            await customer.add_subscription_customer(made.id, "ben")
        assert caught.value.status == 409
        with pytest.raises(PlanshipError, match="409 Conflict: The only subscriber"):
            await customer.remove_subscription_customer(made.id, ben.id)
        await customer.create_customer(CreateCustomerParameters(alternative_id="cleo"))
        await customer.add_subscription_customer(made.id, "cleo", is_administrator=True)
        assert (await customer.remove_subscription_customer(made.id, "ben")).customer_id == ben.id


@pytest.mark.parametrize("by_getter", [False, True], ids=["credentials", "getter"])
async def test_use_is_counted_and_taken_from_what_is_left(by_getter: bool) -> None:
    """Issue 5: every method, by both kinds of credentials; D13 for the record."""
    async with shop(by_getter=by_getter) as (_, customer):
        before = await customer.get_entitlements()
        record = await customer.report_usage("button-click", 3, "b é/1")
        assert (record.usage, record.bucket, record.is_allocated, record.subscription_id) == (3, "b é/1", False, None)
        after = await customer.get_entitlements()
        lever = "subscription-button-clicks"
        assert after[lever] == before[lever] - 3
        usage = await customer.get_lever_usage(lever)
        assert (usage.total, usage.by_bucket) == (3, {"null": 3})
        every = await customer.get_metering_id_usage("button-click")
        assert every[lever] == usage
        assert every["button-clicks-per-project-per-day"].by_bucket == {"b é/1": 3}
        assert await customer.get_metering_id_usage("nobody/knows") == {}


async def test_token_is_had_by_hand_where_there_are_credentials() -> None:
    """D2: and nowhere else."""
    async with shop() as (_, customer):
        assert (await customer.get_access_token()).token_type == "bearer"
    async with shop(by_getter=True) as (_, customer):
        with pytest.raises(RuntimeError, match="get_access_token function"):
            await customer.get_access_token()


# --- tokens ---


@pytest.mark.parametrize("by_getter", [False, True], ids=["credentials", "getter"])
async def test_tokens_revoked_under_a_hundred_calls_are_refreshed_once_and_none_fails(by_getter: bool) -> None:
    """Issue 5: one refresh, 0 failures; D3. All hundred are held at the service until the tokens count no more."""
    async with shop(by_getter=by_getter, clock="manual") as (planship, customer):
        held = planship.faults.add(WebFault.delay(1), on="GET *", times=100)
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(customer.get_entitlements)
            await until(lambda: held.bites == 100)
            await planship.revoke_tokens()
            await anyio.wait_all_tasks_blocked()
            await planship.clock.advance(timedelta(seconds=1))
        lines = asked(planship)
    assert sum(line == "POST /api/v1/auth/token 200" for line in lines) == 1
    assert (sum(line.endswith(" 401") for line in lines), len(lines)) == (100, 201)


@pytest.mark.parametrize("by_getter", [False, True], ids=["credentials", "getter"])
async def test_service_that_answers_401_for_ever_is_asked_twice_a_call(by_getter: bool) -> None:
    """Issue 5: and then a typed error."""
    async with shop(by_getter=by_getter) as (planship, customer):
        planship.faults.add(WebFault.status(401), on="* /api/v1/products/*")
        for _ in range(3):
            planship.forget_requests()
            with pytest.raises(PlanshipError) as caught:
                await customer.get_product()
            assert caught.value.status == 401
            assert [line for line in asked(planship) if "token" not in line] == [
                "GET /api/v1/products/clicker-demo 401"
            ] * 2


# --- what goes wrong ---


async def test_reading_is_tried_again_and_nothing_else_is() -> None:
    """Issue 5: retries by table, GET alone unless asked; a POST may have been acted on."""
    async with shop(options=HttpOptions(retries=Retries(first=0.001))) as (planship, customer):
        planship.faults.add(WebFault.status(503, headers={"retry-after": "0"}), on="GET *", times=1)
        planship.faults.add(WebFault.drop(when="after"), on="GET *", times=1)
        assert (await customer.get_product()).slug == PRODUCT
        assert len(planship.requests) == 3
        planship.faults.add(WebFault.drop(when="after"), on="POST *", times=1)
        with pytest.raises(ConnectionLost) as lost:
            await customer.report_usage("button-click", 5)
        assert lost.value.sent
        assert (await customer.get_lever_usage("subscription-button-clicks")).total == 5
        planship.faults.add(WebFault.not_json(status=502), on="POST *", times=1)
        with pytest.raises(PlanshipError) as caught:
            await customer.report_usage("button-click", 1)
        assert (caught.value.status, caught.value.detail) == (502, None)
        assert b"<html>" in caught.value.body


# --- updates ---


class Seen:
    """What a reader has seen: how much was left, each time."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self._read = anyio.Event()

    def take(self, entitlements: Entitlements) -> None:
        self.left.append(entitlements["subscription-button-clicks"])
        self._read.set()
        self._read = anyio.Event()

    async def follow(self, updates: EntitlementUpdates) -> None:
        async for entitlements in updates:
            self.take(entitlements)

    async def has_seen(self, left: int) -> None:
        while not self.left or self.left[-1] != left:
            await self._read.wait()


@pytest.mark.parametrize("by_getter", [False, True], ids=["credentials", "getter"])
async def test_updates_end_where_the_service_is_however_often_it_drops_them(by_getter: bool) -> None:
    """Issue 5: the last state is the service's, none is older than one before; the suite sees that no task is left."""
    async with shop(by_getter=by_getter, reconnects=AT_ONCE) as (planship, customer):
        seen, told = Seen(), Seen()
        async with customer.entitlement_updates() as updates, anyio.create_task_group() as tasks:
            tasks.start_soon(seen.follow, updates)
            await customer.get_entitlements(told.take)
            for number in range(DROPS):
                await until(lambda: planship.listeners > 0)
                await customer.report_usage("button-click", 1)
                (planship.drop_sockets, planship.close_sockets)[number % 2]()
            left: int = (await customer.get_entitlements())["subscription-button-clicks"]
            for each in (seen, told):
                await each.has_seen(left)
            tasks.cancel_scope.cancel()
    assert left == 100 - DROPS
    for each in (seen, told):
        assert each.left == sorted(each.left, reverse=True)


async def test_updates_outlive_tokens_that_are_revoked() -> None:
    """D19 and D22: closed with 1008, and opened again with a fresh token; each connection counts as a good one here."""
    steady = replace(AT_ONCE, steady_after=0.0)
    async with shop(reconnects=steady) as (planship, customer), customer.entitlement_updates() as updates:
        assert (await updates.receive())["subscription-button-clicks"] == 100
        for left in (99, 98, 97):
            await planship.revoke_tokens()
            await customer.report_usage("button-click", 1)
            while (await updates.receive())["subscription-button-clicks"] != left:
                pass


async def test_updates_of_a_customer_who_is_not_there_end_for_good() -> None:
    """D22: a handshake that is answered 404 is final."""
    async with shop() as (planship, customer), customer.entitlement_updates() as updates:
        await updates.receive()
        await customer.delete_customer(WHO)
        planship.drop_sockets()
        with pytest.raises(PlanshipError) as caught:
            async for _ in updates:
                pass
        assert caught.value.status == 404


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.005, 0.02])
async def test_calls_and_updates_that_are_cancelled_leave_a_client_that_works(moment: float) -> None:
    """This SDK: cancellation at any moment; the suite sees that no task and no socket is left."""
    async with shop(reconnects=AT_ONCE) as (planship, customer):
        for _ in range(10):
            with anyio.move_on_after(moment):
                async with customer.entitlement_updates() as updates:
                    await updates.receive()
                    async with anyio.create_task_group() as tasks:
                        for _ in range(5):
                            tasks.start_soon(customer.report_usage, "button-click", 0)
        assert (await customer.get_product()).slug == PRODUCT
        await until(lambda: planship.listeners == 0)
