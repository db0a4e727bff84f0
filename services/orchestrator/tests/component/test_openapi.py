"""schemathesis against the operator API: whatever it is sent, it answers as its own document says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS

from chassis.http import build_openapi
from chassis.testing import Client, TokenIssuer, serving
from eventing import KafkaConfig
from orchestrator.entrypoints.roles import ROUTES, http
from orchestrator.testing.engine import engine_settings
from orchestrator.wiring import wire

pytestmark = pytest.mark.component
DOCUMENT = orjson.loads(orjson.dumps(build_openapi("orchestrator", ROUTES)))
OPERATIONS = [
    (method, path)
    for path, operations in DOCUMENT["paths"].items()
    for method in operations
    if method in {"get", "post"}
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(database: Any, redis_url: str, kafka_admin: KafkaConfig) -> AsyncIterator[tuple[Client, str]]:
    made = await database("orchestrator")
    async with TokenIssuer.serve() as issuer:
        plain = engine_settings(dsn=made.dsn, redis_url=redis_url, kafka=kafka_admin)
        async with (
            wire(plain.model_copy(update={"jwks_url": issuer.jwks_url})) as app,
            serving(http(app)) as call,
        ):
            yield call, issuer.token_for(uuid4(), roles=("ops",))


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
async def test_answers_as_documented(served: tuple[Client, str], method: str, path: str) -> None:
    call, token = served
    operation = schemathesis.openapi.from_dict(DOCUMENT)[path][method]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=12,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    def exercise(case: Any) -> None:
        response = case.call(base_url=call.base_url, headers={"Authorization": f"Bearer {token}"})
        # The document cannot say which characters a text must not have, nor that a cursor is signed.
        case.validate_response(response, excluded_checks=[CHECKS.get_one("positive_data_acceptance")])
        assert response.status_code < 500

    await asyncio.to_thread(exercise)
