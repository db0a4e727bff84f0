"""A trace as a tree: each span below the one that caused it, in the order they began.

Invariant: every span stands in the tree once; one whose parent was not exported, or that causes itself, is a root.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar


class Spanning(Protocol):
    """What a tree asks of a span."""

    @property
    def span_id(self) -> str: ...

    @property
    def parent_span_id(self) -> str: ...

    @property
    def start_unix_ns(self) -> int: ...


SpanT = TypeVar("SpanT", bound=Spanning)


def tree(spans: Sequence[SpanT]) -> Iterator[tuple[int, SpanT]]:
    """Pairs of depth and span, parents first."""
    ordered = sorted(spans, key=lambda span: span.start_unix_ns)
    known = {span.span_id for span in ordered}
    children: dict[str, list[SpanT]] = {}
    for span in ordered:
        children.setdefault(span.parent_span_id if span.parent_span_id in known else "", []).append(span)
    shown: set[str] = set()
    # After the roots, everything once more: what is left then is a circle, and is cut where it began.
    waiting = [(0, span) for span in reversed([*children.get("", ()), *ordered])]
    while waiting:
        depth, span = waiting.pop()
        if span.span_id in shown:
            continue
        shown.add(span.span_id)
        yield depth, span
        waiting.extend((depth + 1, child) for child in reversed(children.get(span.span_id, ())))
