"""A random script of an app and a phone against a sandbox, and all that either of them was told, byte for byte.

Everything is drawn from the seed: what is asked, how notifications are answered, when time passes. Tokens are left out:
they are secrets, and no seed gives them.
"""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
from sandbox_clients import a_connection, a_setup

from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import Session, StreamFailed
from elarian_trio._transport import as_transport
from elarian_trio._wire.envelopes import decode_app_notification, encode_command, encode_notification_reply
from elarian_trio.models import commands as say
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.identity import CustomerNumber, Reminder, SecondaryId, Tag
from elarian_trio.models.messaging import Message, UssdInput, UssdMenu
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply
from elarian_trio.models.payments import Cash, CustomerPayment, PaymentChannelNumber, Purse, Wallet
from elarian_trio.models.voice import Say, VoiceCallInput
from elarian_trio.sandbox import Sandbox
from elarian_trio.sandbox.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anyio.abc import TaskGroup

    from elarian_trio._session import IncomingRequest
    from elarian_trio.models.commands import Command

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOUND = 60.0  # seconds that one script may take
TURNS = 60  # of the loop, after which whatever a step set going has arrived
PEOPLE = [f"+25470000000{digit}" for digit in range(4)]
TAGS = [Tag("level", "gold"), Tag("level", "iron")]
SMS, USSD = MessagingChannel.sms("83044"), MessagingChannel.ussd("*83044#")
WHATSAPP, VOICE = MessagingChannel.whatsapp("+254711621711"), MessagingChannel.voice("+254711621711")
PAYBILL, PURSE = PaymentChannelNumber("83044"), Purse("el_prs_rL3IPZ")


class Scribe:
    """A client that notes the bytes of everything that it is told, in order, and answers as its dice say."""

    def __init__(self, dice: random.Random, *, is_phone: bool) -> None:
        self._dice = dice
        self._is_phone = is_phone
        self.heard: list[bytes] = []
        self.said: dict[int, bytes] = {}
        self.session: Any = None

    def hear(self, request: IncomingRequest) -> None:
        """Note and answer a notification."""
        self.heard.append(request.data)
        if self._is_phone:
            request.respond(b"")
            return
        code = self._dice.choices((None, ErrorCode.APPLICATION_ERROR, ErrorCode.REJECTED), (30, 1, 1))[0]
        if code is not None:
            request.fail(code, "the script says so")
            return
        _, app_data = decode_app_notification(request.data)
        update = self._dice.choice((None, AppDataUpdate(app_data), AppDataUpdate("step"), AppDataUpdate(None)))
        message = self._dice.choice((None, UssdMenu("1. apply"), UssdMenu("bye", is_terminal=True), "hi", (Say("hi"),)))
        reply = NotificationReply(data_update=update, message=None if message is None else Message.of(message))
        request.respond(encode_notification_reply(reply))

    async def ask(self, number: int, command: Command[Any]) -> None:
        """Send a command, and note the bytes it is answered with."""
        try:
            self.said[number] = await self.session.request(encode_command(command))
        except StreamFailed as error:
            self.said[number] = f"{error.code} {error.message}".encode()


@asynccontextmanager
async def scribe(sandbox: Sandbox, dice: random.Random, *, is_phone: bool) -> AsyncIterator[Scribe]:
    """Connect a client for a block."""
    client = Scribe(dice, is_phone=is_phone)
    transport = as_transport(await sandbox.credentials["dial"]())
    setup = a_setup(sandbox.credentials, simulator_mode=is_phone)
    client.session = Session(a_connection(setup, timed=False), client.hear)
    async with anyio.create_task_group() as tasks:

        async def run(*, task_status: anyio.abc.TaskStatus[None]) -> None:
            await client.session.run(transport, task_status=task_status)

        await tasks.start(run)
        yield client
        client.session.close()
        tasks.cancel_scope.cancel()


async def write_transcript(seed: int, steps: int = 40) -> list[bytes]:
    """Play the script of *seed* in a sandbox of its own, and give all that app and phone were told."""
    dice = random.Random(seed)
    clock = ManualClock(START)
    with anyio.fail_after(BOUND):
        async with Sandbox(seed=seed, clock=clock, settle=dice.choice(("auto", "manual"))) as sandbox:
            async with (
                scribe(sandbox, random.Random(dice.random()), is_phone=False) as app,
                scribe(sandbox, random.Random(dice.random()), is_phone=True) as phone,
                anyio.create_task_group() as tasks,
            ):
                for step in range(steps):
                    await _take(step, Script(dice, app, phone), tasks, clock)
                await clock.advance(timedelta(seconds=300))  # whoever still waits for a lease gives up by then
                tasks.cancel_scope.cancel()
            said = [b"%d: %b" % each for client in (app, phone) for each in sorted(client.said.items())]
            return [*said, *app.heard, b"and the phone", *phone.heard]


async def _take(step: int, script: Script, tasks: TaskGroup, clock: ManualClock) -> None:
    """Take one step: up to three things at once, and sometimes time passes."""
    for number in range(script.dice.randint(1, 3)):
        client, command = script.draw()
        tasks.start_soon(client.ask, 4 * step + number, command)
    await _settle()
    if script.dice.random() < 0.4:
        await clock.advance(timedelta(seconds=script.dice.choice((0.1, 0.2, 0.5, 1, 30, 61, 4_000))))


async def _settle() -> None:
    for _ in range(TURNS):
        await anyio.lowlevel.checkpoint()


class Script:
    """What may be asked next."""

    def __init__(self, dice: random.Random, app: Scribe, phone: Scribe) -> None:
        self.dice = dice
        self.app = app
        self.phone = phone

    def draw(self) -> tuple[Scribe, Command[Any]]:
        """Give who asks next, and what."""
        drawn: Callable[[Script], Command[Any]] = self.dice.choice((*_APPS, *_PHONES))
        return (self.app if drawn in _APPS else self.phone), drawn(self)

    @property
    def person(self) -> str:
        """Somebody's number."""
        return self.dice.choice(PEOPLE)

    @property
    def number(self) -> CustomerNumber:
        """The same, as apps name it."""
        return CustomerNumber(self.person)

    @property
    def channel(self) -> MessagingChannel:
        """A channel of the organisation, or one that it does not have."""
        return self.dice.choice((SMS, SMS, WHATSAPP, VOICE, MessagingChannel.sms("nobody's")))

    @property
    def soon(self) -> datetime:
        """A moment near the beginning."""
        return START + timedelta(seconds=self.dice.choice((-10, 1, 60, 600, 5_000)))

    @property
    def value(self) -> Cash:
        """An amount, or what is none."""
        return Cash("KES", self.dice.choice((100, 100, "20.5", 0)))

    @property
    def reminder(self) -> Reminder:
        """A reminder, once or again and again."""
        interval = self.dice.choice((None, timedelta(seconds=60), timedelta(seconds=600)))
        return Reminder(self.dice.choice("ab"), self.soon, interval, "payload")

    @property
    def ledger(self) -> Purse | CustomerPayment:
        """A party to a payment."""
        return self.dice.choice((PURSE, CustomerPayment(self.number, PAYBILL)))


_APPS: list[Callable[[Script], Command[Any]]] = [
    lambda it: say.CreateCustomer(customer_number=it.number),
    lambda it: say.GetCustomerState(customer=it.number),
    lambda it: say.GetCustomerState(customer=SecondaryId("passport", it.dice.choice("AB"))),
    lambda it: say.UpdateCustomerTag(customer=it.number, updates=(it.dice.choice(TAGS), Tag("x", "y", it.soon))),
    lambda it: say.UpdateCustomerSecondaryId(
        customer=it.number, updates=(SecondaryId("passport", it.dice.choice("AB"), it.soon),)
    ),
    lambda it: say.UpdateCustomerMetadata(customer=it.number, updates={it.dice.choice("ab"): "1"}),
    lambda it: say.UpdateCustomerAppData(customer=it.number, update=it.dice.choice(("home", b"away"))),
    lambda it: say.LeaseCustomerAppData(customer=it.number),
    lambda it: say.DeleteCustomerAppData(customer=it.number),
    lambda it: say.AddCustomerReminder(customer=it.number, reminder=it.reminder),
    lambda it: say.AddCustomerReminderTag(tag=it.dice.choice(TAGS), reminder=it.reminder),
    lambda it: say.CancelCustomerReminderTag(tag=it.dice.choice(TAGS), key="a"),
    lambda it: say.SendMessage(customer_number=it.number, channel_number=it.channel, message=Message.of("hello")),
    lambda it: say.SendMessage(customer_number=it.number, channel_number=VOICE, message=Message.of((Say("hello"),))),
    lambda it: say.SendMessageTag(tag=it.dice.choice(TAGS), channel_number=SMS, message=Message.of("to all")),
    lambda it: say.UpdateMessagingConsent(
        customer_number=it.number, channel_number=SMS, update=it.dice.choice(("allow", "block"))
    ),
    lambda it: say.InitiatePayment(debit_party=it.ledger, credit_party=it.ledger, value=it.value),
    lambda it: say.InitiatePayment(debit_party=PURSE, credit_party=Wallet(it.person, "main"), value=it.value),
    lambda it: say.CustomerActivity(customer_number=it.number, source="shop", session_id="s", key="join"),
    lambda it: say.DeleteCustomer(customer=it.number),
]
_PHONES: list[Callable[[Script], Command[Any]]] = [
    lambda it: say.ReceiveMessage(customer_number=it.person, channel_number=SMS, parts=("hello",)),
    lambda it: say.ReceiveMessage(customer_number=it.person, channel_number=WHATSAPP, parts=("hello",), session_id="w"),
    lambda it: say.ReceiveMessage(
        customer_number=it.person,
        channel_number=USSD,
        parts=(UssdInput("1", "active"),),
        session_id=it.dice.choice("uv"),
    ),
    lambda it: say.ReceiveMessage(
        customer_number=it.person,
        channel_number=VOICE,
        parts=(VoiceCallInput(direction="inbound", status=it.dice.choice(("ringing", "active", "completed"))),),
        session_id="c",
    ),
    lambda it: say.ReceivePayment(
        transaction_id=f"MPESA{it.dice.randint(0, 20)}",
        channel_number=PAYBILL,
        customer_number=it.person,
        value=it.value,
        status=it.dice.choice(("success", "pending_confirmation")),
    ),
    lambda it: say.UpdatePaymentStatus(
        transaction_id=f"MPESA{it.dice.randint(0, 20)}", status=it.dice.choice(("success", "failed", "reversed"))
    ),
]
