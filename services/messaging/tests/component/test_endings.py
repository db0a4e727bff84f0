"""What ends with an account, a bot or a membership, in whatever order it is heard of."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from messaging.core.adapters.dialog_store import DialogStore
from messaging.core.adapters.invite_store import InviteStore
from messaging.core.domain.dialog import MemberStatus
from messaging.core.domain.permissions import Role
from messaging.core.usecases import join_by_invite
from messaging.core.usecases.announce_member import announce_member
from messaging.lifecycle.adapters.invariants import audit
from messaging.lifecycle.entrypoints import jobs
from messaging.lifecycle.usecases.hold_dialog import hold_dialog
from messaging.lifecycle.usecases.tidy_ended_account import LOOKED_OVER_AGAIN
from messaging.scheduling.usecases.save_draft import SaveDraft, save_draft
from operations import audit_connection
from sampan.auth.v1.user_pb2 import UserDeleted, UserProfileChanged, UserRegistered
from sampan.commerce.v1.order_pb2 import OrderPlaced
from sampan.commerce.v1.shop_pb2 import ShopOpened
from testkit.wait import eventually, least_of_three

NOT_FOUND = "messaging.dialog.not_found"
UNAVAILABLE = "messaging.dialog.unavailable"
UNKNOWN = "messaging.dialog.people_unknown"
SOON_S = 5


async def deleted(world, person, *, at=None):
    body = UserDeleted(user_id=str(person.user_id))
    body.deleted_at.FromDatetime(at or datetime.now(UTC))
    await world.publish(body, version=9)

    async def ended():
        async with world.app.database.read() as conn:
            return await conn.fetchval("SELECT ended_at FROM account WHERE user_id = $1", person.user_id)

    await eventually(ended, timeout_s=20, what="the end of an account")


async def look_again(world, user_id):
    """What was under way when the account ended is over: the first look has ended, and a minute has gone by."""

    async def looked():
        async with world.app.database.read() as conn:
            query = "SELECT due_at = requested_at + $2 FROM account_ending WHERE user_id = $1"
            return await conn.fetchval(query, user_id, LOOKED_OVER_AGAIN)

    await eventually(looked, timeout_s=20, what="the first look")
    async with world.app.database.begin() as conn:
        await conn.execute(
            "UPDATE account_ending SET due_at = now(), requested_at = now() - interval '10 minutes' WHERE user_id = $1",
            user_id,
        )

    async def done():
        async with world.app.database.read() as conn:
            return await conn.fetchval("SELECT due_at IS NULL FROM account_ending WHERE user_id = $1", user_id)

    await eventually(done, timeout_s=20, what="the last look")


async def is_out(world, dialog_id, user_id):
    async with world.app.database.read() as conn:
        sql = "SELECT status FROM member WHERE dialog_id = $1 AND user_id = $2"
        return await conn.fetchval(sql, uuid.UUID(dialog_id), user_id) not in {"active", "muted"}


async def drafted(person):
    """Where they have begun to write, and the version of it."""
    return [(each["dialog_id"], each["version"]) for each in (await person.ok("GET", "/v1/dialogs/drafts"))["items"]]


async def asking(owner, dialog_id):
    """The dialog's path; newcomers have to ask."""
    path = f"/v1/dialogs/{dialog_id}"
    etag = (await owner.do("GET", path)).headers["ETag"]
    await owner.ok("PATCH", path, {"join_approval": True}, headers={"If-Match": etag})
    return path


async def scheduled(person, dialog_id, text, seconds=60):
    message = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": text}}
    at = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    made = await person.ok(
        "POST", "/v1/scheduled-messages", {"dialog_id": dialog_id, "send_at": at, "message": message}
    )
    return uuid.UUID(made["scheduled_id"])


async def make_due(world, *scheduled_ids):
    async with world.app.database.begin() as conn:
        sql = "UPDATE scheduled_message SET send_at = now() - interval '1 second' WHERE scheduled_id = ANY($1)"
        await conn.execute(sql, list(scheduled_ids))


async def make_bot(person, commands=()):
    name = f"b{uuid.uuid4().hex[:12]}bot"
    return await person.ok("POST", "/v1/bots", {"username": name, "display_name": "Echo", "commands": list(commands)})


async def texts(person, dialog_id):
    return [(each["content"] or {}).get("text") for each in await person.messages(dialog_id)]


async def sound(world):
    async with audit_connection(world.app) as conn:
        assert [(each.check.statement, each.examples) for each in await audit(conn) if each.count] == []


async def test_nothing_more_happens_in_the_name_of_a_deleted_account(world):
    host, gone, guest = await world.person(), await world.person(), await world.person()
    dialog_id = await world.group(host, gone)
    door = await world.group(host)
    path = await asking(host, door)
    token = (await host.ok("POST", f"{path}/invites", {}))["token"]
    assert (await gone.ok("POST", "/v1/dialogs/join", {"token": token}))["outcome"] == "requested"
    invite = (await gone.ok("POST", f"/v1/dialogs/{dialog_id}/invites", {}))["token"]
    direct = await world.group(host, gone, kind="direct")
    bot = await make_bot(gone)
    bearer = {"Authorization": f"Bot {bot['token']}"}
    with_bot = (await host.ok("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [bot["bot_id"]]}))["dialog_id"]
    theirs, others = await scheduled(gone, dialog_id, "from beyond"), await scheduled(host, dialog_id, "on time")
    await deleted(world, gone)

    # At once, not when the tidying comes.
    assert (await world.call("GET", "/v1/bot-api/me", headers=bearer)).status == 401
    assert await host.refused("GET", f"/v1/bots/{bot['bot_id']}") == "messaging.bot.not_found"
    wish = {"user_ids": [str(gone.user_id)]}
    assert await guest.refused("POST", "/v1/dialogs", {"kind": "direct", **wish}) == UNKNOWN
    assert await host.refused("POST", "/v1/dialogs", {"kind": "direct", **wish}) == UNKNOWN
    assert await guest.refused("POST", "/v1/dialogs", {"kind": "group", "title": "x", **wish}) == UNKNOWN
    assert await host.refused("POST", f"{path}/members", wish) == UNKNOWN
    assert await host.refused("POST", "/v1/dialogs", {"kind": "bot", "user_ids": [bot["bot_id"]]}) == UNKNOWN
    for two in (direct, with_bot):
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "there?"}}
        assert await host.refused("POST", f"/v1/dialogs/{two}/messages", body) == UNAVAILABLE
    assert await guest.refused("POST", "/v1/dialogs/join", {"token": invite}) == "messaging.invite.invalid"
    request = f"{path}/join-requests/{gone.user_id}"
    assert await host.refused("POST", f"{request}/approve", {}) == "messaging.join_request.not_found"
    assert (await host.ok("GET", f"{path}/join-requests"))["items"] == []
    body = {"user_id": str(gone.user_id)}
    assert await host.refused("PUT", f"/v1/dialogs/{dialog_id}/owner", body) == "messaging.member.not_found"

    await make_due(world, theirs, others)
    await eventually(lambda: said(host, dialog_id, "on time"), timeout_s=20, what="the other's message")
    assert "from beyond" not in await texts(host, dialog_id)
    await eventually(lambda: is_out(world, dialog_id, gone.user_id), timeout_s=20, what="they left")
    await look_again(world, gone.user_id)
    await sound(world)


async def said(person, dialog_id, text):
    return text in await texts(person, dialog_id)


async def test_their_groups_go_on_under_somebody_who_is_there(world):
    owner, heir, bot_owner = await world.person(), await world.person(), await world.person()
    bot = await make_bot(bot_owner)
    dialog_id = await world.group(owner, heir)
    path = f"/v1/dialogs/{dialog_id}"
    await owner.ok("POST", f"{path}/members", {"user_ids": [bot["bot_id"]]})
    await owner.ok("PATCH", f"{path}/members/{bot['bot_id']}", {"role": "admin"})
    await deleted(world, owner)

    async def inherited():
        return (await heir.dialog(dialog_id))["me"]["role"] == "owner"

    await eventually(inherited, timeout_s=20, what="a person inherits, not the bot, whatever their ranks")
    await heir.send(dialog_id, "we go on")
    assert (await heir.dialog(dialog_id))["member_count"] == 2


async def test_it_takes_no_longer_than_five_seconds(world):
    async def once():
        host, gone = await world.person(), await world.person()
        dialog_id = await world.group(gone, host)
        begun = asyncio.get_running_loop().time()
        await deleted(world, gone)
        await eventually(lambda: is_out(world, dialog_id, gone.user_id), timeout_s=30, what="they left")
        return asyncio.get_running_loop().time() - begun

    assert await least_of_three(once) < SOON_S


async def test_an_account_that_ended_before_anybody_heard_of_it_stays_ended(world):
    """Facts are told again, and those of other topics come in any order."""
    host, gone = await world.person(), await world.person()
    async with world.app.database.begin() as conn:
        await conn.execute("DELETE FROM account WHERE user_id = $1", gone.user_id)
    await deleted(world, gone)
    for body in (UserRegistered, UserProfileChanged):
        await world.publish(body(user_id=str(gone.user_id), display_name="Back again", locale="th-TH"), version=3)

    async def heard():
        async with world.app.database.read() as conn:
            sql = "SELECT display_name FROM account WHERE user_id = $1"
            return await conn.fetchval(sql, gone.user_id) == "Back again"

    await eventually(heard, timeout_s=20, what="the older fact")
    wish = {"kind": "direct", "user_ids": [str(gone.user_id)]}
    assert await host.refused("POST", "/v1/dialogs", wish) == UNKNOWN
    async with world.app.database.read() as conn:
        before = await conn.fetchval("SELECT ended_at FROM account WHERE user_id = $1", gone.user_id)
    await deleted(world, gone, at=datetime.now(UTC) + timedelta(days=1))
    marker = await world.person()
    await deleted(world, marker)
    async with world.app.database.read() as conn:
        assert await conn.fetchval("SELECT ended_at FROM account WHERE user_id = $1", gone.user_id) == before


async def test_dialogs_that_others_events_open_seat_nobody_who_is_gone(world):
    buyer, seller, customer = await world.person(), await world.person(), await world.person()
    shop_id, order_id = str(uuid.uuid4()), str(uuid.uuid4())
    shop = ShopOpened(shop_id=shop_id, owner_id=str(seller.user_id), name="Baan", country="TH", currency="THB")
    await world.publish(shop, version=1)
    wish = {"kind": "business", "shop_id": shop_id}

    async def opened():
        return (await customer.do("POST", "/v1/dialogs", wish)).status < 300

    await eventually(opened, timeout_s=20, what="the shop is known")
    dialog_id = (await customer.ok("POST", "/v1/dialogs", wish))["dialog_id"]
    await deleted(world, seller)
    assert await buyer.refused("POST", "/v1/dialogs", wish) == "messaging.dialog.shop_unknown"
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "hello?"}}
    assert await customer.refused("POST", f"/v1/dialogs/{dialog_id}/messages", body) == UNAVAILABLE
    placed = OrderPlaced(
        order_id=order_id,
        order_number="TH-1",
        buyer_id=str(buyer.user_id),
        seller_id=str(seller.user_id),
        shop_name="Baan",
    )
    await world.publish(placed, version=1)

    async def topic():
        found = [each for each in (await buyer.ok("GET", "/v1/dialogs"))["items"] if each["entity_id"] == order_id]
        return found[0] if found else None

    assert (await eventually(topic, timeout_s=20, what="the order's dialog"))["member_count"] == 1


async def test_a_bot_that_was_ended_is_nobody(world):
    owner, user, stranger = await world.person(), await world.person(), await world.person()
    bot = await make_bot(owner, [{"command": "help", "description": "What I can do"}])
    wish = {"kind": "bot", "user_ids": [bot["bot_id"]]}
    dialog_id = (await user.ok("POST", "/v1/dialogs", wish))["dialog_id"]
    group = await world.group(user, owner)
    await user.ok("POST", f"/v1/dialogs/{group}/members", {"user_ids": [bot["bot_id"]]})
    await user.send(dialog_id, "/start")
    kept = await world.group(user)
    await owner.ok("DELETE", f"/v1/bots/{bot['bot_id']}")
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "/help"}}
    assert await user.refused("POST", f"/v1/dialogs/{dialog_id}/messages", body) == UNAVAILABLE
    assert await user.refused("POST", f"/v1/dialogs/{kept}/members", {"user_ids": [bot["bot_id"]]}) == UNKNOWN
    for person in (user, owner, stranger):
        assert await person.refused("POST", "/v1/dialogs", wish) == UNKNOWN
    assert await user.refused("GET", f"/v1/bots/{bot['bot_id']}") == "messaging.bot.not_found"
    await eventually(lambda: is_out(world, group, uuid.UUID(bot["bot_id"])), timeout_s=20, what="it left the group")
    assert await texts(user, dialog_id) == ["/start"]  # what was said stays to be read


async def test_a_bot_ends_with_its_owner_even_if_it_was_made_while_they_ended(world):
    """Their token lives for two seconds more: what it makes is worth nothing, and is found by the second look."""
    owner = await world.person()
    await deleted(world, owner)
    made = await make_bot(owner)
    bearer = {"Authorization": f"Bot {made['token']}"}
    assert (await world.call("GET", "/v1/bot-api/me", headers=bearer)).status == 401
    await look_again(world, owner.user_id)
    async with world.app.database.read() as conn:
        sql = "SELECT deleted_at IS NOT NULL FROM bot WHERE bot_id = $1"
        assert await conn.fetchval(sql, uuid.UUID(made["bot_id"]))


async def test_a_seat_that_was_being_taken_while_the_account_ended_is_found(world):
    """The race: seen as alive, then ended and tidied, then seated."""
    host, gone = await world.person(), await world.person()
    dialog_id = await world.group(host)
    async with world.app.begin() as tx:
        await tx.stream.lock(uuid.UUID(dialog_id))
        await tx.conn.execute(
            "INSERT INTO member (dialog_id, user_id, workspace_id, role, status, joined_at, joined_seq) "
            "SELECT dialog_id, $2, workspace_id, 'member', 'active', now(), last_seq + 1 FROM dialog "
            "WHERE dialog_id = $1",
            *(uuid.UUID(dialog_id), gone.user_id),
        )
        await tx.conn.execute(
            "UPDATE dialog SET member_count = member_count + 1 WHERE dialog_id = $1", uuid.UUID(dialog_id)
        )
        await deleted(world, gone)

        async def first_look_over():
            async with world.app.database.read() as conn:
                sql = "SELECT due_at > now() + interval '30 seconds' FROM account_ending WHERE user_id = $1"
                return await conn.fetchval(sql, gone.user_id)

        await eventually(first_look_over, timeout_s=20, what="the first look is over")
    # The negative control: with the first look alone they would sit there for good.
    assert not await is_out(world, dialog_id, gone.user_id)
    await look_again(world, gone.user_id)
    assert await is_out(world, dialog_id, gone.user_id)
    await sound(world)


async def test_one_that_fails_holds_nobody_up(world, monkeypatch):
    first, second = await world.person(), await world.person()
    real = jobs.tidy_ended_account

    async def breaks(user_id, requested_at, begin):
        if user_id == first.user_id:
            raise RuntimeError("a fault about this one")
        await real(user_id, requested_at, begin)

    monkeypatch.setattr(jobs, "tidy_ended_account", breaks)
    stuck, moved = [await world.group(each, await world.person()) for each in (first, second)]
    await deleted(world, first)
    await deleted(world, second)
    await eventually(lambda: is_out(world, moved, second.user_id), timeout_s=20, what="the other left")
    assert not await is_out(world, stuck, first.user_id)


async def test_under_legal_hold_an_account_ends_and_its_words_stay(world):
    host, gone = await world.person(), await world.person()
    dialog_id = await world.group(host, gone)
    await gone.send(dialog_id, "evidence")
    async with world.app.begin() as tx:
        await hold_dialog(uuid.UUID(dialog_id), tx, held=True)
    await deleted(world, gone)
    await eventually(lambda: is_out(world, dialog_id, gone.user_id), timeout_s=20, what="they left")
    assert await texts(host, dialog_id) == ["evidence"]
    async with world.app.database.read() as conn:
        key = await conn.fetchval("SELECT wrapped_key FROM person_key WHERE user_id = $1", gone.user_id)
    assert key is not None


@pytest.mark.parametrize("how", ["banned", "removed", "left"])
async def test_what_a_membership_allowed_ends_with_it(world, how):
    owner, member, friend = await world.person(), await world.person(), await world.person()
    dialog_id = await world.group(owner, member)
    path = f"/v1/dialogs/{dialog_id}"
    own = (await member.ok("POST", f"{path}/invites", {}))["token"]
    owners = (await owner.ok("POST", f"{path}/invites", {}))["token"]
    waiting = await scheduled(member, dialog_id, "later")
    if how == "banned":
        await owner.ok("PUT", f"{path}/bans/{member.user_id}")
    else:
        by = owner if how == "removed" else member
        await by.ok("DELETE", f"{path}/members/{member.user_id}")
    for person in (member, friend):
        assert await person.refused("POST", "/v1/dialogs/join", {"token": own}) == "messaging.invite.invalid"
        assert await person.refused("GET", path) == NOT_FOUND
    [failed] = (await member.ok("GET", "/v1/scheduled-messages"))["items"]
    assert (failed["scheduled_id"], failed["failure_code"]) == (str(waiting), NOT_FOUND)
    # Back by somebody else's word, nothing of then lives again.
    if how == "banned":
        await owner.ok("DELETE", f"{path}/bans/{member.user_id}")
    assert (await member.ok("POST", "/v1/dialogs/join", {"token": owners}))["outcome"] == "joined"
    assert await friend.refused("POST", "/v1/dialogs/join", {"token": own}) == "messaging.invite.invalid"
    await make_due(world, waiting)
    marker = await scheduled(owner, dialog_id, "marker")
    await make_due(world, marker)
    await eventually(lambda: said(owner, dialog_id, "marker"), timeout_s=20, what="the next due message")
    assert "later" not in await texts(owner, dialog_id)


@pytest.mark.parametrize("how", ["banned", "removed", "left"])
async def test_a_draft_ends_with_the_membership(world, how):
    owner, member = await world.person(), await world.person()
    dialog_id, other_id = await world.group(owner, member), await world.group(owner, member)
    path = f"/v1/dialogs/{dialog_id}"
    for where in (dialog_id, other_id):
        assert (await member.ok("PUT", f"/v1/dialogs/{where}/draft", {"text": "half a thought"}))["version"] == 1
    if how == "banned":
        await owner.ok("PUT", f"{path}/bans/{member.user_id}")
        await owner.ok("DELETE", f"{path}/bans/{member.user_id}")
    else:
        await (owner if how == "removed" else member).ok("DELETE", f"{path}/members/{member.user_id}")
    assert await drafted(member) == [(other_id, 1)]
    events = (await member.ok("POST", "/v1/sync", {}))["account_events"]
    told = [each for each in events if each["type"] == "draft.changed" and each["dialog_id"] == dialog_id]
    assert [(each["version"], each["thrown_away"]) for each in told] == [(1, False), (2, True)]
    token = (await owner.ok("POST", f"{path}/invites", {}))["token"]
    await member.ok("POST", "/v1/dialogs/join", {"token": token})
    assert await drafted(member) == [(other_id, 1)]
    assert (await member.ok("PUT", f"{path}/draft", {"text": "anew"}))["version"] == 3


async def test_a_draft_that_was_left_over_is_shown_to_nobody_who_is_out(world):
    """A process of the version before does not throw it away."""
    owner, member = await world.person(), await world.person()
    dialog_id = await world.group(owner, member)
    await member.ok("PUT", f"/v1/dialogs/{dialog_id}/draft", {"text": "half a thought"})
    async with world.app.begin() as tx:
        dialog = await tx.stream.lock(uuid.UUID(dialog_id))
        seq = announce_member(dialog, member.user_id, tx, role=Role.MEMBER, status=MemberStatus.REMOVED, by=None)
        await tx.members.end_membership(dialog, member.user_id, MemberStatus.REMOVED, seq=seq)
    assert await drafted(member) == []


@pytest.mark.parametrize("protected", [True, False])
async def test_a_draft_kept_at_the_moment_of_the_removal(world, monkeypatch, protected):
    """Found as a member, then removed, then the draft is committed: it must not wait there until they are back."""
    owner, member = await world.person(), await world.person()
    dialog_id = await world.group(owner, member)
    path, real = f"/v1/dialogs/{dialog_id}", DialogStore.find_member

    async def find(store, *who, held=False):
        return await real(store, *who, held=held and protected)

    monkeypatch.setattr(DialogStore, "find_member", find)

    async def removed_or_waits():
        async with world.app.database.read() as conn:
            waits = (
                "SELECT EXISTS (SELECT FROM pg_stat_activity "
                "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0)"
            )
            return removing.done() or await conn.fetchval(waits)

    async with world.app.begin() as tx:
        await save_draft(SaveDraft(dialog_id=uuid.UUID(dialog_id), user_id=member.user_id, text="half a thought"), tx)
        removing = asyncio.create_task(owner.ok("DELETE", f"{path}/members/{member.user_id}"))
        await eventually(removed_or_waits, timeout_s=20, what="the removal is done, or waits for the draft")
    await removing
    token = (await owner.ok("POST", f"{path}/invites", {}))["token"]
    await member.ok("POST", "/v1/dialogs/join", {"token": token})
    assert await drafted(member) == ([] if protected else [(dialog_id, 1)])


async def test_a_request_that_waited_seats_nobody_after_a_ban(world):
    owner, stranger = await world.person(), await world.person()
    path = await asking(owner, await world.group(owner))
    token = (await owner.ok("POST", f"{path}/invites", {}))["token"]
    await stranger.ok("POST", "/v1/dialogs/join", {"token": token})
    await owner.ok("PUT", f"{path}/bans/{stranger.user_id}")
    await owner.ok("DELETE", f"{path}/bans/{stranger.user_id}")
    request = f"{path}/join-requests/{stranger.user_id}"
    assert await owner.refused("POST", f"{request}/approve", {}) == "messaging.join_request.not_found"
    assert await stranger.refused("GET", path) == NOT_FOUND


async def test_a_link_is_worth_what_its_maker_may_do_now(world):
    owner, member, friend = await world.person(), await world.person(), await world.person()
    dialog_id = await world.group(owner, member)
    path = f"/v1/dialogs/{dialog_id}"
    token = (await member.ok("POST", f"{path}/invites", {}))["token"]
    etag = (await owner.do("GET", path)).headers["ETag"]
    narrowed = {"permissions": {"member": ["send", "react"]}}
    await owner.ok("PATCH", path, narrowed, headers={"If-Match": etag})
    assert await friend.refused("POST", "/v1/dialogs/join", {"token": token}) == "messaging.invite.invalid"
    etag = (await owner.do("GET", path)).headers["ETag"]
    await owner.ok("PATCH", path, {"permissions": {}}, headers={"If-Match": etag})
    assert (await friend.ok("POST", "/v1/dialogs/join", {"token": token}))["outcome"] == "joined"


@pytest.mark.parametrize("protected", [True, False])
async def test_a_link_used_at_the_moment_of_the_ban(world, monkeypatch, protected):
    """Found valid, then the maker is banned, then the guest comes in: judged under the dialog's lock."""
    owner, member, guest = await world.person(), await world.person(), await world.person()
    dialog_id = await world.group(owner, member)
    path = f"/v1/dialogs/{dialog_id}"
    token = (await member.ok("POST", f"{path}/invites", {}))["token"]
    found, banned, kept = asyncio.Event(), asyncio.Event(), []
    real = InviteStore.find

    async def find_then_wait(store, token_hash):
        row = await real(store, token_hash)
        if not kept:
            kept.append(row)
            found.set()
            await banned.wait()
        return row if protected else kept[0]

    async def always(*_):
        return True

    monkeypatch.setattr(InviteStore, "find", find_then_wait)
    if not protected:
        monkeypatch.setattr(join_by_invite, "_may_invite", always)
    joining = asyncio.create_task(guest.do("POST", "/v1/dialogs/join", {"token": token}))
    await asyncio.wait_for(found.wait(), 20)
    await owner.ok("PUT", f"{path}/bans/{member.user_id}")
    banned.set()
    answer = await joining
    assert answer.status == (404 if protected else 200), answer.content
