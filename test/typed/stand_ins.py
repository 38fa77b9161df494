"""Programs as users of the stand-ins write them, for the type checkers."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_type

from elarian_trio.sandbox import Credentials, Sandbox
from elarian_trio.sandbox.planship import (
    Catalogue,
    Lever,
    Plan,
    PlanshipServer,
    Product,
    Switches,
    WebFault,
    WebRule,
    clicker_demo,
)


async def alone() -> None:
    levers = (
        Lever(slug="airtime", kind="metered", metering_ids=("airtime",), period=timedelta(days=1), scope="customer"),
        Lever(slug="colours", kind="list", default=("red",)),
    )
    plans = (Plan(slug="free", entitlements={"airtime": 3}, duration_unit="perpetual"),)
    shop = Catalogue(products=(Product(slug="shop", levers=levers, plans=plans),))
    async with PlanshipServer(catalogue=shop, switches=Switches(raw_values=True), clock="manual", seed=1) as planship:
        assert_type(planship, PlanshipServer)
        assert_type(planship.credentials, Credentials)
        assert_type(planship.base_url, str)
        rule = planship.faults.add(WebFault.status(503, headers={"retry-after": "1"}), on="GET *", times=2)
        assert_type(rule, WebRule)
        await planship.clock.advance(timedelta(days=1))
        await planship.revoke_tokens()
        assert_type(planship.drop_sockets(), int)
        assert_type([exchange.status for exchange in planship.requests], list[int | None])


async def as_parts() -> None:
    async with Sandbox(planship="127.0.0.1:0") as sandbox:
        assert_type(sandbox.planship, PlanshipServer)
    Sandbox(planship=PlanshipServer(catalogue=clicker_demo(), client_id="ID", client_secret="secret"))


async def mistakes() -> None:
    Lever(slug="a", kind="dial")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Sandbox(planship=8080)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
