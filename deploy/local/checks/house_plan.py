"""python -m checks.house_plan [SERVICE…]: every service has the rooms of docs/STYLE.md, and no room of its own making.

It looks at names of files and at the shape of modules, never at what they do; who may import whom is import-linter's.
Departures stand in house_plan.toml, each with its reason.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from checks.check import CHECKOUT
from registry import load_services

EXCEPTIONS: Final = Path(__file__).with_name("house_plan.toml")
SERVICE_FILE: Final = "service.toml"
# Paths below src/<service>, as patterns; `*` never crosses a slash. What matches none of them is a room too many.
# A service that is divided by feature (`features` of its service.toml) has HALL and, per feature, ROOMS.
HALL: Final = (
    "__init__.py", "__main__.py", "py.typed", "problems.json", "reasons.toml", "settings.py", "wiring.py",
    "entrypoints/__init__.py", "entrypoints/app.py", "entrypoints/roles.py", "entrypoints/cli.py",
    "entrypoints/consumers.py", "entrypoints/consumers/*.py", "entrypoints/jobs.py", "entrypoints/jobs/*.py",
    "adapters/__init__.py", "adapters/transaction.py",
)  # fmt: skip
ROOMS: Final = (
    "__init__.py",
    "domain/*.py",
    "usecases/*.py",
    "adapters/__init__.py", "adapters/events.py", "adapters/invariants.py",
    "adapters/metrics.py", "adapters/*_store.py", "adapters/*_reads.py", "adapters/*_gateway.py", "adapters/*_cache.py",
    "adapters/*_job.py", "adapters/data/*",
    "entrypoints/__init__.py", "entrypoints/cli.py",
    "entrypoints/consumers.py", "entrypoints/consumers/*.py", "entrypoints/jobs.py", "entrypoints/jobs/*.py",
    "entrypoints/routes/*.py", "entrypoints/schemas/*.py", "entrypoints/frames.py",
)  # fmt: skip
REQUIRED_HALL: Final = (
    "__init__.py", "__main__.py", "py.typed", "settings.py", "wiring.py", "adapters/transaction.py",
    "entrypoints/app.py", "entrypoints/roles.py",
)  # fmt: skip
REQUIRED_ROOMS: Final = ("usecases/ports.py",)
CORE: Final = "core"
TESTS: Final = ("unit", "component", "support", "data")
CONFTEST_LINES_MAX: Final = 40


@dataclass(slots=True)
class Departures:
    """The exceptions, and which of them were needed."""

    paths: dict[tuple[str, str], str]
    used: set[tuple[str, str]] = field(default_factory=set)

    def allow(self, service: str, path: str) -> bool:
        for known_service, known in self.paths:
            if known_service == service and (path == known or (known.endswith("/") and path.startswith(known))):
                self.used.add((known_service, known))
                return True
        return False

    def unused(self, services: Iterable[str]) -> Iterator[str]:
        for service, path in self.paths.keys() - self.used:
            if service in services:
                yield f"house_plan.toml: {service} {path}: nothing needs this exception any more"


def load_departures(path: Path = EXCEPTIONS) -> Departures:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    paths: dict[tuple[str, str], str] = {}
    for entry in content.get("exception", ()):
        if not entry.get("why", "").strip():
            raise ValueError(f"{path.name}: {entry}: an exception says why")
        paths[entry["service"], entry["path"]] = entry["why"]
    return Departures(paths=paths)


def look(service: Path, departures: Departures, features: Collection[str] = ()) -> Iterator[str]:
    """Sentences about what departs from the plan in one service's folder. ``features``: what it is divided into."""
    source = service / "src" / service.name
    home = f"{CORE}/" if features else ""
    for path in (*REQUIRED_HALL, *(home + room for room in REQUIRED_ROOMS)):
        if not (source / path).exists() and not departures.allow(service.name, path):
            yield f"{service.name}: {path} is missing"
    for name in features:
        if not (source / name).is_dir():
            yield f"{service.name}: {name} is a feature in {SERVICE_FILE} and no folder"
    for file in sorted(source.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield from _look_at(file, file.relative_to(source).as_posix(), service.name, departures, features)
    yield from _tests_of(service)


def _look_at(file: Path, path: str, service: str, departures: Departures, features: Collection[str]) -> Iterator[str]:
    """One file, whose ``path`` is below src/<service>."""
    feature, _, inside = path.partition("/")
    rooms: tuple[str, ...] = ROOMS
    if feature not in features:
        inside, rooms = path, HALL if features else (*HALL, *ROOMS)
    if not any(_matches(inside, room) for room in rooms) and not departures.allow(service, path):
        yield f"{service}: {path} is in no room of the plan"
    if file.suffix == ".py" and not departures.allow(service, f"{path}:shape"):
        yield from (f"{service}: {path}: {fault}" for fault in shape_of(inside, file.read_text("utf-8")))


def shape_of(path: str, text: str) -> Iterator[str]:
    """What departs inside one module, whose path is below src/<service>, or below its feature."""
    tree = ast.parse(text)
    if path.startswith("usecases/") and Path(path).stem not in {"__init__", "ports"}:
        yield from _use_case(Path(path).stem, tree)
    if path.startswith("entrypoints/routes/") and Path(path).stem != "__init__" and "Routes(" not in text:
        yield "a file of routes declares `routes = Routes(…)`"
    for node in ast.walk(tree):
        yield from _spelling(node)


def _use_case(name: str, tree: ast.Module) -> Iterator[str]:
    if "_" not in name:
        yield "a use case is called <verb>_<noun>"
    public = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    if public != [name]:
        yield f"has the public functions {', '.join(public) or '(none)'}; a use case has one, {name}"


def _spelling(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.arg) and node.arg == "cmd":
        yield f"line {node.lineno}: the argument is called `command`"
    if not isinstance(node, ast.Call):
        return
    called = ast.unparse(node.func)
    if called in {"datetime.now", "datetime.utcnow", "time.time", "date.today", "datetime.today"}:
        yield f"line {node.lineno}: {called}() passes the clock by; take `tx.now` or `app.clock`"
    if called == "structlog.get_logger" and [ast.unparse(argument) for argument in node.args] != ["__name__"]:
        yield f"line {node.lineno}: a logger is structlog.get_logger(__name__)"
    if called.endswith(".endswith") and _is_row_count(node):
        yield f"line {node.lineno}: how many rows were changed is kernel.rows.rows_affected"


def _is_row_count(call: ast.Call) -> bool:
    """`status.endswith("1")` is true of "UPDATE 11"."""
    return [isinstance(each, ast.Constant) and str(each.value).strip().isdecimal() for each in call.args] == [True]


def _tests_of(service: Path) -> Iterator[str]:
    tests = service / "tests"
    for entry in sorted(tests.iterdir()) if tests.exists() else ():
        if entry.name not in {*TESTS, "__pycache__"}:
            yield f"{service.name}: tests/{entry.name} is in no room of the plan: {', '.join(TESTS)}"
    for conftest in sorted(tests.rglob("conftest.py")):
        lines = len(conftest.read_text(encoding="utf-8").splitlines())
        if lines > CONFTEST_LINES_MAX:
            where = conftest.relative_to(service).as_posix()
            yield f"{service.name}: {where} has {lines} lines, at most {CONFTEST_LINES_MAX}: the rest is tests/support"


def _matches(path: str, room: str) -> bool:
    parts, patterns = path.split("/"), room.split("/")
    return len(parts) == len(patterns) and all(map(fnmatch, parts, patterns))


def main(names: list[str]) -> int:
    departures = load_departures()
    services = [
        each
        for each in load_services(CHECKOUT)
        if (each.root / "src" / each.name / "wiring.py").exists() and (not names or each.name in names)
    ]
    faults = [fault for each in services for fault in look(each.root, departures, each.features)]
    faults += departures.unused({each.name for each in services})
    print("\n".join(faults) or f"{len(services)} services keep to the plan")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
