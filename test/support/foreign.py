"""Peers that others wrote, as processes of their own: started, listened to and ended by the test at hand.

They are found under the folder named by ``ELARIAN_TRIO_PEERS``, which ``nox -s interop`` fills.
"""

from __future__ import annotations

import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.streams.text import TextReceiveStream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from _pytest.mark import ParameterSet
    from anyio.abc import ByteReceiveStream, Process

    from elarian_trio._rsocket import Setup

FOLDER_VARIABLE = "ELARIAN_TRIO_PEERS"
START_BOUND = 30.0  # seconds until a peer says READY: a busy machine may take its time to load an interpreter
PYTHON_SDK = "python-sdk"  # the environment of Elarian's own
PLANSHIP_PYTHON = "planship-python"  # the environment of Planship's own
NPM_CLIENTS = {"planship javascript": ("planship", "@planship/fetch"), "talon one": ("talon-one", "talon_one")}
BUILT = ("java", "go")  # peers whose programs are compiled first, where that can be done
BOUND = 20.0  # seconds that anything awaited from another process may take

SCRIPTS = Path(__file__).parents[1] / "interop"


def why_not(program: str = "node") -> str | None:
    """Say why the peers that *program* runs cannot be had here; ``None`` if they can."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return f"{FOLDER_VARIABLE} names no folder with peers: run nox -s interop"
    if not Path(folder).is_dir():
        return f"{FOLDER_VARIABLE}={folder} is no folder"
    if program == "python sdk":
        return None if _python_in(PYTHON_SDK).exists() else "Elarian's Python SDK was not installed: nox says why"
    if program == "planship python":
        return None if _python_in(PLANSHIP_PYTHON).exists() else "Planship's Python client was not installed"
    if program in NPM_CLIENTS:
        line, package = NPM_CLIENTS[program]
        is_here = Path(folder, line, "node_modules", package).is_dir()
        return why_not("node") if is_here else f"{package} was not installed: run nox -s interop"
    if program == "java" and not Path(folder, "java").is_dir():
        return "the peer in Java was not built: that takes java, mvn and a repository to download from"
    if program == "go":
        return None if _go_peer().exists() else "the peer in Go was not built: that takes go and a module proxy"
    return None if shutil.which(program) else f"{program} is not installed"


def peers(*names: str) -> list[ParameterSet]:
    """Parameters for tests that meet each of *names*, of js0, js1, py, java and go; those BUILT may be absent alone."""
    absent = {name: why_not(name) for name in BUILT}
    marks = {name: [pytest.mark.skipif(why is not None, reason=str(why))] for name, why in absent.items()}
    return [pytest.param(name, marks=marks.get(name, [])) for name in names]


def those_here(*names: str) -> list[str]:
    """Those of *names* that can be met here."""
    return [name for name in names if why_not(name if name in BUILT else "node") is None]


def peer_command(name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Give command and environment of one of our programs on one of their libraries."""
    if name == "py":
        return python_command("peer_py.py", *arguments)
    if name == "java":
        return java_command("Peer", *arguments)
    if name == "go":
        return [str(_go_peer()), *arguments], {}
    return node_command(f"peer_{name}.js", name, *arguments)


def client_command(name: str, role: str, transport: str, port: int, setup: Setup) -> tuple[list[str], dict[str, str]]:
    """Give command and environment of a peer that connects to *port* and offers *setup*, its token aside."""
    times = [str(round(each * 1000)) for each in (setup.keepalive_interval, setup.keepalive_lifetime)]
    return peer_command(name, role, transport, str(port), setup.data.decode(), *times)


def node_command(script: str, line: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Give command and environment of a Node script that finds the packages installed under *line*."""
    modules = Path(os.environ[FOLDER_VARIABLE], line, "node_modules")
    return ["node", str(SCRIPTS / script), *arguments], {"NODE_PATH": str(modules)}


def python_command(script: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Give command and environment of a Python script in the peers' own environment."""
    return [str(_python_in("venv")), str(SCRIPTS / script), *arguments], {}


def planship_command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    """Give command and environment of the program on Planship's own Python client, which wants an older pydantic."""
    return [str(_python_in(PLANSHIP_PYTHON)), str(SCRIPTS / "planship_client.py"), *arguments], {}


def sdk_command(sdk: str, chapter: str, port: int | str, ca_file: str) -> tuple[list[str], dict[str, str]]:
    """Give command and environment of a chapter on one of Elarian's own SDKs, which speak TLS and verify.

    Args:
        sdk: "javascript" or "python".
        chapter: the chapter of ``sdk_chapters``.
        port: where the server listens.
        ca_file: whom to trust.
    """
    if sdk == "python":
        python = _python_in(PYTHON_SDK)  # it brings an RSocket of its own
        return [str(python), str(SCRIPTS / "sdk_chapters.py"), chapter, "127.0.0.1", str(port)], {
            "SSL_CERT_FILE": ca_file
        }
    command, environment = node_command("sdk_chapters.js", "sdk", chapter, "localhost", str(port))
    resolved = "--dns-result-order=ipv4first"  # what listens is 127.0.0.1
    return command, {**environment, "NODE_EXTRA_CA_CERTS": ca_file, "NODE_OPTIONS": resolved}


def sdks(*names: str) -> list[ParameterSet]:
    """Parameters for tests that meet each of Elarian's own SDKs, or those of *names*."""
    absent = {"javascript": why_not(), "python": why_not("python sdk")}
    return [
        pytest.param(name, marks=pytest.mark.skipif(absent[name] is not None, reason=str(absent[name])))
        for name in names or absent
    ]


def _go_peer() -> Path:
    """Where the program in Go is, or would be."""
    return Path(os.environ[FOLDER_VARIABLE], "go", "peer.exe" if os.name == "nt" else "peer")


def _python_in(environment: str) -> Path:
    """Where the interpreter of one of the peers' environments is, or would be."""
    return Path(os.environ[FOLDER_VARIABLE], environment, "Scripts/python.exe" if os.name == "nt" else "bin/python")


def java_command(name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Give command and environment of a Java class built under the peers' folder; it starts fast and stays small."""
    built = Path(os.environ[FOLDER_VARIABLE], "java")
    path = os.pathsep.join([str(built / "classes"), str(built / "dependency" / "*")])
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", path, name, *arguments], {}


class Peer:
    """A running peer.

    Attributes:
        said: every line of its output so far.
        complaints: every line of its error stream.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self.said: list[str] = []
        self.complaints: list[str] = []
        self._changed = anyio.Event()
        self._is_over = False

    async def says(self, words: str, *, bound: float = BOUND) -> str:
        """Wait for the first line that has *words* in it, and give the line."""
        with anyio.move_on_after(bound):
            while True:
                for line in self.said:
                    if words in line:
                        return line
                if self._is_over:
                    break
                await self._changed.wait()
        raise AssertionError(f"no {words!r} from the peer, but {self.said}; on its error stream {self.complaints}")

    async def port(self) -> int:
        """The port it listens on, which follows its READY."""
        return int((await self.says("READY")).split()[1])

    async def listen(self) -> None:
        """Collect both its streams until they end, which is when it does."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._collect, self._process.stdout, self.said)
            tasks.start_soon(self._collect, self._process.stderr, self.complaints)
        self._is_over = True
        self._changed.set()

    async def _collect(self, stream: ByteReceiveStream, lines: list[str]) -> None:
        rest = ""
        async for text in TextReceiveStream(stream, errors="replace"):
            *whole, rest = (rest + text).split("\n")
            lines += whole
            self._changed.set()
            self._changed = anyio.Event()
        lines += [rest] if rest else []

    @property
    def has_ended(self) -> bool:
        """Whether its process is over."""
        return self._process.returncode is not None


@asynccontextmanager
async def foreign(command: Sequence[str], environment: Mapping[str, str]) -> AsyncIterator[Peer]:
    """Start a peer, wait until it says READY, and end it, and only it, with the block."""
    async with await anyio.open_process(command, env={**os.environ, **environment}, stdin=None) as process:
        peer = Peer(process)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(peer.listen)
                await peer.says("READY", bound=START_BOUND)
                yield peer
                tasks.cancel_scope.cancel()
        finally:
            if not peer.has_ended:
                process.kill()
