"""Files in dialogs: what may be uploaded, and what it goes through before anybody gets it.

MSG-30: no byte is given to anybody before the verdict is clean, nor after it is no longer. It fails closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from kernel.errors import DomainError, Kind

UNUSED_LIFE: Final = timedelta(days=7)
PICTURES: Final = frozenset({"image", "sticker", "avatar"})
PICTURE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
MOVING_TYPES: Final = frozenset({"image/gif", "image/webp"})
_OF_ONE_PURPOSE: Final = frozenset({"image", "video", "voice", "sticker"})
THUMBNAIL_TYPE: Final = "image/webp"
# What browsers may show in place: they draw or play it, and run nothing of it. Everything else is saved as a file.
INLINE_TYPES: Final = PICTURE_TYPES | {
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/mpeg",
    "audio/mp4",
    "audio/x-m4a",
    "audio/aac",
    "audio/ogg",
    "audio/opus",
    "audio/webm",
    "audio/wav",
    "audio/x-wav",
    "audio/flac",
}


class AttachmentNotFoundError(DomainError):
    code, kind = "messaging.attachment.not_found", Kind.NOT_FOUND
    title = "There is no such attachment"


class AttachmentUnusableError(DomainError):
    """Not there, not clean, not the sender's to send: the three look the same."""

    code, kind = "messaging.attachment.unusable", Kind.INVALID
    title = "An attachment is not there, not yours, or not found clean yet"


class AttachmentStoreUnavailableError(DomainError):
    """``reason``, for operators: what hinders it."""

    code, kind = "messaging.attachment.store_unavailable", Kind.UNAVAILABLE
    title = "Files cannot be stored or read at the moment"

    def __init__(self, reason: str) -> None:
        super().__init__("the store of files does not answer; nothing is lost, try again", retry_after_s=2.0)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """``offset_bytes``: how much of it is here. ``thumbnails``: their widths in pixels."""

    attachment_id: UUID
    owner_id: UUID
    purpose: str
    file_name: str
    media_type: str
    size_bytes: int
    offset_bytes: int = 0
    status: str = "uploading"
    sha256: bytes | None = None
    sha256_expected: bytes | None
    width: int | None = None
    height: int | None = None
    thumbnails: tuple[int, ...] = ()
    attempts: int = 0
    created_at: datetime
    expires_at: datetime | None

    @property
    def inline(self) -> bool:
        """Whether it may be shown in place: its bytes were compared with its type, and the type runs nothing."""
        return self.purpose != "file" and self.media_type in INLINE_TYPES

    def shows_as(self, message_type: str) -> bool:
        """Whether a message of this type can show it. What moves is a picture that can, or a video."""
        if message_type == "gif":
            return self.purpose == "video" or (self.purpose == "image" and self.media_type in MOVING_TYPES)
        return message_type not in _OF_ONE_PURPOSE or self.purpose == message_type

    def shown(self) -> dict[str, Any]:
        """In messages, for everybody who sees them."""
        return {
            "attachment_id": self.attachment_id,
            "status": self.status,
            "purpose": self.purpose,
            "file_name": self.file_name if self.status == "clean" else "",
            "media_type": self.media_type,
            "size_bytes": self.size_bytes,
            "width": self.width,
            "height": self.height,
        }
