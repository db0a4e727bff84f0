"""Terms as they are stored: keyed hashes that differ from dialog to dialog and from stretch to stretch.

Who reads the index learns neither a word nor that two dialogs share one. A stretch is ``STRETCH`` seqs of a dialog:
the same word has another lexeme in the next, so the list behind a lexeme is never longer than a stretch, and a search
costs what the caller's own dialogs hold, whatever else is stored. Collisions are sorted out after decryption.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

STRETCH: Final = 8_192
_LEXEME_BYTES: Final = 3
_PURPOSE: Final = b"messaging-search"


def stretch_of(seq: int) -> int:
    return seq // STRETCH


class BlindIndex:
    """``secret``: the key that also wraps the keys of people; the index needs no second secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(key=secret, person=_PURPOSE, digest_size=32).digest()

    def of(self, dialog_id: UUID, stretch: int) -> Stretch:
        place = dialog_id.bytes + stretch.to_bytes(8, "big")
        return Stretch(hashlib.blake2b(place, key=self._key, digest_size=32).digest())


class Stretch:
    """The hash of one stretch of one dialog."""

    __slots__ = ("_base",)

    def __init__(self, key: bytes) -> None:
        self._base = hashlib.blake2b(key=key, digest_size=_LEXEME_BYTES)

    def lexeme(self, term: str) -> str:
        """Four letters, safe between quotes of a ``tsvector``."""
        state = self._base.copy()
        state.update(term.encode())
        return base64.urlsafe_b64encode(state.digest()).decode()

    def vector(self, terms: Iterable[str]) -> str:
        """The text of a ``tsvector`` without positions."""
        return " ".join(f"'{each}'" for each in sorted({self.lexeme(term) for term in terms}))
