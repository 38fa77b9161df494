"""How a server lets a client in: its SETUP, what comes behind it meanwhile, and the decision.

Above: the connection, which is asked for the decision. Below: setup and frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._rsocket.frames import ErrorCode, ResumeFrame, SetupFrame
from elarian_trio._rsocket.refusal import PeerRefused
from elarian_trio._rsocket.setup import refuse_setup, setup_from_frame
from elarian_trio.errors import LocalProtocolError

if TYPE_CHECKING:
    from elarian_trio._rsocket.frames import Frame
    from elarian_trio._rsocket.setup import Setup

_MAX_HELD = 1024  # frames behind a SETUP that is not accepted yet


class Admission:
    """A client at the door of a server. Made by the connection; a client's own one is never used.

    Args:
        resumable: whether the server keeps sessions.
        max_bytes: of frames that wait for the decision.

    Attributes:
        is_due: whether a SETUP waits for the decision.
    """

    def __init__(self, *, resumable: bool, max_bytes: int) -> None:
        self.is_due = False
        self._resumable = resumable
        self._max_bytes = max_bytes
        self._held: list[Frame] = []
        self._held_size = 0

    def receive_first(self, frame: Frame | None) -> Setup:
        """Take the first frame, which must be a SETUP; the decision on it is due then.

        Raises:
            PeerRefused: it is something else, or asks for what no server of ours can do.
        """
        if isinstance(frame, ResumeFrame):
            raise PeerRefused(ErrorCode.REJECTED_RESUME, "there is no such session here")
        if not isinstance(frame, SetupFrame):
            raise PeerRefused(ErrorCode.INVALID_SETUP, "the first frame must be a SETUP")
        refusal = refuse_setup(frame, resumable=self._resumable)
        if refusal is not None:
            raise PeerRefused(*refusal)
        self.is_due = True
        return setup_from_frame(frame)

    def hold(self, frame: Frame, size: int) -> None:
        """Keep a frame of *size* bytes until the decision.

        Raises:
            PeerRefused: that is too much.
        """
        self._held.append(frame)
        self._held_size += size
        if len(self._held) > _MAX_HELD or self._held_size > self._max_bytes:
            raise PeerRefused(ErrorCode.CONNECTION_ERROR, "too much came before the SETUP was accepted")

    def decide(self) -> list[Frame]:
        """Have it decided; give what was held.

        Raises:
            LocalProtocolError: no SETUP waits for an answer.
        """
        if not self.is_due:
            msg = "no SETUP waits for an answer"
            raise LocalProtocolError(msg)
        held = self._held
        self.clear()
        return held

    def clear(self) -> None:
        """Forget everything: nobody waits at the door."""
        self.is_due = False
        self._held = []
        self._held_size = 0
