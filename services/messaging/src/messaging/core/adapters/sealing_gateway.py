"""Keys of people as messaging has them: what is damaged is counted, and who has no key is refused in its words."""

from __future__ import annotations

from kernel.errors import DomainError, Kind
from messaging.core.adapters.unreadable_reads import What, note_unreadable
from sealing import Damage, Wrapping


class KeyUnavailableError(DomainError):
    """Their key is shredded, or damaged: nothing is written that nobody could read."""

    code, kind = "messaging.person_key.unavailable", Kind.UNAVAILABLE
    title = "What you write cannot be kept at the moment"


def wrapping_under(secret: bytes) -> Wrapping:
    """``secret``: the key from the settings."""
    return Wrapping(secret, _note, KeyUnavailableError)


def _note(what: Damage, **row: object) -> None:
    note_unreadable(What(what), **row)
