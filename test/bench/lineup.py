"""Who is measured, and against what."""

from __future__ import annotations

from dataclasses import dataclass

COMMANDS = ("get_state", "update_metadata", "send_message")
ONE, SOME, MANY = IN_FLIGHT = (1, 64, 1_024)
DURABLE = 256  # in flight, where the issue compares files with memory
BACKENDS = ("trio", "asyncio")


@dataclass(frozen=True)
class Peer:
    """A program that is measured.

    Attributes:
        name: what the table calls it.
        loop: what it runs on.
        group: what ``--only`` calls it and those that are measured in the same rounds as it.
        server: what it is measured against: a mode of ``echo.py``, or a sandbox's transport, "file" for one on disk.
        program: the script and its arguments, before the server's port if it takes one.
        requests: what it is asked to do, each a row of its own.
        in_flight: how many at once.
        after: its arguments behind the port.
    """

    name: str
    loop: str
    group: str
    server: str
    program: tuple[str, ...]
    requests: tuple[str, ...] = ("echo",)
    in_flight: tuple[int, ...] = IN_FLIGHT
    after: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name and loop, which no other has."""
        return f"{self.name}, {self.loop}"


def _ours(name: str, group: str, server: str, *program: str, **more: tuple[str, ...] | tuple[int, ...]) -> list[Peer]:
    """Give the same on both loops."""
    script, *rest = program
    return [Peer(name, loop, group, server, (script, loop, *rest), **more) for loop in BACKENDS]  # type: ignore[arg-type]


MINIMAL, PARKING = "minimal loop", "minimal loop without events"
SESSION, RESUMABLE = "our session", "our session, resumable"
RSOCKET_PY = "rsocket-py 0.4.20"
CONSTANT = "our client, constant reply"
NOTIFIED = "our client, notified"
PLAIN, SECURE = "our client, sandbox", "our client, sandbox over TLS"
SDK = "JavaScript SDK 0.2.25, sandbox over TLS"
ON_FILE, IN_MEMORY = "our client, sandbox on a file", "our client, sandbox in memory"

_COMMANDS = ("peer_typed.py", "trio", "commands")

PEERS: tuple[Peer, ...] = (
    Peer(MINIMAL, "trio", "raw", "echo", ("peer_minimal.py",)),
    Peer(PARKING, "trio", "raw", "echo", ("peer_minimal.py",), after=("parked",)),
    *_ours(SESSION, "raw", "echo", "peer_session.py"),
    *_ours(RESUMABLE, "raw", "echo", "peer_session.py", after=("resumable",)),
    Peer(RSOCKET_PY, "asyncio", "raw", "echo", ("peer_rsocket_py.py",)),
    *_ours(CONSTANT, "raw", "constant", "peer_typed.py", "commands", requests=("get_state",)),
    *_ours(NOTIFIED, "raw", "notify", "peer_typed.py", "notifications", requests=("notification",)),
    *_ours(PLAIN, "sandbox", "tcp", "peer_typed.py", "commands", requests=COMMANDS),
    *_ours(SECURE, "sandbox", "tls", "peer_typed.py", "commands", requests=COMMANDS),
    Peer(SDK, "node", "sandbox", "tls", ("peer_sdk.js",), COMMANDS),
    *(
        Peer(name, "trio", "durable", server, _COMMANDS, ("update_metadata",), (ONE, DURABLE))
        for name, server in ((ON_FILE, "file"), (IN_MEMORY, "tcp"))
    ),
)
