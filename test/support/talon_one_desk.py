"""The rules of Talon.One's stand-in without a server: requests in, answers out, records in a dictionary.

Each record goes through the JSON in which a file keeps it, so that what a rule finds is what a file would give it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from elarian_trio.sandbox.books import Books
from elarian_trio.sandbox.dice import SeededDice
from elarian_trio.sandbox.exchange import Call, WebReply, WebRequest
from elarian_trio.sandbox.rows import VERSION, know, read_record, record_text
from elarian_trio.sandbox.talonone.rules.deployment import Application, Campaign, Coupon, Deployment, Rule
from elarian_trio.sandbox.talonone.rules.operations import ACTS, answer
from elarian_trio.sandbox.talonone.rules.records import RECORDS
from elarian_trio.sandbox.world.entities import EntryKey, EntryRecord, IndexKey, Key, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

R = TypeVar("R", bound=Record)

KEY = "0123456789abcdef" * 4
SIGNING_KEY = "fefecafedeadbeef"
NOON = datetime(2019, 5, 20, 12, 0, 0, 500_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
AUTHORIZED = {"authorization": f"ApiKey-v1 {KEY}"}

know(*RECORDS)


class Shelf:
    """Records in a dictionary, as a file has them."""

    def __init__(self) -> None:
        self.texts: dict[Key[Any], str] = {}

    def load(self, key: Key[R]) -> R | None:
        found = self.texts.get(key)
        return None if found is None else read_record(key, VERSION, found)

    def members(self, index: IndexKey) -> tuple[EntryRecord, ...]:
        keys = [key for key in self.texts if isinstance(key, EntryKey) and key.index == index]
        return tuple(entry for key in keys if (entry := self.load(key)) is not None)

    def keep(self, changes: Mapping[Key[Any], Record | None]) -> None:
        for key, record in changes.items():
            if record is None:
                self.texts.pop(key, None)
            else:
                self.texts[key] = record_text(key, record)


class Desk:
    """A deployment that can be asked.

    Attributes:
        now: the present; the test moves it.
        shelf: the records.
        applications: who may ask.
    """

    def __init__(
        self,
        *rules: Rule,
        campaigns: Iterable[Campaign] = (),
        coupons: Iterable[Coupon] = (),
        applications: Iterable[Application] = (),
        **settings: Any,  # noqa: ANN401 - those of a deployment
    ) -> None:
        self.now = NOON
        self.shelf = Shelf()
        self.applications = tuple(applications) or (Application(api_key=KEY, application_key=SIGNING_KEY),)
        self._dice = SeededDice(1)
        self._deployment = Deployment(
            rules=rules,
            campaigns={each.campaign_id: each for each in campaigns},
            coupons={each.code: each for each in coupons},
            **settings,
        )

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] = AUTHORIZED,
        query: tuple[tuple[str, str], ...] = (),
    ) -> WebReply:
        """Ask, with a body as JSON (bytes as they are)."""
        act = next(each for each in ACTS if each.method == method and each.path.split("{")[0] in path + "/")
        _, _, last = path.rpartition("/")
        name = act.path.partition("{")[2].rstrip("}")
        request = WebRequest(
            method=method,
            path=path,
            params={name: unquote(last)} if name else {},
            query=query,
            headers=headers,
            body=body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
        )
        books = Books(self.shelf)
        reply = answer(act, self._deployment, self.applications, Call(request, books, self.now, self._dice))
        self.shelf.keep(books.changes)
        return reply

    # Requests that succeed.

    def session(self, session_id: str, query: tuple[tuple[str, str], ...] = (), **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Update a session; arguments are the body's fields."""
        return done(self.ask("PUT", f"/v1/customer_sessions/{session_id}", fields, query=query), 200)

    def profile(self, profile_id: str, **attributes: Any) -> dict[str, Any]:  # noqa: ANN401
        """Update a profile; arguments are its attributes."""
        body = {"attributes": attributes} if attributes else {}
        return done(self.ask("PUT", f"/v1/customer_profiles/{profile_id}", body), 200)

    def event(self, session_id: str, type_: str = "seen", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Record an event; arguments are the body's other fields."""
        body = {"sessionId": session_id, "type": type_, "attributes": {}, **fields}
        return done(self.ask("POST", "/v1/events", body), 201)

    def referral(self, advocate: str, campaign_id: int = 1, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Have a referral code made; arguments are the body's other fields."""
        body = {"campaignId": campaign_id, "advocateProfileIntegrationId": advocate, **fields}
        return done(self.ask("POST", "/v1/referrals", body), 201)

    def delete(self, profile_id: str) -> None:
        """Delete a customer's data."""
        reply = self.ask("DELETE", f"/v1/customer_data/{profile_id}")
        assert (reply.status, reply.body) == (204, b"")

    # Requests that do not.

    def refused(self, method: str, path: str, body: object = None) -> list[tuple[str, str]]:
        """Ask for what is refused with 400, and give pointers and titles."""
        return problems(self.ask(method, path, body))


def done(reply: WebReply, status: int) -> dict[str, Any]:
    """Give what a request that succeeded is answered with."""
    assert reply.status == status, reply.body
    assert reply.headers == {"content-type": "application/json"}
    answered: dict[str, Any] = json.loads(reply.body)
    return answered


def problems(reply: WebReply) -> list[tuple[str, str]]:
    """Give what was wrong with a body."""
    said = json.loads(reply.body)
    assert (reply.status, said["message"]) == (400, "The submitted data was invalid"), said
    return [(each["source"]["pointer"], each["title"]) for each in said["errors"]]


def effects(state: Mapping[str, Any]) -> list[list[Any]]:
    """Give the effects of an answer, without whose they are."""
    return [effect for *_, effect in state["event"]["effects"]]
