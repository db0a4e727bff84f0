"""Prometheus metrics of the orchestrator. Labels hold names of sagas and steps, never ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from prometheus_client import Counter, Gauge, Histogram

from operations import UnreadableNotes
from orchestrator.domain.batch import IgnoredInput

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)

STARTED: Final = Counter("orchestrator_sagas_started", "Sagas begun", ["saga_type"])
COMPENSATED: Final = Counter("orchestrator_sagas_compensated", "Sagas that began to be undone", ["saga_type"])
ENDED: Final = Counter("orchestrator_sagas_ended", "Sagas ended, by how", ["saga_type", "status"])
NEEDED_OPERATOR: Final = Counter(
    "orchestrator_sagas_needed_operator", "Times an operator was called", ["saga_type", "step"]
)
IGNORED: Final = Counter(
    "orchestrator_inputs_ignored", "Duplicates, late answers and early wake-ups", ["saga_type", "reason"]
)
DURATION: Final = Histogram(
    "orchestrator_saga_duration_seconds", "From start to end", ["saga_type"], buckets=_BUCKETS_S
)
STEP_LATENCY: Final = Histogram(
    "orchestrator_step_latency_seconds",
    "From a step's first command to its final answer",
    ["saga_type", "step", "direction", "outcome"],
    buckets=_BUCKETS_S,
)
STEP_TIMEOUTS: Final = Counter(
    "orchestrator_step_timeouts", "Attempts given up without an answer", ["saga_type", "step", "direction"]
)
RUNNING: Final = Gauge("orchestrator_sagas_running", "Sagas not ended", ["saga_type"])
OLDEST_RUNNING: Final = Gauge(
    "orchestrator_sagas_oldest_running_seconds", "Age of the oldest saga not ended", ["saga_type"]
)
OLDEST_LATE: Final = Gauge(
    "orchestrator_sagas_oldest_late_seconds",
    "How long ago the deadline passed of the oldest saga that has not ended, is not paused and waits for no operator",
    ["saga_type"],
)
STUCK: Final = Gauge("orchestrator_sagas_stuck", "Sagas that wait for an operator now", ["saga_type"])
OVERDUE: Final = Gauge("orchestrator_sagas_overdue", "Sagas whose wake-up is more than 5 s past", ["saga_type"])


_UNREADABLE: Final = Counter(
    "orchestrator_unreadable", "Reads of something stored that is damaged; each thing is logged once", ["what"]
)


class What(StrEnum):
    """What is damaged: its row is shown as far as it can be read, and is its own outcome alone."""

    SAGA = "saga"
    HISTORY = "history"


note_unreadable: Final = UnreadableNotes(_UNREADABLE, What).note


def count_ignored(ignored: Iterable[IgnoredInput]) -> None:
    """Inputs that changed nothing, once their transaction committed or is about to."""
    for item in ignored:
        IGNORED.labels(item.saga_type, item.reason).inc()


def observe_running(running: Mapping[str, Mapping[str, Any]], saga_types: Iterable[str]) -> None:
    """Set the gauges by what ``count_running`` found; a type without running sagas reads 0."""
    for saga_type in {*saga_types, *running}:
        row = running.get(saga_type)
        RUNNING.labels(saga_type).set(row["running"] if row else 0)
        STUCK.labels(saga_type).set(row["stuck"] if row else 0)
        OVERDUE.labels(saga_type).set(row["overdue"] if row else 0)
        OLDEST_RUNNING.labels(saga_type).set(row["oldest_s"] if row else 0)
        OLDEST_LATE.labels(saga_type).set(row["late_s"] if row else 0)
