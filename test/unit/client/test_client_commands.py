"""Commands through a client: replies, refusals, time, cancellation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest
from scripted_server import DONE, NEVER, ScriptedServer, scripted_server

from elarian_trio import (
    Backoff,
    Cash,
    CommandFailed,
    CommandRejected,
    CommandTimedOut,
    ConnectionFailed,
    ConnectionLost,
    ConnectionOptions,
    ConnectionStates,
    CustomerNumber,
    Elarian,
    MessageReply,
    MessagingChannel,
    RemoteProtocolError,
    Tag,
)
from elarian_trio._rsocket import ErrorCode
from elarian_trio._session import StreamFailed
from elarian_trio.models import commands as c
from elarian_trio.models import replies as r
from elarian_trio.models.activity import Activity
from elarian_trio.models.identity import AuthToken, Reminder, SecondaryId
from elarian_trio.models.messaging import (
    Message,
    MessageDeliveryStatus,
    MessageSessionUpdate,
    MessageStatusUpdate,
    MessagingConsentUpdateStatus,
    ReceivedMessage,
    SentMessage,
)
from elarian_trio.models.payments import PaymentStatus, Purse, Wallet
from elarian_trio.models.state import CustomerState

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER = CustomerNumber("+254709759881")
SMS = MessagingChannel.sms("83044")
TAG = Tag("segment", "premium")
STATE = r.GetCustomerStateReply(status=True, data=CustomerState(customer_id="el_cst_1"))
SENT = MessageReply(status=MessageDeliveryStatus.SENT, message_id="m", customer_id="el_cst_1")
WORK = r.TagUpdateReply(status=True, work_id="w")
REPLAYED = r.ReplayPaymentReply(status=True, transaction_id="t")


def prepare(server: ScriptedServer) -> None:
    """Have the server answer every command with a reply of its kind."""
    server.answers |= {
        c.GenerateAuthToken: AuthToken(token="el_tkn_1", lifetime=timedelta(hours=1)),
        c.GetCustomerState: STATE,
        c.DeleteCustomer: r.DeleteCustomerReply(status=True),
        c.LeaseCustomerAppData: r.LeaseAppDataReply(status=True, value='{"a":1}'),
        c.SendMessage: SENT,
        c.ReplyToMessage: SENT,
        c.AddCustomerReminderTag: WORK,
        c.CancelCustomerReminderTag: WORK,
        c.SendMessageTag: WORK,
        c.UpdateMessagingConsent: r.ConsentUpdateReply(status=MessagingConsentUpdateStatus.COMPLETED),
        c.InitiatePayment: r.InitiatePaymentReply(status=PaymentStatus.INSUFFICIENT_FUNDS),
        c.ReplayPayment: REPLAYED,
        c.ReplayPaymentStatusUpdate: REPLAYED,
    }


async def test_every_command_of_the_app_reaches_the_server() -> None:
    """The specification's commands and the older references' names; status enums come back as they are."""
    asha = "el_cst_1"
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            prepare(server)
            assert (await app.generate_auth_token()).token == "el_tkn_1"
            assert (await app.delete_customer_by_customer_number("+1")).status
            assert (await app.delete_customer_by_customer_id(asha)).status
            assert (await app.add_customer_reminder_by_tag(TAG, Reminder("k", NOW))).work_id == "w"
            assert await app.cancel_customer_reminder_by_tag(TAG, "k") == WORK
            assert await app.send_message_by_tag(TAG, SMS, "Hi") == WORK
            paid = await app.initiate_payment(Purse("p"), Wallet(asha, "w"), Cash("KES", 1), narration="loan")
            assert paid.status == "insufficient_funds"
            assert await app.replay_messaging_consent_update(NUMBER, SMS, "allow", NOW) == DONE
            received = ReceivedMessage(message_id="m", received_at=NOW, parts=("hi",))
            assert await app.replay_received_message(NUMBER, SMS, received) == DONE
            sent = SentMessage(message_id="m", sent_at=NOW, message=Message("hi"), status="sent")
            assert await app.replay_sent_message(app.customer(NUMBER), SMS, sent) == DONE
            update = MessageStatusUpdate(message_id="m", updated_at=NOW, status="delivered")
            assert await app.replay_message_status_update("+1", SMS, update) == DONE
            assert await app.replay_message_reaction_update(NUMBER, SMS, "m", "clicked", NOW) == DONE
            ended = MessageSessionUpdate(session_id="s", started_at=NOW, duration=timedelta(1), reason="inactivity")
            assert await app.replay_messaging_session(NUMBER, SMS, ended) == DONE
            args = ("t", Purse("p"), Wallet(asha, "w"), "success", Cash("KES", 1), "why", NOW)
            assert await app.replay_payment(*args) == REPLAYED  # type: ignore[arg-type]
            assert await app.replay_payment_status_update(NUMBER, "t", "failed", NOW) == REPLAYED
            assert (await app.get_customer_state(NUMBER)).customer_id == asha
            assert await app.adopt_customer_state(asha, SecondaryId("passport", "A1")) == DONE
            assert await app.update_customer_tag(asha, TAG) == DONE
            assert await app.delete_customer_tag(asha, "segment") == DONE
            assert await app.update_customer_secondary_id(SecondaryId("a", "b"), SecondaryId("c", "d")) == DONE
            assert await app.delete_customer_secondary_id(app.customer("+1"), SecondaryId("c", "d")) == DONE
            assert await app.add_customer_reminder(asha, Reminder("k", NOW)) == DONE
            assert await app.cancel_customer_reminder(asha, "k") == DONE
            assert await app.update_customer_metadata(asha, {"a": [1]}) == DONE
            assert await app.delete_customer_metadata(asha, "a") == DONE
            assert await app.lease_customer_metadata(asha, "a") is None
            assert await app.update_customer_app_data(asha, {"a": 1}) == DONE
            assert await app.lease_customer_app_data(asha) == {"a": 1}
            assert await app.delete_customer_app_data(asha) == DONE
            assert await app.update_customer_activity("+1", "web", Activity("visit", "s")) == DONE
            assert await app.send_message("+1", SMS, "Hi") == SENT
            assert await app.reply_to_message(asha, "m", "Hi") == SENT
            assert (await app.messaging_consent("+1", SMS, "block")).status == "completed"
            assert await app.make_voice_call("+1", MessagingChannel.voice("+2")) == SENT
            made = {type(each).__name__ for each in server.commands}
            assert made == {each.__name__ for each in _leaves(c.AppCommand)} - {"CreateCustomer"}
            assert server.commands[1].customer == CustomerNumber("+1")  # type: ignore[attr-defined]


def _leaves(base: type) -> list[type]:
    below: list[type] = base.__subclasses__()
    return [leaf for each in below for leaf in (_leaves(each) or [each])]


async def test_reply_with_a_false_status_is_command_failed_with_the_reply() -> None:
    """This SDK: booleans are raised about, enums are not."""
    refusal = r.CustomerStateUpdateReply(status=False, description="unknown tag")
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            server.answers[c.UpdateCustomerTag] = refusal
            with pytest.raises(CommandFailed, match="unknown tag") as caught:
                await app.customer("+1").update_tags(TAG)
            assert caught.value.reply == refusal
            assert caught.value.code is None
            assert isinstance(caught.value.command, c.UpdateCustomerTag)
            server.answers[c.GetCustomerState] = r.GetCustomerStateReply(status=True)
            with pytest.raises(CommandFailed, match="no state"):
                await app.customer("+1").get_state()


@pytest.mark.parametrize("code", [*ErrorCode, 0x1234])
async def test_stream_errors_are_rejected_or_failed(code: int) -> None:
    """RSocket: REJECTED promises that nothing was processed; every other code ends in CommandFailed."""
    if code < ErrorCode.APPLICATION_ERROR:
        return  # these end connections, not streams
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            server.answers[c.UpdateCustomerTag] = StreamFailed(code, "words")
            expected = CommandRejected if code == ErrorCode.REJECTED else CommandFailed
            with pytest.raises(expected, match="words") as caught:
                await app.customer("+1").update_tags(TAG)
            if isinstance(caught.value, CommandFailed):
                assert caught.value.reply is None
                assert caught.value.code == code


async def test_server_without_delete_customer_is_said_so() -> None:
    """This project's own command: other servers do not know it."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            server.answers[c.DeleteCustomer] = StreamFailed(ErrorCode.INVALID, "what?")
            with pytest.raises(CommandFailed, match="not supported by this server"):
                await app.customer("+1").delete()


async def test_reply_that_is_none_is_a_protocol_error() -> None:
    """This SDK: malformed bytes never hang a caller, and cost nobody else."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            server.answers[c.UpdateCustomerTag] = b"\xff\xff"
            with pytest.raises(RemoteProtocolError):
                await app.customer("+1").update_tags(TAG)
            assert await app.customer("+1").delete_tags("a") == DONE


async def reach(wanted: str, states: ConnectionStates) -> None:
    """Wait for a state of the connection."""
    async for state in states:
        if state == wanted:
            return


async def test_command_times_out_and_says_whether_it_was_sent() -> None:
    """This SDK: one option bounds every command; the wait for a connection counts."""
    options = ConnectionOptions(command_timeout=0.05, reconnect=Backoff(first=60), drain_timeout=0)
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials, options=options) as app:
            server.answers[c.UpdateCustomerTag] = NEVER
            with pytest.raises(CommandTimedOut, match="UpdateCustomerTag") as caught:
                await app.customer("+1").update_tags(TAG)
            assert caught.value.sent
            server.cut()
            async with app.connection_states() as states:
                await reach("pending", states)
                with pytest.raises(CommandTimedOut) as caught:
                    await app.customer("+1").update_tags(TAG)
                assert not caught.value.sent
                await app.reconnect_now()
                await reach("connected", states)  # a machine that is busy may take longer than a command may
            assert await app.customer("+1").delete_tags("a") == DONE


async def test_command_that_waits_when_all_ends_for_good_says_that_it_was_not_sent() -> None:
    """This SDK: ConnectionLost alone does not mean that the server may have acted; asking again is safe."""
    options = ConnectionOptions(reconnect=Backoff(first=0.001, base=0.001, give_up_after=0.05), resume="off")
    lost: list[ConnectionLost] = []

    async def tag(app: Elarian) -> None:
        with anyio.CancelScope(shield=True), pytest.raises(ConnectionLost) as caught:
            await app.customer("+1").update_tags(TAG)
        lost.append(caught.value)

    with anyio.fail_after(5):
        async with scripted_server() as server, anyio.create_task_group() as tasks:
            with pytest.raises(ConnectionFailed, match="gave up"):  # noqa: PT012 - the block is what is tested
                async with Elarian(**server.credentials, options=options) as app, app.connection_states() as states:
                    server.unreachable = True
                    server.cut()
                    await reach("pending", states)
                    tasks.start_soon(tag, app)
                    await anyio.sleep_forever()
    assert [each.sent for each in lost] == [False]


async def test_a_client_is_not_used_from_another_thread(anyio_backend_name: str) -> None:
    """This SDK: another thread's loop is woken by nobody, or broken; the error names the way, and no harm is done."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            for use in (app.customer("+1").create, app.ping):
                with pytest.raises(RuntimeError, match=r"of its block; anyio\.from_thread\.run\(\) leads there"):
                    await anyio.to_thread.run_sync(partial(anyio.run, use, backend=anyio_backend_name))
            assert await anyio.to_thread.run_sync(anyio.from_thread.run, app.customer("+1").create) == DONE


async def test_lease_has_a_bound_of_its_own() -> None:
    """This SDK: a lease may be waited for as long as another may hold it."""
    options = ConnectionOptions(command_timeout=0.01)
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials, options=options) as app:
            server.answers[c.LeaseCustomerAppData] = NEVER
            with anyio.move_on_after(0.05) as scope:
                await app.customer("+1").lease_app_data()
            assert scope.cancelled_caught


async def test_cancelled_command_leaves_the_session_usable() -> None:
    """This SDK: a CANCEL follows a request that was sent, and nothing else happens."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            server.answers[c.UpdateCustomerTag] = NEVER
            for early in (True, False):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(app.customer("+1").update_tags, TAG)
                    if not early:
                        await server.wait_for(lambda: bool(server.commands))
                    tasks.cancel_scope.cancel()
            assert await app.customer("+1").delete_tags("a") == DONE
            assert app.statistics().reconnects == 0


async def test_command_of_a_cancelled_caller_is_never_sent() -> None:
    """Every command's docstring; a past bug: a payment made in the clean-up of a cancelled task was carried out."""
    purse, wallet, cash = Purse("p"), Wallet("el_cst_1", "w"), Cash("KES", 1)
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            server.answers[c.InitiatePayment] = r.InitiatePaymentReply(status=PaymentStatus.SUCCESS)
            await app.initiate_payment(purse, wallet, cash)
            for _ in range(20):  # Trio throws dice for who runs first
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await app.initiate_payment(purse, wallet, cash)
                assert scope.cancelled_caught
            await app.ping()
            assert len(server.commands) == 1


async def test_thousand_commands_share_one_connection() -> None:
    """This SDK: commands are concurrent, and each gets its own reply."""
    with anyio.fail_after(30):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            server.answers[c.UpdateCustomerTag] = lambda command: r.CustomerStateUpdateReply(
                status=True, customer_id=command.updates[0].value
            )
            found: list[int] = []

            async def one(n: int) -> None:
                reply = await app.customer("+1").update_tags(Tag("n", str(n)))
                assert reply.customer_id == str(n)
                found.append(n)

            async with anyio.create_task_group() as tasks:
                for n in range(1000):
                    tasks.start_soon(one, n)
            assert sorted(found) == list(range(1000))
            assert server.dials == 1


async def test_large_value_is_fragmented() -> None:
    """The specification: fragmentation and reassembly; 5 MB at the default fragment size."""
    with anyio.fail_after(30):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            await app.customer("+1").update_metadata({"big": b"x" * 5_000_000})
            command = server.commands[0]
            assert isinstance(command, c.UpdateCustomerMetadata)
            assert command.updates["big"] == b"x" * 5_000_000


async def test_bad_arguments_are_refused_before_anything_is_sent() -> None:
    """This SDK: ValueError, and the server hears nothing."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as app:
            for make in (
                lambda: app.customer("+1").update_metadata({"a": float("nan")}),
                lambda: app.customer("+1").update_messaging_consent(SMS, "maybe"),  # type: ignore[arg-type]
                lambda: app.replay_messaging_consent_update("", SMS, "allow", NOW),
                lambda: app.replay_messaging_consent_update("el_cst_1", SMS, "allow", NOW),
                lambda: app.delete_customer_by_customer_number("el_cst_1"),
                lambda: app.replay_received_message(NUMBER, SMS, ReceivedMessage(message_id="m", received_at=None)),
                lambda: app.replay_sent_message(
                    NUMBER, SMS, SentMessage(message_id="m", sent_at=NOW, message=None, status="sent")
                ),
            ):
                with pytest.raises(ValueError, match=r"."):
                    await make()
            assert not server.commands


async def test_arguments_of_the_wrong_type_are_refused_with_words_before_anything_is_sent() -> None:
    """errors.py: a TypeError that says what would be right, and the server hears nothing."""
    with anyio.fail_after(5):
        async with scripted_server() as server, Elarian(**server.credentials) as real:
            app: Any = real
            for wrong, words in [
                (app.get_customer_state(("passport", "A1")), "customer must be one of Customer, .*, got tuple"),
                (app.send_message(5, SMS, "x"), "customer must be one of Customer, .*, got int"),
                (app.adopt_customer_state(NUMBER, ("passport", "A1")), "customer must be one of .*, got tuple"),
                (app.replay_received_message(NUMBER, SMS, "hi"), "message must be a ReceivedMessage, got str"),
                (app.replay_sent_message(NUMBER, SMS, "hi"), "message must be a SentMessage, got str"),
                (app.replay_message_status_update(NUMBER, SMS, "read"), "update must be a MessageStatusUpdate"),
                (app.replay_messaging_session(NUMBER, SMS, None), "update must be a MessageSessionUpdate"),
            ]:
                with pytest.raises(TypeError, match=words):
                    await wrong
            assert not server.commands


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"options": {"resume": "off"}}, "options must be a ConnectionOptions, got dict"),
        ({"options": None}, "options must be a ConnectionOptions, got NoneType"),
        ({"endpoint": 8082}, "endpoint must be a str, got int"),
        ({"dial": 5}, "dial must be a function, got int"),
    ],
)
async def test_a_client_is_not_made_with_what_cannot_serve(arguments: Any, words: str) -> None:  # noqa: ANN401
    """errors.py: a TypeError at once, not when the connection is opened."""
    await anyio.lowlevel.checkpoint()
    with pytest.raises(TypeError, match=words):
        Elarian(org_id="o", app_id="a", api_key="k", **arguments)
