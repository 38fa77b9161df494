"""Planship's rules without a server: requests in, answers out, and records in a dict."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from elarian_trio.sandbox.books import Books
from elarian_trio.sandbox.dice import SeededDice
from elarian_trio.sandbox.exchange import Call, WebRequest
from elarian_trio.sandbox.planship.rules.catalogue import Catalogue, clicker_demo
from elarian_trio.sandbox.planship.rules.operations import deal_of, operations, revoke_tokens
from elarian_trio.sandbox.planship.rules.service import Service, Switches, Touched
from elarian_trio.sandbox.planship.rules.tokens import ClientKeys
from elarian_trio.sandbox.world.entities import EntryKey

if TYPE_CHECKING:
    from elarian_trio.sandbox.exchange import WebReply
    from elarian_trio.sandbox.planship.rules.catalogue import Product
    from elarian_trio.sandbox.planship.rules.service import Deal
    from elarian_trio.sandbox.world.entities import EntryRecord, IndexKey, Key, Record

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEYS = ClientKeys("ID", "secret")


class DictShelves:
    def __init__(self) -> None:
        self.records: dict[Key[Any], Record] = {}

    def load(self, key: Key[Any]) -> Any:  # noqa: ANN401 - a record
        return self.records.get(key)

    def members(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        found: list[Any] = [
            record for key, record in self.records.items() if isinstance(key, EntryKey) and key.index == index
        ]
        return tuple(found)

    def keep(self, changes: dict[Key[Any], Record | None]) -> None:
        for key, record in changes.items():
            if record is None:
                self.records.pop(key, None)
            else:
                self.records[key] = record


class Desk:
    """One service; each request is a unit of work."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self.service = Service(catalogue or clicker_demo(), KEYS, Switches(token_lifetime=timedelta(days=36_500)))
        self.shelves = DictShelves()
        self.now = START
        self.dice = SeededDice(1)
        self.touched: set[str] = set()
        self.token = ""

    def call(self, request: WebRequest) -> Call:
        return Call(request, Books(self.shelves), self.now, self.dice)

    def deal(self, **params: str) -> Deal:
        """A unit of work that is never kept, to look at things."""
        return deal_of(self.service, self.call(WebRequest(method="GET", path="/", params=params)))

    def send(self, method: str, path: str, content: bytes = b"", headers: dict[str, str] | None = None) -> WebReply:
        """Ask, with whatever headers, and keep what was changed."""
        path, _, query = path.partition("?")
        pairs = tuple((name, value) for name, _, value in (each.partition("=") for each in query.split("&") if each))
        for operation in operations(self.service):
            found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", operation.path), path)
            if found and operation.method == method:
                params = {name: unquote(value) for name, value in found.groupdict().items()}
                request = WebRequest(
                    method=method, path=path, params=params, query=pairs, headers=headers or {}, body=content
                )
                call = self.call(request)
                reply = operation.rule(call)
                self.shelves.keep(call.books.changes)
                self.touched = {each for effect in call.books.effects for each in _customers(effect)}
                return reply
        raise AssertionError(f"there is no {method} {path}")

    def sign_in(self, keys: ClientKeys = KEYS) -> WebReply:
        """Ask for a token, and use it from now on."""
        basic = base64.b64encode(f"{keys.client_id}:{keys.client_secret}".encode()).decode()
        reply = self.send("POST", "/api/v1/auth/token", headers={"authorization": f"Basic {basic}"})
        self.token = json.loads(reply.body).get("access_token", "")
        return reply

    def revoke(self) -> None:
        call = self.call(WebRequest(method="", path=""))
        revoke_tokens(self.service, call)
        self.shelves.keep(call.books.changes)

    def ask(self, method: str, path: str, body: object = None, *, expect: int = 200) -> Any:  # noqa: ANN401 - JSON
        """Ask as a client that is signed in; give what is answered, or what is wrong."""
        if not self.token:
            self.sign_in()
        content = b"" if body is None else json.dumps(body).encode()
        reply = self.send(method, f"/api/v1{path}", content, {"authorization": f"Bearer {self.token}"})
        assert reply.status == expect, (reply.status, reply.body)
        value = json.loads(reply.body)
        return value if expect == 200 else value["detail"]

    def detail(self, reply: WebReply) -> Any:  # noqa: ANN401 - words, or a list of mistakes
        """Say what is wrong, says the reply."""
        return json.loads(reply.body)["detail"]

    def catalogue_product(self, slug: str) -> Product:
        product = self.service.catalogue.product(slug)
        assert product is not None
        return product

    def plan_id(self, product: str, plan: str) -> str:
        owner = self.catalogue_product(product)
        found = owner.plan(plan)
        assert found is not None
        return self.service.catalogue.plan_id(owner, found)

    # What most tests begin with.

    def customer(self, name: str) -> str:
        """Make a customer of that name, and give its UUID."""
        made: str = self.ask("POST", "/customers", {"alternative_id": name})["id"]
        return made

    def subscribe(self, name: str, plan: str = "small", product: str = "clicker-demo", **body: object) -> str:
        """Subscribe a customer, and give the subscription's UUID."""
        path = f"/products/{product}/plans/{plan}/subscriptions"
        made: str = self.ask("POST", path, {"customer_id": name, **body})["id"]
        return made

    def entitlements(self, name: str, product: str = "clicker-demo") -> dict[str, Any]:
        """Ask what a customer is entitled to."""
        found: dict[str, Any] = self.ask("GET", f"/customers/{name}/products/{product}/entitlements")
        return found

    def use(self, name: str, usage: int, bucket: str | None = None, *, metering_id: str = "button-click") -> None:
        """Report use."""
        self.ask(
            "POST", f"/customers/{name}/products/clicker-demo/usage/{metering_id}", {"usage": usage, "bucket": bucket}
        )


def _customers(effect: object) -> tuple[str, ...]:
    assert isinstance(effect, Touched)
    return effect.customer_ids
