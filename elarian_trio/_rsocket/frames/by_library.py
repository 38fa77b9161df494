"""Frames of every type, written and read by the ``rsocket`` package, which nothing else in the project imports.

Above: the codec. The package's known defects are mended here: what it cannot say (metadata that is present but empty,
MIME types beyond 127 bytes, error codes it does not list, a PAYLOAD with data and no N flag), and what it lets pass
(lengths past the frame's end, reserved bits, frames beyond 24 bits of length).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from elarian_trio._rsocket.frames.classes import (
    CancelFrame,
    ErrorFrame,
    KeepaliveFrame,
    LeaseFrame,
    MetadataPushFrame,
    PayloadFrame,
    RequestChannelFrame,
    RequestFnfFrame,
    RequestNFrame,
    RequestResponseFrame,
    RequestStreamFrame,
    ResumeFrame,
    ResumeOkFrame,
    SetupFrame,
)
from elarian_trio._rsocket.frames.fields import (
    HEADER,
    HEADER_SIZE,
    METADATA,
    decode_text,
    encode_text,
    past_the_end,
    require_bits,
    require_bytes,
    require_size,
    take_string,
)
from elarian_trio.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from elarian_trio._rsocket.frames.classes import Frame

_RESUME = 0x80  # the flag of a SETUP that has a token
_SETUP_STRINGS_AT = 18  # after header, version and two times come token and MIME types


class _Present(bytes):
    """Empty metadata that is there: the library writes the length of whatever is true."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


_EMPTY_METADATA = _Present()


@dataclass(frozen=True, slots=True)
class Kind:
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
    library: str
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
_with_payload = partial(Kind, payload=True, data=True, metadata=True)

_KINDS: tuple[Kind, ...] = (
    _with_payload(
        0x01,
        SetupFrame,
        "SetupFrame",
        on_stream=False,
        size=20,
        numbers=(
            ("keepalive_ms", "keep_alive_milliseconds", 32),
            ("lifetime_ms", "max_lifetime_milliseconds", 32),
            *_VERSION,
        ),
        flags=(("lease", 0x40),),
    ),
    Kind(
        0x02,
        LeaseFrame,
        "LeaseFrame",
        on_stream=False,
        size=14,
        numbers=(("time_to_live_ms", "time_to_live", 31), ("requests", "number_of_requests", 31)),
        metadata=True,
    ),
    Kind(
        0x03,
        KeepaliveFrame,
        "KeepAliveFrame",
        on_stream=False,
        size=14,
        numbers=(("position", "last_received_position", 63),),
        flags=(("respond", 0x80),),
        data=True,
    ),
    _with_payload(0x04, RequestResponseFrame, "RequestResponseFrame", on_stream=True, size=6, flags=(_FOLLOWS,)),
    _with_payload(0x05, RequestFnfFrame, "RequestFireAndForgetFrame", on_stream=True, size=6, flags=(_FOLLOWS,)),
    _with_payload(
        0x06,
        RequestStreamFrame,
        "RequestStreamFrame",
        on_stream=True,
        size=10,
        numbers=(_CREDIT,),
        flags=(_FOLLOWS,),
    ),
    _with_payload(
        0x07,
        RequestChannelFrame,
        "RequestChannelFrame",
        on_stream=True,
        size=10,
        numbers=(_CREDIT,),
        flags=(_FOLLOWS, _COMPLETE),
    ),
    Kind(0x08, RequestNFrame, "RequestNFrame", on_stream=True, size=10, numbers=(("n", "request_n", 31),)),
    Kind(0x09, CancelFrame, "CancelFrame", on_stream=True, size=6),
    _with_payload(
        0x0A,
        PayloadFrame,
        "PayloadFrame",
        on_stream=True,
        size=6,
        flags=(_FOLLOWS, _COMPLETE, ("next_", 0x20)),
    ),
    Kind(0x0B, ErrorFrame, "ErrorFrame", on_stream=None, size=10, numbers=(("code", "error_code", 32),)),
    Kind(0x0C, MetadataPushFrame, "MetadataPushFrame", on_stream=False, size=6, metadata=True),
    Kind(
        0x0D,
        ResumeFrame,
        "ResumeFrame",
        on_stream=False,
        size=28,
        numbers=(
            *_VERSION,
            ("last_server_position", "last_server_position", 63),
            ("first_client_position", "first_client_position", 63),
        ),
    ),
    Kind(
        0x0E,
        ResumeOkFrame,
        "ResumeOKFrame",
        on_stream=False,
        size=14,
        numbers=(("last_client_position", "last_received_client_position", 63),),
    ),
)
BY_NUMBER = {kind.number: kind for kind in _KINDS}
BY_CLASS: dict[Callable[..., Frame], Kind] = {kind.make: kind for kind in _KINDS}


def load() -> None:
    """Load the package now, and asyncio with it: for who makes a client, so that no loop waits while one connects."""
    _library_class(SetupFrame.__name__)


@cache
def _library_class(name: str) -> Any:  # noqa: ANN401 - the package has no types; this goes no further
    import rsocket.frame

    return getattr(rsocket.frame, name)


def write(frame: Frame) -> bytes:
    """Have the library write *frame*."""
    kind = BY_CLASS[type(frame)]
    stream_id = getattr(frame, "stream_id", 0)
    if kind.on_stream is not None and kind.on_stream is not (stream_id > 0):
        msg = f"{type(frame).__name__} cannot go on stream {stream_id}"
        raise LocalProtocolError(msg)
    require_bits("stream_id", stream_id, 31)
    theirs = _fill(kind, frame)
    flags = sum(mask for name, mask in kind.flags if getattr(frame, name))
    if kind.metadata and getattr(frame, "metadata") is not None:  # noqa: B009 - a frame of any class
        flags |= METADATA
    body = theirs.serialize_frame_prefix()[HEADER_SIZE:]
    if isinstance(frame, SetupFrame):
        body = _with_setup_strings(body, frame)
        flags |= _RESUME if frame.resume_token is not None else 0
    # The library's header would force N on a PAYLOAD and forget M on empty metadata, so the header is ours.
    parts = [HEADER.pack(stream_id, kind.number << 10 | flags), body]
    theirs.write_data_metadata(parts.append)
    encoded = b"".join(parts)
    require_size(len(encoded))
    return encoded


def _fill(kind: Kind, frame: Any) -> Any:  # noqa: ANN401 - both sides are told apart by the table only
    """Make the library's frame out of ours."""
    theirs = _library_class(kind.library)()
    for ours, name, bits in kind.numbers:
        value = getattr(frame, ours)
        require_bits(ours, value, bits)
        setattr(theirs, name, value)
    if kind.data:
        theirs.data = frame.data
    if kind.metadata and frame.metadata is not None:
        theirs.metadata = frame.metadata or (_EMPTY_METADATA if kind.payload else b"")
    require_size(len(theirs.data) + len(theirs.metadata))  # before the library writes a length that wraps
    match frame:
        case SetupFrame():
            theirs.metadata_encoding = theirs.data_encoding = b""
        case ErrorFrame():
            theirs.data = encode_text(frame.message)
        case ResumeFrame():
            require_bits("token's length", len(frame.token), 16)
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
            require_bits("the length of a SETUP string", len(string), 8 * width)
            parts += (len(string).to_bytes(width, "big"), string)
    return b"".join((*parts, body[at + 2 :]))


def read(kind: Kind, data: bytes, stream_id: int, word: int) -> Frame:
    """Have the library read *data*, of that kind and no shorter than it must be; *word* is behind the stream's id.

    Raises:
        RemoteProtocolError: its lengths do not agree with its end.
    """
    return _READERS.get(kind.number, _read)(kind, data, stream_id, word)


def _read(kind: Kind, data: bytes, stream_id: int, word: int, **more: object) -> Frame:
    """Have the library read *data*, whose lengths are checked, and make our frame of it."""
    if kind.payload and word & METADATA:
        require_bytes(data, kind.size + 3)
        require_bytes(data, kind.size + 3 + int.from_bytes(data[kind.size : kind.size + 3], "big"))
    theirs = _library_class(kind.library)()
    theirs.parse(data, 0)
    values: dict[str, Any] = {ours: getattr(theirs, name) & (1 << bits) - 1 for ours, name, bits in kind.numbers}
    values |= {ours: bool(word & mask) for ours, mask in kind.flags}
    if kind.on_stream:
        values["stream_id"] = stream_id
    if kind.data:
        values["data"] = theirs.data
    if kind.metadata and (word & METADATA or kind.make is MetadataPushFrame):
        values["metadata"] = theirs.metadata
    return kind.make(**values | more)


def _read_setup(kind: Kind, data: bytes, stream_id: int, word: int) -> Frame:
    """Take token and MIME types out, which the library misreads, and let it read the rest."""
    at = _SETUP_STRINGS_AT
    token = None
    if word & _RESUME:
        token, at = take_string(data, at, 2)
    metadata_mime, at = take_string(data, at, 1)
    data_mime, at = take_string(data, at, 1)
    word &= ~_RESUME
    rest = b"".join((HEADER.pack(stream_id, word), data[HEADER_SIZE:_SETUP_STRINGS_AT], bytes(2), data[at:]))
    return _read(kind, rest, stream_id, word, metadata_mime=metadata_mime, data_mime=data_mime, resume_token=token)


def _read_error(kind: Kind, data: bytes, stream_id: int, _word: int) -> Frame:
    """Read an ERROR without the library, which knows no applications' codes and leaves the text to its caller."""
    return ErrorFrame(stream_id, int.from_bytes(data[HEADER_SIZE : kind.size], "big"), decode_text(data[kind.size :]))


def _read_resume(kind: Kind, data: bytes, stream_id: int, word: int) -> Frame:
    """Read a RESUME once its token is known to fill exactly the room between the fixed fields."""
    token, _ = take_string(data, HEADER_SIZE + 4, 2)
    if len(data) != kind.size + len(token):
        raise past_the_end()
    return _read(kind, data, stream_id, word, token=token)


_READERS: dict[int, Callable[[Kind, bytes, int, int], Frame]] = {
    0x01: _read_setup,
    0x0B: _read_error,
    0x0D: _read_resume,
}
