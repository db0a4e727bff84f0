"""What is said about attachments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http import Body, Name, Query, View
from messaging.core.domain.attachment import Attachment

Purpose = Literal["image", "video", "voice", "file", "sticker", "avatar"]


MediaType = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$")]


class AttachmentBody(Body):
    """``file_name`` is a name, not a path. ``sha256``, in hex, is compared with what arrives."""

    file_name: Annotated[Name, Field(min_length=1, max_length=200, pattern=r"^[^/\\]+$")]
    media_type: MediaType
    size_bytes: Annotated[int, Field(ge=1, le=2**40)]
    purpose: Purpose
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class AttachmentView(View):
    """``status``: uploading, scanning, then clean, or infected or rejected; expired and deleted ones are gone."""

    attachment_id: UUID
    purpose: Purpose
    file_name: str
    media_type: str
    size_bytes: int
    offset_bytes: int
    status: Literal["uploading", "scanning", "clean", "infected", "rejected", "expired", "deleted"]
    sha256: str | None
    width: int | None
    height: int | None
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, found: Attachment) -> AttachmentView:
        return cls.of_fields(found, sha256=found.sha256.hex() if found.sha256 else None)


class UploadTicketView(AttachmentView):
    """Send the bytes to ``upload_url`` in pieces of at most ``piece_bytes_max`` by tus 1.0."""

    upload_url: str
    piece_bytes_max: int


class ThumbnailView(View):
    width: int
    url: str


class LinkView(View):
    """Good for whoever has it, until ``expires_at_unix_s``, and as long as the caller may see the file."""

    url: str
    thumbnails: list[ThumbnailView]
    expires_at_unix_s: int


class ContentQuery(Query):
    """``viewer``: whom the link was made for."""

    viewer: UUID = UUID(int=0)
    variant: Annotated[int, Field(ge=0, le=10_000)] = 0
    expires: Annotated[int, Field(ge=0, le=2**53)]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
