"""The files of the web client and how each is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gateway.portal.files import MEDIA_TYPES, PortalFile

BASE: Final = "/chat/"
STATIC: Final = Path(__file__).parent / "static"


def chat_files() -> list[PortalFile]:
    """Every file of the client; ``index.html`` answers ``/chat/``."""
    return [
        PortalFile(
            url_path=BASE + ("" if path.name == "index.html" else path.name),
            path=path.resolve(),
            media_type=MEDIA_TYPES[path.suffix],
        )
        for path in sorted(STATIC.iterdir())
        if path.suffix in MEDIA_TYPES
    ]
