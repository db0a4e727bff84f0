"""docs/ENDINGS.md, walked: each line from the act that ends something to the effect, over all services.

A row makes new people, and gives a check that says whether the thing has ended. The check must say no before the end,
and yes within the promised seconds after it, in the best of three tries: a machine may stand still.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import people
import pytest
from people import PASSWORD

from testkit.client import Api, ApiError, Person
from testkit.wait import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
SOON_S, AT_ONCE_S, PATIENCE_S = 5.0, 2.0, 20.0
TRIES = 3
Check = Callable[[], Awaitable[bool]]


@dataclass
class Stage:
    """What a row may use, and who is to end: ``end`` is replaced where it is not an account."""

    api: Api
    gateway_url: str
    sandbox_url: str
    gone: Person
    end: Callable[[], Awaitable[Any]]


Row = Callable[[Stage], Awaitable[Check]]
ROWS: list[Any] = []


def row(service: str, what: str, *, within_s: float = SOON_S) -> Callable[[Row], Row]:
    def keep(prepare: Row) -> Row:
        ROWS.append(pytest.param(prepare, within_s, id=f"{service}: {what}"))
        return prepare

    return keep


def is_refusal(error: ApiError) -> bool:
    """Raises what is a fault of the server instead."""
    if error.status >= 500:
        raise error
    return True


async def refused(call: Awaitable[Any]) -> bool:
    try:
        await call
    except ApiError as error:
        return is_refusal(error)
    return False


async def got(call: Callable[[], Awaitable[Any]], what: str) -> Any:
    """What begins a row may have to wait until every service has heard of everybody."""

    async def attempt() -> Any:
        try:
            return [await call()]
        except ApiError as error:
            return None if is_refusal(error) else error

    return (await eventually(attempt, timeout_s=60, what=what))[0]


async def group(by: Person, *others: Person) -> str:
    body = {"kind": "group", "title": "A group", "user_ids": [each.user_id for each in others]}
    return str((await got(lambda: by.post("/v1/dialogs", body), "a group"))["dialog_id"])


async def pair(by: Person, other: str, kind: str = "direct") -> str:
    body = {"kind": kind, "user_ids": [other]}
    return str((await got(lambda: by.post("/v1/dialogs", body), f"a dialog: {kind}"))["dialog_id"])


async def say(by: Person, dialog_id: str, text: str = "hello") -> Any:
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": text}}
    return await by.post(f"/v1/dialogs/{dialog_id}/messages", body)


async def bot_of(owner: Person) -> dict[str, Any]:
    body = {"username": f"r{uuid.uuid4().hex[:9]}bot", "display_name": "Bot", "commands": []}
    made: dict[str, Any] = await owner.post("/v1/bots", body)
    return made


async def schedule(by: Person, dialog_id: str, text: str, seconds: float) -> None:
    message = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": text}}
    at = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    await by.post("/v1/scheduled-messages", {"dialog_id": dialog_id, "send_at": at, "message": message})


async def is_in(member: Person, dialog_id: str, who: str) -> bool:
    items = (await member.get(f"/v1/dialogs/{dialog_id}/members"))["items"]
    return who in {each["user_id"] for each in items}


async def lets_in(stage: Stage, token: str) -> bool:
    """Whether a new person comes in by a link."""
    guest = await people.person(stage.api)
    return not await refused(guest.post("/v1/dialogs/join", {"token": token}))


# An account: auth and the gateway.


@row("auth", "its token", within_s=AT_ONCE_S)
async def _(stage: Stage) -> Check:
    return lambda: refused(stage.gone.get("/v1/users/me"))


@row("gateway", "its token at another service", within_s=AT_ONCE_S)
async def _(stage: Stage) -> Check:
    return lambda: refused(stage.gone.get("/v1/dialogs"))


@row("auth", "its refresh token", within_s=AT_ONCE_S)
async def _(stage: Stage) -> Check:
    token = stage.gone.refresh_token

    async def check() -> bool:
        nonlocal token
        try:
            token = (await stage.api.call("POST", "/v1/sessions/refresh", {"refresh_token": token}))["refresh_token"]
        except ApiError as error:
            return is_refusal(error)
        return False

    return check


@row("auth", "signing in")
async def _(stage: Stage) -> Check:
    return lambda: refused(stage.api.sign_in(email=stage.gone.email, password=PASSWORD))


@row("auth", "its profile")
async def _(stage: Stage) -> Check:
    viewer = await people.person(stage.api)
    return lambda: refused(viewer.get(f"/v1/users/{stage.gone.user_id}"))


# An account: messaging.


@row("messaging", "being written to by strangers")
async def _(stage: Stage) -> Check:
    await got(lambda: _first_word(stage), "somebody known to chat")

    async def check() -> bool:
        stranger = await people.person(stage.api)
        return await refused(stranger.post("/v1/dialogs", {"kind": "direct", "user_ids": [stage.gone.user_id]}))

    return check


async def _first_word(stage: Stage) -> Any:
    friend = await people.person(stage.api)
    return await friend.post("/v1/dialogs", {"kind": "direct", "user_ids": [stage.gone.user_id]})


@row("messaging", "being written to in a dialog of two")
async def _(stage: Stage) -> Check:
    friend = await people.person(stage.api)
    dialog_id = await pair(friend, stage.gone.user_id)
    return lambda: refused(say(friend, dialog_id))


@row("messaging", "being added to groups")
async def _(stage: Stage) -> Check:
    host = await people.person(stage.api)
    await group(host, stage.gone)

    async def check() -> bool:
        dialog_id = await group(host)
        return await refused(host.post(f"/v1/dialogs/{dialog_id}/members", {"user_ids": [stage.gone.user_id]}))

    return check


@row("messaging", "its places in groups")
async def _(stage: Stage) -> Check:
    host = await people.person(stage.api)
    dialog_id = await group(host, stage.gone)

    async def check() -> bool:
        return not await is_in(host, dialog_id, stage.gone.user_id)

    return check


@row("messaging", "owning groups")
async def _(stage: Stage) -> Check:
    heir = await people.person(stage.api)
    dialog_id = await group(stage.gone, heir)

    async def check() -> bool:
        await say(heir, dialog_id)  # it stays writable all the while
        return bool((await heir.get(f"/v1/dialogs/{dialog_id}"))["me"]["role"] == "owner")

    return check


@row("messaging", "its request to join")
async def _(stage: Stage) -> Check:
    host = await people.person(stage.api)
    dialog_id = await group(host)
    path = f"/v1/dialogs/{dialog_id}"
    version = (await host.get(path))["version"]
    await host.patch(path, {"join_approval": True}, If_Match=f'"{version}"')
    token = (await host.post(f"{path}/invites", {}))["token"]
    await stage.gone.post("/v1/dialogs/join", {"token": token})

    async def check() -> bool:
        waiting = (await host.get(f"{path}/join-requests"))["items"]
        if waiting:
            return False
        return await refused(host.post(f"{path}/join-requests/{stage.gone.user_id}/approve"))

    return check


@row("messaging", "its invite links")
async def _(stage: Stage) -> Check:
    host = await people.person(stage.api)
    dialog_id = await group(host, stage.gone)
    token = (await stage.gone.post(f"/v1/dialogs/{dialog_id}/invites", {}))["token"]

    async def check() -> bool:
        return not await lets_in(stage, token)

    return check


@row("messaging", "its bots' tokens")
async def _(stage: Stage) -> Check:
    bot = await bot_of(stage.gone)
    bearer = {"Authorization": f"Bot {bot['token']}"}
    return lambda: refused(stage.api.call("GET", "/v1/bot-api/me", headers=bearer))


@row("messaging", "writing to its bots")
async def _(stage: Stage) -> Check:
    bot, friend = await bot_of(stage.gone), await people.person(stage.api)
    dialog_id = await pair(friend, bot["bot_id"], "bot")
    return lambda: refused(say(friend, dialog_id))


@row("messaging", "its sockets", within_s=AT_ONCE_S + 1)  # revoked within two seconds, closed at the next sweep
async def _(stage: Stage) -> Check:
    session = aiohttp.ClientSession()
    socket = await session.ws_connect(f"{stage.gateway_url}/v1/realtime")
    await socket.send_json({"type": "auth", "token": stage.gone.access_token})
    assert (await socket.receive_json(timeout=20))["type"] == "ready"
    closed = asyncio.create_task(_until_closed(session, socket))

    async def check() -> bool:
        return closed.done()

    return check


@row("messaging", "its presence")
async def _(stage: Stage) -> Check:
    """Told to who looks, while its socket may still be open."""
    friend = await people.person(stage.api)
    await pair(friend, stage.gone.user_id)
    session = aiohttp.ClientSession()
    theirs, looking = [await session.ws_connect(f"{stage.gateway_url}/v1/realtime") for _ in range(2)]
    for socket, who in ((theirs, stage.gone), (looking, friend)):
        await socket.send_json({"type": "auth", "token": who.access_token})
        assert (await socket.receive_json(timeout=20))["type"] == "ready"
    await looking.send_json({"type": "presence.watch", "user_ids": [stage.gone.user_id]})
    shown: list[bool] = []
    listening = asyncio.create_task(_presences(looking, shown))

    async def online() -> bool:
        return shown[-1:] == [True]

    await eventually(online, timeout_s=20, what="they are seen")

    async def check() -> bool:
        if shown[-1]:
            return False
        listening.cancel()
        await session.close()
        return True

    return check


async def _presences(socket: aiohttp.ClientWebSocketResponse, shown: list[bool]) -> None:
    async for message in socket:
        frame = message.json()
        if frame["type"] == "presence":
            shown.append(frame["online"])


async def _until_closed(session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass
    await session.close()


# An account: what is its in other services.


@row("commerce", "its products can be ordered")
async def _(stage: Stage) -> Check:
    seller, _, variant_id = await people.shop_with_product(stage.api, on_hand=50, price_minor=10_00)
    buyer = await people.buyer_with(stage.api, 1_000_00)
    stage.gone, stage.end = seller, lambda: seller.delete("/v1/users/me")

    async def check() -> bool:
        try:
            placed = await people.order(buyer, variant_id)
        except ApiError as error:
            return is_refusal(error)
        return bool((await people.settled(buyer, placed))["payment_status"] == "failed")

    return check


@row("commerce", "its products are shown on sale")
async def _(stage: Stage) -> Check:
    seller, product_id, _ = await people.shop_with_product(stage.api, on_hand=5)
    stage.gone, stage.end = seller, lambda: seller.delete("/v1/users/me")

    async def check() -> bool:
        try:
            found = await stage.api.call("GET", f"/v1/products/{product_id}")
        except ApiError as error:
            return is_refusal(error)
        return bool(found["status"] != "active")

    return check


@row("payment", "its wallet takes money")
async def _(stage: Stage) -> Check:
    payer = await people.buyer_with(stage.api, 1_000_00)
    await people.wallet(stage.gone)
    body = {"recipient_id": stage.gone.user_id, "amount": {"amount_minor": 1_00, "currency": "THB"}}
    return lambda: refused(payer.post("/v1/transfers", body))


@row("notification", "it is told anything")
async def _(stage: Stage) -> Check:
    """What is sent in its name's mailbox after the end: an order of before is shipped, and nobody writes of it."""
    seller, _, variant_id = await people.shop_with_product(stage.api, on_hand=50, price_minor=10_00)
    await people.prove_address(stage.gone, stage.sandbox_url)
    await people.top_up(stage.gone, 1_000_00)

    async def ordered() -> str:
        checkout = await people.settled(stage.gone, await people.order(stage.gone, variant_id))
        assert checkout["payment_status"] == "paid"
        return str(checkout["orders"][0]["order_id"])

    orders = [await ordered() for _ in range(6)]
    sent_before = -1

    async def mails() -> int:
        return len(await people.mails_of(stage.gone, stage.sandbox_url))

    async def check() -> bool:
        nonlocal sent_before
        sent_before = await mails()
        await seller.post(f"/v1/orders/{orders.pop()}/fulfilment", {"status": "processing"})
        for _ in range(12):
            await asyncio.sleep(0.25)
            if await mails() > sent_before:
                return False
        return True

    return check


# Other ends.


@row("bot", "writing to one that its owner ended")
async def _(stage: Stage) -> Check:
    bot, friend = await bot_of(stage.gone), await people.person(stage.api)
    dialog_id = await pair(friend, bot["bot_id"], "bot")
    stage.end = lambda: stage.gone.delete(f"/v1/bots/{bot['bot_id']}")
    return lambda: refused(say(friend, dialog_id))


@row("bot", "opening one that its owner ended")
async def _(stage: Stage) -> Check:
    bot, friend = await bot_of(stage.gone), await people.person(stage.api)
    await pair(friend, bot["bot_id"], "bot")
    stage.end = lambda: stage.gone.delete(f"/v1/bots/{bot['bot_id']}")

    async def check() -> bool:
        stranger = await people.person(stage.api)
        body = {"kind": "bot", "user_ids": [bot["bot_id"]]}
        return await refused(stranger.post("/v1/dialogs", body)) and await refused(friend.post("/v1/dialogs", body))

    return check


@row("bot", "its place in groups")
async def _(stage: Stage) -> Check:
    bot, host = await bot_of(stage.gone), await people.person(stage.api)
    dialog_id = await group(host)
    await host.post(f"/v1/dialogs/{dialog_id}/members", {"user_ids": [bot["bot_id"]]})
    stage.end = lambda: stage.gone.delete(f"/v1/bots/{bot['bot_id']}")

    async def check() -> bool:
        return not await is_in(host, dialog_id, bot["bot_id"])

    return check


@row("membership", "links of who was banned")
async def _(stage: Stage) -> Check:
    owner = await people.person(stage.api)
    dialog_id = await group(owner, stage.gone)
    token = (await stage.gone.post(f"/v1/dialogs/{dialog_id}/invites", {}))["token"]
    stage.end = lambda: owner.put(f"/v1/dialogs/{dialog_id}/bans/{stage.gone.user_id}")

    async def check() -> bool:
        return not await lets_in(stage, token)

    return check


@row("membership", "links of who was removed")
async def _(stage: Stage) -> Check:
    owner = await people.person(stage.api)
    dialog_id = await group(owner, stage.gone)
    token = (await stage.gone.post(f"/v1/dialogs/{dialog_id}/invites", {}))["token"]
    stage.end = lambda: owner.delete(f"/v1/dialogs/{dialog_id}/members/{stage.gone.user_id}")

    async def check() -> bool:
        return not await lets_in(stage, token) and await refused(stage.gone.post("/v1/dialogs/join", {"token": token}))

    return check


@row("session", "the token of one that was signed out", within_s=AT_ONCE_S)
async def _(stage: Stage) -> Check:
    stage.end = lambda: stage.gone.delete(f"/v1/sessions/{stage.gone.session_id}")
    return lambda: refused(stage.gone.get("/v1/dialogs"))


@row("role", "the tokens of an operator who is one no longer", within_s=AT_ONCE_S)
async def _(stage: Stage) -> Check:
    operator = await people.operator(stage.api)
    stage.end = lambda: people.change_role("withdraw-role", operator)
    return lambda: refused(operator.get("/v1/ops/sagas"))


@pytest.mark.parametrize(("prepare", "within_s"), ROWS)
async def test_it_ends_in_time(stack: Any, api: Api, prepare: Row, within_s: float) -> None:
    async def seconds() -> float:
        gone = await people.person(api, "Gone")
        stage = Stage(api, stack.gateway_url, stack.sandbox_url, gone, lambda: gone.delete("/v1/users/me"))
        check = await prepare(stage)
        assert not await check(), "it has ended before anything was ended"
        await stage.end()
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE_S:
            asked = time.monotonic()
            if await check():
                return asked - begun  # it had ended when it was asked
            await asyncio.sleep(0.1)
        pytest.fail(f"goes on {PATIENCE_S:.0f} s after the end")

    taken = []
    for _ in range(TRIES):
        taken.append(await seconds())
        if taken[-1] < within_s:
            return
    pytest.fail(f"ends too late: {', '.join(f'{each:.1f} s' for each in taken)}")


async def test_what_they_scheduled_is_not_sent_and_others_is(api: Api) -> None:
    host, gone = await people.person(api), await people.person(api, "Gone")
    dialog_id = await group(host, gone)
    await schedule(gone, dialog_id, "from beyond", 7)
    await schedule(host, dialog_id, "a moment later", 8)
    await gone.delete("/v1/users/me")

    async def texts() -> list[Any]:
        items = (await host.get(f"/v1/dialogs/{dialog_id}/messages"))["items"]
        return [(each["content"] or {}).get("text") for each in items]

    async def due() -> bool:
        return "a moment later" in await texts()

    await eventually(due, timeout_s=60, what="the message of somebody who is here")
    assert "from beyond" not in await texts()


async def test_what_they_wrote_stays(api: Api) -> None:
    host, gone = await people.person(api), await people.person(api, "Gone")
    dialog_id = await group(host, gone)
    sent = await say(gone, dialog_id, "remember this")
    poll = {"type": "poll", "question": "Tea?", "options": ["yes", "no"]}
    asked = await gone.post(
        f"/v1/dialogs/{dialog_id}/messages", {"client_message_id": str(uuid.uuid4()), "content": poll}
    )
    await gone.delete("/v1/users/me")

    async def left() -> bool:
        return not await is_in(host, dialog_id, gone.user_id)

    await eventually(left, timeout_s=30, what="they left")
    items = {each["seq"]: each for each in (await host.get(f"/v1/dialogs/{dialog_id}/messages"))["items"]}
    assert items[sent["seq"]]["content"]["text"] == "remember this"
    await host.put(f"/v1/dialogs/{dialog_id}/messages/{asked['seq']}/vote", {"options": [0]})
