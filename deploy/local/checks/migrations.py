"""Renders each service's migrations to SQL, without a database, and has squawk look for what would block a live one.

A first migration makes a schema nobody uses yet: there, rules about locks on live tables have nothing to say.
"""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import tempfile
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
        result = _squawk(path, _sql_of(migration), (*ALWAYS_EXCLUDED, *(EXCLUDED_IN_FIRST if first else ())))
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


def _sql_of(migration: ModuleType) -> str:
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer, "literal_binds": True}
    )
    with Operations.context(context):
        migration.upgrade()
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
