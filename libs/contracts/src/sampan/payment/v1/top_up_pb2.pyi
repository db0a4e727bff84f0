import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from sampan.types.v1 import money_pb2 as _money_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TopUpCompleted(_message.Message):
    __slots__ = ("top_up_id", "user_id", "wallet_id", "amount", "provider", "completed_at")
    TOP_UP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    top_up_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    provider: str
    completed_at: _timestamp_pb2.Timestamp
    def __init__(self, top_up_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., provider: _Optional[str] = ..., completed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TopUpFailed(_message.Message):
    __slots__ = ("top_up_id", "user_id", "wallet_id", "amount", "provider", "failure_code", "failed_at")
    TOP_UP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    FAILURE_CODE_FIELD_NUMBER: _ClassVar[int]
    FAILED_AT_FIELD_NUMBER: _ClassVar[int]
    top_up_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    provider: str
    failure_code: str
    failed_at: _timestamp_pb2.Timestamp
    def __init__(self, top_up_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., provider: _Optional[str] = ..., failure_code: _Optional[str] = ..., failed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TopUpInReview(_message.Message):
    __slots__ = ("top_up_id", "user_id", "wallet_id", "amount", "provider", "reason_code", "at")
    TOP_UP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    top_up_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    provider: str
    reason_code: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, top_up_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., provider: _Optional[str] = ..., reason_code: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TopUpReturned(_message.Message):
    __slots__ = ("top_up_id", "user_id", "wallet_id", "amount", "provider", "returned_at")
    TOP_UP_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    RETURNED_AT_FIELD_NUMBER: _ClassVar[int]
    top_up_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    provider: str
    returned_at: _timestamp_pb2.Timestamp
    def __init__(self, top_up_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., provider: _Optional[str] = ..., returned_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
