"""The disk: whether the loop or a thread waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stored import ASHA, FaultyDatabase

from elarian_trio.errors import StoreError
from elarian_trio.sandbox import disk as room
from elarian_trio.sandbox.database import Database, script_of
from elarian_trio.sandbox.disk import Disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(tmp_path: Path) -> Iterator[FaultyDatabase]:
    """Open a file."""
    opened = FaultyDatabase(Database.open(tmp_path / "x.sqlite3"))
    yield opened
    opened.close()


async def test_a_slow_disk_has_another_chance_after_so_many_writes(
    database: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: a disk that held the loop up once stops nobody; nor is it distrusted for ever."""
    monkeypatch.setattr(room, "SLOW_FOR", 2)
    disk = Disk(database)
    assert disk.is_quick
    database.took = 0.1
    database.begin(script_of({ASHA.key: ASHA}))
    disk.commit_here()
    for is_quick in (False, True, True):
        database.begin(script_of({ASHA.key: ASHA}))
        await disk.commit_in_thread()
        assert disk.is_quick == is_quick
    assert database.waited == [True, False, False, False]
    assert database.load(ASHA.key) == ASHA


async def test_reads_go_by_their_own_connection_only_while_a_thread_has_the_other(
    database: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: a read by the connection that a thread waits with would wait, too; also where that one fails."""
    disk, seen = Disk(database), list[bool]()

    def fail() -> None:
        seen.append(database._free is database._by_reader)
        msg = "the disk is full"
        raise StoreError(msg)

    monkeypatch.setattr(database, "commit", fail)
    with pytest.raises(StoreError):
        await disk.commit_in_thread()
    assert seen == [True]
    assert database._free is database._by_writer
