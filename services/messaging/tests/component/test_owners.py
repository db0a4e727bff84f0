"""MSG-13: a dialog that many share has exactly one owner, a person, while any person is in it, by whatever way."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from messaging.core.usecases import admit_members, end_membership
from messaging.core.usecases.leave_dialogs import leave_dialogs
from messaging.lifecycle.adapters.invariants import audit
from operations import audit_connection
from sampan.commerce.v1.product_pb2 import ProductPublished
from sampan.commerce.v1.shop_pb2 import ShopOpened
from testkit.wait import eventually

SHARED = ["group", "channel"]


async def roles_of(world, dialog_id):
    """Role by user, of those who are in."""
    async with world.app.database.read() as conn:
        sql = "SELECT user_id, role FROM member WHERE dialog_id = $1 AND status IN ('active', 'muted')"
        return {row["user_id"]: row["role"] for row in await conn.fetch(sql, uuid.UUID(dialog_id))}


async def owners_of(world, dialog_id):
    return [user_id for user_id, role in (await roles_of(world, dialog_id)).items() if role == "owner"]


async def give(world, dialog_id, user_id, role):
    """As an older version left it."""
    async with world.app.database.begin() as conn:
        sql = "UPDATE member SET role = $3 WHERE dialog_id = $1 AND user_id = $2"
        await conn.execute(sql, uuid.UUID(dialog_id), user_id, role)


async def ends(world, *user_ids):
    """Their accounts have ended, and nothing is tidied yet."""
    async with world.app.database.begin() as conn:
        now = datetime.now(UTC)
        sql = "UPDATE account SET ended_at = $2 WHERE user_id = ANY($1)"
        await conn.execute(sql, list(user_ids), now)


async def ended(world, person):
    async with world.app.begin() as tx:
        await tx.endings.end_accounts([person.user_id], tx.now, tx.now)
    while await leave_dialogs(world.app.begin, person.user_id, 10):
        pass


async def left(person, dialog_id):
    await person.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{person.user_id}")


async def join(person, dialog_id):
    assert (await person.ok("POST", f"/v1/dialogs/{dialog_id}/join", {}))["outcome"] == "joined"


async def bot_of(person):
    name = f"b{uuid.uuid4().hex[:12]}bot"
    return (await person.ok("POST", "/v1/bots", {"username": name, "display_name": "Echo"}))["bot_id"]


async def broken(world):
    async with audit_connection(world.app) as conn:
        return {each.check.invariant: list(each.examples) for each in await audit(conn) if each.count}


async def commands(owner, dialog_id, stranger):
    """All that only an owner can do where others may not even write."""
    path = f"/v1/dialogs/{dialog_id}"
    await owner.send(dialog_id, "I keep this going")
    await owner.ok("PUT", f"{path}/bans/{stranger.user_id}")
    await owner.ok("DELETE", f"{path}/bans/{stranger.user_id}")
    await owner.ok("POST", f"{path}/close")


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize("how", ["left", "ended"])
async def test_whoever_comes_into_a_public_dialog_that_has_nobody_owns_it(world, kind, how):
    first, second, third = await world.person(), await world.person(), await world.person()
    dialog_id = await world.group(first, kind=kind, title="Open", is_public=True)
    await (left(first, dialog_id) if how == "left" else ended(world, first))
    await join(second, dialog_id)
    await join(third, dialog_id)
    assert await roles_of(world, dialog_id) == {second.user_id: "owner", third.user_id: "member"}
    shown = (await second.ok("POST", "/v1/sync", {"dialogs": {dialog_id: 0}}))["dialogs"][0]["events"]
    places = [each["member"] for each in shown if each["type"] == "member.changed"]
    assert [each["role"] for each in places if each["user_id"] == str(second.user_id)] == ["member", "owner"]
    await commands(second, dialog_id, third)


async def test_the_old_owner_who_comes_back_owns_it_only_if_nobody_else_does(world):
    first, second = await world.person(), await world.person()
    dialog_id = await world.group(first, title="Open", is_public=True)
    await left(first, dialog_id)
    await join(first, dialog_id)
    assert await owners_of(world, dialog_id) == [first.user_id]
    await left(first, dialog_id)
    await join(second, dialog_id)
    await join(first, dialog_id)
    assert await roles_of(world, dialog_id) == {second.user_id: "owner", first.user_id: "member"}


@pytest.mark.parametrize("way", ["joined", "added", "invited", "approved", "left", "removed"])
async def test_what_was_left_without_an_owner_is_mended_by_whoever_comes_or_goes(world, way):
    """The highest in rank of the people who are in, of those the longest in, and never a bot."""
    first, admin, member, comer = [await world.person() for _ in range(4)]
    dialog_id = await world.group(first, member, admin, title="Open", is_public=True)
    path, user_ids = f"/v1/dialogs/{dialog_id}", [await bot_of(first)]
    await first.ok("POST", f"{path}/members", {"user_ids": user_ids})
    for user_id in (admin.user_id, user_ids[0]):
        await first.ok("PATCH", f"{path}/members/{user_id}", {"role": "admin"})
    if way == "approved":
        await first.ok("PATCH", path, {"join_approval": True}, headers={"If-Match": "*"})
        assert (await comer.ok("POST", f"{path}/join", {}))["outcome"] == "requested"
    token = (await admin.ok("POST", f"{path}/invites", {}))["token"]
    await give(world, dialog_id, first.user_id, "member")
    assert (await broken(world)).get("MSG-13") == [dialog_id]
    acts = {
        "joined": lambda: join(comer, dialog_id),
        "added": lambda: admin.ok("POST", f"{path}/members", {"user_ids": [str(comer.user_id)]}),
        "invited": lambda: comer.ok("POST", "/v1/dialogs/join", {"token": token}),
        "approved": lambda: admin.ok("POST", f"{path}/join-requests/{comer.user_id}/approve", {}),
        "left": lambda: left(member, dialog_id),
        "removed": lambda: admin.ok("DELETE", f"{path}/members/{member.user_id}"),
    }
    await acts[way]()
    assert await owners_of(world, dialog_id) == [admin.user_id]
    assert "MSG-13" not in await broken(world)


async def test_an_ended_owner_is_followed_by_who_goes_on(world):
    first, second, comer = [await world.person() for _ in range(3)]
    dialog_id = await world.group(first, second, title="Open", is_public=True)
    await ends(world, first.user_id)  # not tidied yet
    await join(comer, dialog_id)
    assert await owners_of(world, dialog_id) == [second.user_id]


@pytest.mark.parametrize("kind", SHARED)
async def test_bots_own_nothing_and_people_come_before_them(world, kind):
    first, second = await world.person(), await world.person()
    dialog_id = await world.group(first, kind=kind, title="Open", is_public=True)
    path, bot_id = f"/v1/dialogs/{dialog_id}", await bot_of(first)
    await first.ok("POST", f"{path}/members", {"user_ids": [bot_id]})
    told = await first.do("PUT", f"{path}/owner", {"user_id": bot_id})
    assert (told.status, told.code) == (422, "messaging.member.owner_is_bot")
    assert await owners_of(world, dialog_id) == [first.user_id]
    await left(first, dialog_id)  # beside a bot one is the last
    assert await roles_of(world, dialog_id) == {uuid.UUID(bot_id): "member"}
    await give(world, dialog_id, uuid.UUID(bot_id), "owner")  # as an older version let it inherit
    await join(second, dialog_id)
    assert await roles_of(world, dialog_id) == {uuid.UUID(bot_id): "member", second.user_id: "owner"}


async def test_of_two_owners_one_is_left(world):
    first, second, comer = [await world.person() for _ in range(3)]
    dialog_id = await world.group(first, second, title="Open", is_public=True)
    await give(world, dialog_id, second.user_id, "owner")
    assert (await broken(world)).get("MSG-13") == [dialog_id]
    await join(comer, dialog_id)
    assert len(await owners_of(world, dialog_id)) == 1
    assert "MSG-13" not in await broken(world)


@pytest.mark.parametrize("way", ["handed over", "inherited", "joined"])
async def test_a_mute_ends_with_ownership(world, way):
    """Nobody stands above an owner who could lift it."""
    first, muted = await world.person(), await world.person()
    dialog_id = await world.group(first, muted, title="Open", is_public=True)
    path = f"/v1/dialogs/{dialog_id}"
    await first.ok("PATCH", f"{path}/members/{muted.user_id}", {"muted": True})
    if way == "handed over":
        await first.ok("PUT", f"{path}/owner", {"user_id": str(muted.user_id)})
    elif way == "inherited":
        await ended(world, first)
    else:
        await left(muted, dialog_id)
        await left(first, dialog_id)
        await join(muted, dialog_id)
    assert await owners_of(world, dialog_id) == [muted.user_id]
    me = (await muted.dialog(dialog_id))["me"]
    assert (me["role"], me["status"]) == ("owner", "active")
    await muted.send(dialog_id, "heard again")


async def on_sale(world, seller):
    product_id, shop_id = uuid.uuid4(), uuid.uuid4()
    shop = ShopOpened(shop_id=str(shop_id), owner_id=str(seller.user_id), name="Baan", country="TH", currency="THB")
    await world.publish(shop, version=1)
    product = ProductPublished(product_id=str(product_id), shop_id=str(shop_id), title="Khanom", status="active")
    await world.publish(product, version=1)

    async def known():
        async with world.app.database.read() as conn:
            sql = "SELECT count(*) = 2 FROM entity WHERE entity_id = ANY($1)"
            return await conn.fetchval(sql, [product_id, shop_id])

    await eventually(known, timeout_s=30, what="the product and its shop are known")
    return {"kind": "topic", "product_id": str(product_id)}


async def test_a_products_dialog_is_its_shops_again_when_the_owner_comes_back(world):
    seller, one, other = [await world.person() for _ in range(3)]
    wish = await on_sale(world, seller)
    dialog_id = (await seller.ok("POST", "/v1/dialogs", wish))["dialog_id"]
    await left(seller, dialog_id)
    await one.ok("POST", "/v1/dialogs", wish)
    await join(other, dialog_id)
    assert await roles_of(world, dialog_id) == {one.user_id: "owner", other.user_id: "member"}
    assert "MSG-13" not in await broken(world)
    await seller.ok("POST", "/v1/dialogs", wish)
    roles = {one.user_id: "member", other.user_id: "member", seller.user_id: "owner"}
    assert await roles_of(world, dialog_id) == roles


async def handed_over(world):
    seller, buyer = await world.person(), await world.person()
    wish = await on_sale(world, seller)
    dialog_id = (await buyer.ok("POST", "/v1/dialogs", wish))["dialog_id"]
    await seller.ok("PUT", f"/v1/dialogs/{dialog_id}/owner", {"user_id": str(buyer.user_id)})
    return seller, buyer, wish, dialog_id


async def test_whoever_it_was_handed_to_does_not_shut_the_shops_owner_out(world):
    seller, buyer, wish, dialog_id = await handed_over(world)
    path = f"/v1/dialogs/{dialog_id}"
    place, ban = f"{path}/members/{seller.user_id}", f"{path}/bans/{seller.user_id}"
    acts = [("PUT", ban, None), ("DELETE", place, None), ("PATCH", place, {"role": "guest"})]
    for act in [*acts, ("PATCH", place, {"muted": True})]:
        told = await buyer.do(*act)
        assert (told.status, told.json["code"]) == (403, "messaging.member.shop_owner"), act
    assert await roles_of(world, dialog_id) == {buyer.user_id: "owner", seller.user_id: "admin"}
    await left(seller, dialog_id)
    assert (await buyer.do("PUT", ban)).json["code"] == "messaging.member.shop_owner"
    await seller.ok("POST", "/v1/dialogs", wish)
    assert await roles_of(world, dialog_id) == {buyer.user_id: "member", seller.user_id: "owner"}
    await seller.ok("PUT", f"{path}/bans/{buyer.user_id}")  # who is not of the shop is banned as ever


NOTHING = {each: [] for each in ("admin", "moderator", "member", "guest")}


def saying(**rest):
    return {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "hello"}, **rest}


@pytest.mark.parametrize("role", ["admin", "member"])
async def test_no_setting_of_whoever_it_was_handed_to_silences_the_shops_owner(world, role):
    """By whatever they say something; an admin whose shop it is not is bound by the same settings."""
    seller, buyer, wish, dialog_id = await handed_over(world)
    other = await world.person()
    await other.ok("POST", "/v1/dialogs", wish)
    path, said = f"/v1/dialogs/{dialog_id}", (await buyer.send(dialog_id))["seq"]
    for each in (seller, other):
        await give(world, dialog_id, each.user_id, role)
    settings = {"permissions": NOTHING, "slow_mode_s": 3600}
    await buyer.ok("PATCH", path, settings, headers={"If-Match": "*"})
    in_time = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    acts = [
        ("POST", f"{path}/messages", saying),
        ("POST", f"{path}/messages", saying),
        ("POST", f"{path}/messages", lambda: saying(mention_all=True)),
        ("PUT", f"{path}/messages/{said}/reactions/like", lambda: None),
        ("PUT", f"{path}/messages/{said}/pin", lambda: None),
        ("POST", f"{path}/invites", dict),
        ("POST", "/v1/scheduled-messages", lambda: {"dialog_id": dialog_id, "send_at": in_time, "message": saying()}),
    ]
    for method, where, body in acts:
        assert (await other.do(method, where, body())).code == "messaging.dialog.not_allowed", where
        assert (await seller.do(method, where, body())).status < 300, where
    async with world.app.database.begin() as conn:  # by an older version
        sql = "UPDATE member SET status = 'muted' WHERE dialog_id = $1 AND user_id = $2"
        await conn.execute(sql, uuid.UUID(dialog_id), seller.user_id)
    await seller.send(dialog_id, "heard")


async def test_the_shops_owner_undoes_what_was_set_against_them(world):
    seller, buyer, _, dialog_id = await handed_over(world)
    path = f"/v1/dialogs/{dialog_id}"
    await buyer.ok("PATCH", path, {"permissions": NOTHING}, headers={"If-Match": "*"})
    await buyer.ok("POST", f"{path}/close")
    assert (await seller.do("POST", f"{path}/messages", saying())).code == "messaging.dialog.archived"
    await seller.ok("POST", f"{path}/reopen")
    await seller.send(dialog_id, "open again")
    admins = {"permissions": {"admin": NOTHING["admin"]}}
    await seller.ok("PATCH", path, admins, headers={"If-Match": "*"})  # those below them


@pytest.mark.parametrize("shop_id", ["", "nope", 5, "0000000g-0000-4000-8000-000000000000"])
async def test_a_product_whose_shop_cannot_be_read_is_nobodys(world, shop_id):
    seller, buyer, _, dialog_id = await handed_over(world)
    await buyer.ok("PATCH", f"/v1/dialogs/{dialog_id}", {"permissions": NOTHING}, headers={"If-Match": "*"})
    async with world.app.database.begin() as conn:
        sql = (
            "UPDATE entity SET state = jsonb_build_object('shop_id', $2::jsonb) FROM dialog "
            "WHERE dialog_id = $1 AND entity.entity_id = dialog.entity_id"
        )
        await conn.execute(sql, uuid.UUID(dialog_id), shop_id)
    await buyer.send(dialog_id)
    refused = await seller.refused("POST", f"/v1/dialogs/{dialog_id}/messages", saying())
    assert refused == "messaging.dialog.not_allowed"
    await left(seller, dialog_id)
    await buyer.ok("PUT", f"/v1/dialogs/{dialog_id}/bans/{seller.user_id}")


@pytest.mark.parametrize("by", ["topic", "join"])
@pytest.mark.parametrize("door", ["private", "approval", "closed", "full", "banned before"])
async def test_no_door_is_shut_to_the_shops_owner(world, door, by):
    seller, buyer, wish, dialog_id = await handed_over(world)
    path = f"/v1/dialogs/{dialog_id}"
    await left(seller, dialog_id)
    changes = {"private": {"is_public": False}, "approval": {"join_approval": True}, "full": {"members_max": 2}}
    others = [await world.person()] if door == "full" else []
    for each in others:
        await join(each, dialog_id)
    if door in changes:
        await buyer.ok("PATCH", path, changes[door], headers={"If-Match": "*"})
    elif door == "closed":
        await buyer.ok("POST", f"{path}/close")
    else:  # by an older version
        async with world.app.database.begin() as conn:
            sql = "UPDATE member SET status = 'banned' WHERE dialog_id = $1 AND user_id = $2"
            await conn.execute(sql, uuid.UUID(dialog_id), seller.user_id)
    await (seller.ok("POST", "/v1/dialogs", wish) if by == "topic" else join(seller, dialog_id))
    members = dict.fromkeys((each.user_id for each in (buyer, *others)), "member")
    assert await roles_of(world, dialog_id) == {**members, seller.user_id: "owner"}
    if door == "closed":
        await seller.ok("POST", f"{path}/reopen")
    await seller.send(dialog_id, "here again")


@pytest.mark.parametrize("protected", [True, False])
async def test_the_last_one_leaves_while_others_come(world, monkeypatch, protected):
    """All wait for the dialog's row, the owner who leaves first. Without the rule nobody owns it then."""
    first, *comers = [await world.person() for _ in range(4)]
    dialog_id = await world.group(first, title="Open", is_public=True)

    async def nothing(*_, **__):
        pass

    if not protected:
        for module in (admit_members, end_membership):
            monkeypatch.setattr(module, "ensure_owner", nothing)

    async def waiting(n):
        async with world.app.database.read() as conn:
            sql = (
                "SELECT count(*) >= $1 FROM pg_stat_activity "
                "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
            )
            return await conn.fetchval(sql, n)

    async with world.app.begin() as tx:
        await tx.stream.lock(uuid.UUID(dialog_id))
        acts = [asyncio.create_task(left(first, dialog_id))]
        await eventually(lambda: waiting(1), timeout_s=20, what="the owner waits to leave")
        acts.extend(asyncio.create_task(join(each, dialog_id)) for each in comers)
        await eventually(lambda: waiting(2), timeout_s=20, what="the others wait to come in")
    await asyncio.gather(*acts)
    roles = sorted((await roles_of(world, dialog_id)).values())
    assert roles == (["member", "member", "owner"] if protected else ["member", "member", "member"])
    if not protected:
        await give(world, dialog_id, comers[0].user_id, "owner")


async def test_ownership_is_handed_to_one_who_leaves_at_the_same_time(world):
    for _ in range(5):
        first, second, comer = [await world.person() for _ in range(3)]
        dialog_id = await world.group(first, second, title="Open", is_public=True)
        body = {"user_id": str(second.user_id)}
        await asyncio.gather(
            first.do("PUT", f"/v1/dialogs/{dialog_id}/owner", body),
            second.do("DELETE", f"/v1/dialogs/{dialog_id}/members/{second.user_id}"),
            comer.do("POST", f"/v1/dialogs/{dialog_id}/join", {}),
            first.do("DELETE", f"/v1/dialogs/{dialog_id}/members/{first.user_id}"),
        )
        assert len(await owners_of(world, dialog_id)) == 1
