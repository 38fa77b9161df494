"""What a server is told of one session: that it is open, that its connection was cut, that it goes on, that it is over.

:mod:`elarian_trio._session.reception` stands above and makes one for each session, which outlives the connection that
its functions came with. Nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._session.session import Session

__all__ = ["Guest"]


class _Stage(Enum):
    """What a server was told of a session: nothing yet, that it is here, that it waits, that it is over."""

    NEW = auto()
    HERE = auto()
    AWAY = auto()
    GONE = auto()


@dataclass(eq=False)
class Guest:
    """A session, and whoever wants to hear of it. Is told by the session that it is open, as a task status.

    Attributes:
        session: the session, on one connection after another.
        on_open: told that it is open.
        on_detached: told that its connection was cut; ``on_resumed`` or ``on_end`` follows.
        on_resumed: told that it goes on over another.
        on_end: told that it is over, once, if it was open.
        token: what its client names it by; a secret.
        turn: how many connections have come for the session; it is the latest's, who sees to its end.
        free: set while no task runs the session.
        called: set once it need not wait any more.
    """

    session: Session
    on_open: Callable[[Session], None]
    on_detached: Callable[[Session], None]
    on_resumed: Callable[[Session], None]
    on_end: Callable[[Session], None]
    token: bytes | None = field(default=None, repr=False)
    turn: int = 0
    free: anyio.Event = field(default_factory=anyio.Event)
    called: anyio.Event = field(default_factory=anyio.Event)
    _stage: _Stage = field(default=_Stage.NEW, init=False)

    def started(self, value: None = None) -> None:
        """The session is open, for the first time or again."""
        del value
        tell = self.on_open if self._stage is _Stage.NEW else self.on_resumed
        self._stage = _Stage.HERE
        tell(self.session)

    def cut(self) -> None:
        """Its transport is gone, perhaps before the session went on by it."""
        if self._stage is _Stage.HERE:
            self._stage = _Stage.AWAY
            self.on_detached(self.session)

    def over(self) -> None:
        """It is over, and was perhaps before."""
        was, self._stage = self._stage, _Stage.GONE
        if was in (_Stage.HERE, _Stage.AWAY):
            self.on_end(self.session)
