"""Refresh tokens: one successor, no false logout, a thief ends the session."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

import pytest

from auth.adapters.refresh_chain_store import RefreshChainStore
from auth.domain.refresh_token import RefreshToken, parse
from auth_testing.service import Service, claims_of
from testkit.serving import Answered
from testkit.wait import eventually

pytestmark = pytest.mark.component

AT_ONCE = 50


async def refresh(service: Service, token: str) -> Answered:
    return await service.call("POST", "/v1/sessions/refresh", {"refresh_token": token})


async def test_each_refresh_gives_the_next_pair(service: Service) -> None:
    signed = await service.sign_up()
    seen = {signed["refresh_token"]}
    token = signed["refresh_token"]
    for _ in range(5):
        answer = await refresh(service, token)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.body["session_id"] == signed["session_id"]
        token = answer.body["refresh_token"]
        assert token not in seen
        seen.add(token)
        me = await service.call("GET", "/v1/users/me", token=answer.body["access_token"])
        assert me.status == 200


async def test_claims(service: Service) -> None:
    signed = await service.sign_up(country="TH")
    claims = claims_of((await refresh(service, signed["refresh_token"])).body["access_token"])
    assert claims.keys() == {"iss", "aud", "sub", "sid", "country", "kyc", "roles", "access_epoch", "jti", "iat", "exp"}
    assert (claims["sub"], claims["sid"]) == (signed["user"]["user_id"], signed["session_id"])
    assert (claims["country"], claims["kyc"], claims["roles"]) == ("TH", 1, ["user"])
    assert claims["exp"] - claims["iat"] == 900


async def test_fifty_at_once_get_one_successor(service: Service) -> None:
    token = (await service.sign_up())["refresh_token"]
    for _ in range(20):
        answers = await asyncio.gather(*(refresh(service, token) for _ in range(AT_ONCE)))
        assert [answer.status for answer in answers] == [200] * AT_ONCE
        successors = {answer.body["refresh_token"] for answer in answers}
        assert len(successors) == 1
        before, token = token, successors.pop()
        assert parse(token).generation == parse(before).generation + 1


async def test_control_read_then_write_gives_many_successors(service: Service) -> None:
    """What the one UPDATE prevents: readers who all saw the old token each write a successor of their own."""
    token = parse((await service.sign_up())["refresh_token"])
    all_have_read = asyncio.Barrier(8)

    async def naive() -> bytes:
        async with service.app.database.read() as conn:
            kept = await conn.fetchval("SELECT refresh_hash FROM session WHERE id = $1", token.session_id)
            await all_have_read.wait()
            assert kept == token.hash()
            successor = RefreshToken(token.session_id, 1, os.urandom(32))
            await conn.execute("UPDATE session SET refresh_hash = $2 WHERE id = $1", token.session_id, successor.hash())
            return successor.secret

    assert len({await each for each in [asyncio.create_task(naive()) for _ in range(8)]}) == 8


async def test_one_update_wins_of_fifty(service: Service) -> None:
    token = parse((await service.sign_up())["refresh_token"])
    successor = token.successor(service.app.tools.secrets.refresh_key)
    chains = RefreshChainStore(service.app.database)
    now = service.clock.now()
    won = await asyncio.gather(*(chains.rotate(token, successor, now) for _ in range(AT_ONCE)))
    assert sum(each is not None for each in won) == 1


async def test_a_lost_answer_is_no_logout(shifted: Service) -> None:
    """The client never saw the successor and tries again within the grace."""
    token = (await shifted.sign_up())["refresh_token"]
    lost = await refresh(shifted, token)
    shifted.clock.move(timedelta(seconds=9))
    again = await refresh(shifted, token)
    assert again.body["refresh_token"] == lost.body["refresh_token"]


async def test_real_reuse_ends_the_family(shifted: Service) -> None:
    service = shifted
    signed = await service.sign_up()
    other = await service.sign_in(signed["user"]["email"])
    stolen = signed["refresh_token"]
    newest = (await refresh(service, stolen)).body["refresh_token"]
    service.clock.move(timedelta(seconds=11))
    reuse = await refresh(service, stolen)
    assert (reuse.status, reuse.code) == (401, "auth.refresh_token.reused")
    owner = await refresh(service, newest)
    assert (owner.status, owner.code) == (401, "auth.refresh_token.invalid")
    assert (await refresh(service, other.body["refresh_token"])).status == 200
    reason = await service.fetchval("SELECT revocation_reason FROM session WHERE id = $1", signed["session_id"])
    assert reason == "refresh_token_reused"
    assert "SessionRevoked" in await service.events_of(signed["user"]["user_id"])
    acts = await service.fetchval(
        "SELECT array_agg(act) FROM security_event WHERE session_id = $1", signed["session_id"]
    )
    assert "refresh_token_reused" in acts


async def test_a_very_old_token_ends_the_family(shifted: Service) -> None:
    signed = await shifted.sign_up()
    token = signed["refresh_token"]
    for _ in range(4):
        token = (await refresh(shifted, token)).body["refresh_token"]
    reuse = await refresh(shifted, signed["refresh_token"])
    assert reuse.code == "auth.refresh_token.reused"


async def test_forged_tokens_end_nothing(service: Service) -> None:
    signed = await service.sign_up()
    real = parse(signed["refresh_token"])
    for forged in (
        RefreshToken(real.session_id, 0, os.urandom(32)).text(),
        RefreshToken(real.session_id, 7, real.secret).text(),
        signed["refresh_token"][:-1],
        signed["refresh_token"] + "A",
        signed["access_token"],
        "",
        "srt1_",
        "\u0e01" * 40,
    ):
        answer = await refresh(service, forged)
        assert answer.status in {401, 422}, forged
    assert (await refresh(service, signed["refresh_token"])).status == 200


async def test_absolute_end_does_not_move(shifted: Service) -> None:
    token = (await shifted.sign_up())["refresh_token"]
    left = []
    for _ in range(2):
        shifted.clock.move(timedelta(days=25))
        answer = await refresh(shifted, token)
        token = answer.body["refresh_token"]
        left.append(answer.body["refresh_expires_in_s"])
    assert left[0] - left[1] == pytest.approx(25 * 86400, abs=5)
    shifted.clock.move(timedelta(days=11))
    assert (await refresh(shifted, token)).code == "auth.refresh_token.invalid"


async def test_a_month_without_use_ends_it(shifted: Service) -> None:
    token = (await shifted.sign_up())["refresh_token"]
    shifted.clock.move(timedelta(days=31))
    assert (await refresh(shifted, token)).code == "auth.refresh_token.invalid"


async def test_ended_sessions_do_not_refresh(service: Service) -> None:
    signed = await service.sign_up()
    await service.call("DELETE", "/v1/sessions/current", token=signed["access_token"])
    assert (await refresh(service, signed["refresh_token"])).code == "auth.refresh_token.invalid"


async def test_refresh_brings_new_roles(service: Service) -> None:
    signed = await service.sign_up()
    async with service.app.begin() as tx:
        await tx.conn.execute(
            "UPDATE user_account SET roles = '{user,seller}' WHERE id = $1", signed["user"]["user_id"]
        )
    answer = await refresh(service, signed["refresh_token"])
    assert claims_of(answer.body["access_token"])["roles"] == ["seller", "user"]


async def test_refreshes_against_a_logout_leave_nothing_alive(service: Service) -> None:
    signed = await service.sign_up()
    token = signed["refresh_token"]

    async def keep_refreshing() -> None:
        current = token
        while (answer := await refresh(service, current)).status == 200:
            current = answer.body["refresh_token"]

    running = [asyncio.create_task(keep_refreshing()) for _ in range(4)]
    await service.call("DELETE", "/v1/sessions?scope=all", token=signed["access_token"])
    await asyncio.wait_for(asyncio.gather(*running), timeout=60)
    alive = await eventually(
        lambda: service.fetchval(
            "SELECT count(*) = 0 FROM session WHERE user_id = $1 AND revoked_at IS NULL", signed["user"]["user_id"]
        )
    )
    assert alive
