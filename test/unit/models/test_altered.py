"""A model with other values in some fields: what rules make of what they remember."""

from __future__ import annotations

import pytest

from elarian_trio.models.identity import IdentityState, Tag
from elarian_trio.models.model import altered


def test_some_fields_are_others_and_the_rest_and_the_original_are_as_they_were() -> None:
    """This SDK: what was checked when it was remembered is not checked again for a change of another field."""
    known = IdentityState(tags=(Tag("segment", "premium"),), metadata={"seen": "1"})
    read = altered(known, metadata={"seen": 1})
    assert type(read) is IdentityState
    assert read == IdentityState(tags=known.tags, metadata={"seen": 1})
    assert known.metadata == {"seen": "1"}
    assert altered(read, metadata={"seen": 2}, tags=()) == IdentityState(metadata={"seen": 2})


def test_a_field_that_is_none_is_refused() -> None:
    """This SDK: a misspelt field is told with those that are known, and nothing is made."""
    with pytest.raises(TypeError, match=r"IdentityState has no field tag; known are tags, metadata, secondary_ids"):
        altered(IdentityState(), tag=())
