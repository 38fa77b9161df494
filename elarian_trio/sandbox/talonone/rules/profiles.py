"""Profiles: updated, and their data deleted. Without I/O."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from elarian_trio.sandbox.talonone.rules import answers, checks
from elarian_trio.sandbox.talonone.rules.evaluation import evaluate
from elarian_trio.sandbox.talonone.rules.records import (
    EMPTY,
    TalonOneEventKey,
    TalonOneProfileKey,
    TalonOneReferralKey,
    TalonOneSessionKey,
    events_in,
    events_of,
    referrals_of,
    sessions_of,
)
from elarian_trio.sandbox.talonone.rules.work import Refused, merged
from elarian_trio.sandbox.world.entities import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.sandbox.talonone.rules.work import Work
    from elarian_trio.sandbox.world.entities import IndexKey, Key

R = TypeVar("R", bound=Record)


def update_profile(work: Work, params: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """Make or update a profile; that is an event in no session, and runs the rules.

    Raises:
        Refused: the body is not right.
    """
    checks.refuse_unless(checks.profile(work.deployment.catalogue), body)
    profile_id = params["integration_id"]
    happened = "updated" if work.has_profile(profile_id) else "created"
    before = work.profile(profile_id)
    attributes = merged(before.attributes, body.get("attributes") or {})
    profile = work.books.put(replace(before, attributes=attributes, last_activity=work.now))
    event = work.begin_event(f"talon_profile_{happened}", profile_id, "", {})
    session = answers.blank_session(work.application_id, work.now)
    outcome = evaluate(work, session, answers.profile(profile, work.deployment), answers.event(event, {}))
    event = work.keep_event(event, outcome.effects)
    return {
        "session": session,
        "profile": answers.profile(profile, work.deployment),
        "event": answers.event(event, outcome.meta),
        "loyalty": answers.loyalty(profile_id, work.deployment),
    }


def delete_customer_data(work: Work, params: Mapping[str, str], _body: dict[str, Any]) -> None:
    """Forget a person: the profile is gone, and what referred to it says of nobody; counters stay.

    It goes for all applications of the account. A later use of the same id makes a profile that knows nothing.

    Raises:
        Refused: there is no such profile.
    """
    profile_id = params["integration_id"]
    if not work.has_profile(profile_id):
        raise Refused(404, "there is no such customer")
    work.books.remove(TalonOneProfileKey(work.account, profile_id))
    _forget_events(work, events_of(work.account, profile_id), profile_id)
    for session in _listed(work, sessions_of(work.account, profile_id), partial(_session_key, work)):
        work.books.put(replace(session, attributes=EMPTY, profile_id=""))
        events = events_in(work.account, session.application_id, session.integration_id)
        _forget_events(work, events, profile_id)
    for referral in _listed(work, referrals_of(work.account, profile_id), partial(TalonOneReferralKey, work.account)):
        advocate, friend = ("" if each == profile_id else each for each in (referral.advocate, referral.friend))
        work.books.put(replace(referral, advocate=advocate, friend=friend))
    for list_of in (events_of, sessions_of, referrals_of):
        index = list_of(work.account, profile_id)
        for member in work.books.members(index):
            work.books.strike(index, member)


def _forget_events(work: Work, index: IndexKey, profile_id: str) -> None:
    """Have events say of nobody; what befell somebody else in the same session stays theirs, without its attributes."""
    for event in _listed(work, index, lambda member: TalonOneEventKey(work.account, int(member))):
        whose = "" if event.profile_id == profile_id else event.profile_id
        work.books.put(replace(event, attributes=EMPTY, profile_id=whose))


def _session_key(work: Work, member: str) -> TalonOneSessionKey:
    application_id, _, session_id = member.partition("/")
    return TalonOneSessionKey(work.account, int(application_id), session_id)


def _listed(work: Work, index: IndexKey, key_of: Callable[[str], Key[R]]) -> list[R]:
    """Give the records that a list names."""
    found = (work.books.find(key_of(member)) for member in work.books.members(index))
    return [record for record in found if record is not None]
