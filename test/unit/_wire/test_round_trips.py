"""``decode(encode(x)) == x`` for everything that travels, as the SDK promises of every model, from both sides."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_strategies import TEXT, models

from elarian_trio._wire import envelopes, tables
from elarian_trio.models import commands, notifications, simulator
from elarian_trio.models.notifications import NotificationReply, PaymentStatusNotification

APP_COMMANDS = list(tables.REPLIES)
APP_NOTIFICATIONS = [each for each in notifications.APP_NOTIFICATIONS if each is not notifications.UnknownNotification]
APP_DATA = st.none() | TEXT | st.binary(max_size=12)

few = settings(max_examples=30)


@pytest.mark.parametrize("cls", APP_COMMANDS, ids=attrgetter("__name__"))
@few
@given(data=st.data())
def test_what_an_app_commands_is_what_the_server_reads(cls: type[Any], data: st.DataObject) -> None:
    """This SDK: every command survives the wire."""
    command = data.draw(models(cls, sendable=True))
    assert envelopes.decode_app_command(envelopes.encode_command(command)) == command


@pytest.mark.parametrize("cls", tables.SIMULATOR_COMMANDS, ids=attrgetter("__name__"))
@few
@given(data=st.data())
def test_what_a_simulator_commands_is_what_the_server_reads(cls: type[Any], data: st.DataObject) -> None:
    """This SDK: every command survives the wire."""
    command = data.draw(models(cls, sendable=True))
    assert envelopes.decode_simulator_command(envelopes.encode_command(command)) == command


@pytest.mark.parametrize("cls", [*APP_COMMANDS, *tables.SIMULATOR_COMMANDS], ids=attrgetter("__name__"))
@few
@given(data=st.data())
def test_what_the_server_replies_is_what_the_client_reads(cls: type[Any], data: st.DataObject) -> None:
    """This SDK: every reply survives the wire, UNKNOWN included, whichever command it answers."""
    command = data.draw(models(cls))
    reply = data.draw(models(cls.reply_type))
    assert envelopes.decode_reply(command, envelopes.encode_reply(command, reply)) == reply


@pytest.mark.parametrize("cls", APP_NOTIFICATIONS, ids=attrgetter("__name__"))
@few
@given(data=st.data())
def test_what_the_server_tells_is_what_the_app_reads(cls: type[Any], data: st.DataObject) -> None:
    """This SDK: every notification survives the wire, UNKNOWN included, and app data beside it."""
    notification = data.draw(models(cls))
    has_app_data = not (isinstance(notification, PaymentStatusNotification) and notification.purse_id is not None)
    app_data = data.draw(APP_DATA) if has_app_data else None
    told = envelopes.encode_notification(notification, app_data)
    assert envelopes.decode_app_notification(told) == (notification, app_data)


@pytest.mark.parametrize("cls", simulator.SIMULATOR_NOTIFICATIONS, ids=attrgetter("__name__"))
@few
@given(data=st.data())
def test_what_the_server_tells_is_what_the_simulator_reads(cls: type[Any], data: st.DataObject) -> None:
    """This SDK: every notification survives the wire, UNKNOWN included."""
    notification = data.draw(models(cls))
    assert envelopes.decode_simulator_notification(envelopes.encode_notification(notification)) == notification


@given(models(NotificationReply, sendable=True))
def test_what_an_app_answers_is_what_the_server_reads(reply: NotificationReply) -> None:
    """This SDK: every answer survives the wire, with its three cases of app data."""
    assert envelopes.decode_notification_reply(envelopes.encode_notification_reply(reply)) == reply


@pytest.mark.parametrize("cls", APP_COMMANDS, ids=attrgetter("__name__"))
@few
@given(data=st.data())
def test_the_same_command_is_the_same_bytes(cls: type[Any], data: st.DataObject) -> None:
    """This SDK: maps travel in order, so that what is sent again is byte for byte what was sent."""
    command: commands.AppCommand[Any] = data.draw(models(cls, sendable=True))
    again = type(command).from_json(command.to_json())
    assert envelopes.encode_command(again) == envelopes.encode_command(command)
