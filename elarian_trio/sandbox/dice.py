"""Where the sandbox's ids and secrets come from.

Whoever opens what a server remembers makes one; the rules, which have no dice of their own, are handed it.
"""

from __future__ import annotations

import random
import secrets

__all__ = ["SeededDice"]


class SeededDice:
    """Ids from a seed, so that a run can be had again; secrets never."""

    def __init__(self, seed: int | str | None = None) -> None:
        self._random = random.Random(seed)  # with None it seeds itself from the system's entropy

    def hex(self, digits: int) -> str:
        """Give *digits* random hexadecimal digits; the same ones again for the same seed."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def secret(self, digits: int) -> str:
        """Give *digits* hexadecimal digits that nobody can guess, seed or no seed."""
        return secrets.token_hex((digits + 1) // 2)[:digits]
