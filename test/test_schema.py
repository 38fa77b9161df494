"""The compiled schema against an independent record of the wire contract, both ways.

The record is ``test/support/wire_contract.txt``: one line a fact, kept apart from ``schema/`` on purpose.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

from elarian_trio._wire import _pb

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTRACT = Path(__file__).parent / "support" / "wire_contract.txt"
PACKAGE = "elarian_trio.wire"
WELL_KNOWN = {f"google.protobuf.{name}" for name in ("StringValue", "Int32Value", "Timestamp", "Duration")}
SCALARS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
}


@dataclass(frozen=True)
class Field:
    """One field of a message: its type as the record writes it, and the oneof it belongs to."""

    number: int
    name: str
    type: str
    oneof: str | None = None


@dataclass
class Message:
    """One message of the record; ``extension`` marks what the published contract lacks."""

    extension: bool
    fields: set[Field] = field(default_factory=set)
    extension_fields: set[Field] = field(default_factory=set)
    reserved: set[int] = field(default_factory=set)

    def add(self, words: list[str]) -> None:
        if words[0] == "reserved":
            self.reserved.add(int(words[1]))
            return
        number, name, kind, *rest = words
        oneof = rest[1] if rest[:1] == ["in"] else None
        target = self.extension_fields if "extension" in rest else self.fields
        target.add(Field(int(number), name, kind, oneof))


@dataclass
class Enum:
    """One enum of the record."""

    prefix: str
    values: dict[str, int] = field(default_factory=dict)

    def add(self, words: list[str]) -> None:
        self.values[f"{self.prefix}{words[0]}"] = int(words[1])


def read_contract(text: str) -> tuple[dict[str, Message], dict[str, Enum]]:
    """Parse the record into its messages and enums, by name."""
    messages: dict[str, Message] = {}
    enums: dict[str, Enum] = {}
    current: Message | Enum | None = None
    for line in text.splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        if words[0] == "message":
            current = messages[words[1]] = Message("extension" in words)
        elif words[0] == "enum":
            current = enums[words[1]] = Enum(words[2])
        else:
            assert current is not None
            current.add(words)
    return messages, enums


MESSAGES, ENUMS = read_contract(CONTRACT.read_text(encoding="utf-8"))


def compiled_files() -> Iterator[FileDescriptor]:
    """The descriptor of each module that was compiled."""
    for module in pkgutil.iter_modules(_pb.__path__):
        yield importlib.import_module(f"{_pb.__name__}.{module.name}").DESCRIPTOR


COMPILED_MESSAGES: dict[str, Descriptor] = {
    name: message for file in compiled_files() for name, message in file.message_types_by_name.items()
}
COMPILED_ENUMS: dict[str, EnumDescriptor] = {
    name: enum for file in compiled_files() for name, enum in file.enum_types_by_name.items()
}


def name_of(full_name: str) -> str:
    """A type's name without its package, which must be ours or protobuf's own."""
    package, _, name = full_name.rpartition(".")
    assert package == PACKAGE or full_name in WELL_KNOWN, full_name
    return name


def type_of(compiled: FieldDescriptor) -> str:
    """A field's type as the record writes it, cardinality left out."""
    if compiled.message_type is not None:
        return name_of(compiled.message_type.full_name)
    if compiled.enum_type is not None:
        return name_of(compiled.enum_type.full_name)
    return SCALARS[compiled.type]


def spelling_of(compiled: FieldDescriptor) -> str:
    """A field's type as the record writes it, maps and repetition included."""
    if compiled.message_type is not None and compiled.message_type.GetOptions().map_entry:
        entry = compiled.message_type.fields_by_name
        return f"{type_of(entry['key'])}>{type_of(entry['value'])}"
    return type_of(compiled) + "*" * compiled.is_repeated


def fields_of(message: Descriptor) -> set[Field]:
    """Every field of a compiled message."""
    return {
        Field(f.number, f.name, spelling_of(f), f.containing_oneof.name if f.containing_oneof else None)
        for f in message.fields
    }


def test_contract_counts_what_was_published() -> None:
    """The published contract: 134 messages and 18 enums; this SDK adds a command and its reply."""
    assert sum(not message.extension for message in MESSAGES.values()) == 134
    assert {name for name, message in MESSAGES.items() if message.extension} == {
        "DeleteCustomerCommand",
        "DeleteCustomerReply",
    }
    assert len(ENUMS) == 18


def test_schema_has_the_messages_of_the_contract_and_no_others() -> None:
    """The published contract, nothing missing and nothing extra."""
    assert COMPILED_MESSAGES.keys() == MESSAGES.keys()


def test_schema_has_the_enums_of_the_contract_and_no_others() -> None:
    """The published contract, nothing missing and nothing extra."""
    assert COMPILED_ENUMS.keys() == ENUMS.keys()


@pytest.mark.parametrize("name", MESSAGES)
def test_message_has_the_fields_of_the_contract_and_no_others(name: str) -> None:
    """The published contract: number, name, type, repetition and oneof of each field."""
    assert fields_of(COMPILED_MESSAGES[name]) == MESSAGES[name].fields | MESSAGES[name].extension_fields


@pytest.mark.parametrize("name", MESSAGES)
def test_message_reserves_the_numbers_of_the_contract(name: str) -> None:
    """The published contract: a number once used is not given out again."""
    proto = DescriptorProto()
    COMPILED_MESSAGES[name].CopyToProto(proto)
    reserved = {number for span in proto.reserved_range for number in range(span.start, span.end)}
    assert reserved == MESSAGES[name].reserved


@pytest.mark.parametrize("name", MESSAGES)
def test_message_nests_nothing_but_map_entries(name: str) -> None:
    """The published contract: every message and enum stands at the top of its file."""
    message = COMPILED_MESSAGES[name]
    assert all(nested.GetOptions().map_entry for nested in message.nested_types)
    assert not message.enum_types
    assert not message.extensions


@pytest.mark.parametrize("name", ENUMS)
def test_enum_has_the_values_of_the_contract_and_no_others(name: str) -> None:
    """The published contract: each value's full name and number."""
    assert {value.name: value.number for value in COMPILED_ENUMS[name].values} == ENUMS[name].values


def test_extension_stands_apart_from_the_published_fields() -> None:
    """This SDK: only the two envelopes carry a field that was never published."""
    extended = {name: message.extension_fields for name, message in MESSAGES.items() if message.extension_fields}
    assert extended == {
        "AppToServerCommand": {Field(32, "delete_customer", "DeleteCustomerCommand", "entry")},
        "AppToServerCommandReply": {Field(12, "delete_customer", "DeleteCustomerReply", "entry")},
    }


def test_schema_is_proto3_in_a_package_of_its_own() -> None:
    """This SDK: the official one may be loaded in the same process, so package and file names must differ."""
    for file in compiled_files():
        proto = FileDescriptorProto()
        file.CopyToProto(proto)
        assert proto.syntax == "proto3"
        assert proto.package == PACKAGE
        assert proto.name.startswith("elarian_trio/wire/")
