"""What makes a model of values that are to be checked: a constructor of its class's own, written when first needed.

:mod:`.model` stands above; below are :mod:`.checks` and :mod:`.source`. What ``dataclasses`` writes sets each field the
long way round, since the class is frozen, and calls ``__post_init__``, which looks for what checks them all. It makes
the first model of a class; one function that does all of that makes the others, in half the time.
"""

from __future__ import annotations

import dataclasses
import types
from datetime import UTC, datetime
from functools import update_wrapper
from inspect import unwrap
from typing import Any

from .checks import alternatives, checks, field_types, parts_of
from .source import Written, compiled, named

__all__ = ["check"]

_CHECKERS: dict[type, Written] = {}

_PUT = named("put", object.__setattr__)
_DATETIME, _UTC = named("datetime", datetime), named("UTC", UTC)


def check(model: Any) -> None:  # noqa: ANN401 - any of them
    """Convert and check every field of *model*: what a constructor ends with that was not written here."""
    cls = model.__class__
    found = _CHECKERS.get(cls)
    if found is None:
        if _is_plain(cls):
            _replace_constructor(cls)
            cls.__init__(model, **{name: getattr(model, name) for name in field_types(cls)})
            return
        found = _CHECKERS[cls] = Written(f"check_{cls.__name__}", lambda name: _checker_lines(name, cls))
    found.call(model)


def _is_plain(cls: Any) -> bool:  # noqa: ANN401 - a model's class
    """Whether it is one of ours that leaves to its constructor what all do; what users write stays what it is."""
    is_usual = cls.__post_init__ is check and cls.__dataclass_params__.init and "__init__" in vars(cls)
    has_factory = any(field.default_factory is not dataclasses.MISSING for field in dataclasses.fields(cls))
    return cls.__module__.startswith("elarian_trio.") and is_usual and not has_factory


def _replace_constructor(cls: Any) -> None:  # noqa: ANN401 - a model's class
    usual = unwrap(cls.__init__)  # two threads may come here at once
    name = f"make_{cls.__name__}"
    cls.__init__ = update_wrapper(compiled(name, _constructor_lines(name, cls, usual)), usual)


def _constructor_lines(name: str, cls: Any, usual: Any) -> list[str]:  # noqa: ANN401 - a class and a function
    """Write a constructor; of a class below, which may check more, the usual one is called."""
    fields = sorted(dataclasses.fields(cls), key=lambda field: field.kw_only is True)
    own = {field: (passing, convert) for field, passing, convert in checks(cls)}
    given = ", ".join(f"{field.name}={field.name}" for field in fields)
    lines = [
        f"def {name}(self{''.join(_parameters(fields))}):",
        f"    if self.__class__ is not {named(cls.__name__, cls)}:",
        f"        return {named(f'usual_{name}', usual)}(self, {given})",
    ]
    for field, (passing, convert) in own.items():
        lines += [
            f"    if {_is_to_be_checked(field, passing, field_types(cls)[field])}:",
            f'        {field} = {named(f"check_{field}", convert)}("{_spoken(cls, field)}", {field})',
        ]
    # A slot's own setter: what a frozen class leaves, in half the time of object.__setattr__.
    return [*lines, *(f"    {named(f'set_{each}', getattr(cls, each).__set__)}(self, {each})" for each in own)]


def _spoken(cls: Any, field: str) -> str:  # noqa: ANN401 - a model's class
    """Give what errors call a field of *cls*."""
    return field if cls._speaks_as_method else f"{cls.__name__}.{field}"


def _parameters(fields: list[dataclasses.Field[Any]]) -> list[str]:
    first_named = next((field.name for field in fields if field.kw_only is True), None)
    return [
        (", *" if field.name == first_named else "")
        + f", {field.name}"
        + ("" if field.default is dataclasses.MISSING else f"={named(f'default_{field.name}', field.default)}")
        for field in fields
    ]


def _checker_lines(name: str, cls: type) -> list[str]:
    lines = [f"def {name}(model):"]
    for field, passing, convert in checks(cls):
        lines += [
            f"    value = model.{field}",
            f"    if {_is_to_be_checked('value', passing, field_types(cls)[field])}:",
            f'        converted = {named(f"check_{field}", convert)}("{_spoken(cls, field)}", value)',
            "        if converted is not value:",
            f'            {_PUT}(model, "{field}", converted)',
        ]
    return [*lines, "    return"]


def _is_to_be_checked(value: str, passing: frozenset[type], hint: Any) -> str:  # noqa: ANN401 - any type form
    """Give the condition, in written code, on which a value may need to be converted or refused."""
    kinds = passing - {types.NoneType}
    optional = f"{value} is not None and " if types.NoneType in passing else ""
    if datetime in alternatives(hint):
        return f"{optional}({value}.__class__ is not {_DATETIME} or {value}.tzinfo is not {_UTC})"
    text = f"({value}.__class__ is str and not {value}.isascii()) or " if str in kinds else ""
    parts = parts_of(hint)
    if parts is not None:
        wrong = _is_to_be_checked("part", *parts)
        text += f"({value}.__class__ is tuple and {value} and [part for part in {value} if {wrong}]) or "
    if len(kinds) == 1:
        (kind,) = kinds
        return f"{optional}({text}{value}.__class__ is not {named(kind.__name__, kind)})"
    return f"{text}{value}.__class__ not in {named('passing', passing)}"
