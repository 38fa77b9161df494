"""A value of one of several classes: each has its member of a oneof.

:mod:`.mapping` stands on this and gives what the members hold; below are :mod:`.shapes`.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message_factory import GetMessageClass

from elarian_trio.models.source import Written, named

from .shapes import NOT_GIVEN, Scalar, Spot
from .values import PLAIN, Piece, must_be

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import OneofDescriptor

    from .shapes import Shape


@dataclass(frozen=True, slots=True)
class Branch:
    """A class and its member of the oneof.

    Attributes:
        kind: the class.
        member: the member's name.
        shape: what the member is; several of a kind stand in *inner*, the one field of its message.
        inner: that field.
    """

    kind: Any
    member: str
    shape: Shape
    inner: str = ""

    @property
    def spot(self) -> Spot:
        """Where it stands."""
        owner, name = (f"message.{self.member}", self.inner) if self.inner else ("message", self.member)
        return Spot(owner, name, "", given="value", target="taken")

    def read(self) -> list[str]:
        """Give the lines that return the value."""
        return [*self.shape.read(self.spot), "return taken"]

    def write(self) -> list[str]:
        """Give the lines that set the member, also to something empty."""
        there = [f"{self.spot.owner}.SetInParent()"] if self.inner else []
        return [*there, *self.shape.write(self.spot)]


def union_piece(oneof: OneofDescriptor, branches: list[Branch], *, is_optional: bool) -> Piece:
    """Make the piece for a value of one of several classes.

    Args:
        oneof: whose members they have.
        branches: the classes and their members.
        is_optional: whether none of them may be given, which is ``None``.
    """
    label = f"{oneof.name}_of_{oneof.containing_type.name}"
    take = Written(f"take_{label}", lambda name: _take(name, oneof, branches, is_optional=is_optional))
    fill = Written(f"fill_{label}", lambda name: _fill(name, branches, is_optional=is_optional))
    return Piece(f"{take.name}({{0}})", f"{fill.name}({{0}}, {{1}}, strict)", None, is_optional)


def _take(name: str, oneof: OneofDescriptor, branches: list[Branch], *, is_optional: bool) -> list[str]:
    which = named("which_oneof", GetMessageClass(oneof.containing_type).WhichOneof)
    lines = [f"def {name}(message):", *_first(branches[0]), f'    which = {which}(message, "{oneof.name}")']
    for branch in branches:
        lines += [f'    if which == "{branch.member}":', *_indented(branch.read(), 2)]
    # None of them: the first kind, empty, as any message that was left out.
    return [*lines, *(["    return None"] if is_optional else _indented(branches[0].read(), 1))]


def _first(branch: Branch) -> list[str]:
    """Give the lines that return what most hold, a text: where it is not empty, there is no need to ask which it is."""
    if not (isinstance(branch.shape, Scalar) and branch.shape.piece is PLAIN):
        return []
    return [*_indented(branch.shape.read(branch.spot), 1), "    if taken:", "        return taken"]


def _fill(name: str, branches: list[Branch], *, is_optional: bool) -> list[str]:
    kinds = tuple(branch.kind for branch in branches)
    known = named(f"kinds_{name}", frozenset({*kinds, types.NoneType} if is_optional else kinds))
    lines = [
        f"def {name}(message, value, strict):",
        "    kind = value.__class__",
        f"    if kind not in {known}:",
        f"        kind = {named(f'kind_{name}', _kind_among(kinds))}(value)",
    ]
    for branch in branches:
        lines += [f"    if kind is {named(branch.kind.__name__, branch.kind)}:", *_indented(branch.write(), 2)]
        lines += ["        return"]
    return [*lines, "    if strict:", f"        {NOT_GIVEN}", "    message.SetInParent()"] if is_optional else lines


def _kind_among(kinds: tuple[Any, ...]) -> Callable[[object], Any]:
    """Give what finds the class that a value's own class is below."""

    def find(value: object) -> Any:  # noqa: ANN401 - a class
        return next((kind for kind in kinds if isinstance(value, kind)), None) or must_be(kinds, value)

    return find


def _indented(lines: list[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]
