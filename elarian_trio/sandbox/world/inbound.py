"""What customers' phones do: write, dial, and be in a call. A simulator reports it; the channel's app hears of it.

:mod:`.rules` stands above, the sessions and conversations below. On USSD and in calls the customer waits for what the
app answers: the command ends with a hop, and :func:`.hops.answer_hop` goes on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from elarian_trio.models.channels import Channel
from elarian_trio.models.commands import ReceiveMessage
from elarian_trio.models.messaging import (
    MessageReplyToken,
    MessagingSessionEndReason,
    ReceivedMessage,
    UssdInput,
    UssdSessionStatus,
)
from elarian_trio.models.notifications import RECEIVED
from elarian_trio.models.replies import SimulatorReply
from elarian_trio.models.voice import VoiceCallDirection, VoiceCallHangupCause, VoiceCallInput, VoiceCallStatus
from elarian_trio.sandbox.world.addresses import customer_with_number, phone_number
from elarian_trio.sandbox.world.conversations import (
    CARRIERS,
    add_message,
    not_registered,
    put_state,
    registered,
    state_of,
)
from elarian_trio.sandbox.world.effects import Hop, WaitForHop
from elarian_trio.sandbox.world.entities import latest
from elarian_trio.sandbox.world.sessions import begin, end, new_session, renew, with_cost
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.models.messaging import InboundMessageBody
    from elarian_trio.sandbox.world.entities import ChannelState, Session
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

EndReason = MessagingSessionEndReason
WITHOUT_SESSIONS = frozenset({Channel.SMS, Channel.EMAIL})


@dataclass(frozen=True, slots=True)
class _Inbound:
    """Something that a phone did, checked.

    Attributes:
        command: as it was reported.
        customer_id: whose phone.
        number: its number.
        app_id: the app of the channel.
        part: what counts on USSD and in a call.
    """

    command: ReceiveMessage
    customer_id: str
    number: CustomerNumber
    app_id: str
    part: InboundMessageBody | None


def receive(work: Work, command: ReceiveMessage) -> SimulatorReply | WaitForHop:
    """Take what a customer's phone did, and tell the channel's app."""
    channel = command.channel_number
    number = phone_number(command.customer_number, channel)
    record = registered(work, channel)
    if record is None:
        raise Refusal(not_registered(channel))
    if work.settings.strict and channel.channel == Channel.SMS and any(map(str.isalpha, channel.number)):
        msg = f"sms {channel.number!r} is a sender id, from which messages only go out; write to a short code"
        raise Refusal(msg)
    if not record.app_id:
        msg = f"{channel.channel} {channel.number!r} belongs to no app; bind it to one"
        raise Refusal(msg)
    part = _check_parts(command)
    customer_id = customer_with_number(work, number).customer_id
    told = _Inbound(command, customer_id, number, record.app_id, part)
    state = state_of(work, customer_id, number, channel)
    if channel.channel in WITHOUT_SESSIONS:
        put_state(work, customer_id, state)
        _tell(work, told, None)
        return SimulatorReply(status=True, description="the app is told")
    if isinstance(part, UssdInput):
        return _ussd(work, told, state, part)
    if isinstance(part, VoiceCallInput):
        return _voice(work, told, state, part)
    return _chat(work, told, state)


def _check_parts(command: ReceiveMessage) -> InboundMessageBody | None:
    """Give the part that counts: the last, as other SDKs have it, of the kind that the channel takes."""
    parts = tuple(each for each in command.parts if each is not None)
    wanted = _ONLY.get(command.channel_number.channel)
    fitting = [each for each in parts if _fits(each, wanted)]
    if not fitting or len(fitting) < len(parts):
        name = "text, media, a place or a mail" if wanted is None else f"a {wanted.__name__}"
        msg = f"{command.channel_number.channel} takes {name} as a part, and at least one"
        raise Refusal(msg)
    return fitting[-1]


_ONLY: dict[str, type] = {Channel.USSD: UssdInput, Channel.VOICE: VoiceCallInput}


def _fits(part: InboundMessageBody, wanted: type | None) -> bool:
    return isinstance(part, wanted) if wanted else not isinstance(part, UssdInput | VoiceCallInput)


# --- chats ---


def _chat(work: Work, told: _Inbound, state: ChannelState) -> SimulatorReply:
    """A customer's message renews the session in progress, and brings a permission to reply as long as that lasts."""
    session = _enter(work, told, state)
    token = MessageReplyToken(token=f"el_rpt_{work.dice.hex(32)}", expires_at=session.expires_at)
    session = replace(session, reply_tokens=latest(session.reply_tokens, token.token))
    put_state(work, told.customer_id, replace(state, session=session, reply_token=token))
    _tell(work, told, session)
    return SimulatorReply(status=True, description="the app is told")


def _enter(work: Work, told: _Inbound, state: ChannelState) -> Session:
    """Renew the session in progress, or begin one."""
    given, lasted = told.command.session_id or None, _lasted(told)
    session = state.session
    if session is None:
        fresh = new_session(work, told.command.channel_number, told.app_id)
        fresh = replace(fresh, provider_session_id=given, cost=told.command.cost, duration=lasted)
        return begin(work, told.customer_id, state, fresh)
    if session.provider_session_id is None and given != session.session_id:
        session = replace(session, provider_session_id=given)
    session = replace(session, duration=lasted or session.duration)
    return renew(work, told.customer_id, state, with_cost(session, told.command.cost))


def _lasted(told: _Inbound) -> timedelta | None:
    """Give how long the phone says that the session has lasted; clients say nothing by a zero."""
    given = told.command.duration
    return given if given and given > timedelta(0) else None


def _leave_another(work: Work, told: _Inbound, state: ChannelState, *, may_be_unnamed: bool) -> ChannelState:
    """End the session in progress if the phone names another: whoever dials anew has hung up before.

    Args:
        work: the unit of work.
        told: what the phone did.
        state: where it stands.
        may_be_unnamed: whether a session that the phone has not named yet may be the one that it names now.
    """
    given, session = told.command.session_id, state.session
    if session is None or not given or given in (session.session_id, session.provider_session_id):
        return state
    if session.provider_session_id is None and may_be_unnamed:
        return state
    return end(work, told.customer_id, state, EndReason.NORMAL_CLEARING)


# --- USSD ---

_USSD_ENDS = {
    UssdSessionStatus.COMPLETED: EndReason.NORMAL_CLEARING,
    UssdSessionStatus.INCOMPLETE: EndReason.NORMAL_CLEARING,
    UssdSessionStatus.APP_ERROR: EndReason.FAILURE,
}


def _ussd(work: Work, told: _Inbound, state: ChannelState, part: UssdInput) -> SimulatorReply | WaitForHop:
    """An app is asked for the next menu, also where the phone says that this input was the last."""
    state = _leave_another(work, told, state, may_be_unnamed=True)
    session = _enter(work, told, state)
    reason = _USSD_ENDS.get(UssdSessionStatus(part.status))
    waits = part.status not in (UssdSessionStatus.INCOMPLETE, UssdSessionStatus.APP_ERROR)
    return _ask(work, told, replace(state, session=session), session, waits=waits, reason=reason)


# --- calls ---

_CALL_FAILURES = frozenset(
    {
        VoiceCallStatus.INSUFFICIENT_CREDIT,
        VoiceCallStatus.NOT_ANSWERED,
        VoiceCallStatus.INVALID_PHONE_NUMBER,
        VoiceCallStatus.DESTINATION_NOT_SUPPORTED,
        VoiceCallStatus.DECOMMISSIONED_CUSTOMERID,
        VoiceCallStatus.EXPIRED,
        VoiceCallStatus.INVALID_CHANNEL_NUMBER,
        VoiceCallStatus.GATEWAY_ERROR,
        VoiceCallStatus.APPLICATION_ERROR,
    },
)
_PICKED_UP = frozenset({VoiceCallStatus.ANSWERED, VoiceCallStatus.ACTIVE})
_CALLING = frozenset({VoiceCallStatus.QUEUED, VoiceCallStatus.RINGING, VoiceCallStatus.DIALING})


def _voice(work: Work, told: _Inbound, state: ChannelState, part: VoiceCallInput) -> SimulatorReply | WaitForHop:
    """An app is asked what the call shall do next; what it planned when it placed the call is told at the pick-up."""
    state = _leave_another(work, told, state, may_be_unnamed=part.direction != VoiceCallDirection.INBOUND)
    session = _enter(work, told, state)
    plan, reason = session.plan, _call_end(part)
    brings = bool(part.dtmf_digits or part.recording_url)
    session = replace(session, plan=None if part.status in _PICKED_UP else plan)
    state = replace(state, session=session)
    put_state(work, told.customer_id, state)
    if plan is not None and part.status in _PICKED_UP and reason is None and not brings:
        _ask(work, told, state, session, waits=False, reason=None)
        return SimulatorReply(status=True, description="what the app planned for this call", message=plan)
    waits = brings or reason is None or _is_calling(part)
    return _ask(work, told, state, session, waits=waits, reason=reason)


def _is_calling(part: VoiceCallInput) -> bool:
    """Whether a customer waits for somebody to pick up, whatever cause to hang up its phone filled in."""
    return part.direction == VoiceCallDirection.INBOUND and part.status in _CALLING


def _call_end(part: VoiceCallInput) -> EndReason | None:
    if part.status in _CALL_FAILURES:
        return EndReason.FAILURE
    is_over = part.status == VoiceCallStatus.COMPLETED or part.hangup_cause != VoiceCallHangupCause.UNKNOWN
    return EndReason.NORMAL_CLEARING if is_over else None


# --- telling the app ---


def _ask(
    work: Work,
    told: _Inbound,
    state: ChannelState,
    session: Session,
    *,
    waits: bool,
    reason: EndReason | None,
) -> SimulatorReply | WaitForHop:
    """Tell the app, have the phone wait for the answer if it does, and end the session if there is a reason."""
    hop = _tell(work, told, session, waits=waits, is_last=reason is not None)
    if reason is not None:
        end(work, told.customer_id, state, reason)
    return SimulatorReply(status=True, description="the app is told") if hop is None else WaitForHop(hop)


def _tell(
    work: Work, told: _Inbound, session: Session | None, *, waits: bool = False, is_last: bool = False
) -> Hop | None:
    """Note the message and tell the app: in a session the one that began it, else the channel's.

    Gives what the phone waits with, if it does.
    """
    command, channel = told.command, told.command.channel_number
    app_id = told.app_id if session is None else session.app_ids[0]
    said = ReceivedMessage(
        message_id=work.new_id("msg"),
        received_at=work.now,
        parts=command.parts,
        session_id=None if session is None else session.session_id,
        provider=CARRIERS[channel.channel],
        cost=command.cost,
        customer_number=told.number,
        channel_number=channel,
        app_id=app_id,
    )
    add_message(work, told.customer_id, said)
    hop = None
    if waits:
        hop = Hop(
            org_id=work.org_id,
            app_id=app_id,
            customer_id=told.customer_id,
            customer_number=told.number,
            channel_number=channel,
            session_id=said.session_id or "",
            message_id=said.message_id,
            is_last=is_last,
        )
    notification = RECEIVED[Channel(channel.channel)](
        message_id=said.message_id,
        customer_number=told.number,
        channel_number=channel,
        parts=said.parts,
        session_id=said.session_id,
    )
    work.notify(app_id, told.customer_id, notification, hop=hop)
    return hop


RULES: Rules = {ReceiveMessage: receive}
JOBS: JobRules = {}
