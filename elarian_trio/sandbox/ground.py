"""What a stand-in stands on: the clock, the dice and the store, its own or those of the sandbox it is part of.

:mod:`.web` and the sandbox stand above; below are the database and the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from elarian_trio.sandbox.database import Database
from elarian_trio.sandbox.dice import SeededDice
from elarian_trio.sandbox.store import Store

if TYPE_CHECKING:
    import os

    from elarian_trio.sandbox.clock import Clock

__all__ = ["Ground", "open_ground"]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a stand-in stands on.

    Attributes:
        database: where facts are kept, such as a secret that was made up; and records, behind the store.
        store: where records are found and kept.
        dice: where ids and secrets come from.
        clock: what time it is.
    """

    database: Database
    store: Store
    dice: SeededDice
    clock: Clock

    def secret(self, name: str, digits: int) -> str:
        """Give a secret that is made up once: the file, where there is one, keeps it.

        Raises:
            StoreError: the file cannot be read or written.
        """
        kept = self.database.fact(name)
        if kept is None:
            kept = self.dice.secret(digits)
            self.database.state(name, kept)
        return kept

    def close(self) -> None:
        """Keep what is left, and close it.

        Raises:
            StoreError: the disk refuses what is left. Nobody was told that it was done.
        """
        try:
            self.store.flush()
        finally:
            self.database.close()


def open_ground(path: str | os.PathLike[str] | None, seed: int | str | None, clock: Clock) -> Ground:
    """Open the file at *path*, or memory where that is ``None``. Synchronous: it reads and writes the disk.

    Raises:
        StoreError: see :meth:`.database.Database.open`.
    """
    database = Database.open(path)
    try:
        times = int(database.fact("times opened") or 0)
        database.state("times opened", str(times + 1))
        dice = SeededDice(seed if seed is None or not times else f"{seed}, opened again {times}")
        return Ground(database, Store(database, inline=path is None), dice, clock)
    except BaseException:
        database.close()
        raise
