"""Traces for a person: a list, and one of them as a tree with its times."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sandbox.trace_tree import tree

if TYPE_CHECKING:
    from sandbox.traces import Span

_HEAD = (
    "<!doctype html><meta charset=utf-8><title>Traces</title><style>"
    "body{font:15px system-ui;margin:2rem}td{padding:.15rem .8rem;vertical-align:top;white-space:nowrap}"
    ".bar{background:#4a7;height:.7rem;min-width:2px}.failed .bar{background:#c44}.at{width:30rem}"
    "</style>"
)


def list_page(traces: Sequence[Sequence[Span]]) -> str:
    rows = "".join(
        f"<tr><td><a href='/traces/{spans[0].trace_id}'>{spans[0].trace_id}</a><td>{len(spans)}"
        f"<td>{html.escape(', '.join(sorted({span.service for span in spans})))}<td>{html.escape(spans[0].name)}"
        for spans in traces
        if spans
    )
    return f"{_HEAD}<h1>Traces</h1><table><tr><th>trace<th>spans<th>services<th>begins with{rows}</table>"


def trace_page(spans: Sequence[Span]) -> str:
    """Each span below its cause, with a bar for when it ran within the whole."""
    if not spans:
        return f"{_HEAD}<h1>No such trace</h1><p>It was not sampled, or newer ones took its place."
    begin = min(span.start_unix_ns for span in spans)
    whole_ms = max((span.start_unix_ns - begin) / 1e6 + span.duration_ms for span in spans) or 1.0
    rows = "".join(_row(depth, span, begin, whole_ms) for depth, span in tree(spans))
    return f"{_HEAD}<h1>{html.escape(spans[0].trace_id)}</h1><p>{whole_ms:.1f} ms<table>{rows}</table>"


def _row(depth: int, span: Span, begin_ns: int, whole_ms: float) -> str:
    after_ms = (span.start_unix_ns - begin_ns) / 1e6
    told = "; ".join(f"{name}={value}" for name, value in sorted(span.attributes.items()))
    left, width = 100 * after_ms / whole_ms, 100 * span.duration_ms / whole_ms
    return (
        f"<tr{' class=failed' if span.failed else ''} title='{html.escape(told, quote=True)}'>"
        f"<td style='padding-left:{0.8 + 1.6 * depth}rem'><b>{html.escape(span.service)}</b> {html.escape(span.name)}"
        f"<td>+{after_ms:.1f} ms<td>{span.duration_ms:.1f} ms"
        f"<td class=at><div class=bar style='margin-left:{left:.2f}%;width:{width:.2f}%'></div>"
    )
