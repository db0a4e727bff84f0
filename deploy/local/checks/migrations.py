"""Renders each service's migrations to SQL, without a database, and looks for what would block a live one, or stick.

squawk looks for locks; a first migration makes a schema nobody uses yet, where it has nothing to say. A migration that
leaves its transaction may stop half-way: what it did before stays, and its version is not written down. So each of its
statements can be run twice.
"""

from __future__ import annotations

import importlib.util
import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from checks.check import CHECKOUT

SQUAWK = CHECKOUT / ".venv" / "bin" / "squawk"
POSTGRES = "15.0"
ALWAYS_EXCLUDED = (
    "prefer-bigint-over-smallint",  # ids and money are bigint; attempts, quantities and lanes stay small
    "prefer-bigint-over-int",
    "prefer-robust-stmts",  # each migration is one transaction, under an advisory lock
    "require-timeout-settings",  # the chassis sets lock_timeout for every migration
    "transaction-nesting",  # autocommit_block leaves the migration's transaction on purpose
    "ban-uncommitted-transaction",
)
_KINDS = r"(?:TABLE|SEQUENCE|TYPE|POLICY|TRIGGER|CONSTRAINT|COLUMN|INDEX(?: CONCURRENTLY)?)"
_DROPPED = re.compile(rf"\bDROP {_KINDS} (?P<guard>IF EXISTS )?(?P<name>\w+)", re.IGNORECASE)
_MADE = re.compile(rf"\b(?:CREATE|CREATE UNIQUE|ADD) {_KINDS} (?P<guard>IF NOT EXISTS )?(?P<name>\w+)", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*")
EXCLUDED_IN_FIRST = (
    "require-concurrent-index-creation",
    "constraint-missing-not-valid",
    "adding-foreign-key-constraint",
)


def main() -> int:
    failed = False
    for path in sorted((CHECKOUT / "services").glob("*/migrations/versions/*.py")):
        migration = _load(path)
        first = migration.down_revision is None
        for fault in faults_of_half_done(path.read_text(encoding="utf-8"), migration):
            failed = True
            print(f"{path.relative_to(CHECKOUT)}: {fault}")
        result = _squawk(path, _sql_of(migration.upgrade), (*ALWAYS_EXCLUDED, *(EXCLUDED_IN_FIRST if first else ())))
        if result.returncode != 0:
            failed = True
            print(f"{path.relative_to(CHECKOUT)}\n{result.stdout}{result.stderr}")
    return 1 if failed else 0


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"migration_{path.parents[2].name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        message = f"{path} cannot be imported"
        raise ImportError(message)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faults_of_half_done(source: str, migration: ModuleType) -> Iterator[str]:
    """Statements that would fail the second time; none of a migration that is one transaction."""
    if "autocommit_block" not in source:
        return
    for step in (migration.upgrade, migration.downgrade):
        yield from statements_done_once(_sql_of(step))


def statements_done_once(sql: str) -> Iterator[str]:
    """Those that make what is there already, or drop what is gone, without saying IF (NOT) EXISTS."""
    gone: set[str] = set()
    for statement in (" ".join(_COMMENT.sub("", each).split()) for each in sql.split(";")):
        gone |= {match["name"] for match in _DROPPED.finditer(statement) if match["guard"]}
        twice = all(match["guard"] for match in _DROPPED.finditer(statement))
        twice &= all(match["guard"] or match["name"] in gone for match in _MADE.finditer(statement))
        if not twice:
            yield f"cannot be run twice: {statement[:120]}"


def _sql_of(step: Callable[[], None]) -> str:
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer, "literal_binds": True}
    )
    with Operations.context(context):
        step()
    return buffer.getvalue()


def _squawk(path: Path, sql: str, excluded: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        rendered = Path(folder) / f"{path.parents[2].name}-{path.stem}.sql"
        rendered.write_text(sql, encoding="utf-8")
        return subprocess.run(
            [
                str(SQUAWK),
                "--assume-in-transaction",
                "--reporter",
                "gcc",
                "--pg-version",
                POSTGRES,
                "--exclude",
                ",".join(excluded),
                str(rendered),
            ],
            check=False,
            capture_output=True,
            text=True,
        )


if __name__ == "__main__":
    sys.exit(main())
