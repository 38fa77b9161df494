"""What travels: commands, replies, notifications and answers as bytes, both directions.

Above: the client's block and the sandbox. Below: :mod:`.entries` and :mod:`.mapping`. An envelope is a message with a
oneof of entries; which class is which entry follows from the entries' messages. What an app or simulator sends is
checked strictly; what a server sends may hold ``UNKNOWN``, since the sandbox must be able to give back what it was
given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar

from elarian_trio.errors import RemoteProtocolError
from elarian_trio.models.channels import Channel
from elarian_trio.models.model import Model
from elarian_trio.models.notifications import (
    APP_NOTIFICATIONS,
    RECEIVED,
    Notification,
    NotificationReply,
    PaymentStatusNotification,
    ReceivedMessageNotification,
    UnknownNotification,
)
from elarian_trio.models.replies import SimulatorReply
from elarian_trio.models.simulator import SIMULATOR_NOTIFICATIONS, SimulatorNotification

from . import tables
from ._pb import app_socket_pb2, messaging_model_pb2, simulator_socket_pb2
from .entries import by_name, entries, entry, parser, take, take_entry, to_bytes
from .mapping import codec
from .values import enum_members, take_timestamp

if TYPE_CHECKING:
    from elarian_trio.models.commands import AppCommand, Command, SimulatorCommand

    from .entries import Entry
    from .values import Message

R = TypeVar("R", bound=Model)

AppData: TypeAlias = "str | bytes | None"

_APP: Any = app_socket_pb2
_MESSAGING: Any = messaging_model_pb2
_SIMULATOR: Any = simulator_socket_pb2


def _reply_entry(command: type[Command[Any]], name: str) -> Entry:
    envelope = _APP.AppToServerCommandReply
    return entry(envelope, envelope.DESCRIPTOR.fields_by_name[name], command.reply_type)


_KNOWN = tuple(each for each in APP_NOTIFICATIONS if each is not UnknownNotification)

_CUSTOMER_FORM = _APP.ServerToAppCustomerNotification.DESCRIPTOR
_PURSE_FORM = _APP.ServerToAppPurseNotification.DESCRIPTOR

_APP_COMMANDS = entries(_APP.AppToServerCommand, tables.REPLIES)
_SIMULATOR_COMMANDS = entries(_SIMULATOR.SimulatorToServerCommand, tables.SIMULATOR_COMMANDS)
_COMMANDS = _APP_COMMANDS | _SIMULATOR_COMMANDS
_REPLIES = {command: _reply_entry(command, name) for command, name in tables.REPLIES.items()}
_SIMULATOR_REPLY = codec(SimulatorReply, _SIMULATOR.SimulatorToServerCommandReply.DESCRIPTOR)
_CUSTOMER_NOTIFICATIONS = entries(_APP.ServerToAppNotification, _KNOWN, _CUSTOMER_FORM)
_SIMULATOR_NOTIFICATIONS = entries(_SIMULATOR.ServerToSimulatorNotification, SIMULATOR_NOTIFICATIONS)
_NOTIFICATION_REPLY = codec(NotificationReply, _APP.ServerToAppNotificationReply.DESCRIPTOR)
_PURSE_PAYMENT = codec(PaymentStatusNotification, _APP.PaymentStatusNotification.DESCRIPTOR, _PURSE_FORM)

_parse_app_command = parser(_APP.AppToServerCommand)
_parse_simulator_command = parser(_SIMULATOR.SimulatorToServerCommand)
_parse_simulator_reply = parser(_SIMULATOR.SimulatorToServerCommandReply)
_parse_notification = parser(_APP.ServerToAppNotification)
_parse_simulator_notification = parser(_SIMULATOR.ServerToSimulatorNotification)
_parse_notification_reply = parser(_APP.ServerToAppNotificationReply)

# Methods of a message, looked up in its class once: to do so in each message takes half as long again.
_which_form = _APP.ServerToAppNotification.WhichOneof
_which_entry, _has_field = (
    _APP.ServerToAppCustomerNotification.WhichOneof,
    _APP.ServerToAppCustomerNotification.HasField,
)

_APP_COMMANDS_BY_NAME = by_name(_APP_COMMANDS)
_SIMULATOR_COMMANDS_BY_NAME = by_name(_SIMULATOR_COMMANDS)
_CUSTOMER_NOTIFICATIONS_BY_NAME = by_name(_CUSTOMER_NOTIFICATIONS)
_SIMULATOR_NOTIFICATIONS_BY_NAME = by_name(_SIMULATOR_NOTIFICATIONS)
_RECEIVED_MESSAGE = _CUSTOMER_NOTIFICATIONS[RECEIVED[Channel.SMS]].name
_RECEIVED_BY_CHANNEL = {
    number: _CUSTOMER_NOTIFICATIONS[RECEIVED[channel]].codec
    for number, channel in enum_members(Channel, _MESSAGING.MessagingChannel.DESCRIPTOR).items()
}


# --- commands ---


def encode_command(command: Command[Any]) -> bytes:
    """Give the bytes of a command of an app or a simulator.

    Raises:
        ValueError: it holds what cannot be sent; the model and the field are named.
    """
    found = _COMMANDS.get(type(command))
    if found is None:
        msg = f"{type(command).__name__} is no command"
        raise ValueError(msg)
    return found.encode(command, strict=True)


def decode_app_command(data: bytes) -> AppCommand[Any]:
    """Give the command that an app sent.

    Raises:
        RemoteProtocolError: the bytes are none, or one that only a newer client knows.
    """
    envelope = _parse_app_command(data)
    command: AppCommand[Any] | None = take_entry(_APP_COMMANDS_BY_NAME, envelope)
    return command or _no_command(envelope)


def decode_simulator_command(data: bytes) -> SimulatorCommand:
    """Give the command that a simulator sent.

    Raises:
        RemoteProtocolError: the bytes are none, or one that only a newer client knows.
    """
    envelope = _parse_simulator_command(data)
    command: SimulatorCommand | None = take_entry(_SIMULATOR_COMMANDS_BY_NAME, envelope)
    return command or _no_command(envelope)


def _no_command(envelope: Message) -> NoReturn:
    msg = f"an {envelope.DESCRIPTOR.name} without a command that is known here"
    raise RemoteProtocolError(msg)


# --- replies ---


def encode_reply(command: Command[R], reply: R) -> bytes:
    """Give the bytes that answer *command*.

    Raises:
        ValueError: the reply is not of the command's reply type, or holds what the wire cannot carry.
    """
    found = _REPLIES.get(type(command))
    if found is not None:
        return found.encode(reply, strict=False)
    message = _SIMULATOR.SimulatorToServerCommandReply()
    _SIMULATOR_REPLY.fill.call(message, reply, False)  # noqa: FBT003, RUF100 - the signature of fill
    return to_bytes(message)


def decode_reply(command: Command[R], data: bytes) -> R:
    """Give the reply to *command*.

    Raises:
        RemoteProtocolError: the bytes are no reply, or the reply to another command.
    """
    found = _REPLIES.get(type(command))
    if found is None:
        answer = _parse_simulator_reply(data)
        return take(_SIMULATOR_REPLY, answer)  # type: ignore[return-value]
    envelope = found.parse(data)
    if not envelope.HasField(found.name):
        got = envelope.WhichOneof("entry") or "nothing that is known here"
        msg = f"{type(command).__name__} is answered with {found.name}, got {got}"
        raise RemoteProtocolError(msg)
    reply: R = take(found.codec, getattr(envelope, found.name))
    return reply


# --- notifications ---


def encode_notification(notification: Notification | SimulatorNotification, app_data: AppData = None) -> bytes:
    """Give the bytes of a notification.

    An :class:`.UnknownNotification` is given back as it came. A payment status with a ``purse_id`` takes the form for
    purses, which knows neither customer nor app data.

    Args:
        notification: to an app or a simulator.
        app_data: the app's data on the customer, as it is stored.

    Raises:
        ValueError: it holds what the wire cannot carry; the model and the field are named.
    """
    if isinstance(notification, UnknownNotification):
        return notification.raw
    if isinstance(notification, PaymentStatusNotification) and notification.purse_id is not None:
        return _encode_purse_notification(notification, app_data)
    found = _CUSTOMER_NOTIFICATIONS.get(type(notification))
    if found is not None:
        return _encode_customer_notification(found, notification, app_data)  # type: ignore[arg-type]
    found = _SIMULATOR_NOTIFICATIONS.get(type(notification))
    if found is None:
        msg = f"{type(notification).__name__} is no notification that can be sent"
        raise ValueError(msg)
    _no_app_data(notification, app_data)
    return found.encode(notification, strict=False)


def _no_app_data(notification: Model, app_data: AppData) -> None:
    if app_data is not None:
        msg = f"{type(notification).__name__} cannot carry app data here"
        raise ValueError(msg)


def _encode_customer_notification(found: Entry, notification: Notification, app_data: AppData) -> bytes:
    if isinstance(notification, ReceivedMessageNotification):
        _check_channel(notification)
    envelope = _APP.ServerToAppNotification()
    form = envelope.customer
    found.codec.fill.call(getattr(form, found.name), notification, False, form)  # noqa: FBT003, RUF100 - as above
    if app_data is not None:
        _put_app_data(form.app_data, app_data)
    return to_bytes(envelope)


def _put_app_data(message: Message, app_data: str | bytes) -> None:
    try:
        if isinstance(app_data, str):
            message.string_val = app_data
        else:
            message.bytes_val = app_data
    except (ValueError, TypeError) as error:
        msg = f"app_data {error}"
        raise ValueError(msg) from error


def _check_channel(notification: ReceivedMessageNotification) -> None:
    """The channel decides which class comes out at the other end."""
    channel = notification.channel_number.channel
    if channel != notification.channel:
        msg = f"{type(notification).__name__}.channel_number must be of {notification.channel}, got one of {channel}"
        raise ValueError(msg)


def _encode_purse_notification(notification: PaymentStatusNotification, app_data: AppData) -> bytes:
    _no_app_data(notification, app_data)
    if notification.customer_id is not None:
        msg = "PaymentStatusNotification.purse_id cannot go with customer_id: it is about a purse or a customer"
        raise ValueError(msg)
    envelope = _APP.ServerToAppNotification()
    form = envelope.purse
    _PURSE_PAYMENT.fill.call(form.payment_status, notification, False, form)  # noqa: FBT003, RUF100 - as above
    return to_bytes(envelope)


def decode_app_notification(data: bytes) -> tuple[Notification, AppData]:
    """Give the notification that an app is sent, and the app's data on the customer as it is stored.

    What only a newer server knows, an entry or a channel, is an :class:`.UnknownNotification`.

    Raises:
        RemoteProtocolError: the bytes are no notification.
    """
    envelope = _parse_notification(data)
    which = _which_form(envelope, "entry")
    if which == "customer":
        return _take_for_customer(envelope.customer, data)
    if which == "purse":
        return _take_for_purse(envelope.purse, data), None
    return UnknownNotification(raw=data), None


def _take_for_customer(form: Message, data: bytes) -> tuple[Notification, AppData]:
    app_data = _app_data(form.app_data) if _has_field(form, "app_data") else None
    name = _which_entry(form, "entry")
    if name is None:
        return _unknown(form, data, form.customer_id or None), app_data
    message = getattr(form, name)
    if name == _RECEIVED_MESSAGE:
        number = message.channel_number  # kept until it is taken: to make it again takes twice as long as to find it
        pair = _RECEIVED_BY_CHANNEL.get(number.channel)
        if pair is None:
            return _unknown(form, data, form.customer_id or None), app_data
    else:
        pair = _CUSTOMER_NOTIFICATIONS_BY_NAME[name]
    return take(pair, message, form), app_data


def _take_for_purse(form: Message, data: bytes) -> Notification:
    if form.HasField("payment_status"):
        return take(_PURSE_PAYMENT, form.payment_status, form)
    return _unknown(form, data, None)


def _unknown(form: Message, data: bytes, customer_id: str | None) -> UnknownNotification:
    created_at = take_timestamp(form.created_at) if form.HasField("created_at") else None
    return UnknownNotification(
        org_id=form.org_id, app_id=form.app_id, customer_id=customer_id, created_at=created_at, raw=data
    )


def _app_data(message: Message) -> AppData:
    which = message.WhichOneof("value")
    return None if which is None else getattr(message, which)


def decode_simulator_notification(data: bytes) -> SimulatorNotification | UnknownNotification:
    """Give the notification that a simulator is sent; one that only a newer server knows is unknown.

    Raises:
        RemoteProtocolError: the bytes are no notification.
    """
    envelope = _parse_simulator_notification(data)
    notification: SimulatorNotification | None = take_entry(_SIMULATOR_NOTIFICATIONS_BY_NAME, envelope)
    return UnknownNotification(raw=data) if notification is None else notification


# --- answers ---


def encode_notification_reply(reply: NotificationReply) -> bytes:
    """Give the bytes of an app's answer. A simulator's answer is no bytes at all.

    Raises:
        ValueError: it holds what cannot be sent; the model and the field are named.
    """
    message = _APP.ServerToAppNotificationReply()
    _NOTIFICATION_REPLY.fill.call(message, reply, True)  # noqa: FBT003, RUF100 - the signature of fill
    return to_bytes(message)


def decode_notification_reply(data: bytes) -> NotificationReply:
    """Give the answer that an app sent.

    Raises:
        RemoteProtocolError: the bytes are none.
    """
    return take(_NOTIFICATION_REPLY, _parse_notification_reply(data))
