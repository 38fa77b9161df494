"""Talon.One's own client for JavaScript, as published, against the stand-in: the five operations and their refusals.

Each chapter of ``talon_one_client.js`` is a program of its own with its own assertions, and a server of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import foreign
import pytest

from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.talonone import Coupon, RuleState, TalonOneServer, WebFault

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(foreign.why_not("talon one") is not None, reason=str(foreign.why_not("talon one"))),
]


def spring(state: RuleState, _event: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Take two off for a coupon."""
    return [("setDiscount", "Spring", 2)] if state.coupon == "SPRING" else []


def shop() -> TalonOneServer:
    """A server with one coupon and one rule."""
    return TalonOneServer(rules=[spring], coupons=[Coupon(code="SPRING", usage_limit=1)])


async def run_chapter(chapter: str, server: TalonOneServer) -> None:
    """Run a chapter to its end."""
    command, environment = foreign.node_command("talon_one_client.js", "talon-one", chapter, server.base_url)
    (application,) = server.applications
    keys = {"API_KEY": application.api_key, "APPLICATION_KEY": application.application_key}
    async with foreign.foreign(command, {**environment, **keys}) as program:
        await program.says("DONE")


@pytest.mark.parametrize("chapter", ["operations", "corners", "campaigns", "errors", "signature"])
async def test_talon_ones_own_client_finds_what_it_knows_from_the_service(chapter: str) -> None:
    """The issue: the published client, unchanged, for the five operations, by key and by signature."""
    async with shop() as server:
        await run_chapter(chapter, server)
        assert server.requests


async def test_talon_ones_own_client_survives_what_goes_wrong_on_purpose() -> None:
    """The issue: provoked failures reach any client."""
    async with shop() as server:
        server.faults.add(WebFault.status(503), times=1)
        server.faults.add(WebFault.not_json(status=502, when="before"), times=1)
        server.faults.add(WebFault.drop(), times=1)
        await run_chapter("failures", server)


async def test_talon_ones_own_client_is_served_within_a_sandbox() -> None:
    """The issue: inside the sandbox, beside Elarian."""
    async with Sandbox(talon_one=shop()) as sandbox:
        await run_chapter("operations", sandbox.talon_one)
