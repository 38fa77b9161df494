"""Every exception this package raises.

Every room may raise these; this room imports none. The tree::

    ElarianError
      ConnectionFailed         could not be opened; the cause is inside. Tried again
        SetupRejected          the server refused our setup or credentials. Final
      ConnectionLost           the session this command (or block) stood on ended; ``sent`` tells more
      ConnectionClosed         used before its block was entered or after it was left
      CommandTimedOut          no answer within ``command_timeout`` (HTTP: ``timeout``); ``sent`` tells more
      DeliveryExpired          answered by hand after its deadline
      ProtocolError            abstract
        LocalProtocolError     we broke the protocol's rules
        RemoteProtocolError    the peer did
      CommandError             abstract: ``command``, ``description``
        CommandRejected        not processed; asking again is safe
        CommandFailed          refused or failed: ``reply``, ``code``
      ServiceError             HTTP: ``status``, ``body``
        PlanshipError          Planship's: ``detail``
        TalonOneError          Talon.One refused, failed or answered what cannot be read: ``message``, ``errors``
          TalonOneInvalid      400: what was sent is not what it should be; ``errors`` point into it
          TalonOneUnauthorized 401: no API key, or one that is not known
          TalonOneNotFound     404: there is no such customer, campaign or operation
          TalonOneConflict     409: another update of the same session or profile was under way
      StoreError               the sandbox's file cannot be opened, read or written
      InternalError            a defect of ours; the exception group is its cause

Bad arguments are plain :class:`ValueError` or :class:`TypeError`, raised before anything is sent.
``retryable`` says of each class whether the same call may succeed later without a change by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CommandError",
    "CommandFailed",
    "CommandRejected",
    "CommandTimedOut",
    "ConnectionClosed",
    "ConnectionFailed",
    "ConnectionLost",
    "DeliveryExpired",
    "ElarianError",
    "InternalError",
    "LocalProtocolError",
    "PlanshipError",
    "ProtocolError",
    "RemoteProtocolError",
    "ServiceError",
    "SetupRejected",
    "StoreError",
    "TalonOneConflict",
    "TalonOneError",
    "TalonOneInvalid",
    "TalonOneNotFound",
    "TalonOneUnauthorized",
]


class ElarianError(Exception):
    """The root of everything this package raises."""

    retryable: ClassVar[bool] = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Have pickle and copy make it again as it is, not by its constructor, which takes more than the words."""
        return _made_again, (type(self), self.args), vars(self)


def _made_again(kind: type[ElarianError], args: tuple[Any, ...]) -> ElarianError:
    return kind.__new__(kind, *args)


class ConnectionFailed(ElarianError):
    """The connection could not be opened; the cause is chained. The client itself tries again until it gives up."""

    retryable = True


class SetupRejected(ConnectionFailed):
    """The server refused the setup: wrong credentials, or a setup it does not accept. Final.

    Attributes:
        code: RSocket's error code (0x001 to 0x003), or ``None`` where the server gave none.
    """

    retryable = False

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class ConnectionLost(ElarianError):
    """The session that a command, or the block, stood on ended; the client may already be back.

    Attributes:
        sent: whether the command had been handed to the network, so that the server may have acted on it.
            With ``False`` asking again is safe.
    """

    retryable = True

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectionClosed(ElarianError):
    """The client was used before its block was entered, after it was left, or after ``disconnect()``."""


class CommandTimedOut(ElarianError):
    """No answer came within ``ConnectionOptions.command_timeout``, or from an HTTP service ``HttpOptions.timeout``.

    Attributes:
        sent: whether the command had been handed to the network, so that the server may have acted on it.
    """

    retryable = True

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class DeliveryExpired(ElarianError):
    """A delivery was answered by hand after its deadline; the default answer had already gone out."""


class ProtocolError(ElarianError):
    """Abstract: somebody broke the protocol's rules."""


class LocalProtocolError(ProtocolError):
    """We were about to break the protocol's rules; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol's rules in a way for which the protocol asks to end the connection.

    Also, of one command alone: its reply cannot be read. The connection stays then, and the server may have acted.
    """


class CommandError(ElarianError):
    """Abstract: the server answered a command, and not as hoped.

    Attributes:
        command: the command value as it was sent.
        description: the server's own words.
    """

    def __init__(self, command: object, description: str) -> None:
        super().__init__(f"{type(command).__name__}: {description}" if description else type(command).__name__)
        self.command = command
        self.description = description


class CommandRejected(CommandError):
    """The server did not process the command (RSocket REJECTED); asking again is safe."""

    retryable = True


class CommandFailed(CommandError):
    """The server refused the command or failed on it, or its answer is larger than we take, be it of what was done.

    A command larger than it takes, which RSocket calls REJECTED as well, is refused by this: asking again is in vain.

    Attributes:
        reply: the reply whose ``status`` was false, or ``None`` where the answer was a stream error.
        code: RSocket's error code of that stream error, or ``None`` where there was a reply.
    """

    def __init__(self, command: object, description: str, *, reply: object = None, code: int | None = None) -> None:
        super().__init__(command, description)
        self.reply = reply
        self.code = code


class ServiceError(ElarianError):
    """An HTTP service answered with an error.

    Attributes:
        status: the HTTP status code.
        body: the response's body, raw.
    """

    def __init__(self, message: str, *, status: int, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class PlanshipError(ServiceError):
    """Planship answered with an error.

    Attributes:
        detail: what it says: words, or the list of what is wrong with the request (status 422: each with ``loc``,
            ``msg`` and ``type``), or ``None`` where the body says nothing of that kind.
    """

    def __init__(
        self, message: str, *, status: int, detail: str | list[dict[str, Any]] | None = None, body: bytes = b""
    ) -> None:
        super().__init__(message, status=status, body=body)
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class TalonOneProblem:
    """One thing that Talon.One found wrong with a request; see :attr:`TalonOneError.errors`.

    Attributes:
        title: what kind of thing, in the service's words: ``"Invalid type"``, ``"required"``.
        details: more words, or none.
        pointer: where in the body that was sent, as a JSON pointer: ``"/attributes/Tier"``.
        parameter: the parameter it is about, where it is none of the body's.
        line: the line it is about, where the service says one.
    """

    title: str = ""
    details: str = ""
    pointer: str | None = None
    parameter: str | None = None
    line: str | None = None

    def __str__(self) -> str:
        """Say where and what."""
        line = None if self.line is None else f"line {self.line}"
        where = next((each for each in (self.pointer, self.parameter, line) if each is not None), "")
        return ": ".join(filter(None, (where, self.title, self.details)))


class TalonOneError(ServiceError):
    """Talon.One refused a request, failed on it, or answered what cannot be read.

    The text repeats the service's message and every problem with its pointer: which attribute is not defined is
    said there and nowhere else.

    Attributes:
        message: the service's message, or ours where its answer had none.
        errors: what it found wrong, one by one.
    """

    def __init__(self, message: str, *, status: int, errors: Iterable[TalonOneProblem] = (), body: bytes = b"") -> None:
        problems = tuple(errors)
        told = "; ".join(filter(None, map(str, problems)))
        super().__init__(f"{status}: {message} ({told})" if told else f"{status}: {message}", status=status, body=body)
        self.message = message
        self.errors = problems


class TalonOneInvalid(TalonOneError):
    """The request is not what it should be (400), or its signature is wrong; ``errors`` point into the body."""


class TalonOneUnauthorized(TalonOneError):
    """There was no API key, or one that the service does not know (401)."""


class TalonOneNotFound(TalonOneError):
    """There is no such customer, campaign or operation (404)."""


class TalonOneConflict(TalonOneError):
    """Another update of the same session or profile was under way (409); asking again is safe."""

    retryable = True


class StoreError(ElarianError):
    """The sandbox's file cannot be opened, read or written; the words say why. What was refused has changed nothing."""


class InternalError(ElarianError):
    """A defect of this package: please report it. The exception group that escaped is its cause."""
