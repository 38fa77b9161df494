"""Payloads cut to size and joined again.

Above: the turns cut, requester and responder join. Below: frames. The rules are Protocol.md's, and where it is silent
those that rsocket-java, -js and -py were seen to need.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from elarian_trio._rsocket.frames import (
    HEADER_SIZE,
    ErrorCode,
    ErrorFrame,
    PayloadFrame,
    RequestChannelFrame,
    RequestStreamFrame,
    encoded_size,
)
from elarian_trio.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio._rsocket.frames import FragmentableFrame

MIN_FRAGMENT_SIZE = 64  # rsocket-java refuses smaller settings, and middle fragments below 61 bytes
LENGTH_SIZE = 3  # of a frame on a byte stream and of metadata; the first counts on WebSocket, too, as peers count it
_CREDIT_SIZE = 4
_ERROR_FIXED_SIZE = LENGTH_SIZE + HEADER_SIZE + 4  # length prefix, header and code of an ERROR
_MAX_PARTIALS = 4  # unfinished payloads in memory, as multiples of the largest payload


class Payload(NamedTuple):
    """What a request or an answer carries; ``metadata=None`` is none at all, ``b""`` is present but empty."""

    data: bytes
    metadata: bytes | None


def needs_cutting(frame: FragmentableFrame, size: int) -> bool:
    """Whether *frame* with its length prefix is larger than *size* bytes."""
    return LENGTH_SIZE + encoded_size(frame) > size


def split_frame(frame: FragmentableFrame, size: int) -> Iterator[FragmentableFrame]:
    """Cut *frame* so that no piece with its length prefix is larger than *size* bytes, one piece at a time.

    The first piece keeps type and credit, the others are PAYLOADs with N. All metadata goes before any data; the
    first piece has the M flag if there is metadata at all, since peers lose metadata that begins later. A completing
    flag goes on the last piece.
    """
    data, metadata = frame.data, frame.metadata
    completes = isinstance(frame, PayloadFrame | RequestChannelFrame) and frame.complete
    data_at = metadata_at = 0
    piece: FragmentableFrame = frame
    while True:
        room = size - LENGTH_SIZE - _fixed_size(piece)
        metadata_piece = None
        if metadata is not None and (metadata_at < len(metadata) or piece is frame):
            room -= LENGTH_SIZE
            metadata_piece = metadata[metadata_at : metadata_at + room]
            metadata_at += len(metadata_piece)
            room -= len(metadata_piece)
        data_piece = data[data_at : data_at + room]
        data_at += len(data_piece)
        follows = data_at < len(data) or (metadata is not None and metadata_at < len(metadata))
        piece = replace(piece, data=data_piece, metadata=metadata_piece, follows=follows)
        if isinstance(piece, PayloadFrame | RequestChannelFrame):
            piece = replace(piece, complete=completes and not follows)
        yield piece
        if not follows:
            return
        piece = PayloadFrame(frame.stream_id, next_=True)


def fit_error(stream_id: int, code: int, message: str, size: int) -> ErrorFrame:
    """Make an ERROR whose text is valid UTF-8, and cut so that *size* bytes hold it: it cannot be fragmented.

    Raises:
        LocalProtocolError: the code has more than 32 bits.
    """
    if code >> 32:
        msg = f"an error code has 32 bits: {code}"
        raise LocalProtocolError(msg)
    text = message.encode("utf-8", "replace")[: size - _ERROR_FIXED_SIZE]
    return ErrorFrame(stream_id, code, text.decode("utf-8", "ignore"))


class FragmentRefused(Exception):
    """A fragment breaks the rules, or its payload grows too large.

    Attributes:
        code: what a responder answers.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Assembly:
    """A payload that is still arriving. The pieces are kept as bytes only, so tiny or empty ones cost no more."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._metadata: bytearray | None = None

    @property
    def size(self) -> int:
        """How many bytes of the payload are here."""
        return len(self._data) + len(self._metadata or b"")

    def add(self, frame: FragmentableFrame) -> None:
        """Take the next piece.

        Raises:
            FragmentRefused: it brings metadata although data has begun.
        """
        if frame.metadata is not None:
            if self._data and frame.metadata:
                raise FragmentRefused(ErrorCode.INVALID, "metadata came after data")
            self._metadata = self._metadata if self._metadata is not None else bytearray()
            self._metadata += frame.metadata
        self._data += frame.data

    def finish(self) -> Payload:
        """Give the whole payload."""
        return Payload(bytes(self._data), None if self._metadata is None else bytes(self._metadata))


class Assemblies:
    """The unfinished payloads of one connection by stream id, bounded each and together."""

    def __init__(self, max_payload_size: int) -> None:
        self._max_payload_size = max_payload_size
        self._unfinished: dict[int, Assembly] = {}
        self.size = 0  # bytes in all of them

    def collect(self, frame: FragmentableFrame) -> Payload | None:
        """Take the next piece of a stream's payload, and give the payload once it is whole.

        Raises:
            FragmentRefused: this payload is not to be; ``drop`` what is here of it.
        """
        # F and C together on a PAYLOAD count as no F, says Protocol.md.
        is_last = not frame.follows or (isinstance(frame, PayloadFrame) and frame.complete)
        assembly = self._unfinished.get(frame.stream_id)
        added = payload_size(frame)
        if added + (0 if assembly is None else assembly.size) > self._max_payload_size:
            words = f"a payload of more than {self._max_payload_size} bytes (max_payload_size) is not taken here"
            raise FragmentRefused(ErrorCode.REJECTED, words)
        if is_last and assembly is None:
            return Payload(frame.data, frame.metadata)
        if self.size + added > _MAX_PARTIALS * self._max_payload_size:
            raise FragmentRefused(ErrorCode.REJECTED, "too many payloads arrive at the same time")
        if assembly is None:
            assembly = self._unfinished[frame.stream_id] = Assembly()
        assembly.add(frame)
        self.size += added
        if not is_last:
            return None
        self.drop(frame.stream_id)
        return assembly.finish()

    def drop(self, stream_id: int) -> None:
        """Forget what is here of a stream's payload."""
        assembly = self._unfinished.pop(stream_id, None)
        if assembly is not None:
            self.size -= assembly.size


def payload_size(frame: FragmentableFrame) -> int:
    """How many bytes of payload *frame* carries."""
    return len(frame.data) + len(frame.metadata or b"")


def _fixed_size(frame: FragmentableFrame) -> int:
    return HEADER_SIZE + (_CREDIT_SIZE if isinstance(frame, RequestStreamFrame | RequestChannelFrame) else 0)
