"""Against messages made with the compiled schema directly: what a server that is not ours answers.

The round trips beside this file cannot see a mistake made the same way in both directions; this can.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from elarian_trio._wire import envelopes
from elarian_trio._wire._pb import app_socket_pb2, simulator_socket_pb2
from elarian_trio.errors import RemoteProtocolError
from elarian_trio.models import commands, replies
from elarian_trio.models.activity import Activity
from elarian_trio.models.identity import AuthToken, CustomerNumber, Tag
from elarian_trio.models.messaging import Message, MessageDeliveryStatus, ReceivedMessage, SentMessage, UssdMenu
from elarian_trio.models.model import EPOCH
from elarian_trio.models.payments import Cash

app: Any = app_socket_pb2
phone: Any = simulator_socket_pb2
NUMBER = CustomerNumber("+254709759881")


def answered(command: commands.Command[Any], reply: Any) -> Any:  # noqa: ANN401 - a compiled message, a model
    """Give what the client makes of a server's reply."""
    return envelopes.decode_reply(command, reply.SerializeToString())


def test_a_reply_is_read_as_the_contract_says() -> None:
    """Elarian's published contract."""
    reply = app.AppToServerCommandReply()
    reply.send_message.status = 303
    reply.send_message.message_id.value = "el_msg_1"
    command = commands.ReplyToMessage(customer_id="c", message_id="m", message=Message("x"))
    assert answered(command, reply) == replies.MessageReply(
        status=MessageDeliveryStatus.SESSION_INITIATED, message_id="el_msg_1"
    )


def test_a_tokens_lifetime_is_read() -> None:
    """Elarian's published contract."""
    reply = app.AppToServerCommandReply()
    reply.generate_auth_token.token = "t"
    reply.generate_auth_token.lifetime.seconds = 3600
    assert answered(commands.GenerateAuthToken(), reply) == AuthToken(token="t", lifetime=timedelta(hours=1))
    reply.generate_auth_token.ClearField("lifetime")
    assert answered(commands.GenerateAuthToken(), reply).lifetime == timedelta(0)


def test_a_reminder_is_answered_out_of_the_apps_state() -> None:
    """The server keeps reminders with the app's data, and answers as it does for that."""
    command = commands.CancelCustomerReminder(customer="c", key="k")
    reply = app.AppToServerCommandReply()
    reply.update_customer_app_data.status = True
    assert answered(command, reply).status
    reply.update_customer_state.status = True
    with pytest.raises(RemoteProtocolError, match="update_customer_app_data, got update_customer_state"):
        answered(command, reply)


def test_no_reply_at_all_is_the_peers_fault() -> None:
    """This SDK: an entry that only a newer server knows is not mistaken for a reply."""
    with pytest.raises(RemoteProtocolError, match=r"CreateCustomer is answered with .*, got nothing that is known"):
        envelopes.decode_reply(commands.CreateCustomer(customer_number=NUMBER), b"\xfa\x01\x00")


def test_a_state_is_read_with_all_its_families() -> None:
    """Elarian's published contract; the oneofs and the two names of ``created_at`` are ours to join."""
    reply = app.AppToServerCommandReply()
    state = reply.get_customer_state.data
    state.customer_id = "el_cst_1"
    state.identity_state.metadata["m"].string_val = "1"
    state.identity_state.tags.add().mapping.key = "k"
    state.messaging_state.channels.add().blocked.blocked_at.seconds = 1
    state.messaging_state.channels.add()
    received = state.messaging_state.messages.add().received
    received.created_at.seconds = 5
    received.parts.add().voice.queue_data.dequeued_to_sessionId.value = "s"
    state.messaging_state.messages.add().sent.created_at.seconds = 6
    state.payment_state.wallets["w"].pending["t"].value.amount = 5
    state.activity_state.sessions.add(session_id="s").activities.add(key="k")
    data = answered(commands.GetCustomerState(customer="c"), reply).data
    assert data.customer_id == "el_cst_1"
    assert data.identity_state.metadata == {"m": "1"}
    assert data.identity_state.tags == (Tag("k", ""),)
    blocked, unknown = data.messaging_state.channels
    assert blocked.blocked_at == EPOCH + timedelta(seconds=1)
    assert unknown is None
    first, second = data.messaging_state.messages
    assert isinstance(first, ReceivedMessage)
    assert first.received_at == EPOCH + timedelta(seconds=5)
    assert first.parts[0].queue_data.dequeued_to_session_id == "s"  # type: ignore[union-attr]
    assert isinstance(second, SentMessage)
    assert second.sent_at == EPOCH + timedelta(seconds=6)
    assert second.message is None
    assert data.payment_state.wallets["w"].pending["t"].value == Cash("", 5)
    assert data.activity_state.sessions[0].activities == (Activity("k", "s"),)


def test_a_state_that_was_left_out_is_an_empty_one() -> None:
    """This SDK: where the model promises a value, an absent message is an empty one."""
    reply = app.AppToServerCommandReply()
    reply.get_customer_state.status = True
    assert answered(commands.GetCustomerState(customer="c"), reply).data is None
    reply.get_customer_state.data.SetInParent()
    assert answered(commands.GetCustomerState(customer="c"), reply).data.payment_state.wallets == {}


def test_leased_data_is_text_bytes_or_nothing() -> None:
    """Elarian's published contract."""
    reply = app.AppToServerCommandReply()
    lease = commands.LeaseCustomerAppData(customer="c")
    reply.lease_customer_app_data.status = True
    assert answered(lease, reply).value is None
    reply.lease_customer_app_data.value.SetInParent()
    assert answered(lease, reply).value is None
    reply.lease_customer_app_data.value.bytes_val = b""
    assert answered(lease, reply).value == b""


def test_a_simulators_reply_needs_no_envelope() -> None:
    """Elarian's published contract."""
    reply = phone.SimulatorToServerCommandReply(status=True)
    reply.message.body.ussd.text = "menu"
    command = commands.UpdatePaymentStatus(transaction_id="t", status="success")
    assert answered(command, reply) == replies.SimulatorReply(status=True, message=Message(UssdMenu("menu")))
    assert answered(command, phone.SimulatorToServerCommandReply()) == replies.SimulatorReply(status=False)


def test_a_reply_to_another_command_is_not_encoded() -> None:
    """This SDK: the sandbox cannot answer with the wrong class."""
    wrong: Any = replies.MessageReply(status=MessageDeliveryStatus.SENT)
    with pytest.raises(ValueError, match="must be a CustomerStateUpdateReply, got MessageReply"):
        envelopes.encode_reply(commands.CreateCustomer(customer_number=NUMBER), wrong)
