"""Against messages made with the compiled schema directly: what a server that is not ours tells, and gets back.

The round trips beside this file cannot see a mistake made the same way in both directions; this can.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from elarian_trio._wire import envelopes
from elarian_trio._wire._pb import app_socket_pb2, simulator_socket_pb2
from elarian_trio.models import notifications, simulator
from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.messaging import MessageDeliveryStatus, UssdInput, UssdSessionStatus
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply
from elarian_trio.models.payments import Cash, PaymentChannelNumber, PaymentStatus, Purse, Wallet

app: Any = app_socket_pb2
phone: Any = simulator_socket_pb2
NUMBER = CustomerNumber("+254709759881")
SMS = MessagingChannel.sms("83044")
NOON = datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=UTC)


def told(**entries: Any) -> Any:  # noqa: ANN401 - compiled messages
    """Make a notification about a customer."""
    notification = app.ServerToAppNotification()
    notification.customer.MergeFrom(app.ServerToAppCustomerNotification(org_id="o", app_id="a", customer_id="c"))
    notification.customer.created_at.FromJsonString("2026-01-02T12:00:00.000005Z")
    notification.customer.MergeFrom(app.ServerToAppCustomerNotification(**entries))
    return notification


@pytest.mark.parametrize("channel", [each for each in Channel if each != "unknown"])
def test_a_received_message_is_told_by_its_channel(channel: Channel) -> None:
    """The specification splits one entry of the wire by channel."""
    message = app.ReceivedMessageNotification(message_id="m")
    message.channel_number.channel = list(Channel).index(channel)
    message.customer_number.provider = 2
    message.parts.add().text = "hello"
    notification, app_data = envelopes.decode_app_notification(told(received_message=message).SerializeToString())
    assert type(notification) is notifications.RECEIVED[channel]
    assert notification.parts == ("hello",)
    assert (notification.org_id, notification.app_id, notification.customer_id) == ("o", "a", "c")
    assert notification.created_at == NOON
    assert notification.customer_number == CustomerNumber("")
    assert app_data is None


def test_a_first_dial_without_text_is_an_empty_input() -> None:
    """The live server left the wrapper out on the first dial, which broke the JavaScript SDK once."""
    message = app.ReceivedMessageNotification()
    message.channel_number.channel = 3
    message.parts.add().ussd.status = 100
    notification, _ = envelopes.decode_app_notification(told(received_message=message).SerializeToString())
    assert isinstance(notification, notifications.UssdSessionNotification)
    assert notification.input == UssdInput("", UssdSessionStatus.ACTIVE)


@pytest.mark.parametrize("channel", [0, 8, 99])
def test_a_channel_that_only_a_newer_server_knows_is_unknown(channel: int) -> None:
    """The design: UnknownNotification for what a newer server may send."""
    message = app.ReceivedMessageNotification(message_id="m")
    message.channel_number.channel = channel
    raw = told(received_message=message, app_data={"string_val": "d"}).SerializeToString()
    notification, app_data = envelopes.decode_app_notification(raw)
    assert notification == notifications.UnknownNotification(
        org_id="o", app_id="a", customer_id="c", created_at=NOON, raw=raw
    )
    assert app_data == "d"
    assert envelopes.encode_notification(notification, app_data) == raw


def test_an_entry_that_only_a_newer_server_knows_is_unknown() -> None:
    """The design: UnknownNotification for what a newer server may send."""
    about_customer = told().SerializeToString() + b"\x0a\x05\x92\x01\x02\x08\x01"  # entry 18, merged into the form
    notification, app_data = envelopes.decode_app_notification(about_customer)
    assert isinstance(notification, notifications.UnknownNotification)
    assert (notification.customer_id, notification.raw, app_data) == ("c", about_customer, None)
    about_purse = app.ServerToAppNotification()
    about_purse.purse.purse_id = "p"
    notification, _ = envelopes.decode_app_notification(about_purse.SerializeToString())
    assert isinstance(notification, notifications.UnknownNotification)
    for raw in (b"", b"\x7a\x00"):  # no form, and a form of a newer server
        assert envelopes.decode_app_notification(raw) == (notifications.UnknownNotification(raw=raw), None)
        assert envelopes.decode_simulator_notification(raw) == notifications.UnknownNotification(raw=raw)


def test_fields_that_only_a_newer_server_knows_are_passed_over() -> None:
    """proto3: unknown fields are no error."""
    status = app.MessageStatusNotification.FromString(b"\x0a\x01m\x10\xac\x02\xfa\x01\x01x")
    notification, _ = envelopes.decode_app_notification(told(message_status=status).SerializeToString())
    assert isinstance(notification, notifications.MessageStatusNotification)
    assert (notification.message_id, notification.status) == ("m", MessageDeliveryStatus.DELIVERED)


def test_a_payment_of_a_purse_has_no_customer() -> None:
    """Elarian's published contract has a form of its own for it."""
    notification = notifications.PaymentStatusNotification(
        org_id="o", app_id="a", transaction_id="t", status=PaymentStatus.SUCCESS, purse_id="p"
    )
    form = app.ServerToAppNotification.FromString(envelopes.encode_notification(notification)).purse
    assert (form.purse_id, form.payment_status.status) == ("p", 300)
    with pytest.raises(ValueError, match="PaymentStatusNotification cannot carry app data here"):
        envelopes.encode_notification(notification, "d")
    both = notifications.PaymentStatusNotification(
        customer_id="c", transaction_id="t", status=PaymentStatus.SUCCESS, purse_id="p"
    )
    with pytest.raises(ValueError, match="purse_id cannot go with customer_id"):
        envelopes.encode_notification(both)


def test_a_simulator_is_told_of_either_a_wallet_or_a_purse() -> None:
    """Elarian's published contract: a oneof."""
    payment = simulator.CheckoutPaymentSimulatorNotification(
        customer_number=NUMBER, channel_number=PaymentChannelNumber("83044"), value=Cash("KES", 1), purse=Purse("p")
    )
    wire = phone.ServerToSimulatorNotification.FromString(envelopes.encode_notification(payment)).checkout_payment
    assert (wire.WhichOneof("credit_party"), wire.purse.purse_id) == ("purse", "p")
    both = simulator.CheckoutPaymentSimulatorNotification(
        customer_number=NUMBER,
        channel_number=PaymentChannelNumber("83044"),
        value=Cash("KES", 1),
        purse=Purse("p"),
        wallet=Wallet("c", "w"),
    )
    with pytest.raises(ValueError, match=r"CheckoutPaymentSimulatorNotification.purse cannot go with wallet"):
        envelopes.encode_notification(both)
    with pytest.raises(ValueError, match="cannot carry app data"):
        envelopes.encode_notification(payment, "d")


def test_a_notification_of_another_channel_is_not_encoded() -> None:
    """This SDK: the channel decides what comes out at the other end."""
    wrong = notifications.ReceivedSmsNotification(customer_number=NUMBER, channel_number=MessagingChannel.voice("1"))
    with pytest.raises(ValueError, match=r"ReceivedSmsNotification.channel_number must be of sms, got one of voice"):
        envelopes.encode_notification(wrong)
    bare = notifications.ReceivedMessageNotification(customer_number=NUMBER, channel_number=SMS)
    with pytest.raises(ValueError, match="ReceivedMessageNotification is no notification"):
        envelopes.encode_notification(bare)


@pytest.mark.parametrize(("app_data", "named"), [("a\ud800", "app_data .*surrogates"), (5, "app_data .*int")])
def test_app_data_that_cannot_be_sent_is_a_value_error(app_data: Any, named: str) -> None:  # noqa: ANN401
    """The design: a ValueError before anything is sent."""
    status = notifications.MessageStatusNotification(message_id="m", status=MessageDeliveryStatus.SENT)
    with pytest.raises(ValueError, match=named):
        envelopes.encode_notification(status, app_data)


def test_an_answer_leaves_sets_or_deletes_app_data() -> None:
    """Elarian's published contract: no update, one with data, one without."""
    cases = {None: (False, None), AppDataUpdate("x"): (True, "string_val"), AppDataUpdate(None): (True, None)}
    for update, (present, member) in cases.items():
        data = envelopes.encode_notification_reply(NotificationReply(data_update=update))
        wire = app.ServerToAppNotificationReply.FromString(data)
        assert (wire.HasField("data_update"), wire.data_update.data.WhichOneof("value")) == (present, member)
        assert not wire.HasField("message")
    wire = app.ServerToAppNotificationReply()
    wire.data_update.data.SetInParent()
    assert envelopes.decode_notification_reply(wire.SerializeToString()).data_update == AppDataUpdate(None)


def test_an_empty_answer_is_no_bytes() -> None:
    """proto3: a message without fields is empty, which is also what a simulator answers."""
    assert envelopes.encode_notification_reply(NotificationReply()) == b""
    assert envelopes.decode_notification_reply(b"") == NotificationReply()
