"""The route of search."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import Field, model_validator

from chassis.http import Line, Moment, Query, RateLimit, Routes, View
from chassis.paging import Cursors
from chassis.tokens import Principal
from kernel.errors import DomainError, Kind
from messaging.core.adapters.message_reads import MessageReads
from messaging.core.adapters.stream_reads import StreamRows
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.entrypoints.schemas.messages import MessageView
from messaging.search.domain.question import Highlight, Question, Tier
from messaging.search.usecases.search_messages import Hit, Place, SearchMessages, search_messages
from messaging.wiring import App

routes = Routes(tag="search")
SCOPE = "message-search"


class NothingToLookForError(DomainError):
    code: ClassVar[str] = "messaging.search.nothing_to_look_for"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "Give words in q, or sender_id or type"


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

    @classmethod
    def of(cls, highlight: Highlight) -> HighlightView:
        return cls(field=highlight.field, start=highlight.start, end=highlight.end)


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


@routes.get(
    "/v1/messages/search",
    limit=RateLimit("message-search", per_user=120, window_s=60, fails="open"),
    errors=(DialogNotFoundError, NothingToLookForError),
    summary="Search in your messages",
)
async def get_search(query: SearchQuery, principal: Principal, app: App) -> SearchView:
    """Only in dialogs you are in now, from the time you may read; accents, case and word forms do not matter."""
    question = Question.parse(query.q, sender_id=query.sender_id, kind=query.type)
    if question.empty or (query.q.strip() and not question.parts):
        raise NothingToLookForError(pointer="/q")
    tier, after = _position(app.cursors, query.cursor)
    async with app.database.read() as conn:
        named = None if query.dialog_id is None else [query.dialog_id]
        watches = await StreamRows(conn).watched_by(principal.user_id, named)
        if named is not None and not watches:
            raise DialogNotFoundError
        command = SearchMessages(
            question=question,
            viewer_id=principal.user_id,
            watches=watches,
            limit=query.limit,
            since=query.since,
            until=query.until,
            tier=tier,
            after=after,
        )
        hits = await search_messages(command, conn, app.keys, app.blind)
        shown = await MessageReads(conn, app.keys).documents(
            [hit.row for hit in hits.items], viewer_id=principal.user_id
        )
    items = [_view(hit, MessageView.model_validate(message)) for hit, message in zip(hits.items, shown, strict=True)]
    return SearchView(items=items, next_cursor=_cursor(app.cursors, hits.following))


def _view(hit: Hit, message: MessageView) -> SearchHitView:
    return SearchHitView(
        message=message,
        match=hit.tier.name.lower(),
        highlights=[HighlightView.of(each) for each in hit.highlights],
        messages_url=f"/v1/dialogs/{message.dialog_id}/messages?around_seq={message.seq}",
    )


def _position(cursors: Cursors, cursor: str | None) -> tuple[Tier, Place | None]:
    if cursor is None:
        return Tier.EXACT, None
    tier, *place = cursors.decode(cursor, scope=SCOPE)
    if not place:
        return Tier(tier), None
    at, dialog_id, seq = place
    return Tier(tier), (datetime.fromisoformat(at), UUID(dialog_id), seq)


def _cursor(cursors: Cursors, following: tuple[Tier, Place | None] | None) -> str | None:
    if following is None:
        return None
    tier, place = following
    return cursors.encode((int(tier), *(place or ())), scope=SCOPE)
