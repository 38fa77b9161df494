"""A model with other values in some fields: what a reader makes of what it has read."""

from __future__ import annotations

from elarian_trio.models.identity import IdentityState, Tag
from elarian_trio.models.model import altered


def test_some_fields_are_others_and_the_rest_and_the_original_are_as_they_were() -> None:
    """This SDK: metadata becomes values after the state was read, whose parts are not checked again for that."""
    known = IdentityState(tags=(Tag("segment", "premium"),), metadata={"seen": "1"})
    read = altered(known, metadata={"seen": 1})
    assert type(read) is IdentityState
    assert read == IdentityState(tags=known.tags, metadata={"seen": 1})
    assert known.metadata == {"seen": "1"}
    assert altered(read, tags=(), metadata={"seen": 2}) == IdentityState(metadata={"seen": 2})
