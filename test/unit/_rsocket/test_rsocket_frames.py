"""Frames to bytes and back: layouts of Protocol.md, bytes seen from other implementations, and refusals."""

from __future__ import annotations

import sys
from contextlib import suppress

import frame_strategies
import pytest
import rsocket.frame
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.frames import by_library
from elarian_trio.errors import LocalProtocolError, RemoteProtocolError

OCTETS = b"application/octet-stream"

# Seen on the wire between rsocket-js (both lines), rsocket-py and throwaway peers.
SEEN: list[tuple[str, f.Frame, str]] = [
    (
        "SETUP with a resume token",
        f.SetupFrame(700, 5000, metadata_mime=OCTETS, data_mime=OCTETS, data=b"creds", resume_token=b"tok-js0"),
        "00000000048000010000000002bc000013880007746f6b2d6a7330186170706c69636174696f6e2f6f637465742d73747265616d"
        "186170706c69636174696f6e2f6f637465742d73747265616d6372656473",
    ),
    ("request", f.RequestResponseFrame(1, b"hello"), "00000001100068656c6c6f"),
    ("request with metadata", f.RequestResponseFrame(1, b"hello", b"meta"), "0000000111000000046d65746168656c6c6f"),
    (
        "answer with metadata",
        f.PayloadFrame(1, b"hello", b"meta", complete=True, next_=True),
        "0000000129600000046d65746168656c6c6f",
    ),
    (
        "request of a server",
        f.RequestResponseFrame(2, b"from-server", b"m"),
        "0000000211000000016d66726f6d2d736572766572",
    ),
    (
        "answer of a client",
        f.PayloadFrame(2, b"client-answer", complete=True, next_=True),
        "000000022860636c69656e742d616e73776572",
    ),
    ("KEEPALIVE that asks", f.KeepaliveFrame(respond=True, position=18), "000000000c800000000000000012"),
    ("KEEPALIVE that answers", f.KeepaliveFrame(position=39), "000000000c000000000000000027"),
    (
        "RESUME",
        f.ResumeFrame(b"tok-js0", 18, 0),
        "000000003400000100000007746f6b2d6a733000000000000000120000000000000000",
    ),
    (
        "RESUME with a swapped version",
        f.ResumeFrame(b"tok1", 18, 18, major=0, minor=1),
        "000000003400000000010004746f6b3100000000000000120000000000000012",
    ),
    ("RESUME_OK", f.ResumeOkFrame(39), "0000000038000000000000000027"),
    (
        "ERROR",
        f.ErrorFrame(0, f.ErrorCode.REJECTED_RESUME, "unknown resume token"),
        "000000002c0000000004756e6b6e6f776e20726573756d6520746f6b656e",
    ),
    ("CANCEL", f.CancelFrame(1), "000000012400"),
    (
        "first fragment",
        f.RequestResponseFrame(1, b"a" * 51, b"meta", follows=True),
        "0000000111800000046d657461" + "61" * 51,
    ),
    ("last fragment", f.PayloadFrame(1, b"a" * 49, next_=True), "000000012820" + "61" * 49),
    # By hand from Protocol.md's layouts, for the types that no peer was seen to send.
    ("LEASE", f.LeaseFrame(1000, 5, b"m"), "000000000900000003e8000000056d"),
    ("REQUEST_FNF", f.RequestFnfFrame(3, b"d"), "00000003140064"),
    ("REQUEST_STREAM", f.RequestStreamFrame(3, 7, b"d"), "0000000318000000000764"),
    ("REQUEST_CHANNEL", f.RequestChannelFrame(3, 7, b"d", complete=True), "000000031c400000000764"),
    ("REQUEST_N", f.RequestNFrame(3, 7), "00000003200000000007"),
    ("METADATA_PUSH", f.MetadataPushFrame(b"m"), "0000000031006d"),
]


@pytest.mark.parametrize(("frame", "wire"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
def test_frames_are_read_and_written_as_other_implementations_do(frame: f.Frame, wire: str) -> None:
    """Specification (checklist 22): golden vectors, both ways."""
    assert f.encode_frame(frame).hex() == wire
    assert f.decode_frame(bytes.fromhex(wire)) == frame


@given(frame_strategies.frames)
def test_every_frame_comes_back_as_it_was(frame: f.Frame) -> None:
    """Specification (checklist 9): also metadata that is present but empty, PAYLOADs without N, long MIME types."""
    assert f.decode_frame(f.encode_frame(frame)) == frame


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_a_protocol_error(data: bytes) -> None:
    """This SDK: garbage from a peer has one meaning, and what is understood can be written again."""
    try:
        frame = f.decode_frame(data)
    except RemoteProtocolError:
        return
    if frame is not None:
        f.decode_frame(f.encode_frame(frame))


@given(frame_strategies.frames, st.data())
def test_a_cut_frame_is_refused_or_is_another_frame(frame: f.Frame, data: st.DataObject) -> None:
    """This SDK: lengths are checked against the frame's end, wherever that is."""
    encoded = f.encode_frame(frame)
    cut = encoded[: data.draw(st.integers(0, len(encoded) - 1))]
    with suppress(RemoteProtocolError):
        assert f.decode_frame(cut) != frame


def test_empty_metadata_is_not_absent_metadata() -> None:
    """Specification (checklist 9): M with length 0 keeps the data intact."""
    with_empty, without = f.RequestResponseFrame(1, b"data", b""), f.RequestResponseFrame(1, b"data")
    assert f.encode_frame(with_empty).hex() == "00000001110000000064617461"
    assert f.encode_frame(without).hex() == "00000001100064617461"


@pytest.mark.parametrize("size", range(6))
def test_a_frame_shorter_than_its_header_is_refused(size: int) -> None:
    """Specification (checklist 4)."""
    with pytest.raises(RemoteProtocolError):
        f.decode_frame(bytes(size))


def test_the_largest_frame_passes_and_one_byte_more_does_not() -> None:
    """Specification (checklist 3): the length is never wrapped."""
    largest = f.RequestResponseFrame(1, bytes(f.MAX_FRAME_SIZE - 6))
    encoded = f.encode_frame(largest)
    assert len(encoded) == f.MAX_FRAME_SIZE
    assert f.decode_frame(encoded) == largest
    with pytest.raises(LocalProtocolError, match="16777216 bytes"):
        f.encode_frame(f.RequestResponseFrame(1, bytes(f.MAX_FRAME_SIZE - 5)))
    with pytest.raises(RemoteProtocolError):
        f.decode_frame(encoded + b"x")


def test_metadata_whose_own_length_would_wrap_is_refused() -> None:
    """Past bug of the library below: the metadata's 24-bit length wrapped without an error."""
    with pytest.raises(LocalProtocolError):
        f.encode_frame(f.RequestResponseFrame(1, b"", bytes(f.MAX_FRAME_SIZE + 1)))


@pytest.mark.parametrize(
    "frame",
    [
        f.RequestNFrame(1, -1),
        f.RequestNFrame(1, 1 << 31),
        f.KeepaliveFrame(position=-1),
        f.KeepaliveFrame(position=1 << 63),
        f.CancelFrame(1 << 31),
        f.ErrorFrame(-1, 1),
        f.ErrorFrame(0, 1 << 32),
        f.ResumeFrame(bytes(1 << 16), 0, 0),
        f.SetupFrame(1, 1, metadata_mime=bytes(256), data_mime=b""),
        f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"", resume_token=bytes(1 << 16)),
        f.CancelFrame(0),
        f.RequestResponseFrame(0),
    ],
    ids=repr,
)
def test_what_does_not_fit_its_field_is_not_written(frame: f.Frame) -> None:
    """This SDK: nothing is cut or wrapped silently on the way out."""
    with pytest.raises(LocalProtocolError):
        f.encode_frame(frame)


def test_reserved_bits_are_never_taken_as_part_of_a_number() -> None:
    """Specification (checklist 5): the top bits of stream id, credit, lease and positions are masked."""
    assert f.decode_frame(bytes.fromhex("800000012400")) == f.CancelFrame(1)
    assert f.decode_frame(bytes.fromhex("00000003200080000007")) == f.RequestNFrame(3, 7)
    assert f.decode_frame(bytes.fromhex("0000000008008000000180000002")) == f.LeaseFrame(1, 2)
    assert f.decode_frame(bytes.fromhex("000000000c008000000000000001")) == f.KeepaliveFrame(position=1)


def test_undefined_flags_of_a_known_type_are_ignored() -> None:
    """Specification (checklist 6)."""
    assert f.decode_frame(bytes.fromhex("00000001249f")) == f.CancelFrame(1)
    assert f.decode_frame(bytes.fromhex("00000001123f") + b"d") == f.RequestResponseFrame(1, b"d")


@pytest.mark.parametrize("number", [0x00, 0x0F, 0x3E, 0x3F])
def test_unknown_types_are_skipped_only_with_the_ignore_flag(number: int) -> None:
    """Specification (checklist 7)."""
    assert f.decode_frame(b"\0\0\0\1" + (number << 10 | 0x200).to_bytes(2, "big") + b"rest") is None
    with pytest.raises(RemoteProtocolError, match="unknown"):
        f.decode_frame(b"\0\0\0\1" + (number << 10).to_bytes(2, "big") + b"rest")


@pytest.mark.parametrize(
    "frame",
    [
        f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"", data=b"d", metadata=b"m"),
        f.RequestResponseFrame(1, b"d", b"m"),
        f.RequestFnfFrame(1, b"d", b"m"),
        f.RequestStreamFrame(1, 1, b"d", b"m"),
        f.RequestChannelFrame(1, 1, b"d", b"m"),
        f.PayloadFrame(1, b"d", b"m"),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_metadata_past_the_end_is_refused(frame: f.Frame) -> None:
    """Specification (checklist 8): its length must not reach beyond the frame."""
    encoded = bytearray(f.encode_frame(frame))
    encoded[-3] = 3  # the length's last byte; "m" and "d" follow
    with pytest.raises(RemoteProtocolError):
        f.decode_frame(bytes(encoded))
    with pytest.raises(RemoteProtocolError):
        f.decode_frame(bytes(encoded[:-3]))


@pytest.mark.parametrize("wire", ["000000003400000100000001", "00000000340000010000ffff" + "00" * 16])
def test_a_resume_token_past_the_end_is_refused(wire: str) -> None:
    """Specification: a frame's strings lie inside it."""
    with pytest.raises(RemoteProtocolError):
        f.decode_frame(bytes.fromhex(wire).ljust(28, b"\0"))


def test_bytes_behind_a_resume_are_refused() -> None:
    """This SDK: RESUME has no payload, so what follows its positions means its lengths are wrong."""
    with pytest.raises(RemoteProtocolError):
        f.decode_frame(f.encode_frame(f.ResumeFrame(b"token", 1, 2)) + b"x")


@pytest.mark.parametrize("frame", [row[1] for row in SEEN], ids=[row[0] for row in SEEN])
def test_frames_on_the_wrong_kind_of_stream_are_to_be_ignored(frame: f.Frame) -> None:
    """Specification (checklist 10, 34): connection frames on streams, stream frames on stream 0."""
    encoded = f.encode_frame(frame)
    is_on_stream = getattr(frame, "stream_id", 0) > 0
    moved = (bytes(4) if is_on_stream else b"\0\0\0\1") + encoded[4:]
    decoded = f.decode_frame(moved)
    assert decoded is None or isinstance(decoded, f.ErrorFrame)  # ERROR may go on either


def test_codes_of_applications_and_invalid_text_are_read() -> None:
    """Specification (checklist 30): any code is kept, and bad UTF-8 does not cost the connection."""
    wire = bytes.fromhex("000000052c00fffffffe") + b"caf\xe9"
    assert f.decode_frame(wire) == f.ErrorFrame(5, 0xFFFF_FFFE, "caf\N{REPLACEMENT CHARACTER}")


def test_error_text_leaves_as_valid_utf8() -> None:
    """Past bug of rsocket-js: it counts what it decoded, so invalid text puts its positions out of step."""
    assert f.encode_frame(f.ErrorFrame(1, 1, "a\ud800b"))[10:].decode() == "a?b"


def test_credentials_and_payloads_stay_out_of_reprs() -> None:
    """This SDK: frames land in logs and tracebacks, their contents must not."""
    secret = b"hunter2"
    shown = [
        f.SetupFrame(1, 1, metadata_mime=b"", data_mime=b"", data=secret, metadata=secret, resume_token=secret),
        f.RequestResponseFrame(1, secret, secret),
        f.PayloadFrame(1, secret, secret),
        f.ResumeFrame(secret, 0, 0),
        f.MetadataPushFrame(secret),
    ]
    assert "hunter2" not in repr(shown)


def test_a_frame_is_described_by_type_and_stream_alone() -> None:
    """This SDK: what is ignored is named, not shown."""
    assert f.describe_frame(bytes.fromhex("80000005fe00") + b"secret") == "frame type 0x3F on stream 5"


def test_the_package_can_be_loaded_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: what is loaded while a connection is being opened keeps the whole loop waiting."""
    monkeypatch.setattr(rsocket, "frame", rsocket.frame)  # loading puts another there
    monkeypatch.delitem(sys.modules, rsocket.frame.__name__)
    by_library._library_class.cache_clear()
    f.load()
    by_library._library_class.cache_clear()
    assert "rsocket.frame" in sys.modules


@given(frame=frame_strategies.frames)
def test_frames_that_are_written_quickly_are_what_the_library_writes(frame: f.Frame) -> None:
    """This SDK: the two frames that carry the load have a codec of their own, and every flag of theirs is the same."""
    assert f.encode_frame(frame) == by_library.write(frame)


@given(
    number=st.sampled_from([0x04, 0x0A]),
    flags=st.integers(0, 0x3FF),
    stream_id=frame_strategies.stream_ids,
    rest=st.binary(max_size=60) | st.binary(max_size=60).map(lambda data: len(data).to_bytes(3, "big") + data),
)
def test_frames_that_are_read_quickly_are_what_the_library_reads(
    number: int, flags: int, stream_id: int, rest: bytes
) -> None:
    """This SDK: of any bytes that say they are a request or an answer, the quick codec makes what the library does."""
    kind, word = by_library.BY_NUMBER[number], number << 10 | flags
    data = b"".join((stream_id.to_bytes(4, "big"), word.to_bytes(2, "big"), rest))
    try:
        expected = by_library.read(kind, data, stream_id, word)
    except RemoteProtocolError as error:
        with pytest.raises(RemoteProtocolError, match=str(error)):
            f.decode_frame(data)
    else:
        assert f.decode_frame(data) == expected
