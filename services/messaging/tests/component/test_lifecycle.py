"""Retention, legal hold, export, erasure and the audit, on real data."""

import argparse
import asyncio
import json
import os
import signal
import sys
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest

from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.lifecycle.adapters.invariants import audit
from messaging.lifecycle.adapters.person_export_job import export_person
from messaging.lifecycle.adapters.retention_store import RetentionStore
from messaging.lifecycle.domain import month as months
from messaging.lifecycle.domain.retention import Purgeable
from messaging.lifecycle.entrypoints import cli, jobs
from messaging.lifecycle.usecases import erase_person as erasing
from messaging.lifecycle.usecases.apply_retention import ApplyRetention, apply_retention
from messaging.lifecycle.usecases.erase_person import ErasePerson, erase_person
from messaging.lifecycle.usecases.hold_dialog import hold_dialog
from messaging.lifecycle.usecases.make_months import make_months
from messaging.search.usecases.reindex_messages import reindex_messages
from operations import audit_connection
from operations.invariants import report
from sampan.auth.v1.user_pb2 import UserDeleted
from testkit.wait import eventually


async def found(person, q):
    return [hit["message"]["seq"] for hit in (await person.ok("GET", f"/v1/messages/search?q={q}"))["items"]]


async def findable(person, q, seqs):
    async def look():
        return await found(person, q) == seqs or None

    await eventually(look, timeout_s=20, what=f"{q} to be found at {seqs}")


async def limited(person, dialog_id, days):
    tag = (await person.do("GET", f"/v1/dialogs/{dialog_id}")).headers["ETag"]
    await person.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"retention_days": days}, headers={"If-Match": tag})


async def age(world, dialog_id, upto_seq, days):
    """Make a dialog's first rows look old; they stay in the month they are in, as the tables allow for."""
    async with world.app.begin() as tx:
        for table in ("message", "change"):
            await tx.conn.execute(
                f"UPDATE {table} SET created_at = created_at - $3 * interval '1 day' WHERE dialog_id = $1 AND seq <= $2",
                uuid.UUID(dialog_id),
                upto_seq,
                days,
            )
        await tx.conn.execute("UPDATE dialog_month SET month = '2020-01-01' WHERE dialog_id = $1", uuid.UUID(dialog_id))


async def count(world, table, dialog_id):
    async with world.app.database.read() as conn:
        return await conn.fetchval(f"SELECT count(*) FROM {table} WHERE dialog_id = $1", uuid.UUID(dialog_id))


async def end(world, days_max=None):
    return await apply_retention(ApplyRetention(days_max=days_max, now=world.app.clock.now()), world.app.begin)


async def sound(world):
    async with audit_connection(world.app) as conn:
        findings = await audit(conn)
    broken = [each for each in findings if each.count and each.check.invariant != "SRCH-2"]
    assert not broken, report(findings)


async def test_what_is_past_its_time_is_read_by_nobody_and_then_gone(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    await limited(nok, dialog_id, 30)
    old = [await nok.send(dialog_id, f"zebra old {n}") for n in range(3)]
    await budi.ok("PUT", f"/v1/dialogs/{dialog_id}/messages/{old[0]['seq']}/reactions/👍")
    new = await nok.send(dialog_id, "zebra new")
    await findable(budi, "zebra", [new["seq"], *[each["seq"] for each in reversed(old)]])
    await age(world, dialog_id, old[-1]["seq"], 31)
    assert (await budi.dialog(dialog_id))["me"]["unread"] == 4
    ended = await end(world)
    assert ended.dialogs >= 1
    assert [each["seq"] for each in await budi.messages(dialog_id)] == [new["seq"]]
    assert (await budi.dialog(dialog_id))["me"]["unread"] == 1
    assert await found(budi, "zebra") == [new["seq"]]
    asked = await budi.ok("POST", "/v1/sync", {"dialogs": {dialog_id: 1}})
    [told] = [each for each in asked["dialogs"] if each["dialog_id"] == dialog_id]
    assert told["too_old"] is True
    assert await count(world, "message", dialog_id) == 1
    assert await count(world, "reaction", dialog_id) == 0
    assert await count(world, "search_entry", dialog_id) == 1
    assert (await end(world)).dialogs == 0
    await sound(world)


async def test_a_legal_hold_keeps_rows_and_deleted_contents_until_it_is_lifted(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    await limited(nok, dialog_id, 30)
    async with world.app.begin() as tx:
        assert await hold_dialog(uuid.UUID(dialog_id), tx, held=True)
    kept = await nok.send(dialog_id, "evidence")
    edited = await nok.ok(
        "PATCH",
        f"/v1/dialogs/{dialog_id}/messages/{kept['seq']}",
        {"content": {"type": "text", "text": "innocent"}},
    )
    assert edited["content"]["text"] == "innocent"
    await nok.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{kept['seq']}")
    await age(world, dialog_id, kept["seq"], 31)
    await nok.send(dialog_id, "today")
    await end(world)
    assert kept["seq"] not in [each["seq"] for each in await budi.messages(dialog_id)]
    assert await count(world, "message", dialog_id) == 2
    assert await count(world, "held_message", dialog_id) == 2
    async with world.app.database.read() as conn:
        assert await RetentionStore(conn).purge(Purgeable(uuid.UUID(dialog_id), 10, by_row=True), 100) == 0
    async with world.app.begin() as tx:
        await hold_dialog(uuid.UUID(dialog_id), tx, held=False)
    await end(world)
    assert await count(world, "message", dialog_id) == 1
    assert await count(world, "held_message", dialog_id) == 0


async def test_months_are_made_ahead_and_dropped_with_what_a_hold_keeps_moved_first(world):
    now = datetime(2019, 3, 15, tzinfo=UTC)
    nok = await world.person()
    dialog_id, held_id = await world.group(nok), await world.group(nok)
    async with world.app.begin() as tx:
        await hold_dialog(uuid.UUID(held_id), tx, held=True)
    assert await make_months(now, world.app.begin) == 3 * 4
    assert await make_months(now, world.app.begin) == 0
    sent = {each: await nok.send(each, "march") for each in (dialog_id, held_id)}
    async with world.app.begin() as tx:
        for each, message in sent.items():
            await tx.conn.execute(
                "UPDATE message SET created_at = $3 WHERE dialog_id = $1 AND seq = $2",
                uuid.UUID(each),
                message["seq"],
                now,
            )
    async with world.app.begin() as tx:
        [march] = [each for each in await tx.months.months_of("message") if each.first.isoformat() == "2019-03-01"]
        there = "SELECT count(*) FROM message WHERE tableoid = $1::text::regclass"
        assert await tx.conn.fetchval(there, march.name) == 2
        assert await tx.months.drop_month(march) == 1
    async with world.app.begin() as tx:
        assert march.name not in {each.name for each in await tx.months.months_of("message")}
        kept = await tx.conn.fetch("SELECT dialog_id FROM message_default WHERE created_at = $1", now)
        assert [str(each["dialog_id"]) for each in kept] == [held_id]
        await tx.conn.execute(
            "DELETE FROM dialog WHERE dialog_id = ANY($1)", [uuid.UUID(dialog_id), uuid.UUID(held_id)]
        )
        for table in ("message", "change", "member"):
            await tx.conn.execute(
                f"DELETE FROM {table} WHERE dialog_id = ANY($1)", [uuid.UUID(dialog_id), uuid.UUID(held_id)]
            )
        for table in months.TABLES:
            for month in await tx.months.months_of(table):
                if month.first.year == 2019:
                    await tx.months.drop_month(month)


async def text_anywhere(world, text):
    """Tables in which the text stands in the clear, in any column."""
    async with world.app.database.read() as conn:
        tables = await conn.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'messaging'::regnamespace"
        )
        return [
            row["relname"]
            for row in tables
            if await conn.fetchval(
                f'SELECT EXISTS (SELECT FROM "{row["relname"]}" t WHERE t::text ILIKE $1)', f"%{text}%"
            )
        ]


async def written_everywhere(world, nok, budi, word):
    """Somebody's words in every place that takes words."""
    dialog_id = await world.group(nok, budi)
    first = await nok.send(dialog_id, f"{word} in a message")
    await nok.ok(
        "PATCH",
        f"/v1/dialogs/{dialog_id}/messages/{first['seq']}",
        {"content": {"type": "text", "text": f"{word} edited"}},
    )
    await nok.ok("PUT", f"/v1/dialogs/{dialog_id}/draft", {"text": f"{word} draft"})
    await budi.send(dialog_id, "theirs stays", mention_user_ids=[str(nok.user_id)])
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET display_name = $2 WHERE user_id = $1", nok.user_id, f"{word} name")
    return dialog_id, first["seq"]


async def test_an_erased_person_is_unreadable_everywhere_and_the_rest_stays(world):
    nok, budi = await world.person(), await world.person()
    word = f"quokka{uuid.uuid4().hex[:8]}"
    dialog_id, seq = await written_everywhere(world, nok, budi, word)
    await findable(budi, word, [seq])
    assert await text_anywhere(world, word) == ["account"]
    await erase_person(
        ErasePerson(user_id=nok.user_id, reason="requested", now=world.app.clock.now()), world.app.begin, world.app.keys
    )
    shown = {each["seq"]: each for each in await budi.messages(dialog_id)}
    assert shown[seq]["content"] is None
    assert [each["content"]["text"] for each in shown.values() if each["content"]] == ["theirs stays"]
    assert await found(budi, word) == []
    assert await text_anywhere(world, word) == []
    assert await text_anywhere(world, str(nok.user_id)) != []
    assert await nok.refused("GET", f"/v1/dialogs/{dialog_id}") == "messaging.dialog.not_found"
    assert (await budi.dialog(dialog_id))["me"]["role"] == "owner"
    await sound(world)


async def test_the_heir_of_an_erased_owner_is_told_as_they_are(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    await nok.ok("PATCH", f"/v1/dialogs/{dialog_id}/members/{budi.user_id}", {"muted": True})
    position = (await budi.dialog(dialog_id))["last_seq"]
    command = ErasePerson(user_id=nok.user_id, reason="requested", now=world.app.clock.now())
    await erase_person(command, world.app.begin, world.app.keys)
    news = await budi.ok("POST", "/v1/sync", {"dialogs": {dialog_id: position}})
    told = [each["member"] for each in news["dialogs"][0]["events"] if each["type"] == "member.changed"]
    [heir] = [each for each in told if each["user_id"] == str(budi.user_id)]
    # Nobody stands above an owner who could lift the mute: it ends.
    assert (heir["role"], heir["status"], heir["muted_until"]) == ("owner", "active", None)
    me = (await budi.dialog(dialog_id))["me"]
    assert (me["role"], me["status"]) == ("owner", "active")


class KilledError(Exception):
    pass


@pytest.mark.parametrize("step", ["bots", "dialogs", "search", "own rows"])
async def test_an_erasure_cut_short_is_finished_by_the_job(world, monkeypatch, step):
    nok, budi = await world.person(), await world.person()
    word = f"wombat{uuid.uuid4().hex[:8]}"
    await written_everywhere(world, nok, budi, word)

    async def killed(*_):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setitem(erasing._STEPS, step, killed)
        command = ErasePerson(user_id=nok.user_id, reason="requested", now=world.app.clock.now())
        with pytest.raises(KilledError):
            await erase_person(command, world.app.begin, world.app.keys)
    assert await text_anywhere(world, word) == []
    await jobs.run_erasures(world.app)
    async with world.app.database.read() as conn:
        finished = await conn.fetchval("SELECT finished_at FROM person_erasure WHERE user_id = $1", nok.user_id)
    assert finished is not None
    await erase_person(command, world.app.begin, world.app.keys)
    await sound(world)


def environment(settings):
    """The settings of this service for a process of its own."""
    dumped = settings.model_dump(exclude_unset=True)
    plain = {key: getattr(value, "get_secret_value", lambda value=value: value)() for key, value in dumped.items()}
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        **{f"MESSAGING_{key.upper()}": str(value) for key, value in plain.items()},
    }


@asynccontextmanager
async def held_up(world, dialog_id):
    """Whoever wants to change the dialog waits."""
    conn = await asyncpg.connect(world.settings.database_dsn.get_secret_value())
    try:
        async with conn.transaction():
            await conn.execute(f"SET LOCAL sampan.workspace_id = '{MAIN_WORKSPACE}'")
            sql = "SELECT 1 FROM messaging.dialog WHERE dialog_id = $1 FOR UPDATE"
            assert await conn.fetchval(sql, uuid.UUID(dialog_id))
            yield
    finally:
        await conn.close()


async def test_an_erasure_that_was_killed_goes_on_where_it_was(world):
    nok, budi = await world.person(), await world.person()
    word = f"bilby{uuid.uuid4().hex[:8]}"
    await written_everywhere(world, nok, budi, word)
    *_, last = [await world.group(nok, budi) for _ in range(30)]
    patient = {"MESSAGING_DATABASE_LOCK_TIMEOUT_S": "60", "MESSAGING_DATABASE_STATEMENT_TIMEOUT_S": "60"}
    command = [sys.executable, "-m", "messaging", "erase-person", str(nok.user_id)]

    async def started():
        return await asyncio.create_subprocess_exec(
            *command, env=environment(world.settings) | patient, stdout=asyncio.subprocess.PIPE
        )

    async with held_up(world, last):  # so that nobody finishes it before the kill
        first = await started()
        while b"unreadable" not in (line := await first.stdout.readline()):
            assert line, "ended before it began"
        first.kill()
        assert await first.wait() == -signal.SIGKILL
        assert await text_anywhere(world, word) == []
        async with world.app.database.read() as conn:
            assert await conn.fetchval("SELECT finished_at FROM person_erasure WHERE user_id = $1", nok.user_id) is None
    second = await started()
    said, _ = await second.communicate()
    assert second.returncode == 0, said
    assert b"erased" in said
    async with world.app.database.read() as conn:
        assert await conn.fetchval("SELECT finished_at FROM person_erasure WHERE user_id = $1", nok.user_id)
        there = "SELECT count(*) FROM member WHERE user_id = $1 AND status IN ('active', 'muted')"
        assert await conn.fetchval(there, nok.user_id) == 0
    await sound(world)


async def test_a_deleted_account_is_erased_after_the_grace_and_not_before(world):
    nok = await world.person()
    deleted_at = datetime.now(UTC)
    body = UserDeleted(user_id=str(nok.user_id))
    body.deleted_at.FromDatetime(deleted_at)
    async with world.app.begin() as tx:
        tx.outbox.add(body)

    async def asked():
        async with world.app.database.read() as conn:
            return await conn.fetchrow("SELECT due_at, finished_at FROM person_erasure WHERE user_id = $1", nok.user_id)

    row = await eventually(asked, timeout_s=20)
    assert abs((row["due_at"] - deleted_at).total_seconds() - 30 * 86_400) < 1
    await jobs.run_erasures(world.app)
    assert (await asked())["finished_at"] is None
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE person_erasure SET due_at = now() WHERE user_id = $1", nok.user_id)
    await jobs.run_erasures(world.app)
    assert (await asked())["finished_at"] is not None


async def test_under_legal_hold_the_key_is_set_aside_and_ends_with_the_hold(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    sent = await nok.send(dialog_id, "evidence")
    async with world.app.begin() as tx:
        await hold_dialog(uuid.UUID(dialog_id), tx, held=True)
    await erase_person(
        ErasePerson(user_id=nok.user_id, reason="requested", now=world.app.clock.now()), world.app.begin, world.app.keys
    )
    shown = {each["seq"]: each for each in await budi.messages(dialog_id)}
    assert shown[sent["seq"]]["content"] is None

    async def held():
        async with world.app.database.read() as conn:
            return await conn.fetchval("SELECT count(*) FROM held_key WHERE user_id = $1", nok.user_id)

    assert await held() == 1
    async with world.app.begin() as tx:
        await hold_dialog(uuid.UUID(dialog_id), tx, held=False)
    assert await held() == 0


async def test_an_export_has_what_the_person_wrote_and_nothing_of_others(world, tmp_path):
    nok, budi = await world.person("Nok"), await world.person("Budi")
    dialog_id, seq = await written_everywhere(world, nok, budi, "numbat")
    await nok.ok("PUT", f"/v1/dialogs/{dialog_id}/messages/{seq}/reactions/👍")
    named = {"username": f"b{uuid.uuid4().hex[:12]}_bot", "display_name": "Tidy"}
    bot = await nok.ok("POST", "/v1/bots", named)
    await budi.ok("POST", "/v1/bots", {**named, "username": f"b{uuid.uuid4().hex[:12]}_bot", "display_name": "theirs"})
    link = await nok.ok("POST", f"/v1/dialogs/{dialog_id}/invites", {})
    async with world.app.database.read() as conn:
        counts = await export_person(nok.user_id, tmp_path, conn, world.app.keys, world.app.objects)

    def lines(name):
        return [json.loads(each) for each in (tmp_path / f"{name}.jsonl").read_text().splitlines()]

    assert [each["content"]["text"] for each in lines("messages")] == ["numbat edited"]
    assert [json.loads(each["content"])["text"] for each in lines("revisions")] == ["numbat in a message"]
    assert [each["content"] for each in lines("drafts")] == ["numbat draft"]
    assert [each["emoji"] for each in lines("reactions")] == ["👍"]
    assert [each["dialog_id"] for each in lines("dialogs")] == [dialog_id]
    assert [(each["bot_id"], each["webhook_url"]) for each in lines("bots")] == [(bot["bot_id"], None)]
    assert [(each["invite_id"], each["dialog_id"]) for each in lines("invites")] == [(link["invite_id"], dialog_id)]
    exported = "".join((tmp_path / f"{each}.jsonl").read_text() for each in ("bots", "invites"))
    assert not any(each in exported for each in (bot["token"], link["token"], "hash", "secret"))
    assert counts == json.loads((tmp_path / "manifest.json").read_text())["lines"]
    assert "theirs" not in "".join(each.read_text() for each in tmp_path.iterdir())


async def test_an_export_has_the_files_a_person_uploaded_and_no_others(world, tmp_path):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    kind = {"purpose": "file", "media_type": "text/plain"}
    own = await nok.clean(b"their own words", name="Words.TXT", **kind)
    others = await budi.clean(b"words of another", name="b.txt", **kind)
    await nok.clean(b"not sent", name="c", **kind)

    async def show(person, attachment_id):
        content = {"type": "file", "attachment_ids": [attachment_id]}
        body = {"client_message_id": str(uuid.uuid4()), "content": content}
        await person.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)

    for person, attachment_id in ((nok, own), (budi, others), (nok, others)):
        await show(person, attachment_id)
    await cli.command_export(world.app, argparse.Namespace(user=nok.user_id, out=tmp_path))
    uploads = {
        each["file_name"]: each for each in map(json.loads, (tmp_path / "uploads.jsonl").read_text().splitlines())
    }
    there = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert uploads["Words.TXT"]["file"] == f"files/{own}.txt"
    assert there == {f"files/{own}.txt": b"their own words", uploads["c"]["file"]: b"not sent"}


async def test_the_bots_of_an_erased_person_end_and_lose_their_names(world):
    nok, budi = await world.person(), await world.person()
    word = f"kakapo{uuid.uuid4().hex[:8]}"
    body = {
        "username": f"{word}_bot",
        "display_name": f"{word} shop",
        "commands": [{"command": "help", "description": f"ask {word}"}],
    }
    made = await nok.ok("POST", "/v1/bots", body)
    bearer = {"Authorization": f"Bot {made['token']}"}
    await nok.ok("PUT", f"/v1/bots/{made['bot_id']}/webhook", {"url": f"https://{word}.example/hook"})
    await nok.ok("DELETE", f"/v1/bots/{made['bot_id']}/webhook")
    dialog = await budi.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]})
    await budi.send(dialog["dialog_id"], "hello")
    assert (await world.call("GET", "/v1/bot-api/updates", headers=bearer)).status == 200
    command = ErasePerson(user_id=nok.user_id, reason="requested", now=world.app.clock.now())
    await erase_person(command, world.app.begin, world.app.keys)
    assert (await world.call("GET", "/v1/bot-api/updates", headers=bearer)).status == 401
    assert await text_anywhere(world, word) == []
    await sound(world)


async def test_the_index_can_be_made_anew(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    sent = await nok.send(dialog_id, "platypus")
    await findable(budi, "platypus", [sent["seq"]])
    async with world.app.begin() as tx:
        await tx.conn.execute("DELETE FROM search_entry WHERE dialog_id = $1", uuid.UUID(dialog_id))
    assert await found(budi, "platypus") == []
    told = []
    assert await reindex_messages(uuid.UUID(dialog_id), world.app.begin, world.app.blind, told.append) == 1
    assert told == [1]
    assert await found(budi, "platypus") == [sent["seq"]]


async def test_the_audit_finds_what_is_broken(world):
    nok = await world.person()
    dialog_id = uuid.UUID(await world.group(nok))
    await nok.send(str(dialog_id), "one")
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE message SET seq = seq + 5, message_no = 7 WHERE dialog_id = $1", dialog_id)
        await tx.conn.execute("UPDATE dialog SET member_count = 3 WHERE dialog_id = $1", dialog_id)
    async with audit_connection(world.app) as conn:
        broken = {each.check.invariant for each in await audit(conn) if each.count}
    assert {"MSG-1", "MSG-2", "MSG-3", "MSG-7"} <= broken
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE message SET seq = seq - 5, message_no = 1 WHERE dialog_id = $1", dialog_id)
        await tx.conn.execute("UPDATE dialog SET member_count = 1 WHERE dialog_id = $1", dialog_id)
    await sound(world)


async def test_operators_hold_dialogs_through_the_api_and_others_do_not(world):
    nok = await world.person()
    dialog_id = await world.group(nok)
    path = f"/v1/ops/messaging/dialogs/{dialog_id}/legal-hold"
    assert (await nok.do("PUT", path)).status == 403
    ops = world.issuer.token_for(uuid.uuid4(), roles=("ops",))
    assert (await world.call("PUT", path, token=ops)).json["changed"] is True
    assert (await world.call("PUT", path, token=ops)).json["changed"] is False
    assert (await world.call("DELETE", path, token=ops)).json["changed"] is True
    assert (await world.call("PUT", path.replace(dialog_id, str(uuid.uuid4())), token=ops)).status == 404


async def test_commands_say_what_they_did(world, tmp_path, capsys):
    nok = await world.person()
    await world.group(nok)
    await cli.command_export(world.app, argparse.Namespace(user=nok.user_id, out=tmp_path / "new"))
    await cli.command_retention(world.app, argparse.Namespace())
    await cli.command_erase(world.app, argparse.Namespace(user=nok.user_id))
    said = capsys.readouterr().out
    assert "dialogs.jsonl: 1 lines" in said
    assert "months made" in said
    assert "erased" in said
