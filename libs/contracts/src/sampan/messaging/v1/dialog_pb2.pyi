import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DialogCreated(_message.Message):
    __slots__ = ("dialog_id", "workspace_id", "kind", "created_by", "entity_type", "entity_id", "created_at")
    DIALOG_ID_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    ENTITY_TYPE_FIELD_NUMBER: _ClassVar[int]
    ENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    dialog_id: str
    workspace_id: str
    kind: str
    created_by: str
    entity_type: str
    entity_id: str
    created_at: _timestamp_pb2.Timestamp
    def __init__(self, dialog_id: _Optional[str] = ..., workspace_id: _Optional[str] = ..., kind: _Optional[str] = ..., created_by: _Optional[str] = ..., entity_type: _Optional[str] = ..., entity_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DialogChanged(_message.Message):
    __slots__ = ("dialog_id", "seq", "changed_by", "fields", "archived", "changed_at")
    DIALOG_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    dialog_id: str
    seq: int
    changed_by: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    archived: bool
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, dialog_id: _Optional[str] = ..., seq: _Optional[int] = ..., changed_by: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., archived: _Optional[bool] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MemberChanged(_message.Message):
    __slots__ = ("dialog_id", "seq", "user_id", "role", "status", "changed_by", "changed_at")
    DIALOG_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_BY_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    dialog_id: str
    seq: int
    user_id: str
    role: str
    status: str
    changed_by: str
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, dialog_id: _Optional[str] = ..., seq: _Optional[int] = ..., user_id: _Optional[str] = ..., role: _Optional[str] = ..., status: _Optional[str] = ..., changed_by: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
