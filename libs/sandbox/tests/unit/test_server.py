"""The sandbox as its clients see it: over HTTP, with webhooks that arrive and can be made to misbehave."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from sandbox.server import make_app
from sandbox.settings import SandboxSettings
from sandbox.webhooks import SIGNATURE_HEADER, sign
from testkit.ports import free_ports


class World:
    def __init__(self, session, url):
        self.session, self.url, self.received, self.arrived = session, url, [], asyncio.Event()
        self.answer = 200

    async def hook(self, request):
        body = await request.read()
        header = request.headers[SIGNATURE_HEADER]
        at = int(header.split(",")[0].removeprefix("t="))
        self.received.append((json.loads(body), header == sign("shh", body, at_unix_s=at)))
        self.arrived.set()
        return web.Response(status=self.answer)

    async def behave(self, **behaviour):
        async with self.session.put(f"{self.url}/payments/behaviour", json=behaviour) as answer:
            return answer.status

    async def charge(self, key="k", **body):
        sent = {"reference": "r", "amount_minor": 100, "currency": "THB", "payment_token": "tok", **body}
        headers = {"Authorization": "Bearer key", "Idempotency-Key": key}
        async with self.session.post(f"{self.url}/payments/charges", json=sent, headers=headers) as answer:
            return answer.status, await answer.json()

    async def events(self, count):
        async with asyncio.timeout(10):
            while len(self.received) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return [event["type"] for event, _ in self.received]


@pytest.fixture
async def world():
    ports = free_ports(4)
    settings = SandboxSettings(
        http_host="127.0.0.1",
        http_port=ports[0],
        smtp_port=ports[1],
        scanner_port=ports[3],
        webhook_url=f"http://127.0.0.1:{ports[2]}/hook",
        webhook_secret="shh",
        api_key="key",
    )
    async with aiohttp.ClientSession() as session:
        made = World(session, f"http://127.0.0.1:{ports[0]}")
        merchant = web.Application()
        merchant.router.add_post("/hook", made.hook)
        runners = [web.AppRunner(make_app(settings)), web.AppRunner(merchant)]
        for runner, port in zip(runners, (ports[0], ports[2]), strict=True):
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
        yield made
        for runner in runners:
            await runner.cleanup()


async def test_a_charge_is_told_twice_signed(world):
    status, charge = await world.charge()
    assert (status, charge["status"]) == (201, "pending")
    assert sorted(await world.events(2)) == ["charge.pending", "charge.succeeded"]
    assert all(signed for _, signed in world.received)
    async with world.session.get(f"{world.url}/payments/charges?reference=r") as answer:
        assert [each["status"] for each in (await answer.json())["items"]] == ["succeeded"]


async def test_wrong_api_key(world):
    async with world.session.post(f"{world.url}/payments/charges", json={}) as answer:
        assert answer.status == 401


async def test_out_of_order_and_duplicates(world):
    await world.behave(out_of_order=True, duplicate_webhooks=1)
    await world.charge()
    assert await world.events(4) == ["charge.succeeded"] * 2 + ["charge.pending"] * 2
    assert len({event["id"] for event, _ in world.received}) == 2


async def test_fails_after_success_and_before(world):
    await world.behave(fail_after_success_next=1)
    assert (await world.charge())[0] == 500
    assert (await world.charge())[1]["reference"] == "r"
    await world.behave(unavailable_next=1)
    assert (await world.charge("other", reference="other"))[0] == 503
    async with world.session.get(f"{world.url}/payments/charges?reference=other") as answer:
        assert (await answer.json())["items"] == []


async def test_wrong_amount_and_forged_signature(world):
    await world.behave(wrong_amount_minor=-7, forge_signature=True)
    assert (await world.charge())[1]["amount_minor"] == 93
    await world.events(2)
    assert not any(signed for _, signed in world.received)


async def test_a_refused_webhook_is_tried_again(world):
    world.answer = 500
    await world.charge()
    await world.events(2)
    world.answer = 200
    assert len(await world.events(4)) >= 4


async def test_unknown_behaviour_is_refused(world):
    assert await world.behave(nonsense=1) == 422


async def test_the_page_shows_charges_without_running_them(world):
    await world.charge(reference="<script>")
    async with world.session.get(world.url) as answer:
        page = await answer.text()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
