"""Which checks there are. A check of something that is not in the tree is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from checks.check import CHECKOUT, Check

BIN = Path(".venv") / "bin"
PYTHON = str(BIN / "python")


def all_checks() -> Iterator[Check]:
    """Slow ones first, so that the whole is as short as the slowest."""
    yield Check(name="types", command=(PYTHON, "-m", "mypy", *_typed_folders()), environment=_mypy_path())
    yield Check(name="lint", command=(PYTHON, "-m", "ruff", "check", "--output-format", "concise", "."))
    yield Check(name="format", command=(PYTHON, "-m", "ruff", "format", "--check", "--output-format", "concise", "."))
    yield Check(
        name="imports",
        command=(PYTHON, "-c", "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"),
    )
    yield _of_tools("house plan", "checks.house_plan")
    yield _of_tools("sentences", "checks.sentences")
    yield _of_tools("registry", "made", "--check")
    yield Check(
        name="packages",
        command=(".local/bootstrap/bin/uv", "pip", "check", "--python", PYTHON),
        environment={"UV_CACHE_DIR": str(CHECKOUT / ".local" / "cache" / "uv")},
    )
    yield _of_tools("advisories", "checks.advisories")
    if (CHECKOUT / "proto-events" / "buf.yaml").exists():
        buf = str((CHECKOUT / BIN / "buf").relative_to(CHECKOUT))
        yield Check(name="proto", command=(buf, "lint", "proto-events"))
        if (CHECKOUT / "proto-events" / "baseline.binpb").exists():
            yield Check(
                name="proto breaking",
                command=(buf, "breaking", "proto-events", "--against", "proto-events/baseline.binpb"),
            )
    if _has_command("contracts"):
        yield Check(name="contracts", command=(PYTHON, "-m", "contracts", "check"))
    if _has_command("gateway"):
        yield Check(name="gateway", command=(PYTHON, "-m", "gateway", "validate"))
        yield Check(
            name="documents",
            command=(
                str(BIN / "node"),
                ".local/documents/validate.mjs",
                "services/gateway/openapi.json",
                "services/messaging/asyncapi.yaml",
            ),
        )
        yield Check(name="openapi", command=(PYTHON, "-m", "gateway", "openapi", "--check"))
    if list((CHECKOUT / "services").glob("*/migrations/versions/*.py")):
        yield _of_tools("migrations", "checks.migrations")


def _of_tools(name: str, module: str, *arguments: str) -> Check:
    """A check that is itself a module of deploy/local."""
    return Check(
        name=name,
        command=(PYTHON, "-m", module, *arguments),
        environment={"PYTHONPATH": str(CHECKOUT / "deploy" / "local")},
    )


def _typed_folders() -> list[str]:
    patterns = ("libs/*/src", "services/*/src", "services/*/tests/support")
    folders = [path for pattern in patterns for path in sorted(CHECKOUT.glob(pattern))]
    return [*(str(path.relative_to(CHECKOUT)) for path in folders), "deploy/local"]


def _mypy_path() -> dict[str, str]:
    return {"MYPYPATH": os.pathsep.join(_typed_folders())}


def _has_command(package: str) -> bool:
    return any(CHECKOUT.glob(f"*/{package}/src/{package}/__main__.py"))
