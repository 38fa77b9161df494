"""What every record and every key is: the bases, and how their classes are made.

The records of each family, beside this file, stand on it. Below are the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Self, dataclass_transform

from typing_extensions import TypeVar

from elarian_trio.models.model import Model

__all__ = ["KEPT", "Key", "R", "Record", "key_class", "latest", "record_class"]

KEPT = 100
"""How many messages, ended sessions and transactions a customer keeps: state holds the most recent, not everything."""

R = TypeVar("R", bound="Record", default=Any, covariant=True)
T = TypeVar("T")


class Record(Model):
    """The base of what is remembered."""

    __slots__ = ()

    @property
    def key(self) -> Key[Self]:
        """What it is found by."""
        raise NotImplementedError


@dataclass_transform(frozen_default=True)
def key_class(cls: type[T]) -> type[T]:
    """Make *cls* a class of keys, a dataclass that is frozen for whoever writes and checks code.

    At run time nothing refuses to set a field: where something does, a key takes three times as long to make, and
    every record that a rule looks at takes one.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(kw_only_default=True, frozen_default=True)
def record_class(cls: type[T]) -> type[T]:
    """Make *cls* a class of records, or of what is in them, that is frozen as classes of keys are."""
    return dataclass(slots=True, kw_only=True, repr=False, eq=False)(cls)


@key_class
class Key(Generic[R]):
    """What a record is found by; the class says which kind of record, the type parameter so to the type checkers.

    Attributes:
        org_id: the organisation. Nothing ever crosses organisations.
    """

    org_id: str


def latest(values: tuple[T, ...], value: T) -> tuple[T, ...]:
    """Give *values* with *value* added at the end, the oldest dropped beyond :data:`KEPT`."""
    return (*values, value)[-KEPT:]
