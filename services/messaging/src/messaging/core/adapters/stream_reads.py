"""Reading streams: what came after a position, who may watch, where dialogs stand.

Invariant: events are given in order of seq without a hole between ``after_seq`` and the last one given; a message that
a member deleted for themselves is in the stream all the same (their account's stream says that it is hidden); its
event, and those of what happens to it later, say from whom it is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection, OnConnection
from kernel.rows import object_of
from messaging.core.adapters import document_reads
from messaging.core.adapters.change_reads import UNREADABLE, is_damaged, is_damaged_of_account
from messaging.core.adapters.message_reads import MESSAGE_COLUMNS, MONTH_FROM, MessageReads, MessageRows
from messaging.core.adapters.open_channel_reads import OPEN_TO
from messaging.core.domain.dialog import PRESENT
from messaging.core.domain.stream import AccountEvent, StreamEvent, TooOldError, Watch
from messaging.core.usecases.ports import Row
from sealing import PersonKeys

# The month is read apart: as a value it lets Postgres leave out the partitions before it, as a subquery here it would
# not.
_STANDS: Final = f"""
    SELECT t.dialog_id, t.after_seq, d.oldest_seq,
           {MONTH_FROM.format(dialog="t.dialog_id", seq="t.after_seq + 1")} AS since
    FROM unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, after_seq) JOIN dialog d USING (dialog_id)
"""
_AFTER: Final = """
    SELECT {columns} FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) AS t (wanted_id, after_seq, since)
    CROSS JOIN LATERAL (
        SELECT {columns} FROM {table}
        WHERE dialog_id = wanted_id AND seq > after_seq AND created_at >= since ORDER BY seq LIMIT $4
    ) AS m
"""
_MESSAGES: Final = _AFTER.format(table="message", columns=MESSAGE_COLUMNS)
_CHANGES: Final = _AFTER.format(
    table="change", columns="dialog_id, seq, created_at, type, actor_id, message_seq, payload"
)
# Of a dialog ``d`` and a member ``m`` of it, the columns of a ``Watch``.
WATCH_COLUMNS: Final = """
    d.dialog_id, d.last_seq, d.oldest_seq, d.member_count, d.kind,
    CASE WHEN d.history_from = 'join' THEN greatest(m.joined_seq, d.oldest_seq) ELSE d.oldest_seq END AS from_seq
"""
_WATCHED_OF: Final = f"""
    SELECT {WATCH_COLUMNS} FROM member m JOIN dialog d USING (dialog_id)
    WHERE m.user_id = $1 AND m.status IN ('active', 'muted')
"""
_WATCHED: Final = f"""
    {_WATCHED_OF} AND ($2::uuid[] IS NULL OR m.dialog_id = ANY($2)) ORDER BY d.last_at DESC LIMIT $3
"""
_WATCHED_PAGE: Final = f"{_WATCHED_OF} AND ($2::uuid IS NULL OR m.dialog_id > $2) ORDER BY m.dialog_id LIMIT $3"
_PUBLIC: Final = f"""
    SELECT d.dialog_id, d.last_seq, d.oldest_seq, d.member_count, d.kind, d.oldest_seq AS from_seq
    FROM dialog d
    WHERE d.dialog_id = ANY($2) AND {OPEN_TO.format(who="$1")}
"""
WATCHED_MAX: Final = 1000
_ENDED: Final = frozenset({"left", "removed", "banned"})
assert _ENDED.isdisjoint(each.value for each in PRESENT)  # noqa: S101 -- the two lists speak of the same statuses


class StreamRows(OnConnection):
    async def last_seqs(self, dialog_ids: Iterable[UUID]) -> dict[UUID, int]:
        """Where these dialogs stand."""
        rows = await self._conn.fetch(
            "SELECT dialog_id, last_seq FROM dialog WHERE dialog_id = ANY($1)", list(dialog_ids)
        )
        return {row["dialog_id"]: row["last_seq"] for row in rows}

    async def watched_by(
        self, user_id: UUID, dialog_ids: Sequence[UUID] | None = None, *, limit: int = WATCHED_MAX
    ) -> list[Watch]:
        """The dialogs a person is in, latest first; with ``dialog_ids``, those they may watch, public ones too."""
        rows = await self._conn.fetch(_WATCHED, user_id, dialog_ids, limit)
        if dialog_ids is not None:
            rows = [*rows, *await self._conn.fetch(_PUBLIC, user_id, dialog_ids)]
        return [object_of(Watch, row) for row in rows]

    async def watched_page(self, user_id: UUID, after: UUID | None, *, limit: int = WATCHED_MAX) -> list[Watch]:
        """The next dialogs a person is in, by their ids: an order that nothing that happens in them changes."""
        return [object_of(Watch, row) for row in await self._conn.fetch(_WATCHED_PAGE, user_id, after, limit)]

    async def account_position(self, user_id: UUID) -> int:
        """The last account_seq of a person."""
        return await self._conn.fetchval("SELECT last_account_seq FROM account WHERE user_id = $1", user_id) or 0

    async def account_events_after(self, user_id: UUID, after_seq: int, limit: int) -> list[AccountEvent]:
        """The next changes of a person's account. Raises ``TooOldError``."""
        stands = await self._conn.fetchrow(
            "SELECT last_account_seq, oldest_account_seq FROM account WHERE user_id = $1", user_id
        )
        if stands is None:
            return []
        if after_seq + 1 < stands["oldest_account_seq"] or after_seq > stands["last_account_seq"]:
            raise TooOldError(context={"oldest_account_seq": stands["oldest_account_seq"]})
        rows = await self._conn.fetch(
            "SELECT account_seq, created_at, type, dialog_id, payload FROM account_change "
            "WHERE user_id = $1 AND account_seq > $2 ORDER BY account_seq LIMIT $3",
            *(user_id, after_seq, limit),
        )
        if rows and rows[0]["account_seq"] != after_seq + 1:  # trimmed between the two reads
            raise TooOldError(context={"oldest_account_seq": rows[0]["account_seq"]})
        return [_account_event(user_id, row) for row in rows]


class StreamReads(StreamRows):
    def __init__(self, conn: Connection[Any], keys: PersonKeys) -> None:
        super().__init__(conn)
        self._keys = keys

    async def events_after(self, dialog_id: UUID, after_seq: int, limit: int) -> list[StreamEvent]:
        """The next events, at most ``limit``, for any number of watchers. Raises ``TooOldError``."""
        found = (await self.events_after_all({dialog_id: after_seq}, limit)).get(dialog_id, [])
        if isinstance(found, TooOldError):
            raise found
        return found

    async def events_after_all(
        self, positions: Mapping[UUID, int], limit: int
    ) -> dict[UUID, list[StreamEvent] | TooOldError]:
        """``events_after`` of many dialogs, at most ``limit`` of each. What does not exist is not in the answer."""
        stands = await self._conn.fetch(_STANDS, list(positions), list(positions.values()))
        kept = [row for row in stands if row["after_seq"] + 1 >= row["oldest_seq"]]
        places = [[row[name] for row in kept] for name in ("dialog_id", "after_seq", "since")]
        rows: dict[UUID, list[Row]] = {row["dialog_id"]: [] for row in kept}
        if kept:
            for row in [
                *await self._conn.fetch(_MESSAGES, *places, limit),
                *await self._conn.fetch(_CHANGES, *places, limit),
            ]:
                rows[row["dialog_id"]].append(row)
        whole = [
            row
            for dialog_id, mine in rows.items()
            for row in _without_hole(sorted(mine, key=lambda row: int(row["seq"]))[:limit], positions[dialog_id])
        ]
        found: dict[UUID, list[StreamEvent] | TooOldError] = {
            row["dialog_id"]: TooOldError(context={"oldest_seq": row["oldest_seq"]}) for row in stands
        }
        found |= {dialog_id: [] for dialog_id in rows}
        for event in await self._rendered(whole):
            mine = found[event.dialog_id]
            assert not isinstance(mine, TooOldError)  # noqa: S101 -- only rows of those that are kept were read
            mine.append(event)
        return found

    async def _rendered(self, rows: Sequence[Row]) -> list[StreamEvent]:
        messages = [row for row in rows if "content" in row]
        shown = _by_place(await MessageReads(self._conn, self._keys).documents(messages))
        changed = [row for row in rows if "content" not in row]
        subjects = await self._subjects(changed)
        hidden = await MessageRows(self._conn).hidden_from(
            [(row["dialog_id"], row["seq"]) for row in messages]
            + [(row["dialog_id"], row["message_seq"]) for row in changed if row["message_seq"]]
        )
        events = []
        for row in rows:
            dialog_id, seq, at = row["dialog_id"], row["seq"], row["created_at"]
            if (dialog_id, seq) in shown:
                text = document_reads.frame("message.new", dialog_id, seq, at, {"message": shown[dialog_id, seq]})
                people = hidden.get((dialog_id, seq), frozenset())
                events.append(StreamEvent(dialog_id, seq, "message.new", text, hidden_from=people))
                continue
            if is_damaged(row):
                events.append(
                    StreamEvent(dialog_id, seq, UNREADABLE, document_reads.frame(UNREADABLE, dialog_id, seq, at, {}))
                )
                continue
            body: dict[str, Any] = {"by": row["actor_id"]}
            if row["message_seq"] is not None:
                body["message_seq"] = row["message_seq"]
            body |= row["payload"]
            if row["type"] == "message.edited" and (dialog_id, row["message_seq"]) in subjects:
                body["message"] = subjects[dialog_id, row["message_seq"]]
            member = row["payload"].get("member") if row["type"] == "member.changed" else None
            text = document_reads.frame(row["type"], dialog_id, seq, at, body)
            events.append(
                StreamEvent(
                    dialog_id,
                    seq,
                    row["type"],
                    text,
                    UUID(member["user_id"]) if member is not None else None,
                    member is not None and member["status"] in _ENDED,
                    row["message_seq"],
                    hidden.get((dialog_id, row["message_seq"]), frozenset()),
                )
            )
        return events

    async def _subjects(self, changes: Sequence[Row]) -> dict[tuple[UUID, int], dict[str, Any]]:
        """The messages that edits are about, as they are now."""
        wanted = {(row["dialog_id"], row["message_seq"]) for row in changes if row["type"] == "message.edited"}
        found = await MessageRows(self._conn).messages_at(wanted)
        return _by_place(await MessageReads(self._conn, self._keys).documents(list(found.values())))


def _account_event(user_id: UUID, row: Row) -> AccountEvent:
    seq, kind, body = row["account_seq"], row["type"], {}
    if is_damaged_of_account(user_id, row):
        kind = UNREADABLE
    else:
        body = {**({"dialog_id": row["dialog_id"]} if row["dialog_id"] else {}), **row["payload"]}
    return AccountEvent(user_id, seq, kind, document_reads.account_frame(kind, seq, row["created_at"], body))


def _without_hole(rows: Sequence[Row], after_seq: int) -> list[Row]:
    """The two reads see two moments; what the second saw later, behind a hole, waits for the next read."""
    whole: list[Row] = []
    for row in rows:
        if row["seq"] != after_seq + len(whole) + 1:
            break
        whole.append(row)
    return whole


def _by_place(shown: Iterable[dict[str, Any]]) -> dict[tuple[UUID, int], dict[str, Any]]:
    return {(document["dialog_id"], document["seq"]): document for document in shown}
