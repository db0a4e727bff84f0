"""Rows: compare-and-set with its negative control, locks, timers, and what the schema refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from chassis import migrations
from eventing import Outbox, OutboxConfig
from kernel.ids import uuid7
from operations.invariants import broken, check_invariants
from orchestrator.adapters.events import Events
from orchestrator.adapters.invariants import CHECKS
from orchestrator.adapters.saga_store import SagaStore
from orchestrator.adapters.transaction import OrchestratorTx
from orchestrator.domain.batch import AddressedInput
from orchestrator.domain.inputs import Reply, TimerFired
from orchestrator.domain.state import SagaState, StaleSagaError, command_id
from orchestrator.entrypoints.jobs.gauges import observe
from orchestrator.entrypoints.jobs.timers import Timers
from orchestrator.usecases.advance_sagas import AdvanceSagas, advance_sagas
from orchestrator.usecases.wake_due_sagas import WakeDueSagas, wake_due_sagas
from orchestrator.wiring import wire
from orchestrator_testing.builders import a_start
from orchestrator_testing.world import VERSION_1, World
from testkit.infra import repository_root

pytestmark = pytest.mark.component
CONFIG = OutboxConfig(schema="orchestrator", source="orchestrator")


@asynccontextmanager
async def transaction(world: World, **controls: bool) -> AsyncIterator[OrchestratorTx]:
    conn: Any = await asyncpg.connect(world.database.dsn)
    try:
        async with conn.transaction():
            outbox = Outbox(conn, CONFIG)
            now = datetime.now(UTC)
            yield OrchestratorTx(conn, outbox, now, SagaStore(conn, VERSION_1, **controls), Events(outbox))
            await outbox.flush()
    finally:
        await conn.close()


async def as_owner(world: World, statement: str, *values: object) -> None:
    """What the role that serves may not do, done all the same."""
    owner: Any = await asyncpg.connect(world.database.owner_dsn, server_settings={"search_path": "orchestrator"})
    await owner.execute(statement, *values)
    await owner.close()


async def begun(world: World, *, at: datetime | None = None) -> SagaState:
    start = a_start(at=at or datetime.now(UTC))
    async with transaction(world) as tx:
        await advance_sagas(
            AdvanceSagas([AddressedInput(event=start, key=("order_payment", start.business_key))]), tx, VERSION_1
        )
        (state,) = await tx.sagas.lock([start.saga_id], [])
    return state


def answered(state: SagaState, *, code: str = "") -> AddressedInput:
    identity = command_id(state.saga_id, "reserve_stock", undo=False)
    reply = Reply(at=datetime.now(UTC), command_id=identity, succeeded=not code, code=code)
    return AddressedInput(event=reply, saga_id=state.saga_id)


async def double_step(world: World, **controls: bool) -> list[BaseException]:
    """Two engines read the same row without a lock, then both write: one a success, one a refusal."""
    state = await begun(world)
    both_read = asyncio.Barrier(2)

    async def engine(addressed: AddressedInput) -> None:
        async with transaction(world, locks=False, **controls) as tx:
            lock = tx.sagas.lock

            async def read_and_wait(*arguments: Any) -> Any:
                states = await lock(*arguments)
                await both_read.wait()
                return states

            tx.sagas.lock = read_and_wait  # type: ignore[method-assign]
            await advance_sagas(AdvanceSagas([addressed]), tx, VERSION_1)

    results = await asyncio.gather(
        engine(answered(state)), engine(answered(state, code="commerce.stock.sold_out")), return_exceptions=True
    )
    return [result for result in results if isinstance(result, BaseException)]


async def test_a_stale_read_writes_nothing(world: World) -> None:
    errors = await double_step(world)
    assert [type(error) for error in errors] == [StaleSagaError]
    assert await world.conn.fetchval("SELECT count(*) FROM saga_history") == 2
    assert broken(await check_invariants(world.conn, CHECKS)) == []


async def test_without_compare_and_set_the_double_step_is_detected(world: World) -> None:
    """Negative control: with the comparison off the second write reaches the history, whose key refuses it."""
    errors = await double_step(world, compares=False)
    assert [type(error) for error in errors] == [asyncpg.UniqueViolationError]
    assert "saga_5_one_entry_per_seq" in str(errors[0])


async def test_without_both_walls_the_audit_sees_the_double_step(world: World) -> None:
    await as_owner(world, "ALTER TABLE saga_history DROP CONSTRAINT saga_5_one_entry_per_seq")
    assert await double_step(world, compares=False) == []
    assert [
        fault
        for fault in broken(await check_invariants(world.conn, CHECKS))
        if "history with a hole" in fault.check.statement
    ]


async def test_a_locked_saga_is_skipped_by_another_engines_timers(world: World) -> None:
    now = datetime.now(UTC)
    mine, other = [await begun(world, at=now - timedelta(seconds=30)) for _ in range(2)]
    async with transaction(world) as first:
        await first.sagas.lock([mine.saga_id], [])
        async with transaction(world) as second:
            woken, _ = await wake_due_sagas(WakeDueSagas(), second, VERSION_1)
        assert woken == 1
    rows = await world.conn.fetch("SELECT id, epoch FROM saga_execution")
    assert {row["id"]: row["epoch"] for row in rows} == {mine.saga_id: 0, other.saga_id: 1}


async def test_a_dead_engines_saga_is_woken_by_another_at_once(world: World) -> None:
    now = datetime.now(UTC)
    state = await begun(world, at=now - timedelta(seconds=30))
    dying: Any = await asyncpg.connect(world.database.dsn)
    await dying.execute("BEGIN")
    await SagaStore(dying, VERSION_1).lock([state.saga_id], [])
    async with transaction(world) as tx:
        assert (await wake_due_sagas(WakeDueSagas(), tx, VERSION_1))[0] == 0
    dying.terminate()
    async with asyncio.timeout(20):
        woken = 0
        while not woken:
            async with transaction(world) as tx:
                woken, _ = await wake_due_sagas(WakeDueSagas(), tx, VERSION_1)
    sent = await world.conn.fetch("SELECT event_id FROM outbox WHERE type LIKE '%ReserveStock'")
    assert [row["event_id"] for row in sent] == [command_id(state.saga_id, "reserve_stock", undo=False)] * 2


async def test_sagas_of_a_newer_version_are_left_to_those_who_know_it(world: World) -> None:
    now = datetime.now(UTC)
    state = await begun(world, at=now - timedelta(seconds=30))
    await world.conn.execute("UPDATE saga_execution SET saga_version = 99 WHERE id = $1", state.saga_id)
    async with transaction(world) as tx:
        assert (await wake_due_sagas(WakeDueSagas(), tx, VERSION_1))[0] == 0


async def test_many_inputs_of_one_saga_in_one_batch_are_one_write(world: World) -> None:
    state = await begun(world)
    duplicate = [answered(state)] * 3
    timer = AddressedInput(event=TimerFired(at=datetime.now(UTC)), saga_id=state.saga_id)
    async with transaction(world) as tx:
        ignored = await advance_sagas(AdvanceSagas([*duplicate, timer]), tx, VERSION_1)
    assert sorted(item.reason for item in ignored) == ["duplicate", "duplicate", "early"]
    assert await world.conn.fetchval("SELECT seq FROM saga_execution") == 2


async def test_a_healthy_sagas_updates_are_hot_until_it_ends(world: World) -> None:
    state = await begun(world)
    async with transaction(world) as tx:
        await advance_sagas(AdvanceSagas([answered(state)]), tx, VERSION_1)
    before, after = state.next_wake_at, await world.conn.fetchval("SELECT next_wake_at FROM saga_execution")
    assert before == after


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("next_wake_at = NULL", "saga_2_terminal_or_woken"),
        ("status = 'completed', completed_at = now()", "saga_2_ended_sleeps"),
        ("status = 'completed', next_wake_at = NULL", "saga_4_completed_at"),
        ("status = 'compensating'", "saga_failed_says_why"),
        ("status = 'lost'", "saga_execution_status_check"),
        ("next_wake_at = '-infinity'", "saga_7_moments_are_readable"),
        ("deadline_at = '-infinity'", "saga_7_moments_are_readable"),
        ("started_at = '0044-03-15 BC'", "saga_7_moments_are_readable"),
        ("paused_until = 'infinity'", "saga_7_moments_are_readable"),
        ("updated_at = '10000-01-01'", "saga_7_moments_are_readable"),
    ],
)
async def test_the_schema_refuses_orphans_and_half_ends(world: World, change: str, constraint: str) -> None:
    await begun(world)
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        await world.conn.execute(f"UPDATE saga_execution SET {change}")


@pytest.mark.parametrize("wake_at", ["0001-01-02 00:00+00", "9999-12-30 00:00+00"])
async def test_the_first_and_the_last_moment_that_may_be_stored_stop_no_timers_and_no_gauges(
    world: World, wake_at: str
) -> None:
    await begun(world)
    await world.conn.execute(f"UPDATE saga_execution SET next_wake_at = '{wake_at}', deadline_at = '{wake_at}'")
    async with wire(world.settings) as app:
        timers = Timers(app, poll_s=1.0)
        assert (await timers.due_in_s() < 0) == wake_at.startswith("0001")
        assert await timers.sweep() == wake_at.startswith("0001")
        await observe(app)


async def test_negative_control_without_the_constraint_one_saga_stops_the_timers_and_gauges_of_all(
    world: World,
) -> None:
    await begun(world)
    await as_owner(world, "ALTER TABLE saga_execution DROP CONSTRAINT saga_7_moments_are_readable")
    await world.conn.execute("UPDATE saga_execution SET next_wake_at = '-infinity', deadline_at = '-infinity'")
    async with wire(world.settings) as app:
        with pytest.raises(TypeError):
            await Timers(app, poll_s=1.0).due_in_s()
        with pytest.raises(asyncpg.PostgresError):
            await observe(app)


async def test_moments_from_before_that_cannot_be_read_become_the_first_and_last_that_can(world: World) -> None:
    saga = await begun(world)
    owner_dsn = SecretStr(world.database.owner_dsn)
    settings = world.settings.model_copy(update={"database_owner_dsn": owner_dsn})
    folder = repository_root() / "services/orchestrator/migrations"
    await migrations.upgrade(settings, folder, to="0003")
    await world.conn.execute("UPDATE saga_execution SET next_wake_at = '-infinity', deadline_at = 'infinity'")
    await migrations.upgrade(settings, folder)
    row = await world.conn.fetchrow("SELECT next_wake_at, deadline_at, started_at, paused_until FROM saga_execution")
    assert row is not None
    assert (row["next_wake_at"].year, row["deadline_at"].year) == (1, 9999)
    assert (row["started_at"], row["paused_until"]) == (saga.started_at, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE saga_history SET seq = 7",
        "DELETE FROM saga_history",
        "DELETE FROM saga_execution",
        "DELETE FROM operator_action",
    ],
)
async def test_history_is_only_added_to(world: World, statement: str) -> None:
    await begun(world)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await world.conn.execute(statement)


@pytest.mark.parametrize(("days", "forgotten"), [(29, 0), (31, 1)])
async def test_an_ended_saga_is_forgotten_with_its_history_after_a_month(
    world: World, days: int, forgotten: int
) -> None:
    running, ended = await begun(world), await begun(world)
    await world.conn.execute(
        """UPDATE saga_execution SET status = 'completed', next_wake_at = NULL, step = '',
           completed_at = now() - make_interval(days => $2) WHERE id = $1""",
        ended.saga_id,
        days,
    )
    ids = [running.saga_id, ended.saga_id]
    assert await world.conn.fetchval("SELECT orchestrator.forget_sagas($1)", ids) == forgotten
    left = "SELECT count(DISTINCT saga_id) FROM saga_history WHERE saga_id = ANY($1)"
    assert await world.conn.fetchval(left, ids) == 2 - forgotten


async def test_the_audit_finds_what_the_schema_cannot(world: World) -> None:
    overdue, holed, lost = [await begun(world) for _ in range(3)]
    await world.conn.execute(
        "UPDATE saga_execution SET next_wake_at = now() - interval '1 minute' WHERE id = $1", overdue.saga_id
    )
    await as_owner(world, "DELETE FROM saga_history WHERE saga_id = $1", holed.saga_id)
    await as_owner(world, "DELETE FROM saga_execution WHERE id = $1", lost.saga_id)
    found = {
        fault.check.statement.split(":")[0]: fault.examples
        for fault in broken(await check_invariants(world.conn, CHECKS))
    }
    assert found == {
        "overdue": [str(overdue.saga_id)],
        "history with a hole, or not as long as the saga's count of transitions": [str(holed.saga_id)],
        "history of a saga that is not there": [str(lost.saga_id)],
    }


async def test_a_reply_for_an_id_nobody_has_is_ignored(world: World) -> None:
    addressed = AddressedInput(event=Reply(at=datetime.now(UTC), command_id=uuid7(), succeeded=True), saga_id=uuid7())
    async with transaction(world) as tx:
        ignored = await advance_sagas(AdvanceSagas([addressed]), tx, VERSION_1)
    assert [item.reason for item in ignored] == ["no_such_saga"]
