"""People of the API, with requests that are ready to be sent."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from aiohttp.test_utils import TestClient

from commerce.domain.ids import CheckoutId
from kernel.country import Country
from testkit.issuer import TokenIssuer
from testkit.serving import Answered


class Person:
    """A signed-in user of the API."""

    def __init__(self, client: TestClient[Any, Any], issuer: TokenIssuer, country: Country) -> None:
        self.id = uuid4()
        self.country = country
        self._client = client
        self._authorization = f"Bearer {issuer.token_for(self.id, country=country)}"

    def at(self, client: TestClient[Any, Any]) -> Person:
        """The same person at another client."""
        twin = copy.copy(self)
        twin._client = client
        return twin

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._client.request(
            method, path, json=body, headers={"Authorization": self._authorization, **named}
        ) as response:
            return Answered(response.status, response.headers.copy(), await response.read())

    async def get(self, path: str, **headers: str) -> Answered:
        return await self.call("GET", path, **headers)

    async def make(self, path: str, body: Any, **headers: str) -> Any:
        """POST that must succeed."""
        answer = await self.call("POST", path, body, **headers)
        assert answer.status < 300, answer
        return answer.body

    async def open_shop(self, **parts: Any) -> Any:
        return await self.make("/v1/shops", {"name": "Silk House", "country": self.country.value, **parts})

    async def add_product(self, shop: Any, **parts: Any) -> Any:
        body = product_body(currency=shop["currency"], **parts)
        return await self.make(f"/v1/shops/{shop['shop_id']}/products", body)

    async def order(self, *lines: tuple[str, int], key: str | None = None, **parts: Any) -> Answered:
        """Order the lines given, or the cart where there are none."""
        body: dict[str, Any] = dict(parts)
        if lines:
            body["lines"] = [{"variant_id": variant_id, "quantity": quantity} for variant_id, quantity in lines]
        return await self.call("POST", "/v1/orders", body, Idempotency_Key=key or uuid4().hex)

    async def place(self, *lines: tuple[str, int], **parts: Any) -> CheckoutId:
        """An order that must be accepted; its checkout."""
        answer = await self.order(*lines, **parts)
        assert answer.status == 202, answer
        return CheckoutId(UUID(answer.body["checkout_id"]))


People = Callable[..., Person]


def variant_of(product: Any, index: int = 0) -> str:
    """The id of a variant, from the API's product."""
    return str(product["variants"][index]["variant_id"])


def product_body(
    *, price_minor: int = 10_000, currency: str = "THB", on_hand: int = 10, **parts: Any
) -> dict[str, Any]:
    """A product with one variant, in two languages."""
    return {
        "titles": {"en": "Hand-woven silk scarf", "th": "ผ้าพันคอผ้าไหมทอมือ"},
        "variants": [
            {
                "sku": f"S-{uuid4().hex[:12]}",
                "price": {"amount_minor": price_minor, "currency": currency},
                "on_hand": on_hand,
            }
        ],
        **parts,
    }
