"""Which rule answers what: the one place where the server meets the rules.

The server stands above: it makes a :class:`~.work.Work` and calls one of these. Below are the families, each a table of
its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elarian_trio.models.messaging import MessageDeliveryStatus, MessagingConsentUpdateStatus
from elarian_trio.models.notifications import ReceivedMessageNotification
from elarian_trio.models.payments import PaymentStatus
from elarian_trio.models.replies import (
    ConsentUpdateReply,
    CustomerStateUpdateReply,
    DeleteCustomerReply,
    GetCustomerStateReply,
    InitiatePaymentReply,
    LeaseAppDataReply,
    MessageReply,
    ReplayPaymentReply,
    SimulatorReply,
    TagUpdateReply,
)
from elarian_trio.sandbox.world import (
    activity,
    adoption,
    app_data,
    consent,
    customers,
    hops,
    identity,
    inbound,
    messaging,
    payments,
    reminders,
    replay,
    replay_payments,
    sessions,
    settlement,
    tokens,
)
from elarian_trio.sandbox.world.families import joined
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.models.commands import Command
    from elarian_trio.models.messaging import Message
    from elarian_trio.models.model import Model
    from elarian_trio.models.notifications import NotificationReply
    from elarian_trio.sandbox.world.effects import Delivered, Hop, Job, Waiting
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Reason, Work

_FAMILIES = (
    activity,
    adoption,
    app_data,
    consent,
    customers,
    identity,
    inbound,
    messaging,
    payments,
    reminders,
    replay,
    replay_payments,
    sessions,
    settlement,
    tokens,
)

RULES: Rules = joined(each.RULES for each in _FAMILIES)
JOBS: JobRules = joined(each.JOBS for each in _FAMILIES)


def run_command(work: Work, command: Command[Any]) -> Model | Waiting:
    """Give the reply to *command*, or what it waits for.

    Raises:
        LookupError: no rule answers commands of that class.
    """
    try:
        return RULES[type(command)](work, command)
    except Refusal as refusal:
        work.discard()
        if refusal.customer_id in work.drawn:  # made by this command, and forgotten with the rest of it
            refusal.customer_id = None
        return refused(command, refusal)


def run_job(work: Work, job: Job) -> None:
    """Do what fell due."""
    try:
        JOBS[type(job)](work, job)
    except Refusal:
        work.discard()  # nobody waits for the answer


def answer_hop(work: Work, hop: Hop, message: Message | None, *, is_heard: bool = True) -> SimulatorReply:
    """Give what a customer at the phone is told, after the app answered with *message*, or with nothing at all.

    Call it once for each hop: also when none answered in time, and with *is_heard* false when no connection of the
    app was there, or it failed.
    """
    try:
        return hops.answer_hop(work, hop, message, is_heard=is_heard)
    except Refusal as refusal:
        work.discard()
        return SimulatorReply(status=False, description=refusal.description)


def answer_notification(work: Work, delivered: Delivered, reply: NotificationReply) -> None:
    """Act on an app's answer: its app data, and a message in reply to one that was received.

    The message of a hop is not looked at here: it is for :func:`answer_hop`. Ending the notification's own hold of the
    lease is the server's part; a change of the data ends any hold by an effect.
    """
    told = delivered.notification
    if reply.message is not None and isinstance(told, ReceivedMessageNotification):
        try:
            messaging.answer_message(work, told, reply.message)
        except Refusal:
            work.discard()  # nobody waits for the answer; its app data counts all the same
    app_data.answer_data(work, delivered, reply.data_update)


# --- refusals ---

_MESSAGE_STATUSES: Mapping[Reason, MessageDeliveryStatus] = {
    "invalid": MessageDeliveryStatus.INVALID_REQUEST,
    "unknown_customer": MessageDeliveryStatus.INVALID_CUSTOMER_ID,
    "decommissioned": MessageDeliveryStatus.DECOMMISSIONED_CUSTOMERID,
}
_CONSENT_STATUSES: Mapping[Reason, MessagingConsentUpdateStatus] = {
    "invalid": MessagingConsentUpdateStatus.APPLICATION_ERROR,
    "unknown_customer": MessagingConsentUpdateStatus.APPLICATION_ERROR,
    "decommissioned": MessagingConsentUpdateStatus.DECOMMISSIONED_CUSTOMER_ID,
}
_PAYMENT_STATUSES: Mapping[Reason, PaymentStatus] = {
    "invalid": PaymentStatus.INVALID_REQUEST,
    "unknown_customer": PaymentStatus.INVALID_COUNTER_PARTY,
    "decommissioned": PaymentStatus.DECOMMISSIONED_CUSTOMER_ID,
}

_REFUSED: Mapping[type[Model], Callable[[Refusal], Model]] = {
    GetCustomerStateReply: lambda no: GetCustomerStateReply(status=False, description=no.description),
    CustomerStateUpdateReply: lambda no: CustomerStateUpdateReply(
        status=False, description=no.description, customer_id=no.customer_id
    ),
    DeleteCustomerReply: lambda no: DeleteCustomerReply(
        status=False, description=no.description, customer_id=no.customer_id
    ),
    LeaseAppDataReply: lambda no: LeaseAppDataReply(
        status=False, description=no.description, customer_id=no.customer_id
    ),
    TagUpdateReply: lambda no: TagUpdateReply(status=False, description=no.description),
    MessageReply: lambda no: MessageReply(
        status=_MESSAGE_STATUSES[no.reason], description=no.description, customer_id=no.customer_id
    ),
    ConsentUpdateReply: lambda no: ConsentUpdateReply(
        status=_CONSENT_STATUSES[no.reason], description=no.description, customer_id=no.customer_id
    ),
    InitiatePaymentReply: lambda no: InitiatePaymentReply(
        status=_PAYMENT_STATUSES[no.reason], description=no.description
    ),
    ReplayPaymentReply: lambda no: ReplayPaymentReply(status=False, description=no.description),
    SimulatorReply: lambda no: SimulatorReply(status=False, description=no.description),
}


def refused(command: Command[Any], refusal: Refusal) -> Model:
    """Give the reply that says no to *command*, in the way its kind of reply does."""
    return _REFUSED[command.reply_type](refusal)
