"""Brings each service's schema to its newest migration, and starts no interpreter when it is there already.

The newest migration is read from the files, the present one from the database; what the service's role may do, which
`migrate` gives it too, by a digest of the files that say it. When they cannot be compared for certain,
`python -m <service> migrate` decides.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from pathlib import Path

from registry import Service
from stack.context import Context
from stack.environment import owner_environment, service_environment
from stack.parts.postgres import DATABASE, binaries, psql
from stack.places import process_places
from stack.run import run_python

RIGHTS_OF_ALL = ("libs/chassis/src/chassis/rights.py", "libs/eventing/src/eventing/tables.py")


def at_head(context: Context, services: Sequence[Service]) -> set[str]:
    """Names of the services whose schema stands at the one head of their migration files."""
    heads = {service.name: file_heads(versions_of(service)) for service in services}
    present = _present_revisions(context, [name for name, head in heads.items() if len(head) == 1])
    given = {service.name for service in services if _given(context, service) == _rights(context, service)}
    return {name for name, revisions in present.items() if revisions == heads[name] and name in given}


def migrate(context: Context, service: Service) -> None:
    places = process_places(context)
    environment = service_environment(service, places) | owner_environment(service, places)
    run_python(context, f"migrate-{service.name}", ("-m", service.name, "migrate"), environment=environment)
    stamp = _stamp(context, service)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(_rights(context, service), encoding="ascii")


def versions_of(service: Service) -> Path:
    return service.root / "migrations" / "versions"


def _rights(context: Context, service: Service) -> str:
    """Digest of the files that say what the service's role may do."""
    files = [versions_of(service).parent / "env.py", *(context.layout.checkout / name for name in RIGHTS_OF_ALL)]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files if path.exists())).hexdigest()


def _given(context: Context, service: Service) -> str:
    stamp = _stamp(context, service)
    return stamp.read_text(encoding="ascii") if stamp.exists() else ""


def _stamp(context: Context, service: Service) -> Path:
    return context.layout.data / "rights" / f"{service.name}.sha256"


def file_heads(versions: Path) -> set[str]:
    """Revisions no other file builds on; empty when a file does not say plainly what it is."""
    revisions: set[str] = set()
    built_on: set[str] = set()
    for path in versions.glob("*.py"):
        values = _module_strings(path)
        if "revision" not in values:
            return set()
        revisions |= values["revision"]
        built_on |= values.get("down_revision", set())
    return revisions - built_on


def _module_strings(path: Path) -> dict[str, set[str]]:
    """Top-level names with the string constants in their values."""
    found: dict[str, set[str]] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        strings = {n.value for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        found |= {target.id: strings for target in targets if isinstance(target, ast.Name)}
    return found


def _present_revisions(context: Context, schemas: Sequence[str]) -> dict[str, set[str]]:
    bin_dir = binaries(context.layout.data / "postgres" / "cluster")
    listed = "', '".join(schemas)
    tables = psql(
        context,
        bin_dir,
        DATABASE,
        f"SELECT schemaname FROM pg_tables WHERE tablename = 'alembic_version' AND schemaname IN ('{listed}')",
    ).split()
    if not tables:
        return {}
    union = " UNION ALL ".join(f"SELECT '{schema}', version_num FROM {schema}.alembic_version" for schema in tables)
    present: dict[str, set[str]] = {schema: set() for schema in tables}
    for row in psql(context, bin_dir, DATABASE, union).splitlines():
        schema, _, revision = row.partition("|")
        present[schema].add(revision)
    return present
