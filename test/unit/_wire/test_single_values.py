"""Times, durations, amounts and enums on the wire, and what is refused before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio._wire import envelopes
from elarian_trio._wire._pb import app_socket_pb2, simulator_socket_pb2
from elarian_trio._wire.mapping import codec
from elarian_trio._wire.values import amount, finite, take_duration, take_expiry, take_timestamp
from elarian_trio.errors import RemoteProtocolError
from elarian_trio.models import commands, notifications, replies, simulator
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.identity import CustomerNumber, Reminder
from elarian_trio.models.messaging import (
    Location,
    Media,
    Message,
    MessageDeliveryStatus,
    ReplyPrompt,
    UssdInput,
    UssdMenu,
)
from elarian_trio.models.model import EPOCH, Model, altered
from elarian_trio.models.notifications import NotificationReply
from elarian_trio.models.payments import Cash, Purse
from elarian_trio.models.voice import Dial, GetDigits, Say, VoiceCallInput

app: Any = app_socket_pb2
phone: Any = simulator_socket_pb2

NUMBER = CustomerNumber("+1")
SMS = MessagingChannel.sms("83044")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


# --- times ---


@pytest.mark.parametrize(
    ("seconds", "nanos", "time"),
    [
        (0, 0, EPOCH),
        (0, 1999, EPOCH + timedelta(microseconds=1)),
        (-1, 999_999_999, EPOCH - timedelta(microseconds=1)),
        (-62_135_596_800, 0, datetime.min.replace(tzinfo=UTC)),
        (253_402_300_799, 999_999_999, datetime.max.replace(tzinfo=UTC)),
        (-62_135_596_801, 0, None),
        (253_402_300_800, 0, None),
        (2**63 - 1, 0, None),
        (0, -1, None),
        (0, 1_000_000_000, None),
    ],
)
def test_a_time_is_cut_to_microseconds_and_none_outside_the_calendar(
    seconds: int, nanos: int, time: datetime | None
) -> None:
    """The design: microseconds, and wire times out of range decode to None."""
    assert take_timestamp(Timestamp(seconds=seconds, nanos=nanos)) == time


@pytest.mark.parametrize(
    ("seconds", "nanos", "duration"),
    [
        (0, 0, timedelta(0)),
        (1, 1999, timedelta(seconds=1, microseconds=1)),
        (-1, -500_000_000, timedelta(seconds=-1.5)),
        (315_576_000_000, 0, timedelta(seconds=315_576_000_000)),
        (315_576_000_001, 0, None),
        (-(2**63), 0, None),
        (0, 1_000_000_000, None),
        (0, -(2**31), None),
    ],
)
def test_a_duration_is_cut_to_microseconds_and_none_out_of_range(
    seconds: int, nanos: int, duration: timedelta | None
) -> None:
    """Protobuf's own bounds; a peer may ignore them."""
    assert take_duration(Duration(seconds=seconds, nanos=nanos)) == duration


@given(st.timedeltas(timedelta(days=-10_000), timedelta(days=10_000)))
def test_durations_carry_one_sign(duration: timedelta) -> None:
    """Protobuf: seconds and nanoseconds have the same sign; its own reader agrees with what we wrote."""
    session = notifications.MessagingSessionEndedNotification(
        customer_number=NUMBER, channel_number=SMS, session_id="s", duration=duration
    )
    form = app.ServerToAppNotification.FromString(envelopes.encode_notification(session)).customer
    assert form.messaging_session_ended.duration.ToTimedelta() == duration


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_what_protobuf_itself_makes_of_them(time: datetime) -> None:
    """Protobuf's own conversion is the other opinion."""
    session = notifications.ReminderNotification(reminder=Reminder("k", time), created_at=time)
    form = app.ServerToAppNotification.FromString(envelopes.encode_notification(session)).customer
    assert form.created_at.ToDatetime(UTC) == time
    assert form.reminder.reminder.remind_at.ToDatetime(UTC) == time


def test_an_expiry_of_0_is_none_and_none_is_0() -> None:
    """The JavaScript SDK always sends the field, 0 for none."""
    assert take_expiry(Timestamp()) is None
    assert take_expiry(Timestamp(nanos=999)) is None
    assert take_expiry(Timestamp(nanos=-1)) is None
    assert take_expiry(Timestamp(nanos=1000)) == EPOCH + timedelta(microseconds=1)
    assert take_expiry(Timestamp(seconds=253_402_300_800)) is None
    assert take_expiry(Timestamp(seconds=1)) == EPOCH + timedelta(seconds=1)
    session: dict[str, Any] = {"customer_number": NUMBER, "channel_number": SMS, "session_id": "s"}
    with pytest.raises(ValueError, match=r"MessagingSessionStartedNotification.expires_at at the epoch"):
        envelopes.encode_notification(notifications.MessagingSessionStartedNotification(**session, expires_at=EPOCH))


def test_a_time_that_a_command_needs_must_be_one() -> None:
    """This SDK: None is no answer where the model promises a time."""
    command = app.AppToServerCommand()
    command.replay_payment_status_update.updated_at.seconds = 2**62
    with pytest.raises(RemoteProtocolError, match="ReplayPaymentStatusUpdateCommand that holds what it must not"):
        envelopes.decode_app_command(command.SerializeToString())
    command.replay_payment_status_update.ClearField("updated_at")
    read = envelopes.decode_app_command(command.SerializeToString())
    assert isinstance(read, commands.ReplayPaymentStatusUpdate)
    assert read.updated_at == EPOCH


# --- numbers ---


@pytest.mark.parametrize(
    ("number", "text"),
    [(100.0, "100"), (0.1, "0.1"), (-2.50, "-2.5"), (0.0, "0"), (1e16, "1E+16"), (1e-7, "1E-7"), (5e-324, "5E-324")],
)
def test_an_amount_is_the_shortest_decimal_that_is_the_double(number: float, text: str) -> None:
    """The design: money is Decimal."""
    assert str(amount(number)) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_an_amount_that_goes_back(number: float) -> None:
    """This SDK: what a peer sends can be sent again."""
    assert float(Cash("KES", amount(number)).amount) == number


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_counts_as_left_out(number: float) -> None:
    """This SDK: a peer's NaN is neither an error nor money."""
    assert (amount(number), finite(number)) == (Decimal(0), 0.0)
    command = phone.SimulatorToServerCommand()
    command.receive_payment.value.amount = number
    read = envelopes.decode_simulator_command(command.SerializeToString())
    assert isinstance(read, commands.ReceivePayment)
    assert read.value == Cash("", 0)
    command.receive_message.parts.add().location.latitude = number
    place = envelopes.decode_simulator_command(command.SerializeToString())
    assert isinstance(place, commands.ReceiveMessage)
    assert place.parts == (Location(latitude=0, longitude=0),)


# --- what cannot be sent ---


def send(message: Message) -> commands.SendMessage:
    """Give a command around a message."""
    return commands.SendMessage(customer_number=NUMBER, channel_number=SMS, message=message)


REFUSED: list[tuple[Any, str]] = [
    (send(Message(Media("u", "unknown"))), "Media.type is UNKNOWN, which cannot be sent"),  # type: ignore[arg-type]
    (
        send(Message("x", reply_prompt=ReplyPrompt(action="unknown"))),  # type: ignore[arg-type]
        "ReplyPrompt.action is UNKNOWN",
    ),
    (
        commands.CreateCustomer(customer_number=CustomerNumber("1", "unknown")),  # type: ignore[arg-type]
        "CustomerNumber.provider is UNKNOWN",
    ),
    (
        commands.UpdateMessagingConsent(customer_number=NUMBER, channel_number=SMS, update="unknown"),  # type: ignore[arg-type]
        "UpdateMessagingConsent.update is UNKNOWN",
    ),
    (
        commands.ReceiveMessage(customer_number="1", channel_number=SMS, parts=(UssdInput("", "unknown"),)),  # type: ignore[arg-type]
        "UssdInput.status is UNKNOWN",
    ),
    (send(Message(None)), "Message.body is None, so there is nothing to send"),
    (
        commands.ReceiveMessage(customer_number="1", channel_number=SMS, parts=("a", None)),
        "ReceiveMessage.parts is None, so there is nothing to send",
    ),
    (
        commands.AddCustomerReminder(customer="c", reminder=Reminder("k", None)),
        "Reminder.remind_at is None, so there is nothing to send",
    ),
    (
        send(Message((Dial(customer_numbers=(), max_duration=timedelta(seconds=1.5)),))),
        "Dial.max_duration must be whole seconds",
    ),
    (
        send(Message((Dial(customer_numbers=(), max_duration=timedelta(days=30_000)),))),
        "Dial.max_duration Value out of range",
    ),
    (send(Message((GetDigits(num_digits=2**31),))), "GetDigits.num_digits Value out of range"),
    (send(Message((GetDigits(timeout=timedelta(days=4_000_000)),))), "GetDigits.timeout must be shorter than 10,000"),
    (send(altered(Message("x"), labels=("a\ud800",))), "Message.labels .*encode"),
    (send(altered(Message("x"), labels=(1,))), "Message.labels "),
    (send(altered(Message("x"), body=(UssdMenu("x"),))), "Message.body must be one of Say, .*, got UssdMenu"),
    (
        altered(commands.UpdateCustomerMetadata(customer="c", updates={}), updates={"k": 5}),
        "UpdateCustomerMetadata.updates must be one of str, bytes, got int",
    ),
    (
        altered(commands.UpdateCustomerTag(customer="c", updates=()), updates=(NUMBER,)),
        "UpdateCustomerTag.updates must be a Tag, got CustomerNumber",
    ),
    (
        altered(commands.UpdateCustomerTag(customer="c", updates=()), updates=(None,)),
        "UpdateCustomerTag.updates must be a Tag, got NoneType",
    ),
    (Purse("p"), "Purse is no command"),
]


@pytest.mark.parametrize(("command", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_what_cannot_be_sent_is_a_value_error_that_names_the_field(command: Any, named: str) -> None:  # noqa: ANN401
    """The design: a ValueError before anything is sent."""
    with pytest.raises(ValueError, match=named):
        envelopes.encode_command(command)


def test_an_answer_of_an_app_is_checked_as_strictly() -> None:
    """The design: sending UNKNOWN is a ValueError."""
    with pytest.raises(ValueError, match=r"Media.type is UNKNOWN"):
        envelopes.encode_notification_reply(NotificationReply(message=Message(Media("u", "unknown"))))  # type: ignore[arg-type]


def test_unknown_is_sent_where_nothing_was_asked_for() -> None:
    """This SDK: a field that is UNKNOWN by default is left to the server."""
    call = VoiceCallInput(dtmf_digits="1")
    command = commands.ReceiveMessage(customer_number="1", channel_number=SMS, parts=(call,))
    assert envelopes.decode_simulator_command(envelopes.encode_command(command)) == command
    said = send(Message((Say("hi"),)))
    assert envelopes.decode_app_command(envelopes.encode_command(said)) == said


def test_a_server_gives_back_unknown_as_number_0() -> None:
    """This SDK: the sandbox must be able to give back what it was given."""
    reply = replies.MessageReply(status=MessageDeliveryStatus.UNKNOWN, message_id="m")
    wire = app.AppToServerCommandReply.FromString(envelopes.encode_reply(send(Message("x")), reply)).send_message
    assert wire.status == 0
    told = simulator.SendMessageSimulatorNotification(
        customer_number=CustomerNumber("1", "unknown"),  # type: ignore[arg-type]
        channel_number=SMS,
        message=Message(None),
    )
    assert envelopes.decode_simulator_notification(envelopes.encode_notification(told)) == told


def test_a_value_of_no_enum_is_refused() -> None:
    """This SDK: an enum that was forced into a model is not sent as something else."""
    number = CustomerNumber("+2")
    object.__setattr__(number, "provider", "pigeon")
    with pytest.raises(ValueError, match=r"CustomerNumber.provider must be a CustomerNumberProvider, got 'pigeon'"):
        envelopes.encode_command(commands.CreateCustomer(customer_number=number))


# --- a mapping that does not fit ---


@dataclass(frozen=True, slots=True)
class Swapped(Model):
    """Holds a number where the message has a channel."""

    channel_number: CustomerNumber


@dataclass(frozen=True, slots=True)
class Foreign(Model):
    """Addresses a customer by what the oneof has no member for."""

    customer: str | Purse


def test_a_field_that_the_message_lacks_is_found_whatever_the_value() -> None:
    """This SDK: a table that is wrong fails at once, and not with some value later."""
    pairs = [
        codec(commands.SendMessage, app.CreateCustomerCommand.DESCRIPTOR),
        codec(Swapped, app.ReceivedMessageNotification.DESCRIPTOR),
        codec(Foreign, app.GetCustomerStateCommand.DESCRIPTOR),
    ]
    with pytest.raises(TypeError, match=r"no way to carry .*MessagingChannel.* in elarian_trio.wire.CreateCustomer"):
        pairs[0].take.call(app.CreateCustomerCommand())
    with pytest.raises(TypeError, match=r"no way to carry .*CustomerNumber.* in elarian_trio.wire.MessagingChannelN"):
        pairs[1].fill.call(app.ReceivedMessageNotification(), Swapped(NUMBER), True)  # noqa: FBT003, RUF100
    with pytest.raises(TypeError, match=r"no way to carry .*Purse.* in elarian_trio.wire.GetCustomerStateCommand.cust"):
        pairs[2].take.call(app.GetCustomerStateCommand())
