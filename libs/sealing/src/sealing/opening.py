"""What people wrote, opened: a text or a JSON object, or None for whatever does not give one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from sealing.person_keys import PersonKeys
from sealing.sealer import Sealer
from sealing.wrapping import Damage

Keys = PersonKeys | Sealer


def opened_text(keys: Keys, user_id: UUID | None, sealed: bytes | None, **row: object) -> str | None:
    """What somebody wrote; None when it is empty, its writer's key is gone, or it is damaged. The key was loaded."""
    if not sealed:
        return None
    usable = keys.usable(user_id)
    clear = keys.decrypt(user_id, sealed)
    try:
        text = None if clear is None else clear.decode()
    except UnicodeDecodeError:
        text = None
    if text is None and usable:
        keys.wrapping.note(Damage.SEALED, user_id=user_id, **row)
    return text


def opened_json(keys: Keys, user_id: UUID | None, sealed: bytes | None, **row: object) -> dict[str, Any] | None:
    """The same of a JSON object; its ``type`` and ``text``, where it has them, are text."""
    text = opened_text(keys, user_id, sealed, **row)
    if text is None:
        return None
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict) or not all(isinstance(document.get(name, ""), str) for name in ("type", "text")):
        keys.wrapping.note(Damage.SEALED, user_id=user_id, **row)
        return None
    return document
