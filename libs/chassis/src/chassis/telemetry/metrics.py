"""Prometheus metrics of the HTTP edge and the process, with labels from closed sets only.

A route's label is its template, never a path; a problem's label is a declared code. Requests are counted in plain
numbers and turned into a histogram when somebody scrapes: that keeps a request at a fraction of a microsecond.
"""

from __future__ import annotations

import asyncio
import weakref
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final, Protocol

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from kernel.loops import pause

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)

problems: Final = Counter("http_server_problems", "Refused requests by stable code", ["code"])
in_flight: Final = Gauge("http_server_requests_in_flight", "Requests being handled now")
limits_skipped: Final = Counter("rate_limits_skipped", "Requests let through because Redis was away", ["name"])
loop_lag_s: Final = Histogram(
    "event_loop_lag_seconds", "How late a timer fired", buckets=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
)
ready: Final = Gauge("process_ready", "1 while /readyz would answer 200, else 0; asked at each scrape")
degraded: Final = Gauge("process_degraded", "Parts that /readyz calls degraded; asked at each scrape")
step_due_s: Final = Gauge(
    "runner_step_due_seconds", "For how long a step of a background runner is due without one having ended", ["name"]
)
step_bound_s: Final = Gauge("runner_step_bound_seconds", "How long a step of a background runner may take", ["name"])
runner_restarts: Final = Counter("runner_restarts", "Background runners started again after an error", ["name"])


class Keeper(Protocol):
    """Keeps durations back for a moment."""

    def flush(self) -> None: ...


class RouteTimes:
    """Durations of one route and status: a count per bucket, and their sum."""

    __slots__ = ("counts", "sum_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_S) + 1)
        self.sum_s = 0.0

    def add(self, duration_s: float) -> None:
        self.counts[bisect_left(BUCKETS_S, duration_s)] += 1
        self.sum_s += duration_s


class RequestMetrics(Collector):
    """All routes' durations, as one histogram on scrape."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._times: dict[tuple[str, str, int], RouteTimes] = {}
        self._keepers: weakref.WeakSet[Keeper] = weakref.WeakSet()
        registry.register(self)

    def before_scrape(self, keeper: Keeper) -> None:
        """Have what a live object still keeps back added before anybody reads."""
        self._keepers.add(keeper)

    def times(self, method: str, route: str, status: int) -> RouteTimes:
        """The durations of one route and status; ``route`` is a template from the route table."""
        key = (method, route, status)
        found = self._times.get(key)
        if found is None:
            found = self._times[key] = RouteTimes()
        return found

    def describe(self) -> Iterator[HistogramMetricFamily]:
        return iter(())

    def collect(self) -> Iterator[Any]:
        for keeper in list(self._keepers):
            keeper.flush()
        family = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Time from the parsed header to the finished answer",
            labels=["method", "route", "status"],
        )
        bounds = [*(str(bound) for bound in BUCKETS_S), "+Inf"]
        for (method, route, status), times in list(self._times.items()):
            total, buckets = 0, []
            for bound, count in zip(bounds, times.counts, strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric([method, route, str(status)], buckets, times.sum_s)
        yield family


requests: Final = RequestMetrics()


async def watch_loop_lag(stop: asyncio.Event, *, every_s: float = 1.0) -> None:
    """Measure how late the event loop is, until ``stop``."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        due = loop.time() + every_s
        await pause(stop, every_s)
        if not stop.is_set():
            loop_lag_s.observe(max(0.0, loop.time() - due))
