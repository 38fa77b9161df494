"""Read by the type checkers, never run: subscriptions and handlers as users write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

from elarian_trio import (
    Customer,
    CustomerNumber,
    Delivery,
    Elarian,
    Enqueue,
    MessagingChannel,
    PaymentStatusNotification,
    Purse,
    ReceivedSmsNotification,
    Say,
    SendCustomerPaymentSimulatorNotification,
    SendMessageSimulatorNotification,
    Simulator,
    UssdInput,
    UssdMenu,
    UssdSessionNotification,
    VoiceCallInput,
    VoiceCallNotification,
    Wallet,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def one_kind(app: Elarian) -> None:
    async with app.notifications(ReceivedSmsNotification, max_buffer_size=16) as inbox:
        async for delivery in inbox:
            assert_type(delivery, Delivery[ReceivedSmsNotification])
            async with delivery:
                assert_type(delivery.notification, ReceivedSmsNotification)
                assert_type(delivery.notification.text, str | None)
                assert_type(delivery.notification.channel_number, MessagingChannel)
                assert_type(delivery.notification.customer_number, CustomerNumber)
                assert_type(delivery.customer, Customer)
                assert_type(delivery.raw, bytes)
                assert_type(delivery.event, str)
                assert_type(delivery.key, str)
                await delivery.reply("Thanks", app_data={"screen": "home"})
                await delivery.reply(app_data=None)
                await delivery.reject("later")


async def entered(app: Elarian) -> None:
    async with app.notifications(UssdSessionNotification) as inbox:
        async for delivery in inbox:
            async with delivery as same:
                assert_type(same.notification.input, UssdInput)
                await same.reply(UssdMenu("1. Yes"))


async def several_kinds(app: Elarian) -> None:
    async with app.notifications(VoiceCallNotification, PaymentStatusNotification) as inbox:
        async for delivery in inbox:
            async with delivery:
                match delivery.notification:
                    case VoiceCallNotification(voice=voice):
                        assert_type(voice, VoiceCallInput)
                        await delivery.reply((Say("Hello"),))
                        await delivery.reply([Say("Hello"), Enqueue(queue_name="help")])
                    case PaymentStatusNotification(purse_id=purse_id):
                        assert_type(purse_id, str | None)


async def all_kinds(app: Elarian) -> None:
    async with app.notifications(observe=True) as copies:
        async for copy in copies:
            assert_type(copy.event, str)


async def phone(phone: Simulator) -> None:
    async with phone.notifications(SendMessageSimulatorNotification) as inbox:
        async for delivery in inbox:
            assert_type(delivery.notification.message_id, str)
    async with phone.notifications(SendCustomerPaymentSimulatorNotification) as payments:
        async for payment in payments:
            assert_type(payment.notification.purse, Purse | None)
            assert_type(payment.notification.wallet, Wallet | None)


def handlers(app: Elarian) -> None:
    async def on_sms(
        notification: ReceivedSmsNotification,
        customer: Customer,
        app_data: Any,  # noqa: ANN401 - the user's own value
        callback: Callable[..., Awaitable[None]],
    ) -> None:
        await callback("Thanks", app_data=app_data)
        callback()
        await customer.get_state()

    async def on_error(error: Exception) -> None:
        raise error

    async def on_closed() -> None:
        return None

    assert_type(app.on("receivedSms", on_sms), Elarian)
    app.on("received_sms", on_sms).on(ReceivedSmsNotification, on_sms).on("error", on_error).on("closed", on_closed)
    app.off("receivedSms")


async def in_a_unit_test() -> None:
    notification = ReceivedSmsNotification(
        customer_number=CustomerNumber("+254709759881"), channel_number=MessagingChannel.sms("83044"), text="hi"
    )
    delivery = Delivery(notification)
    assert_type(delivery, Delivery[ReceivedSmsNotification])
    await answer(delivery)


async def answer(delivery: Delivery[ReceivedSmsNotification]) -> None:
    await delivery.reply(delivery.notification.text or "nothing")


async def mistakes(app: Elarian, delivery: Delivery[ReceivedSmsNotification]) -> None:
    app.notifications(str)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
    await delivery.reply(42)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    delivery.notification.input  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore
