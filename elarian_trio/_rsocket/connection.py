"""One RSocket connection without I/O: frames in, events out, frames to send.

Above: the session, which moves the bytes and tells the time. Below: everything else in this room.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from elarian_trio._rsocket.fragments import Payload
from elarian_trio._rsocket.frames import ErrorCode
from elarian_trio._rsocket.setup import Setup

if TYPE_CHECKING:
    from elarian_trio._rsocket.events import Event


class Role(Enum):
    """Which end of the connection this is; both may request and both may answer."""

    CLIENT = auto()
    SERVER = auto()


class ConnectionPhase(Enum):
    """How far a connection has come."""

    CONNECTING = auto()
    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


class Connection:
    """One RSocket connection, either end. Made by whoever runs a session; never reused for another transport."""

    def __init__(
        self,
        role: Role,
        *,
        setup: Setup | None = None,
        fragment_size: int = 64 * 1024,
        max_payload_size: int = 16 * 1024 * 1024,
        timed: bool = True,
        max_incoming: int = 16384,
        setup_timeout: float = 60.0,
    ) -> None:
        raise NotImplementedError

    @property
    def state(self) -> ConnectionPhase: raise NotImplementedError
    @property
    def wants_to_send(self) -> bool: raise NotImplementedError
    @property
    def outstanding(self) -> int: raise NotImplementedError
    def open(self, now: float) -> None: raise NotImplementedError
    def receive_frame(self, data: bytes, now: float) -> list[Event]: raise NotImplementedError
    def frames_to_send(self, max_bytes: int = 256 * 1024) -> list[bytes]: raise NotImplementedError
    def request(self, payload: Payload) -> int: raise NotImplementedError
    def was_sent(self, stream_id: int) -> bool: raise NotImplementedError
    def cancel(self, stream_id: int) -> bool: raise NotImplementedError
    def respond(self, stream_id: int, payload: Payload) -> bool: raise NotImplementedError
    def fail(self, stream_id: int, code: int, message: str) -> bool: raise NotImplementedError
    def accept_setup(self, now: float) -> list[Event]: raise NotImplementedError
    def reject_setup(self, code: int, message: str) -> None: raise NotImplementedError
    def ping(self, now: float) -> bytes: raise NotImplementedError
    def close(self, code: int = ErrorCode.CONNECTION_CLOSE, message: str = "") -> None: raise NotImplementedError
    def next_deadline(self) -> float | None: raise NotImplementedError
    def tick(self, now: float) -> list[Event]: raise NotImplementedError
