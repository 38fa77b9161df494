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


async def test_a_slow_disk_has_another_chance_later_each_time(
    database: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: a disk that held the loop up once is soon trusted again, one that always does so seldom."""
    monkeypatch.setattr(room, "DOUBT", 2)
    monkeypatch.setattr(room, "MAX_DOUBT", 5)
    disk, doubts = Disk(database), list[int]()
    for took in (0.1, 0.1, 0.1, 0.0, 0.1):
        database.took = took
        database.begin(script_of({ASHA.key: ASHA}))
        disk.commit_here()
        doubts.append(0)
        while not disk.is_quick:
            doubts[-1] += 1
            database.begin(script_of({ASHA.key: ASHA}))
            await disk.commit_in_thread()
    assert doubts == [2, 4, 5, 0, 2]
    assert database.waited.count(True) == len(doubts)
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
