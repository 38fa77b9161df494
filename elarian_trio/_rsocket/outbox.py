"""The only door out: what waits to be sent leaves here in order, encoded, counted, and kept where it may be repeated.

Above: the connection. Below: the turns of streams, resumption and frames. First goes the frame that opens or resumes;
KEEPALIVEs overtake everything else, so that a payload of many megabytes never keeps one waiting; then what is repeated
after a resumption, then what is new, last the ERROR that ends the connection.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from elarian_trio._rsocket.frames import KeepaliveFrame, encode_frame
from elarian_trio._rsocket.turns import Departure, Turns

if TYPE_CHECKING:
    from elarian_trio._rsocket.frames import ErrorFrame, Frame
    from elarian_trio._rsocket.resume import Resumption

_MAX_ECHOES = 1024  # a peer that asks more often than it reads gets the newest answers only
_MAX_ECHO_BYTES = 1024 * 1024  # of their data, so that large ones cannot pile up either; one always has room


class Outbox:
    """Everything that waits to be sent on one connection, whatever transport it has.

    Attributes:
        opening: SETUP, RESUME or RESUME_OK, which leaves before everything else.
        turns: what goes on streams, and is counted.
        farewell: the ERROR on stream 0 that leaves when nothing else waits.
        is_held: only the opening may leave: there is no transport, or a RESUME is not answered.
    """

    def __init__(self, fragment_size: int, resumption: Resumption) -> None:
        self.opening: Frame | None = None
        self.turns = Turns(fragment_size)
        self.farewell: ErrorFrame | None = None
        self.is_held = False
        self._resumption = resumption
        self._pings: list[KeepaliveFrame] = []  # lists, as they are short, and most connections never have any
        self._echoes: list[KeepaliveFrame] = []
        self._echo_bytes = 0

    def __bool__(self) -> bool:
        """Whether ``take`` would give anything."""
        if self.opening is not None:
            return True
        return not self.is_held and (self._has_frame or self.farewell is not None)

    def put_ping(self, frame: KeepaliveFrame) -> None:
        """Queue a KEEPALIVE of our own."""
        self._pings.append(frame)

    def put_echo(self, frame: KeepaliveFrame) -> None:
        """Queue the answer to a KEEPALIVE; the oldest are dropped where they pile up."""
        self._echoes.append(frame)
        self._echo_bytes += len(frame.data)
        while len(self._echoes) > _MAX_ECHOES or (self._echo_bytes > _MAX_ECHO_BYTES and len(self._echoes) > 1):
            self._take_echo()

    def drop_uncounted(self) -> None:
        """Forget what means something on the present transport only."""
        self.opening = None
        self._pings.clear()
        self._echoes.clear()
        self._echo_bytes = 0

    def clear(self) -> None:
        """Forget everything."""
        self.drop_uncounted()
        self.turns.clear()
        self.farewell = None

    def take(self) -> Departure | None:
        """Give the next frame that may leave; it counts as sent."""
        if self.opening is not None:
            opening, self.opening = self.opening, None
            return Departure(encode_frame(opening))
        if self.is_held:
            return None
        return self._take_keepalive() or self._take_replay() or self._take_new() or self._take_farewell()

    def take_wholes(self, max_bytes: int) -> list[tuple[int, bytes]]:
        """Give what ``take`` would as long as that is whole frames of streams, up to about *max_bytes*.

        They end where anything else may come up in between, were it only the question for the peer's position.
        """
        if self.opening is not None or self.is_held or self._pings or self._echoes:
            return []
        wholes = self.turns.take_wholes(max_bytes, self._resumption.calm_bytes)
        self._resumption.keep(*[data for _stream_id, data in wholes])
        return wholes

    @property
    def is_blocked(self) -> bool:
        """Whether the next counted frame finds no room to be kept; the others wait behind it, as order must hold."""
        size = self.turns.next_size
        return size is not None and not self._resumption.has_room(size)

    @property
    def _has_frame(self) -> bool:
        """Whether a frame other than opening and farewell could leave."""
        if self._pings or self._echoes or self._resumption.replaying:
            return True
        is_blocked = self.is_blocked
        return self._resumption.is_question_due(blocked=is_blocked) or not (is_blocked or self.turns.next_size is None)

    def _take_keepalive(self) -> Departure | None:
        """Give a KEEPALIVE, ours, an echo, or a question; it says how far we have received, 0 where nobody counts."""
        if self._pings:
            keepalive = self._pings.pop(0)
        elif self._echoes:
            keepalive = self._take_echo()
        elif self._resumption.is_question_due(blocked=self.is_blocked):
            keepalive = KeepaliveFrame(self._resumption.ask(), respond=True)
        else:
            return None
        return Departure(encode_frame(replace(keepalive, position=self._resumption.tell())))

    def _take_echo(self) -> KeepaliveFrame:
        frame = self._echoes.pop(0)
        self._echo_bytes -= len(frame.data)
        return frame

    def _take_replay(self) -> Departure | None:
        data = self._resumption.next_replay()
        return None if data is None else Departure(data)

    def _take_new(self) -> Departure | None:
        departure = None if self.is_blocked else self.turns.take()
        if departure is not None:
            self._resumption.keep(departure.data)
        return departure

    def _take_farewell(self) -> Departure | None:
        farewell, self.farewell = self.farewell, None
        return None if farewell is None else Departure(encode_frame(farewell))
