"""People whom somebody is related to, or could be: what clients read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http import Query, View


class RelatedView(View):
    """As much of somebody as their card shows you."""

    user_id: UUID
    name: str
    username: str | None
    since: datetime


class SuggestionsQuery(Query):
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class SuggestionView(View):
    user_id: UUID
    name: str
    username: str | None
    mutual_friends: int


class SuggestionsView(View):
    items: list[SuggestionView]
