"""Files: taken in pieces, judged before anybody gets them, taken back when a verdict comes late."""

import base64
import hashlib
import io
import uuid

import pytest
from PIL import Image

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
    assert (await one.do("HEAD", made["upload_url"])).headers["Upload-Offset"] == "0"
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
