"""RSocket 1.0 frames as frozen values, and the two doors between them and bytes.

Above: fragments, setup, outbox and connection, which know frames only as these values. Below: the ``rsocket`` package,
whose frame classes read and write the bodies of all but the two that carry the load; nothing else in the project
imports it. Its known defects are mended
here: what it cannot say (metadata that is present but empty, MIME types beyond 127 bytes, error codes it does not
list, a PAYLOAD with data and no N flag), and what it lets pass (lengths past the frame's end, reserved bits, frames
beyond 24 bits of length).

Layouts and reactions follow RSocket's Protocol.md, version 1.0.
"""

from __future__ import annotations

import struct
from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

# The package has no types; whatever comes of it is Any here and goes no further.
import rsocket.frame

from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_FRAME_SIZE = 0xFF_FF_FF  # lengths are 24 bits wide, on transports without a length prefix as well
MAX_STREAM_ID = 0x7F_FF_FF_FF
MAX_POSITION = 0x7F_FF_FF_FF_FF_FF_FF_FF
HEADER_SIZE = 6


class ErrorCode(IntEnum):
    """The error codes of RSocket 1.0; 0x301 to 0xFFFFFFFE belong to applications and stay plain integers."""

    INVALID_SETUP = 0x001
    UNSUPPORTED_SETUP = 0x002
    REJECTED_SETUP = 0x003
    REJECTED_RESUME = 0x004
    CONNECTION_ERROR = 0x101
    CONNECTION_CLOSE = 0x102
    APPLICATION_ERROR = 0x201
    REJECTED = 0x202
    CANCELED = 0x203
    INVALID = 0x204


@dataclass(frozen=True, slots=True)
class SetupFrame:
    """SETUP: the client's first frame. Times are milliseconds; a resume token sets the R flag."""

    keepalive_ms: int
    lifetime_ms: int
    _: KW_ONLY
    metadata_mime: bytes
    data_mime: bytes
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    resume_token: bytes | None = field(default=None, repr=False)
    lease: bool = False
    major: int = 1
    minor: int = 0


@dataclass(frozen=True, slots=True)
class LeaseFrame:
    """LEASE: permission for a number of requests within a time."""

    time_to_live_ms: int
    requests: int
    metadata: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeepaliveFrame:
    """KEEPALIVE; with ``respond`` the peer sends the same data back."""

    data: bytes = b""
    _: KW_ONLY
    respond: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class RequestResponseFrame:
    """REQUEST_RESPONSE: one payload there, one back."""

    stream_id: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False


@dataclass(frozen=True, slots=True)
class RequestFnfFrame:
    """REQUEST_FNF: one payload there, nothing back."""

    stream_id: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False


@dataclass(frozen=True, slots=True)
class RequestStreamFrame:
    """REQUEST_STREAM, with the first credit."""

    stream_id: int
    initial_n: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False


@dataclass(frozen=True, slots=True)
class RequestChannelFrame:
    """REQUEST_CHANNEL, with the first credit."""

    stream_id: int
    initial_n: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False
    complete: bool = False


@dataclass(frozen=True, slots=True)
class RequestNFrame:
    """REQUEST_N: more credit."""

    stream_id: int
    n: int


@dataclass(frozen=True, slots=True)
class CancelFrame:
    """CANCEL: the requester waits no more."""

    stream_id: int


@dataclass(frozen=True, slots=True)
class PayloadFrame:
    """PAYLOAD: an answer, or a further piece of a fragmented payload."""

    stream_id: int
    data: bytes = field(default=b"", repr=False)
    metadata: bytes | None = field(default=None, repr=False)
    _: KW_ONLY
    follows: bool = False
    complete: bool = False
    next_: bool = False


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """ERROR: on stream 0 the session ends, on another that request does. ``code`` may be any 32 bits."""

    stream_id: int
    code: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class MetadataPushFrame:
    """METADATA_PUSH: metadata about the connection."""

    metadata: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ResumeFrame:
    """RESUME: what the client last received, and the oldest position it can still repeat."""

    token: bytes = field(repr=False)
    last_server_position: int
    first_client_position: int
    _: KW_ONLY
    major: int = 1
    minor: int = 0


@dataclass(frozen=True, slots=True)
class ResumeOkFrame:
    """RESUME_OK: what the server last received."""

    last_client_position: int


FragmentableFrame: TypeAlias = (
    RequestResponseFrame | RequestFnfFrame | RequestStreamFrame | RequestChannelFrame | PayloadFrame
)
StreamFrame: TypeAlias = FragmentableFrame | CancelFrame | ErrorFrame  # those we send on streams
RequestFrame: TypeAlias = RequestResponseFrame | RequestFnfFrame | RequestStreamFrame | RequestChannelFrame
IncomingFrame: TypeAlias = FragmentableFrame | CancelFrame | ErrorFrame | RequestNFrame  # those that come on streams
Frame: TypeAlias = (
    FragmentableFrame
    | SetupFrame
    | LeaseFrame
    | KeepaliveFrame
    | RequestNFrame
    | CancelFrame
    | ErrorFrame
    | MetadataPushFrame
    | ResumeFrame
    | ResumeOkFrame
)


class _Present(bytes):
    """Empty metadata that is there: the library writes the length of whatever is true."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


_library: Any = rsocket.frame
_HEADER = struct.Struct(">IH")
_EMPTY_METADATA = _Present()
_IGNORE, _METADATA, _RESUME = 0x200, 0x100, 0x80
WHOLE_REQUEST = 0x04 << 10  # what a header says behind the stream id: type and flags
WHOLE_ANSWER = 0x0A << 10 | 0x40 | 0x20  # complete, and next
_WHOLES = frozenset({WHOLE_REQUEST, WHOLE_ANSWER})
_SETUP_STRINGS_AT = 18  # after header, version and two times come token and MIME types


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one frame type is laid out, and what the library calls its parts.

    Attributes:
        on_stream: True needs a stream, False stream 0, None takes either.
        size: bytes before payload, token or text.
        numbers: our name, the library's name, and how many bits count.
        flags: our name and its bit.
        payload: whether metadata carries its length, with data after it.
        data: whether our frame has data.
        metadata: whether our frame has metadata.
    """

    number: int
    make: Callable[..., Frame]
    library: Any
    on_stream: bool | None
    size: int
    numbers: tuple[tuple[str, str, int], ...] = ()
    flags: tuple[tuple[str, int], ...] = ()
    payload: bool = False
    data: bool = False
    metadata: bool = False


_FOLLOWS = ("follows", 0x80)
_COMPLETE = ("complete", 0x40)
_CREDIT = ("initial_n", "initial_request_n", 31)
_VERSION = (("major", "major_version", 16), ("minor", "minor_version", 16))
_with_payload = partial(_Kind, payload=True, data=True, metadata=True)

_KINDS: tuple[_Kind, ...] = (
    _with_payload(
        0x01,
        SetupFrame,
        _library.SetupFrame,
        on_stream=False,
        size=20,
        numbers=(
            ("keepalive_ms", "keep_alive_milliseconds", 32),
            ("lifetime_ms", "max_lifetime_milliseconds", 32),
            *_VERSION,
        ),
        flags=(("lease", 0x40),),
    ),
    _Kind(
        0x02,
        LeaseFrame,
        _library.LeaseFrame,
        on_stream=False,
        size=14,
        numbers=(("time_to_live_ms", "time_to_live", 31), ("requests", "number_of_requests", 31)),
        metadata=True,
    ),
    _Kind(
        0x03,
        KeepaliveFrame,
        _library.KeepAliveFrame,
        on_stream=False,
        size=14,
        numbers=(("position", "last_received_position", 63),),
        flags=(("respond", 0x80),),
        data=True,
    ),
    _with_payload(0x04, RequestResponseFrame, _library.RequestResponseFrame, on_stream=True, size=6, flags=(_FOLLOWS,)),
    _with_payload(0x05, RequestFnfFrame, _library.RequestFireAndForgetFrame, on_stream=True, size=6, flags=(_FOLLOWS,)),
    _with_payload(
        0x06,
        RequestStreamFrame,
        _library.RequestStreamFrame,
        on_stream=True,
        size=10,
        numbers=(_CREDIT,),
        flags=(_FOLLOWS,),
    ),
    _with_payload(
        0x07,
        RequestChannelFrame,
        _library.RequestChannelFrame,
        on_stream=True,
        size=10,
        numbers=(_CREDIT,),
        flags=(_FOLLOWS, _COMPLETE),
    ),
    _Kind(0x08, RequestNFrame, _library.RequestNFrame, on_stream=True, size=10, numbers=(("n", "request_n", 31),)),
    _Kind(0x09, CancelFrame, _library.CancelFrame, on_stream=True, size=6),
    _with_payload(
        0x0A,
        PayloadFrame,
        _library.PayloadFrame,
        on_stream=True,
        size=6,
        flags=(_FOLLOWS, _COMPLETE, ("next_", 0x20)),
    ),
    _Kind(0x0B, ErrorFrame, _library.ErrorFrame, on_stream=None, size=10, numbers=(("code", "error_code", 32),)),
    _Kind(0x0C, MetadataPushFrame, _library.MetadataPushFrame, on_stream=False, size=6, metadata=True),
    _Kind(
        0x0D,
        ResumeFrame,
        _library.ResumeFrame,
        on_stream=False,
        size=28,
        numbers=(
            *_VERSION,
            ("last_server_position", "last_server_position", 63),
            ("first_client_position", "first_client_position", 63),
        ),
    ),
    _Kind(
        0x0E,
        ResumeOkFrame,
        _library.ResumeOKFrame,
        on_stream=False,
        size=14,
        numbers=(("last_client_position", "last_received_client_position", 63),),
    ),
)
_BY_NUMBER = {kind.number: kind for kind in _KINDS}
_BY_CLASS: dict[Callable[..., Frame], _Kind] = {kind.make: kind for kind in _KINDS}


def encode_frame(frame: Frame) -> bytes:
    """Give the bytes of *frame*, without a length prefix.

    Raises:
        LocalProtocolError: a field does not fit its width, or the whole is beyond 16,777,215 bytes.
    """
    write = _QUICK_WRITERS.get(type(frame))
    return _write(frame) if write is None else write(frame)


def _write(frame: Frame) -> bytes:
    """Have the library write *frame*."""
    kind = _BY_CLASS[type(frame)]
    stream_id = getattr(frame, "stream_id", 0)
    if kind.on_stream is not None and kind.on_stream is not (stream_id > 0):
        msg = f"{type(frame).__name__} cannot go on stream {stream_id}"
        raise LocalProtocolError(msg)
    _require_bits("stream_id", stream_id, 31)
    theirs = _fill(kind, frame)
    flags = sum(mask for name, mask in kind.flags if getattr(frame, name))
    if kind.metadata and getattr(frame, "metadata") is not None:  # noqa: B009 - a frame of any class
        flags |= _METADATA
    body = theirs.serialize_frame_prefix()[HEADER_SIZE:]
    if isinstance(frame, SetupFrame):
        body = _with_setup_strings(body, frame)
        flags |= _RESUME if frame.resume_token is not None else 0
    # The library's header would force N on a PAYLOAD and forget M on empty metadata, so the header is ours.
    parts = [_HEADER.pack(stream_id, kind.number << 10 | flags), body]
    theirs.write_data_metadata(parts.append)
    encoded = b"".join(parts)
    _require_size(len(encoded))
    return encoded


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
    stream_id, word = _HEADER.unpack_from(data)
    stream_id &= MAX_STREAM_ID
    quick = _QUICK_READERS.get(word >> 10)
    if quick is not None:
        return quick(data, stream_id, word) if stream_id else None
    kind = _BY_NUMBER.get(word >> 10)
    if kind is None:
        if word & _IGNORE:
            return None
        msg = f"frame type 0x{word >> 10:02X} is unknown and may not be ignored"
        raise RemoteProtocolError(msg)
    if kind.on_stream is not None and kind.on_stream is not (stream_id > 0):
        return None
    _require_bytes(data, kind.size)
    return _READERS.get(kind.number, _read)(kind, data, stream_id, word)


def encoded_size(frame: StreamFrame) -> int:
    """How many bytes ``encode_frame`` gives for a frame of a stream."""
    size = _BY_CLASS[type(frame)].size
    match frame:
        case ErrorFrame():
            return size + len(_encode_text(frame.message))
        case CancelFrame():
            return size
        case _:
            return size + len(frame.data) + (0 if frame.metadata is None else 3 + len(frame.metadata))


def type_number(frame_type: type[Frame]) -> int:
    """Give the number by which headers name a type of frame."""
    return _BY_CLASS[frame_type].number


def describe_frame(data: bytes) -> str:
    """Name a frame that ``decode_frame`` gave ``None`` for, by type and stream; its content is not ours to show."""
    stream_id, word = _HEADER.unpack_from(data)
    return f"frame type 0x{word >> 10:02X} on stream {stream_id & MAX_STREAM_ID}"


def _fill(kind: _Kind, frame: Any) -> Any:  # noqa: ANN401 - both sides are told apart by the table only
    """Make the library's frame out of ours."""
    theirs = kind.library()
    for ours, name, bits in kind.numbers:
        value = getattr(frame, ours)
        _require_bits(ours, value, bits)
        setattr(theirs, name, value)
    if kind.data:
        theirs.data = frame.data
    if kind.metadata and frame.metadata is not None:
        theirs.metadata = frame.metadata or (_EMPTY_METADATA if kind.payload else b"")
    _require_size(len(theirs.data) + len(theirs.metadata))  # before the library writes a length that wraps
    match frame:
        case SetupFrame():
            theirs.metadata_encoding = theirs.data_encoding = b""
        case ErrorFrame():
            theirs.data = _encode_text(frame.message)
        case ResumeFrame():
            _require_bits("token's length", len(frame.token), 16)
            theirs.resume_identification_token = frame.token
        case _:
            pass
    return theirs


def _with_setup_strings(body: bytes, frame: SetupFrame) -> bytes:
    """Put token and MIME types where the library wrote two empty ones: it takes MIME lengths for signed."""
    at = _SETUP_STRINGS_AT - HEADER_SIZE
    parts = [body[:at]]
    strings = ((frame.resume_token, 2), (frame.metadata_mime, 1), (frame.data_mime, 1))
    for string, width in strings:
        if string is not None:
            _require_bits("the length of a SETUP string", len(string), 8 * width)
            parts += (len(string).to_bytes(width, "big"), string)
    return b"".join((*parts, body[at + 2 :]))


def _read(kind: _Kind, data: bytes, stream_id: int, word: int, **more: object) -> Frame:
    """Have the library read *data*, whose lengths are checked, and make our frame of it."""
    if kind.payload and word & _METADATA:
        _require_bytes(data, kind.size + 3)
        _require_bytes(data, kind.size + 3 + int.from_bytes(data[kind.size : kind.size + 3], "big"))
    theirs = kind.library()
    theirs.parse(data, 0)
    values: dict[str, Any] = {ours: getattr(theirs, name) & (1 << bits) - 1 for ours, name, bits in kind.numbers}
    values |= {ours: bool(word & mask) for ours, mask in kind.flags}
    if kind.on_stream:
        values["stream_id"] = stream_id
    if kind.data:
        values["data"] = theirs.data
    if kind.metadata and (word & _METADATA or kind.make is MetadataPushFrame):
        values["metadata"] = theirs.metadata
    return kind.make(**values | more)


def _read_setup(kind: _Kind, data: bytes, stream_id: int, word: int) -> Frame:
    """Take token and MIME types out, which the library misreads, and let it read the rest."""
    at = _SETUP_STRINGS_AT
    token = None
    if word & _RESUME:
        token, at = _take_string(data, at, 2)
    metadata_mime, at = _take_string(data, at, 1)
    data_mime, at = _take_string(data, at, 1)
    word &= ~_RESUME
    rest = b"".join((_HEADER.pack(stream_id, word), data[HEADER_SIZE:_SETUP_STRINGS_AT], bytes(2), data[at:]))
    return _read(kind, rest, stream_id, word, metadata_mime=metadata_mime, data_mime=data_mime, resume_token=token)


def _read_error(kind: _Kind, data: bytes, stream_id: int, _word: int) -> Frame:
    """Read an ERROR without the library, which knows no applications' codes and leaves the text to its caller."""
    return ErrorFrame(stream_id, int.from_bytes(data[HEADER_SIZE : kind.size], "big"), _text(data[kind.size :]))


def _read_resume(kind: _Kind, data: bytes, stream_id: int, word: int) -> Frame:
    """Read a RESUME once its token is known to fill exactly the room between the fixed fields."""
    token, _ = _take_string(data, HEADER_SIZE + 4, 2)
    if len(data) != kind.size + len(token):
        raise _past_the_end()
    return _read(kind, data, stream_id, word, token=token)


_READERS: dict[int, Callable[[_Kind, bytes, int, int], Frame]] = {
    0x01: _read_setup,
    0x0B: _read_error,
    0x0D: _read_resume,
}


# --- the two frames that carry the load ---
#
# The library takes some 10 µs to write or read one, of which a client under load has as many as everything else; these
# take a tenth of it. They do what _write and _read do, and a test holds them against each other.


def encode_request(stream_id: int, data: bytes) -> bytes:
    """Write a whole REQUEST_RESPONSE without metadata, as ``encode_frame`` would, but for checking its parts."""
    return _HEADER.pack(stream_id, WHOLE_REQUEST) + data


def encode_answer(stream_id: int, data: bytes) -> bytes:
    """Write a whole PAYLOAD without metadata that completes its stream, likewise."""
    return _HEADER.pack(stream_id, WHOLE_ANSWER) + data


def _write_request(frame: RequestResponseFrame) -> bytes:
    return _join(frame.stream_id, WHOLE_REQUEST | (0x80 if frame.follows else 0), frame.data, frame.metadata)


def _write_payload(frame: PayloadFrame) -> bytes:
    flags = (0x80 if frame.follows else 0) | (0x40 if frame.complete else 0) | (0x20 if frame.next_ else 0)
    return _join(frame.stream_id, 0x0A << 10 | flags, frame.data, frame.metadata)


_QUICK_WRITERS: dict[type[Frame], Callable[[Any], bytes]] = {
    RequestResponseFrame: _write_request,
    PayloadFrame: _write_payload,
}


def _join(stream_id: int, word: int, data: bytes, metadata: bytes | None) -> bytes:
    if not 0 < stream_id <= MAX_STREAM_ID:
        msg = f"a frame of a request cannot go on stream {stream_id}"
        raise LocalProtocolError(msg)
    if metadata is None:
        _require_size(HEADER_SIZE + len(data))
        return _HEADER.pack(stream_id, word) + data
    _require_size(HEADER_SIZE + 3 + len(metadata) + len(data))
    return b"".join((_HEADER.pack(stream_id, word | _METADATA), len(metadata).to_bytes(3, "big"), metadata, data))


def read_whole(data: bytes) -> tuple[int, int]:
    """Give stream id and kind of a whole frame without metadata, or what is neither.

    The kind is :data:`WHOLE_REQUEST` or :data:`WHOLE_ANSWER`. The data of such a frame begins behind its header, and
    there is nothing else that ``decode_frame`` could tell, or find wrong. Of any other frame, or what is none, the
    kind is 0.
    """
    if not HEADER_SIZE <= len(data) <= MAX_FRAME_SIZE:
        return 0, 0
    stream_id, word = found = _HEADER.unpack_from(data)
    return found if word in _WHOLES and 0 < stream_id <= MAX_STREAM_ID else (0, 0)


def _read_request(data: bytes, stream_id: int, word: int) -> Frame:
    metadata, at = _split(data, word)
    return RequestResponseFrame(stream_id, data[at:], metadata, follows=bool(word & 0x80))


def _read_payload(data: bytes, stream_id: int, word: int) -> Frame:
    metadata, at = _split(data, word)
    follows, complete, next_ = bool(word & 0x80), bool(word & 0x40), bool(word & 0x20)
    return PayloadFrame(stream_id, data[at:], metadata, follows=follows, complete=complete, next_=next_)


_QUICK_READERS: dict[int, Callable[[bytes, int, int], Frame]] = {0x04: _read_request, 0x0A: _read_payload}


def _split(data: bytes, word: int) -> tuple[bytes | None, int]:
    """Give the metadata of a payload, and where the data begins."""
    return _take_string(data, HEADER_SIZE, 3) if word & _METADATA else (None, HEADER_SIZE)


def _take_string(data: bytes, at: int, width: int) -> tuple[bytes, int]:
    """Read a length of *width* bytes and what it counts; also tell where that ends."""
    start = at + width
    _require_bytes(data, start)
    end = start + int.from_bytes(data[at:start], "big")
    _require_bytes(data, end)
    return data[start:end], end


def _encode_text(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # rsocket-js counts what it decoded and encoded again: valid text only


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")  # invalid text must not cost the connection


def _past_the_end() -> RemoteProtocolError:
    return RemoteProtocolError("a frame's lengths do not agree with its end")


def _require_bytes(data: bytes, size: int) -> None:
    if len(data) < size:
        raise _past_the_end()


def _require_bits(name: str, value: int, bits: int) -> None:
    if value >> bits:  # below zero, too
        msg = f"{name} does not fit {bits} bits: {value}"
        raise LocalProtocolError(msg)


def _require_size(size: int) -> None:
    if size > MAX_FRAME_SIZE:
        msg = f"a frame of {size} bytes cannot be sent, the limit is {MAX_FRAME_SIZE}"
        raise LocalProtocolError(msg)
