"""AES-256-GCM, as every service stores it: a random nonce of 12 bytes, then the sealed bytes and their tag."""

from __future__ import annotations

import base64
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


def decoded_key(text: str) -> bytes:
    """32 bytes from base64. Raises ``ValueError`` with a sentence."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("must be base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} bytes in base64, has {len(key)}")
    return key


def encrypt(key: AESGCM, clear: bytes, bound_to: bytes) -> bytes:
    """Nonce and sealed bytes, which open only with the same ``bound_to``."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, clear, bound_to)


def decrypt(key: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    """Raises ``InvalidTag``, or ``ValueError`` for what is too short to have been sealed at all."""
    return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
