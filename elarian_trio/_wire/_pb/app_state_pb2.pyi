from elarian_trio._wire._pb import app_model_pb2 as _app_model_pb2
from elarian_trio._wire._pb import common_model_pb2 as _common_model_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AppState(_message.Message):
    __slots__ = ("data", "reminders")
    DATA_FIELD_NUMBER: _ClassVar[int]
    REMINDERS_FIELD_NUMBER: _ClassVar[int]
    data: _common_model_pb2.DataMapValue
    reminders: _containers.RepeatedCompositeFieldContainer[_app_model_pb2.CustomerReminder]
    def __init__(self, data: _Optional[_Union[_common_model_pb2.DataMapValue, _Mapping]] = ..., reminders: _Optional[_Iterable[_Union[_app_model_pb2.CustomerReminder, _Mapping]]] = ...) -> None: ...
