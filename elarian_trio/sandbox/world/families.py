"""What a family of rules gives: tables, which :mod:`.rules` joins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from elarian_trio.models.commands import Command
    from elarian_trio.models.model import Model
    from elarian_trio.sandbox.world.effects import Job, Waiting
    from elarian_trio.sandbox.world.work import Work

Rule: TypeAlias = "Callable[[Work, Any], Model | Waiting]"
"""Takes a command of the class it stands under; gives the reply, or what the command waits for."""

JobRule: TypeAlias = "Callable[[Work, Any], None]"
"""Takes a job of the class it stands under."""

Rules: TypeAlias = "Mapping[type[Command[Any]], Rule]"
JobRules: TypeAlias = "Mapping[type[Job], JobRule]"

K = TypeVar("K")
V = TypeVar("V")


def joined(tables: Iterable[Mapping[K, V]]) -> dict[K, V]:
    """Give one table of all.

    Raises:
        ValueError: two families claim the same thing.
    """
    whole: dict[K, V] = {}
    for table in tables:
        for key, value in table.items():
            if whole.setdefault(key, value) is not value:
                msg = f"two families have a rule for {key}"
                raise ValueError(msg)
    return whole
