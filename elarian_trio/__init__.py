"""Engage customers over SMS, USSD, voice, chat, email and mobile money through Elarian, under Trio or anyio.

Every public name, and nothing else; ``elarian_trio.sandbox`` holds a server to run against. A name's module loads when
the name is first asked for, so that a program pays for what it uses; type checkers see all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from elarian_trio._late import find_late

if TYPE_CHECKING:
    from elarian_trio._inbox import Delivery, Subscription
    from elarian_trio.client import ConnectionState, ConnectionStates, Statistics
    from elarian_trio.customer import Customer
    from elarian_trio.elarian import Elarian
    from elarian_trio.errors import (
        CommandError,
        CommandFailed,
        CommandRejected,
        CommandTimedOut,
        ConnectionClosed,
        ConnectionFailed,
        ConnectionLost,
        DeliveryExpired,
        ElarianError,
        InternalError,
        LocalProtocolError,
        ProtocolError,
        RemoteProtocolError,
        ServiceError,
        SetupRejected,
        StoreError,
    )
    from elarian_trio.models.activity import Activity, ActivitySessionState, ActivityState
    from elarian_trio.models.channels import Channel, MessagingChannel
    from elarian_trio.models.identity import (
        AuthToken,
        ChannelNumberProvider,
        CustomerNumber,
        CustomerNumberProvider,
        CustomerRequestOrigin,
        IdentityState,
        Reminder,
        SecondaryId,
        Tag,
    )
    from elarian_trio.models.messaging import (
        ActiveMessagingChannelState,
        BlockedMessagingChannelState,
        CompleteMessagingSession,
        ConsentAction,
        Email,
        InboundMessageBody,
        InSessionMessagingChannelState,
        Location,
        Media,
        MediaType,
        Message,
        MessageBody,
        MessageDeliveryStatus,
        MessageReaction,
        MessageReactionState,
        MessageReplyToken,
        MessageSessionUpdate,
        MessageStatusUpdate,
        MessagingConsentUpdateStatus,
        MessagingSessionEndReason,
        MessagingState,
        PromptMessageReplyAction,
        ReceivedMessage,
        ReplyPrompt,
        SentMessage,
        Template,
        Url,
        UssdInput,
        UssdMenu,
        UssdSessionStatus,
    )
    from elarian_trio.models.notifications import (
        AnyNotification,
        AppDataUpdate,
        CustomerActivityNotification,
        MessageStatusNotification,
        MessagingConsentUpdateNotification,
        MessagingSessionEndedNotification,
        MessagingSessionRenewedNotification,
        MessagingSessionStartedNotification,
        Notification,
        NotificationReply,
        PaymentStatusNotification,
        ReceivedChatNotification,
        ReceivedEmailNotification,
        ReceivedFbMessengerNotification,
        ReceivedMessageNotification,
        ReceivedPaymentNotification,
        ReceivedSmsNotification,
        ReceivedTelegramNotification,
        ReceivedWhatsappNotification,
        ReminderNotification,
        SentMessageReactionNotification,
        UnknownNotification,
        UssdSessionNotification,
        VoiceCallNotification,
    )
    from elarian_trio.models.payments import (
        Cash,
        ChannelPayment,
        CustomerPayment,
        PaymentBalance,
        PaymentChannel,
        PaymentChannelNumber,
        PaymentParty,
        PaymentState,
        PaymentStatus,
        PaymentTransaction,
        PendingPaymentTransaction,
        Purse,
        Wallet,
    )
    from elarian_trio.models.replies import (
        ConsentUpdateReply,
        CustomerStateUpdateReply,
        DeleteCustomerReply,
        GetCustomerStateReply,
        InitiatePaymentReply,
        LeaseAppDataReply,
        MessageReply,
        ReplayPaymentReply,
        SimulatorReply,
        TagUpdateReply,
    )
    from elarian_trio.models.simulator import (
        CheckoutPaymentSimulatorNotification,
        MakeVoiceCallSimulatorNotification,
        SendChannelPaymentSimulatorNotification,
        SendCustomerPaymentSimulatorNotification,
        SendMessageSimulatorNotification,
        SimulatorNotification,
    )
    from elarian_trio.models.state import CustomerState
    from elarian_trio.models.voice import (
        Dequeue,
        Dial,
        Enqueue,
        GetDigits,
        GetRecording,
        Play,
        RecordSession,
        Redirect,
        Reject,
        Say,
        TextToSpeechVoice,
        VoiceAction,
        VoiceCallDialInput,
        VoiceCallDirection,
        VoiceCallHangupCause,
        VoiceCallInput,
        VoiceCallQueueInput,
        VoiceCallStatus,
    )
    from elarian_trio.options import Backoff, ConnectionOptions, JsonSerializer, Serializer
    from elarian_trio.simulator import Simulator
else:
    _NAMES = {
        "_inbox": "Delivery Subscription",
        "client": "ConnectionState ConnectionStates Statistics",
        "customer": "Customer",
        "elarian": "Elarian",
        "errors": """
            CommandError CommandFailed CommandRejected CommandTimedOut ConnectionClosed ConnectionFailed ConnectionLost
            DeliveryExpired ElarianError InternalError LocalProtocolError ProtocolError RemoteProtocolError ServiceError
            SetupRejected StoreError
        """,
        "models.activity": "Activity ActivitySessionState ActivityState",
        "models.channels": "Channel MessagingChannel",
        "models.identity": """
            AuthToken ChannelNumberProvider CustomerNumber CustomerNumberProvider CustomerRequestOrigin IdentityState
            Reminder SecondaryId Tag
        """,
        "models.messaging": """
            ActiveMessagingChannelState BlockedMessagingChannelState CompleteMessagingSession ConsentAction Email
            InboundMessageBody InSessionMessagingChannelState Location Media MediaType Message MessageBody
            MessageDeliveryStatus MessageReaction
            MessageReactionState MessageReplyToken MessageSessionUpdate MessageStatusUpdate MessagingConsentUpdateStatus
            MessagingSessionEndReason MessagingState PromptMessageReplyAction ReceivedMessage ReplyPrompt SentMessage
            Template Url UssdInput UssdMenu UssdSessionStatus
        """,
        "models.notifications": """
            AnyNotification AppDataUpdate CustomerActivityNotification MessageStatusNotification
            MessagingConsentUpdateNotification MessagingSessionEndedNotification MessagingSessionRenewedNotification
            MessagingSessionStartedNotification Notification NotificationReply PaymentStatusNotification
            ReceivedChatNotification ReceivedEmailNotification ReceivedFbMessengerNotification
            ReceivedMessageNotification ReceivedPaymentNotification ReceivedSmsNotification ReceivedTelegramNotification
            ReceivedWhatsappNotification ReminderNotification SentMessageReactionNotification UnknownNotification
            UssdSessionNotification VoiceCallNotification
        """,
        "models.payments": """
            Cash ChannelPayment CustomerPayment PaymentBalance PaymentChannel PaymentChannelNumber PaymentParty
            PaymentState PaymentStatus PaymentTransaction PendingPaymentTransaction Purse Wallet
        """,
        "models.replies": """
            ConsentUpdateReply CustomerStateUpdateReply DeleteCustomerReply GetCustomerStateReply InitiatePaymentReply
            LeaseAppDataReply MessageReply ReplayPaymentReply SimulatorReply TagUpdateReply
        """,
        "models.simulator": """
            CheckoutPaymentSimulatorNotification MakeVoiceCallSimulatorNotification
            SendChannelPaymentSimulatorNotification SendCustomerPaymentSimulatorNotification
            SendMessageSimulatorNotification SimulatorNotification
        """,
        "models.state": "CustomerState",
        "models.voice": """
            Dequeue Dial Enqueue GetDigits GetRecording Play RecordSession Redirect Reject Say TextToSpeechVoice
            VoiceAction VoiceCallDialInput VoiceCallDirection VoiceCallHangupCause VoiceCallInput VoiceCallQueueInput
            VoiceCallStatus
        """,
        "options": "Backoff ConnectionOptions JsonSerializer Serializer",
        "simulator": "Simulator",
    }
    _ROOMS = ("client", "customer", "elarian", "errors", "models", "options", "simulator")  # as elarian_trio.errors
    __getattr__ = find_late(
        __name__,
        {room: room for room in _ROOMS} | {name: home for home, names in _NAMES.items() for name in names.split()},
    )

__all__ = [
    "ActiveMessagingChannelState",
    "Activity",
    "ActivitySessionState",
    "ActivityState",
    "AnyNotification",
    "AppDataUpdate",
    "AuthToken",
    "Backoff",
    "BlockedMessagingChannelState",
    "Cash",
    "Channel",
    "ChannelNumberProvider",
    "ChannelPayment",
    "CheckoutPaymentSimulatorNotification",
    "CommandError",
    "CommandFailed",
    "CommandRejected",
    "CommandTimedOut",
    "CompleteMessagingSession",
    "ConnectionClosed",
    "ConnectionFailed",
    "ConnectionLost",
    "ConnectionOptions",
    "ConnectionState",
    "ConnectionStates",
    "ConsentAction",
    "ConsentUpdateReply",
    "Customer",
    "CustomerActivityNotification",
    "CustomerNumber",
    "CustomerNumberProvider",
    "CustomerPayment",
    "CustomerRequestOrigin",
    "CustomerState",
    "CustomerStateUpdateReply",
    "DeleteCustomerReply",
    "Delivery",
    "DeliveryExpired",
    "Dequeue",
    "Dial",
    "Elarian",
    "ElarianError",
    "Email",
    "Enqueue",
    "GetCustomerStateReply",
    "GetDigits",
    "GetRecording",
    "IdentityState",
    "InSessionMessagingChannelState",
    "InboundMessageBody",
    "InitiatePaymentReply",
    "InternalError",
    "JsonSerializer",
    "LeaseAppDataReply",
    "LocalProtocolError",
    "Location",
    "MakeVoiceCallSimulatorNotification",
    "Media",
    "MediaType",
    "Message",
    "MessageBody",
    "MessageDeliveryStatus",
    "MessageReaction",
    "MessageReactionState",
    "MessageReply",
    "MessageReplyToken",
    "MessageSessionUpdate",
    "MessageStatusNotification",
    "MessageStatusUpdate",
    "MessagingChannel",
    "MessagingConsentUpdateNotification",
    "MessagingConsentUpdateStatus",
    "MessagingSessionEndReason",
    "MessagingSessionEndedNotification",
    "MessagingSessionRenewedNotification",
    "MessagingSessionStartedNotification",
    "MessagingState",
    "Notification",
    "NotificationReply",
    "PaymentBalance",
    "PaymentChannel",
    "PaymentChannelNumber",
    "PaymentParty",
    "PaymentState",
    "PaymentStatus",
    "PaymentStatusNotification",
    "PaymentTransaction",
    "PendingPaymentTransaction",
    "Play",
    "PromptMessageReplyAction",
    "ProtocolError",
    "Purse",
    "ReceivedChatNotification",
    "ReceivedEmailNotification",
    "ReceivedFbMessengerNotification",
    "ReceivedMessage",
    "ReceivedMessageNotification",
    "ReceivedPaymentNotification",
    "ReceivedSmsNotification",
    "ReceivedTelegramNotification",
    "ReceivedWhatsappNotification",
    "RecordSession",
    "Redirect",
    "Reject",
    "Reminder",
    "ReminderNotification",
    "RemoteProtocolError",
    "ReplayPaymentReply",
    "ReplyPrompt",
    "Say",
    "SecondaryId",
    "SendChannelPaymentSimulatorNotification",
    "SendCustomerPaymentSimulatorNotification",
    "SendMessageSimulatorNotification",
    "SentMessage",
    "SentMessageReactionNotification",
    "Serializer",
    "ServiceError",
    "SetupRejected",
    "Simulator",
    "SimulatorNotification",
    "SimulatorReply",
    "Statistics",
    "StoreError",
    "Subscription",
    "Tag",
    "TagUpdateReply",
    "Template",
    "TextToSpeechVoice",
    "UnknownNotification",
    "Url",
    "UssdInput",
    "UssdMenu",
    "UssdSessionNotification",
    "UssdSessionStatus",
    "VoiceAction",
    "VoiceCallDialInput",
    "VoiceCallDirection",
    "VoiceCallHangupCause",
    "VoiceCallInput",
    "VoiceCallNotification",
    "VoiceCallQueueInput",
    "VoiceCallStatus",
    "Wallet",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
