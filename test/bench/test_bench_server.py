"""The server that all peers are measured against: what it answers must be right however the bytes come."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest
from echo import MARK, Connection, Constant, Echo, Mute, Notify

from elarian_trio._rsocket.framing import FrameSplitter

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST, REQUEST_WITH_METADATA, ANSWER, ANSWER_WITH_METADATA = 0x1000, 0x1100, 0x2860, 0x2960
SETUP, CANCEL, KEEPALIVE_ASKING, KEEPALIVE = 0x0400, 0x2400, 0x0C80, 0x0C00
ERROR = 0x2C00


def frame(stream_id: int, word: int, body: bytes) -> bytes:
    """Give a frame with its length before it."""
    return (6 + len(body)).to_bytes(3, "big") + struct.pack(">IH", stream_id, word) + body


class Pair:
    """A peer's socket, and the server's connection at its other end."""

    def __init__(self, mode: Echo) -> None:
        self.sock, self._other = socket.socketpair()
        self.sock.settimeout(5)
        self.connection = Connection(self._other, mode)
        mode.joined(self.connection)
        self._splitter = FrameSplitter()

    def sends(self, *pieces: bytes) -> list[bytes]:
        """Send each piece by itself; give what is answered to all of them, as length-prefixed frames."""
        for piece in pieces:
            self.sock.sendall(piece)
            assert self.connection.read()
        return self.received()

    def received(self) -> list[bytes]:
        """Give what was sent to the peer so far."""
        self.sock.setblocking(False)
        data = bytearray()
        try:
            while got := self.sock.recv(65536):
                data += got
        except BlockingIOError:
            pass
        self.sock.settimeout(5)
        return [len(each).to_bytes(3, "big") + each for each in self._splitter.feed(bytes(data))]

    def close(self) -> None:
        """Close both ends."""
        self.sock.close()
        self._other.close()


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    """Give a list whose pairs are closed in the end."""
    made: list[Pair] = []
    yield made
    for pair in made:
        pair.close()


def joined(pairs: list[Pair], mode: Echo) -> Pair:
    """Make a pair that is closed in the end."""
    pairs.append(Pair(mode))
    return pairs[-1]


MIXED = (
    frame(0, SETUP, bytes(40)),
    frame(1, REQUEST, b"one"),
    frame(3, REQUEST, b"two"),
    frame(0, KEEPALIVE_ASKING, bytes(8) + b"when"),
    frame(1, CANCEL, b""),
    frame(5, REQUEST, b"longer than the others"),
    frame(7, REQUEST_WITH_METADATA, b"\0\0\1md"),
    *(frame(stream_id, REQUEST, b"same") for stream_id in range(9, 29, 2)),
)
COUNTED = (9 + 9, 6 + 28 + 6 + 5 + 10 * 10)  # bytes of counted frames before the KEEPALIVE, and behind it
ANSWERS = [
    frame(1, ANSWER, b"one"),
    frame(3, ANSWER, b"two"),
    frame(0, KEEPALIVE, struct.pack(">Q", COUNTED[0]) + b"when"),
    frame(5, ANSWER, b"longer than the others"),
    frame(7, ANSWER_WITH_METADATA, b"\0\0\1md"),
    *(frame(stream_id, ANSWER, b"same") for stream_id in range(9, 29, 2)),
]


@pytest.mark.parametrize("size", [1, 2, 7, 13, 64, 4096])
def test_echo_answers_the_same_however_the_bytes_are_cut(pairs: list[Pair], size: int) -> None:
    """Frames of one length are answered together, all others one by one; a read may end anywhere."""
    data = b"".join(MIXED)
    pair = joined(pairs, Echo())
    assert pair.sends(*(data[begin : begin + size] for begin in range(0, len(data), size))) == ANSWERS


def test_equal_frames_in_one_read_move_the_position_as_others_do(pairs: list[Pair]) -> None:
    """A resumable session trims what it keeps by the position, and ends if it is wrong."""
    pair = joined(pairs, Echo())
    requests = [frame(stream_id, REQUEST, bytes(120)) for stream_id in range(1, 201, 2)]
    answers = pair.sends(b"".join(requests))
    assert answers == [frame(stream_id, ANSWER, bytes(120)) for stream_id in range(1, 201, 2)]
    assert pair.sends(frame(0, KEEPALIVE_ASKING, bytes(8))) == [frame(0, KEEPALIVE, struct.pack(">Q", 100 * 126))]


def test_constant_answers_everything_with_the_same(pairs: list[Pair]) -> None:
    """It is what typed commands are measured against."""
    pair = joined(pairs, Constant(b"reply"))
    requests = b"".join(frame(stream_id, REQUEST, b"ask") for stream_id in (1, 3, 5))
    assert pair.sends(requests) == [frame(stream_id, ANSWER, b"reply") for stream_id in (1, 3, 5)]


def test_mute_answers_keepalives_and_nothing_else(pairs: list[Pair]) -> None:
    """A client that weighs pending commands must not take it for dead."""
    pair = joined(pairs, Mute(b""))
    sent = frame(1, REQUEST, b"ask") + frame(0, KEEPALIVE_ASKING, bytes(8))
    assert pair.sends(sent) == [frame(0, KEEPALIVE, struct.pack(">Q", 9))]


def test_notify_keeps_so_many_under_way_and_counts_what_was_answered(
    pairs: list[Pair], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each notification has a number of its own, wherever the data is marked."""
    mode = Notify(b"a " + MARK + b" b " + MARK)
    pair = joined(pairs, mode)
    mode.told({"in_flight": 2, "count": 3})
    first = pair.received()
    assert first == [frame(id_, REQUEST, b"a %010d b %010d" % (id_ // 2, id_ // 2)) for id_ in (2, 4)]
    assert pair.sends(frame(4, ANSWER, b"")) == [frame(6, REQUEST, b"a 0000000003 b 0000000003")]
    assert not capsys.readouterr().out
    assert pair.sends(frame(2, ERROR, bytes(4)), frame(6, ANSWER, b"")) == []
    said = capsys.readouterr().out
    assert '"count": 3' in said
    assert '"refused": 1' in said


def test_peer_that_has_gone_is_noticed(pairs: list[Pair]) -> None:
    """The server serves the others on."""
    pair = joined(pairs, Echo())
    pair.sock.close()
    assert not pair.connection.read()
