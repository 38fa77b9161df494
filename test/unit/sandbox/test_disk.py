"""The disk: whether the loop or a thread waits for it."""

from __future__ import annotations

import pytest
from stored import ASHA, FaultyDatabase

from elarian_trio.errors import StoreError
from elarian_trio.sandbox import disk as room
from elarian_trio.sandbox.database import script_of
from elarian_trio.sandbox.disk import Disk

pytestmark = pytest.mark.anyio


async def test_a_slow_disk_has_another_chance_later_each_time(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: a disk that held the loop up once is soon trusted again, one that always does so seldom."""
    monkeypatch.setattr(room, "DOUBT", 2)
    monkeypatch.setattr(room, "MAX_DOUBT", 5)
    wait, doubts = Disk(disk), list[int]()
    for took in (0.1, 0.1, 0.1, 0.0, 0.1):
        disk.took = took
        disk.begin(script_of({ASHA.key: ASHA}))
        wait.commit_here()
        doubts.append(0)
        while not wait.is_quick:
            doubts[-1] += 1
            disk.begin(script_of({ASHA.key: ASHA}))
            await wait.commit_in_thread()
    assert doubts == [2, 4, 5, 0, 2]
    assert disk.waited.count(True) == len(doubts)
    assert disk.load(ASHA.key) == ASHA


async def test_reads_go_by_their_own_connection_only_while_a_thread_has_the_other(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: a read by the connection that a thread waits with would wait, too; also where that one fails."""
    wait, seen = Disk(disk), list[bool]()

    def fail() -> None:
        seen.append(disk._free is disk._by_reader)
        msg = "the disk is full"
        raise StoreError(msg)

    monkeypatch.setattr(disk, "commit", fail)
    with pytest.raises(StoreError):
        await wait.commit_in_thread()
    assert seen == [True]
    assert disk._free is disk._by_writer
