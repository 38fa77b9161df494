"""Entitlements and metering at Planship's stand-in: facts §8, D11 to D15."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planship_desk import START, Desk

from elarian_trio.sandbox.planship.rules.catalogue import Catalogue, Lever, Plan, Product
from elarian_trio.sandbox.planship.rules.entitlements import Meter, entitlements_of, next_change, remaining
from elarian_trio.sandbox.planship.rules.metering import total_of

CLICKS = "subscription-button-clicks"
DAILY = "button-clicks-per-project-per-day"


def metered(**values: Any) -> Lever:  # noqa: ANN401 - a lever's fields
    """Make a metered lever."""
    return Lever(**{"slug": "lever", "kind": "metered", "metering_ids": ("button-click",), **values})


def clicks(lever: Lever, *limits: int, unit: Any = "month") -> Desk:  # noqa: ANN401 - one of several words
    """A desk with one lever, and plans p0, p1, … that limit it so; asha and ben are there."""
    plans = tuple(
        Plan(slug=f"p{number}", entitlements={"lever": limit}, max_subscribers=-1, duration_unit=unit)
        for number, limit in enumerate(limits)
    )
    desk = Desk(Catalogue(products=(Product(slug="clicker-demo", levers=(lever,), plans=plans),)))
    desk.customer("asha")
    desk.customer("ben")
    return desk


def join(desk: Desk, subscription_id: str, name: str) -> None:
    """Have another customer on asha's subscription."""
    desk.ask("POST", f"/customers/asha/subscriptions/{subscription_id}/customers", {"customer_id": name})


# --- what one subscription gives ---


def test_each_kind_of_lever_has_its_kind_of_value() -> None:
    """Facts §8: what is metered is what is left; by bucket an object, "null" for no bucket."""
    desk = Desk()
    desk.customer("asha")
    desk.subscribe("asha", "medium")
    desk.use("asha", 2)
    desk.use("asha", 3, "p1")
    assert desk.entitlements("asha") == {
        "max-projects": 10,
        CLICKS: 995,
        "premium-button": True,
        "analytics-panel": False,
        "project-types": ["Hobby", "Professional"],
        DAILY: {"null": 98, "p1": 97},
    }


def test_without_a_subscription_levers_have_their_defaults() -> None:
    """Facts §8; what was used is counted all the same."""
    desk = clicks(metered(default=5))
    assert desk.entitlements("asha") == {"lever": 5}
    desk.use("asha", 2)
    assert desk.entitlements("asha") == {"lever": 3}
    assert desk.ask("GET", "/customers/asha/products/clicker-demo/levers/lever/usage") == {
        "total": 2,
        "by_bucket": {"null": 2},
        "by_subscription": {},
    }


def test_without_a_limit_none_is_left_to_count() -> None:
    """Facts §8: -1 is unlimited; and D12: never less than nothing."""
    desk = clicks(metered(), -1, 3)
    desk.subscribe("asha", "p0")
    desk.subscribe("ben", "p1")
    for name in ("asha", "ben"):
        desk.use(name, 100)
    assert [desk.entitlements(name)["lever"] for name in ("asha", "ben")] == [-1, 0]


def test_what_is_not_active_or_of_others_gives_nothing() -> None:
    """Facts §8: only subscribers are entitled, and only while it is active, and to its product."""
    levers = (Lever(slug="flag"),)
    plans = (Plan(slug="plan", entitlements={"flag": True}),)
    desk = Desk(Catalogue(products=tuple(Product(slug=slug, levers=levers, plans=plans) for slug in ("a", "b"))))
    desk.customer("asha")
    made = desk.subscribe("asha", "plan", "a")
    desk.subscribe("asha", "plan", "b", is_subscriber=False)
    assert [desk.entitlements("asha", product)["flag"] for product in "ab"] == [True, False]
    desk.ask("PATCH", f"/customers/asha/subscriptions/{made}", {"is_active": False})
    assert desk.entitlements("asha", "a") == {"flag": False}


# --- several subscriptions ---


def test_the_most_generous_of_several_subscriptions_counts() -> None:
    """D11, for each kind of lever."""
    levers = (
        Lever(slug="flag"),
        Lever(slug="integer", kind="integer"),
        Lever(slug="endless", kind="integer"),
        Lever(slug="list", kind="list"),
        Lever(slug="enum", kind="enum", choices=("low", "mid", "high")),
    )
    first = {"flag": True, "integer": 5, "endless": -1, "list": ["b", "a"], "enum": "low"}
    second = {"flag": False, "integer": 7, "endless": 9, "list": ["a", "c"], "enum": "high"}
    plans = (Plan(slug="first", entitlements=first), Plan(slug="second", entitlements=second))
    desk = Desk(Catalogue(products=(Product(slug="p", levers=levers, plans=plans),)))
    desk.customer("asha")
    desk.subscribe("asha", "first", "p")
    desk.now += timedelta(seconds=1)
    desk.subscribe("asha", "second", "p")
    assert desk.entitlements("asha", "p") == {
        "flag": True,
        "integer": 7,
        "endless": -1,
        "list": ["b", "a", "c"],
        "enum": "high",
    }


def test_use_is_under_the_oldest_subscription_that_has_something_left() -> None:
    """Public material is silent; so nobody is refused what a second subscription would allow."""
    desk = clicks(metered(), 3, 10)
    first = desk.subscribe("asha", "p0")
    desk.now += timedelta(seconds=1)
    second = desk.subscribe("asha", "p1")
    for _ in range(5):
        desk.use("asha", 1)
    usage = desk.ask("GET", "/customers/asha/products/clicker-demo/levers/lever/usage")
    assert {key: rows[0]["usage"] for key, rows in usage["by_subscription"].items()} == {first: 3, second: 2}
    assert desk.entitlements("asha") == {"lever": 8}
    desk.use("asha", 50)
    desk.use("asha", 1)  # nothing is left anywhere: the oldest
    usage = desk.ask("GET", "/customers/asha/products/clicker-demo/levers/lever/usage")
    assert usage["by_subscription"][first] == [{"usage": 4, "bucket": None}]


def test_use_may_name_its_subscription() -> None:
    """Facts §6: MeteredUsageIn; one that is not the customer's is not found."""
    desk = clicks(metered(), 3, 10)
    desk.subscribe("asha", "p0")
    second = desk.subscribe("asha", "p1")
    path = "/customers/asha/products/clicker-demo/usage/button-click"
    desk.ask("POST", path, {"usage": 2, "subscription_id": second.upper()})
    usage = desk.ask("GET", "/customers/asha/products/clicker-demo/levers/lever/usage")
    assert usage["by_subscription"][second] == [{"usage": 2, "bucket": None}]
    desk.ask("POST", path.replace("asha", "ben"), {"usage": 2, "subscription_id": second}, expect=404)


def test_of_buckets_each_has_the_most_that_any_subscription_leaves() -> None:
    """D11 with facts §8: a bucket that one has not seen is whole there."""
    desk = clicks(metered(formula="per_bucket"), 3, 10)
    desk.subscribe("asha", "p0")
    desk.now += timedelta(seconds=1)
    second = desk.subscribe("asha", "p1")
    path = "/customers/asha/products/clicker-demo/usage/button-click"
    desk.ask("POST", path, {"usage": 9, "bucket": "a", "subscription_id": second})
    assert desk.entitlements("asha") == {"lever": {"null": 10, "a": 3}}


# --- formulas, periods, scopes ---


def test_unique_buckets_are_counted_and_not_what_was_used_of_them() -> None:
    """Facts §8; what has no bucket is none."""
    desk = clicks(metered(formula="unique_buckets"), 5)
    made = desk.subscribe("asha", "p0")
    for bucket in ("a", "b", "a", None):
        desk.use("asha", 10, bucket)
    assert desk.entitlements("asha") == {"lever": 3}
    usage = desk.ask("GET", "/customers/asha/products/clicker-demo/levers/lever/usage")
    assert (usage["total"], usage["by_bucket"]) == (2, {"a": 20, "b": 10, "null": 10})
    assert {"usage": 20, "bucket": "a"} in usage["by_subscription"][made]


def test_a_lever_may_read_several_metering_ids_and_one_may_feed_several_levers() -> None:
    """Facts §8."""
    levers = (
        metered(slug="all", metering_ids=("a", "b")),
        metered(slug="some", metering_ids=("b",)),
    )
    plan = Plan(slug="plan", entitlements={"all": 10, "some": 10})
    desk = Desk(Catalogue(products=(Product(slug="clicker-demo", levers=levers, plans=(plan,)),)))
    desk.customer("asha")
    desk.subscribe("asha", "plan")
    desk.use("asha", 1, metering_id="a")
    desk.use("asha", 2, metering_id="b")
    assert desk.entitlements("asha") == {"all": 7, "some": 8}
    told = desk.ask("GET", "/customers/asha/products/clicker-demo/usage/b")
    assert {slug: usage["total"] for slug, usage in told.items()} == {"all": 3, "some": 2}


def test_use_of_a_subscriptions_period_is_forgotten_when_it_renews() -> None:
    """Facts §8: the default; and only then."""
    desk = clicks(metered(), 10, unit="day")
    desk.subscribe("asha", "p0")
    desk.use("asha", 4)
    desk.now = START + timedelta(days=1) - timedelta(microseconds=1)
    assert desk.entitlements("asha") == {"lever": 6}
    desk.now = START + timedelta(days=1)
    assert desk.entitlements("asha") == {"lever": 10}
    desk.use("asha", 1)
    desk.use("asha", 1)
    assert desk.entitlements("asha") == {"lever": 8}


def test_use_of_all_time_is_never_forgotten() -> None:
    """Facts §8."""
    desk = clicks(metered(period="all_time"), 10, unit="day")
    desk.subscribe("asha", "p0")
    desk.use("asha", 4)
    desk.now += timedelta(days=400)
    desk.use("asha", 1)
    assert desk.entitlements("asha") == {"lever": 5}


def test_use_leaves_a_rolling_period_one_by_one() -> None:
    """Facts §8: rolling seconds; and what has left every period is kept no longer."""
    desk = clicks(metered(period=timedelta(seconds=10)), 10, unit="perpetual")
    desk.subscribe("asha", "p0")
    for usage in (1, 2, 4):
        desk.use("asha", usage)
        desk.now += timedelta(seconds=4)
    assert desk.entitlements("asha") == {"lever": 4}  # 12 seconds later the first is out of it
    desk.now += timedelta(seconds=2)
    assert desk.entitlements("asha") == {"lever": 6}
    desk.use("asha", 1)
    (tally, *_) = [record for record in desk.shelves.records.values() if hasattr(record, "recent")]
    assert [use.usage for use in tally.recent] == [4, 1]


def test_use_that_is_close_together_leaves_a_rolling_period_together() -> None:
    """The house: no unbounded buffer; a thousandth of the period is as fine as it is kept, by bucket."""
    desk = clicks(metered(period=timedelta(seconds=1_000), formula="per_bucket"), 100, unit="perpetual")
    desk.subscribe("asha", "p0")
    for _ in range(3):
        for bucket in ("a", "b", "a"):
            desk.use("asha", 1, bucket)
            desk.now += timedelta(seconds=0.3)
        desk.now += timedelta(seconds=0.1)
    tallies = [record.recent for record in desk.shelves.records.values() if hasattr(record, "recent")]
    assert [[(use.bucket, use.usage) for use in recent] for recent in tallies] == [[("b", 1), ("a", 2)] * 3] * 2
    assert desk.entitlements("asha") == {"lever": {"null": 100, "a": 94, "b": 97}}
    desk.now = START + timedelta(seconds=1_000.6)
    assert desk.entitlements("asha") == {"lever": {"null": 100, "a": 96, "b": 98}}


def test_the_shortest_of_rolling_periods_is_counted_as_well() -> None:
    """This SDK: of a period there are no parts that are no time at all."""
    desk = clicks(metered(period=timedelta(microseconds=1)), 5, unit="perpetual")
    desk.subscribe("asha", "p0")
    desk.use("asha", 3)
    assert desk.entitlements("asha") == {"lever": 2}
    desk.now += timedelta(microseconds=1)
    assert desk.entitlements("asha") == {"lever": 5}


def test_a_rolling_period_may_be_longer_than_the_calendar() -> None:
    """This SDK: nothing overflows."""
    desk = clicks(metered(period=timedelta.max), 10)
    desk.subscribe("asha", "p0")
    desk.use("asha", 4)
    assert desk.entitlements("asha") == {"lever": 6}
    assert next_change(desk.deal(), desk.catalogue_product("clicker-demo"), desk.customer("x")) is None


def test_all_on_a_subscription_share_its_limit() -> None:
    """Facts §8: the default scope; all of them may be entitled to less then."""
    desk = clicks(metered(), 10)
    made = desk.subscribe("asha", "p0")
    join(desk, made, "ben")
    desk.use("asha", 3)
    assert len(desk.touched) == 2
    desk.use("ben", 2)
    assert [desk.entitlements(name)["lever"] for name in ("asha", "ben")] == [5, 5]


def test_each_customer_has_a_limit_of_its_own_where_the_lever_says_so() -> None:
    """Facts §8: scope customer."""
    desk = clicks(metered(scope="customer"), 10)
    made = desk.subscribe("asha", "p0")
    join(desk, made, "ben")
    desk.use("asha", 3)
    desk.use("ben", 2)
    assert [desk.entitlements(name)["lever"] for name in ("asha", "ben")] == [7, 8]


# --- the operations ---


def test_reported_use_is_told_as_not_allocated_yet() -> None:
    """D13: as the live service does, though here it counts at once."""
    desk = Desk()
    asha = desk.customer("asha")
    record = desk.ask("POST", "/customers/asha/products/clicker-demo/usage/button-click", {"usage": 3, "bucket": "b"})
    assert len(record.pop("id")) == 36
    assert record == {
        "usage": 3,
        "metering_id": "button-click",
        "customer_id": asha,
        "product_id": desk.service.catalogue.product_id(desk.catalogue_product("clicker-demo")),
        "is_allocated": False,
        "subscription_id": None,
        "bucket": "b",
    }


def test_what_no_lever_counts_is_accepted_and_kept_nowhere() -> None:
    """D13."""
    desk = Desk()
    desk.customer("asha")
    before = dict(desk.shelves.records)
    desk.use("asha", 1, metering_id="nothing")
    assert desk.shelves.records == before
    assert not desk.touched
    assert desk.ask("GET", "/customers/asha/products/clicker-demo/usage/nothing") == {}


@pytest.mark.parametrize("usage", [1.5, 2.0, True, "1", None, 2**63, -(2**63)])
def test_use_is_a_whole_number(usage: object) -> None:
    """D14."""
    desk = Desk()
    desk.customer("asha")
    (mistake,) = desk.ask(
        "POST", "/customers/asha/products/clicker-demo/usage/button-click", {"usage": usage}, expect=422
    )
    assert mistake["loc"] == ["body", "usage"]


def test_only_metered_levers_have_use() -> None:
    """Facts §5 and §7."""
    desk = Desk()
    desk.customer("asha")
    path = "/customers/asha/products/clicker-demo/levers/{}/usage"
    assert desk.ask("GET", path.format("none"), expect=404) == "Lever not found"
    assert desk.ask("GET", path.format("premium-button"), expect=404) == "Lever is not metered"


def test_the_next_change_is_the_earliest_of_renewals_and_of_use_that_leaves_its_period() -> None:
    """This SDK: those who listen are told then."""
    desk = clicks(metered(period=timedelta(hours=2)), 10, unit="day")
    product = desk.catalogue_product("clicker-demo")

    def due(name: str) -> Any:  # noqa: ANN401 - a time or none
        deal = desk.deal()
        return next_change(deal, product, deal.customer(name).customer_id)

    assert due("asha") is None
    desk.subscribe("asha", "p0")
    assert due("asha") == START + timedelta(days=1)
    desk.use("asha", 1)
    assert due("asha") == START + timedelta(hours=2)
    desk.now += timedelta(hours=2)
    assert due("asha") == START + timedelta(days=1)


def test_of_use_only_that_of_rolling_periods_changes_anything_by_itself() -> None:
    """This SDK: the demonstration has a lever of either kind for the same use."""
    desk = Desk()
    desk.customer("asha")
    desk.subscribe("asha")
    desk.use("asha", 1)
    deal = desk.deal()
    due = next_change(deal, desk.catalogue_product("clicker-demo"), deal.customer("asha").customer_id)
    assert due == START + timedelta(days=1)


# --- for all that could be ---


@given(
    st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), st.integers(-5, 20)), max_size=20), st.integers(-1, 50)
)
def test_what_is_left_is_the_limit_less_what_was_used_by_whichever_formula(
    uses: list[tuple[str | None, int]], limit: int
) -> None:
    """Facts §8, said once more: limit less use, -1 for no limit, never below 0."""

    def left(usage: int) -> int:
        return -1 if limit == -1 else max(limit - usage, 0)

    buckets: Counter[str | None] = Counter()
    for bucket, usage in uses:
        buckets[bucket] += usage
    total, unique, each = metered(), metered(formula="unique_buckets"), metered(formula="per_bucket")
    assert total_of(total, buckets) == sum(usage for _, usage in uses)
    assert remaining(total, [Meter(limit, buckets)]) == left(sum(usage for _, usage in uses))
    assert remaining(unique, [Meter(limit, buckets)]) == left(len({bucket for bucket, _ in uses if bucket}))
    assert remaining(each, [Meter(limit, buckets)]) == {
        "null": left(buckets[None]),
        **{bucket: left(usage) for bucket, usage in buckets.items() if bucket is not None},
    }


def test_looking_at_entitlements_changes_nothing_but_what_time_has_changed() -> None:
    """This SDK: a reading is a unit of work as well; only renewals are kept by it."""
    desk = clicks(metered(), 10, unit="day")
    desk.subscribe("asha", "p0")
    product = desk.catalogue_product("clicker-demo")
    deal = desk.deal()
    entitlements_of(deal, product, deal.customer("asha").customer_id)
    assert not deal.books.changes
    desk.now += timedelta(days=2)
    deal = desk.deal()
    entitlements_of(deal, product, deal.customer("asha").customer_id)
    assert len(deal.books.changes) == 1
