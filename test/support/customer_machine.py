"""Customers under any sequence of commands: who has which number, tag, secondary id and metadata, and who is who."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from machines import NUMBERS, WorldMachine, long_times, numbers, picks
from world_support import ORG

from elarian_trio.models.commands import (
    CreateCustomer,
    DeleteCustomerMetadata,
    DeleteCustomerSecondaryId,
    DeleteCustomerTag,
    GetCustomerState,
    UpdateCustomerMetadata,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import CustomerNumber, SecondaryId, Tag
from elarian_trio.sandbox.world.entities import CustomerRecord, IndexKey, NumberRecord, SecondaryIdRecord

if TYPE_CHECKING:
    from elarian_trio.models.commands import Command

OTHER_ORG = "el_org_eu_others"
KEYS = st.sampled_from(("segment", "SEGMENT", "level"))
VALUES = st.sampled_from(("a", "b", "A"))
LIFETIMES = st.none() | st.sampled_from((-1, 1, 60, 100_000))


@dataclass
class Known:
    """What a customer must show, by this machine's own books."""

    numbers: list[CustomerNumber] = field(default_factory=list)
    tags: dict[str, Tag] = field(default_factory=dict)
    ids: dict[str, SecondaryId] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


class CustomerMachine(WorldMachine):
    """Two organisations with the same numbers; only one of them changes."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, Known] = {}
        self.world.run(CreateCustomer(customer_number=NUMBERS[0]), org_id=OTHER_ORG)
        named = UpdateCustomerSecondaryId(customer=NUMBERS[0], updates=(SecondaryId("segment", "a"),))
        self.world.run(named, org_id=OTHER_ORG)
        self.others = self.of_others()

    # The books.

    def of_others(self) -> dict[Any, Any]:
        """Give all that the other organisation has."""
        return {key: record for key, record in self.world.records.items() if key.org_id == OTHER_ORG}

    def lasting(self, lifetime: float | None) -> datetime | None:
        """Give when something ends that lasts so many seconds."""
        return None if lifetime is None else self.world.now + timedelta(seconds=lifetime)

    def is_in_force(self, item: Tag | SecondaryId) -> bool:
        """Whether something has not expired."""
        return item.expires_at is None or item.expires_at > self.world.now

    def id_owner(self, item: SecondaryId) -> str | None:
        """Give who has a secondary id."""
        for each in self.live:
            found = self.known[each].ids.get(item.key.casefold())
            if found is not None and found.value == item.value and self.is_in_force(found):
                return each
        return None

    def run(self, command: Command[Any], customer_id: str) -> bool:
        """Run a command that addresses a customer by id, and see that it is refused where it must be."""
        before = dict(self.world.records)
        reply = self.world.run(command)
        if not self.is_live(customer_id):
            assert reply.status is False
        if reply.status is False:
            assert self.world.records == before, "something is half-written"
        if customer_id in self.heirs and self.heir(customer_id) not in self.deleted:
            assert self.heir(customer_id) in reply.description, "the id that counts now must be named"
        return bool(reply.status)

    # The moves.

    @rule(number=numbers)
    def create(self, number: CustomerNumber) -> None:
        """Somebody is met."""
        found = self.meet(number)
        known = self.known.setdefault(found, Known())
        owners = [each for each in self.live if number in self.known[each].numbers]
        assert owners in ([], [found]), "the number is another's"
        if not owners:
            known.numbers.append(number)

    @precondition(lambda self: self.ids)
    @rule(one=picks, other=picks)
    def adopt_another(self, one: int, other: int) -> None:
        """Two are one."""
        self.join(self.someone(one), self.someone(other))

    @rule(one=numbers, other=numbers)
    def adopt_a_neighbour(self, one: CustomerNumber, other: CustomerNumber) -> None:
        """Two who are there are one."""
        for number in (one, other):
            self.create(number)
        self.join(self.meet(one), self.meet(other))

    def join(self, heir: str, gone: str) -> None:
        """Have one adopt the other, if that can be, and book who has what then."""
        if not self.adopt(heir, gone):
            return
        kept, lost = self.known[heir], self.known.pop(gone)
        kept.numbers += lost.numbers
        kept.metadata = {**lost.metadata, **kept.metadata}
        for ours, theirs in ((kept.tags, lost.tags), (kept.ids, lost.ids)):
            for key, item in theirs.items():
                if self.is_in_force(item) and not (key in ours and self.is_in_force(ours[key])):
                    ours[key] = item  # type: ignore[index]

    @precondition(lambda self: self.ids)
    @rule(pick=picks)
    def remove(self, pick: int) -> None:
        """Somebody is deleted."""
        gone = self.someone(pick)
        if self.delete(gone):
            del self.known[gone]

    @precondition(lambda self: self.ids)
    @rule(pick=picks, key=KEYS, value=VALUES, lifetime=LIFETIMES)
    def tag(self, pick: int, key: str, value: str, lifetime: float | None) -> None:
        """A tag is set."""
        customer_id, tag = self.someone(pick), Tag(key, value, self.lasting(lifetime))
        if self.run(UpdateCustomerTag(customer=customer_id, updates=(tag,)), customer_id):
            self.known[customer_id].tags[key.casefold()] = tag

    @precondition(lambda self: self.ids)
    @rule(pick=picks, key=KEYS)
    def untag(self, pick: int, key: str) -> None:
        """A tag is removed."""
        customer_id = self.someone(pick)
        if self.run(DeleteCustomerTag(customer=customer_id, deletions=(key,)), customer_id):
            self.known[customer_id].tags.pop(key.casefold(), None)

    @precondition(lambda self: self.ids)
    @rule(pick=picks, key=KEYS, value=VALUES, lifetime=LIFETIMES, also=VALUES)
    def name(self, pick: int, key: str, value: str, lifetime: float | None, also: str) -> None:
        """Secondary ids are set: both of them, or none where one is another's."""
        customer_id = self.someone(pick)
        updates = (SecondaryId(key, value, self.lasting(lifetime)), SecondaryId("member", also))
        owners = {self.id_owner(each) for each in updates} - {None, customer_id}
        done = self.run(UpdateCustomerSecondaryId(customer=customer_id, updates=updates), customer_id)
        assert done is (self.is_live(customer_id) and not owners)
        if done:
            self.known[customer_id].ids |= {each.key.casefold(): each for each in updates}

    @precondition(lambda self: self.ids)
    @rule(pick=picks, key=KEYS, value=VALUES)
    def unname(self, pick: int, key: str, value: str) -> None:
        """A secondary id is removed, if key and value are those it has."""
        customer_id = self.someone(pick)
        if self.run(DeleteCustomerSecondaryId(customer=customer_id, deletions=(SecondaryId(key, value),)), customer_id):
            ids = self.known[customer_id].ids
            if key.casefold() in ids and ids[key.casefold()].value == value:
                del ids[key.casefold()]

    @precondition(lambda self: self.ids)
    @rule(pick=picks, key=KEYS, value=VALUES)
    def write(self, pick: int, key: str, value: str) -> None:
        """Metadata is set, whose keys are told apart by their case."""
        customer_id = self.someone(pick)
        if self.run(UpdateCustomerMetadata(customer=customer_id, updates={key: value}), customer_id):
            self.known[customer_id].metadata[key] = value

    @precondition(lambda self: self.ids)
    @rule(pick=picks, key=KEYS)
    def erase(self, pick: int, key: str) -> None:
        """Metadata is removed."""
        customer_id = self.someone(pick)
        if self.run(DeleteCustomerMetadata(customer=customer_id, deletions=(key,)), customer_id):
            self.known[customer_id].metadata.pop(key, None)

    @rule(key=KEYS, value=VALUES)
    def look_up(self, key: str, value: str) -> None:
        """A secondary id finds its one owner, or nobody."""
        item = SecondaryId(key, value)
        reply = self.world.run(GetCustomerState(customer=item))
        owner = self.id_owner(item)
        assert (reply.data.customer_id if reply.status else None) == owner

    @rule(seconds=long_times)
    def pass_time(self, seconds: float) -> None:
        """Things expire."""
        self.world.advance(seconds)

    # What must hold.

    @invariant()
    def everybody_shows_what_is_known(self) -> None:
        """States are as the books have them."""
        for customer_id in self.live:
            state = self.world.run(GetCustomerState(customer=customer_id)).data
            known, identity = self.known[customer_id], state.identity_state
            assert set(state.activity_state.customer_numbers) == set(known.numbers)
            assert {each.key.casefold(): each for each in identity.tags} == self.in_force(known.tags)
            assert {each.key.casefold(): each for each in identity.secondary_ids} == self.in_force(known.ids)
            assert len(identity.tags) == len(self.in_force(known.tags))
            assert identity.metadata == known.metadata

    def in_force(self, items: Any) -> Any:  # noqa: ANN401 - tags or secondary ids by key
        """Give those that have not expired."""
        return {key: item for key, item in items.items() if self.is_in_force(item)}

    @invariant()
    def adopted_stay_adopted_and_deleted_deleted(self) -> None:
        """An id that was given up comes back never."""
        for customer_id in self.ids:
            reply = self.world.run(GetCustomerState(customer=customer_id))
            assert reply.status is self.is_live(customer_id)

    @invariant()
    def numbers_and_secondary_ids_have_one_owner(self) -> None:
        """What is looked up and what is shown are the same, both ways."""
        mine = [each for each in self.world.records.values() if getattr(each, "org_id", None) == ORG]
        people = {each.customer_id: each for each in mine if isinstance(each, CustomerRecord)}
        assert {each for each, record in people.items() if record.decommissioned_to is None} == set(self.live)
        found = {each.key: each.customer_id for each in mine if isinstance(each, NumberRecord)}
        assert len(found) == sum(len(record.numbers) for record in people.values())
        assert all(self.is_live(owner) for owner in found.values())
        named = [each for each in mine if isinstance(each, SecondaryIdRecord)]
        assert all(self.is_live(each.customer_id) for each in named)

    @invariant()
    def the_index_of_tags_is_true(self) -> None:
        """Whoever is listed under a tag has it, and the other way round."""
        for key, value in (("segment", "a"), ("segment", "A"), ("level", "b")):
            listed = {each.member for each in self.world.entries(IndexKey(ORG, "tag", (key, value)))}
            holders = {
                each for each in self.live if key in self.known[each].tags and self.known[each].tags[key].value == value
            }
            assert {each for each in holders if self.is_in_force(self.known[each].tags[key])} <= listed <= holders

    @invariant()
    def the_other_organisation_is_as_it_was(self) -> None:
        """Nothing crosses organisations."""
        assert self.of_others() == self.others
