"""Transactions that begin with settings, in the one round trip that BEGIN takes anyway.

Invariant: to asyncpg it is its own outermost transaction, so a ``transaction()`` inside is a savepoint. ``start`` keeps
asyncpg's books itself, because asyncpg sends a BEGIN of its own wording; the tests nest, fail and cancel blocks.
"""

# ruff: noqa: SLF001 -- Transaction.start, with a BEGIN of our own
from __future__ import annotations

from typing import Any

import asyncpg
from asyncpg.transaction import Transaction, TransactionState


class OpeningConnection(asyncpg.Connection):
    """A connection of a pool."""

    def opening(self, settings: str, *, readonly: bool = False) -> OpeningTransaction:
        """A block whose transaction begins with ``settings``, which are SQL: never text from outside."""
        return OpeningTransaction(self, settings, readonly=readonly)


class OpeningTransaction(Transaction):
    """The outermost transaction of its connection."""

    __slots__ = ("_opening",)

    def __init__(self, connection: Any, settings: str, *, readonly: bool) -> None:
        super().__init__(connection, None, readonly, deferrable=False)
        self._opening = f"BEGIN{' READ ONLY' if readonly else ''}; {settings}"

    async def start(self) -> None:
        books: Any = self
        if books._state is not TransactionState.NEW or books._connection.is_in_transaction():
            raise asyncpg.InterfaceError("a transaction is open already")
        books._connection._top_xact = self
        try:
            await books._connection.execute(self._opening)
        except BaseException:
            books._state = TransactionState.FAILED
            raise
        books._state = TransactionState.STARTED
