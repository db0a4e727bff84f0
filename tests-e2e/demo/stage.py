"""What every chapter needs: the API, the watcher, the show, and the people met so far."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from demo.facts import CHECKOUT, Facts, service_environment
from demo.show import Show
from demo.watcher import Seen, Watcher
from testkit.client import Api, ApiError, Person

PASSWORD = "river-lantern-42"
SETTLE_S = 30.0


@dataclass(slots=True)
class Stage:
    """The running stack with an audience."""

    facts: Facts
    api: Api
    sandbox: Api
    watcher: Watcher
    show: Show
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:6])
    sellers: dict[str, Person] = field(default_factory=dict)

    async def buyer(self, name: str, *, country: str = "TH", locale: str = "th-TH") -> Person:
        """A new person with an e-mail address of their own."""
        email = f"{name.lower()}.{self.run_id}@example.com"
        return await self.api.sign_up(country=country, locale=locale, name=name, email=email, password=PASSWORD)

    async def resident(self, name: str, *, country: str, locale: str) -> Person:
        """A person who stays from one demo to the next: signed in, or signed up on the first run."""
        email = f"{name.lower()}.seller@example.com"
        try:
            return await self.api.sign_in(email=email, password=PASSWORD)
        except ApiError as error:
            if error.status != 401:
                raise
        return await self.api.sign_up(country=country, locale=locale, name=name, email=email, password=PASSWORD)

    async def wallet(self, person: Person, *, currency: str = "THB") -> dict[str, Any]:
        """The person's wallet of a currency; waits until payment has heard of the person."""

        async def find() -> dict[str, Any] | None:
            wallets = (await person.get("/v1/wallets"))["items"]
            return next((each for each in wallets if each["currency"] == currency), None)

        return await self.until(find, f"a {currency} wallet of {person.name}")

    async def until(self, check: Callable[[], Awaitable[Any]], what: str, *, timeout_s: float = SETTLE_S) -> Any:
        """The first truthy answer. Raises ``TimeoutError`` that names what was waited for."""
        deadline = time.monotonic() + timeout_s
        while not (value := await check()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout_s:.0f} s: {what}")
            await asyncio.sleep(0.05)
        return value

    async def place_order(self, person: Person, variant_id: str, quantity: int = 1) -> tuple[dict[str, Any], datetime]:
        """Order one thing. Returns the pending checkout and when the request was sent."""
        began = datetime.now(UTC)
        body = {"lines": [{"variant_id": variant_id, "quantity": quantity}]}
        return await person.post("/v1/orders", body), began

    async def settled(self, person: Person, checkout_id: str) -> dict[str, Any]:
        """The checkout once it is paid or failed."""

        async def look() -> dict[str, Any] | None:
            checkout = await person.get(f"/v1/checkouts/{checkout_id}", wait_s=10)
            return checkout if checkout["payment_status"] != "pending" else None

        found: dict[str, Any] = await self.until(look, f"checkout {checkout_id} to be paid or failed", timeout_s=60)
        return found

    async def flow_of(self, checkout_id: str) -> list[Seen]:
        """Every record of a checkout's flow, once its saga has ended and people were told."""

        def of_checkout(seen: Seen) -> bool:
            return getattr(seen.body, "checkout_id", None) == checkout_id

        first = await self.watcher.first(of_checkout)
        flow_id = first.correlation_id
        await self.watcher.first(lambda seen: seen.type == "SagaEnded" and seen.correlation_id == flow_id)
        await self.watcher.first(lambda seen: seen.type == "NotificationCreated" and seen.correlation_id == flow_id)
        return self.watcher.flow(flow_id)

    async def stock(self, variant_id: str, product_id: str) -> int:
        """Units of a variant that can be bought now."""
        product = await self.api.call("GET", f"/v1/products/{product_id}")
        return next(int(each["available"]) for each in product["variants"] if each["variant_id"] == variant_id)

    def audit(self, service: str) -> bool:
        """Run ``python -m SERVICE audit`` on the live database; prints what it says when it finds something."""
        result = subprocess.run(
            [sys.executable, "-m", service, "audit"],
            env={**os.environ, **service_environment(service)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            self.show.say((result.stdout + result.stderr)[-2000:])
        return result.returncode == 0
