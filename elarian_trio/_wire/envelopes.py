"""What travels: commands, replies, notifications and answers as bytes, both directions.

Above: the client's block and the sandbox. Below: :mod:`.entries` and :mod:`.mapping`. An envelope is a message with a
oneof of entries; which class is which entry follows from the entries' messages. What an app or simulator sends is
checked strictly; what a server sends may hold ``UNKNOWN``, since the sandbox must be able to give back what it was
given.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - a model's field types are read at run time
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

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
from ._pb import app_socket_pb2, simulator_socket_pb2
from .entries import Entry, by_name, entries, parse, take, take_entry, to_bytes
from .mapping import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elarian_trio.models.commands import AppCommand, Command, SimulatorCommand

    from .entries import MessageClass
    from .mapping import Codec
    from .values import Message

R = TypeVar("R", bound=Model)

AppData: TypeAlias = "str | bytes | None"

_APP: Any = app_socket_pb2
_SIMULATOR: Any = simulator_socket_pb2


def _reply_entry(command: type[Command[Any]], name: str) -> Entry:
    envelope = _APP.AppToServerCommandReply
    return Entry(envelope, name, codec(command.reply_type, envelope.DESCRIPTOR.fields_by_name[name].message_type))


@dataclass(frozen=True, slots=True, kw_only=True)
class _CustomerHead(Model):
    """What stands beside the entry of a notification about a customer."""

    org_id: str
    app_id: str
    customer_id: str
    app_data: str | bytes | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _PurseHead(Model):
    """What stands beside the entry of a notification about a purse."""

    org_id: str
    app_id: str
    purse_id: str
    created_at: datetime | None


_KNOWN = tuple(each for each in APP_NOTIFICATIONS if each is not UnknownNotification)

_APP_COMMANDS = entries(_APP.AppToServerCommand, tables.REPLIES)
_SIMULATOR_COMMANDS = entries(_SIMULATOR.SimulatorToServerCommand, tables.SIMULATOR_COMMANDS)
_COMMANDS = _APP_COMMANDS | _SIMULATOR_COMMANDS
_REPLIES = {command: _reply_entry(command, name) for command, name in tables.REPLIES.items()}
_SIMULATOR_REPLY = codec(SimulatorReply, _SIMULATOR.SimulatorToServerCommandReply.DESCRIPTOR)
_CUSTOMER_NOTIFICATIONS = entries(_APP.ServerToAppCustomerNotification, _KNOWN)
_SIMULATOR_NOTIFICATIONS = entries(_SIMULATOR.ServerToSimulatorNotification, SIMULATOR_NOTIFICATIONS)
_NOTIFICATION_REPLY = codec(NotificationReply, _APP.ServerToAppNotificationReply.DESCRIPTOR)
_CUSTOMER_HEAD = codec(_CustomerHead, _APP.ServerToAppCustomerNotification.DESCRIPTOR)
_PURSE_HEAD = codec(_PurseHead, _APP.ServerToAppPurseNotification.DESCRIPTOR)
_PURSE_ENTRY = entries(_APP.ServerToAppPurseNotification, (PaymentStatusNotification,))[PaymentStatusNotification]


_APP_COMMANDS_BY_NAME = by_name(_APP_COMMANDS)
_SIMULATOR_COMMANDS_BY_NAME = by_name(_SIMULATOR_COMMANDS)
_CUSTOMER_NOTIFICATIONS_BY_NAME = by_name(_CUSTOMER_NOTIFICATIONS)
_SIMULATOR_NOTIFICATIONS_BY_NAME = by_name(_SIMULATOR_NOTIFICATIONS)
_RECEIVED_MESSAGE = _CUSTOMER_NOTIFICATIONS[RECEIVED[Channel.SMS]].name


# --- commands ---


def encode_command(command: Command[Any]) -> bytes:
    """Give the bytes of a command of an app or a simulator.

    Raises:
        ValueError: it holds what cannot be sent; the model and the field are named.
    """
    entry = _COMMANDS.get(type(command))
    if entry is None:
        msg = f"{type(command).__name__} is no command"
        raise ValueError(msg)
    return entry.encode(command, strict=True)


def decode_app_command(data: bytes) -> AppCommand[Any]:
    """Give the command that an app sent.

    Raises:
        RemoteProtocolError: the bytes are none, or one that only a newer client knows.
    """
    command: AppCommand[Any] = _decode_command(_APP.AppToServerCommand, _APP_COMMANDS_BY_NAME, data)
    return command


def decode_simulator_command(data: bytes) -> SimulatorCommand:
    """Give the command that a simulator sent.

    Raises:
        RemoteProtocolError: the bytes are none, or one that only a newer client knows.
    """
    command: SimulatorCommand = _decode_command(_SIMULATOR.SimulatorToServerCommand, _SIMULATOR_COMMANDS_BY_NAME, data)
    return command


def _decode_command(envelope: MessageClass, codecs: Mapping[str, Codec[Any]], data: bytes) -> Any:  # noqa: ANN401
    command = take_entry(codecs, parse(envelope, data))
    if command is None:
        msg = f"an {envelope.DESCRIPTOR.name} without a command that is known here"
        raise RemoteProtocolError(msg)
    return command


# --- replies ---


def encode_reply(command: Command[R], reply: R) -> bytes:
    """Give the bytes that answer *command*.

    Raises:
        ValueError: the reply is not of the command's reply type, or holds what the wire cannot carry.
    """
    entry = _REPLIES.get(type(command))
    if entry is not None:
        return entry.encode(reply, strict=False)
    message = _SIMULATOR.SimulatorToServerCommandReply()
    _SIMULATOR_REPLY.fill(message, reply, strict=False)  # type: ignore[arg-type]
    return to_bytes(message)


def decode_reply(command: Command[R], data: bytes) -> R:
    """Give the reply to *command*.

    Raises:
        RemoteProtocolError: the bytes are no reply, or the reply to another command.
    """
    entry = _REPLIES.get(type(command))
    if entry is None:
        answer = parse(_SIMULATOR.SimulatorToServerCommandReply, data)
        return take(_SIMULATOR_REPLY.take, answer)  # type: ignore[return-value]
    envelope = parse(entry.envelope, data)
    name = envelope.WhichOneof("entry")
    if name != entry.name:
        got = "nothing that is known here" if name is None else name
        msg = f"{type(command).__name__} is answered with {entry.name}, got {got}"
        raise RemoteProtocolError(msg)
    reply: R = take(entry.codec.take, getattr(envelope, name))
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
    entry = _CUSTOMER_NOTIFICATIONS.get(type(notification))
    if entry is not None:
        return _encode_customer_notification(entry, notification, app_data)  # type: ignore[arg-type]
    entry = _SIMULATOR_NOTIFICATIONS.get(type(notification))
    if entry is None:
        msg = f"{type(notification).__name__} is no notification that can be sent"
        raise ValueError(msg)
    _no_app_data(notification, app_data)
    return entry.encode(notification, strict=False)


def _no_app_data(notification: Model, app_data: AppData) -> None:
    if app_data is not None:
        msg = f"{type(notification).__name__} cannot carry app data here"
        raise ValueError(msg)


def _encode_customer_notification(entry: Entry, notification: Notification, app_data: AppData) -> bytes:
    if isinstance(notification, ReceivedMessageNotification):
        _check_channel(notification)
    envelope = _APP.ServerToAppNotification()
    head = _CustomerHead(
        org_id=notification.org_id,
        app_id=notification.app_id,
        customer_id=notification.customer_id or "",
        app_data=app_data,
        created_at=notification.created_at,
    )
    _CUSTOMER_HEAD.fill(envelope.customer, head, strict=False)
    entry.fill(envelope.customer, notification, strict=False)
    return to_bytes(envelope)


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
    head = _PurseHead(
        org_id=notification.org_id,
        app_id=notification.app_id,
        purse_id=notification.purse_id or "",
        created_at=notification.created_at,
    )
    _PURSE_HEAD.fill(envelope.purse, head, strict=False)
    _PURSE_ENTRY.fill(envelope.purse, notification, strict=False)
    return to_bytes(envelope)


def decode_app_notification(data: bytes) -> tuple[Notification, AppData]:
    """Give the notification that an app is sent, and the app's data on the customer as it is stored.

    What only a newer server knows, an entry or a channel, is an :class:`.UnknownNotification`.

    Raises:
        RemoteProtocolError: the bytes are no notification.
    """
    envelope = parse(_APP.ServerToAppNotification, data)
    which = envelope.WhichOneof("entry")
    if which is None:
        return UnknownNotification(raw=data), None
    decode = _FORMS[which]
    return take(lambda form: decode(form, data), getattr(envelope, which))


def _decode_for_customer(form: Message, data: bytes) -> tuple[Notification, AppData]:
    head = _CUSTOMER_HEAD.read(form)
    app_data: AppData = head.pop("app_data")
    head["customer_id"] = head["customer_id"] or None
    name = form.WhichOneof("entry")
    if name is None:
        return UnknownNotification(raw=data, **head), app_data
    entry = _CUSTOMER_NOTIFICATIONS_BY_NAME[name]
    fields = entry.read(getattr(form, name))
    cls = RECEIVED.get(fields["channel_number"].channel) if name == _RECEIVED_MESSAGE else entry.cls
    if cls is None:
        return UnknownNotification(raw=data, **head), app_data
    return cls(**head, **fields), app_data


def _decode_for_purse(form: Message, data: bytes) -> tuple[Notification, AppData]:
    head = _PURSE_HEAD.read(form)
    if form.WhichOneof("entry") is None:
        del head["purse_id"]
        return UnknownNotification(raw=data, **head), None
    return PaymentStatusNotification(**head, **_PURSE_ENTRY.codec.read(form.payment_status)), None


_FORMS: Mapping[str, Callable[[Message, bytes], tuple[Notification, AppData]]] = {
    "customer": _decode_for_customer,
    "purse": _decode_for_purse,
}


def decode_simulator_notification(data: bytes) -> SimulatorNotification | UnknownNotification:
    """Give the notification that a simulator is sent; one that only a newer server knows is unknown.

    Raises:
        RemoteProtocolError: the bytes are no notification.
    """
    envelope = parse(_SIMULATOR.ServerToSimulatorNotification, data)
    notification: SimulatorNotification | None = take_entry(_SIMULATOR_NOTIFICATIONS_BY_NAME, envelope)
    return UnknownNotification(raw=data) if notification is None else notification


# --- answers ---


def encode_notification_reply(reply: NotificationReply) -> bytes:
    """Give the bytes of an app's answer. A simulator's answer is no bytes at all.

    Raises:
        ValueError: it holds what cannot be sent; the model and the field are named.
    """
    message = _APP.ServerToAppNotificationReply()
    _NOTIFICATION_REPLY.fill(message, reply, strict=True)
    return to_bytes(message)


def decode_notification_reply(data: bytes) -> NotificationReply:
    """Give the answer that an app sent.

    Raises:
        RemoteProtocolError: the bytes are none.
    """
    return take(_NOTIFICATION_REPLY.take, parse(_APP.ServerToAppNotificationReply, data))
