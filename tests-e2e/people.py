"""Sellers, shops and buyers with money, made through the public API; every call makes new ones."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
import uuid
from typing import Any

import aiohttp
from demo.facts import service_environment

from testkit.client import Api, ApiError, Person
from testkit.wait import eventually

PASSWORD = "river-lantern-42"
WAIT_S = 60.0


async def person(api: Api, name: str = "Ploy", *, country: str = "TH", locale: str = "th-TH") -> Person:
    email = f"{name.lower()}.{uuid.uuid4().hex[:12]}@example.com"
    return await api.sign_up(country=country, locale=locale, name=name, email=email, password=PASSWORD)


async def prove_address(someone: Person, sandbox_url: str) -> None:
    """With the code from their mailbox: until then they are mailed nothing that people wrote (ADR 35)."""
    otp_id = (await someone.post("/v1/users/me/email-verifications"))["otp_id"]

    tried = set()

    async def done() -> bool:
        for mail in await mails_of(someone, sandbox_url):
            for code in re.findall(r"\b[0-9]{6}\b", mail["text"]):
                if code in tried:
                    continue  # of sign-up, say: a few wrong codes are all that may be tried
                tried.add(code)
                try:
                    await someone.post(f"/v1/users/me/email-verifications/{otp_id}/complete", {"code": code})
                except ApiError as error:
                    if error.status >= 500:
                        raise
                else:
                    return True
        return False

    await eventually(done, timeout_s=WAIT_S, what=f"a code for {someone.email}")


async def mails_of(someone: Person, sandbox_url: str) -> list[dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as web,
        web.get(f"{sandbox_url}/mail/messages", params={"to": someone.email}) as answer,
    ):
        items: list[dict[str, Any]] = (await answer.json())["items"]
        return items


async def operator(api: Api) -> Person:
    """Somebody with the role ops, given as an operator of auth gives it; signed in again, so the token says so."""
    someone = await person(api, "Operator")
    await change_role("grant-role", someone)
    return await api.sign_in(email=someone.email, password=PASSWORD)


async def change_role(command: str, someone: Person) -> None:
    """``grant-role`` or ``withdraw-role``: the role ops."""
    words = [sys.executable, "-m", "auth", command, "--email", someone.email, "--role", "ops"]
    changing = await asyncio.create_subprocess_exec(*words, env={**os.environ, **service_environment("auth")})
    assert await changing.wait() == 0


async def shop_with_product(api: Api, *, on_hand: int, price_minor: int = 129_00) -> tuple[Person, str, str]:
    """A seller with one product. Returns the seller, the product's id and its variant's id."""
    seller = await person(api, "Somsri")
    shop = await seller.post("/v1/shops", {"name": f"Shop {uuid.uuid4().hex[:8]}"})
    product = await seller.post(
        f"/v1/shops/{shop['shop_id']}/products",
        {
            "titles": {"en": "Teapot", "th": "กาน้ำชา"},
            "variants": [
                {"sku": "POT-1", "price": {"amount_minor": price_minor, "currency": "THB"}, "on_hand": on_hand}
            ],
        },
    )
    return seller, product["product_id"], product["variants"][0]["variant_id"]


async def wallet(owner: Person, currency: str = "THB") -> dict[str, Any]:
    async def find() -> dict[str, Any] | None:
        wallets = (await owner.get("/v1/wallets"))["items"]
        return next((each for each in wallets if each["currency"] == currency), None)

    found = await eventually(find, timeout_s=WAIT_S, what=f"a {currency} wallet")
    assert found is not None
    return found


async def top_up(owner: Person, amount_minor: int, currency: str = "THB") -> None:
    await wallet(owner, currency)
    body = {"amount": {"amount_minor": amount_minor, "currency": currency}, "payment_token": "tok_visa"}
    asked = await owner.post("/v1/top-ups", body)

    async def completed() -> bool:
        return (await owner.get(f"/v1/top-ups/{asked['top_up_id']}", wait_s=5))["status"] == "completed"

    await eventually(completed, timeout_s=WAIT_S, what="top-up completed")


async def buyer_with(api: Api, amount_minor: int, name: str = "Nok") -> Person:
    buyer = await person(api, name)
    await top_up(buyer, amount_minor)
    return buyer


async def order(buyer: Person, variant_id: str, quantity: int = 1, *, key: str | None = None) -> dict[str, Any]:
    body = {"lines": [{"variant_id": variant_id, "quantity": quantity}]}
    placed: dict[str, Any] = await buyer.post("/v1/orders", body, key=key)
    return placed


async def settled(buyer: Person, checkout: dict[str, Any], *, timeout_s: float = WAIT_S) -> dict[str, Any]:
    """The checkout once it is paid or failed."""
    deadline = time.monotonic() + timeout_s
    while True:
        found: dict[str, Any] = await buyer.get(f"/v1/checkouts/{checkout['checkout_id']}", wait_s=5)
        if found["payment_status"] != "pending":
            return found
        assert time.monotonic() < deadline, f"checkout {checkout['checkout_id']} still pending after {timeout_s} s"
        await asyncio.sleep(0.05)


async def available(api: Api, product_id: str) -> int:
    product = await api.call("GET", f"/v1/products/{product_id}")
    return int(product["variants"][0]["available"])


async def balance(owner: Person) -> tuple[int, int]:
    """Balance and frozen amount of the THB wallet, in satang."""
    found = await wallet(owner)
    return found["balance"]["amount_minor"], found["frozen"]["amount_minor"]
