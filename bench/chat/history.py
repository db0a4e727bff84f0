"""A service with a past: circles of people, their dialogs and messages, by SQL, as months of sends would have left.

What the audit checks holds: seqs without a hole, times in order, every message sealed under its sender's key, found by
its month and in the index (which has no words of it). Messages of many dialogs lie mixed on the disk, as they come in.
They are older than the ids of sends are kept.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from chat.ours import KEY, Ours
from kernel.ids import uuid7
from messaging.core.adapters.sealing_gateway import wrapping_under
from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.lifecycle.adapters.invariants import audit
from messaging.lifecycle.adapters.month_store import MonthStore
from messaging.lifecycle.domain.month import wanted_months
from sealing import Sealer

PEOPLE, DIALOGS, MESSAGES = 5, 10, 100  # in a circle everybody is in all its dialogs
CIRCLE_MESSAGES = DIALOGS * MESSAGES
MONTHS, ENDED_DAYS_AGO = 4, 15
_TEXT = "x" * 80
_CIRCLES_AT_ONCE = 100
_DIALOGS = """
    INSERT INTO dialog (dialog_id, workspace_id, kind, title, members_max, member_count, last_seq, last_message_no,
                        last_message_at, last_at, created_at)
    SELECT dialog_id, $1::uuid, 'group', 'bench', 1000, $2::int, messages, messages, ended_at, ended_at, began_at
    FROM past_dialog
"""
_MEMBERS = """
    INSERT INTO member (dialog_id, user_id, workspace_id, role, status, joined_at, joined_seq)
    SELECT d.dialog_id, p.user_id, $1::uuid, CASE WHEN p.place = 0 THEN 'owner' ELSE 'member' END, 'active',
           d.began_at, 1
    FROM past_dialog d JOIN past_person p USING (circle)
"""
_SEAT = """
    INSERT INTO member (dialog_id, user_id, workspace_id, role, status, joined_at, joined_seq)
    SELECT $1::uuid, user_id, $2::uuid, 'member', 'active', now(), 1 FROM unnest($3::uuid[]) AS t (user_id)
"""
_MESSAGES = """
    INSERT INTO message (dialog_id, seq, created_at, workspace_id, message_no, sender_id, type, content,
                         client_message_id)
    SELECT d.dialog_id, s, d.began_at + s * (d.ended_at - d.began_at) / d.messages, $1::uuid, s, p.user_id, 'text',
           p.sealed, gen_random_uuid()
    FROM past_dialog d CROSS JOIN generate_series(1, d.messages) s
    JOIN past_person p ON p.circle = d.circle AND p.place = s % $2::int
    ORDER BY s, d.dialog_id
"""
_REST = (
    """INSERT INTO search_entry (dialog_id, seq, created_at, version, terms)
       SELECT dialog_id, s, began_at + s * (ended_at - began_at) / messages, 1, ''
       FROM past_dialog CROSS JOIN generate_series(1, messages) s ORDER BY s, dialog_id""",
    """INSERT INTO search_stretch (dialog_id, stretch, first_at, last_at)
       SELECT dialog_id, stretch, began_at, ended_at
       FROM past_dialog CROSS JOIN generate_series(0, messages / 8192) AS stretch""",
    """INSERT INTO dialog_month (dialog_id, month, first_seq)
       SELECT dialog_id, date_trunc('month', began_at + s * (ended_at - began_at) / messages)::date AS month, min(s)
       FROM past_dialog CROSS JOIN generate_series(1, messages) s GROUP BY dialog_id, month""",
)
_INDEXES = """
    SELECT i.indrelid::regclass::text AS table, i.indexrelid::regclass::text AS name, c.conname,
           replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS made, pg_get_constraintdef(c.oid) AS rule
    FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'p'
    WHERE i.indrelid IN ('message'::regclass, 'search_entry'::regclass)
"""
_ANALYZED = ("message", "dialog", "member", "dialog_month", "search_entry", "search_stretch", "account", "person_key")


@dataclass(frozen=True, slots=True)
class Circle:
    people: Sequence[UUID]
    dialogs: Sequence[UUID]


async def seat(conn: asyncpg.Connection[Any], dialog_id: UUID, people: Sequence[UUID]) -> None:
    """They are members, without the events of joining. In a transaction."""
    await conn.execute(_SEAT, dialog_id, MAIN_WORKSPACE, people)
    grown = "UPDATE dialog SET member_count = member_count + $2 WHERE dialog_id = $1"
    await conn.execute(grown, dialog_id, len(people))


async def connected(service: Ours) -> asyncpg.Connection[Any]:
    """As the service's own connections are, with the owner's rights: indexes are dropped and made again."""
    settings = {"search_path": "messaging, public", "timezone": "UTC", "sampan.workspace_id": str(MAIN_WORKSPACE)}
    return await asyncpg.connect(service.owner_dsn, server_settings=settings)


class Past:
    """Fills the database of one service."""

    def __init__(self, conn: asyncpg.Connection[Any]) -> None:
        self._conn = conn
        self._wrapping = wrapping_under(base64.b64decode(KEY))
        self._ended = datetime.now(UTC) - timedelta(days=ENDED_DAYS_AGO)
        self._began = self._ended - timedelta(days=30 * MONTHS)
        self._indexes: Sequence[asyncpg.Record] = ()

    @classmethod
    async def of(cls, service: Ours) -> Past:
        conn = await connected(service)
        made = cls(conn)
        for back in range(MONTHS + 2):
            for month in wanted_months(made._ended - timedelta(days=30 * back)):
                if month not in await MonthStore(conn).months_of(month.table):
                    async with conn.transaction():
                        await MonthStore(conn).make_month(month)
        await conn.execute(
            "CREATE TEMP TABLE past_dialog (dialog_id uuid, circle int, messages int, began_at timestamptz,"
            " ended_at timestamptz)"
        )
        await conn.execute("CREATE TEMP TABLE past_person (circle int, place int, user_id uuid, sealed bytea)")
        await conn.execute("SET maintenance_work_mem = '512MB'")
        made._indexes = await conn.fetch(_INDEXES)
        for each in made._indexes:
            dropped = f"ALTER TABLE {each['table']} DROP CONSTRAINT {each['conname']}"
            await conn.execute(dropped if each["rule"] else f"DROP INDEX {each['name']}")
        return made

    async def circles(self, count: int, *, dialogs: int = DIALOGS, messages: int = MESSAGES) -> list[Circle]:
        """So many circles, each with its dialogs of so many messages."""
        made: list[Circle] = []
        while len(made) < count:
            fresh = [
                Circle([uuid7() for _ in range(PEOPLE)], [uuid7() for _ in range(dialogs)])
                for _ in range(min(_CIRCLES_AT_ONCE, count - len(made)))
            ]
            await self._write(fresh, messages)
            made += fresh
        return made

    async def readers(self, dialog_id: UUID, count: int) -> list[UUID]:
        """Members of a dialog who have read nothing, and written nothing."""
        made = [uuid7() for _ in range(count)]
        await self._people(made)
        async with self._conn.transaction():
            await seat(self._conn, dialog_id, made)
        return made

    async def done(self) -> str:
        """Make the indexes again, and what autovacuum would have done; then the audit. Says how big it is."""
        for each in self._indexes:
            made = f"ALTER TABLE {each['table']} ADD CONSTRAINT {each['conname']} {each['rule']}"
            await self._conn.execute(made if each["rule"] else each["made"])
        for table in _ANALYZED:
            await self._conn.execute(f"VACUUM (ANALYZE) {table}")
        findings = await audit(self._conn)
        broken = [f"{each.check.invariant} {each.check.statement}: {each.count}" for each in findings if each.count]
        assert not broken, broken
        size = await self._conn.fetchval("SELECT pg_database_size(current_database()) >> 20")
        await self._conn.close()
        return f"{size:,} MiB; the audit's {len(findings)} checks hold"

    async def _people(self, people: Sequence[UUID]) -> None:
        records = [(each, 1, "Bench") for each in people]
        columns = ["user_id", "version", "display_name"]
        await self._conn.copy_records_to_table("account", records=records, columns=columns)

    async def _write(self, circles: Sequence[Circle], messages: int) -> None:
        people = [each for circle in circles for each in circle.people]
        text = orjson.dumps({"type": "text", "text": _TEXT})
        async with self._conn.transaction():
            await self._conn.execute("TRUNCATE past_dialog, past_person")
            await self._people(people)
            sealer = Sealer(self._conn, self._wrapping)
            await sealer.ready(people)
            await self._conn.copy_records_to_table(
                "past_person",
                records=[
                    (number, place, each, sealer.encrypt(each, text))
                    for number, circle in enumerate(circles)
                    for place, each in enumerate(circle.people)
                ],
            )
            await self._conn.copy_records_to_table(
                "past_dialog",
                records=[
                    (each, number, messages, self._began, self._ended)
                    for number, circle in enumerate(circles)
                    for each in circle.dialogs
                ],
            )
            await self._conn.execute(_DIALOGS, MAIN_WORKSPACE, PEOPLE)
            await self._conn.execute(_MEMBERS, MAIN_WORKSPACE)
            await self._conn.execute(_MESSAGES, MAIN_WORKSPACE, PEOPLE)
            for statement in _REST:
                await self._conn.execute(statement)
