"""The 24-bit length before each frame on a byte stream.

Above: transports over byte streams. Below: nothing but the frame size's bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._rsocket.frames import HEADER_SIZE, MAX_FRAME_SIZE, require_size

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX_SIZE = 3


def join_frames(frames: Iterable[bytes]) -> bytes:
    """Give *frames*, each behind its length, as one piece of bytes.

    Raises:
        LocalProtocolError: a frame is longer than 24 bits can say.
    """
    parts: list[bytes] = []
    for frame in frames:
        size = len(frame)
        if size > MAX_FRAME_SIZE:  # looked at here, too: a call for each frame takes longer than all else
            require_size(size)
        parts += (size.to_bytes(_PREFIX_SIZE, "big"), frame)
    return b"".join(parts)


class FrameSplitter:
    """Cuts a byte stream into frames, however the stream was cut before.

    It holds what has arrived and nothing ahead of it, so a huge length costs nothing until its bytes come. The work
    is linear in the bytes. A length too short for any frame comes out as the short frame it is, so that the
    Connection refuses it with an ERROR for the peer after having taken the good frames before it; what follows on
    the stream has lost its meaning and is dropped.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._broken = False

    @property
    def pending(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what the stream gave and return the frames that are now whole."""
        if self._broken:
            return []
        if self._buffer:
            self._buffer += data
            if not self._has_frame:
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        frames: list[bytes] = []
        start, size = 0, len(data)
        while size - start >= _PREFIX_SIZE:
            body = start + _PREFIX_SIZE
            end = body + int.from_bytes(data[start:body], "big")
            if end > size:
                break
            frames.append(data[body:end])
            start = end
            if end - body < HEADER_SIZE:
                self._broken = True
                return frames
        self._buffer += data[start:]
        return frames

    @property
    def _has_frame(self) -> bool:
        """Whether the frame whose beginning is held is whole."""
        return len(self._buffer) - _PREFIX_SIZE >= int.from_bytes(self._buffer[:_PREFIX_SIZE], "big")
