"""The store in memory: records by key, index entries in order."""

from __future__ import annotations

from datetime import UTC, datetime

from elarian_trio.sandbox.store import MemoryStore
from elarian_trio.sandbox.world.entities import CustomerKey, CustomerRecord, EntryKey, EntryRecord, IndexKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
INDEX = IndexKey("org", "tag", ("segment", "premium"))


def an_entry(member: str) -> EntryRecord:
    """Make a member of the index."""
    return EntryRecord(org_id=INDEX.org_id, kind=INDEX.kind, parts=INDEX.parts, member=member)


def test_what_was_committed_is_loaded_by_its_key() -> None:
    """This SDK: the engine's one way to remember."""
    store = MemoryStore()
    asha = CustomerRecord(org_id="org", customer_id="asha", created_at=NOW)
    assert store.load(asha.key) is None
    store.commit({asha.key: asha})
    assert store.load(CustomerKey("org", "asha")) is asha
    assert store.load(CustomerKey("another org", "asha")) is None
    store.commit({asha.key: None})
    assert store.load(asha.key) is None


def test_keys_of_different_kinds_never_meet() -> None:
    """This SDK: one table for all kinds of records; the kind is part of the key."""
    store = MemoryStore()
    asha = CustomerRecord(org_id="org", customer_id="asha", created_at=NOW)
    store.commit({asha.key: asha})
    assert store.load(EntryKey("org", "tag", (), "asha")) is None


def test_an_index_lists_its_members_in_the_order_they_came() -> None:
    """This SDK: what is done for all holders of a tag is done in the same order every time."""
    store = MemoryStore()
    assert store.members(INDEX) == ()
    for member in ("juma", "asha"):
        store.commit({an_entry(member).key: an_entry(member)})
    assert [entry.member for entry in store.members(INDEX)] == ["juma", "asha"]
    store.commit({an_entry("juma").key: None})
    assert [entry.member for entry in store.members(INDEX)] == ["asha"]
    store.commit({an_entry("asha").key: None, an_entry("nobody").key: None})
    assert store.members(INDEX) == ()
