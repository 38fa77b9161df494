"""Read by the type checkers, never run: Planship's client as users write it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, assert_type

from elarian_trio import ElarianError
from elarian_trio.planship import (
    CreateCustomerParameters,
    CreateSubscriptionOptions,
    Customer,
    CustomerInDbBase,
    CustomerSubscriptionWithPlan,
    Entitlements,
    EntitlementUpdates,
    HttpOptions,
    LeverUsage,
    MeteringRecord,
    ModifySubscriptionParameters,
    Plan,
    PlanDetails,
    PlanshipCustomer,
    PlanshipError,
    Product,
    Reconnects,
    Retries,
    SubscriptionCustomer,
    SubscriptionCustomerInDbBase,
    SubscriptionWithPlan,
    TokenResponse,
)


async def token(force_refresh: bool) -> str:
    return "fresh" if force_refresh else "kept"


async def told(entitlements: Entitlements) -> None:
    assert_type(entitlements["premium-button"], Any)


def told_at_once(entitlements: Entitlements) -> int:
    return len(entitlements)


async def clients() -> None:
    options = HttpOptions(timeout=10.0, retries=Retries(attempts=5), proxy="http://proxy:8080")
    async with PlanshipCustomer("clicker-demo", "c1", client_id="i", client_secret="s", options=options) as planship:
        assert_type(planship, PlanshipCustomer)
    reconnects = Reconnects(first=0.001, cap=0.001, ping_after=None)
    PlanshipCustomer("clicker-demo", "c1", get_access_token=token, reconnects=reconnects)
    PlanshipCustomer(
        product_slug="clicker-demo",
        customer_id="c1",
        get_access_token=token,
        base_url="http://127.0.0.1:8080",
        web_socket_url="ws://127.0.0.1:8080",
    )


async def calls(planship: PlanshipCustomer) -> None:
    assert_type(await planship.get_product(), Product)
    assert_type(await planship.list_plans(), tuple[Plan, ...])
    assert_type(await planship.get_plan("small"), PlanDetails)
    assert_type(await planship.create_customer(), Customer)
    assert_type(await planship.create_customer(CreateCustomerParameters(name="Asha")), Customer)
    assert_type(await planship.get_customer("asha@example.com"), CustomerInDbBase)
    assert_type(await planship.delete_customer("asha@example.com"), CustomerInDbBase)
    options = CreateSubscriptionOptions(renew_at=datetime.now(UTC), metadata={"source": "ussd"})
    assert_type(await planship.create_subscription("small", options), SubscriptionWithPlan)
    assert_type(await planship.list_subscriptions(), tuple[CustomerSubscriptionWithPlan, ...])
    changed = await planship.modify_subscription("u", ModifySubscriptionParameters(auto_renew=False))
    assert_type(changed, CustomerSubscriptionWithPlan)
    assert_type(await planship.change_subscription_plan("u", "large"), CustomerSubscriptionWithPlan)
    assert_type(await planship.change_subscription_renew_plan("u", "large"), CustomerSubscriptionWithPlan)
    assert_type(await planship.change_subscription_max_subscribers("u", 5), CustomerSubscriptionWithPlan)
    assert_type(await planship.set_subscription_auto_renew("u", True), CustomerSubscriptionWithPlan)
    assert_type(await planship.set_subscription_is_active("u", is_active=False), CustomerSubscriptionWithPlan)
    assert_type(await planship.list_subscription_customers("u"), tuple[SubscriptionCustomer, ...])
    assert_type(await planship.add_subscription_customer("u", "c2", True, metadata={"a": 1}), SubscriptionCustomer)
    assert_type(await planship.remove_subscription_customer("u", "c2"), SubscriptionCustomerInDbBase)
    assert_type(await planship.get_lever_usage("clicks"), LeverUsage)
    assert_type(await planship.get_metering_id_usage("click"), dict[str, LeverUsage])
    assert_type(await planship.report_usage("click", 1, bucket="home"), MeteringRecord)
    assert_type(await planship.get_access_token(), TokenResponse)


async def entitlements(planship: PlanshipCustomer) -> None:
    assert_type(await planship.get_entitlements(), dict[str, Any])
    await planship.get_entitlements(told)
    await planship.get_entitlements(told_at_once)
    async with planship.entitlement_updates() as updates:
        assert_type(updates, EntitlementUpdates)
        async for each in updates:
            assert_type(each, dict[str, Any])


async def errors(planship: PlanshipCustomer) -> None:
    try:
        await planship.get_product()
    except PlanshipError as error:
        assert_type(error.detail, str | list[dict[str, Any]] | None)
        assert_type(error.status, int)
        assert_type(error.body, bytes)
        assert_type(error.retryable, bool)
    except ElarianError as error:
        assert_type(error, ElarianError)


async def mistakes(planship: PlanshipCustomer) -> None:
    await planship.report_usage("click", 1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await planship.create_customer({"name": "Asha"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CreateCustomerParameters("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    PlanshipCustomer("p", "c", "id", "secret")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
