"""A stand-in's unit of work, and what is asked and answered over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from planship_desk import DictShelves

from elarian_trio.sandbox.books import Books
from elarian_trio.sandbox.exchange import Exchange, Log, WebRequest, json_reply
from elarian_trio.sandbox.planship.rules.records import PlanshipAliasKey, PlanshipAliasRecord
from elarian_trio.sandbox.world.entities import IndexKey

if TYPE_CHECKING:
    import pytest

ALIAS = PlanshipAliasRecord(org_id="o", alternative_id="a", customer_id="c")
LIST = IndexKey("o", "kind", ("part",))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_unit_sees_what_it_changed_and_the_shelves_do_not() -> None:
    """The house: all or nothing."""
    shelves = DictShelves()
    books = Books(shelves)
    assert books.find(ALIAS.key) is None
    assert books.put(ALIAS) is ALIAS
    assert books.find(ALIAS.key) == ALIAS
    assert not shelves.records
    shelves.keep(books.changes)
    later = Books(shelves)
    later.remove(ALIAS.key)
    assert later.find(ALIAS.key) is None
    assert Books(shelves).find(PlanshipAliasKey("o", "a")) == ALIAS


def test_a_list_is_what_is_kept_with_what_was_changed() -> None:
    """In the order of names, each once."""
    shelves = DictShelves()
    books = Books(shelves)
    for name in ("b", "a", "b"):
        books.enlist(LIST, name)
    books.enlist(IndexKey("o", "kind", ("other",)), "z")
    assert books.members(LIST) == ("a", "b")
    shelves.keep(books.changes)
    later = Books(shelves)
    later.strike(LIST, "a")
    later.enlist(LIST, "c", expires_at=NOW)
    later.strike(LIST, "never there")
    assert later.members(LIST) == ("b", "c")


def test_a_unit_that_is_discarded_has_changed_nothing_and_nothing_to_do() -> None:
    """What is refused has no effect."""
    books = Books(DictShelves())
    books.put(ALIAS)
    books.effects.append("effect")
    books.discard()
    assert not books.changes
    assert not books.effects


def test_a_request_shows_nobodys_name_and_no_credential() -> None:
    """The house: credentials in no repr."""
    request = WebRequest(
        method="GET",
        path="/ws",
        params={"customer": "asha"},
        query=(("token", "secret"),),
        headers={"authorization": "Bearer secret"},
        body=b"secret",
    )
    assert repr(request) == "WebRequest(method='GET', path='/ws')"


def test_json_is_sent_as_such_with_further_headers() -> None:
    """Facts §5: always ``application/json``."""
    reply = json_reply({"é": 1}, 201, {"x": "y"})
    assert reply.body == '{"é":1}'.encode()
    assert reply.headers == {"content-type": "application/json", "x": "y"}
    assert reply.status == 201


def test_the_log_holds_no_more_than_a_bound_of_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The house: a thousand bodies of a megabyte are too many; of one that is too long, there is the latest."""
    monkeypatch.setattr("elarian_trio.sandbox.exchange.MAX_LOGGED_BYTES", 10)
    log = Log()

    def hear(path: str, length: int) -> list[str]:
        number = log.begin(Exchange(NOW, WebRequest(method="GET", path=path), None))
        log.change(number, request=WebRequest(method="GET", path=path, body=b"x" * length))
        log.change(number, status=200)
        return [each.request.path for each in log.exchanges]

    assert hear("/a", 5) == ["/a"]
    assert hear("/b", 5) == ["/a", "/b"]
    assert hear("/c", 1) == ["/b", "/c"]
    assert hear("/d", 99) == ["/d"]
    assert hear("/e", 1) == ["/e"]
    log.clear()
    assert hear("/f", 10) == ["/f"]


def test_the_log_holds_the_latest_and_what_became_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The house: no unbounded buffer."""
    monkeypatch.setattr("elarian_trio.sandbox.exchange.MAX_LOGGED", 2)
    log = Log()
    numbers = [log.begin(Exchange(NOW, WebRequest(method="GET", path=f"/{path}"), None)) for path in "abc"]
    log.change(numbers[0], status=200)
    log.change(numbers[2], status=404)
    assert [(each.request.path, each.status) for each in log.exchanges] == [("/b", None), ("/c", 404)]
    log.clear()
    assert log.exchanges == ()
