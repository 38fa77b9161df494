"""What is no rate: memory, the processor of those who do nothing, and what an import takes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

import anyio
from children import child
from lineup import BACKENDS
from stage import performing, served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stage import Ground

IN_FLIGHT = 64  # notifications under way while memory is watched
PATIENCE = 900.0  # seconds for a part of the customers
MEGABYTE = 1e6

BESIDE = """
import anyio, trio, google.protobuf
from google.protobuf import descriptor, descriptor_pool, message, runtime_version, symbol_database
from google.protobuf.internal import builder
"""  # what generated code imports before it says anything
IMPORTS = {
    "elarian_trio": "import elarian_trio",
    "Elarian of it": "from elarian_trio import Elarian",  # names load when they are asked for: an app's first line
    "anyio, trio and protobuf": BESIDE,
}
TIMED = "import time\nbegan = time.perf_counter()\n{}\nprint(time.perf_counter() - began)"


@dataclass(frozen=True)
class Sizes:
    """How much of it is done: as the issue has it, or for a quick look.

    Attributes:
        pending: commands that nobody answers.
        imports: fresh interpreters for each.
        idle: seconds for which an idle connection is watched.
        clients: in one process.
        customers: who each send a notification, in so many parts; the first part warms up.
        parts: how many.
    """

    pending: int = 10_000
    imports: int = 15
    idle: float = 60.0
    clients: int = 1_000
    customers: int = 1_000_000
    parts: int = 10


QUICK = Sizes(pending=500, imports=1, idle=1.0, clients=20, customers=2_000, parts=2)


@dataclass
class Weights:
    """What was found; empty where it was not looked for.

    Attributes:
        waiting: bytes that each waiting task takes, by what it waits for and on which loop.
        imports: seconds, by what was imported.
        idle: part of a core that an idle connection takes, by loop.
        clients: bytes that all idle clients but the first take together, by loop.
        customers: resident bytes after each part of the customers, by loop.
    """

    waiting: dict[tuple[str, str], float] = field(default_factory=dict)
    imports: dict[str, float] = field(default_factory=dict)
    idle: dict[str, float] = field(default_factory=dict)
    clients: dict[str, float] = field(default_factory=dict)
    customers: dict[str, list[int]] = field(default_factory=dict)


TASK, RAW, TYPED = "a task that waits for an event", "session.request()", "customer.get_state()"


async def weigh_pending(ground: Ground, sizes: Sizes, weights: Weights) -> None:
    """Find what a command takes that nobody answers, in a fresh process each."""
    async with served(ground, "mute") as (_, port):
        session, client = ("peer_session.py", str(port)), ("peer_typed.py", "commands")
        cases = {TASK: (client, None), RAW: (session, "echo"), TYPED: (client, "get_state")}
        for what, ((script, word), request) in cases.items():
            for loop in BACKENDS:
                async with performing(ground, script, loop, word, port=port) as peer:
                    told = await peer.does(do="weigh", count=sizes.pending, request=request)
                weights.waiting[what, loop] = told["each"]


async def time_imports(ground: Ground, sizes: Sizes, weights: Weights) -> None:
    """Find what importing takes in a fresh interpreter: medians, one after the other in turn."""
    took: dict[str, list[float]] = {name: [] for name in IMPORTS}
    # Bytecode of their own, for all alike: who forbids writing any would have ours compiled each time, and not theirs.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ground.folder / "bytecode")}
    for number in range(sizes.imports + 1):
        for name, statement in IMPORTS.items():
            command = [sys.executable, "-c", TIMED.format(statement)]
            async with child(f"import {name}", command, ground.folder, compiled) as interpreter:
                seconds = float(await interpreter.line())
            if number:  # the first of all writes and reads files
                took[name].append(seconds)
    weights.imports |= {name: median(each) for name, each in took.items()}


async def watch_idle(ground: Ground, sizes: Sizes, weights: Weights) -> None:
    """Find what a connection takes of a core on which nothing happens but keepalives, on both loops at once."""

    async def watch(port: int, loop: str) -> None:
        async with performing(ground, "peer_typed.py", loop, "commands", port=port) as peer:
            before = peer.cpu()
            await anyio.sleep(sizes.idle)
            weights.idle[loop] = (peer.cpu() - before) / sizes.idle

    async with served(ground, "mute") as (_, port), anyio.create_task_group() as both:
        for loop in BACKENDS:
            both.start_soon(watch, port, loop)


async def weigh_clients(ground: Ground, sizes: Sizes, weights: Weights) -> None:
    """Find how much memory many idle clients take beyond one."""
    async with served(ground, "mute") as (_, port):
        for loop in BACKENDS:
            resident = []
            for count in (1, sizes.clients):
                async with performing(ground, "peer_typed.py", loop, "idle", str(count), port=port) as peer:
                    resident.append((await peer.does(do="memory"))["resident"])
            weights.clients[loop] = resident[1] - resident[0]


async def watch_customers(ground: Ground, sizes: Sizes, weights: Weights) -> None:
    """Find whether memory grows with every customer who ever sent something."""

    async def watch(loop: str) -> None:
        async with (
            served(ground, "notify") as (server, port),
            performing(ground, "peer_typed.py", loop, "notifications", port=port) as peer,
        ):
            found = weights.customers[loop] = []
            for _ in range(sizes.parts):
                count = sizes.customers // sizes.parts
                told = await server.does(in_flight=IN_FLIGHT, count=count, bound=PATIENCE)
                if told["refused"] or told["count"] != count:
                    msg = f"not all of {count} notifications were handled: {told}"
                    raise RuntimeError(msg)
                found.append((await peer.does(do="memory"))["resident"])

    async with anyio.create_task_group() as both:
        for loop in BACKENDS:
            both.start_soon(watch, loop)


WEIGHINGS: Mapping[str, Callable[..., object]] = {
    "pending": weigh_pending,
    "import": time_imports,
    "clients": weigh_clients,
    "idle": watch_idle,
    "customers": watch_customers,
}
