import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from sampan.types.v1 import money_pb2 as _money_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PaymentAuthorized(_message.Message):
    __slots__ = ("hold_id", "checkout_id", "user_id", "wallet_id", "amount", "expires_at", "at")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    checkout_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    expires_at: _timestamp_pb2.Timestamp
    at: _timestamp_pb2.Timestamp
    def __init__(self, hold_id: _Optional[str] = ..., checkout_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PaymentCaptured(_message.Message):
    __slots__ = ("hold_id", "checkout_id", "user_id", "wallet_id", "amount", "at")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    checkout_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    at: _timestamp_pb2.Timestamp
    def __init__(self, hold_id: _Optional[str] = ..., checkout_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PaymentVoided(_message.Message):
    __slots__ = ("hold_id", "checkout_id", "user_id", "wallet_id", "amount", "reason_code", "at")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    checkout_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    reason_code: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, hold_id: _Optional[str] = ..., checkout_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., reason_code: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PaymentReturned(_message.Message):
    __slots__ = ("hold_id", "checkout_id", "user_id", "wallet_id", "amount", "reason_code", "at")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    checkout_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    reason_code: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, hold_id: _Optional[str] = ..., checkout_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., reason_code: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PaymentSettled(_message.Message):
    __slots__ = ("hold_id", "checkout_id", "order_id", "seller_id", "amount", "at")
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    hold_id: str
    checkout_id: str
    order_id: str
    seller_id: str
    amount: _money_pb2.Money
    at: _timestamp_pb2.Timestamp
    def __init__(self, hold_id: _Optional[str] = ..., checkout_id: _Optional[str] = ..., order_id: _Optional[str] = ..., seller_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
