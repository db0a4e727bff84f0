"""What the rules of sending ask of the database, for a whole batch in one statement.

Read after the dialogs are locked, so that a membership or an earlier copy of the same message cannot change before
the commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import columns_of
from messaging.core.adapters.dialog_store import membership_of
from messaging.core.adapters.ending_store import HAS_ENDED
from messaging.core.adapters.entity_store import OWNS_SHOP_OF
from messaging.core.domain.dialog import PAIRS, Dialog
from messaging.core.domain.membership import about_product
from messaging.core.domain.message import Earlier, SendMessage
from messaging.core.domain.sending import Facts, Target

_FACTS: Final = f"""
    SELECT m.role, m.status, m.joined_seq, m.muted_until, m.last_sent_at,
           p.seq AS sent_seq, p.body_hash AS sent_hash, p.created_at AS sent_at,
           EXISTS (
               SELECT FROM member o LEFT JOIN block b
                   ON b.active AND ((b.blocker_id = o.user_id AND b.blocked_id = s.sender_id)
                                 OR (b.blocker_id = s.sender_id AND b.blocked_id = o.user_id))
               WHERE s.pair AND o.dialog_id = s.dialog_id AND o.user_id <> s.sender_id
                 AND (b.active OR o.status NOT IN ('active', 'muted')
                      OR EXISTS (SELECT FROM account a WHERE a.user_id = o.user_id AND {HAS_ENDED}))
           ) AS blocked,
           {OWNS_SHOP_OF.format(user="s.sender_id", product="s.product_id")} AS owns_shop
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::boolean[], $5::uuid[]) WITH ORDINALITY
         AS s (dialog_id, sender_id, client_message_id, pair, product_id, n)
    LEFT JOIN member m ON m.dialog_id = s.dialog_id AND m.user_id = s.sender_id
    LEFT JOIN sent_message p ON p.dialog_id = s.dialog_id AND p.sender_id = s.sender_id
                            AND p.client_message_id = s.client_message_id
    ORDER BY s.n
"""
_EARLIER: Final = """
    SELECT p.seq, p.body_hash, p.created_at FROM sent_message p
    JOIN member m ON m.dialog_id = p.dialog_id AND m.user_id = p.sender_id AND m.status IN ('active', 'muted')
    WHERE p.dialog_id = $1 AND p.sender_id = $2 AND p.client_message_id = $3
"""
_HIDDEN: Final = """
    EXISTS (SELECT FROM hidden_message h WHERE h.user_id = t.user_id AND h.dialog_id = t.dialog_id AND h.seq = {seq})
"""
_TARGETS: Final = f"""
    SELECT t.user_id, m.dialog_id, m.seq, m.thread_seq, m.thread_seq IS NULL OR EXISTS (
        SELECT FROM message r WHERE r.dialog_id = m.dialog_id AND r.seq = m.thread_seq AND r.deleted_at IS NULL
    ) AND NOT {_HIDDEN.format(seq="m.thread_seq")} AS thread_open
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS t (user_id, dialog_id, seq)
    JOIN message m USING (dialog_id, seq) WHERE m.deleted_at IS NULL AND NOT {_HIDDEN.format(seq="t.seq")}
"""
_PRESENT: Final = """
    SELECT t.dialog_id, t.user_id FROM unnest($1::uuid[], $2::uuid[]) AS t (dialog_id, user_id)
    JOIN member m USING (dialog_id, user_id) WHERE m.status IN ('active', 'muted')
"""


class SendReads(OnConnection):
    async def read_facts(self, commands: Sequence[SendMessage], dialogs: Mapping[UUID, Dialog]) -> list[Facts]:
        """One for each command. ``dialogs``: those of them that there are, by id."""
        there = [dialogs.get(each.dialog_id) for each in commands]
        rows = await self._conn.fetch(
            _FACTS,
            *columns_of(commands, "dialog_id", "sender_id", "client_message_id"),
            [each is not None and each.kind in PAIRS for each in there],
            [each.entity_id if each is not None and about_product(each) else None for each in there],
        )
        return [
            Facts(
                member=membership_of(row, command.sender_id) if row["role"] is not None else None,
                earlier=Earlier(row["sent_seq"], row["sent_hash"], row["sent_at"]) if row["sent_seq"] else None,
                blocked=row["blocked"],
            )
            for row, command in zip(rows, commands, strict=True)
        ]

    async def find_earlier(self, dialog_id: UUID, sender_id: UUID, client_message_id: UUID) -> Earlier | None:
        """Of somebody who is in; without the dialog's lock it may be stored a moment later."""
        row = await self._conn.fetchrow(_EARLIER, dialog_id, sender_id, client_message_id)
        return None if row is None else Earlier(row["seq"], row["body_hash"], row["created_at"])

    async def present_targets(self, wanted: set[tuple[UUID, UUID, int]]) -> dict[tuple[UUID, UUID, int], Target]:
        """Those (sender, dialog, seq) that are messages, not deleted for all and not by the sender for themselves."""
        if not wanted:
            return {}
        rows = await self._conn.fetch(_TARGETS, *([each[place] for each in wanted] for place in range(3)))
        return {
            (row["user_id"], row["dialog_id"], row["seq"]): Target(row["thread_seq"] or row["seq"], row["thread_open"])
            for row in rows
        }

    async def present_people(self, wanted: set[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
        """Those (dialog, person) that are members now."""
        if not wanted:
            return set()
        pairs = list(wanted)
        rows = await self._conn.fetch(_PRESENT, [each[0] for each in pairs], [each[1] for each in pairs])
        return {(row["dialog_id"], row["user_id"]) for row in rows}

    async def record_slow_mode(self, sent: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
        """When these people last sent, for dialogs in slow mode."""
        if sent:
            await self._conn.execute(
                "UPDATE member SET last_sent_at = $3 FROM unnest($1::uuid[], $2::uuid[]) AS t (dialog_id, user_id) "
                "WHERE member.dialog_id = t.dialog_id AND member.user_id = t.user_id",
                *([each[0] for each in sent], [each[1] for each in sent], now),
            )
