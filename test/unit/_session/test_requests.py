"""Our requests: who waits for an answer hears the truth of whether the peer may have acted."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from elarian_trio._session.requests import Requests
from elarian_trio.errors import ConnectionLost

if TYPE_CHECKING:
    from elarian_trio._rsocket import Connection

pytestmark = pytest.mark.anyio


class FakeConnection:
    """A connection that has sent stream 1 only, and notes what is canceled."""

    def __init__(self) -> None:
        self.canceled: list[int] = []

    def was_sent(self, stream_id: int) -> bool:
        return stream_id == 1

    def cancel(self, stream_id: int) -> None:
        self.canceled.append(stream_id)


def lost(sent: bool) -> ConnectionLost:
    """Make the error of one waiter."""
    return ConnectionLost("gone", sent=sent)


def requests() -> tuple[Requests, FakeConnection]:
    """Make the requests of a fake connection."""
    connection = FakeConnection()
    return Requests(cast("Connection", connection)), connection


async def test_what_is_given_up_hears_the_truth_and_is_never_sent_later() -> None:
    """The design's promise 1: ``sent`` says whether the server may have acted."""
    ours, connection = requests()
    with ours.catch(1) as sent, ours.catch(3) as unsent:
        assert (ours.any_sent, ours.unsent()) == (True, [3])
        for stream_id in (1, 3):
            ours.give_up(stream_id, lost)
        assert connection.canceled == [3]
        for waiter, truth in ((sent, True), (unsent, False)):
            assert isinstance(waiter.error, ConnectionLost)
            assert waiter.error.sent == truth
        assert (ours.any_sent, ours.unsent()) == (False, [])


async def test_whether_one_was_sent_is_known_whatever_came_of_it() -> None:
    """The design's promise 1: also where the caller was cancelled in the moment the session ended."""
    ours, _ = requests()
    with ours.catch(1) as sent, ours.catch(3) as unsent, ours.catch(5) as failed, ours.catch(7) as answered:
        failed.fail(lost(True))
        answered.resolve(b"answer")
        found = [ours.was_sent(key, each) for key, each in ((1, sent), (3, unsent), (5, failed), (7, answered))]
    assert found == [True, False, True, True]
