"""The room's door: what clients find at it, and when it loads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from elarian_trio import _wire
from elarian_trio._wire import envelopes, setup

if TYPE_CHECKING:
    import pytest


def test_what_is_at_the_door_is_what_is_in_the_room() -> None:
    """This SDK: the client and the sandbox, which goes inside, use the same."""
    inside = vars(envelopes) | vars(setup)
    names = set(_wire.__all__) - {"load"}
    assert all(getattr(_wire, name) is inside[name] for name in names)


def test_all_of_it_can_be_loaded_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: what is loaded while a connection is being opened keeps the whole loop waiting."""
    monkeypatch.setattr(_wire, "setup", setup)  # loading puts another there
    monkeypatch.delitem(sys.modules, setup.__name__)
    _wire.load()
    assert setup.__name__ in sys.modules
