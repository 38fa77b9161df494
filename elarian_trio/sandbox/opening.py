"""Opens what a sandbox remembers, and puts in it what the sandbox was set up with.

The server stands above. A file that was there before keeps its customers, its balances and, where the sandbox made its
key up itself, the key; channel numbers are as the sandbox says now. :mod:`.kept` is below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from elarian_trio.sandbox.kept import Kept, open_kept
from elarian_trio.sandbox.store import UNHEARD
from elarian_trio.sandbox.world.entities import PurseRecord

if TYPE_CHECKING:
    import os

    from elarian_trio.sandbox.database import Database
    from elarian_trio.sandbox.organisation import Organisations
    from elarian_trio.sandbox.store import Store
    from elarian_trio.sandbox.world.entities import Key, Record

__all__ = ["Opened", "open_store"]


@dataclass(frozen=True, slots=True)
class Opened(Kept):
    """What was opened.

    Attributes:
        organisations: what the sandbox was set up with, with the keys that hold.
    """

    organisations: Organisations


def open_store(
    path: str | os.PathLike[str] | None, organisations: Organisations, seed: int | str | None, *, keeps_key: bool
) -> Opened:
    """Open the file at *path*, or memory where that is ``None``. Synchronous: it reads and writes the disk.

    Args:
        path: the file; made if there is none.
        organisations: what the sandbox was set up with.
        seed: of the ids. The second time that a file is opened, they are others: the first ones are given away.
        keeps_key: whether the main app's key was made up, so that the one in the file counts.

    Raises:
        StoreError: see :meth:`.database.Database.open`.
    """
    kept = open_kept(path, seed)
    try:
        if keeps_key and path is not None:
            organisations = _with_kept_key(kept.database, organisations)
        kept.store.commit(_furniture(kept.store, organisations), UNHEARD)
        if path is not None:
            kept.store.flush()
    except BaseException:
        kept.database.close()
        raise
    return Opened(kept.database, kept.store, kept.dice, organisations)


def _with_kept_key(database: Database, organisations: Organisations) -> Organisations:
    key = database.fact("api key")
    if key is None:
        database.state("api key", organisations.main.api_key)
        return organisations
    return replace(organisations, apps=(replace(organisations.main, api_key=key), *organisations.apps[1:]))


def _furniture(store: Store, organisations: Organisations) -> dict[Key[Any], Record | None]:
    """Give the records with which the rules begin; what is in a purse already stays in it."""
    records = ((record.key, record) for record in organisations.records())
    return {key: record for key, record in records if not (isinstance(record, PurseRecord) and store.load(key))}
