"""The scrape tells what /readyz would: readiness can raise an alert without a prober."""

from aiohttp.test_utils import TestClient, TestServer

from chassis.run.health import Health
from chassis.run.ops import ops_app


async def test_a_scrape_tells_whether_the_process_is_ready():
    health, away = Health(), [True]

    async def part():
        if away[0]:
            raise ConnectionError

    health.watch({"postgres": part}, [])
    health.started = True
    async with TestClient(TestServer(ops_app(health))) as client:
        assert (await client.get("/readyz")).status == 503
        assert "\nprocess_ready 0.0\n" in await (await client.get("/metrics")).text()
        away[0] = False
        assert (await client.get("/readyz")).status == 200
        assert "\nprocess_ready 1.0\n" in await (await client.get("/metrics")).text()
