"""What the role ops sees, and others do not."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from kernel.country import Country
from testkit.issuer import TokenIssuer

pytestmark = pytest.mark.component
PATHS = ("/v1/ops/commerce/outbox", "/v1/ops/commerce/dead-letters")


@pytest.mark.parametrize("path", PATHS)
async def test_for_operators_only(client: Any, issuer: TokenIssuer, buyer: Any, path: str) -> None:
    assert (await buyer.get(path)).code == "auth.role.missing"
    token = issuer.token_for(uuid4(), country=Country.SG, roles=("ops",))
    async with client.get(path, headers={"Authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 200
    async with client.get(path) as answer:
        assert answer.status == 401


async def test_what_waits_is_counted(client: Any, issuer: TokenIssuer, product: Any) -> None:
    token = issuer.token_for(uuid4(), roles=("admin",))
    async with client.get(PATHS[0], headers={"Authorization": f"Bearer {token}"}) as answer:
        body = await answer.json()
    assert body["waiting"] > 0
    assert body["parked"] == []
