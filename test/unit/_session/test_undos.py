"""Undos: what takes an answer back whose request the peer had given up by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._session import undos
from elarian_trio._session.undos import Undos

if TYPE_CHECKING:
    import pytest


def test_only_the_latest_answers_can_be_undone_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """House: no unbounded buffer; what was undone is not undone again."""
    monkeypatch.setattr(undos, "MAX_UNDOS", 2)
    kept, undone = Undos(), list[int]()
    for stream_id in (1, 3, 5):
        kept.keep(stream_id, lambda number=stream_id: undone.append(number))
    for stream_id in (1, 3, 5, 5):
        kept.perform(stream_id)
    assert undone == [3, 5]
