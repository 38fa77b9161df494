"""The store: what was committed is there at once, and is kept, or lost, as a whole."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from stored import ASHA, INDEX, NOBODY, FaultyDatabase, Told, a_customer, a_job, a_message, an_entry

from elarian_trio.errors import StoreError
from elarian_trio.sandbox import at_hand
from elarian_trio.sandbox import disk as waiting
from elarian_trio.sandbox import store as room
from elarian_trio.sandbox.database import Database, files
from elarian_trio.sandbox.pending import BEGINNING
from elarian_trio.sandbox.store import Store
from elarian_trio.sandbox.world.entities import CustomerKey, EntryKey, MessageKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from elarian_trio.sandbox.database import Script
    from elarian_trio.sandbox.world.entities import Key, Record


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Open a store of each kind, in which nothing is written by itself."""
    opened = Database.open(None if request.param == "memory" else tmp_path / "x.sqlite3")
    yield Store(opened, inline=request.param == "memory")
    opened.close()


def test_what_was_committed_is_loaded_by_its_key(store: Store) -> None:
    """This SDK: the engine's one way to remember; the next unit sees it, written or not."""
    assert store.load(ASHA.key) is None
    store.commit({ASHA.key: ASHA}, NOBODY)
    assert store.load(CustomerKey("org", "asha")) == ASHA
    assert store.load(CustomerKey("another org", "asha")) is None
    store.flush()
    assert store.load(ASHA.key) == ASHA
    store.commit({ASHA.key: None}, NOBODY)
    assert store.load(ASHA.key) is None
    store.flush()
    assert store.load(ASHA.key) is None


def test_keys_of_different_kinds_never_meet(store: Store) -> None:
    """This SDK: the kind is part of the key."""
    store.commit({ASHA.key: ASHA}, NOBODY)
    assert store.load(EntryKey("org", "tag", (), "asha")) is None


def test_an_index_lists_its_members_by_name_wherever_they_are(store: Store) -> None:
    """This SDK: what is done for all holders of a tag is done in the same order every time."""
    assert store.members(INDEX) == ()
    for member in ("juma", "asha"):
        store.commit({an_entry(member).key: an_entry(member)}, NOBODY)
    store.flush()
    store.commit({an_entry("ben").key: an_entry("ben")}, NOBODY)
    assert [entry.member for entry in store.members(INDEX)] == ["asha", "ben", "juma"]
    store.commit({an_entry("juma").key: None}, NOBODY)
    assert [entry.member for entry in store.members(INDEX)] == ["asha", "ben"]
    assert store.load(an_entry("juma").key) is None
    store.commit({an_entry("asha").key: None, an_entry("nobody").key: None, an_entry("ben").key: None}, NOBODY)
    store.flush()
    assert store.members(INDEX) == ()


def test_jobs_are_listed_in_due_order_wherever_they_are(store: Store) -> None:
    """This SDK: a job that was set a moment ago may be due before those that are written."""
    old = {
        name: a_job(name, seconds, number) for number, (name, seconds) in enumerate({"a": 10, "b": 30, "c": 50}.items())
    }
    store.commit({job.key: job for job in old.values()}, NOBODY)
    store.flush()
    moved, new, last = a_job("c", 5, 7), a_job("d", 20, 8), a_job("e", 60, 9)
    store.commit({old["b"].key: None, moved.key: moved, new.key: new, last.key: last}, NOBODY)
    jobs, until = store.jobs(BEGINNING, 10)
    assert (jobs, until) == ([moved, old["a"], new, last], None)
    jobs, until = store.jobs(BEGINNING, 1)
    assert (jobs, until) == ([moved, old["a"]], old["a"].place)
    assert store.jobs(until, 10) == ([new, last], None)


def test_numbers_go_on_where_they_were(store: Store) -> None:
    """This SDK: what was set later comes later, also after a restart."""
    job = a_job("a", 0, store.number())
    store.commit({job.key: job}, NOBODY)
    store.flush()
    again = Store(store._database, inline=True)
    assert again.number() > job.number


def test_in_memory_a_unit_is_kept_at_once(store: Store) -> None:
    """Issue: in memory the same code runs inline."""
    told = Told()
    store.commit({ASHA.key: ASHA}, told.unit("asha"))
    assert store.is_settled == bool(told.kept)


@pytest.mark.anyio
async def test_a_unit_is_kept_once_it_is_written_and_those_that_wait_share_a_write(disk: FaultyDatabase) -> None:
    """Issue: group commit; acknowledged means durable."""
    store, told, drained = Store(disk, inline=False), Told(), 0

    def drain() -> None:
        nonlocal drained
        drained += 1

    for name in ("asha", "ben", "juma"):
        store.commit({a_customer(name).key: a_customer(name)}, told.unit(name))
    store.commit({}, told.unit("a reader"))
    assert not told.kept
    assert not store.is_settled
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.run, drain)
        await told.until(4)
        await store.wait_settled()
        assert told.kept == ["asha", "ben", "juma", "a reader"]
        assert len(disk.batches) == drained == 1
        store.commit({}, told.unit("another reader"))
        assert told.kept[-1] == "another reader", "there was nothing to wait for"
        tasks.cancel_scope.cancel()
    assert disk.load(ASHA.key) == ASHA


@pytest.mark.anyio
async def test_a_disk_is_waited_for_where_several_share_it_unless_it_was_slow(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: a thread waits longer for a busy loop than for a quick disk; a slow one stops nobody."""
    monkeypatch.setattr(waiting, "DOUBT", 2)
    store, told, count = Store(disk, inline=False), Told(), 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.run, lambda: None)
        for units, took in ((1, 0.0), (3, 0.0), (2, 0.1), (2, 0.1), (1, 0.0), (2, 0.0), (2, 0.0)):
            disk.took = took
            for _ in range(units):
                store.commit({ASHA.key: ASHA}, told.unit("asha"))
            await told.until(count := count + units)
        tasks.cancel_scope.cancel()
    assert disk.waited == [False, True, True, False, False, True, True]


@pytest.mark.anyio
async def test_who_comes_a_turn_of_the_loop_later_shares_the_write(disk: FaultyDatabase) -> None:
    """Issue: group commit sized by what waits, not by a timer."""
    store, told = Store(disk, inline=False), Told()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.run, lambda: None)
        for each in range(20):  # whose turn comes first is drawn by lot
            await store.wait_settled()
            store.commit({ASHA.key: ASHA}, told.unit("asha"))
            await anyio.lowlevel.checkpoint()
            store.commit({an_entry("asha").key: an_entry("asha")}, told.unit("asha's tag"))
            await told.until(2 * each + 2)
        tasks.cancel_scope.cancel()
    assert [len(batch) for batch in disk.batches] == [2] * 20


@pytest.mark.anyio
async def test_a_long_log_is_shortened_by_a_thread_once_the_units_were_told(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """House: nobody waits for what may as well be done later, and the log does not grow."""
    monkeypatch.setattr(files, "CHECKPOINT_AFTER", 4)
    store, told, done = Store(disk, inline=False), Told(), list[tuple[bool, int]]()

    def shorten() -> None:
        done.append((threading.current_thread() is threading.main_thread(), len(told.kept)))
        Database.shorten_log(disk)

    monkeypatch.setattr(disk, "shorten_log", shorten)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.run, lambda: store.load(CustomerKey("org", "ben")))
        for number in range(12):
            store.commit({ASHA.key: a_customer("asha", metadata={"n": str(number)})}, told.unit("asha"))
            await told.until(number + 1)
        await store.wait_settled()
        tasks.cancel_scope.cancel()
    assert 2 <= len(done) <= 4
    assert {here for here, _ in done} == {False}
    assert disk.load(ASHA.key) == a_customer("asha", metadata={"n": "11"})


@pytest.mark.anyio
@pytest.mark.parametrize("at", ["begin", "commit"])
async def test_what_cannot_be_written_is_lost_with_what_was_built_on_it(disk: FaultyDatabase, at: str) -> None:
    """Issue: disk full and I/O errors are refused or recovered, never silent."""
    store, told = Store(disk, inline=False), Told()
    disk.write({ASHA.key: ASHA})
    tagged = a_customer("asha", metadata={"n": "1"})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.run, lambda: None)
        disk.full_at = at
        store.commit({tagged.key: tagged, an_entry("asha").key: an_entry("asha")}, told.unit("first"))
        store.commit({}, told.unit("a reader of it"))
        assert store.load(ASHA.key) == tagged
        await told.until(2)
        assert (told.kept, told.lost) == ([], ["first", "a reader of it"])
        assert store.load(ASHA.key) == ASHA
        assert store.members(INDEX) == ()
        disk.full_at = None
        store.commit({tagged.key: tagged}, told.unit("again"))
        await told.until(3)
        assert told.kept == ["again"]
        tasks.cancel_scope.cancel()
    assert disk.load(ASHA.key) == tagged


@pytest.mark.anyio
async def test_what_is_being_written_is_read_as_it_will_be_and_what_comes_meanwhile_hides_it(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: the next unit sees what the last one left, whether a thread waits for the disk or not."""
    store, told, begun, may_end = Store(disk, inline=False), Told(), threading.Event(), threading.Event()
    entry, job = an_entry("asha"), a_job("a", 10, 1)
    disk.write({ASHA.key: ASHA})

    def commit() -> float:
        begun.set()
        may_end.wait(5)
        return Database.commit(disk)

    def seen() -> tuple[object, ...]:
        return store.load(ASHA.key), store.members(INDEX), store.jobs(BEGINNING, 10)[0]

    with monkeypatch.context() as patch, anyio.fail_after(5):
        patch.setattr(disk, "commit", commit)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.run, lambda: None)
            first, second = (a_customer("asha", metadata={"n": number}) for number in "12")
            store.commit({first.key: first, entry.key: entry, job.key: job}, told.unit("first"))
            while not begun.is_set():
                await anyio.lowlevel.checkpoint()
            assert seen() == (first, (entry,), [job])
            moved = a_job("a", 20, 2)
            store.commit({second.key: second, entry.key: None, moved.key: moved}, told.unit("second"))
            assert seen() == (second, (), [moved])
            assert told.kept == []
            may_end.set()
            await told.until(2)
            assert seen() == (second, (), [moved])
            tasks.cancel_scope.cancel()
    assert disk.load(ASHA.key) == second


@pytest.mark.anyio
async def test_what_came_while_a_write_failed_is_lost_with_it(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: all of it or nothing; what was built on what is lost would be half of something."""
    store, told = Store(disk, inline=False), Told()
    disk.write({ASHA.key: ASHA})
    first, second = (a_customer("asha", metadata={"n": number}) for number in "12")

    def fails(_: object) -> None:
        store.commit({second.key: second}, told.unit("second"))
        msg = "the disk is full"
        raise StoreError(msg)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.run, lambda: None)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "begin", fails)
            store.commit({first.key: first}, told.unit("first"))
            await told.until(2)
        assert told.lost == ["first", "second"]
        assert store.load(ASHA.key) == ASHA
        assert store.is_settled
        tasks.cancel_scope.cancel()
    store.flush()
    assert disk.load(ASHA.key) == ASHA


@pytest.mark.anyio
async def test_a_flush_writes_what_was_being_written_before_what_came_meanwhile(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: the server may end at any moment, and the latest unit is the one that counts."""
    store = Store(disk, inline=False)
    first, second = (a_customer("asha", metadata={"n": number}) for number in "12")
    async with anyio.create_task_group() as tasks:

        def end_here(script: Script) -> None:
            Database.begin(disk, script)
            store.commit({second.key: second}, NOBODY)
            tasks.cancel_scope.cancel()

        with monkeypatch.context() as patch:
            patch.setattr(disk, "begin", end_here)
            store.commit({first.key: first}, NOBODY)
            await store.run(lambda: None)
    store.flush()
    assert disk.load(ASHA.key) == second


@pytest.mark.anyio
async def test_what_was_staged_when_the_server_ends_is_written_by_a_flush(disk: FaultyDatabase) -> None:
    """This SDK: leaving the block is no crash."""
    store = Store(disk, inline=False)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(store.run, lambda: None)
        store.commit({ASHA.key: ASHA}, NOBODY)
        tasks.cancel_scope.cancel()
    store.flush()
    assert disk.load(ASHA.key) == ASHA
    assert store.is_settled


def test_who_is_behind_says_so(disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """House: no unbounded buffer; nothing is begun by itself while the disk does not keep up."""
    monkeypatch.setattr(room, "MAX_BEHIND", 2)
    store = Store(disk, inline=False)
    assert not store.is_behind
    for name in ("asha", "ben"):
        store.commit({a_customer(name).key: a_customer(name)}, NOBODY)
    assert store.is_behind
    store.flush()
    assert not store.is_behind


def test_memory_reads_its_database_only_once_something_was_put_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: what is not at hand is nowhere until then; a store over what another one left there begins so."""
    monkeypatch.setattr(room, "MAX_STAGED", 1)
    monkeypatch.setattr(room, "PUT_AWAY", 1)
    database = Database.open(None)
    store = Store(database, inline=True)
    database.write({ASHA.key: ASHA, an_entry("asha").key: an_entry("asha")})  # behind its back
    assert store.load(ASHA.key) is None
    assert store.members(INDEX) == ()
    for name in ("brian", "carol"):
        store.commit({CustomerKey("org", name): a_customer(name)}, NOBODY)
    for each in (store, Store(database, inline=True)):
        assert each.load(ASHA.key) == ASHA
        assert each.members(INDEX) == (an_entry("asha"),)
    database.close()


def test_memory_puts_away_what_is_too_much_to_have_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue: entities are loaded on demand with a bounded cache."""
    monkeypatch.setattr(room, "MAX_STAGED", 8)
    monkeypatch.setattr(room, "PUT_AWAY", 4)
    monkeypatch.setattr(at_hand, "MAX_AT_HAND", 5 * at_hand.LEAST_WEIGHT)
    disk = FaultyDatabase(Database.open(None))
    store = Store(disk, inline=True)
    names = [f"customer {number}" for number in range(100)]
    for name in names:
        changes: dict[Key[Any], Record | None] = {a_customer(name).key: a_customer(name)}
        store.commit({**changes, an_entry(name).key: an_entry(name)}, NOBODY)
    assert {len(batch) for batch in disk.batches} == {4}
    assert len(store._staged.records) <= 8
    assert len(store._at_hand) <= 5
    assert [store.load(CustomerKey("org", name)) for name in names] == [a_customer(name) for name in names]
    assert [entry.member for entry in store.members(INDEX)] == sorted(names)
    disk.close()


def test_memory_keeps_no_trace_of_old_messages_before_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """House: no unbounded buffer; traces of what was deleted would fill it, and what there is would leave."""
    monkeypatch.setattr(room, "MAX_STAGED", 2)
    disk = FaultyDatabase(Database.open(None))
    store = Store(disk, inline=True)
    store.commit({ASHA.key: ASHA}, NOBODY)
    for number in range(10):
        key = MessageKey("org", f"message {number}")
        store.commit({key: a_message("delivered")}, NOBODY)
        store.commit({key: None}, NOBODY)
        assert store.load(key) is None
    assert store._staged.records == {ASHA.key: ASHA}
    assert not disk.batches
    disk.close()


def test_memory_puts_away_first_what_was_not_changed_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: who is written to all the time is not written down as often, and not read back."""
    monkeypatch.setattr(room, "MAX_STAGED", 3)
    monkeypatch.setattr(room, "PUT_AWAY", 2)
    disk = FaultyDatabase(Database.open(None))
    store = Store(disk, inline=True)
    for name in ("asha", "ben", "carol", "asha", "dan"):
        store.commit({a_customer(name).key: a_customer(name)}, NOBODY)
    assert [key.customer_id for batch in disk.batches for key in batch] == ["ben", "carol"]
    disk.close()


def test_memory_keeps_no_trace_of_a_job_that_was_done_before_any_was_put_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: nothing is deleted from where nothing is; what may be in the database is deleted there, too."""
    monkeypatch.setattr(room, "MAX_STAGED", 1)
    database = Database.open(None)
    store = Store(database, inline=True)
    early, late = a_job("early", 1, 1), a_job("late", 2, 2)
    store.commit({early.key: early}, NOBODY)
    store.commit({early.key: None}, NOBODY)
    assert not store._staged.records
    store.commit({early.key: early, late.key: late}, NOBODY)
    assert not store._staged.records
    store.commit({early.key: None}, NOBODY)
    assert store.jobs(BEGINNING, 9) == ([late], None)
    again = Store(database, inline=True)
    again.commit({late.key: None}, NOBODY)
    assert again.jobs(BEGINNING, 9)[0] == [early], "the first store has not put away yet that it is done"
    database.close()


def test_what_is_asked_for_together_is_read_together(disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue: the cost of a command hardly grows with customers; what is at hand is not read again."""
    ben, juma = a_customer("ben"), a_customer("juma")
    disk.write({each.key: each for each in (ASHA, ben, juma)})
    store, read = Store(disk, inline=False), disk.rows_of_many
    asked: list[Sequence[Key[Any]]] = []
    monkeypatch.setattr(disk, "rows_of_many", lambda keys: (asked.append(keys), read(keys))[1])
    assert store.load(ASHA.key) == ASHA
    nobody = CustomerKey("org", "nobody")
    store.fetch([ASHA.key, ben.key, nobody])
    store.fetch([ASHA.key, ben.key, nobody, juma.key])
    assert asked == [[ben.key, nobody]], "one alone is read when it is asked for"
    with monkeypatch.context() as patch:
        patch.setattr(disk, "rows", lambda key: pytest.fail(f"asked for {key}"))
        assert [store.load(key) for key in (ASHA.key, ben.key, nobody)] == [ASHA, ben, None]
    assert store.load(juma.key) == juma


def test_what_is_read_together_does_not_hide_what_was_written_meanwhile(disk: FaultyDatabase) -> None:
    """This SDK: newer layers hide older ones, by whichever way those are read."""
    ben, tagged = a_customer("ben"), a_customer("asha", metadata={"n": "1"})
    disk.write({ASHA.key: ASHA, ben.key: ben})
    store = Store(disk, inline=False)
    store.commit({tagged.key: tagged}, NOBODY)
    store.fetch([ASHA.key, ben.key])
    assert store.load(ASHA.key) == tagged
    store.flush()
    store.fetch([ASHA.key, ben.key])
    assert [store.load(key) for key in (ASHA.key, ben.key)] == [tagged, ben]
