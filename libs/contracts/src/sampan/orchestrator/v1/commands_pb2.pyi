from sampan.options.v1 import options_pb2 as _options_pb2
from sampan.types.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StartOrderPayment(_message.Message):
    __slots__ = ("checkout_id", "buyer_id", "wallet_id", "total", "orders")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    BUYER_ID_FIELD_NUMBER: _ClassVar[int]
    WALLET_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    buyer_id: str
    wallet_id: str
    total: _money_pb2.Money
    orders: _containers.RepeatedCompositeFieldContainer[OrderToPay]
    def __init__(self, checkout_id: _Optional[str] = ..., buyer_id: _Optional[str] = ..., wallet_id: _Optional[str] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., orders: _Optional[_Iterable[_Union[OrderToPay, _Mapping]]] = ...) -> None: ...

class OrderToPay(_message.Message):
    __slots__ = ("order_id", "shop_id", "seller_id", "total")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SHOP_ID_FIELD_NUMBER: _ClassVar[int]
    SELLER_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    shop_id: str
    seller_id: str
    total: _money_pb2.Money
    def __init__(self, order_id: _Optional[str] = ..., shop_id: _Optional[str] = ..., seller_id: _Optional[str] = ..., total: _Optional[_Union[_money_pb2.Money, _Mapping]] = ...) -> None: ...

class CancelOrderPayment(_message.Message):
    __slots__ = ("checkout_id", "reason")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    reason: str
    def __init__(self, checkout_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
