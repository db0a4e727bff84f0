"""The files of a built portal and how each is answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

BASE: Final = "/docs/"
# Only what the portal itself serves: nothing inline, nothing from elsewhere, in nobody's frame.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalFile:
    """One URL path (or, with ``prefix``, all below it) and the file that answers it."""

    url_path: str
    path: Path
    media_type: str
    status: int = 200
    prefix: bool = False
    immutable: bool = False


def portal_files(folder: Path) -> list[PortalFile]:
    """Every file below ``folder``; ``index.html`` answers its directory, other pages answer without ``.html``."""
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in MEDIA_TYPES:
            relative = path.relative_to(folder).as_posix()
            url = relative.removesuffix("index.html") if relative.endswith("index.html") else relative
            files.append(
                PortalFile(
                    url_path=f"{BASE}{url.removesuffix('.html')}",
                    path=path.resolve(),
                    media_type=MEDIA_TYPES[path.suffix],
                    immutable=relative.startswith("assets/"),
                )
            )
    return files
