"""Stand-ins as parts of a sandbox: one clock, one file, one block, one command."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
import trio.testing
from web_clients import Gone, caller

from elarian_trio import Elarian, Tag
from elarian_trio.sandbox import ManualClock, Sandbox
from elarian_trio.sandbox.planship import Catalogue, Plan, PlanshipServer, Product

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

START = datetime(2026, 3, 1, tzinfo=UTC)
LOOPBACK = "127.0.0.1:0"


async def test_a_stand_in_has_the_sandboxs_clock_and_is_among_its_endpoints() -> None:
    """The design: ``Sandbox(planship=…)``; advancing tells listeners before it returns."""
    async with Sandbox(planship=LOOPBACK, clock=ManualClock(START), seed=1) as sandbox:
        planship = sandbox.planship
        assert sandbox.endpoints == {"planship": planship.base_url}
        assert planship.clock is sandbox.clock
        async with caller(planship) as client, Elarian(**sandbox.credentials) as app:
            assert (await app.customer("+254709759881").update_tags(Tag("segment", "premium"))).status
            await client.subscribe("asha")
            await client.use("asha", 3)
            async with client.listen_to("asha") as socket:
                await sandbox.clock.advance(timedelta(minutes=59))
                await client.use("asha", 3)
                assert (await socket.receive())["subscription-button-clicks"] == 94
                await sandbox.clock.advance(timedelta(minutes=1))
                with pytest.raises(Gone, match="1008"):
                    await socket.receive()
    assert sandbox.endpoints == {}


async def test_one_file_keeps_all(tmp_path: Path) -> None:
    """Issue: its records are in the sandbox's file, beside Elarian's, which opens without the stand-in as well."""
    file = tmp_path / "sandbox.sqlite3"
    async with Sandbox(planship=LOOPBACK, data=file) as sandbox:
        async with caller(sandbox.planship) as client, Elarian(**sandbox.credentials) as app:
            await client.subscribe("asha")
            await client.use("asha", 3)
            await app.customer("+254709759881").update_tags(Tag("segment", "premium"))
        secret = sandbox.planship.credentials["client_secret"]
    async with Sandbox(data=file) as sandbox, Elarian(**sandbox.credentials) as app:
        assert (await app.customer("+254709759881").get_tags())[0].value == "premium"
    async with Sandbox(planship=LOOPBACK, data=file) as sandbox, caller(sandbox.planship) as client:
        assert sandbox.planship.credentials["client_secret"] == secret
        left = await client.ask("GET", "/customers/asha/products/clicker-demo/entitlements")
        assert left["subscription-button-clicks"] == 97


async def test_a_server_of_the_users_own_making_may_be_part() -> None:
    """With a catalogue and credentials of one's own; the block may be entered again, on the same port."""
    catalogue = Catalogue(products=(Product(slug="shop", plans=(Plan(slug="only"),)),))
    sandbox = Sandbox(planship=PlanshipServer(catalogue=catalogue, client_id="ID", client_secret="hush"))
    addresses = set()
    for _ in range(2):
        async with sandbox, caller(sandbox.planship) as client:
            addresses.add(sandbox.planship.base_url)
            assert [each["slug"] for each in await client.ask("GET", "/products")] == ["shop"]
    assert len(addresses) == 1


async def test_leaving_the_sandbox_says_goodbye_to_listeners() -> None:
    """D19: 1001, as alone."""
    heard: list[int | None] = []

    async def listen(listening: Any, ready: anyio.Event) -> None:  # noqa: ANN401 - a context manager
        async with listening as socket:
            ready.set()
            try:
                await socket.receive()
            except Gone as gone:
                heard.append(gone.code)

    async with (
        anyio.create_task_group() as tasks,
        Sandbox(planship=LOOPBACK) as sandbox,
        caller(sandbox.planship) as client,
    ):
        await client.subscribe("asha")
        ready = anyio.Event()
        tasks.start_soon(listen, client.listen_to("asha"), ready)
        await ready.wait()
    assert heard == [1001]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"planship": 8080}, TypeError, "planship must be a str such as"),
        ({"planship": "0.0.0.0:0"}, ValueError, "takes a client id and secret of your own"),
        ({"planship": PlanshipServer(clock="manual")}, ValueError, "give it neither of its own"),
        ({"planship": PlanshipServer(data="file")}, ValueError, "give it neither of its own"),
        ({"planship": LOOPBACK, "clock": "virtual"}, ValueError, "not planship"),
    ],
)
def test_what_does_not_go_together_says_why(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    """The house: from the constructor."""
    with pytest.raises(error, match=words):
        Sandbox(**arguments)


def test_what_the_sandbox_was_set_up_without_is_looked_up_in_vain() -> None:
    """As its purse."""
    for name in ("planship", "talon_one"):
        with pytest.raises(LookupError, match=f"set up without {name}"):
            getattr(Sandbox(), name)


def test_virtual_time_does_not_go_together_with_a_network() -> None:
    """The design, of a server that stands alone, too."""

    async def main() -> None:
        async with PlanshipServer():
            raise AssertionError("it runs")

    with pytest.raises(ValueError, match="virtual time needs the memory transport"):
        trio.run(main, clock=trio.testing.MockClock())


def test_importing_the_sandbox_needs_no_http_server() -> None:
    """Issue: a stand-in is loaded where it is asked for."""
    words = "import sys, elarian_trio.sandbox; print({'starlette', 'anycorn'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


async def test_a_client_that_is_refused_learns_nothing_of_the_sandbox() -> None:
    """Credentials of the one are none of the other's."""
    async with Sandbox(planship=LOOPBACK) as sandbox, httpx2.AsyncClient(trust_env=False) as http:
        auth = (sandbox.credentials["app_id"], sandbox.credentials["api_key"])
        reply = await http.post(f"{sandbox.planship.base_url}/api/v1/auth/token", auth=auth)
        assert (reply.status_code, reply.json()) == (401, {"detail": "Incorrect client id or secret"})
