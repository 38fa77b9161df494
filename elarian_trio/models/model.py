"""What every model has in common: its fields are checked, and it becomes plain JSON values and comes back.

The families beside this file stand on it; below are :mod:`.constructors` and :mod:`.checks`.
"""

from __future__ import annotations

import base64
import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar, cast, get_args, get_origin

from .checks import alternatives, enum_of, field_types, to_enum
from .constructors import check
from .source import Written, named
from .twins import twin

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass

    from elarian_trio.options import JsonValue
else:
    # What would be written and compiled for each class, a third of the time that making it takes, Model has for all.
    dataclass = partial(dataclasses.dataclass, repr=False, eq=False)

Make: TypeAlias = "Callable[[Any, Mapping[str, Any]], Any]"
ToPlain: TypeAlias = "Callable[[Any], JsonValue]"

M = TypeVar("M", bound="Model")
Write = TypeVar("Write", bound="Callable[[Any], Any]")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_READERS: dict[type, Mapping[str, Callable[[Any], Any]]] = {}
_WRITERS: dict[type, ToPlain] = {}


class Model:
    """The base of all models: frozen values that check what they are given.

    A string for an enum becomes its member, any iterable for a tuple a tuple, an aware datetime UTC. What cannot be
    sent unchanged (naive times, NaN, amounts that a double would change, lone surrogates) is a ValueError, a value of
    the wrong type a TypeError, both from the constructor.
    """

    __slots__ = ()
    _speaks_as_method: ClassVar[bool] = False  # its errors name a field without it, as an argument of who makes it

    __post_init__ = check  # itself: a method that calls it would be one call more for each model that is made

    def __eq__(self, other: object) -> bool:
        """Whether *other* is of the same class and all its fields are equal."""
        if self is other:
            return True
        if other.__class__ is not self.__class__:
            return NotImplemented
        cls: Any = self.__class__
        values = _values(cls)
        return values(self) == values(other)

    def __hash__(self) -> int:
        """As that of equal models."""
        cls: Any = self.__class__
        return hash(_values(cls)(self))

    def __repr__(self) -> str:
        """Show the fields, but for credentials."""
        shown = (field.name for field in dataclasses.fields(cast("Any", self)) if field.repr)
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def to_json(self) -> dict[str, JsonValue]:
        """Give the model as plain JSON values: its fields by name, times as ISO 8601, durations in seconds.

        Money is a decimal string, bytes are ``{"base64": "…"}``, and a value that may be of several classes carries
        its class's name as ``"class"``. ``from_json`` reads it back.
        """
        return {name: plain(getattr(self, name)) for name in field_types(type(self))}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Make a model of what ``to_json`` gave.

        Raises:
            ValueError: a field is unknown, missing or holds what it cannot hold.
        """
        if not isinstance(cast("object", value), Mapping):
            msg = f"{cls.__name__} cannot be made of this: it must be a mapping, got {type(value).__name__}"
            raise ValueError(msg)
        readers = _readers(cls)
        try:
            return cls(**{name: readers[name](part) for name, part in value.items() if name != "class"})
        except KeyError as error:
            unknown = next(name for name in value if name not in readers and name != "class")
            msg = f"{cls.__name__} has no field {unknown!r}; known are {', '.join(readers)}"
            raise ValueError(msg) from error
        except (TypeError, ArithmeticError) as error:
            msg = f"{cls.__name__} cannot be made of this: {error}"
            raise ValueError(msg) from error


@cache
def _values(cls: Any) -> Callable[[Any], object]:  # noqa: ANN401 - a model's class
    """Give what takes the values of all fields out of a model, as a tuple; worked out once per class."""
    names = [field.name for field in dataclasses.fields(cls)]
    return attrgetter(*names, "__class__")  # of one name it would be no tuple, of none an error


# --- plain JSON values ---


def plain(value: Any) -> JsonValue:  # noqa: ANN401
    """Turn a field's value into plain JSON values."""
    kind = value.__class__
    if kind in _AS_THEY_ARE:
        return cast("JsonValue", value)
    write = _WRITERS.get(kind)
    if write is None:
        write = _WRITERS[kind] = writer_in(_TO_PLAIN, kind)
    return write(value)


def writer_in(table: Iterable[tuple[Any, Write]], kind: type) -> Write:
    """Give what *table* has for values of *kind*.

    Raises:
        ValueError: it has nothing: JSON knows no such values.
    """
    for kinds, write in table:
        if issubclass(kind, kinds):
            return write
    msg = f"JSON cannot hold a {kind.__name__}"
    raise ValueError(msg)


def is_ambiguous(value: Mapping[str, Any]) -> bool:
    """Whether a mapping would read as bytes, or as the wrapper that keeps such a mapping from being read so."""
    return list(value) in (["base64"], ["mapping"])


def _plain_mapping(value: Mapping[str, Any]) -> JsonValue:
    items = {key: plain(part) for key, part in value.items()}
    return {"mapping": items} if is_ambiguous(value) else items


_AS_THEY_ARE = frozenset({str, bool, int, float, types.NoneType})

_TO_PLAIN: tuple[tuple[Any, ToPlain], ...] = (
    (Model, lambda value: {"class": type(value).__name__, **value.to_json()}),
    (StrEnum, lambda value: value.value),
    (datetime, datetime.isoformat),
    (timedelta, timedelta.total_seconds),
    (Decimal, str),
    (bytes, lambda value: {"base64": base64.b64encode(value).decode()}),
    (Mapping, _plain_mapping),
    ((tuple, list), lambda value: [plain(part) for part in value]),
    ((str, int, float), lambda value: value),  # of the user's own classes, which JSON knows by what they are
)


def altered(model: M, **values: object) -> M:
    """Give *model* with *values* in some fields, which are not checked: they came out of models that were.

    ``dataclasses.replace`` would check all the other fields again.
    """
    cls: Any = type(model)
    made: M = altering(cls, *values).call(model, **values)  # no cast(), which is a call as any other
    return made


@cache
def altering(cls: type, *names: str) -> Written:
    """Give what :func:`altered` calls to set those fields of *cls*, all of them where none is named."""
    fields = [field.name for field in dataclasses.fields(cls)]
    given = names or tuple(fields)
    if unknown := set(given).difference(fields):
        msg = f"{cls.__name__} has no field {', '.join(unknown)}; known are {', '.join(fields)}"
        raise TypeError(msg)

    def write(name: str) -> list[str]:
        return [
            f"def {name}(model, {', '.join(given)}):",
            f"    new = {named(f'Open{cls.__name__}', twin(cls))}()",
            *(f"    new.{each} = {each if each in given else f'model.{each}'}" for each in fields),
            f"    new.__class__ = {named(cls.__name__, cls)}",
            "    return new",
        ]

    return Written("_".join(("alter", *names, "of", cls.__name__)), write)


def _readers(cls: type) -> Mapping[str, Callable[[Any], Any]]:
    """Give, for each field of *cls*, the function that reads its plain value; worked out once per class."""
    found = _READERS.get(cls)
    if found is None:
        hints = field_types(cls).items()
        found = _READERS[cls] = {name: reader(hint, _checked) or _as_it_is for name, hint in hints}
    return found


def _checked(cls: Any, value: Mapping[str, Any]) -> Any:  # noqa: ANN401
    return cls.from_json(value)


def _as_it_is(value: Any) -> Any:  # noqa: ANN401
    return value


@cache
def reader(hint: Any, make: Make) -> Callable[[Any], Any] | None:  # noqa: ANN401
    """Give what turns plain JSON values back into what a field of type *hint* holds; worked out once for each.

    Args:
        hint: the field's type.
        make: makes a model of the class and plain values it is given.

    Returns:
        ``None`` where a plain value is what the field holds.
    """
    options = [each for each in alternatives(hint) if each is not type(None)]
    read_scalar = next((_FROM_PLAIN[each] for each in options if each in _FROM_PLAIN), None)
    enum = enum_of(hint)
    if enum is not None:
        convert = to_enum(enum, optional=True)
        return lambda value: convert("it", value)
    if len(options) == 1 and read_scalar is not None:
        return lambda value: None if value is None else read_scalar(value)
    if all(each in _AS_THEY_ARE for each in options):
        return None
    read_mapping, read_list = _mapping_reader(options, make), _list_reader(options, make)
    if [get_origin(each) for each in options] == [tuple]:
        return lambda value: read_list(cast("list[object]", value)) if isinstance(value, list) else value

    def read(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            return read_mapping(cast("dict[str, Any]", value))
        if isinstance(value, list):
            return read_list(cast("list[object]", value))
        if value.__class__ not in _AS_THEY_ARE and isinstance(value, Mapping):
            return read_mapping(dict(cast("Mapping[str, Any]", value)))
        return value if value is None or read_scalar is None else read_scalar(value)

    return read


def _mapping_reader(options: list[Any], make: Make) -> Callable[[dict[str, Any]], Any]:
    models = {each.__name__: each for each in options if isinstance(each, type) and issubclass(each, Model)}
    first = next(iter(models), "")
    parts = next((get_args(each)[1] for each in options if get_origin(each) is Mapping), Any)
    read_part = _part_reader(parts, make)

    def read(value: dict[str, Any]) -> Any:  # noqa: ANN401
        name = value.get("class", first) if models else None
        model = models.get(name) if isinstance(name, str) else None
        if model is not None:
            return make(model, value)
        if len(value) == 1:
            if "base64" in value:
                return base64.b64decode(value["base64"], validate=True)
            inner = value.get("mapping")
            if inner is not None and isinstance(inner, Mapping):
                value = dict(cast("Mapping[str, Any]", inner))
        return {key: read_part(part) for key, part in value.items()}

    return read


def _list_reader(options: list[Any], make: Make) -> Callable[[list[object]], Any]:
    parts = next((get_args(each)[0] for each in options if get_origin(each) is tuple), None)
    read_part = _part_reader(Any if parts is None else parts, make)
    return lambda value: (list if parts is None else tuple)(map(read_part, value))


def _part_reader(hint: Any, make: Make) -> Callable[[Any], Any]:  # noqa: ANN401
    """Give the reader of what is within; of anything, when it comes to that: it is within itself."""
    if hint is not Any:
        return reader(hint, make) or _as_it_is
    return lambda value: reader(Any, make)(value)  # type: ignore[misc]  # there is one for anything


_FROM_PLAIN: Mapping[Any, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat,
    timedelta: lambda value: timedelta(seconds=value),
    Decimal: Decimal,
}
