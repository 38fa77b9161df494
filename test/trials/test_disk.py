"""A disk that fails: full, or with I/O errors, for a while, under load. What is refused has not been done.

The faults are SQLite's own, from a virtual file system beneath it that fails as its seed says; nothing of the sandbox
is replaced.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
import apsw
import pytest
from books import OPENING, PURSE, Ledger, judge, load, open_wallets, wait_heard
from figures import say, seed_or, sized

from elarian_trio import Cash, ConnectionOptions, Elarian, ReceivedSmsNotification, Simulator, StoreError
from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.database import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_is_logged")]

SEEDS = sized(smoke=2, ci=15, soak=200)
BOUND = 60.0  # seconds that one run may take
PATIENCE = 20.0
OPTIONS = ConnectionOptions(drain_timeout=0.0)
PIECES = 12  # stretches of a run, each with a disk of its own kind
PIECE = 0.03  # seconds of each
KINDS = {"full": apsw.FullError, "broken": apsw.IOError}


class Faults:
    """Which calls fail at present, and how often any did."""

    def __init__(self, seed: object) -> None:
        self.dice = random.Random(f"disk {seed}")
        self.kind: type[apsw.Error] | None = None
        self.share = 0.0
        self.bites: Counter[str] = Counter()

    def draw(self) -> None:
        """Have the next stretch be well, full or broken, always or at times."""
        self.kind = self.dice.choice([None, *KINDS.values()])
        self.share = self.dice.choice([1.0, 0.3])

    def bite(self, call: str) -> None:
        """Fail, perhaps."""
        if self.kind is not None and self.dice.random() < self.share:
            self.bites[f"{self.kind.__name__} of {call}"] += 1
            raise self.kind


class FailingFile(apsw.VFSFile):
    """A file whose writes may fail."""

    def __init__(self, beneath: str, name: Any, flags: Any, faults: Faults) -> None:  # noqa: ANN401 - apsw's own
        super().__init__(beneath, name, flags)
        self._faults = faults

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: ANN401 - apsw's name
        self._faults.bite("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._faults.kind is apsw.IOError:
            self._faults.bite("sync")
        super().xSync(flags)


class FailingDisk(apsw.VFS):
    """A file system whose files may fail; while it is open, connections take it."""

    def __init__(self, faults: Faults) -> None:
        self._faults, self._beneath = faults, apsw.vfs_names()[0]
        super().__init__("failing", self._beneath, makedefault=True)

    def xOpen(self, name: Any, flags: Any) -> FailingFile:  # noqa: ANN401 - apsw's name
        return FailingFile(self._beneath, name, flags, self._faults)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingDisk]:
    """Put a disk beneath SQLite that is well until it is told otherwise, and that a short log is put in place on."""
    monkeypatch.setattr(files, "CHECKPOINT_AFTER", 20)
    before = apsw.vfs_names()[0]
    opened = FailingDisk(Faults(0))
    yield opened
    opened.unregister()
    assert apsw.vfs_names()[0] == before


async def run(file: Path, disk: FailingDisk, seed: int) -> tuple[Ledger, list[str]]:
    """Load a sandbox on a disk that fails again and again, and hold its file against the ledger."""
    faults = disk._faults = Faults(seed)
    ledger = Ledger()
    apps = [{"org_id": "org", "app_id": "app", "api_key": "a key"}]
    purses = {PURSE: Cash("KES", OPENING)}
    async with Sandbox(data=file, apps=apps, purses=purses, settle="manual") as sandbox:
        app = Elarian(**sandbox.credentials, options=OPTIONS)
        phone = Simulator(**sandbox.credentials, options=OPTIONS)
        async with app.notifications(ReceivedSmsNotification) as inbox, app, phone:
            wallets = await open_wallets(app)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(load, app, phone, inbox, ledger, wallets)
                for _ in range(PIECES):
                    faults.draw()
                    await anyio.sleep(PIECE)
                faults.kind = None
                await app.ping()
                tasks.cancel_scope.cancel()
    async with Sandbox(data=file, apps=apps, purses=purses) as sandbox:
        app = Elarian(**sandbox.credentials, options=OPTIONS)
        async with app.notifications(ReceivedSmsNotification) as inbox, app:
            await wait_heard(app, inbox, ledger, PATIENCE)
            return ledger, await judge(app, sandbox, ledger, wallets)


async def test_what_a_failing_disk_refuses_is_refused_and_the_rest_is_kept(
    tmp_path: Path, disk: FailingDisk, anyio_backend: str
) -> None:
    """Issue: disk full and I/O errors are refused or recovered, never silent."""
    first = seed_or(80_001)
    total, bites = Ledger(), Counter[str]()
    for seed in range(first, first + SEEDS):
        with anyio.fail_after(BOUND):
            ledger, wrong = await run(tmp_path / f"{seed}.sqlite3", disk, seed)
        assert not wrong, f"again with ELARIAN_TRIO_SEED={seed}: {wrong[:8]}"
        bites += disk._faults.bites
        for name in ("told", "paid", "heard", "refused"):
            getattr(total, name).update(getattr(ledger, name))
        total.written |= {f"{seed} {text}" for text in ledger.written}
    assert all(words.startswith(("the disk of", "the sandbox's file cannot be")) for words in total.refused)
    say(
        f"failing disks, {anyio_backend}: seeds {first} to {first + SEEDS - 1}: {bites.total()} calls failed "
        f"({', '.join(f'{times} {name}' for name, times in sorted(bites.items()))}); {total.refused.total()} commands "
        f"refused; {total.told.total()} writes, {total.paid.total()} payments, {len(total.written)} messages "
        f"acknowledged; 0 wrong"
    )
    assert total.refused


@pytest.mark.parametrize("kind", KINDS)
async def test_a_disk_that_fails_when_the_file_is_opened_is_refused_in_words(
    tmp_path: Path, disk: FailingDisk, kind: str
) -> None:
    """Issue: refused, never silent; nothing of a file is made then."""
    disk._faults = Faults(1)
    disk._faults.kind, disk._faults.share = KINDS[kind], 1.0
    with pytest.raises(StoreError, match="sandbox"):
        async with Sandbox(data=tmp_path / "sandbox.sqlite3"):
            pytest.fail("entered")
    disk._faults.kind = None
    async with Sandbox(data=tmp_path / "sandbox.sqlite3") as sandbox, Elarian(**sandbox.credentials) as app:
        await app.ping()
