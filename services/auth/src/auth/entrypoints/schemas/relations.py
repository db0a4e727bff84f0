"""People whom somebody is related to, or could be: what clients read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from auth.domain.card import Card
from chassis.http import Query, View


class RelatedView(View):
    """As much of somebody as their card shows you."""

    user_id: UUID
    name: str
    username: str | None
    since: datetime

    @classmethod
    def of(cls, card: Card, since: datetime) -> Self:
        return cls(user_id=card.user_id, name=card.name, username=card.username, since=since)


class SuggestionsQuery(Query):
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class SuggestionView(View):
    user_id: UUID
    name: str
    username: str | None
    mutual_friends: int

    @classmethod
    def of(cls, card: Card, mutual_friends: int) -> Self:
        return cls(user_id=card.user_id, name=card.name, username=card.username, mutual_friends=mutual_friends)


class SuggestionsView(View):
    items: list[SuggestionView]
