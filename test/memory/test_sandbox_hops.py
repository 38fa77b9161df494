"""Customers at the phone, seen by raw clients: what a hop is answered with, and that nobody is kept waiting."""

from __future__ import annotations

from datetime import timedelta

import anyio
import pytest
from sandbox_clients import Said, next_hop, raw_client

from elarian_trio._rsocket import ErrorCode
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import LeaseCustomerAppData, ReceiveMessage, SendMessage
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.messaging import Message, UssdInput, UssdMenu
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply
from elarian_trio.sandbox import Sandbox

pytestmark = pytest.mark.anyio

ASHA = CustomerNumber("+254709759881")
DIAL = ReceiveMessage(
    customer_number=ASHA.number,
    channel_number=MessagingChannel.ussd("*83044#"),
    parts=(UssdInput("", "active"),),
    session_id="1",
)
MENU = NotificationReply(message=Message(UssdMenu("Welcome")), data_update=AppDataUpdate("home"))


async def test_what_the_app_answers_is_what_the_phone_is_told() -> None:
    """Facts, section 4: the app's reply message is returned in the simulator command's reply."""
    async with (
        Sandbox() as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simulator_mode=True) as phone,
        anyio.create_task_group() as tasks,
    ):
        said = Said(phone, tasks)
        await said.send(DIAL)
        (await next_hop(app)).answer(MENU)
        await phone.settle()
        (reply,) = said.replies
        assert reply.status
        assert reply.message.body == UssdMenu("Welcome")
        assert (await app.send(LeaseCustomerAppData(customer=ASHA))).value == "home"


async def test_nobody_there_is_an_answer_at_once() -> None:
    """Facts, decision 18: no duplex connection, status=false; the customer is not kept on the line."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox, simulator_mode=True) as phone:
        assert not (await phone.send(DIAL)).status


@pytest.mark.parametrize("code", [ErrorCode.APPLICATION_ERROR, ErrorCode.REJECTED])
async def test_an_app_that_fails_is_an_answer_at_once(code: int) -> None:
    """Facts, decision 16: interactive hops are not retried, status=false at once."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simulator_mode=True) as phone,
        anyio.create_task_group() as tasks,
    ):
        said = Said(phone, tasks)
        await said.send(DIAL)
        (await next_hop(app)).fail(code)
        await phone.settle()
        assert [reply.status for reply in said.replies] == [False]


async def test_an_app_that_vanishes_mid_hop_is_an_answer_at_once() -> None:
    """This SDK: the customer at the phone does not wait for the app to come back."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        anyio.create_task_group() as tasks,
    ):
        said = Said(phone, tasks)
        async with raw_client(sandbox) as app:
            await said.send(DIAL)
            await next_hop(app)
        await phone.settle()
        assert [reply.status for reply in said.replies] == [False]


async def test_a_silent_app_is_given_20_seconds() -> None:
    """Facts, decision 15: 20 s for USSD and voice, then an empty reply, which is no menu."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simulator_mode=True) as phone,
        anyio.create_task_group() as tasks,
    ):
        said = Said(phone, tasks)
        await said.send(DIAL)
        hop = await next_hop(app)
        await sandbox.clock.advance(timedelta(seconds=19))
        assert said.replies == []
        await sandbox.clock.advance(timedelta(seconds=1))
        await phone.settle()
        assert [reply.status for reply in said.replies] == [False]
        assert hop.request.canceled


async def test_a_phone_that_hangs_up_mid_hop_harms_nobody() -> None:
    """The design: a client that goes away mid-command harms nobody."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        async with raw_client(sandbox, simulator_mode=True) as phone, anyio.create_task_group() as tasks:
            await Said(phone, tasks).send(DIAL)
            hop = await next_hop(app)
            tasks.cancel_scope.cancel()
        hop.answer(MENU)
        await app.settle()
        assert (await app.send(LeaseCustomerAppData(customer=ASHA))).value == "home"


async def test_a_hop_waits_five_seconds_for_somebody_elses_lease() -> None:
    """Facts, decision 11: at most about 5 s, then sent with the value as it is."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simplex_mode=True) as other,
        raw_client(sandbox, simulator_mode=True) as phone,
        anyio.create_task_group() as tasks,
    ):
        said = Said(phone, tasks)
        await said.send(DIAL)
        (await next_hop(app)).answer(MENU)
        await phone.settle()
        assert (await other.send(LeaseCustomerAppData(customer=ASHA))).status
        await said.send(DIAL)
        heard = len(app.heard)
        await sandbox.clock.advance(timedelta(seconds=6))
        assert len(app.heard) > heard
        hop = await next_hop(app)
        assert hop.app_data == "home"
        hop.answer(MENU)
        await phone.settle()
        assert [reply.status for reply in said.replies] == [True, True]


async def test_all_phones_of_the_organisation_ring() -> None:
    """Facts, decision 19: to every simulator connection, also those that set the simplex flag."""
    async with (
        Sandbox() as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simulator_mode=True) as one,
        raw_client(sandbox, simulator_mode=True, simplex_mode=True) as two,
    ):
        sms = SendMessage(customer_number=ASHA, channel_number=MessagingChannel.sms("83044"), message=Message("Hi"))
        sent = await app.send(sms)
        for phone in (one, two):
            heard = await phone.next()
            assert heard.notification.message_id == sent.message_id
            heard.request.respond(b"")


async def test_500_customers_dial_at_once() -> None:
    """This SDK: hops of different customers go side by side, and each phone is told its own menu."""
    async with (
        Sandbox() as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simulator_mode=True) as phone,
    ):
        told: dict[str, str] = {}

        async def dial(number: str) -> None:
            command = ReceiveMessage(
                customer_number=number, channel_number=DIAL.channel_number, parts=DIAL.parts, session_id=number
            )
            told[number] = (await phone.send(command)).message.body.text

        async def serve() -> None:
            while True:
                hop = await next_hop(app)
                hop.answer(NotificationReply(message=Message(UssdMenu(hop.notification.customer_number.number))))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            async with anyio.create_task_group() as customers:
                for number in range(500):
                    customers.start_soon(dial, f"+2547{number:08}")
            tasks.cancel_scope.cancel()
        assert len(told) == 500
        assert all(number == text for number, text in told.items())
