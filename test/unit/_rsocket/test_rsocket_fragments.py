"""Payloads cut and joined, by the rules that Protocol.md and its implementations ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import frame_strategies
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.fragments import Assembly, FragmentRefused, needs_cutting, split_frame

if TYPE_CHECKING:
    from elarian_trio._rsocket.fragments import Payload

KINDS: list[f.FragmentableFrame] = [
    f.RequestResponseFrame(1),
    f.RequestFnfFrame(1),
    f.RequestStreamFrame(1, 5),
    f.RequestChannelFrame(1, 5, complete=True),
    f.PayloadFrame(1, complete=True, next_=True),
]
sizes = st.sampled_from([64, 65, 100, 1000])


def join(pieces: list[f.FragmentableFrame]) -> Payload:
    """Put *pieces* together again."""
    assembly = Assembly()
    for piece in pieces:
        assembly.add(piece)
    return assembly.finish()


@given(frame_strategies.fragmentable_frames, st.binary(max_size=400), st.none() | st.binary(max_size=400), sizes)
def test_cut_payloads_join_to_what_they_were(
    frame: f.FragmentableFrame, data: bytes, metadata: bytes | None, size: int
) -> None:
    """Specification: fragmentation is invisible above."""
    pieces = list(split_frame(replace(frame, data=data, metadata=metadata), size))
    payload = join(pieces)
    assert (payload.data, payload.metadata) == (data, metadata)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
@pytest.mark.parametrize("size", [64, 65])
@pytest.mark.parametrize("metadata_size", [None, 0, 1, *range(46, 62), 200])
def test_no_piece_exceeds_the_size_and_only_the_last_falls_short(
    kind: f.FragmentableFrame, size: int, metadata_size: int | None
) -> None:
    """Specification (checklist 39): length prefix and metadata length count; rsocket-java wants full middle pieces."""
    metadata = None if metadata_size is None else bytes(metadata_size)
    for data_size in (*range(40, 64), 200):
        frame = replace(kind, data=bytes(data_size), metadata=metadata)
        pieces = list(split_frame(frame, size))
        lengths = [3 + len(f.encode_frame(piece)) for piece in pieces]
        assert all(length == size for length in lengths[:-1])
        assert lengths[-1] <= size
        assert needs_cutting(frame, size) == (len(pieces) > 1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_pieces_carry_the_flags_their_place_asks_for(kind: f.FragmentableFrame) -> None:
    """Specification (checklist 40, 47): type and credit first, then PAYLOAD with N; F on all but the last, C there."""
    frame = replace(kind, data=bytes(150), metadata=b"m")
    first, *others = list(split_frame(frame, 64))
    assert type(first) is type(kind)
    assert getattr(first, "initial_n", 5) == 5
    assert first.metadata == b"m"
    assert [piece.follows for piece in (first, *others)] == [True] * len(others) + [False]
    assert all(isinstance(piece, f.PayloadFrame) and piece.next_ and piece.metadata is None for piece in others)
    assert not getattr(first, "complete", False)
    is_answer = isinstance(kind, f.PayloadFrame)
    assert [getattr(piece, "complete", None) for piece in others][-1] is (
        is_answer or isinstance(kind, f.RequestChannelFrame)
    )
    assert not any(getattr(piece, "complete", False) for piece in others[:-1])


def test_empty_metadata_is_flagged_on_the_first_piece() -> None:
    """Specification (checklist 47): peers lose metadata that begins in a later piece."""
    first, *others = list(split_frame(f.RequestResponseFrame(1, bytes(100), b""), 64))
    assert first.metadata == b""
    assert all(piece.metadata is None for piece in others)


def test_metadata_after_data_is_refused() -> None:
    """Specification: all metadata before any data; empty metadata there does no harm."""
    assembly = Assembly()
    assembly.add(f.RequestResponseFrame(1, b"data", follows=True))
    assembly.add(f.PayloadFrame(1, b"", b"", next_=True, follows=True))
    with pytest.raises(FragmentRefused) as refused:
        assembly.add(f.PayloadFrame(1, b"", b"late", next_=True))
    assert refused.value.code == ErrorCode.INVALID


def test_joining_25_mb_of_64_byte_pieces_is_linear() -> None:
    """Specification (checklist 41): twice the payload holds twice the bytes, in pieces of any size."""
    assembly = Assembly()
    piece = f.PayloadFrame(1, bytes(55), next_=True, follows=True)
    for _ in range(25_000_000 // 55):
        assembly.add(piece)
    assert assembly.size == 25_000_000 // 55 * 55 == len(assembly.finish().data)
