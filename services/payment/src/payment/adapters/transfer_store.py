"""Transfers in two round trips: what they name is read without locks, and written where none of it has changed.

Whether it has is told by who wrote each row last (``xmin``), asked under the locks of ``LedgerStore``, in its order. An
answer that was given before is seen in the table, or, where it was given while this one waits for the locks, by the
rows of its wallets: whoever stores an answer writes those too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from chassis.postgres import Connection
from chassis.writes import Write, write_together
from payment.adapters.account_reads import ACCOUNT_COLUMNS, standings_of
from payment.adapters.ledger_store import Also
from payment.adapters.ledger_writes import MAY_WRITE, whole_numbers, writes_of
from payment.domain.book import Book
from payment.domain.ledger import Transfer
from payment.domain.ledger_account import LedgerAccount
from payment.domain.outcome import Answer
from payment.domain.rules import accounts_named, apply

_READ: Final = f"SELECT xmin, {ACCOUNT_COLUMNS} FROM account WHERE id = ANY ($1::uuid[]) ORDER BY id"
_HELD: Final = "SELECT xmin FROM account WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
_IS_UNCHANGED: Final = """
    SELECT 1 WHERE (SELECT array_agg(xmin) FROM held) = $1::text::xid[]
        AND NOT EXISTS (SELECT FROM transfer WHERE id = ANY ($2::uuid[]))
        AND NOT EXISTS (SELECT FROM refusal WHERE op_id = ANY ($2::uuid[]))
"""
_WRITTEN: Final = Write(f"SELECT FROM {MAY_WRITE}", ())
_NO_SLOT: Final = 0  # transfers move no money of ours


async def swap(conn: Connection, ops: Sequence[Transfer], *, now: datetime, also: Also) -> list[Answer] | None:
    """Apply the transfers in order, and commit them; or None, and nothing was written, where an account was changed
    meanwhile or an answer was given before: ``LedgerStore`` tells what is so then. ``conn`` is in no transaction.
    """
    named = list(accounts_named(ops))
    rows = await conn.fetch(_READ, named)
    accounts = {row["id"]: LedgerAccount(*row[1:]) for row in rows}
    book = Book(accounts, {}, {}, slot=_NO_SLOT, now=now)
    book.bring_up_to_date(await standings_of(conn, accounts.values(), now))
    answers = [apply(op, book) for op in ops]
    seen, op_ids = whole_numbers(row["xmin"] for row in rows), [op.op_id for op in ops]
    held, unchanged = Write(_HELD, [named], "held"), Write(_IS_UNCHANGED, [seen, op_ids], MAY_WRITE)
    written = await write_together(conn, [held, unchanged, *writes_of(book, now), *also(answers), _WRITTEN])
    return answers if written else None
