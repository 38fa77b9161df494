"""What is on sale at Planship's stand-in, and how that is told."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from planship_desk import Desk

from elarian_trio.sandbox.planship.rules.catalogue import Catalogue, Lever, Plan, Product, clicker_demo
from elarian_trio.sandbox.planship.rules.service import Switches

P = "/products/clicker-demo"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Lever(slug="a", kind="other"), "kind must be one of 'flag', 'integer'"),
        (lambda: Lever(slug="a", kind="metered"), "give the metering_ids"),
        (lambda: Lever(slug="a", metering_ids=("m",)), "is 'flag', which counts nothing: make it 'metered'"),
        (lambda: Lever(slug="a", kind="enum"), "give its choices"),
        (lambda: Lever(slug="a", formula="mean"), "formula must be"),
        (lambda: Lever(slug="a", scope="all"), "scope must be"),
        (lambda: Lever(slug="a", period="day"), "period must be"),
        (lambda: Lever(slug="a", default=1), "1 is no value of lever 'a', which is a bool"),
        (lambda: Lever(slug="a", kind="integer", default=-2), "-2 is no value of lever 'a'"),
        (lambda: Lever(slug="a", kind="integer", default=True), "True is no value"),
        (lambda: Lever(slug="a", kind="list", default=("x", 1)), "which is a list of strings"),
        (lambda: Lever(slug="a", kind="enum", choices=("x",), default="y"), "one of its choices"),
        (lambda: Lever(slug=".."), "a slug must be a name"),
        (lambda: Plan(slug=""), "a slug must be a name"),
        (lambda: Plan(slug="\ud800"), "slug holds a lone surrogate"),
        (lambda: Product(slug="a", description="\ud800"), "description holds a lone surrogate"),
        (lambda: Plan(slug="a", duration_unit="infinity"), "duration_unit must be"),
        (lambda: Plan(slug="a", duration_period=0), "duration_period must be 1 or more"),
        (lambda: Plan(slug="a", max_subscribers=0), "max_subscribers must be 1 or more"),
        (lambda: Product(slug="a", plans=(Plan(slug="b", entitlements={"c": 1}),)), "has no lever 'c'; known are none"),
        (lambda: Product(slug="a", levers=(Lever(slug="b"), Lever(slug="b"))), "the slugs of levers must differ"),
        (lambda: Catalogue(products=()), "at least one product"),
        (
            lambda: Product(slug="a", levers=(Lever(slug="x"),), plans=(Plan(slug="b", entitlements={"x": "yes"}),)),
            "'yes' is no value of lever 'x'",
        ),
    ],
)
def test_a_catalogue_that_cannot_be_says_why(make: Any, words: str) -> None:  # noqa: ANN401 - a function
    """The house: typed errors that say what was wrong and what would be right."""
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Lever(slug=5), "slug must be a str, got int"),
        (
            lambda: Lever(slug="a", kind="metered", metering_ids="click"),
            "metering_ids must be a sequence of str, got str",
        ),
        (lambda: Lever(slug="a", kind="enum", choices=["x", 1]), "each of choices must be a str, got int"),
        (lambda: Plan(slug="a", max_subscribers="5"), "max_subscribers must be an int, got str"),
        (lambda: Plan(slug="a", duration_period=1.5), "duration_period must be an int, got float"),
        (lambda: Plan(slug="a", auto_renew="no"), "auto_renew must be a bool, got str"),
        (lambda: Plan(slug="a", entitlements=["b"]), "entitlements must be a Mapping, got list"),
        (lambda: Product(slug="a", levers=["b"]), "each of levers must be a Lever, got str"),
        (lambda: Product(slug="a", plans="b"), "plans must be a sequence of Plan, got str"),
        (lambda: Product(slug="a", alternative_id=5), "alternative_id must be one of str, None, got int"),
        (lambda: Catalogue(products=["a"]), "each of products must be a Product, got str"),
        (lambda: Catalogue(products=[Product(slug="a")], organization=5), "organization must be a str, got int"),
        (lambda: Switches(token_lifetime=3600), "token_lifetime must be a timedelta, got int"),
        (lambda: Switches(raw_values="no"), "raw_values must be a bool, got str"),
    ],
)
def test_what_is_of_the_wrong_type_is_told_of_where_it_is_given(make: Any, words: str) -> None:  # noqa: ANN401 - a function
    """A past bug: it was an error of ours at some request, or taken for something else, as a text for its letters."""
    with pytest.raises(TypeError, match=words):
        make()


def test_a_switch_that_there_is_not_cannot_be_set() -> None:
    """A past bug: whoever misspelt one had a server that behaved as before."""
    with pytest.raises(AttributeError, match="raw_value"):
        Switches().raw_value = True  # type: ignore[attr-defined]


def test_a_lever_of_each_kind_has_the_least_there_is_by_default() -> None:
    """Facts §8: a plan without an entitlement of its own has the lever's default."""
    levers = (
        Lever(slug="flag"),
        Lever(slug="integer", kind="integer"),
        Lever(slug="list", kind="list"),
        Lever(slug="enum", kind="enum", choices=("low", "high")),
        Lever(slug="metered", kind="metered", metering_ids=("m",)),
        Lever(slug="given", kind="list", default=["a"], period=timedelta(1)),  # type: ignore[arg-type]
    )
    assert [lever.least for lever in levers] == [False, 0, (), "low", 0, ("a",)]
    product = Product(slug="p", levers=levers, plans=(Plan(slug="plan"),))
    assert product.name == "p"
    assert [product.value(product.plans[0], lever) for lever in levers] == [lever.least for lever in levers]


def test_products_are_told_with_ids_that_stay() -> None:
    """This SDK: a server that is started again on its file has the same ids."""
    (product,) = Desk().ask("GET", "/products")
    assert product == Desk().ask("GET", P)
    assert product["slug"] == "clicker-demo"
    assert Desk().ask("GET", "/products/none", expect=404) == "Product not found"


def test_plans_are_listed_in_order_or_as_asked() -> None:
    """Facts §5: the query ``order_by``, repeated, with "-" for the other way round."""
    plans = (Plan(slug="a", order=2), Plan(slug="b", order=1, is_public=True), Plan(slug="c"), Plan(slug="d", order=1))
    desk = Desk(Catalogue(products=(Product(slug="p", plans=plans),)))

    def slugs(query: str) -> str:
        return "".join(plan["slug"] for plan in desk.ask("GET", f"/products/p/plans{query}"))

    assert slugs("") == "bdac"
    assert slugs("?order_by=slug") == slugs("?order_by=name") == "abcd"
    assert slugs("?order_by=-order&order_by=-slug") == "cadb"
    assert slugs("?public_only=true") == "b"
    assert slugs("?public_only=0") == "bdac"
    (mistake,) = desk.ask("GET", "/products/p/plans?order_by=price", expect=422)
    assert mistake["loc"] == ["query", "order_by"]
    (mistake,) = desk.ask("GET", "/products/p/plans?public_only=maybe", expect=422)
    assert (mistake["loc"], mistake["type"]) == (["query", "public_only"], "type_error.bool")


def test_a_plan_tells_its_entitlements_as_text_and_if_asked_as_they_are() -> None:
    """D25: every client decodes text; from API version 0.1.5 on the value is of its own type."""
    desk = Desk()
    medium = desk.ask("GET", f"{P}/plans/medium")["entitlements"]
    assert [each["value"] for each in medium] == ["10", "1000", "Yes", "No", "Hobby, Professional", "100"]
    desk.service.switches.raw_values = True
    raw = desk.ask("GET", f"{P}/plans/medium?levers_order_by=-order")["entitlements"]
    assert [each["value"] for each in reversed(raw)] == [10, 1_000, True, False, ["Hobby", "Professional"], 100]
    assert [each["formatted_value"] for each in reversed(raw)] == [each["value"] for each in medium]
    assert desk.ask("GET", f"{P}/plans/large/entitlements")[0]["formatted_value"] == "Unlimited"
    assert desk.ask("GET", f"{P}/plans/none", expect=404) == "Plan not found"


def test_levers_are_listed_and_told_one_by_one() -> None:
    """Facts §5: behind no seed method."""
    desk = Desk()
    listed = desk.ask("GET", f"{P}/levers")
    assert [each["default_value"] for each in listed] == ["0", "0", "No", "No", "", "0"]
    lever = desk.ask("GET", f"{P}/levers/subscription-button-clicks")
    assert lever["metering_ids"] == ["button-click"]
    assert lever["lever_type_id"] == desk.ask("GET", f"{P}/levers/button-clicks-per-project-per-day")["lever_type_id"]
    assert desk.ask("GET", f"{P}/levers/none", expect=404) == "Lever not found"


def test_public_plans_are_told_to_everybody() -> None:
    """Facts §5: no token; what is not public is not there."""
    plans = (Plan(slug="shown", is_public=True), Plan(slug="hidden"))
    desk = Desk(Catalogue(products=(Product(slug="p", plans=plans),), organization="acme"))

    def status(path: str) -> int:
        return desk.send("GET", f"/api/v1/public/{path}").status

    listed = desk.send("GET", "/api/v1/public/acme/p/plans")
    assert [plan["slug"] for plan in json.loads(listed.body)] == ["shown"]
    assert status("acme/p/plans/shown") == 200
    assert [status(path) for path in ("acme/p/plans/hidden", "other/p/plans", "acme/q/plans")] == [404] * 3


def test_health_and_robots_are_told_to_everybody() -> None:
    """Facts §5."""
    desk = Desk()
    assert desk.send("GET", "/api/v1/health").status == 200
    assert desk.send("GET", "/robots.txt").body.startswith(b"User-agent")


def test_the_demonstration_has_a_lever_of_each_kind_that_the_vendors_has() -> None:
    """Facts §8."""
    (product,) = clicker_demo().products
    assert [lever.kind for lever in product.levers] == ["integer", "metered", "flag", "flag", "list", "metered"]
    assert product.metering_ids == ("button-click",)
