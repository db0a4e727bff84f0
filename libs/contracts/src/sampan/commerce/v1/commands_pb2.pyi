from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ReserveStock(_message.Message):
    __slots__ = ("checkout_id", "order_ids", "hold_s")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    HOLD_S_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    order_ids: _containers.RepeatedScalarFieldContainer[str]
    hold_s: int
    def __init__(self, checkout_id: _Optional[str] = ..., order_ids: _Optional[_Iterable[str]] = ..., hold_s: _Optional[int] = ...) -> None: ...

class ReleaseStock(_message.Message):
    __slots__ = ("checkout_id", "order_ids", "reason_code")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    order_ids: _containers.RepeatedScalarFieldContainer[str]
    reason_code: str
    def __init__(self, checkout_id: _Optional[str] = ..., order_ids: _Optional[_Iterable[str]] = ..., reason_code: _Optional[str] = ...) -> None: ...

class ConfirmOrder(_message.Message):
    __slots__ = ("checkout_id", "order_ids")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    order_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, checkout_id: _Optional[str] = ..., order_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class CompleteOrder(_message.Message):
    __slots__ = ("checkout_id",)
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    def __init__(self, checkout_id: _Optional[str] = ...) -> None: ...

class MarkOrderPaid(_message.Message):
    __slots__ = ("checkout_id", "order_ids")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    order_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, checkout_id: _Optional[str] = ..., order_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class CancelOrder(_message.Message):
    __slots__ = ("checkout_id", "order_ids", "reason_code")
    CHECKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    checkout_id: str
    order_ids: _containers.RepeatedScalarFieldContainer[str]
    reason_code: str
    def __init__(self, checkout_id: _Optional[str] = ..., order_ids: _Optional[_Iterable[str]] = ..., reason_code: _Optional[str] = ...) -> None: ...
