"""Makes, once per class and message, the pair that fills the message from the model and takes the model out of it.

:mod:`.envelopes` and :mod:`.setup` stand on this; below are :mod:`.values` and :mod:`.tables`. A field is found by its
name, and what is done with it follows from the model's type hint and the message's descriptor; the tables list the
rest. A class and message that do not fit each other are a TypeError when the pair is made, not when it is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeAlias, TypeVar, cast, get_args, get_origin

from elarian_trio.models.checks import alternatives, enum_of, field_types
from elarian_trio.models.messaging import Url
from elarian_trio.models.model import Model
from elarian_trio.models.notifications import Notification

from . import tables
from .values import EXPIRY, SCALARS, WELL_KNOWN, Message, Part, Scalar, Value, enum_scalar

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

M = TypeVar("M", bound=Model)

Write: TypeAlias = Callable[[Message, Value, bool], None]
Read: TypeAlias = Callable[[Message], Value]
Place: TypeAlias = tuple[Write, Read]
"""A model's field in its message: ``write(message, value, strict)`` and ``read(message)``."""

Hint: TypeAlias = Any
"""A resolved type hint, or a member of one."""


class UnencodableField(ValueError):
    """A ValueError that already names the model and the field."""


@dataclass(frozen=True, slots=True)
class Codec(Generic[M]):
    """The pair for one class and one message.

    Attributes:
        cls: the model's class.
        places: each field that the message carries, by its name in the model.
        stand_ins: fields that it does not carry, and what they are given.
    """

    cls: type[M]
    places: Mapping[str, Place]
    stand_ins: Mapping[str, Value]

    def fill(self, message: Message, model: M, strict: bool) -> None:
        """Fill *message* from *model*.

        Raises:
            ValueError: something cannot be sent; it names the model and the field.
        """
        if not isinstance(model, self.cls):
            _must_be((self.cls,), model)
        for name, (write, _) in self.places.items():
            try:
                write(message, getattr(model, name), strict)
            except UnencodableField:
                raise
            except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
                msg = f"{self.cls.__name__}.{name} {error}"
                raise UnencodableField(msg) from error

    def read(self, message: Message) -> dict[str, Value]:
        """Give the model's fields as *message* has them."""
        fields = {name: read(message) for name, (_, read) in self.places.items()}
        fields.update(self.stand_ins)
        return fields

    def take(self, message: Message) -> M:
        """Give the model that *message* is."""
        return self.cls(**self.read(message))


_CODECS: dict[tuple[type, str], Codec[Any]] = {}


def codec(cls: type[M], message: Descriptor) -> Codec[M]:
    """Give the pair for *cls* and *message*; made once."""
    key = (cls, message.full_name)
    found = _CODECS.get(key)
    if found is None:
        found = _CODECS[key] = _make(cls, message)
    return found


def _make(cls: type[M], message: Descriptor) -> Codec[M]:
    absent = tables.NOT_THERE.get(message.name, frozenset[str]())
    if issubclass(cls, Notification):  # these stand in the envelope
        absent |= set(field_types(Notification))
    names = tables.WIRE_NAMES.get(message.name, {})
    hints = field_types(cls)
    places = {
        field.name: _place(hints[field.name], message, names.get(field.name, field.name), field.default)
        for field in dataclasses.fields(cls)  # type: ignore[arg-type]  # every model is one
        if field.name not in absent
    }
    return Codec(cls, places, tables.STAND_INS.get(message.name, {}))


def _must_be(wanted: tuple[Hint, ...], value: Value) -> NoReturn:
    names = ", ".join(each.__name__ for each in wanted)
    msg = f"must be {'one of ' if len(wanted) > 1 else 'a '}{names}, got {type(value).__name__}"
    raise ValueError(msg)


def _not_given() -> NoReturn:
    msg = "is None, so there is nothing to send"
    raise ValueError(msg)


def _misfit(hint: Hint, name: str) -> NoReturn:
    msg = f"no way to carry {hint} in {name}"
    raise TypeError(msg)


# --- where a field stands ---


def _place(hint: Hint, message: Descriptor, name: str, default: Value) -> Place:
    outer, _, inner = name.partition(".")
    if inner:
        deeper = _inside(message.fields_by_name[outer])
        return _within(outer, _place(hint, deeper, inner, default))
    oneof = message.oneofs_by_name.get(name)
    if oneof is not None:
        union = _union(hint, oneof)
        return union.fill, union.take
    field = message.fields_by_name.get(name)
    if field is None:
        _misfit(hint, f"{message.full_name}.{name}")
    parts = _without_none(hint)
    kind = _kind(parts[0]) if len(parts) == 1 else None
    if kind is tuple:
        return _repeated(name, get_args(parts[0])[0], field)
    if kind is Mapping:
        return _map(name, get_args(parts[0])[1], field)
    return _single(name, hint, field, default)


def _within(outer: str, place: Place) -> Place:
    write, read = place

    def write_deeper(message: Message, value: Value, strict: bool) -> None:
        part = getattr(message, outer)
        part.SetInParent()
        write(part, value, strict)

    return write_deeper, lambda message: read(getattr(message, outer))


def _single(name: str, hint: Hint, field: FieldDescriptor, default: Value) -> Place:
    if name == "expires_at":
        return _always(name, EXPIRY)
    item = _item(hint, field, default)
    if isinstance(item, Scalar):
        return _set(name, item)
    if type(None) not in alternatives(hint):
        return _always(name, item)
    oneof = field.containing_oneof
    return _sometimes(name, item, needed=default is MISSING, oneof=None if oneof is None else oneof.name)


def _set(name: str, item: Scalar) -> Place:
    put, get = item.put, item.get
    return (
        lambda message, value, strict: setattr(message, name, put(value, strict)),
        lambda message: get(getattr(message, name)),
    )


def _always(name: str, item: Part) -> Place:
    """A message that is there whatever it holds; read, one that was left out is an empty one."""
    fill, take = item.fill, item.take

    def write(message: Message, value: Value, strict: bool) -> None:
        part = getattr(message, name)
        part.SetInParent()
        fill(part, value, strict)

    return write, lambda message: take(getattr(message, name))


def _sometimes(name: str, item: Part, *, needed: bool, oneof: str | None) -> Place:
    """A message that is left out for ``None``."""
    always, read = _always(name, item)

    def write(message: Message, value: Value, strict: bool) -> None:
        if value is None:
            if strict and needed:
                _not_given()
            return
        if oneof is not None and (other := message.WhichOneof(oneof)) is not None:
            msg = f"cannot go with {other}, which is given as well"
            raise ValueError(msg)
        always(message, value, strict)

    return write, lambda message: read(message) if message.HasField(name) else None


def _repeated(name: str, hint: Hint, field: FieldDescriptor) -> Place:
    keeps_none = type(None) in alternatives(hint)
    item = _item(hint | None, field, MISSING)
    if isinstance(item, Scalar):
        put, get = item.put, item.get
        return (
            lambda message, values, strict: getattr(message, name).extend([put(value, strict) for value in values]),
            lambda message: tuple(map(get, getattr(message, name))),
        )
    fill, take = item.fill, item.take

    def write(message: Message, values: Value, strict: bool) -> None:
        container = getattr(message, name)
        for value in values:
            fill(container.add(), value, strict)

    def read(message: Message) -> tuple[Value, ...]:
        # An item of a kind that only a newer server knows is left out where the model has no None for it.
        found = [take(each) for each in getattr(message, name)]
        return tuple(found if keeps_none else (each for each in found if each is not None))

    return write, read


def _map(name: str, hint: Hint, field: FieldDescriptor) -> Place:
    item = _item(hint, _inside(field).fields_by_name["value"], MISSING)
    if isinstance(item, Scalar):
        return (
            lambda message, values, strict: getattr(message, name).update(values),
            lambda message: dict(getattr(message, name)),
        )
    fill, take = item.fill, item.take

    def write(message: Message, values: Value, strict: bool) -> None:
        container = getattr(message, name)
        for key, value in values.items():
            fill(container[key], value, strict)

    return write, lambda message: {key: take(each) for key, each in getattr(message, name).items()}


# --- what a field holds ---


def _inside(field: FieldDescriptor) -> Descriptor:
    """Give the message that a field holds; who asks knows that it holds one."""
    return cast("Descriptor", field.message_type)


def _without_none(hint: Hint) -> list[Hint]:
    """Give a hint's alternatives; metadata's Any is what the wire carries, a string or bytes."""
    parts = (str, bytes) if hint is Any else alternatives(hint)
    return [part for part in parts if part is not type(None)]


def _kind(part: Hint) -> Hint:
    """Give the class of an alternative's values."""
    origin: Hint = get_origin(part)
    return part if origin is None else origin


def _item(hint: Hint, field: FieldDescriptor, default: Value) -> Scalar | Part:
    enum, wire, parts = enum_of(hint), field.message_type, _without_none(hint)
    if enum is not None:
        return enum_scalar(enum, cast("EnumDescriptor", field.enum_type), may_be_unknown=default is enum("unknown"))
    if wire is None:
        return SCALARS[parts[0], field.cpp_type]
    if len(parts) > 1:
        return _union(hint, wire.oneofs[0])
    known = WELL_KNOWN.get((parts[0], wire.full_name))
    return known if known is not None else _model(parts[0], wire)


def _model(cls: Hint, message: Descriptor) -> Part:
    if message.name not in tables.message_names(cls):
        _misfit(cls, message.full_name)
    pair: Codec[Any] = codec(cls, message)
    return Part(pair.fill, pair.take)


def _union(hint: Hint, oneof: OneofDescriptor) -> Part:
    """A value of one of several classes: each has its member of the oneof."""
    parts, optional, name = _without_none(hint), type(None) in alternatives(hint), oneof.name
    members = [_member(part, oneof) for part in parts]
    kinds = tuple(map(_kind, parts))
    places = [_branch(part, member) for part, member in zip(parts, members, strict=True)]
    writes = {kind: write for kind, (write, _) in zip(kinds, places, strict=True)}
    reads = {member.name: read for member, (_, read) in zip(members, places, strict=True)}
    first = places[0][1]

    def fill(message: Message, value: object, strict: bool) -> None:
        write = writes.get(type(value)) or next((writes[kind] for kind in kinds if isinstance(value, kind)), None)
        if write is not None:
            write(message, value, strict)
        elif value is not None or not optional:
            _must_be(kinds, value)
        elif strict:
            _not_given()

    def take(message: Message) -> Value:
        member = message.WhichOneof(name)
        if member is not None:
            return reads[member](message)
        return None if optional else first(message)  # the first kind, empty, as any message that was left out

    return Part(fill, take)


def _member(part: Hint, oneof: OneofDescriptor) -> FieldDescriptor:
    kind = _kind(part)
    scalars = tables.SCALAR_MEMBERS.get(kind)
    for field in oneof.fields:
        wire = field.message_type
        if field.name in scalars if scalars is not None else wire and wire.name in tables.message_names(kind):
            return field
    _misfit(part, f"{oneof.containing_type.full_name}.{oneof.name}")


def _branch(part: Hint, member: FieldDescriptor) -> Place:
    if part is Url:
        return _set(member.name, Scalar(lambda value, strict: value.url, lambda url: Url(url=url)))
    if member.message_type is None:
        return _set(member.name, SCALARS[part, member.cpp_type])
    if _kind(part) is tuple:
        actions = _inside(member).fields[0]
        return _within(member.name, _repeated(actions.name, get_args(part)[0], actions))
    return _always(member.name, _model(part, member.message_type))
