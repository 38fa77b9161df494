"""Messages: what is said on every channel, who may be written to, and what was said so far.

Stands on :mod:`.voice`, :mod:`.channels` and :mod:`.identity`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, cast

from .channels import MessagingChannel
from .checks import WireEnum
from .identity import ChannelNumberProvider, ChannelNumberProviderName, CustomerNumber
from .model import Model, dataclass
from .payments import Cash
from .voice import VoiceAction, VoiceCallInput


class MediaType(WireEnum):
    """What a media file is."""

    UNKNOWN = "unknown"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    VOICE = "voice"
    STICKER = "sticker"
    CONTACT = "contact"


MediaTypeName: TypeAlias = Literal["image", "audio", "video", "document", "voice", "sticker", "contact"]


class ConsentAction(WireEnum):
    """Whether a customer may be written to on a channel."""

    UNKNOWN = "unknown"
    ALLOW = "allow"
    BLOCK = "block"


ConsentActionName: TypeAlias = Literal["allow", "block"]


class MessagingConsentUpdateStatus(WireEnum):
    """How a change of consent went."""

    UNKNOWN = "unknown"
    QUEUED = "queued"
    COMPLETED = "completed"
    INVALID_CHANNEL_NUMBER = "invalid_channel_number"
    DECOMMISSIONED_CUSTOMER_ID = "decommissioned_customer_id"
    APPLICATION_ERROR = "application_error"


class MessagingSessionEndReason(WireEnum):
    """Why a session ended."""

    UNKNOWN = "unknown"
    NORMAL_CLEARING = "normal_clearing"
    INACTIVITY = "inactivity"
    FAILURE = "failure"


MessagingSessionEndReasonName: TypeAlias = Literal["normal_clearing", "inactivity", "failure"]


class MessageReaction(WireEnum):
    """What a customer did with a message."""

    UNKNOWN = "unknown"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


MessageReactionName: TypeAlias = Literal["clicked", "unsubscribed", "complained"]


class PromptMessageReplyAction(WireEnum):
    """What a reply prompt asks for."""

    UNKNOWN = "unknown"
    TEXT = "text"
    PHONE_NUMBER = "phone_number"
    EMAIL = "email"
    LOCATION = "location"
    URL = "url"


PromptMessageReplyActionName: TypeAlias = Literal["text", "phone_number", "email", "location", "url"]


class MessageDeliveryStatus(WireEnum):
    """Where a message stands.

    On its way: ``queued``, ``sent``. Well: ``delivered``, ``read``, of a call ``session_initiated``, and of what a
    customer sent ``received``. Any other but ``unknown``: it was refused or failed, ``application_error`` by the
    server's own fault.
    """

    UNKNOWN = "unknown"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    RECEIVED = "received"
    SESSION_INITIATED = "session_initiated"
    FAILED = "failed"
    NO_CONSENT = "no_consent"
    NO_CAPABILITY = "no_capability"
    EXPIRED = "expired"
    NO_SESSION_IN_PROGRESS = "no_session_in_progress"
    OTHER_SESSION_IN_PROGRESS = "other_session_in_progress"
    INVALID_REPLY_TOKEN = "invalid_reply_token"
    INVALID_CHANNEL_NUMBER = "invalid_channel_number"
    NOT_SUPPORTED = "not_supported"
    INVALID_REPLY_TO_MESSAGE_ID = "invalid_reply_to_message_id"
    INVALID_CUSTOMER_ID = "invalid_customer_id"
    DUPLICATE_REQUEST = "duplicate_request"
    TAG_NOT_FOUND = "tag_not_found"
    CUSTOMER_NUMBER_NOT_FOUND = "customer_number_not_found"
    DECOMMISSIONED_CUSTOMERID = "decommissioned_customerid"
    REJECTED = "rejected"
    INVALID_REQUEST = "invalid_request"
    INSUFFICIENT_CREDITS = "insufficient_credits"
    GATEWAY_ERROR = "gateway_error"
    APPLICATION_ERROR = "application_error"


MessageDeliveryStatusName: TypeAlias = Literal[
    "queued", "sent", "delivered", "read", "received", "session_initiated", "failed", "no_consent", "no_capability",
    "expired", "no_session_in_progress", "other_session_in_progress", "invalid_reply_token", "invalid_channel_number",
    "not_supported", "invalid_reply_to_message_id", "invalid_customer_id", "duplicate_request", "tag_not_found",
    "customer_number_not_found", "decommissioned_customerid", "rejected", "invalid_request", "insufficient_credits",
    "gateway_error", "application_error",
]  # fmt: skip


class UssdSessionStatus(WireEnum):
    """Where a USSD session stands.

    ``active`` waits for a menu. The others say how it ended: ``completed`` in order, and where a last input comes with
    it the app's menu is still shown; ``incomplete`` amid a menu; ``app_error`` by the app's failure.
    """

    UNKNOWN = "unknown"
    ACTIVE = "active"
    INCOMPLETE = "incomplete"
    COMPLETED = "completed"
    APP_ERROR = "app_error"


UssdSessionStatusName: TypeAlias = Literal["active", "incomplete", "completed", "app_error"]


# --- what is said ---


@dataclass(frozen=True, slots=True)
class Media(Model):
    """A media file.

    Attributes:
        url: where it can be fetched.
        type: what it is.
    """

    url: str
    type: MediaType | MediaTypeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Model):
    """A place.

    Attributes:
        latitude: degrees north.
        longitude: degrees east.
        label: its name.
        address: its address.
    """

    latitude: float
    longitude: float
    label: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email(Model):
    """A mail.

    Attributes:
        subject: its subject.
        body_plain: its text.
        body_html: its text as HTML.
        cc_list: who gets a copy.
        bcc_list: who gets a copy unseen.
    """

    subject: str = ""
    body_plain: str = ""
    body_html: str = ""
    cc_list: tuple[str, ...] = ()
    bcc_list: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template(Model):
    """A text that the server or the provider keeps, and what to fill in.

    Attributes:
        id: which template.
        params: what to fill in, by name.
    """

    id: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Url(Model):
    """A link as a message of its own."""

    url: str


@dataclass(frozen=True, slots=True)
class UssdMenu(Model):
    """What a USSD session shows.

    Attributes:
        text: the menu.
        is_terminal: whether the session ends with it.
    """

    text: str
    is_terminal: bool = False


@dataclass(frozen=True, slots=True)
class UssdInput(Model):
    """What a customer entered in a USSD session: the latest input only, empty on the first dial.

    Attributes:
        text: the input.
        status: where the session stands.
    """

    text: str
    status: UssdSessionStatus | UssdSessionStatusName


MessageBody: TypeAlias = str | Media | Location | Email | Template | Url | UssdMenu | tuple[VoiceAction, ...]
"""What can be sent: a str is plain text, a tuple of voice actions a call."""

InboundMessageBody: TypeAlias = str | Media | Location | Email | VoiceCallInput | UssdInput
"""What can be received, as one part of a message."""

ReplyPromptItem: TypeAlias = str | Media


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyPrompt(Model):
    """What a message asks back for.

    Attributes:
        action: the kind of answer.
        menu: answers to choose from, each a str or Media.
    """

    action: PromptMessageReplyAction | PromptMessageReplyActionName
    menu: tuple[ReplyPromptItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Message(Model):
    """A message to a customer.

    Attributes:
        body: what is said; ``None`` only in what a server sent with an empty body.
        labels: free words kept with the message.
        provider_tag: passed on to the provider.
        reply_token: a provider's permission to reply.
        reply_prompt: what the message asks back for.
    """

    body: MessageBody | None
    labels: tuple[str, ...] = ()
    provider_tag: str | None = None
    reply_token: str | None = field(default=None, repr=False)
    reply_prompt: ReplyPrompt | None = None

    @classmethod
    def of(cls, message: Sendable) -> Message:
        """Give *message* itself, or one around a bare body."""
        return message if isinstance(message, Message) else cls(cast("MessageBody", message))  # which makes it a tuple


Sendable: TypeAlias = Message | MessageBody | Sequence[VoiceAction]
"""What is taken wherever a message is to be sent: one, or its body alone; of voice actions any sequence."""


# --- what was said ---


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage(Model):
    """A message that a customer sent: part of the state, and what ``replay_received_message`` loads.

    Attributes:
        message_id: Elarian's id; in a replay the provider's.
        received_at: when.
        parts: what it says.
        session_id: the session it belongs to; in a replay the provider's.
        in_reply_to: the message that it answers.
        provider: who carried it.
        cost: what it cost.
        customer_number: who sent it (state only).
        channel_number: on which channel (state only).
        app_id: the app that was told (state only).
        provider_message_id: the provider's own id (state only).
    """

    message_id: str
    received_at: datetime | None
    parts: tuple[InboundMessageBody | None, ...] = ()
    session_id: str | None = None
    in_reply_to: str | None = None
    provider: ChannelNumberProvider | ChannelNumberProviderName = ChannelNumberProvider.UNKNOWN
    cost: Cash | None = None
    customer_number: CustomerNumber | None = None
    channel_number: MessagingChannel | None = None
    app_id: str | None = None
    provider_message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReactionState(Model):
    """What a customer did with a message, and when.

    Attributes:
        created_at: when.
        reaction: what.
    """

    created_at: datetime | None
    reaction: MessageReaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage(Model):
    """A message that was sent to a customer: part of the state, and what ``replay_sent_message`` loads.

    Attributes:
        message_id: Elarian's id; in a replay the provider's.
        sent_at: when.
        message: what it says.
        status: where it stands.
        session_id: the session it belongs to; in a replay the provider's.
        in_reply_to: the message that it answers.
        provider: who carried it.
        cost: what it cost.
        customer_number: to whom (state only).
        channel_number: on which channel (state only).
        app_id: the app that sent it (state only).
        updated_at: when its status last changed (state only).
        reactions: what the customer did with it (state only).
        provider_message_id: the provider's own id (state only).
        description: the server's words on its status (state only).
    """

    message_id: str
    sent_at: datetime | None
    message: Message | None
    status: MessageDeliveryStatus | MessageDeliveryStatusName
    session_id: str | None = None
    in_reply_to: str | None = None
    provider: ChannelNumberProvider | ChannelNumberProviderName = ChannelNumberProvider.UNKNOWN
    cost: Cash | None = None
    customer_number: CustomerNumber | None = None
    channel_number: MessagingChannel | None = None
    app_id: str | None = None
    updated_at: datetime | None = None
    reactions: tuple[MessageReactionState, ...] = ()
    provider_message_id: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStatusUpdate(Model):
    """A change of a sent message's status, as ``replay_message_status_update`` loads it.

    Attributes:
        message_id: the provider's id of the message.
        updated_at: when it changed.
        status: where the message stands since.
        cost: what it cost.
    """

    message_id: str
    updated_at: datetime
    status: MessageDeliveryStatus | MessageDeliveryStatusName
    cost: Cash | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSessionUpdate(Model):
    """A finished session, as ``replay_messaging_session`` loads it.

    Attributes:
        session_id: the provider's id of the session.
        started_at: when it began.
        duration: how long it lasted.
        reason: why it ended.
        cost: what it cost.
    """

    session_id: str
    started_at: datetime
    duration: timedelta
    reason: MessagingSessionEndReason | MessagingSessionEndReasonName
    cost: Cash | None = None


# --- state ---


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReplyToken(Model):
    """A provider's permission to reply.

    Attributes:
        token: the permission.
        expires_at: until when.
    """

    token: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedMessagingChannelState(Model):
    """A channel on which the customer does not want to be written to.

    Attributes:
        customer_number: whose number.
        channel_number: which channel.
        reply_token: a permission to reply, if there is one.
        blocked_at: since when.
    """

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    reply_token: MessageReplyToken | None = None
    blocked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveMessagingChannelState(Model):
    """A channel on which the customer may be written to.

    Attributes:
        customer_number: whose number.
        channel_number: which channel.
        reply_token: a permission to reply, if there is one.
        allowed_at: since when.
    """

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    reply_token: MessageReplyToken | None = None
    allowed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InSessionMessagingChannelState(Model):
    """A channel with a session in progress.

    Attributes:
        customer_number: whose number.
        channel_number: which channel.
        reply_token: a permission to reply, if there is one.
        allowed_at: since when the customer may be written to.
        session_id: the session.
        started_at: when it began.
        expires_at: when it ends unless renewed.
        app_ids: the apps that take part.
        provider_session_id: the provider's own id of the session.
    """

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    reply_token: MessageReplyToken | None = None
    allowed_at: datetime | None = None
    session_id: str = ""
    started_at: datetime | None = None
    expires_at: datetime | None = None
    app_ids: tuple[str, ...] = ()
    provider_session_id: str | None = None


MessagingChannelState: TypeAlias = (
    BlockedMessagingChannelState | ActiveMessagingChannelState | InSessionMessagingChannelState
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteMessagingSession(Model):
    """A session that has ended.

    Attributes:
        customer_number: whose number.
        channel_number: which channel.
        session_id: the session.
        started_at: when it began.
        duration: how long it lasted.
        app_ids: the apps that took part.
        end_reason: why it ended.
        cost: what it cost.
        provider_session_id: the provider's own id of the session.
    """

    customer_number: CustomerNumber
    channel_number: MessagingChannel
    session_id: str
    started_at: datetime | None = None
    duration: timedelta | None = None
    app_ids: tuple[str, ...] = ()
    end_reason: MessagingSessionEndReason = MessagingSessionEndReason.UNKNOWN
    cost: Cash | None = None
    provider_session_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingState(Model):
    """What was said with a customer, most recent things only.

    Attributes:
        channels: where the customer stands on each channel; ``None`` is what only a newer server knows of.
        messages: messages both ways, oldest first; ``None`` likewise.
        sessions: sessions that have ended, oldest first.
    """

    channels: tuple[MessagingChannelState | None, ...] = ()
    messages: tuple[ReceivedMessage | SentMessage | None, ...] = ()
    sessions: tuple[CompleteMessagingSession, ...] = ()
