"""Where a delivery's answers go, and what stands for a part of one that was left out.

Deliveries stand above and are given one; the inbox's is a :class:`~.tickets.Ticket`.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from elarian_trio._inbox.loops import present_loop
from elarian_trio.errors import LocalProtocolError

if TYPE_CHECKING:
    from elarian_trio._inbox.loops import Loop
    from elarian_trio.models.notifications import AppDataUpdate, NotificationReply

__all__ = ["UNSET", "Answers", "Mute", "Unset"]


class Unset(Enum):
    """The type of :data:`UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Stands for an argument that was left out, where ``None`` means something."""


class Answers(Protocol):
    """Where a delivery's answer goes. All of it is synchronous."""

    @property
    def deadline(self) -> float:
        """Until when an answer counts, on anyio's clock."""
        ...

    @property
    def loop(self) -> Loop:
        """The loop that the delivery is handled in."""
        ...

    def default_update(self) -> AppDataUpdate | None:
        """Give what becomes of the app's data where the answer does not say."""
        ...

    def reply(self, reply: NotificationReply) -> None:
        """Answer; raises where it is too late or was done before."""
        ...

    def reject(self, reason: str) -> None:
        """Answer with ERROR[APPLICATION_ERROR]; raises as :meth:`reply` does."""
        ...

    def enter(self) -> None:
        """Note that user code has begun, and will say where it ends; raises in a thread where it may not answer."""
        ...

    def leave(self, error: BaseException | None) -> None:
        """Note that user code has ended, and answer what it left unanswered; never raises."""
        ...


class Mute:
    """Where an observer's answers go: nowhere."""

    deadline = math.inf

    @property
    def loop(self) -> Loop:
        """The present one: a copy may be handled anywhere."""
        return present_loop()

    def default_update(self) -> AppDataUpdate | None:
        """Nothing becomes of the app's data."""
        return None

    def reply(self, reply: NotificationReply) -> None:
        """Refuse."""
        del reply
        self._refuse()

    def reject(self, reason: str) -> None:
        """Refuse."""
        del reason
        self._refuse()

    def _refuse(self) -> None:
        msg = "an observer listens and answers nothing"
        raise LocalProtocolError(msg)

    def enter(self) -> None:
        """Nobody waits for an observer."""

    def leave(self, error: BaseException | None) -> None:
        """Nobody waits for an observer."""
