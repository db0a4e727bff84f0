"""The ports of files in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from messaging.core.domain.attachment import Attachment
from messaging.files.domain.upload import NO_DRAWING, Drawing
from messaging_testing.fakes_shared import NOW, FakeAccountStream, FakeAllowances, FakeStream, FakeTransaction
from objects.pictures import PictureRefusedError

OWNER, OTHER, FILE = (UUID(int=number) for number in (500, 501, 800))
DIGEST = b"\x01" * 32


def an_attachment(**parts: Any) -> Attachment:
    """Eight bytes of text that ``OWNER`` uploads, of which none is here."""
    made: dict[str, Any] = {
        "attachment_id": FILE,
        "owner_id": OWNER,
        "purpose": "file",
        "file_name": "notes.txt",
        "media_type": "text/plain",
        "size_bytes": 8,
        "offset_bytes": 0,
        "status": "uploading",
        "sha256": None,
        "sha256_expected": None,
        "width": None,
        "height": None,
        "thumbnails": (),
        "attempts": 0,
        "created_at": NOW,
        "expires_at": NOW + timedelta(hours=1),
    }
    return Attachment(**{**made, **parts})


@dataclass
class FakeAttachments:
    by_id: dict[UUID, Attachment] = field(default_factory=dict)
    verdicts: dict[UUID, str] = field(default_factory=dict)
    next_at: dict[UUID, datetime | None] = field(default_factory=dict)
    uses: list[tuple[UUID, int]] = field(default_factory=list)

    async def add(self, new: Attachment) -> None:
        self.by_id[new.attachment_id] = new

    async def uploading_count(self, owner_id: UUID) -> int:
        return sum(each.owner_id == owner_id and each.status == "uploading" for each in self.by_id.values())

    async def lock(self, attachment_id: UUID) -> Attachment | None:
        return self.by_id.get(attachment_id)

    async def move_offset(self, attachment_id: UUID, offset_bytes: int) -> None:
        self._change(attachment_id, offset_bytes=offset_bytes)

    async def begin_scan(self, attachment_id: UUID, now: datetime) -> None:
        self._change(attachment_id, status="scanning", expires_at=None)
        self.next_at[attachment_id] = now

    async def set_status(self, attachment_id: UUID, status: str, verdict: str = "") -> None:
        self._change(attachment_id, status=status)
        self.verdicts[attachment_id] = verdict

    async def set_clean(
        self,
        attachment_id: UUID,
        *,
        sha256: bytes,
        size: tuple[int, int] | None,
        thumbnails: Sequence[int],
        again_at: datetime | None,
        now: datetime,
    ) -> bool:
        del now
        if self.by_id[attachment_id].status not in {"scanning", "clean"}:
            return False
        width, height = size or (None, None)
        drawn = {"width": width, "height": height, "thumbnails": tuple(thumbnails)}
        self._change(attachment_id, status="clean", sha256=sha256, **drawn)
        self.next_at[attachment_id] = again_at
        return True

    async def put_off(self, attachment_id: UUID, until: datetime) -> None:
        self.next_at[attachment_id] = until

    async def messages_with(self, attachment_id: UUID) -> list[tuple[UUID, int]]:
        del attachment_id
        return self.uses

    def _change(self, attachment_id: UUID, **parts: Any) -> None:
        self.by_id[attachment_id] = replace(self.by_id[attachment_id], **parts)


@dataclass
class FakeMessages:
    rows: dict[tuple[UUID, int], Mapping[str, Any]] = field(default_factory=dict)

    async def messages_at(self, wanted: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], Mapping[str, Any]]:
        return {place: self.rows[place] for place in wanted if place in self.rows}

    async def documents(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [dict(row) for row in rows]


@dataclass
class FakeFilesTx(FakeTransaction):
    now: datetime = NOW
    attachments: FakeAttachments = field(default_factory=FakeAttachments)
    allowances: FakeAllowances = field(default_factory=FakeAllowances)
    messages: FakeMessages = field(default_factory=FakeMessages)
    stream: FakeStream = field(default_factory=FakeStream)
    accounts: FakeAccountStream = field(default_factory=FakeAccountStream)


@dataclass
class FakeObjects:
    """``fault``: what every call raises. ``path``: where the bytes of every object are said to be."""

    contents: dict[str, Any] = field(default_factory=dict)
    fault: Exception | None = None
    path: Path = Path("/nowhere")

    async def write(self, key: str, offset: int, piece: bytes) -> None:
        self._fail()
        self.contents[f"{key}@{offset}"] = piece

    @asynccontextmanager
    async def local(self, key: str, size_bytes: int) -> AsyncIterator[Path]:
        del key, size_bytes
        self._fail()
        yield self.path

    async def put(self, key: str, content: Path | bytes) -> None:
        self._fail()
        self.contents[key] = content

    async def remove(self, key: str) -> None:
        self.contents.pop(key, None)

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


@dataclass
class FakeScanner:
    """``found``: what is in every file. ``fault``: what every scan raises."""

    found: str | None = None
    fault: Exception | None = None

    async def scan(self, path: Path) -> str | None:
        del path
        if self.fault is not None:
            raise self.fault
        return self.found


@dataclass
class FakeInspector:
    """Every file is of ``media_type``; a picture looks as ``drawing`` says, None: it cannot be drawn."""

    media_type: str | None = "text/plain"
    drawing: Drawing | None = NO_DRAWING

    async def identify(self, path: Path) -> tuple[bytes, str | None]:
        del path
        return DIGEST, self.media_type

    async def draw(self, path: Path) -> Drawing:
        del path
        if self.drawing is None:
            raise PictureRefusedError("truncated")
        return self.drawing
