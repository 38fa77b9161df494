"""The stand-ins of ``elarian-trio sandbox``: with what clients come into them, and how that is said.

:mod:`.sandbox` stands above, :mod:`elarian_trio.sandbox` below.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from elarian_trio.cli.access import read_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from elarian_trio.sandbox import Sandbox
    from elarian_trio.sandbox.web import WebServer

__all__ = ["TITLES", "StandInKeys"]

TITLES: Mapping[str, str] = {"planship": "Planship", "talon_one": "Talon.One"}
VARIABLES: Mapping[str, Mapping[str, str]] = {
    "planship": {
        "base_url": "PLANSHIP_BASE_URL",
        "web_socket_url": "PLANSHIP_WEB_SOCKET_URL",
        "client_id": "PLANSHIP_CLIENT_ID",
        "client_secret": "PLANSHIP_CLIENT_SECRET",
    },
    "talon_one": {"base_url": "TALON_ONE_BASE_URL", "api_key": "TALON_ONE_API_KEY"},
}
"""What a client of each takes, and in which variable of the environment it is told."""

GIVEN = ("client_id", "client_secret", "api_key")  # what of that the user may choose
SECRET = ("client_secret", "api_key")  # what of that is not repeated where the user chose it


@dataclass(frozen=True)
class StandInKeys:
    """With what clients come into the stand-ins; what is not here they make up.

    Attributes:
        chosen: by the sandbox's argument, what the user chose.
    """

    chosen: Mapping[str, Mapping[str, str]] = field(repr=False)

    @classmethod
    def of(cls, files: Mapping[str, Path | None]) -> StandInKeys:
        """Read the files with secrets, and the environment.

        Args:
            files: by the sandbox's argument, the file that holds the stand-in's secret, which goes before the
                environment's.

        Raises:
            ValueError: a file cannot be read.
        """
        return cls({name: _chosen(name, file) for name, file in files.items()})

    def serve(self, name: str, address: str | None, seed: int | str | None) -> WebServer | None:
        """Make the stand-in for that argument of the sandbox, if there is an address.

        Raises:
            ValueError: the address is none, or one that others can reach while the secret would be made up.
            ModuleNotFoundError: it needs a package that is not installed; the words say how to install it.
        """
        from elarian_trio.sandbox.standins import server_class

        return None if address is None else server_class(name)(address, seed=seed, **self.chosen[name])

    def announcement(self, server: Sandbox) -> Iterator[str]:
        """Say what clients take. A secret that was made up is told, as the sandbox's own keys are."""
        for name in TITLES:
            if name in server.endpoints:
                yield f"lets in {TITLES[name]}'s clients:"
                yield from self._exports(name, getattr(server, name).credentials)

    def _exports(self, name: str, credentials: Mapping[str, str]) -> Iterator[str]:
        for argument, variable in VARIABLES[name].items():
            if argument in SECRET and argument in self.chosen[name]:
                yield f"  with the secret that you gave, as {variable}"
            else:
                yield f"  export {variable}={shlex.quote(credentials[argument])}"


def _chosen(name: str, file: Path | None) -> dict[str, str]:
    variables = {argument: VARIABLES[name][argument] for argument in GIVEN if argument in VARIABLES[name]}
    found = {argument: os.environ[variable] for argument, variable in variables.items() if os.environ.get(variable)}
    if file is not None:
        found[next(argument for argument in SECRET if argument in variables)] = read_secret(file)
    return found
