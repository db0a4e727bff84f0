"""What the use cases of files need from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from messaging.core.usecases.ports import Begin, Tx
from messaging.files.domain.upload import Drawing
from objects.store import ObjectStore

__all__ = ["Begin", "FileTools", "Inspector", "Scanner", "Tx"]


class Scanner(Protocol):
    async def scan(self, path: Path) -> str | None:
        """None when it is harmless, else what was found. Raises ``ScannerUnavailableError``."""


class Inspector(Protocol):
    async def identify(self, path: Path) -> tuple[bytes, str | None]:
        """SHA-256, and the media type that the bytes show; None when they show none."""

    async def draw(self, path: Path) -> Drawing:
        """Raises ``PictureRefusedError``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTools:
    """What looks at the bytes of files, and where they are."""

    objects: ObjectStore
    scanner: Scanner
    inspector: Inspector
