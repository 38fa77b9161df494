"""Where a secret may show, and in which disguises: for tests that look for one in everything a program lets out.

A secret is found whole or in part, as text, as hex, in base64 wherever it begins, and as Python writes bytes.
"""

from __future__ import annotations

import base64
import gc
import logging
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW = 10  # characters of a secret that are too many to be there by chance
STEP = 7  # so that of 16 in a row, wherever they begin, one window is whole
_OWN = ("/test/", "\\test\\")


def disguises(secret: str) -> dict[str, str]:
    """Give a secret as it may be written, by the name of the writing."""
    raw = secret.encode()
    forms = {"text": secret, "reversed": secret[::-1], "hex": raw.hex(), "HEX": raw.hex().upper()}
    forms["hex with spaces"] = raw.hex(" ")
    for shift in range(3):  # of a secret amidst other bytes, what does not depend on its neighbours
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        forms[f"base64+{shift}"] = encoded[(shift * 8 + 5) // 6 : -4]
    return forms


def pieces_of(secret: str) -> dict[str, str]:
    """Give pieces of every disguise, of which none can be avoided by who shows much of it, and whose they are."""
    return {
        form[start : start + WINDOW]: name
        for name, form in disguises(secret).items()
        for start in range(0, max(1, len(form) - WINDOW + 1), STEP)
    }


class Disclosure:
    """What was let out while it was watched, and the secrets that must not be in it.

    Attributes:
        texts: where something was let out, and what; once each.
    """

    def __init__(self) -> None:
        self._pieces: dict[str, str] = {}
        self.texts: dict[tuple[str, str], None] = {}

    def keep_secret(self, name: str, secret: str) -> None:
        """Look for *secret* as well."""
        self._pieces |= {piece: f"{name}, as {form}" for piece, form in pieces_of(secret).items()}

    def note(self, where: str, text: str) -> None:
        """Remember something that was let out."""
        self.texts[where, text] = None

    def note_error(self, error: BaseException) -> None:
        """Remember all that a traceback may show, the variables of every frame that is not a test's included."""
        self.note("str", str(error))
        self.note("repr", repr(error))
        self.note("args", repr(error.args))
        self.note("vars", repr(vars(error)))
        for text in _shown(traceback.TracebackException.from_exception(error, capture_locals=True)):
            self.note("traceback", text)

    def note_objects(self) -> None:
        """Remember how every living object of the package shows itself."""
        gc.collect()
        for each in gc.get_objects():
            if str(type(each).__module__).startswith("elarian_trio"):  # a type of uvloop's has none that is text
                with suppress(Exception):  # half-made, or going away
                    self.note(f"repr of a {type(each).__qualname__}", repr(each))

    @contextmanager
    def watch_logs(self) -> Iterator[None]:
        """Remember what every logger is told, at every level, and what it would add about an error."""
        handler = _Notes(self)
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(1)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(before)

    def found(self) -> list[str]:
        """Say where which secret showed, without repeating it."""
        return sorted(
            {
                f"{what} in {where}"
                for where, text in self.texts
                for piece, what in self._pieces.items()
                if piece in text
            }
        )


class _Notes(logging.Handler):
    def __init__(self, disclosure: Disclosure) -> None:
        super().__init__(level=0)
        self._disclosure = disclosure
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._disclosure.note(f"the log {record.name}", f"{record.getMessage()} {record.args!r} {vars(record)!r}")
        if record.exc_info and record.exc_info[1] is not None:
            self._disclosure.note_error(record.exc_info[1])


def _shown(error: traceback.TracebackException) -> Iterator[str]:
    """Give the lines of a traceback and of those below it, without the variables of tests."""
    for frame in error.stack:
        if not any(own in frame.filename for own in _OWN):
            variables = frame.locals or {}
            yield f"{frame.name}: {frame.line} " + " ".join(f"{name}={value}" for name, value in variables.items())
    yield from error.format_exception_only()
    for below in (error.__cause__, error.__context__, *(error.exceptions or ())):
        if below is not None:
            yield from _shown(below)
