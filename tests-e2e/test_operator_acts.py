"""Every unsafe route for operators, of every service, leaves an act on record: also where it is refused."""

import json
import uuid
from pathlib import Path

import people
import pytest

from testkit.client import ApiError

pytestmark = pytest.mark.e2e

OPENAPI = json.loads((Path(__file__).parents[1] / "services/gateway/openapi.json").read_text("utf-8"))
REASON = "every route is tried"
BODIES = {
    "/v1/ops/sagas/bulk": {"action": "pause", "saga_ids": [str(uuid.uuid4())], "dry_run": False},
    "/v1/ops/sagas/{saga_id}/skip-step": {"step": "settle_payment"},
    "/v1/ops/sagas/{saga_id}/settle-step": {"step": "settle_payment", "reference": "none"},
    "/v1/ops/messaging/reports/{report_id}/decision": {"status": "dismissed"},
}
UNSAFE = [
    (method.upper(), path)
    for path, operations in OPENAPI["paths"].items()
    if path.startswith("/v1/ops/")
    for method in operations
    if method in {"post", "put", "patch", "delete"}
]


@pytest.fixture(scope="module")
async def operator(api):
    return await people.operator(api)


async def newest(operator, service):
    """The newest act of this operator, 0 where there is none."""
    items = (await operator.get(f"/v1/ops/{service}/acts", limit=200))["items"]
    return max((each["id"] for each in items if each["actor"] == str(operator.user_id)), default=0)


def with_ids(path):
    """Of things that are not there."""
    unknown = {"{letter_id}": str(10**9)}
    parts = path.split("/")
    return "/".join(unknown.get(part, str(uuid.uuid4())) if part.startswith("{") else part for part in parts)


@pytest.mark.parametrize(("method", "path"), UNSAFE)
async def test_an_act_is_on_record(api, operator, method, path):
    service = "orchestrator" if path.startswith("/v1/ops/sagas/") else path.split("/")[3]
    before = await newest(operator, service)
    body = {"reason": REASON, **BODIES.get(path, {})} if method in {"POST", "PATCH"} else None
    status = 200
    try:
        await api.call(method, with_ids(path), body, token=operator.access_token)
    except ApiError as refused:
        status = refused.status
    assert status in {200, 202, 404, 409}, f"{path}: {status}; does it want more in BODIES?"
    assert await newest(operator, service) > before, path


def test_there_are_such_routes():
    assert len(UNSAFE) >= 12
