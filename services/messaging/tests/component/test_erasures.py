"""An erasure that fails holds up no other, and shows."""

import uuid

import pytest

from messaging.lifecycle.entrypoints import jobs

pytestmark = pytest.mark.component


async def test_one_person_who_cannot_be_erased_holds_up_nobody(world, monkeypatch):
    people = [uuid.uuid4() for _ in range(5)]
    async with world.app.database.begin() as conn:
        for number, user_id in enumerate(people):
            await conn.execute(
                "INSERT INTO person_erasure (user_id, reason, requested_at, due_at) VALUES ($1, 'account_deleted', $2, $2)",
                user_id,
                world.app.clock.now().replace(year=2020, month=1, day=1 + number),
            )
    erased, erase = [], jobs.erase_person

    async def erase_or_fail(command, *arguments):
        if command.user_id == people[1]:
            raise ValueError("poisoned")
        await erase(command, *arguments)
        erased.append(command.user_id)

    monkeypatch.setattr(jobs, "erase_person", erase_or_fail)
    with pytest.raises(ExceptionGroup, match="erasures failed"):
        await jobs.run_erasures(world.app)
    assert set(people) - set(erased) == {people[1]}
    monkeypatch.undo()
    await jobs.run_erasures(world.app)
