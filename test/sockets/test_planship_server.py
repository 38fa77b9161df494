"""Planship's stand-in as its users have it: over HTTP, with what goes wrong on purpose, its file and its block."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from leaks import open_sockets
from web_clients import BOUND, CLICKS, START, Refused, caller, manual

from elarian_trio import StoreError
from elarian_trio.sandbox.database import Database
from elarian_trio.sandbox.planship import PlanshipServer, Switches, WebFault

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


# --- requests ---


async def test_ids_of_any_characters_travel_encoded() -> None:
    """Facts §5: the path is split where it has a slash, and then decoded."""
    async with PlanshipServer() as planship, caller(planship) as client:
        made = await client.ask("POST", "/customers", {"alternative_id": "a/b+%é@c"})
        assert await client.ask("GET", "/customers/a%2Fb%2B%25%C3%A9%40c") == {
            key: value for key, value in made.items() if key != "subscriptions"
        }
        await client.ask("GET", "/customers/a/b", expect=404)


async def test_what_is_not_there_is_answered_as_the_services_framework_does() -> None:
    """Facts §7."""
    async with PlanshipServer() as planship, caller(planship) as client:
        assert await client.ask("GET", "/nothing", expect=404) == {"detail": "Not Found"}
        assert await client.ask("PUT", "/customers", expect=405) == {"detail": "Method Not Allowed"}
        assert await client.ask("GET", "/products/", expect=404) == {"detail": "Not Found"}


async def test_wrong_verb_is_told_the_right_ones_and_an_unknown_path_none() -> None:
    """RFC 9110 §15.5.6: 405 says in ``Allow`` by which methods something can be asked there; all of them."""
    async with PlanshipServer() as planship, caller(planship) as client:
        for method, path, status, allowed in (
            ("PUT", "/customers", 405, "POST"),
            ("POST", "/customers/asha", 405, "DELETE, GET, HEAD"),
            ("PATCH", "/nothing", 404, None),
            ("GET", "/ws/customers/asha/products/clicker-demo/entitlements", 404, None),
        ):
            reply = await client.http.request(method, path)
            assert (reply.status_code, reply.headers.get("allow")) == (status, allowed)
            assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"GET /api/v1/products/s3cr\xc3\xa9t?token=s3cret HTTP/1.1", "illegal request line (400)"),
        (b"GET /api/v1/products HTTP/1.1\r\nAuthorization : Bearer s3cret", "illegal header line (400)"),
        (b"GET /api/v1/products HTTP/1.1", "Missing mandatory Host: header (400)"),
    ],
)
async def test_what_is_no_request_is_logged_without_what_it_holds(
    line: bytes, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A past bug: a key in a header with a blank before its colon stood in the log."""
    async with PlanshipServer() as planship:
        host, _, port = planship.base_url.removeprefix("http://").partition(":")
        with anyio.fail_after(BOUND), caplog.at_level("DEBUG"):
            async with await anyio.connect_tcp(host, int(port)) as stream:
                await stream.send(line + b"\r\n\r\n")
                assert (await stream.receive()).startswith(b"HTTP/1.1 400 ")
    assert words in caplog.text
    assert "s3cr" not in caplog.text


async def test_a_body_that_is_too_long_is_refused() -> None:
    """The house: no unbounded buffer."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.ask("POST", "/customers", {"name": "x" * 1_100_000}, expect=413)
        await client.ask("POST", "/customers", {"name": "x" * 900_000})


async def test_a_hundred_at_once_are_each_answered_and_none_is_lost() -> None:
    """Each request is a unit of work."""
    async with PlanshipServer() as planship, caller(planship) as client:
        await client.subscribe("asha", "large")
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(client.use, "asha", 1)
        usage = await client.ask("GET", f"/customers/asha/products/clicker-demo/levers/{CLICKS}/usage")
        assert usage["total"] == 100


async def test_a_client_that_leaves_takes_its_connection_along() -> None:
    """A past bug: each was kept for its next request, for 75 seconds; fifteen clients a second were too many files."""
    async with PlanshipServer() as planship:
        before = open_sockets()
        for _ in range(3):
            async with caller(planship) as client:
                await client.ask("GET", "/nothing", expect=404)
        with anyio.fail_after(BOUND):
            while open_sockets() - before:
                await anyio.lowlevel.checkpoint()


async def test_the_log_shows_what_was_asked_and_answered() -> None:
    """Issue: a request log; it is begun anew when asked."""
    async with manual() as planship, caller(planship) as client:
        planship.forget_requests()
        await client.ask("POST", "/customers", {"name": "Asha"})
        (exchange,) = planship.requests
        assert (exchange.at, exchange.status, exchange.request.method) == (START, 200, "POST")
        assert json.loads(exchange.request.body) == {"name": "Asha"}
        assert exchange.request.headers["authorization"] == f"Bearer {client.token}"


async def test_runs_with_the_same_seed_are_alike() -> None:
    """The sandbox's promise of ids, here, too."""
    bodies = []
    for _ in range(2):
        async with manual(seed=7) as planship, caller(planship) as client:
            bodies.append(await client.ask("POST", "/customers", {}))
    assert bodies[0] == bodies[1]


async def test_credentials_are_not_shown() -> None:
    """The house: in no repr; where it listens is."""
    assert repr(PlanshipServer(client_secret="hush")) == "<PlanshipServer not entered>"
    async with PlanshipServer(client_secret="hush") as planship:
        assert repr(planship) == f"<PlanshipServer at {planship.base_url}>"
        assert planship.credentials["client_secret"] == "hush"
        assert "hush" not in repr(planship.credentials)


# --- time and tokens ---


async def test_tokens_and_periods_go_by_its_clock() -> None:
    """Issue: time from the sandbox's clock."""
    async with manual(switches=Switches(token_lifetime=timedelta(days=40))) as planship, caller(planship) as client:
        await client.subscribe("asha")
        await client.use("asha", 30)
        path = "/customers/asha/products/clicker-demo/entitlements"
        assert (await client.ask("GET", path))[CLICKS] == 70
        await planship.clock.advance(timedelta(days=31))
        assert (await client.ask("GET", path))[CLICKS] == 100
        await planship.clock.advance(timedelta(days=9))
        await client.ask("GET", path, expect=401)


# --- what goes wrong on purpose ---


async def test_a_fault_before_the_action_leaves_it_undone_and_one_after_it_done() -> None:
    """Issue: status, no JSON, dropped, each before or after acting."""
    async with PlanshipServer() as planship, caller(planship) as client:

        async def make(name: str, fault: WebFault) -> httpx2.Response | None:
            rule = planship.faults.add(fault, on="POST /api/v1/customers", times=1)
            headers = {"authorization": f"Bearer {client.token}"}
            try:
                return await client.http.post("/customers", json={"alternative_id": name}, headers=headers)
            except httpx2.RemoteProtocolError:
                return None
            finally:
                assert rule.bites == 1

        unavailable = await make("a", WebFault.status(503, headers={"retry-after": "1"}))
        assert unavailable is not None
        assert (unavailable.status_code, unavailable.headers["retry-after"]) == (503, "1")
        assert await make("b", WebFault.drop()) is None
        for name in "ab":
            await client.ask("GET", f"/customers/{name}", expect=404)
        assert await make("c", WebFault.drop(when="after")) is None
        garbled = await make("d", WebFault.not_json())
        assert garbled is not None
        assert garbled.text.startswith("<html>")
        for name in "cd":
            await client.ask("GET", f"/customers/{name}")


async def test_a_delay_goes_by_its_clock() -> None:
    """Issue: delays in the sandbox's time; before, or after the action."""
    async with manual() as planship, caller(planship) as client:
        for name, when in (("before", "before"), ("after", "after")):
            planship.faults.add(WebFault.delay(30, when=when), on="POST *", times=1)
            answered = anyio.Event()

            async def make(name: str = name, answered: anyio.Event = answered) -> None:
                await client.ask("POST", "/customers", {"alternative_id": name})
                answered.set()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(make)
                with anyio.fail_after(BOUND):
                    while not planship.faults.rules[-1].bites:
                        await anyio.lowlevel.checkpoint()
                    status = 404 if when == "before" else 200
                    while True:
                        reply = await client.http.get(
                            f"/customers/{name}", headers={"authorization": f"Bearer {client.token}"}
                        )
                        if reply.status_code == status:
                            break
                assert not answered.is_set()
                await planship.clock.advance(timedelta(seconds=30))
                with anyio.fail_after(BOUND):
                    await answered.wait()


# --- the file ---


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    """Issue: what is kept goes through the store; the made-up secret and the tokens made with it stay, too."""
    server = manual(data=tmp_path / "planship.sqlite3")
    async with server as planship, caller(planship) as client:
        await client.subscribe("asha")
        await client.use("asha", 7)
        before = planship.credentials["client_secret"], planship.base_url, client.token
        state = await client.ask("GET", "/customers/asha/products/clicker-demo/entitlements")
        subscriptions = await client.ask("GET", "/customers/asha/subscriptions")
    async with server as planship, caller(planship) as client:
        token, client.token = client.token, before[2]
        assert (planship.credentials["client_secret"], planship.base_url) == before[:2]
        assert await client.ask("GET", "/customers/asha/products/clicker-demo/entitlements") == state
        assert await client.ask("GET", "/customers/asha/subscriptions") == subscriptions
        assert token != client.token


async def test_what_the_disk_refuses_is_answered_with_500_and_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: all or nothing, and a clear error; nobody is told of what was not kept."""
    full = StoreError("the disk is full: make room, and ask again")

    def refuse(_self: Database, _script: object) -> Any:  # noqa: ANN401 - never returns
        raise full

    async with manual(data=tmp_path / "planship.sqlite3") as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            with monkeypatch.context() as broken:
                broken.setattr(Database, "begin", refuse)
                body = await client.ask("POST", "/customers", {"alternative_id": "ben"}, expect=500)
                assert body == {"detail": str(full)}
                path = "/customers/asha/products/clicker-demo/usage/button-click"
                await client.ask("POST", path, {"usage": 1}, expect=500)
                with pytest.raises(StoreError):
                    await planship.revoke_tokens()
            await client.ask("GET", "/customers/ben", expect=404)
            await client.use("asha", 10)
            assert (await socket.receive())[CLICKS] == 90


async def test_a_listener_is_never_told_of_what_is_lost_behind_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: what it saw of a unit that waits for the disk is told once that is kept, or not at all."""
    commit = Database.commit
    second_waits = threading.Event()
    writes: list[Database] = []

    def keep_the_first_only(self: Database) -> None:
        writes.append(self)
        if len(writes) == 1:
            assert second_waits.wait(BOUND)
            commit(self)
            return
        raise StoreError("the disk is full")

    path = "/customers/asha/products/clicker-demo/usage/button-click"
    async with manual(data=tmp_path / "planship.sqlite3") as planship, caller(planship) as client:
        await client.subscribe("asha")
        async with client.listen_to("asha") as socket:
            with monkeypatch.context() as broken:
                broken.setattr(Database, "commit", keep_the_first_only)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.use, "asha", 1)
                    with anyio.fail_after(BOUND):
                        while not writes:
                            await anyio.lowlevel.checkpoint()
                    tasks.start_soon(partial(client.ask, "POST", path, {"usage": 10}, expect=500))
                    with anyio.fail_after(BOUND):
                        while json.loads(planship.requests[-1].request.body or b"{}") != {"usage": 10}:
                            await anyio.lowlevel.checkpoint()
                    for _ in range(20):
                        await anyio.lowlevel.checkpoint()
                    second_waits.set()
            assert (await socket.receive())[CLICKS] == 99
            await client.use("asha", 2)
            assert (await socket.receive())[CLICKS] == 97


async def test_what_the_file_cannot_give_is_answered_with_500(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for reading, over HTTP and at a handshake."""

    def refuse(_self: Database, _key: object) -> Any:  # noqa: ANN401 - never returns
        raise StoreError("it is damaged")

    async with manual(data=tmp_path / "planship.sqlite3") as planship, caller(planship) as client:
        await client.ask("GET", "/products")
        monkeypatch.setattr(Database, "rows", refuse)
        assert await client.ask("GET", "/customers/unread", expect=500) == {"detail": "it is damaged"}
        with pytest.raises(Refused, match="500"):
            async with client.listen_to("unread"):
                raise AssertionError("it was let in")


# --- the block ---


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"address": "0.0.0.0:0"}, "takes a client id and secret of your own"),
        ({"address": "0.0.0.0:0", "client_id": "a"}, "takes a client id and secret of your own"),
        ({"address": "nowhere"}, "an address to listen on is host:port"),
        ({"clock": "sun"}, "clock must be one of"),
        ({"client_secret": ""}, "client_secret must not be empty"),
        ({"client_id": "a:b"}, "client_id must not have a colon"),
        ({"client_id": "\ud800"}, "client_id holds a lone surrogate"),
        ({"client_secret": "\ud800"}, "client_secret holds a lone surrogate"),
        ({"data": ""}, "data must be the path of a file, got an empty one"),
    ],
)
def test_arguments_that_cannot_be_say_why(arguments: dict[str, Any], words: str) -> None:
    """As the sandbox's other ports: loopback unless somebody chose with what to come in."""
    with pytest.raises(ValueError, match=words):
        PlanshipServer(**arguments)


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("client_id", b"mine", "one of str, None"),
        ("client_secret", b"mine", "one of str, None"),
        ("seed", 1.5, "one of int, str, None"),
        ("data", 5, "the path of a file"),
    ],
)
def test_an_argument_of_the_wrong_type_is_refused(name: str, given: object, wanted: str) -> None:
    """A past bug: with a secret of bytes nobody could come in; a file was asked for only as the block was entered."""
    with pytest.raises(TypeError, match=f"{name} must be {wanted}, got {type(given).__name__}"):
        PlanshipServer(**{name: given})  # type: ignore[arg-type]


def test_a_catalogue_or_switches_of_another_class_say_what_is_wanted() -> None:
    """The house: from the constructor."""
    with pytest.raises(TypeError, match="catalogue must be a Catalogue"):
        PlanshipServer(catalogue={})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="switches must be a Switches"):
        PlanshipServer(switches=True)  # type: ignore[arg-type]


def test_outside_its_block_it_says_that_it_is_not_running() -> None:
    """The house: typed errors that say what would be right."""
    planship = PlanshipServer()
    for read in ("base_url", "clock", "credentials", "web_socket_url"):
        with pytest.raises(RuntimeError, match="while its block is entered"):
            getattr(planship, read)
    with pytest.raises(RuntimeError, match="while its block is entered"):
        planship.drop_sockets()
    assert planship.listeners == 0


async def test_the_users_error_comes_out_as_it_is() -> None:
    """The house: no group around it."""
    with pytest.raises(KeyError, match="mine"):
        async with PlanshipServer():
            raise KeyError("mine")


async def test_an_address_in_use_is_an_os_error() -> None:
    """And the same server goes on where it was when it is entered again."""
    async with PlanshipServer() as planship:
        address = planship.base_url.removeprefix("http://")
        with pytest.raises(OSError, match="in use"):
            async with PlanshipServer(address):
                raise AssertionError("it listens")
    async with PlanshipServer(address) as again:
        assert again.base_url == f"http://{address}"


async def test_a_cancelled_block_ends_at_once_with_connections_open() -> None:
    """The house: nothing is left, whoever is connected."""
    with anyio.fail_after(BOUND), anyio.CancelScope() as scope:
        async with PlanshipServer() as planship, caller(planship) as client:
            await client.subscribe("asha")
            async with client.listen_to("asha"):
                port = int(planship.base_url.rpartition(":")[2])
                async with await anyio.connect_tcp("127.0.0.1", port) as half:
                    await half.send(b"POST /api/v1/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{")
                    scope.cancel()
                    await anyio.sleep_forever()
    assert scope.cancelled_caught
