"""Frames of a peer that means harm, or is broken: valid ones of every type, and what a die makes of them.

The tests of hostile frames stand above; :mod:`hostile_bytes` is for those of hostile streams. Everything comes from
the ``random.Random`` that is given, so that a seed brings it all again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._rsocket import frames as f

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

TOKEN = b"tok-hostile"
_STREAMS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99, f.MAX_STREAM_ID)
_SIZES = (0, 1, 5, 30, 300, 5000)
_CODES = (0, 1, 2, 3, 4, 0x101, 0x102, 0x201, 0x202, 0x203, 0x204, 0x301, 0xFFFF_FFFF)
_LIES = (0, 1, 0x7F, 0x80, 0xFF)
_TYPES = range(0x40)


class Forger:
    """Makes frames.

    Attributes:
        dice: decide everything.
        apt: gives a frame that fits where the victim stands.
        positions: gives positions that are true at the moment, from which false ones are made.
    """

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.apt: Callable[[], f.Frame] = f.KeepaliveFrame
        self.positions: Callable[[], tuple[int, ...]] = lambda: (0,)
        self._pool = [f.encode_frame(frame) for frame in _valid_frames(dice)]
        self._calm_pool = [data for data in self._pool if data[:4] != bytes(4) or data[4] == 0x0C]

    def valid(self) -> bytes:
        """Give a frame as a peer may send it, in place or out of it."""
        if self.dice.random() < 0.4:
            return f.encode_frame(self.apt())
        return self.dice.choice(self._pool)

    def calm(self) -> bytes:
        """Give a valid frame of a stream, or a KEEPALIVE without a position: none that ends a connection."""
        return self.dice.choice(self._calm_pool)

    def mutated(self) -> bytes:
        """Give a frame to which one or several things were done."""
        data = bytearray(self.valid())
        for _ in range(self.dice.choice((1, 1, 1, 2, 3))):
            self.dice.choice(_MUTATIONS)(self, data)
        return bytes(data)

    def position(self) -> int:
        """Give a position: true, beside a true one, or far away."""
        position = self.dice.choice(self.positions())
        kind = self.dice.random()
        if kind < 0.8:
            return position
        return max(0, position + self.dice.randint(-20, 20)) if kind < 0.95 else self.dice.getrandbits(63)

    # What may be done to a frame. Some of it changes nothing, which is a mutation as well.

    def _flip_bits(self, data: bytearray) -> None:
        for _ in range(self.dice.choice((1, 1, 2, 8)) if data else 0):
            data[self.dice.randrange(len(data))] ^= 1 << self.dice.randrange(8)

    def _flip_body(self, data: bytearray) -> None:
        if len(data) > f.HEADER_SIZE:
            data[self.dice.randrange(f.HEADER_SIZE, len(data))] ^= 1 << self.dice.randrange(8)

    def _truncate(self, data: bytearray) -> None:
        del data[self.dice.randint(0, len(data)) :]

    def _extend(self, data: bytearray) -> None:
        data += self.dice.randbytes(self.dice.choice((1, 2, 3, 8, 100)))

    def _splice(self, data: bytearray) -> None:
        other = self.valid()
        data[self.dice.randint(0, len(data)) :] = other[self.dice.randint(0, len(other)) :]

    def _change_body(self, data: bytearray) -> None:
        """Give a frame another's body: types, flags and lengths no longer agree with it."""
        data[f.HEADER_SIZE :] = self.valid()[f.HEADER_SIZE :]

    def _lie(self, data: bytearray) -> None:
        """Overwrite what may be a length, a code or a version."""
        if len(data) > f.HEADER_SIZE:
            at = self.dice.randrange(f.HEADER_SIZE, min(len(data), 24))
            width = self.dice.choice((1, 2, 3, 4))
            data[at : at + width] = bytes((self.dice.choice(_LIES),)) * width

    def _move_stream(self, data: bytearray) -> None:
        data[:4] = self.dice.choice((0, 1 << 31, *_STREAMS)).to_bytes(4, "big")

    def _change_type(self, data: bytearray) -> None:
        if len(data) >= f.HEADER_SIZE:
            data[4] = self.dice.choice(_TYPES) << 2 | data[4] & 3

    def _change_flags(self, data: bytearray) -> None:
        if len(data) >= f.HEADER_SIZE:
            flags = self.dice.getrandbits(10)
            data[4:6] = (data[4] >> 2 << 10 | flags).to_bytes(2, "big")

    def _change_position(self, data: bytearray) -> None:
        if len(data) >= f.HEADER_SIZE + 8:
            at = self.dice.choice((f.HEADER_SIZE, len(data) - 8, max(f.HEADER_SIZE, len(data) - 16)))
            value = self.dice.choice((self.position(), 1 << 63, (1 << 64) - 1))
            data[at : at + 8] = value.to_bytes(8, "big")


_MUTATIONS = (
    Forger._flip_bits,
    Forger._flip_body,
    Forger._flip_body,
    Forger._truncate,
    Forger._extend,
    Forger._splice,
    Forger._change_body,
    Forger._lie,
    Forger._lie,
    Forger._move_stream,
    Forger._move_stream,
    Forger._change_type,
    Forger._change_flags,
    Forger._change_position,
    Forger._change_position,
)


def _valid_frames(dice: random.Random) -> list[f.Frame]:
    """Give some hundred frames of every type."""
    flag = (False, True)
    frames: list[f.Frame] = []
    for stream_id in _STREAMS:
        for follows in flag:
            data = dice.randbytes(dice.choice(_SIZES))
            metadata = dice.choice((None, b"", dice.randbytes(dice.choice(_SIZES))))
            frames += [
                f.RequestResponseFrame(stream_id, data, metadata, follows=follows),
                f.RequestResponseFrame(stream_id, data, follows=follows),
                f.RequestFnfFrame(stream_id, data, metadata, follows=follows),
                f.RequestStreamFrame(stream_id, dice.choice((0, 1, 0x7FFF_FFFF)), data, metadata, follows=follows),
                f.RequestChannelFrame(stream_id, 1, data, metadata, follows=follows, complete=dice.choice(flag)),
                *(
                    f.PayloadFrame(stream_id, data, metadata, follows=follows, complete=complete, next_=next_)
                    for complete in flag
                    for next_ in flag
                ),
            ]
        frames += [
            f.RequestNFrame(stream_id, 1),
            f.CancelFrame(stream_id),
            *(f.ErrorFrame(stream_id, dice.choice(_CODES), "no") for _ in range(2)),
        ]
    frames += [f.ErrorFrame(0, code, "no") for code in _CODES]
    frames += [f.MetadataPushFrame(dice.randbytes(size)) for size in _SIZES]
    frames += [f.LeaseFrame(1, 1, metadata) for metadata in (None, b"m")]
    frames += [f.KeepaliveFrame(dice.randbytes(size), respond=respond) for size in _SIZES for respond in flag]
    frames += [setup_frame(token) for token in (None, b"", TOKEN, bytes(300))]
    return frames


def setup_frame(token: bytes | None) -> f.SetupFrame:
    """Give a SETUP as a client sends it."""
    return f.SetupFrame(
        10_000, 30_000, metadata_mime=b"a/b", data_mime=b"c/d", data=b"creds", metadata=b"{}", resume_token=token
    )
