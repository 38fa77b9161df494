"""Stream ids and the table of legal moves."""

from __future__ import annotations

import pytest

from elarian_trio._rsocket.frames import MAX_STREAM_ID, PayloadFrame
from elarian_trio._rsocket.streams import Move, Served, Stream, StreamIds, StreamState

M, S = Move, StreamState

# Every legal move; each other pair of state and move must be refused.
LEGAL = {
    (S.QUEUED, M.PIECE_OUT): S.SENDING,
    (S.QUEUED, M.LAST_OUT): S.WAITING,
    (S.SENDING, M.PIECE_OUT): S.SENDING,
    (S.SENDING, M.LAST_OUT): S.WAITING,
    (S.SENDING, M.PIECE_IN): S.RECEIVING,
    (S.SENDING, M.LAST_IN): S.DONE,
    (S.SENDING, M.ERROR_IN): S.DONE,
    (S.WAITING, M.PIECE_IN): S.RECEIVING,
    (S.WAITING, M.LAST_IN): S.DONE,
    (S.WAITING, M.ERROR_IN): S.DONE,
    (S.RECEIVING, M.PIECE_IN): S.RECEIVING,
    (S.RECEIVING, M.LAST_IN): S.DONE,
    (S.RECEIVING, M.ERROR_IN): S.DONE,
    (S.ASSEMBLING, M.PIECE_IN): S.ASSEMBLING,
    (S.ASSEMBLING, M.LAST_IN): S.RUNNING,
    (S.ASSEMBLING, M.ERROR_IN): S.DONE,
    (S.ASSEMBLING, M.CANCEL_IN): S.DONE,
    (S.ASSEMBLING, M.ANSWER): S.ANSWERING,
    (S.TAKING, M.PIECE_IN): S.TAKING,
    (S.TAKING, M.LAST_IN): S.DONE,
    (S.TAKING, M.ERROR_IN): S.DONE,
    (S.TAKING, M.CANCEL_IN): S.DONE,
    (S.RUNNING, M.CANCEL_IN): S.DONE,
    (S.RUNNING, M.ANSWER): S.ANSWERING,
    (S.ANSWERING, M.PIECE_OUT): S.ANSWERING,
    (S.ANSWERING, M.LAST_OUT): S.DONE,
    (S.ANSWERING, M.CANCEL_IN): S.DONE,
}


@pytest.mark.parametrize("state", StreamState)
@pytest.mark.parametrize("move", Move)
def test_moves_are_legal_exactly_where_the_table_says(state: StreamState, move: Move) -> None:
    """Specification (checklist 28, 32-34), read as a table."""
    stream, served = Stream(), Served()
    stream.state = served[1] = state
    assert stream.allows(move) is served.allows(1, move) is ((state, move) in LEGAL)
    if stream.allows(move):
        stream.make(move)
        served.make(1, move)
        assert stream.state is served.get(1, S.DONE) is LEGAL[state, move]


@pytest.mark.parametrize("state", StreamState)
def test_only_a_request_that_waits_is_answered(state: StreamState) -> None:
    """The table, in the short way that answers take."""
    served = Served()
    served[1] = state
    assert served.answer(1) is ((state, M.ANSWER) in LEGAL and state is S.RUNNING)
    assert served[1] is (S.ANSWERING if state is S.RUNNING else state)
    assert not served.answer(3)


def test_of_a_request_that_was_answered_or_dropped_nothing_stays() -> None:
    """House: nothing left behind."""
    served, frame = Served(), PayloadFrame(1, b"again", complete=True, next_=True)
    assert not served.allows(1, M.CANCEL_IN)
    served[1] = S.RUNNING
    assert not served.repeat(frame)
    assert served.answer(1)
    assert served.repeat(frame)
    served.drop(1)
    served[1] = S.ANSWERING
    assert served.answered(1) is None
    served[1] = S.ANSWERING
    assert served.repeat(frame)
    assert served.answered(1) is frame
    assert served.answered(1) is None
    assert not served


@pytest.mark.parametrize(("first", "ids"), [(1, [1, 3, 5]), (2, [2, 4, 6])])
def test_clients_count_odd_and_servers_even(first: int, ids: list[int]) -> None:
    """Specification (checklist 26)."""
    stream_ids = StreamIds(first)
    assert [stream_ids.take(()) for _ in range(3)] == ids


@pytest.mark.parametrize(("first", "last"), [(1, MAX_STREAM_ID), (2, MAX_STREAM_ID - 1)])
def test_ids_start_again_after_the_last_and_skip_live_ones(first: int, last: int) -> None:
    """Specification (checklist 26): after 2^31-1, never 0, never an id in use."""
    stream_ids = StreamIds(last)
    stream_ids._first = first
    assert stream_ids.take(()) == last
    assert stream_ids.take({first, first + 2}) == first + 4
