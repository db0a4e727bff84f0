"""The story, chapter by chapter. Each says what should be, and checks it."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from typing import Any

from demo.catalogue import load_catalogue, product_of_shop, shop_of
from demo.processes import pid_of
from demo.stage import Stage
from demo.talking import talk_about_the_order
from testkit.client import ApiError, Person

PRICE_MINOR = 129_00
TOP_UP_MINOR = 5_000_00
COMMANDS_AND_REPLIES = 7  # the start, and three of each


async def play_all(stage: Stage) -> None:
    await catalogue(stage)
    nok = await sign_up(stage)
    await top_up(stage, nok)
    order = await paid_order(stage, nok)
    await without_funds(stage)
    await last_unit(stage)
    await killed_in_mid_saga(stage, nok)
    await books(stage)
    await talk_about_the_order(stage, nok, order)


async def catalogue(stage: Stage) -> None:
    stage.show.chapter(1, "Six shops in six countries, 300 products in five languages")
    await load_catalogue(stage)
    for query, locale in (("กาแฟ", "th-TH"), ("kopi", "id-ID"), ("cà phê", "vi-VN"), ("coffee", "en-SG")):
        page = await stage.api.call(
            "GET", "/v1/products", query={"q": query, "limit": 3}, headers={"Accept-Language": locale}
        )
        titles = ", ".join(each["title"] for each in page["items"])
        stage.show.check(page["items"], f"search “{query}” finds {titles}")


async def sign_up(stage: Stage) -> Person:
    stage.show.chapter(2, "Nok signs up")
    began = datetime.now(UTC)
    nok = await stage.buyer("Nok")
    wallet = await stage.wallet(nok)
    stage.show.say(f"user {nok.user_id}, wallet {wallet['wallet_id']}")
    welcome = await stage.watcher.first(lambda seen: seen.type == "NotificationCreated" and seen.key == nok.user_id)
    stage.show.timeline(stage.watcher.flow(welcome.correlation_id), began)
    stage.show.check(wallet["balance"]["amount_minor"] == 0, "a THB wallet was opened for her by an event, empty")
    mails = await _mails(stage, f"nok.{stage.run_id}@example.com")
    stage.show.check(any("Sampan" in mail["subject"] for mail in mails), "a welcome mail in Thai reached her mailbox")
    return nok


async def top_up(stage: Stage, nok: Person) -> None:
    stage.show.chapter(3, "She tops up THB 5,000.00")
    began = datetime.now(UTC)
    key = f"demo-{stage.run_id}-top-up"
    body = {"amount": {"amount_minor": TOP_UP_MINOR, "currency": "THB"}, "payment_token": "tok_visa"}
    asked = await nok.post("/v1/top-ups", body, key=key)
    again = await nok.post("/v1/top-ups", body, key=key)
    done = await nok.get(f"/v1/top-ups/{asked['top_up_id']}", wait_s=10)
    event = await stage.watcher.first(lambda seen: seen.type == "TopUpCompleted" and seen.key == asked["top_up_id"])
    stage.show.timeline([event], began)
    stage.show.check(again == asked, "the same request with the same key got the same answer")
    stage.show.check(done["status"] == "completed", "the provider's signed webhook completed it")
    await _check_balance(stage, nok, TOP_UP_MINOR, "her balance is THB 5,000.00: once, not twice")


async def paid_order(stage: Stage, nok: Person) -> dict[str, Any]:
    stage.show.chapter(4, "She buys from a shop in Bangkok")
    product, variant = await product_of_shop(stage, "TH", price_at_most_minor=TOP_UP_MINOR // 4)
    before = await stage.stock(variant["variant_id"], product["product_id"])
    checkout, began = await stage.place_order(nok, variant["variant_id"], quantity=2)
    answered_ms = (datetime.now(UTC) - began).total_seconds() * 1000
    order = checkout["orders"][0]
    stage.show.say(f"order {order['number']}: 2 × {product['title']}, answered 202 after {answered_ms:.0f} ms")
    settled = await stage.settled(nok, checkout["checkout_id"])
    flow = await stage.flow_of(checkout["checkout_id"])
    stage.show.timeline(flow, began)
    total_minor = settled["total"]["amount_minor"]
    stage.show.check(settled["payment_status"] == "paid", "the order is paid")
    stage.show.check(
        sum(seen.topic.startswith("private.") for seen in flow) >= COMMANDS_AND_REPLIES,
        "commands and replies were all seen",
    )
    await _check_balance(stage, nok, TOP_UP_MINOR - total_minor, "exactly the total left her wallet")
    after = await stage.stock(variant["variant_id"], product["product_id"])
    stage.show.check(after == before - 2, f"stock went from {before} to {after}")
    await _check_told(stage, nok, "order_paid", "Nok was told in Thai, in the app and by mail")
    await _check_told(stage, stage.sellers["TH"], "order_received", "the seller was told")
    return dict(settled["orders"][0])


async def without_funds(stage: Stage) -> None:
    stage.show.chapter(5, "Lek has no money")
    lek = await stage.buyer("Lek")
    await stage.wallet(lek)
    product, variant = await product_of_shop(stage, "TH", price_at_most_minor=TOP_UP_MINOR)
    before = await stage.stock(variant["variant_id"], product["product_id"])
    checkout, began = await stage.place_order(lek, variant["variant_id"])
    settled = await stage.settled(lek, checkout["checkout_id"])
    stage.show.timeline(await stage.flow_of(checkout["checkout_id"]), began)
    order = settled["orders"][0]
    stage.show.check(order["status"] == "cancelled", f"cancelled, and he can read why: {order['cancel_reason']}")
    stage.show.check(
        order["cancel_reason_code"] == "payment.wallet.insufficient_funds", "the code says insufficient funds"
    )
    after = await stage.stock(variant["variant_id"], product["product_id"])
    stage.show.check(after == before, f"stock is back at {after}")
    await _check_balance(stage, lek, 0, "his wallet is untouched")


async def last_unit(stage: Stage) -> None:
    stage.show.chapter(6, "Two buyers, one last unit")
    seller = stage.sellers["TH"]
    shop = await shop_of(stage, "TH")
    made = await seller.post(
        f"/v1/shops/{shop['shop_id']}/products",
        {
            "titles": {"en": "Hand-woven silk scarf, one of a kind", "th": "ผ้าพันคอไหมทอมือ ชิ้นเดียวในโลก"},
            "variants": [
                {
                    "sku": f"SCARF-{stage.run_id}",
                    "price": {"amount_minor": PRICE_MINOR, "currency": "THB"},
                    "on_hand": 1,
                }
            ],
        },
    )
    variant_id = made["variants"][0]["variant_id"]
    racers = await asyncio.gather(*(_funded(stage, name) for name in ("Mai", "Fern")))
    outcomes = await asyncio.gather(*(_ordered(stage, racer, variant_id) for racer in racers))
    for racer, outcome in zip(racers, outcomes, strict=True):
        stage.show.say(f"{racer.name}: {outcome}")
    stage.show.check(
        sorted(outcomes) == ["commerce.stock.sold_out", "paid"], "one has it, the other is told at once: sold out"
    )
    loser = racers[outcomes.index("commerce.stock.sold_out")]
    await _check_balance(stage, loser, 1_000_00, "the loser's money is all there")
    stage.show.check(await stage.stock(variant_id, made["product_id"]) == 0, "none is left, and not minus one")


async def killed_in_mid_saga(stage: Stage, nok: Person) -> None:
    stage.show.chapter(7, "kill -9 of the orchestrator in mid-saga")
    _, variant = await product_of_shop(stage, "TH", price_at_most_minor=TOP_UP_MINOR // 4)
    victim = pid_of("orchestrator")
    checkout, began = await stage.place_order(nok, variant["variant_id"])
    checkout_id = checkout["checkout_id"]
    await stage.watcher.first(lambda seen: seen.type == "PayOrder" and seen.key == checkout_id)
    os.kill(victim, signal.SIGKILL)
    killed_ms = (datetime.now(UTC) - began).total_seconds() * 1000
    stage.show.say(f"process {victim} killed after {killed_ms:.0f} ms, between two steps")
    settled = await stage.settled(nok, checkout_id)
    stage.show.timeline(await stage.flow_of(checkout_id), began)
    stage.show.check(settled["payment_status"] == "paid", "after its restart the saga went on, and the order is paid")
    stage.show.check(pid_of("orchestrator") != victim, "another process did it")
    transactions = [
        each async for each in nok.every(f"/v1/wallets/{(await stage.wallet(nok))['wallet_id']}/transactions")
    ]
    purchases = [each for each in transactions if each["type"] == "purchase"]
    stage.show.check(len(purchases) == 2, "two purchases in her transactions: each paid once")


async def books(stage: Stage) -> None:
    stage.show.chapter(8, "The books")
    for service, what in (
        ("payment", "every posting sums to zero, every balance follows from its postings"),
        ("commerce", "stock, holds and orders agree to the unit and the minor unit"),
        ("orchestrator", "no saga is stuck, none is owned by nobody"),
    ):
        stage.show.check(stage.audit(service), f"python -m {service} audit: {what}")


async def _ordered(stage: Stage, person: Person, variant_id: str) -> str:
    """How the payment of an order ended, or the code that it was refused with."""
    try:
        checkout, _ = await stage.place_order(person, variant_id)
    except ApiError as refused:
        return refused.code
    settled = await stage.settled(person, checkout["checkout_id"])
    return str(settled["payment_status"])


async def _funded(stage: Stage, name: str) -> Person:
    person = await stage.buyer(name)
    await stage.wallet(person)
    asked = await person.post(
        "/v1/top-ups",
        {"amount": {"amount_minor": 1_000_00, "currency": "THB"}, "payment_token": "tok_visa"},
    )
    await person.get(f"/v1/top-ups/{asked['top_up_id']}", wait_s=10)
    return person


async def _check_balance(stage: Stage, person: Person, amount_minor: int, what: str) -> None:
    wallet = await stage.wallet(person)
    stage.show.check(wallet["balance"]["amount_minor"] == amount_minor and wallet["frozen"]["amount_minor"] == 0, what)


async def _check_told(stage: Stage, person: Person, notification_type: str, what: str) -> None:
    async def find() -> dict[str, Any] | None:
        items = (await person.get("/v1/notifications", limit=20))["items"]
        return next((each for each in items if each["type"] == notification_type), None)

    try:
        told = await stage.until(find, what, timeout_s=10)
    except TimeoutError:
        stage.show.check(False, what)
    else:
        stage.show.check(True, f"{what}: “{told['title']}”")


async def _mails(stage: Stage, address: str) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]]:
        answer = await stage.sandbox.call("GET", "/mail/messages", query={"to": address})
        found: list[dict[str, Any]] = answer["items"]
        return found

    try:
        mails: list[dict[str, Any]] = await stage.until(look, f"a mail to {address}", timeout_s=10)
    except (TimeoutError, ApiError):
        return []
    return mails
