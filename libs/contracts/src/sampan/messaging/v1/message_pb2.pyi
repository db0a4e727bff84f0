import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MessageSent(_message.Message):
    __slots__ = ("dialog_id", "seq", "workspace_id", "dialog_kind", "sender_id", "type", "reply_to_seq", "thread_seq", "mentioned_user_ids", "mentions_all", "sent_at", "mentioned_roles")
    DIALOG_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_ID_FIELD_NUMBER: _ClassVar[int]
    DIALOG_KIND_FIELD_NUMBER: _ClassVar[int]
    SENDER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REPLY_TO_SEQ_FIELD_NUMBER: _ClassVar[int]
    THREAD_SEQ_FIELD_NUMBER: _ClassVar[int]
    MENTIONED_USER_IDS_FIELD_NUMBER: _ClassVar[int]
    MENTIONS_ALL_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    MENTIONED_ROLES_FIELD_NUMBER: _ClassVar[int]
    dialog_id: str
    seq: int
    workspace_id: str
    dialog_kind: str
    sender_id: str
    type: str
    reply_to_seq: int
    thread_seq: int
    mentioned_user_ids: _containers.RepeatedScalarFieldContainer[str]
    mentions_all: bool
    sent_at: _timestamp_pb2.Timestamp
    mentioned_roles: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dialog_id: _Optional[str] = ..., seq: _Optional[int] = ..., workspace_id: _Optional[str] = ..., dialog_kind: _Optional[str] = ..., sender_id: _Optional[str] = ..., type: _Optional[str] = ..., reply_to_seq: _Optional[int] = ..., thread_seq: _Optional[int] = ..., mentioned_user_ids: _Optional[_Iterable[str]] = ..., mentions_all: _Optional[bool] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., mentioned_roles: _Optional[_Iterable[str]] = ...) -> None: ...

class MessageEdited(_message.Message):
    __slots__ = ("dialog_id", "seq", "message_seq", "sender_id", "version", "edited_at")
    DIALOG_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_SEQ_FIELD_NUMBER: _ClassVar[int]
    SENDER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EDITED_AT_FIELD_NUMBER: _ClassVar[int]
    dialog_id: str
    seq: int
    message_seq: int
    sender_id: str
    version: int
    edited_at: _timestamp_pb2.Timestamp
    def __init__(self, dialog_id: _Optional[str] = ..., seq: _Optional[int] = ..., message_seq: _Optional[int] = ..., sender_id: _Optional[str] = ..., version: _Optional[int] = ..., edited_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MessageDeleted(_message.Message):
    __slots__ = ("dialog_id", "seq", "message_seq", "sender_id", "deleted_by", "deleted_at")
    DIALOG_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_SEQ_FIELD_NUMBER: _ClassVar[int]
    SENDER_ID_FIELD_NUMBER: _ClassVar[int]
    DELETED_BY_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    dialog_id: str
    seq: int
    message_seq: int
    sender_id: str
    deleted_by: str
    deleted_at: _timestamp_pb2.Timestamp
    def __init__(self, dialog_id: _Optional[str] = ..., seq: _Optional[int] = ..., message_seq: _Optional[int] = ..., sender_id: _Optional[str] = ..., deleted_by: _Optional[str] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ReactionChanged(_message.Message):
    __slots__ = ("dialog_id", "seq", "message_seq", "user_id", "emoji", "added", "sender_id", "changed_at")
    DIALOG_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_SEQ_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EMOJI_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    SENDER_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    dialog_id: str
    seq: int
    message_seq: int
    user_id: str
    emoji: str
    added: bool
    sender_id: str
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, dialog_id: _Optional[str] = ..., seq: _Optional[int] = ..., message_seq: _Optional[int] = ..., user_id: _Optional[str] = ..., emoji: _Optional[str] = ..., added: _Optional[bool] = ..., sender_id: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
