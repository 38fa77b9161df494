"""What Planship tells and is told: frozen values, in the names of its own clients.

The endpoints stand above and :mod:`.reading` makes these of JSON. API documents 0.1.4 to 0.3.1 are read: a field that
came later has a default, and one that came later still is in ``extra``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

from elarian_trio._arguments import require

__all__ = [
    "BucketUsage",
    "CreateCustomerParameters",
    "CreateSubscriptionOptions",
    "Customer",
    "CustomerInDbBase",
    "CustomerSubscriptionWithPlan",
    "Entitlements",
    "LeverInList",
    "LeverUsage",
    "MeteringRecord",
    "ModifySubscriptionParameters",
    "Plan",
    "PlanDetails",
    "PlanEntitlement",
    "PlanInDbBase",
    "PlanReference",
    "PlanshipModel",
    "Product",
    "SubscriptionCustomer",
    "SubscriptionCustomerInDbBase",
    "SubscriptionWithPlan",
    "TimeUnits",
    "TokenResponse",
]

Entitlements: TypeAlias = dict[str, Any]
"""What a customer may do, by lever slug: a bool (flag), a number (integer; metered: what remains), a str (enum), a list
of str (list), or a dict of bucket to what remains. -1 is unlimited, 0 is no access."""


class TimeUnits(StrEnum):
    """The unit of a plan's period."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    PERPETUAL = "perpetual"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanshipModel:
    """The base of what Planship answers.

    Attributes:
        extra: fields that this package does not know, as they came.
    """

    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse(PlanshipModel):
    """An access token.

    Attributes:
        access_token: the token itself; not shown.
        token_type: ``"bearer"``.
        expires_in: presumably seconds; no client of Planship's own reads it, and neither does this one.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(PlanshipModel):
    """A product.

    Attributes:
        id: a UUID.
        slug: what it is called in addresses.
        name: what people call it.
        organization_id: whose it is, a UUID.
        description: words about it.
        alternative_id: an id of the organisation's own (since API 0.3.0).
    """

    id: str
    slug: str
    name: str
    organization_id: str
    description: str = ""
    alternative_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(PlanshipModel):
    """A plan in a list.

    Attributes:
        slug: what it is called in addresses.
        name: what people call it.
        description: words about it.
        order: its place among the plans.
    """

    slug: str
    name: str
    description: str
    order: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntitlement(PlanshipModel):
    """What a plan allows, for one lever.

    Attributes:
        name: what people call it.
        description: words about it.
        value: the value itself since API 0.1.5; before, the formatted text.
        formatted_value: the value as text for people.
        lever_name: the lever's name (since API 0.1.5).
        order: its place among the entitlements.
        configuration: the lever's own settings.
    """

    name: str
    description: str
    value: Any = None
    formatted_value: str = ""
    lever_name: str | None = None
    order: int | None = None
    configuration: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Take the text of an older server from where that puts it."""
        if not self.formatted_value and isinstance(self.value, str):
            object.__setattr__(self, "formatted_value", self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDetails(Plan):
    """A plan with all that it allows.

    Attributes:
        entitlements: what it allows, one for each lever.
    """

    entitlements: tuple[PlanEntitlement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverInList(PlanshipModel):
    """A lever in a list (since API 0.1.5): as :class:`Plan`, and its default as text, where a plan says nothing."""

    slug: str
    name: str
    description: str
    default_value: str
    order: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReference(PlanshipModel):
    """A plan as a subscription names it.

    Attributes:
        id: a UUID.
        name: what people call it.
        slug: what it is called in addresses.
    """

    id: str
    name: str
    slug: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInDbBase(PlanshipModel):
    """A plan as Planship keeps it.

    Attributes:
        id: a UUID.
        slug: what it is called in addresses.
        name: what people call it.
        description: words about it.
        display_name: the name to show.
        display_description: the words to show.
        display_order: its place when shown.
        display_extra_attributes: more to show, text by name.
        max_subscribers: seats of a new subscription.
        is_self_serve: whether customers may take it themselves.
        is_public: whether anybody may see it.
        auto_renew: whether new subscriptions renew by themselves.
        duration_period: how many units a period has.
        duration_unit: the unit of a period; a plain str where it is one that is not known here.
        product_id: whose plan it is (since API 0.3.0).
        alternative_id: an id of the organisation's own (since API 0.3.0).
    """

    id: str
    slug: str
    name: str
    description: str = ""
    display_name: str = ""
    display_description: str = ""
    display_order: int | None = None
    display_extra_attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    max_subscribers: int = 1
    is_self_serve: bool = True
    is_public: bool = False
    auto_renew: bool = True
    duration_period: int = 1
    duration_unit: TimeUnits | str = TimeUnits.MONTH
    product_id: str | None = None
    alternative_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCustomerInDbBase(PlanshipModel):
    """A customer's part in a subscription.

    Attributes:
        customer_id: a UUID.
        subscription_id: a UUID.
        is_administrator: whether the customer may change the subscription.
        is_subscriber: whether the customer takes a seat and is entitled.
        metadata: the organisation's own data on it.
    """

    customer_id: str
    subscription_id: str
    is_administrator: bool = False
    is_subscriber: bool = True
    metadata: Mapping[str, Any] | None = field(default=None, metadata={"wire": "metadata_"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCustomer(SubscriptionCustomerInDbBase):
    """A customer's part in a subscription, with the plan.

    Attributes:
        plan: what is subscribed to.
    """

    plan: PlanInDbBase


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSubscriptionWithPlan(SubscriptionCustomerInDbBase):
    """A subscription as its customer sees it. Its key is ``subscription_id``.

    Attributes:
        auto_renew: whether it renews by itself.
        is_active: whether it counts.
        renew_at: when the period ends.
        last_renewed_at: when the period began.
        plan: what is subscribed to.
        renew_plan: what it becomes when it renews.
        max_subscribers: how many seats it has.
    """

    auto_renew: bool
    is_active: bool
    renew_at: datetime
    last_renewed_at: datetime
    plan: PlanReference
    renew_plan: PlanReference
    max_subscribers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionWithPlan(PlanshipModel):
    """A subscription that was just made.

    Attributes:
        id: a UUID.
        auto_renew: whether it renews by itself.
        is_active: whether it counts.
        plan_id: what is subscribed to, a UUID.
        renew_plan_id: what it becomes when it renews, a UUID.
        renew_at: when the period ends.
        last_renewed_at: when the period began.
        start_at: when the first period began.
        max_subscribers: how many seats it has.
        plan: what is subscribed to.
        renew_plan: what it becomes when it renews.
        alternative_id: an id of the organisation's own (since API 0.3.0).
    """

    id: str
    auto_renew: bool
    is_active: bool
    plan_id: str
    renew_plan_id: str
    renew_at: datetime
    last_renewed_at: datetime
    start_at: datetime
    max_subscribers: int
    plan: PlanReference
    renew_plan: PlanReference
    alternative_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerInDbBase(PlanshipModel):
    """A customer.

    Attributes:
        id: a UUID.
        organization_id: whose customer, a UUID.
        name: what people call the customer.
        email: where to write to.
        alternative_id: an id of the organisation's own, which is taken wherever a customer's id is.
        metadata: the organisation's own data on the customer.
    """

    id: str
    organization_id: str
    name: str = ""
    email: str = ""
    alternative_id: str | None = None
    metadata: Mapping[str, Any] | None = field(default=None, metadata={"wire": "metadata_"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(CustomerInDbBase):
    """A customer who was just made.

    Attributes:
        subscriptions: those the customer has part in.
    """

    subscriptions: tuple[SubscriptionCustomer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteringRecord(PlanshipModel):
    """A use that was reported. Planship may count it only later.

    Attributes:
        id: a UUID.
        usage: how much.
        metering_id: of what.
        customer_id: whose, a UUID.
        product_id: of which product, a UUID.
        is_allocated: whether it has been counted.
        subscription_id: on which subscription, once it has.
        bucket: the bucket it was reported for.
    """

    id: str
    usage: int
    metering_id: str
    customer_id: str
    product_id: str
    is_allocated: bool = False
    subscription_id: str | None = None
    bucket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketUsage(PlanshipModel):
    """Use in one bucket.

    Attributes:
        usage: how much.
        bucket: which; ``None`` for use without one.
    """

    usage: int
    bucket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverUsage(PlanshipModel):
    """Use of a metered lever in the present period.

    Attributes:
        total: how much in all.
        by_bucket: how much in each bucket; ``"null"`` is use without one.
        by_subscription: the buckets of each subscription, by its id.
    """

    total: int
    by_bucket: Mapping[str, int]
    by_subscription: Mapping[str, tuple[BucketUsage, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCustomerParameters:
    """A customer to be made; what is ``None`` is not sent.

    Attributes:
        alternative_id: an id of your own, at most 256 characters and no other customer's.
        name: what people call the customer.
        email: where to write to.
        metadata: a JSON object of your own.

    Raises:
        TypeError: a value is of the wrong type.
    """

    alternative_id: str | None = None
    name: str | None = None
    email: str | None = None
    metadata: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what is of the wrong type."""
        _check(self, {"alternative_id": str, "name": str, "email": str, "metadata": Mapping})


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubscriptionOptions:
    """How a subscription is to be made; what is ``None`` is not sent.

    Attributes:
        is_subscriber: whether the customer takes a seat; the server's default is yes.
        max_subscribers: how many seats; the server's default is 1.
        renew_at: when the first period ends, an aware datetime.
        auto_renew: whether it renews by itself.
        metadata: a JSON object of your own.

    Raises:
        ValueError: *renew_at* is naive, or out of range in UTC.
        TypeError: a value is of the wrong type.
    """

    is_subscriber: bool | None = None
    max_subscribers: int | None = None
    renew_at: datetime | None = None
    auto_renew: bool | None = None
    metadata: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what is of the wrong type, and a time of nowhere."""
        kinds = {"is_subscriber": bool, "max_subscribers": int, "renew_at": datetime, "auto_renew": bool}
        _check(self, {**kinds, "metadata": Mapping})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifySubscriptionParameters:
    """What is to change in a subscription; what is ``None`` stays as it is.

    Attributes:
        plan_slug: the new plan; the plan to renew to stays as it is.
        renew_plan_slug: the new plan to renew to.
        max_subscribers: how many seats.
        is_active: whether it counts.
        auto_renew: whether it renews by itself; ``False`` is how a subscription is cancelled.
        renew_at: when the period ends, an aware datetime.

    Raises:
        ValueError: *renew_at* is naive, or out of range in UTC.
        TypeError: a value is of the wrong type.
    """

    plan_slug: str | None = None
    renew_plan_slug: str | None = None
    max_subscribers: int | None = None
    is_active: bool | None = None
    auto_renew: bool | None = None
    renew_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what is of the wrong type, and a time of nowhere."""
        kinds = {"plan_slug": str, "renew_plan_slug": str, "max_subscribers": int, "is_active": bool}
        _check(self, {**kinds, "auto_renew": bool, "renew_at": datetime})


def _check(model: object, kinds: Mapping[str, type]) -> None:
    """Raise the error that says what a field should have been."""
    for name, kind in kinds.items():
        value: Any = getattr(model, name)
        if value is not None:
            require(name, kind, value)
            if isinstance(value, datetime):
                object.__setattr__(model, name, _in_utc(name, value))


def _in_utc(name: str, value: datetime) -> datetime:
    if value.utcoffset() is None:
        msg = f"{name} must be an aware datetime (for UTC: datetime.now(UTC)), got the naive {value!r}"
        raise ValueError(msg)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        msg = f"{name} must be within the years 1 to 9999 of UTC, got {value!r}"
        raise ValueError(msg) from None
