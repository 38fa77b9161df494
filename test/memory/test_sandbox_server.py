"""The sandbox's server over memory: who comes in, what becomes of commands, and how its block begins and ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from door import KEEPALIVE, a_setup_frame
from peers import RawPeer
from sandbox_clients import BOUND, RawClient, a_setup, raw_client, refused_by

from elarian_trio import ConnectionFailed, Elarian
from elarian_trio._rsocket import ErrorCode, Setup
from elarian_trio._rsocket.frames import KeepaliveFrame, PayloadFrame, RequestResponseFrame
from elarian_trio._session import StreamFailed
from elarian_trio._transport import as_transport
from elarian_trio._wire.envelopes import encode_command
from elarian_trio.models.commands import (
    AddCustomerReminder,
    CreateCustomer,
    DeleteCustomerAppData,
    GenerateAuthToken,
    GetCustomerState,
    LeaseCustomerAppData,
    UpdateCustomerAppData,
    UpdateCustomerMetadata,
    UpdateCustomerTag,
)
from elarian_trio.models.identity import CustomerNumber, Reminder, Tag
from elarian_trio.sandbox import Sandbox, SandboxApp
from elarian_trio.sandbox.world import rules
from elarian_trio.sandbox.world.effects import ReminderDue

if TYPE_CHECKING:
    from elarian_trio.models.commands import Command

pytestmark = pytest.mark.anyio

ASHA = CustomerNumber("+254709759881")
JUMA = CustomerNumber("+254709759882")


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


async def test_open_mode_forgets_apps_that_left_and_are_owed_nothing() -> None:
    """House: nothing is left behind; anybody can make up names, and each cost three kilobytes for good."""
    async with Sandbox(strict=False) as sandbox:
        engine = sandbox._engine
        assert engine is not None
        for number in range(3):
            async with Elarian(**{**sandbox.credentials, "app_id": f"app {number}"}) as app:
                await app.customer(ASHA).create()
                assert engine._apps
        with anyio.fail_after(BOUND):
            while engine._apps:
                await anyio.lowlevel.checkpoint()


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


# --- the block ---


@pytest.mark.parametrize("seed", [1, "words"])
async def test_the_same_seed_gives_the_same_ids(seed: int | str) -> None:
    """The design: ids are drawn from ``seed`` where given."""

    async def transcript() -> list[Any]:
        async with Sandbox(clock="manual", seed=seed) as sandbox, raw_client(sandbox) as app:
            return [await app.send(CreateCustomer(customer_number=number)) for number in (ASHA, JUMA)]

    assert await transcript() == await transcript()


async def test_the_sandbox_remembers_what_it_knew_when_it_is_entered_again() -> None:
    """This SDK: a sandbox may be restarted, as a server is; customers, and keys, are still there."""
    sandbox = Sandbox()
    async with sandbox, raw_client(sandbox) as app:
        made = await app.send(CreateCustomer(customer_number=ASHA))
    with pytest.raises(ConnectionFailed):
        await sandbox.credentials["dial"]()
    async with sandbox, raw_client(sandbox) as app:
        assert (await app.send(CreateCustomer(customer_number=ASHA))).customer_id == made.customer_id


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
