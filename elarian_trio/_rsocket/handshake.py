"""How a session moves to another transport: RESUME, and what answers it.

Above: the connection, which says when. Below: resumption, whose positions both ends compare here, and frames.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from elarian_trio._rsocket.frames import ErrorCode, ResumeFrame, ResumeOkFrame, decode_frame
from elarian_trio._rsocket.refusal import PeerRefused
from elarian_trio.errors import RemoteProtocolError

if TYPE_CHECKING:
    from elarian_trio._rsocket.frames import Frame
    from elarian_trio._rsocket.resume import Resumption


def resume_token_of(data: bytes) -> bytes | None:
    """Give the token if *data* is a well-formed RESUME, else ``None``: what a server looks for in a first frame."""
    frame: Frame | None = None
    with suppress(RemoteProtocolError):
        frame = decode_frame(data)
    return frame.token if isinstance(frame, ResumeFrame) else None


def ask_to_resume(token: bytes, resumption: Resumption) -> ResumeFrame:
    """Client: give the RESUME of the session that *token* names."""
    return ResumeFrame(token, resumption.received, resumption.first)


def is_outdated(data: bytes, resumption: Resumption) -> bool:
    """Server: whether *data*, a RESUME, asks for bytes of which the client has said since that it has them.

    A client's count never falls, so this is an attempt that it gave up, and that was long on its way.
    """
    frame = decode_frame(data)
    return isinstance(frame, ResumeFrame) and frame.last_server_position < resumption.first


def grant_resume(frame: ResumeFrame, resumption: Resumption) -> ResumeOkFrame:
    """Server: prepare to repeat what the client has not received, and give the RESUME_OK.

    Its version is not looked at, as no peer does: rsocket-js 1.0 swaps major and minor.

    Raises:
        PeerRefused: the ends no longer agree on what was sent.
    """
    has_gap = frame.first_client_position > resumption.received
    if has_gap or not resumption.rewind(frame.last_server_position):
        raise PeerRefused(ErrorCode.REJECTED_RESUME, "the positions of both ends do not meet")
    return ResumeOkFrame(resumption.received)


def take_grant(frame: Frame | None, resumption: Resumption) -> None:
    """Client: prepare to repeat what the server has not received, as its RESUME_OK tells; nothing comes before it.

    Raises:
        PeerRefused: it is something else, or names a position that cannot be.
    """
    if not isinstance(frame, ResumeOkFrame):
        raise PeerRefused(ErrorCode.CONNECTION_ERROR, "a RESUME is answered by RESUME_OK or ERROR")
    if not resumption.rewind(frame.last_client_position):
        raise PeerRefused(ErrorCode.CONNECTION_ERROR, "the RESUME_OK names a position that cannot be")
