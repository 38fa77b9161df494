from elarian_trio._wire._pb import common_model_pb2 as _common_model_pb2
from elarian_trio._wire._pb import payment_model_pb2 as _payment_model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PaymentState(_message.Message):
    __slots__ = ("customer_numbers", "channel_numbers", "transaction_log", "pending_transactions", "wallets")
    class WalletsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _payment_model_pb2.PaymentBalance
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_payment_model_pb2.PaymentBalance, _Mapping]] = ...) -> None: ...
    CUSTOMER_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_LOG_FIELD_NUMBER: _ClassVar[int]
    PENDING_TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    WALLETS_FIELD_NUMBER: _ClassVar[int]
    customer_numbers: _containers.RepeatedCompositeFieldContainer[_common_model_pb2.CustomerNumber]
    channel_numbers: _containers.RepeatedCompositeFieldContainer[_payment_model_pb2.PaymentChannelNumber]
    transaction_log: _containers.RepeatedCompositeFieldContainer[_payment_model_pb2.PaymentTransaction]
    pending_transactions: _containers.RepeatedCompositeFieldContainer[_payment_model_pb2.PaymentTransaction]
    wallets: _containers.MessageMap[str, _payment_model_pb2.PaymentBalance]
    def __init__(self, customer_numbers: _Optional[_Iterable[_Union[_common_model_pb2.CustomerNumber, _Mapping]]] = ..., channel_numbers: _Optional[_Iterable[_Union[_payment_model_pb2.PaymentChannelNumber, _Mapping]]] = ..., transaction_log: _Optional[_Iterable[_Union[_payment_model_pb2.PaymentTransaction, _Mapping]]] = ..., pending_transactions: _Optional[_Iterable[_Union[_payment_model_pb2.PaymentTransaction, _Mapping]]] = ..., wallets: _Optional[_Mapping[str, _payment_model_pb2.PaymentBalance]] = ...) -> None: ...
