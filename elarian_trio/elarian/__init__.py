"""The app's socket and its commands.

Users stand above; the block it shares with the simulator is :mod:`elarian_trio.client`, commands on one customer are
:mod:`elarian_trio.customer`'s.
"""

from __future__ import annotations

from elarian_trio.elarian.app import Elarian

__all__ = ["Elarian"]
