"""Tests of the bank in ``ussd_bank.py``, as its authors would write them: ``pytest examples/test_ussd_bank.py``.

The fixtures come with the extra ``testing``. Marked ``anyio``, each test runs under trio and under asyncio, and needs
no other plugin; marked ``trio`` it would run under pytest-trio, with nothing else to change. Time stands still but for
``elarian_clock.advance()``, so that no test waits.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import pytest
from ussd_bank import PHONE, Bank, answer

from elarian_trio import CustomerActivityNotification, Elarian, ReceivedSmsNotification, UssdSessionNotification

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from elarian_trio.sandbox import Clock
    from elarian_trio.testing import Phone

pytestmark = pytest.mark.anyio


async def serve(app: Elarian, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Run the bank until cancelled, as its own program does."""
    bank = Bank(app)
    async with anyio.create_task_group() as tasks:
        await tasks.start(answer, app, UssdSessionNotification, bank.answer_menu)
        await tasks.start(answer, app, ReceivedSmsNotification, bank.answer_sms)
        await tasks.start(answer, app, CustomerActivityNotification, bank.note_activity)
        task_status.started()


@pytest.fixture
def elarian_program() -> Callable[..., Awaitable[None]]:
    """What runs beside each test that takes ``elarian_app``."""
    return serve


async def known_of_customer(app: Elarian) -> dict[str, Any]:
    """What the bank keeps of the customer."""
    return await app.customer(PHONE).get_metadata()


async def register(phone: Phone, name: str = "Asha") -> None:
    """Open an account."""
    await phone.dial().enters("1").enters(name).ends("Thank you")
    await phone.expect_sms(f"Welcome {name}")


async def test_strangers_can_register(elarian_app: Elarian, elarian_phone: Phone) -> None:
    """A whole conversation is one line; what else reached the phone is expected, too, and then nothing more."""
    await elarian_phone.dial().says("Welcome to the bank", "1. Register").enters("1").says("name").enters("Asha").ends()
    await elarian_phone.expect_sms("Welcome Asha, your account is open")
    await elarian_phone.expect_nothing()
    assert (await known_of_customer(elarian_app))["balance"] == 500


async def test_strangers_can_leave(elarian_app: Elarian, elarian_phone: Phone) -> None:
    """Who quits is not known afterwards."""
    await elarian_phone.dial().says("2. Quit").enters("2").ends("Good bye")
    await elarian_phone.expect_nothing()
    assert await known_of_customer(elarian_app) == {}


async def test_what_is_no_amount_is_asked_for_again(elarian_app: Elarian, elarian_phone: Phone) -> None:
    """A session may be kept, and gone on with."""
    await register(elarian_phone)
    session = await elarian_phone.dial().says("Hello Asha").enters("2").says("How much?")
    for nonsense in ("plenty", "-5", "501"):
        await session.enters(nonsense).says("up to 500")
    await session.enters("200").ends("KES 200 withdrawn")
    assert (await known_of_customer(elarian_app))["balance"] == 300


async def test_customers_who_ask_for_the_balance_are_asked_back(elarian_app: Elarian, elarian_phone: Phone) -> None:
    """The survey goes on by SMS, at the customer's own pace: days pass when the test says so."""
    await register(elarian_phone)
    await elarian_phone.dial().enters("1").ends("Your balance is KES 500")
    await elarian_phone.expect_sms("Reply yes")
    await elarian_phone.write("yes")
    await elarian_phone.expect_sms("0 to 10")
    await elarian_phone.write("9")
    await elarian_phone.expect_sms("do better")
    known = await known_of_customer(elarian_app)
    assert known["answers"]["likelihood"] == "9"
    assert known["survey"] == "improvement"


async def test_the_survey_waits_for_days(elarian_app: Elarian, elarian_phone: Phone, elarian_clock: Clock) -> None:
    """Nothing nags the customer meanwhile, and an answer is taken as ever."""
    await register(elarian_phone)
    await elarian_phone.dial().enters("1")
    await elarian_phone.expect_sms("Reply yes")
    await elarian_clock.advance(timedelta(days=3))
    await elarian_phone.expect_nothing()
    await elarian_phone.write("yes")
    await elarian_phone.expect_sms("0 to 10")


async def test_customers_are_told_apart(elarian_app: Elarian, elarian_phone: Phone) -> None:
    """Each customer has a phone of their own."""
    juma = elarian_phone.of("+254700000002")
    await register(elarian_phone, "Asha")
    await juma.dial().says("Welcome to the bank").enters("1").enters("Juma").ends("Thank you Juma")
    await elarian_phone.dial().says("Hello Asha")
    await juma.dial().says("Hello Juma")
    await juma.expect_sms("Welcome Juma")
    await elarian_phone.expect_nothing()
