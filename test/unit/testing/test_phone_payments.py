"""Payments at customers' phones in a test: asked for, made unasked, failed, and those that only the gateway hears of.

These tests take the fixtures as a user's tests do, from the plugin that is installed with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from elarian_trio import (
    Cash,
    ChannelPayment,
    CustomerNumber,
    CustomerPayment,
    MessagingChannel,
    PaymentChannelNumber,
    Purse,
)
from elarian_trio.testing import NUMBER, AppUnderTest, Phone

if TYPE_CHECKING:
    from elarian_trio.sandbox import Sandbox

pytestmark = pytest.mark.anyio

SMS = MessagingChannel.sms("83044")
KES = Cash("KES", 100)
SOON = 0.01  # seconds: for what never comes
CHECKOUT = CustomerPayment(CustomerNumber(NUMBER), PaymentChannelNumber("83044"))


async def test_a_customer_is_asked_and_pays(
    elarian_app: AppUnderTest, elarian_phone: Phone, elarian_sandbox: Sandbox
) -> None:
    """The brief: ``expect_payment``, ``pays``. A message is no payment, to whomever."""
    await elarian_app.customer(NUMBER).send_message(SMS, "You are about to be asked")
    with pytest.raises(AssertionError, match="a payment within"):
        await elarian_phone.expect_channel_payment(within=SOON)
    purse = Purse(elarian_sandbox.purse_id)
    before = elarian_sandbox.purse_balance()
    await elarian_app.initiate_payment(CHECKOUT, purse, KES)
    payment = await elarian_phone.expect_payment(KES).pays()
    assert (payment.is_checkout, payment.value) == (True, KES)
    assert repr(payment) == f"<Payment KES 100 {payment.transaction_id} asked for>"
    assert elarian_sandbox.purse_balance() == before + 100


async def test_a_payment_may_fail(elarian_app: AppUnderTest, elarian_phone: Phone, elarian_sandbox: Sandbox) -> None:
    """Facts, section 5: the gateway decides; what is final stays so."""
    before = elarian_sandbox.purse_balance()
    await elarian_app.initiate_payment(Purse(elarian_sandbox.purse_id), CHECKOUT, KES)
    payment = await elarian_phone.expect_payment().fails("rejected")
    assert elarian_sandbox.purse_balance() == before
    with pytest.raises(AssertionError, match=r"KES 100 success: .*cannot become success"):
        await payment.succeeds()
    with pytest.raises(AssertionError, match=r"was not asked to pay KES 100"):
        await payment.pays()
    with pytest.raises(ValueError, match=r"known"):
        payment.fails("nonsense")  # type: ignore[arg-type]


async def test_the_gateway_hears_of_payments_to_others(
    elarian_app: AppUnderTest, elarian_phone: Phone, elarian_sandbox: Sandbox
) -> None:
    """Facts, section 5: other paybills and banks are no customers."""
    bank = ChannelPayment("cellular", 99999, "83044", "bank-1")
    await elarian_app.initiate_payment(Purse(elarian_sandbox.purse_id), bank, KES)
    with pytest.raises(
        AssertionError, match=r"a payment of KES 1 within(.|\n)*the gateway: payment of KES 100 to bank-1"
    ):
        await elarian_phone.expect_payment(Cash("KES", 1), within=SOON)
    with pytest.raises(AssertionError, match=r"a payment to bank-2"):
        await elarian_phone.expect_channel_payment(to="bank-2", within=SOON)
    await elarian_phone.expect_nothing()
    await elarian_phone.expect_channel_payment(KES, to="bank-1").succeeds()


async def test_a_customer_pays_unasked(
    elarian_app: AppUnderTest, elarian_phone: Phone, elarian_sandbox: Sandbox
) -> None:
    """Facts, section 5: at once, or pending and decided later."""
    before = elarian_sandbox.purse_balance()
    await elarian_phone.pay(KES)
    pending = await elarian_phone.pay(KES, to=PaymentChannelNumber("83044"), status="pending_confirmation")
    assert elarian_sandbox.purse_balance() == before + 100
    await pending.succeeds()
    assert elarian_sandbox.purse_balance() == before + 200
    with pytest.raises(AssertionError, match=r"paid KES 100 to 1: .*no payment channel number"):
        await elarian_phone.pay(KES, to=PaymentChannelNumber("1"))


async def test_money_is_no_number(elarian_phone: Phone) -> None:
    """The house rule: a wrong type is a TypeError that says what would be right."""
    with pytest.raises(TypeError, match=r"^value must be a Cash, got int"):
        await elarian_phone.pay(100)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^to must be a PaymentChannelNumber, got str"):
        await elarian_phone.pay(KES, to="83044")  # type: ignore[arg-type]
    for expect in (elarian_phone.expect_payment, elarian_phone.expect_channel_payment):
        with pytest.raises(TypeError, match=r"^value must be a Cash, got int"):
            expect(100)  # type: ignore[arg-type]
