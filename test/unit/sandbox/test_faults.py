"""Fault rules without a sandbox: what may be said, what a rule looks at, how it counts, and what a file may say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from elarian_trio import (
    Cash,
    ChannelPayment,
    CustomerNumber,
    CustomerPayment,
    MessagingChannel,
    PaymentChannelNumber,
    Purse,
    SecondaryId,
    Wallet,
)
from elarian_trio._wire.envelopes import decode_reply, encode_reply
from elarian_trio.models import commands, notifications, simulator
from elarian_trio.models.messaging import Message, MessageDeliveryStatus, UssdInput
from elarian_trio.sandbox import Fault, FaultError, Faults
from elarian_trio.sandbox.faults.scope import KINDS
from elarian_trio.sandbox.faults.values import AnswerTwice, Late, Refuse, statuses_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NUMBER = "+254709759881"
ASHA = CustomerNumber(NUMBER)
SMS = MessagingChannel.sms("83044")
PAYBILL = PaymentChannelNumber("83044")
VALUE = Cash("KES", 1)

TEXT = commands.SendMessage(customer_number=ASHA, channel_number=SMS, message=Message("Hello"))
STATE = commands.GetCustomerState(customer=ASHA)
TOKEN = commands.GenerateAuthToken()
REPORT = notifications.MessageStatusNotification(
    customer_id="asha", message_id="1", status=MessageDeliveryStatus.DELIVERED
)


def nobody(_: str | SecondaryId) -> tuple[CustomerNumber, ...]:
    """Know no customer."""
    return ()


def everybody(customer: str | SecondaryId) -> Iterable[CustomerNumber]:
    """Know two customers."""
    return {"asha": (CustomerNumber("asha.k", "telegram"), ASHA), SecondaryId("passport", "A1"): (ASHA,)}.get(
        customer, ()
    )


def bitten(faults: Faults, *messages: Any) -> list[bool]:  # noqa: ANN401
    """Say which of *messages* something goes wrong with."""
    return [
        (
            faults.on_command(message, everybody)
            if isinstance(message, commands.Command)
            else faults.on_notification(message, everybody)
        )
        is not None
        for message in messages
    ]


# --- what may go wrong ---


@pytest.mark.parametrize(
    ("make", "argument", "words"),
    [
        (lambda: Fault.refuse("bankrupt"), "status", "'insufficient_credits'.*'insufficient_funds'.*got 'bankrupt'"),
        (lambda: Fault.refuse("unknown"), "status", "False"),
        (lambda: Fault.refuse(True), "status", "got True"),
        (lambda: Fault.error("LOST"), "code", "'REJECTED', 'INVALID', 'APPLICATION_ERROR', 'CANCELED'.*0x301"),
        (lambda: Fault.error(0x101), "code", "0xfffffffe"),
        (lambda: Fault.error(True), "code", "REJECTED"),
        (lambda: Fault.error("REJECTED", when="after"), "when", "nothing was done"),
        (lambda: Fault.error(0x202, when="after"), "when", "nothing was done"),
        (lambda: Fault.error("INVALID", when="during"), "when", "'before' or 'after', got 'during'"),
        (lambda: Fault.error("INVALID", 5), "text", "text that UTF-8 can carry, got 5"),
        (lambda: Fault.end_session("CONNECTION_ERROR", None), "text", "text that UTF-8 can carry, got None"),
        (lambda: Fault.refuse(description="\ud800"), "description", "text that UTF-8 can carry"),
        (lambda: Fault.delay(0), "seconds", "above 0"),
        (lambda: Fault.delay(float("nan")), "seconds", "above 0"),
        (lambda: Fault.delay(86_401), "seconds", "86400 at most"),
        (lambda: Fault.delay("3"), "seconds", "number of seconds"),
        (lambda: Fault.deliver_late(True), "seconds", "number of seconds"),
        (lambda: Fault.deliver_out_of_order(within=-1), "within", "above 0"),
        (lambda: Fault.drop(when="now"), "when", "'before' or 'after'"),
        (lambda: Fault.end_session("REJECTED"), "code", "'CONNECTION_ERROR', 'CONNECTION_CLOSE', got"),
    ],
)
def test_what_cannot_go_wrong_is_refused_with_what_can(make: Callable[[], Fault], argument: str, words: str) -> None:
    """This SDK: wrong arguments are ValueErrors that list what is known."""
    with pytest.raises(FaultError, match=words) as caught:
        make()
    assert caught.value.argument == argument
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("code", [0x201, 0x202, 0x203, 0x204, 0x301, 0xFFFF_FFFE, "CANCELED"])
def test_errors_have_the_codes_that_streams_may_have(code: Any) -> None:  # noqa: ANN401
    """The protocol: four of its own, and those it leaves to applications."""
    assert isinstance(Fault.error(code), Fault)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, commands.Command)])
def test_every_status_of_every_reply_can_be_given(kind: type[commands.Command[Any]]) -> None:
    """Issue 4, item 5: a given status, for every command whose reply has one; each of them can be sent."""
    command: Any = kind.__new__(kind)  # nothing but its class decides
    statuses = statuses_of(kind)
    assert statuses or kind is commands.GenerateAuthToken
    for status in statuses:
        fault = Fault.refuse(status, description="no")
        assert fault.can_bite(kind)
        reply = decode_reply(command, encode_reply(command, fault.reply(command)))
        assert (reply.status, reply.description) == (status, "no")
    if statuses:
        reply = decode_reply(command, encode_reply(command, Fault.refuse().reply(command)))
        assert reply.status in statuses


# --- what a rule looks at ---


@pytest.mark.parametrize(
    ("on", "looked_at"),
    [
        (None, [True, True, True, True]),
        ("SendMessage", [True, False, False, False]),
        (commands.SendMessage, [True, False, False, False]),
        (["SendMessage", notifications.MessageStatusNotification], [True, False, False, True]),
        ("AppCommand", [True, True, True, False]),
        (commands.SimulatorCommand, [False, False, False, False]),
        (notifications.Notification, [False, False, False, True]),
        ("ReceivedMessageNotification", [False, False, False, False]),
    ],
)
def test_a_rule_looks_at_what_it_names(on: Any, looked_at: list[bool]) -> None:  # noqa: ANN401
    """Issue 4, item 5: by command or kind of notification, and by whole groups of them."""
    faults = Faults()
    faults.add(Fault.drop(), on=on)
    assert bitten(faults, TEXT, STATE, TOKEN, REPORT) == looked_at


@pytest.mark.parametrize(
    ("fault", "arguments", "argument", "words"),
    [
        (Fault.drop(), {"on": "SendMesage"}, "on", "perhaps 'SendMessage'.*known are.*ReceivedSmsNotification"),
        (Fault.drop(), {"on": "UnknownNotification"}, "on", "known are"),
        (Fault.drop(), {"on": int}, "on", "known are"),
        (Fault.drop(), {"on": 3}, "on", "known are"),
        (Fault.drop(), {"on": ()}, "on", "at least one"),
        (Fault.refuse(), {"on": "MessageStatusNotification"}, "on", "commands, which are what refuse bites"),
        (Fault.deliver_late(1), {"on": "SendMessage"}, "on", "notifications, which are what deliver_late bites"),
        (Fault.delay(1), {"on": "Notification"}, "on", "something that delay can bite"),
        (Fault.refuse("success"), {"on": "SendMessage"}, "status", "SendMessage can be refused with.*'no_consent'"),
        (Fault.refuse("sent"), {"on": ["SendMessage", "InitiatePayment"]}, "status", "InitiatePayment"),
        (Fault.refuse(False), {"on": "UpdateMessagingConsent"}, "status", "'completed'"),
        (Fault.refuse(), {"on": "GenerateAuthToken"}, "status", "without a status"),
        (Fault.refuse("sent"), {"on": "SimulatorCommand"}, "on", "something that refuse can bite"),
        (Fault.drop(), {"number": " "}, "number", "a customer's number"),
        (Fault.drop(), {"number": 254}, "number", "a customer's number"),
        (Fault.drop(), {"number": NUMBER, "on": "GenerateAuthToken"}, "number", "GenerateAuthToken names no number"),
        (Fault.refuse(), {"channel": "sms", "on": "GetCustomerState"}, "channel", "names no channel, got 'sms'"),
        (Fault.drop(), {"channel": "sms", "number": NUMBER, "on": ["TagUpdate"]}, "on", "known are"),
        (Fault.refuse(), {"number": NUMBER, "on": "UpdatePaymentStatus"}, "number", "names no number"),
        (Fault.drop(), {"channel": "pigeon"}, "channel", "'sms'.*'cellular'.*got 'pigeon'"),
        (Fault.drop(), {"channel": "sms:"}, "channel", "'sms:83044'"),
        (Fault.drop(), {"channel": 83044}, "channel", "known kinds"),
        (Fault.drop(), {"channel": MessagingChannel.sms(" ")}, "channel", "'sms:83044'"),
        (Fault.drop(), {"probability": 0}, "probability", "above 0"),
        (Fault.drop(), {"probability": 1.1}, "probability", "up to 1"),
        (Fault.drop(), {"probability": "often"}, "probability", "a number"),
        (Fault.drop(), {"times": 0}, "times", "from 1"),
        (Fault.drop(), {"times": True}, "times", "whole number"),
        (Fault.drop(), {"skip": -1}, "skip", "from 0"),
        (Fault.drop(), {"skip": 0.5}, "skip", "whole number"),
        (Fault(), {}, "fault", "Fault.drop"),
        ("drop", {}, "fault", "a Fault"),
    ],
)
def test_a_rule_that_could_never_bite_is_refused(
    fault: Any,  # noqa: ANN401
    arguments: dict[str, Any],
    argument: str,
    words: str,
) -> None:
    """This SDK: a rule that does nothing would be believed."""
    faults = Faults()
    with pytest.raises(FaultError, match=words) as caught:
        faults.add(fault, **arguments)
    assert caught.value.argument == argument
    assert faults.rules == ()


def test_a_status_that_some_replies_know_narrows_a_group() -> None:
    """This SDK: refusing whatever can be refused so."""
    faults = Faults()
    faults.add(Fault.refuse("insufficient_credits"))
    assert bitten(faults, TEXT, STATE, TOKEN) == [True, False, False]


WALLET, PURSE = Wallet("asha", "savings"), Purse("purse")
MINE = CustomerPayment(ASHA, PAYBILL)


@pytest.mark.parametrize(
    "message",
    [
        TEXT,
        STATE,
        REPORT,
        commands.GetCustomerState(customer="asha"),
        commands.GetCustomerState(customer=SecondaryId("passport", "A1")),
        commands.GetCustomerState(customer=CustomerNumber("00254 (709) 759-881")),
        commands.AdoptCustomerState(customer_id="asha", other_customer="juma"),
        commands.AdoptCustomerState(customer_id="juma", other_customer=ASHA),
        commands.ReplyToMessage(customer_id="asha", message_id="1", message=Message("Yes")),
        commands.InitiatePayment(debit_party=PURSE, credit_party=MINE, value=VALUE),
        commands.InitiatePayment(debit_party=WALLET, credit_party=PURSE, value=VALUE),
        commands.ReceiveMessage(customer_number=NUMBER, channel_number=SMS, parts=("Hello",)),
        commands.ReceivePayment(
            transaction_id="1", channel_number=PAYBILL, customer_number=NUMBER, value=VALUE, status="success"
        ),
        simulator.SendChannelPaymentSimulatorNotification(value=VALUE, wallet=WALLET),
        simulator.SendMessageSimulatorNotification(customer_number=ASHA, channel_number=SMS, message=Message("Hello")),
    ],
    ids=lambda message: type(message).__name__,
)
@pytest.mark.parametrize("number", [NUMBER, "00254-709-759-881", ASHA])
def test_a_customer_is_found_wherever_a_message_names_one(
    message: Any,  # noqa: ANN401
    number: str | CustomerNumber,
) -> None:
    """Issue 4, item 5: by customer number, however it is written; ids are looked up."""
    faults = Faults()
    faults.add(Fault.drop(), number="+254709759882")
    assert bitten(faults, message) == [False]
    faults.add(Fault.drop(), number=number)
    assert bitten(faults, message) == [True]


def test_the_provider_counts_where_it_is_given() -> None:
    """Facts: the same number under two providers is two customers."""
    faults = Faults()
    faults.add(Fault.drop(), number=CustomerNumber(NUMBER, "telegram"))
    on_telegram = commands.ReceiveMessage(
        customer_number=NUMBER, channel_number=MessagingChannel.telegram("bot"), parts=("Hello",)
    )
    assert bitten(faults, TEXT, on_telegram) == [False, True]


def test_messages_about_nobody_known_are_let_go() -> None:
    """This SDK: a purse's report, and an id that nobody has."""
    faults = Faults()
    faults.add(Fault.drop(), number=NUMBER)
    purses = notifications.PaymentStatusNotification(transaction_id="1", status="success", purse_id="purse")
    assert faults.on_notification(purses, nobody) is None
    assert faults.on_command(commands.GetCustomerState(customer="asha"), nobody) is None


@pytest.mark.parametrize(
    ("channel", "looked_at"),
    [
        ("sms", [True, False, False, False, False]),
        (SMS, [True, False, False, False, False]),
        ("sms:83 044", [True, False, False, False, False]),
        ("sms:22", [False, False, False, False, False]),
        ("ussd:*83044#", [False, True, False, False, False]),
        (PAYBILL, [False, False, True, True, True]),
        ("cellular", [False, False, True, True, True]),
        ("cellular:83044", [False, False, True, True, True]),
        ("airtime", [False, False, False, False, False]),
    ],
)
def test_a_rule_looks_at_one_channel_or_one_kind_of_them(channel: Any, looked_at: list[bool]) -> None:  # noqa: ANN401
    """Issue 4, item 5: by channel, of messages and of payments."""
    dial = commands.ReceiveMessage(
        customer_number=NUMBER, channel_number=MessagingChannel.ussd("*83044#"), parts=(UssdInput("", "active"),)
    )
    checkout = commands.InitiatePayment(debit_party=MINE, credit_party=PURSE, value=VALUE)
    onward = ChannelPayment("cellular", 99999, "83044", "1")
    payout = commands.InitiatePayment(debit_party=PURSE, credit_party=onward, value=VALUE)
    told = simulator.SendChannelPaymentSimulatorNotification(channel="cellular", source="83044", value=VALUE)
    faults = Faults()
    faults.add(Fault.drop(), channel=channel)
    assert bitten(faults, TEXT, dial, checkout, payout, told) == looked_at


# --- when it bites, and how it counts ---


def test_a_rule_skips_and_stops_and_counts() -> None:
    """Issue 4, item 5: skip the first n, a maximum number of times, and how often it bit."""
    faults = Faults()
    assert repr(faults) == "<Faults: no rules>"
    rule = faults.add(Fault.drop(), on="SendMessage", skip=2, times=2)
    assert bitten(faults, *[TEXT] * 6) == [False, False, True, True, False, False]
    assert (rule.seen, rule.bites, rule.is_spent, faults.bites, faults.has_rules) == (4, 2, True, 2, False)
    assert repr(rule) == "<Rule Drop(when='before') on SendMessage: seen 4, bites 2>"
    assert repr(faults) == f"<Faults: {rule!r}>"
    assert "34 kinds" in repr(faults.add(Fault.refuse()))


def test_the_first_rule_that_bites_is_what_happens() -> None:
    """This SDK: rules are asked in their order, and those behind do not count what was bitten."""
    faults = Faults()
    first = faults.add(Fault.refuse("sent"), times=1)
    second = faults.add(Fault.answer_twice(), on="SendMessage")
    assert [type(faults.on_command(TEXT, nobody)) for _ in range(2)] == [Refuse, AnswerTwice]
    assert (first.bites, second.seen, second.bites) == (1, 1, 1)


def test_lateness_is_asked_for_by_itself() -> None:
    """This SDK: what is late is late before it is sent; what else may go wrong with it comes as it is sent."""
    faults = Faults()
    late = faults.add(Fault.deliver_out_of_order())
    drop = faults.add(Fault.drop())
    assert faults.lateness_of(REPORT, nobody) == Late(10.0, lets_pass=True)
    assert faults.on_notification(REPORT, nobody) == Fault.drop()
    assert (late.seen, drop.seen) == (1, 1)
    faults.remove(late)
    assert faults.lateness_of(REPORT, nobody) is None


def transcript(faults: Faults) -> list[bool]:
    """Give what happens to forty messages."""
    return bitten(faults, *[TEXT] * 40)


@pytest.mark.parametrize("seed", [7, "seven"])
def test_dice_are_the_seeds_and_each_rules_own(seed: int | str) -> None:
    """Issue 4: the same seed gives the same again; another rule beside it changes nothing of that."""

    def rolled(*others: str) -> list[bool]:
        faults = Faults()
        faults.add(Fault.drop(), on="SendMessage", probability=0.5)
        for other in others:
            faults.add(Fault.drop(), on=other, probability=0.5)
        faults.seed_with(seed)
        return transcript(faults)

    assert rolled() == rolled() == rolled("GetCustomerState")
    assert 5 < sum(rolled()) < 35
    faults = Faults()
    faults.seed_with(seed)
    faults.add(Fault.drop(), on="SendMessage", probability=0.5)
    assert transcript(faults) == rolled()


def test_without_a_seed_no_two_runs_are_alike() -> None:
    """This SDK: nobody gets used to one transcript by accident."""
    runs = []
    for _ in range(3):
        faults = Faults()
        faults.add(Fault.drop(), probability=0.5)
        faults.seed_with(None)
        runs.append(transcript(faults))
    assert runs[0] != runs[1] or runs[1] != runs[2]


def test_rules_can_be_taken_away() -> None:
    """Issue 4, item 5: a method to clear them; what they did stays counted."""
    faults = Faults()
    rules = [faults.add(Fault.drop(), on=on) for on in ("SendMessage", "GetCustomerState")]
    assert bitten(faults, TEXT) == [True]
    faults.remove(rules[0])
    faults.remove(rules[0])
    assert bitten(faults, TEXT, STATE) == [False, True]
    assert faults.rules == (rules[1],)
    faults.clear()
    assert bitten(faults, TEXT, STATE) == [False, False]
    assert (faults.bites, faults.has_rules, rules[0].bites) == (2, False, 1)
