"""Identity: tags, secondary ids and metadata.

Every rule here takes effect at once or not at all: one bad item in a command refuses the whole of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from elarian_trio.models.commands import (
    DeleteCustomerMetadata,
    DeleteCustomerSecondaryId,
    DeleteCustomerTag,
    UpdateCustomerMetadata,
    UpdateCustomerSecondaryId,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import SecondaryId, Tag
from elarian_trio.models.model import altered
from elarian_trio.models.replies import CustomerStateUpdateReply
from elarian_trio.sandbox.world.addresses import customer_at, secondary_id_key, secondary_id_owner
from elarian_trio.sandbox.world.entities import EntryRecord, IndexKey, SecondaryIdRecord
from elarian_trio.sandbox.world.work import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from elarian_trio.sandbox.world.entities import CustomerRecord
    from elarian_trio.sandbox.world.families import JobRules, Rules
    from elarian_trio.sandbox.world.work import Work

Index = TypeVar("Index", Tag, SecondaryId)


def _done(customer: CustomerRecord, description: str) -> CustomerStateUpdateReply:
    return CustomerStateUpdateReply(status=True, description=description, customer_id=customer.customer_id)


def _check_keys(what: str, keys: Iterable[str]) -> None:
    if not all(key.strip() for key in keys):
        msg = f"a {what} has an empty key; every one needs a name"
        raise Refusal(msg)


def in_force(work: Work, items: tuple[Index, ...]) -> tuple[Index, ...]:
    """Give those tags or secondary ids that have not expired."""
    return tuple([item for item in items if not work.is_past(item.expires_at)]) if items else ()  # most have none


# --- tags ---


def tag_index(org_id: str, tag: Tag) -> IndexKey:
    """Give the index of those who have a tag; its key is not case-sensitive, its value is."""
    return IndexKey(org_id, "tag", (tag.key.casefold(), tag.value))


def holders(work: Work, tag: Tag) -> tuple[str, ...]:
    """Give the ids of the customers who have a tag at present.

    Raises:
        Refusal: the tag has no key.
    """
    if not tag.key.strip():
        msg = "the tag has an empty key; name the tag whose holders are meant"
        raise Refusal(msg)
    return work.members(tag_index(work.org_id, tag))


def set_tags(work: Work, customer: CustomerRecord, tags: Iterable[Tag]) -> CustomerRecord:
    """Give *customer* with exactly *tags*, one for each key, the later one winning; the index follows."""
    kept = in_force(work, _one_each(tags))
    before = dict.fromkeys(_entry(work, customer, tag) for tag in customer.tags)
    after = dict.fromkeys(_entry(work, customer, tag) for tag in kept)
    for entry in before:
        if entry not in after:
            work.delete(entry.key)
    for entry in after:
        if entry not in before:
            work.put(entry)
    changed = replace(customer, tags=kept)
    work.put(changed)
    return changed


def _one_each(items: Iterable[Index]) -> tuple[Index, ...]:
    """Give one item for each key, in the order of the first with that key, the last with it winning."""
    return tuple({item.key.casefold(): item for item in items}.values())


def _entry(work: Work, customer: CustomerRecord, tag: Tag) -> EntryRecord:
    index = tag_index(work.org_id, tag)
    return EntryRecord(
        org_id=index.org_id,
        kind=index.kind,
        parts=index.parts,
        member=customer.customer_id,
        expires_at=tag.expires_at,
    )


def update_tags(work: Work, command: UpdateCustomerTag) -> CustomerStateUpdateReply:
    """Set the tags listed; the others stay. One that has expired already is removed instead."""
    _check_keys("tag", (tag.key for tag in command.updates))
    customer = customer_at(work, command.customer)
    set_tags(work, customer, (*customer.tags, *command.updates))
    return _done(customer, "tags updated")


def delete_tags(work: Work, command: DeleteCustomerTag) -> CustomerStateUpdateReply:
    """Remove tags by key; a key that is not there is fine."""
    customer = customer_at(work, command.customer)
    gone = {key.casefold() for key in command.deletions}
    set_tags(work, customer, [tag for tag in customer.tags if tag.key.casefold() not in gone])
    return _done(customer, "tags deleted")


# --- secondary ids ---


def set_secondary_ids(work: Work, customer: CustomerRecord, ids: Iterable[SecondaryId]) -> CustomerRecord:
    """Give *customer* with exactly *ids*, one for each key, the later one winning; the index follows."""
    kept = in_force(work, _one_each(ids))
    for each in customer.secondary_ids:
        key = secondary_id_key(work.org_id, each)
        record = work.get(key)
        if record is not None and record.customer_id == customer.customer_id:  # else it expired, and is another's now
            work.delete(key)
    for each in kept:
        key = secondary_id_key(work.org_id, each)
        work.put(
            SecondaryIdRecord(
                org_id=key.org_id,
                id_key=key.id_key,
                value=key.value,
                customer_id=customer.customer_id,
                expires_at=each.expires_at,
            ),
        )
    changed = replace(customer, secondary_ids=kept)
    work.put(changed)
    return changed


def update_secondary_ids(work: Work, command: UpdateCustomerSecondaryId) -> CustomerStateUpdateReply:
    """Set the secondary ids listed, one for each key; the others stay. Another customer's is never taken away."""
    _check_keys("secondary id", (each.key for each in command.updates))
    customer = customer_at(work, command.customer)
    for each in command.updates:
        owner = secondary_id_owner(work, each)
        if owner is not None and owner.customer_id != customer.customer_id:
            msg = (
                f"the secondary id {each.key}={each.value} belongs to another customer; delete it there first, "
                "or adopt that customer"
            )
            raise Refusal(msg, customer_id=customer.customer_id)
    set_secondary_ids(work, customer, (*customer.secondary_ids, *command.updates))
    return _done(customer, "secondary ids updated")


def delete_secondary_ids(work: Work, command: DeleteCustomerSecondaryId) -> CustomerStateUpdateReply:
    """Remove secondary ids by key and value; one that is not there is fine."""
    customer = customer_at(work, command.customer)
    gone = {secondary_id_key(work.org_id, each) for each in command.deletions}
    kept = [each for each in customer.secondary_ids if secondary_id_key(work.org_id, each) not in gone]
    set_secondary_ids(work, customer, kept)
    return _done(customer, "secondary ids deleted")


# --- metadata ---


def update_metadata(work: Work, command: UpdateCustomerMetadata) -> CustomerStateUpdateReply:
    """Set the values listed; other keys stay. Values are never looked into."""
    customer = customer_at(work, command.customer)
    work.put(altered(customer, metadata={**customer.metadata, **command.updates}))
    return _done(customer, "metadata updated")


def delete_metadata(work: Work, command: DeleteCustomerMetadata) -> CustomerStateUpdateReply:
    """Remove values by key; a key that is not there is fine."""
    customer = customer_at(work, command.customer)
    gone = frozenset(command.deletions)
    work.put(replace(customer, metadata={key: value for key, value in customer.metadata.items() if key not in gone}))
    return _done(customer, "metadata deleted")


RULES: Rules = {
    UpdateCustomerTag: update_tags,
    DeleteCustomerTag: delete_tags,
    UpdateCustomerSecondaryId: update_secondary_ids,
    DeleteCustomerSecondaryId: delete_secondary_ids,
    UpdateCustomerMetadata: update_metadata,
    DeleteCustomerMetadata: delete_metadata,
}
JOBS: JobRules = {}
