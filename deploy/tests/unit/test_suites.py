"""Suites side by side: nothing is left out, what fails is told whole, and an interrupt leaves nothing running."""

from __future__ import annotations

import os
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from suites.console import Console
from suites.processes import Processes, StoppedError
from suites.results import read_results, totals
from suites.runner import Runner
from suites.suite import LIBRARIES, Suite, all_suites, log_of
from suites.summary import summary
from suites.telling import Telling
from testkit.budgets import budgets_of
from testkit.wait import eventually

CHECKOUT = Path(__file__).resolve().parents[3]
RESULTS = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5" time="9.5">
<testcase classname="services.auth.tests.unit.test_a" name="test_x[1]" file="services/auth/tests/unit/test_a.py" line="1" time="0.5" />
<testcase classname="services.auth.tests.unit.test_a.TestA" name="test_y" file=".venv/lib/stateful.py" line="2" time="4" />
<testcase classname="libs.kernel.tests.unit.test_b" name="test_z" file="libs/kernel/tests/unit/test_b.py" line="1" time="3"><failure
 message="assert 1 == 2">why</failure></testcase>
<testcase classname="libs.kernel.tests.unit.test_b" name="test_z" file="libs/kernel/tests/unit/test_b.py" line="1" time="1"><error
 message="teardown">why</error></testcase>
<testcase classname="libs.kernel.tests.unit.test_b" name="test_s" file="libs/kernel/tests/unit/test_b.py" line="9" time="1"><skipped
 type="pytest.skip" message="no engine here">where</skipped></testcase>
</testsuite></testsuites>
"""


class OnNothing:
    """An instance of a suite that needs none."""

    def __init__(self) -> None:
        self.environment = dict(os.environ)
        self.downs = 0

    def up(self, take: Callable[[str], None]) -> bool:
        return True

    def down(self) -> None:
        self.downs += 1


def a_suite(name: str, script: str, *, folder: str | None = None, budget_s: float = 0) -> Suite:
    return Suite(name=name, command=("sh", "-c", script), folder=folder, budget_s=budget_s)


def test_what_pytest_looks_in_is_in_one_suite_each() -> None:
    configured = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["testpaths"]
    suites = all_suites(CHECKOUT, {})
    folders = [Path(each.folder) for each in suites if each.folder]
    tests = {path.relative_to(CHECKOUT) for root in configured for path in (CHECKOUT / root).rglob("test_*.py")}
    assert tests
    for test in tests:
        assert sum(test.is_relative_to(folder) for folder in folders) == 1, test


def test_the_longest_is_first_and_budgets_of_libraries_add_up() -> None:
    suites = all_suites(CHECKOUT, {"libs/kernel": 40, "libs/eventing": 70, "services/auth": 90, "demo": 95}, ".ci/demo")
    assert [(each.name, each.budget_s) for each in suites[:3]] == [(LIBRARIES, 110), ("demo", 95), ("auth", 90)]
    assert suites[1].command == ("sh", ".ci/demo")


def test_budgets_are_of_what_there_is() -> None:
    budgets = budgets_of(CHECKOUT / "pyproject.toml")
    there = {each.folder or each.name for each in all_suites(CHECKOUT, {}, ".ci/ordinary-user")}
    there |= {f"{LIBRARIES}/{path.name}" for path in (CHECKOUT / LIBRARIES).iterdir()}
    assert budgets.keys() <= there


def test_results_are_counted_as_pytest_does(tmp_path: Path) -> None:
    file = tmp_path / "results.xml"
    file.write_text(RESULTS)
    results = read_results(file)
    assert totals(results) == "1 failed, 2 passed, 1 skipped, 1 errors"
    assert [each.part for each in results] == ["services/auth"] * 2 + ["libs/kernel"] * 3
    assert results[-1].said == "no engine here"
    assert read_results(tmp_path / "none.xml") == []
    assert totals([]) == "no tests ran"


def test_progress_is_told_at_once_and_sections_when_it_failed() -> None:
    told: list[str] = []
    telling = Telling(told.append)
    lines = [
        "============================= test session starts ==============================",
        "collected 2 items",
        "services/auth/tests/unit/test_a.py .F          [100%]",
        "=================================== FAILURES ===================================",
        "a value that ends in [ 50%]",
        "=========================== short test summary info ============================",
        "==================== 1 failed, 1 passed in 0.02s ====================",
    ]
    for line in lines:
        telling.take(line)
    assert told == [lines[2]]
    assert telling.why() == lines[3:]
    assert telling.last == "1 failed, 1 passed in 0.02s"


def test_what_ends_before_any_section_is_told_whole() -> None:
    telling = Telling(lambda _: None)
    telling.take("ImportError: no module")
    assert telling.why() == ["ImportError: no module"]


def test_one_that_fails_is_told_and_the_others_run_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suites = [a_suite("bad", "echo it broke; exit 3"), a_suite("good", "echo well done"), a_suite("late", "true")]
    instances = [OnNothing(), OnNothing()]
    with Console(tmp_path / "all.log") as console:
        runner = Runner(suites, tmp_path, Processes(tmp_path), console)
        runner.run(instances)  # type: ignore[arg-type]
        console.say(*summary(runner.ended, {}, 65.5))
    assert {each.suite.name: each.code for each in runner.ended} == {"bad": 3, "good": 0, "late": 0}
    said = capsys.readouterr().out
    assert "--- bad: FAILED: it broke, 0 s\nit broke\n" in said
    assert "--- good: well done, 0 s\n" in said
    assert said.splitlines()[-1].strip("= ") == "no tests ran, bad failed in 65.50s (0:01:05)"
    assert (tmp_path / "all.log").read_text() == said
    assert log_of(tmp_path, suites[0]).read_text() == "it broke\n"


async def test_an_interrupt_ends_what_a_suite_started(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    said: list[str] = []
    raised: list[BaseException] = []
    script = (
        "import subprocess, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
    )

    def run() -> None:
        try:
            processes.run((sys.executable, "-c", script), os.environ, said.append)
        except StoppedError as stopped:
            raised.append(stopped)

    thread = threading.Thread(target=run)
    thread.start()
    await eventually(lambda: said, what="its child runs")
    processes.stop()
    thread.join(timeout=10)
    assert raised
    await eventually(lambda: not Path(f"/proc/{said[0]}").exists(), what="its child is gone")
    with pytest.raises(StoppedError):
        processes.run(("true",), os.environ, said.append)
