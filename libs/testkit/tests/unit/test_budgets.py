"""What parts took is added up by folder, and told beside their budgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from testkit.budgets import budgets_of, part_of, table


@pytest.mark.parametrize(
    ("nodeid", "part"),
    [
        ("services/auth/tests/unit/test_otp.py::test_x[1/2]", "services/auth"),
        ("libs/kernel/tests/unit/test_money.py::test_x", "libs/kernel"),
        ("tests-e2e/test_faults.py::test_x", "tests-e2e"),
        ("deploy/tests/unit/test_x.py::test_x", "deploy"),
        ("test_x.py::test_x", ""),
    ],
)
def test_a_part_is_a_folder(nodeid: str, part: str) -> None:
    assert part_of(nodeid) == part


def test_budgets_stand_in_pyproject(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.sampan.tests.budget_s]\n"services/auth" = 90\n')
    assert budgets_of(file) == {"services/auth": 90}
    file.write_text("")
    assert budgets_of(file) == {}


def test_a_part_over_its_budget_is_marked() -> None:
    lines = list(
        table(
            {"services/auth": 95.4, "deploy": 240, "demo": 30}, {"services/auth": 7, "deploy": 2}, {"services/auth": 90}
        )
    )
    assert [line.split() for line in lines] == [
        ["deploy", "2", "tests", "240", "s", "no", "budget"],
        ["services/auth", "7", "tests", "95", "s", "of", "90", "s", "over", "its", "budget"],
        ["demo", "30", "s", "no", "budget"],
    ]
