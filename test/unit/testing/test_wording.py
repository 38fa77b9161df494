"""What was heard, in words: every body and everything that reaches a phone has a line that a reader understands."""

from __future__ import annotations

import re
from typing import Any

import pytest

from elarian_trio import (
    Cash,
    CheckoutPaymentSimulatorNotification,
    CustomerNumber,
    Email,
    GetDigits,
    GetRecording,
    Location,
    MakeVoiceCallSimulatorNotification,
    Media,
    Message,
    MessagingChannel,
    PaymentChannelNumber,
    Play,
    RecordSession,
    Say,
    SendChannelPaymentSimulatorNotification,
    SendCustomerPaymentSimulatorNotification,
    SendMessageSimulatorNotification,
    Template,
    UnknownNotification,
    Url,
    UssdMenu,
)
from elarian_trio.testing.wording import called, describe, indented, kind_of_message, matches, money, saying, text_of

ASHA = CustomerNumber("+254709759881")
KES = Cash("KES", "100.50")
PAYBILL = PaymentChannelNumber("83044")

TEXTS = [
    ("Hello", "Hello"),
    (None, ""),
    (Media("https://example.org/a.png", "image"), "https://example.org/a.png"),
    (Location(latitude=1.5, longitude=36.0), "1.5, 36.0"),
    (Location(latitude=1.5, longitude=36.0, label="Shop", address="Moi Avenue"), "Shop Moi Avenue"),
    (Email(subject="Hi", body_plain="Dear Asha", body_html="<p>"), "Hi\nDear Asha"),
    (Email(body_html="<p>Dear Asha</p>"), "<p>Dear Asha</p>"),
    (Template("welcome", {"name": "Asha"}), "welcome Asha"),
    (Url(url="https://example.org"), "https://example.org"),
    (UssdMenu("1. Balance"), "1. Balance"),
    (
        (
            Say("Welcome"),
            RecordSession(),
            Play("https://example.org/a.mp3"),
            GetDigits(say=Say("Press 1")),
            GetRecording(play=Play("https://example.org/b.mp3")),
            GetDigits(),
        ),
        "Welcome\nhttps://example.org/a.mp3\nPress 1\nhttps://example.org/b.mp3",
    ),
]

LINES = [
    (
        SendMessageSimulatorNotification(
            customer_number=ASHA, channel_number=MessagingChannel.sms("83044"), message=Message("Hello")
        ),
        "SMS from 83044: 'Hello'",
    ),
    (
        MakeVoiceCallSimulatorNotification(customer_number=ASHA, channel_number=MessagingChannel.voice("+254711")),
        "call from +254711",
    ),
    (
        CheckoutPaymentSimulatorNotification(customer_number=ASHA, channel_number=PAYBILL, value=KES),
        "request to pay KES 100.50",
    ),
    (
        SendCustomerPaymentSimulatorNotification(customer_number=ASHA, channel_number=PAYBILL, value=KES),
        "payout of KES 100.50",
    ),
    (SendChannelPaymentSimulatorNotification(destination="bank", value=KES), "payment of KES 100.50 to bank"),
    (UnknownNotification(), "UnknownNotification"),
]


@pytest.mark.parametrize(("body", "text"), TEXTS)
def test_every_body_can_be_read(body: Any, text: str) -> None:  # noqa: ANN401 - any body
    """This SDK: expectations compare texts, so every kind of body has one."""
    assert text_of(body) == text


@pytest.mark.parametrize(("told", "line"), LINES)
def test_everything_that_reaches_a_phone_has_a_line(told: Any, line: str) -> None:  # noqa: ANN401 - any notification
    """This SDK: a failing test tells what was heard instead."""
    assert describe(told) == line


def test_words_are_contained_and_patterns_are_searched() -> None:
    """This SDK: all of what is wanted, in any order; nothing wanted is anything."""
    assert matches("Hello Asha, KES 100", ("Asha", "Hello", re.compile(r"KES \d+$")))
    assert not matches("Hello Asha", ("Hello", "Juma"))
    assert not matches("Hello Asha", (re.compile("^Asha"),))
    assert matches("", ())


def test_what_is_wanted_is_said_as_it_was_written() -> None:
    """This SDK: words in quotes, patterns between slashes."""
    assert saying(()) == ""
    assert saying(("Hello", re.compile("[0-9]"))) == " that says 'Hello' and /[0-9]/"
    assert called("says", "a", 1) == "says('a', 1)"
    assert called("hangs_up") == "hangs_up()"


def test_screens_are_shown_line_by_line() -> None:
    """This SDK: menus are read as they are on the phone."""
    assert indented("1. Balance\n2. Withdraw") == "\n    1. Balance\n    2. Withdraw"
    assert indented("") == "\n    "


def test_money_and_channels_have_their_names() -> None:
    """This SDK: no exponents, and people's names for channels."""
    assert money(Cash("KES", 1_000_000)) == "KES 1000000"
    assert kind_of_message("sms") == "SMS"
    assert kind_of_message(None) == "message"
