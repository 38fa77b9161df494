"""Frames on a byte stream: 24-bit lengths, any cutting of the stream."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio._rsocket import MAX_FRAME_SIZE, FrameSplitter, join_frames
from elarian_trio.errors import LocalProtocolError

some_frames = st.lists(st.binary(min_size=6, max_size=50), max_size=8)


@given(some_frames, st.lists(st.integers(0, 450)))
def test_frames_come_out_whole_however_the_stream_is_cut(frames: list[bytes], cuts: list[int]) -> None:
    """Specification (checklist 1): a stream may split and join frames arbitrarily."""
    wire = join_frames(frames)
    splitter = FrameSplitter()
    out: list[bytes] = []
    bounds = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    for start, end in pairwise(bounds):
        out += splitter.feed(wire[start:end])
    assert out == frames
    assert splitter.pending == 0


@given(some_frames)
def test_single_bytes_give_the_same_frames_as_one_read(frames: list[bytes]) -> None:
    """Specification (checklist 1)."""
    splitter = FrameSplitter()
    out = [frame for byte in join_frames(frames) for frame in splitter.feed(bytes((byte,)))]
    assert out == frames == FrameSplitter().feed(join_frames(frames))


def test_a_huge_length_costs_nothing_until_its_bytes_come() -> None:
    """This SDK: a prefix of 16,777,215 allocates nothing."""
    splitter = FrameSplitter()
    tracemalloc.start()
    try:
        assert splitter.feed(b"\xff\xff\xff" + bytes(10)) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000
    assert splitter.pending == 13


@pytest.mark.parametrize("length", range(6))
def test_a_length_below_a_header_comes_out_short_and_ends_the_stream(length: int) -> None:
    """Specification (checklist 4): the Connection refuses the short frame, after the good ones before it."""
    splitter = FrameSplitter()
    good = join_frames([b"header+"])
    bad = length.to_bytes(3, "big") + bytes(length)
    assert splitter.feed(good + bad + good) == [b"header+", bytes(length)]
    assert splitter.feed(good) == []
    assert splitter.pending == 0


def test_lengths_are_24_bits_and_no_longer() -> None:
    """Specification (checklist 3)."""
    assert join_frames([bytes(11)])[:3] == b"\0\0\x0b"
    assert join_frames([bytes(MAX_FRAME_SIZE)])[:3] == b"\xff\xff\xff"
    with pytest.raises(LocalProtocolError):
        join_frames([bytes(MAX_FRAME_SIZE + 1)])
