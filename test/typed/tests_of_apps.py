"""Read by the type checkers, never run: tests as users write them, with the fixtures of the extra ``testing``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_type

import pytest

from elarian_trio import (
    Cash,
    Channel,
    ConnectionOptions,
    Elarian,
    Media,
    MessagingChannel,
    ReceivedSmsNotification,
    SendMessageSimulatorNotification,
    Simulator,
)
from elarian_trio.sandbox import Fault
from elarian_trio.testing import Call, Payment, Phone, UssdSession

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import trio
    from trio.testing import MockClock

    from elarian_trio.sandbox import Clock, Sandbox
    from elarian_trio.testing import AppUnderTest, Wanted

pytestmark = [pytest.mark.anyio, pytest.mark.elarian(settle="manual")]


@pytest.fixture
def elarian_sandbox_options() -> dict[str, Any]:
    return {"channels": [MessagingChannel.sms("83044")]}


@pytest.fixture
def elarian_app_options() -> ConnectionOptions:
    return ConnectionOptions(command_timeout=3)


async def serve(app: Elarian) -> None:
    async with app.notifications(ReceivedSmsNotification) as inbox:
        async for delivery in inbox:
            await delivery.reply("Thank you")


@pytest.fixture
def elarian_program() -> Callable[[Elarian], Awaitable[None]]:
    return serve


@pytest.fixture
async def customer_app(elarian_app: AppUnderTest) -> AppUnderTest:
    await elarian_app.customer("+254700000001").create()
    return elarian_app


async def test_conversations(elarian_phone: Phone, elarian_clock: Clock) -> None:
    session = await elarian_phone.dial("*83044#").says("Welcome", re.compile("^1")).enters("1")
    assert_type(session, UssdSession)
    await session.enters("2").ends("Good bye")
    await elarian_phone.of("+254700000002").dial(MessagingChannel.ussd("*83044#"), within=2.0).hangs_up()
    assert_type(await elarian_phone.call().hears("Hello").presses("1").hangs_up(), Call)
    assert_type(await elarian_phone.expect_call(caller="+254711621711").answers().declines(), Call)
    await elarian_clock.advance(timedelta(days=3))


async def test_messages(elarian_phone: Phone, wanted: list[Wanted]) -> None:
    assert_type(
        await elarian_phone.expect_sms("Hello", re.compile("KES"), sender="83044"), SendMessageSimulatorNotification
    )
    await elarian_phone.expect_sms(*wanted)
    await elarian_phone.write("Hello", Media("https://example.com/a.png", "image"), channel="whatsapp")
    await elarian_phone.expect_message("Hello", channel="whatsapp")
    for channel in (Channel.WHATSAPP, Channel.TELEGRAM):
        await elarian_phone.write("Hello", channel=channel)
        await elarian_phone.expect_message("Hello", channel=channel)
    await elarian_phone.expect_nothing()


async def test_payments(elarian_phone: Phone, elarian_sandbox: Sandbox, customer_app: AppUnderTest) -> None:
    elarian_sandbox.faults.add(Fault.drop(when="after"), on="InitiatePayment", times=1)
    assert_type(await elarian_phone.pay(Cash("KES", 100)), Payment)
    assert_type(await elarian_phone.expect_payment(Cash("KES", 100)).pays(), Payment)
    await elarian_phone.expect_payment().fails("rejected")
    await elarian_phone.expect_channel_payment(to="55555").succeeds()
    assert_type(elarian_phone.simulator, Simulator)
    assert_type(customer_app.failures, list[BaseException])


@pytest.mark.trio
async def test_natively(elarian_app: Elarian, autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    nursery.start_soon(serve, elarian_app)
    autojump_clock.jump(1.0)


async def mistakes(elarian_phone: Phone) -> None:
    await elarian_phone.write("Hello", channel="fax")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await elarian_phone.expect_sms(b"Hello")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await elarian_phone.pay(100)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    elarian_phone.expect_sms("Hello")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
