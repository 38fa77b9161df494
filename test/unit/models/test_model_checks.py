"""What the models' constructors accept, convert and refuse: "ValueError or TypeError, before anything is sent"."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elarian_trio.models import activity, channels, commands, identity, messaging, notifications, payments, voice
from elarian_trio.models.identity import CustomerNumber, CustomerNumberProvider, Reminder, SecondaryId, Tag
from elarian_trio.models.messaging import Location, Media, MediaType, Message, Template, UssdInput, UssdMenu
from elarian_trio.models.model import EPOCH
from elarian_trio.models.payments import Cash

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SMS = channels.MessagingChannel.sms("83044")


def test_a_string_for_an_enum_becomes_its_member() -> None:
    """The design: parameters take ``X | Literal[…]``."""
    assert CustomerNumber("+1", "telegram").provider is CustomerNumberProvider.TELEGRAM
    assert Media("https://x", "image").type is MediaType.IMAGE


def test_web_is_the_older_name_of_app() -> None:
    """The specification says WEB, the wire's contract APP."""
    assert CustomerNumberProvider.WEB is CustomerNumberProvider.APP
    assert CustomerNumber("u1", "web").provider is CustomerNumberProvider.APP


def test_an_unknown_string_for_an_enum_lists_the_known_ones() -> None:
    """The design: a ValueError that lists the known ones, and UNKNOWN is not one to choose."""
    with pytest.raises(ValueError, match="'pigeon' is no Channel; known are 'sms', 'voice'") as caught:
        channels.MessagingChannel("1", "pigeon")  # type: ignore[arg-type]
    assert "unknown" not in str(caught.value)
    with pytest.raises(ValueError, match="'pigeon' is no CustomerNumberProvider"):
        CustomerNumber("1", "pigeon")  # type: ignore[arg-type]


def test_what_is_no_string_at_all_is_no_enum() -> None:
    """This SDK: a wrong type is a TypeError that names the field."""
    with pytest.raises(TypeError, match="provider must be a CustomerNumberProvider or its name, got int"):
        CustomerNumber("1", 2)  # type: ignore[arg-type]


def receive(parts: Any) -> commands.ReceiveMessage:  # noqa: ANN401 - right and wrong ones
    """Give what a customer sends in so many parts."""
    return commands.ReceiveMessage(customer_number="+1", channel_number=SMS, parts=parts)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: CustomerNumber(5), "^CustomerNumber.number must be a str, got int"),  # type: ignore[arg-type]
        (lambda: CustomerNumber("1", partition=5), "partition must be a str, got int"),  # type: ignore[arg-type]
        (lambda: Tag("k", "v", "soon"), "^Tag.expires_at must be an aware datetime, got str"),  # type: ignore[arg-type]
        (lambda: Reminder("k", NOON, 60), "interval must be a timedelta, got int"),  # type: ignore[arg-type]
        (lambda: Location(latitude="x", longitude=0), "latitude must be a number, got str"),  # type: ignore[arg-type]
        (lambda: Location(latitude=True, longitude=0), "latitude must be a number, got bool"),
        (lambda: Cash("KES", None), "^Cash.amount must be a Decimal, int or str, got NoneType"),  # type: ignore[arg-type]
        (lambda: Cash("KES", amount=True), "amount must be a Decimal, int or str, got bool"),
        (lambda: Template("t", [1]), "params must be a mapping, got list"),  # type: ignore[arg-type]
        (lambda: messaging.Email(cc_list="a@b"), "cc_list must be a sequence, got str"),  # type: ignore[arg-type]
        (lambda: messaging.Email(cc_list=5), "cc_list must be a sequence, got int"),  # type: ignore[arg-type]
        (lambda: UssdMenu("x", "yes"), "^UssdMenu.is_terminal must be a bool, got str"),  # type: ignore[arg-type]
        (lambda: voice.GetDigits(num_digits="4"), "^GetDigits.num_digits must be an int, got str"),  # type: ignore[arg-type]
        (
            lambda: Message(5),
            "body must be one of str, .*Menu, or a sequence of these: Say, .*, got int",
        ),  # type: ignore[arg-type]
        (lambda: commands.CreateCustomer(customer_number="+1"), "^customer_number must be a CustomerNumber, got str"),  # type: ignore[arg-type]
        (lambda: commands.GetCustomerState(customer=None), "customer must be one of .*, got NoneType"),  # type: ignore[arg-type]
        (lambda: receive("hello"), "^parts must be a sequence, got str"),
        (lambda: receive(["a", 5]), r"parts\[1\] must be one of str, .*, got int"),
        (lambda: Message("x", labels=(5,)), r"^Message.labels\[0\] must be a str, got int"),  # type: ignore[arg-type]
        (lambda: Message(voice.Say("x")), "^Message.body must be .* or a sequence of these: Say, .*, got Say"),  # type: ignore[arg-type]
        (lambda: Message({"x": 1}), "^Message.body must be one of .*, got dict"),  # type: ignore[arg-type]
        (lambda: Message(("x",)), r"body\[0\] must be one of Say, .*, got str"),  # type: ignore[arg-type]
        (lambda: Message([voice.Say("a"), None]), r"body\[1\] must be one of Say, .*, got NoneType"),  # type: ignore[arg-type]
        (lambda: voice.Dial(customer_numbers=("+1",)), r"customer_numbers\[0\] must be a CustomerNumber, got str"),  # type: ignore[arg-type]
        (lambda: Template("t", {"a": 5}), r"params\['a'\] must be a str, got int"),  # type: ignore[dict-item]
        (lambda: Template("t", {5: "a"}), "a key of Template.params must be a str, got int"),  # type: ignore[dict-item]
        (lambda: activity.Activity("k", "s", {"a": None}), r"properties\['a'\] must be a str, got NoneType"),  # type: ignore[dict-item]
        (lambda: payments.PaymentState(wallets={"w": "5 KES"}), r"wallets\['w'\] must be a PaymentBalance, got str"),  # type: ignore[dict-item]
        (lambda: activity.Activity("k", "s", "a"), "properties must be a mapping, got str"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_type_is_a_type_error_that_names_model_and_field(make: Any, named: str) -> None:  # noqa: ANN401 - a lambda
    """This SDK: from the constructor, long before anything is sent; a command's fields are named as arguments are."""
    with pytest.raises(TypeError, match=named):
        make()


@pytest.mark.parametrize("text", ["plain", "ĩ 🎉", ""])
def test_any_text_that_utf_8_carries_is_taken(text: str) -> None:
    """This SDK: text is not limited to what some gateway can show."""
    assert Message(text).body == text


@pytest.mark.parametrize("make", [Message, lambda text: CustomerNumber(text), lambda text: Tag("k", text)])
def test_a_lone_surrogate_is_refused_without_being_quoted(make: Any) -> None:  # noqa: ANN401 - a class or lambda
    """The design: a ValueError; the text may be a credential, so it stands nowhere in the error."""
    with pytest.raises(ValueError, match="lone surrogate at index 6") as caught:
        make("secret\ud800")
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda text: Message("x", labels=("a", text)), r"Message.labels\[1\]"),
        (lambda text: Message("x", labels=["a", text]), r"Message.labels\[1\]"),
        (lambda text: Template("t", {"a": text}), r"Template.params\['a'\]"),
        (lambda text: Template("t", {text: "a"}), "a key of Template.params"),
    ],
)
def test_a_lone_surrogate_is_refused_in_sequences_and_mappings_too(make: Any, place: str) -> None:  # noqa: ANN401
    """The base's docstring: what cannot be sent is a ValueError from the constructor, wherever in the value it is."""
    with pytest.raises(ValueError, match=f"^{place} holds a lone surrogate at index 6"):
        make("secret\ud800")
    assert make("ĩ 🎉")


def test_an_activity_s_numbers_and_truth_values_become_text() -> None:
    """The wire's facts: values that are no text are made text by the SDK; JSON says how."""
    given: Any = {"amount": 100, "rate": 2.5, "first": True, "said": "true"}
    told = activity.Activity("k", "s", given).properties
    assert told == {"amount": "100", "rate": "2.5", "first": "true", "said": "true"}
    with pytest.raises(ValueError, match="JSON cannot hold this value"):
        activity.Activity("k", "s", {"rate": float("nan")})  # type: ignore[dict-item]


def test_times_are_normalised_to_utc() -> None:
    """The design: aware datetimes normalised to UTC."""
    nairobi = NOON.astimezone(timezone(timedelta(hours=3)))
    assert Reminder("k", nairobi).remind_at == NOON
    assert Reminder("k", nairobi).remind_at.tzinfo is UTC  # type: ignore[union-attr]


def test_a_naive_time_is_refused_and_told_how_to_be_aware() -> None:
    """This SDK: guessing a time zone moves reminders by hours."""
    with pytest.raises(ValueError, match=r"remind_at must be an aware datetime .*datetime.now\(UTC\)"):
        Reminder("k", datetime(2026, 1, 1))  # noqa: DTZ001, RUF100 - that is the point


def test_a_time_that_leaves_the_calendar_in_utc_is_refused() -> None:
    """This SDK: no OverflowError reaches the user."""
    with pytest.raises(ValueError, match="remind_at must be within the years 1 to 9999"):
        Reminder("k", datetime.min.replace(tzinfo=timezone(timedelta(hours=3))))


@pytest.mark.parametrize("cls", [Tag, SecondaryId])
def test_an_expiry_at_the_epoch_is_refused(cls: type[Tag | SecondaryId]) -> None:
    """The design: 0 means "never" on the wire, so the epoch cannot be said."""
    with pytest.raises(ValueError, match="expires_at at the epoch"):
        cls("k", "v", EPOCH)
    assert cls("k", "v", EPOCH + timedelta(microseconds=1)).expires_at is not None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400])
def test_a_coordinate_that_is_no_finite_number_is_refused(number: float) -> None:
    """The design: NaN is a ValueError."""
    with pytest.raises(ValueError, match="longitude must be finite"):
        Location(latitude=1, longitude=number)


def test_a_whole_coordinate_becomes_a_float() -> None:
    """This SDK: a double is what travels."""
    assert isinstance(Location(latitude=1, longitude=2.5).latitude, float)


@pytest.mark.parametrize("given", [100, "100.00", Decimal("1E+2"), 100.0])
def test_amounts_of_every_kind_become_decimals(given: Any) -> None:  # noqa: ANN401 - several types
    """The design: money is Decimal."""
    cash = Cash("KES", given)
    assert isinstance(cash.amount, Decimal)
    assert cash.amount == 100


def test_a_float_amount_is_read_as_it_is_written() -> None:
    """This SDK: 0.1 is a tenth, and not its 55 binary digits."""
    assert Cash("KES", 0.1).amount == Decimal("0.1")


@pytest.mark.parametrize(
    "given",
    ["NaN", "sNaN", "Infinity", float("nan"), float("-inf"), "0.12345678901234567890", 2**63 + 1, "1e999", "1e-400"],
)
def test_an_amount_that_a_double_would_change_is_refused(given: Any) -> None:  # noqa: ANN401 - several types
    """The design: a ValueError before anything is sent."""
    with pytest.raises(ValueError, match="amount must be a finite amount that a double holds exactly"):
        Cash("KES", given)


@pytest.mark.parametrize("given", ["", "ten", "1,5"])
def test_an_amount_that_is_no_number_is_refused(given: str) -> None:
    """This SDK: a ValueError, and not decimal's own exception."""
    with pytest.raises(ValueError, match="amount must be a decimal number"):
        Cash("KES", given)


@given(st.decimals(-(10**11), 10**11, places=4))
def test_every_everyday_amount_is_taken(amount: Decimal) -> None:
    """This SDK: up to 15 digits a double loses nothing."""
    assert Cash("KES", amount).amount == amount


def test_sequences_become_tuples_and_mappings_are_copied() -> None:
    """This SDK: a frozen value does not change with the list it was made of."""
    params = {"name": "Asha"}
    template = Template("t", params)
    params["name"] = "other"
    assert template.params == {"name": "Asha"}
    assert Message("x", labels=["a", "b"]).labels == ("a", "b")  # type: ignore[arg-type]
    assert Message([voice.Say("hi")]).body == (voice.Say("hi"),)  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", [voice.GetDigits, voice.GetRecording])
def test_a_prompt_is_spoken_or_played(cls: Any) -> None:  # noqa: ANN401 - two classes
    """The wire holds one of both."""
    with pytest.raises(ValueError, match="either say or play"):
        cls(say=voice.Say("a"), play=voice.Play("https://b"))
    assert cls(say=voice.Say("a")).play is None


def test_a_message_can_be_its_body_alone() -> None:
    """The design: wherever a Message is taken, its body alone is too."""
    message = Message("x", labels=("a",))
    assert Message.of(message) is message
    assert Message.of("x") == Message("x")


@pytest.mark.parametrize("channel", [each for each in channels.Channel if each != "unknown"])
def test_each_channel_has_its_constructor_and_its_customers(channel: channels.Channel) -> None:
    """The design names them: ``MessagingChannel.sms()`` and so on."""
    assert getattr(channels.MessagingChannel, channel)("1") == channels.MessagingChannel("1", channel)
    assert channel in channels.CUSTOMER_PROVIDERS


def test_credentials_and_reply_tokens_are_in_no_repr() -> None:
    """The design: credentials appear in no repr."""
    token = identity.AuthToken(token="hush", lifetime=timedelta(hours=1))
    message = Message("x", reply_token="hush")
    reply_token = messaging.MessageReplyToken(token="hush")
    assert "hush" not in f"{token!r}{message!r}{reply_token!r}"


# --- views and what travels once ---


def chat(**fields: Any) -> notifications.ReceivedSmsNotification:  # noqa: ANN401 - the class's own fields
    """Give an SMS that came in."""
    return notifications.ReceivedSmsNotification(customer_number=CustomerNumber("+1"), channel_number=SMS, **fields)


def test_the_last_part_of_each_kind_is_shown() -> None:
    """The other SDKs keep the last, too; ``parts`` keeps all."""
    media = Media("https://x", "image")
    told = chat(parts=("one", media, "two", None))
    assert (told.text, told.media, told.location, told.email) == ("two", media, None, None)
    assert told.parts == ("one", media, "two", None)


def test_parts_are_made_of_the_views_of_a_notification_made_by_hand() -> None:
    """The design: a user can make a delivery by hand for unit tests."""
    assert chat(text="hello").parts == ("hello",)
    assert chat().parts == ()


def test_parts_win_over_views() -> None:
    """This SDK: both cannot disagree."""
    assert chat(text="other", parts=("this",)).text == "this"


def test_a_call_shows_what_it_reports() -> None:
    """The design: ``.voice`` and ``.input`` are views."""
    report = voice.VoiceCallInput(status="active")
    number = channels.MessagingChannel.voice("+2")
    numbers = {"customer_number": CustomerNumber("+1"), "channel_number": number}
    assert notifications.VoiceCallNotification(**numbers, voice=report).parts == (report,)  # type: ignore[arg-type]
    assert notifications.VoiceCallNotification(**numbers, parts=(report,)).voice is report  # type: ignore[arg-type]
    nothing = notifications.VoiceCallNotification(**numbers, parts=("x",))  # type: ignore[arg-type]
    assert nothing.voice == voice.VoiceCallInput()


def test_a_ussd_session_shows_what_was_entered() -> None:
    """The design: ``.voice`` and ``.input`` are views."""
    entered = UssdInput("1", "active")
    numbers = {"customer_number": CustomerNumber("+1"), "channel_number": channels.MessagingChannel.ussd("*1#")}
    assert notifications.UssdSessionNotification(**numbers, input=entered).parts == (entered,)  # type: ignore[arg-type]
    assert notifications.UssdSessionNotification(**numbers, parts=(entered,)).input is entered  # type: ignore[arg-type]
    nothing = notifications.UssdSessionNotification(**numbers, parts=("x",))  # type: ignore[arg-type]
    assert nothing.input == UssdInput("", "unknown")  # type: ignore[arg-type]


def test_an_activity_belongs_to_the_visit_that_holds_it() -> None:
    """The wire says the visit once, around the activity."""
    other, same = activity.Activity("k", "other"), activity.Activity("k", "visit")
    state = activity.ActivitySessionState(
        customer_number=CustomerNumber("+1"), source="web", session_id="visit", activities=(other, same)
    )
    assert state.activities == (same, same)
    told = notifications.CustomerActivityNotification(
        customer_number=CustomerNumber("+1"), source="web", session_id="visit", activity=other
    )
    assert told.activity == same


def test_each_received_channel_has_a_notification_of_its_own() -> None:
    """The specification splits one wire notification by channel."""
    assert set(notifications.RECEIVED) == {each for each in channels.Channel if each != "unknown"}


def test_a_wallet_is_no_purse() -> None:
    """This SDK: parties are told apart by their class."""
    assert payments.Purse("a") != payments.Wallet("a", "a")


@pytest.mark.parametrize("several", [list, tuple, deque, iter])
def test_any_iterable_becomes_a_tuple(several: Any) -> None:  # noqa: ANN401 - what makes one
    """This SDK: voice actions, labels and the like may be given as a list; what is held cannot change."""
    say, number = voice.Say("Welcome"), CustomerNumber("+1")
    assert Message(several([say]), labels=several(["a", "b"])) == Message((say,), labels=("a", "b"))
    assert Message.of(several([say])) == Message((say,))
    assert messaging.Email(cc_list=several(["a@b"])).cc_list == ("a@b",)
    assert voice.Dial(customer_numbers=several([number])).customer_numbers == (number,)
