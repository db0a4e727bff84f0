"""What only a store on the other side of a network can do: go away, hang, refuse; and what no node has."""

import asyncio
import json
import random
import signal
import time
from contextlib import asynccontextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from messaging.__main__ import SERVICE
from messaging.wiring import wire
from testkit.ports import free_ports
from testkit.processes import child
from testkit.serving import serving
from testkit.wait import eventually

FILE = {"purpose": "file", "media_type": "application/octet-stream", "name": "a.bin"}


@pytest.fixture
def world(s3_world):
    return s3_world


@pytest.fixture
async def person(world):
    return await world.person()


async def content_of(world, person, attachment_id):
    link = (await person.ok("POST", f"/v1/attachments/{attachment_id}/link", {}))["url"]
    return await world.call("GET", link)


async def test_the_server_dies_in_mid_upload_and_the_upload_goes_on_when_it_is_back(world, person, s3):
    earlier = await person.clean(b"earlier " * 1000, **FILE)
    content = random.randbytes(2_000_000)
    made = await person.ticket(content, **FILE)
    assert (await person.piece(made, content[:700_000], 0)).status == 204
    await s3.kill()
    try:
        refused = await person.piece(made, content[700_000:1_400_000], 700_000)
        assert (refused.status, refused.code) == (503, "messaging.attachment.store_unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        asked = await person.do("HEAD", made["upload_url"])
        assert (asked.status, asked.headers["Upload-Offset"]) == (204, "700000")
        unread = await content_of(world, person, earlier)
        assert (unread.status, unread.code) == (503, "messaging.attachment.store_unavailable")
    finally:
        await s3.start()
    for offset in (700_000, 1_400_000):
        assert (await person.piece(made, content[offset : offset + 700_000], offset)).status == 204
    assert (await person.judged(made["attachment_id"]))["status"] == "clean"
    assert (await content_of(world, person, made["attachment_id"])).content == content
    assert (await content_of(world, person, earlier)).content == b"earlier " * 1000


async def test_a_file_that_waits_for_its_verdict_survives_the_server(world, person, s3, scanner):
    await scanner.behave(away=True)
    try:
        attachment_id = await person.upload(b"waits " * 1000, **FILE)
        await s3.kill()
    finally:
        await scanner.behave()
        await s3.start()
    assert (await person.judged(attachment_id))["status"] == "clean"
    assert (await content_of(world, person, attachment_id)).content == b"waits " * 1000


async def test_a_store_that_hangs_costs_uploads_and_nothing_else(world, person, s3):
    other = await world.person()
    dialog_id = await world.group(person, other)
    tickets = [await person.ticket(b"x" * 10, **FILE) for _ in range(12)]
    s3.send(signal.SIGSTOP)
    try:
        hung = [asyncio.create_task(person.piece(made, b"x" * 10, 0)) for made in tickets]
        await eventually(world.app.piece_turns.locked, what="every turn is taken")
        started = time.monotonic()
        for _ in range(5):
            await person.send(dialog_id)
        assert not any(each.done() for each in hung)
        answers = await asyncio.gather(*hung)
        assert {(answer.status, answer.code) for answer in answers} == {(503, "messaging.attachment.store_unavailable")}
        assert time.monotonic() - started < 20
    finally:
        s3.send(signal.SIGCONT)
    for made in tickets:
        assert (await person.do("HEAD", made["upload_url"])).headers["Upload-Offset"] == "0"
        assert (await person.piece(made, b"x" * 10, 0)).status == 204


@asynccontextmanager
async def node(world, folder):
    settings = world.settings.model_copy(update={"objects_dir": folder})
    async with wire(settings) as app, serving(SERVICE.http(app)) as call:
        yield call


async def test_an_upload_goes_on_at_another_node_when_its_own_is_gone(world, person, tmp_path):
    content = random.randbytes(1_000_000)
    async with node(world, tmp_path / "one") as call:
        person.call = call
        made = await person.ticket(content, **FILE)
        assert (await person.piece(made, content[:400_000], 0)).status == 204
    async with node(world, tmp_path / "another") as call:
        person.call = call
        assert (await person.do("HEAD", made["upload_url"])).headers["Upload-Offset"] == "400000"
        assert (await person.piece(made, content[400_000:], 400_000)).status == 204
        assert (await person.judged(made["attachment_id"]))["status"] == "clean"
        got = await content_of(type("_", (), {"call": call}), person, made["attachment_id"])
        assert got.content == content


def environment_of(world, **changed):
    """What a process of its own needs to serve the same data."""
    settings = world.settings.model_copy(update=changed)
    values = settings.model_dump(exclude_none=True, exclude_defaults=True)
    return {f"MESSAGING_{name.upper()}": _plain(value) for name, value in values.items()}


def _plain(value):
    return value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)


def readiness(port):
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read())


@pytest.mark.parametrize(
    ("secret", "hangs", "told"),
    [(None, False, None), ("wrong", False, "our credentials are refused"), (None, True, "no answer")],
)
async def test_readiness_names_what_hinders_the_store_and_the_process_ends_well(
    world, s3, tmp_path, *, secret, hangs, told
):
    http_port, ops_port = free_ports(2)
    environment = environment_of(world, http_port=http_port, ops_port=ops_port)
    if secret:
        environment["MESSAGING_OBJECTS_S3_SECRET_ACCESS_KEY"] = secret
    log = tmp_path / "log"
    s3.send(signal.SIGSTOP if hangs else signal.SIGCONT)
    async with child("messaging", "http", environment=environment, log=log) as process:

        async def asked():
            status, document = await asyncio.to_thread(readiness, ops_port)
            found = document.get("degraded", {}).get("object-store")
            # People can write to each other without files.
            return status == 200 and (found is None if told is None else told in (found or ""))

        try:
            await eventually(asked, timeout_s=40, every_s=0.2, what=f"ready and {told}, see {log}")
            assert await process.stop(timeout_s=30) == 0
        finally:
            s3.send(signal.SIGCONT)
        assert secret is None or secret not in log.read_text()
