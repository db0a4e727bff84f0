"""Identifiers that must not be mixed up."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
OtpId = NewType("OtpId", UUID)
FriendRequestId = NewType("FriendRequestId", UUID)
