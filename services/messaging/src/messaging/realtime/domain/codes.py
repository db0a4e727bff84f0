"""Why a connection is closed, as the WebSocket close code. Clients read it: AsyncAPI lists them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Close(IntEnum):
    """Codes of 4000 and above mirror the HTTP status that says the same."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL = 1002
    SLOW = 1013
    MALFORMED = 4400
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    AUTH_TIMEOUT = 4408
    REPLACED = 4409
    SILENT = 4410
    TOO_BIG = 4413
    FLOOD = 4429


REASONS: Final = {
    Close.NORMAL: "closed",
    Close.GOING_AWAY: "the node is going away; connect again",
    Close.PROTOCOL: "not the WebSocket protocol",
    Close.SLOW: "too slow to follow; connect again and resume",
    Close.MALFORMED: "frames must be JSON objects in UTF-8 text",
    Close.UNAUTHENTICATED: "the token or ticket is not valid any more",
    Close.FORBIDDEN: "not allowed",
    Close.AUTH_TIMEOUT: "no auth frame in time",
    Close.REPLACED: "too many connections of this person; the oldest was closed",
    Close.SILENT: "nothing was heard for too long",
    Close.TOO_BIG: "the frame is too big",
    Close.FLOOD: "too many frames",
}
# A client that is closed with one of these does not try the same again by itself.
FINAL: Final = frozenset({Close.MALFORMED, Close.FORBIDDEN, Close.REPLACED, Close.TOO_BIG})
