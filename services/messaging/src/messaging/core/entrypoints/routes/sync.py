"""What changed since: all of a person's dialogs in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from chassis.http import RateLimit, Routes, View
from chassis.postgres import Connection
from chassis.tokens import Principal
from messaging.core.adapters import document_reads
from messaging.core.adapters.dialog_reads import dialog_documents, dialogs_by_id
from messaging.core.adapters.stream_reads import WATCHED_MAX, StreamReads, StreamRows
from messaging.core.domain.stream import TooOldError, Watch
from messaging.core.entrypoints.schemas.dialogs import DialogView
from messaging.core.entrypoints.schemas.messages import SyncBody
from messaging.wiring import App

routes = Routes(tag="sync")
ACCOUNT_EVENTS_MAX = 500
DIALOGS_AT_ONCE = 100


class DialogSyncView(View):
    """What a dialog has beyond the client's position.

    ``too_old``: the position is not kept any more, or is from the future; drop what you have of it and fetch anew.

    ``events`` are the realtime frames, in order; when ``has_more``, ask again from the last of them. ``dialog`` is
    given for a dialog the client did not name, and for one that is too old.
    """

    dialog_id: UUID
    last_seq: int
    events: list[dict[str, Any]]
    has_more: bool
    too_old: bool
    oldest_seq: int
    dialog: DialogView | None


class SyncView(View):
    """``gone``: dialogs the client named and cannot read any more. ``account_too_old``: fetch the list anew.

    ``more_after``: the person has more dialogs; ask again with this as ``after_dialog_id`` until it is null.
    """

    dialogs: list[DialogSyncView]
    gone: list[UUID]
    account_events: list[dict[str, Any]]
    account_seq: int
    account_too_old: bool
    more_after: UUID | None


@routes.post(
    "/v1/sync",
    limit=RateLimit("sync", per_user=240, window_s=60, fails="open"),
    summary="What changed since these positions",
)
async def post_sync(body: SyncBody, principal: Principal, app: App) -> SyncView:
    """Give the last seq of every dialog you hold; dialogs without news are not in the answer. Changes nothing.

    What you name is answered always. Of your other dialogs an answer covers 1,000, in order of their ids, and has
    ``more_after`` when there are more. Who holds more than can be named names them in this order too, each call those
    behind its ``after_dialog_id``.
    """
    me = principal.user_id
    async with app.database.read() as conn:
        page = await StreamRows(conn).watched_page(me, body.after_dialog_id)
        watches = {each.dialog_id: each for each in page}
        missing = [each for each in body.dialogs if each not in watches]
        if missing:
            watches |= {each.dialog_id: each for each in await StreamRows(conn).watched_by(me, missing)}
        behind = [each for each in watches.values() if body.dialogs.get(each.dialog_id) != each.last_seq]
        found: list[DialogSyncView] = []
        for start in range(0, len(behind), DIALOGS_AT_ONCE):
            found += await _news(conn, app, me, behind[start : start + DIALOGS_AT_ONCE], body)
        fresh = [each.dialog_id for each in found if each.too_old or each.dialog_id not in body.dialogs]
        rows = await dialogs_by_id(conn, me, fresh)
        views = {each["dialog_id"]: DialogView.of(each) for each in await dialog_documents(conn, app.keys, me, rows)}
        account_seq = await StreamRows(conn).account_position(me)
        account_too_old = False
        account: list[dict[str, Any]] = []
        try:
            account = [
                orjson.loads(each.frame)
                for each in await StreamRows(conn).account_events_after(me, body.account_seq, ACCOUNT_EVENTS_MAX)
            ]
        except TooOldError:
            account_too_old = True
    return SyncView(
        dialogs=[each.model_copy(update={"dialog": views.get(each.dialog_id)}) for each in found],
        gone=[each for each in body.dialogs if each not in watches],
        account_events=account,
        account_seq=account[-1]["account_seq"] if account else account_seq,
        account_too_old=account_too_old,
        more_after=page[-1].dialog_id if len(page) == WATCHED_MAX else None,
    )


async def _news(conn: Connection, app: App, me: UUID, behind: Sequence[Watch], body: SyncBody) -> list[DialogSyncView]:
    """What these dialogs have beyond the client's positions; without the dialogs themselves."""
    asked = {}
    for watch in behind:
        position = body.dialogs.get(watch.dialog_id)
        if position is not None and position <= watch.last_seq:
            # Before they were in, there is nothing for them; what retention took they are told.
            gone = position + 1 < watch.oldest_seq
            asked[watch.dialog_id] = position if gone else max(position, watch.from_seq - 1)
    news = await StreamReads(conn, app.keys).events_after_all(asked, body.limit_per_dialog)
    views = []
    for watch in behind:
        told = news.get(watch.dialog_id, [])
        events = [] if isinstance(told, TooOldError) else told
        ahead = watch.dialog_id in body.dialogs and watch.dialog_id not in asked
        views.append(
            DialogSyncView(
                dialog_id=watch.dialog_id,
                last_seq=watch.last_seq,
                events=[orjson.loads(document_reads.shown_to(each, me, watch.from_seq)) for each in events],
                has_more=bool(events) and events[-1].seq < watch.last_seq,
                too_old=ahead or isinstance(told, TooOldError),
                oldest_seq=watch.from_seq,
                dialog=None,
            )
        )
    return views
