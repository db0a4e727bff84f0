"""Links that open one object to whoever holds them, for a while: the signature says it, nobody is asked."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

LIFE_S: Final = 300


class Links:
    """``secret``: any bytes; a key of its own is derived from them."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.new(secret, b"attachment links", hashlib.sha256).digest()

    def url(self, attachment_id: UUID, variant: int, expires_unix_s: int) -> str:
        """``variant``: 0 the file itself, else the width of a thumbnail."""
        query = {
            "variant": variant,
            "expires": expires_unix_s,
            "signature": self._sign(attachment_id, variant, expires_unix_s),
        }
        return f"/v1/attachments/{attachment_id}/content?{urlencode(query)}"

    def good(self, attachment_id: UUID, variant: int, expires_unix_s: int, signature: str, now_unix_s: float) -> bool:
        right = hmac.compare_digest(self._sign(attachment_id, variant, expires_unix_s), signature)
        return right and expires_unix_s >= now_unix_s

    def _sign(self, attachment_id: UUID, variant: int, expires_unix_s: int) -> str:
        said = f"{attachment_id} {variant} {expires_unix_s}".encode()
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()
