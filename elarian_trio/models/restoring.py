"""Models made again of what :func:`.texts.sparse_text` wrote of them: what files hold, as it was.

Below are :mod:`.model`, which knows how a plain value is read, and the twins. What was checked when it was written is
not checked again: a file of a million customers is read one by one, while somebody waits for each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, NoReturn, TypeVar, get_args, get_origin

from .checks import enum_of, field_types
from .model import Model, reader
from .source import Written, named
from .twins import twin

__all__ = ["restored", "restoring"]

M = TypeVar("M", bound="Model")

_ABSENT = named("ABSENT", object())


def restored(cls: type[M], value: dict[str, Any]) -> M:
    """Make a model of *value*, which is used up.

    Raises:
        ValueError: a field is unknown or missing.
    """
    kind: Any = cls
    made: M = restoring(kind).call(value, None)
    return made


@cache
def restoring(cls: Any, told: tuple[str, ...] = ()) -> Written:  # noqa: ANN401 - a model's class
    """Give what makes models of *cls*, called as :func:`restored` is with one argument more; written once for each.

    Args:
        cls: the class.
        told: fields that need not be written down, since the last argument has attributes of these names.
    """

    def write(name: str) -> list[str]:
        hints = field_types(cls)
        fields = [line for each in dataclasses.fields(cls) for line in _lines(cls, each, hints[each.name], told)]
        return [
            f"def {name}(value, known):",
            "    pop = value.pop",
            f"    new = {named(f'Open{cls.__name__}', twin(cls))}()",
            *fields,
            "    pop('class', None)",
            "    if value:",
            f"        {named('refuse_rest', _refuse_rest)}({named(cls.__name__, cls)}, value)",
            f"    new.__class__ = {named(cls.__name__, cls)}",
            "    return new",
        ]

    return Written(f"restore_{cls.__name__}", write)


def _lines(cls: type, field: dataclasses.Field[Any], hint: Any, told: tuple[str, ...]) -> list[str]:  # noqa: ANN401
    """Give the lines that set a field: to what is written, what is known otherwise, or the default."""
    name, read = field.name, _reading(hint)
    if name in told:
        return [f"    part = pop({name!r}, known.{name})", f"    new.{name} = {read}"]
    if field.default_factory is not dataclasses.MISSING:
        otherwise = f"{named('make', field.default_factory)}()"
    elif field.default is not dataclasses.MISSING:
        otherwise = repr(field.default) if field.default in (None, "", ()) else named("default", field.default)
    else:
        otherwise = f"{named('refuse_lack', _refuse_lack)}({named(cls.__name__, cls)}, {name!r})"
    return [
        f"    part = pop({name!r}, {_ABSENT})",
        f"    new.{name} = {otherwise} if part is {_ABSENT} else {read}",
    ]


def _reading(hint: Any) -> str:  # noqa: ANN401 - any type form
    """Write down how ``part``, the plain value of a field, is read: in place, what there is most of."""
    convert = reader(hint, restored)
    if convert is None:
        return "part"
    read = named("read", convert)
    enum = enum_of(hint)
    inner = get_args(hint)[0] if get_origin(hint) is tuple else None
    if enum is not None:
        return f"{named('members', {each.value: each for each in enum})}.get(part) or {read}(part)"
    if hint is datetime:
        return f"{named('from_iso', datetime.fromisoformat)}(part)"
    if inner is str:
        return "tuple(part)"
    if isinstance(inner, type) and issubclass(inner, Model):
        parts: Any = inner
        return f"tuple([{restoring(parts).name}(each, None) for each in part])"
    return f"{read}(part)"


def _refuse_lack(cls: type, name: str) -> NoReturn:
    msg = f"{cls.__name__} is without {name!r}"
    raise ValueError(msg)


def _refuse_rest(cls: type, value: Mapping[str, Any]) -> NoReturn:
    known = field_types(cls)
    msg = f"{cls.__name__} has no field {next(iter(value))!r}; known are {', '.join(known)}"
    raise ValueError(msg)
