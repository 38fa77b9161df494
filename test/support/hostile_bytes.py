"""Streams of bytes of a peer that means harm: noise, frames that make no sense, and frames that are broken.

The tests of hostile streams stand above. Everything comes from the ``random.Random`` that is given, so that a seed
brings it all again.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from acceptance import (
    CANCEL,
    COMPLETE,
    ERROR,
    FOLLOWS,
    KEEPALIVE,
    METADATA,
    NEXT,
    PAYLOAD,
    REQUEST_RESPONSE,
    RESPOND,
    SETUP,
    Frame,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

REQUEST_FNF, REQUEST_STREAM, REQUEST_CHANNEL, REQUEST_N, PUSH, RESUME, RESUME_OK, LEASE, EXT = (
    *(0x05, 0x06, 0x07, 0x08, 0x0C, 0x0D, 0x0E, 0x02, 0x3F),
)
TOKEN = b"0123456789abcdef"


def prefixed(frame: Frame | bytes) -> bytes:
    """Give a frame as a byte stream carries it."""
    data = bytes(frame)
    return len(data).to_bytes(3, "big") + data


def a_setup(dice: random.Random, *, token: bytes | None = None) -> Frame:
    """Give a SETUP that is in order."""
    rest = struct.pack(">HHII", 1, 0, 10_000, 30_000)
    if token is not None:
        rest += struct.pack(">H", len(token)) + token
    mime = b"application/octet-stream"
    rest += bytes([len(mime)]) + mime + bytes([len(mime)]) + mime + dice.randbytes(20)
    return Frame(0, SETUP, RESPOND if token is not None else 0, rest)


def an_id(dice: random.Random) -> int:
    """Give a stream id: of either side, used or not, or none at all."""
    return dice.choice((0, 1, 2, 3, 4, 5, 6, 7, dice.randrange(64), dice.randrange(2**31), 2**31 - 1, 2**31 - 2))


def a_position(dice: random.Random) -> bytes:
    """Give a position, sound or wild."""
    return struct.pack(">Q", dice.choice((0, 1, 30, 2**31, 2**63 - 1, 2**64 - 1, dice.randrange(400))))


def a_frame(dice: random.Random) -> Frame:
    """Give a frame that could be read, on any stream, at any time."""
    stream, data = an_id(dice), dice.randbytes(dice.choice((0, 1, 9, 60, 700)))
    number = struct.pack(">I", dice.choice((0, 1, 2**31 - 1, 2**32 - 1, dice.randrange(0x400))))
    payload = dice.choice((NEXT, COMPLETE, NEXT | COMPLETE, 0, NEXT | FOLLOWS, FOLLOWS | COMPLETE | NEXT))
    return dice.choice(
        (
            lambda: Frame(stream, PAYLOAD, payload, data),
            lambda: Frame(stream, PAYLOAD, payload | METADATA, dice.randbytes(3) + data),
            lambda: Frame(stream, ERROR, 0, number + data),
            lambda: Frame(0, ERROR, 0, number + data),
            lambda: Frame(0, KEEPALIVE, dice.choice((0, RESPOND)), a_position(dice) + data),
            lambda: Frame(stream, REQUEST_RESPONSE, dice.choice((0, FOLLOWS)), data),
            lambda: Frame(stream, REQUEST_RESPONSE, METADATA, (1).to_bytes(3, "big") + b"m" + data),
            lambda: Frame(stream, REQUEST_FNF, 0, data),
            lambda: Frame(stream, dice.choice((REQUEST_STREAM, REQUEST_CHANNEL)), 0, number + data),
            lambda: Frame(stream, REQUEST_N, 0, number),
            lambda: Frame(stream, CANCEL, 0),
            lambda: Frame(0, PUSH, METADATA, data),
            lambda: Frame(0, LEASE, 0, number + number),
            lambda: Frame(0, RESUME_OK, 0, a_position(dice)),
            lambda: Frame(0, RESUME, 0, b"\0\1\0\0\0\x10" + TOKEN + a_position(dice) + a_position(dice)),
            lambda: Frame(stream, EXT, dice.choice((0, 0x200)), number + data),
            lambda: Frame(stream, dice.randrange(0x40), dice.randrange(0x400), data),
            lambda: a_setup(dice, token=dice.choice((None, TOKEN))),
        )
    )()


def mutated(dice: random.Random, data: bytes) -> bytes:
    """Give bytes with something wrong with them."""
    raw = bytearray(data)
    what = dice.randrange(5)
    if what == 0 and raw:
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    elif what == 1:
        del raw[dice.randrange(len(raw) + 1) :]
    elif what == 2:
        raw += dice.randbytes(dice.randrange(1, 40))
    elif what == 3:
        raw[: dice.randrange(14)] = dice.randbytes(dice.randrange(14))
    else:
        cut = dice.randrange(len(raw) + 1)
        raw = raw[cut:] + raw[:cut]
    return bytes(raw)


def noise(dice: random.Random) -> Iterator[bytes]:
    """Send what is nothing."""
    yield from (dice.randbytes(dice.randrange(1, 300)) for _ in range(dice.randrange(1, 6)))


def frames(dice: random.Random) -> Iterator[bytes]:
    """Send frames that can be read, and make no sense."""
    yield from (prefixed(a_frame(dice)) for _ in range(dice.randrange(1, 30)))


def mutations(dice: random.Random) -> Iterator[bytes]:
    """Send frames of which some are broken within."""
    for _ in range(dice.randrange(1, 30)):
        data = bytes(a_frame(dice))
        yield prefixed(mutated(dice, data) if dice.randrange(4) == 0 else data)


def torn(dice: random.Random) -> Iterator[bytes]:
    """Send frames that are broken where they are cut."""
    yield mutated(dice, b"".join(prefixed(a_frame(dice)) for _ in range(dice.randrange(1, 8))))


def half(dice: random.Random) -> Iterator[bytes]:
    """Stop within a frame."""
    data = prefixed(a_frame(dice))
    yield data[: dice.randrange(len(data))]


def huge(dice: random.Random) -> Iterator[bytes]:
    """Announce much, and send little of it."""
    yield dice.choice((b"\xff\xff\xff", b"\x80\0\0", b"\0\0\0", b"\0\0\5"))
    for _ in range(dice.randrange(8)):
        yield bytes(dice.choice((1, 100, 20_000)))


def drip(dice: random.Random) -> Iterator[bytes]:
    """Send one byte at a time."""
    data = b"".join(prefixed(a_frame(dice)) for _ in range(dice.randrange(1, 4)))
    yield from (data[at : at + 1] for at in range(len(data)))


def pings(dice: random.Random) -> Iterator[bytes]:
    """Ask for many signs of life at once."""
    for _ in range(dice.randrange(1, 5)):
        yield prefixed(Frame(0, KEEPALIVE, RESPOND, bytes(8) + dice.randbytes(dice.randrange(2000)))) * 30


def cancels(dice: random.Random) -> Iterator[bytes]:
    """Give up what was never asked."""
    yield b"".join(prefixed(Frame(an_id(dice), CANCEL, 0)) for _ in range(200))


def requests(dice: random.Random) -> Iterator[bytes]:
    """Ask much, under any id, and give some of it up."""
    for first in range(dice.randrange(1, 3), 120, 2):
        yield prefixed(Frame(first, REQUEST_RESPONSE, 0, dice.randbytes(9)))
        if dice.randrange(3) == 0:
            yield prefixed(Frame(first, CANCEL, 0))


def pieces(dice: random.Random) -> Iterator[bytes]:
    """Begin payloads, and end few of them."""
    for _ in range(dice.randrange(1, 60)):
        kind = dice.choice((REQUEST_RESPONSE, REQUEST_FNF, PAYLOAD, PAYLOAD))
        flags = dice.choice((FOLLOWS, FOLLOWS, FOLLOWS | METADATA, 0)) | (NEXT if kind == PAYLOAD else 0)
        size = dice.choice((0, 10, 5000)).to_bytes(3, "big") if flags & METADATA else b""
        yield prefixed(Frame(dice.randrange(1, 12), kind, flags, size + bytes(dice.choice((0, 10, 5000)))))


def positions(dice: random.Random) -> Iterator[bytes]:
    """Claim to have received whatever."""
    for _ in range(dice.randrange(1, 20)):
        yield prefixed(Frame(0, KEEPALIVE, dice.choice((0, RESPOND)), a_position(dice)))


def answers(dice: random.Random) -> Iterator[bytes]:
    """Answer what the other side asks, in every wrong way."""
    for _ in range(dice.randrange(1, 20)):
        stream = dice.randrange(1, 9)
        yield prefixed(
            dice.choice(
                (
                    Frame(stream, PAYLOAD, dice.choice((0, NEXT, COMPLETE, NEXT | COMPLETE | FOLLOWS)), b"answer"),
                    Frame(stream, ERROR, 0, struct.pack(">I", dice.choice((0, 0x202, 0x301, 2**32 - 1))) + b"\xff\xfe"),
                    Frame(stream, ERROR, 0, b"\0\0"),
                    Frame(stream, PAYLOAD, METADATA | NEXT, b"\xff\xff\xff"),
                )
            )
        )


RECIPES: tuple[Callable[[random.Random], Iterator[bytes]], ...] = (
    *(noise, frames, frames, mutations, mutations, mutations, torn, half, huge, drip, pings, cancels, requests, pieces),
    *(positions, answers, answers),
)
