"""A lobby: who waits in it, how much they hold, and who must leave where that is too much."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from elarian_trio._session.guest import Guest
from elarian_trio._session.lobby import Lobby

if TYPE_CHECKING:
    import pytest

    from elarian_trio._session.session import Session


@dataclass
class Held:
    """What a lobby sees of a session."""

    kept_bytes: int = 0
    waiting_bytes: int = 0


def ignore(_: Session) -> None:
    """Hear nothing."""


def guest(held: Held) -> Guest:
    """Give one whose session holds *held*."""
    return Guest(cast("Session", held), ignore, ignore, ignore, ignore)


def guests(lobby: Lobby, *kept: int) -> list[Guest]:
    """Have as many enter, one after another, each of which keeps so many bytes."""
    entered = [guest(Held(size)) for size in kept]
    for each in entered:
        lobby.enter(each)
    return entered


def test_those_leave_first_that_have_waited_longest_where_too_many_wait(caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: whoever is away longest comes back least likely; each that must leave is logged."""
    caplog.set_level(logging.INFO, "elarian_trio.session")
    lobby = Lobby(2, 1000)
    first, second, *_ = guests(lobby, 0, 0, 0, 0)
    assert list(lobby.surplus()) == [first, second]
    assert (len(lobby), len(caplog.records)) == (2, 2)


def test_those_leave_first_that_have_waited_longest_where_they_hold_too_much() -> None:
    """This SDK: what was sent counts as what was not; no more leave than must."""
    lobby = Lobby(10, 250)
    first, *_ = guests(lobby, 100, 100)
    assert list(lobby.surplus()) == []
    lobby.enter(guest(Held(kept_bytes=20, waiting_bytes=80)))
    assert lobby.held_bytes == 300
    assert list(lobby.surplus()) == [first]
    assert lobby.held_bytes == 200


def test_one_that_is_too_much_alone_leaves_last_of_all() -> None:
    """House: no unbounded buffer, whoever it is for."""
    lobby = Lobby(10, 250)
    entered = guests(lobby, 100, 251)
    assert list(lobby.surplus()) == entered
    assert (len(lobby), lobby.held_bytes) == (0, 0)


def test_what_grows_is_counted_anew_and_keeps_its_place() -> None:
    """This SDK: a guest that is answered while it is away has waited as long as before."""
    lobby = Lobby(10, 250)
    first, _ = guests(lobby, 100, 100)
    held = cast("Held", first.session)
    held.waiting_bytes = 40
    assert lobby.weigh(first)
    assert lobby.held_bytes == 240
    held.waiting_bytes = 60
    assert lobby.weigh(first)
    assert list(lobby.surplus()) == [first]
    assert lobby.held_bytes == 100


def test_who_does_not_wait_is_not_counted() -> None:
    """This SDK: between the cut and the wait, and once its client is back, what it takes in is the transport's."""
    lobby = Lobby(10, 250)
    (first,) = guests(lobby, 100)
    stranger = guest(Held(100))
    assert not lobby.weigh(stranger)
    lobby.leave(stranger)
    assert (len(lobby), lobby.held_bytes) == (1, 100)
    lobby.leave(first)
    assert not lobby.weigh(first)
    assert (len(lobby), lobby.held_bytes) == (0, 0)


def test_no_more_leave_where_what_was_done_to_one_has_made_room() -> None:
    """This SDK: giving one up may end others, whom nobody then has to give up."""
    lobby = Lobby(10, 100)
    first, second, _ = guests(lobby, 100, 100, 100)
    given_up = []
    for surplus in lobby.surplus():
        given_up.append(surplus)
        lobby.leave(second)
    assert given_up == [first]
    assert lobby.held_bytes == 100
