"""Uploads: what may be sent, what of it is here, and whether the bytes are what was said."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from kernel.errors import DomainError, Kind
from messaging.core.domain.attachment import PICTURE_TYPES, PICTURES, Attachment

MIB: Final = 1024 * 1024
SIZES_MAX: Final[Mapping[str, int]] = {
    "image": 20 * MIB,
    "sticker": 2 * MIB,
    "avatar": 10 * MIB,
    "voice": 20 * MIB,
    "video": 200 * MIB,
    "file": 100 * MIB,
}
PIECE_BYTES_MAX: Final = MIB - 64 * 1024
UPLOADING_AT_ONCE_MAX: Final = 50
UPLOAD_LIFE: Final = timedelta(hours=24)
# What voices and videos may say they are: recorders put a voice into a video's container, too.
_HEARD_AND_SEEN: Final[Mapping[str, frozenset[str]]] = {
    "video": frozenset({"video"}),
    "voice": frozenset({"audio", "video"}),
}
_CONTAINERS: Final = frozenset({"application/ogg"})
# Never, whatever it is called: browsers and systems would run them.
REFUSED_TYPES: Final = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "application/x-msdownload",
        "application/x-dosexec",
        "application/x-executable",
        "application/x-mach-binary",
        "application/x-sharedlib",
        "application/java-archive",
        "application/vnd.android.package-archive",
        "application/x-sh",
    }
)
CHECKSUMS: Final = frozenset({"sha1", "sha256", "md5"})
WIDTHS: Final = (320, 1280)


class AttachmentTooLargeError(DomainError):
    code, kind = "messaging.attachment.too_large", Kind.INVALID
    title = "The file is larger than files of this purpose may be"


class AttachmentTypeRefusedError(DomainError):
    code, kind = "messaging.attachment.type_refused", Kind.INVALID
    title = "Files of this type are not taken"


class TooManyUploadsError(DomainError):
    code, kind = "messaging.attachment.too_many_uploads", Kind.CONFLICT
    title = "Finish or end some uploads first"


class UploadOffsetError(DomainError):
    code, kind = "messaging.attachment.offset_conflict", Kind.CONFLICT
    title = "The upload does not stand where this piece begins; ask with HEAD"


class UploadOverError(DomainError):
    code, kind = "messaging.attachment.upload_over", Kind.NOT_FOUND
    title = "The upload is finished, ended or expired"


class PieceInvalidError(DomainError):
    code, kind = "messaging.attachment.piece_invalid", Kind.INVALID
    title = "The piece is empty, too large, longer than what is missing, or not what its checksum says"


class LinkInvalidError(DomainError):
    code, kind = "messaging.attachment.link_invalid", Kind.FORBIDDEN
    title = "The link is not valid any more"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a picture looks like. ``size``: width and height in pixels. ``thumbnails``: width in pixels → bytes."""

    size: tuple[int, int] | None = None
    thumbnails: Mapping[int, bytes] = field(default_factory=dict)


NO_DRAWING: Final = Drawing()


def validate_upload(purpose: str, media_type: str, size_bytes: int) -> None:
    """Raises what refuses an upload before it begins."""
    if size_bytes > SIZES_MAX[purpose]:
        raise AttachmentTooLargeError(pointer="/size_bytes", context={"size_bytes_max": SIZES_MAX[purpose]})
    kind, _, _ = media_type.partition("/")
    no_picture = purpose in PICTURES and media_type not in PICTURE_TYPES
    if media_type in REFUSED_TYPES or no_picture or kind not in _HEARD_AND_SEEN.get(purpose, {kind}):
        raise AttachmentTypeRefusedError(pointer="/media_type")


def type_mismatch(declared: str, purpose: str, found: str | None) -> str:
    """Why what the bytes are is not what was said; empty when it is."""
    if found in REFUSED_TYPES:
        return f"is {found}"
    if purpose in PICTURES and found != declared:
        return f"is {found or 'no picture'}, not {declared}"
    kind, _, _ = (found or "").partition("/")
    if purpose in _HEARD_AND_SEEN and kind not in {"video", "audio"} and found not in _CONTAINERS:
        return f"is {found or 'nothing known'}, not {declared}"
    return ""


def is_open(upload: Attachment, now: datetime) -> bool:
    """Whether it takes more pieces."""
    return upload.status == "uploading" and (upload.expires_at is None or now <= upload.expires_at)


def validate_piece(upload: Attachment, offset: int, piece: bytes, checksum: str | None) -> None:
    """Raises what refuses a piece. ``checksum``: tus' ``Upload-Checksum``, a name and Base64."""
    if offset != upload.offset_bytes:
        raise UploadOffsetError(context={"upload_offset": upload.offset_bytes})
    if not 0 < len(piece) <= PIECE_BYTES_MAX or offset + len(piece) > upload.size_bytes:
        raise PieceInvalidError(context={"piece_bytes_max": PIECE_BYTES_MAX})
    if checksum is not None and not _matches(checksum, piece):
        raise PieceInvalidError("the piece is not what Upload-Checksum says")


def _matches(checksum: str, piece: bytes) -> bool:
    name, _, encoded = checksum.partition(" ")
    try:
        wanted = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return name in CHECKSUMS and hashlib.new(name, piece, usedforsecurity=False).digest() == wanted
