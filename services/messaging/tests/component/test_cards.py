"""Cards follow their source; an order brings its dialog; money sent in a dialog shows its outcome."""

import uuid

import asyncpg

from sampan.commerce.v1.order_pb2 import OrderCancelled, OrderLine, OrderPaid, OrderPlaced
from sampan.commerce.v1.product_pb2 import ProductPublished, ProductWithdrawn
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
    asked = await eventually(lambda: requests_of(world), timeout_s=15, what="the request")
    assert asked[transfer_id].amount.amount_minor == 5_000
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
