"""Counted and added under a lock: two at once never make one too many, nor one version twice."""

import asyncio
import uuid
from datetime import timedelta

import pytest

from messaging.bots.domain.bot import BOTS_MAX, TooManyBotsError
from messaging.bots.usecases.make_bot import MakeBot, make_bot
from messaging.core.adapters import draft_store
from messaging.core.adapters.allowance_store import AllowanceStore
from messaging.core.domain.message import SendMessage
from messaging.files.domain.upload import UPLOADING_AT_ONCE_MAX, TooManyUploadsError
from messaging.files.usecases.begin_upload import BeginUpload, begin_upload
from messaging.scheduling.domain.scheduled import PENDING_MAX, TooManyScheduledError
from messaging.scheduling.usecases.save_draft import SaveDraft, save_draft
from messaging.scheduling.usecases.schedule_message import ScheduleMessage, schedule_message


class Bots:
    most, refusal = BOTS_MAX, TooManyBotsError

    @staticmethod
    async def add(person, _dialog_id, tx):
        name = f"b{uuid.uuid4().hex[:12]}bot"
        await make_bot(MakeBot(owner_id=person.user_id, username=name, display_name="Bot", commands=[]), tx)


class Uploads:
    most, refusal = UPLOADING_AT_ONCE_MAX, TooManyUploadsError

    @staticmethod
    async def add(person, _dialog_id, tx):
        parts = {"purpose": "file", "file_name": "x", "media_type": "text/plain", "size_bytes": 1}
        await begin_upload(BeginUpload(owner_id=person.user_id, **parts), tx)


class Scheduled:
    most, refusal = PENDING_MAX, TooManyScheduledError

    @staticmethod
    async def add(person, dialog_id, tx, scheduled_id=None):
        body = {"content": {"type": "text", "text": "later"}}
        message = SendMessage(
            dialog_id=uuid.UUID(dialog_id),
            sender_id=person.user_id,
            client_message_id=scheduled_id or uuid.uuid4(),
            content=body["content"],
        )
        send_at = tx.now + timedelta(hours=1)
        await schedule_message(ScheduleMessage(message=message, send_at=send_at, body=body), tx)


KINDS = [Bots, Uploads, Scheduled]


async def race(world, kind):
    """One place is left; a second takes a place while the first has not committed. What the second gets."""
    person = await world.person()
    dialog_id = await world.group(person)
    async with world.app.begin() as tx:
        for _ in range(kind.most - 1):
            await kind.add(person, dialog_id, tx)

    async def second():
        async with world.app.begin() as tx:
            await kind.add(person, dialog_id, tx)

    async with world.app.begin() as tx:
        await kind.add(person, dialog_id, tx)
        other = asyncio.create_task(second())
        await asyncio.wait({other}, timeout=1.0)
        waited = not other.done()
    [outcome] = await asyncio.gather(other, return_exceptions=True)
    return waited, outcome


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_at_once_only_one_has_the_last_place(world, kind):
    waited, outcome = await race(world, kind)
    assert waited
    assert isinstance(outcome, kind.refusal)


@pytest.mark.parametrize("kind", KINDS)
async def test_control_without_the_lock_both_have_it(world, kind, monkeypatch):
    async def no_lock(*_):
        pass

    monkeypatch.setattr(AllowanceStore, "hold", no_lock)
    waited, outcome = await race(world, kind)
    assert (waited, outcome) == (False, None)


async def test_a_retry_of_the_last_place_is_answered_as_the_first_time(world):
    person = await world.person()
    dialog_id = await world.group(person)
    last = uuid.uuid4()
    async with world.app.begin() as tx:
        for number in range(PENDING_MAX):
            await Scheduled.add(person, dialog_id, tx, last if number == 0 else None)
        await Scheduled.add(person, dialog_id, tx, last)
        with pytest.raises(TooManyScheduledError):
            await Scheduled.add(person, dialog_id, tx)


async def versions(world):
    """What devices are told that write, and throw away, at the same time; and one after the other at last."""
    person = await world.person()
    dialog_id = uuid.UUID(await world.group(person))

    async def write(text):
        async with world.app.begin() as tx:
            return await save_draft(SaveDraft(dialog_id=dialog_id, user_id=person.user_id, text=text), tx)

    await asyncio.gather(*(write("x" if number % 3 else "") for number in range(30)))
    for text in ("one", "", "two", "", "three"):
        await write(text)
    events = (await person.ok("POST", "/v1/sync", {}))["account_events"]
    return [each["version"] for each in events if each["type"] == "draft.changed"]


async def test_versions_of_a_draft_only_grow(world):
    told = await versions(world)
    assert told == list(range(1, len(told) + 1))


async def test_control_without_what_is_kept_of_a_draft_versions_begin_anew(world, monkeypatch):
    forgotten = "DELETE FROM draft WHERE ($1, $2) = (user_id, dialog_id) AND $3::timestamptz IS NOT NULL"
    monkeypatch.setattr(draft_store, "_THROW_AWAY", f"{forgotten} RETURNING version + 1")
    told = await versions(world)
    assert told != sorted(set(told))


async def test_a_draft_thrown_away_is_shown_nowhere_and_answers_its_version(world):
    person = await world.person()
    path = f"/v1/dialogs/{await world.group(person)}/draft"

    async def put(text):
        return (await person.ok("PUT", path, {"text": text}))["version"]

    assert [await put(text) for text in ("", "one", " ", "", "two")] == [0, 1, 2, 2, 3]
    assert [each["version"] for each in (await person.ok("GET", "/v1/dialogs/drafts"))["items"]] == [3]
    await put("\u200b")
    assert (await person.ok("GET", "/v1/dialogs/drafts"))["items"] == []
