"""The stand-ins that are part of a sandbox: which there are, and all of them at once.

The sandbox stands above. What a stand-in needs is an extra's, so each is loaded where it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import anyio.lowlevel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anyio.abc import TaskGroup

    from elarian_trio.sandbox.clock import Clock
    from elarian_trio.sandbox.ground import Ground
    from elarian_trio.sandbox.opening import Opened
    from elarian_trio.sandbox.web import WebServer

__all__ = ["StandIns", "server_class"]

CLASSES: Mapping[str, tuple[str, str]] = {
    "planship": ("elarian_trio.sandbox.planship", "PlanshipServer"),
    "talon_one": ("elarian_trio.sandbox.talonone", "TalonOneServer"),
}
"""The sandbox's arguments, and what serves each."""


class StandIns:
    """The stand-ins of one sandbox. Made by it.

    Args:
        given: by the sandbox's arguments, each an address, a server that the user made, or ``None`` for none.
        seed: the sandbox's.

    Raises:
        TypeError: one is neither.
        ValueError: an address is none, or one that others can reach; or a server has a clock or file of its own.
        ModuleNotFoundError: it needs a package that is not installed; the words say how to install it.
    """

    def __init__(self, given: Mapping[str, object], seed: int | str | None) -> None:
        self._servers = {name: _server(name, each, seed) for name, each in given.items() if each is not None}

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where they listen, while they do."""
        return {name: server.base_url for name, server in self._servers.items() if server.is_open}

    def get(self, name: str) -> Any:  # noqa: ANN401 - the sandbox says which class
        """Give one of them.

        Raises:
            LookupError: the sandbox was set up without it.
        """
        if name not in self._servers:
            msg = f"the sandbox was set up without {name}: give it where to listen, as Sandbox({name}='127.0.0.1:0')"
            raise LookupError(msg)
        return self._servers[name]

    async def open(self, tasks: TaskGroup, opened: Opened, clock: Clock) -> None:
        """Have all of them listen, on what the sandbox stands on.

        Raises:
            OSError: an address cannot be had.
            StoreError: the file cannot be read or written.
        """
        await anyio.lowlevel.checkpoint()
        for server in self._servers.values():
            await server.open(tasks, _ground(opened, clock))

    async def settle(self) -> None:
        """Wait, within a bound, until what they have to tell is on its way."""
        await anyio.lowlevel.checkpoint()
        for server in self._servers.values():
            await server.settle()

    async def say_goodbye(self) -> None:
        """Have their WebSockets say their closing words, within a bound each."""
        await anyio.lowlevel.checkpoint()
        for server in self._servers.values():
            await server.say_goodbye()

    def close(self) -> None:
        """Close all their connections."""
        for server in self._servers.values():
            server.close()


def _ground(opened: Opened, clock: Clock) -> Ground:
    """Load what an extra brings, where it is needed."""
    from elarian_trio.sandbox.ground import Ground

    return Ground(opened.database, opened.store, opened.dice, clock)


def server_class(name: str) -> Callable[..., WebServer]:
    """Load what serves the stand-in that the sandbox's argument *name* is for.

    Raises:
        ModuleNotFoundError: it needs a package that is not installed; the words say how to install it.
    """
    module, kind = CLASSES[name]
    found: type[WebServer] = getattr(import_module(module), kind)
    return found


def _server(name: str, given: object, seed: int | str | None) -> WebServer:
    made = server_class(name)(given, seed=seed) if isinstance(given, str) else given
    _, kind = CLASSES[name]
    if type(made).__name__ != kind:
        msg = f'{name} must be a str such as "127.0.0.1:0", or a {kind}, got {given!r}'
        raise TypeError(msg)
    server = cast("WebServer", made)
    server.check_is_part()
    return server
