"""The ledger's rows: locked and read, decided in the domain (``payment.domain.book``), and written.

Called by the consumer with a poll's commands and by jobs, inside their transaction; by the flusher with what HTTP
callers submitted, as a transaction of its own. Once per transaction: that is what keeps the lock order (accounts by id,
then holds by id) and so excludes deadlocks. A locked row is what its last owner committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

from chassis.postgres import Connection
from chassis.writes import Write, write_later
from kernel.rows import object_of
from payment.adapters.account_reads import ACCOUNT_COLUMNS, standings_of
from payment.adapters.ledger_writes import ALWAYS, writes_of
from payment.domain.accounts import SystemAccount
from payment.domain.book import Answered, Book
from payment.domain.hold import Hold, HoldState
from payment.domain.ids import AccountId, HoldId, TransferId
from payment.domain.ledger import HoldOp, Op, OpOfItsOwn
from payment.domain.ledger_account import LedgerAccount
from payment.domain.outcome import Answer, HoldFacts, Outcome
from payment.domain.rules import accounts_named, apply, system_accounts_of

_ADD_SYSTEM: Final = """
    INSERT INTO account (id, kind, name, currency, slot, user_id, created_at)
    SELECT new.*, $7 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::uuid[])
        AS new (id, kind, name, currency, slot, user_id)
    WHERE NOT EXISTS (SELECT 1 FROM account WHERE account.id = new.id)
    ORDER BY new.id ON CONFLICT DO NOTHING RETURNING id
"""
_ACCOUNT: Final = f"SELECT {ACCOUNT_COLUMNS} FROM account"
_LOCK_ACCOUNTS: Final = f"{_ACCOUNT} WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
_LOCK_ACCOUNTS_OF_HOLDS: Final = f"""
    {_ACCOUNT} WHERE id = ANY ($1::uuid[] || ARRAY(
        SELECT unnest(ARRAY[account_id, clearing_id]) FROM hold WHERE id = ANY ($2::uuid[]) AND account_id IS NOT NULL))
    ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_HOLDS: Final = """
    SELECT id AS hold_id, checkout_id, user_id, account_id, clearing_id, amount_minor,
           coalesce(currency, '') AS currency, state, captured_minor, version, spend_day, expires_at, created_at
    FROM hold WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
_ANSWERED: Final = """
    SELECT id, 0::smallint AS outcome, request_hash, at FROM transfer WHERE id = ANY ($1::uuid[])
    UNION ALL
    SELECT op_id, outcome, request_hash, at FROM refusal WHERE op_id = ANY ($1::uuid[])
"""
_OUTCOMES: Final = {int(outcome): outcome for outcome in Outcome}
Also = Callable[[Sequence[Answer]], Iterable[Write]]
KNOWN_MAX: Final = 10_000


class LedgerStore:
    """Applies operations; posts to system accounts in its own slot."""

    def __init__(self, slot: int) -> None:
        self._slot = slot
        self._known: set[AccountId] = set()  # system accounts that are committed

    async def execute(
        self, conn: Connection, ops: Sequence[Op], *, now: datetime, also: Also | None = None
    ) -> list[Answer]:
        """Apply the operations in order, in the connection's transaction; one answer each.

        A refused operation changes nothing and the others go on. A repeated one gets its first answer. ``also`` makes
        of the answers what is written together with them. Raises only for what concerns the whole batch: a lost
        connection, a deadlock, an operation the database cannot take.
        """
        if not ops:
            return []
        book = await self._open(conn, ops, now)
        answers = [apply(op, book) for op in ops]
        writes = [*writes_of(book, now), *(also(answers) if also else ())]
        if writes:
            await write_later(conn, [ALWAYS, *writes])
        return answers

    async def _open(self, conn: Connection, ops: Sequence[Op], now: datetime) -> Book:
        """Lock what the operations name and read it."""
        hold_ids = sorted({op.hold_id for op in ops if isinstance(op, HoldOp)})
        ours = {each.id: each for op in ops for each in system_accounts_of(op, self._slot)}
        added = await self._add_missing(conn, ours, now)
        accounts = await self._lock_accounts(conn, ours.keys() | accounts_named(ops), hold_ids)
        if len(self._known) > KNOWN_MAX:  # every seller has one
            self._known.clear()
        self._known.update(ours.keys() - added)
        holds = await self._lock_holds(conn, hold_ids, accounts) if hold_ids else {}
        answered = await self._answered(conn, [op.op_id for op in ops if isinstance(op, OpOfItsOwn)])
        book = Book(accounts, holds, answered, slot=self._slot, now=now)
        book.bring_up_to_date(await standings_of(conn, accounts.values(), now))
        return book

    async def _add_missing(
        self, conn: Connection, ours: dict[AccountId, SystemAccount], now: datetime
    ) -> set[AccountId]:
        """Before any lock is taken. Which were added, and so may yet be rolled back."""
        missing = [account for account_id, account in ours.items() if account_id not in self._known]
        if not missing:
            return set()
        columns = ([getattr(each, name) for each in missing] for name in SystemAccount.__slots__)
        return {row["id"] for row in await conn.fetch(_ADD_SYSTEM, *columns, now)}

    async def _lock_accounts(
        self, conn: Connection, account_ids: Iterable[AccountId], hold_ids: Sequence[HoldId]
    ) -> dict[AccountId, LedgerAccount]:
        if hold_ids:
            rows = await conn.fetch(_LOCK_ACCOUNTS_OF_HOLDS, list(account_ids), hold_ids)
        else:
            rows = await conn.fetch(_LOCK_ACCOUNTS, list(account_ids))
        return {account.id: account for account in (LedgerAccount(*row) for row in rows)}

    async def _lock_holds(
        self, conn: Connection, hold_ids: Sequence[HoldId], accounts: dict[AccountId, LedgerAccount]
    ) -> dict[HoldId, Hold]:
        holds = {row["hold_id"]: _hold(row) for row in await conn.fetch(_LOCK_HOLDS, hold_ids)}
        named = {each for hold in holds.values() for each in (hold.facts.account_id, hold.facts.clearing_id) if each}
        if not named <= accounts.keys():
            raise asyncpg.SerializationError("a hold appeared while the batch waited")
        return holds

    async def _answered(self, conn: Connection, op_ids: Sequence[TransferId]) -> dict[TransferId, Answered]:
        """After the locks: whoever had them before has committed its answers."""
        if not op_ids:
            return {}
        return {
            row["id"]: Answered(_OUTCOMES[row["outcome"]], row["request_hash"], row["at"])
            for row in await conn.fetch(_ANSWERED, op_ids)
        }


def _hold(row: Any) -> Hold:
    return Hold(
        facts=object_of(HoldFacts, row),
        state=HoldState(row["state"]),
        captured_minor=row["captured_minor"],
        version=row["version"],
        spend_day=row["spend_day"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        is_new=False,
    )
