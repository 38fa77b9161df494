"""What an argument has to be, and what is said of one that is not, in one way for all rooms.

Nothing is below.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import NoneType
from typing import NoReturn, SupportsFloat, TypeVar, cast

__all__ = [
    "all_of",
    "in_words",
    "is_encodable",
    "is_finite",
    "is_sendable",
    "require",
    "require_choice",
    "require_fields",
    "require_function",
    "shown",
    "wrong_type",
]

T = TypeVar("T")


def wrong_type(name: str, wanted: str, value: object) -> NoReturn:
    """Raise the TypeError that says what *name* should have been; of the value, which may be secret, the class."""
    msg = f"{name} must be {wanted}, got {type(value).__name__}"
    raise TypeError(msg)


def require(name: str, kind: type | tuple[type, ...], value: object, *, wanted: str = "") -> None:
    """See that *value* is of a class, or one of several; a truth value is no number. *wanted* says it in other words.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and not _takes_bool(kind)):
        wrong_type(name, wanted or in_words(kind), value)


def require_fields(given: object, kinds: Mapping[str, type | tuple[type, ...]]) -> None:
    """See that each attribute that *kinds* names is of the class, or one of those, that it says.

    Raises:
        TypeError: one is not.
    """
    for name, kind in kinds.items():
        require(name, kind, getattr(given, name))


def all_of(name: str, kind: type[T], given: object) -> tuple[T, ...]:
    """Give all that is in *given*, each of which is of a class; a text is none of its letters.

    Raises:
        TypeError: one is not, or *given* is no sequence of anything.
    """
    asked = given  # which a checker then narrows, and not what is shown
    if isinstance(asked, str | bytes | Mapping) or not isinstance(asked, Iterable):
        wrong_type(name, f"a sequence of {kind.__name__}", given)
    parts = tuple(cast("Iterable[T]", given))
    for each in parts:
        require(f"each of {name}", kind, each)
    return parts


def _takes_bool(kind: type | tuple[type, ...]) -> bool:
    return any(each is not int and issubclass(bool, each) for each in (kind if isinstance(kind, tuple) else (kind,)))


def is_finite(value: SupportsFloat) -> bool:
    """Whether *value* is a number that can be counted to: not one beyond what a float holds, either."""
    try:
        return math.isfinite(value)
    except OverflowError:  # an int
        return False


def is_encodable(text: str) -> bool:
    """Whether UTF-8 can carry *text*: it cannot where half of a surrogate pair stands alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_sendable(value: str) -> bool:
    """Whether a header of HTTP can carry *value*."""
    return value.isascii() and value.isprintable()


def shown(value: object) -> str:
    """Give what should have been a number in words for errors: of an int that no float holds, not hundreds of digits.

    Python itself writes none of more than 4,300 digits: it raises an error of its own.
    """
    is_beyond = isinstance(value, int) and not is_finite(value)
    return "an int that no float holds" if is_beyond else repr(value)


def require_function(name: str, value: object, *, optional: bool = False) -> None:
    """See that *value* can be called, or is ``None`` where it is *optional*.

    Raises:
        TypeError: it cannot.
    """
    if not callable(value) and not (value is None and optional):
        wrong_type(name, "a function", value)


def require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """See that *value* is one of *choices*.

    Raises:
        ValueError: it is not.
    """
    if value not in choices:
        msg = f"{name} must be one of {', '.join(map(repr, choices))}, got {shown(value)}"
        raise ValueError(msg)


def in_words(kind: type | tuple[type, ...]) -> str:
    """Say what a value of a class, or of one of several, is."""
    if isinstance(kind, tuple):
        return f"one of {', '.join('None' if each is NoneType else each.__name__ for each in kind)}"
    return f"a{'n' if kind.__name__[0] in 'AEIOUaeiou' else ''} {kind.__name__}"
