"""What is damaged in one row is that row's outcome alone: everybody else reads, is sent to and hears as ever."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from prometheus_client import REGISTRY

from messaging.bots.entrypoints.jobs import bot_updates
from messaging.bots.usecases import collect_updates
from messaging.core.adapters import change_reads, document_reads, message_reads, stream_reads
from messaging.core.adapters.stream_reads import StreamReads
from messaging.lifecycle.adapters.invariants import audit
from messaging.lifecycle.adapters.person_export_job import export_person
from messaging.scheduling.entrypoints import jobs
from messaging.search.usecases.index_messages import index_messages
from operations import audit_connection
from sampan.commerce.v1.product_pb2 import ProductPublished
from sampan.commerce.v1.shop_pb2 import ShopOpened
from testkit.wait import eventually

BROKEN_KEY = b"\0"


@pytest.fixture(scope="module")
def world(own_world):
    return own_world


async def execute(world, sql, *values):
    async with world.app.database.begin() as conn:
        return await conn.execute(sql, *values)


async def value_of(world, sql, *values):
    async with world.app.database.read() as conn:
        return await conn.fetchval(sql, *values)


async def sealed_by(world, person, document):
    async with world.app.begin() as tx:
        await tx.stream.ready([person.user_id])
        return tx.sealer.encrypt(
            person.user_id, document if isinstance(document, bytes) else document_reads.to_json(document)
        )


async def break_key(world, person):
    await execute(world, "UPDATE person_key SET wrapped_key = $2 WHERE user_id = $1", person.user_id, BROKEN_KEY)
    world.app.keys.forget(person.user_id)


async def damages(world, person, stranger):
    """What may stand where a person's sealed words were."""
    words = {"type": "text", "text": "mine"}
    good = await sealed_by(world, person, words)
    return {
        "one byte": b"\1",
        "less than a nonce": good[:11],
        "a nonce alone": good[:12],
        "flipped": good[:20] + bytes([good[20] ^ 1]) + good[21:],
        "of another's key": await sealed_by(world, stranger, words),
        "a list": await sealed_by(world, person, [1]),
        "a number": await sealed_by(world, person, 5),
        "no JSON": await sealed_by(world, person, b"{"),
        "no UTF-8": await sealed_by(world, person, b"\xff"),
        "a text that is none": await sealed_by(world, person, {"type": "text", "text": 5}),
        "a type that is none": await sealed_by(world, person, {"type": [], "text": "/products/"}),
    }


async def put_content(world, dialog_id, seq, content):
    await execute(
        world,
        "UPDATE message SET content = $3 WHERE dialog_id = $1 AND seq = $2",
        *(uuid.UUID(dialog_id), seq, content),
    )


def counted(what):
    return REGISTRY.get_sample_value("messaging_unreadable_total", {"what": what})


async def reads_everywhere(world, reader, dialog_ids):
    """Every way to read these dialogs; the contents by dialog and seq, as the history has them."""
    listed = (await reader.ok("GET", "/v1/dialogs?limit=100"))["items"]
    assert set(dialog_ids) <= {each["dialog_id"] for each in listed}
    synced = await reader.ok("POST", "/v1/sync", {"dialogs": dict.fromkeys(dialog_ids, 0)})
    assert {each["dialog_id"] for each in synced["dialogs"]} >= set(dialog_ids)
    found = {}
    for news in synced["dialogs"]:
        assert [each["seq"] for each in news["events"]] == list(range(1, news["last_seq"] + 1))
    for dialog_id in dialog_ids:
        await reader.dialog(dialog_id)
        for message in await reader.messages(dialog_id, limit=200):
            found[dialog_id, message["seq"]] = message["content"]
            path = f"/v1/dialogs/{dialog_id}/messages/{message['seq']}"
            for rest in ("", "/revisions", "/thread"):
                await reader.ok("GET", path + rest)
        await reader.ok("GET", f"/v1/dialogs/{dialog_id}/pins")
    return found


async def test_a_message_that_does_not_open_is_shown_without_content(world):
    writer, reader, stranger = [await world.person() for _ in range(3)]
    dialogs, seqs = [], {}
    before = counted("sealed")
    for name, content in (await damages(world, writer, stranger)).items():
        dialog_id = await world.group(writer, reader)
        dialogs.append(dialog_id)
        await writer.send(dialog_id, "before")
        seqs[name] = dialog_id, (await writer.send(dialog_id, name))["seq"]
        await writer.send(dialog_id, "after")
        await put_content(world, *seqs[name], content)
    whole = await world.group(writer, reader)
    said = await writer.send(whole, "whole")
    found = await reads_everywhere(world, reader, [*dialogs, whole])
    assert [name for name, place in seqs.items() if found[place] is not None] == []
    assert found[whole, said["seq"]]["text"] == "whole"
    for dialog_id in dialogs:
        texts = [content and content["text"] for (each, _), content in sorted(found.items()) if each == dialog_id]
        assert texts == ["before", None, "after"]
    assert counted("sealed") - before >= len(seqs)


async def test_a_key_that_does_not_unwrap_hides_its_persons_words_alone(world):
    broken, whole, reader = [await world.person() for _ in range(3)]
    dialog_id = await world.group(broken, whole, reader)
    lost = (await broken.send(dialog_id, "lost"))["seq"]
    kept = (await whole.send(dialog_id, "kept"))["seq"]
    before = counted("key")
    await break_key(world, broken)
    world.app.keys.forget(whole.user_id)
    found = await reads_everywhere(world, reader, [dialog_id])
    assert (found[dialog_id, lost], found[dialog_id, kept]["text"]) == (None, "kept")
    assert counted("key") > before
    await reader.send(dialog_id, "and on")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    message = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "more"}}
    for method, path, body in (
        ("POST", f"/v1/dialogs/{dialog_id}/messages", message),
        ("PUT", f"/v1/dialogs/{dialog_id}/draft", {"text": "more"}),
        ("POST", "/v1/scheduled-messages", {"dialog_id": dialog_id, "send_at": later, "message": message}),
    ):
        assert ((await broken.do(method, path, body)).code, path) == ("messaging.person_key.unavailable", path)
    after = (await reader.send(dialog_id, "no seq was taken by what was refused"))["seq"]
    found = await reads_everywhere(world, reader, [dialog_id])
    assert max(seq for _, seq in found) == after == kept + 2


async def test_fields_of_another_shape_make_no_read_fail(world):
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    said = (await writer.send(dialog_id, "said"))["seq"]
    place = uuid.UUID(dialog_id), said
    await execute(world, "UPDATE message SET forward = '[1]' WHERE dialog_id = $1 AND seq = $2", *place)
    await execute(world, "UPDATE dialog SET permissions = '[1]' WHERE dialog_id = $1", place[0])
    await execute(world, "UPDATE change SET payload = '[1]' WHERE dialog_id = $1", place[0])
    await execute(world, "UPDATE account_change SET payload = '[1]' WHERE user_id = $1", reader.user_id)
    await writer.ok("PUT", f"/v1/dialogs/{dialog_id}/messages/{said}/pin")
    found = await reads_everywhere(world, reader, [dialog_id])
    assert found[dialog_id, said]["text"] == "said"
    synced = await reader.ok("POST", "/v1/sync", {"dialogs": {dialog_id: 0}})
    types = [each["type"] for each in synced["dialogs"][0]["events"]]
    assert types == [change_reads.UNREADABLE] * (said - 1) + ["message.new", "pin.changed"]
    assert {each["type"] for each in synced["account_events"]} == {change_reads.UNREADABLE}


@pytest.mark.parametrize(
    "member", [None, 5, [], {}, {"user_id": "x", "status": "left"}, {"user_id": str(uuid.UUID(int=1)), "status": 1}]
)
def test_a_change_of_a_member_that_names_none_is_damaged(member):
    row = {"dialog_id": uuid.uuid4(), "seq": 1, "type": "member.changed", "payload": {"member": member}}
    assert change_reads.is_damaged(row)
    assert not change_reads.is_damaged(
        {**row, "payload": {"member": {"user_id": str(uuid.uuid4()), "role": "member", "status": "left"}}}
    )
    assert not change_reads.is_damaged({**row, "type": "of.a.newer.version", "payload": {"anything": [1]}})
    assert change_reads.is_damaged({**row, "type": "dialog.changed", "payload": {"dialog": [1]}})
    assert change_reads.is_damaged({**row, "type": "pin.changed", "payload": {"seq": 7}})


async def test_a_card_of_no_type_or_state_there_is_shows_nothing(world):
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    said = [(await writer.send(dialog_id, "said"))["seq"] for _ in range(2)]
    for seq, kind, state in zip(said, ("of another time", "order"), ('{"status": "paid"}', "[1]"), strict=True):
        entity_id = uuid.uuid4()
        await execute(
            world,
            "INSERT INTO entity (entity_type, entity_id, version, state, changed_at) "
            "VALUES ($1, $2, 1, $3::text::jsonb, now())",
            *(kind, entity_id, state),
        )
        await execute(world, "INSERT INTO card VALUES ($1, $2, $3, $4)", kind, entity_id, uuid.UUID(dialog_id), seq)
        await execute(
            world, "UPDATE message SET type = 'order' WHERE dialog_id = $1 AND seq = $2", uuid.UUID(dialog_id), seq
        )
    await reads_everywhere(world, reader, [dialog_id])
    cards = {each["seq"]: each["card"] for each in await reader.messages(dialog_id)}
    assert cards[said[0]] is None
    assert cards[said[1]].keys() == {"entity_type", "entity_id"}


SHAPES = ["[]", "[1]", "null", '"x"', "7", '{"member": 5, "admin": "send"}', '{"mentions": 3, "member": {"send": 1}}']


@pytest.mark.parametrize("shape", SHAPES)
async def test_where_permissions_cannot_be_read_the_usual_ones_hold(world, shape):
    owner, member = await world.person(), await world.person()
    bad, *others = [await world.group(owner, member) for _ in range(4)]
    channel = await world.group(owner, member, kind="channel")
    sql = "UPDATE dialog SET permissions = $2::text::jsonb WHERE dialog_id = ANY($1)"
    await execute(world, sql, [uuid.UUID(bad), uuid.UUID(channel)], shape)
    before = counted("field")
    await asyncio.gather(*(member.send(each) for each in (bad, *others)))
    assert counted("field") > before
    message = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "hello"}}
    path = f"/v1/dialogs/{bad}"
    said = (await member.ok("POST", f"{path}/messages", message))["seq"]
    await member.ok("PUT", f"{path}/messages/{said}/reactions/like")
    assert await member.refused("POST", f"{path}/close") == "messaging.dialog.not_allowed"
    refused = await member.refused("POST", f"/v1/dialogs/{channel}/messages", {**message, "client_message_id": bad})
    assert refused == "messaging.dialog.not_allowed"  # those of its kind, not of every dialog
    assert (await member.dialog(bad))["permissions"] == {}
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"dialog_id": bad, "send_at": later, "message": {**message, "client_message_id": str(uuid.uuid4())}}
    await member.ok("POST", "/v1/scheduled-messages", body)
    await owner.ok("PATCH", path, {"permissions": {"member": []}}, headers={"If-Match": "*"})
    again = {**message, "client_message_id": str(uuid.uuid4())}
    assert await member.refused("POST", f"{path}/messages", again) == "messaging.dialog.not_allowed"


async def test_of_damaged_permissions_what_can_be_read_holds(world):
    owner, member = await world.person(), await world.person()
    dialog_id = await world.group(owner, member)
    shape = '{"member": [], "admin": 5}'
    sql = "UPDATE dialog SET permissions = $2::text::jsonb WHERE dialog_id = $1"
    await execute(world, sql, uuid.UUID(dialog_id), shape)
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "hello"}}
    assert await member.refused("POST", f"/v1/dialogs/{dialog_id}/messages", body) == "messaging.dialog.not_allowed"
    assert (await member.dialog(dialog_id))["permissions"] == {"member": []}


async def on_sale(world, seller):
    """A product and its shop, as their events tell; and the product's next event."""
    product_id, shop_id = uuid.uuid4(), uuid.uuid4()
    shop = ShopOpened(shop_id=str(shop_id), owner_id=str(seller.user_id), name="Baan", country="TH", currency="THB")
    await world.publish(shop, version=1)
    product = ProductPublished(product_id=str(product_id), shop_id=str(shop_id), title="Khanom", status="active")
    await world.publish(product, version=1)

    async def known():
        sql = "SELECT count(*) = 2 FROM entity WHERE entity_id = ANY($1)"
        return await value_of(world, sql, [product_id, shop_id])

    await eventually(known, timeout_s=30, what="the product and its shop are known")
    return product, shop


ENTITIES = [
    *SHAPES,
    "{}",
    '{"entity_type": 5}',
    '{"status": "active"}',
    '{"shop_id": "nope", "status": "active", "title": "x", "name": 5}',
    '{"shop_id": 5, "status": "active", "title": 5, "name": []}',
]


@pytest.mark.parametrize("shape", ENTITIES)
async def test_of_a_product_or_shop_that_cannot_be_read_nobody_opens_a_dialog(world, shape):
    """Who talks there already goes on, cards are shown, and the next event mends what it tells."""
    seller, customer, other = [await world.person() for _ in range(3)]
    product, shop = await on_sale(world, seller)
    topic = {"kind": "topic", "product_id": product.product_id}
    business = {"kind": "business", "shop_id": shop.shop_id}
    dialog_id = (await customer.ok("POST", "/v1/dialogs", topic))["dialog_id"]
    private = (await customer.ok("POST", "/v1/dialogs", business))["dialog_id"]
    sql = "UPDATE entity SET state = $2::text::jsonb WHERE entity_id = ANY($1)"
    await execute(world, sql, [uuid.UUID(product.product_id), uuid.UUID(shop.shop_id)], shape)
    before = counted("field")
    assert await other.refused("POST", "/v1/dialogs", topic) == "messaging.dialog.topic_unknown"
    assert await other.refused("POST", "/v1/dialogs", business) == "messaging.dialog.shop_unknown"
    assert await other.refused("POST", f"/v1/dialogs/{dialog_id}/join", {}) == "messaging.dialog.not_found"
    assert counted("field") > before
    for known, asked in ((dialog_id, topic), (private, business)):
        assert (await customer.ok("POST", "/v1/dialogs", asked))["dialog_id"] == known
    content = {"type": "product", "product_id": product.product_id}
    for person in (customer, seller):
        body = {"client_message_id": str(uuid.uuid4()), "content": content}
        said = (await person.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body))["seq"]
    found = {each["seq"]: each["card"] for each in await customer.messages(dialog_id)}
    assert (found[said]["entity_type"], found[said]["entity_id"]) == ("product", product.product_id)
    await reads_everywhere(world, customer, [dialog_id, private])
    await world.publish(product, version=2)

    async def mended():
        sql = "SELECT state->>'title' FROM entity WHERE entity_id = $1"
        return await value_of(world, sql, uuid.UUID(product.product_id)) == "Khanom"

    await eventually(mended, timeout_s=30, what="the next event of the product")
    assert (await other.ok("POST", "/v1/dialogs", topic))["dialog_id"] == dialog_id


async def test_activity_of_another_shape_is_listed(world):
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    await writer.send(dialog_id, "you", mention_user_ids=[str(reader.user_id)])

    async def told():
        return [each for each in (await reader.ok("GET", "/v1/activity"))["items"] if each["type"] == "mention"]

    await eventually(told, timeout_s=20, what="the mention")
    await execute(world, "UPDATE activity SET payload = '[1]' WHERE user_id = $1", reader.user_id)
    assert [each["payload"] for each in await told()] == [{}]


async def test_drafts_an_export_and_the_index_pass_over_what_does_not_open(world, tmp_path):
    writer, reader, stranger = [await world.person() for _ in range(3)]
    made = await damages(world, writer, stranger)
    bad = ("one byte", "less than a nonce", "flipped", "of another's key", "no UTF-8")
    dialogs = [await world.group(writer, reader) for _ in (*bad, "whole")]
    seqs = []
    for number, dialog_id in enumerate(dialogs):
        await writer.ok("PUT", f"/v1/dialogs/{dialog_id}/draft", {"text": "a draft"})
        said = (await writer.send(dialog_id, "findable"))["seq"]
        await writer.ok(
            "PATCH", f"/v1/dialogs/{dialog_id}/messages/{said}", {"content": {"type": "text", "text": "findable now"}}
        )
        seqs.append((uuid.UUID(dialog_id), said))
        if number < len(bad):
            content = made[bad[number]]
            await put_content(world, dialog_id, said, content)
            for sql in (
                "UPDATE draft SET content = $2 WHERE dialog_id = $1",
                "UPDATE message_revision SET content = $2 WHERE dialog_id = $1",
            ):
                await execute(world, sql, uuid.UUID(dialog_id), content)
    await keep_due(world, writer, dialogs[-1], made["one byte"], ago=timedelta(days=-1))
    sent = await keep_due(world, writer, dialogs[-1], b"", ago=timedelta(days=-1))
    await execute(world, "UPDATE scheduled_message SET status = 'cancelled' WHERE scheduled_id = $1", sent)
    drafts = (await writer.ok("GET", "/v1/dialogs/drafts"))["items"]
    assert [(each["dialog_id"], each["text"]) for each in drafts] == [(dialogs[-1], "a draft")]
    async with world.app.begin() as tx:
        assert await index_messages(seqs, tx, world.app.blind) == 1
    async with world.app.database.read() as conn:
        await export_person(writer.user_id, tmp_path, conn, world.app.keys, world.app.objects)
    assert [each["content"] for each in lines(tmp_path / "messages.jsonl") if each["content"]] == [
        {"type": "text", "text": "findable now"}
    ]
    for name, column, count, unreadable in (
        ("drafts", "content", 6, 5),
        ("revisions", "content", 6, 5),
        ("scheduled", "body", 2, 2),
    ):
        shown = [each[column] for each in lines(tmp_path / f"{name}.jsonl")]
        assert (name, len(shown), shown.count(None)) == (name, count, unreadable)


def lines(path: Path):
    return [orjson.loads(each) for each in path.read_bytes().splitlines()]


async def keep_due(world, person, dialog_id, body, *, ago=timedelta(minutes=1), scheduled_id=None):
    scheduled_id = scheduled_id or uuid.uuid4()
    await execute(
        world,
        "INSERT INTO scheduled_message (scheduled_id, user_id, dialog_id, send_at, body, status, created_at) "
        "VALUES ($1, $2, $3, $4, $5, 'pending', now())",
        *(scheduled_id, person.user_id, uuid.UUID(dialog_id), datetime.now(UTC) - ago, body),
    )
    return scheduled_id


async def due_beside_damaged_ones(world):
    """A scheduled message behind every kind of damaged one, and one of a person whose key is broken."""
    bad, keyless, good, reader, stranger = [await world.person() for _ in range(5)]
    dialog_id = await world.group(good, bad, keyless, reader)
    ids = [
        await keep_due(world, bad, dialog_id, body)
        for name, body in (await damages(world, bad, stranger)).items()
        if not name.endswith("that is none")
    ]
    ids.append(await keep_due(world, keyless, dialog_id, await sealed_by(world, keyless, {"content": {}})))
    await break_key(world, keyless)
    scheduled_id = uuid.uuid4()
    body = {"client_message_id": str(scheduled_id), "content": {"type": "text", "text": "in time"}}
    sealed = await sealed_by(world, good, body)
    await keep_due(world, good, dialog_id, sealed, ago=timedelta(seconds=1), scheduled_id=scheduled_id)
    return ids, reader, dialog_id


async def test_scheduled_messages_that_do_not_open_fail_alone(world):
    ids, reader, dialog_id = await due_beside_damaged_ones(world)

    async def arrived():
        found = await reader.messages(dialog_id)
        return [each["content"]["text"] for each in found if each["content"]] == ["in time"]

    await eventually(arrived, timeout_s=20, what="the whole one")

    async def failed():
        async with world.app.database.read() as conn:
            rows = await conn.fetch(
                "SELECT status, failure_code, body FROM scheduled_message WHERE scheduled_id = ANY($1)", ids
            )
        return {(row["status"], row["failure_code"], bool(row["body"])) for row in rows} == {
            ("failed", "messaging.scheduled.unreadable", True)
        }

    await eventually(failed, timeout_s=20, what="the damaged ones to fail, their bodies kept")


async def test_an_outcome_that_cannot_be_noted_holds_up_no_other(still_world, monkeypatch):
    world = still_world
    bad, good, reader = [await world.person() for _ in range(3)]
    dialog_id = await world.group(good, bad, reader)
    poisoned = await keep_due(world, bad, dialog_id, b"\1")
    other = await keep_due(world, good, dialog_id, b"\1", ago=timedelta(seconds=1))
    settle_scheduled = jobs.settle_scheduled

    async def failing(due, outcome, tx):
        if due.scheduled_id == poisoned:
            raise ValueError("poisoned")
        await settle_scheduled(due, outcome, tx)

    monkeypatch.setattr(jobs, "settle_scheduled", failing)
    await jobs.send_due(world.app)
    statuses = [
        await value_of(world, "SELECT status FROM scheduled_message WHERE scheduled_id = $1", each)
        for each in (poisoned, other)
    ]
    assert statuses == ["pending", "failed"]


async def make_bot(world, owner):
    made = await owner.ok(
        "POST", "/v1/bots", {"username": f"b{uuid.uuid4().hex[:9]}bot", "display_name": "Bot", "commands": []}
    )
    dialog_id = (await owner.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [made["bot_id"]]}))["dialog_id"]
    return made, dialog_id


async def updates_of(world, made):
    headers = {"Authorization": f"Bot {made['token']}"}
    answer = await world.call("GET", "/v1/bot-api/updates?after=0&wait_s=0", headers=headers)
    assert answer.status == 200, answer.content
    return answer.json["items"]


async def test_bots_hear_whatever_is_damaged_in_other_places(world):
    owner, other, stranger = [await world.person() for _ in range(3)]
    for content in (await damages(world, owner, stranger)).values():
        made, dialog_id = await make_bot(world, owner)
        said = (await owner.send(dialog_id, "hello"))["seq"]
        await put_content(world, dialog_id, said, content)
        await execute(world, "UPDATE change SET payload = '[1]' WHERE dialog_id = $1", uuid.UUID(dialog_id))
        await execute(world, "UPDATE bot SET commands = '{}' WHERE bot_id = $1", uuid.UUID(made["bot_id"]))
        await rewind(world, dialog_id, made)
    assert {len(each["commands"]) for each in (await owner.ok("GET", "/v1/bots"))["items"]} == {0}
    good, dialog_id = await make_bot(world, other)
    await other.send(dialog_id, "here")

    async def hears():
        told = [each["event"] for each in await updates_of(world, good)]
        return [each["message"]["content"]["text"] for each in told if each["type"] == "message.new"] == ["here"]

    async def bad_one_hears():
        return any(
            each["event"].get("message", {"content": 1})["content"] is None for each in await updates_of(world, made)
        )

    await eventually(hears, timeout_s=20, what="the update of the other bot")
    await eventually(bad_one_hears, timeout_s=20, what="the update without content")


async def rewind(world, dialog_id, made):
    await execute(
        world,
        "UPDATE member SET delivered_seq = 0 WHERE dialog_id = $1 AND user_id = $2",
        *(uuid.UUID(dialog_id), uuid.UUID(made["bot_id"])),
    )


async def test_a_place_that_cannot_be_collected_is_left_for_a_while_and_holds_up_no_bot(still_world, monkeypatch):
    world = still_world
    owner = await world.person()
    bad, bad_dialog = await make_bot(world, owner)
    good, good_dialog = await make_bot(world, owner)
    await owner.send(bad_dialog, "one")
    await owner.send(good_dialog, "two")
    tries, events_after = [], StreamReads.events_after

    async def failing(reads, dialog_id, after_seq, limit):
        if str(dialog_id) == bad_dialog:
            tries.append(dialog_id)
            await reads._conn.fetch("SELECT 1 / 0")
        return await events_after(reads, dialog_id, after_seq, limit)

    monkeypatch.setattr(StreamReads, "events_after", failing)
    put_off = {}
    assert await bot_updates.collect_new(world.app, put_off)
    assert len(await updates_of(world, good)) > 0
    assert await updates_of(world, bad) == []
    await bot_updates.collect_new(world.app, put_off)
    assert len(tries) == 1
    monkeypatch.setattr(StreamReads, "events_after", events_after)
    monkeypatch.setattr(collect_updates, "PUT_OFF", timedelta())
    put_off.update(dict.fromkeys(put_off, datetime.now(UTC)))
    assert await bot_updates.collect_new(world.app, put_off)
    assert (len(await updates_of(world, bad)) > 0, put_off) == (True, {})


async def test_the_audit_finds_what_nobody_has_read(still_world):
    world = still_world
    writer, reader = await world.person(), await world.person()
    dialog_id = await world.group(writer, reader)
    said = (await writer.send(dialog_id, "said"))["seq"]
    assert await findings(world) == []
    place = uuid.UUID(dialog_id)
    for sql, back in (
        ("UPDATE message SET content = '\\x01' WHERE dialog_id = $1", None),
        ("UPDATE message SET forward = '[1]' WHERE dialog_id = $1", "UPDATE message SET forward = NULL"),
        ("UPDATE change SET payload = '[1]' WHERE dialog_id = $1", "UPDATE change SET payload = '{}'"),
        ("UPDATE dialog SET permissions = '[1]' WHERE dialog_id = $1", "UPDATE dialog SET permissions = '{}'"),
    ):
        content = await value_of(world, "SELECT content FROM message WHERE dialog_id = $1", place)
        await execute(world, sql, place)
        assert await findings(world) == ["MSG-14"], sql
        if back is None:
            await put_content(world, dialog_id, said, content)
        else:
            await execute(world, back)
        assert await findings(world) == []
    sql = (
        "INSERT INTO entity (entity_type, entity_id, version, state, changed_at) VALUES ('order', $1, 1, '[1]', now())"
    )
    await execute(world, sql, uuid.uuid4())
    assert await findings(world) == ["MSG-14"]
    await execute(world, "DELETE FROM entity")
    await keep_due(world, writer, dialog_id, b"\1")
    assert await findings(world) == ["MSG-14"]
    await execute(world, "DELETE FROM scheduled_message")
    await break_key(world, writer)
    assert await findings(world) == ["MSG-14"]


async def findings(world):
    async with audit_connection(world.app) as conn:
        return sorted({each.check.invariant for each in await audit(conn) if each.count} - {"SRCH-2"})


async def test_without_the_guards_one_damaged_row_stops_the_others(still_world, monkeypatch):
    """The control: keys and documents as they were read before."""
    world = still_world
    owner, reader = await world.person(), await world.person()
    dialog_id = await world.group(owner, reader)
    said = (await owner.send(dialog_id, "said"))["seq"]
    await put_content(world, dialog_id, said, b"\1")

    def raising(keys, user_id, sealed, **_place):
        return orjson.loads(keys._key(user_id).decrypt(sealed[:12], sealed[12:], user_id.bytes))

    monkeypatch.setattr(message_reads, "opened_json", raising)
    assert (await reader.do("GET", "/v1/dialogs")).status == 500
    assert (await reader.do("POST", "/v1/sync", {"dialogs": {dialog_id: 0}})).status == 500
    monkeypatch.undo()
    monkeypatch.setattr(stream_reads, "is_damaged", lambda _row: False)
    await execute(world, "UPDATE change SET payload = '[1]' WHERE dialog_id = $1", uuid.UUID(dialog_id))
    assert (await reader.do("GET", "/v1/dialogs")).status == 200
    assert (await reader.do("POST", "/v1/sync", {"dialogs": {dialog_id: 0}})).status == 500
