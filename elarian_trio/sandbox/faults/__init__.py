"""Failures on purpose: what may go wrong, when, and how often it did.

Users set rules by ``sandbox.faults``, or in a file; :mod:`elarian_trio.sandbox.provoked` makes them come true. All of
it is values and counting: no I/O (but for reading a rules file), no clock, and the dice are seeded.
"""

from __future__ import annotations

from elarian_trio.sandbox.faults.files import FaultsFileError, load_faults
from elarian_trio.sandbox.faults.rules import Faults, Rule
from elarian_trio.sandbox.faults.values import Fault, FaultError

__all__ = ["Fault", "FaultError", "Faults", "FaultsFileError", "Rule", "load_faults"]
