from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Audience(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIENCE_UNSPECIFIED: _ClassVar[Audience]
    AUDIENCE_PUBLIC: _ClassVar[Audience]
    AUDIENCE_PRIVATE: _ClassVar[Audience]
AUDIENCE_UNSPECIFIED: Audience
AUDIENCE_PUBLIC: Audience
AUDIENCE_PRIVATE: Audience
RECORD_FIELD_NUMBER: _ClassVar[int]
record: _descriptor.FieldDescriptor
PII_FIELD_NUMBER: _ClassVar[int]
pii: _descriptor.FieldDescriptor

class Record(_message.Message):
    __slots__ = ("owner", "audience", "topic", "key", "ordering", "reply_topic", "unlogged")
    OWNER_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ORDERING_FIELD_NUMBER: _ClassVar[int]
    REPLY_TOPIC_FIELD_NUMBER: _ClassVar[int]
    UNLOGGED_FIELD_NUMBER: _ClassVar[int]
    owner: str
    audience: Audience
    topic: str
    key: str
    ordering: str
    reply_topic: str
    unlogged: bool
    def __init__(self, owner: _Optional[str] = ..., audience: _Optional[_Union[Audience, str]] = ..., topic: _Optional[str] = ..., key: _Optional[str] = ..., ordering: _Optional[str] = ..., reply_topic: _Optional[str] = ..., unlogged: _Optional[bool] = ...) -> None: ...
