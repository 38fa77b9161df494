"""Sessions: begun, renewed and ended, and the hops of USSD and voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio.models.replies import SimulatorReply

if TYPE_CHECKING:
    from elarian_trio.models.messaging import Message
    from elarian_trio.sandbox.world.effects import Hop
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

RULES: Rules = {}
JOBS: JobRules = {}


def answer_hop(work: Work, hop: Hop, message: Message | None) -> SimulatorReply:
    """Give what the customer at the phone is told."""
    return SimulatorReply(status=False, description="the sandbox has no rule for this channel", message=message)
