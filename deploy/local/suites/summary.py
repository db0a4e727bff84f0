"""What all suites came to: time by part beside the budgets, the slowest tests, what was skipped, and the total."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from suites.results import Result, slowest, totals
from suites.runner import Ended
from testkit.budgets import table

SLOWEST: Final = 20
WIDTH: Final = 80


def summary(suites: Sequence[Ended], budgets: Mapping[str, float], seconds: float) -> Iterator[str]:
    """Its lines; the last is the total, as pytest says it."""
    results = [result for ended in suites for result in ended.results]
    yield " time by part ".center(WIDTH, "=")
    yield from table(_seconds(suites), Counter(each.part for each in results), budgets)
    yield f" slowest {SLOWEST} ".center(WIDTH, "=")
    yield from slowest(results, SLOWEST)
    yield from (f"SKIPPED {each.nodeid}: {each.said}" for each in results if each.outcome == "skipped")
    without = [ended.suite.name for ended in suites if ended.code and not _bad(ended.results)]
    also = f", {', '.join(without)} failed" if without else ""
    took = f"{seconds:.2f}s ({dt.timedelta(seconds=int(seconds))})"
    yield f" {totals(results)}{also} in {took} ".center(WIDTH, "=")


def _seconds(suites: Iterable[Ended]) -> Mapping[str, float]:
    seconds: defaultdict[str, float] = defaultdict(float)
    for ended in suites:
        if ended.suite.folder is None:
            seconds[ended.suite.name] = ended.seconds
        for each in ended.results:
            seconds[each.part] += each.seconds
    return seconds


def _bad(results: Iterable[Result]) -> bool:
    return any(each.outcome in {"failed", "errors"} for each in results)
