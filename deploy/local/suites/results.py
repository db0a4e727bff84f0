"""What a suite's tests came to, read from the file of results that pytest wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from testkit.budgets import part_of

OUTCOMES = ("failed", "passed", "skipped", "errors")
_TAGS = {"failure": "failed", "error": "errors", "skipped": "skipped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One test; setup and teardown count in its seconds."""

    nodeid: str
    part: str
    outcome: str
    seconds: float
    said: str


def read_results(path: Path) -> list[Result]:
    """Nothing when pytest ended before it could write them."""
    if not path.exists():
        return []
    return [_result(case) for case in ET.parse(path).getroot().iter("testcase")]  # noqa: S314 -- pytest wrote it


def totals(results: Iterable[Result]) -> str:
    """As pytest says it: ``1 failed, 7962 passed, 2 skipped``."""
    found = [each.outcome for each in results]
    return ", ".join(f"{found.count(name)} {name}" for name in OUTCOMES if name in found) or "no tests ran"


def slowest(results: Iterable[Result], count: int) -> Iterator[str]:
    for each in sorted(results, key=lambda each: -each.seconds)[:count]:
        yield f"{each.seconds:7.2f} s  {each.nodeid}"


def _result(case: ET.Element) -> Result:
    outcome, said = "passed", ""
    for child in case:
        if child.tag in _TAGS:
            outcome, said = _TAGS[child.tag], child.get("message", "")
    nodeid = f"{case.get('file', '')}::{case.get('name', '')}"
    # A test that a library made has the library's file; its class name is of ours.
    part = part_of(case.get("classname", "").replace(".", "/"))
    return Result(nodeid=nodeid, part=part, outcome=outcome, seconds=float(case.get("time", "0")), said=said)
