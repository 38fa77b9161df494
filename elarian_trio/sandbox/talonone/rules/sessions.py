"""Sessions: made, updated, closed, cancelled; and the events in them. Without I/O.

Closing counts: the profile's sessions and sales, the coupon's and the referral code's use. Cancelling takes that back;
what rules made and what attributes became stays (the facts, sections 6 and 7).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from elarian_trio.sandbox.talonone.rules import answers, checks
from elarian_trio.sandbox.talonone.rules.evaluation import added, evaluate
from elarian_trio.sandbox.talonone.rules.records import (
    TalonOneCouponKey,
    TalonOneProfileRecord,
    TalonOneReferralKey,
    TalonOneSessionRecord,
    sessions_of,
)
from elarian_trio.sandbox.talonone.rules.work import Problem, Refused, dumped, merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.sandbox.talonone.rules.evaluation import Outcome
    from elarian_trio.sandbox.talonone.rules.work import Work

MOVES: Mapping[tuple[str | None, str | None], str] = {
    (None, None): "created",
    (None, "open"): "created",
    (None, "closed"): "created",
    ("open", None): "updated",
    ("open", "open"): "updated",
    ("open", "closed"): "closed",
    ("open", "cancelled"): "cancelled",
    ("closed", "cancelled"): "revoked",
}
"""What happens, by what a session is (nothing yet) and what it is to be; everything else is refused."""


def update_session(work: Work, params: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """Make, update, close or cancel a session.

    Raises:
        Refused: the body is not right, or not now.
    """
    checks.refuse_unless(checks.session(work.deployment.catalogue, strict=work.deployment.strict), body)
    session_id = params["session_id"]
    found = work.session(session_id)
    was, wanted = None if found is None else found.state, body.get("state")
    happened = MOVES.get((was, wanted))
    if happened is None:
        words = f"{'a new session' if was is None else f'a session that is {was}'} cannot become {wanted or 'another'}"
        raise Refused.invalid(Problem("/state", "Invalid state", words))
    session, profile = _owned(work, found, session_id, body.get("profileId"))
    if was != "closed":  # a closed one can be cancelled and nothing else
        session = _filled(session, body)
    session = replace(session, state=wanted or session.state)
    return _concluded(work, was, session, profile, f"talon_session_{happened}", {})


def track_event(work: Work, _params: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
    """Record an event in an open session, which is made where there is none.

    Raises:
        Refused: the body is not right, or the session is not open, or another profile's.
    """
    catalogue, strict = work.deployment.catalogue, work.deployment.strict
    checks.refuse_unless(checks.event(catalogue, body.get("type"), strict=strict), body)
    session_id, profile_id = body["sessionId"], body.get("profileId")
    found = work.session(session_id)
    if found is not None and found.state != "open":
        raise Refused.invalid(Problem("/sessionId", "Invalid state", f"the session is {found.state}"))
    if found is not None and profile_id not in (None, found.profile_id):
        raise Refused.invalid(Problem("/profileId", "Invalid profile", "the session is not this profile's"))
    session, profile = _owned(work, found, session_id, profile_id)
    return _concluded(work, session.state, session, profile, body["type"], body["attributes"])


# --- whose it is ---


def _owned(
    work: Work, found: TalonOneSessionRecord | None, session_id: str, profile_id: str | None
) -> tuple[TalonOneSessionRecord, TalonOneProfileRecord]:
    """Give the session, made if there is none, as that of *profile_id* (``None``: whose it is), and the profile.

    Raises:
        Refused: it is another's, and no longer open.
    """
    if found is None:
        new = TalonOneSessionRecord(
            org_id=work.account,
            application_id=work.application_id,
            integration_id=session_id,
            created=work.now,
            last_activity=work.now,
        )
        return _given(work, new, profile_id or "")
    if profile_id is None or profile_id == found.profile_id:
        return found, _profile_of(work, found)
    if found.state != "open":
        raise Refused.invalid(Problem("/profileId", "Invalid profile", f"the session is {found.state}"))
    if found.profile_id:
        work.books.strike(sessions_of(work.account, found.profile_id), _member(found))
    return _given(work, found, profile_id)


def _given(
    work: Work, session: TalonOneSessionRecord, profile_id: str
) -> tuple[TalonOneSessionRecord, TalonOneProfileRecord]:
    """Give a session to a profile, which is made if there is none; ``""`` leaves it nobody's."""
    session = replace(session, profile_id=profile_id, first_session=True)
    profile = _profile_of(work, session)
    if not profile_id:
        return session, profile
    work.books.enlist(sessions_of(work.account, profile_id), _member(session))
    return replace(session, first_session=profile.sessions == 0), replace(profile, sessions=profile.sessions + 1)


def _profile_of(work: Work, session: TalonOneSessionRecord) -> TalonOneProfileRecord:
    """Give the profile of a session; that of nobody's session counts that session alone, and is not kept."""
    if session.profile_id:
        return work.profile(session.profile_id)
    is_closed = session.state == "closed"
    return TalonOneProfileRecord(
        org_id=work.account,
        integration_id="",
        created=session.created,
        closed_sessions=int(is_closed),
        total_sales=session.total if is_closed else 0.0,
        last_activity=session.last_activity,
    )


def _member(session: TalonOneSessionRecord) -> str:
    return f"{session.application_id}/{session.integration_id}"


# --- what is in it ---


def _filled(session: TalonOneSessionRecord, body: Mapping[str, Any]) -> TalonOneSessionRecord:
    """Put what is given in place of what was there; attributes one by one."""
    given: dict[str, Any] = {name: body[name] for name in ("coupon", "referral") if body.get(name) is not None}
    if body.get("total") is not None:
        given["total"] = float(body["total"])
    if body.get("cartItems") is not None:
        placed = [{**item, "position": index} for index, item in enumerate(body["cartItems"])]
        given["cart_items"] = dumped(placed)
    if body.get("attributes") is not None:
        given["attributes"] = merged(session.attributes, body["attributes"])
    return replace(session, **given)


# --- what comes of it ---


def _concluded(
    work: Work,
    was: str | None,
    session: TalonOneSessionRecord,
    profile: TalonOneProfileRecord,
    type_: str,
    attributes: object,
) -> dict[str, Any]:
    """Run the rules once, count what is to be counted, keep it all, and answer."""
    event = work.begin_event(type_, session.profile_id, session.integration_id, attributes)
    session = replace(session, last_activity=work.now)
    profile = replace(profile, last_activity=work.now)
    if was == "closed":
        session, profile = _taken_back(work, session, profile)
    seen = answers.session(session), answers.profile(profile, work.deployment), answers.event(event, {})
    outcome = evaluate(work, *seen)
    session = replace(session, discounts=dumped(outcome.discounts))
    if session.state == "closed":
        session, profile = _counted(work, session, profile, outcome)
    event = work.keep_event(event, outcome.effects)
    work.books.put(session)
    if session.profile_id:
        work.books.put(profile)
    return {
        "session": answers.session(session),
        "profile": answers.profile(profile, work.deployment),
        "event": answers.event(event, outcome.meta),
        "loyalty": answers.loyalty(session.profile_id, work.deployment),
    }


def _counted(
    work: Work, session: TalonOneSessionRecord, profile: TalonOneProfileRecord, outcome: Outcome
) -> tuple[TalonOneSessionRecord, TalonOneProfileRecord]:
    """Count a session that was closed."""
    _count_codes(work, outcome.coupon, outcome.referral, 1)
    return replace(session, counted_coupon=outcome.coupon, counted_referral=outcome.referral), replace(
        profile,
        closed_sessions=profile.closed_sessions + 1,
        total_sales=added(profile.total_sales, session.total),
    )


def _taken_back(
    work: Work, session: TalonOneSessionRecord, profile: TalonOneProfileRecord
) -> tuple[TalonOneSessionRecord, TalonOneProfileRecord]:
    """Count a session no longer that was closed and is cancelled now; nobody's is counted by what it is."""
    _count_codes(work, session.counted_coupon, session.counted_referral, -1)
    session = replace(session, counted_coupon="", counted_referral="")
    if not session.profile_id:
        return session, _profile_of(work, session)
    return session, replace(
        profile,
        closed_sessions=profile.closed_sessions - 1,
        total_sales=added(profile.total_sales, -session.total),
    )


def _count_codes(work: Work, coupon: str, referral: str, by: int) -> None:
    """Move the counters of the codes that counted."""
    used = work.books.find(TalonOneCouponKey(work.account, coupon))
    if used is not None:
        work.books.put(replace(used, usage_counter=used.usage_counter + by))
    redeemed = work.books.find(TalonOneReferralKey(work.account, referral))
    if redeemed is not None:
        work.books.put(replace(redeemed, usage_counter=redeemed.usage_counter + by))
