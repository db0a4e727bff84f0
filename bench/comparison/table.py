"""The table of all rows, in Markdown, for the terminal and for bench/RESULTS.md."""

from __future__ import annotations

from collections.abc import Iterable

from comparison.judge import Outcome, Side

HEAD = ("figure", "ours", "peer", "ratio (rounds)", "goal", "last", "CPU ms each: ours, peer", "load", "verdict")


def table(outcomes: Iterable[Outcome]) -> str:
    rows = [HEAD, *(_cells(each) for each in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def absences(outcomes: Iterable[Outcome]) -> list[str]:
    """Each peer that was not measured: what was tried, and what is known of it."""
    return [
        f"{each.row.peer_title} is absent: {each.absent}. Last recorded: {_known(each)}."
        for each in outcomes
        if each.absent
    ]


def _cells(outcome: Outcome) -> tuple[str, ...]:
    row, last = outcome.row, outcome.last
    return (
        row.title,
        _figure(outcome.ours, row.unit),
        f"{row.peer_title}: {_peer(outcome)}",
        _ratio(outcome),
        f"≥ {row.goal:g}×",
        f"{last.ratio:.2f}× ({last.at})" if last else "—",
        f"{_cpu(outcome.ours)}, {_cpu(outcome.peer)}",
        f"{outcome.load:.1f}" if outcome.load else "—",
        outcome.verdict,
    )


def _figure(side: Side | None, unit: str) -> str:
    return f"{number(side.figure)}{unit}" if side else "—"


def _peer(outcome: Outcome) -> str:
    if outcome.row.limit is not None:
        return f"{number(outcome.row.limit)}{outcome.row.unit}"
    return "absent" if outcome.absent else _figure(outcome.peer, outcome.row.unit)


def _ratio(outcome: Outcome) -> str:
    if outcome.ratio is None:
        return "—"
    rounds = outcome.ratios
    return f"{outcome.ratio:.2f}×" + (f" ({min(rounds):.2f}–{max(rounds):.2f})" if len(rounds) > 1 else "")


def _cpu(side: Side | None) -> str:
    return f"{side.cpu_ms:.3g}" if side and side.cpu_ms is not None else "—"


def _known(outcome: Outcome) -> str:
    if outcome.last:
        return f"{number(outcome.last.peer)}{outcome.row.unit}, {outcome.last.at}"
    return outcome.row.known or "nothing"


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
