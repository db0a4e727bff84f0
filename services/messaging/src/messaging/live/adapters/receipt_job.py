"""Cursors that moved become receipts for the dialog and counts for the person's own devices.

Nothing of this is stored: a client that missed a receipt reads the cursors. Who does not want to show how far they have
read shows only what reached them, and that they read makes no frame; and is shown no more of others. What they read
meanwhile is not told when they show it again. A receipt speaks of messages from ``from_seq``
on, since when they are in: of what they saw in a stay before that, earlier receipts spoke. Who is blocked, or watches a
public channel without being in it, is told nothing; a crowd is told nothing at all, for its receipts would be as many
as its members times themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Database
from chassis.run import Repeating
from kernel.backoff import BackoffPolicy
from messaging.core.adapters.unread_reads import MENTIONS, UNREAD
from messaging.core.domain.cursor import Cursor
from messaging.realtime.socket.frames import document
from messaging.realtime.socket.hints import EphemeralFrame

MEMBERS_MAX: Final = 200
GATHER_S: Final = 0.05
PENDING_MAX: Final = 20_000
_STATES: Final = f"""
    SELECT t.dialog_id, t.user_id, m.joined_seq, m.read_seq, m.read_untold_seq,
           coalesce(a.read_receipts, true) AS tells_reads,
           {UNREAD} AS unread, {MENTIONS} AS mentions,
           ARRAY(SELECT CASE WHEN b.blocker_id = t.user_id THEN b.blocked_id ELSE b.blocker_id END
                 FROM block b WHERE b.active AND (b.blocker_id = t.user_id OR b.blocked_id = t.user_id)) AS strangers
    FROM unnest($1::uuid[], $2::uuid[]) AS t (dialog_id, user_id)
    JOIN dialog d ON d.dialog_id = t.dialog_id
    JOIN member m ON m.dialog_id = t.dialog_id AND m.user_id = t.user_id
    LEFT JOIN account a ON a.user_id = t.user_id
"""
_MEMBERS: Final = f"""
    SELECT m.dialog_id, m.user_id, coalesce(a.read_receipts, true) AS tells_reads
    FROM dialog d JOIN member m USING (dialog_id) LEFT JOIN account a USING (user_id)
    WHERE d.dialog_id = ANY($1) AND d.member_count <= {MEMBERS_MAX} AND m.status IN ('active', 'muted')
"""


class _Members:
    """Who is in a dialog: those who are shown how far others have read, and those who are not."""

    def __init__(self) -> None:
        self.shown: set[UUID] = set()
        self.unshown: set[UUID] = set()

    def add(self, user_id: UUID, *, tells_reads: bool) -> None:
        (self.shown if tells_reads else self.unshown).add(user_id)


class Receipts(Repeating):
    """A runner of every role. ``tell_dialog`` and ``tell_person`` reach every node."""

    name = "realtime-receipts"
    failing = "receipts could not be told"
    again = BackoffPolicy.constant(GATHER_S)
    gather_s = GATHER_S
    first_pause_s = None

    def __init__(
        self,
        database: Database,
        *,
        tell_dialog: Callable[[UUID, EphemeralFrame], None],
        tell_person: Callable[[UUID, bytes], None],
    ) -> None:
        super().__init__()
        self._database = database
        self._tell_dialog, self._tell_person = tell_dialog, tell_person
        self._moved: dict[tuple[UUID, UUID], Cursor] = {}

    def add(self, cursors: Sequence[Cursor]) -> None:
        """These moved; of one person in one dialog, only the latest matters."""
        for each in cursors:
            place = each.dialog_id, each.user_id
            kept = self._moved.get(place)
            if kept is not None:
                told, arrived = each.told or kept.told, each.arrived or kept.arrived
                self._moved[place] = replace(each, told=told, arrived=arrived)
            elif len(self._moved) < PENDING_MAX:
                self._moved[place] = each
        self.notifier.notify()

    async def step(self) -> None:
        """Those that have moved. What cannot be told is lost: receipts need not arrive."""
        moved, self._moved = list(self._moved.values()), {}
        if not moved:
            return
        async with self._database.read() as conn:
            rows = await conn.fetch(_STATES, [each.dialog_id for each in moved], [each.user_id for each in moved])
            heard_of = {each.dialog_id for each in moved if each.told or each.arrived}
            present = await conn.fetch(_MEMBERS, list(heard_of))
        states: dict[tuple[UUID, UUID], Any] = {(row["dialog_id"], row["user_id"]): row for row in rows}
        members: defaultdict[UUID, _Members] = defaultdict(_Members)
        for row in present:
            members[row["dialog_id"]].add(row["user_id"], tells_reads=row["tells_reads"])
        for cursor in moved:
            state = states.get((cursor.dialog_id, cursor.user_id))
            if state is not None:
                now = replace(cursor, read_untold_seq=state["read_untold_seq"])
                self._tell_one(now, state, members[cursor.dialog_id])

    def _tell_one(self, cursor: Cursor, state: Any, members: _Members) -> None:
        since = state["joined_seq"]
        apart = frozenset({cursor.user_id, *state["strangers"]})
        if cursor.told:
            read_seq = cursor.told_read_seq if state["tells_reads"] else None
            shown_seq = max(cursor.delivered_seq, read_seq or 0)
            self._tell_of(cursor, since, members.shown - apart, delivered_seq=shown_seq, read_seq=read_seq)
        if cursor.arrived:
            self._tell_of(cursor, since, members.unshown - apart, delivered_seq=cursor.delivered_seq)
        if cursor.read_seq or not cursor.told:
            counts = {name: state[name] for name in ("read_seq", "unread", "mentions")}
            self._tell_person(cursor.user_id, document("unread", dialog_id=cursor.dialog_id, **counts))

    def _tell_of(self, cursor: Cursor, since: int, hearers: AbstractSet[UUID], **moved: int | None) -> None:
        if hearers:
            place = {"dialog_id": cursor.dialog_id, "user_id": cursor.user_id, "from_seq": since}
            frame = document("receipt", **place, **moved)
            self._tell_dialog(cursor.dialog_id, EphemeralFrame(frame, frozenset(hearers)))
