"""What a service's runtime role may do in its schema, which belongs to another role: the owner, who migrates.

Invariant ISO: the role a process serves with owns nothing. It cannot change a table, truncate it, drop it or turn its
row-level security off, and a table that is only added to can only be added to. Whatever the job needs beyond that is a
function with the owner's rights that does one narrow thing.

``apply`` runs after every migration, up and down, and changes only what differs. A service says what is special about
its tables in ``migrations/env.py``::

    run(Rights(append_only=("posting", "transfer"), owner_functions=("ensure_months",)))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

VERSION_TABLE: Final = "alembic_version"
_EVERYTHING: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_NOTHING: Final[frozenset[str]] = frozenset()

_RELATIONS: Final = """
    SELECT c.relname AS name, c.relkind = 'S' AS is_sequence, c.relispartition AS is_partition,
           ARRAY(SELECT a.privilege_type FROM aclexplode(c.relacl) a WHERE a.grantee = $2::text::regrole) AS held
    FROM pg_class c
    WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i' AND c.relkind = 'S')
    ORDER BY c.relname
"""
_FUNCTIONS: Final = """
    SELECT p.oid::regprocedure::text AS signature
    FROM pg_proc p WHERE p.pronamespace = $1::text::regnamespace AND p.proname = ANY($2::text[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Names of tables by what may happen to their rows; every other row may be read, written and deleted."""

    append_only: tuple[str, ...] = ()
    never_deleted: tuple[str, ...] = ()
    never_changed: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    """Those that are reached by their own names; every other partition is reached through its parent alone."""
    owner_functions: tuple[str, ...] = ()
    """Functions of the migrations that run with the owner's rights, and only for this service."""
    functions: Mapping[str, str] = field(default_factory=dict)
    """More of them, made anew after each migration: the name, and its ``CREATE OR REPLACE FUNCTION``."""

    def of(self, table: str) -> frozenset[str]:
        """What the runtime role holds on a table."""
        if table in self.read_only or table == VERSION_TABLE:
            return frozenset({"SELECT"})
        if table in self.append_only:
            return frozenset({"SELECT", "INSERT"})
        if table in self.never_deleted:
            return _EVERYTHING - {"DELETE"}
        if table in self.never_changed:
            return _EVERYTHING - {"UPDATE"}
        return _EVERYTHING


def role_of(dsn: str) -> str:
    """The role a DSN connects as."""
    return urlsplit(dsn).username or ""


async def apply(
    owner: asyncpg.Connection[Any], schema: str, runtime: str, rights: Rights, *, empty: bool = False
) -> None:
    """Give ``runtime`` what ``rights`` says and take what it does not, in one transaction on the owner's connection.

    ``empty``: the schema was taken down to nothing, so the functions go too.
    """
    async with owner.transaction():
        await owner.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO "{runtime}"')
        for row in await owner.fetch(_RELATIONS, f'"{schema}"', f'"{runtime}"'):
            name = f'"{schema}"."{row["name"]}"'
            if row["is_sequence"]:
                await _change(owner, f"SEQUENCE {name}", runtime, row["held"], frozenset({"USAGE"}))
            else:
                hidden = row["is_partition"] and row["name"] not in rights.partitions
                wanted = _NOTHING if hidden else rights.of(row["name"])
                await _change(owner, f"TABLE {name}", runtime, row["held"], wanted)
        for name, statement in rights.functions.items():
            await owner.execute(f'DROP FUNCTION IF EXISTS "{schema}"."{name}"' if empty else statement)
        await _lend(owner, schema, runtime, [*rights.owner_functions, *rights.functions])


async def _change(
    owner: asyncpg.Connection[Any], what: str, runtime: str, held: Iterable[str], wanted: frozenset[str]
) -> None:
    held = frozenset(held)
    if held - wanted:
        await owner.execute(f'REVOKE {", ".join(sorted(held - wanted))} ON {what} FROM "{runtime}"')
    if wanted - held:
        await owner.execute(f'GRANT {", ".join(sorted(wanted - held))} ON {what} TO "{runtime}"')


async def _lend(owner: asyncpg.Connection[Any], schema: str, runtime: str, functions: Sequence[str]) -> None:
    """Have the functions run as their owner, for this role and nobody else."""
    for row in await owner.fetch(_FUNCTIONS, f'"{schema}"', functions):
        # A caller's search_path or temporary tables must not lead the owner elsewhere.
        await owner.execute(
            f'ALTER FUNCTION {row["signature"]} SECURITY DEFINER SET search_path = "{schema}", public, pg_temp'
        )
        await owner.execute(f"REVOKE ALL ON FUNCTION {row['signature']} FROM PUBLIC")
        await owner.execute(f'GRANT EXECUTE ON FUNCTION {row["signature"]} TO "{runtime}"')
