"""Signing up, by e-mail and by phone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from auth_testing.service import PASSWORD, Service, new_email, new_phone

pytestmark = pytest.mark.component


async def test_by_email(service: Service) -> None:
    email = new_email()
    answer = await service.call(
        "POST",
        "/v1/users",
        {"email": email.upper(), "password": PASSWORD, "name": " Mai  Linh ", "country": "VN", "locale": "en-US"},
    )
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    signed, user = answer.body, answer.body["user"]
    assert (user["email"], user["name"], user["country"]) == (email, "Mai Linh", "VN")
    assert (user["locale"], user["time_zone"]) == ("en-US", "Asia/Ho_Chi_Minh")
    assert (user["roles"], user["kyc_tier"], user["email_verified"]) == (["user"], 1, False)
    assert (signed["token_type"], signed["expires_in_s"]) == ("Bearer", 900)
    me = await service.call("GET", "/v1/users/me", token=signed["access_token"])
    assert me.body == user
    assert await service.events_of(user["user_id"]) == ["UserRegistered", "SessionStarted"]
    assert await service.code_of(signed["email_verification"]["otp_id"])


async def test_nothing_secret_is_kept_readable(service: Service) -> None:
    signed = await service.sign_up()
    user_id = signed["user"]["user_id"]
    row = await service.fetchval("SELECT password_hash FROM user_account WHERE id = $1", user_id)
    assert row.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    code = await service.code_of(signed["email_verification"]["otp_id"])
    kept = await service.fetchval(
        "SELECT code_hash FROM one_time_code WHERE id = $1", signed["email_verification"]["otp_id"]
    )
    assert code is not None
    assert code.encode() not in kept
    everything = await service.fetchval("SELECT string_agg(s::text, '') FROM session s WHERE user_id = $1", user_id)
    assert signed["refresh_token"] not in everything


async def test_an_address_has_one_account_whatever_its_case(service: Service) -> None:
    email = new_email()
    await service.sign_up(email=email)
    again = await service.call(
        "POST", "/v1/users", {"email": email.title(), "password": PASSWORD, "name": "Other", "country": "SG"}
    )
    assert (again.status, again.code) == (409, "auth.user.email_taken")


async def test_of_twenty_at_once_one_gets_the_address(service: Service) -> None:
    body = {"email": new_email(), "password": PASSWORD, "name": "Mai", "country": "VN"}
    answers = await asyncio.gather(*(service.call("POST", "/v1/users", body) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19


async def request_code(service: Service, phone: str, purpose: str = "sign_up") -> dict[str, str]:
    answer = await service.call("POST", "/v1/otp", {"phone": phone, "purpose": purpose})
    assert answer.status == 202
    otp_id = answer.body["otp_id"]
    return {"otp_id": otp_id, "code": await service.code_of(otp_id) or "000000"}


async def test_by_phone_with_a_code(service: Service) -> None:
    phone = new_phone()
    otp = await request_code(service, phone)
    signed = await service.sign_up(email=None, phone=phone, otp=otp, password=None, country="TH")
    assert (signed["user"]["phone"], signed["user"]["phone_verified"]) == (phone, True)
    assert signed["email_verification"] is None
    again = await service.call("POST", "/v1/users", {"phone": phone, "otp": otp, "name": "Somchai", "country": "TH"})
    assert (again.status, again.code) == (422, "auth.otp.refused")


async def test_a_phone_without_a_code_is_refused(service: Service) -> None:
    answer = await service.call("POST", "/v1/users", {"phone": new_phone(), "name": "Somchai", "country": "TH"})
    assert (answer.status, answer.code) == (422, "auth.otp.refused")


async def test_a_code_proves_only_the_number_it_was_sent_to(service: Service) -> None:
    otp = await request_code(service, new_phone())
    answer = await service.call(
        "POST", "/v1/users", {"phone": new_phone(), "otp": otp, "name": "Somchai", "country": "TH"}
    )
    assert (answer.status, answer.code) == (422, "auth.otp.refused")


async def test_a_code_to_sign_in_is_none_to_sign_up(service: Service) -> None:
    phone = new_phone()
    otp = await request_code(service, phone)
    await service.sign_up(email=None, phone=phone, otp=otp, country="TH")
    sign_in = await request_code(service, phone, "sign_in")
    answer = await service.call(
        "POST", "/v1/users", {"phone": phone, "otp": sign_in, "name": "Somchai", "country": "TH"}
    )
    assert answer.code == "auth.otp.refused"


async def test_a_refused_sign_up_does_not_burn_the_code(service: Service) -> None:
    phone = new_phone()
    otp = await request_code(service, phone)
    bad = await service.call("POST", "/v1/users", {"phone": phone, "otp": otp, "name": "x", "country": "TH"})
    assert bad.code == "auth.user.name_refused"
    await service.sign_up(email=None, phone=phone, otp=otp, country="TH")


GOOD: dict[str, Any] = {"email": "x@example.com", "password": PASSWORD, "name": "Mai Linh", "country": "VN"}


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"email": None}, "auth.user.contact_missing", "/email"),
        ({"phone": "+66812345678"}, "auth.contact.ambiguous", "/phone"),
        ({"email": "nonsense"}, "auth.email.refused", "/email"),
        ({"email": 5}, "request.body.invalid", "/email"),
        ({"email": "a\u0000@example.com"}, None, "/email"),
        ({"email": None, "phone": "0812345678"}, "auth.phone.refused", "/phone"),
        ({"email": None, "phone": "+12025550123"}, "auth.phone.refused", "/phone"),
        ({"password": None}, "auth.password.missing", "/password"),
        ({"password": "short"}, "auth.password.too_short", "/password"),
        ({"password": "password123"}, "auth.password.too_common", "/password"),
        ({"password": "ab1" * 43}, "auth.password.too_long", "/password"),
        ({"password": ["x"]}, "request.body.invalid", "/password"),
        ({"name": "x"}, "auth.user.name_refused", "/name"),
        ({"name": "x" * 101}, "auth.user.name_refused", "/name"),
        ({"name": "Mai\u202eLinh"}, "request.body.invalid", "/name"),
        ({"name": "Mai\ud800Linh"}, None, None),
        ({"country": "US"}, "request.body.invalid", "/country"),
        ({"locale": "xx-XX"}, "auth.locale.unknown", "/locale"),
        ({"time_zone": "Mars/Olympus"}, "auth.time_zone.unknown", "/time_zone"),
        ({"roles": ["admin"]}, "request.body.invalid", "/roles"),
        ({"otp": {"otp_id": "x", "code": "123456"}}, "request.body.invalid", "/otp/otp_id"),
        (
            {"otp": {"otp_id": "0198a0b0-0000-7000-8000-000000000000", "code": "12"}},
            "request.body.invalid",
            "/otp/code",
        ),
    ],
)
async def test_bad_input_writes_nothing(
    service: Service, change: dict[str, Any], code: str | None, pointer: str | None
) -> None:
    before = await service.fetchval("SELECT count(*) FROM user_account")
    body = {name: value for name, value in (GOOD | change).items() if value is not None}
    answer = await service.call("POST", "/v1/users", body)
    assert answer.status in {400, 422}
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    if code:
        assert answer.code == code
    if pointer:
        assert pointer in [error["pointer"] for error in answer.body["errors"]]
    assert await service.fetchval("SELECT count(*) FROM user_account") == before


async def test_email_is_verified_by_its_code_once(service: Service) -> None:
    signed = await service.sign_up()
    token, otp_id = signed["access_token"], signed["email_verification"]["otp_id"]
    path = f"/v1/users/me/email-verifications/{otp_id}/complete"
    wrong = await service.call("POST", path, {"code": "000000"}, token=token)
    assert wrong.code == "auth.otp.refused"
    code = await service.code_of(otp_id)
    other = await service.sign_up()
    stolen = await service.call("POST", path, {"code": code}, token=other["access_token"])
    assert stolen.code == "auth.otp.refused"
    done = await service.call("POST", path, {"code": code}, token=token)
    assert (done.status, done.body["email_verified"]) == (200, True)
    again = await service.call("POST", path, {"code": code}, token=token)
    assert again.code == "auth.otp.refused"


async def test_another_code_for_the_address_can_be_asked_for(service: Service) -> None:
    signed = await service.sign_up()
    answer = await service.call("POST", "/v1/users/me/email-verifications", token=signed["access_token"])
    assert answer.status == 202
    assert await service.code_of(answer.body["otp_id"])
