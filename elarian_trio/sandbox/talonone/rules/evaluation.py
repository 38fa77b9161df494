"""One run of the campaigns' rules: verdicts on the codes, then each rule in order. Without I/O."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from elarian_trio.sandbox.talonone.rules.answers import tidy
from elarian_trio.sandbox.talonone.rules.checks import is_number
from elarian_trio.sandbox.talonone.rules.deployment import RuleState
from elarian_trio.sandbox.talonone.rules.records import TalonOneCouponRecord, TalonOneReferralRecord
from elarian_trio.sandbox.talonone.rules.referrals import keep_referral
from elarian_trio.sandbox.talonone.rules.verdicts import advocate_of, judge_coupon, judge_referral
from elarian_trio.sandbox.talonone.rules.work import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.sandbox.talonone.rules.deployment import Rule
    from elarian_trio.sandbox.talonone.rules.verdicts import Verdict
    from elarian_trio.sandbox.talonone.rules.work import Work

_PATTERN = "########"  # of the codes that rules make
MOST = sys.float_info.max


class Outcome(NamedTuple):
    """What a run has come to.

    Attributes:
        effects: all of them, as they travel.
        meta: what is said of the codes.
        coupon: the coupon that counts, or ``""``.
        referral: the referral code that counts, or ``""``.
    """

    effects: list[Any]
    meta: dict[str, Any]
    coupon: str
    referral: str

    @property
    def discounts(self) -> dict[str, int | float]:
        """What ``setDiscount`` takes off, by labels."""
        sums: dict[str, int | float] = {}
        for *_, effect in self.effects:
            match effect:
                case ["setDiscount", str() as label, amount] if is_number(amount):
                    sums[label] = added(sums.get(label, 0), amount)
                case _:
                    pass
        return sums


def added(one: float, other: float) -> int | float:
    """Add amounts of money, of which a tenth is a tenth; the sum is none beyond what JSON's readers can hold."""
    total = float(Decimal(repr(one)) + Decimal(repr(other)))
    return tidy(max(-MOST, min(total, MOST)))


def evaluate(work: Work, session: Mapping[str, Any], profile: Mapping[str, Any], event: Mapping[str, Any]) -> Outcome:
    """Run all rules once. Codes of a session that is cancelled are not judged: nobody uses them.

    Raises:
        Refused: a rule of the user's failed, or gave what is no effect.
    """
    state = RuleState(session, profile, "", "", work.now)
    coupon = referral = None
    if session["state"] != "cancelled":
        coupon = judge_coupon(work, state, event)
        referral = judge_referral(work, state, event)
    code = _accepted(referral)
    state = state._replace(coupon=_accepted(coupon), referral=code, advocate=advocate_of(work, code))
    given = [(kind, verdict) for kind, verdict in (("Coupon", coupon), ("Referral", referral)) if verdict is not None]
    effects = [verdict.effect(kind) for kind, verdict in given if not verdict.reason]
    for index, rule in enumerate(work.deployment.rules):
        place = index if rule.rule_index is None else rule.rule_index
        effects += _effects_of(work, rule, place, state, event)
    effects += [verdict.effect(kind) for kind, verdict in given if verdict.reason]
    return Outcome(effects, _meta(coupon, referral), state.coupon, state.referral)


def _accepted(verdict: Verdict | None) -> str:
    return "" if verdict is None or verdict.reason else verdict.code


def _meta(coupon: Verdict | None, referral: Verdict | None) -> dict[str, Any]:
    """Say more of the codes; an accepted coupon's attributes stand directly under its code."""
    meta: dict[str, Any] = {}
    if coupon is not None and coupon.reason:
        meta["couponRejectionReason"] = {
            "campaignId": coupon.campaign_id,
            "couponId": coupon.id,
            "reason": coupon.reason,
        }
    elif coupon is not None:
        meta["coupons"] = {coupon.code: dict(coupon.attributes)}
    if referral is not None and referral.reason:
        meta["referralRejectionReason"] = {
            "campaignId": referral.campaign_id,
            "referralId": referral.id,
            "reason": referral.reason,
        }
    return meta


def _effects_of(work: Work, rule: Rule, place: int, state: RuleState, event: Mapping[str, Any]) -> list[Any]:
    """Call a rule of the user's, and give its effects as they travel."""
    called = f"rule {place} of campaign {rule.campaign_id}"
    try:
        applies = rule.condition is None or rule.condition(state, event)
        made = [json.loads(json.dumps(each, allow_nan=False)) for each in rule.effects(state, event)] if applies else []
    except Exception as error:
        raise Refused(500, f"{called} failed: {type(error).__name__}") from error
    if not all(_is_effect(each) for each in made):
        raise Refused(500, f"{called} gave what is no effect: a name with its arguments is expected")
    return [[rule.campaign_id, rule.ruleset_id, place, _effect_of(work, rule, each, state)] for each in made]


def _is_effect(made: object) -> bool:
    return isinstance(made, list) and bool(cast("list[object]", made)) and isinstance(made[0], str)


def _effect_of(work: Work, rule: Rule, made: list[Any], state: RuleState) -> list[Any]:
    """Give an effect as it travels; those that make a code make it."""
    name, *args = made
    if name not in ("couponCreated", "referralCreated"):
        return made
    code, person = (*args, None, None)[:2]
    person = "" if person is None else str(person)
    if name == "couponCreated":
        return [name, _coupon(work, rule, code, person), person]
    return [name, _referral(work, rule, code, person, state), person]


def _coupon(work: Work, rule: Rule, given: object, recipient: str) -> str:
    """Make a coupon, which stays also where the session is cancelled; one that is there stays as it is."""
    code = work.code(_PATTERN) if given is None else str(given)
    if not work.is_taken(code):
        work.books.put(
            TalonOneCouponRecord(
                org_id=work.account, code=code, id=work.number(), campaign_id=rule.campaign_id, recipient=recipient
            )
        )
    return code


def _referral(work: Work, rule: Rule, given: object, friend: str, state: RuleState) -> str:
    """Make a referral code, of which the session's customer is the advocate; one that is there stays as it is."""
    campaign = work.deployment.campaign(rule.campaign_id)
    code = work.code(_PATTERN if campaign is None else campaign.referral_pattern) if given is None else str(given)
    if not work.is_taken(code):
        new = TalonOneReferralRecord(
            org_id=work.account,
            code=code,
            id=work.number(),
            created=work.now,
            campaign_id=rule.campaign_id,
            advocate=state.profile["integrationId"],
            friend=friend,
            usage_limit=1 if campaign is None else campaign.referral_usage_limit,
        )
        keep_referral(work, new)
    return code
