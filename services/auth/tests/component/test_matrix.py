"""Every route: without a token, with a forged one, with another person's object, with bad bodies.

The table is checked against the routes themselves: a new route without a line here fails.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from auth.__main__ import SERVICE
from auth.domain.ids import UserId
from auth.domain.roles import Role
from auth.usecases.grant_role import GrantRole, grant_role
from auth_testing.service import Service
from testkit.forged import forged_tokens, forgeries
from testkit.issuer import TokenIssuer

pytestmark = pytest.mark.component

PUBLIC = {
    "POST /v1/users",
    "POST /v1/otp",
    "POST /v1/sessions",
    "POST /v1/sessions/refresh",
    "POST /v1/password-resets",
    "POST /v1/password-resets/{otp_id}/complete",
    "GET /.well-known/jwks.json",
}
SIGNED_IN = {
    "GET /v1/users/me",
    "PATCH /v1/users/me",
    "DELETE /v1/users/me",
    "GET /v1/users/me/settings",
    "PATCH /v1/users/me/settings",
    "PUT /v1/users/me/password",
    "POST /v1/users/me/email-verifications",
    "POST /v1/users/me/email-verifications/{otp_id}/complete",
    "GET /v1/users/{user_id}",
    "GET /v1/sessions",
    "DELETE /v1/sessions",
    "DELETE /v1/sessions/current",
    "DELETE /v1/sessions/{session_id}",
    "POST /v1/friend-requests",
    "GET /v1/friend-requests",
    "DELETE /v1/friend-requests/{request_id}",
    "POST /v1/friend-requests/{request_id}/accept",
    "POST /v1/friend-requests/{request_id}/decline",
    "GET /v1/users/me/friends",
    "DELETE /v1/users/me/friends/{user_id}",
    "GET /v1/users/me/friend-suggestions",
    "GET /v1/users/me/blocks",
    "PUT /v1/users/me/blocks/{user_id}",
    "DELETE /v1/users/me/blocks/{user_id}",
    "GET /v1/users/me/follows",
    "PUT /v1/users/me/follows/{user_id}",
    "DELETE /v1/users/me/follows/{user_id}",
    "GET /v1/users/me/followers",
}


TAKE_BODIES = {"POST", "PUT", "PATCH"}
FOR_ROLES = {"GET /v1/ops/auth/outbox": {"ops", "admin"}, "GET /v1/ops/auth/acts": {"ops", "admin"}}


def path_of(name: str) -> tuple[str, str]:
    method, path = name.split(" ")
    for placeholder in ("{otp_id}", "{user_id}", "{session_id}", "{request_id}"):
        path = path.replace(placeholder, str(uuid.uuid4()))
    return method, path


def test_the_table_has_every_route() -> None:
    named = {route.name: route.auth for routes in SERVICE.routes for route in routes}
    assert {name for name, auth in named.items() if auth == "public"} == PUBLIC
    assert {name for name, auth in named.items() if auth == "user"} == SIGNED_IN
    by_role = {name: set(auth.names) for name, auth in named.items() if not isinstance(auth, str)}
    assert by_role == FOR_ROLES
    assert len(named) == len(PUBLIC) + len(SIGNED_IN) + len(FOR_ROLES)


@pytest.mark.parametrize("name", sorted(FOR_ROLES))
@pytest.mark.parametrize("role", [role.value for role in Role])
async def test_roles_open_what_they_should(service: Service, name: str, role: str) -> None:
    signed = await service.sign_up()
    async with service.app.begin() as tx:
        await grant_role(GrantRole(user_id=UserId(uuid.UUID(signed["user"]["user_id"])), role=Role(role)), tx)
    fresh = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": signed["refresh_token"]})
    method, path = path_of(name)
    answer = await service.call(method, path, token=fresh.body["access_token"])
    assert answer.status == (200 if role in FOR_ROLES[name] else 403)


@pytest.mark.parametrize("name", sorted(SIGNED_IN | FOR_ROLES.keys()))
async def test_without_a_token_nobody_gets_in(service: Service, name: str) -> None:
    method, path = path_of(name)
    answer = await service.call(method, path)
    assert (answer.status, answer.code) == (401, "auth.token.missing")
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("name", sorted(name for name in SIGNED_IN | PUBLIC if name.split()[0] in TAKE_BODIES))
@pytest.mark.parametrize("body", [None, [], "x", 5, {"unknown": True}, {"email": {"a": 1}}, {"code": None}])
async def test_bad_bodies_are_told_apart_from_faults(service: Service, name: str, body: Any) -> None:
    method, path = path_of(name)
    token = (await service.sign_up())["access_token"] if name in SIGNED_IN else None
    answer = await service.call(method, path, body, token=token)
    without_body = name == "POST /v1/users/me/email-verifications" and body is None
    assert 200 <= answer.status < 300 if without_body else 400 <= answer.status < 500
    if not without_body:
        assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_another_persons_session_is_not_there(service: Service) -> None:
    mallory, victim = await service.sign_up(), await service.sign_up()
    answer = await service.call("DELETE", f"/v1/sessions/{victim['session_id']}", token=mallory["access_token"])
    assert (answer.status, answer.code) == (404, "auth.session.not_found")
    assert (await service.call("GET", "/v1/users/me", token=victim["access_token"])).status == 200
    listed = (await service.call("GET", "/v1/sessions", token=mallory["access_token"])).body["items"]
    assert victim["session_id"] not in [each["session_id"] for each in listed]


async def test_another_persons_cursor_shows_ones_own(service: Service) -> None:
    mallory, victim = await service.sign_up(), await service.sign_up()
    await service.sign_in(victim["user"]["email"])
    page = (await service.call("GET", "/v1/sessions?limit=1", token=victim["access_token"])).body
    stolen = await service.call("GET", f"/v1/sessions?cursor={page['next_cursor']}", token=mallory["access_token"])
    assert victim["session_id"] not in str(stolen.body)


async def test_row_policies_are_a_second_wall(service: Service) -> None:
    """A forgotten WHERE shows one's own rows only."""
    mallory, _ = await service.sign_up(), await service.sign_up()
    own_id = uuid.UUID(mallory["user"]["user_id"])
    async with service.app.database.read(user_id=own_id) as conn:
        assert {row["id"] for row in await conn.fetch("SELECT id FROM user_account")} == {own_id}
        assert {row["user_id"] for row in await conn.fetch("SELECT user_id FROM session")} == {own_id}
        assert {row["user_id"] for row in await conn.fetch("SELECT user_id FROM password_history")} == {own_id}


async def test_forged_tokens_are_refused(service: Service) -> None:
    """Also those signed with the true key, so that only the rule itself can refuse them."""
    signed = await service.sign_up()
    keys = (await service.call("GET", "/.well-known/jwks.json")).body
    forged = forged_tokens(signed["access_token"], keys)
    true_key = TokenIssuer(kid=keys["keys"][0]["kid"])
    async with service.app.begin() as tx:
        true_key.private_key = (await tx.signing_keys.private_keys())[true_key.kid]
    user_id = uuid.UUID(signed["user"]["user_id"])
    control = await service.call("GET", "/v1/users/me", token=true_key.token_for(user_id))
    assert control.status == 200
    forged |= {f"true key: {name}": token for name, token in forgeries(true_key, user_id).items()}
    assert len(forged) >= 120
    for name, token in forged.items():
        answer = await service.call("GET", "/v1/users/me", token=token)
        too_long_a_header = answer.status == 400 and len(token) > 8000
        assert answer.status == 401 or too_long_a_header, name


@pytest.mark.parametrize("user_id", ["me2", "1", "0198a0b0-0000-7000-8000-00000000000", "%00", "..%2f..%2fetc"])
async def test_malformed_ids_are_not_found(service: Service, user_id: str) -> None:
    token = (await service.sign_up())["access_token"]
    assert (await service.call("GET", f"/v1/users/{user_id}", token=token)).status in {400, 404}


async def test_other_methods_are_told_what_is_allowed(service: Service) -> None:
    answer = await service.call("DELETE", "/v1/otp")
    assert (answer.status, answer.code) == (405, "request.method.not_allowed")
    assert "POST" in answer.headers["Allow"]
