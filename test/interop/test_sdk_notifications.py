"""Every notification that there is, told to Elarian's own SDKs by a server that knows nothing else.

The sandbox does not raise all of them by itself: a reaction is something that no phone can do. What each SDK's handler
was given is looked through for what was told; ``sdk_chapters`` in either language prints it.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import foreign
import pytest
from peers import refuse

from elarian_trio import (
    Activity,
    Cash,
    CheckoutPaymentSimulatorNotification,
    CustomerActivityNotification,
    CustomerNumber,
    Email,
    Location,
    MakeVoiceCallSimulatorNotification,
    Media,
    Message,
    MessageStatusNotification,
    MessagingChannel,
    MessagingConsentUpdateNotification,
    MessagingSessionEndedNotification,
    MessagingSessionRenewedNotification,
    MessagingSessionStartedNotification,
    PaymentChannelNumber,
    PaymentStatusNotification,
    Purse,
    ReceivedEmailNotification,
    ReceivedFbMessengerNotification,
    ReceivedPaymentNotification,
    ReceivedSmsNotification,
    ReceivedTelegramNotification,
    ReceivedWhatsappNotification,
    Reminder,
    ReminderNotification,
    SendChannelPaymentSimulatorNotification,
    SendCustomerPaymentSimulatorNotification,
    SendMessageSimulatorNotification,
    SentMessageReactionNotification,
    Tag,
    UssdInput,
    UssdSessionNotification,
    VoiceCallInput,
    VoiceCallNotification,
    Wallet,
)
from elarian_trio._rsocket import Connection, Role, Setup
from elarian_trio._session import Session
from elarian_trio._transport import FrameTransport, serve_tcp
from elarian_trio._wire.envelopes import decode_notification_reply, encode_notification
from elarian_trio._wire.setup import decode_setup
from elarian_trio.models.notifications import APP_NOTIFICATIONS, AppDataUpdate, NotificationReply, UnknownNotification
from elarian_trio.models.simulator import SIMULATOR_NOTIFICATIONS
from elarian_trio.sandbox.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from anyio.abc import TaskStatus
    from foreign import Peer

    from elarian_trio.models.notifications import AnyNotification, Notification
    from elarian_trio.models.simulator import SimulatorNotification

pytestmark = pytest.mark.anyio

THEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
PHONE = "+254711621711"
SMS, WHATSAPP = MessagingChannel.sms("83044"), MessagingChannel.whatsapp(PHONE)
APP: dict[str, Any] = {"org_id": "el_org", "app_id": "el_app", "customer_id": "el_cst_1", "created_at": THEN}
ASHA: dict[str, Any] = {"customer_number": CustomerNumber("+254709759881"), "channel_number": WHATSAPP}
PAID: dict[str, Any] = {
    "transaction_id": "el_txn_1",
    "customer_number": CustomerNumber("+254709759881"),
    "channel_number": PaymentChannelNumber("83044"),
    "value": Cash("KES", 12.5),
}
SAID: dict[str, Any] = {"message_id": "el_msg_1", "session_id": "el_ses_1", "in_reply_to": "el_msg_0", **ASHA}
PLACE = Location(latitude=1.5, longitude=36.8, label="here", address="there")
MAIL = Email(subject="Hi", body_plain="plain", body_html="rich", cc_list=("c@x.example",))
CHAT = ("el_msg_1", "look", "https://x.example/p", "there", "el_ses_1", "el_msg_0", "whatsapp")
PARTS: Any = ("look", Media("https://x.example/p", "video"), PLACE)
CALL = VoiceCallInput(direction="inbound", status="bridged", recording_url="https://x.example/r", started_at=THEN)
REMINDER = Reminder("loan", THEN, timedelta(minutes=2), "wake up")

TOLD: Sequence[tuple[Notification, tuple[str, ...]]] = (
    (ReminderNotification(reminder=REMINDER, tag=Tag("level", "one"), work_id="el_wrk_1", **APP), ("loan", "wake up")),
    (ReminderNotification(reminder=Reminder("bare", THEN), **APP), ("bare",)),
    (MessagingSessionStartedNotification(session_id="s", expires_at=THEN, **ASHA, **APP), ("whatsapp",)),
    (MessagingSessionRenewedNotification(session_id="s", expires_at=THEN, **ASHA, **APP), ("whatsapp",)),
    (MessagingSessionEndedNotification(session_id="s", reason="inactivity", **ASHA, **APP), ("inactivity",)),
    (MessagingConsentUpdateNotification(update="block", status="completed", **ASHA, **APP), ("block", "completed")),
    (ReceivedSmsNotification(message_id="m", text="look", **{**ASHA, "channel_number": SMS}, **APP), ("look", "sms")),
    (ReceivedWhatsappNotification(parts=PARTS, **SAID, **APP), CHAT),
    (
        ReceivedTelegramNotification(
            text="look",
            message_id="m",
            customer_number=CustomerNumber("asha_t", "telegram"),
            channel_number=MessagingChannel.telegram(PHONE),
            **APP,
        ),
        ("asha_t", "look"),
    ),
    (
        ReceivedFbMessengerNotification(
            text="look",
            message_id="m",
            customer_number=CustomerNumber("asha.f", "facebook"),
            channel_number=MessagingChannel.fb_messenger(PHONE),
            **APP,
        ),
        ("asha.f", "look"),
    ),
    (
        ReceivedEmailNotification(
            email=MAIL,
            message_id="m",
            customer_number=CustomerNumber("asha@x.example", "email"),
            channel_number=MessagingChannel.email("us@x.example"),
            **APP,
        ),
        ("asha@x.example", "plain", "rich", "c@x.example"),
    ),
    (
        VoiceCallNotification(voice=CALL, **{**SAID, "channel_number": MessagingChannel.voice(PHONE)}, **APP),
        ("bridged", "https://x.example/r", "inbound", "el_ses_1"),
    ),
    (
        UssdSessionNotification(
            input=UssdInput("42", "active"), **{**SAID, "channel_number": MessagingChannel.ussd("*1#")}, **APP
        ),
        ("42", "active", "el_ses_1"),
    ),
    (MessageStatusNotification(message_id="m", status="read", description="seen", **APP), ("read", "seen")),
    (SentMessageReactionNotification(message_id="m", reaction="clicked", **ASHA, **APP), ("clicked", "whatsapp")),
    (ReceivedPaymentNotification(purse_id="p", status="success", **PAID, **APP), ("el_txn_1", "success", "12.5")),
    (PaymentStatusNotification(transaction_id="t", status="reversed", **APP), ("reversed",)),
    (
        CustomerActivityNotification(
            customer_number=ASHA["customer_number"],
            source="shop",
            session_id="visit",
            activity=Activity("look", "visit", {"page": "one"}, THEN),
            **APP,
        ),
        ("look", "visit", "page", "shop"),
    ),
)
"""What an app may be told, each with words that its handler must find in it."""

NEWER = {"seen"}  # the Python SDK is older than descriptions are

PURSES = (
    PaymentStatusNotification(
        transaction_id="t", status="success", purse_id="el_prs_1", **{**APP, "customer_id": None}
    ),
    ("el_prs_1", "success"),
)
ORG: dict[str, Any] = {"org_id": "el_org", "customer_id": "el_cst_1"}
SHOWN: Sequence[tuple[SimulatorNotification, tuple[str, ...]]] = (
    (
        SendMessageSimulatorNotification(message_id="m", message=Message("Hello", labels=("l",)), **ASHA, **ORG),
        ("hello",),
    ),
    (MakeVoiceCallSimulatorNotification(session_id="s", **ASHA, **ORG), ("el_cst_1", "whatsapp")),
    (
        SendCustomerPaymentSimulatorNotification(app_id="a", purse=Purse("el_prs_1"), **PAID, **ORG),
        ("el_prs_1", "12.5"),
    ),
    (
        CheckoutPaymentSimulatorNotification(app_id="a", wallet=Wallet("el_cst_1", "savings"), **PAID, **ORG),
        ("savings", "cellular"),
    ),
    (
        SendChannelPaymentSimulatorNotification(
            org_id="el_org",
            app_id="a",
            transaction_id="t",
            channel="cellular",
            source="83044",
            destination="them",
            account="rent",
            value=Cash("KES", 1),
            purse=Purse("el_prs_1"),
        ),
        ("them", "rent", "cellular"),
    ),
)
"""What a phone may be told."""


class Teller:
    """A server that lets everybody in, refuses every command, and tells what it is given to tell.

    Attributes:
        app: the app's session, once it came.
        phone: the simulator's.
    """

    def __init__(self) -> None:
        self.app: Session | None = None
        self.phone: Session | None = None

    async def serve(self, transport: FrameTransport) -> None:
        """Serve one connection."""

        async def judge(setup: Setup) -> None:
            await anyio.lowlevel.checkpoint()
            if decode_setup(setup.data).simulator_mode:
                self.phone = session
            else:
                self.app = session

        session = Session(Connection(Role.SERVER, timed=True), refuse, on_setup=judge)
        await session.run(transport)


async def tell(
    session: Session | None, told: Notification | SimulatorNotification, app_data: str | None = None
) -> bytes:
    """Tell somebody, and give the answer."""
    assert session is not None
    with anyio.fail_after(foreign.BOUND):
        return await session.request(encode_notification(told, app_data))


@asynccontextmanager
async def listening(sdk: str) -> AsyncIterator[tuple[Teller, Peer]]:
    """Have an app and a phone on one of the SDKs listen to a teller."""
    authority, teller = Authority(), Teller()
    async with anyio.create_task_group() as tasks:
        context = authority.server_context("127.0.0.1")

        async def run(*, task_status: TaskStatus[Any]) -> None:
            await serve_tcp(teller.serve, ssl_context=context, task_status=task_status)

        (address,) = await tasks.start(run)
        command, environment = foreign.sdk_command(sdk, "told", address[1], authority.ca_file)
        who: Mapping[str, str] = dict.fromkeys(("ORG_ID", "APP_ID", "API_KEY", "PURSE_ID"), "anything")
        async with foreign.foreign(command, {**environment, **who}) as program:
            await program.says("LISTENING")
            yield teller, program
        tasks.cancel_scope.cancel()


async def assert_told(program: Peer, number: int, told: AnyNotification, words: Iterable[str]) -> None:
    """See what the handler was given, that was the so-manyeth to be given something."""
    heard = (await program.says(f"TOLD {number} ")).lower()
    assert heard.startswith(f"told {number} {told.event.lower()} "), heard
    assert not [word for word in words if word not in heard], heard


async def test_every_kind_of_notification_is_told_here() -> None:
    """So that one which is added is not forgotten."""
    await anyio.lowlevel.checkpoint()
    assert {type(told) for told, _ in TOLD} == {*APP_NOTIFICATIONS} - {UnknownNotification}
    assert {type(shown) for shown, _ in SHOWN} == {*SIMULATOR_NOTIFICATIONS}


@pytest.mark.parametrize("sdk", foreign.sdks())
async def test_an_app_on_elarians_own_sdk_reads_what_it_is_told_and_its_answer_is_read(sdk: str) -> None:
    """Each answers with the app data that came along, which is the SDKs' way to release it."""
    heard = 0
    async with listening(sdk) as (teller, program):
        for notification, words in TOLD:
            answer = decode_notification_reply(await tell(teller.app, notification, '{"step":1}'))
            if sdk == "javascript" and isinstance(notification, MessagingConsentUpdateNotification):
                assert answer == NotificationReply()  # it fails on it, and answers with nothing; nobody is told
                continue
            heard += 1
            assert answer.data_update in (AppDataUpdate('{"step":1}'), AppDataUpdate('{"step": 1}'))
            known = words if sdk == "javascript" else set(words) - NEWER
            await assert_told(program, heard, notification, known)


@pytest.mark.parametrize("sdk", foreign.sdks("javascript"))
async def test_an_app_and_a_phone_on_the_javascript_sdk_hear_what_the_python_sdk_fails_on(sdk: str) -> None:
    """The form for purses, and all that phones are told."""
    async with listening(sdk) as (teller, program):
        notification, words = PURSES
        assert decode_notification_reply(await tell(teller.app, notification)) == NotificationReply()
        await assert_told(program, 1, notification, words)
        for number, (shown, marks) in enumerate(SHOWN, 2):
            assert not await tell(teller.phone, shown)
            await assert_told(program, number, shown, marks)
