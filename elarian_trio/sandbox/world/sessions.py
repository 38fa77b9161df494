"""Sessions: begun, renewed and ended.

:mod:`.inbound`, :mod:`.hops` and :mod:`.sending` stand on this. Below are the conversations. How long sessions last is
this project's own choice where nothing public says; see ``Settings``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from elarian_trio.models.channels import Channel
from elarian_trio.models.messaging import CompleteMessagingSession, MessagingSessionEndReason
from elarian_trio.models.notifications import (
    MessagingSessionEndedNotification,
    MessagingSessionRenewedNotification,
    MessagingSessionStartedNotification,
)
from elarian_trio.sandbox.world.addresses import messaging_of, survivor
from elarian_trio.sandbox.world.conversations import put_state
from elarian_trio.sandbox.world.effects import SessionExpires
from elarian_trio.sandbox.world.entities import Session, latest

if TYPE_CHECKING:
    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.payments import Cash
    from elarian_trio.sandbox.world.entities import ChannelState
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Settings, Work

MAX_MENU = 182
"""Characters that one USSD screen holds, as GSM networks carry them."""

RINGING = timedelta(seconds=60)  # a call that nobody picks up ends by itself, as networks have it
MAX_CALL = timedelta(hours=2)  # after its last sign of life; a phone that forgot to hang up must not stay engaged


def _length(settings: Settings, channel: str) -> timedelta:
    if channel == Channel.VOICE:
        return MAX_CALL
    return settings.ussd_session if channel == Channel.USSD else settings.chat_session


# --- beginning and end ---


def begin(work: Work, customer_id: str, state: ChannelState, session: Session) -> Session:
    """Begin *session* on a channel and tell the apps that take part.

    Args:
        work: the unit of work.
        customer_id: the customer.
        state: where it stands on the channel.
        session: see :func:`new_session`.
    """
    put_session(work, customer_id, state, session)
    told = MessagingSessionStartedNotification(
        customer_number=state.customer_number,
        channel_number=state.channel_number,
        session_id=session.session_id,
        expires_at=session.expires_at,
    )
    _tell_all(work, customer_id, session, told)
    return session


def new_session(work: Work, channel: MessagingChannel, app_id: str, *, length: timedelta | None = None) -> Session:
    """Give a session of an app, lasting *length*, or as long as sessions of its channel do, unless renewed."""
    return Session(
        session_id=work.new_id("ses"),
        started_at=work.now,
        expires_at=work.now + (length or _length(work.settings, channel.channel)),
        app_ids=(app_id,),
    )


def renew(work: Work, customer_id: str, state: ChannelState, session: Session) -> Session:
    """Let the session in progress, changed to *session*, last its full length from now on, and tell its apps."""
    session = replace(session, expires_at=work.now + _length(work.settings, state.channel_number.channel))
    put_session(work, customer_id, state, session)
    told = MessagingSessionRenewedNotification(
        customer_number=state.customer_number,
        channel_number=state.channel_number,
        session_id=session.session_id,
        expires_at=session.expires_at,
    )
    _tell_all(work, customer_id, session, told)
    return session


def put_session(work: Work, customer_id: str, state: ChannelState, session: Session) -> None:
    """Remember the session in progress, and have it end when its time is over."""
    put_state(work, customer_id, replace(state, session=session))
    expires_at = session.expires_at or work.now  # every session that is made here has one
    work.schedule(expires_at, _ending(work, customer_id, session))


def _ending(work: Work, customer_id: str, session: Session) -> SessionExpires:
    return SessionExpires(org_id=work.org_id, customer_id=customer_id, session_id=session.session_id)


def _tell_all(work: Work, customer_id: str, session: Session, told: Notification) -> None:
    for app_id in session.app_ids:
        work.notify(app_id, customer_id, told)


def end(work: Work, customer_id: str, state: ChannelState, reason: MessagingSessionEndReason) -> ChannelState:
    """End the session in progress, if there is one; every app that took part hears of it."""
    session = state.session
    if session is None:
        return state
    changed = replace(state, session=None, reply_token=None)
    put_state(work, customer_id, changed)
    work.unschedule(_ending(work, customer_id, session).job_key)
    duration = session.duration or work.now - session.started_at
    done = CompleteMessagingSession(
        customer_number=state.customer_number,
        channel_number=state.channel_number,
        session_id=session.session_id,
        started_at=session.started_at,
        duration=duration,
        app_ids=session.app_ids,
        end_reason=reason,
        cost=session.cost,
        provider_session_id=session.provider_session_id,
    )
    record = messaging_of(work, customer_id)
    work.put(replace(record, sessions=latest(record.sessions, done)))
    told = MessagingSessionEndedNotification(
        customer_number=state.customer_number,
        channel_number=state.channel_number,
        session_id=session.session_id,
        duration=duration,
        reason=reason,
    )
    _tell_all(work, customer_id, session, told)
    return changed


def join(session: Session, app_id: str) -> Session:
    """Give the session with an app among those that take part."""
    return session if app_id in session.app_ids else replace(session, app_ids=(*session.app_ids, app_id))


def with_cost(session: Session, cost: Cash | None) -> Session:
    """Add a message's cost to its session's; what cannot be added changes nothing.

    Costs in several currencies cannot, nor those whose sum has more digits than the wire carries: neither is a reason
    not to take a message.
    """
    if cost is None or (session.cost is not None and session.cost.currency_code != cost.currency_code):
        return session
    try:
        spent = cost if session.cost is None else replace(cost, amount=session.cost.amount + cost.amount)
    except ValueError:
        return session
    return replace(session, cost=spent)


def expire(work: Work, job: SessionExpires) -> None:
    """End a session that nobody renewed."""
    customer = survivor(work, job.customer_id)
    if customer is None:
        return
    for state in messaging_of(work, customer.customer_id).channels:
        if state.session is not None and state.session.session_id == job.session_id:
            end(work, customer.customer_id, state, MessagingSessionEndReason.INACTIVITY)


RULES: Rules = {}
JOBS: JobRules = {SessionExpires: expire}
