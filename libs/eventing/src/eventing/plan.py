"""The order of handler calls for many records: few calls, and each key's records in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eventing.received import Received
from eventing.subscriptions import Handler


@dataclass(slots=True)
class Call:
    """One call of one handler: a single record, or as many as a batch handler can take at once."""

    handler: Handler
    records: list[Received] = field(default_factory=list)


def plan(records: Sequence[Received]) -> list[Call]:
    """Group records into calls.

    A record's level is how often the handler changes among its key's records before it. Calls of a lower level come
    first, so a key's records keep their order while a batch handler gets every record it can take at that level.
    """
    levels: dict[object, tuple[Handler, int]] = {}
    calls: dict[tuple[int, Handler], Call] = {}
    for record in records:
        handler = record.handler
        if handler is None:
            raise ValueError("only records with a handler can be planned")
        key = record.ordering_key or record
        last, level = levels.get(key, (handler, 0))
        if last is not handler:
            level += 1
        levels[key] = (handler, level)
        call = calls.get((level, handler))
        if call is None:
            call = calls[level, handler] = Call(handler)
        call.records.append(record)
    ordered = sorted(calls.items(), key=lambda item: item[0][0])
    return [
        made
        for _, grouped in ordered
        for made in ([grouped] if grouped.handler.batch else [Call(grouped.handler, [one]) for one in grouped.records])
    ]
