"""Idempotency keys: the claim, the effect and the answer in one transaction (ADR 0006).

Invariant: for one (subject, route, key) at most one answer is ever given. Two at once: the second is told so. The
advisory lock makes that quick; the primary key makes it certain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from chassis.errors import IdempotencyInFlightError, IdempotencyKeyReusedError
from chassis.writes import Write, write_later
from kernel.rows import rows_affected

REPLAYED_HEADER: Final = "Idempotency-Replayed"  # on every answer that is an earlier one again, refusals too
KEEP_HOURS: Final = 48
KEEP_HOURS_MIN: Final = 24
FORGET_ROWS: Final = 5_000

_LOOK: Final = """
SELECT pg_try_advisory_xact_lock($1) AS locked, k.fingerprint, k.status, k.content_type, k.headers, k.body
FROM (SELECT 1) AS one LEFT JOIN idempotency_key k ON (k.subject, k.route, k.key) = ($2, $3, $4)
"""
_STORE: Final = """
INSERT INTO idempotency_key (subject, route, key, fingerprint, status, content_type, headers, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


def upgrade(schema: str) -> list[str]:
    """SQL for a service's first migration."""
    return [
        f"""
        CREATE TABLE {schema}.idempotency_key (
            subject      text NOT NULL,
            route        text NOT NULL,
            key          text NOT NULL,
            fingerprint  bytea NOT NULL,
            status       smallint NOT NULL,
            content_type text NOT NULL,
            headers      jsonb NOT NULL,
            body         bytea NOT NULL,
            created_at   timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (subject, route, key)
        )
        """,
        f"CREATE INDEX idempotency_key_created_at ON {schema}.idempotency_key (created_at)",
    ]


def downgrade(schema: str) -> list[str]:
    """Statements that remove what ``upgrade`` made."""
    return [f"DROP TABLE {schema}.idempotency_key"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of a key: whose, on which route, for which request."""

    subject: str
    route: str
    key: str
    fingerprint: bytes

    @property
    def lock(self) -> int:
        """Number of the advisory lock: 64 bits of a hash."""
        name = f"{self.subject}\0{self.route}\0{self.key}".encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered the first time."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes


def fingerprint_of(*parts: bytes) -> bytes:
    """A digest that tells one request from another."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


async def look(conn: asyncpg.Connection, claim: Claim) -> StoredAnswer | None:
    """The stored answer; None when the key is new, and now locked until this transaction ends.

    Raises ``IdempotencyInFlightError`` and ``IdempotencyKeyReusedError``.
    """
    row = await conn.fetchrow(_LOOK, claim.lock, claim.subject, claim.route, claim.key)
    assert row is not None  # noqa: S101 -- the left join has one row
    if row["status"] is not None:
        return _stored(row, claim)
    if not row["locked"]:
        raise IdempotencyInFlightError("wait for its answer, then repeat with the same key", retry_after_s=1)
    return None


async def store(conn: asyncpg.Connection, claim: Claim, answer: StoredAnswer) -> None:
    """Keep the answer with its effect, at the end of the transaction: ``taken`` is around it."""
    values = [
        claim.subject,
        claim.route,
        claim.key,
        claim.fingerprint,
        answer.status,
        answer.content_type,
        dict(answer.headers),
        answer.body,
    ]
    await write_later(conn, [Write(_STORE, values)])


@contextmanager
def taken() -> Iterator[None]:
    """Raises ``KeyTakenError`` where another transaction was the first to store an answer for the key."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if error.table_name == "idempotency_key":
            raise KeyTakenError from None
        raise


async def settle_refusal(conn: asyncpg.Connection, claim: Claim, answer: StoredAnswer) -> StoredAnswer | None:
    """Keep a refusal, in a transaction after the one that was rolled back.

    Waits for a request with the same key that slipped in between. Returns its answer if it has one: the key's
    answer is the stored one.
    """
    await conn.execute("SELECT pg_advisory_xact_lock($1)", claim.lock)
    stored = await look(conn, claim)
    if stored is None:
        await store(conn, claim, answer)
    return stored


async def forget_old(conn: asyncpg.Connection, *, keep_hours: int = KEEP_HOURS) -> int:
    """Delete keys older than ``keep_hours`` (at least 24), a few thousand at a time. Returns how many went."""
    if keep_hours < KEEP_HOURS_MIN:
        raise ValueError(f"keys are kept for at least {KEEP_HOURS_MIN} hours")
    status: str = await conn.execute(
        """
        DELETE FROM idempotency_key WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM idempotency_key WHERE created_at < now() - make_interval(hours => $1) LIMIT $2
        ))
        """,
        keep_hours,
        FORGET_ROWS,
    )
    return rows_affected(status)


class KeyTakenError(Exception):
    """Another transaction stored an answer for this key first."""


def _stored(row: Any, claim: Claim) -> StoredAnswer:
    if row["fingerprint"] != claim.fingerprint:
        raise IdempotencyKeyReusedError("the key belongs to another request; use a new key for each new request")
    return StoredAnswer(row["status"], row["content_type"], row["headers"], row["body"])
