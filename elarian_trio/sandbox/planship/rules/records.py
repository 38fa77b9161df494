"""What the stand-in for Planship remembers: one record per thing, each under a key, as the world's rules have theirs.

The rules beside this file stand on it; the store keeps it, once :func:`.rows.know` has been told of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from elarian_trio.models.model import Model
from elarian_trio.sandbox.world.entities import IndexKey, Key, Record, key_class

__all__ = [
    "RECORDS",
    "Count",
    "PlanshipAliasKey",
    "PlanshipAliasRecord",
    "PlanshipCustomerKey",
    "PlanshipCustomerRecord",
    "PlanshipMemberKey",
    "PlanshipMemberRecord",
    "PlanshipSubscriptionKey",
    "PlanshipSubscriptionRecord",
    "PlanshipTallyKey",
    "PlanshipTallyRecord",
    "PlanshipTokensKey",
    "PlanshipTokensRecord",
    "Use",
    "members_of",
    "subscriptions_of",
]


@key_class
class PlanshipCustomerKey(Key["PlanshipCustomerRecord"]):
    """Names a customer by its UUID."""

    customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanshipCustomerRecord(Record):
    """A customer of the organization, whatever the product.

    Attributes:
        org_id: the organization.
        customer_id: its UUID.
        alternative_id: the user's own name for it.
        name: for people.
        email: for people.
        metadata: the user's own object, as JSON.
    """

    org_id: str
    customer_id: str
    alternative_id: str | None = None
    name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    metadata: str | None = field(default=None, repr=False)

    @property
    def key(self) -> PlanshipCustomerKey:
        """What it is found by."""
        return PlanshipCustomerKey(self.org_id, self.customer_id)


@key_class
class PlanshipAliasKey(Key["PlanshipAliasRecord"]):
    """Names a customer by the user's own name for it."""

    alternative_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanshipAliasRecord(Record):
    """Which customer an alternative id means.

    Attributes:
        org_id: the organization.
        alternative_id: the user's own name.
        customer_id: the customer.
    """

    org_id: str
    alternative_id: str
    customer_id: str

    @property
    def key(self) -> PlanshipAliasKey:
        """What it is found by."""
        return PlanshipAliasKey(self.org_id, self.alternative_id)


@key_class
class PlanshipSubscriptionKey(Key["PlanshipSubscriptionRecord"]):
    """Names a subscription."""

    subscription_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanshipSubscriptionRecord(Record):
    """A subscription: who is on it stands in :class:`PlanshipMemberRecord`.

    Attributes:
        org_id: the organization.
        subscription_id: its UUID.
        product: the product's slug.
        plan: the plan's slug.
        renew_plan: the slug of the plan that it renews to.
        start_at: since when.
        last_renewed_at: when its present period began.
        renew_at: when that ends.
        auto_renew: whether it then goes on.
        is_active: whether it entitles to anything.
        max_subscribers: seats; -1 for no limit.
        alternative_id: another name of it.
    """

    org_id: str
    subscription_id: str
    product: str
    plan: str
    renew_plan: str
    start_at: datetime
    last_renewed_at: datetime
    renew_at: datetime
    auto_renew: bool
    is_active: bool
    max_subscribers: int
    alternative_id: str | None = None

    @property
    def key(self) -> PlanshipSubscriptionKey:
        """What it is found by."""
        return PlanshipSubscriptionKey(self.org_id, self.subscription_id)


@key_class
class PlanshipMemberKey(Key["PlanshipMemberRecord"]):
    """Names a customer on a subscription."""

    subscription_id: str
    customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanshipMemberRecord(Record):
    """A customer on a subscription.

    Attributes:
        org_id: the organization.
        subscription_id: the subscription.
        customer_id: the customer.
        added_at: since when.
        is_administrator: whether it may change the subscription and who is on it.
        is_subscriber: whether it is entitled to anything, and takes a seat.
        metadata: the user's own object, as JSON.
    """

    org_id: str
    subscription_id: str
    customer_id: str
    added_at: datetime
    is_administrator: bool
    is_subscriber: bool
    metadata: str | None = field(default=None, repr=False)

    @property
    def key(self) -> PlanshipMemberKey:
        """What it is found by."""
        return PlanshipMemberKey(self.org_id, self.subscription_id, self.customer_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Model):
    """How much was used, of one bucket and under one subscription.

    Attributes:
        subscription_id: under which; ``None`` for none.
        bucket: of which bucket; ``None`` for none.
        total: ever.
        period_start: when the subscription's period began that *in_period* is of; ``None`` without a subscription.
        in_period: in that period.
    """

    subscription_id: str | None
    bucket: str | None
    total: int
    period_start: datetime | None
    in_period: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Model):
    """One report, for as long as a rolling period takes it in.

    Attributes:
        at: when.
        subscription_id: under which subscription; ``None`` for none.
        bucket: of which bucket; ``None`` for none.
        usage: how much.
    """

    at: datetime
    subscription_id: str | None
    bucket: str | None
    usage: int


@key_class
class PlanshipTallyKey(Key["PlanshipTallyRecord"]):
    """Names what one customer, or all on one subscription, used of one metering id."""

    owner: str
    product: str
    metering_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanshipTallyRecord(Record):
    """What was used of one metering id.

    Attributes:
        org_id: the organization.
        owner: the id of the customer or the subscription.
        product: the product's slug.
        metering_id: what is counted.
        counts: by subscription and bucket, oldest first.
        recent: what rolling periods still take in, oldest first.
    """

    org_id: str
    owner: str
    product: str
    metering_id: str
    counts: tuple[Count, ...] = ()
    recent: tuple[Use, ...] = ()

    @property
    def key(self) -> PlanshipTallyKey:
        """What it is found by."""
        return PlanshipTallyKey(self.org_id, self.owner, self.product, self.metering_id)


@key_class
class PlanshipTokensKey(Key["PlanshipTokensRecord"]):
    """Names what is known of all access tokens; they are signed, so that none needs a record of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanshipTokensRecord(Record):
    """What is known of all access tokens.

    Attributes:
        org_id: the organization.
        epoch: how often all tokens were revoked.
    """

    org_id: str
    epoch: int

    @property
    def key(self) -> PlanshipTokensKey:
        """What it is found by."""
        return PlanshipTokensKey(self.org_id)


def members_of(org_id: str, subscription_id: str) -> IndexKey:
    """Name the list of customers on a subscription."""
    return IndexKey(org_id, "planship_member", (subscription_id,))


def subscriptions_of(org_id: str, customer_id: str) -> IndexKey:
    """Name the list of a customer's subscriptions."""
    return IndexKey(org_id, "planship_subscription", (customer_id,))


RECORDS: tuple[type[Record], ...] = (
    PlanshipAliasRecord,
    PlanshipCustomerRecord,
    PlanshipMemberRecord,
    PlanshipSubscriptionRecord,
    PlanshipTallyRecord,
    PlanshipTokensRecord,
)
"""Every kind of record here."""
