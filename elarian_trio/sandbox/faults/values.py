"""What may go wrong: one class for each kind of failure, all of them made by :class:`Fault`.

The rules beside this file say when; :mod:`elarian_trio.sandbox.provoked` stands above and knows what to do. Below are
the models and, for what a refusal looks like, the world's rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, cast

from elarian_trio._arguments import shown
from elarian_trio._rsocket import ErrorCode
from elarian_trio.models.checks import WireEnum, check_str, enum_of, field_types
from elarian_trio.models.messaging import MessageDeliveryStatus, MessagingConsentUpdateStatus
from elarian_trio.models.payments import PaymentStatus
from elarian_trio.sandbox.world.rules import refused
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from elarian_trio.models.commands import Command
    from elarian_trio.models.model import Model

__all__ = [
    "AnswerTwice",
    "DeliverTwice",
    "Drop",
    "EndSession",
    "Fault",
    "FaultError",
    "Late",
    "Refuse",
    "Slow",
    "StreamError",
    "When",
    "as_seconds",
    "as_text",
    "as_when",
]

When: TypeAlias = Literal["before", "after"]
CodeName: TypeAlias = Literal["REJECTED", "INVALID", "APPLICATION_ERROR", "CANCELED"]
EndName: TypeAlias = Literal["CONNECTION_ERROR", "CONNECTION_CLOSE"]

MAX_SECONDS = 86_400.0  # a day: nothing waits without a bound, not even for a failure
DESCRIPTION = "provoked by a fault rule of the sandbox"

_CODES: Mapping[str, int] = {name: ErrorCode[name] for name in ("REJECTED", "INVALID", "APPLICATION_ERROR", "CANCELED")}
_ENDS: Mapping[str, int] = {name: ErrorCode[name] for name in ("CONNECTION_ERROR", "CONNECTION_CLOSE")}
_CUSTOM = range(0x301, 0xFFFF_FFFF)  # the codes that RSocket leaves to applications
_STATUSES: tuple[type[WireEnum], ...] = (MessageDeliveryStatus, MessagingConsentUpdateStatus, PaymentStatus)


class FaultError(ValueError):
    """A fault or rule was given something that it cannot be.

    Attributes:
        argument: which argument it is.
    """

    def __init__(self, argument: str, wanted: str, got: object) -> None:
        super().__init__(f"{argument} must be {wanted}, got {shown(got)}")
        self.argument: str = argument


def known(names: Iterable[object]) -> str:
    """List names for an error's words."""
    return ", ".join(map(repr, names))


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong on purpose. Its functions make one; a rule of :meth:`.Faults.add` says when it bites.

    Where something can go wrong at two moments, ``when`` says which. "before": a command is not executed (or only once
    the delay is over, or the connection is back); a notification has not reached the app. "after": the command was
    executed and its answer is what suffers; the app has heard the notification, and its answer is lost.
    """

    name: ClassVar[str] = "fault"
    bites_commands: ClassVar[bool] = False
    bites_notifications: ClassVar[bool] = False

    def can_bite(self, command: type[Command[Any]]) -> bool:
        """Whether it makes sense for commands of that class; told only of commands."""
        del command
        return True

    # Of commands.

    @staticmethod
    def refuse(status: str | Literal[False] | None = None, *, description: str = DESCRIPTION) -> Refuse:
        """Answer with *status*; the command is not executed.

        Args:
            status: one of the reply's statuses, as "insufficient_credits" for sending messages; ``False`` where the
                reply's status is a boolean. Left out, the reply says no in the way its kind does.
            description: the reply's description.

        Raises:
            FaultError: no reply can have that status, or *description* is no text.
        """
        return Refuse(status, as_text("description", description))

    @staticmethod
    def error(code: CodeName | int, text: str = DESCRIPTION, *, when: When = "before") -> StreamError:
        """Answer with an error of the stream instead of a reply.

        Args:
            code: "REJECTED" (says that nothing was done), "INVALID", "APPLICATION_ERROR", "CANCELED", or a number of
                your own from 0x301 to 0xFFFFFFFE.
            text: the error's words.
            when: "before", the command is not executed; "after", it is.

        Raises:
            FaultError: there is no such code, REJECTED would not be true, or *text* is none.
        """
        return StreamError(_code(code, _CODES, _CUSTOM), as_text("text", text), as_when(when, code))

    @staticmethod
    def delay(seconds: float, *, when: When = "before") -> Slow:
        """Have the answer come *seconds* later, of the sandbox's time.

        Args:
            seconds: how long.
            when: "before", the command is executed when they are over, unless its sender has given it up by then;
                "after", it is executed at once.

        Raises:
            FaultError: that is no span of time.
        """
        return Slow(as_seconds("seconds", seconds), as_when(when))

    @staticmethod
    def answer_twice() -> AnswerTwice:
        """Send a second reply behind the first one, the same bytes on the same stream. Executed once."""
        return AnswerTwice()

    # Of both.

    @staticmethod
    def drop(*, when: When = "before") -> Drop:
        """Cut the connection under the client, without a word.

        A session that is resumable goes on once its client is back: then a command is executed (or, with "after", its
        answer is sent) and a notification is told (or its answer taken), once, and in order. Of a session that is not,
        a command is never executed (or, with "after", was, and its answer is lost), and the notification is told again
        to the next connection of the app. Whatever else is on its way then fares as with any cut.

        Args:
            when: "before" the command is executed or the notification is sent; or "after" the command was executed or
                the app has answered.

        Raises:
            FaultError: *when* is neither.
        """
        return Drop(as_when(when))

    @staticmethod
    def end_session(
        code: EndName = "CONNECTION_ERROR", text: str = DESCRIPTION, *, when: When = "before"
    ) -> EndSession:
        """End the client's session by an ERROR on the connection: it cannot be resumed, only begun anew.

        Args:
            code: "CONNECTION_ERROR" or "CONNECTION_CLOSE".
            text: the error's words.
            when: as for :meth:`drop`.

        Raises:
            FaultError: *code* or *when* is none of those, or *text* is none.
        """
        return EndSession(_code(code, _ENDS, range(0)), as_text("text", text), as_when(when))

    # Of notifications.

    @staticmethod
    def deliver_late(seconds: float) -> Late:
        """Tell a notification *seconds* later, of the sandbox's time; what follows for the same customer waits, too.

        A customer at the phone waits for 20 seconds at most.

        Raises:
            FaultError: that is no span of time.
        """
        return Late(as_seconds("seconds", seconds))

    @staticmethod
    def deliver_out_of_order(within: float = 10.0) -> Late:
        """Tell a notification behind the next one of the same customer.

        Args:
            within: seconds of the sandbox's time that it waits for the next one; if none comes, it is told then.

        Raises:
            FaultError: that is no span of time.
        """
        return Late(as_seconds("within", within), lets_pass=True)

    @staticmethod
    def deliver_twice() -> DeliverTwice:
        """Send a notification twice, one behind the other. The first answer counts; the second one is ignored."""
        return DeliverTwice()


@dataclass(frozen=True, slots=True)
class Refuse(Fault):
    """A reply with a given status; made by :meth:`Fault.refuse`."""

    name: ClassVar[str] = "refuse"
    bites_commands: ClassVar[bool] = True

    status: str | Literal[False] | None
    description: str = DESCRIPTION

    def __post_init__(self) -> None:
        """See that some reply can have the status."""
        if self.status is None or self.status is False:
            return
        if not any(self.status in _members(enum) for enum in _STATUSES):
            wanted = "; or ".join(f"of {enum.__name__} {known(_members(enum))}" for enum in _STATUSES)
            raise FaultError("status", f"False; or {wanted}", self.status)

    def can_bite(self, command: type[Command[Any]]) -> bool:
        """Whether the command's reply can have the status."""
        statuses = statuses_of(command)
        return bool(statuses) if self.status is None else self.status in statuses

    def reply(self, command: Command[Any]) -> Model:
        """Make the reply to *command*."""
        if self.status is None:
            return refused(command, Refusal(self.description))
        reply: Model = command.reply_type(status=self.status, description=self.description)
        return reply


@dataclass(frozen=True, slots=True)
class StreamError(Fault):
    """An ERROR for an answer; made by :meth:`Fault.error`."""

    name: ClassVar[str] = "error"
    bites_commands: ClassVar[bool] = True

    code: int
    text: str
    when: When


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """A delay; made by :meth:`Fault.delay`."""

    name: ClassVar[str] = "delay"
    bites_commands: ClassVar[bool] = True

    seconds: float
    when: When


@dataclass(frozen=True, slots=True)
class AnswerTwice(Fault):
    """A second reply; made by :meth:`Fault.answer_twice`."""

    name: ClassVar[str] = "answer_twice"
    bites_commands: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Drop(Fault):
    """A cut of the transport; made by :meth:`Fault.drop`."""

    name: ClassVar[str] = "drop"
    bites_commands: ClassVar[bool] = True
    bites_notifications: ClassVar[bool] = True

    when: When


@dataclass(frozen=True, slots=True)
class EndSession(Fault):
    """An ERROR on stream 0; made by :meth:`Fault.end_session`."""

    name: ClassVar[str] = "end_session"
    bites_commands: ClassVar[bool] = True
    bites_notifications: ClassVar[bool] = True

    code: int
    text: str
    when: When


@dataclass(frozen=True, slots=True)
class Late(Fault):
    """A notification's delay; made by :meth:`Fault.deliver_late` and :meth:`Fault.deliver_out_of_order`.

    Attributes:
        seconds: how long it waits, at most.
        lets_pass: whether it waits for the next one of the same customer, which goes first.
    """

    name: ClassVar[str] = "deliver_late"
    bites_notifications: ClassVar[bool] = True

    seconds: float
    lets_pass: bool = False


@dataclass(frozen=True, slots=True)
class DeliverTwice(Fault):
    """A notification's copy; made by :meth:`Fault.deliver_twice`."""

    name: ClassVar[str] = "deliver_twice"
    bites_notifications: ClassVar[bool] = True


# --- what there is to choose from ---


def statuses_of(command: type[Command[Any]]) -> tuple[str | Literal[False], ...]:
    """Give the statuses that a refusal of such a command can have; none where its reply has no status."""
    hint = field_types(command.reply_type).get("status")
    if hint is None:
        return ()
    enum = enum_of(hint)
    return (False,) if enum is None else _members(enum)


def _members(enum: type[WireEnum]) -> tuple[str, ...]:
    return tuple(member.value for member in enum if member.value != "unknown")


def _code(given: str | int, names: Mapping[str, int], custom: range) -> int:
    if isinstance(given, str) and given in names:
        return names[given]
    if isinstance(given, int) and not isinstance(given, bool) and (given in custom or given in names.values()):
        return given
    own = f", or a number from {custom.start:#x} to {custom.stop - 1:#x}" if custom else ""
    raise FaultError("code", f"one of {known(names)}{own}", given)


def as_when(given: str, code: str | int = "") -> When:
    """Give the moment that *given* names."""
    if given == "before":
        return "before"
    if given != "after":
        raise FaultError("when", "'before' or 'after'", given)
    if code in ("REJECTED", ErrorCode.REJECTED):
        raise FaultError("when", "'before' where the code is REJECTED, which says that nothing was done", given)
    return "after"


def as_text(argument: str, given: str) -> str:
    """Give words that an answer can carry; what cannot be sent would only be noticed when the fault bites."""
    try:
        return check_str(argument, given)
    except (TypeError, ValueError):
        raise FaultError(argument, "text that UTF-8 can carry", given) from None


def as_seconds(argument: str, given: float) -> float:
    """Give a span of time that nobody waits too long for."""
    is_number = isinstance(cast("object", given), int | float) and not isinstance(given, bool)
    if not (is_number and 0 < given <= MAX_SECONDS):
        raise FaultError(argument, f"a number of seconds above 0, and {MAX_SECONDS:g} at most", given)
    return float(given)
