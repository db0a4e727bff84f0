"""What a legal hold keeps, who can read it, and what moderators see of what was reported."""

import argparse
import io
import json
import uuid

import pytest
from PIL import Image

from messaging.files.entrypoints import jobs
from messaging.lifecycle.entrypoints import cli
from messaging.lifecycle.usecases.erase_person import ErasePerson, erase_person
from messaging.lifecycle.usecases.hold_dialog import hold_dialog
from operations.act_reads import list_acts


def png(color):
    out = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(out, "PNG")
    return out.getvalue()


async def hold(world, dialog_id, *, held=True):
    async with world.app.begin() as tx:
        await hold_dialog(uuid.UUID(dialog_id), tx, held=held)


async def show(person, dialog_id, attachment_id):
    content = {"type": "image", "attachment_ids": [attachment_id], "text": "look"}
    body = {"client_message_id": str(uuid.uuid4()), "content": content}
    return (await person.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body))["seq"]


async def erase(world, person):
    command = ErasePerson(user_id=person.user_id, reason="requested", now=world.app.clock.now())
    await erase_person(command, world.app.begin, world.app.keys)


async def bytes_stay(world, attachment_id):
    """After the job that removes bytes has looked at a file of last month."""
    async with world.app.begin() as tx:
        await tx.conn.execute(
            "UPDATE attachment SET created_at = created_at - interval '30 days' WHERE attachment_id = $1",
            uuid.UUID(attachment_id),
        )
    await jobs.remove_gone(world.app)
    try:
        await world.app.objects.find(attachment_id)
    except FileNotFoundError:
        return False
    return True


@pytest.mark.parametrize("ends", ["deleted", "erased"])
async def test_a_hold_keeps_files_that_nobody_sees_until_it_is_lifted(world, ends):
    nok, budi = await world.person(), await world.person()
    dialog_id, free_id = await world.group(nok, budi), await world.group(nok, budi)
    held, free = await nok.clean(png("red")), await nok.clean(png("blue"))
    await hold(world, dialog_id)
    seqs = {held: await show(nok, dialog_id, held), free: await show(nok, free_id, free)}
    if ends == "deleted":
        for each, attachment_id in ((dialog_id, held), (free_id, free)):
            await nok.ok("DELETE", f"/v1/dialogs/{each}/messages/{seqs[attachment_id]}")
    else:
        await erase(world, nok)
    assert await bytes_stay(world, held)
    assert not await bytes_stay(world, free)
    assert await budi.refused("POST", f"/v1/attachments/{held}/link", {}) == "messaging.attachment.not_found"
    shown = {each["seq"]: each for each in await budi.messages(dialog_id)}[seqs[held]]
    assert [each["file_name"] for each in shown["attachments"] if each["file_name"]] == []
    await hold(world, dialog_id, held=False)
    assert not await bytes_stay(world, held)


def asked(dialog_id, out, reason="case 7/2026"):
    return argparse.Namespace(act="export", dialog=uuid.UUID(dialog_id), out=out, reason=reason)


def lines(path):
    return [json.loads(each) for each in path.read_text().splitlines()]


async def test_what_a_hold_keeps_is_exported_for_a_reason(world, tmp_path, capsys, monkeypatch):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    await hold(world, dialog_id)
    first = await nok.send(dialog_id, "we meet")
    body = {"content": {"type": "text", "text": "we do not meet"}}
    await nok.ok("PATCH", f"/v1/dialogs/{dialog_id}/messages/{first['seq']}", body)
    await nok.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{first['seq']}")
    picture = await nok.clean(png("green"))
    shown = await show(nok, dialog_id, picture)
    await nok.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{shown}")
    answers = [(await budi.send(dialog_id, f"answer {number}"))["seq"] for number in range(5)]
    await erase(world, nok)
    monkeypatch.setattr("messaging.lifecycle.adapters.held_reads.PAGE", 2)
    assert await cli.command_hold(world.app, asked(dialog_id, tmp_path / "out")) == 0
    messages = {each["seq"]: each for each in lines(tmp_path / "out" / "messages.jsonl")}
    assert [each["content"]["text"] for each in messages[first["seq"]]["versions"]] == ["we meet", "we do not meet"]
    assert messages[first["seq"]]["deleted_by"] == str(nok.user_id)
    assert messages[shown]["versions"][0]["content"]["text"] == "look"
    assert [messages[seq]["content"]["text"] for seq in answers] == [f"answer {number}" for number in range(5)]
    assert not any(each["unreadable"] for each in messages.values())
    [file] = lines(tmp_path / "out" / "attachments.jsonl")
    assert (file["file_name"], file["seq"]) == ("photo.png", shown)
    assert (tmp_path / "out" / file["file"]).read_bytes() == png("green")
    members = {each["user_id"]: each["status"] for each in lines(tmp_path / "out" / "members.jsonl")}
    assert members == {str(nok.user_id): "left", str(budi.user_id): "active"}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["reason"], manifest["counts"]["messages"]) == ("case 7/2026", len(messages))
    said = capsys.readouterr().out
    async with world.app.database.read() as conn:
        recorded = await list_acts(conn, "messaging", "messaging", before_id=None, limit=200)
    acts = [each.act for each in reversed(recorded) if dialog_id in [fact.value for fact in each.act.target]]
    exports = [(each.outcome, each.reason) for each in acts if each.action == "legal_hold.export"]
    assert exports == [(outcome, "case 7/2026") for outcome in ("begun", "done")]
    assert all(each.actor for each in acts)
    assert "2 messages, 1 files" in said


async def test_an_export_is_refused_without_a_hold_or_a_reason(world, tmp_path, capsys):
    nok = await world.person()
    dialog_id = await world.group(nok)
    assert await cli.command_hold(world.app, asked(dialog_id, tmp_path)) == 1
    assert "not under legal hold" in capsys.readouterr().err
    assert await cli.command_hold(world.app, asked(str(uuid.uuid4()), tmp_path)) == 1
    assert "there is no dialog" in capsys.readouterr().err
    await hold(world, dialog_id)
    for reason in (None, " "):
        assert await cli.command_hold(world.app, asked(dialog_id, tmp_path, reason)) == 1
        assert "--reason" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


async def test_moderators_read_what_was_reported_and_each_read_is_recorded(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    sent = [(await nok.send(dialog_id, f"word {number}"))["seq"] for number in range(7)]
    body = {"dialog_id": dialog_id, "seq": sent[3], "reason": "abuse"}
    report_id = (await budi.ok("POST", "/v1/messages/reports", body))["report_id"]
    path = f"/v1/ops/messaging/reports/{report_id}/messages"
    assert (await budi.do("GET", path)).status == 403
    moderator_id = uuid.uuid4()
    token = world.issuer.token_for(moderator_id, roles=("moderator",))
    read = await world.call("GET", path, token=token)
    assert read.json["seq"] == sent[3]
    assert [each["content"]["text"] for each in read.json["items"]] == [f"word {number}" for number in range(1, 6)]
    await world.call("GET", path, token=token)
    async with world.app.database.read() as conn:
        reads = await conn.fetch("SELECT read_by FROM report_read WHERE report_id = $1", uuid.UUID(report_id))
    assert [row["read_by"] for row in reads] == [moderator_id] * 2
    decision = f"/v1/ops/messaging/reports/{report_id}/decision"
    assert (await world.call("POST", decision, {"status": "upheld"}, token=token)).status == 204
    assert (await world.call("GET", path, token=token)).code == "messaging.report.not_found"


async def test_a_moderator_who_deleted_it_for_themselves_reads_what_was_reported(world):
    nok, budi, moderator = [await world.person() for _ in range(3)]
    dialog_id = await world.group(nok, budi, moderator)
    seq = (await nok.send(dialog_id, "word"))["seq"]
    await moderator.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{seq}?whom=me")
    body = {"dialog_id": dialog_id, "seq": seq, "reason": "abuse"}
    report_id = (await budi.ok("POST", "/v1/messages/reports", body))["report_id"]
    token = world.issuer.token_for(moderator.user_id, roles=("moderator",))
    read = await world.call("GET", f"/v1/ops/messaging/reports/{report_id}/messages", token=token)
    assert [each["content"]["text"] for each in read.json["items"]] == ["word"]


async def test_a_report_of_a_person_shows_no_messages(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    await nok.send(dialog_id, "private")
    body = {"dialog_id": dialog_id, "user_id": str(nok.user_id), "reason": "scam"}
    report_id = (await budi.ok("POST", "/v1/messages/reports", body))["report_id"]
    token = world.issuer.token_for(uuid.uuid4(), roles=("moderator",))
    read = await world.call("GET", f"/v1/ops/messaging/reports/{report_id}/messages", token=token)
    assert (read.json["seq"], read.json["items"]) == (None, [])
