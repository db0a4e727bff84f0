"""What a benchmark measured, for a program to read: each takes `--json FILE` and keeps a `Report` there."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One arm in one round. ``cpu_ms``: of all that serves it, each unit; ``load``: of the machine, when it ended."""

    arm: str
    figure: float
    cpu_ms: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    load: float = field(default_factory=lambda: os.getloadavg()[0])


@dataclass(slots=True, kw_only=True)
class Report:
    """``absent``: peers that cannot be had here, with what was tried."""

    settings: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    def of(self, arm: str) -> list[Reading]:
        """Its rounds, in order."""
        return [each for each in self.readings if each.arm == arm]

    def leave_out(self, arm: str, why: Exception) -> None:
        """A peer that cannot be had is named, not measured."""
        self.absent[arm] = str(why)
        print(f"{arm} is absent: {why}", flush=True)

    def keep(self, path: Path | None) -> None:
        if path is not None:
            path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def kept(path: Path) -> Report:
    found = json.loads(path.read_text(encoding="utf-8"))
    readings = [Reading(**each) for each in found["readings"]]
    return Report(settings=found["settings"], readings=readings, absent=found["absent"])


def json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep what was measured there, for a program")


def arms_option(parser: argparse.ArgumentParser, *arms: str) -> None:
    parser.add_argument("--arms", type=lambda given: given.split(","), default=list(arms), help=",".join(arms))
