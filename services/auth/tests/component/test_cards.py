"""AUTH-22: whoever looks, wherever a person is shown, it is what their card shows; and a block is not noticed."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from auth.adapters import relation_reads
from auth.domain.card import Card
from auth.domain.settings import Audience
from auth_testing.people import Person, new_person
from auth_testing.service import Service
from testkit.serving import Answered

pytestmark = pytest.mark.component

AUDIENCES = [each.value for each in Audience]
VIEWERS = ["self", "friend", "friend of a friend", "follower", "followed", "stranger", "blocked", "blocker"]
SEES = {
    "everyone": {"self", "friend", "friend of a friend", "follower", "followed", "stranger", "blocker"},
    "friends": {"self", "friend"},
    "nobody": {"self"},
}
LISTS = ("friends", "follows", "followers", "blocks", "friend-suggestions")


async def usernames_shown(viewer: Person, other: Person) -> dict[str, list[str | None]]:
    """The username of the other wherever the lists name them."""
    found = {}
    for name in LISTS:
        items = await viewer.items(f"/v1/users/me/{name}")
        found[name] = [each["username"] for each in items if each["user_id"] == other.id]
    return found


async def named(service: Service, audience: str) -> Person:
    """Somebody with a username and a choice of who sees it."""
    owner = await new_person(service)
    owner.signed["username"] = f"u{uuid.uuid4().hex[:12]}"
    await owner.do("PATCH", "/v1/users/me", {"username": owner.signed["username"]})
    await owner.do("PATCH", "/v1/users/me/settings", {"show_profile_to": audience})
    return owner


async def viewer_of(service: Service, owner: Person, kind: str) -> Person:
    viewer = owner if kind == "self" else await new_person(service)
    if kind == "friend":
        await viewer.befriend(owner)
    elif kind == "friend of a friend":
        between = await new_person(service)
        await between.befriend(owner)
        await between.befriend(viewer)
    elif kind in {"follower", "blocked"}:
        assert await viewer.put("follows", owner) == 204
    if kind in {"followed", "blocked"}:
        assert await owner.put("follows", viewer) == 204
    if kind == "blocked":
        assert await owner.put("blocks", viewer) == 204
    if kind == "blocker":
        assert await viewer.put("blocks", owner) == 204
    return viewer


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("kind", VIEWERS)
async def test_lists_show_what_the_card_shows(service: Service, kind: str, audience: str) -> None:
    owner = await named(service, audience)
    viewer = await viewer_of(service, owner, kind)
    card = await viewer.do("GET", f"/v1/users/{owner.id}")
    if kind == "blocked":
        assert (card.status, card.code) == (404, "auth.user.not_found")
        assert not any((await usernames_shown(viewer, owner)).values())
        return
    expected = owner.signed["username"] if kind in SEES[audience] else None
    assert (card.body["username"], card.body["country"]) == (expected, "VN" if kind in SEES[audience] else None)
    shown = await usernames_shown(viewer, owner)
    assert {name for names in shown.values() for name in names} <= {expected}
    where = {"friend": "friends", "follower": "follows", "followed": "followers", "blocker": "blocks"}.get(kind)
    assert where is None or shown[where] == [expected]
    suggested = kind == "friend of a friend" and audience == "everyone"
    assert bool(shown["friend-suggestions"]) is suggested


async def test_nobody_sees_a_card(service: Service) -> None:
    owner = await named(service, "everyone")
    assert (await service.call("GET", f"/v1/users/{owner.id}")).code == "auth.token.missing"


async def test_a_choice_holds_from_the_next_look_on_for_friends_who_are_none_any_more(service: Service) -> None:
    owner = await named(service, "friends")
    friend = await viewer_of(service, owner, "friend")
    assert await friend.put("follows", owner) == 204
    await owner.do("DELETE", f"/v1/users/me/friends/{friend.id}")
    assert (await friend.do("GET", f"/v1/users/{owner.id}")).body["username"] is None
    assert (await usernames_shown(friend, owner))["follows"] == [None]


async def test_control_without_the_rule_lists_tell(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_card(**row: Any) -> Card:
        return Card(**{name: row[name] for name in ("user_id", "name", "username", "country")})

    monkeypatch.setattr(relation_reads, "card_for", open_card)
    owner = await named(service, "nobody")
    viewer = await viewer_of(service, owner, "follower")
    assert (await usernames_shown(viewer, owner))["follows"] == [owner.signed["username"]]


ASKS: dict[str, Callable[[Person, str], Awaitable[Answered]]] = {
    "card": lambda one, other: one.do("GET", f"/v1/users/{other}"),
    "friend request": lambda one, other: one.do("POST", "/v1/friend-requests", {"user_id": other}),
    "follow": lambda one, other: one.do("PUT", f"/v1/users/me/follows/{other}"),
    "unfollow": lambda one, other: one.do("DELETE", f"/v1/users/me/follows/{other}"),
    "unfriend": lambda one, other: one.do("DELETE", f"/v1/users/me/friends/{other}"),
    "block": lambda one, other: one.do("PUT", f"/v1/users/me/blocks/{other}"),
    "unblock": lambda one, other: one.do("DELETE", f"/v1/users/me/blocks/{other}"),
    "lists": lambda one, _: one.do("GET", "/v1/users/me/blocks"),
}


@pytest.mark.parametrize("first", ["strangers", "friends", "blocked too"])
async def test_the_blocked_are_answered_as_of_nobody(service: Service, first: str) -> None:
    """Whatever they ask and in whatever order; also that they block back is answered so, though it holds."""
    blocker, blocked = await new_person(service), await new_person(service)
    if first == "friends":
        await blocked.befriend(blocker)
    elif first == "blocked too":
        assert await blocked.put("blocks", blocker) == 204
    assert await blocker.put("blocks", blocked) == (404 if first == "blocked too" else 204)
    fresh = await new_person(service)
    nobody = str(uuid.uuid4())
    for what, ask in ASKS.items():
        of_blocker, of_nobody = await ask(blocked, blocker.id), await ask(fresh, nobody)
        told = [
            (each.status, each.body and {**each.body, "request_id": "", "instance": ""})
            for each in (of_blocker, of_nobody)
        ]
        assert told[0] == told[1], what


async def test_who_blocks_back_is_safe_once_the_other_unblocks(service: Service) -> None:
    one, other = await new_person(service), await new_person(service)
    assert await one.put("blocks", other) == 204
    assert await other.put("blocks", one) == 404
    assert (await other.do("GET", "/v1/users/me/blocks")).body["items"] == []
    await one.do("DELETE", f"/v1/users/me/blocks/{other.id}")
    assert [each["user_id"] for each in (await other.do("GET", "/v1/users/me/blocks")).body["items"]] == [one.id]
    assert (await one.do("GET", f"/v1/users/{other.id}")).status == 404
    assert (await one.do("POST", "/v1/friend-requests", {"user_id": other.id})).status == 404
