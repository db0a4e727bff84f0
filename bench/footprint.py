"""What the whole stack costs while nobody uses it: processor time and memory of every process, by part.

Two readings of the kernel's own counters, some time apart, of the running instance (SAMPAN_INSTANCE, or the demo's).
Memory: RSS as the goal counts it, and PSS, which counts shared pages once. Nobody may use the stack meanwhile; the
requests served and records handled between the readings are printed, so that a reader sees whether somebody did.

    .venv/bin/python bench/footprint.py [--seconds 30]
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import urlopen

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "deploy" / "local"))

from stack.layout import current_layout  # noqa: E402
from stack.orphans import orphans  # noqa: E402

CPU_GOAL_PERCENT: Final = 5.0
RSS_GOAL_MIB: Final = 900.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_DONE: Final = re.compile(
    rb"^(http_server_request_duration_seconds_count|eventing_consumer_records_total)\S* (\S+)$", re.MULTILINE
)


@dataclass
class Part:
    """Every process of one name."""

    processes: int = 0
    cpu_s: float = 0.0
    rss_mib: float = 0.0
    pss_mib: float = 0.0
    python: bool = False


def name_of(pid: int) -> tuple[str, bool]:
    """What a process is for, and whether it is Python."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ").split()
    program = Path(words[0]).name if words else "gone"
    if "-m" in words and program.startswith("python"):
        return words[words.index("-m") + 1].partition(".")[0], True
    if any("envoy" in word for word in words[:3]):
        return "envoy", False
    for known in ("postgres", "redis-server", "java"):
        if program.startswith(known):
            return {"java": "kafka", "redis-server": "redis"}.get(known, known), False
    return ("supervisor" if any("supervisor" in word for word in words) else program), program.startswith("python")


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, with that of children it has reaped."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def memory_mib(pid: int) -> tuple[float, float]:
    """RSS and PSS."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kib = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)}
    return kib["Rss"] / 1024, kib["Pss"] / 1024


def measure(pids: set[int], seconds: float) -> dict[str, Part]:
    """By part; processes that come and go meanwhile are left out."""
    before = {pid: cpu_s(pid) for pid in pids if Path(f"/proc/{pid}/stat").exists()}
    time.sleep(seconds)
    parts: dict[str, Part] = defaultdict(Part)
    for pid, used_s in before.items():
        try:
            spent_s, (rss, pss), (name, python) = cpu_s(pid) - used_s, memory_mib(pid), name_of(pid)
        except OSError:
            continue
        part = parts[name]
        part.processes, part.python = part.processes + 1, python
        part.cpu_s, part.rss_mib, part.pss_mib = part.cpu_s + spent_s, part.rss_mib + rss, part.pss_mib + pss
    return dict(parts)


def work_done(environments: Path) -> float:
    """Requests and records of all services so far, from their metrics."""
    done = 0.0
    for path in environments.glob("*.env"):
        found = re.search(r"^[A-Z]+_OPS_PORT='?(\d+)", path.read_text(), re.MULTILINE)
        if found and not path.name.startswith("gateway"):
            with urlopen(f"http://127.0.0.1:{found[1]}/metrics", timeout=5) as answer:
                done += sum(float(value) for _, value in _DONE.findall(answer.read()))
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    layout = current_layout()
    done, load = work_done(layout.home / "env"), os.getloadavg()[0]
    parts = measure(set(orphans(layout)) - {os.getpid()}, seconds)
    if not parts:
        sys.exit(f"{layout.instance} is not up")
    done = work_done(layout.home / "env") - done
    print(f"{layout.instance}, {seconds:g} s, {done:g} requests and records meanwhile, load {load:.1f} before")
    print(f"{'':<14}{'processes':>10}{'CPU %':>8}{'RSS MiB':>9}{'PSS MiB':>9}")
    for name, part in sorted(parts.items(), key=lambda item: (not item[1].python, item[0])):
        print(line(name, part, seconds))
    python = total([part for part in parts.values() if part.python])
    everything = total(list(parts.values()))
    print(line("all Python", python, seconds))
    print(line("everything", everything, seconds))
    percent = 100 * everything.cpu_s / seconds
    good = percent <= CPU_GOAL_PERCENT and python.rss_mib <= RSS_GOAL_MIB
    print(
        f"goal: everything ≤ {CPU_GOAL_PERCENT:g} % of one core, Python ≤ {RSS_GOAL_MIB:g} MiB RSS:"
        f" {'reached' if good else 'missed'}"
    )
    return 0 if good else 1


def total(parts: list[Part]) -> Part:
    return Part(
        sum(part.processes for part in parts),
        sum(part.cpu_s for part in parts),
        sum(part.rss_mib for part in parts),
        sum(part.pss_mib for part in parts),
    )


def line(name: str, part: Part, seconds: float) -> str:
    percent = 100 * part.cpu_s / seconds
    return f"{name:<14}{part.processes:>10}{percent:>8.2f}{part.rss_mib:>9.0f}{part.pss_mib:>9.0f}"


if __name__ == "__main__":
    sys.exit(main())
