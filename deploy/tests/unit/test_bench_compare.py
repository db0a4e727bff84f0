"""How `make bench-compare` judges, shows and records what was measured, without measuring anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from compare import judged, tally
from comparison.judge import Last, Outcome, Row, Side, exit_code
from comparison.readings import Reading, Report, kept
from comparison.records import read_last, read_rows, record
from comparison.table import absences, table

BENCH = Path(__file__).resolve().parents[3] / "bench"
ROW = Row(name="r", title="things", program="p", ours="a", peer="b", peer_title="Peer", goal=4.0, known="10/s, in 2020")
LAST = Last(ratio=6.0, ours=60.0, peer=10.0, load=0.1, at="2026-01-02")


def an_outcome(ours: float, peer: float, last: Last | None = None) -> Outcome:
    return Outcome(row=ROW, ours=Side((ours,)), peer=Side((peer,)), last=last)


def test_at_the_goal_is_met() -> None:
    outcome = an_outcome(40, 10, replace(LAST, ratio=4.0))
    assert (outcome.faults, outcome.verdict, exit_code([outcome])) == ([], "met", 0)


def test_below_the_goal_fails() -> None:
    outcome = an_outcome(39, 10)
    assert (outcome.verdict, exit_code([outcome])) == ("below the goal", 1)


@pytest.mark.parametrize(("ours", "code"), [(51.1, 0), (50.9, 1)])
def test_15_percent_under_the_last_fails_though_the_goal_is_met(ours: float, code: int) -> None:
    outcome = an_outcome(ours, 10, LAST)
    assert exit_code([outcome]) == code
    assert outcome.faults == ["15% under the last"] * code


def test_both_faults_are_said() -> None:
    assert an_outcome(30, 10, LAST).faults == ["below the goal", "50% under the last"]


def test_where_none_is_recorded_the_goal_alone_judges() -> None:
    outcome = an_outcome(40, 10)
    assert (outcome.verdict, exit_code([outcome])) == ("met; none recorded yet", 0)


def test_an_absent_peer_is_no_fault_and_shows_what_was_tried_and_what_is_known() -> None:
    absent = Outcome(row=ROW, ours=Side((40.0,)), absent="no binary")
    assert (absent.ratio, absent.faults, absent.verdict) == (None, [], "peer absent")
    assert exit_code([absent, an_outcome(40, 10)]) == 0
    assert absences([absent]) == ["Peer is absent: no binary. Last recorded: 10/s, in 2020."]
    recorded = replace(absent, last=LAST)
    assert absences([recorded]) == ["Peer is absent: no binary. Last recorded: 10.0/s, 2026-01-02."]
    assert absences([replace(absent, row=replace(ROW, known=""))])[0].endswith("Last recorded: nothing.")
    assert "Peer: absent" in table([absent])


def test_nothing_compared_at_all_fails() -> None:
    assert exit_code([Outcome(row=ROW, ours=Side((40.0,)), absent="no binary")]) == 1
    assert exit_code([]) == 1


def test_a_program_that_failed_fails_whatever_it_kept() -> None:
    outcome = replace(an_outcome(400, 10), failed="p.py ended with 1")
    assert (outcome.ratio, outcome.verdict) == (None, "p.py ended with 1")
    assert exit_code([outcome, an_outcome(40, 10)]) == 1


def test_a_limit_is_compared_the_other_way_round() -> None:
    row = replace(ROW, peer="", limit=500.0, goal=1.0)
    assert exit_code([Outcome(row=row, ours=Side((500.0,)))]) == 0
    assert exit_code([Outcome(row=row, ours=Side((501.0,)))]) == 1


def test_the_ratio_is_that_of_the_medians_which_the_table_shows_with_what_each_round_gave() -> None:
    outcome = Outcome(row=ROW, ours=Side((50.0, 40.0, 90.0), 1.5), peer=Side((10.0, 10.0, 15.0), 30.0))
    assert outcome.ratio == 5.0
    line = table([outcome]).splitlines()[-1]
    assert all(shown in line for shown in ("50.0/s", "10.0/s", "5.00× (4.00–6.00)", "1.5, 30"))


def test_rounds_become_medians_with_the_load_they_were_made_under() -> None:
    readings = [
        Reading(arm=arm, figure=figure, cpu_ms=1.0, load=load)
        for arm, figure, load in (("a", 40.0, 1.0), ("b", 10.0, 2.0), ("a", 60.0, 3.0), ("b", 10.0, 4.0))
    ]
    outcome = judged(ROW, Report(readings=readings), None)
    assert (outcome.ours, outcome.peer) == (Side((40.0, 60.0), 1.0), Side((10.0, 10.0), 1.0))
    assert (outcome.ratio, outcome.load) == (5.0, 2.5)
    assert tally([outcome]) == "1 of 1 rows compared; none of them below what it must be"


def test_an_arm_that_is_neither_measured_nor_absent_is_a_failure() -> None:
    ours = Reading(arm="a", figure=40.0)
    assert judged(ROW, Report(readings=[ours], absent={"b": "no binary"}), None).verdict == "peer absent"
    assert judged(ROW, Report(readings=[ours]), None).failed == "p.py measured no b"
    assert judged(ROW, Report(absent={"b": "no binary"}), None).failed == "p.py measured no a"
    failed = judged(ROW, "p.py ended with 1: why", None)
    assert (failed.verdict, tally([failed])) == (
        "p.py ended with 1: why",
        "0 of 1 rows compared; NOT good enough: r",
    )


def test_what_is_recorded_replaces_measured_rows_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "compare.json"
    assert read_last(path) == {}
    other = replace(an_outcome(70, 10), row=replace(ROW, name="other"))
    record(path, [an_outcome(60, 10), other], "2026-01-01")
    record(path, [an_outcome(50, 10), Outcome(row=other.row, ours=Side((1.0,)), absent="gone")], "2026-01-02")
    found = read_last(path)
    assert {name: (each.ratio, each.peer, each.at) for name, each in found.items()} == {
        "r": (5.0, 10.0, "2026-01-02"),
        "other": (7.0, 10.0, "2026-01-01"),
    }


def test_a_report_is_read_as_it_was_kept(tmp_path: Path) -> None:
    report = Report(settings=["fsync on"], readings=[Reading(arm="a", figure=1.0, cpu_ms=2.0)], absent={"b": "no"})
    report.keep(tmp_path / "report.json")
    assert kept(tmp_path / "report.json") == report
    report.keep(None)


def test_every_row_is_measured_by_a_program_there_is_and_every_record_belongs_to_a_row() -> None:
    programs, rows = read_rows(BENCH / "compare.toml")
    assert {row.program for row in rows} == {program.name for program in programs}
    assert all((BENCH / f"{program.name}.py").is_file() for program in programs)
    assert all(bool(row.peer) != (row.limit is not None) for row in rows)
    assert read_last(BENCH / "compare.json").keys() <= {row.name for row in rows}


def test_a_peer_is_pinned_with_all_that_it_needs() -> None:
    for path in (BENCH / "peers").glob("*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert path.stem in lines[0]
        assert all("==" in line for line in lines)
