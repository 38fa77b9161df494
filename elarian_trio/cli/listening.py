"""Where ``elarian-trio sandbox`` listens.

:mod:`.sandbox` stands above.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Listening"]

DEFAULT_TCP = "127.0.0.1:8082"  # the port of Elarian's own staging server, where it spoke plain TCP


@Parameter(name="*", group="Where it listens", show_default=False)
@dataclass(frozen=True, kw_only=True)
class Listening:
    """The options that say where it listens. Made of the command line.

    Attributes:
        tcp: HOST:PORT for plain TCP; port 0 takes a free one. Where no address is given at all, 127.0.0.1:8082. An
            address that others can reach takes keys of your own, and no --open.
        tls: HOST:PORT for TLS, with a certificate of its own making.
        ws: HOST:PORT for WebSockets.
        wss: HOST:PORT for WebSockets over TLS.
        planship: HOST:PORT for a local Planship, HTTP and WebSockets.
        talon_one: HOST:PORT for a local Talon.One.
        tls_dir: A folder where the certificate authority and its key are kept and found again, so that clients need to
            trust it once.
    """

    tcp: str | None = None
    tls: str | None = None
    ws: str | None = None
    wss: str | None = None
    planship: str | None = None
    talon_one: str | None = None
    tls_dir: Path | None = None

    @property
    def addresses(self) -> Mapping[str, str]:
        """The sandbox's own addresses, by the way in; one on loopback if none is given."""
        ways = {"tcp": self.tcp, "tls": self.tls, "ws": self.ws, "wss": self.wss}
        return {way: address for way, address in ways.items() if address is not None} or {"tcp": DEFAULT_TCP}
