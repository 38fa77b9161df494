"""Code that is written for a class, and the twin that it fills."""

from __future__ import annotations

import dataclasses
import traceback

import pytest

from elarian_trio.models import source
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.source import Written, named
from elarian_trio.models.twins import twin


def test_what_is_held_from_before_it_was_written_does_not_write_it_again() -> None:
    """This SDK: two threads may both make the first call; a function is compiled once and stays what it is."""
    written: list[str] = []
    made = Written("answer_of_this_test", lambda name: written.append(name) or [f"def {name}(one):", "    return one"])  # type: ignore[func-returns-value]
    held = made.call
    assert [held(1), held(2), made.call(3)] == [1, 2, 3]
    assert written == [made.name]
    assert source._NAMES[made.name] is made.call


def test_two_values_of_one_name_have_two_names() -> None:
    """This SDK: classes of two modules may be called the same."""
    one, other = object(), object()
    names = [named("thing_of_this_test", each) for each in (one, other, one)]
    assert names == ["thing_of_this_test", "thing_of_this_test_2", "thing_of_this_test"]


def test_a_traceback_shows_what_was_written() -> None:
    """This SDK: whoever looks for a fault sees the line that failed."""
    fails = Written("failure_of_this_test", lambda name: [f"def {name}(one):", "    return one.nothing_of_the_kind"])
    with pytest.raises(AttributeError) as caught:
        fails.call(1)
    assert "return one.nothing_of_the_kind" in "".join(traceback.format_exception(caught.value))


def test_a_twin_becomes_the_class_and_then_refuses_to_be_changed() -> None:
    """This SDK: models are frozen, however they were made."""
    assert twin(CustomerNumber) is twin(CustomerNumber)
    new = twin(CustomerNumber)()
    new.number, new.provider, new.partition = "+1", "cellular", None
    del new.partition
    new.partition = "p"
    new.__class__ = CustomerNumber
    assert new == CustomerNumber("+1", partition="p")
    with pytest.raises(dataclasses.FrozenInstanceError):
        new.number = "+2"
    with pytest.raises(dataclasses.FrozenInstanceError):
        del new.number
