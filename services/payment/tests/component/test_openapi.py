"""schemathesis against every route: whatever it is sent, it answers as its own document says."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from chassis.http import build_openapi
from payment.entrypoints.app import ROUTES

DOCUMENT = orjson.loads(orjson.dumps(build_openapi("payment", ROUTES)))
OPERATIONS = [
    (method, path)
    for path, operations in DOCUMENT["paths"].items()
    for method in operations
    if method in {"get", "post"}
]


# The service runs in this process and jitters its timers with ``random`` while examples are drawn.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
async def test_answers_as_documented(world, method, path):
    token = world.token(await world.person(), roles=("user", "ops"))
    operation = schemathesis.openapi.from_dict(DOCUMENT)[path][method]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=15,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    def exercise(case):
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
        response = case.call(base_url=world.call.base_url, headers=headers)
        # The document cannot say which characters a text must not have, nor that a signature has to match.
        case.validate_response(response, excluded_checks=[CHECKS.get_one("positive_data_acceptance")])
        assert response.status_code < 500

    await asyncio.to_thread(exercise)
