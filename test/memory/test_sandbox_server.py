"""The sandbox's server over memory, seen by clients that do only what the test tells them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from door import KEEPALIVE, a_setup_frame
from peers import RawPeer
from sandbox_clients import BOUND, RawClient, a_setup, raw_client, refused_by

from elarian_trio import ConnectionFailed, Elarian, ReminderNotification
from elarian_trio._rsocket import ErrorCode, Setup
from elarian_trio._rsocket.frames import KeepaliveFrame, PayloadFrame, RequestResponseFrame
from elarian_trio._session import StreamFailed
from elarian_trio._transport import as_transport
from elarian_trio._wire.envelopes import encode_command
from elarian_trio.models.commands import (
    AddCustomerReminder,
    CreateCustomer,
    CustomerActivity,
    DeleteCustomerAppData,
    GenerateAuthToken,
    GetCustomerState,
    LeaseCustomerAppData,
    UpdateCustomerAppData,
    UpdateCustomerMetadata,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import CustomerNumber, Reminder, Tag
from elarian_trio.models.notifications import AppDataUpdate, NotificationReply
from elarian_trio.sandbox import Sandbox, SandboxApp
from elarian_trio.sandbox.world import rules
from elarian_trio.sandbox.world.effects import ReminderDue

if TYPE_CHECKING:
    from elarian_trio.models.commands import Command

pytestmark = pytest.mark.anyio

ASHA = CustomerNumber("+254709759881")
JUMA = CustomerNumber("+254709759882")


def visit(customer: CustomerNumber = ASHA, key: str = "look") -> CustomerActivity:
    """Make the command whose notification comes back to the app that sent it."""
    return CustomerActivity(customer_number=customer, source="shop.example", session_id="1", key=key)


# --- who comes in ---


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key": "el_k_test_wrong"},
        {"app_id": "el_app_other"},
        {"org_id": "el_org_other"},
        {"api_key": None, "auth_token": "el_tkn_of_nobody"},
        {"app_id": ""},
        {"api_key": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_simulator", [False, True], ids=["app", "simulator"])
async def test_unknown_names_keys_and_tokens_are_rejected(changes: dict[str, Any], is_simulator: bool) -> None:
    """Facts, decisions 1 and 2: REJECTED_SETUP with a short reason, in which there is no credential."""
    async with Sandbox() as sandbox:
        setup = a_setup(sandbox.credentials, simulator_mode=is_simulator, **changes)
        refusal = await refused_by(sandbox, setup)
        assert refusal.code == ErrorCode.REJECTED_SETUP
        assert "el_" not in str(refusal)


async def test_a_setup_that_cannot_be_read_is_invalid() -> None:
    """Facts, decision 1: undecodable payload, INVALID_SETUP."""
    async with Sandbox() as sandbox:
        setup = Setup(b"\xff\xff\xff", keepalive_interval=1, keepalive_lifetime=3)
        assert (await refused_by(sandbox, setup)).code == ErrorCode.INVALID_SETUP


async def test_a_token_lets_in_for_an_hour_and_is_checked_at_the_setup_only() -> None:
    """Facts, decision 3: 3600 s, org-scoped, reusable; a connection outlives its token."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        token = (await app.send(GenerateAuthToken())).token
        for app_id in ("el_app_WZFQdt", "another-app"):
            async with raw_client(sandbox, app_id=app_id, api_key=None, auth_token=token) as other:
                await sandbox.clock.advance(timedelta(minutes=20))
                assert (await other.send(CreateCustomer(customer_number=ASHA))).status
        await sandbox.clock.advance(timedelta(minutes=20))
        late = a_setup(sandbox.credentials, api_key=None, auth_token=token)
        assert (await refused_by(sandbox, late)).code == ErrorCode.REJECTED_SETUP
        assert (await app.send(CreateCustomer(customer_number=ASHA))).status


async def test_a_token_is_no_good_in_another_organisation() -> None:
    """Facts, decision 3: tokens belong to their organisation."""
    apps = [SandboxApp("org-1", "app", "key-1"), SandboxApp("org-2", "app", "key-2")]
    async with Sandbox(apps=apps, channels=[], purses={}) as sandbox, raw_client(sandbox) as app:
        token = (await app.send(GenerateAuthToken())).token
        setup = a_setup(sandbox.credentials, org_id="org-2", api_key=None, auth_token=token)
        assert (await refused_by(sandbox, setup)).code == ErrorCode.REJECTED_SETUP


async def test_organisations_do_not_see_each_others_customers() -> None:
    """Facts, section 1: the organisation is the root of the data; customers never cross."""
    apps = [SandboxApp("org-1", "app", "key-1"), SandboxApp("org-2", "app", "key-2")]
    async with (
        Sandbox(apps=apps, channels=[], purses={}) as sandbox,
        raw_client(sandbox) as one,
        raw_client(sandbox, org_id="org-2", api_key="key-2") as two,
    ):
        made = await one.send(UpdateCustomerTag(customer=ASHA, updates=(Tag("a", "b"),)))
        assert not (await two.send(GetCustomerState(customer=made.customer_id))).status
        other = await two.send(GetCustomerState(customer=ASHA))
        assert other.data.customer_id != made.customer_id
        assert other.data.identity_state.tags == ()


async def test_open_mode_lets_anybody_with_a_name_in() -> None:
    """Facts, decision 2: an open mode accepts any non-empty organisation, app and key."""
    async with Sandbox(strict=False) as sandbox:
        async with raw_client(sandbox, org_id="any", app_id="body", api_key="at all") as app:
            assert (await app.send(CreateCustomer(customer_number=ASHA))).status
        nameless = a_setup(sandbox.credentials, org_id="")
        assert (await refused_by(sandbox, nameless)).code == ErrorCode.REJECTED_SETUP


# --- commands ---


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"\xba\x3e\x00"], ids=["nothing", "garbage", "unknown entry"])
@pytest.mark.parametrize("is_simulator", [False, True], ids=["app", "simulator"])
async def test_a_bad_command_is_invalid_and_costs_nothing_else(data: bytes, is_simulator: bool) -> None:
    """Facts, decision 4: malformed or unknown, a stream error; the connection stays up."""
    async with Sandbox() as sandbox, raw_client(sandbox, simulator_mode=is_simulator) as client:
        with anyio.fail_after(BOUND):
            with pytest.raises(StreamFailed) as caught:
                await client.session.request(data)
            await client.session.ping()
        assert caught.value.code == ErrorCode.INVALID


async def test_a_lease_that_waits_holds_no_other_command_up() -> None:
    """Facts, section 2: another fetch waits for the release; the others of its connection do not."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as holder,
        raw_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        assert (await holder.send(LeaseCustomerAppData(customer=ASHA))).status
        replies: list[Any] = []

        async def send(command: Command[Any]) -> None:
            replies.append(await app.send(command))

        tasks.start_soon(send, LeaseCustomerAppData(customer=ASHA))
        await app.settle()
        assert (await app.send(GetCustomerState(customer=ASHA))).status
        assert replies == []
        assert (await holder.send(UpdateCustomerAppData(customer=ASHA, update="new"))).status
        await app.settle()
        assert [reply.value for reply in replies] == ["new"]


async def test_leases_are_granted_in_the_order_they_were_asked_for() -> None:
    """Facts, decision 10: a FIFO queue per organisation, app and customer."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        await app.send(LeaseCustomerAppData(customer=ASHA))
        got: list[str] = []

        async def lease(name: str) -> None:
            await app.send(LeaseCustomerAppData(customer=ASHA))
            got.append(name)

        for name in ("first", "second"):
            tasks.start_soon(lease, name)
            await app.settle()
        await app.send(DeleteCustomerAppData(customer=ASHA))
        await app.settle()
        assert got == ["first"]
        await sandbox.clock.advance(timedelta(seconds=90))
        assert got == ["first", "second"]


async def test_a_cancelled_lease_leaves_the_queue() -> None:
    """Facts, decision 10: a CANCEL leaves the queue, so the next in it is not kept waiting."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as holder,
        raw_client(sandbox) as app,
        anyio.create_task_group() as tasks,
    ):
        await holder.send(LeaseCustomerAppData(customer=ASHA))
        got: list[str] = []
        scopes: dict[str, anyio.CancelScope] = {}

        async def lease(name: str) -> None:
            with anyio.CancelScope() as scopes[name]:
                await app.send(LeaseCustomerAppData(customer=ASHA))
                got.append(name)

        for name in ("gives up", "stays"):
            tasks.start_soon(lease, name)
            await app.settle()
        scopes["gives up"].cancel()
        await app.settle()
        await holder.send(UpdateCustomerAppData(customer=ASHA, update="x"))
        await app.settle()
        assert got == ["stays"]


async def test_a_client_that_vanishes_in_the_queue_harms_nobody() -> None:
    """The design: a client that goes away mid-command harms nobody."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as holder:
        await holder.send(LeaseCustomerAppData(customer=ASHA))
        async with raw_client(sandbox) as gone, anyio.create_task_group() as tasks:
            tasks.start_soon(gone.session.request, encode_command(LeaseCustomerAppData(customer=ASHA)))
            await gone.settle()
            tasks.cancel_scope.cancel()
        await holder.send(UpdateCustomerAppData(customer=ASHA, update="x"))
        assert (await holder.send(LeaseCustomerAppData(customer=ASHA))).value == "x"


async def test_a_lease_may_be_waited_for_by_whoever_makes_the_customer() -> None:
    """Facts, section 2: lookups by number create, also where the look-up is a lease."""
    async with Sandbox() as sandbox, raw_client(sandbox) as app:
        first = await app.send(LeaseCustomerAppData(customer=ASHA))
        assert first.status
        assert first.value is None
        assert first.customer_id == (await app.send(CreateCustomer(customer_number=ASHA))).customer_id


async def test_a_thousand_commands_at_once_are_all_answered() -> None:
    """The design: 1,000 concurrent commands on one connection."""
    async with Sandbox() as sandbox, raw_client(sandbox) as app:
        replies: list[Any] = []

        async def send(number: int) -> None:
            replies.append(await app.send(CreateCustomer(customer_number=CustomerNumber(f"+2547{number:08}"))))

        async with anyio.create_task_group() as tasks:
            for number in range(1000):
                tasks.start_soon(send, number)
        assert len({reply.customer_id for reply in replies if reply.status}) == 1000


# --- notifications ---


async def test_a_notification_carries_the_app_data_and_holds_the_lease_until_it_is_answered() -> None:
    """Facts, decision 11: the lease is taken when sending; the answer's data update ends it."""
    async with (
        Sandbox(clock="manual") as sandbox,
        raw_client(sandbox) as app,
        raw_client(sandbox, simplex_mode=True) as other,
        anyio.create_task_group() as tasks,
    ):
        await app.send(UpdateCustomerAppData(customer=ASHA, update="old"))
        await app.send(visit())
        heard = await app.next()
        assert heard.app_data == "old"
        got: list[Any] = []

        async def lease() -> None:
            got.append((await other.send(LeaseCustomerAppData(customer=ASHA))).value)

        tasks.start_soon(lease)
        await other.settle()
        assert got == []
        heard.answer(NotificationReply(data_update=AppDataUpdate("new")))
        await other.settle()
        assert got == ["new"]


async def test_the_connection_that_handles_a_notification_may_lease_at_once() -> None:
    """Facts, decision 12: re-entrant, or the handler would wait for itself."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(UpdateCustomerAppData(customer=ASHA, update="old"))
        await app.send(visit())
        heard = await app.next()
        assert (await app.send(LeaseCustomerAppData(customer=ASHA))).value == "old"
        heard.answer()
        assert (await app.send(GetCustomerState(customer=ASHA))).status


async def test_a_stale_echo_does_not_undo_what_the_app_did_meanwhile() -> None:
    """Facts, decision 13: an answer that echoes the delivered value does not bring it back after a deletion."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(UpdateCustomerAppData(customer=ASHA, update="old"))
        await app.send(visit())
        heard = await app.next()
        await app.send(DeleteCustomerAppData(customer=ASHA))
        heard.answer(NotificationReply(data_update=AppDataUpdate("old")))
        await app.settle()
        assert (await app.send(LeaseCustomerAppData(customer=ASHA))).value is None


async def test_commands_are_served_while_a_notification_waits_for_its_answer() -> None:
    """Facts, section 8: handlers call the server back on the same connection before they reply."""
    async with Sandbox() as sandbox, raw_client(sandbox) as app:
        await app.send(visit())
        heard = await app.next()
        assert (await app.send(GetCustomerState(customer=ASHA))).status
        heard.answer()


async def test_one_customers_notifications_come_one_by_one_and_others_in_parallel() -> None:
    """Facts, decision 20: the order is per app and customer."""
    async with Sandbox() as sandbox, raw_client(sandbox) as app:
        for customer, key in ((ASHA, "first"), (ASHA, "second"), (JUMA, "other")):
            await app.send(visit(customer, key))
        await app.settle()
        assert [heard.notification.activity.key for heard in app.heard] == ["first", "other"]
        app.heard[0].answer()
        await app.settle()
        assert [heard.notification.activity.key for heard in app.heard] == ["first", "other", "second"]


async def test_simplex_connections_and_other_apps_hear_nothing() -> None:
    """Facts, section 8: within an app, only duplex connections that are no simulators."""
    apps = [SandboxApp("org", "one", "key-1"), SandboxApp("org", "two", "key-2")]
    async with (
        Sandbox(apps=apps, channels=[], purses={}) as sandbox,
        raw_client(sandbox) as duplex,
        raw_client(sandbox, simplex_mode=True) as simplex,
        raw_client(sandbox, app_id="two", api_key="key-2") as other,
        raw_client(sandbox, simulator_mode=True) as phone,
    ):
        await simplex.send(visit())
        (await duplex.next()).answer()
        await duplex.settle()
        assert simplex.heard == other.heard == phone.heard == []


async def test_what_an_app_missed_is_told_when_it_comes_back() -> None:
    """Facts, decision 18: kept while no duplex connection is there, flushed in order."""
    async with Sandbox(clock="manual") as sandbox:
        async with raw_client(sandbox, simplex_mode=True) as app:
            for key in ("first", "second"):
                await app.send(visit(key=key))
        async with raw_client(sandbox) as app:
            for key in ("first", "second"):
                heard = await app.next()
                assert heard.notification.activity.key == key
                heard.answer()


async def test_an_error_is_redelivered_and_a_fourth_one_is_the_last() -> None:
    """Facts, decision 16: up to 3 redeliveries, after 1, 2 and 4 s."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(visit())
        for delay in (1, 2, 4, 60):
            (await app.next()).fail(ErrorCode.APPLICATION_ERROR)
            await sandbox.clock.advance(timedelta(seconds=delay))
        assert len(app.heard) == 4
        await app.send(visit(key="next"))
        assert (await app.next()).notification.activity.key == "next"


async def test_an_answer_that_cannot_be_read_is_an_error_of_the_apps() -> None:
    """This SDK: garbage is redelivered as a failure is."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(visit())
        (await app.next()).request.respond(b"\xff\xff")
        await sandbox.clock.advance(timedelta(seconds=1))
        (await app.next()).answer()


async def test_a_defect_costs_its_own_command_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """This SDK: what a rule raises is logged by its name, answered APPLICATION_ERROR, and changes nothing."""

    def explode(work: object, command: object) -> None:
        raise ZeroDivisionError

    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        soon = Reminder("soon", sandbox.clock.now() + timedelta(minutes=1))
        await app.send(AddCustomerReminder(customer=ASHA, reminder=soon))
        with monkeypatch.context() as patch:
            patch.setitem(rules.RULES, CreateCustomer, explode)  # type: ignore[index]
            patch.setitem(rules.JOBS, ReminderDue, explode)  # type: ignore[index]
            with pytest.raises(StreamFailed) as failed:
                await app.send(CreateCustomer(customer_number=ASHA))
            await sandbox.clock.advance(timedelta(minutes=1))
        assert failed.value.code == ErrorCode.APPLICATION_ERROR
        assert (await app.send(CreateCustomer(customer_number=ASHA))).status
    assert sum("ZeroDivisionError" in record.message for record in caplog.records) == 2


async def test_a_cut_connections_notification_goes_to_the_next_one() -> None:
    """The design's promise 1: no notification is lost."""
    async with Sandbox(clock="manual") as sandbox:
        async with raw_client(sandbox) as app:
            await app.send(visit())
            await app.next()
        async with raw_client(sandbox) as app:
            assert (await app.next()).notification.activity.key == "look"


async def test_an_unanswered_notification_counts_as_answered_after_30_seconds() -> None:
    """Facts, decision 15: empty reply, lease released, no redelivery; the client is told with a CANCEL."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app:
        await app.send(visit(key="slow"))
        await app.send(visit(key="next"))
        slow = await app.next()
        await sandbox.clock.advance(timedelta(seconds=30))
        await app.settle()
        assert slow.request.canceled
        assert (await app.next()).notification.activity.key == "next"


# --- time ---


async def test_advance_returns_when_what_fell_due_was_answered_with_what_came_of_it() -> None:
    """The design: ``advance`` returns when all that fell due was delivered, each at its own time."""
    async with Sandbox(clock="manual") as sandbox, raw_client(sandbox) as app, anyio.create_task_group() as tasks:
        start = sandbox.clock.now()
        fired: list[float] = []

        async def remind_again() -> None:
            while True:
                heard = await app.next()
                fired.append((sandbox.clock.now() - start).total_seconds())
                again = Reminder("again", sandbox.clock.now() + timedelta(hours=1))
                await app.send(AddCustomerReminder(customer=ASHA, reminder=again))
                heard.answer()

        await app.send(AddCustomerReminder(customer=ASHA, reminder=Reminder("again", start + timedelta(hours=1))))
        tasks.start_soon(remind_again)
        await sandbox.clock.advance(timedelta(hours=3))
        assert fired == [3600, 7200, 10800]
        tasks.cancel_scope.cancel()


async def test_advance_does_not_wait_for_an_app_that_is_away_or_refuses() -> None:
    """The design: what is kept because nobody is there, or the app is busy, counts as delivered."""
    async with Sandbox(clock="manual") as sandbox:
        async with raw_client(sandbox) as app:
            soon = Reminder("soon", sandbox.clock.now() + timedelta(seconds=1))
            await app.send(AddCustomerReminder(customer=ASHA, reminder=soon))
            await app.send(visit(JUMA))
            (await app.next()).fail(ErrorCode.REJECTED)
            await app.settle()
        with anyio.fail_after(BOUND):
            await sandbox.clock.advance(timedelta(days=1))


async def test_what_falls_due_while_time_leaps_is_still_there_afterwards() -> None:
    """This SDK: a program in one task advances first and reads then; time that leaps does not count as silence."""
    async with Sandbox(clock="manual") as sandbox, Elarian(**sandbox.credentials) as app:
        asha = app.customer(ASHA.number)
        async with app.notifications(ReminderNotification) as inbox:
            await asha.add_reminder(Reminder("soon", sandbox.clock.now() + timedelta(minutes=1)))
            with anyio.fail_after(BOUND):
                await sandbox.clock.advance(timedelta(days=1))
                async for delivery in inbox:
                    async with delivery:
                        assert delivery.notification.reminder.key == "soon"
                    break


@pytest.mark.parametrize("seed", [1, "words"])
async def test_the_same_seed_gives_the_same_ids(seed: int | str) -> None:
    """The design: ids are drawn from ``seed`` where given."""

    async def transcript() -> list[Any]:
        async with Sandbox(clock="manual", seed=seed) as sandbox, raw_client(sandbox) as app:
            return [await app.send(CreateCustomer(customer_number=number)) for number in (ASHA, JUMA)]

    assert await transcript() == await transcript()


# --- the block ---


async def test_the_sandbox_remembers_what_it_knew_when_it_is_entered_again() -> None:
    """This SDK: a sandbox may be restarted, as a server is; customers, and keys, are still there."""
    sandbox = Sandbox()
    async with sandbox, raw_client(sandbox) as app:
        made = await app.send(CreateCustomer(customer_number=ASHA))
    with pytest.raises(ConnectionFailed):
        await sandbox.credentials["dial"]()
    async with sandbox, raw_client(sandbox) as app:
        assert (await app.send(CreateCustomer(customer_number=ASHA))).customer_id == made.customer_id


async def test_what_was_under_way_at_the_end_is_told_again_after_a_restart() -> None:
    """This SDK: a server that stops has not had its answer; the notification is still the app's."""
    sandbox = Sandbox(clock="manual")
    async with sandbox, raw_client(sandbox) as app:
        await app.send(visit())
        await app.send(visit(JUMA))
        await app.next()
        heard = await app.next()
        heard.fail(ErrorCode.REJECTED)
        await app.settle()
    async with sandbox, raw_client(sandbox) as app:
        told = [await app.next(), await app.next()]
        assert {heard.notification.customer_number.number for heard in told} == {ASHA.number, JUMA.number}
        for heard in told:
            heard.answer()
        await app.settle()
        assert (await app.send(LeaseCustomerAppData(customer=ASHA))).status


async def test_an_error_of_the_block_comes_out_as_it_is() -> None:
    """The design's promise 3: no exception group reaches the user unless the user raised it."""
    error = RuntimeError("mine")

    async def block() -> None:
        async with Sandbox() as sandbox, Elarian(**sandbox.credentials) as app:
            await app.ping()
            raise error

    with pytest.raises(RuntimeError) as caught:
        await block()
    assert caught.value is error


@pytest.mark.parametrize(("token", "pieces"), [(None, 1), (b"0123456789abcdef", 4)])
async def test_only_clients_that_can_resume_are_answered_in_pieces(token: bytes | None, pieces: int) -> None:
    """Elarian's Python SDK joins no fragments; who resumes joins them, and after a cut is sent the less again."""
    update = UpdateCustomerMetadata(customer=ASHA, updates={"text": "x" * 200_000})
    async with Sandbox() as sandbox, as_transport(await sandbox.credentials["dial"]()) as transport:
        peer = RawPeer(transport)
        await peer.send(replace(a_setup_frame(token), data=a_setup(sandbox.credentials).data), KEEPALIVE)
        assert isinstance(await peer.receive(), KeepaliveFrame)
        await peer.send(RequestResponseFrame(1, encode_command(update)))
        assert isinstance(await peer.receive(), PayloadFrame)
        await peer.send(RequestResponseFrame(3, encode_command(GetCustomerState(customer=ASHA))))
        frames = [await peer.receive() for _ in range(pieces)]
        assert [each.follows for each in frames if isinstance(each, PayloadFrame)] == [True] * (pieces - 1) + [False]


async def test_leaving_ends_clients_that_are_still_there() -> None:
    """The design's promise 3: leaving the block, by any way out, ends every task, waiter and socket."""
    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks, Sandbox() as sandbox:
            transport = as_transport(await sandbox.credentials["dial"]())
            setup = a_setup(sandbox.credentials)
            client = RawClient(transport, setup, is_simulator=False)

            async def run(*, task_status: anyio.abc.TaskStatus[None]) -> None:
                with pytest.raises(Exception, match="peer closed"):
                    await client.session.run(client.transport, task_status=task_status)

            await tasks.start(run)


async def test_a_key_that_was_given_is_the_one_that_counts() -> None:
    """This SDK: apps may be given, so that a restarted server knows the same keys."""
    apps = [{"org_id": "org", "app_id": "app", "api_key": "given"}]
    async with Sandbox(apps=apps, channels=[], purses={}) as sandbox:
        async with Elarian(**sandbox.credentials) as app:
            await app.ping()
        assert sandbox.credentials["api_key"] == "given"
        assert isinstance(sandbox.credentials_of("app")["api_key"], str)
        with pytest.raises(LookupError):
            sandbox.credentials_of("unknown")
