"""Histories as files: recorded once from a version, replayed ever after.

``python -m orchestrator_testing.histories FOLDER`` records the histories of today's newest versions; a file that
exists is never overwritten, because a history is a fact.
"""

from __future__ import annotations

import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from orchestrator.adapters.history_store import entry_json, input_of, sent_of
from orchestrator.domain.batch import UNCAUSED, AppliedTransition
from orchestrator.domain.history import HistoryEntry
from orchestrator.domain.inputs import Cancel
from orchestrator_testing.builders import a_checkout
from orchestrator_testing.participants import Participants
from orchestrator_testing.simulation import Simulation


def recorded(document: Mapping[str, Any]) -> list[HistoryEntry]:
    """The entries of one history file."""
    saga = dict(document["saga"], id=UUID(document["saga"]["id"]), data=b64decode(document["saga"]["data"]))
    return [
        HistoryEntry(
            seq=item["seq"],
            event=input_of(item["kind"], datetime.fromisoformat(item["at"]), item["entry"], saga),
            sent=sent_of(item["entry"]),
        )
        for item in document["entries"]
    ]


def document_of(simulation: Simulation) -> dict[str, Any]:
    """A simulated saga as a history file."""
    state = simulation.current
    return {
        "saga_type": state.saga_type,
        "version": state.version,
        "status": state.status,
        "saga": {
            "id": str(state.saga_id),
            "business_key": state.business_key,
            "correlation_id": state.correlation_id,
            "data": b64encode(state.data).decode(),
        },
        "entries": [_entry(applied) for applied in transitions_of(simulation)],
    }


def transitions_of(simulation: Simulation) -> list[AppliedTransition]:
    """The transitions of a simulated saga that changed it."""
    return [AppliedTransition(event, state, effects, UNCAUSED) for event, state, effects in simulation.moves]


def _entry(applied: AppliedTransition) -> dict[str, Any]:
    return {
        "seq": applied.state.seq,
        "kind": applied.event.kind,
        "at": applied.event.at.isoformat(),
        "entry": orjson.loads(entry_json(applied)),
    }


def _completed() -> Simulation:
    return Simulation()


def _free_beside_paid() -> Simulation:
    return Simulation(checkout=a_checkout(free=1))


def _insufficient_funds() -> Simulation:
    return Simulation(participants=Participants(wallet_minor=0))


def _sold_out() -> Simulation:
    return Simulation(participants=Participants(stock_available=0))


def _silent_payment() -> Simulation:
    return Simulation(eats_command=lambda command: command.step == "authorize_payment" and not command.undo)


def _silent_capture() -> Simulation:
    return Simulation(eats_command=lambda command: command.step == "capture_payment" and command.attempt < 14)


def _refused_capture() -> Simulation:
    rounds: list[UUID] = []

    def refuse(body: Any, command_id: UUID) -> str | None:
        if type(body).__name__ == "CapturePayment" and len(rounds) < 3:
            rounds.append(command_id)
            return "payment.provider.unavailable"
        return None

    return Simulation(participants=Participants(refuse=refuse))


SCENARIOS: Mapping[str, Callable[[], Simulation]] = {
    "completed": _completed,
    "free_beside_paid": _free_beside_paid,
    "insufficient_funds": _insufficient_funds,
    "sold_out": _sold_out,
    "silent_payment": _silent_payment,
    "silent_capture": _silent_capture,
    "refused_capture": _refused_capture,
}


def main(folder: Path) -> None:
    """Record what is not recorded yet."""
    for name, scenario in {**SCENARIOS, "cancelled": _completed}.items():
        simulation = scenario()
        simulation.begin()
        if name == "cancelled":
            simulation.deliver_command()
            simulation.give(Cancel(at=simulation.now, code="buyer"))
        simulation.settle()
        path = folder / f"{simulation.current.saga_type}_v{simulation.current.version}_{name}.json"
        if not path.exists():
            path.write_bytes(orjson.dumps(document_of(simulation), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
