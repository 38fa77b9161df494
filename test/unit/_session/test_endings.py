"""Endings: which error a session ends with, what its waiters hear, and how a peer's words stand in them."""

from __future__ import annotations

import pytest

from elarian_trio._rsocket import ErrorCode
from elarian_trio._session.endings import broken, ended_by_peer, not_resumed, plain, unanswered, words_of
from elarian_trio.errors import ConnectionFailed, ConnectionLost, ElarianError, SetupRejected

SETUP_CODES = (ErrorCode.INVALID_SETUP, ErrorCode.UNSUPPORTED_SETUP, ErrorCode.REJECTED_SETUP)
OTHER_CODES = (ErrorCode.CONNECTION_ERROR, ErrorCode.CONNECTION_CLOSE, ErrorCode.REJECTED_RESUME, 0x301)


@pytest.mark.parametrize("code", SETUP_CODES)
def test_a_setup_error_before_the_connection_was_open_refuses_the_setup(code: int) -> None:
    """RSocket: with its code and words, or with words of ours where the server has none."""
    error = ended_by_peer(code, "no such app", opened=False, sent=False)
    assert isinstance(error, SetupRejected)
    assert (str(error), error.code) == ("no such app", code)
    assert str(ended_by_peer(code, "", opened=False, sent=False)) == "the server refused the setup"


@pytest.mark.parametrize("code", OTHER_CODES)
def test_any_other_error_before_the_connection_was_open_is_a_failure_to_connect(code: int) -> None:
    """This SDK: it is tried again, as nothing was said against the setup."""
    error = ended_by_peer(code, "busy", opened=False, sent=False)
    assert type(error) is ConnectionFailed
    assert f"0x{code:03x} (busy)" in str(error)


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("code", [*SETUP_CODES, *OTHER_CODES])
def test_an_error_on_an_open_connection_loses_it(code: int, sent: bool) -> None:
    """This SDK: also where it has a setup's code, which says nothing about the setup by then."""
    error = ended_by_peer(code, "maintenance", opened=True, sent=sent)
    assert type(error) is ConnectionLost
    assert error.sent is sent
    assert f"0x{code:03x} (maintenance)" in str(error)


@pytest.mark.parametrize("sent", [True, False])
def test_a_refused_resumption_keeps_the_code_and_whether_anything_was_sent(sent: bool) -> None:
    """This SDK: the supervisor begins another session, whatever the code."""
    error = not_resumed(0x104, "unknown", sent=sent)
    assert (error.code, error.sent) == (0x104, sent)
    assert "0x104 (unknown)" in str(error)


@pytest.mark.parametrize(("opened", "kind"), [(True, ConnectionLost), (False, ConnectionFailed)])
def test_a_broken_transport_loses_what_was_open_and_fails_what_was_not(opened: bool, kind: type[ElarianError]) -> None:
    """This SDK: what broke it is the cause."""
    cause = OSError("reset")
    error = broken("the transport broke", cause, opened=opened, sent=False)
    assert type(error) is kind
    assert error.__cause__ is cause


def test_a_waiter_hears_why_the_session_ended_in_our_words_only() -> None:
    """House: the words of a foreign error may be a user's; it is the cause all the same."""
    ours, foreign = ConnectionLost("the peer fell silent", sent=True), LookupError("a name")
    assert str(ours) in str(unanswered("the session ended", ours, sent=True))
    lost = unanswered("the session ended", foreign, sent=False)
    assert "a name" not in str(lost)
    assert lost.__cause__ is foreign
    assert not lost.sent


def test_words_of_a_peer_name_no_secret_and_stay_on_one_short_line() -> None:
    """House: servers say which token or credential they do not know, and some say a page."""
    words = words_of("token t0k3n\nand key el_k", lambda text: text.replace("el_k", "<key>"), b"t0k3n")
    assert words == "token <token> and key <key>"
    assert words_of("no token", str, None) == "no token"
    assert len(words_of("x" * 5000, str, None)) == 400


def test_the_one_error_inside_groups_of_one_comes_out_plain() -> None:
    """This SDK: Ctrl-C stays Ctrl-C; of several errors none is better than the others."""
    stop = KeyboardInterrupt()
    assert plain(BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [stop])])) is stop
    several = BaseExceptionGroup("both", [stop, ValueError()])
    assert plain(several) is several
    assert plain(stop) is stop
