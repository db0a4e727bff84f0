"""One saga that cannot be read, moved or deleted holds up no other, in any job."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from operations.invariants import broken, check_invariants
from orchestrator.adapters.invariants import CHECKS, find_differences
from orchestrator.domain.batch import AddressedInput
from orchestrator.entrypoints.jobs.retention import prune
from orchestrator.entrypoints.jobs.timers import Timers
from orchestrator.sagas import REGISTRY
from orchestrator.usecases.advance_sagas import AdvanceSagas, advance_sagas
from orchestrator.usecases.wake_due_sagas import WakeDueSagas, wake_due_sagas
from orchestrator.wiring import App, wire
from orchestrator_testing.builders import a_checkout, a_start
from orchestrator_testing.engine import running_engine
from orchestrator_testing.kafka_participants import KafkaParticipants
from orchestrator_testing.world import VERSION_1, World
from testkit.wait import eventually

pytestmark = pytest.mark.component
SAGAS = 12
LONG_AGO = timedelta(seconds=30)

POISONS = {
    "its steps are of a kind unheard of": """UPDATE saga_execution SET steps = '[["unheard_of", 1, 1]]' WHERE id = $1""",
    "its steps are no list": """UPDATE saga_execution SET steps = '{"a": 1}' WHERE id = $1""",
    "its data is cut": r"UPDATE saga_execution SET data = '\xff' WHERE id = $1",
    "its history is ahead": """INSERT INTO saga_history (saga_id, seq, epoch, at, kind, entry)
                               VALUES ($1, 2, 1, now(), 'timer', '{"in": {}}')""",
}


@pytest_asyncio.fixture(loop_scope="session")
async def app(world: World) -> AsyncIterator[App]:
    async with wire(world.settings) as wired:
        yield wired


async def begun(app: App, count: int = SAGAS) -> list[UUID]:
    """Sagas of version 1 whose first command was never answered: they are due."""
    starts = [a_start(at=datetime.now(UTC) - LONG_AGO) for _ in range(count)]
    async with app.begin() as tx:
        inputs = [AddressedInput(event=each, key=("order_payment", each.business_key)) for each in starts]
        await advance_sagas(AdvanceSagas(inputs), tx, VERSION_1)
    return [each.saga_id for each in starts]


@pytest.mark.parametrize("poison", POISONS)
async def test_the_timers_wake_the_others_and_show_the_one(world: World, app: App, poison: str) -> None:
    ids = await begun(app)
    bad = ids[SAGAS // 2]
    await world.conn.execute(POISONS[poison], bad)
    timers = Timers(app, poll_s=1)
    assert await timers.sweep() == SAGAS - 1
    rows = {row["id"]: row for row in await world.conn.fetch("SELECT * FROM saga_execution")}
    assert {row["epoch"] for saga_id, row in rows.items() if saga_id != bad} == {1}
    assert rows[bad]["needs_operator"]
    assert rows[bad]["next_wake_at"] > datetime.now(UTC) + timedelta(seconds=200)
    await timers.sweep()
    again = await world.conn.fetchval("SELECT next_wake_at FROM saga_execution WHERE id = $1", bad)
    assert again == rows[bad]["next_wake_at"]


async def test_negative_control_without_the_halves_the_one_holds_up_all(world: World, app: App) -> None:
    ids = await begun(app)
    await world.conn.execute(POISONS["its data is cut"], ids[SAGAS // 2])

    async def sweep() -> None:
        async with app.begin() as tx:
            await wake_due_sagas(WakeDueSagas(), tx, app.registry)

    for _ in range(2):
        with pytest.raises(Exception, match="parsing"):
            await sweep()
    assert await world.conn.fetchval("SELECT max(epoch) FROM saga_execution") == 0


async def test_a_saga_that_not_even_its_wake_up_can_be_written_of_holds_up_no_other(world: World, app: App) -> None:
    ids = await begun(app)
    await refuse_changes(world, ids[0])
    assert await Timers(app, poll_s=1).sweep() == SAGAS - 1


async def test_retention_deletes_the_others(world: World, app: App) -> None:
    ids = await begun(app)
    await world.conn.execute(
        """UPDATE saga_execution SET status = 'completed', completed_at = now() - interval '91 days',
           next_wake_at = NULL, step = ''"""
    )
    await refuse_changes(world, ids[SAGAS // 2])
    assert await prune(app) == SAGAS - 1
    assert [row["id"] for row in await world.conn.fetch("SELECT id FROM saga_execution")] == [ids[SAGAS // 2]]
    assert await world.conn.fetchval("SELECT count(*) FROM saga_history") == 1


async def test_the_audit_tells_of_the_one_and_replays_the_others(world: World, app: App) -> None:
    ids = await begun(app)
    await world.conn.execute(POISONS["its steps are no list"], ids[3])
    replayed, different = await find_differences(world.conn, REGISTRY, sample=0)
    assert replayed == SAGAS
    assert [saga_id for saga_id, _ in different] == [ids[3]]


async def test_answers_for_the_others_are_taken_in(world: World) -> None:
    """The records of a saga that cannot be read become dead letters; the batch they came with goes on."""
    checkouts = [a_checkout() for _ in range(6)]
    async with KafkaParticipants(world.kafka) as participants, running_engine(world.settings, timers=False):
        participants.muted = True
        for each in checkouts:
            await participants.start_saga(each)
        await participants_saw(participants, len(checkouts))
        bad = checkouts[2].checkout_id
        await world.conn.execute("UPDATE saga_execution SET steps = '{}' WHERE business_key = $1", bad)
        participants.muted = False
    async with KafkaParticipants(world.kafka) as participants, running_engine(world.settings):
        others = [each.checkout_id for each in checkouts if each.checkout_id != bad]

        async def ended() -> bool:
            found = await world.statuses()
            return all(found[each] == "completed" for each in others)

        await eventually(ended, timeout_s=60, what="the others end")


async def test_the_audit_sees_what_ended_unsettled_before_there_were_tasks(world: World, app: App) -> None:
    ids = await begun(app, 3)
    steps = '[["done",1,1],["done",1,1],["done",1,1],["done",1,1],["%s",1,1],["done",1,1],0]'
    for saga_id, status in zip(ids, ("done", "by_hand", "skipped"), strict=True):
        await world.conn.execute(
            """UPDATE saga_execution SET status = 'completed', completed_at = now(), next_wake_at = NULL, step = '',
               steps = $2::text::jsonb WHERE id = $1""",
            saga_id,
            steps % status,
        )
    faults = {
        fault.check.statement.partition(":")[0]: fault.examples
        for fault in broken(await check_invariants(world.conn, CHECKS))
    }
    assert faults == {"ended with a step unsettled": [str(ids[2])]}


@pytest.mark.parametrize("twice", ["done_twice", "undo_done_twice"])
async def test_the_audit_sees_what_was_done_twice_in_sagas_that_run_and_that_ended(
    world: World, app: App, twice: str
) -> None:
    running, once, _, unreadable = await begun(app, 4)
    for saga_id, steps in (
        (running, f'[["{twice}",1,1],0,0,0,0,0,0]'),
        (once, '[["by_hand",1,1],["undo_by_hand",1,1],0,0,0,0,0]'),
        (unreadable, "{}"),
    ):
        await world.conn.execute("UPDATE saga_execution SET steps = $2::text::jsonb WHERE id = $1", saga_id, steps)
    faults = {
        fault.check.statement.partition(",")[0]: fault.examples
        for fault in broken(await check_invariants(world.conn, CHECKS))
    }
    assert faults["a step done by hand and by its participant too"] == [str(running)]


@pytest.mark.parametrize("state", ["done", "undo_skipped", "undoing"])
async def test_the_audit_sees_what_failed_with_something_left(world: World, app: App, state: str) -> None:
    good, bad = await begun(app, 2)
    steps = '[["%s",1,1],["undone",1,1],["rejected",1,1],0,0,0,["done",1,1]]'
    for saga_id, first in ((good, "undo_by_hand"), (bad, state)):
        await world.conn.execute(
            """UPDATE saga_execution SET status = 'failed', failed_at = now(), next_wake_at = NULL, step = '',
               compensation_data = '{"code": "x", "detail": "", "step": ""}', steps = $2::text::jsonb WHERE id = $1""",
            saga_id,
            steps % first,
        )
    faults = {
        fault.check.statement.partition(":")[0]: fault.examples
        for fault in broken(await check_invariants(world.conn, CHECKS))
    }
    assert faults == {"ended with a step unsettled": [str(bad)]}


async def refuse_changes(world: World, saga_id: UUID) -> None:
    owner = await asyncpg.connect(world.database.owner_dsn, server_settings={"search_path": "orchestrator"})
    await owner.execute(
        f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN IF OLD.id = '{saga_id}' THEN RAISE 'poisoned'; END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END$$"""
    )
    await owner.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON saga_execution FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    await owner.close()


async def participants_saw(participants: KafkaParticipants, count: int) -> None:
    await eventually(lambda: participants.commands_seen >= count, timeout_s=40, what="first commands")


async def test_the_audit_names_the_one_that_ended_and_cannot_be_read(world: World, app: App) -> None:
    ids = await begun(app, 3)
    await world.conn.execute(
        """UPDATE saga_execution SET status = 'completed', completed_at = now(), next_wake_at = NULL, step = '',
           steps = CASE id WHEN $1 THEN '5'::jsonb ELSE '[]' END WHERE id = ANY($2)""",
        ids[0],
        ids[:2],
    )
    faults = {
        fault.check.statement.partition(":")[0]: set(fault.examples)
        for fault in broken(await check_invariants(world.conn, CHECKS))
    }
    assert faults["its row cannot be read"] == {str(each) for each in ids[:2]}
