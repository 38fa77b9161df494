"""The records of stand-ins as rows: every kind comes back as it was, from the file that Elarian's are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_strategies import models

from elarian_trio.errors import StoreError
from elarian_trio.sandbox.database import Database
from elarian_trio.sandbox.planship.rules.records import RECORDS
from elarian_trio.sandbox.rows import VERSION, know, read_record
from elarian_trio.sandbox.world.entities import RECORDS as ELARIANS
from elarian_trio.sandbox.world.entities import Key, key_class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio.sandbox.world.entities import Record


@key_class
class NobodysKey(Key["Record"]):
    """Names what is no record."""


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Open one in memory."""
    know(*RECORDS)
    opened = Database.open(None)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", RECORDS)
@settings(max_examples=15)
@given(data=st.data())
def test_every_record_of_planships_comes_back_by_its_key_as_it_was(
    database: Database, kind: type[Record], data: st.DataObject
) -> None:
    """Issue: what a stand-in keeps goes through the sandbox's store."""
    record = data.draw(models(kind))
    database.write({record.key: record})
    assert database.load(record.key) == record
    database.write({record.key: None})
    assert database.load(record.key) is None


def test_no_two_kinds_have_the_same_name() -> None:
    """By which they are read."""
    names = [kind.__name__ for kind in RECORDS]
    assert len({*names, *ELARIANS}) == len(names) + len(ELARIANS)


def test_a_kind_that_nobody_told_of_is_not_read() -> None:
    """What no version of ours wrote is refused."""
    with pytest.raises(StoreError, match="nothing is called 'NobodysRecord'"):
        read_record(NobodysKey("org"), VERSION, "{}")
