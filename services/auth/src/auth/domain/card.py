"""What others see of a person, wherever they are shown: a card, a list, a suggestion.

Invariant AUTH-22: no route shows more of a person to a viewer than their card does.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.ids import UserId
from auth.domain.settings import Audience
from kernel.country import Country


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """No address and no number. ``username`` and ``country`` are None where they are not for this viewer."""

    user_id: UserId
    name: str
    username: str | None
    country: Country | None


def card_for(
    *,
    user_id: UserId,
    name: str,
    username: str | None,
    country: Country,
    show_profile_to: Audience,
    viewer_id: UserId,
    friends: bool,
) -> Card:
    """The card as this viewer sees it. People see their own profile whatever they chose."""
    match show_profile_to:
        case Audience.EVERYONE:
            shown = True
        case Audience.FRIENDS:
            shown = friends or viewer_id == user_id
        case Audience.NOBODY:
            shown = viewer_id == user_id
    return Card(user_id=user_id, name=name, username=username if shown else None, country=country if shown else None)
