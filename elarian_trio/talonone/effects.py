"""What a session or an event has earned: effects, read generically, and the known kinds by name.

The service only reports effects; the app applies them. Accounts define effects of their own, so that an unknown name
is nothing unusual, and their order means nothing. On the wire one is ``[campaignId, rulesetId, ruleIndex, [name,
arguments...]]`` (the vendor's schema and documentation of the first version of this API).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from elarian_trio.models.checks import field_types
from elarian_trio.talonone.reading import SCALARS, as_integer, as_list, as_text


@dataclass(frozen=True, slots=True)
class SetDiscount:
    """Take *amount* off the session's total, in the application's currency, and call it *label*."""

    label: str
    amount: float


@dataclass(frozen=True, slots=True)
class AcceptCoupon:
    """The session's coupon counts."""

    code: str


@dataclass(frozen=True, slots=True)
class RejectCoupon:
    """The session's coupon does not count; :attr:`.Event.coupon_rejection` says why."""

    code: str


@dataclass(frozen=True, slots=True)
class InvalidateCoupon:
    """The session's coupon does not count: the name before 2018 for :class:`RejectCoupon`."""

    code: str


@dataclass(frozen=True, slots=True)
class AcceptReferral:
    """The session's referral code counts."""

    code: str


@dataclass(frozen=True, slots=True)
class RejectReferral:
    """The session's referral code does not count; :attr:`.Event.referral_rejection` may say why."""

    code: str


@dataclass(frozen=True, slots=True)
class RedeemReferral:
    """A referral code was redeemed."""

    code: str


@dataclass(frozen=True, slots=True)
class ReferralCreated:
    """A referral code was made, which *friend_profile_id* may use (anybody where it is ``""``)."""

    code: str
    friend_profile_id: str


@dataclass(frozen=True, slots=True)
class CouponCreated:
    """A coupon was made for *recipient_profile_id* (for anybody where it is ``""``)."""

    code: str
    recipient_profile_id: str


@dataclass(frozen=True, slots=True)
class AddFreeItem:
    """Give the customer *profile_id* the item *sku* for nothing, and call it *label*."""

    profile_id: str
    sku: str
    label: str


EffectDetails: TypeAlias = (
    SetDiscount
    | AcceptCoupon
    | RejectCoupon
    | InvalidateCoupon
    | AcceptReferral
    | RejectReferral
    | RedeemReferral
    | ReferralCreated
    | CouponCreated
    | AddFreeItem
)

KNOWN: Mapping[str, Callable[..., EffectDetails]] = {
    "setDiscount": SetDiscount,
    "acceptCoupon": AcceptCoupon,
    "rejectCoupon": RejectCoupon,
    "invalidateCoupon": InvalidateCoupon,
    "acceptReferral": AcceptReferral,
    "rejectReferral": RejectReferral,
    "redeemReferral": RedeemReferral,
    "referralCreated": ReferralCreated,
    "couponCreated": CouponCreated,
    "addFreeItem": AddFreeItem,
}
"""The kinds whose arguments are known, by their names on the wire (the facts, section 5)."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect. An item that has not the form of one is kept all the same, with ``raw`` alone.

    Attributes:
        campaign_id: the campaign it comes from; -1 where none is involved, as for an unknown coupon.
        ruleset_id: its rule set.
        rule_index: the place of the rule in that set.
        name: what is to be done; accounts define names of their own.
        args: the arguments, as JSON values.
        raw: the item as the service sent it.
    """

    campaign_id: int | None = None
    ruleset_id: int | None = None
    rule_index: int | None = None
    name: str = ""
    args: tuple[Any, ...] = ()
    raw: Any = field(default=None, repr=False)

    @property
    def details(self) -> EffectDetails | None:
        """The effect as one of the known kinds; ``None`` for an unknown name, or arguments that do not fit.

        ::

            match effect.details:
                case SetDiscount(label, amount): ...
                case AcceptCoupon(code): ...
        """
        kind = KNOWN.get(self.name)
        if kind is None:
            return None
        readers = [SCALARS[hint] for hint in field_types(cast("type", kind)).values()]
        if len(self.args) < len(readers):
            return None
        try:
            return kind(*(read(arg) for read, arg in zip(readers, self.args, strict=False)))
        except (TypeError, OverflowError):
            return None

    @classmethod
    def from_wire(cls, value: Any) -> Effect:  # noqa: ANN401 - whatever the service says
        """Read an item. It never fails."""
        try:
            campaign_id, ruleset_id, rule_index, inner = as_list(value)
            name, *args = as_list(inner)
            return cls(
                campaign_id=as_integer(campaign_id),
                ruleset_id=as_integer(ruleset_id),
                rule_index=as_integer(rule_index),
                name=as_text(name),
                args=tuple(args),
                raw=value,
            )
        except (TypeError, ValueError, OverflowError):
            return cls(raw=value)
