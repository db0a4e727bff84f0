"""Signing keys: published, rotated, sealed; tokens of the key before stay valid."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from auth.domain.signing_key import LEAD, PERIOD
from auth.usecases.ensure_keys import ensure_keys
from auth.usecases.rotate_keys import rotate_keys
from auth_testing.service import Service

pytestmark = pytest.mark.component


async def key_set(service: Service) -> list[dict[str, Any]]:
    answer = await service.call("GET", "/.well-known/jwks.json")
    assert answer.status == 200
    assert "max-age" in answer.headers["Cache-Control"]
    return list(answer.body["keys"])


def header_of(token: str, keys: list[dict[str, Any]]) -> dict[str, Any]:
    """The header of a token whose signature one of the keys verifies."""
    known = KeySet([ECKey.import_key(key) for key in keys])
    return dict(jwt.decode(token, known, algorithms=["ES256"]).header)


async def rotate(service: Service) -> None:
    async with service.app.begin() as tx:
        await rotate_keys(tx)
    await service.app.load_keys()


async def test_one_key_signs_and_the_next_is_published(own_service: Service) -> None:
    keys = await key_set(own_service)
    assert len(keys) == 2
    for key in keys:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    token = (await own_service.sign_up())["access_token"]
    assert header_of(token, keys) == {"alg": "ES256", "typ": "at+jwt", "kid": keys[0]["kid"]}


async def test_a_key_that_does_not_open_leaves_the_signing_to_the_others(own_service: Service) -> None:
    service = own_service
    present, waiting = [each["kid"] for each in await key_set(service)]
    async with service.app.database.begin() as conn:
        await conn.execute("UPDATE signing_key SET private_sealed = 'spoilt' WHERE kid = $1", waiting)
    service.clock.move(PERIOD + LEAD)
    await service.app.load_keys()
    token = (await service.sign_up())["access_token"]
    assert header_of(token, await key_set(service))["kid"] == present
    async with service.app.database.begin() as conn:
        await conn.execute("UPDATE signing_key SET private_sealed = 'spoilt'")
    await service.app.load_keys()
    answer = await service.sign_in("somebody@example.com")
    assert answer.status == 401


async def test_rotation_keeps_old_tokens_valid(own_service: Service) -> None:
    service = own_service
    async with service.app.database.read() as conn:
        await conn.execute("UPDATE signing_key SET created_at = created_at - $1::interval", 2 * LEAD)
    await service.app.load_keys()
    before = await key_set(service)
    old = await service.sign_up()
    await rotate(service)
    after = await key_set(service)
    new = await service.sign_up()
    assert header_of(new["access_token"], after)["kid"] == before[1]["kid"]
    assert header_of(old["access_token"], after)["kid"] == before[0]["kid"]
    assert len(after) == 3
    for signed in (old, new):
        assert (await service.call("GET", "/v1/users/me", token=signed["access_token"])).status == 200


async def test_a_young_key_waits_until_verifiers_can_know_it(own_service: Service) -> None:
    before = await key_set(own_service)
    await rotate(own_service)
    token = (await own_service.sign_up())["access_token"]
    assert header_of(token, before)["kid"] == before[0]["kid"]
    own_service.clock.move(LEAD)
    token = (await own_service.sign_up())["access_token"]
    assert header_of(token, before)["kid"] == before[1]["kid"]


async def test_the_job_turns_the_keys_by_itself_and_drops_the_dead(own_service: Service) -> None:
    service = own_service
    first = await key_set(service)
    seen = {key["kid"] for key in first}
    for _ in range(3):
        service.clock.move(PERIOD)
        async with service.app.begin() as tx:
            await ensure_keys(tx)
        await service.app.load_keys()
        await service.sign_up()
        seen |= {key["kid"] for key in await key_set(service)}
    service.clock.move(timedelta(hours=1))
    async with service.app.begin() as tx:
        await ensure_keys(tx)
    await service.app.load_keys()
    last = {key["kid"] for key in await key_set(service)}
    assert len(seen) == 5
    assert len(last) == 2
    assert first[0]["kid"] not in last
    assert await service.fetchval("SELECT count(*) FROM signing_key") == 2


async def test_private_halves_are_sealed(own_service: Service) -> None:
    sealed = await own_service.fetchval("SELECT private_sealed FROM signing_key LIMIT 1")
    public = await own_service.fetchval("SELECT public_jwk::text FROM signing_key LIMIT 1")
    assert b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" not in sealed  # the curve's id, in every readable key
    assert '"d"' not in public


async def test_two_processes_at_once_make_one_first_key(own_service: Service) -> None:
    async with own_service.app.begin() as tx:
        await ensure_keys(tx)
    assert await own_service.fetchval("SELECT count(*) FROM signing_key") == 2
