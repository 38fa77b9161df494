"""Consent: whether a customer may be written to on a channel.

:mod:`.rules` stands above, the conversations below. Whoever said nothing yet may be written to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from elarian_trio.models.channels import Channel
from elarian_trio.models.commands import UpdateMessagingConsent
from elarian_trio.models.messaging import ConsentAction, MessagingConsentUpdateStatus
from elarian_trio.models.notifications import MessagingConsentUpdateNotification
from elarian_trio.models.replies import ConsentUpdateReply
from elarian_trio.sandbox.world.addresses import customer_with_number, normal, survivor
from elarian_trio.sandbox.world.conversations import not_registered, put_state, reaches, registered, state_of
from elarian_trio.sandbox.world.effects import ConsentCompletes
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio.sandbox.world.entities import ChannelState
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

Status = MessagingConsentUpdateStatus


def update_consent(work: Work, command: UpdateMessagingConsent) -> ConsentUpdateReply:
    """Allow or block writing to a customer on a channel."""
    update = known_action(command.update)
    customer_id = customer_with_number(work, command.customer_number).customer_id
    channel = registered(work, command.channel_number)
    if channel is None:
        return ConsentUpdateReply(
            status=Status.INVALID_CHANNEL_NUMBER,
            description=not_registered(command.channel_number),
            customer_id=customer_id,
        )
    if not reaches(command.customer_number, command.channel_number):
        msg = f"{command.channel_number.channel} does not reach {command.customer_number.provider} numbers"
        raise Refusal(msg, customer_id=customer_id)
    job = ConsentCompletes(
        org_id=work.org_id,
        app_id=work.app_id,
        customer_id=customer_id,
        customer_number=normal(command.customer_number),
        channel_number=command.channel_number,
        update=update,
        registered_number=channel.number,
    )
    if _must_be_asked(work, job):
        work.schedule(work.now + work.settings.consent_delay, job)
        return ConsentUpdateReply(status=Status.QUEUED, description="the customer is asked", customer_id=customer_id)
    work.unschedule(job.job_key)  # a change that was still queued is overtaken by this one
    complete(work, job)
    return ConsentUpdateReply(status=Status.COMPLETED, description=f"{update} is in force", customer_id=customer_id)


def known_action(update: ConsentAction | str) -> ConsentAction:
    """Give what is asked for, if it is something."""
    action = ConsentAction(update)
    if action is ConsentAction.UNKNOWN:
        raise Refusal("the update is missing; give allow or block")
    return action


def _must_be_asked(work: Work, job: ConsentCompletes) -> bool:
    return (
        work.settings.whatsapp_asks
        and job.update is ConsentAction.ALLOW
        and job.channel_number.channel == Channel.WHATSAPP
    )


def complete(work: Work, job: ConsentCompletes) -> None:
    """Put a change into force, and tell the app that asked for it."""
    customer = survivor(work, job.customer_id)
    if customer is None:
        return
    state = state_of(work, customer.customer_id, job.customer_number, job.channel_number)
    put_state(work, customer.customer_id, changed(state, job.update, work.now))
    told = MessagingConsentUpdateNotification(
        customer_number=job.customer_number,
        channel_number=job.channel_number,
        update=job.update,
        status=Status.COMPLETED,
    )
    work.notify(job.app_id, customer.customer_id, told)


def changed(state: ChannelState, update: ConsentAction, at: datetime) -> ChannelState:
    """Give *state* with the consent as it is after *update*."""
    if update is ConsentAction.BLOCK:
        return replace(state, allowed_at=None, blocked_at=at)
    return replace(state, allowed_at=at, blocked_at=None)


RULES: Rules = {UpdateMessagingConsent: update_consent}
JOBS: JobRules = {ConsentCompletes: complete}
