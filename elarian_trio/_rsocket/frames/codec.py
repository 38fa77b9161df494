"""The two doors between frames and bytes, and what a header tells without them.

Above: all who send and receive. Below: :mod:`.by_struct` for the two frames that carry the load, :mod:`.by_library` for
the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._rsocket.frames import by_library
from elarian_trio._rsocket.frames.by_library import BY_CLASS, BY_NUMBER
from elarian_trio._rsocket.frames.by_struct import READERS, WRITERS
from elarian_trio._rsocket.frames.classes import CancelFrame, ErrorFrame
from elarian_trio._rsocket.frames.fields import (
    HEADER,
    HEADER_SIZE,
    IGNORE,
    MAX_FRAME_SIZE,
    MAX_STREAM_ID,
    encode_text,
    require_bytes,
)
from elarian_trio.errors import RemoteProtocolError

if TYPE_CHECKING:
    from elarian_trio._rsocket.frames.classes import Frame, StreamFrame


def encode_frame(frame: Frame) -> bytes:
    """Give the bytes of *frame*, without a length prefix.

    Raises:
        LocalProtocolError: a field does not fit its width, or the whole is beyond 16,777,215 bytes.
    """
    write = WRITERS.get(type(frame))
    return by_library.write(frame) if write is None else write(frame)


def decode_frame(data: bytes) -> Frame | None:
    """Read one frame, without its length prefix.

    Returns:
        ``None`` where the protocol has the frame ignored: an unknown type with the ignore flag, a connection's frame
        on a stream, a stream's frame on stream 0.

    Raises:
        RemoteProtocolError: the protocol asks to end the connection: too short, lengths beyond the frame's end, or an
            unknown type without the ignore flag.
    """
    if not HEADER_SIZE <= len(data) <= MAX_FRAME_SIZE:
        msg = f"a frame of {len(data)} bytes cannot be"
        raise RemoteProtocolError(msg)
    stream_id, word = HEADER.unpack_from(data)
    stream_id &= MAX_STREAM_ID
    quick = READERS.get(word >> 10)
    if quick is not None:
        return quick(data, stream_id, word) if stream_id else None
    kind = BY_NUMBER.get(word >> 10)
    if kind is None:
        if word & IGNORE:
            return None
        msg = f"frame type 0x{word >> 10:02X} is unknown and may not be ignored"
        raise RemoteProtocolError(msg)
    if kind.on_stream is not None and kind.on_stream is not (stream_id > 0):
        return None
    require_bytes(data, kind.size)
    return by_library.read(kind, data, stream_id, word)


def encoded_size(frame: StreamFrame) -> int:
    """How many bytes ``encode_frame`` gives for a frame of a stream."""
    size = BY_CLASS[type(frame)].size
    match frame:
        case ErrorFrame():
            return size + len(encode_text(frame.message))
        case CancelFrame():
            return size
        case _:
            return size + len(frame.data) + (0 if frame.metadata is None else 3 + len(frame.metadata))


def type_number(frame_type: type[Frame]) -> int:
    """Give the number by which headers name a type of frame."""
    return BY_CLASS[frame_type].number


def describe_frame(data: bytes) -> str:
    """Name a frame that ``decode_frame`` gave ``None`` for, by type and stream; its content is not ours to show."""
    stream_id, word = HEADER.unpack_from(data)
    return f"frame type 0x{word >> 10:02X} on stream {stream_id & MAX_STREAM_ID}"
