"""The sandbox keeps sessions whose connection was cut: nothing lost, nothing twice, order kept, nobody on hold."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from resuming_clients import ASHA, CutTransport, dialled, resuming_client, visit
from sandbox_clients import BOUND, Said, next_hop, raw_client

from elarian_trio import Backoff, ConnectionOptions, Elarian, Simulator
from elarian_trio.models.channels import MessagingChannel
from elarian_trio.models.commands import LeaseCustomerAppData, ReceiveMessage, SendMessage, UpdateCustomerAppData
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.messaging import Message, UssdInput, UssdMenu
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply
from elarian_trio.sandbox import Sandbox

if TYPE_CHECKING:
    from sandbox_clients import Heard

pytestmark = pytest.mark.anyio

SMS = SendMessage(customer_number=ASHA, channel_number=MessagingChannel.sms("83044"), message=Message("Hi"))
DIAL = ReceiveMessage(
    customer_number=ASHA.number,
    channel_number=MessagingChannel.ussd("*83044#"),
    parts=(UssdInput("", "active"),),
    session_id="1",
)
MENU = NotificationReply(message=Message(UssdMenu("Welcome")))
A_SECOND = timedelta(seconds=1)
AT_ONCE = ConnectionOptions(reconnect=Backoff(first=0.0, jitter=0.0))


def keys(heard: list[Heard]) -> list[str]:
    """Give what :func:`visit` was given, of each notification that came."""
    return [each.notification.activity.key for each in heard]


# --- commands ---


@pytest.mark.parametrize("lost", ["command", "reply", "nothing"])
async def test_a_command_in_flight_is_executed_once(lost: str) -> None:
    """The design's promise 1: no command lost, none executed twice, wherever the cut meets it."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        resuming_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        app.transport.loses_up, app.transport.loses_down = lost == "command", lost == "reply"
        said = Said(app, tasks)
        await said.send(SMS)
        assert len(phone.heard) == (lost != "command")
        assert len(said.replies) == (lost == "nothing")
        await app.cut()
        await app.resume()
        assert [reply.status for reply in said.replies] == ["sent"]
        assert len(phone.heard) == 1


async def test_a_command_given_during_the_cut_is_executed_after_it() -> None:
    """The design's promise 1: commands wait for the connection, and go out on it once."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        resuming_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        await app.cut()
        said = Said(app, tasks)
        await said.send(SMS)
        assert phone.heard == said.replies == []
        await app.resume()
        assert [reply.status for reply in said.replies] == ["sent"]
        assert len(phone.heard) == 1


async def test_a_place_in_the_queue_for_a_lease_outlives_the_cut() -> None:
    """This SDK: a command that waits goes on, and its answer waits in the session."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as holder,
        resuming_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        await holder.send(LeaseCustomerAppData(customer=ASHA))
        said = Said(app, tasks)
        await said.send(LeaseCustomerAppData(customer=ASHA))
        await app.cut()
        await holder.send(UpdateCustomerAppData(customer=ASHA, update="new"))
        await app.resume()
        assert [reply.value for reply in said.replies] == ["new"]


# --- notifications ---


@pytest.mark.parametrize("lost", ["notification", "answer", "nothing"])
async def test_a_notification_in_flight_is_told_once_and_in_order(lost: str) -> None:
    """The design's promise 1: no notification lost, order kept; and what was answered is not told again."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simplex_mode=True) as shop,
        resuming_client(sandbox) as app,
    ):
        app.transport.loses_down = lost == "notification"
        for key in ("first", "second"):
            await shop.send(visit(key))
        await app.settle()
        app.transport.loses_up = lost == "answer"
        for heard in app.heard:
            heard.answer()
        await app.settle()
        await app.cut()
        await shop.send(visit("third"))
        await app.resume()
        while app.taken < 3:
            (await app.next()).answer()
        await app.settle()
        assert keys(app.heard) == ["first", "second", "third"]


async def test_a_client_may_be_back_before_the_server_knows_that_it_was_away() -> None:
    """The protocol: RESUME is let in while the old connection still looks open, and nothing more is read from that."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        resuming_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        app.transport.vanishes = True
        said = Said(app, tasks)
        await said.send(visit("look"))
        await app.cut()
        await said.send(SMS)
        await app.resume()
        assert len(said.replies) == 2
        assert len(phone.heard) == 1
        app.heard[0].answer()
        await app.settle()
        assert keys(app.heard) == ["look"]


async def test_what_an_app_answers_after_a_long_cut_is_its_answer() -> None:
    """This SDK: silence while a session is detached is no empty answer, however much of the sandbox's time passes."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simplex_mode=True) as shop,
        resuming_client(sandbox) as app,
    ):
        await shop.send(visit("look"))
        heard = await app.next()
        await app.cut()
        await sandbox.clock.advance(timedelta(hours=1))
        heard.answer(NotificationReply(data_update=AppDataUpdate("seen")))
        await app.resume()
        assert (await shop.send(LeaseCustomerAppData(customer=ASHA))).value == "seen"
        assert len(app.heard) == 1


async def test_other_customers_go_to_another_connection_during_the_cut() -> None:
    """Facts, decision 17: skipping those that cannot hear; what one was told is its own, and its customer waits."""
    juma = CustomerNumber("+254709759882")
    async with (
        Sandbox(clock="manual") as sandbox,
        resuming_client(sandbox) as app,
        raw_client(sandbox, simplex_mode=True) as shop,
    ):
        await shop.send(visit("hers"))
        await app.next()
        await app.cut()
        async with raw_client(sandbox) as other:
            await shop.send(visit("hers too"))
            await shop.send(visit("his", juma))
            await other.settle()
            assert keys(other.heard) == ["his"]
            await app.resume()
            app.heard[0].answer()
            await app.settle()
            assert sorted(keys(app.heard + other.heard)) == ["hers", "hers too", "his"]


async def test_phones_are_resumed_like_apps() -> None:
    """This SDK: a simulator hears what the organisation sends, once, whether it was cut meanwhile or not."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as app,
        resuming_client(sandbox, simulator_mode=True) as phone,
    ):
        phone.transport.loses_down = True
        sent = [await app.send(SMS)]
        await phone.cut()
        sent.append(await app.send(SMS))
        await phone.resume()
        for reply in sent:
            heard = await phone.next()
            assert heard.notification.message_id == reply.message_id
            heard.request.respond(b"")
        await phone.settle()
        assert len(phone.heard) == 2


@pytest.mark.parametrize("seed", range(10))
async def test_cuts_at_any_moment_lose_repeat_and_reorder_nothing(seed: int) -> None:
    """The design's promise 1, by a few hundred steps drawn from a seed."""
    dice = random.Random(seed)
    customers = [CustomerNumber(f"+2547{number:08}") for number in range(5)]
    sent: dict[str, list[str]] = defaultdict(list)
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simplex_mode=True) as shop,
        resuming_client(sandbox) as app,
    ):
        for step in range(300):
            match dice.randrange(6):
                case 0:
                    app.transport.loses_up |= dice.random() < 0.5  # until it is cut: nothing gets through behind a gap
                    app.transport.loses_down |= dice.random() < 0.5
                    await app.settle()
                case 1 if app.session.attached:
                    await app.cut()
                case 2 if not app.session.attached:
                    await app.resume()
                case 3 if len(app.heard) > app.taken:
                    (await app.next()).answer()
                case _:
                    customer = dice.choice(customers)
                    await shop.send(visit(f"{step}", customer))
                    sent[customer.number].append(f"{step}")
        if app.session.attached:
            await app.cut()
        await app.resume()
        while app.taken < sum(map(len, sent.values())):
            (await app.next()).answer()
        await app.settle()
        told: dict[str, list[str]] = defaultdict(list)
        for heard in app.heard:
            told[heard.notification.customer_number.number].append(heard.notification.activity.key)
        assert told == sent


# --- customers at the phone ---


async def test_a_customer_who_dials_during_a_cut_is_served_a_second_later() -> None:
    """This SDK: an app that is back within a second is there; nobody is told that it is not."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        resuming_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        await app.cut()
        said = Said(phone, tasks)
        await said.send(DIAL)
        await sandbox.clock.advance(A_SECOND)
        assert said.replies == []
        await app.resume()
        (await next_hop(app)).answer(MENU)
        await phone.settle()
        assert [reply.message.body for reply in said.replies] == [UssdMenu("Welcome")]


@pytest.mark.parametrize("lost", ["hop", "menu"])
async def test_a_hop_in_flight_is_told_once_and_its_menu_arrives(lost: str) -> None:
    """The design's promise 1, for the notification that cannot be sent twice."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        resuming_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        said = Said(phone, tasks)
        app.transport.loses_down = lost == "hop"
        await said.send(DIAL)
        if lost == "menu":
            hop = await next_hop(app)
            app.transport.loses_up = True
            hop.answer(MENU)
            await app.settle()
        assert said.replies == []
        await app.cut()
        await sandbox.clock.advance(A_SECOND)
        await app.resume()
        if lost == "hop":
            (await next_hop(app)).answer(MENU)
        await phone.settle()
        assert [reply.message.body for reply in said.replies] == [UssdMenu("Welcome")]
        heard = [each.notification for each in app.heard]
        assert len(heard) == len({type(each) for each in heard})


async def test_a_customer_is_not_kept_on_the_line_for_an_app_that_stays_away() -> None:
    """Facts, decision 15: 20 s at most, then status=false; the app that is back later is not asked."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        resuming_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        await app.cut()
        said = Said(phone, tasks)
        await said.send(DIAL)
        await sandbox.clock.advance(19 * A_SECOND)
        assert said.replies == []
        await sandbox.clock.advance(A_SECOND)
        assert [reply.status for reply in said.replies] == [False]


async def test_an_app_that_says_goodbye_keeps_nobody_waiting() -> None:
    """This SDK: CONNECTION_CLOSE ends the session at once, so there is nothing to wait for."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        resuming_client(sandbox) as app,
    ):
        app.session.close()
        await app.settle()
        assert not (await phone.send(DIAL)).status


async def test_the_end_of_a_session_tells_the_customer_at_the_phone() -> None:
    """Facts, decision 18: once nobody can come back, nobody waits."""
    async with (
        Sandbox(clock="manual", resume_window=0.01) as sandbox,
        raw_client(sandbox, simulator_mode=True) as phone,
        resuming_client(sandbox) as app,
    ):
        await app.cut()
        assert not (await phone.send(DIAL)).status


# --- clients as users write them ---


async def test_an_app_that_is_cut_serves_the_customer_who_dials_then() -> None:
    """The mission of resumption: a customer waits 15 s for a menu; an app back in a second is in time."""
    async with Sandbox() as sandbox, Simulator(**sandbox.credentials) as phone:
        transports: list[CutTransport] = []

        async def dial() -> CutTransport:
            transports.append(await dialled(sandbox))
            return transports[-1]

        async def serve(_notification: object, _customer: object, _data: object, callback: Any) -> None:  # noqa: ANN401
            callback(UssdMenu("Welcome"))

        async with Elarian(**{**sandbox.credentials, "dial": dial}, options=AT_ONCE) as app:
            app.on("ussdSession", serve)
            await transports[-1].aclose()
            with anyio.fail_after(BOUND):
                said = await phone.receive_message(ASHA.number, DIAL.channel_number, "1", [UssdInput("", "active")])
            assert said.message is not None
            assert said.message.body == UssdMenu("Welcome")
            assert app.statistics().resumptions == 1


async def test_an_app_does_without_where_nothing_is_resumed() -> None:
    """The design: resume="auto" falls back where the server refuses; a cut then costs the session."""
    async with Sandbox(resume_window=0) as sandbox, Elarian(**sandbox.credentials) as app:
        await app.ping()
        assert app.statistics().resumptions == 0
