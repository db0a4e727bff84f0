"""A service's invariants as queries: each selects what breaks it, and a healthy database answers nothing to all.

They are checked in one snapshot, which takes no lock: writers go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from asyncpg.transaction import Transaction

from chassis.postgres import Connection

_EXAMPLES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One statement of an invariant. ``sql`` selects the rows that break it; its ``$1``, ``$2`` … are ``values``."""

    invariant: str
    statement: str
    sql: str
    values: Sequence[object] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """How many rows break a check, and the first of them as text."""

    check: Check
    count: int
    examples: Sequence[str]


def snapshot(conn: Connection) -> Transaction:
    """All that is read within is of one moment. May be nested."""
    return conn.transaction(isolation="repeatable_read", readonly=True)


async def check_invariants(conn: Connection, checks: Sequence[Check]) -> list[Finding]:
    """Run the checks in one snapshot: a finding for each, also where nothing breaks it."""
    async with snapshot(conn):
        return await run_checks(conn, checks)


async def run_checks(conn: Connection, checks: Sequence[Check]) -> list[Finding]:
    """Run the checks in the caller's transaction."""
    return [await _run(conn, check) for check in checks]


async def count_broken(conn: Connection, checks: Sequence[Check]) -> int:
    """How many of the checks find something, in one snapshot: what ``audit_job`` asks."""
    return len(broken(await check_invariants(conn, checks)))


def broken(findings: Sequence[Finding]) -> list[Finding]:
    """Those that found something."""
    return [finding for finding in findings if finding.count]


def report(findings: Sequence[Finding]) -> str:
    """A table for people."""
    lines = [f"{'invariant':<10} {'broken':>7}  what it says"]
    for finding in findings:
        lines.append(f"{finding.check.invariant:<10} {finding.count:>7}  {finding.check.statement}")
        lines.extend(f"{'':<20}{example}" for example in finding.examples)
    found = broken(findings)
    rows = sum(finding.count for finding in found)
    lines.append(f"{len(findings)} checks, {len(found)} broken: " + (f"{rows} violations" if rows else "all hold"))
    return "\n".join(lines)


async def _run(conn: Connection, check: Check) -> Finding:
    """Whole, and apart from the few that are shown: with a limit on it a query is planned as if those were found at
    once, and takes the square of the rows where none are.
    """
    rows = await conn.fetch(
        f"WITH broken AS MATERIALIZED ({check.sql})"
        f" SELECT (SELECT count(*) FROM broken) AS found, broken.* FROM broken LIMIT {_EXAMPLES_MAX}",
        *check.values,
    )
    return Finding(check, rows[0][0] if rows else 0, [_shown(row) for row in rows])


def _shown(row: Any) -> str:
    """The one column, or all columns by name."""
    columns = list(row.items())[1:]
    return str(columns[0][1]) if len(columns) == 1 else ", ".join(f"{name}={value}" for name, value in columns)
