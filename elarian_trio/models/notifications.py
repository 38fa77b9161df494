"""One class per notification, and what it is answered with.

Stands on the families. ``_wire`` makes them of what the server sends; the sandbox's rules make them, too. What all of
an app's notifications carry stands in :class:`Notification`; app data comes beside them, in the delivery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

from .activity import Activity, in_session
from .channels import Channel, MessagingChannel
from .identity import CustomerNumber, Reminder, Tag
from .messaging import (
    ConsentAction,
    Email,
    InboundMessageBody,
    Location,
    Media,
    Message,
    MessageDeliveryStatus,
    MessageReaction,
    MessagingConsentUpdateStatus,
    MessagingSessionEndReason,
    UssdInput,
    UssdSessionStatus,
)
from .model import Model, dataclass
from .payments import Cash, PaymentChannelNumber, PaymentStatus
from .voice import VoiceCallInput

P = TypeVar("P")


class AnyNotification(Model):
    """What every notification is.

    Attributes:
        event: the specification's name of the event.
        key_fields: the fields that, with the event, name this notification the same across redeliveries.
    """

    __slots__ = ()
    event: ClassVar[str] = ""
    key_fields: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(AnyNotification):
    """What the server tells an app.

    Attributes:
        org_id: the organisation.
        app_id: the app.
        customer_id: the customer; ``None`` where it is about a purse.
        created_at: when the server made it.
    """

    org_id: str = ""
    app_id: str = ""
    customer_id: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownNotification(Notification):
    """Something that only a newer server knows of.

    Attributes:
        raw: the bytes as they came.
    """

    event: ClassVar[str] = "unknown"

    raw: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderNotification(Notification):
    """A reminder fell due.

    Attributes:
        reminder: the reminder; its ``remind_at`` is this firing's.
        tag: the tag by which it was set, if it was.
        work_id: the work that set it by tag.
    """

    event: ClassVar[str] = "reminder"
    key_fields: ClassVar[tuple[str, ...]] = ("customer_id", "reminder", "work_id")

    reminder: Reminder
    tag: Tag | None = None
    work_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingSessionStartedNotification(Notification):
    """A session with a customer began.

    Attributes:
        customer_number: whose number.
        channel_number: which channel.
        session_id: the session.
        expires_at: when it ends unless renewed.
    """

    event: ClassVar[str] = "messagingSessionStarted"
    key_fields: ClassVar[tuple[str, ...]] = ("session_id",)

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    session_id: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingSessionRenewedNotification(Notification):
    """A session with a customer goes on.

    Attributes:
        customer_number: whose number.
        channel_number: which channel.
        session_id: the session.
        expires_at: when it ends unless renewed again.
    """

    event: ClassVar[str] = "messagingSessionRenewed"
    key_fields: ClassVar[tuple[str, ...]] = ("session_id", "expires_at")

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    session_id: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingSessionEndedNotification(Notification):
    """A session with a customer ended.

    Attributes:
        customer_number: whose number.
        channel_number: which channel.
        session_id: the session.
        duration: how long it lasted.
        reason: why it ended.
    """

    event: ClassVar[str] = "messagingSessionEnded"
    key_fields: ClassVar[tuple[str, ...]] = ("session_id",)

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    session_id: str
    duration: timedelta | None = None
    reason: MessagingSessionEndReason = MessagingSessionEndReason.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingConsentUpdateNotification(Notification):
    """A customer's consent changed, or a change of it failed.

    Attributes:
        customer_number: whose number.
        channel_number: which channel.
        update: what was asked for.
        status: what became of it.
    """

    event: ClassVar[str] = "messagingConsentUpdate"
    key_fields: ClassVar[tuple[str, ...]] = ("customer_number", "channel_number", "update", "status", "created_at")

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    update: ConsentAction
    status: MessagingConsentUpdateStatus


def _last(parts: tuple[InboundMessageBody | None, ...], kind: type[P]) -> P | None:
    """Several parts of one kind are rare; the other SDKs keep the last, too."""
    return next((part for part in reversed(parts) if isinstance(part, kind)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessageNotification(Notification):
    """A customer sent something; the channels' own classes are below.

    Attributes:
        channel: the channel whose messages this class is made of.
        message_id: Elarian's id of the message.
        customer_number: who sent it.
        channel_number: on which channel.
        parts: everything that it says.
        session_id: the session it belongs to.
        in_reply_to: the message that it answers.
    """

    channel: ClassVar[Channel] = Channel.UNKNOWN
    key_fields: ClassVar[tuple[str, ...]] = ("message_id",)

    message_id: str = ""
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    parts: tuple[InboundMessageBody | None, ...] = ()
    session_id: str | None = None
    in_reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedChatNotification(ReceivedMessageNotification):
    """A message of words, media, a place or a mail.

    The attributes below are views of ``parts``: the last of each kind. Made by hand without parts, the parts are made
    of them.

    Attributes:
        text: the words.
        media: the media file.
        location: the place.
        email: the mail.
    """

    text: str | None = None
    media: Media | None = None
    location: Location | None = None
    email: Email | None = None

    def __post_init__(self) -> None:
        """Check the fields and make views and parts agree."""
        Model.__post_init__(self)
        self._settle()

    def _settle(self) -> None:
        if not self.parts:
            given = (self.text, self.media, self.location, self.email)
            object.__setattr__(self, "parts", tuple(part for part in given if part is not None))
        text = media = location = email = None
        for part in self.parts:
            if isinstance(part, str):
                text = part
            elif isinstance(part, Media):
                media = part
            elif isinstance(part, Location):
                location = part
            elif isinstance(part, Email):
                email = part
        if text is not self.text:
            object.__setattr__(self, "text", text)
        if media is not self.media:
            object.__setattr__(self, "media", media)
        if location is not self.location:
            object.__setattr__(self, "location", location)
        if email is not self.email:
            object.__setattr__(self, "email", email)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSmsNotification(ReceivedChatNotification):
    """A customer sent an SMS."""

    event: ClassVar[str] = "receivedSms"
    channel: ClassVar[Channel] = Channel.SMS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFbMessengerNotification(ReceivedChatNotification):
    """A customer wrote on Messenger."""

    event: ClassVar[str] = "receivedFbMessenger"
    channel: ClassVar[Channel] = Channel.FB_MESSENGER


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedTelegramNotification(ReceivedChatNotification):
    """A customer wrote on Telegram."""

    event: ClassVar[str] = "receivedTelegram"
    channel: ClassVar[Channel] = Channel.TELEGRAM


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedWhatsappNotification(ReceivedChatNotification):
    """A customer wrote on WhatsApp."""

    event: ClassVar[str] = "receivedWhatsapp"
    channel: ClassVar[Channel] = Channel.WHATSAPP


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEmailNotification(ReceivedChatNotification):
    """A customer sent a mail."""

    event: ClassVar[str] = "receivedEmail"
    channel: ClassVar[Channel] = Channel.EMAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceCallNotification(ReceivedMessageNotification):
    """A call began or went on; the answer's message says what it shall do next.

    Attributes:
        voice: what the call reports, a view of ``parts``.
    """

    event: ClassVar[str] = "voiceCall"
    channel: ClassVar[Channel] = Channel.VOICE

    voice: VoiceCallInput = field(default_factory=VoiceCallInput)

    def __post_init__(self) -> None:
        """Check the fields and make view and parts agree."""
        Model.__post_init__(self)
        self._settle()

    def _settle(self) -> None:
        if not self.parts:
            object.__setattr__(self, "parts", (self.voice,))
        object.__setattr__(self, "voice", _last(self.parts, VoiceCallInput) or VoiceCallInput())


@dataclass(frozen=True, slots=True, kw_only=True)
class UssdSessionNotification(ReceivedMessageNotification):
    """A customer dialled or answered a menu; the answer's message is the next menu.

    Attributes:
        input: what was entered, a view of ``parts``.
    """

    event: ClassVar[str] = "ussdSession"
    channel: ClassVar[Channel] = Channel.USSD

    input: UssdInput = field(default_factory=lambda: UssdInput("", UssdSessionStatus.ACTIVE))

    def __post_init__(self) -> None:
        """Check the fields and make view and parts agree."""
        Model.__post_init__(self)
        self._settle()

    def _settle(self) -> None:
        if not self.parts:
            object.__setattr__(self, "parts", (self.input,))
        object.__setattr__(self, "input", _last(self.parts, UssdInput) or UssdInput("", UssdSessionStatus.UNKNOWN))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStatusNotification(Notification):
    """A sent message got on, or failed.

    Attributes:
        message_id: the message.
        status: where it stands.
        description: the server's words.
    """

    event: ClassVar[str] = "messageStatus"
    key_fields: ClassVar[tuple[str, ...]] = ("message_id", "status")

    message_id: str
    status: MessageDeliveryStatus
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessageReactionNotification(Notification):
    """A customer reacted to a sent message.

    Attributes:
        message_id: the message.
        customer_number: whose number.
        channel_number: which channel.
        reaction: what the customer did.
    """

    event: ClassVar[str] = "sentMessageReaction"
    key_fields: ClassVar[tuple[str, ...]] = ("message_id", "reaction", "created_at")

    message_id: str
    customer_number: CustomerNumber
    channel_number: MessagingChannel
    reaction: MessageReaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedPaymentNotification(Notification):
    """A customer paid unasked.

    Attributes:
        purse_id: the purse that the money goes to.
        transaction_id: the payment.
        customer_number: who paid.
        channel_number: through which number.
        value: how much.
        status: where the payment stands.
    """

    event: ClassVar[str] = "receivedPayment"
    key_fields: ClassVar[tuple[str, ...]] = ("transaction_id",)

    purse_id: str
    transaction_id: str
    customer_number: CustomerNumber
    channel_number: PaymentChannelNumber
    value: Cash
    status: PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStatusNotification(Notification):
    """A payment got on, or failed.

    Attributes:
        transaction_id: the payment.
        status: where it stands.
        description: the server's words.
        purse_id: the purse, where no customer is concerned; then there is no ``customer_id``.
    """

    event: ClassVar[str] = "paymentStatus"
    key_fields: ClassVar[tuple[str, ...]] = ("transaction_id", "status")

    transaction_id: str
    status: PaymentStatus
    description: str | None = None
    purse_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerActivityNotification(Notification):
    """A customer did something in a web site or app.

    Attributes:
        customer_number: who.
        source: where.
        session_id: in which visit.
        activity: what.
    """

    event: ClassVar[str] = "customerActivity"
    key_fields: ClassVar[tuple[str, ...]] = ("customer_id", "source", "session_id", "activity")

    customer_number: CustomerNumber
    source: str
    session_id: str
    activity: Activity

    def __post_init__(self) -> None:
        """Check the fields and give the activity the visit's id, which travels only once."""
        Model.__post_init__(self)
        self._settle()

    def _settle(self) -> None:
        object.__setattr__(self, "activity", in_session(self.activity, self.session_id))


# --- answers ---


@dataclass(frozen=True, slots=True)
class AppDataUpdate(Model):
    """What becomes of the app's data with an answer.

    Attributes:
        data: the new value as it is stored; ``None`` deletes.
    """

    data: str | bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationReply(Model):
    """An app's answer to a notification.

    Attributes:
        data_update: what becomes of the app's data; ``None`` leaves it.
        message: the menu, the call's actions, or a message to the customer.
    """

    data_update: AppDataUpdate | None = None
    message: Message | None = None


APP_NOTIFICATIONS: tuple[type[Notification], ...] = (
    ReminderNotification,
    MessagingSessionStartedNotification,
    MessagingSessionRenewedNotification,
    MessagingSessionEndedNotification,
    MessagingConsentUpdateNotification,
    ReceivedSmsNotification,
    ReceivedFbMessengerNotification,
    ReceivedTelegramNotification,
    ReceivedWhatsappNotification,
    ReceivedEmailNotification,
    VoiceCallNotification,
    UssdSessionNotification,
    MessageStatusNotification,
    SentMessageReactionNotification,
    ReceivedPaymentNotification,
    PaymentStatusNotification,
    CustomerActivityNotification,
    UnknownNotification,
)
"""Every class that an app's socket may be told of."""

RECEIVED: Mapping[Channel, type[ReceivedMessageNotification]] = {
    each.channel: each for each in APP_NOTIFICATIONS if issubclass(each, ReceivedMessageNotification)
}
"""Which class a received message becomes, by its channel."""
