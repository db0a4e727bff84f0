"""Rows and goals from bench/compare.toml, which people write; ratios from bench/compare.json, which --record writes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from comparison.judge import Last, Outcome, Row


@dataclass(frozen=True, slots=True)
class Program:
    """A benchmark that alternates the arms it is asked for."""

    name: str
    arguments: tuple[str, ...] = ()
    cpu: str = ""


def read_rows(path: Path) -> tuple[list[Program], list[Row]]:
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    programs = [
        Program(name, tuple(each.get("arguments", ())), each["cpu"]) for name, each in found["programs"].items()
    ]
    return programs, [_row(name, each) for name, each in found["rows"].items()]


def _row(name: str, found: dict[str, Any]) -> Row:
    arms = found.pop("arms", None) or [arm for arm in (found["ours"], found.get("peer")) if arm]
    return Row(name=name, arms=tuple(arms), **found)


def read_last(path: Path) -> dict[str, Last]:
    if not path.exists():
        return {}
    return {name: Last(**each) for name, each in json.loads(path.read_text(encoding="utf-8")).items()}


def record(path: Path, outcomes: Iterable[Outcome], at: str) -> None:
    """Rows that were measured now replace theirs; the others keep what they have."""
    standing = read_last(path)
    for each in outcomes:
        if each.ratio is not None and each.ours is not None:
            peer = each.peer.figure if each.peer else each.row.limit or 0.0
            standing[each.row.name] = Last(
                ratio=round(each.ratio, 3),
                ours=round(each.ours.figure, 2),
                peer=round(peer, 2),
                load=round(each.load, 1),
                at=at,
            )
    found = {name: asdict(each) for name, each in sorted(standing.items())}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
