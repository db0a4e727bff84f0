"""Histories as JSON and back: what the store writes with every transition, and what a replay reads.

Invariant: ``input_of(entry)`` of a recorded entry gives the very input that was recorded.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

import asyncpg
import orjson
from google.protobuf.message import Message

from chassis.postgres import Connection
from orchestrator.domain.batch import AppliedTransition
from orchestrator.domain.effects import Effect, Reached, SendCommand, StepSettled, StepTimedOut
from orchestrator.domain.history import HistoryEntry, SentCommand
from orchestrator.domain.ids import CommandId
from orchestrator.domain.inputs import Input

_INPUTS: Final[Mapping[str, type[Input]]] = {kind.kind: kind for kind in get_args(Input)}
# Kept in columns of their own, or in the saga's row.
_LEFT_OUT: Final = frozenset({"at", "data", "saga_id", "business_key", "correlation_id"})

_READ = """
SELECT seq, at, kind, entry::text AS entry FROM saga_history WHERE saga_id = $1 ORDER BY seq"""


async def read_history(conn: Connection, saga: Mapping[str, Any] | asyncpg.Record) -> Sequence[HistoryEntry]:
    """All entries of one saga, given as its row, in order."""
    entries = []
    for row in await conn.fetch(_READ, saga["id"]):
        entry = orjson.loads(row["entry"])
        event = input_of(row["kind"], row["at"], entry, saga)
        entries.append(HistoryEntry(seq=row["seq"], event=event, sent=sent_of(entry)))
    return entries


def entry_json(applied: AppliedTransition) -> str:
    """One history entry: the input, and every effect; commands with their bytes."""
    entry: dict[str, Any] = {"in": _plain(applied.event)}
    for effect in applied.effects:
        _note(entry, effect)
    return orjson.dumps(entry).decode()


def input_of(kind: str, at: datetime, entry: Mapping[str, Any], saga: Mapping[str, Any] | asyncpg.Record) -> Input:
    """The recorded input; the saga's row keeps what a Start carried."""
    values: dict[str, Any] = dict(entry["in"])
    match kind:
        case "start":
            values |= {
                "saga_id": saga["id"],
                "business_key": saga["business_key"],
                "correlation_id": saga["correlation_id"],
                "data": saga["data"],
            }
        case "reply":
            values["command_id"] = CommandId(UUID(values["command_id"]))
        case "pause":
            values["until"] = datetime.fromisoformat(values["until"])
    return _INPUTS[kind](at=at, **values)


def sent_of(entry: Mapping[str, Any]) -> list[SentCommand]:
    """The commands an entry recorded."""
    return [
        (step, undo, CommandId(UUID(command_id)), attempt, name, b64decode(body))
        for step, undo, command_id, attempt, name, body in entry.get("sent", ())
    ]


def sent_by(effect: SendCommand) -> SentCommand:
    """The command an effect sends."""
    if not isinstance(effect.body, Message):
        raise TypeError("a command is a Protobuf message")
    name, content = effect.body.DESCRIPTOR.full_name, effect.body.SerializeToString()
    return effect.step, effect.undo, effect.command_id, effect.attempt, name, content


def _plain(event: Input) -> dict[str, Any]:
    return {item.name: getattr(event, item.name) for item in fields(event) if item.name not in _LEFT_OUT}


def _note(entry: dict[str, Any], effect: Effect) -> None:
    match effect:
        case SendCommand():
            *facts, content = sent_by(effect)
            entry.setdefault("sent", []).append([*facts, b64encode(content).decode()])
        case StepSettled():
            entry["settled"] = [effect.step, effect.undo, effect.outcome, round(effect.latency_s, 6)]
        case StepTimedOut():
            entry.setdefault("timed_out", []).append([effect.step, effect.undo, effect.attempt])
        case Reached():
            entry.setdefault("reached", []).append([effect.milestone, effect.step, effect.reason])
