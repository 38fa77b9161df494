import datetime

from elarian_trio._wire._pb import common_model_pb2 as _common_model_pb2
from elarian_trio._wire._pb import messaging_model_pb2 as _messaging_model_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReceivedMessage(_message.Message):
    __slots__ = ("customer_number", "channel_number", "message_id", "created_at", "session_id", "in_reply_to", "provider", "app_id", "parts", "cost", "provider_message_id")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    message_id: str
    created_at: _timestamp_pb2.Timestamp
    session_id: _wrappers_pb2.StringValue
    in_reply_to: _wrappers_pb2.StringValue
    provider: _common_model_pb2.ChannelNumberProvider
    app_id: _wrappers_pb2.StringValue
    parts: _containers.RepeatedCompositeFieldContainer[_messaging_model_pb2.InboundMessageBody]
    cost: _common_model_pb2.Cash
    provider_message_id: _wrappers_pb2.StringValue
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., message_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., in_reply_to: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., provider: _Optional[_Union[_common_model_pb2.ChannelNumberProvider, str]] = ..., app_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[_messaging_model_pb2.InboundMessageBody, _Mapping]]] = ..., cost: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ..., provider_message_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class SentMessage(_message.Message):
    __slots__ = ("customer_number", "channel_number", "message_id", "created_at", "session_id", "in_reply_to", "provider", "app_id", "updated_at", "status", "reactions", "message", "cost", "provider_message_id", "description")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REACTIONS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    message_id: str
    created_at: _timestamp_pb2.Timestamp
    session_id: _wrappers_pb2.StringValue
    in_reply_to: _wrappers_pb2.StringValue
    provider: _common_model_pb2.ChannelNumberProvider
    app_id: _wrappers_pb2.StringValue
    updated_at: _timestamp_pb2.Timestamp
    status: _messaging_model_pb2.MessageDeliveryStatus
    reactions: _containers.RepeatedCompositeFieldContainer[MessageReactionState]
    message: _messaging_model_pb2.OutboundMessage
    cost: _common_model_pb2.Cash
    provider_message_id: _wrappers_pb2.StringValue
    description: _wrappers_pb2.StringValue
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., message_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., in_reply_to: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., provider: _Optional[_Union[_common_model_pb2.ChannelNumberProvider, str]] = ..., app_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[_messaging_model_pb2.MessageDeliveryStatus, str]] = ..., reactions: _Optional[_Iterable[_Union[MessageReactionState, _Mapping]]] = ..., message: _Optional[_Union[_messaging_model_pb2.OutboundMessage, _Mapping]] = ..., cost: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ..., provider_message_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., description: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class MessageReactionState(_message.Message):
    __slots__ = ("created_at", "reaction")
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    REACTION_FIELD_NUMBER: _ClassVar[int]
    created_at: _timestamp_pb2.Timestamp
    reaction: _messaging_model_pb2.MessageReaction
    def __init__(self, created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reaction: _Optional[_Union[_messaging_model_pb2.MessageReaction, str]] = ...) -> None: ...

class MessageReplyToken(_message.Message):
    __slots__ = ("token", "expires_at")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    token: str
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, token: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ChannelMessage(_message.Message):
    __slots__ = ("received", "sent")
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    received: ReceivedMessage
    sent: SentMessage
    def __init__(self, received: _Optional[_Union[ReceivedMessage, _Mapping]] = ..., sent: _Optional[_Union[SentMessage, _Mapping]] = ...) -> None: ...

class CompleteMessagingSession(_message.Message):
    __slots__ = ("customer_number", "channel_number", "session_id", "started_at", "duration", "app_ids", "end_reason", "cost", "provider_session_id")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    APP_IDS_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    session_id: str
    started_at: _timestamp_pb2.Timestamp
    duration: _duration_pb2.Duration
    app_ids: _containers.RepeatedScalarFieldContainer[str]
    end_reason: _messaging_model_pb2.MessagingSessionEndReason
    cost: _common_model_pb2.Cash
    provider_session_id: _wrappers_pb2.StringValue
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., session_id: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., app_ids: _Optional[_Iterable[str]] = ..., end_reason: _Optional[_Union[_messaging_model_pb2.MessagingSessionEndReason, str]] = ..., cost: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ..., provider_session_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class BlockedMessagingChannelState(_message.Message):
    __slots__ = ("customer_number", "channel_number", "reply_token", "blocked_at")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REPLY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_AT_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    reply_token: MessageReplyToken
    blocked_at: _timestamp_pb2.Timestamp
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., reply_token: _Optional[_Union[MessageReplyToken, _Mapping]] = ..., blocked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ActiveMessagingChannelState(_message.Message):
    __slots__ = ("customer_number", "channel_number", "reply_token", "allowed_at")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REPLY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_AT_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    reply_token: MessageReplyToken
    allowed_at: _timestamp_pb2.Timestamp
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., reply_token: _Optional[_Union[MessageReplyToken, _Mapping]] = ..., allowed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class InSessionMessagingChannelState(_message.Message):
    __slots__ = ("customer_number", "channel_number", "reply_token", "allowed_at", "session_id", "started_at", "expires_at", "app_ids", "provider_session_id")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REPLY_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_AT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    APP_IDS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    reply_token: MessageReplyToken
    allowed_at: _timestamp_pb2.Timestamp
    session_id: str
    started_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    app_ids: _containers.RepeatedScalarFieldContainer[str]
    provider_session_id: _wrappers_pb2.StringValue
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., reply_token: _Optional[_Union[MessageReplyToken, _Mapping]] = ..., allowed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session_id: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., app_ids: _Optional[_Iterable[str]] = ..., provider_session_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class MessagingChannelState(_message.Message):
    __slots__ = ("blocked", "active", "in_session")
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    IN_SESSION_FIELD_NUMBER: _ClassVar[int]
    blocked: BlockedMessagingChannelState
    active: ActiveMessagingChannelState
    in_session: InSessionMessagingChannelState
    def __init__(self, blocked: _Optional[_Union[BlockedMessagingChannelState, _Mapping]] = ..., active: _Optional[_Union[ActiveMessagingChannelState, _Mapping]] = ..., in_session: _Optional[_Union[InSessionMessagingChannelState, _Mapping]] = ...) -> None: ...

class MessagingState(_message.Message):
    __slots__ = ("channels", "messages", "sessions")
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    channels: _containers.RepeatedCompositeFieldContainer[MessagingChannelState]
    messages: _containers.RepeatedCompositeFieldContainer[ChannelMessage]
    sessions: _containers.RepeatedCompositeFieldContainer[CompleteMessagingSession]
    def __init__(self, channels: _Optional[_Iterable[_Union[MessagingChannelState, _Mapping]]] = ..., messages: _Optional[_Iterable[_Union[ChannelMessage, _Mapping]]] = ..., sessions: _Optional[_Iterable[_Union[CompleteMessagingSession, _Mapping]]] = ...) -> None: ...
