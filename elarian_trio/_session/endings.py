"""What a session ends with: the errors of those who wait, and its own, and a peer's words in them.

The session stands above and knows how it ended; below are the errors. All of it is pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._rsocket import ErrorCode
from elarian_trio.errors import ConnectionFailed, ConnectionLost, ElarianError, SetupRejected

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ResumptionRefused", "broken", "ended_by_peer", "not_resumed", "plain", "unanswered", "words_of"]

MAX_TEXT = 400  # characters of a peer's words that an error repeats

_SETUP_CODES = frozenset({ErrorCode.INVALID_SETUP, ErrorCode.UNSUPPORTED_SETUP, ErrorCode.REJECTED_SETUP})


class ResumptionRefused(ConnectionLost):
    """The server answered RESUME with an ERROR: it knows the session no more, so only a fresh one can follow.

    Attributes:
        code: the ERROR's.
    """

    def __init__(self, message: str, *, sent: bool, code: int) -> None:
        super().__init__(message, sent=sent)
        self.code = code


def unanswered(what: str, cause: Exception | None, *, sent: bool) -> ConnectionLost:
    """Make the error of one waiter; the session's own is its *cause*."""
    reason = f": {cause}" if isinstance(cause, ElarianError) else ""
    lost = ConnectionLost(f"{what} before the answer came{reason}", sent=sent)
    lost.__cause__ = cause
    return lost


def broken(what: str, cause: BaseException | None = None, *, opened: bool, sent: bool) -> ElarianError:
    """Make the session's own error, which is another one before the connection was *opened*."""
    error = ConnectionLost(what, sent=sent) if opened else ConnectionFailed(f"{what}, before the connection was open")
    error.__cause__ = cause
    return error


def ended_by_peer(code: int, words: str, *, opened: bool, sent: bool) -> ElarianError:
    """Make the session's own error of an ERROR on stream 0; one that comes before it was *opened* may refuse the SETUP.

    What refuses it is for the supervisor to weigh; with any other code the peer may only be in trouble now.
    """
    if code in _SETUP_CODES and not opened:
        return SetupRejected(words or "the server refused the setup", code=code)
    return broken(f"the peer ended the connection with {_error(code, words)}", opened=opened, sent=sent)


def not_resumed(code: int, words: str, *, sent: bool) -> ResumptionRefused:
    """Make the session's own error of the ERROR that answers RESUME, whatever its code."""
    return ResumptionRefused(f"the server does not resume the session: {_error(code, words)}", sent=sent, code=code)


def _error(code: int, words: str) -> str:
    return f"error 0x{code:03x} ({words})"


def words_of(message: str, redact: Callable[[str], str], token: bytes | None) -> str:
    """Give a peer's words as an error may repeat them: some say which credential or token they do not know."""
    known = (token or b"").decode("ascii", "replace")
    return _printable(redact(message.replace(known, "<token>") if known else message))


def _printable(message: str) -> str:
    """Give a peer's words as a log may hold them: on one line, and not too many."""
    return "".join(each if each.isprintable() else " " for each in message[:MAX_TEXT])


def plain(error: BaseException) -> BaseException:
    """Give the one error inside groups of one (Ctrl-C, in practice), or what was given."""
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return plain(inner[0]) if len(inner) == 1 else error
