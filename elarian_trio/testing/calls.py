"""Calls as a customer hears them: pick up, listen, press keys.

The phone stands above, its line and the turns of a conversation are below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import anyio.lowlevel

from elarian_trio.models.voice import Reject, VoiceCallDirection, VoiceCallInput
from elarian_trio.testing.turns import Turns, already
from elarian_trio.testing.wording import called, heard_in, indented, matches, require_wanted, shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio.models.channels import MessagingChannel
    from elarian_trio.models.voice import VoiceAction
    from elarian_trio.testing.exchange import Line
    from elarian_trio.testing.wording import Wanted

__all__ = ["Call", "CallTurns"]


class _Calling(ABC):
    """What can be written down of a call, before it has begun and while it lasts.

    Awaiting raises AssertionError where the call is over before one of these turns, or the app does not answer it.
    """

    @abstractmethod
    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> CallTurns:
        """Give turns that end with another one."""

    def answers(self) -> CallTurns:
        """Pick up a call that :meth:`Phone.expect_call` found ringing, and hear what the app has planned for it."""
        return self._then(called("answers"), Call.answer)

    def declines(self) -> CallTurns:
        """Reject a call that is ringing."""
        return self._then(called("declines"), Call.decline)

    def hears(self, *wanted: Wanted) -> CallTurns:
        """Expect what the app last had the call say and play to hold all of *wanted*; of a recording its URL.

        Awaiting raises AssertionError if it does not; its words tell what was heard.
        """
        require_wanted(wanted)
        return self._then(called("hears", *wanted), Call.check, wanted)

    def presses(self, digits: str) -> CallTurns:
        """Press keys, and hear what the app has the call do then."""
        return self._then(called("presses", digits), Call.press, digits)

    def records(self, url: str) -> CallTurns:
        """Speak, so that there is a recording at *url*, and hear what the app has the call do then."""
        return self._then(called("records", url), Call.record, url)

    def hangs_up(self) -> CallTurns:
        """End the call; the app is told."""
        return self._then(called("hangs_up"), Call.hang_up)


class CallTurns(Turns["Call"], _Calling):
    """A call to be made: ``await phone.call().hears("Press 1").presses("1").hears("Thank you")``.

    Made by ``phone.call()``, ``phone.expect_call()`` and a call's methods. Awaiting gives the :class:`Call`.
    """

    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> CallTurns:
        return self.then(words, step, *arguments)


class Call(_Calling):
    """A call in progress. Made by awaiting ``phone.call()`` or ``phone.expect_call()``.

    Attributes:
        channel: the organisation's number.
        direction: who called whom; inbound is the customer calling.
        actions: what the app last told the call to do.
        is_over: whether it has ended.
    """

    def __init__(
        self,
        line: Line,
        channel: MessagingChannel,
        direction: VoiceCallDirection,
        session_id: str,
        within: float | None,
    ) -> None:
        self.channel = channel
        self.direction = direction
        self.actions: tuple[VoiceAction, ...] = ()
        self.is_over: bool = False
        self._line = line
        self._session_id = session_id
        self._within = within

    def __repr__(self) -> str:
        """Name the number, and what the call does."""
        state = "over" if self.is_over else "open"
        return f"<Call {self.direction} {self.channel.number}, {state}: {self.actions!r}>"

    def _then(self, words: str, step: Callable[..., Awaitable[None]], *arguments: object) -> CallTurns:
        return CallTurns(self._line.stage, already(self), "call").then(words, step, *arguments)

    @property
    def heard(self) -> str:
        """What the app last had the call say and play: a line for each text and each recording's URL."""
        return heard_in(self.actions)

    # The turns.

    async def ring(self) -> Call:
        """Call the organisation, and hear what the app has the call do.

        Raises:
            AssertionError: the app did not pick up.
        """
        __tracebackhide__ = True
        await self._step("called", VoiceCallInput(direction=self.direction, status="ringing"))
        return self

    async def answer(self) -> None:
        """See :meth:`answers`."""
        __tracebackhide__ = True
        await self._step("picked up", VoiceCallInput(direction=self.direction, status="answered"))

    async def decline(self) -> None:
        """See :meth:`declines`."""
        __tracebackhide__ = True
        no = VoiceCallInput(direction=self.direction, status="not_answered", hangup_cause="call_rejected")
        await self._step("declined the call", no, is_last=True)

    async def press(self, digits: str) -> None:
        """See :meth:`presses`."""
        __tracebackhide__ = True
        keys = VoiceCallInput(direction=self.direction, status="active", dtmf_digits=digits)
        await self._step(f"pressed {digits}", keys)

    async def record(self, url: str) -> None:
        """See :meth:`records`."""
        __tracebackhide__ = True
        recording = VoiceCallInput(direction=self.direction, status="active", recording_url=url)
        await self._step("spoke", recording)

    async def hang_up(self) -> None:
        """See :meth:`hangs_up`."""
        __tracebackhide__ = True
        end = VoiceCallInput(direction=self.direction, status="completed", hangup_cause="normal_clearing")
        await self._step("hung up", end, is_last=True)

    async def check(self, wanted: tuple[Wanted, ...]) -> None:
        """See :meth:`hears`."""
        __tracebackhide__ = True
        await anyio.lowlevel.checkpoint()
        if not matches(self.heard, wanted):
            heard = f"hears:{indented(self.heard)}" if self.heard else "hears nothing"
            raise self._line.blame(f"{self._who()} does not hear {shown(wanted)}, and {heard}")

    async def _step(self, deed: str, part: VoiceCallInput, *, is_last: bool = False) -> None:
        __tracebackhide__ = True
        if self.is_over:
            raise self._line.blame(f"{self._who()}: the call is over")
        self.is_over = True  # unless the server takes it
        words = f"{self._who()}, {deed}"
        reply = await self._line.report(words, self.channel, self._session_id, [part], self._within)
        body = None if reply.message is None else reply.message.body
        self.actions = body if isinstance(body, tuple) else ()
        self.is_over = is_last or any(isinstance(action, Reject) for action in self.actions)

    def _who(self) -> str:
        way = "to" if self.direction is VoiceCallDirection.INBOUND else "from"
        return f"{self._line.number} in a call {way} {self.channel.number}"
