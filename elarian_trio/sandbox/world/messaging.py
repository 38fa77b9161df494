"""Messages: sent, replied to, by tag, received and consented to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elarian_trio.models.messaging import Message
    from elarian_trio.models.notifications import ReceivedMessageNotification
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

RULES: Rules = {}
JOBS: JobRules = {}


def answer_message(work: Work, told: ReceivedMessageNotification, message: Message) -> None:
    """Send *message*, with which an app answered the notification of a received message, in reply to it."""
