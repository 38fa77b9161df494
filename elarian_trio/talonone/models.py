"""What is sent to Talon.One's Integration API, and what it answers: frozen values, by keyword only.

What is sent tells a field that is left out (:data:`~.values.UNSET`, and the service keeps what it has) from one that
is ``None`` (sent as ``null``). What is answered is read leniently, see :mod:`.reading`; names are the service's own in
snake case, and all of it is from the vendor's schema of May 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal, TypeAlias

from elarian_trio.talonone import values
from elarian_trio.talonone.effects import Effect
from elarian_trio.talonone.reading import NOTHING, Answer
from elarian_trio.talonone.values import UNSET, Body, Unset, Write, optional

AttributeValue: TypeAlias = (
    "bool | int | float | Decimal | str | datetime | Sequence[AttributeValue] | Mapping[str, AttributeValue] | None"
)
Attributes: TypeAlias = Mapping[str, AttributeValue]
"""Attributes by name. Which names and types there are is defined in the account; ``None`` removes one."""


class SessionState(StrEnum):
    """What a session is: closed ones count for the profile, cancelled ones no longer."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


# --- sent ---


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReferral(Body):
    """A referral code that is to be made.

    Attributes:
        campaign_id: the campaign that the code is for; it has the referrals feature.
        advocate_profile_integration_id: the profile of the person who recommends.
        friend_profile_integration_id: the only profile that may redeem it; anybody may if it is left out.
        start_date: from when it may be redeemed; at once if it is left out.
        expiry_date: until when; for ever if it is left out.
    """

    campaign_id: int
    advocate_profile_integration_id: str
    friend_profile_integration_id: str | Unset | None = UNSET
    start_date: datetime | Unset | None = UNSET
    expiry_date: datetime | Unset | None = UNSET

    _writers: ClassVar[Mapping[str, Write]] = {
        "campaign_id": values.integer,
        "advocate_profile_integration_id": values.text,
        "friend_profile_integration_id": optional(values.text),
        "start_date": optional(values.time),
        "expiry_date": optional(values.time),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent(Body):
    """Something that happened in a session.

    Attributes:
        session_id: the session; it is made if there is none.
        type: what happened; names that begin with ``talon_`` are the service's own.
        attributes: of this event only.
        profile_id: whose session it is; left out if that is not known.
    """

    session_id: str
    type: str
    attributes: Attributes = field(default_factory=dict[str, AttributeValue])
    profile_id: str | Unset | None = UNSET

    _writers: ClassVar[Mapping[str, Write]] = {
        "session_id": values.filled,
        "type": values.filled,
        "attributes": values.attributes,
        "profile_id": optional(values.text),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomerProfile(Body):
    """What is new of a customer.

    Attributes:
        attributes: these are set, and those that are ``None`` removed; others stay.
    """

    attributes: Attributes | Unset | None = UNSET

    _writers: ClassVar[Mapping[str, Write]] = {"attributes": optional(values.attributes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAndAnswered(Answer, Body):
    """The base of what travels both ways: checked where an app makes it, taken as it is from the service."""

    def __post_init__(self) -> None:
        """Refuse what cannot be sent; what came from the service is checked when it is sent again."""
        if self.raw is NOTHING:
            Body.__post_init__(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment(SentAndAnswered):
    """Part of an item is paid with points.

    Attributes:
        pay_from_loyalty_program: the loyalty program.
        point_payment: how many points, at least 1.
        remaining_price: what is left to pay, at least 0, set by the service.
    """

    pay_from_loyalty_program: int
    point_payment: int
    remaining_price: float | Decimal | Unset | None = UNSET

    _writers: ClassVar[Mapping[str, Write]] = {
        "pay_from_loyalty_program": values.integer,
        "point_payment": values.positive,
        "remaining_price": optional(values.not_negative),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CartItem(SentAndAnswered):
    """A line of a session's cart.

    Attributes:
        name: what it is called.
        sku: what it is.
        quantity: how many, at least 1.
        price: of one, in the application's currency.
        category: what kind of thing.
        weight: what one weighs, in the unit that the account uses.
        height: of one, in millimetres.
        width: of one, in millimetres.
        length: of one, in millimetres.
        position: its place in the cart, from 0, set by the service.
        attributes: as they are defined for cart items.
        adjustment: what of it is paid with points.
    """

    name: str
    sku: str
    quantity: int
    price: float | Decimal
    category: str | Unset | None = UNSET
    weight: float | Decimal | Unset | None = UNSET
    height: float | Decimal | Unset | None = UNSET
    width: float | Decimal | Unset | None = UNSET
    length: float | Decimal | Unset | None = UNSET
    position: float | Decimal | Unset | None = UNSET
    attributes: Attributes | Unset | None = UNSET
    adjustment: Adjustment | Unset | None = UNSET

    _writers: ClassVar[Mapping[str, Write]] = {
        "name": values.filled,
        "sku": values.filled,
        "quantity": values.positive,
        "price": values.number,
        "category": optional(values.text),
        **dict.fromkeys(("weight", "height", "width", "length", "position"), optional(values.number)),
        "attributes": optional(values.attributes),
        "adjustment": optional(values.body(Adjustment)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomerSession(Body):
    """What is new of a session; what is left out stays as it is.

    Attributes:
        profile_id: whose it is; ``""`` for nobody's, as a new one is if this is left out.
        coupon: the one coupon code; ``""`` takes it away.
        referral: the one referral code; ``""`` takes it away.
        state: what it is to be; a new one is open.
        cart_items: the whole cart.
        total: what the app says the whole costs, in the application's currency; the service does not check it.
        attributes: these are set, and those that are ``None`` removed; others stay.
    """

    profile_id: str | Unset | None = UNSET
    coupon: str | Unset | None = UNSET
    referral: str | Unset | None = UNSET
    state: SessionState | Literal["open", "closed", "cancelled"] | Unset | None = UNSET
    cart_items: Sequence[CartItem] | Unset | None = UNSET
    total: float | Decimal | Unset | None = UNSET
    attributes: Attributes | Unset | None = UNSET

    _writers: ClassVar[Mapping[str, Write]] = {
        "profile_id": optional(values.text),
        "coupon": optional(values.text),
        "referral": optional(values.text),
        "state": optional(values.one_of(SessionState)),
        "cart_items": optional(values.bodies(CartItem)),
        "total": optional(values.number),
        "attributes": optional(values.attributes),
    }


# --- answered ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral(Answer):
    """A referral code.

    Attributes:
        id: the service's number for it.
        created: when it was made.
        campaign_id: the campaign that it is for.
        advocate_profile_integration_id: the profile of the person who recommends, who may not use it.
        friend_profile_integration_id: the only profile that may redeem it; ``""`` for anybody.
        start_date: from when it may be redeemed; ``None`` for at once.
        expiry_date: until when; ``None`` for ever.
        code: what the friend's session carries as its ``referral``.
        usage_counter: how often it was redeemed.
        usage_limit: how often it may be; 0 for without limit.
    """

    id: int = 0
    created: datetime | None = None
    campaign_id: int = 0
    advocate_profile_integration_id: str = ""
    friend_profile_integration_id: str = ""
    start_date: datetime | None = None
    expiry_date: datetime | None = None
    code: str = ""
    usage_counter: int = 0
    usage_limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSession(Answer):
    """A session as it now is.

    Attributes:
        integration_id: the app's id for it.
        created: when it was made.
        application_id: the application that it belongs to.
        profile_id: whose it is; ``""`` for nobody's.
        coupon: its coupon code, or ``""``.
        referral: its referral code, or ``""``.
        state: what it is; a state that this version does not know is the service's string.
        cart_items: its cart.
        total: what the app said last that it costs, else 0.
        attributes: all of them.
        first_session: whether it is the first of its profile.
        discounts: what ``setDiscount`` effects took off, by their labels.
    """

    integration_id: str = ""
    created: datetime | None = None
    application_id: int = 0
    profile_id: str = ""
    coupon: str = ""
    referral: str = ""
    state: SessionState | str = ""
    cart_items: tuple[CartItem, ...] = ()
    total: float = 0.0
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    first_session: bool = False
    discounts: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class LoyaltyMembership(Answer):
    """That a customer takes part in a loyalty program.

    Attributes:
        loyalty_program_id: which one.
        joined: since when.
    """

    loyalty_program_id: int = 0
    joined: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerProfile(Answer):
    """A customer as the service now knows it.

    Attributes:
        integration_id: the app's id for it; ``""`` where the session is nobody's.
        created: when it was made.
        attributes: all of them.
        account_id: the account that it belongs to.
        closed_sessions: how many of its sessions were closed, and not cancelled later.
        total_sales: what those cost together.
        loyalty_memberships: where it takes part.
        last_activity: when the newest event happened.
    """

    integration_id: str = ""
    created: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    account_id: int = 0
    closed_sessions: int = 0
    total_sales: float = 0.0
    loyalty_memberships: tuple[LoyaltyMembership, ...] = ()
    last_activity: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry(Answer):
    """A booking of loyalty points.

    Attributes:
        id: the service's number for it.
        created: when it was made.
        profile_id: whose points.
        account_id: the account.
        loyalty_program_id: the program.
        event_id: the event that it comes from.
        amount: how many points.
        reason: why.
        expiry_date: until when they count.
        reference_id: another entry that it belongs to.
    """

    id: int = 0
    created: datetime | None = None
    profile_id: str = ""
    account_id: int = 0
    loyalty_program_id: int = 0
    event_id: int = 0
    amount: int = 0
    reason: str = ""
    expiry_date: datetime | None = None
    reference_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponRejectionReason(Answer):
    """Why a coupon does not count.

    Attributes:
        campaign_id: its campaign.
        coupon_id: the service's number for it; 0 if there is none.
        reason: ``"CouponNotFound"``, ``"CouponExpired"``, …; later releases added more.
    """

    campaign_id: int = 0
    coupon_id: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRejectionReason(Answer):
    """Why a referral code does not count; the service says so since release 3.2.0.

    Attributes:
        campaign_id: its campaign.
        referral_id: the service's number for it; 0 if there is none.
        reason: ``"ReferralNotFound"``, ``"ReferralExpired"``, …
    """

    campaign_id: int = 0
    referral_id: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Answer):
    """What was recorded, and what came of it.

    Attributes:
        id: the service's number for it; later ones are greater.
        created: when it was recorded.
        application_id: the application.
        profile_id: whose session it happened in, where that is known.
        session_id: the session; ``""`` for an update of a profile, which happens in none.
        type: the app's own, or one of the service's: ``"talon_session_updated"``.
        attributes: of the event.
        effects: what the app is to do, in no particular order.
        ledger_entries: bookings of loyalty points.
        meta: more about coupons, and warnings, as JSON.
    """

    id: int = 0
    created: datetime | None = None
    application_id: int = 0
    profile_id: str = ""
    session_id: str = ""
    type: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    effects: tuple[Effect, ...] = ()
    ledger_entries: tuple[LedgerEntry, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def coupon_rejection(self) -> CouponRejectionReason | None:
        """Why the session's coupon does not count, if the service says so."""
        return CouponRejectionReason.from_object(self.meta.get("couponRejectionReason"))

    @property
    def referral_rejection(self) -> ReferralRejectionReason | None:
        """Why the session's referral code does not count, if the service says so."""
        return ReferralRejectionReason.from_object(self.meta.get("referralRejectionReason"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoyaltyProgram(Answer):
    """A customer's place in a loyalty program; later releases say more, which is in ``raw``.

    Attributes:
        current_balance: points.
    """

    current_balance: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loyalty(Answer):
    """A customer's points.

    Attributes:
        programs: by the programs' ids, written as text.
    """

    programs: Mapping[str, LoyaltyProgram] = field(default_factory=dict[str, LoyaltyProgram])


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationState(Answer):
    """What an update or an event is answered with.

    Attributes:
        session: the session as it now is; a blank one where a profile was updated.
        profile: the customer as the service now knows it; a blank one where the session is nobody's.
        event: what was recorded, and what came of it.
        loyalty: the customer's points, where the service says anything of them.
    """

    session: CustomerSession = field(default_factory=CustomerSession)
    profile: CustomerProfile = field(default_factory=CustomerProfile)
    event: Event = field(default_factory=Event)
    loyalty: Loyalty | None = None

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What the app is to do: the event's effects."""
        return self.event.effects
