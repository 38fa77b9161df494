"""Messages at customers' phones in a test: what is written, expected, waited for and told of where it does not come.

These tests take the fixtures as a user's tests do, from the plugin that is installed with the package.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from elarian_trio import Channel, Message, MessagingChannel
from elarian_trio.testing import NUMBER, AppUnderTest, Phone, exchange

if TYPE_CHECKING:
    from elarian_trio.sandbox import Sandbox

pytestmark = pytest.mark.anyio

SMS = MessagingChannel.sms("83044")
VOICE = MessagingChannel.voice("+254711621711")
WHATSAPP = MessagingChannel.whatsapp("+254711621711")
JUMA = "+254700000002"
SOON = 0.01  # seconds: for what never comes


async def test_messages_are_expected_by_what_they_say(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The issue: ``phone.expect_sms(…)``; an expectation takes what fits and leaves the rest."""
    asha = elarian_app.customer(NUMBER)
    await asha.send_message(SMS, "First")
    await asha.send_message(MessagingChannel.sms("TEST_SENDER_ID"), "Second")
    await asha.send_message(WHATSAPP, Message("Third"))
    assert (await elarian_phone.expect_message(channel="whatsapp")).message.body == "Third"
    assert (await elarian_phone.expect_sms(re.compile("^S"))).channel_number.number == "TEST_SENDER_ID"
    await elarian_phone.expect_message("First", sender="83044")
    await elarian_phone.expect_nothing()


async def test_what_is_expected_is_waited_for(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """This SDK: an app takes its time."""

    async def thank(_: object, customer: Any, *__: object) -> None:  # noqa: ANN401
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        await customer.send_message(SMS, "Thank you")

    elarian_app.on("receivedSms", thank)
    await elarian_phone.write("Hi")
    await elarian_phone.expect_sms("Thank you")


async def test_what_was_heard_instead_is_told(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The brief: readable in pytest's output; a wrong number is a frequent reason, so other phones are told of, too."""
    with pytest.raises(
        AssertionError, match=r"expected an SMS from 83044 that says 'Hello' within 0.01 s, and heard nothing$"
    ):
        await elarian_phone.expect_sms("Hello", sender="83044", within=SOON)
    await elarian_app.customer(NUMBER).send_message(SMS, "Good bye")
    await elarian_app.customer(JUMA).make_voice_call(VOICE)
    with pytest.raises(AssertionError) as caught:
        await elarian_phone.expect_sms("Hello", within=SOON)
    assert str(caught.value) == (
        f"{NUMBER} expected an SMS that says 'Hello' within 0.01 s, and heard this:\n    SMS from 83044: 'Good bye'\n"
        f"others heard this:\n    {JUMA}: call from +254711621711"
    )


async def test_what_nobody_expected_is_something(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """This SDK: a test that wants silence hears of what came."""
    await elarian_app.customer(NUMBER).send_message(SMS, "Hello")
    with pytest.raises(AssertionError, match=r"expected nothing, and heard this:\n    SMS from 83044: 'Hello'"):
        await elarian_phone.expect_nothing(within=SOON)


async def test_a_handler_that_fails_ends_the_waiting(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """This SDK: nobody waits five seconds for what cannot come any more."""

    async def fail(*_: object) -> None:
        raise LookupError("no such customer")

    elarian_app.on("receivedSms", fail)
    await elarian_phone.write("Hi")
    with pytest.raises(AssertionError, match=r"until something failed, and heard nothing\n.*no such customer"):
        await elarian_phone.expect_sms(within=3600)


async def test_a_failure_that_is_provoked_may_be_taken(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """This SDK: what a test provokes is no reason to fail; here a plain function fails once, and is asked again."""
    calls: list[object] = []

    def fail_once(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise LookupError

    elarian_app.on("receivedSms", fail_once)
    await elarian_phone.write("Hi")
    await elarian_phone.expect_nothing()
    assert isinstance(elarian_app.failures.pop(), LookupError)
    await elarian_phone._exchange.sandbox.clock.advance(timedelta(seconds=1))
    assert len(calls) == 2


async def test_an_app_that_nobody_watches_is_a_client_like_any_other(
    elarian_sandbox: Sandbox, elarian_phone: Phone
) -> None:
    """This SDK: while it leaves a test, what its handlers raise is logged, as in production, and fails nothing."""
    failed = anyio.Event()

    async def fail(*_: object) -> None:
        failed.set()
        raise LookupError

    async with AppUnderTest(**elarian_sandbox.credentials) as app:
        app.on("receivedSms", fail)
        await elarian_phone.write("Hi")
        await failed.wait()
        assert app.failures == []


async def test_a_handler_is_a_function(elarian_app: AppUnderTest) -> None:
    """This SDK: the app under test refuses what an Elarian refuses."""
    with pytest.raises(TypeError, match=r"function"):
        elarian_app.on("receivedSms", "print")  # type: ignore[arg-type]


async def test_each_customer_has_a_phone(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The brief: ``phone.of("+254…")``, in whatever way the number is written."""
    juma = elarian_phone.of("+254 700-000002")
    assert (repr(juma), elarian_phone.number) == ("<Phone +254 700-000002>", NUMBER)
    await elarian_app.customer(JUMA).send_message(SMS, "Hello Juma")
    await elarian_phone.expect_nothing()
    await juma.expect_sms("Hello Juma")


async def test_mails_and_chats_have_customers_of_their_own(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """Facts, section 2: two providers, two identities; the channel says whose a name is."""

    async def echo(notification: Any, customer: Any, *_: object) -> None:  # noqa: ANN401
        await customer.reply_to_message(notification.message_id, f"Re: {notification.text}")

    elarian_app.on("receivedTelegram", echo).on("receivedEmail", echo)
    chat, mail = elarian_phone.of("asha_t"), elarian_phone.of("asha@example.org")
    await chat.write("Hi", channel=Channel.TELEGRAM)
    await chat.expect_message("Re: Hi", channel=Channel.TELEGRAM)
    await mail.write("Dear bank", channel="email", to="sandbox@elarian.example")
    await mail.expect_message("Re: Dear bank")


async def test_a_phone_that_nobody_reads_is_found_out(
    elarian_app: AppUnderTest, elarian_phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The house rule: no unbounded buffer."""
    monkeypatch.setattr(exchange, "MAX_UNREAD", 3)
    asha = elarian_app.customer(NUMBER)
    for _ in range(3 + 1):
        await asha.send_message(SMS, "Hello")
    with pytest.raises(AssertionError, match=r"the test expected none of them"):
        await elarian_phone.expect_sms("something else")


async def test_everybody_may_wait_longer(elarian_phone: Phone) -> None:
    """This SDK: busy machines need patience; it is one setting for all phones of the test."""
    assert elarian_phone.patience == 5.0
    elarian_phone.of(JUMA).patience = SOON
    assert elarian_phone.patience == SOON
    with pytest.raises(AssertionError, match=r"within 0.01 s"):
        await elarian_phone.expect_sms()


@pytest.mark.parametrize(("patience", "kind"), [(None, TypeError), ("5", TypeError), (math.nan, ValueError)])
async def test_patience_is_a_number(elarian_phone: Phone, patience: Any, kind: type[Exception]) -> None:  # noqa: ANN401
    """A past bug: a phone without one waited for ever, though each wait has its bound."""
    elarian_phone.patience = patience
    with pytest.raises(kind, match="the seconds to wait must be a number"):
        await elarian_phone.expect_sms()
