"""AUTH-4 for codes: whatever raises the token version ends every code that waits, once the address is proved."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from auth.adapters.otp_store import OtpStore
from auth.domain.ids import UserId
from auth.domain.otp import Otp
from auth.domain.roles import Role
from auth.usecases.grant_role import GrantRole, grant_role
from auth.usecases.withdraw_role import WithdrawRole, withdraw_role
from auth_testing.service import PASSWORD, Service

pytestmark = pytest.mark.component

NEW, THIEFS = "teh tarik kurang manis", "words of a thief 333"
Act = Callable[[Service, dict[str, Any]], Awaitable[None]]


async def proved(service: Service) -> dict[str, Any]:
    """Somebody who signed up and showed that the address is theirs."""
    signed = await service.sign_up()
    otp_id = signed["email_verification"]["otp_id"]
    assert await use(service, signed, "verification", otp_id, await service.code_of(otp_id)) == 200
    return signed


async def ask(
    service: Service, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
) -> tuple[str, str | None]:
    answer = await service.call("POST", path, body, token=token)
    assert answer.status == 202
    return answer.body["otp_id"], await service.code_of(answer.body["otp_id"])


async def opens(service: Service, signed: dict[str, Any], waiting: dict[str, tuple[str, str | None]]) -> set[str]:
    """Which of the codes still do something."""
    statuses = {name: await use(service, signed, name, *waiting[name]) for name in waiting}
    return {name for name, status in statuses.items() if status < 400}


async def use(service: Service, signed: dict[str, Any], name: str, otp_id: str, code: str | None) -> int:
    token, path, body = None, f"/v1/password-resets/{otp_id}/complete", {"code": code, "new_password": THIEFS}
    if name == "sign_in":
        path, body = "/v1/sessions", {"method": "otp", "otp": {"otp_id": otp_id, "code": code}}
    elif name == "verification":
        token, path, body = (
            signed["access_token"],
            f"/v1/users/me/email-verifications/{otp_id}/complete",
            {"code": code},
        )
    return (await service.call("POST", path, body, token=token)).status


async def change(service: Service, signed: dict[str, Any]) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await service.call("PUT", "/v1/users/me/password", body, token=signed["access_token"])).status == 204


async def reset(service: Service, signed: dict[str, Any]) -> None:
    otp_id, code = await ask(service, "/v1/password-resets", {"email": signed["user"]["email"]})
    body = {"code": code, "new_password": NEW}
    assert (await service.call("POST", f"/v1/password-resets/{otp_id}/complete", body)).status == 204


async def sign_out_everywhere(service: Service, signed: dict[str, Any]) -> None:
    assert (await service.call("DELETE", "/v1/sessions?scope=all", token=signed["access_token"])).status == 200


async def grant(service: Service, signed: dict[str, Any]) -> None:
    async with service.app.begin() as tx:
        await grant_role(GrantRole(user_id=UserId(uuid.UUID(signed["user"]["user_id"])), role=Role.SUPPORT), tx)


async def withdraw(service: Service, signed: dict[str, Any]) -> None:
    await grant(service, signed)
    async with service.app.begin() as tx:
        await withdraw_role(WithdrawRole(user_id=UserId(uuid.UUID(signed["user"]["user_id"])), role=Role.SUPPORT), tx)


async def delete(service: Service, signed: dict[str, Any]) -> None:
    assert (await service.call("DELETE", "/v1/users/me", token=signed["access_token"])).status == 204


async def waiting_codes(service: Service, signed: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    email = signed["user"]["email"]
    return {
        "reset": await ask(service, "/v1/password-resets", {"email": email}),
        "sign_in": await ask(service, "/v1/otp", {"email": email, "purpose": "sign_in"}),
        "verification": await ask(service, "/v1/users/me/email-verifications", token=signed["access_token"]),
    }


@pytest.mark.parametrize("act", [change, reset, sign_out_everywhere, grant, withdraw, delete])
async def test_it_ends_every_waiting_code(service: Service, act: Act) -> None:
    signed = await proved(service)
    waiting = await waiting_codes(service, signed)
    await act(service, signed)
    assert await opens(service, signed, waiting) == set()


async def test_control_without_an_act_each_of_them_opens(service: Service) -> None:
    for name in ("reset", "sign_in", "verification"):
        signed = await proved(service)
        waiting = await waiting_codes(service, signed)
        assert await opens(service, signed, {name: waiting[name]}) == {name}


@pytest.mark.parametrize("bound", [True, False])
async def test_a_code_whose_row_comes_after_the_change_was_asked_for_before_it(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, bound: bool
) -> None:
    """The person is read, the password changes, the code is written. The control: a code that names no version."""
    signed = await proved(service)
    add, read, changed = OtpStore.add, asyncio.Event(), asyncio.Event()

    async def late(store: OtpStore, otp: Otp, now: Any) -> None:
        read.set()
        await changed.wait()
        await add(store, otp, now)

    monkeypatch.setattr(OtpStore, "add", late)
    asking = asyncio.create_task(ask(service, "/v1/password-resets", {"email": signed["user"]["email"]}))
    await read.wait()
    await change(service, signed)
    changed.set()
    otp_id, code = await asking
    if not bound:
        async with service.app.database.begin() as conn:
            await conn.execute("UPDATE one_time_code SET token_version = NULL WHERE id = $1", uuid.UUID(otp_id))
    assert await use(service, signed, "reset", otp_id, code) == (422 if bound else 204)
