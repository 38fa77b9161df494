"""What every rule is handed: the catalogue, who may come in, the switches, and one request's unit of work."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from elarian_trio._arguments import require_fields
from elarian_trio.sandbox.planship.rules.periods import current
from elarian_trio.sandbox.planship.rules.reading import Refused
from elarian_trio.sandbox.planship.rules.records import (
    PlanshipAliasKey,
    PlanshipCustomerKey,
    PlanshipMemberKey,
    PlanshipMemberRecord,
    PlanshipSubscriptionKey,
    PlanshipTokensKey,
    members_of,
    subscriptions_of,
)
from elarian_trio.sandbox.planship.rules.tokens import expiry_of

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio.sandbox.books import Books
    from elarian_trio.sandbox.exchange import WebRequest
    from elarian_trio.sandbox.planship.rules.catalogue import Catalogue, Lever, Plan, Product
    from elarian_trio.sandbox.planship.rules.records import PlanshipCustomerRecord, PlanshipSubscriptionRecord
    from elarian_trio.sandbox.planship.rules.tokens import ClientKeys
    from elarian_trio.sandbox.world.work import Dice

__all__ = ["Deal", "Revoked", "Service", "Switches", "Touched"]

T = TypeVar("T")


@dataclass(slots=True)
class Switches:
    """How the stand-in behaves where the live service's ways are unknown or vary with its version.

    They may be set at any time, and count from then on.

    Attributes:
        token_lifetime: how long a new access token counts.
        raw_values: whether a plan's entitlements have values of their own types, as from API version 0.1.5 on, and not
            as text, which is what earlier clients decode.
        snapshot_on_connect: whether a WebSocket begins with the present entitlements.
    """

    token_lifetime: timedelta = timedelta(hours=1)
    raw_values: bool = False
    snapshot_on_connect: bool = False

    def __post_init__(self) -> None:
        """See that it can be."""
        require_fields(self, {"token_lifetime": timedelta, "raw_values": bool, "snapshot_on_connect": bool})


class Touched(NamedTuple):
    """An effect: these customers' entitlements may have changed."""

    customer_ids: tuple[str, ...]


class Revoked(NamedTuple):
    """An effect: no token counts any more that was given until now."""


class Service(NamedTuple):
    """What stays the same from request to request.

    Attributes:
        catalogue: what is on sale.
        keys: with what programs come in.
        switches: how it behaves.
    """

    catalogue: Catalogue
    keys: ClientKeys
    switches: Switches


class Deal:
    """One request's unit of work, with what its rules look up: what is not there is answered with 404.

    Args:
        service: what stays the same.
        request: what is asked.
        books: what there is, and what the rules change.
        now: the present.
        dice: where ids come from.
    """

    def __init__(self, service: Service, request: WebRequest, books: Books, now: datetime, dice: Dice) -> None:
        self.service: Service = service
        self.catalogue: Catalogue = service.catalogue
        self.request: WebRequest = request
        self.books: Books = books
        self.now: datetime = now
        self.dice: Dice = dice
        self.org_id: str = service.catalogue.organization_id

    def new_id(self) -> str:
        """Give a UUID that is nobody's yet."""
        return str(uuid.UUID(hex=self.dice.hex(32), version=4))

    def touch(self, *customer_ids: str) -> None:
        """Note that these customers' entitlements may have changed."""
        self.books.effects.append(Touched(customer_ids))

    # Tokens.

    def expiry_of(self, token: str) -> datetime | None:
        """Say until when *token* lets anybody in; ``None`` if it does not, at this moment."""
        known = self.books.find(PlanshipTokensKey(self.org_id))
        expiry = expiry_of(self.service.keys, token, 0 if known is None else known.epoch)
        return None if expiry is None or expiry <= self.now else expiry

    # The catalogue.

    def product(self) -> Product:
        """Give the product that the path names."""
        return _found(self.catalogue.product(self.request.params["product"]), "Product")

    def plan(self) -> tuple[Product, Plan]:
        """Give the plan that the path names."""
        product = self.product()
        return product, self.plan_named(product, self.request.params["plan"])

    def plan_named(self, product: Product, slug: str) -> Plan:
        """Give a plan of *product*."""
        return _found(product.plan(slug), "Plan")

    def lever(self) -> tuple[Product, Lever]:
        """Give the lever that the path names."""
        product = self.product()
        return product, _found(product.lever(self.request.params["lever"]), "Lever")

    def sold(self, subscription: PlanshipSubscriptionRecord, slug: str) -> tuple[Product, Plan]:
        """Give a plan that a subscription has or shall have; the catalogue may be another than when it was kept."""
        product = self.catalogue.product(subscription.product)
        plan = None if product is None else product.plan(slug)
        if product is None or plan is None:
            words = f"the catalogue has no plan {slug!r} of product {subscription.product!r} any more"
            raise Refused(500, words)
        return product, plan

    # Customers and subscriptions.

    def customer(self, name: str | None = None) -> PlanshipCustomerRecord:
        """Give the customer that *name* means, or the path: by its UUID, or by its alternative id."""
        given = self.request.params["customer"] if name is None else name
        found = self.books.find(PlanshipCustomerKey(self.org_id, given.lower()))
        alias = self.books.find(PlanshipAliasKey(self.org_id, given)) if found is None else None
        if alias is not None:
            found = self.books.find(PlanshipCustomerKey(self.org_id, alias.customer_id))
        return _found(found, "Customer")

    def subscription(self, subscription_id: str) -> PlanshipSubscriptionRecord:
        """Give a subscription as it is by now; if its time was over meanwhile, that is kept, too."""
        found = _found(self.books.find(PlanshipSubscriptionKey(self.org_id, subscription_id)), "Subscription")
        subscription = current(found, self.now, lambda slug: self.sold(found, slug)[1])
        return found if subscription is found else self.books.put(subscription)

    def member(self, subscription_id: str, customer_id: str) -> PlanshipMemberRecord:
        """Give a customer's place on a subscription."""
        return _found(self.books.find(PlanshipMemberKey(self.org_id, subscription_id, customer_id)), "Subscription")

    def members(self, subscription_id: str) -> list[PlanshipMemberRecord]:
        """Give all who are on a subscription, oldest first."""
        names = self.books.members(members_of(self.org_id, subscription_id))
        found = [self.member(subscription_id, customer_id) for customer_id in names]
        return sorted(found, key=lambda member: (member.added_at, member.customer_id))

    def join(
        self,
        subscription_id: str,
        customer_id: str,
        *,
        is_administrator: bool,
        is_subscriber: bool,
        metadata: str | None,
    ) -> PlanshipMemberRecord:
        """Have a customer on a subscription."""
        self.books.enlist(members_of(self.org_id, subscription_id), customer_id)
        self.books.enlist(subscriptions_of(self.org_id, customer_id), subscription_id)
        self.touch(customer_id)
        return self.books.put(
            PlanshipMemberRecord(
                org_id=self.org_id,
                subscription_id=subscription_id,
                customer_id=customer_id,
                added_at=self.now,
                is_administrator=is_administrator,
                is_subscriber=is_subscriber,
                metadata=metadata,
            )
        )

    def leave(self, subscription_id: str, customer_id: str) -> None:
        """Have a customer on a subscription no longer."""
        self.books.strike(members_of(self.org_id, subscription_id), customer_id)
        self.books.strike(subscriptions_of(self.org_id, customer_id), subscription_id)
        self.books.remove(PlanshipMemberKey(self.org_id, subscription_id, customer_id))
        self.touch(customer_id)

    def touch_members(self, subscription_id: str) -> None:
        """Note that the entitlements of all on a subscription may have changed."""
        self.touch(*self.books.members(members_of(self.org_id, subscription_id)))

    def places(self, customer_id: str) -> list[tuple[PlanshipSubscriptionRecord, PlanshipMemberRecord]]:
        """Give a customer's subscriptions, oldest first, and its place on each."""
        names = self.books.members(subscriptions_of(self.org_id, customer_id))
        found = [(self.subscription(name), self.member(name, customer_id)) for name in names]
        return sorted(found, key=lambda each: (each[0].start_at, each[0].subscription_id))


def _found(thing: T | None, what: str) -> T:
    if thing is None:
        raise Refused(404, f"{what} not found")
    return thing
