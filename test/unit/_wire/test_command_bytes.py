"""Against messages made with the compiled schema directly: what a server that is not ours gets.

The round trips beside this file cannot see a mistake made the same way in both directions; this can.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from elarian_trio._wire import envelopes
from elarian_trio._wire._pb import app_socket_pb2, simulator_socket_pb2
from elarian_trio.models import commands, voice
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.identity import CustomerNumber, Reminder, SecondaryId, Tag
from elarian_trio.models.messaging import Media, Message, ReplyPrompt, Template, Url, UssdInput, UssdMenu
from elarian_trio.models.payments import Cash, ChannelPayment, CustomerPayment, PaymentChannelNumber, Purse, Wallet

app: Any = app_socket_pb2
phone: Any = simulator_socket_pb2
NUMBER = CustomerNumber("+254709759881")
SMS = MessagingChannel.sms("83044")
NOON = datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=UTC)
NOON_SECONDS = 1_767_355_200


def sent(command: commands.AppCommand[Any]) -> Any:  # noqa: ANN401 - a compiled message
    """Give the entry that the server finds."""
    return getattr(app.AppToServerCommand.FromString(envelopes.encode_command(command)), entry(command))


def entry(command: commands.AppCommand[Any]) -> str:
    """Give the name of the entry that the server finds."""
    name: str = app.AppToServerCommand.FromString(envelopes.encode_command(command)).WhichOneof("entry")
    return name


def test_a_message_is_sent_as_the_contract_says() -> None:
    """Elarian's published contract."""
    command = commands.SendMessage(
        customer_number=NUMBER,
        channel_number=SMS,
        message=Message(
            "hi",
            labels=("a", "b"),
            provider_tag="",
            reply_token="t",
            reply_prompt=ReplyPrompt(action="text", menu=("yes", Media("https://x", "sticker"))),
        ),
    )
    message = sent(command)
    assert entry(command) == "send_message"
    assert (message.customer_number.number, message.customer_number.provider) == ("+254709759881", 2)
    assert not message.customer_number.HasField("partition")
    assert (message.channel_number.number, message.channel_number.channel) == ("83044", 1)
    assert message.message.body.text == "hi"
    assert list(message.message.labels) == ["a", "b"]
    assert message.message.HasField("provider_tag")
    assert message.message.reply_token.value == "t"
    assert message.message.reply_prompt.action == 1
    yes, sticker = message.message.reply_prompt.menu
    assert (yes.text, sticker.media.url, sticker.media.media) == ("yes", "https://x", 6)


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ("", "text"),
        (Url(url=""), "url"),
        (Template("t", {}), "template"),
        (UssdMenu(""), "ussd"),
        ((), "voice"),
        ((voice.Reject(),), "voice"),
    ],
)
def test_a_body_stands_in_its_own_member_even_if_empty(body: Any, member: str) -> None:  # noqa: ANN401 - any body
    """Elarian's published contract: an empty body of a kind is not no body."""
    command = commands.SendMessage(customer_number=NUMBER, channel_number=SMS, message=Message(body))
    assert sent(command).message.body.WhichOneof("entry") == member
    assert envelopes.decode_app_command(envelopes.encode_command(command)) == command


def test_a_calls_actions_are_sent_in_order() -> None:
    """Elarian's published contract."""
    actions = (
        voice.Say("hello", voice="female", play_beep=True),
        voice.GetDigits(play=voice.Play("https://x"), timeout=timedelta(seconds=2.5), num_digits=0),
        voice.Dial(customer_numbers=(NUMBER,), max_duration=timedelta(minutes=1)),
        voice.RecordSession(),
    )
    command = commands.SendMessage(
        customer_number=NUMBER, channel_number=MessagingChannel.voice("+2"), message=Message(actions)
    )
    say, digits, dial, record = sent(command).message.body.voice.actions
    assert (say.say.text, say.say.voice, say.say.play_beep) == ("hello", 2, True)
    assert digits.get_digits.WhichOneof("prompt") == "play"
    assert (digits.get_digits.timeout.seconds, digits.get_digits.timeout.nanos) == (2, 500_000_000)
    assert digits.get_digits.HasField("num_digits")
    assert not digits.get_digits.HasField("finish_on_key")
    assert dial.dial.max_duration.value == 60
    assert dial.dial.customer_numbers[0].number == NUMBER.number
    assert record.WhichOneof("entry") == "record_session"


@pytest.mark.parametrize(
    ("customer", "member"),
    [("el_cst_1", "customer_id"), (NUMBER, "customer_number"), (SecondaryId("passport", "A1"), "secondary_id")],
)
def test_a_customer_is_addressed_in_three_ways(customer: Any, member: str) -> None:  # noqa: ANN401 - three types
    """Elarian's published contract, in every command and in adoption."""
    message = sent(commands.GetCustomerState(customer=customer))
    adopt = sent(commands.AdoptCustomerState(customer_id="el_cst_2", other_customer=customer))
    assert message.WhichOneof("customer") == member
    assert adopt.WhichOneof("other_customer") == f"other_{member}"
    assert adopt.customer_id == "el_cst_2"


def test_a_text_of_ones_own_class_is_a_text() -> None:
    """This SDK: a StrEnum or another kind of str is one."""

    class Id(str):
        __slots__ = ()

    assert sent(commands.GetCustomerState(customer=Id("el_cst_1"))).customer_id == "el_cst_1"


def test_tags_carry_their_expiry_always_and_an_address_never() -> None:
    """The JavaScript SDK reads value and expiry unguarded; 0 is none. An address has no place for one."""
    tags = (Tag("a", ""), Tag("b", "2", NOON))
    without, with_expiry = sent(commands.UpdateCustomerTag(customer="c", updates=tags)).updates
    assert without.mapping.HasField("value")
    assert without.HasField("expires_at")
    assert without.expires_at.seconds == 0
    assert (with_expiry.expires_at.seconds, with_expiry.expires_at.nanos) == (NOON_SECONDS, 5000)
    by_tag = sent(commands.CancelCustomerReminderTag(tag=Tag("b", "2", NOON), key="k"))
    assert (by_tag.tag.key, by_tag.tag.value.value) == ("b", "2")


def test_metadata_keeps_text_and_bytes_apart() -> None:
    """Elarian's published contract: a string or bytes, also empty ones."""
    updates = sent(commands.UpdateCustomerMetadata(customer="c", updates={"t": "", "b": b""})).updates
    assert (updates["t"].WhichOneof("value"), updates["b"].WhichOneof("value")) == ("string_val", "bytes_val")
    update = sent(commands.UpdateCustomerAppData(customer="c", update=b"\x00")).update
    assert update.bytes_val == b"\x00"


def test_a_reminder_carries_its_payload_always() -> None:
    """The JavaScript SDK dereferences the payload's wrapper unguarded."""
    reminder = sent(commands.AddCustomerReminder(customer="c", reminder=Reminder("k", NOON))).reminder
    assert reminder.HasField("payload")
    assert not reminder.HasField("interval")
    assert (reminder.remind_at.seconds, reminder.remind_at.nanos) == (NOON_SECONDS, 5000)


@pytest.mark.parametrize(
    ("party", "member"),
    [
        (Purse("p"), "purse"),
        (Wallet("c", "w"), "wallet"),
        (CustomerPayment(NUMBER, PaymentChannelNumber("83044", "airtime")), "customer"),
        (ChannelPayment("cellular", 99999, "a", "b"), "channel"),
    ],
)
def test_each_party_of_a_payment_has_its_member(party: Any, member: str) -> None:  # noqa: ANN401 - four types
    """Elarian's published contract."""
    payment = sent(commands.InitiatePayment(debit_party=Purse("p"), credit_party=party, value=Cash("KES", "99.95")))
    assert payment.debit_party.purse.purse_id == "p"
    assert payment.credit_party.WhichOneof("party") == member
    assert (payment.value.currency_code, payment.value.amount) == ("KES", 99.95)


def test_a_simulators_message_is_sent_as_the_contract_says() -> None:
    """Elarian's published contract."""
    command = commands.ReceiveMessage(
        customer_number="+1", channel_number=MessagingChannel.ussd("*1#"), parts=(UssdInput("", "active"),)
    )
    message = phone.SimulatorToServerCommand.FromString(envelopes.encode_command(command)).receive_message
    assert message.parts[0].ussd.HasField("text")
    assert message.parts[0].ussd.status == 100
    assert not message.HasField("duration")
