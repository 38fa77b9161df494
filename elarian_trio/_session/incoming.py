"""A request of the peer's, as the session's handler gets it.

:mod:`elarian_trio._session.session` makes it; whoever answers holds it. Nothing here waits.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from elarian_trio._rsocket import ErrorCode
from elarian_trio._session.callbacks import call_safely, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._session.session import Session

__all__ = ["IncomingRequest", "StreamFailed"]


class StreamFailed(Exception):
    """A stream ended with ERROR.

    Attributes:
        code: RSocket's error code, also one that it does not define.
        message: the sender's words.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"0x{code:03x}: {message}")
        self.code = code
        self.message = message


class IncomingRequest:
    """A request of the peer's. Made by the session and given to its handler, synchronously, in the reader task.

    It is answered once, from any task, at any time; all of it is synchronous.

    Attributes:
        data: the request's data.
        metadata: its metadata, ``None`` where it had none.
        session: the session it came by.
        stream_id: its stream there.
        canceled: whether it ended without an answer: the peer gave it up, or the session is over.
    """

    __slots__ = ("_callback", "_open", "canceled", "data", "metadata", "session", "stream_id")

    def __init__(self, session: Session, data: bytes, metadata: bytes | None, stream_id: int) -> None:
        self.session: Session = session
        self.stream_id: int = stream_id
        self.data: bytes = data
        self.metadata: bytes | None = metadata
        self._open = True
        self.canceled: bool = False
        self._callback: Callable[[], object] | None = None

    def respond(self, data: bytes, *, undo: Callable[[], object] | None = None) -> bool:
        """Answer with *data*; ``False`` if nobody waits any more, or it was answered before.

        Args:
            data: the answer's data.
            undo: called if the peer gives the request up before the answer has come through: it does not know of what
                it was given. Of the last :data:`~.undos.MAX_UNDOS` answers of a session that have one.
        """
        is_heard = self._close() and self._give(data)
        if is_heard and undo is not None:
            self.session.undo_unless_heard(self.stream_id, undo)
        return is_heard

    def fail(self, code: int, message: str) -> bool:
        """Answer with ERROR; ``False`` if nobody waits any more, or it was answered before."""
        return self._close() and self._give(StreamFailed(code, message))

    def fail_by(self, error: Exception) -> bool:
        """Answer that *error* was raised over it, and log that; by its class only, since its words may be a user's."""
        report(error)
        return self.fail(ErrorCode.APPLICATION_ERROR, type(error).__name__)

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Have *callback* called once it ends without an answer; at once if it already has."""
        if self.canceled:
            callback()
        elif self._open:
            self._callback = callback if self._callback is None else partial(_call_both, self._callback, callback)

    def cancel(self) -> None:
        """For the session only: nobody waits for the answer any more. Does nothing after an answer."""
        callback = self._callback
        if self._close():
            self.canceled = True
            if callback is not None:
                call_safely(callback)

    def _give(self, answer: bytes | StreamFailed) -> bool:
        """Have the first answer sent; for who stands in for a request, to take it first."""
        return self.session.answer(self.stream_id, answer)

    def _close(self) -> bool:
        was_open, self._open = self._open, False
        self._callback = None
        return was_open


def _call_both(first: Callable[[], object], second: Callable[[], object]) -> None:
    call_safely(first)
    call_safely(second)
