"""Acceptance, written from the design: values that check themselves, and nothing sent too early."""

from __future__ import annotations

import enum
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from acceptance import ASHA, KEY, PAYBILL, SMS, ScriptedServer

import elarian_trio
from elarian_trio import (
    Cash,
    Channel,
    ChannelPayment,
    ConnectionFailed,
    ConnectionOptions,
    CustomerNumber,
    CustomerNumberProvider,
    CustomerPayment,
    Elarian,
    ElarianError,
    Location,
    Media,
    Message,
    MessageDeliveryStatus,
    MessagingChannel,
    PaymentStatus,
    Purse,
    Reminder,
    Say,
    SecondaryId,
    SetupRejected,
    Simulator,
    Tag,
    UssdInput,
    Wallet,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"api_key": "k", "auth_token": "t"},
        {"api_key": "k", "endpoint": "https://example.com"},
        {"api_key": "k", "endpoint": "tcp.elarian.dev"},
    ],
)
@pytest.mark.parametrize("kind", [Elarian, Simulator])
def test_client_that_cannot_work_is_not_made(kind: Any, arguments: dict[str, Any]) -> None:  # noqa: ANN401
    """This SDK: exactly one credential, and an endpoint of the four kinds, else ValueError, which shows no key."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the package's
        kind(org_id="o", app_id="a", **arguments)


@pytest.mark.parametrize("kind", [Elarian, Simulator])
@pytest.mark.parametrize("credential", ["api_key", "auth_token"])
def test_client_shows_no_credential(kind: Any, credential: str) -> None:  # noqa: ANN401
    """Promise 4: not in its repr, nor in the reprs of what it holds."""
    client = kind(org_id="o", app_id="a", **{credential: KEY})
    seen: set[int] = set()

    def walk(value: Any, depth: int) -> None:  # noqa: ANN401
        if id(value) in seen or depth == 0:
            return
        seen.add(id(value))
        assert KEY not in repr(value)
        for slot in getattr(type(value), "__slots__", ()) if hasattr(type(value), "__slots__") else ():
            if isinstance(slot, str) and type(value).__module__.startswith("elarian_trio") and depth > 1:
                inner = getattr(value, slot, None)
                if not isinstance(inner, str | bytes):
                    walk(inner, depth - 1)
        for inner in vars(value).values() if hasattr(value, "__dict__") else ():
            if type(inner).__module__.startswith("elarian_trio"):
                walk(inner, depth - 1)

    walk(client, 4)
    assert KEY not in str(client)


def test_client_is_made_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """This SDK: the names of the variables are fixed; both or no credential is a ValueError."""
    for name in ("ORG_ID", "APP_ID", "API_KEY", "AUTH_TOKEN", "ENDPOINT", "CA_FILE"):
        monkeypatch.delenv(f"ELARIAN_{name}", raising=False)
    with pytest.raises(ValueError, match="ELARIAN_"):
        Elarian.from_env()
    monkeypatch.setenv("ELARIAN_ORG_ID", "o")
    monkeypatch.setenv("ELARIAN_APP_ID", "a")
    with pytest.raises(ValueError, match="ELARIAN_API_KEY"):
        Elarian.from_env()
    monkeypatch.setenv("ELARIAN_API_KEY", KEY)
    monkeypatch.setenv("ELARIAN_ENDPOINT", "tcp://127.0.0.1:1")
    app = Elarian.from_env()
    assert KEY not in repr(app)
    assert isinstance(Simulator.from_env(), Simulator)
    monkeypatch.setenv("ELARIAN_AUTH_TOKEN", "t")
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are the package's
        Elarian.from_env()
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        {},
        {"number": "\ud800"},
        {"number": ASHA, "provider": "pigeon"},
    ],
)
def test_customer_without_a_usable_address_is_not_made(address: dict[str, Any]) -> None:
    """This SDK: one or more addresses; bad ones are ValueErrors at once. No I/O."""
    app = Elarian(org_id="o", app_id="a", api_key="k")
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the package's
        app.customer(**address)
    assert app.customer(ASHA) is not None


# --- values ---

IMPOSSIBLE: list[Callable[[], object]] = [
    lambda: Cash("KES", "NaN"),
    lambda: Cash("KES", float("inf")),
    lambda: Cash("KES", "0.1000000000000000055511151231257827"),
    lambda: Cash("KES", Decimal("12345678901234567890.5")),
    lambda: Tag("k", "v", EPOCH),
    lambda: SecondaryId("k", "v", EPOCH),
    lambda: Tag("k", "v", datetime(2030, 1, 1)),  # naive
    lambda: Message("\ud800"),
    lambda: Tag("\udfff", "v"),
    lambda: CustomerNumber(ASHA, "pigeon"),  # type: ignore[arg-type]
    lambda: MessagingChannel("83044", "fax"),  # type: ignore[arg-type]
    lambda: Media("https://example.com", "smell"),  # type: ignore[arg-type]
    lambda: UssdInput("", "asleep"),  # type: ignore[arg-type]
    lambda: Location(latitude=float("nan"), longitude=0.0),
]


@pytest.mark.parametrize("make", IMPOSSIBLE)
def test_value_that_cannot_be_sent_unchanged_is_a_value_error(make: Callable[[], object]) -> None:
    """This SDK: amounts that a double would change, NaN, lone surrogates, an expiry at the epoch, unknown strings."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the package's
        make()


def test_unknown_string_is_told_the_known_ones() -> None:
    """This SDK: the error lists what is known."""
    with pytest.raises(ValueError, match="whatsapp"):
        MessagingChannel("83044", "sns")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", [name for name in elarian_trio.__all__ if isinstance(getattr(elarian_trio, name), enum.EnumType)]
)
def test_enum_is_its_wire_name_in_lower_case(name: str) -> None:
    """This SDK: StrEnums; their values travel well through JSON and string comparison."""
    members = list(getattr(elarian_trio, name))
    assert all(issubclass(type(each), enum.StrEnum) for each in members)
    assert all(each.value == each.value.lower() == str(each) for each in members)


def test_web_is_another_name_of_app() -> None:
    """The specification's older name."""
    assert CustomerNumberProvider.WEB is CustomerNumberProvider.APP
    assert CustomerNumber("1", "web").provider == "app"


def test_literals_become_members() -> None:
    """This SDK: ``X | Literal``: the string is as good as the member, and reads back as the member."""
    assert MessagingChannel("83044", "sms") == MessagingChannel.sms("83044")
    assert MessagingChannel("83044", "sms").channel is Channel.SMS
    assert Say("x", voice="male").voice.value == "male"  # type: ignore[union-attr]


def test_times_are_normalised_to_utc() -> None:
    """This SDK: aware datetimes, in UTC."""
    nairobi = datetime(2030, 1, 1, 3, tzinfo=timezone(timedelta(hours=3)))
    assert Reminder("k", nairobi).remind_at == NOW
    moment = Reminder("k", nairobi).remind_at
    assert moment is not None
    assert moment.utcoffset() == timedelta(0)


def test_amounts_are_decimals() -> None:
    """This SDK: what is written is what is held."""
    for amount in ("0.1", 0.1, Decimal("0.1")):
        assert Cash("KES", amount).amount == Decimal("0.1")
    assert Cash("KES", 7).amount == 7


MODELS: list[Any] = [
    Tag("k", "v", NOW),
    Message(Media("https://example.com", "image"), ("a",)),
    Message((Say("hi", voice="female"),)),
    Cash("KES", "12.5"),
    Reminder("k", NOW, timedelta(hours=1), "p"),
    CustomerPayment(CustomerNumber(ASHA), PAYBILL),
    ChannelPayment("cellular", 99999, "1", "2", "3"),
    Wallet("el_cst_1", "w"),
    Purse("p"),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_model_is_frozen_hashable_in_parts_and_travels_through_json(model: Any) -> None:  # noqa: ANN401
    """This SDK: frozen, slotted values that become plain JSON and come back."""
    plain = model.to_json()
    assert type(model).from_json(json.loads(json.dumps(plain))) == model
    assert pickle.loads(pickle.dumps(model)) == model
    assert not hasattr(model, "__dict__")
    first = next(iter(type(model).__dataclass_fields__))
    with pytest.raises(AttributeError):
        setattr(model, first, "other")


def test_errors_say_whether_to_try_again() -> None:
    """This SDK: one root; each class says ``retryable``; a rejected setup is a failed connection that is final."""
    for name in elarian_trio.__all__:
        value = getattr(elarian_trio, name)
        if isinstance(value, type) and issubclass(value, Exception):
            assert issubclass(value, ElarianError)
            assert isinstance(value.retryable, bool)
    assert ConnectionFailed.retryable
    assert issubclass(SetupRejected, ConnectionFailed)
    assert not SetupRejected.retryable


# --- nothing leaves before it is checked ---

BAD_COMMANDS: dict[str, Callable[[Elarian], Awaitable[object]]] = {
    "metadata that JSON cannot hold": lambda app: app.customer(ASHA).update_metadata({"x": object()}),
    "metadata with NaN": lambda app: app.customer(ASHA).update_metadata({"x": float("nan")}),
    "metadata with a lone surrogate": lambda app: app.customer(ASHA).update_metadata({"x": "\ud800"}),
    "a metadata key with one": lambda app: app.customer(ASHA).update_metadata({"\ud800": 1}),
    "app data that JSON cannot hold": lambda app: app.customer(ASHA).update_app_data({1, 2}),
    "an unknown consent": lambda app: app.customer(ASHA).update_messaging_consent(SMS, "maybe"),  # type: ignore[arg-type]
    "an UNKNOWN consent": lambda app: app.customer(ASHA).update_messaging_consent(
        SMS, elarian_trio.ConsentAction.UNKNOWN
    ),
    "an UNKNOWN channel": lambda app: app.customer(ASHA).send_message(MessagingChannel("1", Channel.UNKNOWN), "x"),
    "an UNKNOWN provider": lambda app: app.customer(customer_id="el_cst_1").adopt_state(
        app.customer("1", provider=CustomerNumberProvider.UNKNOWN)
    ),
    "an UNKNOWN media type": lambda app: app.customer(ASHA).send_message(
        SMS, Media("https://example.com", elarian_trio.MediaType.UNKNOWN)
    ),
    "a message of nothing": lambda app: app.customer(ASHA).send_message(SMS, "\ud800"),
    "an UNKNOWN status": lambda app: app.replay_payment(
        "p", CustomerPayment(CustomerNumber(ASHA), PAYBILL), Purse("p"), PaymentStatus.UNKNOWN, Cash("KES", 1), "", NOW
    ),
    "an UNKNOWN delivery status": lambda app: app.replay_sent_message(
        app.customer(ASHA),
        SMS,
        elarian_trio.SentMessage(
            message_id="m", sent_at=NOW, message=Message("x"), status=MessageDeliveryStatus.UNKNOWN
        ),
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize("command", BAD_COMMANDS.values(), ids=BAD_COMMANDS)
async def test_bad_argument_is_a_value_error_before_anything_is_sent(
    command: Callable[[Elarian], Awaitable[object]],
) -> None:
    """This SDK: ValueError, and the server hears nothing of it."""
    async with ScriptedServer() as server, Elarian(**server.arguments) as app:
        with pytest.raises(ValueError), anyio.fail_after(5):  # noqa: PT011 - the words are the package's
            await command(app)
        await app.ping()
        assert server.line.requests == []


@pytest.mark.anyio
async def test_simulators_answer_carries_no_message() -> None:
    """This SDK: a message in a simulator's answer is a ValueError."""
    from elarian_trio import SendMessageSimulatorNotification
    from elarian_trio.sandbox import Sandbox

    async with (
        Sandbox() as sandbox,
        Elarian(**sandbox.credentials) as app,
        Simulator(**sandbox.credentials) as phone,
        phone.notifications(SendMessageSimulatorNotification) as inbox,
    ):
        await app.customer(ASHA).send_message(SMS, "hi")
        with anyio.fail_after(5):
            async with await anext(aiter(inbox)) as delivery:
                with pytest.raises(ValueError):  # noqa: PT011 - the words are the package's
                    await delivery.reply("no")
                with pytest.raises(LookupError):
                    _ = delivery.customer


def test_default_options_are_the_designs() -> None:
    """This SDK: options are frozen values; impossible ones are refused."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the package's
        ConnectionOptions(keepalive_interval=0)
    with pytest.raises(AttributeError):
        ConnectionOptions().fragment_size = 1  # type: ignore[misc]
