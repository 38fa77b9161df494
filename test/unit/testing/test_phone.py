"""Customers' phones in a test, against apps of a few lines: what they can do and expect, and what a failing test says.

These tests take the fixtures as a user's tests do, from the plugin that is installed with the package.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from elarian_trio import (
    Cash,
    ChannelPayment,
    CustomerNumber,
    CustomerPayment,
    GetRecording,
    Message,
    MessagingChannel,
    PaymentChannelNumber,
    Purse,
    Reject,
    Say,
    UssdMenu,
    VoiceCallDirection,
)
from elarian_trio.sandbox import ManualClock
from elarian_trio.testing import NUMBER, AppUnderTest, Call, Phone, exchange

if TYPE_CHECKING:
    from elarian_trio.sandbox import Clock, Sandbox

pytestmark = pytest.mark.anyio

SMS = MessagingChannel.sms("83044")
VOICE = MessagingChannel.voice("+254711621711")
WHATSAPP = MessagingChannel.whatsapp("+254711621711")
KES = Cash("KES", 100)
JUMA = "+254700000002"
SOON = 0.01  # seconds: for what never comes
CHECKOUT = CustomerPayment(CustomerNumber(NUMBER), PaymentChannelNumber("83044"))


async def show_menus(notification: Any, customer: Any, app_data: Any, callback: Any) -> None:  # noqa: ANN401
    """Ask for a name, and greet by SMS."""
    text = notification.input.text
    if notification.input.status == "incomplete":
        await customer.update_metadata({"left": True})
    elif not text:
        callback("Welcome\n1. Register", app_data="asked")
    elif text == "1":
        callback("Your name?")
    elif text == "boom":
        raise ZeroDivisionError("no money")
    else:
        await customer.send_message(SMS, f"Hello {text}")
        callback(UssdMenu(f"Thank you {text}", is_terminal=True), app_data=None)


# --- USSD ---


async def test_a_conversation_is_one_chain(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The issue: ``phone.dial("*384#").says("Welcome")``, and so on to the end."""
    elarian_app.on("ussdSession", show_menus)
    session = await elarian_phone.dial("*83044#").says("Welcome", "1.").enters("1").says("name").enters("Asha").ends()
    assert session.is_over
    assert session.screen == "Thank you Asha"
    assert repr(session) == "<UssdSession *83044#, over: 'Thank you Asha'>"


async def test_a_session_may_be_kept_and_gone_on_with(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The brief: awaiting gives the session."""
    elarian_app.on("ussdSession", show_menus)
    session = await elarian_phone.dial()
    assert session.screen == "Welcome\n1. Register"
    assert (await session.says("Welcome")) is session
    await session.enters("1")
    await session.says(re.compile(r"name\?$"))
    await session.enters("Asha").ends("Thank you Asha")


async def test_a_customer_may_hang_up(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """Facts, section 4: incomplete is a session that ended in the middle of a menu."""
    elarian_app.on("ussdSession", show_menus)
    session = await elarian_phone.dial().hangs_up()
    assert session.is_over
    await elarian_phone.expect_nothing()
    assert await elarian_app.customer(NUMBER).get_metadata() == {"left": True}


async def test_another_screen_is_shown_in_the_failure(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The brief: an AssertionError that tells what was heard instead."""
    elarian_app.on("ussdSession", show_menus)
    with pytest.raises(AssertionError) as caught:
        await elarian_phone.dial().says("Welcome").enters("1").says("Good bye")
    assert str(caught.value) == (
        f"the screen does not say 'Good bye'; {NUMBER} dialled *83044#, entered '1', and it says:\n    Your name?"
    )
    assert caught.value.__cause__ is None


async def test_a_session_that_goes_on_has_not_ended(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """This SDK: ends() wants a terminal menu."""
    elarian_app.on("ussdSession", show_menus)
    with pytest.raises(AssertionError, match=r"the session goes on; .* it says:\n    Welcome"):
        await elarian_phone.dial().ends("Welcome")


async def test_nothing_can_be_entered_when_the_session_is_over(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """This SDK: a phone without a menu takes no input."""
    elarian_app.on("ussdSession", show_menus)
    session = await elarian_phone.dial().enters("Asha").ends()
    with pytest.raises(AssertionError, match=r"'2' cannot be entered: .* ended with:\n    Thank you Asha"):
        await session.enters("2")


async def test_nobody_leaves_a_session_that_is_over(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """A past bug: the app was told of another session, which the customer left before it had begun."""
    elarian_app.on("ussdSession", show_menus)
    with pytest.raises(AssertionError, match=r"nobody can hang up: .* ended with:\n    Thank you Asha"):
        await elarian_phone.dial().enters("Asha").ends().hangs_up()
    session = await elarian_phone.dial().hangs_up()
    with pytest.raises(AssertionError, match=r"nobody can hang up: the session is over"):
        await session.hangs_up()


async def test_a_handler_that_fails_is_the_cause(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The brief: failure in the app's background surfaces."""
    elarian_app.on("ussdSession", show_menus)
    with pytest.raises(
        AssertionError, match=r"entered 'boom': .*failed on it.*\n.*ZeroDivisionError: no money"
    ) as caught:
        await elarian_phone.dial().enters("boom")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert elarian_app.failures == []


async def test_a_test_without_the_app_is_told_so(elarian_phone: Phone) -> None:
    """This SDK: it runs ``elarian_program`` for tests that take ``elarian_app``, which is soon forgotten."""
    with pytest.raises(AssertionError, match=r"the app was not there.*\nthe test takes no elarian_app$"):
        await elarian_phone.dial()


async def test_an_app_that_takes_nothing_yet_is_told_of(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """This SDK: until the first handler or subscription what comes waits, and so does the phone."""
    with pytest.raises(AssertionError, match=r"within 0.01 s\nelarian_app has no handler so far"):
        await elarian_phone.dial(within=SOON)
    elarian_app.on("receivedSms", show_menus)
    with pytest.raises(AssertionError, match=r"the session ended; .*UssdMenu in time$"):
        await elarian_phone.dial()


async def test_a_handler_that_cannot_be_called_is_refused(elarian_app: AppUnderTest) -> None:
    """This SDK: by the app under test as by any other, though it wraps what it is given."""
    with pytest.raises(TypeError, match=r"called with \(notification, customer, app_data, callback\)"):
        elarian_app.on("ussdSession", lambda _notification: None)


async def test_an_app_that_never_answers_is_not_waited_for(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The house rule: no wait without a bound; the sandbox's own 20 seconds stand still."""
    released = anyio.Event()

    async def think(*_: object) -> None:
        await released.wait()

    elarian_app.on("ussdSession", think)
    with pytest.raises(AssertionError, match=r"nothing was answered within 0.01 s"):
        await elarian_phone.dial(within=SOON)
    released.set()


@pytest.mark.elarian(channels=[MessagingChannel.ussd("*384#")])
async def test_a_marker_sets_the_sandbox_up(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """The issue's own spelling, on a code of the test's."""
    elarian_app.on("ussdSession", show_menus)
    await elarian_phone.dial("*384#").says("Welcome")
    with pytest.raises(AssertionError, match=r"\*999#"):
        await elarian_phone.dial(MessagingChannel.ussd("*999#"))
    with pytest.raises(LookupError, match=r"no sms channel.*pytest.mark.elarian"):
        await elarian_phone.write("Hello")


async def test_a_chain_is_held_once(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """This SDK: to hold it again would be to dial again, unseen."""
    elarian_app.on("ussdSession", show_menus)
    chain = elarian_phone.dial("*83044#").says("Welcome")
    assert repr(chain) == "phone.dial('*83044#').says('Welcome')"
    await chain
    with pytest.raises(RuntimeError, match=r"awaited before"):
        await chain


# --- messages ---


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
    await chat.write("Hi", channel="telegram")
    await chat.expect_message("Re: Hi", channel="telegram")
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


# --- calls ---


async def test_a_customer_calls(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """Facts, section 4: an inbound call is answered with actions, digits and recordings are reported back."""

    async def answer(notification: Any, _: object, __: object, callback: Any) -> None:  # noqa: ANN401
        voice = notification.voice
        if voice.recording_url:
            callback("Thank you")
        elif voice.dtmf_digits:
            callback((GetRecording(say=Say(f"You pressed {voice.dtmf_digits}, please speak")),))
        elif voice.status == "ringing":
            callback("Press a key")

    elarian_app.on("voiceCall", answer)
    call = await elarian_phone.call().hears("Press a key").presses("7").hears("pressed 7", "speak")
    assert call.heard == "You pressed 7, please speak"
    await call.records("https://example.org/a.mp3").hears("Thank you").hangs_up()
    assert repr(call) == "<Call inbound +254711621711, over: ()>"
    with pytest.raises(AssertionError, match=r"the call is over"):
        await call.presses("1")


async def test_the_app_calls(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """Facts, decision 29: the plan given at send time is what whoever picks up hears. A message is no call."""
    await elarian_app.customer(NUMBER).send_message(SMS, "We are about to call")
    await elarian_app.customer(NUMBER).make_voice_call(VOICE, [Say("Your loan is due")])
    call = await elarian_phone.expect_call(caller=VOICE.number).answers().hears("due")
    with pytest.raises(
        AssertionError, match=r"in a call from .* does not hear 'paid', and hears:\n    Your loan is due"
    ):
        await call.hears("paid")
    await call.hangs_up()
    await elarian_app.customer(NUMBER).make_voice_call(VOICE, [Say("Your loan is due")])
    call = await elarian_phone.expect_call().declines()
    with pytest.raises(AssertionError, match=r"'due', and hears nothing"):
        await call.hears("due")


async def test_the_app_may_reject_a_call_or_not_pick_up(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """Facts, section 4: reject is an action; to give none is not to pick up."""
    elarian_app.on("voiceCall", lambda *arguments: arguments[-1]((Reject(),)))
    assert (await elarian_phone.call(VOICE)).is_over
    elarian_app.off("voiceCall")
    with pytest.raises(AssertionError, match=r"called: the app did not pick up"):
        await elarian_phone.call()
    with pytest.raises(AssertionError, match=r"expected a call within"):
        await elarian_phone.expect_call(within=SOON)
    with pytest.raises(AssertionError, match=r"expected a call from 1 within"):
        await elarian_phone.expect_call(caller="1", within=SOON)


# --- payments ---


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


async def test_what_can_never_come_is_not_waited_for(
    elarian_app: AppUnderTest, elarian_phone: Phone, elarian_sandbox: Sandbox
) -> None:
    """A past bug: a CustomerNumber has no phone, and expect_nothing() agreed; other failures named no reason."""
    del elarian_app
    with pytest.raises(TypeError, match=r"^number must be a str, got CustomerNumber"):
        elarian_phone.of(CustomerNumber(JUMA))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^sender must be a str, got MessagingChannel"):
        await elarian_phone.expect_sms(sender=SMS)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^caller must be a str, got MessagingChannel"):
        elarian_phone.expect_call(caller=VOICE)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^to must be a str, got PaymentChannelNumber"):
        elarian_phone.expect_channel_payment(to=elarian_sandbox.paybill)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^'smss' is no Channel; known are 'sms', "):
        await elarian_phone.expect_message(channel="smss")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^'smss' is no Channel; known are 'sms', "):
        await elarian_phone.write("Hi", channel="smss")  # type: ignore[arg-type]


async def test_words_and_patterns_are_wanted(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """A past bug: an AttributeError, from inside of this SDK."""
    elarian_app.on("ussdSession", show_menus)
    session = await elarian_phone.dial()
    call = Call(elarian_phone._line, VOICE, VoiceCallDirection.INBOUND, "1", None)
    for want in (session.says, session.ends, call.hears):
        with pytest.raises(TypeError, match=r"^wanted must be a str or a compiled pattern, got int"):
            want(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^wanted must be a str or a compiled pattern, got NoneType"):
        await elarian_phone.expect_sms(None)  # type: ignore[arg-type]


# --- settings ---

THEN = ManualClock()


class TestSettings:
    """Markers of the test, the class and the module, over what the suite sets."""

    pytestmark = pytest.mark.elarian(settle="manual", seed=1)

    @pytest.fixture
    def elarian_sandbox_options(self) -> dict[str, Any]:
        return {"clock": THEN, "seed": 2, "channels": [SMS]}

    @pytest.mark.elarian(seed=3)
    async def test_the_closest_marker_has_the_last_word(self, elarian_sandbox: Sandbox, elarian_clock: Clock) -> None:
        """The brief: arguments of the sandbox, by marker or by an overridable fixture."""
        assert elarian_clock is THEN
        assert list(elarian_sandbox.channels) == ["sms"]
        assert elarian_sandbox._settings.settle == "manual"
