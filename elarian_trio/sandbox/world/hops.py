"""Hops: what an app's answer makes of a USSD menu or a call in progress, for the customer who waits at the phone.

:mod:`.rules` stands above; :mod:`.inbound` has begun the hop. Below are the sessions and conversations.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from elarian_trio.models.channels import Channel
from elarian_trio.models.messaging import (
    Message,
    MessageDeliveryStatus,
    MessagingSessionEndReason,
    ReceivedMessage,
    SentMessage,
    UssdInput,
    UssdMenu,
)
from elarian_trio.models.replies import SimulatorReply
from elarian_trio.models.voice import Reject, Say, VoiceCallDirection, VoiceCallInput, VoiceCallStatus
from elarian_trio.sandbox.world.addresses import survivor
from elarian_trio.sandbox.world.conversations import CARRIERS, add_message, message_with_id, state_of
from elarian_trio.sandbox.world.sessions import MAX_MENU, end

if TYPE_CHECKING:
    from elarian_trio.models.messaging import InboundMessageBody
    from elarian_trio.sandbox.world.effects import Hop
    from elarian_trio.sandbox.world.entities import ChannelState
    from elarian_trio.sandbox.world.work import Work

UNHEARD = "the app was not there, or failed on it; the session ended"


def answer_hop(work: Work, hop: Hop, message: Message | None, *, is_heard: bool = True) -> SimulatorReply:
    """Give what the customer at the phone is told, and end the session where the answer does.

    Args:
        work: the unit of work.
        hop: what the phone waits with.
        message: what the app answered; ``None`` for nothing.
        is_heard: whether the app was there, and did not fail.
    """
    customer = survivor(work, hop.customer_id)
    if customer is None:
        return SimulatorReply(status=False, description="the customer was deleted before the app answered")
    state = state_of(work, customer.customer_id, hop.customer_number, hop.channel_number)
    if state.session is not None and state.session.session_id != hop.session_id:
        state = replace(state, session=None)  # the phone began another session meanwhile: that one is not ours to end
    if not is_heard:
        end(work, customer.customer_id, state, MessagingSessionEndReason.FAILURE)
        return SimulatorReply(status=False, description=UNHEARD)
    part = _part(work, hop, customer.customer_id)
    answer = _voice_answer if hop.channel_number.channel == Channel.VOICE else _ussd_answer
    return answer(work, hop, customer.customer_id, state, message, part)


def _part(work: Work, hop: Hop, customer_id: str) -> InboundMessageBody | None:
    """Give what the phone had reported, if it is still known."""
    told = message_with_id(work, customer_id, hop.message_id)
    parts = told.parts if isinstance(told, ReceivedMessage) else ()
    return next((each for each in reversed(parts) if each is not None), None)


def _ussd_answer(
    work: Work,
    hop: Hop,
    customer_id: str,
    state: ChannelState,
    message: Message | None,
    part: InboundMessageBody | None,
) -> SimulatorReply:
    menu = _menu(message)
    if message is None or menu is None:
        return _no_menu(work, hop, customer_id, state, part)
    description = "the app answered with a menu"
    if len(menu.text) > MAX_MENU:
        description = f"the app's menu has {len(menu.text)} characters; a USSD screen holds {MAX_MENU}"
        if work.settings.strict:
            end(work, customer_id, state, MessagingSessionEndReason.FAILURE)
            return SimulatorReply(status=False, description=f"{description}, so shorten it")
        menu = replace(menu, text=menu.text[:MAX_MENU])
        description = f"{description}, so it was cut"
        work.warn(f"app {hop.app_id}: {description}")
    told = replace(message, body=menu)
    _note_answer(work, hop, customer_id, told)
    if menu.is_terminal:
        end(work, customer_id, state, MessagingSessionEndReason.NORMAL_CLEARING)
    return SimulatorReply(status=True, description=description, message=told)


def _menu(message: Message | None) -> UssdMenu | None:
    body = None if message is None else message.body
    if isinstance(body, str):
        return UssdMenu(body)
    return body if isinstance(body, UssdMenu) else None


def _no_menu(
    work: Work, hop: Hop, customer_id: str, state: ChannelState, part: InboundMessageBody | None
) -> SimulatorReply:
    """A customer who enters something waits for a menu; one who only hangs up does not."""
    if hop.is_last and isinstance(part, UssdInput) and not part.text:
        return SimulatorReply(status=True, description="the session is over")
    end(work, customer_id, state, MessagingSessionEndReason.FAILURE)
    return SimulatorReply(
        status=False,
        description="the app gave no menu, so the session ended; answer ussdSession with a UssdMenu in time",
    )


_BEING_SET_UP = frozenset(
    {VoiceCallStatus.UNKNOWN, VoiceCallStatus.QUEUED, VoiceCallStatus.RINGING, VoiceCallStatus.DIALING},
)


def _voice_answer(
    work: Work,
    hop: Hop,
    customer_id: str,
    state: ChannelState,
    message: Message | None,
    part: InboundMessageBody | None,
) -> SimulatorReply:
    told = _actions(message)
    if told is None:
        return _no_actions(work, customer_id, state, part)
    _note_answer(work, hop, customer_id, told)
    if isinstance(told.body, tuple) and any(isinstance(action, Reject) for action in told.body):
        end(work, customer_id, state, MessagingSessionEndReason.NORMAL_CLEARING)
    return SimulatorReply(status=True, description="the app answered with what the call shall do", message=told)


def _actions(message: Message | None) -> Message | None:
    if message is not None and isinstance(message.body, str):
        return replace(message, body=(Say(message.body),))
    return message if message is not None and isinstance(message.body, tuple) and message.body else None


def _no_actions(work: Work, customer_id: str, state: ChannelState, part: InboundMessageBody | None) -> SimulatorReply:
    """Somebody has to pick up a customer's call; later on an app need not have anything more to say."""
    if (
        isinstance(part, VoiceCallInput)
        and part.direction == VoiceCallDirection.INBOUND
        and part.status in _BEING_SET_UP
    ):
        end(work, customer_id, state, MessagingSessionEndReason.FAILURE)
        return SimulatorReply(
            status=False,
            description="the app did not pick up, so the call ended; answer voiceCall with voice actions in time",
        )
    return SimulatorReply(status=True, description="the app gave nothing more to do")


def _note_answer(work: Work, hop: Hop, customer_id: str, message: Message) -> None:
    said = SentMessage(
        message_id=work.new_id("msg"),
        sent_at=work.now,
        message=message,
        status=MessageDeliveryStatus.DELIVERED,
        session_id=hop.session_id,
        in_reply_to=hop.message_id,
        provider=CARRIERS[hop.channel_number.channel],
        customer_number=hop.customer_number,
        channel_number=hop.channel_number,
        app_id=hop.app_id,
        updated_at=work.now,
    )
    add_message(work, customer_id, said)
