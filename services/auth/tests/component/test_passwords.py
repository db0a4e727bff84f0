"""Changing and resetting passwords."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auth_testing.service import PASSWORD, Service, new_email
from testkit.serving import Answered

pytestmark = pytest.mark.component

NEW = "teh tarik kurang manis"


async def change(service: Service, token: str, current: str | None, new: str) -> Answered:
    return await service.call(
        "PUT", "/v1/users/me/password", {"current_password": current, "new_password": new}, token=token
    )


async def test_change_ends_the_other_sessions_and_keeps_this_one(service: Service) -> None:
    signed = await service.sign_up()
    email = signed["user"]["email"]
    other = (await service.sign_in(email)).body
    assert (await change(service, signed["access_token"], PASSWORD, NEW)).status == 204
    here = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": signed["refresh_token"]})
    there = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": other["refresh_token"]})
    assert (here.status, there.status) == (200, 401)
    assert (await service.sign_in(email, PASSWORD)).status == 401
    assert (await service.sign_in(email, NEW)).status == 201


async def test_change_needs_the_old_one(service: Service) -> None:
    signed = await service.sign_up()
    for wrong in (None, "", "not it at all"):
        answer = await change(service, signed["access_token"], wrong, NEW)
        assert (answer.status, answer.code) == (401, "auth.credentials.invalid")
    assert (await service.sign_in(signed["user"]["email"], PASSWORD)).status == 201


async def test_the_last_five_are_refused(service: Service) -> None:
    signed = await service.sign_up()
    token, current = signed["access_token"], PASSWORD
    for n in range(5):
        new = f"kopi-o number {n} of many"
        assert (await change(service, token, current, new)).status == 204
        current = new
    for n in range(5):
        refused = await change(service, token, current, f"kopi-o number {n} of many")
        assert (refused.status, refused.code) == (409, "auth.password.used_before")
    assert (await change(service, token, current, PASSWORD)).status == 204
    kept = await service.fetchval("SELECT count(*) FROM password_history WHERE user_id = $1", signed["user"]["user_id"])
    assert kept == 5


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "auth.password.too_short"),
        ("x1" * 65, "auth.password.too_long"),
        ("password1", "auth.password.too_common"),
    ],
)
async def test_a_bad_new_one_changes_nothing(service: Service, new: str, code: str) -> None:
    signed = await service.sign_up()
    answer = await change(service, signed["access_token"], PASSWORD, new)
    assert (answer.status, answer.code) == (422, code)
    assert answer.body["errors"][0]["pointer"] == "/new_password"
    assert (await service.sign_in(signed["user"]["email"])).status == 201


async def ask_reset(service: Service, email: str) -> tuple[str, str | None]:
    answer = await service.call("POST", "/v1/password-resets", {"email": email})
    assert answer.status == 202
    return answer.body["otp_id"], await service.code_of(answer.body["otp_id"])


async def complete(service: Service, otp_id: str, code: str | None, new: str = NEW) -> Answered:
    return await service.call("POST", f"/v1/password-resets/{otp_id}/complete", {"code": code, "new_password": new})


async def test_reset_once_and_every_session_ends(service: Service) -> None:
    signed = await service.sign_up()
    email = signed["user"]["email"]
    otp_id, code = await ask_reset(service, email)
    assert code is not None
    assert len(code) == 8
    assert (await complete(service, otp_id, code)).status == 204
    assert (await complete(service, otp_id, code, "another new password")).code == "auth.otp.refused"
    refreshed = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": signed["refresh_token"]})
    assert refreshed.status == 401
    assert (await service.sign_in(email, NEW)).status == 201
    assert (await service.sign_in(email, PASSWORD)).status == 401


async def test_reset_for_a_stranger_answers_alike_and_sends_nothing(service: Service) -> None:
    otp_id, code = await ask_reset(service, new_email())
    assert code is None
    assert (await complete(service, otp_id, "12345678")).code == "auth.otp.refused"


async def test_a_reset_code_signs_nobody_in(service: Service) -> None:
    signed = await service.sign_up()
    otp_id, code = await ask_reset(service, signed["user"]["email"])
    answer = await service.call("POST", "/v1/sessions", {"method": "otp", "otp": {"otp_id": otp_id, "code": code}})
    assert answer.code == "auth.otp.refused"


async def test_a_weak_new_password_leaves_the_code_for_another_try(service: Service) -> None:
    signed = await service.sign_up()
    otp_id, code = await ask_reset(service, signed["user"]["email"])
    assert (await complete(service, otp_id, code, "password1")).code == "auth.password.too_common"
    assert (await complete(service, otp_id, code)).status == 204


async def test_a_late_reset_is_refused(shifted: Service) -> None:
    signed = await shifted.sign_up()
    otp_id, code = await ask_reset(shifted, signed["user"]["email"])
    shifted.clock.move(timedelta(minutes=11))
    assert (await complete(shifted, otp_id, code)).code == "auth.otp.refused"
