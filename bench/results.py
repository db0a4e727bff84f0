"""Every figure, one after the other, into bench/RESULTS.md: what each command printed, when, and on what machine.

python bench/results.py [FIGURE ...]     the named ones are measured anew, the others keep what stands there
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
COMPARED = "compare"  # the section that bench/compare.py writes, before all others
BY_HAND = "order_path"  # what changed from one version to the next, measured in turns
INTRODUCTION = """# Figures

Each section is one command, run as shown, with its reference alternated in the same run. Machines are shared and noisy:
read ratios and CPU per unit first, absolute times last. fsync, `synchronous_commit` and `acks=all` are on everywhere.
`make bench` measures all of them again; `make bench FIGURE=relay` one. `make bench-compare` measures ours beside each
peer in one run and fails when a ratio is not what it must be.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One command and what it is to reach."""

    name: str
    title: str
    goal: str
    arguments: tuple[str, ...] = ()


FIGURES = (
    Figure("chassis_overhead", "HTTP: a chassis route beside a bare aiohttp handler", "≤ 1.3×"),
    Figure("relay", "Relay: commit to broker ack, and drain", "p99 ≤ 25 ms at 2,000/s; drain ≥ 15,000/s"),
    Figure(
        "ledger",
        "Ledger transfers beside pgbench TPC-B",
        "≥ 15,000/s at 64 callers, 80 % hot, p99 ≤ 10 ms; ≥ 4× TPC-B; ≤ 500 bytes",
    ),
    Figure("sagas_engine", "Saga engine beside DBOS", "≥ 4× a four-step DBOS workflow", ("--rounds", "2")),
    Figure(
        "orders",
        "Whole stack: checkout to paid through the gateway, and sagas with every service running",
        "≥ 75 orders/s at 16 buyers, p50 ≤ 215 ms, ≤ 24 ms CPU; at 30/s p50 ≤ 120 ms, p99 ≤ 400 ms; one at a time"
        " p50 ≤ 120 ms, p99 ≤ 250 ms; ≥ 600 sagas/s, ≥ 8 × DBOS",
    ),
    Figure(
        "gateway_cpu",
        "Gateway CPU per request",
        "token and limits add ≤ 50 µs cached, ≤ 110 µs uncached",
        ("--rounds", "3", "--requests", "8000"),
    ),
    Figure(
        "auth_sessions",
        "Sign-ins and refreshes",
        "≥ 18 sign-ins/s and ≥ 400 refreshes/s per vCPU",
        ("--rounds", "2", "--seconds", "5"),
    ),
    Figure(
        "products",
        "Product list and search at 10,000 and 100,000 products",
        "p99 ≤ 20 ms at 100,000, ≤ 1.5 × that at 10,000",
    ),
    Figure("footprint", "The whole stack while nobody uses it", "≤ 5 % of one core; Python ≤ 900 MiB RSS"),
    Figure(
        "messaging_fanout",
        "Messages stored and delivered: ours, through the gateway, a bare fan-out, Synapse",
        "10 online: ≥ 1,500 stored/s, last member p99 ≤ 50 ms; 100: ≥ 20,000 deliveries/s, p99 ≤ 100 ms; "
        "≤ 2 × bare, ≥ 50 × Synapse; ≤ 15 µs a delivery",
    ),
    Figure(
        "realtime_connections",
        "Sockets: a delivery, one that stalls, 10,000 idle, 5,000 coming back",
        "≤ 15 µs; ≤ 5 ms more p99 for its peers; ≤ 24 KiB each and 300 MiB; caught up p99 ≤ 2 s",
    ),
    Figure(
        "messaging_scale",
        "A channel of 100,000, 1,000,000 unread, 10,000,000 messages stored",
        "ack p99 ≤ 50 ms; mark read ≤ 5 ms; p99 ≤ 1.5 × that at 10,000",
    ),
    Figure("search", "Message search beside plain PostgreSQL", "p99 ≤ 100 ms at 1,000,000 messages"),
)


def main() -> int:
    """Measure, and write after each figure, so that an interrupted run keeps what it has. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(figure.name for figure in FIGURES))
    wanted = set(parser.parse_args().figures)
    unknown = wanted - {figure.name for figure in FIGURES}
    if unknown:
        sys.exit(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(f.name for f in FIGURES)}")
    sections, failed = standing(), 0
    for figure in FIGURES:
        if wanted and figure.name not in wanted:
            continue
        print(f"{figure.name} …", flush=True)
        code, sections[figure.name] = measure(figure)
        failed += code != 0
        print(sections[figure.name], flush=True)
        write(sections)
    return 1 if failed else 0


def measure(figure: Figure) -> tuple[int, str]:
    """Run one command. Returns its exit code and its section."""
    load = os.getloadavg()[0]
    command = [sys.executable, str(HERE / f"{figure.name}.py"), *figure.arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parent)
    shown = " ".join([f"bench/{figure.name}.py", *figure.arguments])
    output = done.stdout.strip()
    if done.returncode and done.stderr.strip():
        print(done.stderr, file=sys.stderr)
        output = f"{output}\nended early: {done.stderr.strip().splitlines()[-1]}".strip()  # no paths of this machine
    return done.returncode, (
        f"## {figure.title}\n<!-- {figure.name} -->\nGoal: {figure.goal}. {how(shown, load)}\n\n```\n{output}\n```\n"
    )


def how(command: str, load: float) -> str:
    """What was run, when and where."""
    machine = f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    return f"`python {command}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}, load {load:.1f} before."


def standing() -> dict[str, str]:
    """Sections of the last results, by figure."""
    if not RESULTS.exists():
        return {}
    parts = RESULTS.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.split("<!-- ")[1].split(" -->")[0]: f"## {part.strip()}\n" for part in parts}


def write(sections: dict[str, str]) -> None:
    names = [COMPARED, BY_HAND, *(figure.name for figure in FIGURES)]
    ordered = [sections[name] for name in names if name in sections]
    RESULTS.write_text("\n".join([INTRODUCTION, *ordered]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
