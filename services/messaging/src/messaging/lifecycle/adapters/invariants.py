"""The invariants of messaging (``python -m messaging audit``): queries of what breaks them.

Those that would read every message look at the table ``sample``: the newest ``SAMPLE`` dialogs and as many by chance,
and at the last ``ROWS_EACH_MAX`` rows of each: run often, they come to look everywhere.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Final
from uuid import UUID

from chassis.postgres import Connection
from messaging.core.adapters.ending_store import HAS_ENDED
from operations.invariants import Check, Finding, run_checks, snapshot

SAMPLE: Final = 1_000
ROWS_EACH_MAX: Final = 20_000
_SAMPLE: Final = """
    sample AS MATERIALIZED (
        SELECT dialog_id, pair_key, member_count, last_seq, last_message_no, oldest_seq AS kept_seq,
               greatest(oldest_seq, last_seq - $2::bigint + 1) AS oldest_seq
        FROM (
            (SELECT * FROM dialog ORDER BY dialog_id DESC LIMIT $1::integer)
            UNION
            (SELECT * FROM dialog WHERE dialog_id >= $3::uuid ORDER BY dialog_id LIMIT $1::integer)
        ) AS both_kinds
    )
"""
_STREAM: Final = """
    SELECT s.dialog_id, x.seq, x.created_at, s.oldest_seq, s.last_seq FROM sample s CROSS JOIN LATERAL (
        SELECT seq, created_at FROM message WHERE dialog_id = s.dialog_id AND seq >= s.oldest_seq
        UNION ALL SELECT seq, created_at FROM change WHERE dialog_id = s.dialog_id AND seq >= s.oldest_seq) AS x
"""
CHECKS: Final = (
    Check(
        "MSG-1",
        "the seqs of messages and changes are oldest_seq … last_seq, each once",
        f"""SELECT s.dialog_id || ': ' || count(x.seq) || ' of ' || (s.last_seq - s.oldest_seq + 1)
            FROM sample s LEFT JOIN ({_STREAM}) AS x USING (dialog_id)
            GROUP BY s.dialog_id, s.last_seq, s.oldest_seq
            HAVING count(x.seq) <> s.last_seq - s.oldest_seq + 1
                OR count(DISTINCT x.seq) <> s.last_seq - s.oldest_seq + 1
                OR max(x.seq) IS DISTINCT FROM CASE WHEN s.last_seq >= s.oldest_seq THEN s.last_seq END""",
    ),
    Check(
        "MSG-1",
        "times never go back within a dialog",
        f"""SELECT dialog_id || ' ' || seq FROM (
                SELECT dialog_id, seq, created_at, lag(created_at) OVER (PARTITION BY dialog_id ORDER BY seq) AS before
                FROM ({_STREAM}) AS x) AS ordered WHERE created_at < before""",
    ),
    Check(
        "MSG-2",
        "message_no counts messages by seq up to last_message_no",
        """SELECT dialog_id || ' ' || seq FROM (
               SELECT s.dialog_id, m.seq, m.message_no, s.last_message_no,
                      lead(m.message_no) OVER w AS next_no
               FROM sample s JOIN message m ON m.dialog_id = s.dialog_id AND m.seq >= s.oldest_seq
               WINDOW w AS (PARTITION BY s.dialog_id ORDER BY m.seq)) AS counted
           WHERE coalesce(next_no, last_message_no + 1) <> message_no + 1""",
    ),
    Check(
        "MSG-3",
        "a client_message_id leads to its message",
        """SELECT p.dialog_id || ' ' || p.seq FROM sample s JOIN sent_message p USING (dialog_id)
           LEFT JOIN message m ON m.dialog_id = p.dialog_id AND m.seq = p.seq
           WHERE p.seq >= s.oldest_seq AND (m.client_message_id IS DISTINCT FROM p.client_message_id
                                            OR m.sender_id IS DISTINCT FROM p.sender_id)""",
    ),
    Check(
        "MSG-3",
        "a sender's client_message_id has one message in a dialog",
        """SELECT m.dialog_id || ' ' || m.client_message_id FROM sample s JOIN message m USING (dialog_id)
           WHERE m.client_message_id IS NOT NULL GROUP BY m.dialog_id, m.sender_id, m.client_message_id
           HAVING count(*) > 1""",
    ),
    Check(
        "MSG-4",
        "who is erased has no key, and nobody who is not has lost theirs",
        """SELECT a.user_id::text FROM account a JOIN person_key k USING (user_id)
           WHERE (a.erased_at IS NULL) <> (k.shredded_at IS NULL)""",
    ),
    Check(
        "MSG-4",
        "every sender has a key, or had one",
        """SELECT DISTINCT m.sender_id::text FROM sample s JOIN message m USING (dialog_id)
           LEFT JOIN person_key k ON k.user_id = m.sender_id
           WHERE m.sender_id IS NOT NULL AND m.content IS NOT NULL AND k.user_id IS NULL""",
    ),
    Check(
        "MSG-14",
        "what is sealed is long enough to have been sealed",
        """SELECT 'key ' || user_id FROM (SELECT * FROM person_key ORDER BY user_id DESC LIMIT $1) AS k
           WHERE octet_length(wrapped_key) <> 60
           UNION ALL SELECT s.dialog_id || ' ' || m.seq FROM sample s JOIN message m USING (dialog_id)
           WHERE m.seq >= s.oldest_seq AND octet_length(m.content) BETWEEN 1 AND 29
           UNION ALL SELECT 'scheduled ' || scheduled_id FROM scheduled_message
           WHERE status = 'pending' AND octet_length(body) < 30""",
    ),
    Check(
        "MSG-14",
        "changes, forwards, permissions and what cards show are JSON objects",
        """SELECT s.dialog_id || ' ' || c.seq FROM sample s JOIN change c USING (dialog_id)
           WHERE c.seq >= s.oldest_seq AND jsonb_typeof(c.payload) <> 'object'
           UNION ALL SELECT s.dialog_id || ' ' || m.seq FROM sample s JOIN message m USING (dialog_id)
           WHERE m.seq >= s.oldest_seq AND jsonb_typeof(m.forward) <> 'object'
           UNION ALL SELECT d.dialog_id::text FROM sample s JOIN dialog d USING (dialog_id)
           WHERE jsonb_typeof(d.permissions) <> 'object'
           UNION ALL SELECT e.entity_type || ' ' || e.entity_id
           FROM (SELECT * FROM entity ORDER BY entity_type DESC, entity_id DESC LIMIT $1) AS e
           WHERE jsonb_typeof(e.state) <> 'object'
           UNION ALL SELECT c.user_id || ' ' || c.account_seq
           FROM (SELECT user_id FROM account ORDER BY user_id DESC LIMIT $1) AS a JOIN account_change c USING (user_id)
           WHERE jsonb_typeof(c.payload) <> 'object'""",
    ),
    Check(
        "MSG-5",
        "a dialog of two has at most two members, who are its pair",
        """SELECT d.dialog_id::text FROM sample d JOIN member m USING (dialog_id)
           WHERE d.pair_key IS NOT NULL AND position(m.user_id::text IN d.pair_key) = 0""",
    ),
    Check(
        "MSG-7",
        "member_count counts those who are in",
        """SELECT d.dialog_id::text FROM sample d WHERE d.member_count <> (
               SELECT count(*) FROM member m WHERE m.dialog_id = d.dialog_id AND m.status IN ('active', 'muted'))""",
    ),
    Check(
        "MSG-7",
        "nobody has read or joined beyond the end",
        """SELECT m.dialog_id || ' ' || m.user_id FROM sample d JOIN member m USING (dialog_id)
           WHERE m.read_seq > d.last_seq OR m.delivered_seq > d.last_seq OR m.read_message_no > d.last_message_no
              OR m.joined_seq > d.last_seq + 1""",
    ),
    Check(
        "MSG-8",
        "an ended membership ended within the dialog",
        """SELECT m.dialog_id || ' ' || m.user_id FROM sample d JOIN member m USING (dialog_id)
           WHERE m.ended_seq > d.last_seq""",
    ),
    Check(
        "MSG-9",
        "an invite was not used more often than it allows",
        "SELECT invite_id::text FROM invite WHERE uses > uses_max",
    ),
    Check(
        "MSG-10",
        "what is deleted has no content, no reactions, no votes, no mentions",
        """SELECT m.dialog_id || ' ' || m.seq FROM sample s JOIN message m USING (dialog_id)
           WHERE m.deleted_at IS NOT NULL AND (m.content IS NOT NULL
               OR EXISTS (SELECT FROM reaction r WHERE r.dialog_id = m.dialog_id AND r.seq = m.seq)
               OR EXISTS (SELECT FROM poll_vote v WHERE v.dialog_id = m.dialog_id AND v.seq = m.seq)
               OR EXISTS (SELECT FROM message_revision v WHERE v.dialog_id = m.dialog_id AND v.seq = m.seq))""",
    ),
    Check(
        "MSG-10",
        "reactions, pins, polls and votes hang on a message",
        """SELECT h.kind || ' ' || h.dialog_id || ' ' || h.seq FROM sample s JOIN (
               SELECT 'reaction' AS kind, dialog_id, seq FROM reaction
               UNION ALL SELECT 'pin', dialog_id, seq FROM pinned_message
               UNION ALL SELECT 'poll', dialog_id, seq FROM poll
               UNION ALL SELECT 'vote', dialog_id, seq FROM poll_vote) AS h USING (dialog_id)
           LEFT JOIN message m ON m.dialog_id = h.dialog_id AND m.seq = h.seq
           WHERE m.seq IS NULL AND h.seq >= s.oldest_seq""",
    ),
    Check(
        "MSG-11",
        "a person's account_seqs are oldest … last, each once",
        """SELECT a.user_id::text FROM (SELECT * FROM account WHERE erased_at IS NULL AND last_account_seq > 0
                                        ORDER BY user_id DESC LIMIT $1) AS a
           LEFT JOIN account_change c ON c.user_id = a.user_id AND c.account_seq >= a.oldest_account_seq
           GROUP BY a.user_id, a.last_account_seq, a.oldest_account_seq
           HAVING count(c.account_seq) <> a.last_account_seq - a.oldest_account_seq + 1""",
    ),
    Check(
        "MSG-13",
        "a dialog of many has exactly one owner, a person, while any person is in it",
        f"""SELECT s.dialog_id::text FROM sample s JOIN dialog d USING (dialog_id) CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE m.role = 'owner') AS owners,
                       count(*) FILTER (WHERE m.role = 'owner' AND coalesce(a.is_bot, false)) AS bots,
                       bool_or(NOT coalesce(a.is_bot OR {HAS_ENDED}, false)) AS people
                FROM member m LEFT JOIN account a USING (user_id)
                WHERE m.dialog_id = d.dialog_id AND m.status IN ('active', 'muted')) AS here
            WHERE (d.kind IN ('group', 'channel') OR d.entity_type = 'product')
              AND here.people AND (here.owners <> 1 OR here.bots > 0)""",
    ),
    Check(
        "ACT-1",
        "a message is in a person's activity feed once, and a call for all has no calls of roles beside it",
        """SELECT a.user_id || ' ' || a.dialog_id || ' ' || a.seq FROM sample s JOIN activity a USING (dialog_id)
           WHERE a.seq >= s.oldest_seq AND a.type IN ('mention', 'reply')
           GROUP BY a.user_id, a.dialog_id, a.seq HAVING count(*) > 1
           UNION ALL
           SELECT f.dialog_id || ' ' || f.seq FROM sample s JOIN activity_for_all f USING (dialog_id)
           GROUP BY f.dialog_id, f.seq HAVING count(*) > 1 AND bool_or(f.target = '@all')""",
    ),
    Check(
        "RET-1",
        "nobody has unread what nobody can read",
        """SELECT m.dialog_id || ' ' || m.user_id FROM sample d JOIN member m USING (dialog_id)
           WHERE m.status IN ('active', 'muted') AND m.read_seq < d.kept_seq - 1
             AND NOT EXISTS (SELECT FROM message x WHERE x.dialog_id = d.dialog_id AND x.seq < d.kept_seq)""",
    ),
    Check(
        "RET-2",
        "messages of months to come are not in the default partition",
        """SELECT dialog_id || ' ' || seq FROM message_default
           WHERE created_at > now() - interval '1 month' LIMIT 5""",
    ),
    Check(
        "ERA-1",
        "an erasure that ended left no own rows",
        """SELECT e.user_id::text FROM person_erasure e WHERE e.finished_at IS NOT NULL AND (
               EXISTS (SELECT FROM draft d WHERE d.user_id = e.user_id)
               OR EXISTS (SELECT FROM scheduled_message s WHERE s.user_id = e.user_id)
               OR EXISTS (SELECT FROM member m WHERE m.user_id = e.user_id AND m.status IN ('active', 'muted'))
               OR NOT EXISTS (SELECT FROM person_key k WHERE k.user_id = e.user_id AND k.wrapped_key IS NULL))""",
    ),
    Check(
        "END-1",
        "an account that ended minutes ago is in no dialog, and nothing of it is alive or to come",
        """SELECT e.user_id::text FROM account_ending e WHERE e.requested_at < now() - interval '5 minutes' AND (
               EXISTS (SELECT FROM member m WHERE m.user_id = e.user_id AND m.status IN ('active', 'muted'))
               OR EXISTS (SELECT FROM bot b WHERE b.owner_id = e.user_id AND b.deleted_at IS NULL)
               OR EXISTS (SELECT FROM join_request j WHERE j.user_id = e.user_id AND j.status = 'pending')
               OR EXISTS (SELECT FROM scheduled_message s WHERE s.user_id = e.user_id AND s.status = 'pending'))""",
    ),
    Check(
        "SRCH-1",
        "each indexed message is within its stretch's time",
        """SELECT e.dialog_id || ' ' || e.seq FROM sample s JOIN search_entry e USING (dialog_id)
           LEFT JOIN search_stretch t ON t.dialog_id = e.dialog_id AND t.stretch = e.seq / 8192
           WHERE t.dialog_id IS NULL OR e.created_at NOT BETWEEN t.first_at AND t.last_at""",
    ),
    Check(
        "SRCH-2",
        "every message older than a minute that can be read is in the index",
        """SELECT m.dialog_id || ' ' || m.seq FROM sample s JOIN message m USING (dialog_id)
           JOIN person_key k ON k.user_id = m.sender_id AND k.wrapped_key IS NOT NULL
           WHERE m.seq >= s.oldest_seq AND m.content IS NOT NULL AND m.created_at < now() - interval '1 minute'
             AND NOT EXISTS (SELECT FROM search_entry e WHERE e.dialog_id = m.dialog_id AND e.seq = m.seq)""",
    ),
)


async def audit(conn: Connection, *, sample: int = SAMPLE) -> list[Finding]:
    """Run every check in one snapshot, on the newest ``sample`` dialogs and on as many by chance."""
    async with snapshot(conn):
        await conn.execute("SET LOCAL sampan.workspace_id = '*'")
        values = (sample, ROWS_EACH_MAX, await somewhere(conn, "dialog", "dialog_id"))
        return await run_checks(
            conn, [replace(check, sql=f"WITH {_SAMPLE} {check.sql}", values=values) for check in CHECKS]
        )


async def somewhere(conn: Connection, table: str, column: str) -> UUID:
    """A place among the ids of a table, all of them alike likely in time."""
    first = await conn.fetchval(f"SELECT {column} FROM {table} ORDER BY {column} LIMIT 1") or UUID(int=0)
    last = await conn.fetchval(f"SELECT {column} FROM {table} ORDER BY {column} DESC LIMIT 1") or UUID(int=0)
    return UUID(int=first.int + secrets.randbelow(last.int - first.int + 1))
