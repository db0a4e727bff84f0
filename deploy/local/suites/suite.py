"""What runs as one process, and in which order: the longest first, so that no slot ends with a long one alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LIBRARIES: Final = "libs"
WHOLE_STACK: Final = "tests-e2e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """``budget_s`` is how long it may take alone; ``folder`` is None for what is no run of pytest."""

    name: str
    command: tuple[str, ...]
    folder: str | None
    budget_s: float

    @property
    def starts_services(self) -> bool:
        return self.folder == WHOLE_STACK


def all_suites(checkout: Path, budgets: Mapping[str, float], also: str = "") -> list[Suite]:
    """Of every folder that pytest is told to look in; ``also`` is a script that runs as one more."""
    services = sorted(f"services/{path.parent.name}" for path in checkout.glob("services/*/tests"))
    suites = [_of_folder(folder, budgets) for folder in (WHOLE_STACK, "deploy", LIBRARIES, *services)]
    if also:
        name = Path(also).name
        suites.append(Suite(name=name, command=("sh", also), folder=None, budget_s=budgets.get(name, 0)))
    return sorted(suites, key=lambda suite: -suite.budget_s)


def log_of(logs: Path, suite: Suite) -> Path:
    return logs / f"{suite.name}.log"


def results_of(logs: Path, suite: Suite) -> Path:
    return logs / f"{suite.name}.xml"


def command_of(suite: Suite, logs: Path) -> tuple[str, ...]:
    """The suite's command, which leaves its results in its file."""
    if suite.folder is None:
        return suite.command
    return (*suite.command, f"--junit-xml={results_of(logs, suite)}")


def _of_folder(folder: str, budgets: Mapping[str, float]) -> Suite:
    name = Path(folder).name
    own = ("-o", f"cache_dir=.pytest_cache/{name}", "-o", "junit_family=xunit1")
    command = (sys.executable, "-m", "pytest", "--color=no", *own, folder)
    budget_s = sum(seconds for part, seconds in budgets.items() if part == folder or part.startswith(f"{folder}/"))
    return Suite(name=name, command=command, folder=folder, budget_s=budget_s)
