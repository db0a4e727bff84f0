"""Saleor's own checkout, on a Saleor that runs already, as its documentation says, filled by its own `populatedb`.

It comes as source alone, so nothing here installs it: its address is SALEOR_URL, such as http://127.0.0.1:8000/graphql/,
its database on this machine SALEOR_DATABASE (saleor), its superuser SALEOR_USER (admin@example.com:admin).

What is timed is to Saleor's advantage: checkouts stand filled before the clock runs, are of one line that is not
shipped, and nobody pays: the channel is told to take unpaid orders.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from cpu import family_cpu_s, postgres_cpu_s

from peers.environment import Absent

NOT_RUNNING = (
    "its source is on GitHub alone (what PyPI has under its name is of 2020), so nothing here installs it; "
    "start one by its documentation, run its populatedb --createsuperuser, and put its address into SALEOR_URL"
)
CHANNEL = "default-channel"
PREPARED_PER_S = 10
ADDRESS = {
    "firstName": "Nok",
    "lastName": "Buyer",
    "streetAddress1": "350 5th Ave",
    "city": "New York",
    "postalCode": "10118",
    "countryArea": "NY",
    "country": "US",
}
SIGN_IN = "mutation($email: String!, $password: String!) {tokenCreate(email: $email, password: $password) {token}}"
VERSION = "{shop {version}}"
CHANNELS = "{channels {id slug}}"
UNPAID = """mutation($id: ID!) {
    channelUpdate(id: $id, input: {orderSettings: {allowUnpaidOrders: true}}) {errors {field message}}}"""
VARIANTS = """query($channel: String!) {products(first: 100, channel: $channel) {edges {node {
    productType {isShippingRequired} variants {id quantityAvailable}}}}}"""
CREATE = """mutation($input: CheckoutCreateInput!) {
    checkoutCreate(input: $input) {checkout {id} errors {field message code}}}"""
COMPLETE = "mutation($id: ID!) {checkoutComplete(id: $id) {order {id} errors {field message code}}}"


@dataclass(frozen=True, slots=True)
class Saleor:
    session: aiohttp.ClientSession
    url: str
    version: str
    variants: list[str]
    pid: int
    database: str

    async def checkouts(self, buyers: int, seconds: float) -> dict[str, float]:
        """As many as one of its servers does in about that time, by so many who never pause."""
        each = max(1, int(seconds * PREPARED_PER_S) // buyers)
        emails = [f"buyer{number}@example.com" for number in range(buyers)]
        waiting = await asyncio.gather(*(self._create(each, email) for email in emails))
        spent, began = self._cpu_s(), time.perf_counter()
        spans: list[float] = []
        await asyncio.gather(*(self._complete(mine, spans) for mine in waiting))
        elapsed, spans = time.perf_counter() - began, sorted(spans)
        return {
            "per_s": len(spans) / elapsed,
            "p50_ms": spans[len(spans) // 2] * 1e3,
            "p99_ms": spans[int(len(spans) * 0.99)] * 1e3,
            "cpu_ms": (self._cpu_s() - spent) / len(spans) * 1e3,
        }

    async def _create(self, count: int, email: str) -> list[str]:
        made = []
        for _ in range(count):
            line = {"quantity": 1, "variantId": random.choice(self.variants)}
            body = {"channel": CHANNEL, "email": email, "lines": [line], "billingAddress": ADDRESS}
            made.append(str((await self._did(CREATE, {"input": body}, "checkoutCreate"))["checkout"]["id"]))
        return made

    async def _complete(self, checkouts: list[str], spans: list[float]) -> None:
        for checkout in checkouts:
            began = time.perf_counter()
            await self._did(COMPLETE, {"id": checkout}, "checkoutComplete")
            spans.append(time.perf_counter() - began)

    async def _did(self, query: str, variables: dict[str, Any], mutation: str) -> dict[str, Any]:
        found: dict[str, Any] = (await ask(self.session, self.url, query, variables))[mutation]
        assert not found["errors"], found["errors"]
        return found

    def _cpu_s(self) -> float:
        return family_cpu_s(self.pid) + postgres_cpu_s(self.database)


@asynccontextmanager
async def saleor() -> AsyncIterator[Saleor]:
    """Raises ``Absent``."""
    url = os.environ.get("SALEOR_URL")
    if not url:
        raise Absent(NOT_RUNNING)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        try:
            made = await _introduced(session, url)
        except (aiohttp.ClientError, KeyError, TypeError, LookupError) as error:
            raise Absent(f"{url} did not answer as Saleor does: {error!r}") from error
        yield made


async def _introduced(session: aiohttp.ClientSession, url: str) -> Saleor:
    email, _, password = os.environ.get("SALEOR_USER", "admin@example.com:admin").partition(":")
    signed_in = await ask(session, url, SIGN_IN, {"email": email, "password": password})
    session.headers["Authorization"] = f"Bearer {signed_in['tokenCreate']['token']}"
    version = str((await ask(session, url, VERSION))["shop"]["version"])
    channels = {each["slug"]: each["id"] for each in (await ask(session, url, CHANNELS))["channels"]}
    await ask(session, url, UNPAID, {"id": channels[CHANNEL]})
    del session.headers["Authorization"]  # who buys is nobody's staff
    products = (await ask(session, url, VARIANTS, {"channel": CHANNEL}))["products"]["edges"]
    variants = [
        str(variant["id"])
        for product in products
        if not product["node"]["productType"]["isShippingRequired"]
        for variant in product["node"]["variants"]
        if variant["quantityAvailable"]
    ]
    if not variants:
        raise LookupError("no variant that is not shipped")
    port = urlsplit(url).port or 80
    return Saleor(session, url, version, variants, listener(port), os.environ.get("SALEOR_DATABASE", "saleor"))


async def ask(
    session: aiohttp.ClientSession, url: str, query: str, variables: dict[str, Any] | None = None
) -> dict[str, Any]:
    async with session.post(url, json={"query": query, "variables": variables or {}}) as answer:
        found = await answer.json(content_type=None)
    if found.get("errors"):
        raise LookupError(str(found["errors"])[:300])
    data: dict[str, Any] = found["data"]
    return data


def listener(port: int) -> int:
    """The oldest process that listens on this port; 0 when none is seen, and its CPU shows as 0."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) in inodes:
                found.append(int(descriptor.parts[2]))
        except OSError:
            continue
    return min(found, default=0)
