"""What is on sale: products, their levers, their plans, and what each plan entitles to.

Users make these; the live service has a console for it. Nothing here changes while a server runs, and ids follow from
slugs, so that a server that is started again on its file has the same ones. Sources: the vendor's documentation of
levers and plans, and the fields of its API document (versions 0.1.4 to 0.3.1).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

from elarian_trio._arguments import all_of, is_finite, require_choice, require_fields, shown
from elarian_trio.models.checks import check_str

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Catalogue", "Lever", "LeverValue", "Plan", "Product", "clicker_demo"]

LeverKind: TypeAlias = Literal["flag", "integer", "list", "enum", "metered"]
Formula: TypeAlias = Literal["total", "per_bucket", "unique_buckets"]
LeverScope: TypeAlias = Literal["subscription", "customer"]
TimeUnit: TypeAlias = Literal["minute", "hour", "day", "week", "month", "year", "perpetual"]
LeverValue: TypeAlias = bool | int | float | str | tuple[str, ...]

UNLIMITED = -1
"""Of an integer or metered lever, and of seats: no limit."""

_TEXTS: Mapping[str, type] = dict.fromkeys(("slug", "name", "description"), str)
_OF_PLANS: Mapping[str, type | tuple[type, ...]] = {
    **_TEXTS,
    **dict.fromkeys(("is_public", "is_self_serve", "auto_renew"), bool),
    **dict.fromkeys(("max_subscribers", "duration_period"), int),
    "entitlements": Mapping,
    "order": (int, NoneType),
    "alternative_id": (str, NoneType),
}
_NAMESPACE = uuid.UUID("6f0f2a0c-7a52-5d6b-9d0e-6d1f3c0b7a11")  # of this stand-in; it means nothing elsewhere
_LEAST: Mapping[str, LeverValue] = {"flag": False, "integer": 0, "list": (), "enum": "", "metered": 0}


def id_of(*names: str) -> str:
    """Give the id of what is called so: always the same."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """Something that plans differ in.

    Attributes:
        slug: what it is called in paths and entitlements.
        name: what people call it; the slug if left out.
        kind: "flag" (a bool), "integer", "list" (of strings), "enum" (one of *choices*), "metered" (a limit).
        default: what a plan without an entitlement of its own gives; the least there is if left out.
        description: for people.
        choices: of an enum, from the least to the most.
        metering_ids: of a metered lever, what is counted.
        formula: how: the "total", "per_bucket", or the number of "unique_buckets".
        period: since when: the "subscription"'s last renewal, "all_time", or a span of time that ends now.
        scope: whose use counts against the limit: all of the "subscription"'s, or each "customer"'s own.
        order: its place in lists.

    Raises:
        ValueError: there is no such kind, formula, scope or period, a slug is no name, a text holds a lone surrogate,
            *default* is none of the lever's values, or an enum or metered lever lacks what belongs to it.
        TypeError: a value is of the wrong type.
    """

    slug: str
    name: str = ""
    kind: LeverKind = "flag"
    default: LeverValue | None = None
    description: str = ""
    choices: tuple[str, ...] = ()
    metering_ids: tuple[str, ...] = ()
    formula: Formula = "total"
    period: Literal["subscription", "all_time"] | timedelta = "subscription"
    scope: LeverScope = "subscription"
    order: int | None = None

    def __post_init__(self) -> None:
        """See that it can be."""
        require_fields(self, {**_TEXTS, "order": (int, NoneType)})
        for name in ("choices", "metering_ids"):
            object.__setattr__(self, name, all_of(name, str, getattr(self, name)))
        require_choice("kind", self.kind, get_args(LeverKind))
        require_choice("formula", self.formula, get_args(Formula))
        require_choice("scope", self.scope, get_args(LeverScope))
        if not isinstance(self.period, timedelta):
            require_choice("period", self.period, ("subscription", "all_time"))
        if self.kind == "enum" and not self.choices:
            msg = f"lever {self.slug!r} is an enum: give its choices, from the least to the most"
            raise ValueError(msg)
        if self.kind == "metered" and not self.metering_ids:
            msg = f"lever {self.slug!r} is metered: give the metering_ids that it counts"
            raise ValueError(msg)
        if self.kind != "metered" and self.metering_ids:
            msg = f"lever {self.slug!r} is {self.kind!r}, which counts nothing: make it 'metered', or drop metering_ids"
            raise ValueError(msg)
        _name(self)
        least = self.choices[0] if self.kind == "enum" else _LEAST[self.kind]
        object.__setattr__(self, "default", self.checked(least if self.default is None else self.default))

    @property
    def least(self) -> LeverValue:
        """What it gives where nothing else is said."""
        assert self.default is not None
        return self.default

    def checked(self, value: object) -> LeverValue:
        """Give *value* as this lever has it.

        Raises:
            ValueError: it cannot have it.
        """
        if isinstance(value, list | tuple):
            value = tuple(cast("Sequence[object]", value))
        is_possible, wanted = _KINDS[self.kind]
        if not is_possible(self, value):
            msg = f"{shown(value)} is no value of lever {self.slug!r}, which is {wanted}"
            raise ValueError(msg)
        return cast("LeverValue", value)


def _is_flag(_lever: Lever, value: object) -> bool:
    return isinstance(value, bool)


def _is_whole(_lever: Lever, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and _is_limit(value)


def _is_limit(value: int) -> bool:
    return value >= UNLIMITED and is_finite(value)


def _is_list(_lever: Lever, value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, str) for each in cast("tuple[object, ...]", value))


def _is_choice(lever: Lever, value: object) -> bool:
    return value in lever.choices


_KINDS: Mapping[str, tuple[Callable[[Lever, object], bool], str]] = {
    "flag": (_is_flag, "a bool"),
    "integer": (_is_whole, "a whole number, -1 for no limit"),
    "list": (_is_list, "a list of strings"),
    "enum": (_is_choice, "one of its choices"),
    "metered": (_is_whole, "a whole number, -1 for no limit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What can be subscribed to.

    Attributes:
        slug: what it is called in paths.
        name: what people call it; the slug if left out.
        description: for people.
        entitlements: values by the slugs of levers; those left out have the lever's default.
        order: its place in lists.
        max_subscribers: seats of a subscription that does not say how many; -1 for no limit.
        is_public: whether it is shown to everybody.
        is_self_serve: whether customers may take it themselves; only told.
        auto_renew: of a subscription that does not say.
        duration_period: how many *duration_unit* a subscription runs until it renews.
        duration_unit: "minute" to "year", or "perpetual", which never ends.
        alternative_id: another name of it; only told.

    Raises:
        ValueError: there is no such unit, a slug is no name, a text holds a lone surrogate, or a number is out of its
            range.
        TypeError: a value is of the wrong type.
    """

    slug: str
    name: str = ""
    description: str = ""
    entitlements: Mapping[str, Any] = field(default_factory=dict[str, Any])
    order: int | None = None
    max_subscribers: int = 1
    is_public: bool = False
    is_self_serve: bool = True
    auto_renew: bool = True
    duration_period: int = 1
    duration_unit: TimeUnit = "month"
    alternative_id: str | None = None

    def __post_init__(self) -> None:
        """See that it can be."""
        require_fields(self, _OF_PLANS)
        require_choice("duration_unit", self.duration_unit, get_args(TimeUnit))
        if self.duration_period < 1 or not is_finite(self.duration_period):
            msg = f"duration_period must be 1 or more, got {shown(self.duration_period)}"
            raise ValueError(msg)
        if not _is_limit(self.max_subscribers) or self.max_subscribers == 0:
            msg = f"max_subscribers must be 1 or more, or -1 for no limit, got {shown(self.max_subscribers)}"
            raise ValueError(msg)
        _name(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product, with all that is sold of it.

    Attributes:
        slug: what it is called in paths.
        name: what people call it; the slug if left out.
        description: for people.
        levers: what its plans differ in.
        plans: what can be subscribed to.
        alternative_id: another name of it; only told.

    Raises:
        ValueError: a slug is no name, or that of two; a text holds a lone surrogate; or a plan entitles to a lever that
            is not there, or to a value that it cannot have.
        TypeError: a value is of the wrong type.
    """

    slug: str
    name: str = ""
    description: str = ""
    levers: tuple[Lever, ...] = ()
    plans: tuple[Plan, ...] = ()
    alternative_id: str | None = None

    def __post_init__(self) -> None:
        """See that it can be, names are names of one thing each, and values ones that levers can have."""
        require_fields(self, {**_TEXTS, "alternative_id": (str, NoneType)})
        _name(self)
        object.__setattr__(self, "levers", all_of("levers", Lever, self.levers))
        object.__setattr__(self, "plans", all_of("plans", Plan, self.plans))
        _unique("levers", self.levers)
        _unique("plans", self.plans)
        for plan in self.plans:
            for slug, value in plan.entitlements.items():
                self._lever_named(slug).checked(value)

    def _lever_named(self, slug: str) -> Lever:
        lever = self.lever(slug)
        if lever is None:
            known = ", ".join(repr(each.slug) for each in self.levers)
            msg = f"product {self.slug!r} has no lever {slug!r}; known are {known or 'none'}"
            raise ValueError(msg)
        return lever

    def lever(self, slug: str) -> Lever | None:
        """Give the lever called so."""
        return next((lever for lever in self.levers if lever.slug == slug), None)

    def plan(self, slug: str) -> Plan | None:
        """Give the plan called so."""
        return next((plan for plan in self.plans if plan.slug == slug), None)

    def readers(self, metering_id: str) -> tuple[Lever, ...]:
        """Give the levers that count what has that metering id."""
        return tuple(lever for lever in self.levers if metering_id in lever.metering_ids)

    @property
    def metering_ids(self) -> tuple[str, ...]:
        """What any of its levers counts, each once."""
        return tuple(dict.fromkeys(each for lever in self.levers for each in lever.metering_ids))

    def value(self, plan: Plan, lever: Lever) -> LeverValue:
        """Give what *plan* says of *lever*."""
        return lever.checked(plan.entitlements[lever.slug]) if lever.slug in plan.entitlements else lever.least


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything that an organization sells.

    Attributes:
        products: at least one.
        organization: its slug.

    Raises:
        ValueError: there is no product, or two have the same slug.
        TypeError: a value is of the wrong type.
    """

    products: tuple[Product, ...]
    organization: str = "elarian-trio"

    def __post_init__(self) -> None:
        """See that there is something, and names are names of one thing each."""
        object.__setattr__(self, "products", all_of("products", Product, self.products))
        require_fields(self, {"organization": str})
        if not self.products:
            msg = "a catalogue has at least one product"
            raise ValueError(msg)
        _unique("products", self.products)

    @property
    def organization_id(self) -> str:
        """The organization's id."""
        return id_of(self.organization)

    def product(self, slug: str) -> Product | None:
        """Give the product called so."""
        return next((product for product in self.products if product.slug == slug), None)

    def product_id(self, product: Product) -> str:
        """Give a product's id."""
        return id_of(self.organization, product.slug)

    def plan_id(self, product: Product, plan: Plan) -> str:
        """Give a plan's id."""
        return id_of(self.organization, product.slug, "plan", plan.slug)

    def lever_id(self, product: Product, lever: Lever) -> str:
        """Give a lever's id."""
        return id_of(self.organization, product.slug, "lever", lever.slug)

    def plan_with_id(self, plan_id: str) -> tuple[Product, Plan] | None:
        """Give the plan with that id, and whose it is."""
        plans = ((product, plan) for product in self.products for plan in product.plans)
        return next((each for each in plans if self.plan_id(*each) == plan_id), None)


def _name(thing: Lever | Plan | Product) -> None:
    """Have *thing* called by its slug where it has no other name; a slug that is a step in a path is none.

    What UTF-8 cannot carry can neither be asked for nor told.
    """
    for field_name in _TEXTS:
        check_str(field_name, getattr(thing, field_name))
    if not thing.slug or thing.slug in (".", ".."):
        msg = f"a slug must be a name, got {thing.slug!r}"
        raise ValueError(msg)
    if not thing.name:
        object.__setattr__(thing, "name", thing.slug)


def _unique(what: str, things: tuple[Lever, ...] | tuple[Plan, ...] | tuple[Product, ...]) -> None:
    slugs = [thing.slug for thing in things]
    if len(set(slugs)) < len(slugs):
        msg = f"the slugs of {what} must differ, got {slugs!r}"
        raise ValueError(msg)


def clicker_demo() -> Catalogue:
    """Give a catalogue with a lever of each kind but "enum", after the vendor's demonstration of clicking buttons."""
    levers = (
        Lever(slug="max-projects", name="Projects", kind="integer", order=1),
        Lever(
            slug="subscription-button-clicks",
            name="Button clicks",
            kind="metered",
            metering_ids=("button-click",),
            order=2,
        ),
        Lever(slug="premium-button", name="Premium button", order=3),
        Lever(slug="analytics-panel", name="Analytics panel", order=4),
        Lever(slug="project-types", name="Project types", kind="list", order=5),
        Lever(
            slug="button-clicks-per-project-per-day",
            name="Button clicks per project and day",
            kind="metered",
            metering_ids=("button-click",),
            formula="per_bucket",
            period=timedelta(days=1),
            order=6,
        ),
    )
    sizes: Mapping[str, tuple[Any, ...]] = {
        "small": (3, 100, False, False, ["Hobby"], 10),
        "medium": (10, 1_000, True, False, ["Hobby", "Professional"], 100),
        "large": (-1, -1, True, True, ["Hobby", "Professional", "Enterprise"], -1),
    }
    plans = tuple(
        Plan(
            slug=slug,
            name=slug.capitalize(),
            description=f"For {slug} teams",
            entitlements=dict(zip((lever.slug for lever in levers), values, strict=True)),
            order=order,
            is_public=True,
        )
        for order, (slug, values) in enumerate(sizes.items(), start=1)
    )
    return Catalogue(products=(Product(slug="clicker-demo", name="Clicker Demo", levers=levers, plans=plans),))
