"""Records to keep in a store, whoever waits until they are kept, and a database that may refuse or be slow.

The tests of the store, and of what it is made of, stand above.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import anyio

from elarian_trio.errors import StoreError
from elarian_trio.models.messaging import SentMessage
from elarian_trio.sandbox.database import Database, Script
from elarian_trio.sandbox.pending import JobRecord
from elarian_trio.sandbox.store import Unit
from elarian_trio.sandbox.world.effects import TokenExpires
from elarian_trio.sandbox.world.entities import CustomerRecord, EntryRecord, IndexKey, MessageRecord

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.entities import Key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
INDEX = IndexKey("org", "tag", ("segment", "premium"))
FULL = StoreError("the disk is full")
NOBODY = Unit(lambda: None, lambda _: None)


def a_customer(name: str, **values: Any) -> CustomerRecord:  # noqa: ANN401 - any field's
    """Make a customer."""
    return CustomerRecord(org_id="org", customer_id=name, created_at=NOW, **values)


ASHA = a_customer("asha")


def an_entry(member: str) -> EntryRecord:
    """Make a member of the index."""
    return EntryRecord(org_id=INDEX.org_id, kind=INDEX.kind, parts=INDEX.parts, member=member)


def a_message(status: Literal["sent", "delivered"]) -> MessageRecord:
    """Make a message that was sent."""
    message = SentMessage(message_id="el_msg_1", sent_at=NOW, message=None, status=status)
    return MessageRecord(org_id="org", message=message)


def a_job(name: str, seconds: int, number: int) -> JobRecord:
    """Make a job that is due so long after NOW."""
    return JobRecord(due=NOW + timedelta(seconds=seconds), number=number, job=TokenExpires(org_id="org", digest=name))


class Told:
    """What units were told, in order."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.lost: list[str] = []
        self.changed = anyio.Event()

    def unit(self, name: str) -> Unit:
        """Make a unit that notes what becomes of it."""
        return Unit(lambda: self._note(self.kept, name), lambda _: self._note(self.lost, name))

    def _note(self, names: list[str], name: str) -> None:
        names.append(name)
        self.changed.set()
        self.changed = anyio.Event()

    async def until(self, count: int) -> None:
        """Wait until so many were told."""
        with anyio.fail_after(5):
            while len(self.kept) + len(self.lost) < count:
                await self.changed.wait()


class FaultyDatabase(Database):
    """A database whose writes may fail, at their beginning or at their end, or be slow, and are noted."""

    def __init__(self, database: Database) -> None:
        self.__dict__.update(database.__dict__)
        self.full_at: str | None = None
        self.took: float = 0.0
        self.batches: list[list[Key[Any]]] = []
        self.waited: list[bool] = []  # for each commit whether the loop waited for it

    def begin(self, script: Script) -> None:
        """Write, or fail."""
        self.batches.append(list(script.lengths))
        if self.full_at == "begin":
            raise FULL
        super().begin(script)

    def commit(self) -> float:
        """Keep it, or fail."""
        self.waited.append(threading.current_thread() is threading.main_thread())
        if self.full_at == "commit":
            self._by_writer.execute("ROLLBACK")
            raise FULL
        super().commit()
        return self.took
