"""What is read, decided and written: nobody gets past a limit or is refused by mistake when two do it at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from argon2 import PasswordHasher

from auth.adapters.relation_store import RelationStore
from auth.adapters.user_store import UserStore
from auth.domain import relation
from auth.domain.relation import RelationKind
from auth_testing.service import PASSWORD, Answer, Service

pytestmark = pytest.mark.component

LIMIT = 2


async def do(service: Service, by: dict[str, Any], method: str, path: str, body: Any = None) -> Answer:
    return await service.call(method, path, body, token=by["access_token"])


def id_of(signed: dict[str, Any]) -> str:
    return str(signed["user"]["user_id"])


async def befriended(service: Service, one: dict[str, Any], others: list[dict[str, Any]]) -> list[str]:
    """Requests of all the others that wait for one."""
    asked = [await do(service, each, "POST", "/v1/friend-requests", {"user_id": id_of(one)}) for each in others]
    return [each.body["request_id"] for each in asked]


async def taken(service: Service, kind: RelationKind) -> int:
    """How many of six at once are let through where two may be."""
    one, *others = [await service.sign_up() for _ in range(7)]
    if kind is RelationKind.FRIEND:
        requests = await befriended(service, one, others)
        answers = [do(service, one, "POST", f"/v1/friend-requests/{each}/accept") for each in requests]
    else:
        answers = [do(service, one, "PUT", f"/v1/users/me/{kind}s/{id_of(each)}") for each in others]
    statuses = [each.status for each in await asyncio.gather(*answers)]
    assert set(statuses) <= {200, 204, 409}
    return sum(status < 300 for status in statuses)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relation, "LIMITS", dict.fromkeys(RelationKind, LIMIT))


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("kind", list(RelationKind))
async def test_limits_hold_under_a_race(service: Service, kind: RelationKind) -> None:
    assert await taken(service, kind) == LIMIT


@pytest.mark.usefixtures("small_limits")
async def test_control_without_holding_who_counts_they_do_not(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, all_have_counted = RelationStore.count, asyncio.Barrier(6)

    async def lock_people(*_: Any) -> bool:
        return True

    async def together(store: RelationStore, *which: Any) -> int:
        found = await count(store, *which)
        await all_have_counted.wait()
        return found

    monkeypatch.setattr(RelationStore, "lock_people", lock_people)
    monkeypatch.setattr(RelationStore, "count", together)
    assert await taken(service, RelationKind.FOLLOW) == 6


@pytest.mark.parametrize("again", [True, False])
async def test_two_sign_ins_that_both_hash_anew_both_get_in(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, again: bool
) -> None:
    """The parameters of the hash were raised; a person opens two devices. The control: what is found is not looked at
    once more."""
    signed = await service.sign_up()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with service.app.database.begin() as conn:
        await conn.execute("UPDATE user_account SET password_hash = $2 WHERE id = $1", id_of(signed), weak)
    rehash, share, both = UserStore.rehash, UserStore.share, asyncio.Barrier(2)

    async def together(store: UserStore, *which: Any) -> None:
        await asyncio.wait_for(both.wait(), 10)
        await rehash(store, *which)

    monkeypatch.setattr(UserStore, "rehash", together)
    if not again:

        async def other_version(store: UserStore, user_id: Any) -> Any:
            user = await share(store, user_id)
            object.__setattr__(user, "token_version", -1)
            return user

        monkeypatch.setattr(UserStore, "share", other_version)
    answers = await asyncio.gather(*(service.sign_in(signed["user"]["email"]) for _ in range(2)))
    statuses = sorted(each.status for each in answers)
    assert statuses == ([201, 201] if again else [201, 401])


async def test_a_change_of_password_from_a_session_that_was_ended_meanwhile(service: Service) -> None:
    """Signed out everywhere while the new password is hashed: the change is refused, in the ended session too."""
    for _ in range(3):
        signed = await service.sign_up()
        body = {"current_password": PASSWORD, "new_password": "teh tarik kurang manis"}
        changed, left = await asyncio.gather(
            do(service, signed, "PUT", "/v1/users/me/password", body),
            do(service, signed, "DELETE", "/v1/sessions?scope=all"),
        )
        assert left.status == 200
        assert changed.status in {204, 401, 412}
        password = "teh tarik kurang manis" if changed.status == 204 else PASSWORD
        assert (await service.sign_in(signed["user"]["email"], password)).status == 201
        refreshed = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": signed["refresh_token"]})
        assert refreshed.status == 401
