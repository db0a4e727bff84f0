"""What goes into production: no wheel holds a helper of tests, imports one, or depends on one."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.layout import CHECKOUT

TESTKIT = "testkit"
OF_TESTS = {TESTKIT, "pytest", "pytest_asyncio", "hypothesis", "jsonschema", "testcontainers"}
MEMBERS = sorted(
    path.parent for pattern in ("libs/*/pyproject.toml", "services/*/pyproject.toml") for path in CHECKOUT.glob(pattern)
)


def modules_of(member: Path) -> Iterator[Path]:
    """The Python files that the build puts into the member's wheel."""
    build = tomllib.loads((member / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(build) == {"packages"}, "this test knows no other key of the build"
    for package in build["packages"]:
        yield from (member / package).rglob("*.py")


def imports_of(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("member", [each for each in MEMBERS if each.name != TESTKIT], ids=lambda member: member.name)
def test_a_wheel_is_without_tests(member: Path) -> None:
    modules = list(modules_of(member))
    assert modules
    for module in modules:
        path = module.relative_to(member)
        assert not {"tests", "testing", "support"}.intersection(path.with_suffix("").parts), path
        roots = {name.partition(".")[0] for name in imports_of(module)}
        assert not {root for root in roots if root in OF_TESTS or root.endswith("_testing")}, path
    project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    named = {dependency.removeprefix("sampan-") for dependency in project["dependencies"]}
    assert not {name for name in named if name.startswith(tuple(OF_TESTS))}
