"""Planship's own clients for JavaScript and Python, as published, against the stand-in: every method that they have.

Each chapter of ``planship_client.mjs`` and ``planship_client.py`` is a program of its own with its own assertions, and
a server of its own. Both clients spin without limit where everything is answered with 401, so each run has a bound.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import foreign
import pytest

from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.planship import PlanshipServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from foreign import Peer

pytestmark = pytest.mark.anyio

BOTH = ("catalogue", "customers", "subscriptions", "members", "usage")


def clients(*names: str) -> list[pytest.ParameterSet]:
    """Parameters for tests that meet each of *names*; one that is not here is skipped, and says why."""
    absent = {name: foreign.why_not(f"planship {name}") for name in names}
    return [
        pytest.param(name, marks=pytest.mark.skipif(why is not None, reason=str(why))) for name, why in absent.items()
    ]


@asynccontextmanager
async def program(client: str, chapter: str, planship: PlanshipServer) -> AsyncIterator[Peer]:
    """Run a chapter to its end, beside the block."""
    credentials = planship.credentials
    urls = [credentials["base_url"], credentials["web_socket_url"]]
    if client == "javascript":
        arguments = (chapter, *urls, credentials["client_id"])
        command, environment = foreign.node_command("planship_client.mjs", "planship", *arguments)
    else:
        command, environment = foreign.planship_command(chapter, urls[0], credentials["client_id"])
    environment = {**environment, "CLIENT_SECRET": credentials["client_secret"]}
    with anyio.fail_after(2 * foreign.START_BOUND):
        async with foreign.foreign(command, environment) as peer:
            yield peer
            await peer.says("DONE")


@pytest.mark.parametrize("chapter", BOTH)
@pytest.mark.parametrize("client", clients("javascript", "python"))
async def test_planships_own_client_finds_what_it_knows_from_the_service(client: str, chapter: str) -> None:
    """The issue: the published clients, unchanged, for every method they have."""
    async with PlanshipServer() as planship, program(client, chapter, planship):
        pass


@pytest.mark.parametrize("client", clients("javascript", "python"))
async def test_planships_own_client_signs_in_again_when_tokens_are_revoked(client: str) -> None:
    """D4: the switch that forces it; the request that was refused is sent again with the new token."""
    async with PlanshipServer() as planship, program(client, "tokens", planship) as peer:
        await peer.says("SIGNED IN")
        await planship.revoke_tokens()
    refused = [each.request for each in planship.requests if each.status == 401]
    assert [request.path for request in refused if not request.path.endswith("/auth/token")] == [
        "/api/v1/products/clicker-demo"
    ]


@pytest.mark.parametrize("client", clients("javascript"))
async def test_planships_class_for_all_customers_does_so_as_well(client: str) -> None:
    """Of the JavaScript client; that for Python has no other."""
    async with PlanshipServer() as planship, program(client, "everyCustomer", planship):
        pass


@pytest.mark.parametrize("client", clients("javascript"))
async def test_planships_own_client_is_told_of_entitlements_by_its_web_socket(client: str) -> None:
    """Facts §9, in a sandbox: it never opens another socket by itself, and what is left of one is closed."""
    async with Sandbox(planship="127.0.0.1:0") as sandbox, program(client, "updates", sandbox.planship) as peer:
        await peer.says("HEARD")
        assert sandbox.planship.close_sockets(4000) == 1
    assert sandbox.planship.listeners == 0
