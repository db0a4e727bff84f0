"""When an account ends: what ends with it, what others see a moment later, and what is free again."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from auth.adapters.relation_store import RelationStore
from auth_testing.people import new_person
from auth_testing.service import PASSWORD, Service

pytestmark = pytest.mark.component


async def relations_of(service: Service, user_id: str) -> int:
    """How many of any kind are left, waiting requests among them."""
    relations = "SELECT count(*) FROM relation WHERE active AND $1 IN (from_id, to_id)"
    requests = "SELECT count(*) FROM friend_request WHERE status = 'pending' AND $1 IN (from_id, to_id)"
    left = [await service.fetchval(query, uuid.UUID(user_id)) for query in (relations, requests)]
    return int(sum(left))


async def test_nothing_stands_between_them_and_others(service: Service) -> None:
    gone, *others = [await new_person(service) for _ in range(6)]
    friend, asked, asking, followed, blocked = others
    request = (await friend.ask(gone)).body["request_id"]
    await gone.accept(request)
    await gone.ask(asked)
    waiting = (await asking.ask(gone)).body["request_id"]
    await gone.do("PUT", f"/v1/users/me/follows/{followed.id}")
    await followed.do("PUT", f"/v1/users/me/follows/{gone.id}")
    await gone.do("PUT", f"/v1/users/me/blocks/{blocked.id}")
    assert await relations_of(service, gone.id) == 7
    assert (await gone.do("DELETE", "/v1/users/me")).status == 204
    assert await relations_of(service, gone.id) == 0
    incoming = (await asked.do("GET", "/v1/friend-requests")).body["items"]
    outgoing = (await asking.do("GET", "/v1/friend-requests?direction=outgoing")).body["items"]
    assert incoming == outgoing == []
    for by, path in ((asking, "follows"), (friend, "blocks")):
        assert (await by.do("PUT", f"/v1/users/me/{path}/{gone.id}")).code == "auth.user.not_found"
    assert (await asking.do("DELETE", f"/v1/friend-requests/{waiting}")).status in {204, 404}


async def test_nothing_of_theirs_signs_in_and_nothing_secret_is_kept(service: Service) -> None:
    gone = await new_person(service)
    user_id, email = uuid.UUID(gone.id), gone.signed["user"]["email"]
    reset = (await service.call("POST", "/v1/password-resets", {"email": email})).body["otp_id"]
    code = await service.code_of(reset)
    await gone.do("DELETE", "/v1/users/me")
    body = {"code": code, "new_password": "words of somebody 22"}
    assert (await service.call("POST", f"/v1/password-resets/{reset}/complete", body)).code == "auth.otp.refused"
    assert (await service.sign_in(email)).status == 401
    refreshed = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": gone.signed["refresh_token"]})
    assert refreshed.status == 401
    for table in ("password_history", "known_network"):
        assert await service.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", user_id) == 0
    assert await service.fetchval("SELECT password_hash FROM user_account WHERE id = $1", user_id) is None


async def test_the_fact_commits_with_the_end_or_neither_does(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = await new_person(service)

    async def dies(*_: Any) -> None:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as broken:
        broken.setattr(RelationStore, "end_all", dies)
        assert (await gone.do("DELETE", "/v1/users/me")).status == 500
    assert "UserDeleted" not in await service.events_of(gone.id)
    assert (await gone.do("GET", "/v1/users/me")).status == 200
    assert (await gone.do("DELETE", "/v1/users/me")).status == 204
    assert (await service.events_of(gone.id)).count("UserDeleted") == 1


async def test_address_and_username_are_free_again(service: Service) -> None:
    gone, other = await new_person(service), await new_person(service)
    username = f"u{uuid.uuid4().hex[:12]}"
    await gone.do("PATCH", "/v1/users/me", {"username": username})
    await gone.do("DELETE", "/v1/users/me")
    assert (await other.do("PATCH", "/v1/users/me", {"username": username})).status == 200
    fresh = await new_person(service, email=gone.signed["user"]["email"])
    assert fresh.id != gone.id
    assert (await service.sign_in(gone.signed["user"]["email"], PASSWORD)).body["user"]["user_id"] == fresh.id


@pytest.mark.parametrize("held", [True, False])
async def test_a_request_that_meets_the_end_leaves_no_ghost(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, held: bool
) -> None:
    """They look who is there, the account ends, they write. The control: without holding the rows."""
    gone, other = await new_person(service), await new_person(service)
    lock_people, looked, ended = RelationStore.lock_people, asyncio.Event(), asyncio.Event()

    async def late(store: RelationStore, counted: Any, others: Any) -> bool:
        there = await lock_people(store, counted, others) if held else True
        looked.set()
        await asyncio.wait_for(ended.wait(), 1) if not held else await asyncio.sleep(0.3)
        return there

    monkeypatch.setattr(RelationStore, "lock_people", late)
    asking = asyncio.create_task(other.ask(gone))
    await looked.wait()
    deleted = asyncio.create_task(gone.do("DELETE", "/v1/users/me"))
    if not held:
        await deleted
        ended.set()
    await asyncio.gather(asking, deleted)
    assert (await relations_of(service, gone.id) == 0) is held


async def test_two_friends_who_end_at_once_do_not_wait_for_each_other(service: Service) -> None:
    for _ in range(5):
        one, other = await new_person(service), await new_person(service)
        request = (await one.ask(other)).body["request_id"]
        await other.accept(request)
        for by, whom in ((one, other), (other, one)):
            await by.do("PUT", f"/v1/users/me/follows/{whom.id}")
        answers = await asyncio.gather(*(each.do("DELETE", "/v1/users/me") for each in (one, other)))
        assert [each.status for each in answers] == [204, 204]
        assert await relations_of(service, one.id) == 0
