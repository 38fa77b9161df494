"""What the package exports against what its design promises: names, methods, parameters, docstrings.

The tables are written by hand from the design, so that a name that disappears is seen here first.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import elarian_trio
from elarian_trio import errors

CLIENTS = "Elarian Simulator Customer Delivery ConnectionState ConnectionOptions Backoff Serializer"

ENUMS = """
    CustomerNumberProvider ChannelNumberProvider MediaType VoiceCallDirection CustomerRequestOrigin Channel
    ConsentAction MessagingConsentUpdateStatus MessagingSessionEndReason MessageReaction PromptMessageReplyAction
    MessageDeliveryStatus VoiceCallStatus VoiceCallHangupCause UssdSessionStatus TextToSpeechVoice PaymentChannel
    PaymentStatus
"""

VALUES = """
    AuthToken CustomerState IdentityState MessagingState PaymentState ActivityState CustomerNumber Tag SecondaryId Media
    Location Email Template Url UssdMenu Say Play GetDigits Dial RecordSession GetRecording Enqueue Dequeue Reject
    Redirect Message ReplyPrompt VoiceCallInput VoiceCallDialInput VoiceCallQueueInput UssdInput MessagingChannel
    PaymentChannelNumber Purse Wallet CustomerPayment ChannelPayment Cash Activity Reminder ReceivedMessage SentMessage
    MessageStatusUpdate MessageSessionUpdate
"""

REPLIES = """
    CustomerStateUpdateReply MessageReply ConsentUpdateReply TagUpdateReply InitiatePaymentReply ReplayPaymentReply
    DeleteCustomerReply SimulatorReply
"""

NOTIFICATIONS = """
    ReminderNotification MessagingSessionStartedNotification MessagingSessionRenewedNotification
    MessagingSessionEndedNotification MessagingConsentUpdateNotification ReceivedSmsNotification
    ReceivedFbMessengerNotification ReceivedTelegramNotification ReceivedWhatsappNotification ReceivedEmailNotification
    VoiceCallNotification UssdSessionNotification MessageStatusNotification SentMessageReactionNotification
    ReceivedPaymentNotification PaymentStatusNotification CustomerActivityNotification
    SendMessageSimulatorNotification MakeVoiceCallSimulatorNotification SendCustomerPaymentSimulatorNotification
    SendChannelPaymentSimulatorNotification CheckoutPaymentSimulatorNotification UnknownNotification
"""

ERRORS = """
    ElarianError ConnectionFailed SetupRejected ConnectionLost ConnectionClosed CommandTimedOut DeliveryExpired
    ProtocolError LocalProtocolError RemoteProtocolError CommandError CommandRejected CommandFailed ServiceError
    InternalError
"""

DESIGNED = (CLIENTS, ENUMS, VALUES, REPLIES, NOTIFICATIONS, ERRORS)
FROZEN = (VALUES, REPLIES, NOTIFICATIONS, "ConnectionOptions Backoff")

# Awaitable commands with the parameters the design names; a trailing "=" is one that may be left out.
COMMANDS = {
    "Elarian": """
        generate_auth_token
        delete_customer_by_customer_number number
        delete_customer_by_customer_id customer_id
        add_customer_reminder_by_tag tag reminder
        cancel_customer_reminder_by_tag tag key
        send_message_by_tag tag channel message
        initiate_payment debit_party credit_party value narration=
        replay_messaging_consent_update customer channel consent updated_at
        replay_received_message customer channel message
        replay_sent_message customer channel message
        replay_message_status_update customer channel update
        replay_message_reaction_update customer channel message_id reaction updated_at
        replay_messaging_session customer channel update
        replay_payment transaction_id debit_party credit_party status value narration updated_at
        replay_payment_status_update customer transaction_id status updated_at
    """,
    "Customer": """
        create
        delete
        get_state
        adopt_state other
        send_message channel message
        reply_to_message message_id message
        make_voice_call channel actions=
        update_activity source activity
        update_messaging_consent channel action
        lease_app_data
        update_app_data data
        delete_app_data
        get_metadata
        update_metadata data
        delete_metadata *keys
        lease_metadata key
        get_secondary_ids
        update_secondary_ids *ids
        delete_secondary_ids *ids
        get_tags
        update_tags *tags
        delete_tags *keys
        add_reminder reminder
        cancel_reminder key
    """,
    "Simulator": """
        receive_message phone_number channel session_id parts cost=
        receive_payment phone_number channel transaction_id value status
        update_payment_status transaction_id status
    """,
}

# The older references' names on the client: the customer comes first.
OLDER = """
    get_customer_state adopt_customer_state update_customer_tag delete_customer_tag update_customer_secondary_id
    delete_customer_secondary_id add_customer_reminder cancel_customer_reminder update_customer_metadata
    delete_customer_metadata lease_customer_metadata update_customer_app_data lease_customer_app_data
    delete_customer_app_data update_customer_activity send_message reply_to_message messaging_consent make_voice_call
"""

OTHER_MEMBERS = {
    "Elarian": "from_env disconnect reconnect_now ping customer notifications on off connection_state connection_states"
    " statistics",
    "Simulator": "from_env disconnect notifications on off connection_state connection_states statistics",
    "Delivery": "notification customer app_data event deadline key raw reply reject",
    "MessagingChannel": "sms voice ussd fb_messenger telegram whatsapp email",
}

# Values that may be made by position, in this order.
POSITIONAL = {
    "Tag": "key value expires_at=",
    "SecondaryId": "key value expires_at=",
    "CustomerNumber": "number provider= partition=",
    "MessagingChannel": "number channel",
    "PaymentChannelNumber": "number channel=",
    "Reminder": "key remind_at interval= payload=",
    "Cash": "currency_code amount",
    "UssdMenu": "text is_terminal=",
    "UssdInput": "text status",
    "Play": "url",
    "Media": "url type",
    "Template": "id params",
    "Activity": "key session_id properties created_at=",
    "Purse": "purse_id",
    "Wallet": "customer_id wallet_id",
    "CustomerPayment": "customer_number channel_number",
    "ChannelPayment": "channel channel_code source destination account=",
    "Message": "body labels= provider_tag= reply_token= reply_prompt=",
}

OPTIONS = {
    "keepalive_interval": 10.0,
    "keepalive_lifetime": 30.0,
    "command_timeout": 30.0,
    "notification_timeout": 15.0,
    "drain_timeout": 20.0,
    "connect_timeout": 10.0,
    "resume": "auto",
    "resume_buffer_size": 1024 * 1024,
    "fragment_size": 64 * 1024,
    "max_payload_size": 16 * 1024 * 1024,
    "receive_notifications": True,
    "ssl_context": None,
}

BACKOFF = {
    "first": 0.25,
    "base": 0.5,
    "factor": 1.6,
    "jitter": 0.2,
    "cap": 5.0,
    "slow_cap": 60.0,
    "give_up_after": None,
}


def exported(name: str) -> Any:  # noqa: ANN401 - classes of every kind
    """The name as a user would import it."""
    return getattr(elarian_trio, name)


def spelled(parameter: inspect.Parameter) -> str:
    """A parameter as the tables write it."""
    star = "*" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else ""
    left_out = "=" if parameter.default is not inspect.Parameter.empty else ""
    return f"{star}{parameter.name}{left_out}"


def by_position(function: Any) -> list[str]:  # noqa: ANN401 - a class or a function
    """What may be given by position, as the tables write it, ``self`` left out."""
    parameters = inspect.signature(function).parameters.values()
    return [spelled(p) for p in parameters if p.name != "self" and p.kind is not inspect.Parameter.KEYWORD_ONLY]


def commands() -> list[tuple[str, str, list[str]]]:
    """Class, method and parameters of every command in the tables."""
    rows = ((owner, line.split()) for owner, table in COMMANDS.items() for line in table.strip().splitlines())
    return [(owner, name, parameters) for owner, (name, *parameters) in rows]


def test_all_is_what_can_be_imported() -> None:
    """This SDK: public is what ``__all__`` exports and a docstring describes."""
    assert len(set(elarian_trio.__all__)) == len(elarian_trio.__all__)
    undescribed = [name for name in elarian_trio.__all__ if not inspect.getdoc(exported(name))]
    assert not undescribed


def seen_by_type_checkers() -> dict[str, str]:
    """Every name that the package imports for type checkers, and from where."""
    tree = ast.parse(Path(elarian_trio.__file__).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.col_offset]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def test_type_checkers_and_programs_see_the_same() -> None:
    """This SDK: names load late, and what type checkers read is what a program gets, the very same object."""
    assert sorted(seen_by_type_checkers()) == sorted(elarian_trio.__all__)
    different = [
        name
        for name, home in seen_by_type_checkers().items()
        if exported(name) is not getattr(importlib.import_module(home), name)
    ]
    assert not different


def test_all_is_in_order() -> None:
    """This SDK: so that a name is found, and added once."""
    assert elarian_trio.__all__ == sorted(elarian_trio.__all__)


def test_wrong_name_is_refused_and_a_like_one_suggested() -> None:
    """Python suggests names that :func:`dir` lists, whether they are loaded or not."""
    with pytest.raises(AttributeError, match="module 'elarian_trio' has no attribute 'Elrian'") as caught:
        exported("Elrian")
    assert caught.value.name == "Elrian"
    assert "Elarian" in dir(caught.value.obj)


FRESH = {
    "nothing but the door is loaded": """
import elarian_trio
loaded = {name for name in sys.modules if name.startswith("elarian_trio")}
assert loaded == {"elarian_trio", "elarian_trio._late"}, loaded
assert not {"anyio", "trio", "google.protobuf", "rsocket"} & set(sys.modules)
""",
    "dir lists what is not loaded": """
import elarian_trio
assert set(elarian_trio.__all__) <= set(dir(elarian_trio))
assert "Elarian" not in vars(elarian_trio)
""",
    "all of it is imported by a star": """
from elarian_trio import *
import elarian_trio
assert all(globals()[name] is getattr(elarian_trio, name) for name in elarian_trio.__all__)
""",
    "modules are reached through the package": """
import elarian_trio
assert issubclass(elarian_trio.errors.ConnectionLost, elarian_trio.ElarianError)
assert elarian_trio.options.ConnectionOptions is elarian_trio.ConnectionOptions
""",
    "one that is not offered has to be imported": """
import elarian_trio
try:
    elarian_trio.sandbox
except AttributeError:
    import elarian_trio.sandbox
elarian_trio.sandbox.Sandbox
""",
    "the packages for the wire wait for the first client, and asyncio with them": """
from elarian_trio import Elarian, MessagingChannel, ReceivedSmsNotification, Tag
assert not {"google.protobuf", "rsocket", "asyncio"} & set(sys.modules)
Elarian(org_id="o", app_id="a", api_key="k")
before = {name for name in sys.modules if name.startswith(("elarian_trio._wire", "rsocket"))}
import elarian_trio._wire.envelopes, elarian_trio._wire.setup, rsocket.frame
assert before == {name for name in sys.modules if name.startswith(("elarian_trio._wire", "rsocket"))}
""",
}


@pytest.mark.parametrize("program", FRESH.values(), ids=FRESH.keys())
def test_fresh_program(program: str) -> None:
    """This SDK: a program pays for what it uses; seen from a process of its own."""
    fresh_python(f"import sys\n{program}")


def fresh_python(program: str) -> bytes:
    """Run a program; give what it wrote."""
    return subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60, stdout=-1).stdout


PICKLED = (
    elarian_trio.Tag("plan", "gold"),
    elarian_trio.ConnectionOptions(),
    elarian_trio.Channel.SMS,
    elarian_trio.ConnectionClosed,
)


@pytest.mark.parametrize("value", PICKLED, ids=repr)
def test_value_is_pickled_from_process_to_process(value: object) -> None:
    """This SDK: a process that has yet to import anything reads what another wrote."""
    written = pickle.dumps(value)
    read = fresh_python(f"import pickle, sys; sys.stdout.buffer.write(pickle.dumps(pickle.loads({written!r})))")
    assert pickle.loads(read) == value


@pytest.mark.parametrize("name", " ".join(DESIGNED).split())
def test_designed_name_is_exported_and_described(name: str) -> None:
    """This SDK: the names of the design are what users rely on."""
    assert name in elarian_trio.__all__
    described = exported(name).__doc__
    assert described
    assert not described.startswith(f"{name}("), "the docstring is the one that dataclasses make up"


def test_sandbox_is_in_a_module_of_its_own() -> None:
    """This SDK: an app that talks to the real server never loads the pretended one."""
    assert importlib.import_module("elarian_trio.sandbox").Sandbox.__doc__
    assert "Sandbox" not in elarian_trio.__all__


@pytest.mark.parametrize("name", ENUMS.split())
def test_enum_is_a_string_with_an_unknown(name: str) -> None:
    """This SDK: enums are strings, and what a newer server says decodes to UNKNOWN."""
    assert issubclass(exported(name), enum.StrEnum)
    assert exported(name).UNKNOWN


@pytest.mark.parametrize("name", " ".join(FROZEN).split())
def test_value_is_frozen_and_slotted(name: str) -> None:
    """This SDK: what users hold cannot change under them."""
    value = exported(name)
    assert dataclasses.is_dataclass(value)
    assert value.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(value)


@pytest.mark.parametrize(("name", "parameters"), POSITIONAL.items())
def test_value_is_made_by_position(name: str, parameters: str) -> None:
    """This SDK: the order of these arguments is public, and so is which may be left out; more may."""
    found, designed = by_position(exported(name)), parameters.split()
    assert [parameter.rstrip("=") for parameter in found] == [parameter.rstrip("=") for parameter in designed]
    assert {parameter for parameter in designed if parameter.endswith("=")} <= set(found)


@pytest.mark.parametrize(("owner", "name", "parameters"), commands())
def test_command_is_awaitable_with_the_designed_parameters(owner: str, name: str, parameters: list[str]) -> None:
    """The SDK specification's commands, in snake case."""
    command = getattr(exported(owner), name)
    assert inspect.iscoroutinefunction(command)
    assert inspect.getdoc(command)
    assert [spelled(p) for p in inspect.signature(command).parameters.values()] == ["self", *parameters]


@pytest.mark.parametrize("name", OLDER.split())
def test_older_command_takes_the_customer_first(name: str) -> None:
    """The older references: every customer command is on the client too."""
    command = exported("Elarian").__dict__.get(name) or getattr(exported("Elarian"), name)
    assert inspect.iscoroutinefunction(command)
    assert inspect.getdoc(command)
    assert by_position(command)[0] == "customer"


@pytest.mark.parametrize(("owner", "name"), [(o, n) for o, names in OTHER_MEMBERS.items() for n in names.split()])
def test_member_exists_and_is_described(owner: str, name: str) -> None:
    """This SDK: what else the design promises of its classes."""
    value = exported(owner)
    if dataclasses.is_dataclass(value) and name in {field.name for field in dataclasses.fields(value)}:
        return  # a field is described by its class
    assert inspect.getdoc(inspect.getattr_static(value, name))


@pytest.mark.parametrize(("name", "value"), OPTIONS.items())
def test_option_has_the_designed_default(name: str, value: object) -> None:
    """This SDK: the defaults are public."""
    assert getattr(exported("ConnectionOptions")(), name) == value


@pytest.mark.parametrize(("name", "value"), BACKOFF.items())
def test_backoff_has_the_designed_default(name: str, value: object) -> None:
    """This SDK: the defaults are public."""
    assert getattr(exported("ConnectionOptions")().reconnect, name) == value


@pytest.mark.parametrize("name", ERRORS.split())
def test_error_is_one_of_ours(name: str) -> None:
    """This SDK: one root for everything it raises."""
    assert issubclass(getattr(errors, name), errors.ElarianError)
    assert exported(name) is getattr(errors, name)
