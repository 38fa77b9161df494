"""Talon.One's client against the stand-in for its service, over sockets: both ends are this package's own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from elarian_trio.errors import ConnectionLost
from elarian_trio.sandbox.talonone import Application, Coupon, RuleState, TalonOneServer, WebFault
from elarian_trio.talonone import (
    RETRIES,
    CartItem,
    HttpOptions,
    IntegrationApi,
    NewCustomerProfile,
    NewCustomerSession,
    NewEvent,
    NewReferral,
    SignatureAuth,
    TalonOneConflict,
    TalonOneError,
    TalonOneInvalid,
    TalonOneNotFound,
    TalonOneUnauthorized,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

pytestmark = pytest.mark.anyio

BOUND = 20.0  # seconds that a test may take; each takes less than one
KEY = "fefecafedeadbeef"
WHO, CART = "asha/1+é%@x", "cart 7/+é%"  # they need encoding
BOTH = pytest.mark.parametrize("by_signature", [False, True], ids=["key", "signature"])


def spring(state: RuleState, _event: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Take two off for a coupon."""
    return [("setDiscount", "Spring", 2)] if state.coupon == "SPRING" else []


@asynccontextmanager
async def shop(
    *,
    by_signature: bool = False,
    refuse_overlap: bool = False,
    **settings: Any,  # noqa: ANN401 - the client's
) -> AsyncIterator[tuple[TalonOneServer, IntegrationApi]]:
    """Have a deployment with one coupon and one rule."""
    server = TalonOneServer(
        rules=[spring],
        coupons=[Coupon(code="SPRING")],
        applications=[Application(application_id=7, application_key=KEY)],
        refuse_overlap=refuse_overlap,
        seed=1,
    )
    with anyio.fail_after(BOUND):
        async with server:
            signed = {"base_url": server.base_url, "auth": SignatureAuth(7, KEY)}
            async with IntegrationApi(**{**(signed if by_signature else server.credentials), **settings}) as api:
                yield server, api


def lines(server: TalonOneServer) -> list[str]:
    """Give what was asked and how it was answered, a line each."""
    return [f"{each.request.method} {each.request.path} {each.status}" for each in server.requests]


@BOTH
async def test_every_operation_does_at_the_service_what_it_says(by_signature: bool) -> None:
    """Issue 5: the five operations, by key and by signature, with ids that need encoding."""
    async with shop(by_signature=by_signature) as (server, api):
        state = await api.update_customer_profile(WHO, NewCustomerProfile(attributes={"Name": "Val é", "old": 1}))
        assert (state.profile.integration_id, state.event.type) == (WHO, "talon_profile_created")
        state = await api.update_customer_profile(WHO, NewCustomerProfile(attributes={"old": None}))
        assert state.profile.attributes == {"Name": "Val é"}

        item = CartItem(name="Tea", sku="t-1", quantity=2, price=4.5)
        opened = await api.update_customer_session(
            CART, NewCustomerSession(profile_id=WHO, coupon="SPRING", cart_items=[item], total=9)
        )
        assert [(effect.name, effect.args) for effect in opened.effects] == [
            ("acceptCoupon", ("SPRING",)),
            ("setDiscount", ("Spring", 2)),
        ]
        assert (opened.session.integration_id, opened.session.discounts) == (CART, {"Spring": 2})
        assert opened.session.cart_items[0].position == 0

        event = await api.track_event(NewEvent(session_id=CART, type="seen", attributes={"page": "é"}))
        assert (event.event.type, event.event.attributes, event.event.profile_id) == ("seen", {"page": "é"}, WHO)
        closed = await api.update_customer_session(CART, NewCustomerSession(state="closed"))
        assert (closed.profile.closed_sessions, closed.profile.total_sales) == (1, 9)
        assert server.coupon_uses("SPRING") == 1

        referral = await api.create_referral(NewReferral(campaign_id=3, advocate_profile_integration_id=WHO))
        friend = NewCustomerSession(profile_id="ben", referral=referral.code, state="closed")
        assert [effect.name for effect in (await api.update_customer_session("s", friend)).effects] == [
            "acceptReferral"
        ]
        found = server.referral(referral.code)
        assert found is not None
        assert found["usageCounter"] == 1

        await api.delete_customer_data(WHO)
        assert server.profile(WHO) is None
        with pytest.raises(TalonOneNotFound):
            await api.delete_customer_data(WHO)


@BOTH
async def test_what_is_only_asked_for_changes_nothing(by_signature: bool) -> None:
    """D15: a full answer to each, and nothing is kept."""
    async with shop(by_signature=by_signature) as (server, api):
        dry = await api.update_customer_session(CART, NewCustomerSession(profile_id=WHO, coupon="SPRING"), dry=True)
        assert dry.session.discounts == {"Spring": 2}
        assert (await api.update_customer_profile(WHO, dry=True)).event.type == "talon_profile_created"
        assert (await api.track_event(NewEvent(session_id=CART, type="seen"), dry=True)).event.type == "seen"
        assert server.session(CART) is server.profile(WHO) is None
        assert (await api.update_customer_profile(WHO)).event.type == "talon_profile_created"


@BOTH
async def test_refusals_say_what_was_wrong_and_where(by_signature: bool) -> None:
    """The facts, section 10: typed by status, with the pointer in the words; D5, D8 and D9."""
    async with shop(by_signature=by_signature) as (_, api):
        await api.update_customer_session(CART, NewCustomerSession(profile_id=WHO, state="closed"))
        calls: list[tuple[str, Callable[[], Awaitable[object]]]] = [
            ("/state", lambda: api.update_customer_session(CART, NewCustomerSession(total=1))),
            ("/state", lambda: api.update_customer_session("new", NewCustomerSession(state="cancelled"))),
            ("/sessionId", lambda: api.track_event(NewEvent(session_id=CART, type="seen"))),
            ("/type", lambda: api.track_event(NewEvent(session_id="new", type="talon_made_up"))),
            (
                "/advocateProfileIntegrationId",
                lambda: api.create_referral(NewReferral(campaign_id=1, advocate_profile_integration_id="nobody")),
            ),
        ]
        for pointer, call in calls:
            with pytest.raises(TalonOneInvalid, match=pointer) as caught:
                await call()
            assert [problem.pointer for problem in caught.value.errors] == [pointer]


async def test_who_is_not_known_is_told_so_in_the_manner_of_each_authentication() -> None:
    """The facts, section 2: 401 for a key, 400 for a signature; neither credential is in the error."""
    async with shop() as (server, _):
        async with IntegrationApi(server.base_url, api_key="0123456789abcdef0123") as stranger:
            with pytest.raises(TalonOneUnauthorized) as by_key:
                await stranger.update_customer_session(CART)
        async with IntegrationApi(server.base_url, auth=SignatureAuth(7, "00" * 8)) as stranger:
            with pytest.raises(TalonOneInvalid, match="HMAC signature mismatch") as by_signature:
                await stranger.update_customer_session(CART)
    assert "0123456789abcdef" not in repr(by_key.value)
    assert "00" * 8 not in repr(by_signature.value)


@BOTH
async def test_nothing_is_tried_again_unless_asked_and_posts_never(by_signature: bool) -> None:
    """Issue 5: since every call adds an event; what went wrong on purpose is what each call meets."""
    async with shop(by_signature=by_signature) as (server, api):
        for fault, error in (
            (WebFault.status(503), TalonOneError),
            (WebFault.status(409, {"message": "busy"}), TalonOneConflict),
            (WebFault.not_json(status=502, when="before"), TalonOneError),
            (WebFault.drop(), ConnectionLost),
        ):
            server.forget_requests()
            server.faults.add(fault, times=1)
            with pytest.raises(error):
                await api.update_customer_session(CART)
            assert len(server.requests) == 1
    quick = HttpOptions(retries=RETRIES)
    async with shop(by_signature=by_signature, options=quick) as (server, api):
        server.faults.add(WebFault.status(429, headers={"retry-after": "0"}), times=1)
        server.faults.add(WebFault.drop(when="after"), on="PUT *", times=1)
        state = await api.update_customer_session(CART)
        assert (state.event.type, len(server.requests)) == ("talon_session_updated", 3)
        server.faults.add(WebFault.status(503), on="POST *", times=1)
        with pytest.raises(TalonOneError):
            await api.track_event(NewEvent(session_id=CART, type="seen"))
        assert lines(server)[3:] == ["POST /v1/events 503"]


@BOTH
async def test_updates_of_one_session_at_once_are_each_counted(by_signature: bool) -> None:
    """D14: a hundred at once, and none is refused by a service that takes no two: each waits for its turn."""
    async with shop(by_signature=by_signature, refuse_overlap=True, one_at_a_time=True) as (server, api):
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(api.update_customer_session, CART, NewCustomerSession(attributes={f"n{number}": 1}))
        session = server.session(CART)
        assert session is not None
        assert len(session["attributes"]) == len(server.events(CART)) == 100


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.004, 0.01])
async def test_calls_that_are_cancelled_leave_a_client_that_works(moment: float) -> None:
    """This SDK: cancellation at any moment; the suite sees that no task and no socket is left."""
    async with shop(one_at_a_time=True) as (_, api):
        for _ in range(10):
            with anyio.move_on_after(moment):
                async with anyio.create_task_group() as tasks:
                    for number in range(5):
                        tasks.start_soon(api.update_customer_session, f"s{number % 2}")
                        tasks.start_soon(api.track_event, NewEvent(session_id="s0", type="seen"))
        assert (await api.update_customer_session(CART)).session.integration_id == CART
