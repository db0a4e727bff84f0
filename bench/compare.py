"""Ours beside each peer that can be had here, in one run: one table; exit code 1 when a ratio is not what it must be.

Rows and goals stand in bench/compare.toml, the ratios last recorded in bench/compare.json, the peers' versions in
bench/peers/*.txt. Ours and a peer alternate round by round within one program; a figure is the median of its rounds. A
peer that cannot be had is named, with what was tried and what was last recorded of it. A run of all rows is written
into bench/RESULTS.md.

TigerBeetle's server is the `tigerbeetle` on PATH, or TIGERBEETLE; Saleor the one that runs at SALEOR_URL.

    python bench/compare.py [--only transfers …] [--rounds 3] [--seconds 10] [--record]
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from comparison.judge import Last, Outcome, Row, Side, exit_code
from comparison.readings import Reading, Report, kept
from comparison.records import Program, read_last, read_rows, record
from comparison.table import absences, table
from results import COMPARED, how, standing, write

HERE = Path(__file__).parent
ROWS, RECORDED = HERE / "compare.toml", HERE / "compare.json"


def main(arguments: argparse.Namespace) -> int:
    programs, rows = read_rows(ROWS)
    chosen = [row for row in rows if not arguments.only or row.name.startswith(tuple(arguments.only))]
    if not chosen:
        sys.exit(f"no such row: {', '.join(arguments.only)}; there are {', '.join(row.name for row in rows)}")
    load, last, outcomes, settings = os.getloadavg()[0], read_last(RECORDED), list[Outcome](), list[str]()
    asked = [(program, [row for row in chosen if row.program == program.name]) for program in programs]
    asked = [(program, its) for program, its in asked if its]
    for number, (program, its) in enumerate(asked, start=1):
        print(f"[{number}/{len(asked)}] {program.name}: {', '.join(row.name for row in its)}", flush=True)
        report = measure(program, its, arguments)
        settings.append(f"{program.name}: {'; '.join(report.settings) if isinstance(report, Report) else report}")
        outcomes += [judged(row, report, last.get(row.name)) for row in its]
    notes = [f"CPU of {program.name}: {program.cpu}." for program, _ in asked]
    shown = "\n".join([table(outcomes), "", *(f"- {line}" for line in [*absences(outcomes), *settings, *notes])])
    print(f"\n{shown}\n{tally(outcomes)}", flush=True)
    if not arguments.only:
        section = f"{how(shlex.join(['bench/compare.py', *sys.argv[1:]]), load)}\n\n{shown}\n\n{tally(outcomes)}"
        write(standing() | {COMPARED: f"## Ours beside each peer, in one run\n<!-- {COMPARED} -->\n{section}\n"})
    if arguments.record:
        record(RECORDED, outcomes, f"{datetime.now(UTC):%Y-%m-%d}")
    return exit_code(outcomes)


def measure(program: Program, rows: Sequence[Row], arguments: argparse.Namespace) -> Report | str:
    """Run one benchmark and show what it prints. Returns what it kept, or why there is nothing."""
    arms = dict.fromkeys(arm for row in rows for arm in row.arms)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        options = [*program.arguments, "--arms", ",".join(arms), "--rounds", str(arguments.rounds), "--json", str(path)]
        if arguments.seconds:
            options += ["--seconds", str(arguments.seconds)]
        began = time.monotonic()
        command = [sys.executable, "-u", str(HERE / f"{program.name}.py"), *options]
        with subprocess.Popen(
            command, cwd=HERE.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            said = ""
            for line in process.stdout or ():
                said = line.strip() or said
                print(f"    {line.rstrip()}", flush=True)
        print(f"    {program.name} took {time.monotonic() - began:.0f} s", flush=True)
        if process.returncode or not path.exists():
            return f"{program.name}.py ended with {process.returncode}: {said}"
        return kept(path)


def judged(row: Row, report: Report | str, last: Last | None) -> Outcome:
    if isinstance(report, str):
        return Outcome(row=row, failed=report, last=last)
    ours, peer = side(report.of(row.ours)), side(report.of(row.peer))
    loads = [each.load for arm in (row.ours, row.peer) for each in report.of(arm)]
    absent = report.absent.get(row.peer, "")
    if ours is None or (peer is None and row.peer and not absent):
        return Outcome(row=row, failed=f"{row.program}.py measured no {row.peer if ours else row.ours}", last=last)
    load = statistics.median(loads) if loads else 0.0
    return Outcome(row=row, ours=ours, peer=peer, load=load, absent=absent, last=last)


def side(readings: Sequence[Reading]) -> Side | None:
    if not readings:
        return None
    spent = [each.cpu_ms for each in readings if each.cpu_ms is not None]
    return Side(tuple(each.figure for each in readings), statistics.median(spent) if spent else None)


def tally(outcomes: Sequence[Outcome]) -> str:
    """One line: how many of the rows were compared, and which are not good enough."""
    compared = sum(each.ratio is not None for each in outcomes)
    faulty = [each.row.name for each in outcomes if each.faults]
    return f"{compared} of {len(outcomes)} rows compared; " + (
        f"NOT good enough: {', '.join(faulty)}" if faulty else "none of them below what it must be"
    )


def given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="ROW", help="rows whose names begin so; not written down"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="of each arm in a round; each program's own when left out"
    )
    parser.add_argument("--record", action="store_true", help="keep the ratios, for later runs to be held to")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(given()))
