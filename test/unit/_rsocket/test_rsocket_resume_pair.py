"""Two Connections over one transport after another: cut anywhere, resumed, and nothing is lost or done twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from frame_strategies import SETUP

from elarian_trio._rsocket import (
    Connection,
    ConnectionPhase,
    Payload,
    RequestReceived,
    ResponseReceived,
    Resumed,
    Role,
    SetupReceived,
    resume_token_of,
)

if TYPE_CHECKING:
    from elarian_trio._rsocket import Event


def test_a_cut_loses_nothing() -> None:
    """Specification (checklist 58): a request and an answer lost in the cut arrive after the resumption, once."""
    client, server = connected_pair()
    asked, lost = client.request(Payload(b"first")), client.request(Payload(b"lost"))
    first, _ = client.frames_to_send()
    assert server.receive_frame(first, 0.0) == [RequestReceived(asked, Payload(b"first"))]
    assert server.respond(asked, Payload(b"answer"))
    server.frames_to_send()  # lost as well
    assert client.lose_transport()
    assert server.lose_transport()
    later = client.request(Payload(b"later"))
    resume(client, server)
    assert deliver(client, server) == [
        RequestReceived(lost, Payload(b"lost")),
        RequestReceived(later, Payload(b"later")),
    ]
    assert deliver(server, client) == [ResponseReceived(asked, Payload(b"answer"))]


def connected_pair(*, resume_buffer_size: int = 1 << 20, fragment_size: int = 1 << 16) -> tuple[Connection, Connection]:
    """Give a client and a server that agreed on a token, open, with nothing to send."""
    setup = replace(SETUP, resume_token=b"token")
    client = Connection(Role.CLIENT, setup=setup, resume_buffer_size=resume_buffer_size, fragment_size=fragment_size)
    server = Connection(Role.SERVER, resume_buffer_size=resume_buffer_size, fragment_size=fragment_size)
    client.open(0.0)
    server.open(0.0)
    assert isinstance(deliver(client, server)[0], SetupReceived)
    server.accept_setup(0.0)
    deliver(server, client)
    assert client.state is server.state is ConnectionPhase.OPEN
    return client, server


def deliver(source: Connection, target: Connection) -> list[Event]:
    """Move everything one way."""
    events: list[Event] = []
    while source.wants_to_send:
        for frame in source.frames_to_send():
            events += target.receive_frame(frame, 0.0)
    return events


def resume(client: Connection, server: Connection) -> None:
    """Join both again, up to the answer."""
    client.resume(0.0)
    (data,) = client.frames_to_send()
    assert resume_token_of(data) == server.resume_token == b"token"
    assert server.accept_resume(data, 0.0) == [Resumed()]
    (answer,) = server.frames_to_send(1)
    assert client.receive_frame(answer, 0.0) == [Resumed()]
