"""Messages that apps send: to a number, in reply, by tag, and in answer to a notification; and how they get on.

:mod:`.rules` stands above, :mod:`.sending` below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.models.commands import ReplyToMessage, SendMessage, SendMessageTag
from elarian_trio.models.messaging import Message, MessageDeliveryStatus
from elarian_trio.models.model import altered
from elarian_trio.models.notifications import MessageStatusNotification
from elarian_trio.models.replies import MessageReply, TagUpdateReply
from elarian_trio.sandbox.world.addresses import customer_with_id, customer_with_number, survivor
from elarian_trio.sandbox.world.conversations import (
    change_message,
    message_with_id,
    not_registered,
    reaches,
    registered,
    sent_message,
)
from elarian_trio.sandbox.world.effects import MessageProgresses, TagMessageDue
from elarian_trio.sandbox.world.entities import ON_ITS_WAY
from elarian_trio.sandbox.world.identity import holders
from elarian_trio.sandbox.world.sending import REPORTED, Outbound, body_objection, send_out

if TYPE_CHECKING:
    from elarian_trio.models.notifications import ReceivedMessageNotification
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

Status = MessageDeliveryStatus
_NEWS = MessageStatusNotification(message_id="", status=Status.DELIVERED)  # what becomes of a message alters this


def send(work: Work, command: SendMessage) -> MessageReply:
    """Send a message to a number."""
    customer = customer_with_number(work, command.customer_number)
    return send_out(
        work, Outbound(customer.customer_id, command.customer_number, command.channel_number, command.message)
    )


def reply(work: Work, command: ReplyToMessage) -> MessageReply:
    """Send a message in reply to one of the customer's, on the channel of that one."""
    customer = customer_with_id(work, command.customer_id)
    return _reply(work, customer.customer_id, command.message_id, command.message)


def _reply(work: Work, customer_id: str, message_id: str, message: Message) -> MessageReply:
    found = message_with_id(work, customer_id, message_id)
    if found is None or found.customer_number is None or found.channel_number is None:
        return MessageReply(
            status=Status.INVALID_REPLY_TO_MESSAGE_ID,
            description=f"the customer has no message {message_id!r}; give the id of one that is still in its state",
            customer_id=customer_id,
        )
    return send_out(work, Outbound(customer_id, found.customer_number, found.channel_number, message, found.message_id))


def send_by_tag(work: Work, command: SendMessageTag) -> TagUpdateReply:
    """Send a message to everybody who has a tag now."""
    if registered(work, command.channel_number) is None:
        return TagUpdateReply(status=False, description=not_registered(command.channel_number))
    objection = body_objection(work, command.channel_number, command.message)
    if objection is not None:
        return TagUpdateReply(status=False, description=objection[1])
    work_id = work.new_id("wrk")
    customers = holders(work, command.tag)
    for customer_id in customers:
        job = TagMessageDue(
            org_id=work.org_id,
            app_id=work.app_id,
            customer_id=customer_id,
            work_id=work_id,
            tag=command.tag,
            channel_number=command.channel_number,
            message=command.message,
        )
        work.schedule(work.now, job)
    description = f"the message goes to {len(customers)} customers with the tag {command.tag.key}={command.tag.value}"
    return TagUpdateReply(status=True, description=description, work_id=work_id)


def send_share(work: Work, job: TagMessageDue) -> None:
    """Send one customer's share of a message by tag; whoever has no number for the channel is left out."""
    customer = survivor(work, job.customer_id)
    if customer is None:
        return
    number = next((each for each in customer.numbers if reaches(each, job.channel_number)), None)
    if number is not None:
        send_out(work, Outbound(customer.customer_id, number, job.channel_number, job.message))


def answer_message(work: Work, told: ReceivedMessageNotification, message: Message) -> None:
    """Send *message*, with which an app answered the notification of a received message, in reply to it.

    What answers a USSD menu or a call is no message of its own; :func:`.hops.answer_hop` sees to it.
    """
    customer = None if told.customer_id is None else survivor(work, told.customer_id)
    if customer is not None and told.channel in REPORTED:
        reply = _reply(work, customer.customer_id, told.message_id, message)
        if reply.message_id is None:
            work.warn(f"app {told.app_id}: the answer to a message was not sent: {reply.description}")


def progress(work: Work, job: MessageProgresses) -> None:
    """Let a message get on, unless it has come to its end already, and tell the app that sent it.

    It is told of a message that the log is too short for by now, too: only the customer's state forgets it.
    """
    customer = survivor(work, job.customer_id)
    found = sent_message(work, job.message_id)
    if customer is None or (found is not None and found.status not in ON_ITS_WAY):
        return
    description = job.description or None
    if found is not None:
        change_message(work, altered(found, status=job.status, updated_at=work.now, description=description))
    told = altered(_NEWS, message_id=job.message_id, status=job.status, description=description)
    work.notify(job.app_id, customer.customer_id, told)


RULES: Rules = {SendMessage: send, ReplyToMessage: reply, SendMessageTag: send_by_tag}
JOBS: JobRules = {TagMessageDue: send_share, MessageProgresses: progress}
