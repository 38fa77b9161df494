"""Customers' phones in a test, against apps of a few lines: USSD sessions and calls, wrong arguments, and settings.

These tests take the fixtures as a user's tests do, from the plugin that is installed with the package.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from elarian_trio import (
    Cash,
    CustomerNumber,
    GetRecording,
    MessagingChannel,
    PaymentChannelNumber,
    Reject,
    Say,
    UssdMenu,
    VoiceCallDirection,
)
from elarian_trio.sandbox import ManualClock
from elarian_trio.testing import NUMBER, AppUnderTest, Call, Phone

if TYPE_CHECKING:
    from elarian_trio.sandbox import Clock, Sandbox

pytestmark = pytest.mark.anyio

SMS = MessagingChannel.sms("83044")
VOICE = MessagingChannel.voice("+254711621711")
JUMA = "+254700000002"
SOON = 0.01  # seconds: for what never comes


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


async def test_what_nobody_can_enter_leaves_the_session_as_it_was(
    elarian_app: AppUnderTest, elarian_phone: Phone
) -> None:
    """A past bug: the session was over then, for the phone alone."""
    elarian_app.on("ussdSession", show_menus)
    session = await elarian_phone.dial()
    with pytest.raises(TypeError, match="int"):
        await session.enters(1)  # type: ignore[arg-type]
    await session.says("Register").enters("1").says("Your name?")


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


async def test_an_app_that_only_looks_on_takes_nothing(elarian_app: AppUnderTest, elarian_phone: Phone) -> None:
    """A past bug: with a listener of the connection's, or one that observes, nobody was told what was missing."""
    elarian_app.on("connected", lambda: None)
    async with elarian_app.notifications(observe=True):
        with pytest.raises(AssertionError, match=r"within 0.01 s\nelarian_app has no handler so far"):
            await elarian_phone.dial(within=SOON)
    assert not elarian_app.is_listening


async def test_what_the_server_refuses_is_not_laid_at_the_apps_door(
    elarian_app: AppUnderTest, elarian_phone: Phone
) -> None:
    """A past bug: whatever was refused, an app without a handler was named beside it, which was not the reason."""
    assert not elarian_app.is_listening
    with pytest.raises(AssertionError, match=r"no payment channel number of this organisation; use one that is$"):
        await elarian_phone.pay(Cash("KES", 100), to=PaymentChannelNumber("999"))


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


# --- wrong arguments ---


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
