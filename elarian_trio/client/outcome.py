"""What comes out of the client's block, of all that may have happened in it.

The client stands above.
"""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, cast

import anyio
import anyio.lowlevel

from elarian_trio.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Outcome"]


class Outcome:
    """The errors of one block. Made by the client.

    Attributes:
        user: what left the user's block.
        escaped: what left our task group: a cancellation, or a defect.
    """

    __slots__ = ("escaped", "user")

    def __init__(self) -> None:
        self.user: BaseException | None = None
        self.escaped: BaseException | None = None

    def keep(self, error: BaseException) -> None:
        """Keep what left the user's block, for :meth:`settle`; a cancellation is not held back, so not kept."""
        if not isinstance(error, anyio.get_cancelled_exc_class()):
            self.user = error

    async def settle(self, failure: Exception | None) -> None:
        """Raise the one error that counts; a checkpoint if there is none.

        Ctrl-C first; then that the block was not left as it was entered; the user's error, with ours as a note; a
        cancellation; what a function of the user's raised that is no Exception, such as ``pytest.fail()`` in a handler;
        our failure; a defect.
        """
        user, escaped = self.user, self.escaped
        self.user = self.escaped = None  # they hold the frames that hold this
        try:
            interrupt = next((each for each in _leaves(escaped) if isinstance(each, _INTERRUPTS)), None)
            if interrupt is not None:
                raise interrupt
            if type(escaped) is RuntimeError and type(user) in _BY_ANYIO:
                msg = (
                    "the block was left by another task than entered it, or before one that was entered later; "
                    "'async with' sees to both"
                )
                raise RuntimeError(msg) from user or escaped
            if user is not None:
                if failure is not None and failure is not user:
                    user.add_note(f"meanwhile the client failed: {type(failure).__name__}: {failure}")
                raise user
            _raise_ours(escaped, failure)
        finally:
            del user, escaped, failure
        await anyio.lowlevel.checkpoint()


_INTERRUPTS = (KeyboardInterrupt, SystemExit)
# What a scope raises that is left by another task comes out of the task group plain, and may come out of the user's
# block before: that of the tasks comes in groups, and the user's is not let into it.
_BY_ANYIO = (NoneType, RuntimeError)


def _raise_ours(escaped: BaseException | None, failure: Exception | None) -> None:
    """Raise a cancellation, plain; else what is no Exception, which none of ours are; else our failure or a defect."""
    leaves = list(_leaves(escaped))
    cancelled = anyio.get_cancelled_exc_class()
    if leaves and all(isinstance(each, cancelled) for each in leaves):
        raise leaves[0]
    theirs = next((each for each in leaves if not isinstance(each, (Exception, cancelled))), None)
    if theirs is not None:
        raise theirs
    if failure is not None:
        raise failure from failure.__cause__  # and not "during handling of" the cancellation that it caused itself
    if escaped is not None:
        msg = "a defect in the client; please report it"
        raise InternalError(msg) from escaped


def _leaves(error: BaseException | None) -> Iterator[BaseException]:
    """Give every plain error in *error*, whether it is a group or not."""
    if isinstance(error, BaseExceptionGroup):
        for each in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _leaves(each)
    elif error is not None:
        yield error
