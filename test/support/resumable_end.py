"""One end of a connection that can be resumed, and what its peer says to resume it, frame by frame.

The tests of resumption stand above; :mod:`frame_strategies` opens the ends.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from frame_strategies import TOKEN, open_client, open_server, sent

from elarian_trio._rsocket import Connection
from elarian_trio._rsocket import frames as f

if TYPE_CHECKING:
    from collections.abc import Callable

MiB = 1 << 20

open_ends: list[Callable[[], Connection]] = [
    partial(open_client, resume_buffer_size=MiB),
    partial(open_server, resume_buffer_size=MiB),
]
both_ends = pytest.mark.parametrize("make", open_ends, ids=["client", "server"])


def codes(connection: Connection) -> list[int | None]:
    """Give the codes of the ERRORs that are left to send, ``None`` for other frames."""
    return [getattr(frame, "code", None) for frame in sent(connection)]


def resume_frame(received: int, first: int = 0, token: bytes = TOKEN) -> bytes:
    """Give a client's RESUME."""
    return f.encode_frame(f.ResumeFrame(token, received, first))


def client_with(*sizes: int, resume_buffer_size: int = MiB) -> Connection:
    """Give an open client that has sent requests whose frames have *sizes*."""
    client = open_client(resume_buffer_size=resume_buffer_size)
    for size in sizes:
        client.request(bytes(size - f.HEADER_SIZE))
    sent(client)
    return client


def resuming(client: Connection) -> Connection:
    """Cut a client off and have its RESUME handed out."""
    assert client.lose_transport()
    client.resume(0.0)
    client.frames_to_send()
    return client
