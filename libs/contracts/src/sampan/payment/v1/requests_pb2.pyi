import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from sampan.types.v1 import money_pb2 as _money_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RequestTransfer(_message.Message):
    __slots__ = ("transfer_id", "sender_id", "recipient_id", "amount", "note", "requested_at")
    TRANSFER_ID_FIELD_NUMBER: _ClassVar[int]
    SENDER_ID_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_AT_FIELD_NUMBER: _ClassVar[int]
    transfer_id: str
    sender_id: str
    recipient_id: str
    amount: _money_pb2.Money
    note: str
    requested_at: _timestamp_pb2.Timestamp
    def __init__(self, transfer_id: _Optional[str] = ..., sender_id: _Optional[str] = ..., recipient_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., note: _Optional[str] = ..., requested_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
