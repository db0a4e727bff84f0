"""Records that wait for another attempt, and those of the same key behind them; other keys go on meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from eventing.received import Received


@dataclass(slots=True)
class _Waiting:
    due: float
    records: deque[Received] = field(default_factory=deque)


class Backlog:
    """Waiting records by ordering key. ``now`` is monotonic seconds."""

    def __init__(self) -> None:
        self._waiting: dict[object, _Waiting] = {}

    def __len__(self) -> int:
        return sum(len(waiting.records) for waiting in self._waiting.values())

    def admit(self, record: Received) -> bool:
        """True when the record may be handled now; otherwise it was put behind its key's waiting ones."""
        waiting = self._waiting.get(_key(record))
        if waiting is None:
            return True
        waiting.records.append(record)
        return False

    def hold(self, records: Collection[Received], due: float) -> None:
        """Records of one key, in order, that come again at ``due``."""
        for record in records:
            self._waiting.setdefault(_key(record), _Waiting(due)).records.append(record)

    def take_due(self, now: float) -> list[Received]:
        """Every record whose key is due, each key's in order."""
        due = [key for key, waiting in self._waiting.items() if waiting.due <= now]
        return [record for key in due for record in self._waiting.pop(key).records]

    def next_due(self) -> float | None:
        """When the first key is due."""
        return min((waiting.due for waiting in self._waiting.values()), default=None)

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """Forget the records of partitions that belong to somebody else now."""
        for key in list(self._waiting):
            kept = deque(record for record in self._waiting[key].records if record.tp not in partitions)
            if kept:
                self._waiting[key].records = kept
            else:
                del self._waiting[key]

    def held(self) -> dict[TopicPartition, int]:
        """How many records wait, by partition."""
        counts: dict[TopicPartition, int] = {}
        for waiting in self._waiting.values():
            for record in waiting.records:
                counts[record.tp] = counts.get(record.tp, 0) + 1
        return counts

    def oldest(self) -> Received | None:
        """The record with the most attempts."""
        heads = [waiting.records[0] for waiting in self._waiting.values() if waiting.records]
        return max(heads, key=lambda record: record.attempts, default=None)


def _key(record: Received) -> object:
    return record.ordering_key or record
