"""Records as rows: every kind comes back as it was, and what no version of ours wrote is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_strategies import models

from elarian_trio.models.notifications import APP_NOTIFICATIONS
from elarian_trio.sandbox.database import Database
from elarian_trio.sandbox.pending import BEGINNING, JobRecord, ParcelRecord
from elarian_trio.sandbox.rows import VERSION, read_job, record_text
from elarian_trio.sandbox.world.effects import JOBS_BY_NAME
from elarian_trio.sandbox.world.entities import RECORDS, CustomerRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elarian_trio.models.notifications import Notification
    from elarian_trio.sandbox.world.effects import Job
    from elarian_trio.sandbox.world.entities import Record

NUMBERS = st.integers(1, 2**53)
TIMES = st.datetimes(timezones=st.just(UTC))


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Open one in memory."""
    opened = Database.open(None)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", RECORDS.values())
@settings(max_examples=15)
@given(data=st.data())
def test_every_record_comes_back_by_its_key_as_it_was(
    database: Database, kind: type[Record], data: st.DataObject
) -> None:
    """This SDK: the server that is restarted goes on with what it knew."""
    record = data.draw(models(kind))
    database.write({record.key: record})
    assert database.load(record.key) == record
    database.write({record.key: None})
    assert database.load(record.key) is None


@pytest.mark.parametrize("kind", JOBS_BY_NAME.values())
@settings(max_examples=15)
@given(data=st.data(), due=TIMES, number=NUMBERS)
def test_every_job_comes_back_with_its_time_and_place(
    database: Database, kind: type[Job], data: st.DataObject, due: datetime, number: int
) -> None:
    """This SDK: what was to happen later happens after a restart."""
    record = JobRecord(due=due, number=number, job=data.draw(models(kind)))
    database.write({record.key: record})
    assert database.jobs(BEGINNING, 10) == [record]
    assert database.last_number() == number
    database.write({record.key: None})
    assert database.jobs(BEGINNING, 10) == []


@pytest.mark.parametrize("kind", APP_NOTIFICATIONS)
@settings(max_examples=15)
@given(data=st.data(), number=NUMBERS)
def test_every_notification_comes_back(
    database: Database, kind: type[Notification], data: st.DataObject, number: int
) -> None:
    """This SDK: what an app has not answered is told after a restart."""
    record = ParcelRecord(number=number, notification=data.draw(models(kind)))
    database.write({record.key: record})
    assert list(database.parcels()) == [record]
    database.write({record.key: None})
    assert list(database.parcels()) == []


@pytest.mark.parametrize(
    ("version", "text", "words"),
    [
        (VERSION + 1, "{}", "form 2"),
        (VERSION, '{"class": "Purse"}', "nothing is called 'Purse'"),
        (VERSION, '{"class": "TokenExpires", "org_id": "o", "digest": "d", "nonsense": 1}', "no field 'nonsense'"),
        (VERSION, "{", "Expecting"),
        (VERSION, '{"class": "TokenExpires", "org_id": "o", "digest": "d"} {}', "ends after 55 characters"),
    ],
)
def test_what_no_version_wrote_is_refused_in_words(version: int, text: str, words: str) -> None:
    """This SDK: a record that is half understood would be half kept."""
    with pytest.raises(ValueError, match=words):
        read_job(0, 1, version, text)


def test_a_row_does_not_repeat_its_key_nor_tell_of_nothing() -> None:
    """Issue: a million customers in one file; what is written twice is read twice."""
    record = CustomerRecord(org_id="org", customer_id="asha", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert record_text(record.key, record) == '{"created_at":"2026-01-01T00:00:00+00:00"}'
