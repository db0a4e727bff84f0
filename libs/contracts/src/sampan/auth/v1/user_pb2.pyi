import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UserRegistered(_message.Message):
    __slots__ = ("user_id", "country", "locale", "time_zone", "display_name", "email", "phone_e164", "registered_at", "kyc_tier", "email_verified", "phone_verified")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PHONE_E164_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    KYC_TIER_FIELD_NUMBER: _ClassVar[int]
    EMAIL_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    PHONE_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    country: str
    locale: str
    time_zone: str
    display_name: str
    email: str
    phone_e164: str
    registered_at: _timestamp_pb2.Timestamp
    kyc_tier: int
    email_verified: bool
    phone_verified: bool
    def __init__(self, user_id: _Optional[str] = ..., country: _Optional[str] = ..., locale: _Optional[str] = ..., time_zone: _Optional[str] = ..., display_name: _Optional[str] = ..., email: _Optional[str] = ..., phone_e164: _Optional[str] = ..., registered_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kyc_tier: _Optional[int] = ..., email_verified: _Optional[bool] = ..., phone_verified: _Optional[bool] = ...) -> None: ...

class UserProfileChanged(_message.Message):
    __slots__ = ("user_id", "country", "locale", "time_zone", "display_name", "email", "phone_e164", "changed_at", "kyc_tier", "email_verified", "phone_verified")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PHONE_E164_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    KYC_TIER_FIELD_NUMBER: _ClassVar[int]
    EMAIL_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    PHONE_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    country: str
    locale: str
    time_zone: str
    display_name: str
    email: str
    phone_e164: str
    changed_at: _timestamp_pb2.Timestamp
    kyc_tier: int
    email_verified: bool
    phone_verified: bool
    def __init__(self, user_id: _Optional[str] = ..., country: _Optional[str] = ..., locale: _Optional[str] = ..., time_zone: _Optional[str] = ..., display_name: _Optional[str] = ..., email: _Optional[str] = ..., phone_e164: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kyc_tier: _Optional[int] = ..., email_verified: _Optional[bool] = ..., phone_verified: _Optional[bool] = ...) -> None: ...

class UserRolesChanged(_message.Message):
    __slots__ = ("user_id", "roles", "changed_at")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UserAccessReset(_message.Message):
    __slots__ = ("user_id", "reset_at", "access_epoch")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RESET_AT_FIELD_NUMBER: _ClassVar[int]
    ACCESS_EPOCH_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    reset_at: _timestamp_pb2.Timestamp
    access_epoch: int
    def __init__(self, user_id: _Optional[str] = ..., reset_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., access_epoch: _Optional[int] = ...) -> None: ...

class UserDeleted(_message.Message):
    __slots__ = ("user_id", "deleted_at")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    deleted_at: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
