"""Nothing of the wire is out of reach: every message, field, enum value and member of a oneof means something here.

The expectations come from the compiled schema and from naming rules written out in this file, not from the tables that
the mapping itself reads.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from elarian_trio import models as room
from elarian_trio._wire import _pb, mapping
from elarian_trio._wire.envelopes import decode_reply  # noqa: F401 - importing it makes the pairs
from elarian_trio.models import identity, messaging, payments, voice
from elarian_trio.models.checks import WireEnum

FILES = [
    importlib.import_module(each.name).DESCRIPTOR for each in pkgutil.iter_modules(_pb.__path__, f"{_pb.__name__}.")
]
MESSAGES: dict[str, Any] = {name: each for file in FILES for name, each in file.message_types_by_name.items()}
ENUMS: dict[str, Any] = {name: each for file in FILES for name, each in file.enum_types_by_name.items()}


def every_pair() -> list[mapping.Codec[Any]]:
    """Read something with every pair: each is written when it is first used, and makes those of what it holds."""
    found: list[mapping.Codec[Any]] = []
    while len(found) < len(mapping._CODECS):
        found = list(mapping._CODECS.values())
        for pair in found:
            read(pair, GetMessageClass(pair.message)())
    return found


def read(pair: mapping.Codec[Any], *messages: Any) -> Any:  # noqa: ANN401 - compiled messages, any model
    """Give the model of a message and the form around it, which may be left out."""
    return pair.take.call(*messages, *empty_form(pair)[len(messages) - 1 :])


def empty_form(pair: mapping.Codec[Any]) -> list[Any]:
    """Give the form of a notification's pair, if it is one."""
    return [] if pair.form is None else [GetMessageClass(pair.form)()]


PAIRS = every_pair()
CODECS = [
    pytest.param(pair, id="-".join([pair.cls.__name__, pair.message.name, *([pair.form.name] if pair.form else [])]))
    for pair in PAIRS
]

UNSPOKEN = {
    "AppState": "the server's own",
    "AppConnectionProps": "the server's own",
    "AppConnectionMetadata": "the SETUP payload, which setup.py writes",
    "ServerToSimulatorNotificationReply": "no bytes at all",
}
ENVELOPES = {
    "AppToServerCommand",
    "AppToServerCommandReply",
    "SimulatorToServerCommand",
    "ServerToAppNotification",
    "ServerToSimulatorNotification",
}
WITHIN = {  # carried by a field of the message around them, and having no class of their own
    "VoiceCallDialplanMessageBody",
    "VoiceCallAction",
    "OutboundMessageBody",
    "InboundMessageBody",
    "PromptMessageMenuItemBody",
    "PaymentCounterParty",
    "MessagingChannelState",
    "ChannelMessage",
    "DataMapValue",
}
OTHER_NAMES = {
    "MessagingChannel": "Channel",
    "MessagingConsentUpdate": "ConsentAction",
    "CustomerEventDirection": "VoiceCallDirection",
}


def model_enums() -> dict[str, type[WireEnum]]:
    """Give every enum of the models' room by name."""
    modules = [importlib.import_module(each.name) for each in pkgutil.iter_modules(room.__path__, f"{room.__name__}.")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return {cls.__name__: cls for cls in found if issubclass(cls, WireEnum) and cls is not WireEnum}


def test_every_message_has_a_class_or_a_reason() -> None:
    """Elarian's published contract, whole."""
    spoken = {each.name for pair in PAIRS for each in (pair.message, pair.form) if each is not None}
    assert spoken | ENVELOPES | WITHIN | set(UNSPOKEN) == set(MESSAGES)
    assert not spoken & (ENVELOPES | WITHIN | set(UNSPOKEN))


@pytest.mark.parametrize("name", ENUMS)
def test_every_value_of_every_enum_has_its_member(name: str) -> None:
    """Elarian's published contract, both ways: the lower-case name without its prefix."""
    cls = model_enums()[OTHER_NAMES.get(name, name)]
    prefix = ENUMS[name].values_by_number[0].name.removesuffix("UNSPECIFIED")
    values = {value.name.removeprefix(prefix).lower() for value in ENUMS[name].values}
    assert {member.value for member in cls} == values - {"unspecified"} | {"unknown"}


def test_every_enum_of_the_models_is_on_the_wire() -> None:
    """This SDK: no enum is made up."""
    assert set(model_enums()) == {OTHER_NAMES.get(name, name) for name in ENUMS}


# --- fields ---


def put_something(message: Any, field: Any) -> None:  # noqa: ANN401 - compiled messages
    """Set *field* to something that is not what an empty message has."""
    scalars = {"string": "x", "bytes": b"x", "bool": True, "int": 1, "double": 1.5}
    kinds = {9: "string", 12: "bytes", 8: "bool", 5: "int", 3: "int", 1: "double"}
    if field.type in kinds:
        value = scalars[kinds[field.type]]
    elif field.enum_type is not None:
        value = field.enum_type.values[1].number
    else:
        put_message(message, field)
        return
    if isinstance(getattr(message, field.name), str | bytes | bool | int | float):
        setattr(message, field.name, value)
    else:
        getattr(message, field.name).append(value)


def put_message(message: Any, field: Any) -> None:  # noqa: ANN401 - compiled messages
    """Set a field that holds messages."""
    if field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        if value.message_type is None:
            getattr(message, field.name)["x"] = "x"
        else:
            put_something(getattr(message, field.name)["x"], value.message_type.fields[0])
        return
    container = getattr(message, field.name)
    inner = container.add() if hasattr(container, "add") else container
    if inner is container:
        inner.SetInParent()
    if field.message_type.fields:
        put_something(inner, field.message_type.fields[0])


@pytest.mark.parametrize("pair", CODECS)
def test_no_field_of_a_message_is_overlooked(pair: mapping.Codec[Any]) -> None:
    """Elarian's published contract, whole: a field that is set changes what is read."""
    message_class = GetMessageClass(pair.message)
    empty = read(pair, message_class())
    overlooked: list[str] = []
    for field in pair.message.fields:
        message = message_class()
        put_something(message, field)
        if read(pair, message) == empty:
            overlooked.append(field.name)
    assert not overlooked


@pytest.mark.parametrize("pair", [each for each in CODECS if each.values[0].form is not None])  # type: ignore[union-attr]
def test_no_field_of_a_form_is_overlooked(pair: mapping.Codec[Any]) -> None:
    """Elarian's published contract, whole; app data and the entry itself the envelopes read by themselves."""
    message = GetMessageClass(pair.message)()
    overlooked: list[str] = []
    for field in pair.form.fields:  # type: ignore[union-attr]
        (form,) = empty_form(pair)
        put_something(form, field)
        if read(pair, message, form) == read(pair, message):
            overlooked.append(field.name)
    entries = {field.name for field in pair.form.oneofs_by_name["entry"].fields}  # type: ignore[union-attr]
    assert set(overlooked) - {"app_data"} == entries


# --- enums and oneofs, value by value ---


@pytest.mark.parametrize("pair", CODECS)
def test_every_number_of_an_enum_is_read_and_written(pair: mapping.Codec[Any]) -> None:
    """Elarian's published contract; numbers that nobody knows are UNKNOWN, for proto3 enums are open."""
    message_class = GetMessageClass(pair.message)
    for field in pair.message.fields:
        if field.enum_type is None:
            continue
        own = "type" if field.name == "media" else field.name
        prefix = field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
        for value in field.enum_type.values:
            member = value.name.removeprefix(prefix).lower() if value.number else "unknown"
            model = read(pair, message_class(**{field.name: value.number}))
            assert getattr(model, own) == member
            again = message_class()
            pair.fill.call(again, model, False, *empty_form(pair))  # noqa: FBT003, RUF100 - the signature of fill
            assert getattr(again, field.name) == value.number
        assert getattr(read(pair, message_class(**{field.name: 9999})), own) == "unknown"


MEMBERS: dict[tuple[str, str], dict[str, type]] = {
    ("SendMessageCommand", "message.body"): {
        "text": str,
        "media": messaging.Media,
        "location": messaging.Location,
        "email": messaging.Email,
        "template": messaging.Template,
        "url": messaging.Url,
        "voice": tuple,
        "ussd": messaging.UssdMenu,
    },
    ("ReceivedMessage", "parts"): {
        "text": str,
        "media": messaging.Media,
        "location": messaging.Location,
        "email": messaging.Email,
        "voice": voice.VoiceCallInput,
        "ussd": messaging.UssdInput,
    },
    ("OutboundMessageReplyPrompt", "menu"): {"text": str, "media": messaging.Media},
    ("SendMessageCommand", "message.body.voice.actions"): {
        "say": voice.Say,
        "play": voice.Play,
        "get_digits": voice.GetDigits,
        "dial": voice.Dial,
        "record_session": voice.RecordSession,
        "get_recording": voice.GetRecording,
        "enqueue": voice.Enqueue,
        "dequeue": voice.Dequeue,
        "reject": voice.Reject,
        "redirect": voice.Redirect,
    },
    ("PaymentTransaction", "debit_party"): {
        "purse": payments.Purse,
        "wallet": payments.Wallet,
        "customer": payments.CustomerPayment,
        "channel": payments.ChannelPayment,
    },
    ("MessagingState", "channels"): {
        "blocked": messaging.BlockedMessagingChannelState,
        "active": messaging.ActiveMessagingChannelState,
        "in_session": messaging.InSessionMessagingChannelState,
    },
    ("MessagingState", "messages"): {"received": messaging.ReceivedMessage, "sent": messaging.SentMessage},
    ("LeaseCustomerAppDataReply", "value"): {"string_val": str, "bytes_val": bytes},
    ("GetCustomerStateCommand", ""): {
        "customer_id": str,
        "customer_number": identity.CustomerNumber,
        "secondary_id": identity.SecondaryId,
    },
    ("AdoptCustomerStateCommand", ""): {
        "other_customer_id": str,
        "other_customer_number": identity.CustomerNumber,
        "other_secondary_id": identity.SecondaryId,
    },
}
"""By message and the way to the oneof in it: what each member is read as."""


@pytest.mark.parametrize(
    ("where", "member"), [(where, member) for where, members in MEMBERS.items() for member in members]
)
def test_every_member_of_a_oneof_is_read_as_its_class_and_written_back(where: tuple[str, str], member: str) -> None:
    """Elarian's published contract."""
    name, way = where
    (pair,) = [each for each in PAIRS if each.message.name == name]
    message = GetMessageClass(MESSAGES[name])()
    inner: Any = message
    for step in way.split(".") if way else []:
        inner = getattr(inner, step)
        inner = inner.add() if hasattr(inner, "add") else inner
    put_something(inner, inner.DESCRIPTOR.fields_by_name[member])
    model = read(pair, message)
    assert type(found(model, way.split("."), member)) is MEMBERS[where][member]
    again = GetMessageClass(MESSAGES[name])()
    pair.fill.call(again, model, False)  # noqa: FBT003, RUF100 - the signature of fill
    assert read(pair, again) == model


def found(model: Any, way: list[str], member: str) -> Any:  # noqa: ANN401 - any model
    """Follow the way to the value in a model."""
    if way == [""]:
        return model.other_customer if member.startswith("other") else model.customer
    if way[1:3] == ["body", "voice"]:
        return model.message.body[0]
    for step in way:
        model = getattr(model, step)
    return model[0] if way[-1] in ("parts", "menu", "channels", "messages") else model
