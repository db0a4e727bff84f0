"""Files: taken in pieces, judged before anybody gets them, taken back when a verdict comes late."""

import asyncio
import base64
import hashlib
import io
import random
import uuid

import pytest
from PIL import Image

from messaging.core.adapters import attachment_store
from messaging.core.adapters.attachment_store import AttachmentStore
from messaging.core.domain.message import SendMessage, Sent
from messaging.core.usecases.send_messages import send_messages
from messaging.files.adapters.inspection_gateway import FileInspector
from messaging.files.entrypoints import jobs
from messaging.files.usecases.ports import FileTools
from messaging.files.usecases.scan_attachment import scan_attachment
from testkit.wait import eventually

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def png(width=900, height=600, color="teal"):
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, "PNG")
    return out.getvalue()


def image_message(attachment_id):
    return {"client_message_id": str(uuid.uuid4()), "content": {"type": "image", "attachment_ids": [attachment_id]}}


@pytest.fixture(scope="session", params=["disk_world", "s3_world"])
def world(request):
    """Every story, on each of the two stores."""
    return request.getfixturevalue(request.param)


@pytest.fixture
async def pair(world):
    one, other = await world.person(), await world.person()
    return one, other, await world.group(one, other)


async def test_an_image_is_uploaded_in_pieces_judged_sent_and_seen(world, pair):
    one, other, dialog_id = pair
    content = png()
    made = await one.ticket(content, sha256=hashlib.sha256(content).hexdigest())
    half = len(content) // 2
    assert (await one.piece(made, content[:half], 0)).headers["Upload-Offset"] == str(half)
    # The connection breaks; the client asks where it stands.
    asked = await one.do("HEAD", made["upload_url"])
    assert (asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == (str(half), str(len(content)))
    checksum = "sha256 " + base64.b64encode(hashlib.sha256(content[half:]).digest()).decode()
    assert (await one.piece(made, content[half:], half, **{"Upload-Checksum": checksum})).status == 204
    found = await one.judged(made["attachment_id"])
    assert (found["status"], found["width"], found["height"]) == ("clean", 900, 600)
    await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(made["attachment_id"]))
    [message] = await other.messages(dialog_id)
    assert message["attachments"][0]["attachment_id"] == made["attachment_id"]
    link = await other.ok("POST", f"/v1/attachments/{made['attachment_id']}/link", {})
    got = await world.call("GET", link["url"])
    assert (got.status, got.content) == (200, content)
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    part = await world.call("GET", link["url"], headers={"Range": "bytes=0-7"})
    assert (part.status, part.content) == (206, content[:8])
    thumbnail = await world.call("GET", link["thumbnails"][0]["url"])
    with Image.open(io.BytesIO(thumbnail.content)) as small:
        assert (small.format, small.width) == ("WEBP", 320)
        assert not small.getexif()


async def test_nobody_gets_a_byte_before_the_verdict_and_it_fails_closed(world, pair, scanner):
    one, _, dialog_id = pair
    await scanner.behave(away=True)
    try:
        attachment_id = await one.upload(png(color="red"))
        assert (
            await one.refused("POST", f"/v1/attachments/{attachment_id}/link", {}) == "messaging.attachment.not_found"
        )
        code = await one.refused("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(attachment_id))
        assert code == "messaging.attachment.unusable"
        await scanner.behave(error_next=1)
    finally:
        await scanner.behave()
    assert (await one.judged(attachment_id))["status"] == "clean"


async def test_the_test_virus_is_found_and_its_bytes_go(world, pair):
    one, _, dialog_id = pair
    attachment_id = await one.upload(EICAR, purpose="file", media_type="text/plain", name="eicar.txt")
    assert (await one.judged(attachment_id))["status"] == "infected"
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "file", "attachment_ids": [attachment_id]}}
    code = await one.refused("POST", f"/v1/dialogs/{dialog_id}/messages", body)
    assert code == "messaging.attachment.unusable"


async def test_a_late_verdict_takes_a_file_back_from_everybody(world, pair, scanner):
    one, other, dialog_id = pair
    secret = f"harmless until today {uuid.uuid4()}"
    attachment_id = await one.clean(secret.encode(), purpose="file", media_type="text/plain", name="notes.txt")
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "file", "attachment_ids": [attachment_id]}}
    await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)
    link = await other.ok("POST", f"/v1/attachments/{attachment_id}/link", {})
    position = (await other.dialog(dialog_id))["last_seq"]
    await scanner.behave(infected=[secret])
    try:
        async with world.app.database.begin() as conn:
            await conn.execute(
                "UPDATE attachment SET next_attempt_at = now() WHERE attachment_id = $1", uuid.UUID(attachment_id)
            )

        async def taken_back():
            return (await world.call("GET", link["url"])).status == 404

        await eventually(taken_back, timeout_s=20, what="the file is taken back")
    finally:
        await scanner.behave()
    [message] = await other.messages(dialog_id)
    assert message["attachments"][0]["status"] == "infected"
    news = await other.ok("POST", "/v1/sync", {"dialogs": {dialog_id: position}})
    assert [each["type"] for each in news["dialogs"][0]["events"]] == ["message.edited"]


FOREIGN = [
    (b"%PDF-1.7\n<script>app.alert(1)</script>", "application/pdf", "a.pdf"),
    (b"alert(document.domain)", "text/javascript", "a.js"),
    (b"alert(document.domain)", "application/javascript", "a.js"),
    (
        b"<?xml version='1.0'?><a xmlns:h='http://www.w3.org/1999/xhtml'><h:script>alert(1)</h:script></a>",
        "text/xml",
        "a.xml",
    ),
    (b"<?xml version='1.0'?><a/>", "application/xml", "a.xml"),
    (b"words first, then <script>alert(1)</script>", "text/plain", "a.html"),
    (b"<script>alert(1)</script>", "image/x-icon", "a.ico"),
    (b"<script>alert(1)</script>", "image/vnd.foreign", "a.svg"),
    (b"<script>alert(1)</script>", "video/x-foreign", "a.avi"),
    (b"<script>alert(1)</script>", "audio/x-foreign", "a.html"),
    (b"<script>alert(1)</script>", "image/png", "a.png"),
    (b"From: a\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>", "message/rfc822", "a.mht"),
    (b"GIF89a/*<script>*/=1;alert(1)", "image/gif", "a.gif"),
]


@pytest.mark.parametrize(("content", "media_type", "name"), FOREIGN)
async def test_what_a_browser_might_run_is_saved_and_not_shown(world, pair, content, media_type, name):
    one, _, _ = pair
    attachment_id = await one.clean(content, purpose="file", media_type=media_type, name=name)
    link = await one.ok("POST", f"/v1/attachments/{attachment_id}/link", {})
    for headers in ({}, {"Range": "bytes=0-3"}, {"Accept": "text/html"}):
        got = await world.call("GET", link["url"], headers=headers)
        assert got.status in {200, 206}
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert got.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"


async def test_pictures_and_their_thumbnails_are_shown_as_what_they_are(world, pair):
    one, _, _ = pair
    for purpose in ("image", "avatar", "sticker"):
        attachment_id = await one.clean(png(), purpose=purpose)
        link = await one.ok("POST", f"/v1/attachments/{attachment_id}/link", {})
        for url, media_type in ((link["url"], "image/png"), (link["thumbnails"][0]["url"], "image/webp")):
            got = await world.call("GET", url)
            assert got.headers["Content-Type"] == media_type
            assert got.headers["Content-Disposition"].startswith("inline")
            assert "sandbox" in got.headers["Content-Security-Policy"]
            assert got.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"<html><script>alert(1)</script></html>", {}),
        (b"MZ\x90\x00 program", {"purpose": "file", "media_type": "application/pdf", "name": "a.pdf"}),
        (b"<?xml version='1.0'?><svg onload='x'/>", {"purpose": "file", "media_type": "text/xml", "name": "a.xml"}),
        (png()[:200], {}),
        (png(), {"media_type": "image/jpeg", "name": "a.jpg"}),
        (png(), {"sha256": "0" * 64}),
    ],
)
async def test_what_is_not_what_it_says_is_refused(pair, content, options):
    one, _, _ = pair
    assert (await one.judged(await one.upload(content, **options)))["status"] == "rejected"


async def test_a_picture_made_to_hurt_is_refused_and_the_next_one_is_fine(pair):
    one, _, _ = pair
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    assert (await one.judged(await one.upload(out.getvalue())))["status"] == "rejected"
    assert (await one.judged(await one.upload(png(color="gold"))))["status"] == "clean"


async def test_bad_uploads(world, pair):
    one, other, _ = pair
    content = png()
    made = await one.ticket(content)
    assert (await one.piece(made, content[:10], 5)).code == "messaging.attachment.offset_conflict"
    assert (await one.piece(made, b"", 0)).code == "messaging.attachment.piece_invalid"
    assert (await one.piece(made, content + b"x", 0)).code == "messaging.attachment.piece_invalid"
    wrong = await one.piece(made, content[:10], 0, **{"Upload-Checksum": "sha256 AAAA"})
    assert wrong.code == "messaging.attachment.piece_invalid"
    assert (await one.piece(made, content[:10], "x")).code == "messaging.attachment.piece_invalid"
    assert (await other.piece(made, content[:10], 0)).code == "messaging.attachment.not_found"
    for method in ("HEAD", "PATCH", "DELETE"):
        refused = await one.do(method, made["upload_url"], headers={"Tus-Resumable": "9.9"})
        assert (refused.status, refused.headers["Tus-Version"]) == (412, "1.0.0")
    assert (await one.piece(made, b"", 0, **{"Tus-Resumable": "9.9"})).code == (
        "messaging.attachment.tus_version_unsupported"
    )
    assert (await one.do("HEAD", made["upload_url"], headers={"Tus-Resumable": "1.0.0"})).headers[
        "Upload-Offset"
    ] == "0"
    assert (await one.do("DELETE", made["upload_url"])).status == 204
    assert (await one.piece(made, content, 0)).code == "messaging.attachment.upload_over"
    for wish, code in (
        ({"size_bytes": 2**40}, "messaging.attachment.too_large"),
        ({"size_bytes": 0}, "request.body.invalid"),
        ({"media_type": "image/svg+xml"}, "messaging.attachment.type_refused"),
        ({"file_name": "../../etc/passwd"}, "request.body.invalid"),
        ({"file_name": "photo\u202egnp.exe"}, "request.body.invalid"),
    ):
        body = {"file_name": "a.png", "media_type": "image/png", "size_bytes": 10, "purpose": "image", **wish}
        assert await one.refused("POST", "/v1/attachments", body) == code


async def test_links_cannot_be_forged_and_others_files_cannot_be_sent(world, pair):
    one, other, dialog_id = pair
    stranger = await world.person()
    attachment_id = await one.clean(png(color="navy"))
    link = (await one.ok("POST", f"/v1/attachments/{attachment_id}/link", {}))["url"]
    for forged in (link[:-1] + ("0" if link[-1] != "0" else "1"), link.replace("variant=0", "variant=320")):
        assert (await world.call("GET", forged)).code == "messaging.attachment.link_invalid"
    late = link.replace("expires=", "expires=1&x=")
    assert (await world.call("GET", late)).status in {403, 422}
    for who in (other, stranger):
        assert await who.refused("GET", f"/v1/attachments/{attachment_id}") == "messaging.attachment.not_found"
    code = await other.refused("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(attachment_id))
    assert code == "messaging.attachment.unusable"
    sent = await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(attachment_id))
    # Now the other sees it, and may forward it.
    elsewhere = await world.group(other, stranger)
    forward = {"client_message_id": str(uuid.uuid4()), "forward_from": {"dialog_id": dialog_id, "seq": sent["seq"]}}
    await other.ok("POST", f"/v1/dialogs/{elsewhere}/messages", forward)
    assert (await stranger.ok("GET", f"/v1/attachments/{attachment_id}"))["status"] == "clean"


async def link_of(person, attachment_id):
    return (await person.ok("POST", f"/v1/attachments/{attachment_id}/link", {}))["url"]


async def test_a_link_ends_with_its_message_for_everybody(world, pair):
    one, other, dialog_id = pair
    attachment_id = await one.clean(png(color="maroon"))
    sent = await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(attachment_id))
    links = [await link_of(person, attachment_id) for person in (one, other)]
    forged = links[1].replace(str(other.user_id), str(one.user_id))
    assert (await world.call("GET", forged)).code == "messaging.attachment.link_invalid"
    assert [(await world.call("GET", link)).status for link in links] == [200, 200]
    await one.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}")
    assert [(await world.call("GET", link)).status for link in links] == [404, 404]
    for person in (one, other):
        assert (await person.do("POST", f"/v1/attachments/{attachment_id}/link", {})).status == 404


async def test_a_link_lives_as_long_as_whom_it_was_made_for_sees_the_file(world, pair):
    one, other, dialog_id = pair
    kept = await world.group(one, other)
    attachment_id = await one.clean(png(color="olive"))
    sent = await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(attachment_id))
    await one.ok("POST", f"/v1/dialogs/{kept}/messages", image_message(attachment_id))
    link = await link_of(other, attachment_id)
    # Another message shows it still.
    await one.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}")
    assert (await world.call("GET", link)).status == 200
    await other.ok("DELETE", f"/v1/dialogs/{kept}/members/{other.user_id}")
    assert (await world.call("GET", link)).status == 404
    assert (await world.call("GET", await link_of(one, attachment_id))).status == 200


async def test_a_link_ends_when_what_is_kept_of_the_dialog_begins_later(world, pair):
    one, other, dialog_id = pair
    attachment_id = await one.clean(png(color="purple"))
    await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(attachment_id))
    link = await link_of(other, attachment_id)
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE dialog SET oldest_seq = last_seq + 1 WHERE dialog_id = $1", uuid.UUID(dialog_id))
    assert (await world.call("GET", link)).status == 404
    assert await other.refused("GET", f"/v1/attachments/{attachment_id}") == "messaging.attachment.not_found"


async def test_who_reads_a_public_channel_from_outside_sees_its_files(world):
    owner, stranger, banned = [await world.person() for _ in range(3)]
    dialog_id = await world.group(owner, kind="channel", is_public=True, title="News")
    content = png(color="navy")
    file_id = await owner.clean(content)
    seq = (await owner.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(file_id)))["seq"]
    await owner.ok("PUT", f"/v1/dialogs/{dialog_id}/bans/{banned.user_id}")
    link = await link_of(stranger, file_id)
    assert (await world.call("GET", link)).content == content
    own = await world.group(stranger)
    forward = {"client_message_id": str(uuid.uuid4()), "forward_from": {"dialog_id": dialog_id, "seq": seq}}
    await stranger.ok("POST", f"/v1/dialogs/{own}/messages", forward)
    assert await banned.refused("POST", f"/v1/attachments/{file_id}/link", {}) == "messaging.attachment.not_found"
    # Outside it is seen for as long as the channel is open to all; what was forwarded is in a dialog of one's own.
    second = await owner.clean(png(color="olive"))
    await owner.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(second))
    later = await link_of(stranger, second)
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"is_public": False}, headers={"If-Match": "*"})
    assert (await world.call("GET", later)).status == 404
    assert (await world.call("GET", link)).status == 200


async def test_a_link_ends_with_the_account_it_was_made_for(world, pair):
    one, other, dialog_id = pair
    content = png(color="navy")
    file_id = await one.clean(content)
    await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(file_id))
    own, others = await link_of(one, file_id), await link_of(other, file_id)
    async with world.app.begin() as tx:
        await tx.endings.end_accounts([one.user_id], tx.now, tx.now)
    assert (await world.call("GET", own)).status == 404
    assert (await world.call("GET", others)).content == content


async def sent_during(world, pair, attachment_id, act):
    """A message with a file is not committed yet while ``act`` ends the file: the status of the file it shows then."""
    one, other, _ = pair
    elsewhere = await world.group(one, other)
    message = SendMessage(
        dialog_id=uuid.UUID(elsewhere),
        sender_id=one.user_id,
        client_message_id=uuid.uuid4(),
        content=image_message(attachment_id)["content"],
    )
    async with world.app.begin() as tx:
        [answer] = await send_messages([message], tx)
        assert isinstance(answer, Sent)
        acting = asyncio.create_task(act)
        await asyncio.wait({acting}, timeout=1.0)
    await acting
    [shown] = await other.messages(elsewhere)
    return shown["attachments"][0]["status"]


async def deleted_while_sent(world, pair):
    """The only message that showed it."""
    one, _, dialog_id = pair
    attachment_id = await one.clean(png(color="silver"))
    sent = await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(attachment_id))
    deleting = one.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{sent['seq']}")
    return await sent_during(world, pair, attachment_id, deleting)


async def removed_while_sent(world, pair):
    """As one that nobody used for a week."""
    attachment_id = await pair[0].clean(png(color="gold"))
    async with world.app.database.begin() as conn:
        await conn.execute(
            "UPDATE attachment SET created_at = now() - interval '8 days' WHERE attachment_id = $1",
            uuid.UUID(attachment_id),
        )
    return await sent_during(world, pair, attachment_id, jobs.remove_gone(world.app))


@pytest.mark.parametrize("race", [deleted_while_sent, removed_while_sent])
async def test_a_file_that_is_sent_while_it_is_ended_stays(world, pair, race):
    assert await race(world, pair) == "clean"


@pytest.mark.parametrize(("race", "status"), [(deleted_while_sent, "deleted"), (removed_while_sent, "expired")])
async def test_control_without_the_lock_a_message_shows_a_file_that_is_gone(world, pair, monkeypatch, race, status):
    unlocked = attachment_store._SENDABLE.replace("FOR SHARE OF a", "")
    monkeypatch.setattr(attachment_store, "_SENDABLE", unlocked)
    assert await race(world, pair) == status


RANGES = {
    "bytes=0-0": (206, slice(0, 1)),
    "bytes=1000000-1100000": (206, slice(1_000_000, 1_100_001)),
    "bytes=2999990-": (206, slice(2_999_990, None)),
    "bytes=2999990-9999999": (206, slice(2_999_990, None)),
    "bytes=-5": (206, slice(-5, None)),
    "bytes=-9999999": (206, slice(0, None)),
    "bytes=0-": (206, slice(0, None)),
    "bytes=3000000-": (416, slice(0, 0)),
    "bytes=5-2": (416, slice(0, 0)),
    "bytes=0-1,5-6": (416, slice(0, 0)),
}


async def test_parts_of_a_large_file(world, pair):
    one, _, _ = pair
    content = random.randbytes(3_000_000)
    made = await one.ticket(content, purpose="file", media_type="application/octet-stream", name="a.bin")
    for offset in range(0, len(content), 900_000):
        assert (await one.piece(made, content[offset : offset + 900_000], offset)).status == 204
    assert (await one.judged(made["attachment_id"]))["status"] == "clean"
    link = (await one.ok("POST", f"/v1/attachments/{made['attachment_id']}/link", {}))["url"]
    whole = await world.call("GET", link)
    assert (whole.status, whole.headers["Content-Length"], whole.content == content) == (200, "3000000", True)
    for wanted, (status, part) in RANGES.items():
        got = await world.call("GET", link, headers={"Range": wanted})
        assert got.status == status, wanted
        if status == 416:
            assert got.code == "messaging.attachment.range_not_satisfiable"
            assert got.headers["Content-Type"] == "application/problem+json"
        else:
            assert got.content == content[part], wanted
        start, stop, _ = part.indices(len(content))
        told = f"bytes {start}-{stop - 1}/3000000" if status == 206 else "bytes */3000000"
        assert got.headers["Content-Range"] == told
    etag = whole.headers["ETag"]
    assert (await world.call("GET", link, headers={"If-None-Match": etag})).status == 304
    for condition, status in ((etag, 206), ('"another"', 200)):
        resumed = await world.call("GET", link, headers={"Range": "bytes=10-19", "If-Range": condition})
        # aiohttp's FileResponse takes dates only, and sends the part for any ETag: bytes never change under a link.
        assert resumed.status in {status, 206}
    head = await world.call("HEAD", link)
    assert (head.status, head.headers["Content-Length"], head.content) == (200, "3000000", b"")


async def race(world, person, contents, monkeypatch, *, writers=1):
    """The same offset at once, each with other bytes, into a store that waits for so many writers and takes its time."""
    write, gathered = world.app.objects.write, asyncio.Barrier(writers)

    async def slowly(*piece):
        await gathered.wait()
        await asyncio.sleep(0.2)
        await write(*piece)

    monkeypatch.setattr(world.app.objects, "write", slowly)
    made = await person.ticket(contents[0], purpose="file", media_type="text/plain", name="a.txt")
    answers = await asyncio.gather(*(person.piece(made, content, 0) for content in contents))
    monkeypatch.setattr(world.app.objects, "write", write)
    return made["attachment_id"], answers


async def test_of_pieces_for_the_same_offset_one_wins(world, pair, monkeypatch):
    one, _, _ = pair
    contents = [f"version {number} of the file".encode() for number in range(4)]
    attachment_id, answers = await race(world, one, contents, monkeypatch)
    winners = [content for content, answer in zip(contents, answers, strict=True) if answer.status == 204]
    assert len(winners) == 1
    losers = {answer.code for answer in answers if answer.status != 204}
    assert losers <= {"messaging.attachment.offset_conflict", "messaging.attachment.upload_over"}
    assert (await one.judged(attachment_id))["status"] == "clean"
    link = await one.ok("POST", f"/v1/attachments/{attachment_id}/link", {})
    assert [(await world.call("GET", link["url"])).content] == winners


async def test_negative_control_without_the_rows_lock_more_than_one_wins(world, pair, monkeypatch):
    one, _, _ = pair
    monkeypatch.setattr(AttachmentStore, "lock", AttachmentStore.find)
    contents = [f"version {number} of the file".encode() for number in range(4)]
    _, answers = await race(world, one, contents, monkeypatch, writers=len(contents))
    assert sum(answer.status == 204 for answer in answers) > 1


async def age(world, attachment_id, days, **columns):
    names = ", ".join(f"{name} = '{value}'" for name, value in columns.items())
    async with world.app.database.begin() as conn:
        await conn.execute(
            f"UPDATE attachment SET created_at = now() - interval '{days} days', next_attempt_at = NULL"
            f"{', ' if names else ''}{names} WHERE attachment_id = $1",
            uuid.UUID(attachment_id),
        )


async def bytes_there(world, attachment_id, size):
    try:
        async with world.app.objects.local(attachment_id, size):
            return True
    except FileNotFoundError:
        return False


async def row_of(world, attachment_id):
    async with world.app.database.read() as conn:
        row = await conn.fetchrow("SELECT * FROM attachment WHERE attachment_id = $1", uuid.UUID(attachment_id))
    return row["status"], row["objects_gone"]


TEXT = {"purpose": "file", "media_type": "text/plain", "name": "a.txt"}


@pytest.mark.parametrize(
    ("days", "columns", "becomes"),
    [
        (1, {"status": "infected"}, "infected"),
        (1, {"status": "rejected"}, "rejected"),
        (1, {"status": "expired"}, "expired"),
        (1, {"status": "deleted"}, "deleted"),
        (8, {}, "expired"),  # clean, and never sent
        (6, {}, None),
        (0, {"status": "infected"}, None),  # a piece or a verdict may still be on its way
    ],
)
async def test_the_job_removes_what_nobody_can_get(world, pair, days, columns, becomes):
    one, _, _ = pair
    content = png(color="olive")
    attachment_id = await one.clean(content)
    await age(world, attachment_id, days, **columns)
    await jobs.remove_gone(world.app)
    assert await bytes_there(world, attachment_id, len(content)) is (becomes is None)
    assert await row_of(world, attachment_id) == (becomes or columns.get("status", "clean"), becomes is not None)
    if becomes:
        for width in (320, 1280):
            with pytest.raises(FileNotFoundError):
                await world.app.objects.find(f"{attachment_id}.{width}")


@pytest.mark.parametrize(("expired", "gone"), [("25 hours", True), ("24 hours", False), ("-1 hours", False)])
async def test_the_job_removes_uploads_that_were_left(world, pair, expired, gone):
    one, _, _ = pair
    made = await one.ticket(b"0123456789", **TEXT)
    await one.piece(made, b"01234", 0)
    async with world.app.database.begin() as conn:
        await conn.execute(
            f"UPDATE attachment SET expires_at = now() - interval '{expired}' + interval '1 day' - interval '1 minute', "
            "created_at = now() - interval '1 day' WHERE attachment_id = $1",
            uuid.UUID(made["attachment_id"]),
        )
    await jobs.remove_gone(world.app)
    assert await bytes_there(world, made["attachment_id"], 5) is not gone
    assert await row_of(world, made["attachment_id"]) == ("expired" if gone else "uploading", gone)


async def test_the_job_keeps_what_messages_and_avatars_show(world, pair):
    one, _, dialog_id = pair
    content = png(color="pink")
    sent, avatar = await one.clean(content), await one.clean(content)
    await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", image_message(sent))
    async with world.app.database.begin() as conn:
        await conn.execute(
            "UPDATE dialog SET avatar_attachment_id = $2 WHERE dialog_id = $1", uuid.UUID(dialog_id), uuid.UUID(avatar)
        )
    for attachment_id in (sent, avatar):
        await age(world, attachment_id, 30)
    await jobs.remove_gone(world.app)
    for attachment_id in (sent, avatar):
        assert await row_of(world, attachment_id) == ("clean", False)
        assert await bytes_there(world, attachment_id, len(content))


async def test_a_file_that_is_erased_while_it_is_judged_does_not_come_back(world, pair):
    one, _, _ = pair
    content = png(color="black")
    attachment_id = await one.clean(content)
    await age(world, attachment_id, 1, status="scanning")

    class Slow:
        async def scan(self, path):
            await age(world, attachment_id, 1, status="deleted")
            await jobs.remove_gone(world.app)

    async with world.app.database.read() as conn:
        found = await AttachmentStore(conn).find(uuid.UUID(attachment_id))
    tools = FileTools(objects=world.app.objects, scanner=Slow(), inspector=FileInspector())
    await scan_attachment(found, world.app.begin, tools)
    assert await row_of(world, attachment_id) == ("deleted", True)
    assert not await bytes_there(world, attachment_id, len(content))


def moving():
    out = io.BytesIO()
    frames = [Image.new("RGB", (60, 40), each) for each in ("teal", "navy")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


async def test_a_gif_is_a_picture_that_moves_or_a_video(pair):
    one, _, dialog_id = pair
    words = await one.clean(b"only words", purpose="file", media_type="text/plain", name="a.txt")
    still = await one.clean(png())
    for attachment_id in (words, still):
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "gif", "attachment_id": attachment_id}}
        code = await one.refused("POST", f"/v1/dialogs/{dialog_id}/messages", body)
        assert code == "messaging.attachment.unusable"
    gif = await one.clean(moving(), media_type="image/gif", name="a.gif")
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "gif", "attachment_id": gif}}
    await one.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)


@pytest.mark.parametrize("purpose", ["video", "voice"])
async def test_words_are_no_video_and_no_voice(pair, purpose):
    one, _, _ = pair
    body = {"file_name": "a.txt", "media_type": "text/plain", "size_bytes": 5, "purpose": purpose}
    assert await one.refused("POST", "/v1/attachments", body) == "messaging.attachment.type_refused"
    media_type = {"video": "video/mp4", "voice": "audio/ogg"}[purpose]
    uploaded = await one.upload(b"only words", purpose=purpose, media_type=media_type, name="a.mp4")
    assert (await one.judged(uploaded))["status"] == "rejected"


@pytest.mark.parametrize(
    ("head", "purpose", "media_type"),
    [
        (b"OggS\x00\x02" + bytes(22) + b"OpusHead", "voice", "audio/ogg"),
        (b"\x00\x00\x00\x18ftypiso5" + bytes(64), "video", "video/mp4"),
    ],
)
async def test_what_recorders_make_is_a_voice_or_a_video(pair, head, purpose, media_type):
    await pair[0].clean(head, purpose=purpose, media_type=media_type, name="recorded")


async def test_a_dialogs_avatar_is_ones_own_picture_and_its_members_see_it(world, pair):
    one, other, dialog_id = pair
    stranger = await world.person()
    path = f"/v1/dialogs/{dialog_id}"
    picture = await one.clean(png(200, 200), purpose="avatar")
    dirty = await one.upload(EICAR, purpose="file", media_type="text/plain", name="eicar.txt")
    words = await one.clean(b"only words", purpose="file", media_type="text/plain", name="a.txt")
    theirs = await other.clean(png(200, 200), purpose="avatar")

    async def choose(attachment_id):
        etag = (await one.do("GET", path)).headers["ETag"]
        return await one.do("PATCH", path, {"avatar_attachment_id": attachment_id}, headers={"If-Match": etag})

    for refused in (dirty, words, theirs, str(uuid.uuid4())):
        answer = await choose(refused)
        assert (answer.status, answer.code) == (422, "messaging.attachment.unusable")
    assert (await other.do("GET", f"/v1/attachments/{picture}")).status == 404
    assert (await choose(picture)).status == 204
    link = await other.ok("POST", f"/v1/attachments/{picture}/link", {})
    assert (await world.call("GET", link["url"])).status == 200
    assert (await stranger.do("GET", f"/v1/attachments/{picture}")).status == 404
    await one.ok("DELETE", f"{path}/members/{other.user_id}")
    assert (await other.do("GET", f"/v1/attachments/{picture}")).status == 404
    assert (await choose(None)).status == 204
