"""Deliveries made by hand, as users make them for unit tests of their own; and the names deliveries go by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from elarian_trio import (
    Activity,
    Cash,
    CheckoutPaymentSimulatorNotification,
    CustomerActivityNotification,
    CustomerNumber,
    Delivery,
    LocalProtocolError,
    Message,
    MessageDeliveryStatus,
    MessageStatusNotification,
    MessagingChannel,
    PaymentChannelNumber,
    Reminder,
    ReminderNotification,
    UnknownNotification,
    UssdMenu,
    UssdSessionNotification,
)
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply

pytestmark = pytest.mark.anyio

STATUS = MessageStatusNotification(message_id="m", status=MessageDeliveryStatus.DELIVERED)
USSD = UssdSessionNotification(customer_number=CustomerNumber("+1"), channel_number=MessagingChannel.ussd("*1#"))


async def test_delivery_made_by_hand_keeps_its_answer() -> None:
    """This SDK: handlers are tested without a connection."""
    delivery = Delivery(USSD, app_data={"step": 1})
    assert not delivery.answered
    async with delivery:
        await delivery.reply("menu", app_data={"step": 2})
        with pytest.raises(LocalProtocolError):
            await delivery.reply("again")
    assert delivery.answer == NotificationReply(
        data_update=AppDataUpdate('{"step":2}'), message=Message(UssdMenu("menu"))
    )
    assert "answered" in repr(delivery)
    with pytest.raises(LookupError):
        _ = delivery.customer


async def test_delivery_made_by_hand_keeps_the_default_answer() -> None:
    """This SDK: the same default as over a connection."""
    delivery = Delivery(STATUS, app_data=[1])
    async with delivery:
        assert delivery.app_data == [1]
    assert delivery.answer == NotificationReply(data_update=AppDataUpdate("[1]"))
    async with Delivery(STATUS) as empty:
        pass
    assert empty.answer == NotificationReply()


async def test_delivery_made_by_hand_keeps_why_it_was_rejected() -> None:
    """This SDK: by hand with the reason, by an error with its class's name."""
    by_hand, by_error = Delivery(STATUS), Delivery(STATUS)
    await by_hand.reject("no")
    with pytest.raises(LocalProtocolError):
        await by_hand.reject("no")
    with pytest.raises(ZeroDivisionError):
        async with by_error:
            raise ZeroDivisionError("words")
    assert (by_hand.rejection, by_error.rejection) == ("no", "ZeroDivisionError")


async def test_reason_of_a_rejection_is_text_that_can_be_sent() -> None:
    """errors.py: a TypeError or ValueError with words; nothing goes out altered, and it is still unanswered."""
    delivery = Delivery(STATUS)
    with pytest.raises(TypeError, match="reason must be a str, got NoneType"):
        await delivery.reject(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reason holds a lone surrogate"):
        await delivery.reject("\ud800")
    assert not delivery.answered


async def test_simulator_answers_without_a_message() -> None:
    """This SDK: the wire has no place for one."""
    checkout = CheckoutPaymentSimulatorNotification(
        transaction_id="t",
        customer_number=CustomerNumber("+1"),
        channel_number=PaymentChannelNumber("83044"),
        value=Cash("KES", 1),
    )
    delivery = Delivery(checkout)
    with pytest.raises(ValueError, match="simulator"):
        await delivery.reply("Hi")
    with pytest.raises(ValueError, match="simulator"):
        await delivery.reply(app_data={"a": 1})
    await delivery.reply()
    assert delivery.answer == NotificationReply()


def test_key_is_the_same_when_the_server_delivers_again() -> None:
    """This SDK: for the app's own idempotence; event and ids, or the bytes where nothing is known of them."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    reminder = ReminderNotification(customer_id="c", reminder=Reminder("k", at))
    activity = CustomerActivityNotification(
        customer_id="c", customer_number=CustomerNumber("+1"), source="web", session_id="s", activity=Activity("a", "s")
    )
    assert Delivery(STATUS).key == "messageStatus:m:delivered"
    assert Delivery(reminder).key == Delivery(ReminderNotification(customer_id="c", reminder=Reminder("k", at))).key
    assert Delivery(reminder).key.startswith("reminder:c:")
    assert Delivery(activity).key.startswith("customerActivity:c:web:s:")
    unknown = UnknownNotification()
    assert Delivery(unknown, raw=b"1").key == Delivery(unknown, raw=b"1").key != Delivery(unknown, raw=b"2").key
    assert Delivery(STATUS, raw=b"1").raw == b"1"
    assert Delivery(STATUS).deadline == float("inf")
