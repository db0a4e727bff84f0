"""Cards follow their source; an order brings its dialog; money sent in a dialog shows its outcome."""

import asyncio
import uuid
from contextlib import suppress

import asyncpg

from kernel.correlation import flow
from messaging.cards.usecases.follow_entities import follow_entities
from messaging.core.domain.cards import Entity, EntityType
from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderLine, OrderPaid, OrderPlaced
from sampan.commerce.v1.product_pb2 import ProductPublished, ProductWithdrawn
from sampan.commerce.v1.shop_pb2 import ShopOpened
from sampan.messaging.v1.dialog_pb2 import DialogCreated
from sampan.payment.v1.requests_pb2 import RequestTransfer
from sampan.payment.v1.transfer_pb2 import TransferCompleted, TransferRefused
from sampan.types.v1.money_pb2 import Money
from testkit.wait import eventually

BAHT = Money(amount_minor=125_000, currency="THB")


def order(kind, order_id, buyer, seller, **more):
    return kind(
        order_id=str(order_id),
        order_number="TH-26-000123",
        checkout_id=str(uuid.uuid4()),
        buyer_id=str(buyer.user_id),
        seller_id=str(seller.user_id),
        shop_id=str(uuid.uuid4()),
        shop_name="Baan Khanom",
        total=BAHT,
        **more,
    )


async def placed(world):
    buyer, seller, order_id = await world.person("Anong"), await world.person("Budi"), uuid.uuid4()
    line = OrderLine(title="Mango sticky rice", quantity=2)
    await world.publish(order(OrderPlaced, order_id, buyer, seller, lines=[line]), version=1)

    async def dialogs():
        return (await buyer.ok("GET", "/v1/dialogs?kind=topic"))["items"]

    [dialog] = await eventually(dialogs, timeout_s=15, what="the order's dialog")
    return buyer, seller, order_id, dialog


async def test_orders_of_one_batch_each_get_their_own_dialog_in_their_own_flow(world):
    seller, buyers = await world.person("Budi"), [await world.person(f"Anong{n}") for n in range(3)]
    orders = {uuid.uuid4(): buyer for buyer in buyers}
    async with world.app.begin() as tx:
        for order_id, buyer in orders.items():
            with flow(f"flow-{order_id}"):
                tx.outbox.add(order(OrderPlaced, order_id, buyer, seller), aggregate_version=1)
                tx.outbox.add(order(OrderPaid, order_id, buyer, seller), aggregate_version=2)

    async def topic_of(buyer):
        return (await buyer.ok("GET", "/v1/dialogs?kind=topic"))["items"]

    for order_id, buyer in orders.items():
        [dialog] = await eventually(lambda buyer=buyer: topic_of(buyer), timeout_s=15, what="the order's dialog")
        dialog_id = dialog["dialog_id"]
        assert (dialog["entity_id"], dialog["member_count"]) == (str(order_id), 2)
        await eventually(lambda buyer=buyer, at=dialog_id: _is(buyer, at, "paid"), timeout_s=15, what="a paid card")
        assert await flows_of_records(world, dialog_id) == {f"flow-{order_id}"}


async def flows_of_records(world, dialog_id):
    """The flows in which something was announced of a dialog."""
    conn = await asyncpg.connect(world.settings.database_dsn.get_secret_value())
    try:
        rows = await conn.fetch(
            "SELECT correlation_id FROM messaging.event_log WHERE key = $1 "
            "UNION SELECT correlation_id FROM messaging.outbox WHERE key = $1",
            dialog_id,
        )
    finally:
        await conn.close()
    return {row["correlation_id"] for row in rows}


async def card_status(person, dialog_id):
    return [each["card"]["status"] for each in await person.messages(dialog_id) if each["card"]]


async def test_an_order_brings_a_dialog_for_both_with_a_card_that_follows_it(world):
    buyer, seller, order_id, dialog = await placed(world)
    assert (dialog["entity_type"], dialog["entity_id"]) == ("order", str(order_id))
    assert "TH-26-000123" in dialog["title"]
    dialog_id = dialog["dialog_id"]
    assert (await seller.dialog(dialog_id))["me"]["unread"] == 1
    [message] = await seller.messages(dialog_id)
    assert message["card"]["total"] == {"amount_minor": 125_000, "currency": "THB"}
    assert message["card"]["lines"] == [{"title": "Mango sticky rice", "quantity": 2}]
    position = (await seller.dialog(dialog_id))["last_seq"]
    await world.publish(order(OrderPaid, order_id, buyer, seller), version=3)
    await eventually(lambda: _is(seller, dialog_id, "paid"), timeout_s=15, what="a paid card")
    # Old news changes nothing, and the same news again makes no second dialog.
    await world.publish(order(OrderCancelled, order_id, buyer, seller, reason_code="late"), version=2)
    await world.publish(order(OrderPlaced, order_id, buyer, seller), version=1)
    await seller.send(dialog_id, "It is on its way")
    news = await buyer.ok("POST", "/v1/sync", {"dialogs": {dialog_id: position}})
    [event, _] = news["dialogs"][0]["events"]
    assert (event["type"], event["message_seq"], event["card"]["status"]) == ("card.changed", message["seq"], "paid")
    assert len((await buyer.ok("GET", "/v1/dialogs?kind=topic"))["items"]) == 1
    assert await card_status(buyer, dialog_id) == ["paid"]


async def _is(person, dialog_id, status):
    return await card_status(person, dialog_id) == [status]


async def test_members_of_an_orders_dialog_follow_from_the_order(world):
    buyer, seller, _, dialog = await placed(world)
    path = f"/v1/dialogs/{dialog['dialog_id']}"
    stranger = await world.person()
    body = {"user_ids": [str(stranger.user_id)]}
    assert await buyer.refused("POST", f"{path}/members", body) == "messaging.dialog.members_fixed"
    assert await seller.refused("DELETE", f"{path}/members/{seller.user_id}") == "messaging.dialog.members_fixed"


async def test_a_card_of_an_order_is_only_for_its_parties(world):
    buyer, seller, order_id, _ = await placed(world)
    stranger = await world.person()
    content = {"type": "order", "order_id": str(order_id), "text": "this one"}
    with_seller, with_stranger = await world.group(buyer, seller), await world.group(stranger, buyer)

    def body():
        return {"client_message_id": str(uuid.uuid4()), "content": content}

    await buyer.ok("POST", f"/v1/dialogs/{with_seller}/messages", body())
    assert await card_status(seller, with_seller) == ["pending"]
    code = await stranger.refused("POST", f"/v1/dialogs/{with_stranger}/messages", body())
    assert code == "messaging.card.unknown"


async def test_a_product_card_follows_the_product(world):
    one, other, product_id = await world.person(), await world.person(), uuid.uuid4()
    dialog_id = await world.group(one, other)
    content = {"type": "product", "product_id": str(product_id)}
    body = {"client_message_id": str(uuid.uuid4()), "content": content}
    path = f"/v1/dialogs/{dialog_id}/messages"
    assert await one.refused("POST", path, body) == "messaging.card.unknown"
    product = {"product_id": str(product_id), "shop_id": str(uuid.uuid4())}
    await world.publish(ProductPublished(**product, title="Lantern", price_from=BAHT, status="active"), version=1)

    async def sent():
        return (await one.do("POST", path, {**body, "client_message_id": str(uuid.uuid4())})).status == 201

    await eventually(sent, timeout_s=15, what="the product is known")
    await world.publish(ProductWithdrawn(**product, status="out_of_stock"), version=2)
    await eventually(lambda: _is(other, dialog_id, "out_of_stock"), timeout_s=15, what="the card says it is gone")
    [message] = await other.messages(dialog_id)
    assert message["card"]["title"] == "Lantern"


async def requests_of(world):
    conn = await asyncpg.connect(world.settings.database_dsn.get_secret_value())
    try:
        rows = await conn.fetch(
            "SELECT body FROM messaging.event_log WHERE topic LIKE '%private.payment.requests.v1' "
            "UNION ALL SELECT body FROM messaging.outbox WHERE topic LIKE '%private.payment.requests.v1'"
        )
    finally:
        await conn.close()
    return {each.transfer_id: each for each in (RequestTransfer.FromString(row["body"]) for row in rows)}


async def test_money_sent_in_a_dialog_is_asked_for_once_and_shows_its_outcome(world):
    one, other, third = [await world.person() for _ in range(3)]
    dialog_id = await world.group(one, other)
    path = f"/v1/dialogs/{dialog_id}/payments"

    async def pay(**more):
        body = {
            "client_message_id": str(uuid.uuid4()),
            "recipient_id": str(other.user_id),
            "amount": {"amount_minor": 5_000, "currency": "THB"},
            **more,
        }
        return body, await one.do("POST", path, body)

    body, answer = await pay(note="for lunch")
    assert answer.status == 202
    assert (await one.do("POST", path, body)).status == 200
    changed = {**body, "amount": {"amount_minor": 6_000, "currency": "THB"}}
    assert (await one.do("POST", path, changed)).status == 409
    [message] = await other.messages(dialog_id)
    assert (message["card"]["status"], message["content"]["text"]) == ("pending", "for lunch")
    transfer_id = message["content"]["transfer_id"]
    assert (await requests_of(world))[transfer_id].amount.amount_minor == 5_000
    parties = {"sender_id": str(one.user_id), "recipient_id": str(other.user_id), "amount": BAHT}
    await world.publish(TransferCompleted(transfer_id=transfer_id, **parties), version=1)
    await eventually(lambda: _is(other, dialog_id, "completed"), timeout_s=15, what="completed")
    # What has moved is not told to be refused.
    await world.publish(TransferRefused(transfer_id=transfer_id, reason_code="x", **parties), version=1)
    _, second = await pay()
    messages = {each["seq"]: each for each in await one.messages(dialog_id)}
    refused_id = messages[second.json["seq"]]["content"]["transfer_id"]
    code = "payment.wallet.insufficient_funds"
    await world.publish(TransferRefused(transfer_id=refused_id, reason_code=code, **parties), version=1)

    async def both():
        return await card_status(one, dialog_id) == ["completed", "refused"]

    await eventually(both, timeout_s=15, what="one completed, one refused")
    for more in ({"recipient_id": str(third.user_id)}, {"recipient_id": str(one.user_id)}):
        assert (await pay(**more))[1].code == "messaging.payment.recipient_invalid"
    assert (await pay(amount={"amount_minor": 0, "currency": "THB"}))[1].status == 422
    # The system's types cannot be written by hand.
    forged = {"type": "payment", "transfer_id": transfer_id}
    code = await one.refused(
        "POST", f"/v1/dialogs/{dialog_id}/messages", {"client_message_id": str(uuid.uuid4()), "content": forged}
    )
    assert code == "request.body.invalid"


async def test_money_waits_as_long_as_slow_mode_says(world):
    owner, one = await world.person(), await world.person()
    dialog_id = await world.group(owner, one)
    etag = (await owner.do("GET", f"/v1/dialogs/{dialog_id}")).headers["ETag"]
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"slow_mode_s": 600}, headers={"If-Match": etag})

    def body():
        amount = {"amount_minor": 5_000, "currency": "THB"}
        return {"client_message_id": str(uuid.uuid4()), "recipient_id": str(owner.user_id), "amount": amount}

    path, first = f"/v1/dialogs/{dialog_id}/payments", body()
    await one.ok("POST", path, first)
    assert (await one.do("POST", path, first)).status == 200
    again = await one.do("POST", path, body())
    assert (again.status, again.code) == (429, "messaging.dialog.slow_mode")
    text = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "x"}}
    assert (await one.do("POST", f"/v1/dialogs/{dialog_id}/messages", text)).status == 429
    for _ in range(2):
        back = body() | {"recipient_id": str(one.user_id)}
        assert (await owner.do("POST", path, back)).status == 202


async def test_a_payment_that_is_stored_answers_its_retry_whatever_is_forbidden_by_now(world):
    owner, one = await world.person(), await world.person()
    dialog_id = await world.group(owner, one)
    path = f"/v1/dialogs/{dialog_id}/payments"
    body = {
        "client_message_id": str(uuid.uuid4()),
        "recipient_id": str(owner.user_id),
        "amount": {"amount_minor": 5_000, "currency": "THB"},
    }
    first = await one.do("POST", path, body)
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}/members/{one.user_id}", {"muted": True})
    muted = await one.do("POST", path, body)
    fresh = {**body, "client_message_id": str(uuid.uuid4())}
    assert await one.refused("POST", path, fresh) == "messaging.member.muted"
    await owner.ok("POST", f"/v1/dialogs/{dialog_id}/close")
    closed = await one.do("POST", path, body)
    assert [each.status for each in (first, muted, closed)] == [202, 200, 200]
    assert first.json["seq"] == muted.json["seq"] == closed.json["seq"]
    stranger = await world.person()
    assert await stranger.refused("POST", path, body) == "messaging.dialog.not_found"


async def records_of(world, kind, dialog_id):
    """What was announced of a dialog."""
    conn = await asyncpg.connect(world.settings.database_dsn.get_secret_value())
    try:
        rows = await conn.fetch(
            "SELECT body FROM messaging.event_log WHERE type = $1 AND key = $2 "
            "UNION ALL SELECT body FROM messaging.outbox WHERE type = $1 AND key = $2",
            *(kind.DESCRIPTOR.full_name, dialog_id),
        )
    finally:
        await conn.close()
    return [kind.FromString(row["body"]) for row in rows]


async def test_a_topics_announcement_says_what_it_is_about(world):
    _, _, order_id, dialog = await placed(world)
    created = (await records_of(world, DialogCreated, dialog["dialog_id"]))[0]
    assert (created.kind, created.entity_type, created.entity_id) == ("topic", "order", str(order_id))


async def test_who_is_in_an_orders_dialog_changes_with_the_order(world):
    buyer, seller, order_id, dialog = await placed(world)
    dialog_id, heir = dialog["dialog_id"], await world.person("Chai")
    await world.publish(order(OrderPaid, order_id, buyer, heir), version=2)

    async def in_it():
        return (await heir.do("GET", f"/v1/dialogs/{dialog_id}")).status == 200

    await eventually(in_it, timeout_s=15, what="the new seller is in")
    assert await seller.refused("GET", f"/v1/dialogs/{dialog_id}") == "messaging.dialog.not_found"
    news = await seller.ok("POST", "/v1/sync", {"dialogs": {dialog_id: 1}})
    assert (news["gone"], news["account_events"][-1]["type"]) == ([dialog_id], "dialog.removed")
    shown = await buyer.dialog(dialog_id)
    assert shown["member_count"] == 2
    # Old news brings nobody back.
    await world.publish(order(OrderPaid, order_id, buyer, seller), version=1)
    await world.publish(order(OrderCancelled, order_id, buyer, heir, reason_code="late"), version=3)
    await eventually(lambda: _is(buyer, dialog_id, "cancelled"), timeout_s=15, what="cancelled")
    assert await seller.refused("GET", f"/v1/dialogs/{dialog_id}") == "messaging.dialog.not_found"


class NotKeptError(Exception):
    """Ends a transaction without a commit."""


async def test_nobody_who_is_erased_comes_into_an_orders_dialog(world):
    buyer, seller, order_id, dialog = await placed(world)
    gone = await world.person("Dao")
    now_of_gone = Entity(type=EntityType.ORDER, id=order_id, version=2, state={}, parties=(buyer.user_id, gone.user_id))
    with suppress(NotKeptError):
        async with world.app.begin() as tx:
            await tx.conn.execute("UPDATE account SET erased_at = now() WHERE user_id = $1", gone.user_id)
            await follow_entities([now_of_gone], tx)
            dialog_id = uuid.UUID(dialog["dialog_id"])
            assert await tx.members.present_user_ids([dialog_id]) == {dialog_id: {buyer.user_id}}
            raise NotKeptError
    assert (await seller.dialog(dialog["dialog_id"]))["member_count"] == 2


async def on_sale(world, owner):
    """A product and its shop, once both are known: nothing says which is heard of first."""
    product_id, shop_id = uuid.uuid4(), uuid.uuid4()
    shop = ShopOpened(shop_id=str(shop_id), owner_id=str(owner.user_id), name="Baan Khanom")
    await world.publish(shop, version=1)
    product = {"product_id": str(product_id), "shop_id": str(shop_id)}
    await world.publish(ProductPublished(**product, title="Khanom chan", price_from=BAHT, status="active"), version=1)

    async def known():
        async with world.app.database.read() as conn:
            sql = "SELECT count(*) = 2 FROM entity WHERE entity_id = ANY($1)"
            return await conn.fetchval(sql, [product_id, shop_id])

    await eventually(known, timeout_s=30, what="the product and its shop are known")
    return product_id, shop_id


async def test_a_products_dialog_is_one_for_all_who_ask_and_its_shop_owns_it(world):
    owner, one, other, third = [await world.person() for _ in range(4)]
    assert await one.refused("POST", "/v1/dialogs", {"kind": "topic"}) == "messaging.dialog.topic_unknown"
    product_id, _ = await on_sale(world, owner)
    body = {"kind": "topic", "product_id": str(product_id)}

    async def opened():
        answer = await one.do("POST", "/v1/dialogs", body)
        return answer if answer.status == 201 else None

    made = (await eventually(opened, timeout_s=15, what="the product is known")).json
    dialog_id = made["dialog_id"]
    assert (made["entity_type"], made["entity_id"], made["title"]) == ("product", str(product_id), "Khanom chan")
    assert await card_status(one, dialog_id) == ["active"]
    assert (await owner.dialog(dialog_id))["me"]["role"] == "owner"
    both = await asyncio.gather(*(each.do("POST", "/v1/dialogs", body) for each in (other, third, one)))
    assert [(each.status, each.json["dialog_id"]) for each in both] == [(200, dialog_id)] * 3
    assert (await one.dialog(dialog_id))["member_count"] == 4
    await other.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{other.user_id}")
    assert (await other.ok("POST", f"/v1/dialogs/{dialog_id}/join", {}))["outcome"] == "joined"
    await owner.ok("PUT", f"/v1/dialogs/{dialog_id}/bans/{third.user_id}")
    etag = (await owner.do("GET", f"/v1/dialogs/{dialog_id}")).headers["ETag"]
    await owner.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"join_approval": True}, headers={"If-Match": etag})
    late = await world.person()
    told = await late.do("POST", "/v1/dialogs", body)
    assert (told.status, told.code) == (403, "messaging.dialog.approval_needed")
    assert told.json["context"] == {"dialog_id": dialog_id}
    assert (await owner.ok("GET", f"/v1/dialogs/{dialog_id}/join-requests"))["items"] == []
    assert (await late.ok("POST", f"/v1/dialogs/{dialog_id}/join", {"message": "hi"}))["outcome"] == "requested"
    assert await third.refused("POST", "/v1/dialogs", body) == "messaging.member.banned"
    # What becomes of the product changes the card, not who is in.
    product = {"product_id": str(product_id), "shop_id": str(uuid.uuid4())}
    await world.publish(ProductWithdrawn(**product, status="archived"), version=2)
    await eventually(lambda: _is(one, dialog_id, "archived"), timeout_s=15, what="archived")
    assert (await one.dialog(dialog_id))["member_count"] == 3


async def test_who_may_come_to_a_product_does_not_hang_on_who_came_before(world):
    owner, first, late, blocked = [await world.person() for _ in range(4)]
    product_id, _ = await on_sale(world, owner)
    body = {"kind": "topic", "product_id": str(product_id)}
    await world.block(owner, blocked)
    assert await blocked.refused("POST", "/v1/dialogs", body) == "messaging.dialog.unavailable"
    dialog_id = (await first.ok("POST", "/v1/dialogs", body))["dialog_id"]
    door = f"/v1/dialogs/{dialog_id}/join"
    assert await blocked.refused("POST", "/v1/dialogs", body) == "messaging.dialog.unavailable"
    assert await blocked.refused("POST", door, {}) == "messaging.dialog.unavailable"
    async with world.app.begin() as tx:
        await tx.conn.execute("UPDATE account SET ended_at = now() WHERE user_id = $1", owner.user_id)
    assert await late.refused("POST", "/v1/dialogs", body) == "messaging.dialog.topic_unknown"
    assert await late.refused("POST", door, {}) == "messaging.dialog.not_found"
    assert (await first.do("POST", "/v1/dialogs", body)).status == 200  # who is in finds the way back


async def test_a_shops_dialog_bears_the_customers_name_for_the_shop(world):
    owner, customer = await world.person("Dewi"), await world.person("Anong")
    _, shop_id = await on_sale(world, owner)

    async def opened():
        answer = await customer.do("POST", "/v1/dialogs", {"kind": "business", "shop_id": str(shop_id)})
        return answer.json if answer.status == 201 else None

    made = await eventually(opened, timeout_s=15, what="the shop is known")
    assert made["title"] == "Baan Khanom"
    assert (await owner.dialog(made["dialog_id"]))["title"] == "Anong"
    [listed] = (await owner.ok("GET", "/v1/dialogs?kind=business"))["items"]
    assert listed["title"] == "Anong"


async def test_a_link_to_what_sampan_has_brings_a_preview_and_a_foreign_one_none(world):
    owner, one, other = [await world.person() for _ in range(3)]
    product_id, shop_id = await on_sale(world, owner)
    dialog_id, link = await world.group(one, other), f"/products/{product_id}"

    async def previewed():
        sent = await one.send(dialog_id, f"this: {link}!")
        found = {each["seq"]: each["preview"] for each in await other.messages(dialog_id)}
        return sent["seq"] if found[sent["seq"]] else None

    seq = await eventually(previewed, timeout_s=15, what="the product is known")
    shown = {each["seq"]: each["preview"] for each in await other.messages(dialog_id)}[seq]
    assert (shown["entity_type"], shown["title"], shown["price_from"]["amount_minor"]) == (
        "product",
        "Khanom chan",
        125_000,
    )
    # Replayed it is the same; what becomes of the product is seen when it is read.
    news = await other.ok("POST", "/v1/sync", {"dialogs": {dialog_id: seq - 1}})
    assert news["dialogs"][0]["events"][0]["message"]["preview"] == shown
    withdrawn = ProductWithdrawn(product_id=str(product_id), shop_id=str(shop_id), status="out_of_stock")
    await world.publish(withdrawn, version=2)

    async def gone():
        found = {each["seq"]: each["preview"]["status"] for each in await other.messages(dialog_id, after_seq=seq - 1)}
        return found[seq] == "out_of_stock"

    await eventually(gone, timeout_s=15, what="the preview says it is gone")
    # A text that is edited shows what it says now.
    await one.ok(
        "PATCH", f"/v1/dialogs/{dialog_id}/messages/{seq}", {"content": {"type": "text", "text": "never mind"}}
    )
    edited = [each for each in await other.messages(dialog_id) if each["seq"] == seq]
    assert edited[0]["preview"] is None
    last = (await one.send(dialog_id, f"/v1/shops/{shop_id}"))["seq"]
    foreign = (
        f"https://evil.example{link}",
        f"//evil.example{link}",
        f"evil{link}",
        f"{link}/more",
        f"/products/{uuid.uuid4()}",
    )
    for text in foreign:
        await one.send(dialog_id, text)
    previews = [each["preview"] for each in await other.messages(dialog_id, after_seq=last - 1)]
    assert previews[0]["name"] == "Baan Khanom"
    assert previews[1:] == [None] * len(foreign)


async def test_a_preview_of_an_order_is_shown_only_for_a_link_of_its_party(world):
    buyer, seller, order_id, dialog = await placed(world)
    stranger = await world.person()
    dialog_id = await world.group(stranger, buyer)
    await stranger.send(dialog_id, f"/orders/{order_id}")
    await buyer.send(dialog_id, f"/orders/{order_id}")
    assert [bool(each["preview"]) for each in await stranger.messages(dialog_id)] == [False, True]
    del seller, dialog
