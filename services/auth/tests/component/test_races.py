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
from auth_testing.people import new_person
from auth_testing.service import PASSWORD, Service

pytestmark = pytest.mark.component

LIMIT = 2


async def taken(service: Service, kind: RelationKind) -> int:
    """How many of six at once are let through where two may be."""
    one, *others = [await new_person(service) for _ in range(7)]
    if kind is RelationKind.FRIEND:
        requests = [(await each.ask(one)).body["request_id"] for each in others]
        answers = [one.accept(each) for each in requests]
    else:
        answers = [one.do("PUT", f"/v1/users/me/{kind}s/{each.id}") for each in others]
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
    owner = await new_person(service)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with service.app.database.begin() as conn:
        await conn.execute("UPDATE user_account SET password_hash = $2 WHERE id = $1", owner.id, weak)
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
    answers = await asyncio.gather(*(service.sign_in(owner.signed["user"]["email"]) for _ in range(2)))
    statuses = sorted(each.status for each in answers)
    assert statuses == ([201, 201] if again else [201, 401])


async def test_a_change_of_password_from_a_session_that_was_ended_meanwhile(service: Service) -> None:
    """Signed out everywhere while the new password is hashed: the change is refused, in the ended session too."""
    for _ in range(3):
        owner = await new_person(service)
        body = {"current_password": PASSWORD, "new_password": "teh tarik kurang manis"}
        changed, left = await asyncio.gather(
            owner.do("PUT", "/v1/users/me/password", body),
            owner.do("DELETE", "/v1/sessions?scope=all"),
        )
        assert left.status == 200
        assert changed.status in {204, 401, 412}
        password = "teh tarik kurang manis" if changed.status == 204 else PASSWORD
        assert (await service.sign_in(owner.signed["user"]["email"], password)).status == 201
        refreshed = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": owner.signed["refresh_token"]})
        assert refreshed.status == 401
