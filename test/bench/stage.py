"""Where a run takes place: what it may use, and the processes that stand while a peer is measured."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import samples
from children import child

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from children import Child
    from lineup import Peer

HERE = Path(__file__).parent
WHO = {"ELARIAN_ORG_ID": "org", "ELARIAN_APP_ID": "app", "ELARIAN_API_KEY": "a key of the benchmark's own"}
SAMPLES = {"constant": "get_state", "notify": "notification"}


class Absent(Exception):
    """Something that a peer needs is not here; the words say what."""


@dataclass(frozen=True)
class Ground:
    """What a run may use.

    Attributes:
        folder: where it may write; gone afterwards.
        rsocket_python: an interpreter with rsocket-py; ``None`` if there is none.
        node: the program of that name; ``None`` if there is none.
        node_modules: a folder of packages with Elarian's SDK; ``None`` if there is none.
    """

    folder: Path
    rsocket_python: str | None
    node: str | None
    node_modules: str | None

    def interpreter(self, script: str) -> tuple[str, Mapping[str, str]]:
        """Give what runs *script*, and the environment that it needs.

        Raises:
            Absent: it is not here.
        """
        if script == "peer_rsocket_py.py":
            if self.rsocket_python is None:
                msg = "no interpreter with rsocket-py was given"
                raise Absent(msg)
            return self.rsocket_python, {}
        if not script.endswith(".js"):
            return sys.executable, {}
        if self.node is None or self.node_modules is None:
            msg = "node is not installed" if self.node is None else "no folder with Elarian's JavaScript SDK was given"
            raise Absent(msg)
        resolved = "--dns-result-order=ipv4first"  # what listens is 127.0.0.1
        return self.node, {"NODE_PATH": self.node_modules, "NODE_OPTIONS": resolved}


@asynccontextmanager
async def served(ground: Ground, mode: str) -> AsyncIterator[tuple[Child, int]]:
    """Run ``echo.py`` in *mode*; give it and its port."""
    files = []
    if mode in SAMPLES:
        file = ground.folder / SAMPLES[mode]
        file.write_bytes(samples.SAMPLES[file.name]())
        files = [str(file)]
    async with child(f"server {mode}", [sys.executable, str(HERE / "echo.py"), mode, *files], ground.folder) as server:
        yield server, (await server.says())["port"]


@asynccontextmanager
async def sandbox(ground: Ground, kind: str) -> AsyncIterator[tuple[Child, Mapping[str, str]]]:
    """Run a sandbox of its own; give it and what its clients take from the environment."""
    words = ["--tls" if kind == "tls" else "--tcp", "127.0.0.1:0"]
    if kind == "file":
        words += ["--data", str(ground.folder / "sandbox.sqlite3")]
    command = [sys.executable, "-m", "elarian_trio", "sandbox", *words]
    async with child(f"sandbox {kind}", command, ground.folder, WHO, driven=False) as server:
        known = dict(WHO)
        while (line := (await server.line()).split()) != ["ready"]:
            if line[:2] == ["listens", "on"]:
                known["ELARIAN_ENDPOINT"] = line[2]
            elif line[:3] == ["keeps", "the", "certificate"]:
                known["ELARIAN_CA_FILE"] = known["NODE_EXTRA_CA_CERTS"] = line[-1]
        yield server, known


@asynccontextmanager
async def performing(ground: Ground, *program: str, port: int | None = None, **known: str) -> AsyncIterator[Child]:
    """Run one of our programs until it is ready, against *port* or what is *known* of a sandbox."""
    script, *rest = program
    interpreter, environment = ground.interpreter(script)
    if port is not None:
        known = {**WHO, "ELARIAN_ENDPOINT": f"tcp://127.0.0.1:{port}", **known}
    command = [interpreter, str(HERE / script), *rest]
    async with child(" ".join(program), command, ground.folder, {**environment, **known}) as started:
        await started.says()
        yield started


@dataclass(frozen=True)
class Running:
    """A peer that stands, and what it is measured against.

    Attributes:
        peer: which.
        process: its process.
        server: the other end's.
    """

    peer: Peer
    process: Child
    server: Child

    @property
    def leader(self) -> Child:
        """Who makes the requests, and is told how many."""
        return self.server if self.peer.server == "notify" else self.process


class Stage:
    """The peers of a run and their servers: one server for all that need the same of ``echo.py``, else one for each.

    Attributes:
        absent: why those peers are not measured that are not, by title.
    """

    def __init__(self, ground: Ground, stack: AsyncExitStack) -> None:
        self._ground = ground
        self._stack = stack
        self._shared: dict[str, tuple[Child, int]] = {}
        self.absent: dict[str, str] = {}

    async def bring(self, peer: Peer) -> Running | None:
        """Start *peer*; ``None`` where what it needs is absent."""
        try:
            self._ground.interpreter(peer.program[0])
        except Absent as error:
            self.absent[peer.title] = str(error)
            return None
        if peer.server in {"tcp", "tls", "file"}:
            server, known = await self._stack.enter_async_context(sandbox(self._ground, peer.server))
            return Running(peer, await self._start(peer.program, **known), server)
        server, port = await self._serve(peer.server)
        words = (str(port),) if peer.server == "echo" else ()
        return Running(peer, await self._start((*peer.program, *words, *peer.after), port=port), server)

    async def _start(self, program: tuple[str, ...], port: int | None = None, **known: str) -> Child:
        return await self._stack.enter_async_context(performing(self._ground, *program, port=port, **known))

    async def _serve(self, mode: str) -> tuple[Child, int]:
        if mode == "notify":
            return await self._stack.enter_async_context(served(self._ground, mode))
        if mode not in self._shared:
            self._shared[mode] = await self._stack.enter_async_context(served(self._ground, mode))
        return self._shared[mode]
