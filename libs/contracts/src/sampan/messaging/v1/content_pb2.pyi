import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MessageContentSent(_message.Message):
    __slots__ = ("dialog_id", "seq", "sender_id", "type", "text", "content_json", "sent_at")
    DIALOG_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    SENDER_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_JSON_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    dialog_id: str
    seq: int
    sender_id: str
    type: str
    text: str
    content_json: str
    sent_at: _timestamp_pb2.Timestamp
    def __init__(self, dialog_id: _Optional[str] = ..., seq: _Optional[int] = ..., sender_id: _Optional[str] = ..., type: _Optional[str] = ..., text: _Optional[str] = ..., content_json: _Optional[str] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
