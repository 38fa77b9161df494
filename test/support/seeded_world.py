"""A world with channels, a paybill and purses, for tests of messages and money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from world_support import APP, ASHA, ORG, World

from elarian_trio.models.channels import Channel, MessagingChannel
from elarian_trio.models.commands import CreateCustomer, GetCustomerState, ReceiveMessage, SendMessage
from elarian_trio.models.messaging import Message
from elarian_trio.models.payments import (
    Cash,
    CustomerPayment,
    PaymentBalance,
    PaymentChannel,
    PaymentChannelNumber,
    Purse,
)
from elarian_trio.sandbox.world.addresses import channel_key, payment_channel_key
from elarian_trio.sandbox.world.effects import WaitForHop
from elarian_trio.sandbox.world.entities import ChannelRecord, PaymentChannelRecord, PurseKey, PurseRecord
from elarian_trio.sandbox.world.work import Settings

if TYPE_CHECKING:
    from elarian_trio.models.identity import CustomerNumber
    from elarian_trio.models.messaging import InboundMessageBody, MessageBody
    from elarian_trio.models.replies import MessageReply
    from elarian_trio.models.state import CustomerState
    from elarian_trio.sandbox.world.effects import Hop

SMS = MessagingChannel.sms("83044")
USSD = MessagingChannel.ussd("*83044#")
VOICE = MessagingChannel.voice("+254711621711")
WHATSAPP = MessagingChannel.whatsapp("+254711621711")
TELEGRAM = MessagingChannel.telegram("elarian_bot")
MESSENGER = MessagingChannel.fb_messenger("elarian")
EMAIL = MessagingChannel.email("hello@elarian.example")
CHANNELS = (SMS, USSD, VOICE, WHATSAPP, TELEGRAM, MESSENGER, EMAIL)
PAYBILL = PaymentChannelNumber("83044")
PURSE = Purse("el_prs_rL3IPZ")
SAVINGS = Purse("el_prs_saving")
AT_PAYBILL = CustomerPayment(ASHA, PAYBILL)


def seeded_world(**settings: Any) -> World:  # noqa: ANN401 - whatever the settings take
    """Give a world with one channel number of each kind, one paybill, a purse with 1,000 KES and an empty one."""
    world = World(settings=Settings(**settings))
    for channel in CHANNELS:
        key = channel_key(ORG, channel)
        world.put(ChannelRecord(org_id=ORG, channel=Channel(key.channel), number=key.number, app_id=APP))
    number = payment_channel_key(ORG, PAYBILL).number
    world.put(
        PaymentChannelRecord(
            org_id=ORG, channel=PaymentChannel.CELLULAR, number=number, app_id=APP, purse_id=PURSE.purse_id
        ),
        PurseRecord(org_id=ORG, purse_id=PURSE.purse_id, balances={"KES": opened(Cash("KES", 1000))}),
        PurseRecord(org_id=ORG, purse_id=SAVINGS.purse_id),
    )
    return world


def opened(cash: Cash) -> PaymentBalance:
    """Give a balance to begin with."""
    return PaymentBalance(currency_code=cash.currency_code, available=cash, actual=cash)


def purse_balance(world: World, purse: Purse = PURSE, currency: str = "KES") -> PaymentBalance:
    """Give what is in a purse."""
    record = world.records[PurseKey(ORG, purse.purse_id)]
    assert isinstance(record, PurseRecord)
    return record.balances[currency]


def customer_id(world: World, number: CustomerNumber = ASHA) -> str:
    """Give the id of the customer with a number, made if need be."""
    found: str = world.run(CreateCustomer(customer_number=number)).customer_id
    return found


def state(world: World, number: CustomerNumber = ASHA) -> CustomerState:
    """Give everything that is known of a customer."""
    found: CustomerState = world.run(GetCustomerState(customer=number)).data
    return found


def send(
    world: World,
    body: Message | MessageBody,
    channel: MessagingChannel = SMS,
    number: CustomerNumber = ASHA,
    app_id: str = APP,
) -> MessageReply:
    """Send a message, and give the reply."""
    command = SendMessage(customer_number=number, channel_number=channel, message=Message.of(body))
    reply: MessageReply = world.run(command, app_id=app_id)
    assert reply.description
    return reply


def phone(
    world: World,
    *parts: InboundMessageBody | None,
    channel: MessagingChannel = SMS,
    session_id: str | None = "",
    number: str = ASHA.number,
    **details: Any,  # noqa: ANN401 - the command's other fields
) -> Any:  # noqa: ANN401 - a reply, or what the phone waits for
    """Have a phone do something."""
    command = ReceiveMessage(
        customer_number=number, channel_number=channel, parts=parts, session_id=session_id, **details
    )
    return world.run(command)


def hop(world: World, part: InboundMessageBody, channel: MessagingChannel = USSD, session_id: str = "s") -> Hop:
    """Have a phone do something that waits for the app, and give what it waits with."""
    waiting = phone(world, part, channel=channel, session_id=session_id)
    assert isinstance(waiting, WaitForHop), waiting
    return waiting.hop
