"""Any RSocket frame, and Connections at one end or both, for the tests of the room and of those above it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from elarian_trio._rsocket import Connection, FrameSplitter, Role, Setup, SetupReceived, join_frames
from elarian_trio._rsocket import frames as f

if TYPE_CHECKING:
    from elarian_trio._rsocket import Event

data = st.binary(max_size=40)
metadata = st.none() | st.binary(max_size=40)
stream_ids = st.integers(1, f.MAX_STREAM_ID)
bits16, bits31, bits32 = st.integers(0, 0xFFFF), st.integers(0, 0x7FFF_FFFF), st.integers(0, 0xFFFF_FFFF)
positions = st.integers(0, f.MAX_POSITION)
flags = st.booleans()

setup_frames = st.builds(
    f.SetupFrame,
    bits32,
    bits32,
    metadata_mime=st.binary(max_size=255),
    data_mime=st.binary(max_size=255),
    data=data,
    metadata=metadata,
    resume_token=st.none() | data,
    lease=flags,
    major=bits16,
    minor=bits16,
)
fragmentable_frames = st.one_of(
    st.builds(f.RequestResponseFrame, stream_ids, data, metadata, follows=flags),
    st.builds(f.RequestFnfFrame, stream_ids, data, metadata, follows=flags),
    st.builds(f.RequestStreamFrame, stream_ids, bits31, data, metadata, follows=flags),
    st.builds(f.RequestChannelFrame, stream_ids, bits31, data, metadata, follows=flags, complete=flags),
    st.builds(f.PayloadFrame, stream_ids, data, metadata, follows=flags, complete=flags, next_=flags),
)
frames = st.one_of(
    setup_frames,
    fragmentable_frames,
    st.builds(f.LeaseFrame, bits31, bits31, metadata),
    st.builds(f.KeepaliveFrame, data, respond=flags, position=positions),
    st.builds(f.RequestNFrame, stream_ids, bits31),
    st.builds(f.CancelFrame, stream_ids),
    st.builds(f.ErrorFrame, bits31, bits32, st.text(max_size=20)),
    st.builds(f.MetadataPushFrame, data),
    st.builds(f.ResumeFrame, data, positions, positions, major=bits16, minor=bits16),
    st.builds(f.ResumeOkFrame, positions),
)

SETUP = Setup(b"creds", keepalive_interval=10.0, keepalive_lifetime=30.0)
TOKEN = b"tok-js0"
RESUMABLE_SETUP = replace(SETUP, resume_token=TOKEN)


def feed(connection: Connection, *received: f.Frame, now: float = 0.0) -> list[Event]:
    """Have *connection* receive frames, and return what it reports."""
    return [event for frame in received for event in connection.receive_frame(f.encode_frame(frame), now)]


def sent(connection: Connection) -> list[f.Frame]:
    """Give every frame that waits in *connection*, decoded."""
    frames_out: list[f.Frame] = []
    while connection.wants_to_send:
        for encoded in connection.frames_to_send():
            frame = f.decode_frame(encoded)
            assert frame is not None
            frames_out.append(frame)
    return frames_out


def open_client(
    *,
    max_payload_size: int = 1 << 24,
    fragment_size: int = 1 << 16,
    timed: bool = True,
    resume_buffer_size: int | None = None,
) -> Connection:
    """Give a client whose SETUP was sent and proven, with nothing left to send; resumable if it may keep frames."""
    client = Connection(
        Role.CLIENT,
        setup=SETUP if resume_buffer_size is None else RESUMABLE_SETUP,
        max_payload_size=max_payload_size,
        fragment_size=fragment_size,
        timed=timed,
        resume_buffer_size=resume_buffer_size,
    )
    client.open(0.0)
    _, keepalive = sent(client)
    assert isinstance(keepalive, f.KeepaliveFrame)
    feed(client, f.KeepaliveFrame(keepalive.data))
    return client


def open_server(
    *,
    max_payload_size: int = 1 << 24,
    fragment_size: int = 1 << 16,
    max_incoming: int = 16384,
    timed: bool = True,
    resume_buffer_size: int | None = None,
) -> Connection:
    """Give a server that has accepted its client; resumable if it may keep frames."""
    server = Connection(
        Role.SERVER,
        max_payload_size=max_payload_size,
        fragment_size=fragment_size,
        max_incoming=max_incoming,
        timed=timed,
        resume_buffer_size=resume_buffer_size,
    )
    server.open(0.0)
    token = None if resume_buffer_size is None else TOKEN
    feed(server, f.SetupFrame(10_000, 30_000, metadata_mime=b"a/b", data_mime=b"a/b", resume_token=token))
    server.accept_setup(0.0)
    return server


class Pair:
    """A client and a server joined by byte streams that deliver *step* bytes at a time."""

    def __init__(self, *, step: int = 1 << 30, fragment_size: int = 1 << 16) -> None:
        self.client = Connection(Role.CLIENT, setup=SETUP, fragment_size=fragment_size)
        self.server = Connection(Role.SERVER, fragment_size=fragment_size)
        self.step = step
        self.client_events: list[Event] = []
        self.server_events: list[Event] = []
        self._to_server, self._to_client = FrameSplitter(), FrameSplitter()
        self.client.open(0.0)
        self.server.open(0.0)
        self.pump()

    def pump(self) -> None:
        """Move bytes until neither end has more to say; SETUPs are accepted."""
        while self.client.wants_to_send or self.server.wants_to_send:
            self.server_events += self._move(self.client, self._to_server, self.server)
            self.client_events += self._move(self.server, self._to_client, self.client)

    def _move(self, source: Connection, splitter: FrameSplitter, target: Connection) -> list[Event]:
        wire = join_frames(source.frames_to_send())
        events: list[Event] = []
        for at in range(0, len(wire), self.step):
            for frame in splitter.feed(wire[at : at + self.step]):
                reported = target.receive_frame(frame, 0.0)
                if any(isinstance(event, SetupReceived) for event in reported):
                    reported += target.accept_setup(0.0)
                events += reported
        return events
