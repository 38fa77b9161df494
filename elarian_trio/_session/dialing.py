"""What it means that dialing raised, be it our transports' function or one of the user's, or a source of credentials.

The supervisor stands above and dials; below are the errors, into which those of others are translated here.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import trio

from elarian_trio.errors import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["dialing"]

# What says that nobody was reached. Trio's own as well, since a user's `dial` may be written for Trio alone.
_UNREACHABLE = (
    OSError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
)


@contextmanager
def dialing(*, first: bool) -> Generator[None]:
    """Give a block in which a server is dialed, and from which comes what may be tried again as ConnectionFailed.

    Args:
        first: whether no connection ever stood: what is no failure to reach somebody is most likely a mistake of the
            program's then, and it should see it plainly.

    Raises:
        ConnectionFailed: dialing said so itself, nobody was reached, or, but at *first*, something else was raised,
            whose words may be secret.
        Exception: what was raised at *first*, as it is.
    """
    try:
        yield
    except ConnectionFailed:
        raise
    except _UNREACHABLE as error:
        msg = f"the connection could not be opened: {str(error) or type(error).__name__}"
        raise ConnectionFailed(msg) from error
    except Exception as error:
        if first:
            raise
        raise _raised(error) from error
    except anyio.get_cancelled_exc_class() as error:
        if anyio.current_effective_deadline() == -math.inf:
            raise
        # asyncio's CancelledError, of something else that dialing waited for: let out, it would end us in silence
        raise _raised(error) from error


def _raised(error: BaseException) -> ConnectionFailed:
    return ConnectionFailed(f"dialing raised {type(error).__name__}")
