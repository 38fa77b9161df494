"""Activity: what customers do in the organisation's own web sites and apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.models.activity import Activity, ActivitySessionState
from elarian_trio.models.commands import CustomerActivity
from elarian_trio.models.model import altered
from elarian_trio.models.notifications import CustomerActivityNotification
from elarian_trio.models.replies import CustomerStateUpdateReply
from elarian_trio.sandbox.world.addresses import activity_of, customer_with_number, normal
from elarian_trio.sandbox.world.entities import latest
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.entities import ActivityRecord
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work


def report(work: Work, command: CustomerActivity) -> CustomerStateUpdateReply:
    """Note what a customer did, and tell the app that reported it: its other instances act on that."""
    if not command.key:
        msg = "the activity has no key; give it one that says what was done"
        raise Refusal(msg)
    customer = customer_with_number(work, command.customer_number)
    activity = Activity(command.key, command.session_id, command.properties, work.now)
    work.put(_with(work, activity_of(work, customer.customer_id), command, activity))
    work.notify(
        work.app_id,
        customer.customer_id,
        CustomerActivityNotification(
            customer_number=normal(command.customer_number),
            source=command.source,
            session_id=command.session_id,
            activity=activity,
        ),
    )
    return CustomerStateUpdateReply(status=True, description="activity noted", customer_id=customer.customer_id)


def _with(work: Work, record: ActivityRecord, command: CustomerActivity, activity: Activity) -> ActivityRecord:
    """Give *record* with *activity* at the end of its visit, and that visit at the end of all."""
    number = normal(command.customer_number)
    wanted = (number, command.source, command.session_id, work.app_id)
    others: list[ActivitySessionState] = []
    visit = ActivitySessionState(
        customer_number=number,
        source=command.source,
        session_id=command.session_id,
        app_id=work.app_id,
        created_at=work.now,
    )
    for each in record.sessions:
        if (each.customer_number, each.source, each.session_id, each.app_id) == wanted:
            visit = each
        else:
            others.append(each)
    visit = altered(visit, activities=latest(visit.activities, activity), updated_at=work.now)
    return altered(record, sessions=latest(tuple(others), visit))


RULES: Rules = {CustomerActivity: report}
JOBS: JobRules = {}
