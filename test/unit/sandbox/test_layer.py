"""A layer: what units have changed together, over what is known below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stored import ASHA, INDEX, a_customer, a_job, an_entry

from elarian_trio.sandbox.layer import Layer

if TYPE_CHECKING:
    from elarian_trio.sandbox.pending import JobRecord
    from elarian_trio.sandbox.world.entities import EntryRecord, Key


def test_what_was_not_changed_the_longest_is_taken_out_first() -> None:
    """This SDK: who is written to all the time is not written down as often."""
    layer, ben = Layer(), a_customer("ben")
    for each in (ASHA, ben, ASHA):
        layer.add({each.key: each})
    assert layer.take(1) == {ben.key: ben}
    assert layer.records == {ASHA.key: ASHA}


def test_an_index_is_gone_with_the_last_of_its_entries() -> None:
    """House: nothing is kept of what is not here any more."""
    layer, entries = Layer(), [an_entry("asha"), an_entry("ben")]
    layer.add({each.key: each for each in entries})
    for left in (1, 0):
        layer.take(1)
        assert list(map(len, layer.entries.values())) == [left][:left]


def test_what_is_deleted_of_what_is_nowhere_else_leaves_no_trace() -> None:
    """This SDK: nothing is deleted from where nothing is; once one was taken out, there may be."""
    layer, early, late = Layer(is_alone=True), a_job("early", 1, 1), a_job("late", 2, 2)
    for _ in range(2):
        layer.add({early.key: early})
        layer.add({early.key: None})
        assert not layer.records
    layer.add({late.key: late})
    layer.take(1)
    layer.add({late.key: None})
    assert layer.records == {late.key: None}


def test_an_entry_that_is_deleted_where_nothing_else_is_leaves_no_trace_of_its_index() -> None:
    """House: nothing is kept of what is not here any more; one that never was may be deleted, too."""
    layer, asha, ben = Layer(is_alone=True), an_entry("asha"), an_entry("ben")
    layer.add({asha.key: asha, ben.key: ben})
    layer.add({ben.key: None})
    assert layer.entries == {INDEX: {asha.key: asha}}
    layer.add({asha.key: None})
    layer.add({asha.key: None})
    assert not layer.entries
    assert not layer.records


def test_members_cover_those_below_and_what_was_deleted_uncovers_nothing() -> None:
    """This SDK: newer layers hide older ones."""
    layer, old, new = Layer(), an_entry("asha"), an_entry("asha")
    layer.add({new.key: new, an_entry("ben").key: None})
    found: dict[str, EntryRecord] = {"asha": old, "ben": an_entry("ben"), "carol": an_entry("carol")}
    layer.cover_members(INDEX, found)
    assert found == {"carol": an_entry("carol"), "asha": new}
    assert found["asha"] is new


def test_jobs_cover_those_below_and_nothing_else_does() -> None:
    """This SDK: newer layers hide older ones; a customer is no job."""
    layer, moved, done = Layer(), a_job("moved", 9, 1), a_job("done", 1, 2)
    layer.add({moved.key: moved, done.key: None, ASHA.key: ASHA})
    found: dict[Key[Any], JobRecord] = {moved.key: a_job("moved", 1, 1), done.key: done}
    layer.cover_jobs(found)
    assert found == {moved.key: moved}
