"""The two frames that carry the load, a request and its answer, written and read by ``struct`` alone.

The library takes some 10 µs to write or read one, of which a client under load has as many as everything else; these
take a tenth of it. They do what :mod:`.by_library` does, and a test holds them against each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elarian_trio._rsocket.frames.classes import PayloadFrame, RequestResponseFrame
from elarian_trio._rsocket.frames.fields import (
    HEADER,
    HEADER_SIZE,
    MAX_FRAME_SIZE,
    MAX_STREAM_ID,
    METADATA,
    require_size,
    take_string,
)
from elarian_trio.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket.frames.classes import Frame

WHOLE_REQUEST = 0x04 << 10  # what a header says behind the stream id: type and flags
WHOLE_ANSWER = 0x0A << 10 | 0x40 | 0x20  # complete, and next
_WHOLES = frozenset({WHOLE_REQUEST, WHOLE_ANSWER})


def encode_request(stream_id: int, data: bytes) -> bytes:
    """Write a whole REQUEST_RESPONSE without metadata, as ``encode_frame`` would, but for checking its parts."""
    return HEADER.pack(stream_id, WHOLE_REQUEST) + data


def encode_answer(stream_id: int, data: bytes) -> bytes:
    """Write a whole PAYLOAD without metadata that completes its stream, likewise."""
    return HEADER.pack(stream_id, WHOLE_ANSWER) + data


def _write_request(frame: RequestResponseFrame) -> bytes:
    return _join(frame.stream_id, WHOLE_REQUEST | (0x80 if frame.follows else 0), frame.data, frame.metadata)


def _write_payload(frame: PayloadFrame) -> bytes:
    flags = (0x80 if frame.follows else 0) | (0x40 if frame.complete else 0) | (0x20 if frame.next_ else 0)
    return _join(frame.stream_id, 0x0A << 10 | flags, frame.data, frame.metadata)


def _join(stream_id: int, word: int, data: bytes, metadata: bytes | None) -> bytes:
    if not 0 < stream_id <= MAX_STREAM_ID:
        msg = f"a frame of a request cannot go on stream {stream_id}"
        raise LocalProtocolError(msg)
    if metadata is None:
        require_size(HEADER_SIZE + len(data))
        return HEADER.pack(stream_id, word) + data
    require_size(HEADER_SIZE + 3 + len(metadata) + len(data))
    return b"".join((HEADER.pack(stream_id, word | METADATA), len(metadata).to_bytes(3, "big"), metadata, data))


WRITERS: dict[type[Frame], Callable[[Any], bytes]] = {
    RequestResponseFrame: _write_request,
    PayloadFrame: _write_payload,
}


def read_whole(data: bytes) -> tuple[int, int]:
    """Give stream id and kind of a whole frame without metadata, or what is neither.

    The kind is :data:`WHOLE_REQUEST` or :data:`WHOLE_ANSWER`. The data of such a frame begins behind its header, and
    there is nothing else that ``decode_frame`` could tell, or find wrong. Of any other frame, or what is none, the
    kind is 0.
    """
    if not HEADER_SIZE <= len(data) <= MAX_FRAME_SIZE:
        return 0, 0
    stream_id, word = found = HEADER.unpack_from(data)
    return found if word in _WHOLES and 0 < stream_id <= MAX_STREAM_ID else (0, 0)


def _read_request(data: bytes, stream_id: int, word: int) -> Frame:
    metadata, at = _split(data, word)
    return RequestResponseFrame(stream_id, data[at:], metadata, follows=bool(word & 0x80))


def _read_payload(data: bytes, stream_id: int, word: int) -> Frame:
    metadata, at = _split(data, word)
    follows, complete, next_ = bool(word & 0x80), bool(word & 0x40), bool(word & 0x20)
    return PayloadFrame(stream_id, data[at:], metadata, follows=follows, complete=complete, next_=next_)


def _split(data: bytes, word: int) -> tuple[bytes | None, int]:
    """Give the metadata of a payload, and where the data begins."""
    return take_string(data, HEADER_SIZE, 3) if word & METADATA else (None, HEADER_SIZE)


READERS: dict[int, Callable[[bytes, int, int], Frame]] = {0x04: _read_request, 0x0A: _read_payload}
