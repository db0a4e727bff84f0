"""Terms as they are stored: keyed hashes that differ from dialog to dialog and from stretch to stretch.

Who reads the index learns neither a word nor that two dialogs share one. A stretch is ``STRETCH`` seqs of a dialog:
the same word has another lexeme in the next, so the list behind a lexeme is never longer than a stretch, and a search
costs what the caller's own dialogs hold, whatever else is stored. Collisions are sorted out after decryption.

A term is hashed once with the secret, then mixed with two secret numbers of the stretch: a search asks hundreds of
stretches for the same terms, and the mixing is a tenth of the cost of a hash.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from uuid import UUID

STRETCH: Final = 8_192
_DIGESTS_KEPT: Final = 50_000
_PRIME: Final = 2**61 - 1
_PURPOSE: Final = b"messaging-search"
_LETTERS: Final = string.ascii_letters + string.digits + "-_"
_PAIRS: Final = tuple(one + other for one in _LETTERS for other in _LETTERS)


def stretch_of(seq: int) -> int:
    return seq // STRETCH


class BlindIndex:
    """``secret``: the key that also wraps the keys of people; the index needs no second secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.blake2b(key=secret, person=_PURPOSE, digest_size=32).digest()
        self._base = hashlib.blake2b(key=self._key, digest_size=8)
        self.digest = lru_cache(maxsize=_DIGESTS_KEPT)(self._digest)

    def _digest(self, term: str) -> int:
        """The secret number of a term, the same everywhere: never stored."""
        state = self._base.copy()
        state.update(term.encode())
        return int.from_bytes(state.digest()) % _PRIME

    def of(self, dialog_id: UUID, stretch: int) -> Stretch:
        place = dialog_id.bytes + stretch.to_bytes(8, "big")
        numbers = hashlib.blake2b(place, key=self._key, digest_size=16).digest()
        return Stretch(int.from_bytes(numbers[:8]) % (_PRIME - 1) + 1, int.from_bytes(numbers[8:]) % _PRIME)

    def vector(self, dialog_id: UUID, stretch: int, terms: Iterable[str]) -> str:
        """The text of a ``tsvector`` without positions."""
        here = self.of(dialog_id, stretch)
        return " ".join(sorted({here.lexeme(self.digest(term)) for term in terms}))


class Stretch:
    """The mixing of one stretch of one dialog."""

    __slots__ = ("_factor", "_summand")

    def __init__(self, factor: int, summand: int) -> None:
        self._factor = factor
        self._summand = summand

    def lexeme(self, digest: int) -> str:
        """Five letters of 30 bits, in the quotes that ``tsvector`` and ``tsquery`` want."""
        mixed = (digest * self._factor + self._summand) % _PRIME
        return f"'{_PAIRS[mixed & 4095]}{_PAIRS[mixed >> 12 & 4095]}{_LETTERS[mixed >> 24 & 63]}'"
