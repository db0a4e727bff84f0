"""What a caller has to know about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class RefusedError(Exception):
    """The server refused a frame for good. ``code`` is the same that HTTP has for it."""

    def __init__(self, frame: Mapping[str, Any]) -> None:
        super().__init__(f"{frame.get('code')}: {frame.get('detail', '')}")
        self.code = str(frame.get("code", ""))
        self.frame = dict(frame)


class ChatClosedError(Exception):
    """The client is closed: by its owner, or because the server wants it no more. ``code``: of the WebSocket."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"{reason} ({code})" if code else reason)
        self.code = code
