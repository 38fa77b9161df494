"""Where the sandbox's ids and secrets come from.

Whoever opens what a server remembers makes one; the rules, which have no dice of their own, are handed it.
"""

from __future__ import annotations

import random
import secrets
from itertools import count

__all__ = ["SeededDice"]

IDS_OF_A_RUN = 1 << 40  # ids for which a run has room before the next one's begin


class SeededDice:
    """Ids from a seed, so that a run can be had again; secrets never.

    Args:
        seed: of whatever is drawn; with ``None`` the system's entropy is it.
        run: how many runs before this one have given ids to the same records.
    """

    def __init__(self, seed: int | str | None = None, *, run: int = 0) -> None:
        self._random = random.Random(seed)
        self._places = count(run * IDS_OF_A_RUN)

    def hex(self, digits: int) -> str:
        """Give *digits* random hexadecimal digits; the same ones again for the same seed."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def ascending(self) -> str:
        """Give 32 hexadecimal digits that sort behind all that were given before: half counted, half random."""
        return f"{next(self._places):016x}{self.hex(16)}"

    def secret(self, digits: int) -> str:
        """Give *digits* hexadecimal digits that nobody can guess, seed or no seed."""
        return secrets.token_hex((digits + 1) // 2)[:digits]
