"""Read by the type checkers, never run: Talon.One's client, what is sent and answered, and its stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, assert_type

from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.talonone import Application, Catalogue, Coupon, Rule, RuleState, TalonOneServer, WebFault
from elarian_trio.talonone import (
    RETRIES,
    UNSET,
    AcceptCoupon,
    ApiKeyAuth,
    CartItem,
    CustomerSession,
    Effect,
    EffectDetails,
    HttpOptions,
    IntegrationApi,
    IntegrationState,
    NewCustomerProfile,
    NewCustomerSession,
    NewEvent,
    NewReferral,
    Referral,
    SessionState,
    SetDiscount,
    SignatureAuth,
    TalonOneConflict,
    TalonOneError,
    TalonOneProblem,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio import ElarianError, ServiceError


async def clients() -> None:
    IntegrationApi("https://mine.talon.one", auth=SignatureAuth(1, "fefecafedeadbeef"), one_at_a_time=True)
    IntegrationApi("https://mine.talon.one", auth=ApiKeyAuth("k"), options=HttpOptions(retries=RETRIES, timeout=5.0))
    async with IntegrationApi("https://mine.talon.one", api_key="k") as talon_one:
        assert_type(talon_one, IntegrationApi)


async def operations(talon_one: IntegrationApi) -> None:
    referral = await talon_one.create_referral(
        NewReferral(campaign_id=3, advocate_profile_integration_id="u1", expiry_date=datetime.now(UTC))
    )
    assert_type(referral, Referral)
    assert_type(referral.expiry_date, datetime | None)
    item = CartItem(name="Tea", sku="t-1", quantity=1, price=Decimal("4.50"), attributes={"Cold": None, "Tags": ["a"]})
    state = await talon_one.update_customer_session(
        "cart-7", NewCustomerSession(profile_id=None, state="closed", cart_items=[item], total=9, coupon=UNSET)
    )
    assert_type(state, IntegrationState)
    assert_type(state.session, CustomerSession)
    assert_type(state.session.state, SessionState | str)
    assert_type(await talon_one.track_event(NewEvent(session_id="s", type="seen"), dry=True), IntegrationState)
    profile: dict[str, str | None] = {"Name": None}
    assert_type(await talon_one.update_customer_profile("u1", NewCustomerProfile(attributes=profile)), IntegrationState)
    await talon_one.delete_customer_data("u1")


def effects(state: IntegrationState) -> float:
    total = 0.0
    for effect in state.effects:
        assert_type(effect, Effect)
        assert_type(effect.args, tuple[Any, ...])
        assert_type(effect.details, EffectDetails | None)
        match effect.details:
            case SetDiscount(label, amount):
                assert_type(label, str)
                total += amount
            case AcceptCoupon(code=code):
                assert_type(code, str)
            case _:
                pass
    return total


def errors(error: ElarianError) -> None:
    if isinstance(error, TalonOneConflict):
        assert_type(error.retryable, bool)
    if isinstance(error, TalonOneError):
        service_error: ServiceError = error
        assert_type(service_error.status, int)
        assert_type(error.errors, tuple[TalonOneProblem, ...])
        assert_type(error.errors[0].pointer, str | None)


async def mistakes(talon_one: IntegrationApi) -> None:
    NewReferral(3, "u1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    NewCustomerSession(state="shut")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    NewEvent(session_id="s")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await talon_one.track_event({"sessionId": "s"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def spring(state: RuleState, event: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    assert_type(state.coupon, str)
    return [("setDiscount", "Spring", 2)] if state.coupon and event["type"] else []


async def standins() -> None:
    async with TalonOneServer(rules=[spring, Rule(spring, campaign_id=54)], coupons=[Coupon(code="SPRING")]) as server:
        assert_type(server, TalonOneServer)
        assert_type(server.base_url, str)
        assert_type(server.session("s"), dict[str, Any] | None)
        server.faults.add(WebFault.status(503), on="PUT *", times=1)
        await server.reset()
        async with IntegrationApi(**server.credentials) as talon_one:
            assert_type(talon_one, IntegrationApi)
    async with Sandbox(talon_one=TalonOneServer(applications=[Application(application_id=7)])) as sandbox:
        assert_type(sandbox.talon_one, TalonOneServer)
    TalonOneServer(catalogue=Catalogue(profile={"Tier": "string"}, events={"seen": {"Page": "number"}}))
    TalonOneServer(catalogue=Catalogue(profile={"Tier": "text"}))  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
