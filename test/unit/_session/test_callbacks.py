"""Functions of the rooms above: what they raise is logged, and goes no further."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from elarian_trio._session.callbacks import call_safely

if TYPE_CHECKING:
    import pytest


def test_what_a_callback_raises_is_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    """House: an error's words may hold what customers wrote; they and the traceback are for debugging."""
    caplog.set_level(logging.DEBUG, "elarian_trio.session")

    def fail() -> None:
        msg = "+254700000000 said something private"
        raise LookupError(msg)

    call_safely(fail)
    said, traced = caplog.records
    assert (said.levelname, said.getMessage()) == ("ERROR", "a callback raised LookupError")
    assert (traced.levelname, traced.getMessage()) == ("DEBUG", "it was raised here")
    assert traced.exc_info is not None
    assert isinstance(traced.exc_info[1], LookupError)


def test_callback_that_raises_nothing_is_just_called() -> None:
    """House: the plain case."""
    called: list[int] = []
    call_safely(lambda: called.append(1))
    assert called == [1]
