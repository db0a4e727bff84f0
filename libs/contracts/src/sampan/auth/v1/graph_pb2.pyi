import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sampan.options.v1 import options_pb2 as _options_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UserBlocked(_message.Message):
    __slots__ = ("pair_id", "blocker_id", "blocked_id", "version", "at")
    PAIR_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCKER_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    pair_id: str
    blocker_id: str
    blocked_id: str
    version: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, pair_id: _Optional[str] = ..., blocker_id: _Optional[str] = ..., blocked_id: _Optional[str] = ..., version: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UserUnblocked(_message.Message):
    __slots__ = ("pair_id", "blocker_id", "blocked_id", "version", "at")
    PAIR_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCKER_ID_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    pair_id: str
    blocker_id: str
    blocked_id: str
    version: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, pair_id: _Optional[str] = ..., blocker_id: _Optional[str] = ..., blocked_id: _Optional[str] = ..., version: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FriendRequestSent(_message.Message):
    __slots__ = ("pair_id", "request_id", "from_id", "to_id", "message", "at")
    PAIR_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_ID_FIELD_NUMBER: _ClassVar[int]
    TO_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    pair_id: str
    request_id: str
    from_id: str
    to_id: str
    message: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, pair_id: _Optional[str] = ..., request_id: _Optional[str] = ..., from_id: _Optional[str] = ..., to_id: _Optional[str] = ..., message: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FriendRequestClosed(_message.Message):
    __slots__ = ("pair_id", "request_id", "status", "at")
    PAIR_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    pair_id: str
    request_id: str
    status: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, pair_id: _Optional[str] = ..., request_id: _Optional[str] = ..., status: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FriendshipStarted(_message.Message):
    __slots__ = ("pair_id", "user_id", "friend_id", "version", "at")
    PAIR_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FRIEND_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    pair_id: str
    user_id: str
    friend_id: str
    version: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, pair_id: _Optional[str] = ..., user_id: _Optional[str] = ..., friend_id: _Optional[str] = ..., version: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class FriendshipEnded(_message.Message):
    __slots__ = ("pair_id", "user_id", "friend_id", "version", "at")
    PAIR_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FRIEND_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    pair_id: str
    user_id: str
    friend_id: str
    version: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, pair_id: _Optional[str] = ..., user_id: _Optional[str] = ..., friend_id: _Optional[str] = ..., version: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UserFollowed(_message.Message):
    __slots__ = ("pair_id", "follower_id", "followed_id", "version", "at")
    PAIR_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWER_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWED_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    pair_id: str
    follower_id: str
    followed_id: str
    version: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, pair_id: _Optional[str] = ..., follower_id: _Optional[str] = ..., followed_id: _Optional[str] = ..., version: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UserUnfollowed(_message.Message):
    __slots__ = ("pair_id", "follower_id", "followed_id", "version", "at")
    PAIR_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWER_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWED_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    pair_id: str
    follower_id: str
    followed_id: str
    version: int
    at: _timestamp_pb2.Timestamp
    def __init__(self, pair_id: _Optional[str] = ..., follower_id: _Optional[str] = ..., followed_id: _Optional[str] = ..., version: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UserPrivacyChanged(_message.Message):
    __slots__ = ("user_id", "version", "show_presence_to", "direct_messages_from", "read_receipts", "at")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHOW_PRESENCE_TO_FIELD_NUMBER: _ClassVar[int]
    DIRECT_MESSAGES_FROM_FIELD_NUMBER: _ClassVar[int]
    READ_RECEIPTS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    version: int
    show_presence_to: str
    direct_messages_from: str
    read_receipts: bool
    at: _timestamp_pb2.Timestamp
    def __init__(self, user_id: _Optional[str] = ..., version: _Optional[int] = ..., show_presence_to: _Optional[str] = ..., direct_messages_from: _Optional[str] = ..., read_receipts: _Optional[bool] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
