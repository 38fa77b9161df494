"""The file that records are kept in: whose it is, what state it is in, and who has it open."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import apsw
import pytest

from elarian_trio.errors import StoreError
from elarian_trio.sandbox.database import Database, Script, files, script_of
from elarian_trio.sandbox.database.refusals import refusal
from elarian_trio.sandbox.pending import BEGINNING, JobRecord
from elarian_trio.sandbox.world.effects import TokenExpires
from elarian_trio.sandbox.world.entities import CustomerKey, CustomerRecord, EntryRecord, IndexKey, MessagingRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ASHA = CustomerRecord(org_id="org", customer_id="asha", created_at=NOW)
WITH_LINKS = pytest.mark.skipif(sys.platform == "win32", reason="on Windows not everybody may make links")
UNLESS_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="who is root may write everything; Windows has no modes"
)
INDEX = IndexKey("org", "tag", ("segment", "premium"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file that is not there."""
    return tmp_path / "sandbox.sqlite3"


def a_job(number: int, seconds: int) -> JobRecord:
    """Make a job that is due so long after NOW."""
    job = TokenExpires(org_id="org", digest=str(number))
    return JobRecord(due=NOW + timedelta(seconds=seconds), number=number, job=job)


def test_what_was_written_is_there_when_the_file_is_opened_again(file: Path) -> None:
    """Issue: state that survives."""
    opened = Database.open(file)
    opened.write({ASHA.key: ASHA})
    opened.state("colour", "blue")
    opened.close()
    opened = Database.open(file)
    assert opened.load(ASHA.key) == ASHA
    assert opened.load(CustomerKey("another", "asha")) is None
    assert opened.fact("colour") == "blue"
    assert opened.fact("shape") is None
    opened.close()


def test_what_was_read_before_does_not_hide_what_is_written(file: Path) -> None:
    """This SDK: what is read while nobody writes is read in one transaction, which sees what there was at first."""
    opened = Database.open(file)
    for _ in range(2):
        assert opened.load(ASHA.key) is None
        opened.begin(script_of({ASHA.key: ASHA}))
        with opened.writing():
            assert opened.load(ASHA.key) is None
            opened.commit()
            assert opened.load(ASHA.key) == ASHA
            assert opened.load(ASHA.key) == ASHA
        assert opened.load(ASHA.key) == ASHA
        opened.write({ASHA.key: None})
        assert opened.load(ASHA.key) is None
    opened.close()


@pytest.mark.parametrize("is_shortened", [True, False])
def test_who_reads_between_writes_and_meanwhile_does_not_let_the_log_grow(
    file: Path, monkeypatch: pytest.MonkeyPatch, *, is_shortened: bool
) -> None:
    """House: nothing unbounded; a transaction that reads keeps what it sees, and the log with it."""
    monkeypatch.setattr(files, "CHECKPOINT_AFTER", 10)
    opened = Database.open(file)
    for number in range(100):
        record = CustomerRecord(org_id="org", customer_id=str(number), created_at=NOW)
        assert opened.load(record.key) is None
        opened.begin(script_of({record.key: record}))
        with opened.writing():
            assert opened.load(record.key) is None
            opened.commit()
        assert opened.load(record.key) == record
        if is_shortened and opened.is_log_long:
            opened.shorten_log()
            assert not opened.is_log_long
    pages = file.with_name(f"{file.name}-wal").stat().st_size / 4_120
    assert pages < (15 if is_shortened else 30), "a commit does it, where nobody else does"
    assert opened.load(CustomerKey("org", "99")) is not None
    opened.close()
    assert {each.name for each in file.parent.iterdir()} <= {file.name, f"{file.name}.lock"}, "all is in its place"


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_what_lies_in_several_places_is_read_together(number: int) -> None:
    """This SDK: as one after another, whatever there is of each, and however often one is named."""
    opened = Database.open(None)
    spoken = MessagingRecord(org_id="org", customer_id="asha")
    ben = CustomerRecord(org_id="org", customer_id="ben", created_at=NOW)
    opened.write({ASHA.key: ASHA, spoken.key: spoken, ben.key: ben})
    keys = [ASHA.key, CustomerKey("org", "nobody"), ben.key, ASHA.key, CustomerKey("other", "asha")][:number]
    assert opened.rows_of_many(keys) == [opened.rows(key) for key in keys]
    assert len(opened.rows(ASHA.key)) == 2
    opened.close()


@pytest.mark.parametrize("record", [ASHA, EntryRecord(org_id="org", kind="tag", parts=INDEX.parts, member="asha")])
def test_a_database_is_empty_until_there_is_a_record_or_an_entry(record: CustomerRecord | EntryRecord) -> None:
    """This SDK: a store in memory asks a database that is empty for nothing."""
    opened = Database.open(None)
    assert opened.is_empty
    opened.write({record.key: record})
    assert not opened.is_empty
    opened.close()


def test_keys_that_only_look_alike_are_different(file: Path) -> None:
    """This SDK: what is in a key is data, and separators in it are as well."""
    one = EntryRecord(org_id="org", kind="tag", parts=('a","b',), member="asha")
    other = EntryRecord(org_id="org", kind="tag", parts=("a", "b"), member="asha")
    opened = Database.open(file)
    opened.write({one.key: one})
    assert opened.members(one.key.index) == [one]
    assert opened.members(other.key.index) == []
    assert opened.load(other.key) is None
    opened.close()


def test_only_its_owner_may_read_the_file(file: Path) -> None:
    """Promise 4 of the design: it may hold a key."""
    Database.open(file).close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_jobs_come_in_due_order_and_equal_ones_in_the_order_they_were_set() -> None:
    """Issue: reminders fire in due order."""
    opened = Database.open(None)
    jobs = [a_job(1, 20), a_job(2, 10), a_job(3, 10), a_job(4, -(10**9))]
    opened.write({job.key: job for job in jobs})
    assert [job.number for job in opened.jobs(BEGINNING, 10)] == [4, 2, 3, 1]
    assert [job.number for job in opened.jobs(jobs[1].place, 1)] == [3]
    assert opened.last_number() == 4
    opened.close()


def test_a_file_is_one_servers_at_a_time(file: Path) -> None:
    """Issue: a lock against two servers on one file; the first one does not notice."""
    first = Database.open(file)
    with pytest.raises(StoreError, match="in use by another sandbox"):
        Database.open(file)
    first.write({ASHA.key: ASHA})
    first.close()
    second = Database.open(file)
    assert second.load(ASHA.key) == ASHA
    second.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Dear diary,", "no SQLite database"),
        (b"SQLite format 3\0", "no SQLite database"),
        (b"SQLite format 3\0" + bytes(200), "another program"),
    ],
    ids=["text", "short", "empty header"],
)
def test_a_foreign_file_is_refused_and_left_as_it_is(file: Path, content: bytes, words: str) -> None:
    """Issue: a foreign file is refused with a clear message and left untouched."""
    file.write_bytes(content)
    with pytest.raises(StoreError, match=words):
        Database.open(file)
    assert file.read_bytes() == content
    assert list(file.parent.iterdir()) == [file], "a lock was left beside it"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path)], ids=["pipe", "folder", "loop"]
)
def test_what_is_no_regular_file_is_refused_and_left_as_it_is(file: Path, make: Callable[[Path], None]) -> None:
    """A past bug: what looked empty was replaced by a new database, even ``/dev/null``."""
    make(file)
    before = file.lstat()
    with pytest.raises(StoreError, match="no regular file"):
        Database.open(file)
    assert file.lstat() == before
    assert list(file.parent.iterdir()) == [file]


def test_the_database_of_another_program_is_refused_and_left_as_it_is(file: Path) -> None:
    """Issue: a foreign file is refused with a clear message and left untouched."""
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE diary (day TEXT)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Database.open(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file], "a lock was left beside it"


def test_a_lock_that_lies_beside_a_foreign_file_stays(file: Path) -> None:
    """This SDK: another server may hold it."""
    lock = file.with_name(f"{file.name}.lock")
    file.write_bytes(b"Dear diary,")
    lock.touch()
    with pytest.raises(StoreError, match="no SQLite database"):
        Database.open(file)
    assert lock.exists()


def test_the_file_of_a_later_version_is_refused_and_left_as_it_is(file: Path) -> None:
    """This SDK: a version that does not know the schema would lose what it does not see."""
    Database.open(file).close()
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA user_version = {len(files.STEPS) + 1}")
    connection.close()
    file.with_name(f"{file.name}.lock").unlink()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="later version"):
        Database.open(file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file], "a lock was left beside it"


@pytest.mark.parametrize("at", [100, 3_000, 4_096, 8_192, 12_000])
def test_a_damaged_file_is_refused_and_left_as_it_is(file: Path, at: int) -> None:
    """Issue: a damaged file is refused with a clear message and left untouched."""
    opened = Database.open(file)
    others = [CustomerRecord(org_id="org", customer_id=str(each), created_at=NOW) for each in range(200)]
    opened.write({each.key: each for each in others})
    opened.close()
    damaged = bytearray(file.read_bytes())
    damaged[at : at + 1_000] = b"\xa5" * 1_000
    file.write_bytes(damaged)
    with pytest.raises(StoreError, match="damaged"):
        Database.open(file)
    assert file.read_bytes() == damaged


def test_a_file_that_ends_too_early_is_refused(file: Path) -> None:
    """Issue: a damaged file is refused with a clear message and left untouched."""
    opened = Database.open(file)
    others = [CustomerRecord(org_id="org", customer_id=str(each), created_at=NOW) for each in range(200)]
    opened.write({each.key: each for each in others})
    opened.close()
    file.write_bytes(file.read_bytes()[:-5_000])
    before = file.read_bytes()
    with pytest.raises(StoreError, match="damaged"):
        Database.open(file)
    assert file.read_bytes() == before


def test_what_a_killed_process_left_of_a_new_file_is_no_hindrance(file: Path) -> None:
    """This SDK: a file is made beside its place and moved there whole."""
    file.with_name(f"{file.name}.new").write_bytes(b"half a")
    opened = Database.open(file)
    opened.write({ASHA.key: ASHA})
    opened.close()
    assert not file.with_name(f"{file.name}.new").exists()


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A past bug: it was the error of a codec."""
    with pytest.raises(StoreError, match=r"caf\\udce9.* is no name in UTF-8"):
        Database.open(tmp_path / "caf\udce9")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other limits")
@pytest.mark.parametrize("is_path", [False, True])
def test_a_name_that_is_too_long_is_told_so_and_the_longest_one_is_taken(tmp_path: Path, *, is_path: bool) -> None:
    """A past bug: of such a name it was said that this user may not write it."""
    room, folder = os.pathconf(tmp_path, "PC_NAME_MAX"), tmp_path
    if is_path:
        half = (400 - len(str(tmp_path))) // 2
        folder = tmp_path / ("a" * half) / ("b" * half)
        folder.mkdir(parents=True)
        room = 512 - len(f"{folder}/")
    longest = "x" * (room - len(".lock-journal"))
    for more in ("y", "y" * 20):
        with pytest.raises(StoreError, match=r"too long a name .*: take a shorter one"):
            Database.open(folder / f"{longest}{more}")
    assert not list(folder.iterdir())
    Database.open(folder / longest).close()


@UNLESS_ROOT
@pytest.mark.parametrize("ending", ["", "-shm", ".lock"])
def test_what_cannot_be_written_is_refused_by_name_and_left_as_it_is(file: Path, ending: str) -> None:
    """A past bug: the first write was refused without a name; with a lock that only reads, two servers came in."""
    opened = Database.open(file)
    opened.write({ASHA.key: ASHA})
    opened.close()
    guarded = file.with_name(f"{file.name}{ending}")
    guarded.touch()
    guarded.chmod(0o400)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=f"{re.escape(str(file))}.* cannot be .*written: let this user write it"):
        Database.open(file)
    assert file.read_bytes() == before
    guarded.chmod(0o600)
    opened = Database.open(file)
    assert opened.load(ASHA.key) == ASHA
    opened.close()


@UNLESS_ROOT
def test_a_folder_that_cannot_be_written_is_refused_by_the_files_name(file: Path) -> None:
    """This SDK: SQLite only says that it cannot open something."""
    Database.open(file).close()
    file.with_name(f"{file.name}.lock").unlink()
    file.parent.chmod(0o500)
    try:
        for each in (file, file.with_name("new.sqlite3")):
            with pytest.raises(StoreError, match=f"{re.escape(str(each))} cannot be opened.*make files beside it"):
                Database.open(each)
    finally:
        file.parent.chmod(0o700)


@pytest.mark.parametrize("error", [apsw.ReadOnlyError(), apsw.CantOpenError(), PermissionError()], ids=repr)
def test_what_may_not_be_written_is_named(error: Exception) -> None:
    """A past bug: the words were SQLite's, and named nothing."""
    assert str(refusal("here", error)).startswith("here cannot be opened to be written: let this user write it")


@WITH_LINKS
def test_a_file_is_one_servers_at_a_time_by_whatever_name(file: Path) -> None:
    """A past bug: by a symbolic link a second one came in, and each overwrote what the other had told its clients."""
    opened = Database.open(file)
    link = file.with_name("link.sqlite3")
    link.symlink_to(file)
    with pytest.raises(StoreError, match="in use by another sandbox"):
        Database.open(link)
    opened.write({ASHA.key: ASHA})
    opened.close()
    opened = Database.open(link)
    assert opened.load(ASHA.key) == ASHA
    opened.close()


@WITH_LINKS
def test_a_file_of_several_names_is_refused_and_left_as_it_is(file: Path) -> None:
    """A past bug: by a hard link a second server came in, or one that did not find what a killed one had kept."""
    opened = Database.open(file)
    opened.write({ASHA.key: ASHA})
    link = file.with_name("link.sqlite3")
    link.hardlink_to(file)
    with pytest.raises(StoreError, match=f"{re.escape(str(link))} is one file under several names"):
        Database.open(link)
    assert not link.with_name(f"{link.name}.lock").exists()
    opened.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="remove the others"):
        Database.open(file)
    assert file.read_bytes() == before
    link.unlink()
    opened = Database.open(file)
    assert opened.load(ASHA.key) == ASHA
    opened.close()


@WITH_LINKS
def test_a_link_to_a_file_that_is_not_there_yet_stays_one(file: Path) -> None:
    """A past bug: the new file took the place of the link."""
    link = file.with_name("link.sqlite3")
    link.symlink_to(file)
    Database.open(link).close()
    assert link.is_symlink()
    assert file.stat().st_size


@pytest.mark.parametrize("left", [None, b""], ids=["gone", "empty"])
def test_what_a_killed_server_left_of_a_file_that_is_gone_is_not_taken_for_the_new_ones(
    file: Path, left: bytes | None
) -> None:
    """A past bug: records came back that had been deleted with the file, or the new one was said to be damaged."""
    opened = Database.open(file)
    opened.write({ASHA.key: ASHA})
    log = file.with_name(f"{file.name}-wal").read_bytes()
    opened.close()
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    file.with_name(f"{file.name}-wal").write_bytes(log)
    opened = Database.open(file)
    assert opened.load(ASHA.key) is None
    opened.write({ASHA.key: ASHA})
    assert opened.load(ASHA.key) == ASHA
    opened.close()


def test_an_older_schema_takes_the_steps_it_lacks_and_keeps_what_it_has(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue: schema version and migrations."""
    monkeypatch.setattr(files, "STEPS", files.STEPS[:1])
    opened = Database.open(file)
    opened.write({ASHA.key: ASHA})
    with pytest.raises(StoreError, match="fact"):
        opened.state("colour", "blue")
    opened.close()
    monkeypatch.undo()
    opened = Database.open(file)
    opened.state("colour", "blue")
    assert opened.load(ASHA.key) == ASHA
    opened.close()


def test_a_step_that_fails_is_taken_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: there is never half a schema."""
    Database.open(file).close()
    with monkeypatch.context() as patch:
        patch.setattr(files, "STEPS", (*files.STEPS, "CREATE TABLE half (a); CREATE TABLE half (a);"))
        with pytest.raises(StoreError, match="half"):
            Database.open(file)
    opened = Database.open(file)
    opened.close()
    connection = apsw.Connection(str(file))
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").get == 0
    connection.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """This SDK: a clear error."""
    for folder in (tmp_path / "nowhere", tmp_path / "nowhere" / "at all"):
        with pytest.raises(StoreError, match=f"{re.escape(str(folder))} is no folder: make that first"):
            Database.open(folder / "x.sqlite3")
    assert not list(tmp_path.iterdir())


def test_what_is_refused_half_way_is_not_read_either(file: Path) -> None:
    """This SDK: what a full disk had taken of a write before it refused the rest would be told as if it were kept."""
    opened = Database.open(file)
    whole = script_of({ASHA.key: ASHA})
    with pytest.raises(StoreError):
        opened.begin(Script([*whole.statements, ("INSERT INTO nowhere VALUES (?)", [1])], whole.lengths))
    assert opened.load(ASHA.key) is None
    opened.write({ASHA.key: ASHA})
    assert opened.load(ASHA.key) == ASHA
    opened.close()


def test_a_write_that_fails_has_changed_nothing(file: Path) -> None:
    """This SDK: all of a batch or nothing."""
    opened = Database.open(file)
    broken = EntryRecord(org_id="org", kind="tag", parts=(), member="juma")
    object.__setattr__(broken, "expires_at", object())
    with pytest.raises((StoreError, ValueError)):
        opened.write({ASHA.key: ASHA, broken.key: broken})
    assert opened.load(ASHA.key) is None
    opened.write({ASHA.key: ASHA})
    assert opened.load(ASHA.key) == ASHA
    opened.close()
    opened.close()
