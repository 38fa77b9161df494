"""What a user says of a deployment: its applications, campaigns, rules, coupons and attributes.

The live service has a console for it. Nothing here changes while a server runs; the rules are the user's own functions
and must do no more than look and answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the types of what users make can be resolved at run time
from json import dumps
from string import hexdigits
from types import NoneType
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from elarian_trio._arguments import is_finite, require, require_choice, require_fields, require_function, shown
from elarian_trio.models.checks import check_datetime

__all__ = ["Application", "AttributeKind", "Campaign", "Catalogue", "Coupon", "Deployment", "Rule", "RuleState"]

AttributeKind: TypeAlias = Literal["string", "number", "boolean", "time", "strings", "numbers", "times", "location"]

MIN_CODE = 4  # characters, says the schema of a referral's code
MIN_WILD = 3  # characters that are drawn for a code: with fewer they soon run out


class RuleState(NamedTuple):
    """What a rule looks at.

    Attributes:
        session: the session as the answer has it, before this evaluation's discounts; blank where a profile is updated.
        profile: the profile as the answer has it; a session that is closed now is not counted in it yet.
        coupon: the session's coupon code if it counts, else ``""``.
        referral: its referral code if it counts, else ``""``.
        now: the sandbox's present.
        advocate: the profile whose referral code that is, ``""`` where none counts, or it is nobody's.
    """

    session: Mapping[str, Any]
    profile: Mapping[str, Any]
    coupon: str
    referral: str
    now: datetime
    advocate: str = ""


Condition: TypeAlias = Callable[[RuleState, Mapping[str, Any]], bool]
Effects: TypeAlias = Callable[[RuleState, Mapping[str, Any]], Iterable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Part of a campaign: what follows when.

    ::

        Rule(lambda state, event: [("setDiscount", "Spring", 2)] if state.coupon else [], campaign_id=54)

    An effect is its name with its arguments, as JSON values. ``("couponCreated", None, profile_id)`` and
    ``("referralCreated", None, friend_id)`` make a code that counts from then on; it stands in place of the ``None``.

    Attributes:
        effects: given the state and the event as the answer has it, the effects.
        condition: whether they apply at all; always, if left out.
        campaign_id: the campaign that it belongs to.
        ruleset_id: its rule set.
        rule_index: its place there; its place among all rules, if left out.
    """

    effects: Effects
    condition: Condition | None = None
    campaign_id: int = 1
    ruleset_id: int = 1
    rule_index: int | None = None

    def __post_init__(self) -> None:
        """See that it can be called, and whose it is."""
        require_fields(self, {"campaign_id": int, "ruleset_id": int, "rule_index": (int, NoneType)})
        for name, value in (("effects", self.effects), ("condition", self.condition)):
            if not callable(value) and (name == "effects" or value is not None):
                msg = f"{name} must be a function of a state and an event, got {type(value).__name__}"
                raise TypeError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign.

    Attributes:
        campaign_id: its number.
        ruleset_id: its rule set, which verdicts on its codes name.
        is_running: otherwise its coupons and referral codes do not count.
        has_referrals: otherwise no referral codes are made for it.
        referral_pattern: of the codes; each ``#`` becomes a letter or digit.
        referral_usage_limit: how often a code may be used; 0 for without limit. The vendor's default for codes that
            are brought along is once.
        referral_condition: whether a referral code counts, besides everything else.
    """

    campaign_id: int
    ruleset_id: int = 1
    is_running: bool = True
    has_referrals: bool = True
    referral_pattern: str = "########"
    referral_usage_limit: int = 1
    referral_condition: Condition | None = None

    def __post_init__(self) -> None:
        """See that it can be, and that codes can be made after its pattern."""
        numbers = dict.fromkeys(("campaign_id", "ruleset_id", "referral_usage_limit"), int)
        require_fields(self, {**numbers, "is_running": bool, "has_referrals": bool, "referral_pattern": str})
        require_function("referral_condition", self.referral_condition, optional=True)
        if len(self.referral_pattern) < MIN_CODE or self.referral_pattern.count("#") < MIN_WILD:
            msg = f"referral_pattern has at least {MIN_CODE} characters, {MIN_WILD} of them '#'"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A coupon.

    Attributes:
        code: what a session carries.
        campaign_id: its campaign.
        usage_limit: how often it may be used; 0 for without limit.
        start_date: from when it counts.
        expiry_date: until when.
        recipient: the only profile that may use it; ``""`` for anybody.
        attributes: what the answer says of it, under ``meta``.
        condition: whether it counts, besides everything else.
    """

    code: str
    campaign_id: int = 1
    usage_limit: int = 0
    start_date: datetime | None = None
    expiry_date: datetime | None = None
    recipient: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    condition: Condition | None = None

    def __post_init__(self) -> None:
        """See that it can be."""
        kinds = {"code": str, "campaign_id": int, "usage_limit": int, "recipient": str}
        require_fields(self, {**kinds, "attributes": Mapping})
        object.__setattr__(self, "attributes", _as_json(f"the attributes of coupon {self.code!r}", self.attributes))
        require_function("condition", self.condition, optional=True)
        for name in ("start_date", "expiry_date"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, check_datetime(name, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Which attributes there are, and of which kind; what is not in it is refused, as by the live service.

    Attributes:
        profile: those of profiles.
        session: those of sessions.
        cart_item: those of cart items.
        events: the types of events, and the attributes of each.
    """

    profile: Mapping[str, AttributeKind] = field(default_factory=dict[str, AttributeKind])
    session: Mapping[str, AttributeKind] = field(default_factory=dict[str, AttributeKind])
    cart_item: Mapping[str, AttributeKind] = field(default_factory=dict[str, AttributeKind])
    events: Mapping[str, Mapping[str, AttributeKind]] = field(default_factory=dict[str, "Mapping[str, AttributeKind]"])

    def __post_init__(self) -> None:
        """See that each attribute is of a kind that there is."""
        require_fields(self, dict.fromkeys(("profile", "session", "cart_item", "events"), Mapping))
        for attributes in (self.profile, self.session, self.cart_item, *self.events.values()):
            require("the attributes of an event", Mapping, attributes)
            for name, kind in attributes.items():
                require_choice(f"the kind of attribute {name!r}", kind, get_args(AttributeKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application: who tells of sessions, and hears what they have earned.

    Attributes:
        application_id: its number, which signs.
        api_key: its key; made at random by the server if left out.
        application_key: the key of its signatures, 16 hexadecimal digits; likewise.

    Raises:
        ValueError: no header can carry the key, or the other is not hexadecimal.
        TypeError: one is of the wrong type.
    """

    application_id: int = 1
    api_key: str = field(default="", repr=False)
    application_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """See that it can be, that its key can be presented, and that the other can sign."""
        require_fields(self, {"application_id": int, "api_key": str, "application_key": str})
        if not all("!" <= each <= "~" for each in self.api_key):
            msg = "api_key must be ASCII, without spaces: no header carries another"
            raise ValueError(msg)
        if len(self.application_key) % 2 or not set(self.application_key) <= set(hexdigits):
            msg = "application_key must be an even number of hexadecimal digits"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Everything that a user says of a deployment; see :class:`.TalonOneServer`, whose arguments these are."""

    rules: tuple[Rule, ...] = ()
    campaigns: Mapping[int, Campaign] = field(default_factory=dict[int, Campaign])
    coupons: Mapping[str, Coupon] = field(default_factory=dict[str, Coupon])
    catalogue: Catalogue | None = None
    loyalty: Mapping[str, Mapping[int, float]] = field(default_factory=dict[str, "Mapping[int, float]"])
    account_id: int = 1
    first_id: int = 1
    referral_usage_limit: int = 1
    lenient: bool = False
    strict: bool = False
    codes: Callable[[str], str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """See that it can be."""
        numbers = dict.fromkeys(("account_id", "first_id", "referral_usage_limit"), int)
        require_fields(self, {**numbers, "lenient": bool, "strict": bool, "catalogue": (Catalogue, NoneType)})
        require_function("codes", self.codes, optional=True)
        require("loyalty", Mapping, self.loyalty)
        for profile_id, programs in self.loyalty.items():
            require(f"the loyalty of {profile_id}", Mapping, programs)
            for program_id, points in programs.items():
                require("a loyalty program", int, program_id)
                _require_points(f"the points of {profile_id}", points)

    def campaign(self, campaign_id: int) -> Campaign | None:
        """Give a campaign; where the user gave none at all, any number is one that runs."""
        if self.campaigns:
            return self.campaigns.get(campaign_id)
        return Campaign(campaign_id=campaign_id, referral_usage_limit=self.referral_usage_limit)


def _as_json(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give what an answer can hold: otherwise each that it should be in would be a 500."""
    values = dict(given)
    try:
        dumps(values, ensure_ascii=False, allow_nan=False).encode()
    except TypeError as error:
        msg = f"{name} must be what JSON can hold: {error}"
        raise TypeError(msg) from None
    except (ValueError, RecursionError) as error:
        msg = f"{name} must be what JSON can hold: {error}"
        raise ValueError(msg) from None
    return values


def _require_points(name: str, given: float) -> None:
    require(name, (int, float), given, wanted="a number")
    if not is_finite(given):
        msg = f"{name} must be a number that can be counted to, got {shown(given)}"
        raise ValueError(msg)
