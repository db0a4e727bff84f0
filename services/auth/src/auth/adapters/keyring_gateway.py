"""Every secret key of the service, derived from the one in the settings.

Invariant: no two uses share a key, so what leaks of one says nothing of another.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from auth.domain.ids import OtpId
from sealing import decrypt, encrypt
from sealing.aead import KEY_BYTES


class Keyring:
    """Keyed hashes and sealing."""

    def __init__(self, key: bytes) -> None:
        self._sealing = AESGCM(_derived(key, b"signing-key-sealing"))
        self._codes = _derived(key, b"one-time-codes")
        self._destinations = _derived(key, b"destinations")
        self.refresh_key = _derived(key, b"refresh-chain")

    def code_hash(self, otp_id: OtpId, code: str) -> bytes:
        return hmac.digest(self._codes, otp_id.bytes + code.encode(), sha256)

    def destination_hash(self, destination: str) -> bytes:
        return hmac.digest(self._destinations, destination.encode(), sha256)

    def seal(self, secret: bytes, *, name: str) -> bytes:
        """Encrypt so that it opens only under the same name."""
        return encrypt(self._sealing, secret, name.encode())

    def unseal(self, sealed: bytes, *, name: str) -> bytes:
        """Raises ``cryptography.exceptions.InvalidTag``."""
        return decrypt(self._sealing, sealed, name.encode())


def _derived(key: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"sampan-auth/" + use).derive(key)
