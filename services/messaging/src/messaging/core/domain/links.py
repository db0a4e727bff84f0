"""Links to what Sampan itself has: paths such as ``/products/{id}``, with or without ``/v1``.

A path that belongs to a host is that host's, whatever it says: nothing foreign is shown as ours. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from messaging.core.domain.cards import PUBLIC, Entity, EntityType

PAGES: Final[Mapping[str, EntityType]] = {
    "products": EntityType.PRODUCT,
    "shops": EntityType.SHOP,
    "orders": EntityType.ORDER,
}
_LINK: Final = re.compile(
    rf"(?<![^\s(\[<\"'])(?:/v1)?/({'|'.join(PAGES)})/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})(?![\w/-])",
    re.IGNORECASE,
)


def linked(content: Mapping[str, Any] | None) -> tuple[EntityType, UUID] | None:
    """What the first link of a text leads to."""
    text = content.get("text") if content is not None and content.get("type") == "text" else None
    if not text or "/" not in text:
        return None
    found = _LINK.search(text)
    return (PAGES[found[1].lower()], UUID(found[2])) if found is not None else None


def preview_of(entity: Entity | None, sender_id: UUID | None) -> dict[str, Any] | None:
    """As a card shows it: what everybody may know, or what the writer is a party of."""
    if entity is None:
        return None
    open_to_all = entity.type in PUBLIC or entity.type is EntityType.SHOP
    return entity.shown() if open_to_all or sender_id in entity.parties else None
