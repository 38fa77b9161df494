"""The other end of every row that needs no Elarian: one server, of the standard library alone, faster than its peers.

``python echo.py MODE [FILE]``. It takes any SETUP and any number of connections, answers KEEPALIVEs with the position
it has received, and ends when its input does. It prints ``{"port": ...}`` once it listens.

``echo``: each request is answered with its own bytes. Two bytes of the header are changed where they were received, and
all that one read brought goes back in one write; requests of one length, as a benchmark's are, are changed together.
``constant FILE``: each request is answered with the bytes of the file.
``mute``: none is ever answered.
``notify FILE``: it asks, and counts answers: see :class:`Notify`.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rounds import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

READ_SIZE = 1024 * 1024
PREFIX = 3  # bytes of length before a frame
HEAD = PREFIX + 6  # and of stream id, type and flags
KEEPALIVE, REQUEST_RESPONSE, PAYLOAD, ERROR = 0x03, 0x04, 0x0A, 0x0B
ON_CONNECTIONS = frozenset({0x01, 0x02, KEEPALIVE, 0x0C, 0x0D, 0x0E})  # types that do not move the position
ASKS = 0x80  # a KEEPALIVE's flag
REQUEST = b"\x10\x00"  # type and flags of REQUEST_RESPONSE
ANSWER = b"\x28\x60"  # of PAYLOAD, complete and next
MARK = b"7777777777"  # in a notification's bytes, wherever a number of its own is to stand
UNSET = "no peer is connected"

_POSITION = struct.Struct(">Q")
_STREAM = struct.Struct(">I")


class Connection:
    """One peer's connection.

    Attributes:
        received: the position that KEEPALIVEs tell.
    """

    def __init__(self, sock: socket.socket, mode: Echo) -> None:
        self._sock = sock
        self._mode = mode
        self._waiting = bytearray()
        self.received = 0

    def read(self) -> bool:
        """Read what came and answer it; False once the peer has gone."""
        with suppress(ConnectionError):
            got = self._sock.recv(READ_SIZE)
            self._waiting += got
            if got and (answers := self._take()):
                self._sock.sendall(answers)
            return bool(got)
        return False

    def send(self, data: bytes | bytearray) -> None:
        """Send all of *data*; a peer that has gone is noticed by reading."""
        with suppress(ConnectionError):
            self._sock.sendall(data)

    def _take(self) -> bytearray:
        """Take the whole frames out of what waits, and give the answers."""
        waiting, answers, begin = self._waiting, bytearray(), 0
        if equal := self._mode.answer_equal(waiting):
            self.received += equal // frame_size(waiting, 0) * (frame_size(waiting, 0) - PREFIX)
            answers, begin = waiting[:equal], equal
        while len(waiting) - begin >= PREFIX and (end := begin + frame_size(waiting, begin)) <= len(waiting):
            self._react(waiting[begin:end], answers)
            begin = end
        del waiting[:begin]
        self._mode.taken(self)
        return answers

    def _react(self, frame: bytearray, answers: bytearray) -> None:
        kind = frame[HEAD - 2] >> 2
        if kind not in ON_CONNECTIONS:
            self.received += len(frame) - PREFIX
            self._mode.react(kind, frame, answers)
        elif kind == KEEPALIVE and frame[HEAD - 1] & ASKS:
            frame[HEAD - 1] &= ~ASKS
            _POSITION.pack_into(frame, HEAD, self.received)
            answers += frame


def frame_size(data: bytearray, begin: int) -> int:
    """Give the bytes of the frame there, its length prefix included."""
    return PREFIX + (data[begin] << 16 | data[begin + 1] << 8 | data[begin + 2])


class Echo:
    """Answers each request with its own bytes."""

    def answer_equal(self, waiting: bytearray) -> int:
        """Answer the requests that *waiting* begins with, where they are all of one length; give how many bytes."""
        if len(waiting) < HEAD:
            return 0
        size = frame_size(waiting, 0)
        count = len(waiting) // size
        end = count * size
        for place, byte in enumerate((*waiting[:PREFIX], *REQUEST)):
            offset = place if place < PREFIX else place + HEAD - PREFIX - len(REQUEST)
            if waiting[offset:end:size].count(byte) != count:
                return 0
        for offset, byte in zip((HEAD - 2, HEAD - 1), ANSWER, strict=True):
            waiting[offset:end:size] = bytes((byte,)) * count
        return end

    def react(self, kind: int, frame: bytearray, answers: bytearray) -> None:
        """Answer one frame."""
        if kind == REQUEST_RESPONSE:
            frame[HEAD - 2] += (PAYLOAD - REQUEST_RESPONSE) << 2  # its flag for metadata stays
            frame[HEAD - 1] |= ANSWER[1]
            answers += frame

    def taken(self, connection: Connection) -> None:
        """Hear that all that came was taken."""

    def joined(self, connection: Connection) -> None:
        """Hear of a connection."""

    def told(self, words: dict[str, Any]) -> None:
        """Hear a line of the input."""


class Constant(Echo):
    """Answers each request with the same bytes."""

    def __init__(self, data: bytes) -> None:
        self._head = (HEAD - PREFIX + len(data)).to_bytes(PREFIX, "big")
        self._tail = ANSWER + data

    def answer_equal(self, waiting: bytearray) -> int:
        del waiting
        return 0

    def react(self, kind: int, frame: bytearray, answers: bytearray) -> None:
        if kind == REQUEST_RESPONSE:
            answers += self._head + frame[PREFIX : HEAD - 2] + self._tail


class Mute(Constant):
    """Answers nothing."""

    def react(self, kind: int, frame: bytearray, answers: bytearray) -> None:
        del kind, frame, answers


class Notify(Mute):
    """Asks the peer that connected last, each time with numbers of its own where the data is marked.

    A line ``{"in_flight": 64, "seconds": 1.0}`` (or ``"count"`` in place of seconds) has it keep so many requests under
    way; it prints what came of them, as every peer does, and how many were answered with an ERROR as ``refused``.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._parts = data.split(MARK)
        self._size = (HEAD - PREFIX + len(data)).to_bytes(PREFIX, "big")
        self._peer: Connection | None = None
        self._next = 2
        self._asked: dict[int, float] = {}
        self._left = 0
        self._in_flight = self._refused = 0
        self._tally: Tally | None = None

    def joined(self, connection: Connection) -> None:
        self._peer = connection
        self._next = 2

    def told(self, words: dict[str, Any]) -> None:
        self._tally = Tally(words.get("seconds", 3600.0))
        self._left = words.get("count", sys.maxsize)
        self._in_flight = words["in_flight"]
        self._refused = 0
        if self._peer is None:
            raise ValueError(UNSET)
        self._peer.send(self._ask())

    def _ask(self) -> bytes:
        """Give as many requests as there is room for."""
        tally = self._tally
        if tally is None or tally.is_over:
            return b""
        wanted = min(self._in_flight - len(self._asked), self._left)
        self._left -= wanted
        now = tally.now()
        return b"".join([self._request(now) for _ in range(wanted)])

    def _request(self, now: float) -> bytes:
        stream_id, self._next = self._next, self._next + 2
        self._asked[stream_id] = now
        data = (b"%010d" % (stream_id // 2)).join(self._parts)
        return self._size + _STREAM.pack(stream_id) + REQUEST + data

    def react(self, kind: int, frame: bytearray, answers: bytearray) -> None:
        del answers
        asked = self._asked.pop(_STREAM.unpack_from(frame, PREFIX)[0], None)
        if self._tally is not None and asked is not None and kind in {PAYLOAD, ERROR}:
            self._tally.note(asked)
            self._refused += kind == ERROR

    def taken(self, connection: Connection) -> None:
        if more := self._ask():
            connection.send(more)
        if self._tally is not None and not self._asked:
            say({**self._tally.report(), "refused": self._refused})
            self._tally = None


def say(words: dict[str, Any]) -> None:
    """Print a line."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


class Server:
    """Listens, and serves until the input ends."""

    def __init__(self, mode: Echo) -> None:
        self._mode = mode
        self._selector = selectors.DefaultSelector()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._going_on = True

    def run(self) -> None:
        """Serve."""
        self._wait_for(self._listening, self._accept)
        self._wait_for(sys.stdin, self._hear)
        say({"port": self._listening.getsockname()[1]})
        while self._going_on:
            for key, _ in self._selector.select():
                key.data()

    def _wait_for(self, source: Any, react: Callable[[], None]) -> None:  # noqa: ANN401 - whatever has a descriptor
        self._selector.register(source, selectors.EVENT_READ, react)

    def _accept(self) -> None:
        sock, _ = self._listening.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock, self._mode)
        self._wait_for(sock, lambda: self._read(sock, connection))
        self._mode.joined(connection)

    def _read(self, sock: socket.socket, connection: Connection) -> None:
        if not connection.read():
            self._selector.unregister(sock)
            sock.close()

    def _hear(self) -> None:
        words = os.read(sys.stdin.fileno(), READ_SIZE)  # a line at a time is written, and each waits for its answer
        if words:
            self._mode.told(json.loads(words))
        self._going_on = bool(words)


MODES: dict[str, Callable[..., Echo]] = {
    "echo": Echo,
    "constant": lambda file: Constant(Path(file).read_bytes()),
    "mute": lambda: Mute(b""),
    "notify": lambda file: Notify(Path(file).read_bytes()),
}

if __name__ == "__main__":
    chosen, *rest = sys.argv[1:]
    Server(MODES[chosen](*rest)).run()
