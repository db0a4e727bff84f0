"""The service as it is run, without a broker: what can be answered is answered, and what is hindered is named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from testkit.databases import ServiceDatabase, placeholder_settings
from testkit.ports import free_ports
from testkit.processes import child
from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.fault]


async def answer_of(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize(("role", "ready"), [("all", True), ("http", True), ("relay", False)])
async def test_without_a_broker(
    database: Callable[[str], Awaitable[ServiceDatabase]],
    redis_url: str,
    tmp_path: Path,
    role: str,
    ready: bool,  # noqa: FBT001 -- a parameter of the table
) -> None:
    made = await database("commerce")
    http_port, ops_port, nobody = free_ports(3)
    environment = placeholder_settings("commerce") | {
        "COMMERCE_DATABASE_DSN": made.dsn,
        "COMMERCE_REDIS_URL": redis_url,
        "COMMERCE_HTTP_PORT": str(http_port),
        "COMMERCE_OPS_PORT": str(ops_port),
        "COMMERCE_KAFKA_BOOTSTRAP": f"127.0.0.1:{nobody}",
    }
    hindered = {"all": {"commerce.relay", "commerce.consumer"}, "http": set(), "relay": {"commerce.relay"}}[role]

    async def told() -> dict[str, Any] | None:
        status, body = await answer_of(f"http://127.0.0.1:{ops_port}/readyz")
        named = set(body.get("degraded" if ready else "reasons", {}))
        return body if status == (200 if ready else 503) and hindered <= named else None

    async with child("commerce", role, environment=environment, log=tmp_path / "commerce.log") as running:
        body = await eventually(told, timeout_s=60, what="what a process without a broker says")
        assert body["status"] == ("ready" if ready else "unready")
        if ready:
            status, page = await answer_of(f"http://127.0.0.1:{http_port}/v1/products")
            assert (status, page["items"]) == (200, [])
        assert await running.stop(timeout_s=30) == 0
