"""Rules from a file, for the command line: TOML, and errors that say where and what would be right.

::

    [[rule]]
    fault = "refuse"
    status = "insufficient_credits"
    on = "SendMessage"
    number = "+254709759881"
    times = 2

    [[rule]]
    fault = "drop"
    when = "after"
    probability = 0.01

Each fault takes the arguments of the function of the same name of :class:`.Fault`, each rule those of
:meth:`.Faults.add`.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from elarian_trio.sandbox.faults.rules import Faults
from elarian_trio.sandbox.faults.values import Fault, FaultError, known

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["FaultsFileError", "load_faults"]

_MAKERS: Mapping[str, Callable[..., Fault]] = {
    "refuse": Fault.refuse,
    "error": Fault.error,
    "delay": Fault.delay,
    "answer_twice": Fault.answer_twice,
    "drop": Fault.drop,
    "end_session": Fault.end_session,
    "deliver_late": Fault.deliver_late,
    "deliver_out_of_order": Fault.deliver_out_of_order,
    "deliver_twice": Fault.deliver_twice,
}
_RULE_KEYS = ("on", "number", "channel", "probability", "times", "skip")
_HEADER = re.compile(r"\s*\[\[\s*(?:rule|\"rule\"|'rule')\s*\]\]")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*=""")
_TOML_PLACE = re.compile(r"\(at line (\d+), column \d+\)")


class FaultsFileError(FaultError):
    """A file of fault rules says something that it cannot say.

    Attributes:
        path: the file.
        line: the line, from 1; ``None`` where it cannot be told.
    """

    def __init__(self, path: os.PathLike[str] | str, line: int | None, argument: str, words: str) -> None:
        ValueError.__init__(self, f"{path}{'' if line is None else f', line {line}'}: {words}")
        self.argument: str = argument
        self.path: str = str(path)
        self.line: int | None = line


def load_faults(path: os.PathLike[str] | str) -> Faults:
    """Read fault rules from a TOML file; see this module's own words for its form. Waits for the disk.

    Raises:
        FaultsFileError: it is no TOML, or a rule in it is wrong: the words say where, and what would be right.
        OSError: it cannot be read.
    """
    raw = Path(path).read_bytes()
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FaultsFileError(path, line, "", "a file of fault rules must be text in UTF-8") from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        raise FaultsFileError(path, int(place[1]) if place else None, "", f"this is not TOML: {error}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, arrays in arrays without end
        raise FaultsFileError(path, None, "", f"this is more than can be read: {error}") from None
    return _Reader(path, _Lines(text)).faults(content)


class _Reader:
    """Makes rules of a file's content."""

    def __init__(self, path: os.PathLike[str] | str, lines: _Lines) -> None:
        self._path = path
        self._lines = lines

    def faults(self, content: Mapping[str, object]) -> Faults:
        for key in content:
            if key != "rule":
                self._refuse(self._lines.of_key(key), key, f"{key} must be 'rule': rules are written as [[rule]]")
        rules = content.get("rule")
        are_tables = isinstance(rules, list) and all(isinstance(rule, dict) for rule in cast("list[object]", rules))
        if not rules or not are_tables:
            self._refuse(self._lines.of_key("rule"), "rule", "the file must hold rules, each under a line [[rule]]")
        faults = Faults()
        tables = cast("list[dict[str, Any]]", rules)
        for number, rule in enumerate(tables):
            self._add(faults, rule, _Place(self._lines, number, len(tables)))
        return faults

    def _add(self, faults: Faults, rule: Mapping[str, Any], place: _Place) -> None:
        name = rule.get("fault")
        if not isinstance(name, str) or name not in _MAKERS:
            got = "" if name is None else f", got {name!r}"
            self._refuse(place.line("fault"), "fault", f"fault must be one of {known(_MAKERS)}{got}")
        make = _MAKERS[name]
        parameters = inspect.signature(make).parameters
        self._check_keys(name, rule, parameters, place)
        try:
            fault = make(**_part(rule, parameters))
            faults.add(fault, **_part(rule, _RULE_KEYS))
        except FaultError as error:
            self._refuse(place.line(error.argument), error.argument, str(error))

    def _check_keys(
        self, name: str, rule: Mapping[str, Any], parameters: Mapping[str, inspect.Parameter], place: _Place
    ) -> None:
        allowed = ("fault", *parameters, *_RULE_KEYS)
        for key in rule:
            if key not in allowed:
                self._refuse(place.line(key), key, f"{key} must be one of {known(allowed)}, where the fault is {name}")
        for key, parameter in parameters.items():
            if parameter.default is parameter.empty and key not in rule:
                self._refuse(place.line("fault"), key, f"{key} must be given, where the fault is {name}")

    def _refuse(self, line: int | None, argument: str, words: str) -> NoReturn:
        raise FaultsFileError(self._path, line, argument, words) from None


def _part(rule: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: rule[key] for key in keys if key in rule}


class _Lines:
    """Where things stand in the text; the standard library's reader does not tell."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")  # TOML's line ends alone: splitlines() knows others, which a comment may hold
        self.headers = [number for number, line in enumerate(self._lines, 1) if _HEADER.match(line)]

    def of_key(self, key: str, first: int = 1, behind: int | None = None) -> int | None:
        """Give the line on which *key* is set, from line *first* on."""
        for number, line in enumerate(self._lines[first - 1 : None if behind is None else behind - 1], first):
            found = _KEY.match(line)
            if found and found[1] == key:
                return number
        return None


class _Place:
    """Where a rule stands: known where each rule has a header of its own."""

    def __init__(self, lines: _Lines, number: int, rules: int) -> None:
        self._lines = lines
        headers = lines.headers if len(lines.headers) == rules else []
        self._first, self._behind = (*headers, None)[number : number + 2] if headers else (None, None)

    def line(self, key: str) -> int | None:
        """Give the line on which the rule sets *key*, or else on which it begins."""
        if self._first is None:
            return None
        return self._lines.of_key(key, self._first, self._behind) or self._first
