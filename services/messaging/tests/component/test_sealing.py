"""What was stored can be read for as long as its writer is there (MSG-4), whatever became of the transaction before."""

import asyncio
import random
import uuid

import asyncpg
import pytest

from messaging.lifecycle.adapters.sealed_reads import audit_sealed
from messaging.scheduling.adapters.draft_store import DraftReads
from messaging.scheduling.usecases.save_draft import SaveDraft, save_draft
from operations import audit_connection
from sealing import PersonKeys, Sealer


class RolledBackError(Exception):
    """The transaction is given up."""


class Remembering(Sealer):
    """The protection off: a key that was once read or made is used by later transactions too."""

    remembered: dict = {}  # noqa: RUF012 -- of the whole process, as it must not be

    async def ready(self, people):
        people = set(people)
        await super().ready(people - self.remembered.keys())
        self.remembered |= self._keys
        self._keys = {each: self.remembered[each] for each in people}


@pytest.fixture
def remembering(monkeypatch):
    monkeypatch.setattr("messaging.adapters.transaction.Sealer", Remembering)
    monkeypatch.setattr(Remembering, "remembered", {})


@pytest.fixture
async def newcomer(world):
    """Somebody who never wrote, and a dialog they are in."""
    host, person = await world.person(), await world.person()
    return person, await world.group(host, person)


def afresh(world):
    """The keys as another process, or this one after a restart, reads them."""
    return PersonKeys(world.app.keys.wrapping)


async def draft_of(world, person):
    async with world.app.database.read() as conn:
        return [each.text for each in await DraftReads(conn, afresh(world)).of_person(person.user_id)]


async def keep(world, person, dialog_id, text, *, then=None):
    """``then`` is awaited in the transaction, before its commit."""
    async with world.app.begin() as tx:
        command = SaveDraft(dialog_id=uuid.UUID(dialog_id), user_id=person.user_id, text=text)
        await save_draft(command, tx)
        if then is not None:
            await then(tx)


async def give_up(tx):
    raise RolledBackError


async def lose_connection(tx):
    await tx.conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")


async def words_after(world, person, dialog_id, ended_by):
    """What is left of somebody's first words, after a transaction that made their key did not commit."""
    with pytest.raises((RolledBackError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await keep(world, person, dialog_id, "never stored", then=ended_by)
    await person.send(dialog_id, "first words")
    await keep(world, person, dialog_id, "first draft")
    world.app.keys.forget(person.user_id)
    [message] = await person.messages(dialog_id)
    return message["content"], await draft_of(world, person)


@pytest.mark.parametrize("ended_by", [give_up, lose_connection])
async def test_first_words_after_a_transaction_that_was_rolled_back_stay_readable(world, newcomer, ended_by):
    said, drafts = await words_after(world, *newcomer, ended_by)
    assert (said["text"], drafts) == ("first words", ["first draft"])


async def test_control_with_keys_that_outlive_their_transaction_the_words_are_lost(world, newcomer, remembering):
    person, dialog_id = newcomer
    with pytest.raises(RolledBackError):
        await keep(world, person, dialog_id, "never stored", then=give_up)
    await keep(world, person, dialog_id, "first draft")
    assert await draft_of(world, person) == []


async def test_a_refused_act_before_the_first_words_costs_nothing(world, newcomer):
    person, dialog_id = newcomer
    assert await person.refused("PUT", f"/v1/dialogs/{dialog_id}/draft", {"text": "x", "reply_to_seq": 0})
    scheduled = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "x"}}
    other = await world.person()
    theirs = await world.group(other)
    body = {"send_at": "2027-01-01T00:00:00Z", "message": scheduled}
    await other.ok("POST", "/v1/scheduled-messages", {"dialog_id": theirs, **body})
    await person.refused("POST", "/v1/scheduled-messages", {"dialog_id": dialog_id, **body})
    sent = await person.send(dialog_id, "first words")
    world.app.keys.forget(person.user_id)
    shown = await person.ok("GET", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}")
    assert shown["content"]["text"] == "first words"


@pytest.mark.parametrize("first_commits", [True, False])
async def test_of_two_processes_that_make_a_key_at_once_both_seal_under_the_one_that_stays(
    world, newcomer, first_commits
):
    person, dialog_id = newcomer
    made, go = asyncio.Event(), asyncio.Event()

    async def hold(tx):
        made.set()
        await go.wait()
        if not first_commits:
            raise RolledBackError

    async def first():
        async with world.app.begin() as tx:
            await tx.sealer.ready([person.user_id])
            await hold(tx)

    one = asyncio.create_task(first())
    await made.wait()
    other = asyncio.create_task(keep(world, person, dialog_id, "of the second"))
    await asyncio.sleep(0.1)  # it waits for the first, or will find what became of it
    go.set()
    await asyncio.gather(one, other, return_exceptions=True)
    other.result()
    assert await draft_of(world, person) == ["of the second"]


async def test_a_key_of_a_savepoint_that_was_rolled_back_is_made_anew(world, newcomer):
    person, dialog_id = newcomer
    async with world.app.begin() as tx:
        savepoint = tx.conn.transaction()
        await savepoint.start()
        await tx.sealer.ready([person.user_id])
        await savepoint.rollback()
        await save_draft(SaveDraft(dialog_id=uuid.UUID(dialog_id), user_id=person.user_id, text="kept"), tx)
    assert await draft_of(world, person) == ["kept"]


async def test_a_remembered_key_that_was_never_committed_seals_nothing(world, newcomer):
    person, dialog_id = newcomer

    async def remember(tx):
        await tx.keys.load(tx.conn, [person.user_id])
        await give_up(tx)

    with pytest.raises(RolledBackError):
        await keep(world, person, dialog_id, "never stored", then=remember)
    await keep(world, person, dialog_id, "after")
    assert await draft_of(world, person) == ["after"]
    await person.ok("GET", "/v1/dialogs/drafts")  # which may find that what it remembers opens nothing
    assert [each["text"] for each in (await person.ok("GET", "/v1/dialogs/drafts"))["items"]] == ["after"]


async def torn(world, seed):
    """Writers of many people in disorder, half of them rolled back. How many drafts were stored and do not open."""
    rng = random.Random(seed)
    people = [await world.person() for _ in range(6)]
    host = await world.person()
    dialogs = [await world.group(host, *people) for _ in range(3)]

    async def write(person, dialog_id, ended_by):
        try:
            await keep(world, person, dialog_id, "words", then=ended_by)
        except RolledBackError:
            return

    acts = [(rng.choice(people), rng.choice(dialogs), rng.choice([give_up, None])) for _ in range(60)]
    await asyncio.gather(*(write(*each) for each in acts))
    keys = afresh(world)
    async with world.app.database.read() as conn:
        rows = await conn.fetch(
            "SELECT user_id, content FROM draft WHERE user_id = ANY($1)", [p.user_id for p in people]
        )
        await keys.load(conn, [person.user_id for person in people])
    assert rows
    return sum(keys.decrypt(row["user_id"], row["content"]) is None for row in rows)


async def test_in_disorder_all_that_is_stored_opens(world):
    assert [await torn(world, seed) for seed in range(3)] == [0, 0, 0]


async def test_control_in_disorder_keys_that_outlive_their_transaction_lose_words(world, remembering):
    assert sum([await torn(world, seed) for seed in range(3)]) > 0


async def test_the_audit_opens_what_is_sealed(world, newcomer):
    person, dialog_id = newcomer
    sent = await person.send(dialog_id, "one")
    await person.ok(
        "PATCH", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}", {"content": {"type": "text", "text": "two"}}
    )
    await keep(world, person, dialog_id, "draft")
    async with world.app.database.read() as conn:
        kept = await conn.fetchval("SELECT wrapped_key FROM person_key WHERE user_id = $1", person.user_id)

    async def unopened():
        async with audit_connection(world.app) as conn:
            found = await audit_sealed(conn, world.app.keys.wrapping, sample=100_000)
        return found.count

    async def put(wrapped):
        async with world.app.begin() as tx:
            await tx.conn.execute("UPDATE person_key SET wrapped_key = $2 WHERE user_id = $1", person.user_id, wrapped)

    before = await unopened()
    await put(world.app.keys.wrapping.made(person.user_id))
    assert await unopened() == before + 3  # the message, what it said before, and the draft
    await put(kept)
    assert await unopened() == before
