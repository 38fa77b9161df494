"""A notification on its way to whoever shall hear it.

The engine makes it, a route carries it; below is the clock, whose timers bound each of its stages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from elarian_trio._session import Question
    from elarian_trio.models.notifications import Notification
    from elarian_trio.models.simulator import SimulatorNotification
    from elarian_trio.sandbox.clock import Timer
    from elarian_trio.sandbox.delivery.listener import Listener

__all__ = ["Parcel"]


@dataclass(slots=True, eq=False)
class Parcel:
    """A notification on its way. Made by the engine.

    Attributes:
        notification: what to tell.
        customer_id: whose lane it goes by; ``None`` where it is about a purse.
        hop: what waits for the answer: a customer at the phone. Such a parcel is not sent twice.
        hurry_at: from when on nobody's lease keeps a hop, or what goes before it, waiting.
        expires_at: when a hop that was not sent by then is given up.
        listener: who was chosen to hear it.
        is_counted: whether it counts as under way: sent, to a listener that can answer.
        content: what is sent, from when it was made for the listener.
        note: the desk's own.
    """

    notification: Notification | SimulatorNotification
    customer_id: str | None = None
    hop: Any = None
    hurry_at: datetime | None = None
    expires_at: datetime | None = None
    listener: Listener | None = None
    is_counted: bool = False
    content: bytes | None = None
    note: Any = None
    failures: int = 0
    refusals: int = 0
    timer: Timer | None = None
    question: Question | None = None
    is_timely: bool = False  # nobody makes it late any more

    @property
    def is_at_the_lease(self) -> bool:
        """Whether it has a listener and waits for the app data's lease."""
        return self.listener is not None and self.question is None

    def stop_timer(self) -> None:
        """Forget the time-out of the stage it was in."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
