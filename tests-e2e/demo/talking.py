"""The last chapter: buyer and seller talk about the order, on two live sockets, while it changes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chatclient import ChatClient
from chatclient.listening import Reader
from demo.stage import Stage
from testkit.client import Person

TIP_MINOR = 20_00
PATIENCE_S = 20.0


async def talk_about_the_order(stage: Stage, nok: Person, order: dict[str, Any]) -> None:
    """``order``: one that is paid."""
    stage.show.chapter(9, "Nok and the seller talk about her order")
    seller = stage.sellers["TH"]
    dialog = await stage.until(lambda: _dialog_of(nok, order), "the order's dialog")
    theirs = await stage.until(lambda: _dialog_of(seller, order), "the seller's side of it")
    dialog_id = dialog["dialog_id"]
    stage.show.check(theirs["dialog_id"] == dialog_id, "the order brought one dialog, for both of them")
    card = (await nok.get(f"/v1/dialogs/{dialog_id}/messages"))["items"][0]
    stage.show.check(card["card"]["status"] == "paid", f"its card says {card['card']['order_number']} is paid")
    position = {dialog_id: dialog["last_seq"]}
    url = stage.facts.gateway_url
    async with (
        ChatClient(url, nok.access_token, positions=position) as her,
        ChatClient(url, seller.access_token, positions=position) as his,
    ):
        await asyncio.gather(her.live(), his.live())
        with her.reading(dialog_id) as she_hears, his.reading(dialog_id) as he_hears:
            await _greet(stage, dialog_id, her=her, his=his, she_hears=she_hears, he_hears=he_hears)
            await _ship(stage, seller, order, she_hears)
            await _tip(stage, nok, seller, dialog_id, he_hears)
    found = await stage.until(lambda: _found(nok, "ส่ง"), "the search index")
    stage.show.check(found[0]["message"]["dialog_id"] == dialog_id, "she finds it again: search “ส่ง”")
    stage.show.say(f"read on at {url}/chat/#{dialog_id}")


async def _greet(
    stage: Stage, dialog_id: str, *, her: ChatClient, his: ChatClient, she_hears: Reader, he_hears: Reader
) -> None:
    his.typing(dialog_id)
    await _next(she_hears, lambda frame: frame["type"] == "typing")
    stage.show.say("Somsri is typing …")
    began = datetime.now(UTC)
    sent = await her.send_text(dialog_id, "สวัสดีค่ะ วันนี้ส่งของไหมคะ?")
    heard = await _next(he_hears, lambda frame: frame["type"] == "message.new")
    took_ms = (datetime.now(UTC) - began).total_seconds() * 1000
    stage.show.say(f"Nok: {heard['message']['content']['text']}")
    stage.show.check(heard["seq"] == sent.seq, f"stored and on the seller's screen after {took_ms:.0f} ms")
    his.ack(dialog_id, read_seq=sent.seq)
    receipt = await _next(she_hears, lambda frame: frame["type"] == "receipt" and frame["read_seq"] >= sent.seq)
    stage.show.check(receipt["read_seq"] >= sent.seq, "✓✓ she sees that it was read")
    await his.send_text(dialog_id, "ส่งเดี๋ยวนี้เลยครับ 🛵", reply_to_seq=sent.seq)
    answer = await _next(
        she_hears, lambda frame: frame["type"] == "message.new" and frame["message"]["reply_to_seq"] == sent.seq
    )
    stage.show.say(f"Somsri: {answer['message']['content']['text']}")


async def _ship(stage: Stage, seller: Person, order: dict[str, Any], she_hears: Reader) -> None:
    for status in ("processing", "shipped"):
        await seller.post(f"/v1/orders/{order['order_id']}/fulfilment", {"status": status})
    shipped = await _next(
        she_hears, lambda frame: frame["type"] == "card.changed" and frame["card"]["status"] == "shipped"
    )
    stage.show.check(
        shipped["card"]["status"] == "shipped", "the card on her screen changed to shipped as the order did"
    )


async def _tip(stage: Stage, nok: Person, seller: Person, dialog_id: str, he_hears: Reader) -> None:
    body = {
        "client_message_id": str(uuid.uuid4()),
        "recipient_id": seller.user_id,
        "amount": {"amount_minor": TIP_MINOR, "currency": "THB"},
        "note": "ขอบคุณค่ะ",
    }
    before = (await stage.wallet(seller))["balance"]["amount_minor"]
    for _ in range(2):
        await nok.post(f"/v1/dialogs/{dialog_id}/payments", body)
    paid = await _next(
        he_hears, lambda frame: frame["type"] == "card.changed" and frame["card"]["entity_type"] == "transfer"
    )
    after = (await stage.wallet(seller))["balance"]["amount_minor"]
    stage.show.check(
        paid["card"]["status"] == "completed" and after == before + TIP_MINOR,
        "a tip of THB 20.00 sent in the dialog, asked for twice and paid once",
    )


async def _next(reader: Reader, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The next frame that is wanted; others pass by."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame: dict[str, Any] = await reader.next()
            if wanted(frame):
                return frame


async def _dialog_of(person: Person, order: dict[str, Any]) -> dict[str, Any] | None:
    items = (await person.get("/v1/dialogs", kind="topic"))["items"]
    return next((each for each in items if each["entity_id"] == order["order_id"]), None)


async def _found(person: Person, words: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await person.get("/v1/messages/search", q=words))["items"]
    return items
