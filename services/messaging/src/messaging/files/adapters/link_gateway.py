"""Links that open one object to whoever holds them, for a while, and no longer than whom they were made for may see it.

The signature says whose link it is; whether they may still see the object is asked when it is opened.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

LIFE_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a link says. ``variant``: 0 the file itself, else the width of a thumbnail."""

    attachment_id: UUID
    viewer_id: UUID
    variant: int
    expires_unix_s: int


class Links:
    """``secret``: any bytes; a key of its own is derived from them."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.new(secret, b"attachment links", hashlib.sha256).digest()

    def url(self, link: Link) -> str:
        query = {
            "viewer": link.viewer_id,
            "variant": link.variant,
            "expires": link.expires_unix_s,
            "signature": self._sign(link),
        }
        return f"/v1/attachments/{link.attachment_id}/content?{urlencode(query)}"

    def good(self, link: Link, signature: str, now_unix_s: float) -> bool:
        return hmac.compare_digest(self._sign(link), signature) and link.expires_unix_s >= now_unix_s

    def _sign(self, link: Link) -> str:
        said = f"{link.attachment_id} {link.viewer_id} {link.variant} {link.expires_unix_s}".encode()
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()
