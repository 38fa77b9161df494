"""Planship's stand-in over WebSockets: what listeners are told, and how their sockets are refused or closed."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from web_clients import BOUND, CLICKS, Gone, Refused, caller, manual, web_socket

from elarian_trio.sandbox import ManualClock, web
from elarian_trio.sandbox.planship import PlanshipServer, Switches, WebFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

pytestmark = pytest.mark.anyio


async def test_a_listener_is_told_the_whole_state_on_change_only() -> None:
    """D20, facts §9: text frames, the full dictionary, as over REST."""
    async with PlanshipServer() as planship, caller(planship) as client:
        made = await client.subscribe("asha")
        await client.subscribe("ben")
        path = "/customers/asha/products/clicker-demo/entitlements"
        async with client.listen_to("asha") as socket:
            await client.use("ben", 1)
            await client.ask("PATCH", f"/customers/asha/subscriptions/{made}", {"auto_renew": False})
            await client.use("asha", 5)
            assert await socket.receive() == await client.ask("GET", path)
            await client.ask("PATCH", f"/customers/asha/subscriptions/{made}", {"plan_slug": "large"})
            assert (await socket.receive())["premium-button"] is True
            await client.ask("DELETE", "/customers/asha")
            assert (await socket.receive())["max-projects"] == 0


async def test_a_listener_is_told_of_what_time_changes() -> None:
    """This SDK: renewals, lapses and use that leaves its period come by themselves."""
    async with manual(switches=Switches(token_lifetime=timedelta(days=99))) as planship, caller(planship) as client:
        made = await client.subscribe("asha")
        await client.use("asha", 3)
        async with client.listen_to("asha") as socket:
            await planship.clock.advance(timedelta(days=1))
            assert (await socket.receive())["button-clicks-per-project-per-day"] == {"null": 10}
            await client.ask("PATCH", f"/customers/asha/subscriptions/{made}", {"auto_renew": False})
            await planship.clock.advance(timedelta(days=30))
            assert (await socket.receive())["max-projects"] == 0


async def test_a_snapshot_begins_where_the_switch_says_so() -> None:
    """D20."""
    async with PlanshipServer(switches=Switches(snapshot_on_connect=True)) as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            assert (await socket.receive())["max-projects"] == 3


async def test_a_slow_listener_is_told_the_latest_and_no_older_state_after_it() -> None:
    """D20: no unbounded buffer; what it reads goes one way."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            for _ in range(50):
                await client.use("asha", 1)
            left = [100]
            while left[-1] != 50:
                left.append((await socket.receive())[CLICKS])
            assert left == sorted(left, reverse=True)


async def test_what_a_listener_says_is_ignored_and_pings_are_answered() -> None:
    """D19."""
    from wsproto.events import BytesMessage, TextMessage

    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            await socket.send(TextMessage("subscribe"))
            await socket.send(BytesMessage(b"\xff"))
            await socket.ping()
            await client.use("asha", 1)
            assert (await socket.receive())[CLICKS] == 99


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ({"token": ""}, 403),
        ({"token": "wrong"}, 403),
        ({"name": "nobody"}, 404),
        ({"product": "none"}, 404),
    ],
)
async def test_a_handshake_that_cannot_be_is_refused(arguments: Mapping[str, str], status: int) -> None:
    """D19."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")
        with pytest.raises(Refused) as caught:
            async with client.listen_to(**{"name": "asha", **arguments}):
                raise AssertionError("it was let in")
        assert caught.value.status == status
        assert "detail" in json.loads(caught.value.body)
        assert planship.requests[-1].status == status


async def test_a_handshake_without_a_token_or_elsewhere_is_refused() -> None:
    """D19."""
    async with PlanshipServer() as planship:
        for path, status in (("customers/a/products/clicker-demo/entitlements", 403), ("other", 404)):
            with pytest.raises(Refused, match=str(status)):
                async with web_socket(f"{planship.web_socket_url}/api/v1/ws/{path}"):
                    raise AssertionError("it was let in")


async def test_a_socket_is_closed_when_its_token_expires_or_all_are_revoked() -> None:
    """D19: 1008."""
    async with manual() as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            await planship.clock.advance(timedelta(hours=1))
            with pytest.raises(Gone, match="1008"):
                await socket.receive()
        await client.sign_in()
        async with client.listen_to("asha") as socket:
            await planship.revoke_tokens()
            with pytest.raises(Gone, match="1008"):
                await socket.receive()
            with pytest.raises(Refused, match="403"):
                async with client.listen_to("asha"):
                    raise AssertionError("it was let in")


async def test_sockets_are_dropped_closed_and_sent_to_as_asked() -> None:
    """D20: the switches."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            assert planship.listeners == 1
            assert planship.send_to_sockets("no json") == 1
            assert await socket.receive() == "no json"
            assert planship.close_sockets(4321) == 1
            with pytest.raises(Gone, match="4321"):
                await socket.receive()
        async with client.listen_to("asha") as socket:
            assert planship.drop_sockets() == 1
            with pytest.raises(Gone, match="None"):
                await socket.receive()
        with pytest.raises(ValueError, match="a close code is"):
            planship.close_sockets(1005)


async def test_what_cannot_be_sent_to_sockets_is_refused_where_it_is_given() -> None:
    """A past bug: it closed the sockets with 1011 instead, as a failure of the server's own."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            wrong: Any
            for wrong, kind in ((b"{}", TypeError), (None, TypeError), ("\ud800", ValueError)):
                with pytest.raises(kind, match=r"^text (must|holds)"):
                    planship.send_to_sockets(wrong)
            for wrong in ("1000", None, 1000.0):
                with pytest.raises(TypeError, match="code must be an int"):
                    planship.close_sockets(wrong)
            assert planship.send_to_sockets("still here") == 1
            assert await socket.receive() == "still here"


async def test_a_fault_may_refuse_or_drop_a_handshake() -> None:
    """D19, D20."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")
        planship.faults.add(WebFault.status(401), on="GET */ws/*", times=1)
        planship.faults.add(WebFault.drop(), on="GET */ws/*", times=1)
        for expected in (Refused, Gone):
            with pytest.raises(expected):
                async with client.listen_to("asha"):
                    raise AssertionError("it was let in")
        async with client.listen_to("asha"):
            pass


async def test_a_failure_of_the_servers_own_closes_a_socket_with_1011(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """D19: internal error; it is logged, and costs that socket only."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")

        async def fail(_listener: object, _heard: object) -> bool:
            await anyio.lowlevel.checkpoint()
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr("elarian_trio.sandbox.planship.updates.Listener.serve", fail)
            async with client.listen_to("asha") as socket:
                with pytest.raises(Gone, match="1011"):
                    await socket.receive()
        assert "a WebSocket failed" in caplog.text
        assert client.token not in caplog.text
        async with client.listen_to("asha"):
            assert planship.listeners == 1


async def test_leaving_the_block_closes_sockets_with_1001() -> None:
    """D19: shutdown."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha")
        socket = await (listening := client.listen_to("asha")).__aenter__()

        async def expect_goodbye() -> None:
            with pytest.raises(Gone, match="1001"):
                await socket.receive()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(expect_goodbye)
            await planship.say_goodbye()
        await listening.__aexit__(None, None, None)


async def test_a_peer_that_reads_nothing_does_not_keep_the_block_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """The house: no wait without a bound; anycorn shields what it sends, so the socket is cut."""
    monkeypatch.setattr(web, "GOODBYE", 0.01)
    with anyio.fail_after(BOUND):
        async with AsyncExitStack() as clients, PlanshipServer() as planship, caller(planship) as client:
            await client.subscribe("asha")
            await clients.enter_async_context(client.listen_to("asha"))
            planship.send_to_sockets("x" * 30_000_000)
            await client.ask("GET", "/products")


class Interrupting(ManualClock):
    """A clock that cancels a scope when it is asked for the time."""

    scope: anyio.CancelScope | None = None

    def now(self) -> datetime:
        if self.scope is not None:
            self.scope.cancel()
        return super().now()


async def test_a_revocation_that_is_given_up_as_it_comes_about_closes_the_sockets_all_the_same() -> None:
    """A past bug: no token counted any more, and the sockets that came in with one went on hearing."""
    clock = Interrupting()
    async with PlanshipServer(clock=clock) as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            with anyio.CancelScope() as clock.scope:
                await planship.revoke_tokens()
            assert clock.scope.cancelled_caught
            with pytest.raises(Refused, match="403"):
                async with client.listen_to("asha"):
                    raise AssertionError("it was let in")
            with pytest.raises(Gone, match="1008"), anyio.fail_after(BOUND):
                await socket.receive()
