"""What a stand-in stands on: the clock, the dice and the store, its own or those of the sandbox it is part of.

:mod:`.web` and the sandbox stand above; :mod:`.kept` is below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from elarian_trio.sandbox.kept import Kept, open_kept

if TYPE_CHECKING:
    import os

    from elarian_trio.sandbox.clock import Clock

__all__ = ["Ground", "open_ground"]


@dataclass(frozen=True, slots=True)
class Ground(Kept):
    """What a stand-in stands on.

    Attributes:
        clock: what time it is.
    """

    clock: Clock


def open_ground(path: str | os.PathLike[str] | None, seed: int | str | None, clock: Clock) -> Ground:
    """Open the file at *path*, or memory where that is ``None``, see :func:`.kept.open_kept`."""
    kept = open_kept(path, seed)
    return Ground(kept.database, kept.store, kept.dice, clock)
