"""Records as the JSON that is answered: lists and maps are never null, and times are UTC. Without I/O.

The vendor's Python clients refuse a null session, an empty state and a null list when they read an answer, and every
other client is content with less (the facts, section 4).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from elarian_trio.sandbox.talonone.rules.deployment import Deployment
    from elarian_trio.sandbox.talonone.rules.records import (
        TalonOneEventRecord,
        TalonOneProfileRecord,
        TalonOneReferralRecord,
        TalonOneSessionRecord,
    )


def time(value: datetime) -> str:
    """Write a time in UTC, which all of ours are, with as many digits as it has."""
    text = value.replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0') if '.' in text else text}Z"


def tidy(value: float) -> int | float:
    """Write a whole number without a fraction."""
    return int(value) if value == int(value) else value


def session(record: TalonOneSessionRecord) -> dict[str, Any]:
    """Write a session."""
    return {
        "integrationId": record.integration_id,
        "created": time(record.created),
        "applicationId": record.application_id,
        "profileId": record.profile_id,
        "coupon": record.coupon,
        "referral": record.referral,
        "state": record.state,
        "cartItems": json.loads(record.cart_items),
        "total": tidy(record.total),
        "attributes": json.loads(record.attributes),
        "firstSession": record.first_session,
        "discounts": json.loads(record.discounts),
    }


def blank_session(application_id: int, now: datetime) -> dict[str, Any]:
    """Write the session in which a profile is updated: none, which clients take only as an object."""
    return {
        "integrationId": "",
        "created": time(now),
        "applicationId": application_id,
        "profileId": "",
        "coupon": "",
        "referral": "",
        "state": "open",
        "cartItems": [],
        "total": 0,
        "attributes": {},
        "firstSession": True,
        "discounts": {},
    }


def profile(record: TalonOneProfileRecord, deployment: Deployment) -> dict[str, Any]:
    """Write a profile."""
    programs = deployment.loyalty.get(record.integration_id, {})
    return {
        "integrationId": record.integration_id,
        "created": time(record.created),
        "attributes": json.loads(record.attributes),
        "accountId": deployment.account_id,
        "closedSessions": record.closed_sessions,
        "totalSales": tidy(record.total_sales),
        "loyaltyMemberships": [{"loyaltyProgramId": program_id} for program_id in programs],
        "lastActivity": time(record.last_activity),
    }


def loyalty(profile_id: str, deployment: Deployment) -> dict[str, Any]:
    """Write a customer's points, which are what the user said once and for all."""
    programs = deployment.loyalty.get(profile_id, {})
    return {"programs": {str(program_id): {"currentBalance": balance} for program_id, balance in programs.items()}}


def event(record: TalonOneEventRecord, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Write an event; what it has not is left out, as the live service does with a session that is none."""
    return {
        "id": record.id,
        "created": time(record.created),
        "applicationId": record.application_id,
        **({"profileId": record.profile_id} if record.profile_id else {}),
        **({"sessionId": record.session_id} if record.session_id else {}),
        "type": record.type,
        "attributes": json.loads(record.attributes),
        "effects": json.loads(record.effects),
        "ledgerEntries": [],
        "meta": dict(meta),
    }


def referral(record: TalonOneReferralRecord) -> dict[str, Any]:
    """Write a referral code; what was not given is left out."""
    times = {"startDate": record.start_date, "expiryDate": record.expiry_date}
    return {
        "id": record.id,
        "created": time(record.created),
        "campaignId": record.campaign_id,
        "advocateProfileIntegrationId": record.advocate,
        **({"friendProfileIntegrationId": record.friend} if record.friend else {}),
        **{name: time(value) for name, value in times.items() if value is not None},
        "code": record.code,
        "usageCounter": record.usage_counter,
        "usageLimit": record.usage_limit,
    }
