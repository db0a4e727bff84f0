"""END-2: what a stranger made to act in somebody's name ends with the first proof of the address, however late it was
made; what the owner makes, however early, stays.
"""

import asyncio
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.core.adapters.access_store import AccessStore
from messaging.core.usecases.hold_access import hold_access
from sampan.auth.v1.user_pb2 import UserAccessReset, UserProfileChanged
from testkit.wait import eventually


@dataclass
class Scene:
    """Somebody with dialogs, whose ``stranger`` and ``owner`` sessions are of one account."""

    world: Any
    stranger: Any
    owner: Any
    dialog_id: str
    asked_id: str
    bot_id: str
    invite: str

    async def told(self, epoch=1):
        body = UserAccessReset(user_id=str(self.owner.user_id), access_epoch=epoch)
        body.reset_at.FromDatetime(datetime.now(UTC))
        await self.world.publish(body, version=5)

    async def known(self, epoch=1):
        async def kept():
            async with self.world.app.database.read() as conn:
                return await AccessStore(conn).epoch(self.owner.user_id) == epoch

        await eventually(kept, timeout_s=20, what=f"epoch {epoch} is known")

    async def renamed(self):
        name = uuid.uuid4().hex
        await self.world.publish(UserProfileChanged(user_id=str(self.owner.user_id), display_name=name), version=6)

        async def shown():
            async with self.world.app.database.read() as conn:
                sql = "SELECT display_name FROM account WHERE user_id = $1"
                return await conn.fetchval(sql, self.owner.user_id) == name

        await eventually(shown, timeout_s=20, what="the name")


async def scene_of(world):
    stranger, friend, host = [await world.person() for _ in range(3)]
    owner = replace(stranger, token=world.issuer.token_for(stranger.user_id, access_epoch=1))
    dialog_id = await world.group(stranger, friend)
    asked_id = await world.group(host, friend)
    seen = await host.do("GET", f"/v1/dialogs/{asked_id}")
    door = {"is_public": True, "join_approval": True}
    await host.ok("PATCH", f"/v1/dialogs/{asked_id}", door, headers={"If-Match": seen.headers["ETag"]})
    bot = await stranger.ok("POST", "/v1/bots", {"username": f"b{uuid.uuid4().hex[:12]}_bot", "display_name": "Echo"})
    invite = (await host.ok("POST", f"/v1/dialogs/{asked_id}/invites", {}))["token"]
    return Scene(world, stranger, owner, dialog_id, asked_id, bot["bot_id"], invite)


async def token_works(scene, made):
    answer = await scene.world.call("GET", "/v1/bot-api/me", headers={"Authorization": f"Bot {made['token']}"})
    return answer.status == 200


async def make_bot(_, who):
    return await who.do("POST", "/v1/bots", {"username": f"b{uuid.uuid4().hex[:12]}_bot", "display_name": "Echo"})


async def renew_token(scene, who):
    return await who.do("POST", f"/v1/bots/{scene.bot_id}/token")


async def point_webhook(scene, who):
    return await who.do("PUT", f"/v1/bots/{scene.bot_id}/webhook", {"url": "https://thief.example/hook"})


async def webhook_stands(scene, _):
    bots = {each["bot_id"]: each for each in (await scene.owner.ok("GET", "/v1/bots"))["items"]}
    return bots[scene.bot_id]["webhook_url"] is not None


async def schedule(scene, who):
    message = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "send me money"}}
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"dialog_id": scene.dialog_id, "send_at": later, "message": message}
    return await who.do("POST", "/v1/scheduled-messages", body)


async def waits_to_be_sent(scene, made):
    waiting = (await scene.owner.ok("GET", "/v1/scheduled-messages"))["items"]
    return made["scheduled_id"] in {each["scheduled_id"] for each in waiting}


async def invite(scene, who):
    return await who.do("POST", f"/v1/dialogs/{scene.dialog_id}/invites", {})


async def lets_in(scene, made):
    guest = await scene.world.person()
    return (await guest.do("POST", "/v1/dialogs/join", {"token": made["token"]})).status == 200


async def ask_at_the_door(scene, who):
    return await who.do("POST", f"/v1/dialogs/{scene.asked_id}/join", {"message": "let me in"})


async def ask_by_link(scene, who):
    return await who.do("POST", "/v1/dialogs/join", {"token": scene.invite, "message": "let me in"})


async def asks(scene, _):
    async with scene.world.app.database.read() as conn:
        asked = "SELECT status FROM join_request WHERE dialog_id = $1 AND user_id = $2"
        return await conn.fetchval(asked, uuid.UUID(scene.asked_id), scene.owner.user_id) == "pending"


@dataclass(frozen=True)
class Act:
    """``one``: there is never more than one of it, the last."""

    make: Any
    acts: Any
    one: bool = False


ACTS = [
    Act(make_bot, token_works),
    Act(renew_token, token_works),
    Act(point_webhook, webhook_stands, one=True),
    Act(schedule, waits_to_be_sent),
    Act(invite, lets_in),
    Act(ask_at_the_door, asks, one=True),
    Act(ask_by_link, asks, one=True),
]
every_act = pytest.mark.parametrize("act", ACTS, ids=lambda act: act.make.__name__)
BOT, *_, INVITE, _, _ = ACTS


async def made(act, scene, who):
    answer = await act.make(scene, who)
    assert answer.status in {200, 201}, answer.content
    assert await act.acts(scene, answer.json)
    return answer.json


@every_act
async def test_what_a_stranger_makes_before_messaging_hears_of_the_proof_ends_when_it_does(world, act):
    scene = await scene_of(world)
    left = await made(act, scene, scene.stranger)
    await scene.told()
    await scene.known()
    assert not await act.acts(scene, left)
    await scene.owner.send(scene.dialog_id, "still here")


@every_act
async def test_what_the_owner_makes_before_messaging_hears_of_the_proof_stays_and_ends_the_strangers(world, act):
    scene = await scene_of(world)
    left = await made(act, scene, scene.stranger)
    kept = await made(act, scene, scene.owner)
    await scene.known()
    assert act.one or not await act.acts(scene, left)
    await scene.told()
    await scene.renamed()  # of the same key: what came before it is applied
    assert await act.acts(scene, kept)
    await scene.told(epoch=2)
    await scene.known(epoch=2)
    assert not await act.acts(scene, kept), "a later reset ends what was made under an earlier one"


@every_act
async def test_a_session_from_before_makes_nothing_once_messaging_has_heard(world, act):
    scene = await scene_of(world)
    await scene.told()
    await scene.known()
    answer = await act.make(scene, scene.stranger)
    assert (answer.status, answer.code) == (401, "auth.token.revoked")
    assert await made(act, scene, scene.owner) is not None


@pytest.mark.parametrize("protected", [True, False], ids=["held", "negative control"])
async def test_what_was_begun_before_and_is_committed_after_the_event_ends_too(world, monkeypatch, protected):
    scene = await scene_of(world)
    if not protected:

        async def nothing(*_):
            return None

        monkeypatch.setattr(AccessStore, "share", nothing)
    begun, told = asyncio.Event(), asyncio.Event()
    real = hold_access

    async def hold_then_wait(*given):
        await real(*given)
        begun.set()
        await told.wait()

    monkeypatch.setattr("messaging.core.entrypoints.routes.invites.hold_access", hold_then_wait)
    making = asyncio.create_task(INVITE.make(scene, scene.stranger))
    await asyncio.wait_for(begun.wait(), 20)
    await scene.told()
    if protected:
        await asyncio.sleep(1)  # the event waits for who holds the epoch
    else:
        await scene.known()
    told.set()
    left = (await making).json
    await scene.known()
    assert await INVITE.acts(scene, left) is not protected


async def test_an_event_that_tells_no_epoch_ends_what_is_there_and_shuts_nobody_out(world):
    scene = await scene_of(world)
    left = await made(BOT, scene, scene.stranger)
    await scene.told(epoch=0)

    async def ended():
        return not await BOT.acts(scene, left)

    await eventually(ended, timeout_s=20, what="the end of what was there")
    assert await made(BOT, scene, scene.stranger) is not None


async def test_a_token_of_a_version_that_told_no_epoch_works_as_long_as_its_session(world):
    """While auth is rolled out or back: nobody is shut out, and nothing of theirs ends."""
    scene = await scene_of(world)
    await scene.told()
    await scene.known()
    kept = await made(BOT, scene, scene.owner)
    old = replace(scene.owner, token=world.issuer.token_for(scene.owner.user_id, access_epoch=None))
    assert await made(INVITE, scene, old) is not None
    assert await BOT.acts(scene, kept)
