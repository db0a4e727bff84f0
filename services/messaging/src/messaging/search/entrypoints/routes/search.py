"""The route of search."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.http import RateLimit, Routes
from chassis.paging import Cursors
from chassis.tokens import Principal
from messaging.core.adapters.message_reads import MessageReads
from messaging.core.adapters.stream_reads import StreamRows
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.entrypoints.schemas.messages import MessageView
from messaging.search.adapters.message_search_reads import Hit, MessageSearch, MessageSearchReads, Place
from messaging.search.domain.question import NothingToLookForError, Question, Tier
from messaging.search.entrypoints.schemas.search import HighlightView, SearchHitView, SearchQuery, SearchView
from messaging.wiring import App

routes = Routes(tag="search")
SCOPE = "message-search"


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
        asked = MessageSearch(
            question=question,
            viewer_id=principal.user_id,
            watches=watches,
            limit=query.limit,
            since=query.since,
            until=query.until,
            tier=tier,
            after=after,
        )
        hits = await MessageSearchReads(conn, app.keys, app.blind).page(asked)
        shown = await MessageReads(conn, app.keys).documents(
            [hit.row for hit in hits.items], viewer_id=principal.user_id
        )
    items = [_view(hit, MessageView.model_validate(message)) for hit, message in zip(hits.items, shown, strict=True)]
    return SearchView(items=items, next_cursor=_cursor(app.cursors, hits.following))


def _view(hit: Hit, message: MessageView) -> SearchHitView:
    return SearchHitView(
        message=message,
        match=hit.tier.name.lower(),
        highlights=[HighlightView.of_fields(each) for each in hit.highlights],
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
