import datetime

from elarian_trio._wire._pb import activity_model_pb2 as _activity_model_pb2
from elarian_trio._wire._pb import activity_state_pb2 as _activity_state_pb2
from elarian_trio._wire._pb import app_model_pb2 as _app_model_pb2
from elarian_trio._wire._pb import common_model_pb2 as _common_model_pb2
from elarian_trio._wire._pb import identity_state_pb2 as _identity_state_pb2
from elarian_trio._wire._pb import messaging_model_pb2 as _messaging_model_pb2
from elarian_trio._wire._pb import messaging_state_pb2 as _messaging_state_pb2
from elarian_trio._wire._pb import payment_model_pb2 as _payment_model_pb2
from elarian_trio._wire._pb import payment_state_pb2 as _payment_state_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AppConnectionMetadata(_message.Message):
    __slots__ = ("org_id", "app_id", "api_key", "auth_token", "simplex_mode", "simulator_mode")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    AUTH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SIMPLEX_MODE_FIELD_NUMBER: _ClassVar[int]
    SIMULATOR_MODE_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    app_id: str
    api_key: _wrappers_pb2.StringValue
    auth_token: _wrappers_pb2.StringValue
    simplex_mode: bool
    simulator_mode: bool
    def __init__(self, org_id: _Optional[str] = ..., app_id: _Optional[str] = ..., api_key: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., auth_token: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., simplex_mode: bool = ..., simulator_mode: bool = ...) -> None: ...

class AppToServerCommand(_message.Message):
    __slots__ = ("generate_auth_token", "create_customer", "get_customer_state", "adopt_customer_state", "add_customer_reminder", "add_customer_reminder_tag", "cancel_customer_reminder", "cancel_customer_reminder_tag", "update_customer_tag", "delete_customer_tag", "update_customer_secondary_id", "delete_customer_secondary_id", "update_customer_metadata", "delete_customer_metadata", "lease_customer_app_data", "update_customer_app_data", "delete_customer_app_data", "send_message", "send_message_tag", "reply_to_message", "update_messaging_consent", "initiate_payment", "customer_activity", "replay_messaging_consent_update", "replay_received_message", "replay_sent_message", "replay_message_status_update", "replay_message_reaction_update", "replay_messaging_session", "replay_payment", "replay_payment_status_update", "delete_customer")
    GENERATE_AUTH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CREATE_CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    GET_CUSTOMER_STATE_FIELD_NUMBER: _ClassVar[int]
    ADOPT_CUSTOMER_STATE_FIELD_NUMBER: _ClassVar[int]
    ADD_CUSTOMER_REMINDER_FIELD_NUMBER: _ClassVar[int]
    ADD_CUSTOMER_REMINDER_TAG_FIELD_NUMBER: _ClassVar[int]
    CANCEL_CUSTOMER_REMINDER_FIELD_NUMBER: _ClassVar[int]
    CANCEL_CUSTOMER_REMINDER_TAG_FIELD_NUMBER: _ClassVar[int]
    UPDATE_CUSTOMER_TAG_FIELD_NUMBER: _ClassVar[int]
    DELETE_CUSTOMER_TAG_FIELD_NUMBER: _ClassVar[int]
    UPDATE_CUSTOMER_SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    DELETE_CUSTOMER_SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_CUSTOMER_METADATA_FIELD_NUMBER: _ClassVar[int]
    DELETE_CUSTOMER_METADATA_FIELD_NUMBER: _ClassVar[int]
    LEASE_CUSTOMER_APP_DATA_FIELD_NUMBER: _ClassVar[int]
    UPDATE_CUSTOMER_APP_DATA_FIELD_NUMBER: _ClassVar[int]
    DELETE_CUSTOMER_APP_DATA_FIELD_NUMBER: _ClassVar[int]
    SEND_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SEND_MESSAGE_TAG_FIELD_NUMBER: _ClassVar[int]
    REPLY_TO_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MESSAGING_CONSENT_FIELD_NUMBER: _ClassVar[int]
    INITIATE_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    REPLAY_MESSAGING_CONSENT_UPDATE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_RECEIVED_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_SENT_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_MESSAGE_STATUS_UPDATE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_MESSAGE_REACTION_UPDATE_FIELD_NUMBER: _ClassVar[int]
    REPLAY_MESSAGING_SESSION_FIELD_NUMBER: _ClassVar[int]
    REPLAY_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    REPLAY_PAYMENT_STATUS_UPDATE_FIELD_NUMBER: _ClassVar[int]
    DELETE_CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    generate_auth_token: GenerateAuthTokenCommand
    create_customer: CreateCustomerCommand
    get_customer_state: GetCustomerStateCommand
    adopt_customer_state: AdoptCustomerStateCommand
    add_customer_reminder: AddCustomerReminderCommand
    add_customer_reminder_tag: AddCustomerReminderTagCommand
    cancel_customer_reminder: CancelCustomerReminderCommand
    cancel_customer_reminder_tag: CancelCustomerReminderTagCommand
    update_customer_tag: UpdateCustomerTagCommand
    delete_customer_tag: DeleteCustomerTagCommand
    update_customer_secondary_id: UpdateCustomerSecondaryIdCommand
    delete_customer_secondary_id: DeleteCustomerSecondaryIdCommand
    update_customer_metadata: UpdateCustomerMetadataCommand
    delete_customer_metadata: DeleteCustomerMetadataCommand
    lease_customer_app_data: LeaseCustomerAppDataCommand
    update_customer_app_data: UpdateCustomerAppDataCommand
    delete_customer_app_data: DeleteCustomerAppDataCommand
    send_message: SendMessageCommand
    send_message_tag: SendMessageTagCommand
    reply_to_message: ReplyToMessageCommand
    update_messaging_consent: UpdateMessagingConsentCommand
    initiate_payment: InitiatePaymentCommand
    customer_activity: CustomerActivityCommand
    replay_messaging_consent_update: ReplayMessagingConsentUpdateCommand
    replay_received_message: ReplayReceivedMessageCommand
    replay_sent_message: ReplaySentMessageCommand
    replay_message_status_update: ReplayMessageStatusUpdateCommand
    replay_message_reaction_update: ReplayMessageReactionUpdateCommand
    replay_messaging_session: ReplayMessagingSessionCommand
    replay_payment: ReplayPaymentCommand
    replay_payment_status_update: ReplayPaymentStatusUpdateCommand
    delete_customer: DeleteCustomerCommand
    def __init__(self, generate_auth_token: _Optional[_Union[GenerateAuthTokenCommand, _Mapping]] = ..., create_customer: _Optional[_Union[CreateCustomerCommand, _Mapping]] = ..., get_customer_state: _Optional[_Union[GetCustomerStateCommand, _Mapping]] = ..., adopt_customer_state: _Optional[_Union[AdoptCustomerStateCommand, _Mapping]] = ..., add_customer_reminder: _Optional[_Union[AddCustomerReminderCommand, _Mapping]] = ..., add_customer_reminder_tag: _Optional[_Union[AddCustomerReminderTagCommand, _Mapping]] = ..., cancel_customer_reminder: _Optional[_Union[CancelCustomerReminderCommand, _Mapping]] = ..., cancel_customer_reminder_tag: _Optional[_Union[CancelCustomerReminderTagCommand, _Mapping]] = ..., update_customer_tag: _Optional[_Union[UpdateCustomerTagCommand, _Mapping]] = ..., delete_customer_tag: _Optional[_Union[DeleteCustomerTagCommand, _Mapping]] = ..., update_customer_secondary_id: _Optional[_Union[UpdateCustomerSecondaryIdCommand, _Mapping]] = ..., delete_customer_secondary_id: _Optional[_Union[DeleteCustomerSecondaryIdCommand, _Mapping]] = ..., update_customer_metadata: _Optional[_Union[UpdateCustomerMetadataCommand, _Mapping]] = ..., delete_customer_metadata: _Optional[_Union[DeleteCustomerMetadataCommand, _Mapping]] = ..., lease_customer_app_data: _Optional[_Union[LeaseCustomerAppDataCommand, _Mapping]] = ..., update_customer_app_data: _Optional[_Union[UpdateCustomerAppDataCommand, _Mapping]] = ..., delete_customer_app_data: _Optional[_Union[DeleteCustomerAppDataCommand, _Mapping]] = ..., send_message: _Optional[_Union[SendMessageCommand, _Mapping]] = ..., send_message_tag: _Optional[_Union[SendMessageTagCommand, _Mapping]] = ..., reply_to_message: _Optional[_Union[ReplyToMessageCommand, _Mapping]] = ..., update_messaging_consent: _Optional[_Union[UpdateMessagingConsentCommand, _Mapping]] = ..., initiate_payment: _Optional[_Union[InitiatePaymentCommand, _Mapping]] = ..., customer_activity: _Optional[_Union[CustomerActivityCommand, _Mapping]] = ..., replay_messaging_consent_update: _Optional[_Union[ReplayMessagingConsentUpdateCommand, _Mapping]] = ..., replay_received_message: _Optional[_Union[ReplayReceivedMessageCommand, _Mapping]] = ..., replay_sent_message: _Optional[_Union[ReplaySentMessageCommand, _Mapping]] = ..., replay_message_status_update: _Optional[_Union[ReplayMessageStatusUpdateCommand, _Mapping]] = ..., replay_message_reaction_update: _Optional[_Union[ReplayMessageReactionUpdateCommand, _Mapping]] = ..., replay_messaging_session: _Optional[_Union[ReplayMessagingSessionCommand, _Mapping]] = ..., replay_payment: _Optional[_Union[ReplayPaymentCommand, _Mapping]] = ..., replay_payment_status_update: _Optional[_Union[ReplayPaymentStatusUpdateCommand, _Mapping]] = ..., delete_customer: _Optional[_Union[DeleteCustomerCommand, _Mapping]] = ...) -> None: ...

class AppToServerCommandReply(_message.Message):
    __slots__ = ("generate_auth_token", "get_customer_state", "update_customer_state", "update_customer_app_data", "lease_customer_app_data", "send_message", "update_messaging_consent", "initiate_payment", "tag_command", "customer_activity", "replay_payment", "delete_customer")
    GENERATE_AUTH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    GET_CUSTOMER_STATE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_CUSTOMER_STATE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_CUSTOMER_APP_DATA_FIELD_NUMBER: _ClassVar[int]
    LEASE_CUSTOMER_APP_DATA_FIELD_NUMBER: _ClassVar[int]
    SEND_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MESSAGING_CONSENT_FIELD_NUMBER: _ClassVar[int]
    INITIATE_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    TAG_COMMAND_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    REPLAY_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    DELETE_CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    generate_auth_token: GenerateAuthTokenReply
    get_customer_state: GetCustomerStateReply
    update_customer_state: UpdateCustomerStateReply
    update_customer_app_data: UpdateCustomerAppDataReply
    lease_customer_app_data: LeaseCustomerAppDataReply
    send_message: SendMessageReply
    update_messaging_consent: UpdateMessagingConsentReply
    initiate_payment: InitiatePaymentReply
    tag_command: TagCommandReply
    customer_activity: CustomerActivityReply
    replay_payment: ReplayPaymentReply
    delete_customer: DeleteCustomerReply
    def __init__(self, generate_auth_token: _Optional[_Union[GenerateAuthTokenReply, _Mapping]] = ..., get_customer_state: _Optional[_Union[GetCustomerStateReply, _Mapping]] = ..., update_customer_state: _Optional[_Union[UpdateCustomerStateReply, _Mapping]] = ..., update_customer_app_data: _Optional[_Union[UpdateCustomerAppDataReply, _Mapping]] = ..., lease_customer_app_data: _Optional[_Union[LeaseCustomerAppDataReply, _Mapping]] = ..., send_message: _Optional[_Union[SendMessageReply, _Mapping]] = ..., update_messaging_consent: _Optional[_Union[UpdateMessagingConsentReply, _Mapping]] = ..., initiate_payment: _Optional[_Union[InitiatePaymentReply, _Mapping]] = ..., tag_command: _Optional[_Union[TagCommandReply, _Mapping]] = ..., customer_activity: _Optional[_Union[CustomerActivityReply, _Mapping]] = ..., replay_payment: _Optional[_Union[ReplayPaymentReply, _Mapping]] = ..., delete_customer: _Optional[_Union[DeleteCustomerReply, _Mapping]] = ...) -> None: ...

class GenerateAuthTokenCommand(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GenerateAuthTokenReply(_message.Message):
    __slots__ = ("token", "lifetime")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_FIELD_NUMBER: _ClassVar[int]
    token: str
    lifetime: _duration_pb2.Duration
    def __init__(self, token: _Optional[str] = ..., lifetime: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CreateCustomerCommand(_message.Message):
    __slots__ = ("customer_number",)
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ...) -> None: ...

class GetCustomerStateCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ...) -> None: ...

class GetCustomerStateReply(_message.Message):
    __slots__ = ("status", "description", "data")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    status: bool
    description: str
    data: CustomerStateReplyData
    def __init__(self, status: bool = ..., description: _Optional[str] = ..., data: _Optional[_Union[CustomerStateReplyData, _Mapping]] = ...) -> None: ...

class CustomerStateReplyData(_message.Message):
    __slots__ = ("customer_id", "identity_state", "messaging_state", "payment_state", "activity_state")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGING_STATE_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_STATE_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_STATE_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    identity_state: _identity_state_pb2.IdentityState
    messaging_state: _messaging_state_pb2.MessagingState
    payment_state: _payment_state_pb2.PaymentState
    activity_state: _activity_state_pb2.ActivityState
    def __init__(self, customer_id: _Optional[str] = ..., identity_state: _Optional[_Union[_identity_state_pb2.IdentityState, _Mapping]] = ..., messaging_state: _Optional[_Union[_messaging_state_pb2.MessagingState, _Mapping]] = ..., payment_state: _Optional[_Union[_payment_state_pb2.PaymentState, _Mapping]] = ..., activity_state: _Optional[_Union[_activity_state_pb2.ActivityState, _Mapping]] = ...) -> None: ...

class AdoptCustomerStateCommand(_message.Message):
    __slots__ = ("customer_id", "other_customer_id", "other_customer_number", "other_secondary_id")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    OTHER_SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    other_customer_id: str
    other_customer_number: _common_model_pb2.CustomerNumber
    other_secondary_id: _common_model_pb2.IndexMapping
    def __init__(self, customer_id: _Optional[str] = ..., other_customer_id: _Optional[str] = ..., other_customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., other_secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ...) -> None: ...

class AddCustomerReminderCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "reminder")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    REMINDER_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    reminder: _app_model_pb2.CustomerReminder
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., reminder: _Optional[_Union[_app_model_pb2.CustomerReminder, _Mapping]] = ...) -> None: ...

class AddCustomerReminderTagCommand(_message.Message):
    __slots__ = ("tag", "reminder")
    TAG_FIELD_NUMBER: _ClassVar[int]
    REMINDER_FIELD_NUMBER: _ClassVar[int]
    tag: _common_model_pb2.IndexMapping
    reminder: _app_model_pb2.CustomerReminder
    def __init__(self, tag: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., reminder: _Optional[_Union[_app_model_pb2.CustomerReminder, _Mapping]] = ...) -> None: ...

class CancelCustomerReminderCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "key")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    key: str
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., key: _Optional[str] = ...) -> None: ...

class CancelCustomerReminderTagCommand(_message.Message):
    __slots__ = ("tag", "key")
    TAG_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    tag: _common_model_pb2.IndexMapping
    key: str
    def __init__(self, tag: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., key: _Optional[str] = ...) -> None: ...

class UpdateCustomerTagCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "updates")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    updates: _containers.RepeatedCompositeFieldContainer[_common_model_pb2.CustomerIndex]
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., updates: _Optional[_Iterable[_Union[_common_model_pb2.CustomerIndex, _Mapping]]] = ...) -> None: ...

class DeleteCustomerTagCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "deletions")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    DELETIONS_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    deletions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., deletions: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateCustomerSecondaryIdCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "updates")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    updates: _containers.RepeatedCompositeFieldContainer[_common_model_pb2.CustomerIndex]
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., updates: _Optional[_Iterable[_Union[_common_model_pb2.CustomerIndex, _Mapping]]] = ...) -> None: ...

class DeleteCustomerSecondaryIdCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "deletions")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    DELETIONS_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    deletions: _containers.RepeatedCompositeFieldContainer[_common_model_pb2.IndexMapping]
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., deletions: _Optional[_Iterable[_Union[_common_model_pb2.IndexMapping, _Mapping]]] = ...) -> None: ...

class UpdateCustomerMetadataCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "updates")
    class UpdatesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_model_pb2.DataMapValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_model_pb2.DataMapValue, _Mapping]] = ...) -> None: ...
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    updates: _containers.MessageMap[str, _common_model_pb2.DataMapValue]
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., updates: _Optional[_Mapping[str, _common_model_pb2.DataMapValue]] = ...) -> None: ...

class DeleteCustomerMetadataCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "deletions")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    DELETIONS_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    deletions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., deletions: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateCustomerStateReply(_message.Message):
    __slots__ = ("status", "description", "customer_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    status: bool
    description: str
    customer_id: _wrappers_pb2.StringValue
    def __init__(self, status: bool = ..., description: _Optional[str] = ..., customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class UpdateCustomerAppDataCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id", "update")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    update: _common_model_pb2.DataMapValue
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., update: _Optional[_Union[_common_model_pb2.DataMapValue, _Mapping]] = ...) -> None: ...

class DeleteCustomerAppDataCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ...) -> None: ...

class UpdateCustomerAppDataReply(_message.Message):
    __slots__ = ("status", "description", "customer_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    status: bool
    description: str
    customer_id: _wrappers_pb2.StringValue
    def __init__(self, status: bool = ..., description: _Optional[str] = ..., customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class LeaseCustomerAppDataCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ...) -> None: ...

class LeaseCustomerAppDataReply(_message.Message):
    __slots__ = ("status", "description", "customer_id", "value")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    status: bool
    description: str
    customer_id: _wrappers_pb2.StringValue
    value: _common_model_pb2.DataMapValue
    def __init__(self, status: bool = ..., description: _Optional[str] = ..., customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., value: _Optional[_Union[_common_model_pb2.DataMapValue, _Mapping]] = ...) -> None: ...

class SendMessageCommand(_message.Message):
    __slots__ = ("customer_number", "channel_number", "message")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    message: _messaging_model_pb2.OutboundMessage
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., message: _Optional[_Union[_messaging_model_pb2.OutboundMessage, _Mapping]] = ...) -> None: ...

class ReplyToMessageCommand(_message.Message):
    __slots__ = ("customer_id", "message_id", "message")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    message_id: str
    message: _messaging_model_pb2.OutboundMessage
    def __init__(self, customer_id: _Optional[str] = ..., message_id: _Optional[str] = ..., message: _Optional[_Union[_messaging_model_pb2.OutboundMessage, _Mapping]] = ...) -> None: ...

class SendMessageTagCommand(_message.Message):
    __slots__ = ("tag", "channel_number", "message")
    TAG_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    tag: _common_model_pb2.IndexMapping
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    message: _messaging_model_pb2.OutboundMessage
    def __init__(self, tag: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., message: _Optional[_Union[_messaging_model_pb2.OutboundMessage, _Mapping]] = ...) -> None: ...

class SendMessageReply(_message.Message):
    __slots__ = ("status", "description", "message_id", "session_id", "customer_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    status: _messaging_model_pb2.MessageDeliveryStatus
    description: str
    message_id: _wrappers_pb2.StringValue
    session_id: _wrappers_pb2.StringValue
    customer_id: _wrappers_pb2.StringValue
    def __init__(self, status: _Optional[_Union[_messaging_model_pb2.MessageDeliveryStatus, str]] = ..., description: _Optional[str] = ..., message_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., session_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class UpdateMessagingConsentCommand(_message.Message):
    __slots__ = ("customer_number", "channel_number", "update")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    update: _messaging_model_pb2.MessagingConsentUpdate
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., update: _Optional[_Union[_messaging_model_pb2.MessagingConsentUpdate, str]] = ...) -> None: ...

class UpdateMessagingConsentReply(_message.Message):
    __slots__ = ("status", "description", "customer_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    status: _messaging_model_pb2.MessagingConsentUpdateStatus
    description: str
    customer_id: _wrappers_pb2.StringValue
    def __init__(self, status: _Optional[_Union[_messaging_model_pb2.MessagingConsentUpdateStatus, str]] = ..., description: _Optional[str] = ..., customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class InitiatePaymentCommand(_message.Message):
    __slots__ = ("debit_party", "credit_party", "value", "narration")
    DEBIT_PARTY_FIELD_NUMBER: _ClassVar[int]
    CREDIT_PARTY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    NARRATION_FIELD_NUMBER: _ClassVar[int]
    debit_party: _payment_model_pb2.PaymentCounterParty
    credit_party: _payment_model_pb2.PaymentCounterParty
    value: _common_model_pb2.Cash
    narration: str
    def __init__(self, debit_party: _Optional[_Union[_payment_model_pb2.PaymentCounterParty, _Mapping]] = ..., credit_party: _Optional[_Union[_payment_model_pb2.PaymentCounterParty, _Mapping]] = ..., value: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ..., narration: _Optional[str] = ...) -> None: ...

class InitiatePaymentReply(_message.Message):
    __slots__ = ("status", "description", "transaction_id", "debit_customer_id", "credit_customer_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    DEBIT_CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CREDIT_CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    status: _payment_model_pb2.PaymentStatus
    description: str
    transaction_id: _wrappers_pb2.StringValue
    debit_customer_id: _wrappers_pb2.StringValue
    credit_customer_id: _wrappers_pb2.StringValue
    def __init__(self, status: _Optional[_Union[_payment_model_pb2.PaymentStatus, str]] = ..., description: _Optional[str] = ..., transaction_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., debit_customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., credit_customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class ReplayPaymentCommand(_message.Message):
    __slots__ = ("provider_transaction_id", "created_at", "debit_party", "credit_party", "status", "value", "narration")
    PROVIDER_TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DEBIT_PARTY_FIELD_NUMBER: _ClassVar[int]
    CREDIT_PARTY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    NARRATION_FIELD_NUMBER: _ClassVar[int]
    provider_transaction_id: str
    created_at: _timestamp_pb2.Timestamp
    debit_party: _payment_model_pb2.PaymentCounterParty
    credit_party: _payment_model_pb2.PaymentCounterParty
    status: _payment_model_pb2.PaymentStatus
    value: _common_model_pb2.Cash
    narration: str
    def __init__(self, provider_transaction_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., debit_party: _Optional[_Union[_payment_model_pb2.PaymentCounterParty, _Mapping]] = ..., credit_party: _Optional[_Union[_payment_model_pb2.PaymentCounterParty, _Mapping]] = ..., status: _Optional[_Union[_payment_model_pb2.PaymentStatus, str]] = ..., value: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ..., narration: _Optional[str] = ...) -> None: ...

class ReplayPaymentStatusUpdateCommand(_message.Message):
    __slots__ = ("customer_number", "provider_transaction_id", "updated_at", "status")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    provider_transaction_id: str
    updated_at: _timestamp_pb2.Timestamp
    status: _payment_model_pb2.PaymentStatus
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., provider_transaction_id: _Optional[str] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[_payment_model_pb2.PaymentStatus, str]] = ...) -> None: ...

class ReplayPaymentReply(_message.Message):
    __slots__ = ("status", "description", "transaction_id", "debit_customer_id", "credit_customer_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    DEBIT_CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CREDIT_CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    status: bool
    description: str
    transaction_id: _wrappers_pb2.StringValue
    debit_customer_id: _wrappers_pb2.StringValue
    credit_customer_id: _wrappers_pb2.StringValue
    def __init__(self, status: bool = ..., description: _Optional[str] = ..., transaction_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., debit_customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., credit_customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class TagCommandReply(_message.Message):
    __slots__ = ("status", "description", "work_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    WORK_ID_FIELD_NUMBER: _ClassVar[int]
    status: bool
    description: str
    work_id: _wrappers_pb2.StringValue
    def __init__(self, status: bool = ..., description: _Optional[str] = ..., work_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class CustomerActivityCommand(_message.Message):
    __slots__ = ("customer_number", "source", "session_id", "key", "properties")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    source: str
    session_id: str
    key: str
    properties: _containers.ScalarMap[str, str]
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., source: _Optional[str] = ..., session_id: _Optional[str] = ..., key: _Optional[str] = ..., properties: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ReplayMessagingConsentUpdateCommand(_message.Message):
    __slots__ = ("customer_number", "channel_number", "updated_at", "update")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    updated_at: _timestamp_pb2.Timestamp
    update: _messaging_model_pb2.MessagingConsentUpdate
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update: _Optional[_Union[_messaging_model_pb2.MessagingConsentUpdate, str]] = ...) -> None: ...

class ReplayReceivedMessageCommand(_message.Message):
    __slots__ = ("provider_message_id", "provider_session_id", "received_at", "customer_number", "channel_number", "parts", "in_reply_to", "provider", "cost")
    PROVIDER_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    provider_message_id: str
    provider_session_id: _wrappers_pb2.StringValue
    received_at: _timestamp_pb2.Timestamp
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    parts: _containers.RepeatedCompositeFieldContainer[_messaging_model_pb2.InboundMessageBody]
    in_reply_to: _wrappers_pb2.StringValue
    provider: _common_model_pb2.ChannelNumberProvider
    cost: _common_model_pb2.Cash
    def __init__(self, provider_message_id: _Optional[str] = ..., provider_session_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[_messaging_model_pb2.InboundMessageBody, _Mapping]]] = ..., in_reply_to: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., provider: _Optional[_Union[_common_model_pb2.ChannelNumberProvider, str]] = ..., cost: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ...) -> None: ...

class ReplaySentMessageCommand(_message.Message):
    __slots__ = ("provider_message_id", "provider_session_id", "sent_at", "customer_number", "channel_number", "provider", "message", "in_reply_to", "status", "cost")
    PROVIDER_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    provider_message_id: str
    provider_session_id: _wrappers_pb2.StringValue
    sent_at: _timestamp_pb2.Timestamp
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    provider: _common_model_pb2.ChannelNumberProvider
    message: _messaging_model_pb2.OutboundMessage
    in_reply_to: _wrappers_pb2.StringValue
    status: _messaging_model_pb2.MessageDeliveryStatus
    cost: _common_model_pb2.Cash
    def __init__(self, provider_message_id: _Optional[str] = ..., provider_session_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., provider: _Optional[_Union[_common_model_pb2.ChannelNumberProvider, str]] = ..., message: _Optional[_Union[_messaging_model_pb2.OutboundMessage, _Mapping]] = ..., in_reply_to: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., status: _Optional[_Union[_messaging_model_pb2.MessageDeliveryStatus, str]] = ..., cost: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ...) -> None: ...

class ReplayMessageStatusUpdateCommand(_message.Message):
    __slots__ = ("provider_message_id", "updated_at", "customer_number", "channel_number", "status", "cost")
    PROVIDER_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    provider_message_id: str
    updated_at: _timestamp_pb2.Timestamp
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    status: _messaging_model_pb2.MessageDeliveryStatus
    cost: _common_model_pb2.Cash
    def __init__(self, provider_message_id: _Optional[str] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., status: _Optional[_Union[_messaging_model_pb2.MessageDeliveryStatus, str]] = ..., cost: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ...) -> None: ...

class ReplayMessageReactionUpdateCommand(_message.Message):
    __slots__ = ("provider_message_id", "updated_at", "customer_number", "channel_number", "reaction")
    PROVIDER_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REACTION_FIELD_NUMBER: _ClassVar[int]
    provider_message_id: str
    updated_at: _timestamp_pb2.Timestamp
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    reaction: _messaging_model_pb2.MessageReaction
    def __init__(self, provider_message_id: _Optional[str] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., reaction: _Optional[_Union[_messaging_model_pb2.MessageReaction, str]] = ...) -> None: ...

class ReplayMessagingSessionCommand(_message.Message):
    __slots__ = ("provider_session_id", "customer_number", "channel_number", "started_at", "duration", "end_reason", "cost")
    PROVIDER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    provider_session_id: str
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    started_at: _timestamp_pb2.Timestamp
    duration: _duration_pb2.Duration
    end_reason: _messaging_model_pb2.MessagingSessionEndReason
    cost: _common_model_pb2.Cash
    def __init__(self, provider_session_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_reason: _Optional[_Union[_messaging_model_pb2.MessagingSessionEndReason, str]] = ..., cost: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ...) -> None: ...

class CustomerActivityReply(_message.Message):
    __slots__ = ("status", "description", "customer_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    status: bool
    description: str
    customer_id: _wrappers_pb2.StringValue
    def __init__(self, status: bool = ..., description: _Optional[str] = ..., customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class ServerToAppNotification(_message.Message):
    __slots__ = ("customer", "purse")
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    PURSE_FIELD_NUMBER: _ClassVar[int]
    customer: ServerToAppCustomerNotification
    purse: ServerToAppPurseNotification
    def __init__(self, customer: _Optional[_Union[ServerToAppCustomerNotification, _Mapping]] = ..., purse: _Optional[_Union[ServerToAppPurseNotification, _Mapping]] = ...) -> None: ...

class ServerToAppCustomerNotification(_message.Message):
    __slots__ = ("org_id", "app_id", "customer_id", "app_data", "created_at", "reminder", "messaging_session_started", "messaging_session_renewed", "messaging_session_ended", "messaging_consent_update", "received_message", "message_status", "sent_message_reaction", "received_payment", "payment_status", "customer_activity")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    APP_DATA_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    REMINDER_FIELD_NUMBER: _ClassVar[int]
    MESSAGING_SESSION_STARTED_FIELD_NUMBER: _ClassVar[int]
    MESSAGING_SESSION_RENEWED_FIELD_NUMBER: _ClassVar[int]
    MESSAGING_SESSION_ENDED_FIELD_NUMBER: _ClassVar[int]
    MESSAGING_CONSENT_UPDATE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_STATUS_FIELD_NUMBER: _ClassVar[int]
    SENT_MESSAGE_REACTION_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_PAYMENT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_STATUS_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    app_id: str
    customer_id: str
    app_data: _common_model_pb2.DataMapValue
    created_at: _timestamp_pb2.Timestamp
    reminder: ReminderNotification
    messaging_session_started: MessagingSessionStartedNotification
    messaging_session_renewed: MessagingSessionRenewedNotification
    messaging_session_ended: MessagingSessionEndedNotification
    messaging_consent_update: MessagingConsentUpdateNotification
    received_message: ReceivedMessageNotification
    message_status: MessageStatusNotification
    sent_message_reaction: SentMessageReactionNotification
    received_payment: ReceivedPaymentNotification
    payment_status: PaymentStatusNotification
    customer_activity: CustomerActivityNotification
    def __init__(self, org_id: _Optional[str] = ..., app_id: _Optional[str] = ..., customer_id: _Optional[str] = ..., app_data: _Optional[_Union[_common_model_pb2.DataMapValue, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reminder: _Optional[_Union[ReminderNotification, _Mapping]] = ..., messaging_session_started: _Optional[_Union[MessagingSessionStartedNotification, _Mapping]] = ..., messaging_session_renewed: _Optional[_Union[MessagingSessionRenewedNotification, _Mapping]] = ..., messaging_session_ended: _Optional[_Union[MessagingSessionEndedNotification, _Mapping]] = ..., messaging_consent_update: _Optional[_Union[MessagingConsentUpdateNotification, _Mapping]] = ..., received_message: _Optional[_Union[ReceivedMessageNotification, _Mapping]] = ..., message_status: _Optional[_Union[MessageStatusNotification, _Mapping]] = ..., sent_message_reaction: _Optional[_Union[SentMessageReactionNotification, _Mapping]] = ..., received_payment: _Optional[_Union[ReceivedPaymentNotification, _Mapping]] = ..., payment_status: _Optional[_Union[PaymentStatusNotification, _Mapping]] = ..., customer_activity: _Optional[_Union[CustomerActivityNotification, _Mapping]] = ...) -> None: ...

class ServerToAppPurseNotification(_message.Message):
    __slots__ = ("org_id", "app_id", "purse_id", "created_at", "payment_status")
    ORG_ID_FIELD_NUMBER: _ClassVar[int]
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    PURSE_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_STATUS_FIELD_NUMBER: _ClassVar[int]
    org_id: str
    app_id: str
    purse_id: str
    created_at: _timestamp_pb2.Timestamp
    payment_status: PaymentStatusNotification
    def __init__(self, org_id: _Optional[str] = ..., app_id: _Optional[str] = ..., purse_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., payment_status: _Optional[_Union[PaymentStatusNotification, _Mapping]] = ...) -> None: ...

class AppDataUpdate(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: _common_model_pb2.DataMapValue
    def __init__(self, data: _Optional[_Union[_common_model_pb2.DataMapValue, _Mapping]] = ...) -> None: ...

class ServerToAppNotificationReply(_message.Message):
    __slots__ = ("data_update", "message")
    DATA_UPDATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    data_update: AppDataUpdate
    message: _messaging_model_pb2.OutboundMessage
    def __init__(self, data_update: _Optional[_Union[AppDataUpdate, _Mapping]] = ..., message: _Optional[_Union[_messaging_model_pb2.OutboundMessage, _Mapping]] = ...) -> None: ...

class ReminderNotification(_message.Message):
    __slots__ = ("reminder", "tag", "work_id")
    REMINDER_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    WORK_ID_FIELD_NUMBER: _ClassVar[int]
    reminder: _app_model_pb2.CustomerReminder
    tag: _common_model_pb2.CustomerIndex
    work_id: _wrappers_pb2.StringValue
    def __init__(self, reminder: _Optional[_Union[_app_model_pb2.CustomerReminder, _Mapping]] = ..., tag: _Optional[_Union[_common_model_pb2.CustomerIndex, _Mapping]] = ..., work_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class MessagingSessionStartedNotification(_message.Message):
    __slots__ = ("customer_number", "channel_number", "session_id", "expires_at")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    session_id: str
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., session_id: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MessagingSessionRenewedNotification(_message.Message):
    __slots__ = ("customer_number", "channel_number", "session_id", "expires_at")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    session_id: str
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., session_id: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MessagingSessionEndedNotification(_message.Message):
    __slots__ = ("customer_number", "channel_number", "session_id", "duration", "reason")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    session_id: str
    duration: _duration_pb2.Duration
    reason: _messaging_model_pb2.MessagingSessionEndReason
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., session_id: _Optional[str] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., reason: _Optional[_Union[_messaging_model_pb2.MessagingSessionEndReason, str]] = ...) -> None: ...

class MessagingConsentUpdateNotification(_message.Message):
    __slots__ = ("customer_number", "channel_number", "update", "status")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    update: _messaging_model_pb2.MessagingConsentUpdate
    status: _messaging_model_pb2.MessagingConsentUpdateStatus
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., update: _Optional[_Union[_messaging_model_pb2.MessagingConsentUpdate, str]] = ..., status: _Optional[_Union[_messaging_model_pb2.MessagingConsentUpdateStatus, str]] = ...) -> None: ...

class ReceivedMessageNotification(_message.Message):
    __slots__ = ("message_id", "customer_number", "channel_number", "parts", "session_id", "in_reply_to")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IN_REPLY_TO_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    parts: _containers.RepeatedCompositeFieldContainer[_messaging_model_pb2.InboundMessageBody]
    session_id: _wrappers_pb2.StringValue
    in_reply_to: _wrappers_pb2.StringValue
    def __init__(self, message_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[_messaging_model_pb2.InboundMessageBody, _Mapping]]] = ..., session_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ..., in_reply_to: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class MessageStatusNotification(_message.Message):
    __slots__ = ("message_id", "status", "description")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    status: _messaging_model_pb2.MessageDeliveryStatus
    description: _wrappers_pb2.StringValue
    def __init__(self, message_id: _Optional[str] = ..., status: _Optional[_Union[_messaging_model_pb2.MessageDeliveryStatus, str]] = ..., description: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class SentMessageReactionNotification(_message.Message):
    __slots__ = ("message_id", "customer_number", "channel_number", "reaction")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    REACTION_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _messaging_model_pb2.MessagingChannelNumber
    reaction: _messaging_model_pb2.MessageReaction
    def __init__(self, message_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_messaging_model_pb2.MessagingChannelNumber, _Mapping]] = ..., reaction: _Optional[_Union[_messaging_model_pb2.MessageReaction, str]] = ...) -> None: ...

class ReceivedPaymentNotification(_message.Message):
    __slots__ = ("purse_id", "transaction_id", "customer_number", "channel_number", "value", "status")
    PURSE_ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    purse_id: str
    transaction_id: str
    customer_number: _common_model_pb2.CustomerNumber
    channel_number: _payment_model_pb2.PaymentChannelNumber
    value: _common_model_pb2.Cash
    status: _payment_model_pb2.PaymentStatus
    def __init__(self, purse_id: _Optional[str] = ..., transaction_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., channel_number: _Optional[_Union[_payment_model_pb2.PaymentChannelNumber, _Mapping]] = ..., value: _Optional[_Union[_common_model_pb2.Cash, _Mapping]] = ..., status: _Optional[_Union[_payment_model_pb2.PaymentStatus, str]] = ...) -> None: ...

class PaymentStatusNotification(_message.Message):
    __slots__ = ("transaction_id", "status", "description")
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    transaction_id: str
    status: _payment_model_pb2.PaymentStatus
    description: _wrappers_pb2.StringValue
    def __init__(self, transaction_id: _Optional[str] = ..., status: _Optional[_Union[_payment_model_pb2.PaymentStatus, str]] = ..., description: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...

class CustomerActivityNotification(_message.Message):
    __slots__ = ("customer_number", "source", "session_id", "activity")
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    customer_number: _common_model_pb2.CustomerNumber
    source: str
    session_id: str
    activity: _activity_model_pb2.CustomerActivity
    def __init__(self, customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., source: _Optional[str] = ..., session_id: _Optional[str] = ..., activity: _Optional[_Union[_activity_model_pb2.CustomerActivity, _Mapping]] = ...) -> None: ...

class DeleteCustomerCommand(_message.Message):
    __slots__ = ("customer_id", "customer_number", "secondary_id")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_ID_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    customer_number: _common_model_pb2.CustomerNumber
    secondary_id: _common_model_pb2.IndexMapping
    def __init__(self, customer_id: _Optional[str] = ..., customer_number: _Optional[_Union[_common_model_pb2.CustomerNumber, _Mapping]] = ..., secondary_id: _Optional[_Union[_common_model_pb2.IndexMapping, _Mapping]] = ...) -> None: ...

class DeleteCustomerReply(_message.Message):
    __slots__ = ("status", "description", "customer_id")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    status: bool
    description: str
    customer_id: _wrappers_pb2.StringValue
    def __init__(self, status: bool = ..., description: _Optional[str] = ..., customer_id: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping]] = ...) -> None: ...
