"""What a service's runtime role may do in its schema, which belongs to another role: the owner, who migrates.

Invariant ISO: the role a process serves with owns nothing. It cannot change a table, truncate it, drop it or turn its
row-level security off, and a table that is only added to can only be added to. Whatever the job needs beyond that is a
function with the owner's rights that does one narrow thing.

``apply`` runs after every migration, up and down, and changes only what differs. It leaves a function in the schema,
``missing_rights()``, that names what of all this was taken since: readiness asks it. A service says what is special
about its tables in ``migrations/env.py``::

    run(Rights(append_only=("posting", "transfer"), owner_functions=("ensure_months",)))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from chassis.outages import NotReadyError

VERSION_TABLE: Final = "alembic_version"
MISSING_RIGHTS: Final = "missing_rights"
_TOLD_MAX: Final = 5
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
_CALLED: Final = """
    SELECT p.proname AS name, p.oid::regprocedure::text AS signature,
           EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = $2::text::regrole) AS granted
    FROM pg_proc p
    WHERE p.pronamespace = $1::text::regnamespace AND p.prorettype <> 'trigger'::regtype
    ORDER BY signature
"""
_USABLE: Final = "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1"


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


class MissingRightsError(NotReadyError):
    """The role that serves may not do what it was given to do."""

    def __init__(self, missing: Sequence[str]) -> None:
        more = f" and {len(missing) - _TOLD_MAX} more" if len(missing) > _TOLD_MAX else ""
        super().__init__(f"the role that serves lacks {', '.join(missing[:_TOLD_MAX])}{more}")


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
        of_runtime = f'"{schema}"', f'"{runtime}"'
        given: list[tuple[str, str]] = []
        for row in await owner.fetch(_RELATIONS, *of_runtime):
            name = f'"{schema}"."{row["name"]}"'
            if row["is_sequence"]:
                wanted = frozenset({"USAGE"})
                await _change(owner, f"SEQUENCE {name}", runtime, row["held"], wanted)
            else:
                hidden = row["is_partition"] and row["name"] not in rights.partitions
                wanted = _NOTHING if hidden else rights.of(row["name"])
                await _change(owner, f"TABLE {name}", runtime, row["held"], wanted)
            given += [(row["name"], privilege) for privilege in sorted(wanted)]
        for name, statement in rights.functions.items():
            await owner.execute(f'DROP FUNCTION IF EXISTS "{schema}"."{name}"' if empty else statement)
        await _lend(owner, schema, runtime, [*rights.owner_functions, *rights.functions])
        called = sorted({row["name"] for row in await owner.fetch(_CALLED, *of_runtime)})
        if empty:
            await owner.execute(f'DROP FUNCTION IF EXISTS "{schema}"."{MISSING_RIGHTS}"()')
        else:
            await owner.execute(_missing_rights(schema, given, called))
        for row in await owner.fetch(_CALLED, *of_runtime):
            if not row["granted"]:  # it calls none by everybody's right: that may be taken, as careful operators do
                await owner.execute(f'GRANT EXECUTE ON FUNCTION {row["signature"]} TO "{runtime}"')


async def missing_rights(conn: asyncpg.Connection[Any] | PoolConnectionProxy[Any], schema: str) -> list[str]:
    """What this connection's role was given by the last migration and does not have; nothing before the first."""
    usable = await conn.fetchval(_USABLE, schema)
    if usable is None:
        return []
    if not usable:
        return [f"USAGE on schema {schema}"]
    try:
        missing: list[str] = await conn.fetchval(f'SELECT "{schema}"."{MISSING_RIGHTS}"()')
    except asyncpg.UndefinedFunctionError:
        return []
    return missing


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


def _missing_rights(schema: str, given: Iterable[tuple[str, str]], called: Iterable[str]) -> str:
    """A function that names what its caller was given and does not have. What was dropped since is not missed."""
    tables = "".join(f", ({_quoted(name)}, {_quoted(privilege)})" for name, privilege in given)
    functions = ", ".join(["NULL", *map(_quoted, called)])
    return f"""
        CREATE OR REPLACE FUNCTION "{schema}"."{MISSING_RIGHTS}"() RETURNS text[] LANGUAGE sql STABLE
        SET search_path = pg_catalog, pg_temp AS $$
            SELECT ARRAY(
                SELECT given.privilege || ' on ' || given.name
                FROM (VALUES (NULL, NULL){tables}) AS given (name, privilege)
                JOIN pg_class c ON c.relname = given.name AND c.relnamespace = '"{schema}"'::regnamespace
                WHERE CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, given.privilege)
                      ELSE NOT has_table_privilege(c.oid, given.privilege) END
                UNION ALL
                SELECT 'EXECUTE on ' || p.proname FROM pg_proc p
                WHERE p.pronamespace = '"{schema}"'::regnamespace AND p.prorettype <> 'trigger'::regtype
                  AND p.proname IN ({functions}) AND NOT has_function_privilege(p.oid, 'EXECUTE')
                ORDER BY 1
            )
        $$
    """


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
