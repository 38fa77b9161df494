"""The till of ``airtime_shop.py``: from the payment that a customer is asked for to the airtime and the receipt.

An order stands in its customer's metadata with the step that it is at, and the payment that decides it. So whichever
instance of the app is told how that payment ended can take the next step; and where Planship or Talon.One are in
trouble, being told once more is enough.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airtime_services import PRODUCT, REWARDS, TOP_UP

from elarian_trio import (
    Cash,
    CustomerNumber,
    CustomerPayment,
    MessagingChannel,
    PaymentChannelNumber,
    PaymentStatus,
    Purse,
    Wallet,
)
from elarian_trio.errors import CommandTimedOut, ConnectionFailed, ConnectionLost, ServiceError
from elarian_trio.planship import PlanshipCustomer
from elarian_trio.talonone import NewCustomerSession, TalonOneInvalid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from airtime_customers import Timeline

    from elarian_trio import Customer, Delivery, Elarian, PaymentStatusNotification
    from elarian_trio.talonone import IntegrationApi

SMS = MessagingChannel.sms("83044")
MONEY = PaymentChannelNumber("83044")
AIRTIME = PaymentChannelNumber("83044", "airtime")
TROUBLE = (ServiceError, ConnectionFailed, ConnectionLost, CommandTimedOut)  # of Planship and Talon.One
PENDING = {
    PaymentStatus.QUEUED,
    PaymentStatus.PENDING_CONFIRMATION,
    PaymentStatus.PENDING_VALIDATION,
    PaymentStatus.VALIDATED,
}


@dataclass
class Till:
    """Where orders are paid and delivered. Planship and Talon.One know customers by their Elarian ids."""

    app: Elarian
    talon_one: IntegrationApi
    planship: Mapping[str, Any]
    purse: Purse
    timeline: Timeline

    def plan_of(self, customer_id: str) -> PlanshipCustomer:
        """Give Planship's client for one customer, to be entered."""
        return PlanshipCustomer(PRODUCT, customer_id, **self.planship)

    async def cancel_session(self, session_id: str) -> None:
        """Take back what a session had earned."""
        with suppress(TalonOneInvalid):  # it was cancelled already, by an attempt whose answer was lost
            await self.talon_one.update_customer_session(session_id, NewCustomerSession(state="cancelled"))

    async def check_out(self, customer: Customer, order: dict[str, Any]) -> None:
        """Ask the customer's phone for the price."""
        debit = CustomerPayment(CustomerNumber(order["phone"]), MONEY)
        await self.move(customer, order, "paying", debit, self.purse, order["price"])

    async def move(
        self,
        customer: Customer,
        order: dict[str, Any],
        step: str,
        debit: CustomerPayment | Purse,
        credit: CustomerPayment | Purse,
        amount: str,
    ) -> None:
        """Have money moved, and note in the order what it waits for.

        How that ends is a notification of the same customer, so it waits until the present one is answered.
        """
        reply = await self.app.initiate_payment(debit, credit, Cash("KES", Decimal(amount)), order["session"])
        if reply.transaction_id is None:  # refused at once
            await self.after(step, is_done=False)(customer, order)
        else:
            await customer.update_metadata({"order": {**order, "step": step, "payment": reply.transaction_id}})

    async def settle(self, delivery: Delivery[PaymentStatusNotification]) -> None:
        """Take the order's next step once its payment is decided; with Planship or Talon.One in trouble, later."""
        payment = delivery.notification
        if payment.customer_id is None or payment.status in PENDING:
            return
        order = (await delivery.customer.get_metadata()).get("order")
        if order is None or order["payment"] != payment.transaction_id:
            return  # a reward
        try:
            is_done = payment.status is PaymentStatus.SUCCESS
            await self.after(order["step"], is_done=is_done)(delivery.customer, order)
        except TROUBLE as error:
            self.timeline.tell(order["phone"], f"{type(error).__name__}: {error}")
            await delivery.reject("to be told again")

    def after(self, step: str, *, is_done: bool) -> Callable[[Customer, dict[str, Any]], Awaitable[None]]:
        """Give what follows a step that is done, or has failed."""
        done, failed = {
            "paying": (self.send_airtime, self.give_up),
            "delivering": (self.book, self.pay_back),
            "paying back": (self.say_sorry, self.call_for_help),
        }[step]
        return done if is_done else failed

    async def send_airtime(self, customer: Customer, order: dict[str, Any]) -> None:
        """Paid: the airtime goes out."""
        self.timeline.tell(order["phone"], "paid; the airtime goes out")
        credit = CustomerPayment(CustomerNumber(order["phone"]), AIRTIME)
        await self.move(customer, order, "delivering", self.purse, credit, order["amount"])

    async def give_up(self, customer: Customer, order: dict[str, Any]) -> None:
        """Not paid: nothing was sold."""
        await self.cancel_session(order["session"])
        self.timeline.tell(order["phone"], "not paid; session cancelled")
        await self.finish(customer, "You did not pay, so you bought nothing.")

    async def book(self, customer: Customer, order: dict[str, Any]) -> None:
        """Delivered: Planship counts the use, and whoever recommended the shop is thanked."""
        async with self.plan_of(customer.customer_id or "") as planship:
            await planship.report_usage(TOP_UP, 1)
        self.timeline.tell(order["phone"], "delivered; one use reported")
        for profile_id, sku in order["gifts"]:
            await self.reward(profile_id, REWARDS[sku])
        await self.finish(customer, f"You have {money(order['amount'])} of airtime for {money(order['price'])}.")

    async def pay_back(self, customer: Customer, order: dict[str, Any]) -> None:
        """Not delivered: the money goes back."""
        await self.cancel_session(order["session"])
        self.timeline.tell(order["phone"], "not delivered; session cancelled, the money goes back")
        credit = CustomerPayment(CustomerNumber(order["phone"]), MONEY)
        await self.move(customer, order, "paying back", self.purse, credit, order["price"])

    async def say_sorry(self, customer: Customer, order: dict[str, Any]) -> None:
        """Paid back."""
        await self.finish(customer, f"We could not deliver. Your {money(order['price'])} are back.")

    async def call_for_help(self, customer: Customer, order: dict[str, Any]) -> None:
        """Even that failed: people have to see to it."""
        await self.finish(customer, f"We owe you {money(order['price'])}. Please show this SMS at our shop.")

    async def finish(self, customer: Customer, words: str) -> None:
        """Forget the order, and say how it ended."""
        await customer.delete_metadata("order")
        await customer.send_message(SMS, words)

    async def reward(self, customer_id: str, worth: Decimal) -> None:
        """Put a reward into the wallet of whoever recommended the shop."""
        wallet = Wallet(customer_id, "rewards")
        reply = await self.app.initiate_payment(self.purse, wallet, Cash("KES", worth), "thank you")
        if reply.status is PaymentStatus.SUCCESS:
            words = f"A friend used your code: {money(worth)} for you."
            await self.app.customer(customer_id=customer_id).send_message(SMS, words)


def money(amount: Decimal | int | str) -> str:
    """Give an amount as people write it."""
    return f"KES {Decimal(amount):,.2f}"
