"""Polls and votes. Who voted for what in an anonymous poll is kept, so that a vote can change, and never shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from chassis.postgres import OnConnection
from messaging.core.domain.poll import Poll

_SHOWN: Final = """
    SELECT p.dialog_id, p.seq, p.options, p.multiple, p.anonymous, p.closes_at, p.closed_at,
           coalesce((SELECT jsonb_object_agg(v.option, v.votes) FROM (
               SELECT option, count(*) AS votes FROM poll_vote WHERE dialog_id = p.dialog_id AND seq = p.seq
               GROUP BY option) AS v), '{}') AS votes,
           (SELECT count(DISTINCT user_id) FROM poll_vote WHERE dialog_id = p.dialog_id AND seq = p.seq) AS voters,
           ARRAY(SELECT option FROM poll_vote WHERE dialog_id = p.dialog_id AND seq = p.seq AND user_id = $3
                 ORDER BY option) AS mine
    FROM unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq) JOIN poll p USING (dialog_id, seq)
"""


class PollStore(OnConnection):
    async def add(self, polls: Sequence[Poll]) -> None:
        await self._conn.executemany(
            "INSERT INTO poll (dialog_id, seq, options, multiple, anonymous, closes_at) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            [(each.dialog_id, each.seq, each.options, each.multiple, each.anonymous, each.closes_at) for each in polls],
        )

    async def shown(
        self, keys: Sequence[tuple[UUID, int]], viewer_id: UUID | None
    ) -> dict[tuple[UUID, int], dict[str, Any]]:
        """Results as clients get them; ``mine`` only for a viewer."""
        rows = await self._conn.fetch(_SHOWN, [each[0] for each in keys], [each[1] for each in keys], viewer_id)
        found = {}
        for row in rows:
            shown = {
                "votes": [row["votes"].get(str(option), 0) for option in range(row["options"])],
                "voters": row["voters"],
                "multiple": row["multiple"],
                "anonymous": row["anonymous"],
                "closes_at": row["closes_at"],
                "closed_at": row["closed_at"],
            }
            if viewer_id is not None:
                shown["mine"] = list(row["mine"])
            found[row["dialog_id"], row["seq"]] = shown
        return found
