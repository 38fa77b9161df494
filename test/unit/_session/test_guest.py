"""A guest: what a server is told of a session, in which order, and how often."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from elarian_trio._session.guest import Guest

if TYPE_CHECKING:
    from elarian_trio._session.session import Session

SESSION = cast("Session", object())  # only ever handed on


class Server:
    """Whoever wants to hear of a session; keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        words = ("open", "detached", "resumed", "end")
        opened, detached, resumed, ended = (partial(self._hear, word) for word in words)
        self.guest = Guest(SESSION, opened, detached, resumed, ended)

    def _hear(self, word: str, session: Session) -> None:
        assert session is SESSION
        self.heard.append(word)


def test_a_server_hears_of_each_cut_and_return_and_of_one_end() -> None:
    """This SDK: it opens once, each return follows a cut, and it ends once however often that is noticed."""
    server = Server()
    server.guest.started()
    for _ in range(2):
        server.guest.cut()
        server.guest.started()
    server.guest.over()
    server.guest.over()
    assert server.heard == ["open", "detached", "resumed", "detached", "resumed", "end"]


def test_a_cut_before_the_return_is_no_second_one() -> None:
    """A past bug: where one connection took another's place before that was resumed, its server heard of two cuts."""
    server = Server()
    server.guest.started()
    server.guest.cut()
    server.guest.cut()
    server.guest.started()
    assert server.heard == ["open", "detached", "resumed"]


def test_a_session_that_ends_while_it_is_away_has_ended_all_the_same() -> None:
    """This SDK: a client that never comes back is gone like one that said goodbye."""
    server = Server()
    server.guest.started()
    server.guest.cut()
    server.guest.over()
    assert server.heard == ["open", "detached", "end"]


def test_a_server_hears_nothing_of_who_never_came_in() -> None:
    """This SDK: a client whose setup was refused was no session of the server's."""
    server = Server()
    server.guest.over()
    assert server.heard == []


def test_a_guest_shows_no_token() -> None:
    """House: whoever knows the token may have the session."""
    server = Server()
    server.guest.token = b"secret"
    assert "secret" not in repr(server.guest)
