"""An entry in an envelope: a class, the member of the envelope's oneof that it is, and the pair for it.

:mod:`.envelopes` and :mod:`.setup` stand on this; below is :mod:`.mapping`. What is wrong with a peer's bytes becomes a
RemoteProtocolError here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from google.protobuf.message import DecodeError

from elarian_trio.errors import RemoteProtocolError
from elarian_trio.models.model import Model

from . import tables
from .mapping import Codec, codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from google.protobuf.descriptor import Descriptor, FieldDescriptor

    from .values import Message

M = TypeVar("M", bound=Model)

MessageClass: TypeAlias = Any
"""A compiled message's class; its stubs say less than strict checkers ask for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an envelope.

    Attributes:
        envelope: the class of the message around it.
        parse: what makes one of bytes.
        name: the member of the envelope's oneof.
        codec: the pair for what stands in it.
        has_maps: whether there may be maps in it, which protobuf writes in no order unless it is told to.
    """

    envelope: MessageClass
    parse: Callable[[bytes], Message]
    name: str
    codec: Codec[Any]
    has_maps: bool

    def encode(self, model: Model, *, strict: bool) -> bytes:
        """Give *model* in an envelope of its own, as bytes.

        Raises:
            ValueError: it holds what cannot be sent; the model and the field are named.
        """
        envelope = self.envelope()
        self.codec.fill.call(getattr(envelope, self.name), model, strict)
        data: bytes = to_bytes(envelope) if self.has_maps else envelope.SerializeToString()
        return data


def entry(envelope: MessageClass, field: FieldDescriptor, cls: type[Model], form: Descriptor | None = None) -> Entry:
    """Give the entry of one class, which stands in *form* if that has some of its fields."""
    message = cast("Descriptor", field.message_type)
    return Entry(envelope, parser(envelope), field.name, codec(cls, message, form), _has_maps(message))


def entries(
    envelope: MessageClass, classes: Iterable[type[Model]], form: Descriptor | None = None
) -> dict[type[Model], Entry]:
    """Give the entry of each class, found by its message; it stands in *form* if that is not the envelope itself."""
    oneof = (envelope.DESCRIPTOR if form is None else form).oneofs_by_name["entry"]
    by_message = {cast("Descriptor", field.message_type).name: field for field in oneof.fields}
    return {cls: entry(envelope, by_message[tables.message_names(cls)[0]], cls, form) for cls in classes}


def by_name(found: Mapping[type[Model], Entry]) -> dict[str, Codec[Any]]:
    """Give the pairs by entry; where several classes are one entry, the caller tells which."""
    return {entry.name: entry.codec for entry in found.values()}


@cache
def _has_maps(message: Descriptor) -> bool:
    within = [field.message_type for field in message.fields if field.message_type is not None]
    return any(each.GetOptions().map_entry or _has_maps(each) for each in within)


def to_bytes(message: Message) -> bytes:
    """Give the bytes of a message."""
    data: bytes = message.SerializeToString(deterministic=True)  # maps in order: the same value, the same bytes
    return data


def parser(message_class: MessageClass) -> Callable[[bytes], Message]:
    """Give what makes a message of bytes; bytes that are none are a RemoteProtocolError."""
    from_string = message_class.FromString

    def parse(data: bytes) -> Message:
        try:
            return from_string(data)
        except (DecodeError, ValueError) as error:  # protobuf in pure Python lets a UnicodeDecodeError out
            msg = f"{len(data)} bytes that are no {message_class.DESCRIPTOR.name}"
            raise RemoteProtocolError(msg) from error

    return parse


def take(pair: Codec[M], message: Message, form: Message = None) -> M:
    """Take a value out of a message, and the form around it; what a model refuses, the peer should not have sent.

    Raises:
        RemoteProtocolError: the message holds such a thing.
    """
    try:
        model: M = pair.take.call(message) if form is None else pair.take.call(message, form)
    except (ValueError, TypeError) as error:
        msg = f"a {message.DESCRIPTOR.name} that holds what it must not: {error}"
        raise RemoteProtocolError(msg) from error
    return model


def take_entry(codecs: Mapping[str, Codec[Any]], envelope: Message) -> Any:  # noqa: ANN401 - by the entry
    """Take what stands in an envelope; ``None`` for nothing, or what only a newer peer knows."""
    name = envelope.WhichOneof("entry")
    return None if name is None else take(codecs[name], getattr(envelope, name))
