"""Why a connection ends for what the peer did, told by whoever notices.

Above: whatever takes frames apart raises it, the connection obeys. Below: error codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elarian_trio._rsocket.frames import ErrorCode


class PeerRefused(Exception):
    """What the peer sent ends the connection.

    Attributes:
        code: what the ERROR on stream 0 says.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
