"""What operators see: personal data in payloads is masked."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from contracts.registry import record_types
from orchestrator.adapters.saga_reads import TimelineRow
from orchestrator.domain.ids import SagaId
from orchestrator.entrypoints.schemas.sagas import TimelineView


def test_personal_data_of_a_payload_is_masked() -> None:
    record = next(
        kind
        for kind in record_types().values()
        if any(kind.message.DESCRIPTOR.fields_by_name.get(path) is not None for path in kind.pii)
    )
    path = next(path for path in record.pii if record.message.DESCRIPTOR.fields_by_name.get(path) is not None)
    body = record.message(**{path: "somebody@example.com"})
    content = b64encode(body.SerializeToString()).decode()
    sent = [["a_step", False, str(uuid4()), 1, record.name, content]]
    row = TimelineRow(SagaId(uuid4()), 1, 0, datetime.now(UTC), "start", {"in": {}, "sent": sent})
    view = TimelineView.of(row)
    assert view.commands[0].payload[path] == "***"
    assert "somebody" not in view.model_dump_json()


@pytest.mark.parametrize(
    "entry",
    [
        5,
        [],
        None,
        {},
        {"in": 5},
        {"in": {}, "settled": [1]},
        {"in": {}, "sent": 5},
        {"in": {}, "sent": [["a_step", False, "no id", 1, "no type", ""]]},
        {"in": {}, "sent": [["a_step", False, str(uuid4()), 1, "sampan.commerce.v1.ReserveStock", "/w=="]]},
    ],
)
def test_an_entry_that_is_damaged_is_shown_as_one(entry: object) -> None:
    row = TimelineRow(SagaId(uuid4()), 3, 1, datetime.now(UTC), "reply", entry)
    view = TimelineView.of(row)
    assert (view.seq, view.epoch, view.kind, view.unreadable) == (3, 1, "reply", True)
    assert (view.input, view.settled, view.commands) == ({}, None, [])
