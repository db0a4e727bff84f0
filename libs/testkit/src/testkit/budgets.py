"""What the tests of each part of the tree took, told at the end of a run beside what they may take.

Budgets are seconds on a machine of two quiet cores, in ``[tool.sampan.tests.budget_s]`` of the root's
pyproject.toml. A busy machine takes longer: a part over its budget is marked, never failed.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

SHOWN_FROM_S: Final = 60.0


class TimeOfParts:
    """A pytest plugin. A part is a folder such as ``services/auth``, or ``tests-e2e``."""

    def __init__(self, budgets: Mapping[str, float]) -> None:
        self._budgets = budgets
        self._seconds: dict[str, float] = defaultdict(float)
        self._tests: dict[str, int] = defaultdict(int)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Setup and teardown count too: that is where parts start what they share."""
        part = part_of(report.nodeid)
        self._seconds[part] += report.duration
        self._tests[part] += report.when == "call"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if sum(self._seconds.values()) < SHOWN_FROM_S:
            return
        terminalreporter.section("time by part")
        for line in table(self._seconds, self._tests, self._budgets):
            terminalreporter.write_line(line)


def table(
    seconds_by_part: Mapping[str, float], tests: Mapping[str, int], budgets: Mapping[str, float]
) -> Iterator[str]:
    """A line for each part, the longest first."""
    for part, seconds in sorted(seconds_by_part.items(), key=lambda each: -each[1]):
        count = f"{tests[part]:5} tests" if part in tests else ""
        budget_s = budgets.get(part)
        budget = f"of {budget_s:5.0f} s" if budget_s else "no budget "
        over = "  over its budget" if budget_s and seconds > budget_s else ""
        yield f"{part:24} {count:11} {seconds:7.0f} s {budget}{over}"


def part_of(nodeid: str) -> str:
    """``services/auth`` of ``services/auth/tests/unit/test_x.py::test_y``; ``tests-e2e`` of what lies there."""
    folders = nodeid.partition("::")[0].split("/")[:-1]
    return "/".join(folders[:2]) if folders[:1] in (["services"], ["libs"]) else "/".join(folders[:1])


def budgets_of(pyproject: Path) -> dict[str, float]:
    """Seconds by part."""
    content = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    budgets: dict[str, float] = content.get("tool", {}).get("sampan", {}).get("tests", {}).get("budget_s", {})
    return budgets


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(TimeOfParts(budgets_of(config.rootpath / "pyproject.toml")), "time of parts")
