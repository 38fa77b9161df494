"""A model's field in its message, as lines of source: read, and written.

:mod:`.mapping` and :mod:`.unions` join these into functions; below are :mod:`.values`. What is written stands in a
function that knows ``message``, ``model`` and ``strict``; what is read, in one that knows ``message`` and ``new``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

from google.protobuf.message_factory import GetMessageClass

from elarian_trio.models.source import named

from .values import PLAIN

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

    from .values import Piece


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a field stands, in written code.

    Attributes:
        owner: the message that has it.
        name: its name there.
        has_field: the name of what tells whether its owner has a field: its class's own method, since to look that up
            in each message takes half as long again.
        given: the model's value, when it is written.
        target: what is set, when it is read.
    """

    owner: str
    name: str
    has_field: str
    given: str
    target: str

    @property
    def at(self) -> str:
        """The field; of a oneof the message that has it."""
        return f"{self.owner}.{self.name}" if self.name else self.owner

    @property
    def is_there(self) -> str:
        """Whether the message has the field; only of what can be missing."""
        return f'{self.has_field}({self.owner}, "{self.name}")'


def has_field(message: Descriptor) -> str:
    """Give the name of what tells whether a *message* has a field."""
    return named("has_field", GetMessageClass(message).HasField)


class Shape(Protocol):
    """What a field is."""

    @property
    def is_sure(self) -> bool:
        """Whether writing it makes its message be there, whatever the value."""
        ...

    def read(self, spot: Spot) -> list[str]:
        """Give the lines that set the target to what the field holds."""
        ...

    def write(self, spot: Spot) -> list[str]:
        """Give the lines that set the field to what is given."""
        ...


def _not_given() -> NoReturn:
    msg = "is None, so there is nothing to send"
    raise ValueError(msg)


def _cannot_go_with(other: str) -> NoReturn:
    msg = f"cannot go with {other}, which is given as well"
    raise ValueError(msg)


NOT_GIVEN = f"{named('not_given', _not_given)}()"
_CANNOT_GO_WITH = named("cannot_go_with", _cannot_go_with)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that the field itself holds; one that counts as not set need not be set, unless something must be."""

    piece: Piece
    must_be_set: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether it is always set."""
        return self.must_be_set or self.piece is not PLAIN

    def read(self, spot: Spot) -> list[str]:
        """Read it."""
        return [f"{spot.target} = {self.piece.take.format(spot.at)}"]

    def write(self, spot: Spot) -> list[str]:
        """Set it."""
        put = f"{spot.at} = {self.piece.put.format(spot.given)}"
        return [put] if self.is_sure else [f"if {spot.given}:", f"    {put}"]


@dataclass(frozen=True, slots=True)
class Always:
    """A message that is there whatever it holds; read, one that was left out is an empty one.

    Attributes:
        piece: what it is.
        often_left_out: whether to look first if it is there: that takes a third of what reading an empty one takes.
        refuse: what refuses ``None``, where reading may give that and the model does not take it.
    """

    piece: Piece
    often_left_out: bool = False
    refuse: str | None = None
    is_sure: bool = True

    def read(self, spot: Spot) -> list[str]:
        """Read it, or what an empty one is."""
        take = self.piece.take.format(spot.at)
        if self.often_left_out and self.piece.left_out is not None:
            take = f"{take} if {spot.is_there} else {self.piece.left_out}"
        lines = [f"{spot.target} = {take}"]
        return lines if self.refuse is None else [*lines, f"if {spot.target} is None:", f"    {self.refuse}"]

    def write(self, spot: Spot) -> list[str]:
        """Fill it."""
        return [self.piece.put.format(spot.at, spot.given)]


@dataclass(frozen=True, slots=True)
class Sometimes:
    """A message that is left out for ``None``.

    Attributes:
        piece: what it is.
        is_needed: whether what is sent must have it.
        oneof: the oneof whose other members it excludes.
    """

    piece: Piece
    is_needed: bool
    oneof: str | None
    is_sure: bool = False

    def read(self, spot: Spot) -> list[str]:
        """Read it, if it is there."""
        return [f"{spot.target} = {self.piece.take.format(spot.at)} if {spot.is_there} else None"]

    def write(self, spot: Spot) -> list[str]:
        """Fill it, if there is something to fill it with."""
        lines = [f"value = {spot.given}", "if value is not None:"]
        if self.oneof is not None:
            lines += [
                f'    other = {spot.owner}.WhichOneof("{self.oneof}")',
                "    if other is not None:",
                f"        {_CANNOT_GO_WITH}(other)",
            ]
        lines.append(f"    {self.piece.put.format(spot.at, 'value')}")
        return [*lines, "elif strict:", f"    {NOT_GIVEN}"] if self.is_needed else lines


@dataclass(frozen=True, slots=True)
class Repeated:
    """Several of a kind; messages that only a newer server knows are left out where the model has no None for them.

    They are read from a slice, a list, since protobuf's own containers end an iteration by an error at their end.
    """

    piece: Piece
    keeps_none: bool
    is_sure: bool = False

    def read(self, spot: Spot) -> list[str]:
        """Read them."""
        taken = self.piece.take.format("each")
        if self.piece is PLAIN:
            made = "tuple(found[:])"
        elif self.piece.may_be_none and not self.keeps_none:
            made = f"tuple([made for each in found[:] if (made := {taken}) is not None])"
        else:
            name = taken.removesuffix("(each)")  # a comprehension is a function of its own, until Python 3.12
            several = f"tuple([{taken} for each in found[:]])" if name == taken else f"tuple(map({name}, found[:]))"
            made = f"({self.piece.take.format('found[0]')},) if len(found) == 1 else {several}"
        return [f"found = {spot.at}", f"{spot.target} = ({made}) if found else ()"]

    def write(self, spot: Spot) -> list[str]:
        """Add them."""
        if self.piece is PLAIN:
            return [f"if {spot.given}:", f"    {spot.at}.extend({spot.given})"]
        fill = self.piece.put.format("container.add()", "each")
        loop = [f"    container = {spot.at}", f"    for each in {spot.given}:", f"        {fill}"]
        return [f"if {spot.given}:", *loop]


@dataclass(frozen=True, slots=True)
class Keyed:
    """Values by text."""

    piece: Piece
    is_sure: bool = False

    def read(self, spot: Spot) -> list[str]:
        """Read them."""
        taken = self.piece.take.format("found[key]")
        found = "dict(found)" if self.piece is PLAIN else f"{{key: {taken} for key in found}}"
        return [f"found = {spot.at}", f"{spot.target} = {found} if found else {{}}"]

    def write(self, spot: Spot) -> list[str]:
        """Set them."""
        if self.piece is PLAIN:
            return [f"if {spot.given}:", f"    {spot.at}.update({spot.given})"]
        fill = self.piece.put.format("container[key]", "each")
        loop = [f"    container = {spot.at}", f"    for key, each in {spot.given}.items():", f"        {fill}"]
        return [f"if {spot.given}:", *loop]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the message does not carry; read, it is what *value* says."""

    value: str
    is_sure: bool = False

    def read(self, spot: Spot) -> list[str]:
        """Set it to the value."""
        return [f"{spot.target} = {self.value}"]

    def write(self, spot: Spot) -> list[str]:
        """Write nothing."""
        return []
