"""The scrape tells what /readyz would: readiness can raise an alert without a prober."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from chassis.run.health import Health
from chassis.run.ops import ops_app


async def test_a_scrape_tells_whether_the_process_is_ready():
    health, away = Health(), [True]

    async def part():
        if away[0]:
            raise ConnectionError

    health.watch({"postgres": part}, [], serving=True)
    health.started = True
    async with TestClient(TestServer(ops_app(health))) as client:
        assert (await client.get("/readyz")).status == 503
        assert "\nprocess_ready 0.0\n" in await (await client.get("/metrics")).text()
        away[0] = False
        assert (await client.get("/readyz")).status == 200
        assert "\nprocess_ready 1.0\n" in await (await client.get("/metrics")).text()


class Hindered:
    """A relay without its broker."""

    name, critical = "relay", True

    def problem(self):
        return "KafkaConnectionError: no broker"


@pytest.mark.parametrize(("serving", "status", "where"), [(True, 200, "degraded"), (False, 503, "reasons")])
async def test_a_hindered_runner_takes_no_requests_away(serving, status, where):
    health = Health()
    health.watch({}, [Hindered()], serving=serving)
    health.started = True
    async with TestClient(TestServer(ops_app(health))) as client:
        answer = await client.get("/readyz")
        assert answer.status == status
        assert (await answer.json())[where] == {"relay": "KafkaConnectionError: no broker"}
        scrape = await (await client.get("/metrics")).text()
        assert f"\nprocess_ready {float(serving)}\n" in scrape
        assert f"\nprocess_degraded {float(serving)}\n" in scrape
