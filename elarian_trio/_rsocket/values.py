"""How the values are made of which every request has some.

Above: everything in this room. A frozen dataclass sets its fields the long way round, since it refuses the short one;
that takes three times as long as making an ordinary one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from typing_extensions import dataclass_transform

__all__ = ["value"]

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """Make a slotted dataclass of *cls*, as cheap to make as one that is not frozen; type checkers keep it frozen."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
