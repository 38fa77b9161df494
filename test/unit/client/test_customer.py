"""A customer by itself: which address its commands carry, what it remembers, how values are stored."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from anyio.lowlevel import checkpoint

from elarian_trio import (
    Activity,
    Customer,
    CustomerNumber,
    CustomerNumberProvider,
    CustomerState,
    Elarian,
    IdentityState,
    Media,
    Message,
    MessageReply,
    MessagingChannel,
    PaymentChannelNumber,
    Say,
    SecondaryId,
    Tag,
)
from elarian_trio.models import commands as c
from elarian_trio.models import replies as r
from elarian_trio.models.messaging import ActiveMessagingChannelState, MessageDeliveryStatus, MessagingState
from elarian_trio.models.payments import PaymentState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from elarian_trio.models.commands import Command

pytestmark = pytest.mark.anyio

SMS, TELEGRAM = MessagingChannel.sms("83044"), MessagingChannel.telegram("bot")
CELL = CustomerNumber("+254709759881")
CHAT = CustomerNumber("asha", "telegram")


class FakeCall:
    """Carries commands out in no time; remembers them."""

    def __init__(self, state: CustomerState | None = None) -> None:
        self.commands: list[Any] = []
        self.state = state or CustomerState(customer_id="el_cst_1")
        self.stored: str | bytes | None = None

    async def __call__(self, command: Command[Any]) -> Any:  # noqa: ANN401
        await checkpoint()
        self.commands.append(command)
        if isinstance(command, c.GetCustomerState):
            return r.GetCustomerStateReply(status=True, data=deepcopy(self.state))  # the caller's own, as off the wire
        if isinstance(command, c.LeaseCustomerAppData):
            return r.LeaseAppDataReply(status=True, value=self.stored)
        if isinstance(command, c.SendMessage | c.ReplyToMessage):
            return MessageReply(status=MessageDeliveryStatus.SENT)
        return r.CustomerStateUpdateReply(status=True, customer_id="el_cst_1")

    def kinds(self) -> list[str]:
        return [type(each).__name__ for each in self.commands]


def test_customer_needs_an_address() -> None:
    """This SDK: none is a ValueError, before anything is sent."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    with pytest.raises(ValueError, match="address"):
        app.customer()
    with pytest.raises(ValueError, match="address"):
        app.customer("")
    with pytest.raises(ValueError, match="carrier"):
        app.customer("+1", provider="carrier")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ({"number": 254709759881}, "number must be a str, got int"),
        ({"number": ("passport", "A1")}, "number must be a str, got tuple"),
        ({"number": 254709759881, "customer_id": "el_cst_1"}, "number must be a str, got int"),
        ({"customer_id": 5}, "customer_id must be a str, got int"),
        ({"secondary_id": "A1"}, "secondary_id must be a SecondaryId, got str"),
        ({"secondary_id": ["passport", "A1"]}, "secondary_id must be a SecondaryId, got list"),
        ({"number": "+1", "secondary_id": 5}, "secondary_id must be a SecondaryId, got int"),
        ({"number": "+1", "secondary_id": []}, "secondary_id must be a SecondaryId, got list"),
        ({"number": "+1", "customer_id": 0}, "customer_id must be a str, got int"),
        ({"number": 0, "customer_id": "el_cst_1"}, "number must be a str, got int"),
    ],
)
def test_an_address_of_the_wrong_type_is_refused_where_the_customer_is_made(addresses: Any, words: str) -> None:  # noqa: ANN401
    """errors.py: a TypeError with words; it is neither dropped nor sent as an address of another kind."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    with pytest.raises(TypeError, match=words):
        app.customer(**addresses)
    with pytest.raises(TypeError, match=words):
        Customer(FakeCall(), **addresses)


def test_an_id_is_not_taken_for_a_number() -> None:
    """A past bug: messages to ``customer(notification.customer_id)`` went to a new customer of that number."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    with pytest.raises(ValueError, match=r"is an id and no number; customer\(customer_id='el_cst_1'\) takes one"):
        app.customer("el_cst_1")
    with pytest.raises(ValueError, match="is an id and no number"):
        Customer(FakeCall(), "el_cst_1")
    assert app.customer(CustomerNumber("el_cst_1", "app")).address == CustomerNumber("el_cst_1", "app"), "said by name"


def test_what_a_number_says_itself_is_not_said_otherwise_beside_it() -> None:
    """This SDK: one of the two would be dropped, so it is a ValueError; the same twice does no harm."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    for beside in ({"provider": "web"}, {"partition": "x"}):
        with pytest.raises(ValueError, match="says its own provider and partition"):
            app.customer(CHAT, **beside)  # type: ignore[arg-type]
    assert app.customer(CHAT, provider="telegram").address == CHAT
    visitor = CustomerNumber("asha", "app")
    assert app.customer(visitor, provider="web").address == visitor, "design.md: an alias"
    with pytest.raises(ValueError, match="'carrier' is no CustomerNumberProvider"):
        app.customer(visitor, provider="carrier")  # type: ignore[arg-type]


async def test_what_is_wrong_is_said_before_anything_is_sent() -> None:
    """errors.py: bad arguments are a TypeError with words, also where the state would be looked up first."""
    call = FakeCall()
    asha: Any = Customer(call, customer_id="el_cst_1")
    call_me: Any = Customer(call, secondary_id=SecondaryId("passport", "A1"))
    for wrong, words in [
        (asha.send_message("83044", "x"), "channel must be a MessagingChannel, got str"),
        (asha.send_message(SMS, 5), "body must be one of str, .*, got int"),
        (asha.send_message(PaymentChannelNumber("525900"), "x"), "channel must be a MessagingChannel, got PaymentCh"),
        (call_me.reply_to_message("m", 5), "body must be one of str, .*, got int"),
        (call_me.reply_to_message(5, "x"), "message_id must be a str, got int"),
        (asha.make_voice_call("+2547"), "channel must be a MessagingChannel, got str"),
        (asha.make_voice_call(MessagingChannel.voice("1"), Say("x")), "actions must be a sequence of .*, got Say"),
        (asha.make_voice_call(MessagingChannel.voice("1"), "x"), r"body\[0\] must be one of Say, .*, got str"),
        (asha.update_messaging_consent("83044", "allow"), "channel must be a MessagingChannel, got str"),
        (asha.update_messaging_consent(SMS, 5), "action must be a ConsentAction or its name, got int"),
        (asha.update_activity("web", "visit"), "activity must be an Activity, got str"),
        (asha.update_activity(5, Activity("key", "session", {})), "source must be a str, got int"),
        (asha.update_metadata("x"), "data must be a mapping, got str"),
        (asha.update_metadata({"a": 1, 5: 1}), "a key of data must be a str, got int"),
        (asha.lease_metadata(5), "key must be a str, got int"),
        (call_me.adopt_state(("passport", "A1")), "other must be one of Customer, .*, got tuple"),
        (asha.update_tags(Tag("a", "b"), "c"), r"tags\[1\] must be a Tag, got str"),
        (asha.delete_tags(["a"]), r"keys\[0\] must be a str, got list"),
        (asha.delete_metadata(1), r"keys\[0\] must be a str, got int"),
        (asha.update_secondary_ids(("passport", "A1")), r"ids\[0\] must be a SecondaryId, got tuple"),
        (asha.delete_secondary_ids("passport"), r"ids\[0\] must be a SecondaryId, got str"),
    ]:
        with pytest.raises(TypeError, match=words):
            await wrong
    with pytest.raises(ValueError, match="'nope' is no ConsentAction; known are 'allow', 'block'"):
        await asha.update_messaging_consent(SMS, "nope")
    for wrong, words in [
        (asha.update_metadata({"\ud800": 1}), "a key of data holds a lone surrogate at index 0"),
        (asha.delete_metadata("a", "\ud800"), r"keys\[1\] holds a lone surrogate at index 0"),
        (asha.delete_tags("x\ud800"), r"keys\[0\] holds a lone surrogate at index 1"),
        (asha.send_message(SMS, Media("https://localhost/x", "unknown")), "type is UNKNOWN, which cannot be sent"),
        (asha.send_message(SMS, Message(None)), "body is None, so there is nothing to send"),
        (call_me.reply_to_message("m", Message(None)), "body is None, so there is nothing to send"),
        (asha.update_messaging_consent(SMS, "unknown"), "update is UNKNOWN, which cannot be sent"),
        (call_me.adopt_state(CustomerNumber("1", "unknown")), "provider is UNKNOWN, which cannot be sent"),
    ]:
        with pytest.raises(ValueError, match=words):
            await wrong
    assert call.kinds() == []


def test_number_wins_on_the_wire() -> None:
    """This SDK: a customer may have several addresses; the number is sent, then the id, then the secondary id."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    secondary = SecondaryId("passport", "A1")
    assert app.customer("+1", customer_id="el_cst_1").address == CustomerNumber("+1")
    assert app.customer("p", provider="web", partition="x").address == CustomerNumber(
        "p", CustomerNumberProvider.APP, "x"
    )
    assert app.customer(customer_id="el_cst_1", secondary_id=secondary).address == "el_cst_1"
    assert app.customer(secondary_id=("passport", "A1")).address == secondary
    assert repr(app.customer(customer_id="el_cst_1")) == "<Customer 'el_cst_1'>"


async def test_number_that_suits_the_channel_is_looked_up_once() -> None:
    """This SDK: the state is fetched once where an address lacks, and the first number that suits is taken."""
    state = CustomerState(
        customer_id="el_cst_1",
        messaging_state=MessagingState(
            channels=(None, ActiveMessagingChannelState(customer_number=CHAT, channel_number=TELEGRAM))
        ),
        payment_state=PaymentState(customer_numbers=(CELL, CHAT)),
    )
    call = FakeCall(state)
    asha = Customer(call, customer_id="el_cst_1")
    await asha.send_message(TELEGRAM, "Hi")
    await asha.send_message(SMS, "Hi")
    await asha.update_messaging_consent(TELEGRAM, "allow")
    await asha.update_activity("web", Activity("visit", "s"))
    assert call.kinds() == [
        "GetCustomerState",
        "SendMessage",
        "SendMessage",
        "UpdateMessagingConsent",
        "CustomerActivity",
    ]
    assert [each.customer_number for each in call.commands[1:]] == [CHAT, CELL, CHAT, CHAT]


async def test_own_number_that_suits_needs_no_look_up() -> None:
    """This SDK: no I/O beyond what is needed."""
    call = FakeCall()
    await Customer(call, number=CELL).make_voice_call(MessagingChannel.voice("+2"), [Say("Hi")])
    assert call.kinds() == ["SendMessage"]
    assert call.commands[0].message.body == (Say("Hi"),)


async def test_number_of_another_provider_is_sent_where_there_is_no_better() -> None:
    """This SDK: which numbers suit a channel is inferred, so the server has the last word."""
    call = FakeCall()
    await Customer(call, number=CELL).send_message(TELEGRAM, "Hi")
    assert call.kinds() == ["GetCustomerState", "SendMessage"]
    assert call.commands[1].customer_number == CELL


async def test_customer_without_a_number_that_suits_cannot_be_written_to() -> None:
    """This SDK: a LookupError, since no such command can be made."""
    with pytest.raises(LookupError):
        await Customer(FakeCall(), customer_id="el_cst_1").send_message(SMS, "Hi")
    state = CustomerState(customer_id="el_cst_1", payment_state=PaymentState(customer_numbers=(CELL,)))
    with pytest.raises(LookupError, match="no telegram number is known"):
        await Customer(FakeCall(state), customer_id="el_cst_1").send_message(TELEGRAM, "Hi")
    with pytest.raises(ValueError, match="number"):
        await Customer(FakeCall(), customer_id="el_cst_1").create()


async def test_id_is_learned_from_replies_or_looked_up() -> None:
    """The wire: only an id may adopt, and be replied to."""
    call = FakeCall()
    asha = Customer(call, number=CELL)
    await asha.reply_to_message("m", "Hi")
    await asha.adopt_state(Customer(call, number="+2"))
    assert call.kinds() == ["GetCustomerState", "ReplyToMessage", "AdoptCustomerState"]
    assert call.commands[2] == c.AdoptCustomerState(customer_id="el_cst_1", other_customer=CustomerNumber("+2"))
    other = Customer(call, number=CELL)
    await other.create()
    assert other.customer_id == "el_cst_1"
    await other.adopt_state("el_cst_2")
    assert call.kinds()[3:] == ["CreateCustomer", "AdoptCustomerState"]
    await other.delete()
    assert other.customer_id is None


async def test_id_is_the_one_that_the_latest_reply_told() -> None:
    """Behaviour 2: a customer that was adopted is found under the survivor's id by its number, from any reply on."""
    call = FakeCall(CustomerState(customer_id="el_cst_0"))
    asha = Customer(call, number=CELL)
    await asha.get_state()
    assert asha.customer_id == "el_cst_0"
    await asha.update_tags(Tag("k", "v"))
    assert asha.customer_id == "el_cst_1"
    await asha.get_state()
    assert asha.customer_id == "el_cst_0", "a state tells it as well"


async def test_who_was_adopted_is_the_survivor_if_found_by_number() -> None:
    """Behaviour 2: numbers follow the survivor; an id does not."""
    call = FakeCall()
    by_number, by_id = Customer(call, number="+2", customer_id="el_cst_2"), Customer(call, customer_id="el_cst_3")
    survivor = Customer(call, customer_id="el_cst_1")
    await survivor.adopt_state(by_number)
    await survivor.adopt_state(by_id)
    assert (by_number.customer_id, by_id.customer_id) == ("el_cst_1", "el_cst_3")


@pytest.mark.parametrize(
    ("value", "stored"), [({"a": 1}, '{"a":1}'), ("text", '"text"'), (b"\x00", b"\x00"), (None, "null")]
)
async def test_values_are_stored_as_the_serializer_says(value: Any, stored: str | bytes) -> None:  # noqa: ANN401
    """The other SDKs' convention: JSON text; bytes stay bytes."""
    call = FakeCall()
    call.stored = stored
    asha = Customer(call, number=CELL)
    await asha.update_metadata({"key": value})
    await asha.update_app_data(value)
    assert call.commands[0].updates == {"key": stored}
    assert call.commands[1].update == stored
    assert await asha.lease_app_data() == value


async def test_state_gives_metadata_as_values() -> None:
    """This SDK: what other SDKs stored as bare text is read, too."""
    metadata: Mapping[str, Any] = {"a": '{"b":1}', "c": "bare words", "d": b"\xff"}
    identity = IdentityState(metadata=metadata, tags=(Tag("t", "1"),), secondary_ids=(SecondaryId("p", "1"),))
    call = FakeCall(CustomerState(customer_id="el_cst_1", identity_state=identity))
    asha = Customer(call, number=CELL)
    assert await asha.get_metadata() == {"a": {"b": 1}, "c": "bare words", "d": b"\xff"}
    assert await asha.get_tags() == identity.tags
    assert await asha.get_secondary_ids() == identity.secondary_ids
    assert await asha.lease_metadata("a") == {"b": 1}
    assert await asha.lease_metadata("z") is None
    assert call.kinds()[3:5] == ["LeaseCustomerAppData", "GetCustomerState"]
