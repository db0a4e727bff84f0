"""One's own profile and settings, and what others see."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from auth_testing.service import Service

pytestmark = pytest.mark.component


async def test_patch_changes_what_it_names(service: Service) -> None:
    signed = await service.sign_up()
    token = signed["access_token"]
    before = await service.call("GET", "/v1/users/me", token=token)
    name = f"mai_{signed['user']['user_id'][-8:]}"
    patched = await service.call(
        "PATCH",
        "/v1/users/me",
        {"name": "Mai L", "username": name.upper()},
        token=token,
        If_Match=before.headers["ETag"],
    )
    assert (patched.status, patched.body["name"], patched.body["username"]) == (200, "Mai L", name)
    assert patched.body["locale"] == before.body["locale"]
    assert patched.headers["ETag"] != before.headers["ETag"]
    after = await service.call("GET", "/v1/users/me", token=token)
    assert (after.body, after.headers["ETag"]) == (patched.body, patched.headers["ETag"])
    assert (await service.events_of(signed["user"]["user_id"]))[-1] == "UserProfileChanged"
    removed = await service.call("PATCH", "/v1/users/me", {"username": None}, token=token)
    assert removed.body["username"] is None


async def test_a_stale_copy_is_refused(service: Service) -> None:
    token = (await service.sign_up())["access_token"]
    etag = (await service.call("GET", "/v1/users/me", token=token)).headers["ETag"]
    assert (await service.call("PATCH", "/v1/users/me", {"name": "First"}, token=token, If_Match=etag)).status == 200
    second = await service.call("PATCH", "/v1/users/me", {"name": "Second"}, token=token, If_Match=etag)
    assert second.status == 412
    assert (await service.call("GET", "/v1/users/me", token=token)).body["name"] == "First"


@pytest.mark.parametrize("header", ['"0"', '"nonsense"', 'W/"1"', '"00"', "", "1"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v1/users/me", {"name": "Second"}),
        ("PATCH", "/v1/users/me/settings", {"findable_by_phone": True}),
        ("DELETE", "/v1/users/me", None),
    ],
)
async def test_tags_that_were_never_given_out_match_nothing(
    service: Service, method: str, path: str, body: Any, header: str
) -> None:
    token = (await service.sign_up())["access_token"]
    refused = await service.call(method, path, body, token=token, If_Match=header)
    assert (refused.status, refused.code) == (412, "auth.user.version_stale")
    etag = (await service.call("GET", "/v1/users/me", token=token)).headers["ETag"]
    taken = await service.call(method, path, body, token=token, If_Match=f'"0", {etag}')
    assert taken.status in {200, 204}


async def test_of_ten_edits_of_one_copy_one_is_taken(service: Service) -> None:
    token = (await service.sign_up())["access_token"]
    etag = (await service.call("GET", "/v1/users/me", token=token)).headers["ETag"]
    answers = await asyncio.gather(
        *(service.call("PATCH", "/v1/users/me", {"name": f"Edit {n}"}, token=token, If_Match=etag) for n in range(10))
    )
    assert sorted(answer.status for answer in answers) == [200] + [412] * 9


async def test_usernames_are_unique_whatever_their_case(service: Service) -> None:
    first, second = await service.sign_up(), await service.sign_up()
    name = f"n_{first['user']['user_id'][-8:]}"
    await service.call("PATCH", "/v1/users/me", {"username": name}, token=first["access_token"])
    taken = await service.call("PATCH", "/v1/users/me", {"username": name.title()}, token=second["access_token"])
    assert (taken.status, taken.code) == (409, "auth.username.taken")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/users/me", {"name": None}, 422),
        ("/v1/users/me", {"name": "x"}, 422),
        ("/v1/users/me", {"name": 5}, 422),
        ("/v1/users/me", {"username": "Admin"}, 422),
        ("/v1/users/me", {"username": "a b"}, 422),
        ("/v1/users/me", {"locale": None}, 422),
        ("/v1/users/me", {"locale": "tlh"}, 422),
        ("/v1/users/me", {"time_zone": "../etc/passwd"}, 422),
        ("/v1/users/me", {"roles": ["admin"]}, 422),
        ("/v1/users/me", {"kyc_tier": 3}, 422),
        ("/v1/users/me", {"email": "other@example.com"}, 422),
        ("/v1/users/me", [], 422),
        ("/v1/users/me", "x", 422),
        ("/v1/users/me/settings", {"show_presence_to": "aliens"}, 422),
        ("/v1/users/me/settings", {"findable_by_email": "yes"}, 422),
        ("/v1/users/me/settings", {"findable_by_email": None}, 422),
        ("/v1/users/me/settings", {"unknown": 1}, 422),
    ],
)
async def test_bad_patches_change_nothing(service: Service, path: str, body: Any, status: int) -> None:
    token = (await service.sign_up())["access_token"]
    before = await service.call("GET", "/v1/users/me", token=token)
    answer = await service.call("PATCH", path, body, token=token)
    assert answer.status == status
    assert (await service.call("GET", "/v1/users/me", token=token)).headers["ETag"] == before.headers["ETag"]


async def test_settings(service: Service) -> None:
    signed = await service.sign_up(country="ID")
    token = signed["access_token"]
    first = await service.call("GET", "/v1/users/me/settings", token=token)
    assert first.body == {
        "locale": "id-ID",
        "time_zone": "Asia/Jakarta",
        "show_presence_to": "everyone",
        "direct_messages_from": "everyone",
        "read_receipts": True,
        "show_profile_to": "everyone",
        "findable_by_email": False,
        "findable_by_phone": False,
    }
    events = await service.events_of(signed["user"]["user_id"])
    patched = await service.call(
        "PATCH", "/v1/users/me/settings", {"show_profile_to": "nobody", "findable_by_phone": True}, token=token
    )
    assert patched.body == first.body | {"show_profile_to": "nobody", "findable_by_phone": True}
    assert await service.events_of(signed["user"]["user_id"]) == events
    await service.call("PATCH", "/v1/users/me/settings", {"locale": "en-US"}, token=token)
    assert await service.events_of(signed["user"]["user_id"]) == [*events, "UserProfileChanged"]


async def test_a_card_shows_no_address(service: Service) -> None:
    one, other = await service.sign_up(), await service.sign_up()
    path = f"/v1/users/{other['user']['user_id']}"
    card = await service.call("GET", path, token=one["access_token"])
    assert card.body == {
        "user_id": other["user"]["user_id"],
        "name": "Mai Linh",
        "username": None,
        "country": "VN",
    }
    await service.call("PATCH", "/v1/users/me/settings", {"show_profile_to": "nobody"}, token=other["access_token"])
    hidden = await service.call("GET", path, token=one["access_token"])
    assert hidden.body["country"] is None


async def test_deletion(service: Service) -> None:
    signed, other = await service.sign_up(), await service.sign_up()
    user_id, email = signed["user"]["user_id"], signed["user"]["email"]
    assert (await service.call("DELETE", "/v1/users/me", token=signed["access_token"])).status == 204
    assert (await service.sign_in(email)).status == 401
    refreshed = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": signed["refresh_token"]})
    assert refreshed.status == 401
    gone = await service.call("GET", f"/v1/users/{user_id}", token=other["access_token"])
    assert (gone.status, gone.code) == (404, "auth.user.not_found")
    assert (await service.events_of(user_id))[-2:] == ["SessionRevoked", "UserDeleted"]
    again = await service.sign_up(email=email)
    assert again["user"]["user_id"] != user_id
