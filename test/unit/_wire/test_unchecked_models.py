"""What is read makes models without their constructors; here they are made again with them, and must be the same.

The bytes are any that protobuf takes: fields left out, oneofs empty, numbers that no enum has, times that no calendar
has, amounts that are none.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_strategies import wire_messages

from elarian_trio._wire import envelopes, mapping, tables
from elarian_trio._wire._pb import app_socket_pb2, simulator_socket_pb2
from elarian_trio.errors import RemoteProtocolError
from elarian_trio.models import commands
from elarian_trio.models.identity import CustomerNumber
from elarian_trio.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

app: Any = app_socket_pb2
phone: Any = simulator_socket_pb2

PHONE = commands.UpdatePaymentStatus(transaction_id="t", status="success")
ENTRIES = {name: command for command, name in tables.REPLIES.items()}


def any_reply(data: bytes) -> Any:  # noqa: ANN401 - the reply to whichever command it answers
    """Read a reply as the answer to a command that it can be the answer to."""
    entry = app.AppToServerCommandReply.FromString(data).WhichOneof("entry")
    return envelopes.decode_reply(object.__new__(ENTRIES.get(entry, commands.GetCustomerState)), data)


READ: dict[str, tuple[Any, Callable[[bytes], Any]]] = {
    "an app's command": (app.AppToServerCommand, envelopes.decode_app_command),
    "a reply to an app": (app.AppToServerCommandReply, any_reply),
    "an app's notification": (app.ServerToAppNotification, lambda data: envelopes.decode_app_notification(data)[0]),
    "an app's answer": (app.ServerToAppNotificationReply, envelopes.decode_notification_reply),
    "a simulator's command": (phone.SimulatorToServerCommand, envelopes.decode_simulator_command),
    "a reply to a simulator": (phone.SimulatorToServerCommandReply, lambda data: envelopes.decode_reply(PHONE, data)),
    "a simulator's notification": (phone.ServerToSimulatorNotification, envelopes.decode_simulator_notification),
}


def made_again(value: Any) -> Any:  # noqa: ANN401 - whatever a model holds
    """Make a value again, every model in it by its constructor."""
    if isinstance(value, Model):
        fields = {field.name: made_again(getattr(value, field.name)) for field in dataclasses.fields(value)}  # type: ignore[arg-type]
        return type(value)(**fields)
    if isinstance(value, tuple):
        return tuple(map(made_again, value))
    return {key: made_again(each) for key, each in value.items()} if isinstance(value, dict) else value


def told(value: Any) -> Any:  # noqa: ANN401 - whatever a model holds
    """Tell a value and the classes of everything in it: 0 and -0, a member and its name are not the same."""
    if isinstance(value, Model):
        return type(value), [told(getattr(value, field.name)) for field in dataclasses.fields(value)]  # type: ignore[arg-type]
    if isinstance(value, tuple):
        return [tuple, *map(told, value)]
    return {key: told(each) for key, each in value.items()} if isinstance(value, dict) else (type(value), repr(value))


@pytest.mark.parametrize("what", READ)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_read_is_what_the_constructors_make_of_it(what: str, data: st.DataObject) -> None:
    """This SDK: what comes off the wire is checked by nobody, since there is nothing that a check would change."""
    envelope, read = READ[what]
    model = found(read, data.draw(wire_messages(envelope)))
    if isinstance(model, RemoteProtocolError):
        assert "known here" in str(model) or "got NoneType" in str(model)
    else:
        assert told(model) == told(made_again(model))


def found(read: Callable[[bytes], Any], sent: bytes) -> Any:  # noqa: ANN401 - any model
    """Give the model, or the error."""
    try:
        return read(sent)
    except RemoteProtocolError as error:
        return error


def test_mappings_of_two_customers_are_two() -> None:
    """This SDK: parts of a state that were left out are not one object for all, where it could be changed."""
    reply = app.AppToServerCommandReply()
    reply.get_customer_state.data.SetInParent()
    one, other = (any_reply(reply.SerializeToString()).data for _ in range(2))
    one.identity_state.metadata["mine"] = "1"
    one.payment_state.wallets["mine"] = "1"
    assert (other.identity_state.metadata, other.payment_state.wallets) == ({}, {})


@dataclass(frozen=True, slots=True)
class Upper(CustomerNumber):
    """Has a rest of a constructor that the mapping knows nothing about."""

    def __post_init__(self) -> None:
        """Check the fields, and write the number in capitals."""
        CustomerNumber.__post_init__(self)
        object.__setattr__(self, "number", self.number.upper())


def test_a_constructor_that_does_more_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: what is left out is what is known to do nothing."""
    wire = app.CreateCustomerCommand.DESCRIPTOR.fields_by_name["customer_number"].message_type
    monkeypatch.setattr(tables, "MESSAGES", {**tables.MESSAGES, Upper: (wire.name,)})
    read = mapping.codec(Upper, wire).take.call(GetMessageClass(wire)(number="ab", provider=2))
    assert told(read) == told(Upper("AB"))
