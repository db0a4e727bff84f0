"""Operators see notification's outbox and dead letters; nobody else does."""

from uuid import uuid4

import pytest


@pytest.mark.parametrize("path", ["/v1/ops/notification/outbox", "/v1/ops/notification/dead-letters"])
async def test_for_operators_only(world, path):
    ops = world.issuer.token_for(uuid4(), roles=("user", "ops"))
    assert (await world.call("GET", path, token=ops)).status == 200
    refused = await world.call("GET", path, token=world.issuer.token_for(uuid4()))
    assert (refused.status, refused.code) == (403, "auth.role.missing")
