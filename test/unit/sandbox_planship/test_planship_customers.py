"""Customers and subscriptions at Planship's stand-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from planship_desk import START, Desk

from elarian_trio.sandbox.planship.rules.catalogue import Catalogue, Plan, Product

NOBODY = "00000000-0000-4000-8000-000000000000"


def shop() -> Desk:
    """A desk that sells two products, in plans of several lengths."""
    plans = (
        Plan(slug="monthly", max_subscribers=2),
        Plan(slug="yearly", duration_unit="year", auto_renew=False),
        Plan(slug="forever", duration_unit="perpetual"),
    )
    return Desk(Catalogue(products=(Product(slug="one", plans=plans), Product(slug="two", plans=plans))))


# --- customers ---


def test_a_customer_is_told_as_it_was_made_and_is_found_by_either_id() -> None:
    """Facts §6 (``metadata`` in, ``metadata_`` out) and §8: ids of any characters."""
    desk = Desk()
    body = {"alternative_id": "a/b@c %é", "name": "Asha", "email": "a@x.example", "metadata": {"list": [1, None]}}
    made = desk.ask("POST", "/customers", {**body, "unknown": 1})
    assert made["subscriptions"] == []
    assert made["metadata_"] == {"list": [1, None]}
    del made["subscriptions"]
    for name in ("a%2Fb%40c%20%25%C3%A9", made["id"], made["id"].upper()):
        assert desk.ask("GET", f"/customers/{name}") == made
    assert desk.ask("GET", f"/customers/{NOBODY}", expect=404) == "Customer not found"


def test_a_customer_of_whom_nothing_is_known_has_empty_fields() -> None:
    """Facts §5: no parameters are ``{}``."""
    made = Desk().ask("POST", "/customers", {})
    assert (made["name"], made["email"], made["alternative_id"], made["metadata_"]) == ("", "", None, None)


def test_an_alternative_id_is_nobody_elses() -> None:
    """D10; once its customer is gone it is free again."""
    desk = Desk()
    first = desk.customer("asha")
    desk.ask("POST", "/customers", {"alternative_id": "asha"}, expect=409)
    desk.ask("DELETE", "/customers/asha")
    assert desk.customer("asha") != first
    desk.ask("GET", f"/customers/{first}", expect=404)


def test_a_deleted_customer_leaves_no_record_behind_that_was_its_own() -> None:
    """D18: its places go, and subscriptions that nobody is on; what others are on stays."""
    desk = Desk()
    asha, ben = desk.customer("asha"), desk.customer("ben")
    own = desk.subscribe("asha")
    shared = desk.subscribe("asha", max_subscribers=2)
    desk.ask("POST", f"/customers/asha/subscriptions/{shared}/customers", {"customer_id": "ben"})
    desk.use("asha", 1)
    desk.ask("DELETE", "/customers/asha")
    assert desk.touched >= {asha}
    assert [each["subscription_id"] for each in desk.ask("GET", "/customers/ben/subscriptions")] == [shared]
    assert [each["customer_id"] for each in desk.ask("GET", f"/customers/ben/subscriptions/{shared}/customers")] == [
        ben
    ]
    assert not [key for key in desk.shelves.records if asha in repr(key) or own in repr(key)]


def test_a_customer_without_another_name_is_deleted_as_well() -> None:
    """Facts §5."""
    desk = Desk()
    made = desk.ask("POST", "/customers", {})["id"]
    assert desk.ask("DELETE", f"/customers/{made}")["id"] == made
    desk.ask("DELETE", f"/customers/{made}", expect=404)


# --- subscribing ---


def test_a_new_subscription_has_what_its_plan_says_or_what_is_asked() -> None:
    """Facts §6 (PlanSubscriptionCreate), §8; dates are never null."""
    desk = shop()
    desk.customer("asha")
    path = "/products/one/plans/monthly/subscriptions"
    plain = desk.ask("POST", path, {"customer_id": "asha"})
    assert (plain["max_subscribers"], plain["auto_renew"], plain["is_active"]) == (2, True, True)
    assert plain["start_at"] == plain["last_renewed_at"] == START.isoformat()
    assert plain["renew_at"] == "2026-02-28T12:00:00+00:00"
    assert plain["plan"] == plain["renew_plan"] == {"id": plain["plan_id"], "name": "monthly", "slug": "monthly"}
    asked = {"max_subscribers": -1, "auto_renew": False, "renew_at": "2026-05-01T00:00:00", "metadata": {"a": 1}}
    other = desk.ask("POST", path, {"customer_id": "asha", "is_subscriber": False, **asked})
    assert (other["max_subscribers"], other["auto_renew"]) == (-1, False)
    assert other["renew_at"] == "2026-05-01T00:00:00+00:00"
    row = desk.ask("GET", f"/customers/asha/subscriptions/{other['id']}")
    assert (row["is_administrator"], row["is_subscriber"], row["metadata_"]) == (True, False, {"a": 1})
    assert "id" not in row
    yearly = desk.ask("POST", "/products/one/plans/yearly/subscriptions", {"customer_id": "asha"})
    assert (yearly["auto_renew"], yearly["renew_at"]) == (False, "2027-01-31T12:00:00+00:00")
    forever = desk.ask("POST", "/products/one/plans/forever/subscriptions", {"customer_id": "asha"})
    assert forever["renew_at"] == "9999-12-31T00:00:00+00:00"


def test_who_or_what_is_not_there_cannot_be_subscribed() -> None:
    """Facts §7."""
    desk = shop()
    desk.customer("asha")
    path = "/products/one/plans/{}/subscriptions"
    assert desk.ask("POST", path.format("none"), {"customer_id": "asha"}, expect=404) == "Plan not found"
    assert desk.ask("POST", path.format("monthly"), {"customer_id": "ben"}, expect=404) == "Customer not found"


def test_a_subscription_may_be_made_with_everything_said() -> None:
    """Facts §5: ``POST /customers/{c}/subscriptions``, behind no seed method."""
    desk = shop()
    desk.customer("asha")
    product = desk.catalogue_product("one")
    ids = {plan.slug: desk.service.catalogue.plan_id(product, plan) for plan in product.plans}
    body = {
        "auto_renew": True,
        "is_active": False,
        "plan_id": ids["monthly"],
        "renew_plan_id": ids["yearly"].upper(),
        "renew_at": "2026-03-01T00:00:00Z",
        "last_renewed_at": "2026-02-01T01:00:00+01:00",
        "start_at": "2025-01-01T00:00:00Z",
        "alternative_id": "first",
    }
    made = desk.ask("POST", "/customers/asha/subscriptions", body)
    assert (made["max_subscribers"], made["is_active"], made["alternative_id"]) == (1, False, "first")
    assert (made["plan"]["slug"], made["renew_plan"]["slug"]) == ("monthly", "yearly")
    assert made["last_renewed_at"] == "2026-02-01T00:00:00+00:00"
    other = desk.service.catalogue.plan_id(desk.catalogue_product("two"), product.plans[0])
    for wrong in (NOBODY, other):
        desk.ask("POST", "/customers/asha/subscriptions", {**body, "renew_plan_id": wrong}, expect=404)
    mistakes = desk.ask("POST", "/customers/asha/subscriptions", {}, expect=422)
    assert len(mistakes) == 7


# --- changing ---


def test_a_change_changes_what_it_names_and_nothing_else() -> None:
    """Facts §5: PATCH is partial, ``{}`` changes nothing; changing the plan does not change the renew plan."""
    desk = shop()
    asha = desk.customer("asha")
    path = f"/customers/asha/subscriptions/{desk.subscribe('asha', 'monthly', 'one')}"
    before = desk.ask("GET", path)
    assert desk.ask("PATCH", path, {}) == before
    assert not desk.touched
    changes: list[tuple[dict[str, Any], str, Any]] = [
        ({"plan_slug": "yearly"}, "plan", "yearly"),
        ({"renew_plan_slug": "forever"}, "renew_plan", "forever"),
        ({"max_subscribers": 5}, "max_subscribers", 5),
        ({"auto_renew": False}, "auto_renew", False),
        ({"is_active": False}, "is_active", False),
        ({"renew_at": "2030-01-01T00:00:00Z"}, "renew_at", "2030-01-01T00:00:00+00:00"),
    ]
    for body, name, value in changes:
        after = desk.ask("PATCH", path, body)
        assert desk.touched == {asha}
        assert {key for key in after if after[key] != before[key]} == {name}
        assert (after[name]["slug"] if name in ("plan", "renew_plan") else after[name]) == value
        before = after
    assert desk.ask("GET", path) == before


def test_a_plan_may_be_named_by_its_id_but_is_of_the_same_product() -> None:
    """Facts §6: SubscriptionUpdateWithSlugs."""
    desk = shop()
    desk.customer("asha")
    path = f"/customers/asha/subscriptions/{desk.subscribe('asha', 'monthly', 'one')}"
    plan_id = desk.plan_id("one", "yearly")
    assert desk.ask("PATCH", path, {"plan_id": plan_id, "renew_plan_id": plan_id})["plan"]["slug"] == "yearly"
    for body in ({"plan_id": desk.plan_id("two", "yearly")}, {"renew_plan_id": NOBODY}, {"plan_slug": "none"}):
        assert desk.ask("PATCH", path, body, expect=404) == "Plan not found"


def test_a_plan_that_never_ends_moves_the_date_of_renewal() -> None:
    """D16: between plans that end it stays as it was."""
    desk = shop()
    desk.customer("asha")
    path = f"/customers/asha/subscriptions/{desk.subscribe('asha', 'monthly', 'one')}"
    assert desk.ask("PATCH", path, {"plan_slug": "forever"})["renew_at"].startswith("9999-12-31")
    assert desk.ask("PATCH", path, {"plan_slug": "yearly"})["renew_at"].startswith("2027-01-31")
    assert desk.ask("PATCH", path, {"plan_slug": "monthly"})["renew_at"].startswith("2027-01-31")
    asked = {"plan_slug": "forever", "renew_at": "2028-01-01T00:00:00Z"}
    assert desk.ask("PATCH", path, asked)["renew_at"].startswith("2028")


def test_there_are_never_fewer_seats_than_are_taken() -> None:
    """D10."""
    desk = shop()
    desk.customer("asha")
    desk.customer("ben")
    made = desk.subscribe("asha", "monthly", "one")
    path = f"/customers/asha/subscriptions/{made}"
    desk.ask("POST", f"{path}/customers", {"customer_id": "ben"})
    assert desk.ask("PATCH", path, {"max_subscribers": 1}, expect=409) == "The subscription has 2 subscribers already"
    assert desk.ask("PATCH", path, {"max_subscribers": -1})["max_subscribers"] == -1
    assert desk.ask("PATCH", path, {"max_subscribers": 2})["max_subscribers"] == 2


def test_subscriptions_are_listed_oldest_first_of_all_products_or_of_one() -> None:
    """Facts §8: customers belong to the organization."""
    desk = shop()
    desk.customer("asha")
    made = []
    for product in ("two", "one", "two"):
        made.append(desk.subscribe("asha", "monthly", product))
        desk.now += timedelta(seconds=1)

    def listed(query: str = "") -> list[str]:
        return [each["subscription_id"] for each in desk.ask("GET", f"/customers/asha/subscriptions{query}")]

    assert listed() == made
    assert listed("?product_slug=two") == [made[0], made[2]]
    assert listed("?product_slug=none") == []


def test_a_subscription_renews_by_itself_or_when_asked() -> None:
    """Facts §8: also where nobody looked in between; a lapsed one is active again once renewed."""
    desk = shop()
    desk.customer("asha")
    made = desk.subscribe("asha", "monthly", "one", auto_renew=True)
    path = f"/customers/asha/subscriptions/{made}"
    desk.ask("PATCH", path, {"renew_plan_slug": "yearly"})
    desk.now = datetime(2026, 3, 1, tzinfo=UTC)
    renewed = desk.ask("GET", path)
    assert (renewed["plan"]["slug"], renewed["last_renewed_at"]) == ("yearly", "2026-02-28T12:00:00+00:00")
    desk.ask("PATCH", path, {"auto_renew": False})
    desk.now = datetime(2027, 3, 1, tzinfo=UTC)
    assert desk.ask("GET", path)["is_active"] is False
    again = desk.ask("POST", f"/subscriptions/{made}/renewals")
    assert (again["is_active"], again["renew_at"]) == (True, "2028-03-01T00:00:00+00:00")
    assert desk.ask("POST", f"/subscriptions/{NOBODY}/renewals", expect=404) == "Subscription not found"


def test_a_plan_that_the_catalogue_has_no_more_is_said_to_be_missing() -> None:
    """This SDK: a file may be opened again with another catalogue; nothing is guessed, nothing lost."""
    desk = shop()
    desk.customer("asha")
    made = desk.subscribe("asha", "monthly", "one")
    for products in ((Product(slug="one"),), (Product(slug="other"),)):
        later = Desk(Catalogue(products=products))
        later.shelves = desk.shelves
        words = later.ask("GET", f"/customers/asha/subscriptions/{made}", expect=500)
        assert words == "the catalogue has no plan 'monthly' of product 'one' any more"


# --- who is on it ---


def test_only_administrators_change_a_subscription_and_who_is_on_it() -> None:
    """D9; and who is not on it does not find it."""
    desk = shop()
    for name in ("asha", "ben", "cleo"):
        desk.customer(name)
    made = desk.subscribe("asha", "monthly", "one")
    desk.ask("POST", f"/customers/asha/subscriptions/{made}/customers", {"customer_id": "ben"})
    ben = f"/customers/ben/subscriptions/{made}"
    desk.ask("GET", ben)
    desk.ask("PATCH", ben, {"auto_renew": False}, expect=403)
    desk.ask("POST", f"{ben}/customers", {"customer_id": "cleo"}, expect=403)
    desk.ask("DELETE", f"{ben}/customers/asha", expect=403)
    for path in ("", "/customers"):
        desk.ask("GET", f"/customers/cleo/subscriptions/{made}{path}", expect=404)
    assert desk.ask("GET", f"/customers/asha/subscriptions/{made}")["auto_renew"] is True


def test_seats_are_for_subscribers_only() -> None:
    """D15: who only administers takes none; -1 is no limit."""
    desk = shop()
    for name in ("asha", "ben", "cleo", "dan"):
        desk.customer(name)
    made = desk.subscribe("asha", "monthly", "one")
    path = f"/customers/asha/subscriptions/{made}/customers"
    row = desk.ask("POST", path, {"customer_id": "ben", "is_subscriber": False, "is_administrator": True})
    assert (row["is_administrator"], row["is_subscriber"], row["plan"]["slug"]) == (True, False, "monthly")
    row = desk.ask("POST", path, {"customer_id": "cleo", "metadata": {}})
    assert (row["is_administrator"], row["is_subscriber"], row["metadata_"]) == (False, True, {})
    words = desk.ask("POST", path, {"customer_id": "dan"}, expect=409)
    assert words == "All 2 seats of the subscription are taken"
    desk.ask("PATCH", f"/customers/asha/subscriptions/{made}", {"max_subscribers": -1})
    desk.ask("POST", path, {"customer_id": "dan"})
    desk.ask("POST", path, {"customer_id": "dan"}, expect=409)
    desk.ask("POST", path, {"customer_id": "nobody"}, expect=404)


def test_customers_leave_by_themselves_unless_they_are_the_last_of_their_kind() -> None:
    """D10, facts §8; the id in the path may be an alternative one (D17)."""
    desk = shop()
    ids = {name: desk.customer(name) for name in ("asha", "ben", "cleo")}
    made = desk.subscribe("asha", "monthly", "one", is_subscriber=False)
    path = f"/customers/{{}}/subscriptions/{made}/customers"
    desk.ask("POST", path.format("asha"), {"customer_id": "ben"})
    assert desk.ask("DELETE", path.format("asha") + "/asha", expect=409) == "The only administrator cannot be removed"
    assert desk.ask("DELETE", path.format("ben") + "/ben", expect=409) == "The only subscriber cannot be removed"
    desk.now += timedelta(seconds=1)
    desk.ask("POST", path.format("asha"), {"customer_id": "cleo", "is_administrator": True})
    listed = desk.ask("GET", path.format("cleo"))
    assert [row["customer_id"] for row in listed] == [*sorted((ids["asha"], ids["ben"])), ids["cleo"]]
    assert desk.ask("DELETE", path.format("ben") + f"/{ids['ben']}")["customer_id"] == ids["ben"]
    assert desk.touched == {ids["ben"]}
    desk.ask("DELETE", path.format("cleo") + "/asha")
    desk.ask("DELETE", path.format("cleo") + "/ben", expect=404)
    desk.ask("DELETE", path.format("ben") + "/cleo", expect=404)
    assert desk.ask("GET", "/customers/ben/subscriptions") == []


# --- what is wrong with a request ---


@pytest.mark.parametrize(
    ("value", "field", "kind"),
    [
        ({"name": 1}, "name", "type_error.str"),
        ({"email": "\ud800"}, "email", "value_error.str"),
        ({"alternative_id": "x" * 257}, "alternative_id", "value_error.any_str.max_length"),
        ({"alternative_id": ""}, "alternative_id", "value_error.any_str.min_length"),
        ({"metadata": []}, "metadata", "type_error.dict"),
        ({"metadata": {"a": ["\ud800"]}}, "metadata", "value_error.str"),
    ],
)
def test_a_customer_that_cannot_be_is_answered_with_what_is_wrong(value: object, field: str, kind: str) -> None:
    """Facts §7: the framework's shape, one mistake each; null is as good as left out."""
    desk = Desk()
    (mistake,) = desk.ask("POST", "/customers", value, expect=422)
    assert (mistake["loc"], mistake["type"]) == (["body", field], kind)
    desk.ask("POST", "/customers", {"alternative_id": "x" * 256, "name": None})


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"max_subscribers": 0}, "value_error.number.not_gt"),
        ({"max_subscribers": "2"}, "type_error.integer"),
        ({"max_subscribers": 2**63}, "value_error.number.not_le"),
        ({"auto_renew": 1}, "type_error.bool"),
        ({"plan_id": "x"}, "type_error.uuid"),
        ({"renew_at": "soon"}, "value_error.datetime"),
        ({"renew_at": "0001-01-01T00:00:00+14:00"}, "value_error.datetime"),
        ({"renew_at": 5}, "type_error.str"),
    ],
)
def test_a_change_that_cannot_be_is_answered_with_what_is_wrong_and_changes_nothing(
    value: dict[str, object], kind: str
) -> None:
    """Facts §7."""
    desk = shop()
    desk.customer("asha")
    path = f"/customers/asha/subscriptions/{desk.subscribe('asha', 'monthly', 'one')}"
    before = desk.ask("GET", path)
    (mistake,) = desk.ask("PATCH", path, {"plan_slug": "yearly", **value}, expect=422)
    assert mistake["type"] == kind
    assert desk.ask("GET", path) == before


@pytest.mark.parametrize(
    ("content", "loc", "kind"),
    [
        (b"", ["body"], "value_error.missing"),
        (b"{", ["body", 1], "value_error.jsondecode"),
        (b"\xff", ["body", 0], "value_error.jsondecode"),
        (b'{"metadata": {"a": NaN}}', ["body", 0], "value_error.jsondecode"),
        (b'{"metadata": {"a": 1e999}}', ["body", 0], "value_error.jsondecode"),
        (b'{"metadata": {"a": ' + b"9" * 5_000 + b"}}", ["body", 0], "value_error.jsondecode"),
        (b'{"metadata": ' + b'{"a": ' * 100 + b"1" + b"}" * 101, ["body", 0], "value_error.jsondecode"),
        (b'{"metadata": ' * 99_999, ["body", 0], "value_error.jsondecode"),
        (b"[]", ["body"], "type_error.dict"),
        (b"{}", ["body", "customer_id"], "value_error.missing"),
        (b'{"customer_id": null}', ["body", "customer_id"], "type_error.none.not_allowed"),
    ],
)
def test_a_body_that_is_none_is_answered_with_where_it_ends_to_be_one(
    content: bytes, loc: list[object], kind: str
) -> None:
    """Facts §7. What could not be answered is no JSON either: it would be met by a failure of the stand-in's own."""
    desk = shop()
    desk.sign_in()
    path = "/api/v1/products/one/plans/monthly/subscriptions"
    reply = desk.send("POST", path, content, {"authorization": f"Bearer {desk.token}"})
    assert reply.status == 422
    (mistake,) = desk.detail(reply)
    assert (mistake["loc"], mistake["type"]) == (loc, kind)


def test_a_subscriptions_id_is_a_uuid() -> None:
    """Facts §7: the path is validated, too."""
    desk = shop()
    desk.customer("asha")
    (mistake,) = desk.ask("GET", "/customers/asha/subscriptions/x", expect=422)
    assert (mistake["loc"], mistake["type"]) == (["path", "subscription"], "type_error.uuid")
