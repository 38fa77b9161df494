"""The offer that a SETUP makes, to have its session kept: when it is left out, for how long, and what that is about."""

from __future__ import annotations

import logging
from typing import Literal

import pytest

from elarian_trio._session.offer import Offer
from elarian_trio.errors import SetupRejected
from elarian_trio.options import ConnectionOptions

UNSUPPORTED, REJECTED, INVALID = 0x002, 0x003, 0x001


@pytest.fixture
def offer() -> Offer:
    """What the options are unless the user sets others: "auto"."""
    return Offer(ConnectionOptions())


@pytest.mark.parametrize(
    ("options", "made"),
    [
        (ConnectionOptions(), True),
        (ConnectionOptions(resume="require"), True),
        (ConnectionOptions(resume="off"), False),
        (ConnectionOptions(resume_buffer_size=0), False),
    ],
    ids=["auto", "require", "off", "no buffer"],
)
def test_offer_is_made_where_resumption_is_wanted_and_possible(options: ConnectionOptions, made: bool) -> None:
    """This SDK: without a buffer there is nothing to resume with."""
    assert Offer(options).made is made


@pytest.mark.parametrize("code", [UNSUPPORTED, REJECTED])
def test_refusal_that_may_mean_the_offer_withdraws_it_for_good(code: int, offer: Offer) -> None:
    """Peers' words: rsocket-java says UNSUPPORTED_SETUP, rsocket-js REJECTED_SETUP where it keeps no sessions."""
    offer.weigh_refusal(SetupRejected("no", code=code))
    assert not offer.made
    offer.weigh_silence()
    offer.renew()
    assert not offer.made, "a server that learns it later is not worth a refusal each time"


def test_refusal_of_a_setup_that_does_not_make_it_is_final(offer: Offer) -> None:
    """This SDK: exactly one attempt without it; then it was the credentials, and no other is made with them."""
    offer.weigh_refusal(SetupRejected("no", code=REJECTED))
    wrong_key = SetupRejected("wrong key", code=REJECTED)
    with pytest.raises(SetupRejected) as caught:
        offer.weigh_refusal(wrong_key)
    assert caught.value is wrong_key


def test_refusal_of_a_setup_from_which_it_was_withheld_is_final(offer: Offer) -> None:
    """A peer's behaviour: rsocket-java tells only those who do not ask for resumption that their key is wrong."""
    offer.weigh_silence()
    wrong_key = SetupRejected("wrong key", code=REJECTED)
    with pytest.raises(SetupRejected) as caught:
        offer.weigh_refusal(wrong_key)
    assert caught.value is wrong_key


@pytest.mark.parametrize("code", [INVALID, None])
@pytest.mark.parametrize("mode", ["auto", "require"])
def test_refusal_that_means_something_else_is_final_and_changes_nothing(
    mode: Literal["auto", "require"], code: int | None
) -> None:
    """The specification: INVALID_SETUP is about neither features nor credentials."""
    offer, refusal = Offer(ConnectionOptions(resume=mode)), SetupRejected("no", code=code)
    with pytest.raises(SetupRejected) as caught:
        offer.weigh_refusal(refusal)
    assert caught.value is refusal
    assert offer.made


@pytest.mark.parametrize("code", [UNSUPPORTED, REJECTED])
def test_refusal_where_resumption_is_required_is_final_and_says_what_was_asked(code: int) -> None:
    """This SDK: whoever reads the server's word learns that it may be about the setting."""
    offer, refusal = Offer(ConnectionOptions(resume="require")), SetupRejected("unheard of", code=code)
    with pytest.raises(SetupRejected, match=r"unheard of .*resume='require'") as caught:
        offer.weigh_refusal(refusal)
    assert caught.value.code == code
    assert caught.value.__cause__ is refusal
    assert offer.made


def test_silence_withholds_it_every_other_time(offer: Offer) -> None:
    """This SDK: what the silence is about is not known, so neither way is given up."""
    made = []
    for _ in range(4):
        made.append(offer.made)
        offer.weigh_silence()
    assert made == [True, False, True, False]


def test_silence_where_resumption_is_required_withholds_nothing() -> None:
    """This SDK: a session that cannot be resumed is not wanted then."""
    offer = Offer(ConnectionOptions(resume="require"))
    offer.weigh_silence()
    assert offer.made


def test_answer_renews_what_was_withheld_for_a_silence(offer: Offer) -> None:
    """This SDK: only a refusal is remembered; a silent server may have been slow for any reason."""
    offer.weigh_silence()
    offer.renew()
    assert offer.made


def test_log_says_when_it_is_left_out_and_why(offer: Offer, caplog: pytest.LogCaptureFixture) -> None:
    """This SDK: at INFO, once for each SETUP that differs from the one before."""
    caplog.set_level(logging.INFO, "elarian_trio.session")
    offer.weigh_silence()
    assert "silent" in caplog.messages[0]
    offer.weigh_silence()
    offer.weigh_refusal(SetupRejected("unheard of", code=REJECTED))
    assert "unheard of" in caplog.messages[1]
    assert len(caplog.messages) == 2
