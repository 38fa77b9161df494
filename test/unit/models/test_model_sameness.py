"""Models are compared, hashed and shown as frozen dataclasses are that write these methods for each class."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_strategies import every_model, models

from elarian_trio.models.commands import GenerateAuthToken, GetCustomerState
from elarian_trio.models.identity import CustomerNumber, SecondaryId, Tag
from elarian_trio.models.messaging import Template

if TYPE_CHECKING:
    from elarian_trio.models.model import Model

MODELS = sorted(every_model(), key=lambda cls: cls.__name__)


def written_out(model: Any) -> Any:  # noqa: ANN401 - a class of every kind
    """Give a value of a dataclass of the library's own making, with the same name and fields."""
    told = dataclasses.fields(model)
    fields: list[tuple[str, Any, Any]] = [(each.name, Any, dataclasses.field(repr=each.repr)) for each in told]
    made = dataclasses.make_dataclass(type(model).__qualname__, fields, frozen=True)
    return made(*[getattr(model, each.name) for each in told])


any_model = st.sampled_from(MODELS).flatmap(models)


@given(any_model)
def test_model_is_shown_as_a_dataclass_is(model: Model) -> None:
    """This SDK: what is shared by all models tells no less than what would be written for each."""
    assert repr(model) == repr(written_out(model))


@given(any_model, st.data())
def test_models_are_equal_when_their_fields_are(one: Any, data: st.DataObject) -> None:  # noqa: ANN401
    """This SDK: whether it is the same object or another."""
    other = data.draw(models(type(one)))
    fields = [[getattr(model, field.name) for field in dataclasses.fields(one)] for model in (one, other)]
    assert (one == other) is (fields[0] == fields[1])
    same = dataclasses.replace(one)
    assert same is not one
    assert same == one == one


@pytest.mark.parametrize("cls", [GenerateAuthToken, GetCustomerState, CustomerNumber])
def test_equal_models_are_one_in_a_set(cls: type[Model]) -> None:
    """Of no field, of one, of several."""
    made: Any = cls
    words = {"GetCustomerState": {"customer": "el_cst_1"}, "CustomerNumber": {"number": "+254709759881"}}
    assert len({made(**words.get(cls.__name__, {})) for _ in range(2)}) == 1


def test_models_of_different_classes_are_never_equal() -> None:
    """A tag is no secondary id, whatever both hold; and neither is its fields."""
    assert Tag("k", "v") != SecondaryId("k", "v")
    assert Tag("k", "v") != ("k", "v", None)


def test_model_that_holds_a_mapping_has_no_hash() -> None:
    """As any frozen dataclass: a hash of what can change would lie."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(Template("t", {"name": "Asha"}))
