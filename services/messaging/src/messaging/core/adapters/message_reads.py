"""Reading messages and changes of a dialog: bounded pages in order of seq, from the partitions that hold them.

Invariant: what is given honours ``from_seq`` of the reader (join time, retention), and holds no text of a person whose
key is shredded. A deleted message keeps its place and loses its content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection, OnConnection
from messaging.core.adapters import document_reads
from messaging.core.adapters.entity_store import EntityStore
from messaging.core.adapters.message_part_reads import extras_of
from messaging.core.adapters.unreadable_reads import object_or_none
from messaging.core.domain.links import linked, preview_of
from messaging.core.usecases.ports import Row
from sealing import PersonKeys, opened_json

# Where the month of a seq begins and ends: lets Postgres leave out the other partitions.
MONTH_FROM: Final = """coalesce((SELECT month::timestamptz FROM dialog_month
    WHERE dialog_id = {dialog} AND first_seq <= {seq} ORDER BY first_seq DESC LIMIT 1), '-infinity')"""
MONTH_TO: Final = """coalesce((SELECT month::timestamptz FROM dialog_month
    WHERE dialog_id = {dialog} AND first_seq > {seq} ORDER BY first_seq LIMIT 1), 'infinity')"""
MESSAGE_COLUMNS: Final = (
    "dialog_id, seq, created_at, sender_id, type, content, client_message_id, reply_to_seq, thread_seq, forward, "
    "mentions, version, edited_at, deleted_at, deleted_by"
)
_HIDDEN: Final = (
    "NOT EXISTS (SELECT FROM hidden_message h WHERE h.user_id = $3 AND h.dialog_id = m.dialog_id AND h.seq = m.seq)"
)
_AFTER: Final = f"""
    SELECT {MESSAGE_COLUMNS} FROM message m
    WHERE dialog_id = $1 AND seq > $2 AND seq >= $5 AND created_at >= {MONTH_FROM.format(dialog="$1", seq="$2 + 1")}
      AND {_HIDDEN}
    ORDER BY seq LIMIT $4
"""
_BEFORE: Final = f"""
    SELECT {MESSAGE_COLUMNS} FROM message m
    WHERE dialog_id = $1 AND seq < $2 AND seq >= $5 AND created_at < {MONTH_TO.format(dialog="$1", seq="$2")}
      AND {_HIDDEN}
    ORDER BY seq DESC LIMIT $4
"""
_SOME: Final = f"""
    SELECT {MESSAGE_COLUMNS} FROM unnest($1::uuid[], $2::bigint[]) AS t (wanted_dialog, wanted_seq)
    CROSS JOIN LATERAL (
        SELECT * FROM message WHERE dialog_id = wanted_dialog AND seq = wanted_seq
          AND created_at >= {MONTH_FROM.format(dialog="wanted_dialog", seq="wanted_seq")}
    ) AS m
"""
# More than so many are not looked for: each act on a message that a crowd put away would carry the whole crowd.
HIDDEN_FROM_MAX: Final = 500
_HIDDEN_FROM: Final = f"""
    SELECT t.dialog_id, t.seq, array_agg(h.user_id) AS user_ids
    FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq)) AS t
    CROSS JOIN LATERAL (
        SELECT user_id FROM hidden_message x WHERE x.dialog_id = t.dialog_id AND x.seq = t.seq LIMIT {HIDDEN_FROM_MAX}
    ) AS h
    GROUP BY t.dialog_id, t.seq
"""


class MessageRows(OnConnection):
    async def messages_after(
        self, dialog_id: UUID, *, after_seq: int, from_seq: int, viewer_id: UUID, limit: int
    ) -> list[Row]:
        """Oldest first, not those the viewer deleted for themselves."""
        return list(await self._conn.fetch(_AFTER, dialog_id, after_seq, viewer_id, limit, from_seq))

    async def messages_before(
        self, dialog_id: UUID, *, before_seq: int, from_seq: int, viewer_id: UUID, limit: int
    ) -> list[Row]:
        """Newest first."""
        return list(await self._conn.fetch(_BEFORE, dialog_id, before_seq, viewer_id, limit, from_seq))

    async def messages_at(self, wanted: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], Row]:
        """Messages by identity, deleted ones too; nothing is checked about who looks."""
        pairs = list(wanted)
        if not pairs:
            return {}
        rows = await self._conn.fetch(_SOME, [each[0] for each in pairs], [each[1] for each in pairs])
        return {(row["dialog_id"], row["seq"]): row for row in rows}

    async def message_for(self, viewer_id: UUID, dialog_id: UUID, seq: int, *, from_seq: int) -> Row | None:
        """The message if it is there for the viewer, deleted ones too: the one way from a seq somebody names to it.

        Nothing is there from before ``from_seq``, where what they may see begins, nor what they deleted for themselves.
        """
        if seq < from_seq:
            return None
        row = (await self.messages_at([(dialog_id, seq)])).get((dialog_id, seq))
        return None if row is None or await self.is_hidden(viewer_id, dialog_id, seq) else row

    async def is_hidden(self, user_id: UUID, dialog_id: UUID, seq: int) -> bool:
        """Whether the person deleted the message for themselves."""
        return bool(
            await self._conn.fetchval(
                "SELECT EXISTS (SELECT FROM hidden_message WHERE user_id = $1 AND dialog_id = $2 AND seq = $3)",
                *(user_id, dialog_id, seq),
            )
        )

    async def hidden_from(self, places: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], frozenset[UUID]]:
        """Who deleted these messages for themselves; those that nobody did are left out. One read, by an index.

        The transaction must see the rows of all people.
        """
        if not places:
            return {}
        rows = await self._conn.fetch(_HIDDEN_FROM, [each[0] for each in places], [each[1] for each in places])
        return {(row["dialog_id"], row["seq"]): frozenset(row["user_ids"]) for row in rows}


class MessageReads(MessageRows):
    def __init__(self, conn: Connection[Any], keys: PersonKeys) -> None:
        super().__init__(conn)
        self._keys = keys

    async def content(self, row: Row) -> dict[str, Any] | None:
        """What was written; None when it is deleted, its writer's key is gone, or what is stored is damaged."""
        await self._keys.load(self._conn, [row["sender_id"]])
        return content_of(self._keys, row)

    async def documents(self, rows: Sequence[Row], *, viewer_id: UUID | None = None) -> list[dict[str, Any]]:
        """Messages as clients get them. With ``viewer_id``, reactions and votes say which are the viewer's own."""
        await self._keys.load(self._conn, {row["sender_id"] for row in rows})
        extras = await extras_of(self._conn, rows, viewer_id)
        shown = [document_of(self._keys, row, extras.get((row["dialog_id"], row["seq"]))) for row in rows]
        links = {number: link for number, document in enumerate(shown) if (link := linked(document["content"]))}
        entities = await EntityStore(self._conn).find(links.values())
        for number, link in links.items():
            shown[number]["preview"] = preview_of(entities.get(link), shown[number]["sender_id"])
        return shown


def document_of(keys: PersonKeys, row: Row, extras: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One message; its sender's key is loaded."""
    return document_reads.message_document(
        dialog_id=row["dialog_id"],
        seq=row["seq"],
        at=row["created_at"],
        sender_id=row["sender_id"],
        content=content_of(keys, row),
        client_message_id=row["client_message_id"],
        reply_to_seq=row["reply_to_seq"],
        thread_seq=row["thread_seq"],
        forward=object_or_none(row["forward"], field="forward", dialog_id=row["dialog_id"], seq=row["seq"]),
        mentions=[each for each in row["mentions"] if each is not None],
        version=row["version"],
        edited_at=row["edited_at"],
        deleted_at=row["deleted_at"],
        extras=extras,
    )


def content_of(keys: PersonKeys, row: Row) -> dict[str, Any] | None:
    """What was written; None when it is deleted, its writer's key is gone, or what is stored is damaged."""
    place = {name: row[name] for name in ("dialog_id", "seq", "version") if name in row}
    return opened_json(keys, row["sender_id"], row["content"], **place)
