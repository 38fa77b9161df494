"""Our requests that wait for an answer, with what the connection knows of each.

The session stands above; below are the waiters and the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._session.pending import Pending
from elarian_trio.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket import Connection
    from elarian_trio._session.pending import Waiter

__all__ = ["Requests"]


class Requests(Pending[int, bytes]):
    """Waiters by the stream of a request. Made by the session, for its connection."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    @property
    def any_sent(self) -> bool:
        """Whether the peer may have acted on one that has no answer yet."""
        return any(map(self._connection.was_sent, self.unanswered()))

    def unsent(self) -> list[int]:
        """Give the streams of those of which the peer knows nothing."""
        return [stream_id for stream_id in self.unanswered() if not self._connection.was_sent(stream_id)]

    def was_sent(self, stream_id: int, waiter: Waiter[bytes]) -> bool:
        """Whether the peer may have acted, also where the caller was cancelled in the moment the session ended."""
        if isinstance(waiter.error, ConnectionLost):  # the connection has forgotten what was not sent
            return waiter.error.sent
        return waiter.done or self._connection.was_sent(stream_id)

    def give_up(self, stream_id: int, error_for: Callable[[bool], ConnectionLost]) -> None:
        """Fail one by what *error_for* makes of whether it was sent; what was not sent by now never is."""
        sent = self._connection.was_sent(stream_id)
        if not sent:
            self._connection.cancel(stream_id)
        self.fail(stream_id, error_for(sent))
