"""A file, or memory, opened: its records and the dice for what is yet to be named.

:mod:`.opening` and :mod:`.ground` stand above and add what a sandbox or a stand-in needs besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from elarian_trio.sandbox.database import Database
from elarian_trio.sandbox.dice import SeededDice
from elarian_trio.sandbox.store import Store

if TYPE_CHECKING:
    import os

__all__ = ["Kept", "open_kept"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was opened.

    Attributes:
        database: where records are; to be closed.
        store: where rules find them.
        dice: where ids and secrets come from.
    """

    database: Database
    store: Store
    dice: SeededDice

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


def open_kept(path: str | os.PathLike[str] | None, seed: int | str | None) -> Kept:
    """Open the file at *path*, or memory where that is ``None``. Synchronous: it reads and writes the disk.

    Args:
        path: the file; made if there is none.
        seed: of the dice. The second time that a file is opened, they are others: the first ids are given away.

    Raises:
        StoreError: see :meth:`.database.Database.open`.
    """
    database = Database.open(path)
    try:
        times = int(database.fact("times opened") or 0)
        database.state("times opened", str(times + 1))
        dice = SeededDice(seed if seed is None or not times else f"{seed}, opened again {times}", run=times)
        return Kept(database, Store(database, inline=path is None), dice)
    except BaseException:
        database.close()
        raise
