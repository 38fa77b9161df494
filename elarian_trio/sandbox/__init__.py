"""A local Elarian in your own process, or on a port: the server that apps are developed, shown and tested against.

Users and their tests stand above. Below are the session (in the server's role), the wire, the models, and the rules
without I/O in :mod:`.world`.
"""

from __future__ import annotations

from elarian_trio.sandbox.clock import Clock, ManualClock
from elarian_trio.sandbox.credentials import Credentials, SandboxApp
from elarian_trio.sandbox.faults import Fault, FaultError, Faults, FaultsFileError, Rule, load_faults
from elarian_trio.sandbox.server import Sandbox
from elarian_trio.sandbox.world.work import Settings

__all__ = [
    "Clock",
    "Credentials",
    "Fault",
    "FaultError",
    "Faults",
    "FaultsFileError",
    "ManualClock",
    "Rule",
    "Sandbox",
    "SandboxApp",
    "Settings",
    "load_faults",
]
