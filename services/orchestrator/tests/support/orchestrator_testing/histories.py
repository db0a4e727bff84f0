"""Histories as files: recorded once from a version, replayed ever after.

``python -m orchestrator_testing.histories FOLDER`` records the histories of every version that are not there; a file that
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
from orchestrator.domain.effects import SendCommand
from orchestrator.domain.history import HistoryEntry
from orchestrator.domain.inputs import Cancel
from orchestrator_testing.builders import a_checkout
from orchestrator_testing.participants import Participants
from orchestrator_testing.simulation import DEFINITION, DEFINITION_V2, Simulation


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


def _v1(**parts: Any) -> Simulation:
    return Simulation(definition=DEFINITION, **parts)


def _v2(**parts: Any) -> Simulation:
    return Simulation(definition=DEFINITION_V2, **{"held": True, **parts})


def _never(step: str, *, until_attempt: int = 1_000_000) -> Callable[[SendCommand], bool]:
    """The network eats a step's command, up to an attempt."""
    return lambda command: command.step == step and not command.undo and command.attempt < until_attempt


def _refusing(name: str, code: str, *, times: int) -> Participants:
    """Participants who refuse the first so many rounds of a command."""
    rounds: list[UUID] = []

    def refuse(body: Any, command_id: UUID) -> str | None:
        if type(body).__name__ == name and len(rounds) < times:
            rounds.append(command_id)
            return code
        return None

    return Participants(refuse=refuse)


def _provider_down(name: str) -> Participants:
    return _refusing(name, "payment.provider.unavailable", times=3)


# Of each version what can go well or wrong, by name.
SCENARIOS: Mapping[tuple[int, str], Callable[[], Simulation]] = {
    (1, "completed"): _v1,
    (1, "free_beside_paid"): lambda: _v1(checkout=a_checkout(free=1)),
    (1, "insufficient_funds"): lambda: _v1(participants=Participants(wallet_minor=0)),
    (1, "sold_out"): lambda: _v1(participants=Participants(stock_available=0)),
    (1, "silent_payment"): lambda: _v1(eats_command=_never("authorize_payment")),
    (1, "silent_capture"): lambda: _v1(eats_command=_never("capture_payment", until_attempt=14)),
    (1, "refused_capture"): lambda: _v1(participants=_provider_down("CapturePayment")),
    (2, "completed"): _v2,
    (2, "insufficient_funds"): lambda: _v2(participants=Participants(wallet_minor=0)),
    (2, "sold_out"): lambda: _v2(participants=Participants(stock_available=0), held=False),
    (2, "shop_closed"): lambda: _v2(participants=_refusing("CompleteOrder", "commerce.shop.closed", times=1)),
    (2, "silent_payment"): lambda: _v2(eats_command=_never("pay_order")),
    (2, "silent_completion"): lambda: _v2(eats_command=_never("complete_order", until_attempt=14)),
    (2, "refused_return"): lambda: _v2(participants=_nothing_goes()),
    (2, "refused_settlement"): lambda: _v2(participants=_provider_down("SettlePayment")),
}


def _nothing_goes() -> Participants:
    """The pivot is refused, and the undo is refused at first."""
    participants = _provider_down("ReturnPayment")
    by_return = participants.refuse

    def refuse(body: Any, command_id: UUID) -> str | None:
        return "commerce.stock.hold_expired" if type(body).__name__ == "CompleteOrder" else by_return(body, command_id)

    participants.refuse = refuse
    return participants


def main(folder: Path) -> None:
    """Record what is not recorded yet."""
    cancelled = {(version, "cancelled"): SCENARIOS[version, "completed"] for version in (1, 2)}
    for (version, name), scenario in {**SCENARIOS, **cancelled}.items():
        simulation = scenario()
        simulation.begin()
        if name == "cancelled":
            simulation.deliver_command()
            simulation.give(Cancel(at=simulation.now, code="buyer"))
        simulation.settle()
        path = folder / f"{simulation.current.saga_type}_v{version}_{name}.json"
        if not path.exists():
            path.write_bytes(orjson.dumps(document_of(simulation), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
