"""Requests out, responses in: what the HTTP companions stand on.

:mod:`elarian_trio.planship` and :mod:`elarian_trio.talonone` stand above: they build requests and read responses
without I/O (:mod:`.exchange`), and the sender (:mod:`.sender`) sends them, over the pool of connections that
:mod:`.pool` opens. Below is httpx2, which is an extra.
"""

from __future__ import annotations

from elarian_trio._http.exchange import Request, Response, base_of, path_of
from elarian_trio._http.sender import Attempt, Sender, open_sender, require_transport

__all__ = ["Attempt", "Request", "Response", "Sender", "base_of", "open_sender", "path_of", "require_transport"]
