"""Transactions that begin with settings, in the one round trip that BEGIN takes anyway, and writes that wait.

Writes that wait (``chassis.writes``) are written before whatever is asked next of the connection, a commit too.

Invariant: to asyncpg it is its own outermost transaction, so a ``transaction()`` inside is a savepoint. ``start`` keeps
asyncpg's books itself, because asyncpg sends a BEGIN of its own wording; the tests nest, fail and cancel blocks.
"""

# ruff: noqa: SLF001 -- Transaction.start, with a BEGIN of our own
from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import asyncpg
from asyncpg.transaction import Transaction, TransactionState

from chassis.writes import Write, joined, may_be_one_statement


class OpeningConnection(asyncpg.Connection):
    """A connection of a pool."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._waiting: list[Write] = []

    def opening(self, settings: str, *, readonly: bool = False) -> OpeningTransaction:
        """A block whose transaction begins with ``settings``, which are SQL: never text from outside."""
        return OpeningTransaction(self, settings, readonly=readonly)

    async def later(self, writes: Sequence[Write]) -> None:
        """Keep the writes until something else is asked; outside a transaction, write them."""
        self._waiting = [*await self.take_waiting(writes), *writes]
        if not self.is_in_transaction():
            await self.write_waiting()

    async def take_waiting(self, writes: Sequence[Write]) -> Sequence[Write]:
        """What waits, to be written in one statement with ``writes``; where that cannot be, it is written first."""
        if self._waiting and not may_be_one_statement(self._waiting, writes):
            await self.write_waiting()
        waiting, self._waiting = self._waiting, []
        return waiting

    async def write_waiting(self) -> None:
        """Nothing waits any more."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            sql, values = joined(waiting)
            await super().execute(sql, *values)

    def forget_waiting(self) -> None:
        """What waits is not written."""
        self._waiting = []

    async def execute(self, query: str, *arguments: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        if self._waiting:
            if query.startswith("ROLLBACK"):
                self.forget_waiting()
            elif query.startswith("COMMIT"):
                await self._write_or("ROLLBACK")
            elif query.startswith("RELEASE SAVEPOINT"):
                await self._write_or(query.replace("RELEASE SAVEPOINT", "ROLLBACK TO"))
            else:
                await self.write_waiting()
        return await super().execute(query, *arguments, timeout=timeout)

    async def _write_or(self, roll_back: str) -> None:
        """asyncpg takes an end that fails for the end of the block, and sends nothing more."""
        try:
            await self.write_waiting()
        except BaseException:
            with contextlib.suppress(asyncpg.InterfaceError, asyncpg.PostgresError, OSError):
                await super().execute(roll_back)
            raise

    async def executemany(self, *arguments: Any, **more: Any) -> None:
        await self.write_waiting()
        return await super().executemany(*arguments, **more)

    async def fetch(self, *arguments: Any, **more: Any) -> Any:
        await self.write_waiting()
        return await super().fetch(*arguments, **more)

    async def fetchrow(self, *arguments: Any, **more: Any) -> Any:
        await self.write_waiting()
        return await super().fetchrow(*arguments, **more)

    async def fetchval(self, *arguments: Any, **more: Any) -> Any:
        await self.write_waiting()
        return await super().fetchval(*arguments, **more)

    async def prepare(self, *arguments: Any, **more: Any) -> Any:
        await self.write_waiting()
        return await super().prepare(*arguments, **more)

    def cursor(self, *arguments: Any, **more: Any) -> Any:
        if self._waiting:
            raise asyncpg.InterfaceError("writes wait, and a cursor cannot wait for them")
        return super().cursor(*arguments, **more)


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
