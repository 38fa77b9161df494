"""Functions that are written as source, once per class, and compiled when first called.

:mod:`.constructors` writes what checks a model, :mod:`.model` what alters one, :mod:`.texts` and :mod:`.restoring` what
a file keeps of it, ``_wire`` what fills messages and reads them; this keeps the names that what they write refers to.
Straight lines of Python, in which nothing is looked up by name, take a fraction of the time of a loop over a table of
fields; and an app that sends three kinds of commands compiles those three. It imports nothing of the package.
"""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES: dict[str, Any] = {}
"""What written code refers to: one for all of it, so that what is compiled later is found by what was before."""


def named(name: str, value: object) -> str:
    """Give the name by which written code finds *value*: *name*, or that with a number where another value has it."""
    chosen, number = name, 1
    while _NAMES.setdefault(chosen, value) is not value:
        number += 1
        chosen = f"{name}_{number}"
    return chosen


class Written:
    """A function that is written and compiled when it is first called.

    Attributes:
        name: what written code calls it by.
        call: the function.
    """

    __slots__ = ("_write", "call", "name")

    def __init__(self, name: str, write: Callable[[str], list[str]]) -> None:
        """Give it a name like *name*; *write* is given that name and gives the function's lines."""
        self._write = write
        self.call: Callable[..., Any] = self._first_call
        self.name: str = named(name, self.call)

    def _first_call(self, *arguments: object, **named: object) -> Any:  # noqa: ANN401 - what the function gives
        if _NAMES[self.name] == self._first_call:  # two threads may come here at once: what both compile is the same
            self.call = _NAMES[self.name] = compiled(self.name, self._write(self.name))
        return self.call(*arguments, **named)


def compiled(name: str, lines: list[str]) -> Callable[..., Any]:
    """Give the function *name* that *lines* define."""
    text = "\n".join(lines) + "\n"
    file = f"<elarian_trio, {name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # so that tracebacks show the lines
    made: dict[str, Callable[..., Any]] = {}
    exec(compile(text, file, "exec"), _NAMES, made)
    return made[name]
