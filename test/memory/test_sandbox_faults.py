"""Failures on purpose: each does what its words say, a client sees of it what it should, and the sandbox goes on."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from peers import until
from provoking import A_SECOND, ASHA, AT_ONCE, JUMA, NOT_RESUMED, SMS, meeting, moments, ways
from sandbox_clients import BOUND, Said, raw_client

from elarian_trio import (
    Backoff,
    CommandFailed,
    CommandRejected,
    CommandTimedOut,
    ConnectionLost,
    ConnectionOptions,
    Elarian,
    MessagingChannel,
    Reminder,
    SecondaryId,
    Tag,
)
from elarian_trio._session import StreamFailed
from elarian_trio.models.commands import LeaseCustomerAppData, SendMessage, UpdateCustomerAppData
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.messaging import Message
from elarian_trio.sandbox import Fault, Sandbox, load_faults

if TYPE_CHECKING:
    from pathlib import Path

    from elarian_trio.sandbox.faults.values import When

pytestmark = pytest.mark.anyio


# --- commands: refused, failed ---


async def test_a_message_is_refused_as_often_as_told_and_never_sent() -> None:
    """Issue 4, item 5: a given status, by command and customer; the command is not executed."""
    async with meeting() as met:
        rule = met.faults.add(
            Fault.refuse("insufficient_credits", description="top up"), on=SendMessage, number=ASHA, times=2
        )
        juma = met.app.customer(JUMA)
        replies = [await met.asha.send_message(SMS, f"{number}") for number in range(3)]
        replies.append(await juma.send_message(SMS, "his"))
        await met.settle()
        assert [reply.status for reply in replies] == ["insufficient_credits", "insufficient_credits", "sent", "sent"]
        assert (replies[0].description, replies[0].message_id) == ("top up", None)
        assert met.texts == ["2", "his"]
        assert (rule.seen, rule.bites, rule.is_spent, met.faults.bites) == (2, 2, True, 2)


async def test_a_command_with_a_boolean_status_is_refused_as_the_world_does_it() -> None:
    """The design: a reply whose boolean status is false raises CommandFailed."""
    async with meeting() as met:
        met.faults.add(Fault.refuse(False), on="UpdateCustomerTag", skip=1)
        await met.asha.update_tags(Tag("a", "1"))
        with pytest.raises(CommandFailed, match="provoked") as caught:
            await met.asha.update_tags(Tag("b", "2"))
        assert caught.value.reply is not None
        assert [tag.key for tag in await met.asha.get_tags()] == ["a"]


async def test_a_phones_command_is_refused_too() -> None:
    """Issue 4, item 5: simulators send commands, whose customers are bare numbers."""
    async with meeting() as met:
        met.faults.add(Fault.refuse(), on="SimulatorCommand", number=ASHA, channel=SMS)
        await met.phone.receive_message(JUMA, SMS, "1", ["Hello"])
        with pytest.raises(CommandFailed):
            await met.phone.receive_message(ASHA, SMS, "2", ["Hello"])


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault.error("REJECTED"), CommandRejected, None),
        (Fault.error("APPLICATION_ERROR"), CommandFailed, 0x201),
        (Fault.error("CANCELED"), CommandFailed, 0x203),
        (Fault.error("INVALID"), CommandFailed, 0x204),
        (Fault.error(0x4D2), CommandFailed, 0x4D2),
    ],
    ids=lambda given: str(getattr(given, "code", "")),
)
async def test_an_error_of_the_stream_comes_with_its_code(
    fault: Fault, error: type[CommandFailed | CommandRejected], code: int | None
) -> None:
    """Issue 4, item 5: a given error; the design says which exception each code is."""
    async with meeting() as met:
        met.faults.add(fault, on=SendMessage)
        with pytest.raises(error, match="provoked") as caught:
            await met.asha.send_message(SMS, "Hello")
        assert code is None or getattr(caught.value, "code", None) == code
        assert met.texts == []


async def test_an_error_may_hide_that_the_command_was_executed() -> None:
    """Issue 4, item 5: what users need to test idempotence."""
    async with meeting() as met:
        met.faults.add(Fault.error("APPLICATION_ERROR", "who knows", when="after"), on=SendMessage)
        with pytest.raises(CommandFailed, match="who knows"):
            await met.asha.send_message(SMS, "Hello")
        await met.settle()
        assert met.texts == ["Hello"]


async def test_a_command_that_cannot_be_read_is_bitten_by_no_rule() -> None:
    """Facts, decision 4: a stream ERROR INVALID, and the connection stays up."""
    async with meeting() as met, raw_client(met.sandbox) as other:
        rule = met.faults.add(Fault.drop())
        with anyio.fail_after(BOUND), pytest.raises(StreamFailed) as caught:
            await other.session.request(b"\xff\xff")
        assert (caught.value.code, rule.seen) == (0x204, 0)


# --- commands: slow ---


@moments
async def test_a_delayed_command_is_answered_when_its_time_has_come(when: When) -> None:
    """Issue 4, item 5: delay, by the sandbox's time, before it is executed or after."""
    async with meeting() as met, anyio.create_task_group() as tasks, raw_client(met.sandbox) as other:
        met.faults.add(Fault.delay(3, when=when), on=SendMessage)
        said = Said(other, tasks)
        await said.send(SendMessage(customer_number=CustomerNumber(ASHA), channel_number=SMS, message=Message("Hello")))
        await met.settle(2.9 * A_SECOND)
        assert said.replies == []
        assert met.texts == ["Hello"] * (when == "after")
        await met.settle(0.1 * A_SECOND)
        await other.settle()
        assert [reply.status for reply in said.replies] == ["sent"]
        assert met.texts == ["Hello"]


@moments
async def test_who_gives_a_delayed_command_up_in_time_prevents_it(when: When) -> None:
    """The protocol: a CANCEL reaches the server while it waits; what was executed by then was."""
    options = ConnectionOptions(command_timeout=0.05)
    async with meeting(options) as met:
        met.faults.add(Fault.delay(3, when=when), on=SendMessage)
        with pytest.raises(CommandTimedOut) as caught:
            await met.asha.send_message(SMS, "Hello")
        assert caught.value.sent
        await met.settle(3 * A_SECOND)
        assert met.texts == ["Hello"] * (when == "after")


# --- commands: cut off ---


@moments
@ways
async def test_a_connection_that_is_dropped_around_a_command(when: When, options: ConnectionOptions) -> None:
    """The design's promise 1: resumed, it is executed once and answered; else ConnectionLost says what may be."""
    async with meeting(options) as met:
        rule = met.faults.add(Fault.drop(when=when), on=SendMessage)
        if options is AT_ONCE:
            assert (await met.asha.send_message(SMS, "Hello")).status == "sent"
            assert met.app.statistics().resumptions == 1
        else:
            with pytest.raises(ConnectionLost) as caught:
                await met.asha.send_message(SMS, "Hello")
            assert caught.value.sent
        met.faults.remove(rule)
        await met.settle()
        assert met.texts == ["Hello"] * (options is AT_ONCE or when == "after")
        assert (rule.bites, met.faults.bites) == (1, 1)
        assert met.app.statistics().sessions_lost == (options is NOT_RESUMED)


async def test_commands_in_flight_keep_their_order_over_drops() -> None:
    """The design's promise 1: no command lost, none twice, order kept, whatever is cut in between."""
    async with meeting(seed=4) as met, anyio.create_task_group() as tasks:
        rule = met.faults.add(Fault.drop(), on=SendMessage, probability=0.5)
        for number in range(20):
            tasks.start_soon(met.asha.send_message, SMS, f"{number:02}")
            await anyio.lowlevel.checkpoint()
            await until(lambda number=number: met.app.statistics().commands == number + 1)
        await until(lambda: len(met.texts) == 20)
        assert met.texts == sorted(map(str, met.texts))
        assert 0 < rule.bites < 20


@moments
@pytest.mark.parametrize("code", ["CONNECTION_ERROR", "CONNECTION_CLOSE"])
async def test_a_session_that_the_server_ends_around_a_command(when: When, code: Any) -> None:  # noqa: ANN401
    """Issue 4, item 5: nothing resumes it, and the client comes again with a new one."""
    async with meeting() as met:
        rule = met.faults.add(Fault.end_session(code, "go away", when=when), on=SendMessage)
        with pytest.raises(ConnectionLost) as caught:
            await met.asha.send_message(SMS, "Hello")
        assert caught.value.sent
        met.faults.remove(rule)
        await met.settle()
        await until(lambda: met.app.statistics().reconnects == 1)
        assert met.texts == ["Hello"] * (when == "after")
        assert (rule.bites, met.app.statistics().resumptions) == (1, 0)


@ways
async def test_a_lease_whose_answer_was_lost_with_its_session_is_free(options: ConnectionOptions) -> None:
    """Facts, decision 10: who is gone holds no lease; who is back has it."""
    async with meeting(options) as met, raw_client(met.sandbox) as other, anyio.create_task_group() as tasks:
        await other.send(UpdateCustomerAppData(customer=CustomerNumber(ASHA), update="kept"))
        rule = met.faults.add(Fault.drop(when="after"), on=LeaseCustomerAppData)
        if options is AT_ONCE:
            assert await met.asha.lease_app_data() == "kept"
        else:
            with pytest.raises(ConnectionLost):
                await met.asha.lease_app_data()
        met.faults.remove(rule)
        said = Said(other, tasks)
        await said.send(LeaseCustomerAppData(customer=CustomerNumber(ASHA)))
        assert len(said.replies) == (options is NOT_RESUMED)
        await met.settle(90 * A_SECOND)
        await until(lambda: len(said.replies) == 1)
        await other.send(UpdateCustomerAppData(customer=CustomerNumber(ASHA), update="free"))


# --- commands: answered twice ---


@ways
async def test_a_second_answer_is_ignored_and_the_session_lives(options: ConnectionOptions) -> None:
    """The protocol: a PAYLOAD that nobody waits for is dropped, and counted; the command was executed once."""
    async with meeting(options) as met:
        met.faults.add(Fault.answer_twice(), on=SendMessage, times=1)
        assert (await met.asha.send_message(SMS, "Hello")).status == "sent"
        await met.settle()
        assert met.app.statistics().frames_ignored == 1
        assert met.texts == ["Hello"]
        met.faults.add(Fault.drop(when="after"), on="GetCustomerState", times=1)
        await met.asha.get_state()  # a read: where nothing is resumed, it is sent again in silence
        assert met.app.statistics().resumptions == (options is AT_ONCE)


# --- whom and what a rule looks at ---


async def test_a_customer_is_known_by_number_where_only_an_id_is_named() -> None:
    """Issue 4, item 5: rules by customer number; reports, reminders and half of the commands name an id."""
    async with meeting() as met:
        sent = await met.asha.send_message(SMS, "Hello")
        his = await met.app.customer(JUMA).send_message(SMS, "Hello")
        await met.asha.update_secondary_ids(SecondaryId("passport", "A1"))
        rule = met.faults.add(Fault.deliver_late(5), on="MessageStatusNotification", number=ASHA)
        await met.settle(A_SECOND)
        assert len(met.statuses) == 1
        await met.settle(5 * A_SECOND)
        assert (len(met.statuses), rule.bites) == (2, 1)
        rule = met.faults.add(Fault.refuse(), on=["AddCustomerReminder", "ReplyToMessage"], number=ASHA)
        by_id, by_name = (
            met.app.customer(customer_id=sent.customer_id),
            met.app.customer(secondary_id=("passport", "A1")),
        )
        reminder = Reminder("k", met.sandbox.clock.now() + timedelta(days=1))
        for customer in (by_id, by_name):
            with pytest.raises(CommandFailed):
                await customer.add_reminder(reminder)
        await met.app.customer(customer_id=his.customer_id).add_reminder(reminder)
        with pytest.raises(CommandFailed, match="no customer"):
            await met.app.customer(customer_id="el_cst_nobody").add_reminder(reminder)
        assert rule.bites == 2


@pytest.mark.parametrize("seed", [1, "two"])
async def test_the_same_seed_provokes_the_same_failures(seed: int | str) -> None:
    """Issue 4: the same seed and the same script give the same transcript."""

    async def transcript(seed: int | str | None) -> list[str]:
        async with meeting(seed=seed) as met:
            met.faults.add(Fault.refuse("queued"), on=SendMessage, probability=0.3)
            met.faults.add(Fault.refuse("expired"), on=SendMessage, probability=0.3)
            return [str((await met.asha.send_message(SMS, "Hello")).status) for _ in range(30)]

    first = await transcript(seed)
    assert first == await transcript(seed)
    assert first != await transcript("another")
    assert {"queued", "expired", "sent"} == set(first)


async def test_rules_may_come_from_a_file(tmp_path: Path) -> None:
    """Issue 4, item 5: in code and on the command line."""
    path = tmp_path / "faults.toml"
    path.write_text('[[rule]]\nfault = "refuse"\nstatus = "no_consent"\non = "SendMessage"\nchannel = "sms:83044"\n')
    async with meeting(faults=load_faults(path)) as met:
        assert (await met.asha.send_message(SMS, "Hello")).status == "no_consent"
        assert (await met.asha.send_message(MessagingChannel.sms("TEST_SENDER_ID"), "Hello")).status == "sent"


async def test_what_a_rule_has_set_going_goes_on_when_it_is_taken_away() -> None:
    """This SDK: nothing that is late gets lost by tidying up."""
    async with meeting() as met:
        rule = met.faults.add(Fault.deliver_late(5))
        await met.visit("late")
        met.faults.remove(rule)
        met.faults.remove(rule)
        await met.visit("his", number=JUMA)
        await met.settle(5 * A_SECOND)
        assert met.seen == ["his", "late"]
        assert met.faults.bites == 1


# --- the end ---


@pytest.mark.parametrize(
    "fault",
    [
        Fault.delay(3),
        Fault.delay(3, when="after"),
        Fault.drop(),
        Fault.drop(when="after"),
    ],
    ids=repr,
)
async def test_a_sandbox_that_ends_leaves_nothing_of_what_was_to_come(fault: Fault) -> None:
    """The design's promise 3: nothing leaks, and whoever waited is told."""
    gone = ConnectionOptions(reconnect=Backoff(first=3600, jitter=0.0))
    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            async with Sandbox(clock="manual") as sandbox:
                rule = sandbox.faults.add(fault)

                async def send() -> None:
                    async with Elarian(**sandbox.credentials, options=gone) as app:
                        with suppress(ConnectionLost):
                            await app.customer(ASHA).send_message(SMS, "Hello")

                tasks.start_soon(send)
                await until(lambda: rule.bites == 1)
            tasks.cancel_scope.cancel()
        async with sandbox:
            sandbox.faults.clear()
            await sandbox.clock.advance(3 * A_SECOND)
            async with Elarian(**sandbox.credentials) as app:
                assert (await app.customer(ASHA).send_message(SMS, "Hello")).status == "sent"
