"""How a command ends: its exit status, and the words for what went wrong.

:mod:`.commands` stands above, and asks here about whatever a command raises.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from elarian_trio.errors import (
    CommandError,
    CommandTimedOut,
    ConnectionFailed,
    ConnectionLost,
    RemoteProtocolError,
    SetupRejected,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EPILOGUE", "EXPECTED", "NO_CONNECTION", "OK", "REFUSED", "USAGE", "status_of", "words_for"]

OK = 0
REFUSED = 1  # the server said no, a check failed, or the system would not
USAGE = 2  # the command cannot be meant like that; nothing was sent
NO_CONNECTION = 3  # nobody there, or no answer from whoever is
BY_SIGNAL = 128  # and the signal's number, as shells have it
PIPE_CLOSED = 141  # 128 and SIGPIPE's number: whoever read the output has seen enough

EPILOGUE = (
    "Exit status: 0 all is well; 1 the server refused, or a check failed; 2 the command is wrong or lacks something; "
    "3 no connection, or no answer; 130 Ctrl-C (128 and the signal's number)."
)

_STATUSES: Sequence[tuple[type[Exception], int]] = (
    (SetupRejected, REFUSED),
    (ConnectionFailed, NO_CONNECTION),
    (ConnectionLost, NO_CONNECTION),
    (CommandTimedOut, NO_CONNECTION),
    (RemoteProtocolError, NO_CONNECTION),
    (CommandError, REFUSED),
    (StoreError, REFUSED),
    (BrokenPipeError, PIPE_CLOSED),
    (ModuleNotFoundError, USAGE),
    (ValueError, USAGE),
    (OSError, REFUSED),
)
"""The first that fits counts. Whatever stands in none of these lines is a defect, and shows its traceback."""

EXPECTED: tuple[type[Exception], ...] = tuple(each for each, _ in _STATUSES)


def status_of(error: Exception) -> int:
    """Give the exit status for what a command raised."""
    return next(status for each, status in _STATUSES if isinstance(error, each))


def words_for(error: Exception) -> str:
    """Say what went wrong in one line: the attempt that failed says more than giving up after it."""
    if isinstance(error, SetupRejected):
        return f"the server refused the connection: {error}; see to the organisation, the app and the credential"
    if isinstance(error, ConnectionFailed) and isinstance(error.__cause__, ConnectionFailed):
        return words_for(error.__cause__)
    if isinstance(error, RemoteProtocolError):
        return f"whoever answers there speaks no RSocket: {error}"
    if isinstance(error, OSError) and error.strerror and error.filename is None:  # without the number of the error
        more = ": choose another port, or 0 for a free one" if error.errno == errno.EADDRINUSE else ""
        return f"{error.strerror}{more}"
    words = error.description if isinstance(error, CommandError) else str(error)
    return words or type(error).__name__
