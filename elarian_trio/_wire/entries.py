"""An entry in an envelope: a class, the member of the envelope's oneof that it is, and the pair for it.

:mod:`.envelopes` and :mod:`.setup` stand on this; below is :mod:`.mapping`. What is wrong with a peer's bytes becomes a
RemoteProtocolError here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from google.protobuf.message import DecodeError

from elarian_trio.errors import RemoteProtocolError

from . import tables
from .mapping import Codec, codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from elarian_trio.models.model import Model

    from .values import Message

T = TypeVar("T")

MessageClass: TypeAlias = Any
"""A compiled message's class; its stubs say less than strict checkers ask for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an envelope.

    Attributes:
        envelope: the class of the message around it.
        name: the member of the envelope's oneof.
        codec: the pair for what stands in it.
    """

    envelope: MessageClass
    name: str
    codec: Codec[Any]

    def fill(self, envelope: Message, model: Model, *, strict: bool) -> None:
        """Put *model* into an envelope."""
        message = getattr(envelope, self.name)
        message.SetInParent()
        self.codec.fill(message, model, strict)

    def encode(self, model: Model, *, strict: bool) -> bytes:
        """Give *model* in an envelope of its own, as bytes."""
        envelope = self.envelope()
        self.fill(envelope, model, strict=strict)
        return to_bytes(envelope)


def entries(envelope: MessageClass, classes: Iterable[type[Model]]) -> dict[type[Model], Entry]:
    """Give the entry of each class, found by its message."""
    by_message = {field.message_type.name: field for field in envelope.DESCRIPTOR.oneofs_by_name["entry"].fields}
    found: dict[type[Model], Entry] = {}
    for cls in classes:
        field = by_message[tables.message_names(cls)[0]]
        found[cls] = Entry(envelope, field.name, codec(cls, field.message_type))
    return found


def by_name(found: Mapping[type[Model], Entry]) -> dict[str, Codec[Any]]:
    """Give the pairs by entry; where several classes are one entry, the caller tells which."""
    return {entry.name: entry.codec for entry in found.values()}


def to_bytes(message: Message) -> bytes:
    """Give the bytes of a message."""
    data: bytes = message.SerializeToString(deterministic=True)  # maps in order: the same value, the same bytes
    return data


def parse(message_class: MessageClass, data: bytes) -> Message:
    """Give the message that the bytes are.

    Raises:
        RemoteProtocolError: they are none.
    """
    try:
        return message_class.FromString(data)
    except (DecodeError, ValueError) as error:  # protobuf in pure Python lets a UnicodeDecodeError out
        msg = f"{len(data)} bytes that are no {message_class.DESCRIPTOR.name}"
        raise RemoteProtocolError(msg) from error


def take(how: Callable[[Message], T], message: Message) -> T:
    """Take a value out of a message; what a model refuses, the peer should not have sent.

    Raises:
        RemoteProtocolError: the message holds such a thing.
    """
    try:
        return how(message)
    except (ValueError, TypeError) as error:
        msg = f"a {message.DESCRIPTOR.name} that holds what it must not: {error}"
        raise RemoteProtocolError(msg) from error


def take_entry(codecs: Mapping[str, Codec[Any]], envelope: Message) -> Any:  # noqa: ANN401 - by the entry
    """Take what stands in an envelope; ``None`` for nothing, or what only a newer peer knows."""
    name = envelope.WhichOneof("entry")
    return None if name is None else take(codecs[name].take, getattr(envelope, name))
