"""Models as plain JSON values and back: what the sandbox keeps on disk and users log or store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_strategies import every_model, models

from elarian_trio.models.commands import SendMessage
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, IdentityState, Reminder
from elarian_trio.models.messaging import Location, Media, Message, Template
from elarian_trio.models.model import Model, plain
from elarian_trio.models.notifications import AppDataUpdate
from elarian_trio.models.payments import Cash
from elarian_trio.models.restoring import restored, restoring
from elarian_trio.models.texts import sparse_text
from elarian_trio.models.voice import Say


@pytest.mark.parametrize("cls", sorted(set(every_model()), key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_what_is_written_as_json_is_read_back(cls: type[Model], data: st.DataObject) -> None:
    """The design: ``to_json()`` and ``from_json()``, for every model."""
    model = data.draw(models(cls))
    assert cls.from_json(json.loads(json.dumps(model.to_json(), allow_nan=False))) == model


@pytest.mark.parametrize("cls", sorted(set(every_model()), key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_what_is_written_sparsely_is_restored_and_read(cls: type[Model], data: st.DataObject) -> None:
    """This SDK: the sandbox's rows are as long as what is known, and are not checked again when they are read."""
    model = data.draw(models(cls))
    written = json.loads(sparse_text(model))
    assert cls.from_json(written) == model == restored(cls, written)


def test_a_text_has_no_field_that_is_empty_by_default_nor_one_that_is_left_out() -> None:
    """This SDK: rows are short, and a key's fields are not written twice; models within say which they are."""
    state = IdentityState(metadata={"n": "1"})
    assert sparse_text(state) == '{"metadata":{"n":"1"}}'
    assert sparse_text(state, without=("metadata",)) == "{}"
    assert sparse_text(Message((Say("hi"),)), named=True) == (
        '{"class":"Message","body":[{"class":"Say","text":"hi","voice":"unknown","play_beep":false}]}'
    )
    assert sparse_text(AppDataUpdate(b"\x00")) == '{"data":{"base64":"AA=="}}'


@dataclass(frozen=True, slots=True)
class Place(Model):
    """What may be without a name or a provider, and has to say so."""

    name: str | None
    provider: CustomerNumberProvider | None
    note: str | None = None


@pytest.mark.parametrize("place", [Place(None, None), Place("here", CustomerNumberProvider.WEB, "there")])
def test_nothing_is_written_where_it_is_not_the_default(place: Place) -> None:
    """This SDK: nothing is no text, and a field that has to be given has to be read."""
    written = json.loads(sparse_text(place))
    assert set(written) == {"name", "provider"} | ({"note"} if place.note else set())
    assert restored(Place, written) == place


def test_what_json_cannot_hold_is_no_text() -> None:
    """This SDK: a record that cannot be read again is not kept."""
    state = IdentityState(metadata={"n": "1"})
    object.__setattr__(state, "metadata", {"n": object()})
    with pytest.raises(ValueError, match="JSON cannot hold a object"):
        sparse_text(state)


def test_an_enum_is_read_by_its_name_and_by_nothing_else() -> None:
    """This SDK: null is no provider, and neither is a number."""
    for wrong in (None, 4):
        with pytest.raises(ValueError, match="CustomerNumber cannot be made of this"):
            CustomerNumber.from_json({"number": "+254700000001", "provider": wrong})


def test_what_is_restored_has_all_its_fields_and_no_others() -> None:
    """This SDK: a record that is half understood would be half kept."""
    written = json.loads(sparse_text(CustomerNumber("+254700000001")))
    with pytest.raises(ValueError, match="CustomerNumber is without 'number'"):
        restored(CustomerNumber, {"provider": "cellular"})
    with pytest.raises(ValueError, match="no field 'colour'; known are number, provider"):
        restored(CustomerNumber, written | {"colour": "blue"})
    with pytest.raises(ValueError, match="'pigeon' is no CustomerNumberProvider"):
        restored(CustomerNumber, written | {"provider": "pigeon"})


def test_what_is_known_otherwise_need_not_be_written() -> None:
    """This SDK: a row does not say again what its key says; where it does, that counts."""
    known = SimpleNamespace(number="+254700000001", provider="cellular")
    restore = restoring(CustomerNumber, told=("number", "provider")).call
    assert restore({}, known) == CustomerNumber("+254700000001")
    assert restore({"number": "@asha", "provider": "telegram", "partition": "p"}, known) == CustomerNumber(
        "@asha", CustomerNumberProvider.TELEGRAM, "p"
    )


def test_json_reads_as_a_person_would_write_it() -> None:
    """This SDK: names, ISO times, seconds, decimal strings; a class only where several are possible."""
    assert Reminder("k", datetime(2026, 1, 2, tzinfo=UTC), timedelta(minutes=1)).to_json() == {
        "key": "k",
        "remind_at": "2026-01-02T00:00:00+00:00",
        "interval": 60.0,
        "payload": "",
    }
    assert Cash("KES", "1.50").to_json() == {"currency_code": "KES", "amount": "1.50"}
    assert AppDataUpdate(b"\x00").to_json() == {"data": {"base64": "AA=="}}
    body = Message((Say("hi"),)).to_json()["body"]
    assert body == [{"class": "Say", "text": "hi", "voice": "unknown", "play_beep": False}]


def test_hand_written_json_needs_no_class_where_there_is_only_one() -> None:
    """This SDK: what a person writes is read, defaults filled in."""
    read = Message.from_json({"body": {"class": "Location", "latitude": 1, "longitude": 2}})
    assert read.body == Location(latitude=1, longitude=2)
    assert Media.from_json({"class": "Media", "url": "u", "type": "image"}) == Media("u", "image")


def test_any_mapping_is_read_as_a_dict_is() -> None:
    """This SDK: whoever holds JSON in mappings of their own need not copy it first."""
    body = MappingProxyType({"class": "Location", "latitude": 1, "longitude": 2})
    assert Message.from_json(MappingProxyType({"body": body})).body == Location(latitude=1, longitude=2)


@pytest.mark.parametrize("key", ["base64", "mapping"])
@pytest.mark.parametrize("value", ["QQ==", "x"])
def test_a_mapping_with_a_key_of_ours_is_not_taken_for_bytes(key: str, value: str) -> None:
    """A past bug: a template with the one parameter "base64" came back as bytes."""
    assert Template.from_json(Template("t", {key: value}).to_json()) == Template("t", {key: value})
    assert Template.from_json({"id": "t", "params": {"mapping": value}}) == Template("t", {"mapping": value})


def test_metadata_of_any_json_shape_is_read_back() -> None:
    """The design: metadata is JSON by default."""
    state = IdentityState(metadata={"a": [1, {"b": None}, [True]], "base64": {"base64": "x"}, "c": b"\x01", "d": [b""]})
    assert IdentityState.from_json(state.to_json()) == state


@pytest.mark.parametrize(
    ("cls", "value", "named"),
    [
        (Media, {"url": "u", "type": "image", "size": 3}, "Media has no field 'size'; known are url, type"),
        (Media, {"url": "u"}, "Media cannot be made of this: .*type"),
        (Media, {"url": "u", "type": "poem"}, "'poem' is no MediaType"),
        (Message, {"body": {"class": "Poem"}}, "Message cannot be made of this: Message.body must be one of"),
        (Message, {"body": 5}, "Message cannot be made of this: Message.body must be one of"),
        (
            Message,
            {"body": "x", "labels": {"a": 1}},
            "Message cannot be made of this: Message.labels must be a",
        ),
        (
            CustomerNumber,
            {"number": ["x"]},
            "CustomerNumber cannot be made of this: CustomerNumber.number must be",
        ),
        (Reminder, {"key": "k", "remind_at": "soon"}, "soon"),
        (Reminder, {"key": "k", "remind_at": 5}, "Reminder cannot be made of this"),
        (Reminder, {"key": "k", "remind_at": None, "interval": 1e300}, "Reminder cannot be made of this"),
        (Cash, {"currency_code": "KES", "amount": "much"}, "Cash cannot be made of this"),
        (AppDataUpdate, {"data": {"base64": "?"}}, "base64"),
        (SendMessage, {"message": "hi"}, "SendMessage cannot be made of this"),
        (SendMessage, 5, "SendMessage cannot be made of this: it must be a mapping, got int"),
    ],
)
def test_json_that_is_no_model_is_a_value_error(cls: type[Model], value: Any, named: str) -> None:  # noqa: ANN401
    """This SDK: whatever a file holds, one kind of exception says what is wrong."""
    with pytest.raises(ValueError, match=named):
        cls.from_json(value)


def test_what_json_cannot_hold_is_a_value_error() -> None:
    """The design: a value JSON cannot hold is a ValueError."""
    with pytest.raises(ValueError, match="JSON cannot hold a set"):
        plain({1})
