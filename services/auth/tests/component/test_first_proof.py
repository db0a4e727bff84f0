"""AUTH-12: who registered somebody else's address keeps nothing to sign in with once the owner proves it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from auth.adapters.argon2_gateway import Argon2Hasher
from auth.adapters.user_store import UserStore
from auth.domain.ids import SessionId, UserId
from auth.domain.otp import ENDINGS_UNPROVED_MAX
from auth.usecases import prove_contact
from auth_testing.service import PASSWORD, Service, claims_of, new_email
from chassis import redis as chassis_redis
from chassis.tokens import Revocations
from sampan.auth.v1.user_pb2 import UserAccessReset, UserProfileChanged, UserRegistered
from testkit.serving import Answered

pytestmark = pytest.mark.component

OWNERS = "words of the owner 22"


async def ask(service: Service, path: str, body: dict[str, Any], **more: Any) -> tuple[str, str | None]:
    answer = await service.call("POST", path, body, **more)
    assert answer.status == 202, answer.body
    return answer.body["otp_id"], await service.code_of(answer.body["otp_id"])


async def sign_in_by_code(service: Service, contact: dict[str, str]) -> Answered:
    otp_id, code = await ask(service, "/v1/otp", contact | {"purpose": "sign_in"})
    return await service.call("POST", "/v1/sessions", {"method": "otp", "otp": {"otp_id": otp_id, "code": code}})


async def reset(service: Service, otp_id: str, code: str | None, new: str = OWNERS) -> Answered:
    return await service.call("POST", f"/v1/password-resets/{otp_id}/complete", {"code": code, "new_password": new})


async def verify(service: Service, otp_id: str, code: str | None, token: str) -> Answered:
    return await service.call(
        "POST", f"/v1/users/me/email-verifications/{otp_id}/complete", {"code": code}, token=token
    )


async def refreshes(service: Service, signed: dict[str, Any]) -> bool:
    answer = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": signed["refresh_token"]})
    return answer.status == 200


async def stranger_keeps(
    service: Service, stranger: dict[str, Any], waiting: dict[str, tuple[str, str | None]]
) -> set[str]:
    """What of the stranger's still works. ``waiting``: codes that were asked for before the proof."""
    kept = set()
    if await refreshes(service, stranger):
        kept.add("refresh token")
    if (await service.call("GET", "/v1/sessions", token=stranger["access_token"])).status == 200:
        # What every service asks is in Redis; this process reads it every second.
        await service.app.revocations.refresh()
        if (await service.call("GET", "/v1/sessions", token=stranger["access_token"])).status == 200:
            kept.add("access token")
    if (await service.sign_in(stranger["user"]["email"])).status == 201:
        kept.add("password")
    if (await reset(service, *waiting["reset"], "words of a thief 333")).status != 422:
        kept.add("reset code")
    otp_id, code = waiting["sign_in"]
    by_code = await service.call("POST", "/v1/sessions", {"method": "otp", "otp": {"otp_id": otp_id, "code": code}})
    if by_code.status != 422:
        kept.add("sign-in code")
    return kept


async def registered_by_a_stranger(service: Service) -> tuple[dict[str, Any], dict[str, tuple[str, str | None]]]:
    stranger = await service.sign_up()
    contact = {"email": stranger["user"]["email"]}
    waiting = {
        "reset": await ask(service, "/v1/password-resets", contact),
        "sign_in": await ask(service, "/v1/otp", contact | {"purpose": "sign_in"}),
    }
    return stranger, waiting


async def told_of_proof(service: Service, user_id: str) -> list[bool]:
    """Whether the address was proved, each time others were told of the person."""
    async with service.app.database.read() as conn:
        rows = await conn.fetch("SELECT type, body FROM outbox WHERE key = $1 ORDER BY id", user_id)
    kinds = {kind.DESCRIPTOR.full_name: kind for kind in (UserRegistered, UserProfileChanged)}
    return [kinds[row["type"]].FromString(row["body"]).email_verified for row in rows if row["type"] in kinds]


async def told_epochs(service: Service, user_id: str) -> list[int]:
    async with service.app.database.read() as conn:
        rows = await conn.fetch("SELECT type, body FROM outbox WHERE key = $1 ORDER BY id", user_id)
    told = [UserAccessReset.FromString(row["body"]) for row in rows if row["type"].endswith(".UserAccessReset")]
    return [each.access_epoch for each in told]


async def test_a_code_to_sign_in_proves_the_address_and_ends_what_was_before(service: Service) -> None:
    stranger, waiting = await registered_by_a_stranger(service)
    owner = await sign_in_by_code(service, {"email": stranger["user"]["email"]})
    assert (owner.status, owner.body["user"]["email_verified"]) == (201, True)
    assert await stranger_keeps(service, stranger, waiting) == set()
    assert await refreshes(service, owner.body)
    kept = await service.fetchval(
        "SELECT count(*) FROM password_history WHERE user_id = $1", owner.body["user"]["user_id"]
    )
    assert kept == 0
    events = await service.events_of(owner.body["user"]["user_id"])
    assert events.count("UserAccessReset") == 1
    assert await told_of_proof(service, owner.body["user"]["user_id"]) == [False, True]
    assert await told_epochs(service, owner.body["user"]["user_id"]) == [1]
    said = [claims_of(each["access_token"])["access_epoch"] for each in (stranger, owner.body)]
    assert said == [0, 1], "services tell the stranger's tokens from the owner's by it"


async def test_a_reset_proves_the_address_and_the_owners_password_is_the_only_one(service: Service) -> None:
    stranger, waiting = await registered_by_a_stranger(service)
    email = stranger["user"]["email"]
    # The stranger's own password is not told as "used before".
    assert (await reset(service, *await ask(service, "/v1/password-resets", {"email": email}), PASSWORD)).status == 204
    other = await registered_by_a_stranger(service)
    assert (await reset(service, *other[1].pop("reset"))).status == 204
    signed = await service.sign_in(other[0]["user"]["email"], OWNERS)
    assert (signed.status, signed.body["user"]["email_verified"]) == (201, True)
    assert not await refreshes(service, other[0])
    assert (await service.sign_in(other[0]["user"]["email"])).status == 401
    assert (await reset(service, *waiting["reset"])).code == "auth.otp.refused"


async def test_verifying_within_a_session_keeps_it_and_ends_the_others(service: Service) -> None:
    signed = await service.sign_up()
    email, token = signed["user"]["email"], signed["access_token"]
    elsewhere = (await service.sign_in(email)).body
    waiting = await ask(service, "/v1/password-resets", {"email": email})
    otp_id = signed["email_verification"]["otp_id"]
    done = await verify(service, otp_id, await service.code_of(otp_id), token)
    assert (done.status, done.body["email_verified"]) == (200, True)
    assert await refreshes(service, signed)
    assert claims_of((await service.sign_in(email)).body["access_token"])["access_epoch"] == 0
    assert "UserAccessReset" not in await service.events_of(signed["user"]["user_id"])
    assert await told_of_proof(service, signed["user"]["user_id"]) == [False, True]
    assert not await refreshes(service, elsewhere)
    assert (await reset(service, *waiting)).code == "auth.otp.refused"
    assert (await service.sign_in(email)).status == 201


async def test_a_second_proof_ends_nothing(service: Service) -> None:
    signed = await service.sign_up()
    email = signed["user"]["email"]
    otp_id = signed["email_verification"]["otp_id"]
    await verify(service, otp_id, await service.code_of(otp_id), signed["access_token"])
    assert (await sign_in_by_code(service, {"email": email})).status == 201
    assert "UserAccessReset" not in await service.events_of(signed["user"]["user_id"])
    assert await told_of_proof(service, signed["user"]["user_id"]) == [False, True]
    assert await refreshes(service, signed)
    assert (await service.sign_in(email)).status == 201


async def test_a_number_that_was_never_proved(service: Service) -> None:
    """None is made today; the rule is the same."""
    stranger = await service.sign_up()
    user_id = uuid.UUID(stranger["user"]["user_id"])
    phone = f"+6681{user_id.int % 10**7:07d}"
    async with service.app.database.begin() as conn:
        await conn.execute("UPDATE user_account SET email = NULL, phone_e164 = $2 WHERE id = $1", user_id, phone)
    owner = await sign_in_by_code(service, {"phone": phone})
    assert (owner.status, owner.body["user"]["phone_verified"]) == (201, True)
    assert not await refreshes(service, stranger)


async def test_control_without_the_rule_the_stranger_keeps_it_all(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove_contact.users, "is_proved", lambda *_: True)
    stranger, waiting = await registered_by_a_stranger(service)
    await sign_in_by_code(service, {"email": stranger["user"]["email"]})
    assert {"refresh token", "access token", "password"} <= await stranger_keeps(service, stranger, waiting)


async def test_the_networks_the_stranger_was_known_from_are_forgotten(service: Service) -> None:
    signed = await service.call(
        "POST",
        "/v1/users",
        {"email": new_email(), "password": PASSWORD, "name": "Mai Linh", "country": "VN"},
        X_Forwarded_For="203.0.113.7",
    )
    await sign_in_by_code(service, {"email": signed.body["user"]["email"]})
    user_id = UserId(uuid.UUID(signed.body["user"]["user_id"]))
    networks = await service.fetchval("SELECT array_agg(host(network)) FROM known_network WHERE user_id = $1", user_id)
    assert networks == ["127.0.0.1"]


async def test_every_service_refuses_the_strangers_session(service: Service, redis_url: str) -> None:
    stranger = await service.sign_up()
    await sign_in_by_code(service, {"email": stranger["user"]["email"]})
    redis = chassis_redis.connect(redis_url)
    elsewhere = Revocations(redis)
    await elsewhere.refresh()
    await redis.aclose()
    assert elsewhere.is_revoked(SessionId(uuid.UUID(stranger["session_id"])))


@pytest.mark.parametrize("looks_again", [True, False])
async def test_a_sign_in_under_way_does_not_outlive_the_proof(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, looks_again: bool
) -> None:
    """The stranger's password is being verified while the owner proves the address. The control: what the person is
    after that is not looked at."""
    stranger = await service.sign_up()
    contact = {"email": stranger["user"]["email"]}
    verify_password, proofs = Argon2Hasher.verify, []

    async def verify_while_proved(hasher: Argon2Hasher, *which: Any) -> bool:
        matches = await verify_password(hasher, *which)
        if not proofs:
            proofs.append(None)
            before = await find(UserId(uuid.UUID(stranger["user"]["user_id"])))
            proofs[0] = (await sign_in_by_code(service, contact), before)
        return matches

    async def find(user_id: UserId) -> Any:
        async with service.app.begin() as tx:
            return await tx.users.find(user_id)

    share = UserStore.share
    monkeypatch.setattr(Argon2Hasher, "verify", verify_while_proved)
    if not looks_again:

        async def as_before(store: UserStore, user_id: UserId) -> Any:
            await share(store, user_id)
            return proofs[0][1]

        monkeypatch.setattr(UserStore, "share", as_before)
    answer = await service.sign_in(contact["email"])
    assert proofs[0][0].status == 201
    assert answer.status == (401 if looks_again else 201)


@pytest.mark.parametrize("purpose", ["sign_in", "reset"])
async def test_a_stranger_keeps_no_owner_from_proving_the_address(service: Service, purpose: str) -> None:
    """Of all they do, the first few acts alone end codes that were sent to the owner."""
    stranger = await service.sign_up()
    contact = {"email": stranger["user"]["email"]}
    for _ in range(ENDINGS_UNPROVED_MAX):
        await service.call("DELETE", "/v1/sessions?scope=all", token=stranger["access_token"])
        stranger = (await service.sign_in(contact["email"])).body
    path = "/v1/otp" if purpose == "sign_in" else "/v1/password-resets"
    otp_id, code = await ask(service, path, contact | ({"purpose": "sign_in"} if purpose == "sign_in" else {}))
    assert (await service.call("DELETE", "/v1/sessions?scope=all", token=stranger["access_token"])).status == 200
    again = (await service.sign_in(contact["email"])).body
    body = {"current_password": PASSWORD, "new_password": "another of a thief 333"}
    changed = await service.call("PUT", "/v1/users/me/password", body, token=again["access_token"])
    assert changed.status == 204, changed.body
    if purpose == "sign_in":
        by_code = {"method": "otp", "otp": {"otp_id": otp_id, "code": code}}
        assert (await service.call("POST", "/v1/sessions", by_code)).status == 201
    else:
        assert (await reset(service, otp_id, code)).status == 204
    assert not await refreshes(service, again)
    assert (await service.sign_in(contact["email"], "another of a thief 333")).status == 401


async def test_once_proved_what_its_person_does_ends_waiting_codes(service: Service) -> None:
    signed = await service.sign_up()
    contact = {"email": signed["user"]["email"]}
    owner = (await sign_in_by_code(service, contact)).body
    otp_id, code = await ask(service, "/v1/otp", contact | {"purpose": "sign_in"})
    assert (await service.call("DELETE", "/v1/sessions?scope=all", token=owner["access_token"])).status == 200
    by_code = await service.call("POST", "/v1/sessions", {"method": "otp", "otp": {"otp_id": otp_id, "code": code}})
    assert by_code.status == 422
