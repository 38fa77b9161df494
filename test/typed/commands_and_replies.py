"""Read by the type checkers, never run: commands as users write them, and what they give back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, assert_type

from elarian_trio import (
    Activity,
    AuthToken,
    Cash,
    Channel,
    ChannelPayment,
    CommandFailed,
    ConnectionState,
    ConsentAction,
    ConsentUpdateReply,
    Customer,
    CustomerNumber,
    CustomerPayment,
    CustomerState,
    CustomerStateUpdateReply,
    DeleteCustomerReply,
    Elarian,
    GetDigits,
    InitiatePaymentReply,
    Location,
    Media,
    Message,
    MessageBody,
    MessageDeliveryStatus,
    MessageReply,
    MessageSessionUpdate,
    MessageStatusUpdate,
    MessagingChannel,
    PaymentChannelNumber,
    PaymentParty,
    PaymentStatus,
    Purse,
    ReceivedMessage,
    Reminder,
    ReplayPaymentReply,
    Say,
    SecondaryId,
    SentMessage,
    Simulator,
    SimulatorReply,
    Tag,
    TagUpdateReply,
    Template,
    Url,
    UssdInput,
    UssdMenu,
    VoiceAction,
    VoiceCallInput,
    Wallet,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime.now(UTC)
SMS = MessagingChannel("83044", "sms")


async def identity(app: Elarian) -> None:
    asha = app.customer("+254709759881", provider="cellular")
    assert_type(asha, Customer)
    app.customer(customer_id="el_cst_1")
    app.customer(secondary_id=("passport", "A1"))
    assert_type(await asha.create(), CustomerStateUpdateReply)
    assert_type(await asha.delete(), DeleteCustomerReply)
    state = await asha.get_state()
    assert_type(state, CustomerState)
    assert_type(state.customer_id, str)
    assert_type(await asha.adopt_state(app.customer(customer_id="el_cst_2")), CustomerStateUpdateReply)
    assert_type(await asha.update_tags(Tag("a", "b"), Tag("c", "d", NOW)), CustomerStateUpdateReply)
    tags: Sequence[Tag] = await asha.get_tags()
    ids: Sequence[SecondaryId] = await asha.get_secondary_ids()
    await asha.delete_tags("a", "c")
    await asha.update_secondary_ids(SecondaryId("passport", "A1"))
    await asha.delete_secondary_ids(*ids)
    await asha.update_metadata({"any": {"json": [1, 2.5, None, True]}, "raw": b"\x00"})
    await asha.delete_metadata(*(tag.key for tag in tags))
    points = (await asha.get_metadata())["points"]
    await asha.update_app_data({"screen": points})
    await asha.update_app_data(b"bytes")
    await asha.add_reminder(Reminder("r", NOW, timedelta(days=1), "payload"))
    await asha.cancel_reminder("r")
    await asha.update_activity("web", Activity("key", "session", {"a": "b"}))


async def messages(app: Elarian, asha: Customer) -> None:
    reply = await asha.send_message(SMS, "Hello")
    assert_type(reply, MessageReply)
    assert_type(reply.status, MessageDeliveryStatus)
    assert_type(reply.message_id, str | None)
    for body in (
        Media("https://example.com", "image"),
        Location(latitude=1.0, longitude=2.0),
        Template("id", {"a": "b"}),
        Url(url="https://example.com"),
        UssdMenu("menu", is_terminal=True),
        (Say("hi", voice="male"),),
    ):
        await asha.send_message(SMS, body)
        await asha.send_message(SMS, Message(body, labels=("a",)))
    await asha.reply_to_message("m", "text")
    welcome = [Say("Welcome")]
    await asha.send_message(SMS, welcome)
    steps: list[VoiceAction] = [*welcome, GetDigits(num_digits=1)]
    await asha.make_voice_call(SMS, steps)
    said: MessageBody = Url(url="https://example.com")
    await asha.send_message(SMS, said)
    await asha.send_message(SMS, [Say("1 for help"), GetDigits(num_digits=1)])
    await asha.make_voice_call(MessagingChannel.voice("+254711621711"), (Say("hello"),))
    assert_type(await asha.update_messaging_consent(SMS, "block"), ConsentUpdateReply)
    await asha.update_messaging_consent(SMS, ConsentAction.ALLOW)
    assert_type(await app.send_message_by_tag(Tag("a", "b"), SMS, "all"), TagUpdateReply)
    assert_type(await app.add_customer_reminder_by_tag(Tag("a", "b"), Reminder("r", NOW)), TagUpdateReply)
    assert_type(await app.cancel_customer_reminder_by_tag(Tag("a", "b"), "r"), TagUpdateReply)


async def payments(app: Elarian) -> None:
    purse, wallet = Purse("el_prs_1"), Wallet("el_cst_1", "savings")
    paybill = PaymentChannelNumber("83044", "cellular")
    customer = CustomerPayment(CustomerNumber("+254709759881", "cellular"), paybill)
    channel = ChannelPayment("cellular", 99999, "83044", "55555", account="a")
    parties: list[PaymentParty] = [wallet, customer, channel]
    for credit in parties:
        reply = await app.initiate_payment(purse, credit, Cash("KES", Decimal("1.5")), "thanks")
        assert_type(reply, InitiatePaymentReply)
        assert_type(reply.status, PaymentStatus)
    await app.initiate_payment(customer, wallet, Cash("KES", 100))
    assert_type(
        await app.replay_payment("p", customer, purse, "success", Cash("KES", "1"), "", NOW), ReplayPaymentReply
    )
    await app.replay_payment_status_update(app.customer("+254709759881"), "p", PaymentStatus.REVERSED, NOW)


async def replays(app: Elarian, asha: Customer) -> None:
    await app.replay_messaging_consent_update(asha, SMS, "allow", NOW)
    await app.replay_received_message(asha, SMS, ReceivedMessage(message_id="m", received_at=NOW, parts=("hi",)))
    sent = SentMessage(message_id="m", sent_at=NOW, message=Message("hi"), status="sent")
    await app.replay_sent_message(asha, SMS, sent)
    update = MessageStatusUpdate(message_id="m", updated_at=NOW, status="read")
    await app.replay_message_status_update(asha, SMS, update)
    await app.replay_message_reaction_update(asha, SMS, "m", "clicked", NOW)
    session = MessageSessionUpdate(
        session_id="s", started_at=NOW, duration=timedelta(minutes=1), reason="normal_clearing"
    )
    await app.replay_messaging_session(asha, SMS, session)


async def client(app: Elarian) -> None:
    token = await app.generate_auth_token()
    assert_type(token, AuthToken)
    assert_type(token.lifetime, timedelta)
    assert_type(await app.ping(), float)
    assert_type(app.connection_state, ConnectionState)
    assert_type(app.statistics().rejected, int)
    async with app.connection_states() as states:
        async for state in states:
            assert_type(state, ConnectionState)
    await app.reconnect_now()
    await app.disconnect()


async def phone(phone: Simulator) -> None:
    reply = await phone.receive_message("+254709759881", SMS, "", ["hi"])
    assert_type(reply, SimulatorReply)
    ussd = MessagingChannel.ussd("*1#")
    await phone.receive_message("+254709759881", ussd, "s", [UssdInput("1", "active")], cost=Cash("KES", 1))
    await phone.receive_message("+254709759881", ussd, "s", (VoiceCallInput(status="active", dtmf_digits="1"),))
    paybill = PaymentChannelNumber("83044")
    await phone.receive_payment("+254709759881", paybill, "t", Cash("KES", 1), "pending_confirmation")
    await phone.update_payment_status("t", PaymentStatus.SUCCESS)


async def mistakes(app: Elarian, asha: Customer) -> None:
    MessagingChannel("83044", "fax")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Channel("sms")
    await asha.update_messaging_consent(SMS, "maybe")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await asha.send_message("83044", "hi")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await asha.send_message(SMS, ["hi"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Tag("a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Tag("a", "b").key = "c"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    app.customer("+1", provider="pigeon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    try:
        await asha.create()
    except CommandFailed as failed:
        assert_type(failed.description, str)
        assert_type(failed.code, int | None)
