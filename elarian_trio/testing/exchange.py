"""The telephone exchange between the phones of one test and its sandbox: what phones report, and what reaches them.

Phones, sessions, calls and payments stand above; below are the stage, which knows how to wait, and the simulator's
socket.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from elarian_trio.errors import CommandFailed
from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.notifications import AnyNotification
from elarian_trio.sandbox.world.addresses import normal_number
from elarian_trio.sandbox.world.hops import UNHEARD
from elarian_trio.testing.bounds import bounded
from elarian_trio.testing.wording import describe, indented

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from anyio.abc import TaskStatus

    from elarian_trio.models.channels import ChannelName
    from elarian_trio.models.messaging import InboundMessageBody
    from elarian_trio.models.replies import SimulatorReply
    from elarian_trio.sandbox import Sandbox
    from elarian_trio.simulator import Simulator
    from elarian_trio.testing.stage import Stage

__all__ = ["Exchange", "Line"]

N = TypeVar("N", bound=AnyNotification)

MAX_UNREAD = 1024  # things that reached phones and no expectation took: far more than a test that reads will leave


class Exchange:
    """Everything that the phones of one test share. Made for the fixture ``elarian_phone``.

    Args:
        stage: where the test takes place.
        sandbox: the server.
        simulator: the phones' socket, connected.
    """

    def __init__(self, stage: Stage, sandbox: Sandbox, simulator: Simulator) -> None:
        self.stage = stage
        self.sandbox = sandbox
        self.simulator = simulator
        self._unread: list[AnyNotification] = []
        self._ids = count(1)

    async def listen(self, *, task_status: TaskStatus[None]) -> None:
        """Take in what reaches the phones, until cancelled; a program for the stage.

        Raises:
            RuntimeError: nobody reads what comes.
        """
        async with self.simulator.notifications(max_buffer_size=MAX_UNREAD) as told:
            task_status.started()
            async for delivery in told:
                async with delivery:
                    self._hear(delivery.notification)

    def _hear(self, told: AnyNotification) -> None:
        if len(self._unread) >= MAX_UNREAD:
            msg = f"{MAX_UNREAD} messages, calls and payments reached the phones, and the test expected none of them"
            raise RuntimeError(msg)
        self._unread.append(told)
        self.stage.stir()

    def unread(self, number: str) -> tuple[list[AnyNotification], list[AnyNotification]]:
        """Give what nobody took yet: of that phone, and of all others."""
        mine = [each for each in self._unread if reaches(each, number)]
        return mine, [each for each in self._unread if not reaches(each, number)]

    def take(self, pick: Callable[[AnyNotification], N | None]) -> N | None:
        """Take the oldest that *pick* gives back, if there is one."""
        for index, each in enumerate(self._unread):
            picked = pick(each)
            if picked is not None:
                del self._unread[index]
                return picked
        return None

    def new_id(self, kind: str) -> str:
        """Give an id as the telco or the gateway would: the same ones in every run."""
        return f"{kind}-{next(self._ids)}"


def reaches(told: AnyNotification, number: str) -> bool:
    """Whether *told* is about the customer with *number*, in whatever way it is written."""
    theirs: str = getattr(getattr(told, "customer_number", None), "number", "")
    return normal_number(theirs) == normal_number(number)


class Line:
    """One customer's line. Made by phones.

    Args:
        exchange: what all phones share.
        number: the customer's.
    """

    def __init__(self, exchange: Exchange, number: str) -> None:
        self.exchange = exchange
        self.number = number

    @property
    def stage(self) -> Stage:
        """Where the test takes place."""
        return self.exchange.stage

    def channel(self, kind: Channel | ChannelName, given: MessagingChannel | str | None) -> MessagingChannel:
        """Give the organisation's number that the customer means: the sandbox's first, where none is given.

        Raises:
            LookupError: none was given, and the sandbox has none.
            ValueError: there is no such kind.
        """
        if given is not None:
            return given if isinstance(given, MessagingChannel) else MessagingChannel(given, kind)
        found = self.exchange.sandbox.channels.get(Channel(kind))
        if found is None:
            msg = f"the sandbox has no {kind} channel; give it one by @pytest.mark.elarian(channels=[...])"
            raise LookupError(msg)
        return found

    async def report(
        self,
        deed: str,
        channel: MessagingChannel,
        session_id: str | None,
        parts: Iterable[InboundMessageBody],
        within: float | None = None,
    ) -> SimulatorReply:
        """Report what the phone did, *deed* in words, and give the answer.

        Raises:
            AssertionError: the server refused it, or the app did not answer in time.
        """
        __tracebackhide__ = True
        act = partial(self.exchange.simulator.receive_message, self.number, channel, session_id, parts)
        return await self.ask(deed, act, within)

    async def ask(
        self, deed: str, act: Callable[[], Awaitable[SimulatorReply]], within: float | None = None
    ) -> SimulatorReply:
        """Do *act*, *deed* in words, and give the answer; see :meth:`report`."""
        __tracebackhide__ = True
        seconds = self.stage.patience if within is None else within
        try:
            return await bounded(seconds, act)
        except TimeoutError:
            words = f"{deed}: nothing was answered within {seconds:g} s{self._missing()}"
            raise self.blame(words)  # noqa: B904 - blame() says the cause
        except CommandFailed as error:
            missing = self._missing() if error.description == UNHEARD else ""  # else the server said why
            raise self.blame(f"{deed}: {error.description}{missing}")  # noqa: B904 - the same

    async def expect(self, what: str, pick: Callable[[AnyNotification], N | None], within: float | None = None) -> N:
        """Wait for the first that *pick* gives back, *what* in words; what else came stays unread.

        Raises:
            AssertionError: nothing of the kind came in time, or something failed beside the test first.
        """
        __tracebackhide__ = True
        found = await self.stage.first(partial(self.exchange.take, pick), within)
        if found is None:
            seconds = self.stage.patience if within is None else within
            waited = "until something failed" if self.stage.failures else f"within {seconds:g} s"
            raise self.blame(f"{self.number} expected {what} {waited}, and heard {self.heard()}")
        return found

    def _missing(self) -> str:
        """Say what a test lacks that has nobody to answer its phones, on a line of its own."""
        app = self.stage.app
        if app is None:
            return "\nthe test takes no elarian_app"
        return "" if app.is_listening else "\nelarian_app has no handler so far, and nothing subscribed that answers"

    def is_reached_by(self, told: AnyNotification) -> bool:
        """Whether it is this customer's phone that was *told*."""
        return reaches(told, self.number)

    def heard(self) -> str:
        """Give what this phone heard and nobody expected, and what others did, in words."""
        mine, others = self.exchange.unread(self.number)
        told = "this:" + "".join(indented(describe(each)) for each in mine) if mine else "nothing"
        if not others:
            return told
        elsewhere = "".join(indented(f"{_whose(each)}: {describe(each)}") for each in others)
        return f"{told}\nothers heard this:{elsewhere}"

    def blame(self, words: str) -> AssertionError:
        """Give an AssertionError of *words*, with what failed beside the test as its cause."""
        return self.stage.blame(words)


def _whose(told: AnyNotification) -> str:
    return getattr(getattr(told, "customer_number", None), "number", "the gateway")
