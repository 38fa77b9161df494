"""A client at the door of a server: what may come first, what waits, and that there is one decision."""

from __future__ import annotations

import pytest

from elarian_trio._rsocket import ErrorCode
from elarian_trio._rsocket import frames as f
from elarian_trio._rsocket.admission import Admission
from elarian_trio._rsocket.refusal import PeerRefused
from elarian_trio.errors import LocalProtocolError

GOOD = f.SetupFrame(10_000, 30_000, metadata_mime=b"a/b", data_mime=b"c/d", data=b"creds")


def test_what_waited_is_given_once_and_then_nobody_is_at_the_door() -> None:
    """This SDK: a second decision on the same SETUP is a mistake of ours."""
    admission = Admission(resumable=False, max_bytes=100)
    assert not admission.is_due
    assert admission.receive_first(GOOD).data == b"creds"
    assert admission.is_due
    admission.hold(f.CancelFrame(1), 50)
    admission.hold(f.CancelFrame(3), 50)
    assert admission.decide() == [f.CancelFrame(1), f.CancelFrame(3)]
    with pytest.raises(LocalProtocolError, match="no SETUP"):
        admission.decide()


def test_no_more_waits_than_may() -> None:
    """This SDK: no buffer without a bound."""
    admission = Admission(resumable=False, max_bytes=100)
    admission.receive_first(GOOD)
    admission.hold(f.CancelFrame(1), 100)
    with pytest.raises(PeerRefused) as raised:
        admission.hold(f.CancelFrame(3), 1)
    assert raised.value.code == ErrorCode.CONNECTION_ERROR


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (None, ErrorCode.INVALID_SETUP),
        (f.CancelFrame(1), ErrorCode.INVALID_SETUP),
        (f.ResumeFrame(b"t", 0, 0), ErrorCode.REJECTED_RESUME),
    ],
)
def test_whoever_does_not_begin_with_a_setup_is_turned_away(frame: f.Frame | None, code: ErrorCode) -> None:
    """Specification: and nothing is due then."""
    admission = Admission(resumable=True, max_bytes=100)
    with pytest.raises(PeerRefused) as raised:
        admission.receive_first(frame)
    assert raised.value.code == code
    assert not admission.is_due
