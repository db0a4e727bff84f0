import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActFact(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class OperatorActed(_message.Message):
    __slots__ = ("service", "action", "actor", "via", "reason", "outcome", "target", "before", "after", "at")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    VIA_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    service: str
    action: str
    actor: str
    via: str
    reason: str
    outcome: str
    target: _containers.RepeatedCompositeFieldContainer[ActFact]
    before: _containers.RepeatedCompositeFieldContainer[ActFact]
    after: _containers.RepeatedCompositeFieldContainer[ActFact]
    at: _timestamp_pb2.Timestamp
    def __init__(self, service: _Optional[str] = ..., action: _Optional[str] = ..., actor: _Optional[str] = ..., via: _Optional[str] = ..., reason: _Optional[str] = ..., outcome: _Optional[str] = ..., target: _Optional[_Iterable[_Union[ActFact, _Mapping]]] = ..., before: _Optional[_Iterable[_Union[ActFact, _Mapping]]] = ..., after: _Optional[_Iterable[_Union[ActFact, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
