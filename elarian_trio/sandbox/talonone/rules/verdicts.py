"""Whether a session's coupon and referral code count, and why not. Without I/O.

A code that does not count is no error: the answer is 200, with an effect that says so, and a reason under ``meta``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from elarian_trio.sandbox.talonone.rules.deployment import Campaign, Coupon
from elarian_trio.sandbox.talonone.rules.records import (
    TalonOneCouponKey,
    TalonOneCouponRecord,
    TalonOneReferralKey,
    TalonOneReferralRecord,
)
from elarian_trio.sandbox.talonone.rules.work import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from elarian_trio.sandbox.talonone.rules.deployment import Condition, RuleState
    from elarian_trio.sandbox.talonone.rules.work import Work

NO_CAMPAIGN = -1  # says the vendor's documentation of the next version


class Verdict(NamedTuple):
    """What becomes of a code.

    Attributes:
        code: the code.
        reason: why it does not count; ``""`` where it does.
        campaign_id: its campaign.
        ruleset_id: the rule set of that.
        id: its number; 0 for none.
        attributes: what is said of it where it counts.
    """

    code: str
    reason: str
    campaign_id: int = NO_CAMPAIGN
    ruleset_id: int = 0
    id: int = 0
    attributes: Mapping[str, Any] = {}

    def effect(self, kind: str) -> list[Any]:
        """Give the effect that tells of it: *kind* is "Coupon" or "Referral"."""
        return [self.campaign_id, self.ruleset_id, 0, [f"{'reject' if self.reason else 'accept'}{kind}", self.code]]


class Claim(NamedTuple):
    """What a code is judged by.

    Attributes:
        campaign: its campaign, ``None`` where the user did not tell of it.
        start_date: from when it counts.
        expiry_date: until when.
        used: how often it was used.
        usage_limit: how often it may be; 0 for without limit.
        recipient: the only profile that may use it; ``""`` for anybody.
        condition: whether it counts besides.
        state: what the condition looks at, and the present.
        event: what the condition looks at, too.
    """

    campaign: Campaign | None
    start_date: datetime | None
    expiry_date: datetime | None
    used: int
    usage_limit: int
    recipient: str
    condition: Condition | None
    state: RuleState
    event: Mapping[str, Any]


_REASONS: tuple[tuple[str, Callable[[Claim], bool]], ...] = (
    ("PartOfNotRunningCampaign", lambda claim: claim.campaign is None or not claim.campaign.is_running),
    ("StartDateInFuture", lambda claim: claim.start_date is not None and claim.state.now < claim.start_date),
    ("Expired", lambda claim: claim.expiry_date is not None and claim.state.now >= claim.expiry_date),
    ("LimitReached", lambda claim: 0 < claim.usage_limit <= claim.used),
    ("RecipientDoesNotMatch", lambda claim: claim.recipient not in ("", claim.state.profile["integrationId"])),
    ("RejectedByCondition", lambda claim: not _holds(claim)),
)


def _holds(claim: Claim) -> bool:
    """Ask the user's own condition."""
    try:
        return claim.condition is None or bool(claim.condition(claim.state, claim.event))
    except Exception as error:
        code = claim.state.coupon or claim.state.referral
        raise Refused(500, f"the condition of {code} failed: {type(error).__name__}") from error


def _reason(kind: str, claim: Claim) -> str:
    return next((f"{kind}{reason}" for reason, applies in _REASONS if applies(claim)), "")


def judge_coupon(work: Work, state: RuleState, event: Mapping[str, Any]) -> Verdict | None:
    """Say what becomes of the session's coupon, if it has one.

    Raises:
        Refused: a condition of the user's failed.
    """
    code: str = state.session["coupon"]
    if not code:
        return None
    record = find_coupon(work, code)
    if record is None:
        return Verdict(code, "CouponNotFound")
    coupon = work.deployment.coupons.get(code)
    if coupon is None:  # a rule made it: for one use
        coupon = Coupon(code=code, campaign_id=record.campaign_id, usage_limit=1, recipient=record.recipient)
    campaign = work.deployment.campaign(coupon.campaign_id)
    claim = Claim(
        campaign,
        coupon.start_date,
        coupon.expiry_date,
        record.usage_counter,
        coupon.usage_limit,
        coupon.recipient,
        coupon.condition,
        state._replace(coupon=code),
        event,
    )
    ruleset_id = 0 if campaign is None else campaign.ruleset_id
    return Verdict(code, _reason("Coupon", claim), coupon.campaign_id, ruleset_id, record.id, coupon.attributes)


def find_coupon(work: Work, code: str) -> TalonOneCouponRecord | None:
    """Find a coupon; one that the user told of gets its number when it is first seen."""
    found = work.books.find(TalonOneCouponKey(work.account, code))
    given = work.deployment.coupons.get(code)
    if found is not None or given is None:
        return found
    return work.books.put(
        TalonOneCouponRecord(org_id=work.account, code=code, id=work.number(), campaign_id=given.campaign_id)
    )


def judge_referral(work: Work, state: RuleState, event: Mapping[str, Any]) -> Verdict | None:
    """Say what becomes of the session's referral code, if it has one.

    Raises:
        Refused: a condition of the user's failed.
    """
    code: str = state.session["referral"]
    if not code:
        return None
    record = work.books.find(TalonOneReferralKey(work.account, code))
    if record is None:
        return Verdict(code, "ReferralNotFound")
    campaign = work.deployment.campaign(record.campaign_id)
    ruleset_id = 0 if campaign is None else campaign.ruleset_id
    reason = _referral_reason(state, event, record, campaign)
    return Verdict(code, reason, record.campaign_id, ruleset_id, record.id)


def _referral_reason(
    state: RuleState, event: Mapping[str, Any], record: TalonOneReferralRecord, campaign: Campaign | None
) -> str:
    if record.advocate and record.advocate == state.profile["integrationId"]:
        return "ReferralRecipientIdSameAsAdvocate"
    claim = Claim(
        campaign,
        record.start_date,
        record.expiry_date,
        record.usage_counter,
        record.usage_limit,
        record.friend,
        None if campaign is None else campaign.referral_condition,
        state._replace(referral=record.code),
        event,
    )
    return _reason("Referral", claim)


def advocate_of(work: Work, code: str) -> str:
    """Give the profile whose referral code that is; ``""`` where there is no such code, or it is nobody's."""
    found = work.books.find(TalonOneReferralKey(work.account, code))
    return "" if found is None else found.advocate
