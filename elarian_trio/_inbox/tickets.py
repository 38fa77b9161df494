"""One notification on its way through the inbox, and the parts that take such tickets in.

The inbox makes the tickets and keeps them in order; subscriptions and handlers take them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto
from threading import get_ident
from typing import TYPE_CHECKING, Protocol

from elarian_trio._inbox.order import id_of, number_of
from elarian_trio.models.notifications import AppDataUpdate

if TYPE_CHECKING:
    from elarian_trio._inbox.inbox import Inbox
    from elarian_trio._inbox.loops import Loop
    from elarian_trio._session import IncomingRequest
    from elarian_trio.models.notifications import AnyNotification, NotificationReply

__all__ = ["DONE", "IN_HAND", "WAITING", "Stage", "Taker", "Ticket"]


class Stage(Enum):
    """How far a ticket has come."""

    WAITING = auto()
    IN_HAND = auto()
    DONE = auto()


WAITING, IN_HAND, DONE = Stage  # to look a member up takes ten times as long, and each ticket is asked six times


@dataclass(slots=True, eq=False)
class Ticket:
    """A notification and the request that brought it, and, for its delivery, where the answer goes: to the inbox.

    Made by the inbox.

    Attributes:
        inbox: who made it, and takes the answer.
        request: what is answered.
        notification: what the server says.
        app_data: the app's data as it came, byte for byte.
        lane: whose turn it is; tickets with one lane reach user code one after the other. ``None`` waits for nobody.
        deadline: until when it must be answered, on anyio's clock.
        taker: who took it in.
        stage: how far it has come.
        waits: whether it is among those that are to be answered in time.
        answered: whether an answer went out, by hand or by default.
        expired: whether its deadline passed first: then the default answer went out, if anybody waited for one still.
        late: whether it was counted as answered too late.
        entered: how many blocks user code is in with it, each of which says where its work ends.
        task: the task that entered it.
        changes: how many commands of this client changed the app's data since it came.
    """

    inbox: Inbox
    request: IncomingRequest
    notification: AnyNotification
    app_data: str | bytes | None
    lane: str | None
    deadline: float = math.inf
    taker: Taker | None = None
    stage: Stage = WAITING
    waits: bool = False
    answered: bool = False
    expired: bool = False
    late: bool = False
    entered: int = 0
    task: object = None
    changes: int = 0

    def is_at(self, address: object) -> bool:
        """Whether it names its customer by *address*."""
        return address is not None and address in (id_of(self.notification), number_of(self.notification))

    @property
    def loop(self) -> Loop:
        """The loop that the client runs in."""
        return self.inbox.loop

    def __call__(self) -> None:
        """For its request: nobody waits for the answer any more. A method beside it would be one more object each."""
        self.inbox.withdraw(self)

    # What a delivery asks of where its answer goes; see there.

    def default_update(self) -> AppDataUpdate | None:
        """Give the app's data back as it came, which releases the server's lease; unless it was changed meanwhile."""
        return None if self.app_data is None or self.changes else AppDataUpdate(self.app_data)

    def reply(self, reply: NotificationReply) -> None:
        """Answer by hand."""
        self.inbox.answer(self, reply)

    def reject(self, reason: str) -> None:
        """Answer by hand that the app failed."""
        self.inbox.answer(self, reason)

    def enter(self) -> None:
        """User code has begun; in another thread than the client's it may not, since it ends in an answer."""
        loop = self.inbox.loop
        if get_ident() != loop.thread:  # looked at here: each notification would pay for a call
            self.inbox.require_thread()
        self.entered += 1
        self.task = loop.current_task()

    def leave(self, error: BaseException | None) -> None:
        """User code has left a block; of the outermost the inbox hears."""
        self.entered -= 1
        if not self.entered:
            self.inbox.leave(self, error)


class Taker(Protocol):
    """Whoever takes tickets in until user code gets them. None of this waits.

    Attributes:
        room: how many may wait for user code.
        waiting: how many do: the inbox counts them.
    """

    room: int
    waiting: int

    @property
    def is_idle(self) -> bool:
        """Whether a ticket whose turn it is would be handed out at once, so that it needs no room."""
        ...

    def ready(self, ticket: Ticket) -> None:
        """Note that *ticket*, taken in before, may be handed out: it is its customer's turn."""
        ...

    def drop(self, ticket: Ticket) -> None:
        """Forget *ticket*: it was withdrawn before it was handed out."""
        ...
