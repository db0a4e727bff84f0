"""Friends, blocks, follows: crossing requests, races, what a block ends, and what the blocked do not learn."""

import asyncio
import uuid

import pytest

from auth_testing.people import Person, new_person


async def ids(person, what):
    return [each["user_id"] for each in await person.items(f"/v1/users/me/{what}")]


async def waiting(person, direction="incoming"):
    return await person.items(f"/v1/friend-requests?direction={direction}")


@pytest.fixture
async def people(service):
    return [await new_person(service, name=f"Person {n}") for n in range(3)]


def pair_of(one, other):
    return f"{min(uuid.UUID(one.id), uuid.UUID(other.id))}:{max(uuid.UUID(one.id), uuid.UUID(other.id))}"


async def test_a_request_is_accepted_and_both_are_friends(service, people):
    one, other, _ = people
    asked = (await one.ask(other)).body
    assert "code" not in asked, asked
    assert [each["request_id"] for each in await waiting(other)] == [asked["request_id"]]
    assert [each["request_id"] for each in await waiting(one, "outgoing")] == [asked["request_id"]]
    assert (await one.ask(other)).code == "auth.friend_request.already_asked"
    assert (await one.do("POST", f"/v1/friend-requests/{asked['request_id']}/accept")).status == 404
    for _ in range(2):
        answer = await other.do("POST", f"/v1/friend-requests/{asked['request_id']}/accept")
        assert (answer.status, answer.body["status"]) == (200, "accepted")
    assert await ids(one, "friends") == [other.id]
    assert await ids(other, "friends") == [one.id]
    assert (await other.ask(one)).code == "auth.friend_request.already_friends"
    assert await service.events_of(pair_of(one, other)) == ["FriendRequestSent", "FriendshipStarted"]
    for _ in range(2):
        assert (await one.do("DELETE", f"/v1/users/me/friends/{other.id}")).status == 204
    assert await ids(other, "friends") == []
    assert (await service.events_of(pair_of(one, other)))[-1] == "FriendshipEnded"


async def test_two_who_ask_at_once_are_friends(people):
    one, other, _ = people
    answers = await asyncio.gather(one.ask(other), other.ask(one))
    assert sorted(each.body["status"] for each in answers) == ["accepted", "pending"]
    assert await ids(one, "friends") == [other.id]
    assert await waiting(one) == await waiting(other) == []


async def test_declined_and_taken_back(people):
    one, other, _ = people
    first = (await one.ask(other)).body["request_id"]
    assert (await other.do("POST", f"/v1/friend-requests/{first}/decline")).body["status"] == "declined"
    assert (await other.do("POST", f"/v1/friend-requests/{first}/accept")).status == 404
    second = (await one.ask(other)).body["request_id"]
    assert (await other.do("DELETE", f"/v1/friend-requests/{second}")).status == 404
    assert (await one.do("DELETE", f"/v1/friend-requests/{second}")).status == 204
    assert await waiting(other) == []
    assert await ids(one, "friends") == []


async def test_a_block_ends_everything_and_is_not_told(service, people):
    one, other, third = people
    request = (await one.ask(other)).body["request_id"]
    await other.do("POST", f"/v1/friend-requests/{request}/accept")
    for who, whom in ((one, other), (other, one)):
        assert (await who.do("PUT", f"/v1/users/me/follows/{whom.id}")).status == 204
    assert await ids(one, "followers") == [other.id]
    for _ in range(2):
        assert (await one.do("PUT", f"/v1/users/me/blocks/{other.id}")).status == 204
    for who in (one, other):
        assert await ids(who, "friends") == await ids(who, "follows") == await ids(who, "followers") == []
    assert await ids(one, "blocks") == [other.id]
    assert await ids(other, "blocks") == []
    # To the blocked the blocker looks like nobody.
    nobody = Person(service, {"user": {"user_id": str(uuid.uuid4())}, "access_token": ""})
    for whom in (one, nobody):
        assert (await other.ask(whom)).code == "auth.user.not_found"
        assert (await other.do("PUT", f"/v1/users/me/follows/{whom.id}")).code == "auth.user.not_found"
    assert (await service.events_of(pair_of(one, other)))[-1] == "UserBlocked"
    assert (await one.do("DELETE", f"/v1/users/me/blocks/{other.id}")).status == 204
    assert (await other.ask(one)).status == 201
    assert (await one.do("PUT", f"/v1/users/me/blocks/{other.id}")).status == 204
    assert await waiting(one) == []
    assert (await third.ask(one)).status == 201


async def test_block_against_accept_leaves_no_friendship_beside_a_block(service):
    for _ in range(5):
        one, other = [await new_person(service) for _ in range(2)]
        request = (await one.ask(other)).body["request_id"]
        await asyncio.gather(
            other.do("POST", f"/v1/friend-requests/{request}/accept"), one.do("PUT", f"/v1/users/me/blocks/{other.id}")
        )
        assert await ids(one, "blocks") == [other.id]
        assert await ids(one, "friends") == await ids(other, "friends") == []


async def test_suggestions_are_friends_of_friends(service):
    one, middle, far, blocked = [await new_person(service) for _ in range(4)]
    for who in (one, far, blocked):
        request = (await who.ask(middle)).body["request_id"]
        await middle.do("POST", f"/v1/friend-requests/{request}/accept")
    await one.do("PUT", f"/v1/users/me/blocks/{blocked.id}")
    found = (await one.do("GET", "/v1/users/me/friend-suggestions")).body["items"]
    assert [(each["user_id"], each["mutual_friends"]) for each in found] == [(far.id, 1)]


async def test_nobody_with_oneself_and_nobody_unknown(people):
    one, _, _ = people
    stranger = str(uuid.uuid4())
    for method, path, body in (
        ("POST", "/v1/friend-requests", {"user_id": "{}"}),
        ("PUT", "/v1/users/me/blocks/{}", None),
        ("PUT", "/v1/users/me/follows/{}", None),
    ):
        for user_id, code in ((one.id, "auth.graph.not_with_oneself"), (stranger, "auth.user.not_found")):
            sent = {name: value.format(user_id) for name, value in body.items()} if body else None
            assert (await one.do(method, path.format(user_id), sent)).code == code


async def test_lists_page(service, people):
    one, _, _ = people
    followed = [await new_person(service) for _ in range(5)]
    for each in followed:
        await one.do("PUT", f"/v1/users/me/follows/{each.id}")
    found, cursor = [], ""
    while cursor is not None:
        page = (await one.do("GET", f"/v1/users/me/follows?limit=2{cursor and '&cursor=' + cursor}")).body
        found += [each["user_id"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert found == [each.id for each in reversed(followed)]


async def test_choices_that_others_honour_are_told(service, people):
    one, _, _ = people
    await one.do("PATCH", "/v1/users/me/settings", {"read_receipts": False, "direct_messages_from": "friends"})
    await one.do("PATCH", "/v1/users/me/settings", {"findable_by_email": True})
    assert (await service.events_of(one.id)).count("UserPrivacyChanged") == 1
