"""Recorded histories replay on today's code; v1 sagas finish on v1 after v2 is deployed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from orchestrator.adapters.history_store import sent_by
from orchestrator.adapters.saga_store import state_of, steps_json, steps_of
from orchestrator.domain.definition import SagaDefinition, Step, StepKind
from orchestrator.domain.history import replay_history
from orchestrator.domain.registry import UnknownDefinitionError
from orchestrator.sagas import REGISTRY
from orchestrator_testing.histories import SCENARIOS, document_of, recorded
from orchestrator_testing.rows import row_of
from orchestrator_testing.simulation import DEFINITION, DEFINITION_V2, Simulation

HISTORIES = sorted((Path(__file__).parents[1] / "data" / "histories").glob("*.json"))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_replays(path: Path) -> None:
    document = orjson.loads(path.read_bytes())
    definition = REGISTRY.pinned(document["saga_type"], document["version"])
    assert replay_history(definition, recorded(document), sent_by=sent_by) == []


def test_every_version_has_recorded_histories() -> None:
    for definition in REGISTRY:
        prefix = f"{definition.saga_type}_v{definition.version}_"
        assert [path for path in HISTORIES if path.name.startswith(prefix)], prefix


def edited_of(definition: SagaDefinition) -> SagaDefinition:
    """Its first step is another: the second, or one that asks for what the closing step does."""
    first, second, *rest = definition.stages
    if definition.steps[1].kind is not StepKind.PIVOT:
        return replace(definition, stages=(second, first, *rest))
    assert isinstance(first, Step)
    assert definition.closing
    asks_otherwise = replace(first.do, build=definition.closing.do.build)
    return replace(definition, stages=(replace(first, do=asks_otherwise), second, *rest))


@pytest.mark.parametrize(("version", "name"), SCENARIOS)
def test_a_definition_edited_in_place_is_noticed(version: int, name: str) -> None:
    """Negative control: change the first step, and its histories no longer replay."""
    simulation = SCENARIOS[version, name]()
    simulation.begin()
    simulation.settle()
    document = orjson.loads(orjson.dumps(document_of(simulation)))
    definition = simulation.definition
    assert replay_history(definition, recorded(document), simulation.current, sent_by=sent_by) == []
    assert replay_history(edited_of(definition), recorded(document), sent_by=sent_by) != []


def test_v1_finishes_on_v1_after_v2_is_deployed() -> None:
    assert REGISTRY.newest("order_payment") is DEFINITION_V2
    simulation = Simulation()
    simulation.begin()
    assert REGISTRY.pinned(simulation.current.saga_type, simulation.current.version) is DEFINITION


def test_a_process_leaves_versions_it_does_not_know_alone() -> None:
    with pytest.raises(UnknownDefinitionError):
        REGISTRY.pinned("order_payment", 99)


@pytest.mark.parametrize(("version", "name"), SCENARIOS)
def test_a_state_survives_its_row(version: int, name: str) -> None:
    simulation = SCENARIOS[version, name]()
    simulation.begin()
    while not simulation.current.status.is_terminal:
        assert state_of(row_of(simulation.current)) == simulation.current
        assert steps_of(steps_json(simulation.current.steps)) == simulation.current.steps
        if simulation.commands:
            simulation.deliver_command()
        elif simulation.replies:
            simulation.deliver_reply()
        else:
            simulation.wake()
    assert state_of(row_of(simulation.current)) == simulation.current
