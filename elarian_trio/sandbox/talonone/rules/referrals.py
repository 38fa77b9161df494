"""Referral codes: made for an advocate, kept where either profile finds them. Without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elarian_trio.sandbox.talonone.rules import answers, checks
from elarian_trio.sandbox.talonone.rules.records import TalonOneReferralRecord, referrals_of
from elarian_trio.sandbox.talonone.rules.work import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.sandbox.talonone.rules.deployment import Campaign
    from elarian_trio.sandbox.talonone.rules.work import Work

_PEOPLE = ("advocateProfileIntegrationId", "friendProfileIntegrationId")


def create_referral(work: Work, _params: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """Make a code; every request makes another. That its time is over already is the user's affair.

    Raises:
        Refused: the body is not right, or the campaign or a profile is not known.
    """
    checks.refuse_unless(checks.REFERRAL, body)
    campaign = _campaign(work, int(body["campaignId"]))
    advocate, friend = (body.get(name) or "" for name in _PEOPLE)
    _meet(work, body)
    record = TalonOneReferralRecord(
        org_id=work.account,
        code=work.code(campaign.referral_pattern),
        id=work.number(),
        created=work.now,
        campaign_id=campaign.campaign_id,
        advocate=advocate,
        friend=friend,
        start_date=checks.as_time(body.get("startDate")),
        expiry_date=checks.as_time(body.get("expiryDate")),
        usage_limit=campaign.referral_usage_limit,
    )
    return answers.referral(keep_referral(work, record))


def keep_referral(work: Work, record: TalonOneReferralRecord) -> TalonOneReferralRecord:
    """Keep a code where its advocate and its friend find it."""
    for profile_id in filter(None, (record.advocate, record.friend)):
        work.books.enlist(referrals_of(work.account, profile_id), record.code)
    return work.books.put(record)


def _campaign(work: Work, campaign_id: int) -> Campaign:
    campaign = work.deployment.campaign(campaign_id)
    if campaign is None:
        raise Refused(404, f"there is no campaign {campaign_id}")
    if not campaign.has_referrals:
        raise Refused.invalid(Problem("/campaignId", "Invalid campaign", "it has no referrals feature"))
    return campaign


def _meet(work: Work, body: Mapping[str, Any]) -> None:
    """See that both are known, or become so where the user wants that."""
    unknown = [name for name in _PEOPLE if body.get(name) and not work.has_profile(body[name])]
    if unknown and not work.deployment.lenient:
        raise Refused.invalid(*(Problem(f"/{name}", "Unknown", "there is no such profile") for name in unknown))
    for name in unknown:
        work.books.put(work.profile(body[name]))
