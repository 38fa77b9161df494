"""RSocket 1.0 frames: frozen values, and the two doors between them and bytes.

Above: fragments, setup, outbox and connection, which know frames only as these values. Below: the ``rsocket`` package,
behind :mod:`.by_library`.

Layouts and reactions follow RSocket's Protocol.md, version 1.0.
"""

from __future__ import annotations

from elarian_trio._rsocket.frames.by_library import load
from elarian_trio._rsocket.frames.by_struct import (
    WHOLE_ANSWER,
    WHOLE_REQUEST,
    encode_answer,
    encode_request,
    read_whole,
)
from elarian_trio._rsocket.frames.classes import (
    CancelFrame,
    ErrorCode,
    ErrorFrame,
    FragmentableFrame,
    Frame,
    IncomingFrame,
    KeepaliveFrame,
    LeaseFrame,
    MetadataPushFrame,
    PayloadFrame,
    RequestChannelFrame,
    RequestFnfFrame,
    RequestFrame,
    RequestNFrame,
    RequestResponseFrame,
    RequestStreamFrame,
    ResumeFrame,
    ResumeOkFrame,
    SetupFrame,
    StreamFrame,
)
from elarian_trio._rsocket.frames.codec import decode_frame, describe_frame, encode_frame, encoded_size, type_number
from elarian_trio._rsocket.frames.fields import (
    HEADER,
    HEADER_SIZE,
    MAX_FRAME_SIZE,
    MAX_POSITION,
    MAX_STREAM_ID,
    require_size,
)

__all__ = [
    "HEADER",
    "HEADER_SIZE",
    "MAX_FRAME_SIZE",
    "MAX_POSITION",
    "MAX_STREAM_ID",
    "WHOLE_ANSWER",
    "WHOLE_REQUEST",
    "CancelFrame",
    "ErrorCode",
    "ErrorFrame",
    "FragmentableFrame",
    "Frame",
    "IncomingFrame",
    "KeepaliveFrame",
    "LeaseFrame",
    "MetadataPushFrame",
    "PayloadFrame",
    "RequestChannelFrame",
    "RequestFnfFrame",
    "RequestFrame",
    "RequestNFrame",
    "RequestResponseFrame",
    "RequestStreamFrame",
    "ResumeFrame",
    "ResumeOkFrame",
    "SetupFrame",
    "StreamFrame",
    "decode_frame",
    "describe_frame",
    "encode_answer",
    "encode_frame",
    "encode_request",
    "encoded_size",
    "load",
    "read_whole",
    "require_size",
    "type_number",
]
