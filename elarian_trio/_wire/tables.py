"""Which class is which message, and the few fields whose names or shapes differ.

:mod:`.mapping` reads these; everything that is not listed here goes by its own name. The wire's names are those of the
compiled schema, which is Elarian's published contract.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elarian_trio.models import (
    activity,
    channels,
    commands,
    identity,
    messaging,
    notifications,
    payments,
    replies,
    state,
    voice,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGES: Mapping[Any, tuple[str, ...]] = {
    identity.AuthToken: ("GenerateAuthTokenReply",),
    identity.Reminder: ("CustomerReminder",),
    identity.Tag: ("CustomerIndex", "IndexMapping"),
    identity.SecondaryId: ("CustomerIndex", "IndexMapping"),
    channels.MessagingChannel: ("MessagingChannelNumber",),
    state.CustomerState: ("CustomerStateReplyData",),
    activity.Activity: ("CustomerActivity",),
    messaging.Message: ("OutboundMessage",),
    messaging.ReplyPrompt: ("OutboundMessageReplyPrompt",),
    messaging.Media: ("MediaMessageBody",),
    messaging.Location: ("LocationMessageBody",),
    messaging.Email: ("EmailMessageBody",),
    messaging.Template: ("TemplateMessageBody",),
    messaging.UssdMenu: ("UssdMenuMessageBody",),
    messaging.UssdInput: ("UssdInputMessageBody",),
    tuple: ("VoiceCallDialplanMessageBody",),
    voice.VoiceCallInput: ("VoiceCallInputMessageBody",),
    voice.Say: ("SayCallAction",),
    voice.Play: ("PlayCallAction",),
    voice.GetDigits: ("GetDigitsCallAction",),
    voice.Dial: ("DialCallAction",),
    voice.RecordSession: ("RecordSessionCallAction",),
    voice.GetRecording: ("GetRecordingCallAction",),
    voice.Enqueue: ("EnqueueCallAction",),
    voice.Dequeue: ("DequeueCallAction",),
    voice.Reject: ("RejectCallAction",),
    voice.Redirect: ("RedirectCallAction",),
    payments.Purse: ("PaymentPurseCounterParty",),
    payments.Wallet: ("PaymentWalletCounterParty",),
    payments.CustomerPayment: ("PaymentCustomerCounterParty",),
    payments.ChannelPayment: ("PaymentChannelCounterParty",),
    replies.CustomerStateUpdateReply: (
        "UpdateCustomerStateReply",
        "UpdateCustomerAppDataReply",
        "CustomerActivityReply",
    ),
    replies.LeaseAppDataReply: ("LeaseCustomerAppDataReply",),
    replies.MessageReply: ("SendMessageReply",),
    replies.ConsentUpdateReply: ("UpdateMessagingConsentReply",),
    replies.TagUpdateReply: ("TagCommandReply",),
    replies.SimulatorReply: ("SimulatorToServerCommandReply",),
    notifications.NotificationReply: ("ServerToAppNotificationReply",),
}
"""The messages that a class may be, where they are not called as the class is."""

SUFFIXES: Mapping[type, str] = {
    commands.AppCommand: "Command",
    commands.SimulatorCommand: "SimulatorCommand",
}
"""What the wire adds to the names of a family's classes."""

SCALAR_MEMBERS: Mapping[Any, frozenset[str]] = {
    str: frozenset({"text", "customer_id", "other_customer_id", "string_val"}),
    bytes: frozenset({"bytes_val"}),
    messaging.Url: frozenset({"url"}),
}
"""The members of oneofs that are no messages, by what they hold."""

WIRE_NAMES: Mapping[str, Mapping[str, str]] = {
    "CustomerIndex": {"key": "mapping.key", "value": "mapping.value"},
    "MediaMessageBody": {"type": "media"},
    "VoiceCallQueueInput": {"dequeued_to_session_id": "dequeued_to_sessionId"},
    "ReceivedMessage": {"received_at": "created_at"},
    "SentMessage": {"sent_at": "created_at"},
}
"""By message: the model's fields that have another name there, or stand one message deeper."""

NOT_THERE: Mapping[str, frozenset[str]] = {
    "IndexMapping": frozenset({"expires_at"}),
    "CustomerActivity": frozenset({"session_id"}),
    "ReceivedMessageNotification": frozenset({"text", "media", "location", "email", "voice", "input"}),
    "PaymentStatusNotification": frozenset({"purse_id"}),
}
"""By message: the model's fields that it does not carry: views of others, and what only the message around it says."""

EMPTY_IS_NONE: Mapping[str, frozenset[str]] = {
    "ServerToAppCustomerNotification": frozenset({"customer_id"}),
}
"""By message: the texts that are empty there for what is ``None`` in the model."""

STAND_INS: Mapping[str, Mapping[str, Any]] = {
    "CustomerActivity": {"session_id": ""},
}
"""By message: what such a field is given until the class around it says better, where the class asks for one."""

REPLIES: Mapping[type[commands.Command[Any]], str] = {
    commands.GenerateAuthToken: "generate_auth_token",
    commands.CreateCustomer: "update_customer_state",
    commands.DeleteCustomer: "delete_customer",
    commands.GetCustomerState: "get_customer_state",
    commands.AdoptCustomerState: "update_customer_state",
    commands.AddCustomerReminder: "update_customer_app_data",  # reminders live in the app's state
    commands.AddCustomerReminderTag: "tag_command",
    commands.CancelCustomerReminder: "update_customer_app_data",
    commands.CancelCustomerReminderTag: "tag_command",
    commands.UpdateCustomerTag: "update_customer_state",
    commands.DeleteCustomerTag: "update_customer_state",
    commands.UpdateCustomerSecondaryId: "update_customer_state",
    commands.DeleteCustomerSecondaryId: "update_customer_state",
    commands.UpdateCustomerMetadata: "update_customer_state",
    commands.DeleteCustomerMetadata: "update_customer_state",
    commands.LeaseCustomerAppData: "lease_customer_app_data",
    commands.UpdateCustomerAppData: "update_customer_app_data",
    commands.DeleteCustomerAppData: "update_customer_app_data",
    commands.SendMessage: "send_message",
    commands.SendMessageTag: "tag_command",
    commands.ReplyToMessage: "send_message",
    commands.UpdateMessagingConsent: "update_messaging_consent",
    commands.InitiatePayment: "initiate_payment",
    commands.CustomerActivity: "customer_activity",
    commands.ReplayMessagingConsentUpdate: "update_customer_state",
    commands.ReplayReceivedMessage: "update_customer_state",
    commands.ReplaySentMessage: "update_customer_state",
    commands.ReplayMessageStatusUpdate: "update_customer_state",
    commands.ReplayMessageReactionUpdate: "update_customer_state",
    commands.ReplayMessagingSession: "update_customer_state",
    commands.ReplayPayment: "replay_payment",
    commands.ReplayPaymentStatusUpdate: "replay_payment",
}
"""Every command of an app, and the entry of ``AppToServerCommandReply`` that answers it."""

SIMULATOR_COMMANDS: tuple[type[commands.SimulatorCommand], ...] = (
    commands.ReceiveMessage,
    commands.ReceivePayment,
    commands.UpdatePaymentStatus,
)
"""Every command of a simulator."""


def message_names(cls: Any) -> tuple[str, ...]:  # noqa: ANN401 - a model, or tuple for a call's actions
    """Give the names of the messages that *cls* may be on the wire."""
    listed = MESSAGES.get(cls)
    if listed is not None:
        return listed
    name: str = cls.__name__
    if issubclass(cls, notifications.ReceivedMessageNotification):
        return ("ReceivedMessageNotification",)
    return (name + "".join(suffix for family, suffix in SUFFIXES.items() if issubclass(cls, family)),)
