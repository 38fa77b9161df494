"""What goes wrong on purpose with one client's commands and notifications: the rules of :mod:`.faults`, come true.

The client's connection stands above and asks here while there are rules. Below are its session, the sandbox's clock,
and the wire's envelopes. Everything is synchronous: what waits, waits for a timer, or for the client to be back.

What a fault does to a command it does before the server acts on it, or to the answer: then the server is given a
request of our own, whose answer comes here. Whatever is cut off is as if lost on its way: a session that is resumed
repeats it, so it goes on then, and one that is not has lost it.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias

from elarian_trio._session import IncomingRequest, Question, StreamFailed
from elarian_trio._session.callbacks import call_safely
from elarian_trio._wire.envelopes import (
    decode_app_command,
    decode_app_notification,
    decode_simulator_command,
    decode_simulator_notification,
    encode_reply,
)
from elarian_trio.errors import ConnectionLost, RemoteProtocolError
from elarian_trio.sandbox.faults.values import AnswerTwice, DeliverTwice, Drop, EndSession, Refuse, Slow, StreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._session import Session
    from elarian_trio.models.commands import Command
    from elarian_trio.models.identity import CustomerNumber, SecondaryId
    from elarian_trio.models.notifications import AnyNotification
    from elarian_trio.sandbox.clock import Clock
    from elarian_trio.sandbox.faults.rules import Faults
    from elarian_trio.sandbox.faults.values import Fault, Late

__all__ = ["Owner", "Provoked"]

Answer: TypeAlias = "bytes | StreamFailed"
Outcome: TypeAlias = "bytes | StreamFailed | ConnectionLost"
Step: TypeAlias = "Callable[[], None]"

SECOND_TIMEOUT = 30.0  # seconds an app has for its answer to the second of a pair: as many as for the first

logger: logging.Logger = logging.getLogger("elarian_trio.sandbox")


class Owner(Protocol):
    """What is asked of the client whose session it is."""

    @property
    def is_simulator(self) -> bool:
        """Whether it is a phone."""
        ...

    def execute(self, request: IncomingRequest) -> None:
        """Have the server act on a command."""
        ...

    def numbers_of(self, customer: str | SecondaryId) -> tuple[CustomerNumber, ...]:
        """Give the numbers of a customer of its organisation."""
        ...


class _Kept(NamedTuple):
    """What waits for the client to be back: what happens then, and what if it never is."""

    on_return: Step
    on_loss: Step


class _Telling:
    """A notification that is asked later than the route thinks, or whose answer is kept back."""

    def __init__(self, data: bytes, then: Callable[[Outcome], None]) -> None:
        self.data = data
        self._then = then
        self._question: Question | None = None
        self.is_over = False

    @property
    def question(self) -> Question:
        """What the route holds meanwhile."""
        return Question(self._call_off, self._was_received)

    def send(self, session: Session, then: Callable[[Outcome], None]) -> None:
        """Ask, at last."""
        self._question = session.ask(self.data, then)

    def settle(self, outcome: Outcome) -> None:
        """Tell the route what became of it; the first word counts."""
        if not self.is_over:
            self.is_over = True
            call_safely(partial(self._then, outcome))

    def lose(self, *, sent: bool) -> None:
        """Tell the route that the session ended first."""
        self.settle(ConnectionLost("a fault rule ended the session before the answer came", sent=sent))

    def _call_off(self) -> None:
        self.is_over = True
        if self._question is not None:
            self._question.call_off()

    def _was_received(self) -> bool:
        return self._question is not None and self._question.was_received()


class Provoked:
    """What goes wrong with one client. Made by it, and living as long.

    Args:
        owner: the client.
        session: its session.
        faults: the sandbox's rules.
        clock: the sandbox's clock, by which everything is delayed.
    """

    def __init__(self, owner: Owner, session: Session, faults: Faults, clock: Clock) -> None:
        self._owner = owner
        self._session = session
        self._faults = faults
        self._clock = clock
        self._kept: list[_Kept] = []

    @property
    def has_rules(self) -> bool:
        """Whether anything may go wrong."""
        return self._faults.has_rules

    # What the client tells.

    def come_back(self) -> None:
        """Go on with what was cut off: the session was resumed."""
        kept, self._kept = self._kept, []
        for each in kept:
            each.on_return()

    def leave(self) -> None:
        """Lose what was cut off: the session is over."""
        kept, self._kept = self._kept, []
        for each in kept:
            each.on_loss()

    def handle(self, request: IncomingRequest) -> None:
        """Take a command in, and have it executed unless something goes wrong."""
        command = self._command_in(request.data)
        fault = None if command is None else self._faults.on_command(command, self._owner.numbers_of)
        if fault is None:
            self._owner.execute(request)
            return
        _note(fault, command)
        self._COMMANDS[type(fault)](self, request, fault, command)

    def ask(self, data: bytes, then: Callable[[Outcome], None]) -> Question:
        """Send a notification, unless something goes wrong; see :meth:`Session.ask`."""
        notification = self._notification_in(data)
        fault = self._faults.on_notification(notification, self._owner.numbers_of)
        if fault is None:
            return self._session.ask(data, then)
        _note(fault, notification)
        return self._NOTIFICATIONS[type(fault)](self, data, then, fault)

    def lateness_of(self, notification: AnyNotification) -> Late | None:
        """Say whether *notification* is to be late."""
        late = self._faults.lateness_of(notification, self._owner.numbers_of)
        if late is not None:
            _note(late, notification)
        return late

    def _command_in(self, data: bytes) -> Command[Any] | None:
        """Read a command; what is none is the server's to refuse."""
        try:
            return decode_simulator_command(data) if self._owner.is_simulator else decode_app_command(data)
        except RemoteProtocolError:
            return None

    def _notification_in(self, data: bytes) -> AnyNotification:
        """Read a notification of the server's own."""
        return decode_simulator_notification(data) if self._owner.is_simulator else decode_app_notification(data)[0]

    # Commands.

    def _refuse(self, request: IncomingRequest, fault: Refuse, command: Command[Any]) -> None:
        request.respond(encode_reply(command, fault.reply(command)))

    def _fail(self, request: IncomingRequest, fault: StreamError, _: Command[Any]) -> None:
        self._disturb(request, fault.when, lambda _: request.fail(fault.code, fault.text))

    def _slow_down(self, request: IncomingRequest, fault: Slow, _: Command[Any]) -> None:
        def wait(step: Step) -> None:
            request.on_cancel(self._clock.call_later(fault.seconds, step).cancel)

        self._disturb(request, fault.when, wait)

    def _drop(self, request: IncomingRequest, fault: Drop, _: Command[Any]) -> None:
        self._disturb(request, fault.when, lambda step: self._cut(_Kept(step, _nothing)))

    def _end(self, request: IncomingRequest, fault: EndSession, _: Command[Any]) -> None:
        self._disturb(request, fault.when, lambda _: self._session.close(fault.code, fault.text))

    def _answer_twice(self, request: IncomingRequest, _fault: AnswerTwice, _: Command[Any]) -> None:
        def answer(what: Answer) -> None:
            _give(request, what)
            if isinstance(what, bytes):
                self._session.repeat(request.stream_id, what)

        self._execute(self._tapped(request, answer))

    _COMMANDS: ClassVar[dict[type[Fault], Callable[[Provoked, IncomingRequest, Any, Any], None]]] = {
        Refuse: _refuse,
        StreamError: _fail,
        Slow: _slow_down,
        Drop: _drop,
        EndSession: _end,
        AnswerTwice: _answer_twice,
    }

    def _disturb(self, request: IncomingRequest, when: str, disturb: Callable[[Step], object]) -> None:
        """Hand to *disturb* what it may do later, or never: execute the command, or give the answer to it."""
        if when == "before":
            disturb(partial(self._execute, request))
        else:
            self._execute(self._tapped(request, lambda answer: disturb(partial(_give, request, answer))))

    def _tapped(self, request: IncomingRequest, on_answer: Callable[[Answer], object]) -> IncomingRequest:
        """Give a request in the place of *request*, whose answer goes to *on_answer*."""
        tapped = _Tapped(request, on_answer)
        request.on_cancel(tapped.cancel)
        return tapped

    def _execute(self, request: IncomingRequest) -> None:
        """Have the server act on a command, in a timer's call or wherever else a defect must do no harm."""
        try:
            self._owner.execute(request)
        except Exception as error:
            request.fail_by(error)

    # Notifications. The route must have its question before it hears what became of it, hence the timers for now.

    def _cut_around(self, data: bytes, then: Callable[[Outcome], None], fault: Drop) -> Question:
        telling = _Telling(data, then)
        if fault.when == "before":
            self._soon(telling, partial(self._send_and_cut, telling))
        else:
            telling.send(self._session, partial(self._cut_behind, telling))
        return telling.question

    def _send_and_cut(self, telling: _Telling) -> None:
        """Cut before the notification leaves: it waits in the session, as long as that lives."""
        telling.send(self._session, telling.settle)
        self._session.release()

    def _cut_behind(self, telling: _Telling, outcome: Outcome) -> None:
        """Cut as the answer comes, which is then as if on its way still."""
        if isinstance(outcome, ConnectionLost):
            telling.settle(outcome)
        else:
            self._cut(_Kept(partial(telling.settle, outcome), partial(telling.lose, sent=True)))

    def _end_around(self, data: bytes, then: Callable[[Outcome], None], fault: EndSession) -> Question:
        telling = _Telling(data, then)
        if fault.when == "before":
            self._soon(telling, partial(self._end_with, telling, fault, sent=False))
        else:
            telling.send(self._session, partial(self._end_behind, telling, fault))
        return telling.question

    def _end_behind(self, telling: _Telling, fault: EndSession, outcome: Outcome) -> None:
        if isinstance(outcome, ConnectionLost):
            telling.settle(outcome)
        else:
            self._end_with(telling, fault, sent=True)

    def _end_with(self, telling: _Telling, fault: EndSession, *, sent: bool) -> None:
        self._session.close(fault.code, fault.text)
        telling.lose(sent=sent)

    def _tell_twice(self, data: bytes, then: Callable[[Outcome], None], _: DeliverTwice) -> Question:
        first = self._session.ask(data, then)
        second = self._session.ask(data, lambda _: patience.cancel())
        patience = self._clock.call_later(SECOND_TIMEOUT, second.call_off)

        def call_off() -> None:
            first.call_off()
            second.call_off()
            patience.cancel()

        return Question(call_off, first.was_received)

    _NOTIFICATIONS: ClassVar[dict[type[Fault], Callable[[Provoked, bytes, Any, Any], Question]]] = {
        Drop: _cut_around,
        EndSession: _end_around,
        DeliverTwice: _tell_twice,
    }

    def _soon(self, telling: _Telling, step: Step) -> None:
        """Take *step* before anything else is said, or lose *telling* with the session."""

        def go() -> None:
            if telling.is_over:
                return
            if self._session.usable:
                step()
            else:
                telling.lose(sent=False)

        self._clock.call_later(0, go)

    def _cut(self, kept: _Kept) -> None:
        """Cut the connection, and go on with *kept* once the client is back."""
        self._kept.append(kept)
        self._session.release()


class _Tapped(IncomingRequest):
    """A request in the place of another, which takes its answer. Made by :meth:`Provoked._tapped`."""

    __slots__ = ("_on_answer", "_request")

    def __init__(self, request: IncomingRequest, on_answer: Callable[[Answer], object]) -> None:
        super().__init__(request.session, request.data, request.metadata, request.stream_id)
        self._request = request
        self._on_answer = on_answer

    def _give(self, answer: Answer) -> bool:
        self._on_answer(answer)
        return not self._request.canceled


def _note(fault: Fault, message: object) -> None:
    logger.info("provoked: %s on a %s", fault.name, type(message).__name__)


def _nothing() -> None:
    """Nobody is left to be told."""


def _give(request: IncomingRequest, answer: Answer) -> None:
    if isinstance(answer, bytes):
        request.respond(answer)
    else:
        request.fail(answer.code, answer.message)
