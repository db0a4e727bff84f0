import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WalletOpened(_message.Message):
    __slots__ = ("wallet_id", "user_id", "currency", "opened_at")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    user_id: str
    currency: str
    opened_at: _timestamp_pb2.Timestamp
    def __init__(self, wallet_id: _Optional[str] = ..., user_id: _Optional[str] = ..., currency: _Optional[str] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WalletSuspended(_message.Message):
    __slots__ = ("wallet_id", "user_id", "reason_code", "at")
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    wallet_id: str
    user_id: str
    reason_code: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, wallet_id: _Optional[str] = ..., user_id: _Optional[str] = ..., reason_code: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
