"""USSD sessions as a customer sees them: dial, read, enter.

The phone stands above, its line and the turns of a conversation are below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import anyio.lowlevel

from elarian_trio.models.messaging import UssdInput, UssdMenu
from elarian_trio.testing.turns import Turns, already
from elarian_trio.testing.wording import called, indented, matches, require_wanted, shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.testing.exchange import Line
    from elarian_trio.testing.wording import Wanted

__all__ = ["UssdSession", "UssdTurns"]


class _Ussd(ABC):
    """What can be written down of a USSD session, before it has begun and while it lasts."""

    @abstractmethod
    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> UssdTurns:
        """Give turns that end with another one."""

    def says(self, *wanted: Wanted) -> UssdTurns:
        """Expect the screen to hold all of *wanted*: words as they are, or patterns that find something.

        Awaiting raises AssertionError if it does not; its words show the screen.
        """
        require_wanted(wanted)
        return self._then(called("says", *wanted), UssdSession.check, wanted)

    def ends(self, *wanted: Wanted) -> UssdTurns:
        """Expect what :meth:`says` does, and that the session ended with this screen."""
        require_wanted(wanted)
        return self._then(called("ends", *wanted), UssdSession.check_ended, wanted)

    def enters(self, text: str) -> UssdTurns:
        """Enter *text*, and wait for the next screen.

        Awaiting raises AssertionError if the session is over, or if the app shows no other screen.
        """
        return self._then(called("enters", text), UssdSession.enter, text)

    def hangs_up(self) -> UssdTurns:
        """Leave in the middle of the menu; the app is told.

        Awaiting raises AssertionError if the session is over.
        """
        return self._then(called("hangs_up"), UssdSession.hang_up)


class UssdTurns(Turns["UssdSession"], _Ussd):
    """A USSD session to be held: ``await phone.dial("*384#").says("Welcome").enters("1").ends("Thank you")``.

    Made by ``phone.dial()`` and by a session's methods. Awaiting gives the :class:`UssdSession`.
    """

    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> UssdTurns:
        return self.then(words, step, *arguments)


class UssdSession(_Ussd):
    """A USSD session in progress. Made by awaiting ``phone.dial()``.

    Attributes:
        channel: the code that was dialled.
        screen: what the screen shows.
        is_over: whether the session has ended.
    """

    def __init__(self, line: Line, channel: MessagingChannel, within: float | None) -> None:
        self.channel = channel
        self.screen: str = ""
        self.is_over: bool = False
        self._line = line
        self._within = within
        self._session_id = line.exchange.new_id("ussd")
        self._inputs: list[str] = []

    def __repr__(self) -> str:
        """Name the code, and what the screen shows."""
        return f"<UssdSession {self.channel.number}, {'over' if self.is_over else 'open'}: {self.screen!r}>"

    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> UssdTurns:
        return UssdTurns(self._line.stage, already(self), "session").then(words, step, *arguments)

    # The turns.

    async def dial(self) -> UssdSession:
        """Dial, and wait for the first screen.

        Raises:
            AssertionError: the app shows none.
        """
        __tracebackhide__ = True
        await self._hop("")
        return self

    async def enter(self, text: str) -> None:
        """See :meth:`enters`."""
        __tracebackhide__ = True
        if self.is_over:
            raise self._line.blame(f"{text!r} cannot be entered: the session is over; {self._so_far()}")
        await self._hop(text)

    async def check(self, wanted: tuple[Wanted, ...]) -> None:
        """See :meth:`says`."""
        __tracebackhide__ = True
        await anyio.lowlevel.checkpoint()
        if not matches(self.screen, wanted):
            raise self._line.blame(f"the screen does not say {shown(wanted)}; {self._so_far()}")

    async def check_ended(self, wanted: tuple[Wanted, ...]) -> None:
        """See :meth:`ends`."""
        __tracebackhide__ = True
        await self.check(wanted)
        if not self.is_over:
            raise self._line.blame(f"the session goes on; {self._so_far()}")

    async def hang_up(self) -> None:
        """See :meth:`hangs_up`."""
        __tracebackhide__ = True
        if self.is_over:  # to the server it would be another session
            raise self._line.blame(f"nobody can hang up: the session is over; {self._so_far()}")
        self.is_over = True
        parts = [UssdInput("", "incomplete")]
        await self._line.report(f"{self._where()}, hung up", self.channel, self._session_id, parts, self._within)

    async def _hop(self, text: str) -> None:
        __tracebackhide__ = True
        parts = [UssdInput(text, "active")]
        self._inputs.append(text)
        self.is_over = True  # unless the app answers
        reply = await self._line.report(self._where(), self.channel, self._session_id, parts, self._within)
        menu = None if reply.message is None else reply.message.body
        if isinstance(menu, UssdMenu):
            self.screen, self.is_over = menu.text, menu.is_terminal

    def _where(self) -> str:
        entered = "".join(f", entered {text!r}" for text in self._inputs if text)
        return f"{self._line.number} dialled {self.channel.number}{entered}"

    def _so_far(self) -> str:
        return f"{self._where()}, and it {'ended with' if self.is_over else 'says'}:{indented(self.screen)}"
