import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SagaStarted(_message.Message):
    __slots__ = ("saga_id", "saga_type", "saga_version", "business_key", "started_at")
    SAGA_ID_FIELD_NUMBER: _ClassVar[int]
    SAGA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SAGA_VERSION_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_KEY_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    saga_id: str
    saga_type: str
    saga_version: int
    business_key: str
    started_at: _timestamp_pb2.Timestamp
    def __init__(self, saga_id: _Optional[str] = ..., saga_type: _Optional[str] = ..., saga_version: _Optional[int] = ..., business_key: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SagaEnded(_message.Message):
    __slots__ = ("saga_id", "saga_type", "saga_version", "business_key", "status", "failure_code", "ended_at")
    SAGA_ID_FIELD_NUMBER: _ClassVar[int]
    SAGA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SAGA_VERSION_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_KEY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_CODE_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    saga_id: str
    saga_type: str
    saga_version: int
    business_key: str
    status: str
    failure_code: str
    ended_at: _timestamp_pb2.Timestamp
    def __init__(self, saga_id: _Optional[str] = ..., saga_type: _Optional[str] = ..., saga_version: _Optional[int] = ..., business_key: _Optional[str] = ..., status: _Optional[str] = ..., failure_code: _Optional[str] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SagaNeedsOperator(_message.Message):
    __slots__ = ("saga_id", "saga_type", "saga_version", "business_key", "step", "reason", "at")
    SAGA_ID_FIELD_NUMBER: _ClassVar[int]
    SAGA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SAGA_VERSION_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_KEY_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    saga_id: str
    saga_type: str
    saga_version: int
    business_key: str
    step: str
    reason: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, saga_id: _Optional[str] = ..., saga_type: _Optional[str] = ..., saga_version: _Optional[int] = ..., business_key: _Optional[str] = ..., step: _Optional[str] = ..., reason: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
