"""What frames of all types have on the wire: a header, numbers of so many bits, and bytes behind their length.

Both codecs stand above. Nothing is below but the errors: what comes is refused as the peer's fault, what is to go as
ours.
"""

from __future__ import annotations

import struct

from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

MAX_FRAME_SIZE = 0xFF_FF_FF  # lengths are 24 bits wide, on transports without a length prefix as well
MAX_STREAM_ID = 0x7F_FF_FF_FF
MAX_POSITION = 0x7F_FF_FF_FF_FF_FF_FF_FF
HEADER_SIZE = 6
HEADER = struct.Struct(">IH")  # the stream's id, then type and flags
IGNORE, METADATA = 0x200, 0x100  # the flags that mean the same in every type


def take_string(data: bytes, at: int, width: int) -> tuple[bytes, int]:
    """Read a length of *width* bytes and what it counts; also tell where that ends."""
    start = at + width
    require_bytes(data, start)
    end = start + int.from_bytes(data[at:start], "big")
    require_bytes(data, end)
    return data[start:end], end


def encode_text(text: str) -> bytes:
    """Give the bytes of the text of an ERROR."""
    return text.encode("utf-8", "replace")  # rsocket-js counts what it decoded and encoded again: valid text only


def decode_text(data: bytes) -> str:
    """Read the text of an ERROR."""
    return data.decode("utf-8", "replace")  # invalid text must not cost the connection


def past_the_end() -> RemoteProtocolError:
    """Give the error about a frame that says it is longer than it is, or shorter."""
    return RemoteProtocolError("a frame's lengths do not agree with its end")


def require_bytes(data: bytes, size: int) -> None:
    """See that what came is so long at the least."""
    if len(data) < size:
        raise past_the_end()


def require_bits(name: str, value: int, bits: int) -> None:
    """See that a number that is to go has room in its field."""
    if value >> bits:  # below zero, too
        msg = f"{name} does not fit {bits} bits: {value}"
        raise LocalProtocolError(msg)


def require_size(size: int) -> None:
    """See that a frame that is to go is not too long.

    Raises:
        LocalProtocolError: it is longer than 24 bits can say.
    """
    if size > MAX_FRAME_SIZE:
        msg = f"a frame of {size} bytes cannot be sent, the limit is {MAX_FRAME_SIZE}"
        raise LocalProtocolError(msg)
