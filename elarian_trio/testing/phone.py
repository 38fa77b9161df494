"""Customers' phones, as a test plays them.

The fixtures stand above. Below are the sessions, calls and payments that begin here, and the line that carries them.
"""

from __future__ import annotations

from functools import partial
from types import NoneType
from typing import TYPE_CHECKING, TypeAlias

import anyio

from elarian_trio._arguments import require
from elarian_trio.models.channels import Channel
from elarian_trio.models.payments import Cash, PaymentChannelNumber, PaymentStatus
from elarian_trio.models.simulator import (
    CheckoutPaymentSimulatorNotification,
    MakeVoiceCallSimulatorNotification,
    SendChannelPaymentSimulatorNotification,
    SendCustomerPaymentSimulatorNotification,
    SendMessageSimulatorNotification,
)
from elarian_trio.models.voice import VoiceCallDirection
from elarian_trio.testing.bounds import settle
from elarian_trio.testing.calls import Call, CallTurns
from elarian_trio.testing.exchange import Exchange, Line
from elarian_trio.testing.payments import Payment, PaymentTurns
from elarian_trio.testing.ussd import UssdSession, UssdTurns
from elarian_trio.testing.wording import called, kind_of_message, matches, money, require_wanted, saying, text_of

if TYPE_CHECKING:
    from elarian_trio.models.channels import ChannelName, MessagingChannel
    from elarian_trio.models.messaging import InboundMessageBody
    from elarian_trio.models.notifications import AnyNotification
    from elarian_trio.models.payments import PaymentStatusName
    from elarian_trio.simulator import Simulator
    from elarian_trio.testing.wording import Wanted

__all__ = ["NUMBER", "Phone"]

CustomerPaymentNotification: TypeAlias = CheckoutPaymentSimulatorNotification | SendCustomerPaymentSimulatorNotification

NUMBER = "+254709759881"  # the customer's, unless the test says another


class Phone:
    """A customer's phone. The fixture ``elarian_phone`` gives one, :meth:`of` those of other customers.

    Everything waits for :attr:`patience` seconds of the loop's time at most, or for the seconds that ``within`` says,
    and then raises an AssertionError that tells what was heard instead. An expectation takes the first thing that fits,
    waiting for it if need be; what else has come stays for other expectations, and :meth:`expect_nothing` fails on it.

    Attributes:
        number: the customer's number, or mail address or name where the channel has such.
    """

    def __init__(self, exchange: Exchange, number: str = NUMBER) -> None:
        self.number = number
        self._exchange = exchange
        self._line = Line(exchange, number)

    def __repr__(self) -> str:
        """Give the number."""
        return f"<Phone {self.number}>"

    def of(self, number: str) -> Phone:
        """Give another customer's phone: by number, or by mail address or name where the channel has such.

        Raises:
            TypeError: it is no str.
        """
        require("number", str, number)
        return Phone(self._exchange, number)

    @property
    def simulator(self) -> Simulator:
        """The phones' own socket, for what they cannot do. What it is told of is taken; ``observe=True`` listens."""
        return self._exchange.simulator

    @property
    def patience(self) -> float:
        """How many seconds, of the loop's time, all phones of the test wait unless ``within`` says otherwise.

        What is no number is told of by whoever waits next: a TypeError, or of nan a ValueError.
        """
        return self._exchange.stage.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._exchange.stage.patience = seconds

    # What the customer does.

    def dial(self, code: str | MessagingChannel | None = None, *, within: float | None = None) -> UssdTurns:
        """Dial a USSD code, and wait for the first screen: ``await phone.dial("*384#").says("Welcome")``.

        Args:
            code: the organisation's USSD code; the sandbox's first if left out.
            within: seconds that each screen may take.

        Awaiting gives a :class:`UssdSession`, and raises AssertionError if the app shows no screen, or LookupError if
        *code* is left out and the sandbox has none.
        """
        words = called("phone.dial", *(() if code is None else (code,)))

        async def begin() -> UssdSession:
            __tracebackhide__ = True
            return await UssdSession(self._line, self._line.channel("ussd", code), within).dial()

        return UssdTurns(self._exchange.stage, begin, words)

    def call(self, number: str | MessagingChannel | None = None, *, within: float | None = None) -> CallTurns:
        """Call the organisation: ``await phone.call().hears("Press 1").presses("1").hears("Thank you")``.

        Args:
            number: the organisation's number; the sandbox's first if left out.
            within: seconds that each answer of the app's may take.

        Awaiting gives a :class:`Call`, which is over if the app rejects it (``call.is_over``). It raises AssertionError
        if the app does not answer, and LookupError if *number* is left out and the sandbox has none.
        """
        words = called("phone.call", *(() if number is None else (number,)))

        async def begin() -> Call:
            __tracebackhide__ = True
            channel = self._line.channel("voice", number)
            session_id = self._exchange.new_id("call")
            return await Call(self._line, channel, VoiceCallDirection.INBOUND, session_id, within).ring()

        return CallTurns(self._exchange.stage, begin, words)

    async def write(
        self,
        *parts: InboundMessageBody,
        to: str | MessagingChannel | None = None,
        channel: Channel | ChannelName = Channel.SMS,
        within: float | None = None,
    ) -> None:
        """Write to the organisation. Returns when the message was taken; the app may not have read it yet.

        Args:
            parts: what the message says: text, media, a place.
            to: the organisation's number; the sandbox's first on the channel if left out.
            channel: on which channel, where *to* does not say it.
            within: seconds that it may take.

        Raises:
            AssertionError: the server refused it.
            LookupError: the sandbox has no such channel.
            ValueError: there is no such channel.
            TypeError: a part is nothing that a message can say.

        Cancellation:
            Always a checkpoint; the message may have been taken.
        """
        __tracebackhide__ = True
        number = self._line.channel(channel, to)
        deed = f"{self.number} wrote to {number.number}"
        await self._line.report(deed, number, None, parts, within)

    async def pay(
        self,
        value: Cash,
        *,
        to: PaymentChannelNumber | None = None,
        status: PaymentStatus | PaymentStatusName = PaymentStatus.SUCCESS,
        within: float | None = None,
    ) -> Payment:
        """Pay the organisation, unasked. Returns when the payment was taken; the app may not have heard of it yet.

        Args:
            value: how much.
            to: the organisation's paybill; the sandbox's first if left out.
            status: where the payment stands; what is pending goes on by :meth:`Payment.succeeds` or ``fails()``.
            within: seconds that it may take.

        Raises:
            AssertionError: the server refused it.
            LookupError: the sandbox has no paybill.
            ValueError: there is no such status.
            TypeError: *value* is no Cash, or *to* no PaymentChannelNumber.

        Cancellation:
            Always a checkpoint; the payment may have been taken.
        """
        __tracebackhide__ = True
        require("value", Cash, value)
        require("to", (PaymentChannelNumber, NoneType), to, wanted="a PaymentChannelNumber")
        paybill = self._exchange.sandbox.paybill if to is None else to
        payment = Payment(self._line, value, self._exchange.new_id("payment"), is_checkout=False)
        act = partial(
            self.simulator.receive_payment, self.number, paybill, payment.transaction_id, value, PaymentStatus(status)
        )
        await self._line.ask(f"{self.number} paid {money(value)} to {paybill.number}", act, within)
        return payment

    # What the customer expects.

    async def expect_sms(
        self, *wanted: Wanted, sender: str | None = None, within: float | None = None
    ) -> SendMessageSimulatorNotification:
        """Expect an SMS, and wait for it. It gives and raises what :meth:`expect_message` does.

        Args:
            wanted: what it says: words that it holds, or patterns that find something in it.
            sender: the organisation's number that it comes from; any if left out.
            within: seconds to wait.
        """
        __tracebackhide__ = True
        return await self.expect_message(*wanted, channel="sms", sender=sender, within=within)

    async def expect_message(
        self,
        *wanted: Wanted,
        channel: Channel | ChannelName | None = None,
        sender: str | None = None,
        within: float | None = None,
    ) -> SendMessageSimulatorNotification:
        """Expect a message, and wait for it.

        Args:
            wanted: what it says: words that it holds, or patterns that find something in it. Of a mail subject and
                text count, of media and links the URL, of a place its name and address.
            channel: on which channel; any if left out.
            sender: the organisation's number that it comes from; any if left out.
            within: seconds to wait.

        Returns:
            What the phone was told: ``.message.body`` is what it says, whole.

        Raises:
            AssertionError: no such message came; the words tell what did.
            ValueError: there is no such channel.
            TypeError: something is wanted that is neither words nor a pattern, or the sender is no str.

        Cancellation:
            Always a checkpoint; nothing was taken.
        """
        __tracebackhide__ = True
        require_wanted(wanted)
        require("sender", (str, NoneType), sender, wanted="a str")
        kind = None if channel is None else Channel(channel)

        def pick(told: AnyNotification) -> SendMessageSimulatorNotification | None:
            if not isinstance(told, SendMessageSimulatorNotification) or not self._line.is_reached_by(told):
                return None
            from_there = sender is None or told.channel_number.number == sender
            on_it = kind in (None, told.channel_number.channel)
            return told if from_there and on_it and matches(text_of(told.message.body), wanted) else None

        origin = "" if sender is None else f" from {sender}"
        what = f"{'an' if kind is Channel.SMS else 'a'} {kind_of_message(kind)}{origin}{saying(wanted)}"
        return await self._line.expect(what, pick, within)

    def expect_call(self, *, caller: str | None = None, within: float | None = None) -> CallTurns:
        """Expect the phone to ring: ``await phone.expect_call().answers().hears("Your loan is due")``.

        Args:
            caller: the organisation's number that calls; any if left out.
            within: seconds to wait, for this and for each answer of the app's.

        Awaiting gives a :class:`Call`, and raises AssertionError if nobody calls.

        Raises:
            TypeError: *caller* is no str.
        """

        def pick(told: AnyNotification) -> MakeVoiceCallSimulatorNotification | None:
            if not isinstance(told, MakeVoiceCallSimulatorNotification) or not self._line.is_reached_by(told):
                return None
            return told if caller in (None, told.channel_number.number) else None

        async def begin() -> Call:
            __tracebackhide__ = True
            what = "a call" if caller is None else f"a call from {caller}"
            told = await self._line.expect(what, pick, within)
            return Call(self._line, told.channel_number, VoiceCallDirection.OUTBOUND, told.session_id, within)

        require("caller", (str, NoneType), caller, wanted="a str")
        return CallTurns(self._exchange.stage, begin, called("phone.expect_call"))

    def expect_payment(self, value: Cash | None = None, *, within: float | None = None) -> PaymentTurns:
        """Expect the app to ask the customer for money, or to send them some.

        ``await phone.expect_payment(Cash("KES", 100)).pays()`` is a customer who was asked and pays, and
        ``.fails("rejected")`` one who declines; of money that comes to them ``.succeeds()`` is the gateway's word. Left
        alone, a payment succeeds half a second later on the sandbox's clock, or expires there where
        ``settle="manual"``.

        Args:
            value: how much; anything if left out.
            within: seconds to wait.

        Awaiting gives a :class:`Payment`, and raises AssertionError if none comes.

        Raises:
            TypeError: *value* is no Cash.
        """

        def pick(told: AnyNotification) -> CustomerPaymentNotification | None:
            if not isinstance(told, CustomerPaymentNotification):
                return None
            return told if self._line.is_reached_by(told) and value in (None, told.value) else None

        async def begin() -> Payment:
            __tracebackhide__ = True
            told: CustomerPaymentNotification = await self._line.expect(_what(value), pick, within)
            is_checkout = isinstance(told, CheckoutPaymentSimulatorNotification)
            return Payment(self._line, told.value, told.transaction_id, is_checkout=is_checkout)

        require("value", (Cash, NoneType), value, wanted="a Cash")
        words = called("phone.expect_payment", *(() if value is None else (value,)))
        return PaymentTurns(self._exchange.stage, begin, words)

    def expect_channel_payment(
        self, value: Cash | None = None, *, to: str | None = None, within: float | None = None
    ) -> PaymentTurns:
        """Expect the app to pay another paybill, a bank or for airtime: no customer's phone hears of that.

        Args:
            value: how much; anything if left out.
            to: the destination; any if left out.
            within: seconds to wait.

        Awaiting gives a :class:`Payment`, and raises AssertionError if none comes.

        Raises:
            TypeError: *value* is no Cash, or *to* no str.
        """

        def pick(told: AnyNotification) -> SendChannelPaymentSimulatorNotification | None:
            if not isinstance(told, SendChannelPaymentSimulatorNotification):
                return None
            return told if value in (None, told.value) and to in (None, told.destination) else None

        async def begin() -> Payment:
            __tracebackhide__ = True
            what = _what(value) if to is None else f"{_what(value)} to {to}"
            told = await self._line.expect(what, pick, within)
            return Payment(self._line, told.value, told.transaction_id, is_checkout=False)

        require("value", (Cash, NoneType), value, wanted="a Cash")
        require("to", (str, NoneType), to, wanted="a str")
        return PaymentTurns(self._exchange.stage, begin, called("phone.expect_channel_payment"))

    async def expect_nothing(self, *, within: float = 0.0) -> None:
        """Expect that nothing has reached the phone that the test has not taken.

        Waits until nothing is under way any more between the sandbox and the app; an app that is busy elsewhere, on
        another server for example, is not waited for.

        Args:
            within: seconds of the loop's time to wait first, for such an app.

        Raises:
            AssertionError: something has.

        Cancellation:
            Always a checkpoint.
        """
        __tracebackhide__ = True
        if within > 0:
            await anyio.sleep(within)
        await settle(self._exchange.sandbox)
        mine, _ = self._exchange.unread(self.number)
        if mine:
            raise self._line.blame(f"{self.number} expected nothing, and heard {self._line.heard()}")


def _what(value: Cash | None) -> str:
    return "a payment" if value is None else f"a payment of {money(value)}"
