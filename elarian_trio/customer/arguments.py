"""What is said about arguments of which a command takes any number. The families of commands stand above."""

from __future__ import annotations

from elarian_trio._arguments import require
from elarian_trio.models.checks import check_str

__all__ = ["require_each"]


def require_each(name: str, kind: type, given: tuple[object, ...]) -> None:
    """See that all that was *given* is of a class, in the words of the method and not of its command."""
    for place, each in enumerate(given):
        if kind is str:
            check_str(f"{name}[{place}]", each)
        elif each.__class__ is not kind:
            require(f"{name}[{place}]", kind, each)
