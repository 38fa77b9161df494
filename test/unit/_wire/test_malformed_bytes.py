"""Bytes of a peer that is broken, hostile or newer: read, or RemoteProtocolError, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_strategies import models

from elarian_trio._wire import envelopes, setup
from elarian_trio.errors import RemoteProtocolError
from elarian_trio.models import commands
from elarian_trio.models.notifications import NotificationReply, ReceivedWhatsappNotification
from elarian_trio.models.replies import GetCustomerStateReply

if TYPE_CHECKING:
    from collections.abc import Callable

STATE = commands.GetCustomerState(customer="c")

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "app_command": envelopes.decode_app_command,
    "simulator_command": envelopes.decode_simulator_command,
    "reply": lambda data: envelopes.decode_reply(STATE, data),
    "simulator_reply": lambda data: envelopes.decode_reply(
        commands.UpdatePaymentStatus(transaction_id="t", status="success"), data
    ),
    "app_notification": envelopes.decode_app_notification,
    "simulator_notification": envelopes.decode_simulator_notification,
    "notification_reply": envelopes.decode_notification_reply,
    "setup": setup.decode_setup,
}


def survives(decode: Callable[[bytes], Any], data: bytes) -> bool:
    """Decode, and tell whether it could be; any other exception fails the test."""
    try:
        decode(data)
    except RemoteProtocolError:
        return False
    return True


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.binary(max_size=64))
def test_random_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    """The issue: malformed bytes raise RemoteProtocolError."""
    survives(DECODERS[name], data)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\xff", b"\xff" * 12, b"\x0a\x02\x08", b"\x0b" * 200, b"\x07"])
def test_bytes_that_are_no_message_are_refused(name: str, data: bytes) -> None:
    """Protobuf: a field without its value, an endless varint, groups within groups, a wire type that is none."""
    assert not survives(DECODERS[name], data)


@pytest.mark.parametrize("name", ["app_command", "simulator_command"])
@pytest.mark.parametrize("data", [b"", b"\xca\x3e\x00"])
def test_a_command_that_is_not_known_is_refused(name: str, data: bytes) -> None:
    """This SDK: the sandbox says so, and does not guess."""
    with pytest.raises(RemoteProtocolError, match="without a command that is known here"):
        DECODERS[name](data)


@settings(max_examples=60)
@given(models(GetCustomerStateReply), st.data())
def test_a_cut_or_changed_reply_is_read_or_refused(reply: GetCustomerStateReply, data: st.DataObject) -> None:
    """The issue: malformed bytes never hang or break the client."""
    damaged(envelopes.encode_reply(STATE, reply), DECODERS["reply"], data)


@settings(max_examples=60)
@given(models(ReceivedWhatsappNotification), st.data())
def test_a_cut_or_changed_notification_is_read_or_refused(
    notification: ReceivedWhatsappNotification, data: st.DataObject
) -> None:
    """The issue: malformed bytes never hang or break the client."""
    damaged(envelopes.encode_notification(notification, "d"), DECODERS["app_notification"], data)


@settings(max_examples=60)
@given(models(commands.ReplaySentMessage, sendable=True), st.data())
def test_a_cut_or_changed_command_is_read_or_refused(command: commands.ReplaySentMessage, data: st.DataObject) -> None:
    """This SDK: one broken app does not break the sandbox."""
    damaged(envelopes.encode_command(command), DECODERS["app_command"], data)


@settings(max_examples=60)
@given(models(NotificationReply, sendable=True), st.data())
def test_a_cut_or_changed_answer_is_read_or_refused(reply: NotificationReply, data: st.DataObject) -> None:
    """This SDK: one broken app does not break the sandbox."""
    damaged(envelopes.encode_notification_reply(reply), DECODERS["notification_reply"], data)


def damaged(sound: bytes, decode: Callable[[bytes], Any], data: st.DataObject) -> None:
    """Cut the bytes somewhere, change one, and put some in."""
    at = data.draw(st.integers(0, len(sound)))
    survives(decode, sound[:at])
    survives(decode, sound[:at] + data.draw(st.binary(min_size=1, max_size=1)) + sound[at + 1 :])
    survives(decode, sound[:at] + data.draw(st.binary(max_size=4)) + sound[at:])
