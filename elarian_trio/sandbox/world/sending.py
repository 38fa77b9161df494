"""Sending: what is asked of a message before it goes, and how it goes.

:mod:`.messaging` stands above. Below are the sessions and conversations. A message that cannot be sent is refused with
a status of its own and leaves no trace but the customer, who is known from then on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from elarian_trio.models.channels import CUSTOMER_PROVIDERS, Channel
from elarian_trio.models.messaging import (
    Email,
    Message,
    MessageDeliveryStatus,
    MessagingSessionEndReason,
    SentMessage,
    UssdMenu,
)
from elarian_trio.models.model import altered
from elarian_trio.models.replies import MessageReply
from elarian_trio.models.simulator import MakeVoiceCallSimulatorNotification, SendMessageSimulatorNotification
from elarian_trio.sandbox.world.addresses import messaging_of, normal
from elarian_trio.sandbox.world.conversations import (
    CARRIERS,
    add_message,
    not_registered,
    reaches,
    registered,
    state_of,
)
from elarian_trio.sandbox.world.effects import MessageProgresses
from elarian_trio.sandbox.world.sessions import MAX_MENU, RINGING, begin, end, join, new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.models.messaging import MessageBody
    from elarian_trio.sandbox.world.entities import ChannelState
    from elarian_trio.sandbox.world.work import Work

Status = MessageDeliveryStatus
CHATS = frozenset({Channel.WHATSAPP, Channel.TELEGRAM, Channel.FB_MESSENGER})
REPORTED = CHATS | {Channel.SMS, Channel.EMAIL}
"""The channels whose gateways report delivery by themselves; a menu or a call is delivered by being answered."""


# --- what may be sent ---


class Outbound(NamedTuple):
    """A message to be sent, and to whom."""

    customer_id: str
    number: CustomerNumber
    channel: MessagingChannel
    message: Message
    in_reply_to: str | None = None


Objection: TypeAlias = "tuple[Status, str]"
Check: TypeAlias = "Callable[[Work, Outbound, ChannelState], Objection | None]"


def _check_channel(work: Work, out: Outbound, _: ChannelState) -> Objection | None:
    if registered(work, out.channel) is None:
        return Status.INVALID_CHANNEL_NUMBER, not_registered(out.channel)
    if not reaches(out.number, out.channel):
        wanted = CUSTOMER_PROVIDERS[out.channel.channel]
        return Status.NO_CAPABILITY, f"{out.channel.channel} reaches {wanted} numbers, not {out.number.provider} ones"
    return None


def _check_consent(_: Work, out: Outbound, state: ChannelState) -> Objection | None:
    if state.blocked_at is None:
        return None
    return Status.NO_CONSENT, f"the customer blocked {out.channel.channel}; it takes their consent to write again"


def _check_body(work: Work, out: Outbound, _: ChannelState) -> Objection | None:
    return body_objection(work, out.channel, out.message)


def body_objection(work: Work, channel: MessagingChannel, message: Message) -> Objection | None:
    """Say what there is to object to in sending such a message on *channel*, to whomever."""
    body = message.body
    if body is None:
        return Status.INVALID_REQUEST, "the message is empty; give it a body"
    fits, wanted = _BODIES.get(channel.channel, _ANYTHING_ELSE)
    if not fits(body):
        return Status.NOT_SUPPORTED, f"{channel.channel} carries {wanted}, not {_kind(body)}"
    if isinstance(body, UssdMenu) and len(body.text) > MAX_MENU and work.settings.strict:
        return Status.INVALID_REQUEST, f"the menu has {len(body.text)} characters; a USSD screen holds {MAX_MENU}"
    return None


_BODIES: Mapping[str, tuple[Callable[[MessageBody], bool], str]] = {
    Channel.USSD: (lambda body: isinstance(body, UssdMenu), "a UssdMenu"),
    Channel.VOICE: (lambda body: isinstance(body, tuple), "voice actions"),
    Channel.EMAIL: (lambda body: not isinstance(body, UssdMenu | tuple), "a mail or what a chat carries"),
}
_ANYTHING_ELSE: tuple[Callable[[MessageBody], bool], str] = (
    lambda body: not isinstance(body, UssdMenu | tuple | Email),
    "text, media, places, links or templates",
)


def _kind(body: MessageBody) -> str:
    if isinstance(body, str):
        return "text"
    return "voice actions" if isinstance(body, tuple) else type(body).__name__


def _check_token(work: Work, out: Outbound, state: ChannelState) -> Objection | None:
    quoted, session = out.message.reply_token, state.session
    if not quoted:
        return None
    if session is None or quoted not in session.reply_tokens or work.is_past(session.expires_at):
        return Status.INVALID_REPLY_TOKEN, "no such reply token is in force; take it from the channel's state, or none"
    return None


def _check_session(work: Work, out: Outbound, state: ChannelState) -> Objection | None:
    channel = out.channel.channel
    if channel == Channel.VOICE and _is_in_call(work, out):
        return Status.OTHER_SESSION_IN_PROGRESS, "the customer is in a call; try again when it has ended"
    if state.session is None and channel == Channel.USSD:
        return Status.NO_SESSION_IN_PROGRESS, "only customers begin USSD sessions; answer ussdSession with the menu"
    if state.session is None and channel in CHATS and work.settings.chat_needs_session:
        return Status.NO_SESSION_IN_PROGRESS, f"a {channel} customer may be written to for a day after writing"
    return None


def _is_in_call(work: Work, out: Outbound) -> bool:
    number = normal(out.number)
    return any(
        each.session is not None and each.channel_number.channel == Channel.VOICE and each.customer_number == number
        for each in messaging_of(work, out.customer_id).channels
    )


CHECKS: tuple[Check, ...] = (_check_channel, _check_consent, _check_body, _check_token, _check_session)
"""What is asked of a message before it is sent, in this order; the first objection counts."""


# --- sending ---

# What becomes of a command was checked when that was read: these are what it is altered from.
_MESSAGE = SentMessage(message_id="", sent_at=None, message=None, status=Status.SENT)
_REPLY = MessageReply(status=Status.SENT)


def send_out(work: Work, out: Outbound) -> MessageReply:
    """Send a message, unless there is something to object to; give the reply either way."""
    state = state_of(work, out.customer_id, out.number, out.channel)
    for check in CHECKS:
        objection = check(work, out, state)
        if objection is not None:
            return MessageReply(status=objection[0], description=objection[1], customer_id=out.customer_id)
    deliver = _call if out.channel.channel == Channel.VOICE else _write
    return deliver(work, out, state)


def _write(work: Work, out: Outbound, state: ChannelState) -> MessageReply:
    session = None if state.session is None else join(state.session, work.app_id)
    if session is not state.session:
        state = replace(state, session=session)
    said = _message(work, out, state, Status.SENT, None if session is None else session.session_id)
    add_message(work, out.customer_id, said, state)
    told = SendMessageSimulatorNotification(
        org_id=work.org_id,
        customer_id=out.customer_id,
        message_id=said.message_id,
        customer_number=state.customer_number,
        channel_number=out.channel,
        message=out.message,
    )
    work.notify_simulators(told)
    if out.channel.channel in REPORTED and work.settings.delivery_delay is not None:
        outcome: Any = work.settings.outcomes.get(state.customer_number.number, Status.DELIVERED)  # never a name by now
        job = MessageProgresses(
            org_id=work.org_id,
            app_id=work.app_id,
            customer_id=out.customer_id,
            message_id=said.message_id,
            status=outcome,
            description=f"the gateway reports {outcome}",
        )
        work.schedule(work.now + work.settings.delivery_delay, job)
    if isinstance(out.message.body, UssdMenu) and out.message.body.is_terminal:
        end(work, out.customer_id, state, MessagingSessionEndReason.NORMAL_CLEARING)
    return _sent_reply(out, said, "handed to the gateway")


def _call(work: Work, out: Outbound, state: ChannelState) -> MessageReply:
    session = new_session(work, out.channel, work.app_id, length=RINGING)
    begin(work, out.customer_id, state, replace(session, plan=out.message if out.message.body else None))
    said = _message(work, out, state, Status.SESSION_INITIATED, session.session_id)
    add_message(work, out.customer_id, said)
    told = MakeVoiceCallSimulatorNotification(
        org_id=work.org_id,
        customer_id=out.customer_id,
        session_id=session.session_id,
        customer_number=state.customer_number,
        channel_number=out.channel,
    )
    work.notify_simulators(told)
    return _sent_reply(out, said, "the phone rings")


def _message(work: Work, out: Outbound, state: ChannelState, status: Status, session_id: str | None) -> SentMessage:
    return altered(
        _MESSAGE,
        message_id=work.new_id("msg"),
        sent_at=work.now,
        message=out.message,
        status=status,
        session_id=session_id,
        in_reply_to=out.in_reply_to,
        provider=CARRIERS[out.channel.channel],
        customer_number=state.customer_number,
        channel_number=out.channel,
        app_id=work.app_id,
        updated_at=work.now,
    )


def _sent_reply(out: Outbound, said: SentMessage, description: str) -> MessageReply:
    return altered(
        _REPLY,
        status=said.status,
        description=description,
        message_id=said.message_id,
        session_id=said.session_id,
        customer_id=out.customer_id,
    )
