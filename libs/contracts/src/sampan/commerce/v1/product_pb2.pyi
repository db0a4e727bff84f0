import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from sampan.types.v1 import money_pb2 as _money_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProductPublished(_message.Message):
    __slots__ = ("product_id", "shop_id", "title", "category_id", "price_from", "status", "at")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SHOP_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_FROM_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    shop_id: str
    title: str
    category_id: str
    price_from: _money_pb2.Money
    status: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, product_id: _Optional[str] = ..., shop_id: _Optional[str] = ..., title: _Optional[str] = ..., category_id: _Optional[str] = ..., price_from: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., status: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ProductWithdrawn(_message.Message):
    __slots__ = ("product_id", "shop_id", "status", "at")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    SHOP_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    shop_id: str
    status: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, product_id: _Optional[str] = ..., shop_id: _Optional[str] = ..., status: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
