from sampan.options.v1 import options_pb2 as _options_pb2
from sampan.types.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuthorizePayment(_message.Message):
    __slots__ = ("checkout_id", "hold_id", "user_id", "wallet_id", "amount", "hold_s")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    HOLD_S_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    hold_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    hold_s: int
    def __init__(self, checkout_id: _Optional[str] = ..., hold_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., hold_s: _Optional[int] = ...) -> None: ...

class VoidPayment(_message.Message):
    __slots__ = ("checkout_id", "hold_id", "reason_code")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    hold_id: str
    reason_code: str
    def __init__(self, checkout_id: _Optional[str] = ..., hold_id: _Optional[str] = ..., reason_code: _Optional[str] = ...) -> None: ...

class CapturePayment(_message.Message):
    __slots__ = ("checkout_id", "hold_id", "amount")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    hold_id: str
    amount: _money_pb2.Money
    def __init__(self, checkout_id: _Optional[str] = ..., hold_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class PayOrder(_message.Message):
    __slots__ = ("checkout_id", "hold_id", "user_id", "wallet_id", "amount")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    hold_id: str
    user_id: str
    wallet_id: str
    amount: _money_pb2.Money
    def __init__(self, checkout_id: _Optional[str] = ..., hold_id: _Optional[str] = ..., user_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class ReturnPayment(_message.Message):
    __slots__ = ("checkout_id", "hold_id", "reason_code")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    hold_id: str
    reason_code: str
    def __init__(self, checkout_id: _Optional[str] = ..., hold_id: _Optional[str] = ..., reason_code: _Optional[str] = ...) -> None: ...

class SettlePayment(_message.Message):
    __slots__ = ("checkout_id", "hold_id", "shares")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLD_ID_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    hold_id: str
    shares: _containers.RepeatedCompositeFieldContainer[SellerShare]
    def __init__(self, checkout_id: _Optional[str] = ..., hold_id: _Optional[str] = ..., shares: _Optional[_Iterable[_Union[SellerShare, _Mapping]]] = ...) -> None: ...

class SellerShare(_message.Message):
    __slots__ = ("order_id", "seller_id", "amount")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    seller_id: str
    amount: _money_pb2.Money
    def __init__(self, order_id: _Optional[str] = ..., seller_id: _Optional[str] = ..., amount: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...
