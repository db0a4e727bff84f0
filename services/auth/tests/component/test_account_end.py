"""When an account ends: what ends with it, what others see a moment later, and what is free again."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from auth.adapters.relation_store import RelationStore
from auth_testing.service import PASSWORD, Answer, Service

pytestmark = pytest.mark.component


async def person(service: Service) -> dict[str, Any]:
    return await service.sign_up()


async def do(service: Service, by: dict[str, Any], method: str, path: str, body: Any = None) -> Answer:
    return await service.call(method, path, body, token=by["access_token"])


def id_of(signed: dict[str, Any]) -> str:
    return str(signed["user"]["user_id"])


async def ask(service: Service, by: dict[str, Any], other: dict[str, Any]) -> Answer:
    return await do(service, by, "POST", "/v1/friend-requests", {"user_id": id_of(other)})


async def relations_of(service: Service, user_id: str) -> int:
    """How many of any kind are left, waiting requests among them."""
    relations = "SELECT count(*) FROM relation WHERE active AND $1 IN (from_id, to_id)"
    requests = "SELECT count(*) FROM friend_request WHERE status = 'pending' AND $1 IN (from_id, to_id)"
    left = [await service.fetchval(query, uuid.UUID(user_id)) for query in (relations, requests)]
    return int(sum(left))


async def test_nothing_stands_between_them_and_others(service: Service) -> None:
    gone, *others = [await person(service) for _ in range(6)]
    friend, asked, asking, followed, blocked = others
    request = (await ask(service, friend, gone)).body["request_id"]
    await do(service, gone, "POST", f"/v1/friend-requests/{request}/accept")
    await ask(service, gone, asked)
    waiting = (await ask(service, asking, gone)).body["request_id"]
    await do(service, gone, "PUT", f"/v1/users/me/follows/{id_of(followed)}")
    await do(service, followed, "PUT", f"/v1/users/me/follows/{id_of(gone)}")
    await do(service, gone, "PUT", f"/v1/users/me/blocks/{id_of(blocked)}")
    assert await relations_of(service, id_of(gone)) == 7
    assert (await do(service, gone, "DELETE", "/v1/users/me")).status == 204
    assert await relations_of(service, id_of(gone)) == 0
    incoming = (await do(service, asked, "GET", "/v1/friend-requests")).body["items"]
    outgoing = (await do(service, asking, "GET", "/v1/friend-requests?direction=outgoing")).body["items"]
    assert incoming == outgoing == []
    for by, path in ((asking, "follows"), (friend, "blocks")):
        assert (await do(service, by, "PUT", f"/v1/users/me/{path}/{id_of(gone)}")).code == "auth.user.not_found"
    assert (await do(service, asking, "DELETE", f"/v1/friend-requests/{waiting}")).status in {204, 404}


async def test_nothing_of_theirs_signs_in_and_nothing_secret_is_kept(service: Service) -> None:
    gone = await person(service)
    user_id, email = uuid.UUID(id_of(gone)), gone["user"]["email"]
    reset = (await service.call("POST", "/v1/password-resets", {"email": email})).body["otp_id"]
    code = await service.code_of(reset)
    await do(service, gone, "DELETE", "/v1/users/me")
    body = {"code": code, "new_password": "words of somebody 22"}
    assert (await service.call("POST", f"/v1/password-resets/{reset}/complete", body)).code == "auth.otp.refused"
    assert (await service.sign_in(email)).status == 401
    refreshed = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": gone["refresh_token"]})
    assert refreshed.status == 401
    for table in ("password_history", "known_network"):
        assert await service.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", user_id) == 0
    assert await service.fetchval("SELECT password_hash FROM user_account WHERE id = $1", user_id) is None


async def test_the_fact_commits_with_the_end_or_neither_does(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = await person(service)

    async def dies(*_: Any) -> None:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as broken:
        broken.setattr(RelationStore, "end_all", dies)
        assert (await do(service, gone, "DELETE", "/v1/users/me")).status == 500
    assert "UserDeleted" not in await service.events_of(id_of(gone))
    assert (await do(service, gone, "GET", "/v1/users/me")).status == 200
    assert (await do(service, gone, "DELETE", "/v1/users/me")).status == 204
    assert (await service.events_of(id_of(gone))).count("UserDeleted") == 1


async def test_address_and_username_are_free_again(service: Service) -> None:
    gone, other = await person(service), await person(service)
    username = f"u{uuid.uuid4().hex[:12]}"
    await do(service, gone, "PATCH", "/v1/users/me", {"username": username})
    await do(service, gone, "DELETE", "/v1/users/me")
    assert (await do(service, other, "PATCH", "/v1/users/me", {"username": username})).status == 200
    fresh = await service.sign_up(email=gone["user"]["email"])
    assert id_of(fresh) != id_of(gone)
    assert (await service.sign_in(gone["user"]["email"], PASSWORD)).body["user"]["user_id"] == id_of(fresh)


@pytest.mark.parametrize("held", [True, False])
async def test_a_request_that_meets_the_end_leaves_no_ghost(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, held: bool
) -> None:
    """They look who is there, the account ends, they write. The control: without holding the rows."""
    gone, other = await person(service), await person(service)
    lock_people, looked, ended = RelationStore.lock_people, asyncio.Event(), asyncio.Event()

    async def late(store: RelationStore, counted: Any, others: Any) -> bool:
        there = await lock_people(store, counted, others) if held else True
        looked.set()
        await asyncio.wait_for(ended.wait(), 1) if not held else await asyncio.sleep(0.3)
        return there

    monkeypatch.setattr(RelationStore, "lock_people", late)
    asking = asyncio.create_task(ask(service, other, gone))
    await looked.wait()
    deleted = asyncio.create_task(do(service, gone, "DELETE", "/v1/users/me"))
    if not held:
        await deleted
        ended.set()
    await asyncio.gather(asking, deleted)
    assert (await relations_of(service, id_of(gone)) == 0) is held


async def test_two_friends_who_end_at_once_do_not_wait_for_each_other(service: Service) -> None:
    for _ in range(5):
        one, other = await person(service), await person(service)
        request = (await ask(service, one, other)).body["request_id"]
        await do(service, other, "POST", f"/v1/friend-requests/{request}/accept")
        for by, whom in ((one, other), (other, one)):
            await do(service, by, "PUT", f"/v1/users/me/follows/{id_of(whom)}")
        answers = await asyncio.gather(*(do(service, each, "DELETE", "/v1/users/me") for each in (one, other)))
        assert [each.status for each in answers] == [204, 204]
        assert await relations_of(service, id_of(one)) == 0
