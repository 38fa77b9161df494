"""Tags, secondary ids and metadata."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world_support import ASHA, BEN, START, World

from elarian_trio.models.commands import (
    AddCustomerReminderTag,
    CreateCustomer,
    DeleteCustomerMetadata,
    DeleteCustomerSecondaryId,
    DeleteCustomerTag,
    GetCustomerState,
    UpdateCustomerMetadata,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import CustomerNumber, IdentityState, Reminder, SecondaryId, Tag
from elarian_trio.sandbox.world.entities import EntryRecord
from elarian_trio.sandbox.world.identity import holders

if TYPE_CHECKING:
    from elarian_trio.models.commands import Command

HOUR = timedelta(hours=1)


def done(world: World, command: Command[Any]) -> str:
    """Run a command that works, and give the customer id."""
    reply = world.run(command)
    assert reply.status, reply.description
    assert reply.description
    return str(reply.customer_id)


def identity(world: World, number: CustomerNumber = ASHA) -> IdentityState:
    """Ask for the identity part of the state."""
    state: IdentityState = world.run(GetCustomerState(customer=number)).data.identity_state
    return state


def holding(world: World, tag: Tag) -> tuple[str, ...]:
    """Give who holds a tag."""
    found: tuple[str, ...] = world.apply(lambda work: holders(work, tag))
    return found


def test_tags_are_set_by_key_and_others_stay() -> None:
    """Elarian: one value per key, keys not case-sensitive; an update touches the listed keys only."""
    world = World()
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("level", "starter"), Tag("segment", "premium"))))
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("Level", "winner"),)))
    assert identity(world).tags == (Tag("Level", "winner"), Tag("segment", "premium"))


def test_deleting_tags_is_not_case_sensitive_and_unknown_keys_are_fine() -> None:
    """Other SDKs' tests delete keys that were never set."""
    world = World()
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("level", "starter"), Tag("segment", "premium"))))
    done(world, DeleteCustomerTag(customer=ASHA, deletions=("LEVEL", "nothing")))
    assert identity(world).tags == (Tag("segment", "premium"),)
    assert holding(world, Tag("level", "starter")) == ()


def test_an_expired_tag_is_neither_shown_nor_matched() -> None:
    """This SDK: expiry counts at read time and for commands by tag."""
    world = World()
    customer_id = done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("level", "winner", START + HOUR),)))
    assert holding(world, Tag("LEVEL", "winner")) == (customer_id,)
    assert holding(world, Tag("level", "Winner")) == ()
    world.advance(HOUR)
    assert identity(world).tags == ()
    assert holding(world, Tag("level", "winner")) == ()


def test_a_tag_that_expired_in_the_past_removes_the_key() -> None:
    """This SDK: setting what is over already leaves nothing."""
    world = World()
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("level", "starter"),)))
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("level", "winner", START - HOUR),)))
    assert identity(world).tags == ()
    assert holding(world, Tag("level", "starter")) == holding(world, Tag("level", "winner")) == ()


def test_holders_are_told_apart_by_key_and_value() -> None:
    """The index of holders follows every change."""
    world = World()
    asha = done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("a", "1"), Tag("b", "2"))))
    ben = done(world, UpdateCustomerTag(customer=BEN, updates=(Tag("a", "1"),)))
    assert holding(world, Tag("a", "1")) == tuple(sorted((asha, ben)))
    assert holding(world, Tag("b", "2")) == (asha,)
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("a", "2"),)))
    assert holding(world, Tag("a", "1")) == (ben,)


@pytest.mark.parametrize(
    "command",
    [
        UpdateCustomerTag(customer=ASHA, updates=(Tag("good", "1"), Tag(" ", "1"))),
        UpdateCustomerSecondaryId(customer=ASHA, updates=(SecondaryId("good", "1"), SecondaryId("", "1"))),
        AddCustomerReminderTag(tag=Tag("", "1"), reminder=Reminder("key", START)),
    ],
    ids=lambda command: type(command).__name__,
)
def test_an_empty_key_refuses_the_whole_command(command: Command[Any]) -> None:
    """This SDK: nothing is half-written."""
    world = World()
    reply = world.run(command)
    assert not reply.status
    assert "empty" in reply.description
    assert not world.records


def test_secondary_ids_are_set_by_key_and_deleted_by_key_and_value() -> None:
    """Elarian: deletion needs both."""
    world = World()
    done(world, UpdateCustomerSecondaryId(customer=ASHA, updates=(SecondaryId("passport", "A1"),)))
    done(
        world, UpdateCustomerSecondaryId(customer=ASHA, updates=(SecondaryId("Passport", "A2"), SecondaryId("x", "1")))
    )
    assert identity(world).secondary_ids == (SecondaryId("Passport", "A2"), SecondaryId("x", "1"))
    assert not world.run(GetCustomerState(customer=SecondaryId("passport", "A1"))).status
    deletions = (SecondaryId("PASSPORT", "A2"), SecondaryId("x", "other"))
    done(world, DeleteCustomerSecondaryId(customer=ASHA, deletions=deletions))
    assert identity(world).secondary_ids == (SecondaryId("x", "1"),)
    assert not world.run(GetCustomerState(customer=SecondaryId("passport", "A2"))).status


def test_another_customers_secondary_id_is_never_taken_away() -> None:
    """This SDK: two customers who claim one id are to be adopted, or one is wrong."""
    world = World()
    done(world, UpdateCustomerSecondaryId(customer=ASHA, updates=(SecondaryId("passport", "A1"),)))
    reply = world.run(
        UpdateCustomerSecondaryId(customer=BEN, updates=(SecondaryId("x", "1"), SecondaryId("Passport", "A1")))
    )
    assert not reply.status
    assert "another customer" in reply.description
    assert identity(world, BEN).secondary_ids == ()
    assert identity(world).secondary_ids == (SecondaryId("passport", "A1"),)


def test_an_expired_secondary_id_may_become_another_customers() -> None:
    """This SDK: and its former customer's later changes do not take it away again."""
    world = World()
    done(world, UpdateCustomerSecondaryId(customer=ASHA, updates=(SecondaryId("passport", "A1", START + HOUR),)))
    world.advance(HOUR)
    ben = done(world, UpdateCustomerSecondaryId(customer=BEN, updates=(SecondaryId("passport", "A1"),)))
    done(world, UpdateCustomerSecondaryId(customer=ASHA, updates=(SecondaryId("x", "1"),)))
    assert world.run(GetCustomerState(customer=SecondaryId("passport", "A1"))).data.customer_id == ben


def test_metadata_is_merged_by_key_and_bytes_stay_bytes() -> None:
    """Elarian: values are never looked into."""
    world = World()
    done(world, UpdateCustomerMetadata(customer=ASHA, updates={"name": '"Asha"', "photo": b"\x00\xff"}))
    done(world, UpdateCustomerMetadata(customer=ASHA, updates={"name": "plain", "strike": "2"}))
    assert identity(world).metadata == {"name": "plain", "photo": b"\x00\xff", "strike": "2"}
    done(world, DeleteCustomerMetadata(customer=ASHA, deletions=("photo", "nothing")))
    assert identity(world).metadata == {"name": "plain", "strike": "2"}


def test_commands_by_customer_id_reach_the_same_customer() -> None:
    """Elarian: a command's customer is an id, a number or a secondary id."""
    world = World()
    customer_id = done(world, CreateCustomer(customer_number=ASHA))
    assert done(world, UpdateCustomerMetadata(customer=customer_id, updates={"a": "1"})) == customer_id
    assert identity(world).metadata == {"a": "1"}


def test_setting_a_tag_writes_no_other_tags_index() -> None:
    """This SDK: what a command costs does not grow with what it leaves alone."""
    world = World()
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("a", "1"), Tag("b", "2", START + HOUR))))
    entries = {key: record for key, record in world.records.items() if isinstance(record, EntryRecord)}
    done(world, UpdateCustomerTag(customer=ASHA, updates=(Tag("b", "2", START + 2 * HOUR), Tag("c", "3"))))
    assert all(world.records[key] is record for key, record in entries.items() if "a" in record.parts)
    world.advance(HOUR)
    assert len(holding(world, Tag("b", "2"))) == 1
