"""How far behind a consumer is, as it last knew; unknown (NaN) while no step of its loop ends."""

from __future__ import annotations

import contextlib
import math
from functools import partial

from aiokafka import TopicPartition

from eventing.metrics import CONSUMER_LAG
from kernel.steps import Steps


class Lags:
    """The gauges of one client's partitions."""

    def __init__(self, group: str, steps: Steps) -> None:
        self._group = group
        self._steps = steps
        self._records: dict[TopicPartition, int] = {}

    def set(self, tp: TopicPartition, records: int) -> None:
        if tp not in self._records:
            CONSUMER_LAG.labels(self._group, tp.topic, str(tp.partition)).set_function(partial(self._read, tp))
        self._records[tp] = records

    def forget(self, tp: TopicPartition) -> None:
        """The partition belongs to somebody else now."""
        if self._records.pop(tp, None) is not None:
            with contextlib.suppress(KeyError):
                CONSUMER_LAG.remove(self._group, tp.topic, str(tp.partition))

    def forget_all(self) -> None:
        """The client is gone, and what it knew with it."""
        for tp in list(self._records):
            self.forget(tp)

    def _read(self, tp: TopicPartition) -> float:
        return math.nan if self._steps.problem() else self._records.get(tp, math.nan)
