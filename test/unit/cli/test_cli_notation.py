"""How numbers, channels and money are written on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from elarian_trio import Cash, MessagingChannel, PaymentChannelNumber
from elarian_trio.cli.notation import (
    as_cash,
    as_channel,
    as_channel_of_app,
    as_paybill,
    as_purse,
    cash_text,
    channel_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("sms:83044", MessagingChannel.sms("83044")),
        ("ussd:*384#", MessagingChannel.ussd("*384#")),
        ("email:us:them@example.org", MessagingChannel.email("us:them@example.org")),
    ],
)
def test_channel_is_its_kind_and_number(text: str, channel: MessagingChannel) -> None:
    """The design: ``sms:83044``; written the same way as it is read."""
    assert as_channel(text) == channel
    assert channel_text(channel) == text


def test_channel_may_name_its_app() -> None:
    """The issue: ``--channel sms:83044=APP``; paybills are written the same way."""
    assert as_channel_of_app("sms:83044=bank") == (MessagingChannel.sms("83044"), "bank")
    assert as_channel_of_app("sms:83044") == (MessagingChannel.sms("83044"), "")
    assert as_channel_of_app("cellular:83044=bank") == (PaymentChannelNumber("83044"), "bank")


def test_paybill_is_cellular_unless_it_says_otherwise() -> None:
    """This SDK: most are."""
    assert as_paybill("83044") == as_paybill("cellular:83044") == PaymentChannelNumber("83044")
    assert as_paybill("airtime:1") == PaymentChannelNumber("1", "airtime")


def test_money_is_currency_and_amount() -> None:
    """The issue: ``KES:1000000``; never in the notation of floats."""
    assert as_cash("KES:1000000") == Cash("KES", 1_000_000)
    assert as_purse("el_prs=1=KES:0.5") == ("el_prs=1", Cash("KES", "0.5"))
    assert cash_text(Cash("KES", "1E+6")) == "KES:1000000"


@pytest.mark.parametrize(
    ("read", "text", "shown"),
    [
        (as_channel, "83044", "sms:83044"),
        (as_channel, "sms:", "sms:83044"),
        (as_channel, "fax:83044", "one of sms, voice"),
        (as_channel, "unknown:1", "sms:83044"),
        (as_channel, "cellular:83044", "sms:83044"),
        (as_channel_of_app, "sms:83044=", "name an app"),
        (as_channel_of_app, "=bank", "sms:83044=APP"),
        (as_paybill, "sms:83044", "cellular:83044"),
        (as_paybill, "", "cellular:83044"),
        (as_cash, "100", "KES:100"),
        (as_cash, "KES:", "KES:100"),
        (as_cash, "KES:lots", "KES:100"),
        (as_cash, "kes:1", "KES:100"),
        (as_cash, "KES:NaN", "amount"),
        (as_purse, "KES:100", "ID=KES:1000000"),
        (as_purse, "=KES:100", "ID=KES:1000000"),
    ],
)
def test_what_is_none_is_refused_with_one_that_is(read: Callable[[str], Any], text: str, shown: str) -> None:
    """The design: bad arguments are a ValueError that says what would be right."""
    with pytest.raises(ValueError, match=shown):
        read(text)
