"""What is said about search."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from chassis.http import Line, Moment, Query, View
from messaging.core.entrypoints.schemas.messages import MessageView


class SearchQuery(Query):
    """``q``: words in any order, all of which must be found; punctuation alone is refused. ``type`` and ``sender_id``
    narrow, or stand alone.
    """

    q: Annotated[Line, Field(max_length=200)] = ""
    dialog_id: UUID | None = None
    sender_id: UUID | None = None
    type: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")] | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("from is after to")
        return self


class HighlightView(View):
    """Unicode code points ``start`` to ``end`` (not included) of ``content[field]``; ``options/1`` is an option."""

    field: str
    start: int
    end: int


class SearchHitView(View):
    """``match``: ``exact`` has the words or forms of them, ``similar`` has something near. To show a message in its
    place, read ``messages_url``.
    """

    message: MessageView
    match: str
    highlights: list[HighlightView]
    messages_url: str


class SearchView(View):
    """Newest first within each kind of match, exact ones first. A page may have fewer than ``limit``: go on while there
    is a ``next_cursor``.
    """

    items: list[SearchHitView]
    next_cursor: str | None
