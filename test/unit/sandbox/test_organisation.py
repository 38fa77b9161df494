"""What a sandbox is set up with, by itself and as the user says."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from elarian_trio import Cash, Channel, MessagingChannel, PaymentChannelNumber
from elarian_trio.sandbox import SandboxApp
from elarian_trio.sandbox.organisation import Organisations
from elarian_trio.sandbox.world.entities import ChannelRecord, PaymentChannelRecord, PurseRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

SMS = MessagingChannel.sms("0800")
PAYBILL = PaymentChannelNumber("5000")
ONE, TWO = SandboxApp("org", "one", "key-1"), SandboxApp("org", "two", "key-2")


def test_without_arguments_it_is_what_the_specification_tests_with() -> None:
    """Facts, section 1: the public test values; a purse well filled."""
    given = Organisations.of(None, None, None)
    assert (given.main.org_id, given.main.app_id) == ("el_org_eu_1SJ2jx", "el_app_WZFQdt")
    assert given.purse_id == "el_prs_rL3IPZ"
    assert given.paybill == PaymentChannelNumber("83044")
    numbers = {name: channel.number for name, channel in given.messaging_channels.items()}
    phone = "+254711621711"
    assert numbers.pop("email")
    assert numbers == {
        "sms": "83044",
        "ussd": "*83044#",
        "voice": phone,
        "whatsapp": phone,
        "telegram": phone,
        "fb_messenger": phone,
    }
    assert MessagingChannel.sms("TEST_SENDER_ID") in given.channels
    (purse,) = [record for record in given.records() if isinstance(record, PurseRecord)]
    actual = purse.balances["KES"].actual
    assert actual is not None
    assert actual.amount >= Decimal(1_000_000)


def test_channels_belong_to_the_first_app_or_to_the_one_named() -> None:
    """Facts, section 4: a channel number is bound to an app; inbound traffic goes there."""
    given = Organisations.of([ONE, TWO], [SMS, PAYBILL], {"purse": Cash("KES", 5)})
    assert {record.app_id for record in given.records() if isinstance(record, ChannelRecord)} == {"one"}
    named = Organisations.of([ONE, TWO], {SMS: "two", PAYBILL: "two"}, {"purse": Cash("KES", 5)})
    owners = [each for each in named.records() if isinstance(each, ChannelRecord | PaymentChannelRecord)]
    assert [record.app_id for record in owners] == ["two", "two"]


def test_a_channel_of_another_organisations_app_is_that_organisations() -> None:
    """Facts, section 1: channels belong to the organisation."""
    elsewhere = SandboxApp("elsewhere", "theirs", "key")
    given = Organisations.of([ONE, elsewhere], {SMS: "theirs"}, {})
    (record,) = given.records()
    assert record.key.org_id == "elsewhere"


def test_a_purse_may_hold_several_currencies() -> None:
    """Facts, section 5: a purse has balances as a wallet has."""
    given = Organisations.of(None, [], {"purse": [Cash("KES", 5), Cash("UGX", 7)]})
    (purse,) = given.records()
    assert isinstance(purse, PurseRecord)
    assert {code: balance.actual for code, balance in purse.balances.items()} == {
        "KES": Cash("KES", 5),
        "UGX": Cash("UGX", 7),
    }


def test_a_paybill_without_a_purse_is_not_set_up() -> None:
    """This SDK: unasked payments would have nowhere to go."""
    given = Organisations.of(None, [PAYBILL], {})
    assert list(given.records()) == []
    assert given.purse_id is None


def test_an_app_may_be_given_as_a_mapping() -> None:
    """This SDK: as it comes out of a configuration file."""
    given = Organisations.of([{"org_id": "org", "app_id": "one", "api_key": "key-1"}], [], {})
    assert given.apps == (ONE,)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"apps": []}, ValueError, "at least one"),
        ({"apps": [ONE, ONE]}, ValueError, "twice"),
        ({"apps": [ONE], "channels": {SMS: "unknown"}}, ValueError, "none of the apps"),
        ({"channels": [MessagingChannel("1", Channel.UNKNOWN)]}, ValueError, "no known channel"),
        ({"channels": ["sms:0800"]}, TypeError, "MessagingChannel"),
        ({"channels": [MessagingChannel.sms(" ")]}, ValueError, "no number"),
        ({"channels": [MessagingChannel.sms("08 00"), MessagingChannel.sms("0800")]}, ValueError, "same number"),
        ({"apps": {"org_id": "org", "app_id": "one"}}, TypeError, "SandboxApp"),
        ({"purses": {"": Cash("KES", 1)}}, ValueError, "empty id"),
        ({"purses": {"box": [Cash("KES", 1), Cash("KES", 2)]}}, ValueError, "twice"),
        ({"purses": {"box": Cash("KES", -1)}}, ValueError, "above zero"),
        ({"purses": {"box": Cash("KES", "0.00001")}}, ValueError, "decimals"),
        ({"purses": {"box": Cash("", 1)}}, ValueError, "three letters"),
        ({"purses": {"box": "KES 1"}}, TypeError, "must be a Cash"),
    ],
    ids=str,
)
def test_what_makes_no_organisation_is_refused(given: Mapping[str, object], error: type[Exception], words: str) -> None:
    """This SDK: bad arguments are errors before anything runs, and say what would be right."""
    wrong: dict[str, Any] = {"apps": None, "channels": None, "purses": None} | dict(given)
    with pytest.raises(error, match=words):
        Organisations.of(**wrong)
