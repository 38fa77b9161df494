"""What is at hand of a database: what was asked for of late, up to a bound, and place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stored import ASHA, NOBODY, FaultyDatabase, a_customer, a_job, a_message

from elarian_trio.sandbox import at_hand as room
from elarian_trio.sandbox.at_hand import AtHand
from elarian_trio.sandbox.store import Store
from elarian_trio.sandbox.world.entities import ActivityKey, MessagingRecord, PaymentsKey

if TYPE_CHECKING:
    from elarian_trio.sandbox.world.entities import Key


def test_what_was_asked_for_of_late_stays_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: a cache forgets what was not asked for the longest, and knows of what is not there, too."""
    monkeypatch.setattr(room, "MAX_AT_HAND", 2 * room.LEAST_WEIGHT + 20)
    at_hand = AtHand()
    asked: list[Key[Any]] = []

    def rows_of(key: Key[Any]) -> tuple[tuple[str, int, str], ...]:
        asked.append(key)
        return ()

    ben, juma = a_customer("ben"), a_customer("juma")
    at_hand.put(ASHA.key, ASHA, 10)
    at_hand.put(ben.key, None, 0)
    assert at_hand.get(ASHA.key, rows_of) is ASHA
    assert at_hand.get(ben.key, rows_of) is None
    assert at_hand.get(ASHA.key, rows_of) is ASHA
    assert not asked
    at_hand.put(juma.key, juma, 10)
    assert at_hand.get(ASHA.key, rows_of) is ASHA
    assert at_hand.get(ben.key, rows_of) is at_hand.get(ben.key, rows_of) is None
    assert asked == [ben.key], "nothing was known of it"
    assert len(at_hand) == 2


def test_what_is_too_much_to_have_at_hand_is_read_all_the_same(
    disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This SDK: a customer may have more messages than all others together."""
    monkeypatch.setattr(room, "MAX_AT_HAND", 10)
    spoken = MessagingRecord(org_id="org", customer_id="asha")
    disk.write({ASHA.key: ASHA, spoken.key: spoken})
    store = Store(disk, inline=False)
    for _ in range(2):
        assert store.load(ASHA.key) == ASHA
        assert store.load(spoken.key) == spoken
        assert store.load(PaymentsKey("org", "asha")) is None


def test_what_there_is_of_a_customer_is_read_in_one_step(disk: FaultyDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue: the cost of a command hardly grows with customers; half of it would be asking for nothing."""
    spoken = MessagingRecord(org_id="org", customer_id="asha")
    disk.write({ASHA.key: ASHA, spoken.key: spoken})
    store = Store(disk, inline=False)
    assert store.load(PaymentsKey("org", "asha")) is None
    monkeypatch.setattr(disk, "rows", lambda key: pytest.fail(f"asked for {key}"))
    assert store.load(ASHA.key) == ASHA
    assert store.load(spoken.key) == spoken
    assert store.load(ActivityKey("org", "asha")) is None


def test_a_message_is_at_hand_while_it_is_on_its_way() -> None:
    """Past bug: messages, which few ask for, pushed out of what is at hand those to whom they were sent."""
    at_hand = AtHand()
    sent, seen = a_message("sent"), a_message("delivered")
    at_hand.put_written({sent.key: sent}, {sent.key: 10})
    assert len(at_hand) == 1
    assert at_hand.get(sent.key, lambda key: pytest.fail(f"asked for {key}")) is sent
    at_hand.put_written({seen.key: seen}, {seen.key: 10})
    assert len(at_hand) == 0
    assert at_hand._weight == 0
    at_hand.put_written({seen.key: None}, {})
    assert at_hand.lacks(seen.key)


def test_a_message_that_is_not_at_hand_is_read_as_it_was_written(disk: FaultyDatabase) -> None:
    """This SDK: where something is found changes nothing of it, nor of what was deleted."""
    store = Store(disk, inline=False)
    for message in (a_message("sent"), a_message("delivered")):
        store.commit({message.key: message}, NOBODY)
        store.flush()
        assert store.load(message.key) == message
    store.commit({message.key: None}, NOBODY)
    store.flush()
    assert store.load(message.key) is None


def test_what_nobody_asks_for_by_its_key_is_never_at_hand() -> None:
    """This SDK: jobs are listed, in due order; they would push out what is asked for."""
    at_hand, job = AtHand(), a_job("early", 1, 1)
    at_hand.put_written({job.key: job, ASHA.key: ASHA}, {})
    assert (at_hand.lacks(job.key), at_hand.lacks(ASHA.key)) == (True, False)
